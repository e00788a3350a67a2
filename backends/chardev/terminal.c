/* SPDX-License-Identifier: MIT */
/*
 * The terminal's mode: raw while a chardev has it, as it was at every way out - the end, a signal
 * that ends or stops the process, a crash. What runs in signal handlers uses only calls that may
 * (signal-safety(7)).
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>
#include "backends/chardev/char-int.h"

/* The process has one terminal; written on the main thread before term_is_raw says so. */
static struct termios cooked_mode, raw_mode;
static int term_fd = -1;
static uint32_t term_is_raw;

/* From the background, setting a mode would stop us, and the terminal is somebody else's then. */
static void set_mode(const struct termios *mode)
{
    if (__atomic_load_n(&term_is_raw, __ATOMIC_ACQUIRE) && tcgetpgrp(term_fd) == getpgrp()) {
        tcsetattr(term_fd, TCSANOW, mode);
    }
}

void qemu_chr_restore_terminal(void)
{
    set_mode(&cooked_mode);
    __atomic_store_n(&term_is_raw, 0, __ATOMIC_RELEASE);
}

/* ---- Signals ---- */

static void end_handler(int sig)
{
    qemu_chr_restore_terminal();
    /* The handler is unset (SA_RESETHAND): now the signal does what it would have done. */
    raise(sig);
}

static void stop_handler(int sig G_GNUC_UNUSED)
{
    int errnum = errno;

    set_mode(&cooked_mode);
    kill(getpid(), SIGSTOP);
    errno = errnum;
}

static void continue_handler(int sig G_GNUC_UNUSED)
{
    int errnum = errno;

    set_mode(&raw_mode);
    errno = errnum;
}

/* Where the program or a tool has a handler of its own already, the way out is theirs. */
static void handle(int sig, void (*fn)(int sig), int flags)
{
    struct sigaction act = { .sa_handler = fn, .sa_flags = flags }, old;

    if (sigaction(sig, NULL, &old) == 0 && !(old.sa_flags & SA_SIGINFO) &&
        old.sa_handler == SIG_DFL) {
        sigfillset(&act.sa_mask);
        sigdelset(&act.sa_mask, sig);
        sigaction(sig, &act, NULL);
    }
}

static void handle_signals(void)
{
    static const int ends[] = { SIGINT, SIGTERM, SIGHUP,  SIGQUIT, SIGABRT, SIGSEGV, SIGBUS, SIGFPE,
                                SIGILL, SIGSYS,  SIGTRAP, SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU };

    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        handle(ends[i], end_handler, SA_RESETHAND | SA_NODEFER);
    }
    handle(SIGTSTP, stop_handler, SA_RESTART);
    handle(SIGCONT, continue_handler, SA_RESTART);
    atexit(qemu_chr_restore_terminal);
}

/* ---- Raw mode ---- */

void chr_terminal_raw(int fd, bool signals)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (tcgetattr(fd, &cooked_mode) != 0) {
        return;
    }
    raw_mode = cooked_mode;
    raw_mode.c_iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    /* Output is left to the terminal: guests differ in whether they send CR before LF. */
    raw_mode.c_oflag |= OPOST;
    raw_mode.c_lflag &= ~(ECHO | ECHONL | ICANON | IEXTEN | (signals ? 0 : ISIG));
    raw_mode.c_cflag &= ~(CSIZE | PARENB);
    raw_mode.c_cflag |= CS8;
    raw_mode.c_cc[VMIN] = 1;
    raw_mode.c_cc[VTIME] = 0;
    term_fd = fd;
    __atomic_store_n(&term_is_raw, 1, __ATOMIC_RELEASE);
    pthread_once(&once, handle_signals);
    set_mode(&raw_mode);
}
