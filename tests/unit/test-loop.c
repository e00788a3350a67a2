/* SPDX-License-Identifier: MIT */
/*
 * The main loop: descriptor watches, what a callback may do to them, the guard around it, timers,
 * and work handed over by other threads.
 */
#include "tests/test.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <qomet/backends/loop.h>
#include <qomet/memory/main-work.h>
#include <qomet/qom/module.h>

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* Rounds until nothing is ready any more. */
static void run_loop(void)
{
    for (int i = 0; i < 10; i++) {
        main_loop_wait(false);
    }
}

typedef struct Seen {
    int calls;
    unsigned ready;
    LoopWatch *watch, *other;
    EntryGuard *guard;
    bool inside;
    bool take; /* reads what has made it ready */
} Seen;

static void note(int fd, unsigned ready, void *opaque)
{
    Seen *seen = opaque;
    char buf[16];

    seen->calls++;
    seen->ready = ready;
    seen->inside = seen->guard && entry_inside(seen->guard);
    if (seen->take) {
        assert_true(read(fd, buf, sizeof(buf)) >= 0);
    }
}

static void a_watch_is_called_as_long_as_its_descriptor_is_ready(void **state)
{
    Seen seen = { .take = false };
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    seen.watch = loop_watch_new(fds[0], G_IO_IN, NULL, note, &seen);
    run_loop();
    assert_int_equal(seen.calls, 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    main_loop_wait(false);
    main_loop_wait(false);
    assert_int_equal(seen.calls, 2);
    assert_int_equal(seen.ready, G_IO_IN);
    seen.take = true;
    run_loop();
    assert_int_equal(seen.calls, 3);
    loop_watch_free(seen.watch);
    close(fds[0]);
    close(fds[1]);
}

static void a_paused_watch_is_silent_even_when_the_peer_hangs_up(void **state)
{
    Seen seen = { .take = false };
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    seen.watch = loop_watch_new(fds[0], G_IO_IN, NULL, note, &seen);
    loop_watch_set_events(seen.watch, 0);
    close(fds[1]);
    run_loop();
    assert_int_equal(seen.calls, 0);
    loop_watch_set_events(seen.watch, G_IO_IN);
    main_loop_wait(false);
    assert_int_equal(seen.calls, 1);
    assert_true(seen.ready & G_IO_HUP);
    loop_watch_free(seen.watch);
    close(fds[0]);
}

static void the_events_of_a_watch_can_change(void **state)
{
    Seen seen = { .take = false };
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    seen.watch = loop_watch_new(fds[0], G_IO_IN, NULL, note, &seen);
    run_loop();
    assert_int_equal(seen.calls, 0);
    loop_watch_set_events(seen.watch, G_IO_OUT);
    main_loop_wait(false);
    assert_int_equal(seen.calls, 1);
    assert_int_equal(seen.ready, G_IO_OUT);
    loop_watch_free(seen.watch);
    close(fds[0]);
    close(fds[1]);
}

static void free_self(int fd, unsigned ready, void *opaque)
{
    Seen *seen = opaque;

    note(fd, ready, seen);
    loop_watch_free(seen->watch);
}

static void a_callback_may_free_its_own_watch(void **state)
{
    Seen seen = { .take = false };
    int fd = eventfd(1, 0);

    (void)state;
    seen.watch = loop_watch_new(fd, G_IO_IN, NULL, free_self, &seen);
    run_loop();
    assert_int_equal(seen.calls, 1);
    close(fd);
}

static void free_other(int fd, unsigned ready, void *opaque)
{
    Seen *seen = opaque;

    note(fd, ready, seen);
    loop_watch_free(seen->other);
    seen->other = NULL;
}

static void a_callback_may_free_a_watch_that_is_ready_in_the_same_round(void **state)
{
    Seen first = { .take = true }, second = { .take = true };
    int a = eventfd(1, 0), b = eventfd(1, 0);

    (void)state;
    first.watch = loop_watch_new(a, G_IO_IN, NULL, free_other, &first);
    first.other = loop_watch_new(b, G_IO_IN, NULL, note, &second);
    run_loop();
    assert_int_equal(first.calls, 1);
    assert_int_equal(second.calls, 0);
    loop_watch_free(first.watch);
    close(a);
    close(b);
}

static void pause_other(int fd, unsigned ready, void *opaque)
{
    Seen *seen = opaque;

    note(fd, ready, seen);
    loop_watch_set_events(seen->other, 0);
}

static void a_callback_may_pause_a_watch_that_is_ready_in_the_same_round(void **state)
{
    Seen first = { .take = true }, second = { .take = true };
    int a = eventfd(1, 0), b = eventfd(1, 0);

    (void)state;
    first.watch = loop_watch_new(a, G_IO_IN, NULL, pause_other, &first);
    first.other = loop_watch_new(b, G_IO_IN, NULL, note, &second);
    run_loop();
    assert_int_equal(second.calls, 0);
    loop_watch_set_events(first.other, G_IO_IN);
    run_loop();
    assert_int_equal(second.calls, 1);
    loop_watch_free(first.watch);
    loop_watch_free(first.other);
    close(a);
    close(b);
}

static void freeing_no_watch_and_no_timer_is_fine(void **state)
{
    (void)state;
    loop_watch_free(NULL);
    loop_timer_free(NULL);
}

static void a_callback_runs_inside_its_guard(void **state)
{
    EntryGuard guard;
    EntryCounts counts;
    Seen seen = { .guard = &guard, .take = true };
    int fd = eventfd(1, 0);

    (void)state;
    entry_guard_init(&guard, NULL, ENTRY_RANK_DEVICE);
    seen.watch = loop_watch_new(fd, G_IO_IN, &guard, note, &seen);
    run_loop();
    assert_int_equal(seen.calls, 1);
    assert_true(seen.inside);
    assert_false(entry_inside(NULL));
    entry_guard_counts(&guard, &counts);
    assert_int_equal(counts.other, 1);
    loop_watch_free(seen.watch);
    entry_guard_destroy(&guard);
    close(fd);
}

/* ---- Timers ---- */

static void count_up(void *opaque)
{
    __atomic_fetch_add((int *)opaque, 1, __ATOMIC_SEQ_CST);
}

static void run_until(const int *counter, int value)
{
    int64_t end = now_ns() + 5 * INT64_C(1000000000);

    while (__atomic_load_n(counter, __ATOMIC_SEQ_CST) < value && now_ns() < end) {
        main_loop_wait(false);
    }
    assert_int_equal(*counter, value);
}

static void a_timer_fires_once_at_its_moment(void **state)
{
    int fired = 0;
    LoopTimer *t = loop_timer_new(count_up, &fired);
    int64_t start = now_ns();

    (void)state;
    assert_non_null(t);
    loop_timer_set(t, start + 20 * INT64_C(1000000));
    run_loop();
    assert_int_equal(fired, 0);
    run_until(&fired, 1);
    assert_true(now_ns() - start >= 20 * INT64_C(1000000));
    usleep(1000);
    run_loop();
    assert_int_equal(fired, 1);
    loop_timer_free(t);
}

static void a_moment_that_has_passed_fires_at_once(void **state)
{
    static const int64_t moments[] = { 0, -1, 1, INT64_MIN };
    int fired = 0;
    LoopTimer *t = loop_timer_new(count_up, &fired);

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(moments); i++) {
        loop_timer_set(t, moments[i]);
        run_until(&fired, (int)i + 1);
    }
    loop_timer_free(t);
}

