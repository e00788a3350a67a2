/* SPDX-License-Identifier: MIT */
/*
 * The terminal of an attach, joined with the machine over a socket. The machine never touches the
 * terminal itself: it may be in the background of it, and would be stopped.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <qomet/qom/log.h>
#include "backends/chardev/char-int.h"
#include "monitor/attach-session.h"
#include "monitor/attach-signals.h"

#define BUFFER_BYTES 4096

typedef struct Session {
    AttachWire *wire;
    int relay;
    bool terminal; /* standard input is one */
    bool ends_with_input;
    bool input_open, relay_open; /* there may be more to read */
    bool ending;                 /* the machine has been told that this end leaves */
    bool done;                   /* everything is gone, or the machine is */
    uint8_t in[BUFFER_BYTES];    /* read from the terminal, not sent yet */
    size_t in_len;
} Session;

/* Tells the machine that this end leaves, and goes on until it says that all is gone. */
static void leave(Session *s)
{
    if (!s->ending) {
        s->ending = true;
        shutdown(attach_wire_fd(s->wire), SHUT_WR);
    }
}

static void show(Session *s)
{
    uint8_t bytes[BUFFER_BYTES];
    ssize_t n = recv(s->relay, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0) {
        s->relay_open = false;
        leave(s);
        return;
    }
    for (ssize_t done = 0; done < n;) {
        ssize_t wrote = write(STDOUT_FILENO, bytes + done, n - done);

        if (wrote < 0) {
            /* A signal while the terminal stands still, or nobody there who reads. */
            leave(s);
            return;
        }
        done += wrote;
    }
}

static void end_input(Session *s)
{
    s->input_open = false;
    if (s->terminal) {
        leave(s);
    } else if (s->relay_open && s->ends_with_input) {
        /* The machine closes when it has said all. */
        shutdown(s->relay, SHUT_WR);
    }
}

static void take_input(Session *s)
{
    ssize_t n = read(STDIN_FILENO, s->in, sizeof(s->in));

    if (n > 0) {
        s->in_len = n;
    } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
        end_input(s);
    }
}

static void send_input(Session *s)
{
    ssize_t n = send(s->relay, s->in, s->in_len, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n > 0) {
        s->in_len -= n;
        memmove(s->in, s->in + n, s->in_len);
    } else if (errno != EAGAIN && errno != EINTR) {
        s->in_len = 0;
        s->input_open = false;
    }
}

static void hear(Session *s)
{
    g_autoptr(GVariant) message = NULL;

    switch (attach_wire_receive(s->wire, &message, NULL)) {
    case ATTACH_NOTHING:
        break;
    case ATTACH_MESSAGE:
    case ATTACH_END:
    case ATTACH_BAD:
        s->done = true;
        break;
    }
}

/* One round; false when nothing happened in time. */
static bool turn(Session *s)
{
    struct pollfd p[] = {
        { .fd = attach_signals_fd(), .events = POLLIN },
        { .fd = attach_wire_fd(s->wire), .events = POLLIN },
        { .fd = s->relay_open ? s->relay : -1, .events = POLLIN | (s->in_len ? POLLOUT : 0) },
        { .fd = s->input_open && !s->in_len && !s->ending ? STDIN_FILENO : -1, .events = POLLIN },
    };
    bool ending = s->ending;
    int n = poll(p, G_N_ELEMENTS(p), ending ? ATTACH_END_MS : -1);

    if (n == 0) {
        return false;
    }
    if (n < 0) {
        return true;
    }
    if (p[0].revents) {
        /* Whoever asks twice does not want to wait. */
        s->done |= ending;
        leave(s);
        attach_signals_heard();
    }
    if (p[2].revents & POLLOUT) {
        send_input(s);
    }
    if (p[2].revents & (POLLIN | POLLHUP | POLLERR)) {
        show(s);
    }
    if (p[3].revents) {
        take_input(s);
    }
    if (p[1].revents) {
        hear(s);
    }
    return true;
}

int attach_session(AttachWire *wire, int relay, bool signals, bool ends_with_input)
{
    Session s = { .wire = wire,
                  .relay = relay,
                  .ends_with_input = ends_with_input,
                  .input_open = true,
                  .relay_open = true };
    int status = 0;

    s.terminal = isatty(STDIN_FILENO);
    if (attach_signals_came()) {
        attach_signals_heard();
        leave(&s);
    } else if (s.terminal) {
        chr_terminal_raw(STDIN_FILENO, signals);
    }
    /* It may have said all already, with the answer before; then nothing more is to be read. */
    hear(&s);
    while (!s.done && status == 0) {
        if (!turn(&s)) {
            error_report("the machine has not let go yet of what was attached");
            status = 1;
        }
    }
    /* What was written before the end. */
    while (s.relay_open && status == 0) {
        struct pollfd p = { .fd = relay, .events = POLLIN };

        s.relay_open = poll(&p, 1, 0) == 1;
        if (s.relay_open) {
            show(&s);
        }
    }
    qemu_chr_restore_terminal();
    close(relay);
    return status;
}
