/* SPDX-License-Identifier: MIT */
/*
 * The chardev over a stream socket, unix or TCP, as server or client: one peer at a time, who may
 * leave and come again. The addresses themselves are in sockaddr.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <qomet/backends/host-client.h>
#include <qomet/memory/main-work.h>
#include <qomet/qom/log.h>
#include <qomet/qom/module.h>
#include <qomet/qom/value.h>
#include "backends/chardev/fd.h"
#include "backends/chardev/sockaddr.h"

#define TYPE_CHARDEV_SOCKET "chardev-socket"
OBJECT_DECLARE_SIMPLE_TYPE(SocketChardev, CHARDEV_SOCKET)

/* How long the start may wait for a server elsewhere; one on this host answers at once. */
#define CONNECT_MS 5000

/* How long a server that could not take a peer waits. */
#define ACCEPT_PAUSE_NS INT64_C(1000000000)

/* What is taken of descriptors that a peer sends at once; the kernel closes those that are more. */
#define TAKEN_MAX 16

struct SocketChardev {
    FDChardev parent_obj;
    char *path, *host, *port, *fd;
    bool server, wait, nodelay, abstract;
    uint32_t reconnect; /* seconds; 0: not */
    SockAddress address;
    int listen_fd, connect_fd; /* -1: none */
    LoopWatch *listening, *connecting;
    LoopTimer *retry;     /* client with reconnect; server: when no peer could be taken */
    bool told_full;       /* that none can be taken; until one was */
    int taken[TAKEN_MAX]; /* descriptors that came with the peer's last words and nobody has yet */
    unsigned n_taken;
};

/* A machine that runs does not stand still for a peer. */
static bool waits_for_peer(const SocketChardev *s)
{
    return s->wait && !host_client_present();
}

/* ---- A peer ---- */

static void socket_connected(SocketChardev *s, int fd)
{
    int on = 1;

    if (s->nodelay && !s->path) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    fd_chardev_start(CHARDEV_FD(s), fd, fd);
    qemu_chr_be_event(CHARDEV(s), CHR_EVENT_OPENED);
}

static void close_taken(SocketChardev *s)
{
    while (s->n_taken) {
        close(s->taken[--s->n_taken]);
    }
}

/* Keeps the descriptors that @msg has brought, instead of older ones that nobody wanted. */
static void keep_taken(SocketChardev *s, struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            close_taken(s);
            s->n_taken = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            memcpy(s->taken, CMSG_DATA(c), s->n_taken * sizeof(int));
        }
    }
}

static ssize_t socket_fetch(FDChardev *fd, uint8_t *buf, size_t max)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(TAKEN_MAX * sizeof(int))];
    } control;
    struct iovec iov = { .iov_base = buf, .iov_len = max };
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
    };
    ssize_t n = recvmsg(fd->fd_in, &msg, MSG_CMSG_CLOEXEC);

    if (n >= 0) {
        keep_taken(CHARDEV_SOCKET(fd), &msg);
    }
    return n;
}

/* In the order in which they were sent. */
static int socket_take_fd(Chardev *chr)
{
    SocketChardev *s = CHARDEV_SOCKET(chr);
    int fd = s->n_taken ? s->taken[0] : -1;

    if (s->n_taken) {
        s->n_taken--;
        memmove(s->taken, s->taken + 1, s->n_taken * sizeof(int));
    }
    return fd;
}

