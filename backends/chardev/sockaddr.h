/* SPDX-License-Identifier: MIT */
/*
 * Where a stream socket is: the path of a unix one or an IPv4 address with a port.
 */
#ifndef QOMET_BACKENDS_CHARDEV_SOCKADDR_H
#define QOMET_BACKENDS_CHARDEV_SOCKADDR_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <glib.h>

typedef struct SockAddress {
    struct sockaddr_storage sa;
    socklen_t len;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path) +
              1];  /* "" for TCP; abstract ones begin with '@' */
    unsigned port; /* of TCP, else 0 */
    bool abstract;
    struct stat file; /* what listening has made at the path */
    char *made;       /* the same path from "/", for its removal; NULL: nothing was made */
} SockAddress;

/**
 * From the options of a socket: either @path or @port is given. False with @errp set when they make
 * no sense.
 */
bool sock_address_init(SockAddress *a, const char *path, bool abstract, const char *host,
                       const char *port, GError **errp);
/**
 * From an open stream socket, which listens or is connected. False with @errp set when @fd is none.
 */
bool sock_address_of(SockAddress *a, int fd, bool listening, GError **errp);
/** "unix:/run/x" or "tcp:127.0.0.1:4444"; the caller frees. */
char *sock_address_text(const SockAddress *a);
/**
 * A non-blocking socket that listens there, or -1. A path that nobody listens at any more is taken
 * over. Fills in a port that the kernel chose.
 */
int sock_address_listen(SockAddress *a, GError **errp);
/** Removes the path that sock_address_listen() made, if it is still that one. */
void sock_address_unlink(SockAddress *a);
/** A non-blocking socket that is connected, or (@waits) about to be; -1 with @errp set. */
int sock_address_connect(const SockAddress *a, bool *waits, GError **errp);

#endif
