/* SPDX-License-Identifier: MIT */
/* Files of the host that are read in pieces, again and again: kernels, RAM disks, firmware. */
#ifndef BACKENDS_HOST_FILE_H
#define BACKENDS_HOST_FILE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * An open file. A regular one stays on the disk; what has no size (a pipe) is kept in memory. Used on
 * one thread at a time.
 */
typedef struct HostFile HostFile;

/**
 * Opens @path, of at most @room bytes; @where ends the message about more, as in host_read_file().
 * An empty file is refused too. NULL with @errp set; the caller owns a reference.
 */
HostFile *host_file_open(const char *path, uint64_t room, const char *where, GError **errp);
HostFile *host_file_ref(HostFile *file);
/** NULL is fine. */
void host_file_unref(HostFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HostFile, host_file_unref)

/** Its bytes when it was opened. */
uint64_t host_file_size(const HostFile *file);
/** The path it was opened by; as long as @file. */
const char *host_file_path(const HostFile *file);
/**
 * Reads @len bytes at @offset into @buf. False with @errp set when they are not all there any more,
 * or when the file is another one than when it was opened; @buf may have changed then.
 */
bool host_file_read(HostFile *file, uint64_t offset, void *buf, uint64_t len,
                    GError **errp) G_GNUC_WARN_UNUSED_RESULT;

#endif
