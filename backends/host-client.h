/* SPDX-License-Identifier: MIT */
/*
 * Whose words are carried out. Back ends open files of the host and the terminal through here: for
 * the program's own command line that is what it always was; for words that come from another
 * process, relative paths are that one's, its terminal is meant by stdio, and what this process may
 * not open comes as a descriptor from there. Main thread.
 */
#ifndef QOMET_BACKENDS_HOST_CLIENT_H
#define QOMET_BACKENDS_HOST_CLIENT_H

#include <stdbool.h>
#include <glib.h>
#include <qomet/qom/error.h>

/** The process that has said the words: its folder, and the descriptors that it has sent. */
typedef struct HostClient HostClient;

/** What only the client can open. */
typedef struct HostWish {
    char *name; /* an absolute path, or HOST_TERMINAL */
    int flags;  /* of open(), or whether the keys that send signals keep doing so */
} HostWish;
/** The name of the client's terminal; no absolute path is called so. */
#define HOST_TERMINAL "stdio"

/** A client whose relative paths begin in @directory, an absolute path. */
HostClient *host_client_new(const char *directory);
/** Closes the descriptors that nobody has taken. NULL is fine. */
void host_client_free(HostClient *client);
/** The answer to a wish; @fd is taken over. */
void host_client_give(HostClient *client, const char *name, int flags, int fd);

/** From now on the words of @client are carried out; until host_client_leave(). */
void host_client_enter(HostClient *client);
/** All has gone well so far: files that were to be emptied are. */
void host_client_settle(HostClient *client);
/** The end; unless @good, files that were made for the words are removed again. */
void host_client_leave(HostClient *client, bool good);
/** What could not be opened here since host_client_enter() and the client may try, or NULL. */
const HostWish *host_client_wish(const HostClient *client);
/** Whether the words that are carried out come from a client. */
QOM_EXPORT bool host_client_present(void);

/** The folder of the words and @path as one absolute path; the caller frees. */
char *host_path_in(const char *directory, const char *path);
/** The same for the words being carried out; without a client, @path as it is. */
QOM_EXPORT char *host_path(const char *path);
/**
 * Opens @path (flags of open(); what O_CREAT makes has mode 0666 less the umask) for the words that
 * are carried out. -1 with @errp set.
 */
QOM_EXPORT int host_open(const char *path, int flags, GError **errp);
/**
 * The client's terminal: a stream socket for both directions, once for a client; -1 with @errp set.
 * @signals: the keys for interrupt and stop keep sending signals there.
 */
QOM_EXPORT int host_terminal(bool signals, GError **errp);

#endif
