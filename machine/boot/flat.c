/* SPDX-License-Identifier: MIT */
/*
 * Reading a flat binary: regular files are measured first; what has no size (a pipe) is read until
 * it ends or is too long.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <qomet/qom/error.h>
#include "machine/boot/flat.h"

#define PIECE 65536

/* @size: of the file, or 0 when all that is known is that it is more than there is room for. */
static GBytes *too_large(const char *path, uint64_t size, uint64_t room, const char *where,
                         GError **errp)
{
    g_autofree char *is = g_format_size_full(size ? size : room, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *left = g_format_size_full(room, G_FORMAT_SIZE_IEC_UNITS);

    qom_error_set(errp, QOM_ERROR_VALUE, "'%s' is %s%s, but only %s of %s", path,
                  size ? "" : "more than ", is, left, where);
    return NULL;
}

static GBytes *read_all(int fd, const char *path, uint64_t room, const char *where, GError **errp)
{
    g_autoptr(GByteArray) data = g_byte_array_new();

    for (;;) {
        guint len = data->len;
        ssize_t n;

        g_byte_array_set_size(data, len + PIECE);
        n = read(fd, data->data + len, PIECE);
        if (n < 0) {
            qom_error_set(errp, QOM_ERROR_FAILED, "cannot read '%s': %s", path, g_strerror(errno));
            return NULL;
        }
        g_byte_array_set_size(data, len + n);
        if (n == 0) {
            break;
        }
        if (data->len > room || data->len > G_MAXINT) {
            return too_large(path, 0, room, where, errp);
        }
    }
    if (data->len == 0) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'%s' is empty", path);
        return NULL;
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&data));
}

GBytes *flat_read(const char *path, uint64_t room, const char *where, GError **errp)
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
        bytes = read_all(fd, path, room, where, errp);
    }
    if (fd >= 0) {
        close(fd);
    }
    return bytes;
}
