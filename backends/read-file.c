/* SPDX-License-Identifier: MIT */
/*
 * Reading a file whole: regular files are measured first; what has no size (a pipe) is read until
 * it ends or is too long.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>
#include <qomet/qom/error.h>
#include "backends/read-file.h"

#define PIECE 65536

/* "5 MiB", "1.5 KiB", "63 bytes"; the caller frees. */
static char *size_text(uint64_t bytes)
{
    static const char units[][6] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
    unsigned unit = 0;

    while (unit + 1 < G_N_ELEMENTS(units) && bytes >> (10 * (unit + 1))) {
        unit++;
    }
    if (bytes & ((UINT64_C(1) << (10 * unit)) - 1)) {
        return g_strdup_printf("%.1f %s", (double)bytes / (double)(UINT64_C(1) << (10 * unit)),
                               units[unit]);
    }
    return g_strdup_printf("%" PRIu64 " %s", bytes >> (10 * unit), units[unit]);
}

/* @size: of the file, or 0 when all that is known is that it is more than there is room for. */
static GBytes *too_large(const char *path, uint64_t size, uint64_t room, const char *where,
                         GError **errp)
{
    g_autofree char *is = size_text(size ? size : room);
    g_autofree char *left = size_text(room);

    qom_error_set(errp, QOM_ERROR_VALUE, "'%s' is %s%s, but only %s of %s", path,
                  size ? "" : "more than ", is, left, where);
    return NULL;
}

/* @size: of the file, 0 when that is not known. */
static GBytes *read_all(int fd, const char *path, uint64_t size, uint64_t room, const char *where,
                        GError **errp)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    guint len = 0;

    /* One more than there should be: what follows is the end. */
    g_byte_array_set_size(data, size && size < G_MAXINT ? (guint)size + 1 : PIECE);
    for (;;) {
        ssize_t n = read(fd, data->data + len, data->len - len);

        if (n < 0) {
            qom_error_set(errp, QOM_ERROR_FAILED, "cannot read '%s': %s", path, g_strerror(errno));
            return NULL;
        }
        if (n == 0) {
            break;
        }
        len += n;
        if (len > room || len > G_MAXINT) {
            return too_large(path, 0, room, where, errp);
        }
        if (len == data->len) {
            g_byte_array_set_size(data, len + PIECE);
        }
    }
    g_byte_array_set_size(data, len);
    return g_byte_array_free_to_bytes(g_steal_pointer(&data));
}

GBytes *host_read_file(const char *path, uint64_t room, const char *where, GError **errp)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    GBytes *bytes = NULL;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0) {
        qom_error_set(errp, QOM_ERROR_NOT_FOUND, "cannot open '%s': %s", path, g_strerror(errno));
    } else if (S_ISDIR(st.st_mode)) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'%s' is a directory, a file is needed", path);
    } else if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > room) {
        too_large(path, st.st_size, room, where, errp);
    } else {
        bytes = read_all(fd, path, S_ISREG(st.st_mode) ? st.st_size : 0, room, where, errp);
    }
    if (fd >= 0) {
        close(fd);
    }
    return bytes;
}
