/* SPDX-License-Identifier: MIT */
/*
 * "memory-backend-memfd": memory that is a file without a name, for other processes to be handed.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <unistd.h>
#include <qomet/backends/hostmem.h>
#include <qomet/qom/module.h>

#define TYPE_MEMORY_BACKEND_MEMFD "memory-backend-memfd"
OBJECT_DECLARE_SIMPLE_TYPE(HostMemoryBackendMemfd, MEMORY_BACKEND_MEMFD)

/* Where memfd_create() has the logarithm of the size of a page, as mmap() does. */
#define MEMFD_HUGE_SHIFT 26

struct HostMemoryBackendMemfd {
    HostMemoryBackend parent_obj;
    bool seal, hugetlb;
    uint64_t hugetlbsize; /* 0: the host's usual one */
};

static unsigned create_flags(const HostMemoryBackendMemfd *s)
{
    unsigned flags = MFD_CLOEXEC | (s->seal ? MFD_ALLOW_SEALING : 0);

    if (s->hugetlb) {
        flags |= MFD_HUGETLB;
        flags |= s->hugetlbsize ? (unsigned)__builtin_ctzll(s->hugetlbsize) << MEMFD_HUGE_SHIFT : 0;
    }
    return flags;
}

/* A file of that size that cannot change it any more, or -1 with @errp set. */
static int create(HostMemoryBackendMemfd *s, const char *name, uint64_t size, GError **errp)
{
    int fd = memfd_create(name, create_flags(s));

    if (fd < 0 || ftruncate(fd, (off_t)size) != 0 ||
        (s->seal && fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)) {
        qom_error_set(errp, QOM_ERROR_FAILED, "cannot make a memfd of %" PRIu64 " bytes%s: %s",
                      size, s->hugetlb ? " in huge pages" : "", g_strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

static bool memfd_backend_alloc(HostMemoryBackend *backend, const char *name, uint32_t ram_flags,
                                GError **errp)
{
    HostMemoryBackendMemfd *s = MEMORY_BACKEND_MEMFD(backend);
    bool ok;
    int fd;

    if (s->hugetlbsize & (s->hugetlbsize - 1) || (s->hugetlbsize && !s->hugetlb)) {
        qom_error_set(errp, QOM_ERROR_VALUE, "hugetlbsize=%" PRIu64 " %s", s->hugetlbsize,
                      s->hugetlb ? "is no power of two" : "means nothing without hugetlb=on");
        return false;
    }
    if (backend->size > INT64_MAX || (s->hugetlbsize && backend->size % s->hugetlbsize)) {
        qom_error_set(errp, QOM_ERROR_VALUE, "size=%" PRIu64 " is %s", backend->size,
                      s->hugetlbsize ? "no multiple of hugetlbsize" : "more than a file can have");
        return false;
    }
    fd = create(s, name, backend->size, errp);
    if (fd < 0) {
        return false;
    }
    ok = memory_region_init_ram_from_fd(&backend->mr, OBJECT(backend), name, backend->size, 0,
                                        ram_flags, fd, errp);
    close(fd);
    return ok;
}

static const Property memfd_backend_props[] = {
    /* The point of it. */
    DEFINE_PROP_BOOL("share", HostMemoryBackend, share, true,
                     .help = "other processes that map the same see what the guest writes"),
    DEFINE_PROP_BOOL("seal", HostMemoryBackendMemfd, seal, true,
                     .help = "nobody can change the size of the file"),
    DEFINE_PROP_BOOL("hugetlb", HostMemoryBackendMemfd, hugetlb, false, .help = "use huge pages"),
    DEFINE_PROP_SIZE("hugetlbsize", HostMemoryBackendMemfd, hugetlbsize, 0,
                     .help = "bytes of such a page (0: the host's usual ones)"),
};

static void memfd_backend_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    MEMORY_BACKEND_CLASS(klass)->alloc = memfd_backend_alloc;
    object_class_add_properties(klass, memfd_backend_props, G_N_ELEMENTS(memfd_backend_props));
}

static const TypeInfo memfd_backend_types[] = {
    {
        .name = TYPE_MEMORY_BACKEND_MEMFD,
        .parent = TYPE_MEMORY_BACKEND,
        .instance_size = sizeof(HostMemoryBackendMemfd),
        .class_init = memfd_backend_class_init,
    },
};

DEFINE_TYPES(memfd_backend_types)
