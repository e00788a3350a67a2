/* SPDX-License-Identifier: MIT */
/*
 * The tester's program: started, given a socket to connect to, and waited for.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libqtest-int.h"

extern char **environ;

static void (*failure_handler)(const char *message);

void qtest_set_failure_handler(void (*handler)(const char *message))
{
    failure_handler = handler;
}

void qtest_fail(const char *format, ...)
{
    /* The handler may leave by longjmp, so the text is not the heap's. */
    char message[1024];
    va_list ap;

    va_start(ap, format);
    vsnprintf(message, sizeof(message), format, ap);
    va_end(ap);
    if (failure_handler) {
        failure_handler(message);
    }
    fprintf(stderr, "qtest: %s\n", message);
    abort();
}

int qtest_time_left(gint64 since)
{
    const char *limit = getenv("QTEST_TIMEOUT");
    gint64 seconds = limit ? g_ascii_strtoll(limit, NULL, 10) : 60;
    gint64 left = since + CLAMP(seconds, 1, 1000000) * G_USEC_PER_SEC - g_get_monotonic_time();

    return left <= 0 ? 0 : (int)MIN((left + 999) / 1000, INT32_MAX);
}

/* Whether the program has ended; its status is kept then. */
static bool has_ended(QTestState *s, int flags)
{
    int status;
    pid_t pid;

    if (s->ended) {
        return true;
    }
    do {
        pid = waitpid(s->pid, &status, flags);
    } while (pid < 0 && errno == EINTR);
    if (pid == 0) {
        return false;
    }
    s->ended = true;
    s->status = pid < 0 ? 255 : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}

bool qtest_reap(QTestState *s)
{
    gint64 since = g_get_monotonic_time();
    unsigned pause_us = 200;

    while (!has_ended(s, WNOHANG)) {
        if (!qtest_time_left(since)) {
            kill(s->pid, SIGKILL);
            has_ended(s, 0);
            return false;
        }
        usleep(pause_us);
        pause_us = MIN(pause_us * 2, 20000);
    }
    return true;
}

static void state_free(QTestState *s)
{
    if (s->sock >= 0) {
        close(s->sock);
    }
    if (s->output >= 0) {
        close(s->output);
    }
    g_string_free(s->input, TRUE);
    g_free(s);
}

/* A socket that listens at a name of its own; -1 with errno set. */
static int listen_at(const char *path)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(un.sun_path, path, sizeof(un.sun_path));
    if (fd >= 0 && (bind(fd, (struct sockaddr *)&un, sizeof(un)) < 0 || listen(fd, 1) < 0)) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