static bool socket_add_client(Chardev *chr, int fd)
{
    SocketChardev *s = CHARDEV_SOCKET(chr);

    if (chr->opened || s->connecting) {
        return false;
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (s->listening) {
        loop_watch_set_events(s->listening, 0);
    }
    socket_connected(s, fd);
    return true;
}

static bool make_retry(SocketChardev *s, void (*fn)(void *opaque), GError **errp)
{
    s->retry = loop_timer_new(fn, s);
    if (!s->retry) {
        qom_error_set(errp, QOM_ERROR_FAILED, "Failed to create a timer: %s", g_strerror(errno));
    }
    return s->retry != NULL;
}

static void retry_later(SocketChardev *s)
{
    loop_timer_set_after(s->retry, s->reconnect * INT64_C(1000000000));
}

static void socket_hangup(FDChardev *fd, int errnum G_GNUC_UNUSED)
{
    SocketChardev *s = CHARDEV_SOCKET(fd);

    /* Both the end of input and a failed write come here. */
    if (!CHARDEV(fd)->opened) {
        return;
    }
    qemu_chr_be_event(CHARDEV(fd), CHR_EVENT_CLOSED);
    fd_chardev_stop(fd);
    close_taken(s);
    if (s->listening) {
        loop_watch_set_events(s->listening, G_IO_IN);
    } else if (s->retry) {
        retry_later(s);
    }
}

static void socket_output_failed(Chardev *chr, int errnum)
{
    socket_hangup(CHARDEV_FD(chr), errnum);
}

static void socket_disconnect(Chardev *chr)
{
    socket_hangup(CHARDEV_FD(chr), 0);
}

/* ---- Server ---- */

/* Takes the next peer, if one is there; false with errno when none can be taken now. */
static bool take_peer(SocketChardev *s)
{
    int peer = accept4(s->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (peer < 0) {
        return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
    }
    /* The next one waits in the backlog until this one has left. */
    loop_watch_set_events(s->listening, 0);
    s->told_full = false;
    socket_connected(s, peer);
    return true;
}

static void socket_accept(int fd G_GNUC_UNUSED, unsigned ready G_GNUC_UNUSED, void *opaque)
{
    SocketChardev *s = opaque;

    if (take_peer(s)) {
        return;
    }
    if (!s->told_full) {
        warn_report("chardev '%s': no peer can be taken: %s", CHARDEV(s)->label, g_strerror(errno));
        s->told_full = true;
    }
    /* Whatever there is too little of may come back; without a pause the loop would turn. */
    loop_watch_set_events(s->listening, 0);
    loop_timer_set_after(s->retry, ACCEPT_PAUSE_NS);
}

static void listen_again(void *opaque)
{
    SocketChardev *s = opaque;

    if (!CHARDEV(s)->opened) {
        loop_watch_set_events(s->listening, G_IO_IN);
    }
}

/*
 * A signal that ends the program ends the wait: it interrupts poll(), or, when it came just before,
 * has woken the main loop without giving it work.
 */
static bool wait_for_peer(SocketChardev *s, GError **errp)
{
    struct pollfd p[] = { { .fd = s->listen_fd, .events = POLLIN },
                          { .fd = main_work_fd(), .events = POLLIN } };
    g_autofree char *text = sock_address_text(&s->address);

    info_report("waiting for connection on: disconnected:%s,server=on", text);
    while (!CHARDEV(s)->opened) {
        bool good = poll(p, G_N_ELEMENTS(p), -1) > 0;

        if (good && p[1].revents && main_work_run() == 0) {
            errno = EINTR;
            good = false;
        }
        if (!good || (p[0].revents && !take_peer(s))) {
            qom_error_set(errp, QOM_ERROR_FAILED, "waiting for a connection on %s: %s", text,
                          g_strerror(errno));
            return false;
        }
    }
    return true;
}

static bool begin_to_listen(SocketChardev *s, GError **errp)
{
    if (!make_retry(s, listen_again, errp)) {
        return false;
    }
    s->listening = loop_watch_new(s->listen_fd, G_IO_IN, NULL, socket_accept, s);
    return !waits_for_peer(s) || wait_for_peer(s, errp);
}

static bool open_server(SocketChardev *s, GError **errp)
{
    s->listen_fd = sock_address_listen(&s->address, errp);
    if (s->listen_fd < 0) {
        return false;
    }
    if (s->address.port) {
        /* Port 0 lets the kernel choose; what it chose can be read. */
        g_free(s->port);
        s->port = g_strdup_printf("%u", s->address.port);
    }
    return begin_to_listen(s, errp);
}

/* ---- Client ---- */

/* What connecting @fd has come to: 0 or an errno. */
static int connect_result(int fd)
{
    int errnum = 0;
    socklen_t len = sizeof(errnum);

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &errnum, &len) == 0 ? errnum : errno;
}

static void connect_done(SocketChardev *s)
{
    int fd = s->connect_fd, errnum = connect_result(fd);

    loop_watch_free(s->connecting);
    s->connecting = NULL;
    s->connect_fd = -1;
    if (errnum == 0) {
        socket_connected(s, fd);
        return;
    }
    close(fd);
    if (s->retry) {
        retry_later(s);
    } else {
        g_autofree char *text = sock_address_text(&s->address);

        warn_report("chardev '%s': Failed to connect to '%s': %s", CHARDEV(s)->label, text,
                    g_strerror(errnum));
    }
}

static void connect_ready(int fd G_GNUC_UNUSED, unsigned ready G_GNUC_UNUSED, void *opaque)
{
    connect_done(opaque);
}

/* Goes on with @fd when it is connected, which may be (@waits) later. */
static void connect_by_and_by(SocketChardev *s, int fd, bool waits)
{
    if (waits) {
        s->connect_fd = fd;
        s->connecting = loop_watch_new(fd, G_IO_OUT, NULL, connect_ready, s);
    } else {
        socket_connected(s, fd);
    }
}

static void socket_retry(void *opaque)
{
    SocketChardev *s = opaque;
    bool waits;
    int fd = sock_address_connect(&s->address, &waits, NULL);

    if (fd < 0) {
        retry_later(s);
    } else {
        connect_by_and_by(s, fd, waits);
    }
}

/* The start of a machine waits for a server that does not answer at once, but not for ever. */
static bool wait_for_server(SocketChardev *s, int fd, GError **errp)
{
    g_autofree char *text = sock_address_text(&s->address);
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    int errnum = poll(&p, 1, CONNECT_MS) == 1 ? connect_result(fd) : ETIMEDOUT;

    if (errnum) {
        qom_error_set(errp, QOM_ERROR_FAILED, "Failed to connect to '%s': %s", text,
                      g_strerror(errnum));
        close(fd);
    }
    return errnum == 0;
}

static bool open_client(SocketChardev *s, GError **errp)
{
    bool waits;
    int fd;

    if (s->reconnect) {
        if (!make_retry(s, socket_retry, errp)) {
            return false;
        }
        socket_retry(s);
        return true;
    }
    fd = sock_address_connect(&s->address, &waits, errp);
    if (fd < 0) {
        return false;
    }
    if (waits && waits_for_peer(s)) {
        if (!wait_for_server(s, fd, errp)) {
            return false;
        }
        waits = false;
    }
    connect_by_and_by(s, fd, waits);
    return true;
}

/* ---- The type ---- */

/* Takes over the descriptor that the user has opened; it is left alone when this fails. */
static bool open_given(SocketChardev *s, GError **errp)
{
    uint64_t fd;

    if (s->path || s->port || s->reconnect || host_client_present()) {
        qom_error_set(errp, QOM_ERROR_VALUE, "fd=%s: %s", s->fd,
                      host_client_present() ? "it would be a descriptor of the machine's, not yours"
                                            : "an open socket has no path, port or reconnect");
        return false;
    }
    if (!value_parse_uint(s->fd, 0, INT_MAX, &fd, errp) ||
        !sock_address_of(&s->address, (int)fd, s->server, errp)) {
        return false;
    }
    fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    fcntl((int)fd, F_SETFL, fcntl((int)fd, F_GETFL) | O_NONBLOCK);
    if (!s->server) {
        socket_connected(s, (int)fd);
        return true;
    }
    s->listen_fd = (int)fd;
    if (!begin_to_listen(s, errp)) {
        /* It is still theirs who gave it. */
        loop_watch_free(s->listening);
        s->listening = NULL;
        s->listen_fd = -1;
        return false;
    }
    return true;
}

static bool socket_open(Chardev *chr, GError **errp)
{
    SocketChardev *s = CHARDEV_SOCKET(chr);
    char *path = s->path;

    if (s->server && s->reconnect) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "'reconnect' option is incompatible with socket in server listen mode");
        return false;
    }
    if (s->fd) {
        return open_given(s, errp);
    }
    if (path && *path && !s->abstract) {
        s->path = host_path(path);
        g_free(path);
    }
    if (!sock_address_init(&s->address, s->path, s->abstract, s->host, s->port, errp)) {
        return false;
    }
    return s->server ? open_server(s, errp) : open_client(s, errp);
}

