/* SPDX-License-Identifier: MIT */
/*
 * Lines over a socket or standard input and output. Never waits: what the test does not take is
 * kept, and while much is kept nothing more is read.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <qomet/backends/loop.h>
#include <qomet/memory/main-work.h>
#include <qomet/qom/log.h>
#include "accel/qtest/qtest-int.h"

/* So much may wait for the test before its commands have to wait. */
#define MAX_PENDING (4 * QTEST_MAX_BLOCK)
/* A guest on vCPUs does not wait: what it tells of its interrupts is left out when so much waits. */
#define MAX_KEPT (2 * MAX_PENDING)
/* One write: what a pipe takes without waiting when it is said to be writable (PIPE_BUF). */
#define WRITE_BYTES 4096

struct QTestStream {
    bool (*line)(char *text, size_t len, void *opaque);
    void (*closed)(void *opaque);
    void *opaque;
    int in, out;     /* the same for a socket */
    bool is_socket;  /* ours to close */
    bool stopped;    /* line() wants no more */
    bool paused;     /* reading waits for the test to read */
    bool skipping;   /* in a line that is too long */
    GString *input;  /* what has come */
    size_t taken;    /* bytes of it that were handed out */
    size_t searched; /* bytes of it that hold no further newline; not below @taken */
    LoopWatch *in_watch, *out_watch;
    pthread_mutex_t lock;
    GString *pending;  /* under lock: what the test has not taken yet */
    bool flush_posted; /* under lock */
    bool left_out;     /* under lock: something was, and that has been said */
    uint32_t refs;     /* atomic: the owner and a posted flush */
};