static void a_timer_set_to_never_does_not_fire(void **state)
{
    int fired = 0;
    LoopTimer *t = loop_timer_new(count_up, &fired);

    (void)state;
    loop_timer_set(t, now_ns());
    loop_timer_set(t, INT64_MAX);
    usleep(1000);
    run_loop();
    assert_int_equal(fired, 0);
    loop_timer_set(t, INT64_MAX - 1);
    run_loop();
    assert_int_equal(fired, 0);
    loop_timer_free(t);
}

typedef struct SetInThread {
    LoopTimer *t;
    int64_t when;
} SetInThread;

static void *set_in_thread(void *opaque)
{
    SetInThread *s = opaque;

    loop_timer_set(s->t, s->when);
    return NULL;
}

static void another_thread_sets_a_timer_while_the_loop_waits(void **state)
{
    int fired = 0;
    SetInThread s = { loop_timer_new(count_up, &fired), now_ns() + 10 * INT64_C(1000000) };
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, set_in_thread, &s), 0);
    while (!fired) {
        main_loop_wait(true);
    }
    pthread_join(thread, NULL);
    loop_timer_free(s.t);
}

/* ---- Work ---- */

static void *post_in_thread(void *opaque)
{
    for (int i = 0; i < 1000; i++) {
        main_work_post(count_up, opaque);
    }
    return NULL;
}

static void work_of_other_threads_wakes_the_loop(void **state)
{
    int done = 0;
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, post_in_thread, &done), 0);
    while (__atomic_load_n(&done, __ATOMIC_SEQ_CST) < 1000) {
        main_loop_wait(true);
    }
    pthread_join(thread, NULL);
}

static void the_loop_can_be_made_twice_and_again(void **state)
{
    int done = 0;

    (void)state;
    main_loop_init();
    main_loop_cleanup();
    main_loop_cleanup();
    main_work_post(count_up, &done);
    run_loop();
    assert_int_equal(done, 0);
    main_loop_init();
    run_loop();
    assert_int_equal(done, 1);
}

static int setup(void **state)
{
    (void)state;
    main_loop_init();
    return module_call_init(MODULE_INIT_QOM, NULL) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    main_loop_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_watch_is_called_as_long_as_its_descriptor_is_ready),
        cmocka_unit_test(a_paused_watch_is_silent_even_when_the_peer_hangs_up),
        cmocka_unit_test(the_events_of_a_watch_can_change),
        cmocka_unit_test(a_callback_may_free_its_own_watch),
        cmocka_unit_test(a_callback_may_free_a_watch_that_is_ready_in_the_same_round),
        cmocka_unit_test(a_callback_may_pause_a_watch_that_is_ready_in_the_same_round),
        cmocka_unit_test(freeing_no_watch_and_no_timer_is_fine),
        cmocka_unit_test(a_callback_runs_inside_its_guard),
        cmocka_unit_test(a_timer_fires_once_at_its_moment),
        cmocka_unit_test(a_moment_that_has_passed_fires_at_once),
        cmocka_unit_test(a_timer_set_to_never_does_not_fire),
        cmocka_unit_test(another_thread_sets_a_timer_while_the_loop_waits),
        cmocka_unit_test(work_of_other_threads_wakes_the_loop),
        cmocka_unit_test(the_loop_can_be_made_twice_and_again),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
