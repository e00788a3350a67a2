/* SPDX-License-Identifier: MIT */
/*
 * "memory-backend-file": memory that is a file, or one without a name in a folder (as of
 * hugetlbfs). With share=on other processes may map it too.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <qomet/backends/host-client.h>
#include <qomet/backends/hostmem.h>
#include <qomet/qom/module.h>

#define TYPE_MEMORY_BACKEND_FILE "memory-backend-file"
OBJECT_DECLARE_SIMPLE_TYPE(HostMemoryBackendFile, MEMORY_BACKEND_FILE)

#define MAX_ALIGN (UINT64_C(1) << 30)

struct HostMemoryBackendFile {
    HostMemoryBackend parent_obj;
    char *mem_path;
    uint64_t align;
    bool discard_data;
    int fd; /* of the file; -1: it is not open */
};

/* The file, made where there is none: *@made then. -1 with @errp set. */
static int open_file(const char *path, bool *made, GError **errp)
{
    struct stat st;
    bool there = stat(path, &st) == 0;

    if (there && S_ISDIR(st.st_mode)) {
        return host_open(path, O_RDWR | O_TMPFILE, errp);
    }
    *made = !there;
    return host_open(path, O_RDWR | O_CREAT, errp);
}

/* The bytes of a page of the file that @fd is. */
static uint64_t page_of(int fd)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && fs.f_type == HUGETLBFS_MAGIC ? (uint64_t)fs.f_bsize
                                                                 : (uint64_t)sysconf(_SC_PAGESIZE);
}

/* An empty file grows to what is asked of it; one that holds something is as large as it is. */
static bool fit(int fd, uint64_t size, GError **errp)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        qom_error_set(errp, QOM_ERROR_FAILED, "cannot tell the size of the file: %s",
                      g_strerror(errno));
        return false;
    }
    if (!S_ISREG(st.st_mode)) {
        return true;
    }
    if (st.st_size == 0 && (size > INT64_MAX || ftruncate(fd, (off_t)size) != 0)) {
        qom_error_set(errp, QOM_ERROR_FAILED, "cannot make the file %" PRIu64 " bytes long: %s",
                      size, g_strerror(size > INT64_MAX ? EFBIG : errno));
        return false;
    }
    if (st.st_size && (uint64_t)st.st_size < size) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "backing store size 0x%" PRIx64 " does not match 'size' option 0x%" PRIx64,
                      (uint64_t)st.st_size, size);
        return false;
    }
    return true;
}

static bool map_file(HostMemoryBackend *backend, const char *name, uint32_t ram_flags, int fd,
                     GError **errp)
{
    const uint64_t page = page_of(fd), align = MEMORY_BACKEND_FILE(backend)->align;

    if (backend->size % page) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "size=%" PRIu64 " is no multiple of the file's page of %" PRIu64 " bytes",
                      backend->size, page);
        return false;
    }
    return fit(fd, backend->size, errp) &&
           memory_region_init_ram_from_fd(&backend->mr, OBJECT(backend), name, backend->size,
                                          MAX(align, page), ram_flags, fd, errp);
}

static bool file_backend_alloc(HostMemoryBackend *backend, const char *name, uint32_t ram_flags,
                               GError **errp)
{
    HostMemoryBackendFile *s = MEMORY_BACKEND_FILE(backend);
    g_autofree char *path = s->mem_path ? host_path(s->mem_path) : NULL;
    bool made = false;

    if (!path || !*path) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'mem-path' is missing: a file, or a folder for one");
        return false;
    }
    if (s->align & (s->align - 1) || s->align > MAX_ALIGN) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "align=%" PRIu64 " is no power of two, accepted are those up to 1G",
                      s->align);
        return false;
    }
    s->fd = open_file(path, &made, errp);
    if (s->fd < 0) {
        return false;
    }
    if (map_file(backend, name, ram_flags, s->fd, errp)) {
        return true;
    }
    g_prefix_error(errp, "mem-path=%s: ", path);
    if (made) {
        unlink(path);
    }
    return false;
}

static void file_backend_init(Object *obj)
{
    MEMORY_BACKEND_FILE(obj)->fd = -1;
}

static void file_backend_finalize(Object *obj)
{
    HostMemoryBackendFile *s = MEMORY_BACKEND_FILE(obj);
    const uint64_t size = MEMORY_BACKEND(obj)->size;

    if (s->fd < 0) {
        return;
    }
    /* A file system that cannot forget a part of a file keeps it. */
    if (s->discard_data && MEMORY_BACKEND(obj)->complete &&
        fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)size) != 0) {
        s->discard_data = false;
    }
    close(s->fd);
}

static const Property file_backend_props[] = {
    DEFINE_PROP_STRING("mem-path", HostMemoryBackendFile, mem_path,
                       .help = "the file, which is made where there is none; or a folder, for one "
                               "without a name"),
    DEFINE_PROP_SIZE("align", HostMemoryBackendFile, align, 0,
                     .help = "the memory begins at a multiple of this in the host (0: of a page)"),
    DEFINE_PROP_BOOL("discard-data", HostMemoryBackendFile, discard_data, false, .live = true,
                     .help = "what the file holds is of no use in the end"),
};

static void file_backend_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    MEMORY_BACKEND_CLASS(klass)->alloc = file_backend_alloc;
    object_class_add_properties(klass, file_backend_props, G_N_ELEMENTS(file_backend_props));
}

static const TypeInfo file_backend_types[] = {
    {
        .name = TYPE_MEMORY_BACKEND_FILE,
        .parent = TYPE_MEMORY_BACKEND,
        .instance_size = sizeof(HostMemoryBackendFile),
        .instance_init = file_backend_init,
        .instance_finalize = file_backend_finalize,
        .class_init = file_backend_class_init,
    },
};

DEFINE_TYPES(file_backend_types)
