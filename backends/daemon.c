/* SPDX-License-Identifier: MIT */
/*
 * Going into the background, and telling the parent when all is ready: over a pipe, whose end without
 * a word is a failure.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <qomet/backends/daemon.h>
#include <qomet/qom/log.h>

static int ready_fd = -1; /* where the parent waits; -1: not yet daemonized, or told already */
static bool daemonized;
static pid_t child; /* of the parent, for its signal handler */

bool is_daemonized(void)
{
    return daemonized;
}

/* ---- The parent ---- */

static void hand_on(int sig)
{
    int errnum = errno;

    kill(child, sig);
    errno = errnum;
}

static const int ends[] = { SIGINT, SIGTERM, SIGHUP };

static void hand_on_signals(void)
{
    struct sigaction action = { .sa_handler = hand_on };

    for (unsigned i = 0; i < G_N_ELEMENTS(ends); i++) {
        sigaction(ends[i], &action, NULL);
    }
}

/* The exit status of the child, which has ended without being ready. */
static int status_of_child(void)
{
    int status;

    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return EXIT_FAILURE;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

/* Signals are held back until here; with @mask they come through, to the child. */
static void wait_for_child(int fd, const sigset_t *mask) G_GNUC_NORETURN;
static void wait_for_child(int fd, const sigset_t *mask)
{
    char ready;
    ssize_t n;

    hand_on_signals();
    pthread_sigmask(SIG_SETMASK, mask, NULL);
    do {
        n = read(fd, &ready, 1);
    } while (n < 0 && errno == EINTR);
    /* Nothing is cleaned up here: all of it is the child's. */
    _exit(n == 1 ? EXIT_SUCCESS : status_of_child());
}

/* ---- The child ---- */

static bool failed(GError **errp)
{
    qom_error_set(errp, QOM_ERROR_FAILED, "cannot go into the background: %s", g_strerror(errno));
    return false;
}

/* Holds back what would end the program, until *@mask is set again. */
static void hold_signals(sigset_t *mask)
{
    sigset_t held;

    sigemptyset(&held);
    for (unsigned i = 0; i < G_N_ELEMENTS(ends); i++) {
        sigaddset(&held, ends[i]);
    }
    pthread_sigmask(SIG_BLOCK, &held, mask);
}

bool os_daemonize(GError **errp)
{
    sigset_t mask;
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) != 0) {
        return failed(errp);
    }
    /* None comes after the parent is two and before it hands signals on: it would be lost. */
    hold_signals(&mask);
    child = fork();
    if (child > 0) {
        close(fds[1]);
        wait_for_child(fds[0], &mask);
    }
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    if (child < 0) {
        return failed(errp);
    }
    close(fds[0]);
    ready_fd = fds[1];
    daemonized = true;
    setsid();
    return true;
}

void os_setup_post(void)
{
    char ready = 0;
    int fd;

    if (ready_fd < 0) {
        return;
    }
    fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (chdir("/") != 0 || fd < 0) {
        warn_report("the folder or the terminal of the caller stays in use: %s", g_strerror(errno));
    }
    for (int i = STDIN_FILENO; fd >= 0 && i <= STDERR_FILENO; i++) {
        dup2(fd, i);
    }
    if (fd > STDERR_FILENO) {
        close(fd);
    }
    if (write(ready_fd, &ready, 1) != 1) {
        /* The parent was killed: there is nobody to tell. */
    }
    close(ready_fd);
    ready_fd = -1;
}
