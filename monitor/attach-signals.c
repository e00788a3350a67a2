/* SPDX-License-Identifier: MIT */
/*
 * The signals that end a client of a machine. They are taken before the machine is asked for anything:
 * what it has attached by then is let go of in order, whenever one comes.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <qomet/qom/log.h>
#include "monitor/attach-signals.h"

/* Written by the signal handler. */
static int signal_pipe[2] = { -1, -1 };
static volatile sig_atomic_t came;

static void note(int sig)
{
    int errnum = errno;
    char byte = (char)sig;

    came = 1;
    if (write(signal_pipe[1], &byte, 1) < 0) {
        /* Full: it has been said often enough. */
    }
    errno = errnum;
}

bool attach_signals_take(void)
{
    static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
    /* Without SA_RESTART: a write to a terminal that stands still is interrupted. */
    struct sigaction action = { .sa_handler = note };

    if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0) {
        error_report("cannot make a pipe: %s", g_strerror(errno));
        return false;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(ends); i++) {
        sigaction(ends[i], &action, NULL);
    }
    return true;
}

bool attach_signals_came(void)
{
    return came;
}

int attach_signals_fd(void)
{
    return signal_pipe[0];
}

void attach_signals_heard(void)
{
    char bytes[16];

    while (read(signal_pipe[0], bytes, sizeof(bytes)) > 0) {
    }
}