static char *socket_describe(Chardev *chr)
{
    SocketChardev *s = CHARDEV_SOCKET(chr);
    g_autofree char *text = sock_address_text(&s->address);

    return g_strconcat(chr->opened ? "" : "disconnected:", text, s->server ? ",server=on" : "",
                       NULL);
}

static void socket_init(Object *obj)
{
    CHARDEV_SOCKET(obj)->listen_fd = -1;
    CHARDEV_SOCKET(obj)->connect_fd = -1;
}

static void socket_finalize(Object *obj)
{
    SocketChardev *s = CHARDEV_SOCKET(obj);

    close_taken(s);
    loop_timer_free(s->retry);
    loop_watch_free(s->connecting);
    if (s->connect_fd >= 0) {
        close(s->connect_fd);
    }
    loop_watch_free(s->listening);
    if (s->listen_fd >= 0) {
        sock_address_unlink(&s->address);
        close(s->listen_fd);
    }
}

static const Property socket_props[] = {
    DEFINE_PROP_STRING("path", SocketChardev, path, .help = "unix socket"),
    DEFINE_PROP_BOOL("abstract", SocketChardev, abstract, false,
                     .help = "path is a name in the abstract namespace"),
    DEFINE_PROP_STRING("host", SocketChardev, host,
                       .help = "IPv4 address or localhost (default: 127.0.0.1)"),
    DEFINE_PROP_STRING("port", SocketChardev, port, .help = "TCP port; a server takes any for 0"),
    DEFINE_PROP_STRING("fd", SocketChardev, fd,
                       .help = "number of a socket that the program was started with"),
    DEFINE_PROP_BOOL("server", SocketChardev, server, false, .help = "listen rather than connect"),
    DEFINE_PROP_BOOL("wait", SocketChardev, wait, true,
                     .help =
                         "the machine starts when the first peer of a server is there, and when "
                         "a client is connected"),
    DEFINE_PROP_UINT32("reconnect", SocketChardev, reconnect, 0,
                       .help = "seconds after which a client tries again (0: never)"),
    DEFINE_PROP_BOOL("nodelay", SocketChardev, nodelay, true,
                     .help = "TCP sends each byte at once"),
};

static void socket_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);
    FDChardevClass *fc = CHARDEV_FD_CLASS(klass);

    cc->open = socket_open;
    cc->describe = socket_describe;
    cc->chr_output_failed = socket_output_failed;
    cc->chr_take_fd = socket_take_fd;
    cc->chr_add_client = socket_add_client;
    cc->chr_disconnect = socket_disconnect;
    cc->backend_name = "socket";
    cc->help = "a unix or TCP socket";
    fc->hangup = socket_hangup;
    fc->fetch = socket_fetch;
    fc->session = true;
    fc->hangs_up = true;
    object_class_add_properties(klass, socket_props, G_N_ELEMENTS(socket_props));
}

static const TypeInfo socket_types[] = {
    {
        .name = TYPE_CHARDEV_SOCKET,
        .parent = TYPE_CHARDEV_FD,
        .instance_size = sizeof(SocketChardev),
        .instance_init = socket_init,
        .instance_finalize = socket_finalize,
        .class_init = socket_class_init,
    },
};

DEFINE_TYPES(socket_types)
