/* SPDX-License-Identifier: MIT */
/* Board files on the disk: read whole, up to a size that no board needs. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "options/board-int.h"

#define MAX_BYTES (4u << 20)
#define PIECE 65536

static bool read_all(int fd, GByteArray *data, const char *path, GError **errp)
{
    for (;;) {
        guint len = data->len;
        ssize_t n;

        g_byte_array_set_size(data, len + PIECE);
        n = read(fd, data->data + len, PIECE);
        if (n < 0) {
            qom_error_set(errp, QOM_ERROR_FAILED, "cannot read '%s': %s", path, g_strerror(errno));
            return false;
        }
        g_byte_array_set_size(data, len + (guint)n);
        if (n == 0) {
            return true;
        }
        if (data->len > MAX_BYTES) {
            qom_error_set(errp, QOM_ERROR_VALUE, "'%s' is more than %u MiB: no board file", path,
                          MAX_BYTES >> 20);
            return false;
        }
    }
}

char *board_read_file(void *opaque, const char *path, size_t *len, GError **errp)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    bool ok;

    (void)opaque;
    if (fd < 0 || fstat(fd, &st) < 0) {
        qom_error_set(errp, QOM_ERROR_NOT_FOUND, "cannot open '%s': %s", path, g_strerror(errno));
        ok = false;
    } else if (S_ISDIR(st.st_mode)) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'%s' is a directory, a file is needed", path);
        ok = false;
    } else {
        ok = read_all(fd, data, path, errp);
    }
    if (fd >= 0) {
        close(fd);
    }
    *len = data->len;
    return ok ? (char *)g_byte_array_free(g_steal_pointer(&data), FALSE) : NULL;
}
