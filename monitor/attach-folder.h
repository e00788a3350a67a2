/* SPDX-License-Identifier: MIT */
/*
 * Where machines are found by name: sockets in $XDG_RUNTIME_DIR/qomet, or, where that is unset, in
 * qomet-UID below the temporary directory. The folder is its user's own: mode 0700, and whose it is
 * is checked. A socket that nobody answers at is left over from a machine that died, and is removed
 * by who meets it.
 */
#ifndef MONITOR_ATTACH_FOLDER_H
#define MONITOR_ATTACH_FOLDER_H

#include "backends/chardev/sockaddr.h"

/**
 * A socket that listens for the machine @name; the folder is made where it is missing. -1 with @errp
 * set: another machine of that name runs, or the folder is not to be trusted. @address is for
 * sock_address_unlink().
 */
int attach_folder_listen(const char *name, SockAddress *address, GError **errp);
/** A connection to the machine @name; -1 with @errp set, naming the nearest. */
int attach_folder_connect(const char *name, GError **errp);
/** The names of all sockets, in order; empty where there is no folder; NULL with @errp set. */
GPtrArray *attach_folder_list(GError **errp);

#endif
