/* SPDX-License-Identifier: MIT */
/*
 * Addresses of stream sockets: from options, listened at, connected to, and taken away again.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>
#include <qomet/qom/error.h>
#include "backends/chardev/sockaddr.h"

#define PATH_ROOM sizeof(((struct sockaddr_un *)0)->sun_path)

static bool init_unix(SockAddress *a, const char *path, bool abstract, GError **errp)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&a->sa;
    size_t len = strlen(path);

    if (len == 0 || len >= PATH_ROOM) {
        qom_error_set(errp, QOM_ERROR_VALUE, "UNIX socket path '%s' is %s", path,
                      len ? "too long: at most 107 bytes are possible" : "empty");
        return false;
    }
    un->sun_family = AF_UNIX;
    /* unix(7): a name that begins with a zero byte is no file; its length counts. */
    memcpy(un->sun_path + abstract, path, len);
    a->len = offsetof(struct sockaddr_un, sun_path) + len + 1;
    g_strlcpy(a->path, path, sizeof(a->path));
    a->abstract = abstract;
    return true;
}

static bool init_inet(SockAddress *a, const char *host, const char *port, GError **errp)
{
    struct sockaddr_in *in = (struct sockaddr_in *)&a->sa;
    guint64 number;

    if (!host || !*host || !strcmp(host, "localhost")) {
        host = "127.0.0.1";
    }
    if (inet_pton(AF_INET, host, &in->sin_addr) != 1) {
        qom_error_set(errp, QOM_ERROR_VALUE, "host '%s' is neither an IPv4 address nor 'localhost'",
                      host);
        return false;
    }
    if (!g_ascii_string_to_unsigned(port, 10, 0, 65535, &number, NULL)) {
        qom_error_set(errp, QOM_ERROR_VALUE, "port '%s' is not a number from 0 to 65535", port);
        return false;
    }
    in->sin_family = AF_INET;
    in->sin_port = htons(number);
    a->port = number;
    a->len = sizeof(*in);
    return true;
}

bool sock_address_init(SockAddress *a, const char *path, bool abstract, const char *host,
                       const char *port, GError **errp)
{
    memset(a, 0, sizeof(*a));
    if (!path == !port) {
        qom_error_set(errp, QOM_ERROR_VALUE, "chardev: socket: %s",
                      path ? "path and port given: a socket has one of them"
                           : "no path=... (unix) and no port=... (TCP) given");
        return false;
    }
    return path ? init_unix(a, path, abstract, errp) : init_inet(a, host, port, errp);
}

static bool is_stream(int fd, bool listening)
{
    int type = 0, accepts = 0;
    socklen_t len = sizeof(int);

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &len) == 0 && !accepts == !listening;
}

/* The name of the unix socket that the kernel has told of. */
static void name_unix(SockAddress *a)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&a->sa;
    const size_t before = offsetof(struct sockaddr_un, sun_path);

    a->abstract = a->len > before && !un->sun_path[0];
    if (a->len > before + a->abstract) {
        memcpy(a->path, un->sun_path + a->abstract, a->len - before - a->abstract);
    }
}

bool sock_address_of(SockAddress *a, int fd, bool listening, GError **errp)
{
    memset(a, 0, sizeof(*a));
    a->len = sizeof(a->sa);
    if (!is_stream(fd, listening) || getsockname(fd, (struct sockaddr *)&a->sa, &a->len) != 0) {
        qom_error_set(errp, QOM_ERROR_VALUE, "descriptor %d is no stream socket that %s", fd,
                      listening ? "listens" : "is connected");
        return false;
    }
    if (a->sa.ss_family == AF_UNIX) {
        name_unix(a);
    } else if (a->sa.ss_family == AF_INET) {
        a->port = ntohs(((const struct sockaddr_in *)&a->sa)->sin_port);
    } else if (a->sa.ss_family == AF_INET6) {
        a->port = ntohs(((const struct sockaddr_in6 *)&a->sa)->sin6_port);
    }
    return true;
}

char *sock_address_text(const SockAddress *a)
{
    char host[INET6_ADDRSTRLEN] = "";

    if (a->sa.ss_family == AF_UNIX) {
        return g_strdup_printf("unix:%s%s", a->path, a->abstract ? ",abstract=on" : "");
    }
    if (a->sa.ss_family == AF_INET6) {
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)&a->sa)->sin6_addr, host, sizeof(host));
        return g_strdup_printf("tcp:[%s]:%u", host, a->port);
    }
    inet_ntop(AF_INET, &((const struct sockaddr_in *)&a->sa)->sin_addr, host, sizeof(host));
    return g_strdup_printf("tcp:%s:%u", host, a->port);
}

static int fail(const SockAddress *a, const char *what, int errnum, int fd, GError **errp)
{
    g_autofree char *text = sock_address_text(a);

    qom_error_set(errp, QOM_ERROR_FAILED, "Failed to %s '%s': %s", what, text, g_strerror(errnum));
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

static int new_socket(const SockAddress *a)
{
    return socket(a->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* A socket file that nobody answers at is left over from a program that died. */
static bool is_stale(const SockAddress *a)
{
    struct stat st;
    bool stale;
    int fd;

    if (!*a->path || a->abstract || lstat(a->path, &st) != 0 || !S_ISSOCK(st.st_mode)) {
        return false;
    }
    fd = new_socket(a);
    stale = fd >= 0 && connect(fd, (const struct sockaddr *)&a->sa, a->len) != 0 &&
            errno == ECONNREFUSED;
    if (fd >= 0) {
        close(fd);
    }
    return stale;
}

static bool bind_address(const SockAddress *a, int fd)
{
    const struct sockaddr *sa = (const struct sockaddr *)&a->sa;
    int on = 1, errnum;

    if (a->sa.ss_family == AF_INET) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    }
    if (bind(fd, sa, a->len) == 0) {
        return true;
    }
    errnum = errno;
    if (errnum == EADDRINUSE && is_stale(a)) {
        return unlink(a->path) == 0 && bind(fd, sa, a->len) == 0;
    }
    errno = errnum;
    return false;
}

int sock_address_listen(SockAddress *a, GError **errp)
{
    int fd = new_socket(a);

    if (fd < 0 || !bind_address(a, fd)) {
        return fail(a, "bind socket to", errno, fd, errp);
    }
    if (*a->path && !a->abstract && stat(a->path, &a->file) != 0) {
        return fail(a, "find", errno, fd, errp);
    }
    if (*a->path && !a->abstract) {
        a->made = g_canonicalize_filename(a->path, NULL);
    }
    if (listen(fd, 1) != 0) {
        int errnum = errno;

        sock_address_unlink(a);
        return fail(a, "listen on", errnum, fd, errp);
    }
    if (a->sa.ss_family == AF_INET && getsockname(fd, (struct sockaddr *)&a->sa, &a->len) == 0) {
        a->port = ntohs(((struct sockaddr_in *)&a->sa)->sin_port);
    }
    return fd;
}

void sock_address_unlink(SockAddress *a)
{
    struct stat now;

    if (a->made && lstat(a->made, &now) == 0 && now.st_dev == a->file.st_dev &&
        now.st_ino == a->file.st_ino) {
        unlink(a->made);
    }
    g_clear_pointer(&a->made, g_free);
}

int sock_address_connect(const SockAddress *a, bool *waits, GError **errp)
{
    int fd = new_socket(a);

    *waits = false;
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&a->sa, a->len) != 0) {
        if (errno != EINPROGRESS) {
            return fail(a, "connect to", errno, fd, errp);
        }
        *waits = true;
    }
    return fd >= 0 ? fd : fail(a, "connect to", errno, fd, errp);
}
