/* SPDX-License-Identifier: MIT */
/* Flat binaries: bytes that are put into memory as they are. */
#ifndef MACHINE_BOOT_FLAT_H
#define MACHINE_BOOT_FLAT_H

#include <glib.h>
#include <stdint.h>

/**
 * Reads the whole of @path, which must hold 1 to @room bytes; @where says in messages what the room
 * is
 * ("RAM is left above 0x1000").
 * The bytes, owned by the caller, or NULL with @errp set. Any thread.
 */
GBytes *flat_read(const char *path, uint64_t room, const char *where, GError **errp);

#endif
