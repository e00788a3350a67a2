/* SPDX-License-Identifier: MIT */
/* Files of the host that are read whole: guests' binaries, boards, configurations. */
#ifndef BACKENDS_READ_FILE_H
#define BACKENDS_READ_FILE_H

#include <glib.h>
#include <stdint.h>

/**
 * All bytes of @path, which may be none and at most @room; @where ends the message about more: "but
 * only 1 MiB of " and "RAM is left above 0x1000". Owned by the caller; NULL with @errp set also for
 * what cannot be opened and for a directory. Any thread.
 */
GBytes *host_read_file(const char *path, uint64_t room, const char *where, GError **errp);

#endif
