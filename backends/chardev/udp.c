/* SPDX-License-Identifier: MIT */
/*
 * The chardev over UDP: what is written leaves as datagrams for one address, and datagrams from there
 * are read. Nobody knows whether a peer is there, so what it does not take is lost.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#include <qomet/qom/module.h>
#include "backends/chardev/fd.h"
#include "backends/chardev/sockaddr.h"

#define TYPE_CHARDEV_UDP "chardev-udp"
OBJECT_DECLARE_SIMPLE_TYPE(UdpChardev, CHARDEV_UDP)

/* The most that a datagram of IPv4 holds. */
#define DATAGRAM_BYTES 65507

struct UdpChardev {
    FDChardev parent_obj;
    char *host, *port;
    char *localaddr, *localport;
};

/* That nobody listens there is told once for each datagram, by the next call; it means nothing. */
static bool is_nobody(ssize_t n)
{
    return n < 0 && (errno == ECONNREFUSED || errno == EHOSTUNREACH || errno == ENETUNREACH);
}

static int udp_write(Chardev *chr, const uint8_t *buf, int len)
{
    const FDChardev *s = CHARDEV_FD(chr);
    ssize_t n;

    if (s->fd_out < 0) {
        return len;
    }
    len = MIN(len, DATAGRAM_BYTES);
    do {
        n = send(s->fd_out, buf, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (is_nobody(n)) {
        return len;
    }
    return n < 0 && errno == EAGAIN ? 0 : (int)n;
}

/* A datagram comes whole or not at all: the front end takes it piece by piece. */
static int udp_input(FDChardev *s)
{
    uint8_t buf[DATAGRAM_BYTES];
    ssize_t n;

    fd_chardev_keep(s, (const uint8_t *)"", 0);
    if (s->pending->len) {
        return CHR_PAUSED;
    }
    n = recv(s->fd_in, buf, sizeof(buf), MSG_DONTWAIT);
    if (n > 0) {
        fd_chardev_keep(s, buf, (int)n);
    } else if (n == 0 || is_nobody(n)) {
        errno = EAGAIN;
        return -1;
    }
    return (int)n;
}

/* A socket bound to @local, if that is given, that talks with @remote; -1 with @errp set. */
static int open_socket(const SockAddress *local, const SockAddress *remote, GError **errp)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0 && (!local || bind(fd, (const struct sockaddr *)&local->sa, local->len) == 0) &&
        connect(fd, (const struct sockaddr *)&remote->sa, remote->len) == 0) {
        return fd;
    }
    qom_error_set(errp, QOM_ERROR_FAILED, "Failed to make a UDP socket from port %u to %u: %s",
                  local ? local->port : 0, remote->port, g_strerror(errno));
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

static bool udp_open(Chardev *chr, GError **errp)
{
    UdpChardev *s = CHARDEV_UDP(chr);
    const bool bound = s->localaddr || s->localport;
    SockAddress local, remote;
    int fd;

    if (!s->port || !*s->port) {
        qom_error_set(errp, QOM_ERROR_VALUE, "chardev: udp: no remote port: port=... is missing");
        return false;
    }
    if (!sock_address_init(&remote, NULL, false, s->host, s->port, errp) ||
        (bound && !sock_address_init(&local, NULL, false,
                                     s->localaddr && *s->localaddr ? s->localaddr : "0.0.0.0",
                                     s->localport && *s->localport ? s->localport : "0", errp))) {
        return false;
    }
    fd = open_socket(bound ? &local : NULL, &remote, errp);
    if (fd < 0) {
        return false;
    }
    fd_chardev_start(CHARDEV_FD(s), fd, fd);
    qemu_chr_be_event(chr, CHR_EVENT_OPENED);
    return true;
}

static char *udp_describe(Chardev *chr)
{
    const UdpChardev *s = CHARDEV_UDP(chr);

    return g_strdup_printf("udp:%s:%s", s->host && *s->host ? s->host : "127.0.0.1", s->port);
}

static const Property udp_props[] = {
    DEFINE_PROP_STRING("host", UdpChardev, host,
                       .help = "where datagrams go: an IPv4 address or localhost (default: "
                               "127.0.0.1)"),
    DEFINE_PROP_STRING("port", UdpChardev, port, .help = "and to which port"),
    DEFINE_PROP_STRING("localaddr", UdpChardev, localaddr,
                       .help = "where they are taken: an address of this host (default: any)"),
    DEFINE_PROP_STRING("localport", UdpChardev, localport,
                       .help = "and at which port (default: one that is free)"),
};

static void udp_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->open = udp_open;
    cc->describe = udp_describe;
    cc->chr_write = udp_write;
    cc->backend_name = "udp";
    cc->help = "datagrams to and from one address";
    CHARDEV_FD_CLASS(klass)->input = udp_input;
    object_class_add_properties(klass, udp_props, G_N_ELEMENTS(udp_props));
}

static const TypeInfo udp_types[] = {
    {
        .name = TYPE_CHARDEV_UDP,
        .parent = TYPE_CHARDEV_FD,
        .instance_size = sizeof(UdpChardev),
        .class_init = udp_class_init,
    },
};

DEFINE_TYPES(udp_types)