static int spawn(QTestState *s, char **argv)
{
    posix_spawn_file_actions_t actions;
    int err;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", 0, 0);
    posix_spawn_file_actions_adddup2(&actions, s->output, STDOUT_FILENO);
    err = posix_spawnp(&s->pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return err;
}

/* Waits for the program to connect. */
static void accept_program(QTestState *s, int listener)
{
    gint64 since = g_get_monotonic_time();
    struct pollfd poller = { .fd = listener, .events = POLLIN };

    for (;;) {
        /* In short turns, so that a program that ends without a word is seen soon. */
        if (poll(&poller, 1, 20) > 0) {
            s->sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            return;
        }
        if (has_ended(s, WNOHANG) || !qtest_time_left(since)) {
            return;
        }
    }
}

/* The words of a test as an argument vector; NULL with @error set. */
static char **make_argv(const char *args, const char *path, GError **error)
{
    const char *program = getenv("QOMET");
    GPtrArray *argv = g_ptr_array_new();
    char **words = NULL;

    if (args[strspn(args, " \t\n")] && !g_shell_parse_argv(args, NULL, &words, error)) {
        g_ptr_array_free(argv, TRUE);
        return NULL;
    }
    g_ptr_array_add(argv, g_strdup(program && *program ? program : "qomet"));
    for (char **word = words; word && *word; word++) {
        g_ptr_array_add(argv, *word);
    }
    g_free(words);
    g_ptr_array_add(argv, g_strdup("-accel"));
    g_ptr_array_add(argv, g_strdup("qtest"));
    g_ptr_array_add(argv, g_strdup("-qtest"));
    g_ptr_array_add(argv, g_strdup_printf("unix:%s", path));
    g_ptr_array_add(argv, NULL);
    return (char **)g_ptr_array_free(argv, FALSE);
}

#define FOLDER "/qtest-XXXXXX"
#define SOCKET "/socket"
/* What the name of a socket may have, with the zero at its end. */
#define SOCKET_NAME_BYTES sizeof(((struct sockaddr_un *)0)->sun_path)

/* A new folder for a socket; where the temporary directory has a name too long for one, in /tmp. */
static bool make_folder(char dir[SOCKET_NAME_BYTES])
{
    const char *tmp = g_get_tmp_dir();
    bool fits = strlen(tmp) + sizeof(FOLDER SOCKET) <= SOCKET_NAME_BYTES;

    g_snprintf(dir, SOCKET_NAME_BYTES, "%s" FOLDER, fits ? tmp : "/tmp");
    return mkdtemp(dir) != NULL;
}

QTestState *qtest_init(const char *args)
{
    QTestState *s = g_new0(QTestState, 1);
    char dir[SOCKET_NAME_BYTES], path[SOCKET_NAME_BYTES + sizeof(SOCKET)];
    GError *error = NULL;
    char **argv;
    int listener, err;

    s->sock = -1;
    s->input = g_string_new(NULL);
    s->output = memfd_create("qomet-output", MFD_CLOEXEC);
    if (s->output < 0 || !make_folder(dir)) {
        err = errno;
        state_free(s);
        qtest_fail("no place for the program's output or socket: %s", g_strerror(err));
    }
    snprintf(path, sizeof(path), "%s" SOCKET, dir);
    argv = make_argv(args, path, &error);
    if (!argv) {
        char why[256];

        g_strlcpy(why, error->message, sizeof(why));
        g_error_free(error);
        rmdir(dir);
        state_free(s);
        qtest_fail("the words \"%s\" cannot be split: %s", args, why);
    }
    listener = listen_at(path);
    err = listener < 0 ? errno : spawn(s, argv);
    if (!err) {
        accept_program(s, listener);
    }
    if (listener >= 0) {
        close(listener);
    }
    unlink(path);
    rmdir(dir);
    if (err) {
        char program[256];

        g_strlcpy(program, argv[0], sizeof(program));
        g_strfreev(argv);
        state_free(s);
        qtest_fail("'%s' cannot be started: %s (QOMET names the program)", program,
                   g_strerror(err));
    }
    g_strfreev(argv);
    if (s->sock < 0) {
        bool in_time = qtest_reap(s);
        int status = s->status;

        state_free(s);
        qtest_fail("the program (%s) %s, status %d", args,
                   in_time ? "has ended before it connected" : "did not connect in time", status);
    }
    return s;
}

QTestState *qtest_initf(const char *format, ...)
{
    /* The failure handler of qtest_init() may not come back: the text must not be the heap's. */
    char args[16384];
    va_list ap;
    int len;

    va_start(ap, format);
    len = vsnprintf(args, sizeof(args), format, ap);
    va_end(ap);
    if (len < 0 || (size_t)len >= sizeof(args)) {
        qtest_fail("the words are longer than %zu bytes", sizeof(args) - 1);
    }
    return qtest_init(args);
}

int qtest_pid(const QTestState *s)
{
    return s->pid;
}

int qtest_wait(QTestState *s)
{
    if (!qtest_reap(s)) {
        qtest_fail("the program did not end in time and was killed");
    }
    return s->status;
}

int qtest_quit(QTestState *s)
{
    bool in_time;
    int status;

    if (!s) {
        return 0;
    }
    if (s->sock >= 0) {
        close(s->sock);
        s->sock = -1;
    }
    in_time = qtest_reap(s);
    status = s->status;
    state_free(s);
    if (!in_time) {
        qtest_fail(
            "the program did not end in time after its connection was closed, and was killed");
    }
    return status;
}

char *qtest_output(QTestState *s)
{
    GString *text = g_string_new(NULL);
    char buf[4096];
    ssize_t n;
    char *copy;

    while ((n = pread(s->output, buf, sizeof(buf), (off_t)text->len)) > 0) {
        g_string_append_len(text, buf, n);
    }
    copy = strdup(text->str);
    g_string_free(text, TRUE);
    if (!copy) {
        qtest_fail("no memory for the program's output");
    }
    return copy;
}
