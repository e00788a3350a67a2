/* SPDX-License-Identifier: MIT */
/*
 * Files of the host that are read in pieces. What was learned of a file when it was opened - where
 * its parts are - holds for that file alone, so one that was written to since is refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <qomet/qom/error.h>
#include "backends/host-file.h"
#include "backends/read-file.h"

struct HostFile {
    unsigned refs;
    char *path;
    uint64_t size;
    int fd;                /* of a regular file, else -1 */
    struct timespec mtime; /* of that one, when it was opened */
    GBytes *bytes;         /* all of another one */
};

HostFile *host_file_ref(HostFile *file)
{
    file->refs++;
    return file;
}

void host_file_unref(HostFile *file)
{
    if (!file || --file->refs) {
        return;
    }
    if (file->fd >= 0) {
        close(file->fd);
    }
    g_clear_pointer(&file->bytes, g_bytes_unref);
    g_free(file->path);
    g_free(file);
}

HostFile *host_file_open(const char *path, uint64_t room, const char *where, GError **errp)
{
    g_autoptr(HostFile) file = g_new0(HostFile, 1);
    struct stat st;

    file->refs = 1;
    file->path = g_strdup(path);
    file->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (file->fd >= 0 && !fstat(file->fd, &st) && S_ISREG(st.st_mode) &&
        (uint64_t)st.st_size <= room) {
        file->size = st.st_size;
        file->mtime = st.st_mtim;
    } else {
        if (file->fd >= 0) {
            close(file->fd);
            file->fd = -1;
        }
        file->bytes = host_read_file(path, room, where, errp);
        if (!file->bytes) {
            return NULL;
        }
        file->size = g_bytes_get_size(file->bytes);
    }
    if (!file->size) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'%s' is empty", path);
        return NULL;
    }
    return g_steal_pointer(&file);
}

uint64_t host_file_size(const HostFile *file)
{
    return file->size;
}

const char *host_file_path(const HostFile *file)
{
    return file->path;
}

static bool unchanged(const HostFile *file)
{
    struct stat st;

    return !fstat(file->fd, &st) && (uint64_t)st.st_size == file->size &&
           st.st_mtim.tv_sec == file->mtime.tv_sec && st.st_mtim.tv_nsec == file->mtime.tv_nsec;
}

bool host_file_read(HostFile *file, uint64_t offset, void *buf, uint64_t len, GError **errp)
{
    uint64_t done = 0;

    if (offset > file->size || len > file->size - offset) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "'%s' ends too early: it has %" G_GUINT64_FORMAT
                      " bytes, and %" G_GUINT64_FORMAT " are needed from byte %" G_GUINT64_FORMAT,
                      file->path, file->size, len, offset);
        return false;
    }
    if (file->bytes) {
        memcpy(buf, (const char *)g_bytes_get_data(file->bytes, NULL) + offset, len);
        return true;
    }
    if (!unchanged(file)) {
        qom_error_set(errp, QOM_ERROR_STATE, "'%s' was changed after it had been loaded first",
                      file->path);
        return false;
    }
    while (done < len) {
        ssize_t n = pread(file->fd, (char *)buf + done, len - done, (off_t)(offset + done));

        if (n <= 0) {
            qom_error_set(errp, QOM_ERROR_FAILED, "cannot read '%s': %s", file->path,
                          n ? g_strerror(errno) : "it became shorter");
            return false;
        }
        done += (uint64_t)n;
    }
    return true;
}
