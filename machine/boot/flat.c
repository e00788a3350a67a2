/* SPDX-License-Identifier: MIT */
/* Reading a flat binary. */
#include <qomet/qom/error.h>
#include "backends/read-file.h"
#include "machine/boot/flat.h"

GBytes *flat_read(const char *path, uint64_t room, const char *where, GError **errp)
{
    GBytes *bytes = host_read_file(path, room, where, errp);

    if (bytes && !g_bytes_get_size(bytes)) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'%s' is empty", path);
        g_clear_pointer(&bytes, g_bytes_unref);
    }
    return bytes;
}
