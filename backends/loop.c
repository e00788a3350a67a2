/* SPDX-License-Identifier: MIT */
/*
 * The main loop: GLib's default context, with the queue of handed-over work, descriptor watches and
 * timerfds as sources. Other threads never touch GLib's context: they post work, or set a timerfd,
 * which is a system call.
 */
#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <qomet/backends/loop.h>
#include <qomet/memory/main-work.h>

/* A source of its own, so that GLib's counting keeps it through a callback that frees it. */
struct LoopWatch {
    GSource source;
    int fd;
    gpointer tag; /* of the descriptor in the source; NULL while paused */
    EntryGuard *guard;
    void (*fn)(int fd, unsigned ready, void *opaque);
    void *opaque;
};

struct LoopTimer {
    int fd;
    LoopWatch *watch;
    void (*fn)(void *opaque);
    void *opaque;
};

static LoopWatch *work_watch;

static gboolean watch_dispatch(GSource *source, GSourceFunc callback G_GNUC_UNUSED,
                               gpointer data G_GNUC_UNUSED)
{
    LoopWatch *watch = (LoopWatch *)source;
    unsigned ready = watch->tag ? g_source_query_unix_fd(source, watch->tag) : 0;
    EntryGuard *guard = watch->guard;

    /* An earlier callback of the same round may have paused this one. */
    if (!ready) {
        return G_SOURCE_CONTINUE;
    }
    if (!guard) {
        watch->fn(watch->fd, ready, watch->opaque);
    } else if (entry_enter(guard)) {
        watch->fn(watch->fd, ready, watch->opaque);
        entry_leave(guard);
    }
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs watch_funcs = { .dispatch = watch_dispatch };

LoopWatch *loop_watch_new(int fd, unsigned events, EntryGuard *guard,
                          void (*fn)(int fd, unsigned ready, void *opaque), void *opaque)
{
    LoopWatch *watch = (LoopWatch *)g_source_new(&watch_funcs, sizeof(LoopWatch));

    watch->fd = fd;
    watch->guard = guard;
    watch->fn = fn;
    watch->opaque = opaque;
    loop_watch_set_events(watch, events);
    g_source_attach(&watch->source, NULL);
    return watch;
}

void loop_watch_set_events(LoopWatch *watch, unsigned events)
{
    if (watch->tag && events) {
        g_source_modify_unix_fd(&watch->source, watch->tag, events);
    } else if (watch->tag) {
        /*
         * poll() tells of errors and hang-ups even when asked for nothing: a paused descriptor is
         * taken out.
         */
        g_source_remove_unix_fd(&watch->source, watch->tag);
        watch->tag = NULL;
    } else if (events) {
        watch->tag = g_source_add_unix_fd(&watch->source, watch->fd, events);
    }
}

void loop_watch_free(LoopWatch *watch)
{
    if (watch) {
        g_source_destroy(&watch->source);
        g_source_unref(&watch->source);
    }
}

static void timer_ready(int fd, unsigned ready G_GNUC_UNUSED, void *opaque)
{
    LoopTimer *t = opaque;
    uint64_t expirations;

    /* Set again since poll() saw it: what it was ready for is no longer wanted. */
    if (read(fd, &expirations, sizeof(expirations)) != sizeof(expirations)) {
        return;
    }
    t->fn(t->opaque);
}

LoopTimer *loop_timer_new(void (*fn)(void *opaque), void *opaque)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    LoopTimer *t;

    if (fd < 0) {
        return NULL;
    }
    t = g_new0(LoopTimer, 1);
    t->fd = fd;
    t->fn = fn;
    t->opaque = opaque;
    t->watch = loop_watch_new(fd, G_IO_IN, NULL, timer_ready, t);
    return t;
}

void loop_timer_set(LoopTimer *t, int64_t deadline_ns)
{
    struct itimerspec when = { 0 };

    if (deadline_ns != INT64_MAX) {
        /* A zero time would unset the timer; what is due fires at once with any other. */
        deadline_ns = MAX(deadline_ns, 1);
        when.it_value.tv_sec = deadline_ns / G_GINT64_CONSTANT(1000000000);
        when.it_value.tv_nsec = deadline_ns % G_GINT64_CONSTANT(1000000000);
    }
    timerfd_settime(t->fd, TFD_TIMER_ABSTIME, &when, NULL);
}

void loop_timer_set_after(LoopTimer *t, int64_t ns)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    loop_timer_set(t, now.tv_sec * G_GINT64_CONSTANT(1000000000) + now.tv_nsec + ns);
}

void loop_timer_free(LoopTimer *t)
{
    if (t) {
        loop_watch_free(t->watch);
        close(t->fd);
        g_free(t);
    }
}

static void work_ready(int fd G_GNUC_UNUSED, unsigned ready G_GNUC_UNUSED,
                       void *opaque G_GNUC_UNUSED)
{
    main_work_run();
}

void main_loop_init(void)
{
    main_work_init();
    if (!work_watch) {
        work_watch = loop_watch_new(main_work_fd(), G_IO_IN, NULL, work_ready, NULL);
    }
}

void main_loop_wait(bool may_block)
{
    g_main_context_iteration(NULL, may_block);
}

static void (*observer)(bool waits);

static gint observed_poll(GPollFD *fds, guint n, gint timeout)
{
    gint ready;

    observer(true);
    ready = g_poll(fds, n, timeout);
    observer(false);
    return ready;
}

void main_loop_observe(void (*fn)(bool waits))
{
    observer = fn;
    g_main_context_set_poll_func(NULL, fn ? observed_poll : NULL);
}

void main_loop_cleanup(void)
{
    loop_watch_free(work_watch);
    work_watch = NULL;
}