static void stream_unref(QTestStream *stream)
{
    if (__atomic_sub_fetch(&stream->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        pthread_mutex_destroy(&stream->lock);
        g_string_free(stream->input, TRUE);
        g_string_free(stream->pending, TRUE);
        g_free(stream);
    }
}

/* One write that does not wait; bytes taken, 0: none now, -1: the test is gone. */
static ssize_t write_some(QTestStream *stream, const char *data, size_t len)
{
    struct pollfd poller = { .fd = stream->out, .events = POLLOUT };
    ssize_t n;

    if (stream->is_socket) {
        n = send(stream->out, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    } else if (poll(&poller, 1, 0) <= 0) {
        return 0;
    } else {
        n = write(stream->out, data, MIN(len, WRITE_BYTES));
    }
    return n >= 0 ? n : errno == EAGAIN || errno == EINTR ? 0 : -1;
}

/* Writes what can be written; true when nothing is left. */
static bool flush_now(QTestStream *stream)
{
    size_t done = 0;
    bool empty;

    pthread_mutex_lock(&stream->lock);
    while (done < stream->pending->len) {
        ssize_t n = write_some(stream, stream->pending->str + done, stream->pending->len - done);

        if (n == 0) {
            break;
        }
        /* For a test that is gone nothing is kept; that it is gone is seen in reading. */
        done = n < 0 ? stream->pending->len : done + (size_t)n;
    }
    g_string_erase(stream->pending, 0, (gssize)done);
    empty = !stream->pending->len;
    pthread_mutex_unlock(&stream->lock);
    return empty;
}

static size_t pending_bytes(QTestStream *stream)
{
    size_t len;

    pthread_mutex_lock(&stream->lock);
    len = stream->pending->len;
    pthread_mutex_unlock(&stream->lock);
    return len;
}

static void flush(QTestStream *stream)
{
    bool empty = flush_now(stream);

    if (stream->out_watch) {
        loop_watch_set_events(stream->out_watch, empty ? 0 : G_IO_OUT);
    }
}

static void flush_posted(void *opaque)
{
    QTestStream *stream = opaque;

    pthread_mutex_lock(&stream->lock);
    stream->flush_posted = false;
    pthread_mutex_unlock(&stream->lock);
    if (stream->out >= 0) {
        flush(stream);
    }
    stream_unref(stream);
}

void qtest_stream_send(QTestStream *stream, const char *text)
{
    bool is_main = main_work_is_main();
    bool post;

    pthread_mutex_lock(&stream->lock);
    if (!is_main && stream->pending->len > MAX_KEPT) {
        bool first = !stream->left_out;

        stream->left_out = true;
        pthread_mutex_unlock(&stream->lock);
        if (first) {
            warn_report("the test does not read: it is not told of every interrupt any more");
        }
        return;
    }
    g_string_append(stream->pending, text);
    g_string_append_c(stream->pending, '\n');
    post = !is_main && !stream->flush_posted;
    stream->flush_posted = stream->flush_posted || post;
    pthread_mutex_unlock(&stream->lock);
    if (is_main) {
        flush(stream);
    } else if (post) {
        __atomic_add_fetch(&stream->refs, 1, __ATOMIC_RELAXED);
        main_work_post(flush_posted, stream);
    }
}

/* Hands out the next whole line of the input; false when there is none. */
static bool take_line(QTestStream *stream)
{
    GString *input = stream->input;
    char *line = input->str + stream->taken;
    char *newline = memchr(input->str + stream->searched, '\n', input->len - stream->searched);
    size_t len = (size_t)(newline ? newline - line : input->str + input->len - line);
    bool too_long = stream->skipping || len > QTEST_MAX_LINE;

    if (!newline) {
        if (too_long) {
            stream->skipping = true;
            stream->taken = input->len;
        }
        stream->searched = input->len;
        return false;
    }
    *newline = '\0';
    stream->skipping = false;
    stream->taken = stream->searched = (size_t)(newline + 1 - input->str);
    stream->stopped = !stream->line(too_long ? NULL : line, len, stream->opaque);
    return true;
}

/* Hands out whole lines as long as the test takes the answers. */
static void take_lines(QTestStream *stream)
{
    while (!stream->stopped && pending_bytes(stream) <= MAX_PENDING) {
        if (!take_line(stream)) {
            break;
        }
    }
    g_string_erase(stream->input, 0, (gssize)stream->taken);
    stream->searched -= stream->taken;
    stream->taken = 0;
    stream->paused = !stream->stopped && pending_bytes(stream) > MAX_PENDING;
    loop_watch_set_events(stream->in_watch, stream->stopped || stream->paused ? 0 : G_IO_IN);
}

static void hung_up(QTestStream *stream)
{
    stream->stopped = true;
    loop_watch_set_events(stream->in_watch, 0);
    stream->closed(stream->opaque);
}

static void readable(int fd, unsigned ready, void *opaque)
{
    QTestStream *stream = opaque;
    char buf[65536];
    ssize_t n = read(fd, buf, sizeof(buf));

    (void)ready;
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0) {
        hung_up(stream);
        return;
    }
    g_string_append_len(stream->input, buf, n);
    take_lines(stream);
}

static void writable(int fd, unsigned ready, void *opaque)
{
    QTestStream *stream = opaque;

    (void)fd;
    (void)ready;
    flush(stream);
    if (stream->paused) {
        take_lines(stream);
    }
}

static int connect_to(const char *path, GError **errp)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd;

    if (!*path || strlen(path) >= sizeof(un.sun_path)) {
        qom_error_set(errp, QOM_ERROR_VALUE, "the path of a socket has 1 to %zu bytes, not %zu",
                      sizeof(un.sun_path) - 1, strlen(path));
        return -1;
    }
    g_strlcpy(un.sun_path, path, sizeof(un.sun_path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED, "cannot connect to the test's socket '%s': %s", path,
                      g_strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

QTestStream *qtest_stream_new(const char *address,
                              bool (*line)(char *text, size_t len, void *opaque),
                              void (*closed)(void *opaque), void *opaque, GError **errp)
{
    bool is_socket = g_str_has_prefix(address, "unix:");
    int in = STDIN_FILENO, out = STDOUT_FILENO;
    QTestStream *stream;

    if (is_socket) {
        in = out = connect_to(address + strlen("unix:"), errp);
        if (in < 0) {
            return NULL;
        }
    } else if (strcmp(address, "stdio") != 0) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "'%s' is no address of a test, accepted are unix:PATH and stdio", address);
        return NULL;
    }
    stream = g_new0(QTestStream, 1);
    stream->line = line;
    stream->closed = closed;
    stream->opaque = opaque;
    stream->is_socket = is_socket;
    stream->in = in;
    stream->out = out;
    stream->refs = 1;
    stream->input = g_string_new(NULL);
    stream->pending = g_string_new(NULL);
    pthread_mutex_init(&stream->lock, NULL);
    stream->in_watch = loop_watch_new(in, G_IO_IN, NULL, readable, stream);
    stream->out_watch = loop_watch_new(out, 0, NULL, writable, stream);
    return stream;
}

void qtest_stream_free(QTestStream *stream)
{
    int64_t until = g_get_monotonic_time() + G_USEC_PER_SEC;

    if (!stream) {
        return;
    }
    while (!flush_now(stream)) {
        struct pollfd poller = { .fd = stream->out, .events = POLLOUT };
        int64_t left = until - g_get_monotonic_time();

        if (left <= 0 || poll(&poller, 1, (int)(left / 1000) + 1) == 0) {
            break;
        }
    }
    loop_watch_free(stream->in_watch);
    loop_watch_free(stream->out_watch);
    stream->in_watch = stream->out_watch = NULL;
    if (stream->is_socket) {
        close(stream->in);
    }
    /* A flush that another thread has posted finds nothing to write to. */
    stream->in = stream->out = -1;
    stream_unref(stream);
}
