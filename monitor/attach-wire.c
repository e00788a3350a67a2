/* SPDX-License-Identifier: MIT */
/*
 * Messages of the attach protocol: lines of JSON, and descriptors that come with them. What a peer
 * can make us keep is bounded: one line, and the descriptors of one message.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <qomet/qom/keyval.h>
#include "monitor/attach-wire.h"

struct AttachWire {
    int fd;
    GByteArray *in, *out;
    int fds[ATTACH_FDS]; /* came along and were not taken yet */
    unsigned n_fds;
    int send_fds[ATTACH_FDS]; /* go with the next byte; duplicates */
    unsigned n_send_fds;
};

#define READ_BYTES 16384

AttachWire *attach_wire_new(int fd)
{
    AttachWire *wire = g_new0(AttachWire, 1);

    wire->fd = fd;
    wire->in = g_byte_array_new();
    wire->out = g_byte_array_new();
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return wire;
}

static void close_fds(int *fds, unsigned *n)
{
    while (*n) {
        close(fds[--*n]);
    }
}

void attach_wire_free(AttachWire *wire)
{
    if (wire) {
        close_fds(wire->fds, &wire->n_fds);
        close_fds(wire->send_fds, &wire->n_send_fds);
        close(wire->fd);
        g_byte_array_unref(wire->in);
        g_byte_array_unref(wire->out);
        g_free(wire);
    }
}

int attach_wire_fd(const AttachWire *wire)
{
    return wire->fd;
}

/* ---- Receiving ---- */

/* Keeps the descriptors of @msg; false when there are too many: then those are closed. */
static bool keep_fds(AttachWire *wire, struct msghdr *msg)
{
    bool good = !(msg->msg_flags & MSG_CTRUNC);

    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        unsigned n = c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS
                         ? (c->cmsg_len - CMSG_LEN(0)) / sizeof(int)
                         : 0;

        for (unsigned i = 0; i < n; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (wire->n_fds < ATTACH_FDS) {
                wire->fds[wire->n_fds++] = fd;
            } else {
                close(fd);
                good = false;
            }
        }
    }
    return good;
}

/* As recv(): bytes, 0 at the end, -1 with errno. */
static ssize_t receive_bytes(AttachWire *wire, GError **errp)
{
    char control[CMSG_SPACE(ATTACH_FDS * sizeof(int))] __attribute__((aligned(8)));
    uint8_t bytes[READ_BYTES];
    struct iovec iov = { bytes, sizeof(bytes) };
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
    };
    ssize_t n;

    do {
        n = recvmsg(wire->fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        g_byte_array_append(wire->in, bytes, n);
        if (!keep_fds(wire, &msg)) {
            qom_error_set(errp, QOM_ERROR_SYNTAX, "more than %d descriptors came", ATTACH_FDS);
            errno = EPROTO;
            return -1;
        }
    }
    return n;
}

/* The first line of what came, without its newline; NULL when there is no whole one. */
static char *take_line(AttachWire *wire)
{
    const uint8_t *end = wire->in->len ? memchr(wire->in->data, '\n', wire->in->len) : NULL;
    size_t len = end ? (size_t)(end - wire->in->data) : 0;
    char *line;

    if (!end) {
        return NULL;
    }
    line = g_strndup((const char *)wire->in->data, len);
    /* A byte of zero is no JSON; without it the text would end there. */
    for (size_t i = strlen(line); i < len; i++) {
        line[i] = line[i] ? line[i] : '\001';
    }
    g_byte_array_remove_range(wire->in, 0, len + 1);
    return line;
}

static AttachReceived read_line(const char *line, GVariant **message, GError **errp)
{
    GVariant *value = json_to_variant(line, errp);

    if (value && !g_variant_is_of_type(value, G_VARIANT_TYPE_VARDICT)) {
        qom_error_set(errp, QOM_ERROR_SYNTAX, "a message is a JSON object");
        g_clear_pointer(&value, g_variant_unref);
    }
    *message = value;
    return value ? ATTACH_MESSAGE : ATTACH_BAD;
}

AttachReceived attach_wire_receive(AttachWire *wire, GVariant **message, GError **errp)
{
    for (;;) {
        g_autofree char *line = take_line(wire);
        ssize_t n;

        if (line) {
            return read_line(line, message, errp);
        }
        if (wire->in->len > ATTACH_LINE_BYTES) {
            qom_error_set(errp, QOM_ERROR_SYNTAX, "a message is longer than %d bytes",
                          ATTACH_LINE_BYTES);
            return ATTACH_BAD;
        }
        n = receive_bytes(wire, errp);
        if (n <= 0) {
            return n == 0 || errno == ECONNRESET ? ATTACH_END
                   : errno == EPROTO             ? ATTACH_BAD
                   : errno == EAGAIN             ? ATTACH_NOTHING
                                                 : ATTACH_END;
        }
    }
}

int attach_wire_take_fd(AttachWire *wire)
{
    int fd = wire->n_fds ? wire->fds[0] : -1;

    if (fd >= 0) {
        memmove(wire->fds, wire->fds + 1, --wire->n_fds * sizeof(int));
    }
    return fd;
}

bool attach_wire_has_fds(const AttachWire *wire)
{
    return wire->n_fds != 0;
}

/* ---- Sending ---- */

static ssize_t send_bytes(AttachWire *wire)
{
    char control[CMSG_SPACE(ATTACH_FDS * sizeof(int))] __attribute__((aligned(8))) = { 0 };
    struct iovec iov = { wire->out->data, wire->out->len };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    ssize_t n;

    if (wire->n_send_fds) {
        size_t bytes = wire->n_send_fds * sizeof(int);
        struct cmsghdr *c;

        msg.msg_control = control;
        msg.msg_controllen = CMSG_SPACE(bytes);
        c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(bytes);
        memcpy(CMSG_DATA(c), wire->send_fds, bytes);
    }
    do {
        n = sendmsg(wire->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    return n;
}

bool attach_wire_flush(AttachWire *wire)
{
    while (wire->out->len) {
        ssize_t n = send_bytes(wire);

        if (n < 0) {
            return errno == EAGAIN;
        }
        close_fds(wire->send_fds, &wire->n_send_fds);
        g_byte_array_remove_range(wire->out, 0, n);
    }
    return true;
}

bool attach_wire_pending(const AttachWire *wire)
{
    return wire->out->len != 0;
}

bool attach_wire_send(AttachWire *wire, GVariant *message, const int *fds, unsigned n)
{
    g_autoptr(GVariant) sunk = g_variant_ref_sink(message);
    g_autofree char *text = json_from_variant(sunk);

    for (unsigned i = 0; i < n && wire->n_send_fds < ATTACH_FDS; i++) {
        int fd = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);

        if (fd >= 0) {
            wire->send_fds[wire->n_send_fds++] = fd;
        }
    }
    g_byte_array_append(wire->out, (const uint8_t *)text, strlen(text));
    g_byte_array_append(wire->out, (const uint8_t *)"\n", 1);
    return attach_wire_flush(wire);
}
