/* SPDX-License-Identifier: MIT */
/* Clocks and timers: order, stopping, a test's own clock, other threads, and timers that never rest. */
#include "tests/unit/qdev-fixture.h"
#include <pthread.h>
#include <unistd.h>
#include <qomet/backends/loop.h>

#define MS INT64_C(1000000)

typedef struct Shot {
    QEMUTimer timer;
    int name;
    int64_t at; /* when it fired last, on its clock */
    unsigned count;
    int64_t period; /* set again so much later, 0: not */
    unsigned left;  /* how often */
    EntryGuard *guard;
} Shot;

static void fire(void *opaque)
{
    Shot *s = opaque;

    if (s->guard) {
        assert_true(entry_inside(s->guard));
    }
    assert_true(main_work_is_main());
    assert_false(timer_pending(&s->timer));
    s->at = qemu_clock_get_ns(s->timer.clock);
    s->count++;
    if (s->name) {
        trace("%c@%d", s->name, (int)(s->at / MS));
    }
    if (s->left) {
        s->left--;
        timer_mod(&s->timer, s->at + s->period);
    }
}

static void shot_init(Shot *s, int name, QEMUClockType clock, EntryGuard *guard)
{
    *s = (Shot){ .name = name, .guard = guard };
    timer_init_ns(&s->timer, clock, fire, s, guard);
}

static int setup(void **state)
{
    int ret = qdev_fixture_setup(state);

    main_loop_init();
    clocks_init();
    return ret;
}

static int teardown(void **state)
{
    clocks_cleanup();
    main_loop_cleanup();
    return qdev_fixture_teardown(state);
}

/* Serves the loop until @s has fired, or a second of host time is over. */
static bool await(const Shot *s, unsigned count)
{
    int64_t end = qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + NANOSECONDS_PER_SECOND;

    while (s->count < count && qemu_clock_get_ns(QEMU_CLOCK_REALTIME) < end) {
        main_loop_wait(false);
    }
    return s->count >= count;
}

/* ---- The clock of a test ------------------------------------------------------------------------------ */

static void a_clock_in_a_tests_hand_stands_until_it_is_moved(void **state)
{
    int64_t before;

    (void)state;
    qemu_clock_virtual_manual();
    before = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    qemu_clock_virtual_run(true);
    assert_int_equal(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL), before);
    qemu_clock_warp_to(before + 5 * MS);
    assert_int_equal(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL), before + 5 * MS);
    qemu_clock_warp_to(before);
    assert_int_equal(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL), before + 5 * MS);
}

static void timers_fire_in_order_each_at_its_own_moment(void **state)
{
    Shot a, b, c, d;

    (void)state;
    qemu_clock_virtual_manual();
    shot_init(&a, 'a', QEMU_CLOCK_VIRTUAL, NULL);
    shot_init(&b, 'b', QEMU_CLOCK_VIRTUAL, NULL);
    shot_init(&c, 'c', QEMU_CLOCK_VIRTUAL, NULL);
    shot_init(&d, 'd', QEMU_CLOCK_VIRTUAL, NULL);
    timer_mod(&c.timer, 30 * MS);
    timer_mod(&a.timer, 10 * MS);
    timer_mod(&b.timer, 20 * MS);
    timer_mod(&d.timer, 10 * MS);
    assert_int_equal(qemu_clock_deadline_ns(QEMU_CLOCK_VIRTUAL), 10 * MS);
    qemu_clock_warp_to(25 * MS);
    assert_trace("a@10 d@10 b@20");
    assert_int_equal(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL), 25 * MS);
    assert_true(timer_pending(&c.timer));
    qemu_clock_warp_to(30 * MS);
    assert_trace("c@30");
    assert_int_equal(qemu_clock_deadline_ns(QEMU_CLOCK_VIRTUAL), INT64_MAX);
}

static void a_timer_set_again_within_the_interval_fires_again(void **state)
{
    Shot a, b;

    (void)state;
    qemu_clock_virtual_manual();
    shot_init(&a, 'a', QEMU_CLOCK_VIRTUAL, NULL);
    shot_init(&b, 'b', QEMU_CLOCK_VIRTUAL, NULL);
    a.period = 10 * MS;
    a.left = 3;
    timer_mod(&a.timer, 10 * MS);
    timer_mod(&b.timer, 25 * MS);
    qemu_clock_warp_to(35 * MS);
    assert_trace("a@10 a@20 b@25 a@30");
    qemu_clock_warp_to(100 * MS);
    assert_trace("a@40");
}

static void timers_of_one_moment_fire_in_the_order_in_which_they_were_set(void **state)
{
    Shot shots[26];

    (void)state;
    qemu_clock_virtual_manual();
    for (int i = 0; i < 26; i++) {
        shot_init(&shots[i], 'a' + i, QEMU_CLOCK_VIRTUAL, NULL);
        timer_mod(&shots[i].timer, MS);
    }
    timer_mod(&shots[3].timer, MS);
    qemu_clock_warp_to(MS);
    assert_trace("a@1 b@1 c@1 e@1 f@1 g@1 h@1 i@1 j@1 k@1 l@1 m@1 n@1 o@1 p@1 q@1 r@1 s@1 t@1 u@1 "
                 "v@1 w@1 x@1 y@1 z@1 "
                 "d@1");
}

static void a_period_of_nothing_does_not_hold_the_clock(void **state)
{
    Shot a;

    (void)state;
    qemu_clock_virtual_manual();
    shot_init(&a, 0, QEMU_CLOCK_VIRTUAL, NULL);
    a.left = UINT_MAX;
    timer_mod(&a.timer, 0);
    qemu_clock_warp_to(1 * MS);
    /* At the start, and then every microsecond. */
    assert_int_equal(a.count, 1001);
    timer_del(&a.timer);
}

static void a_moment_that_has_passed_fires_without_a_step(void **state)
{
    Shot a;

    (void)state;
    qemu_clock_virtual_manual();
    qemu_clock_warp_to(10 * MS);
    shot_init(&a, 'a', QEMU_CLOCK_VIRTUAL, NULL);
    timer_mod(&a.timer, 3 * MS);
    assert_true(await(&a, 1));
    assert_trace("a@10");
}

/* ---- The virtual clock of a machine ------------------------------------------------------------------- */

static void the_virtual_clock_stands_while_the_machine_is_stopped(void **state)
{
    int64_t stopped;
    Shot a, pause;

    (void)state;
    shot_init(&a, 0, QEMU_CLOCK_VIRTUAL, NULL);
    shot_init(&pause, 0, QEMU_CLOCK_REALTIME, NULL);
    assert_int_equal(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL), 0);
    timer_mod(&a.timer, 5 * MS);
    qemu_clock_virtual_run(true);
    qemu_clock_virtual_run(false);
    stopped = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    timer_mod(&pause.timer, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + 20 * MS);
    assert_true(await(&pause, 1));
    assert_int_equal(a.count, 0);
    assert_int_equal(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL), stopped);
    qemu_clock_virtual_run(true);
    assert_true(await(&a, 1));
    assert_in_range(a.at, 5 * MS, 5 * MS + NANOSECONDS_PER_SECOND);
}

static void a_timer_that_is_due_does_not_fire_while_the_clock_stands(void **state)
{
    Shot a, pause;

    (void)state;
    shot_init(&a, 0, QEMU_CLOCK_VIRTUAL, NULL);
    shot_init(&pause, 0, QEMU_CLOCK_REALTIME, NULL);
    timer_mod(&a.timer, 0);
    timer_mod(&pause.timer, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + 5 * MS);
    assert_true(await(&pause, 1));
    assert_int_equal(a.count, 0);
    qemu_clock_virtual_run(true);
    assert_true(await(&a, 1));
}

static void a_timer_of_host_time_fires_soon_after_its_moment(void **state)
{
    const QEMUClockType clocks[] = { QEMU_CLOCK_REALTIME, QEMU_CLOCK_HOST };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(clocks); i++) {
        int64_t moment = qemu_clock_get_ns(clocks[i]) + 3 * MS;
        Shot a;

        shot_init(&a, 0, clocks[i], NULL);
        timer_mod(&a.timer, moment);
        while (!a.count) {
            main_loop_wait(true);
        }
        assert_true(a.at >= moment);
    }
}

/* ---- Setting and unsetting ---------------------------------------------------------------------------- */

static void the_last_setting_counts(void **state)
{
    Shot a;

    (void)state;
    qemu_clock_virtual_manual();
    shot_init(&a, 'a', QEMU_CLOCK_VIRTUAL, NULL);
    timer_mod(&a.timer, 10 * MS);
    timer_mod(&a.timer, 30 * MS);
    timer_mod_anticipate(&a.timer, 40 * MS);
    qemu_clock_warp_to(20 * MS);
    assert_trace("");
    timer_mod_anticipate(&a.timer, 25 * MS);
    qemu_clock_warp_to(40 * MS);
    assert_trace("a@25");
    timer_mod_anticipate(&a.timer, 50 * MS);
    timer_del(&a.timer);
    timer_del(&a.timer);
    assert_false(timer_pending(&a.timer));
    qemu_clock_warp_to(60 * MS);
    assert_trace("");
}

static void many_timers_keep_their_order(void **state)
{
    enum { N = 500 };
    g_autofree Shot *shots = g_new(Shot, N);
    uint64_t seed = 7;
    int64_t last = 0;

    (void)state;
    qemu_clock_virtual_manual();
    for (int i = 0; i < N; i++) {
        shot_init(&shots[i], 0, QEMU_CLOCK_VIRTUAL, NULL);
    }
    for (int i = 0; i < 4 * N; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        if (seed >> 62 == 0) {
            timer_del(&shots[(seed >> 20) % N].timer);
        } else {
            timer_mod(&shots[(seed >> 20) % N].timer, (seed >> 40) % (100 * MS));
        }
    }
    while (qemu_clock_deadline_ns(QEMU_CLOCK_VIRTUAL) != INT64_MAX) {
        int64_t next =
            qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + qemu_clock_deadline_ns(QEMU_CLOCK_VIRTUAL);

        assert_true(next >= last);
        last = next;
        qemu_clock_warp_to(next);
    }
    for (int i = 0; i < N; i++) {
        assert_true(shots[i].count <= 1);
        assert_false(timer_pending(&shots[i].timer));
    }
}

static void a_callback_is_an_entry_of_its_device(void **state)
{
    EntryGuard guard;
    EntryCounts counts;
    Shot a;

    (void)state;
    entry_guard_init(&guard, NULL, ENTRY_RANK_DEVICE);
    qemu_clock_virtual_manual();
    shot_init(&a, 'a', QEMU_CLOCK_VIRTUAL, &guard);
    timer_mod(&a.timer, 1 * MS);
    qemu_clock_warp_to(2 * MS);
    assert_trace("a@1");
    entry_guard_counts(&guard, &counts);
    assert_int_equal(counts.other, 1);
    entry_guard_destroy(&guard);
}

static void a_timer_of_a_device_that_is_entered_fires_later(void **state)
{
    int64_t start = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
    EntryGuard guard;
    Shot a;

    (void)state;
    entry_guard_init(&guard, NULL, ENTRY_RANK_DEVICE);
    shot_init(&a, 0, QEMU_CLOCK_REALTIME, &guard);
    timer_mod(&a.timer, 1);
    assert_true(entry_enter(&guard));
    for (int i = 0; i < 5; i++) {
        main_loop_wait(true);
    }
    assert_int_equal(a.count, 0);
    /* Tried once a millisecond, not as often as can be. */
    assert_true(qemu_clock_get_ns(QEMU_CLOCK_REALTIME) - start >= 2 * MS);
    entry_leave(&guard);
    assert_true(await(&a, 1));
    entry_guard_destroy(&guard);
}

/* ---- Timers that never rest --------------------------------------------------------------------------- */

static void other_sources_are_served_while_a_timer_never_rests(void **state)
{
    int64_t start = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
    Shot busy[3], other;
    unsigned rounds = 0;

    (void)state;
    for (int i = 0; i < 3; i++) {
        shot_init(&busy[i], 0, QEMU_CLOCK_REALTIME, NULL);
        busy[i].left = UINT_MAX;
        timer_mod(&busy[i].timer, 0);
    }
    shot_init(&other, 0, QEMU_CLOCK_REALTIME, NULL);
    timer_mod(&other.timer, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + 5 * MS);
    while (!other.count) {
        unsigned before = busy[0].count + busy[1].count + busy[2].count;

        main_loop_wait(true);
        assert_true(busy[0].count + busy[1].count + busy[2].count - before <= 64);
        rounds++;
    }
    assert_true(rounds > 1);
    /* Once a microsecond at most. */
    assert_true(busy[0].count <= 1 + (qemu_clock_get_ns(QEMU_CLOCK_REALTIME) - start) / 1000);
    for (int i = 0; i < 3; i++) {
        timer_del(&busy[i].timer);
    }
}

static void a_round_has_a_limited_number_of_callbacks(void **state)
{
    Shot shots[100];
    unsigned fired = 0;

    (void)state;
    for (int i = 0; i < 100; i++) {
        shot_init(&shots[i], 0, QEMU_CLOCK_REALTIME, NULL);
        timer_mod(&shots[i].timer, i);
    }
    main_loop_wait(true);
    for (int i = 0; i < 100; i++) {
        fired += shots[i].count;
    }
    assert_int_equal(fired, 64);
    assert_true(await(&shots[99], 1));
}

static void a_timer_fires_once_a_microsecond_at_most(void **state)
{
    int64_t start = qemu_clock_get_ns(QEMU_CLOCK_REALTIME), spent;
    Shot a;

    (void)state;
    shot_init(&a, 0, QEMU_CLOCK_REALTIME, NULL);
    a.left = 2000;
    timer_mod(&a.timer, 0);
    while (a.count < 2001) {
        main_loop_wait(true);
    }
    spent = qemu_clock_get_ns(QEMU_CLOCK_REALTIME) - start;
    assert_true(spent >= 2 * MS);
}

static void a_calendar_that_was_set_back_does_not_hold_a_timer(void **state)
{
    Shot a;

    (void)state;
    shot_init(&a, 0, QEMU_CLOCK_HOST, NULL);
    /* As if it had fired an hour from now. */
    a.timer.last_ns = qemu_clock_get_ns(QEMU_CLOCK_HOST) + 3600 * NANOSECONDS_PER_SECOND;
    timer_mod(&a.timer, qemu_clock_get_ns(QEMU_CLOCK_HOST) + 1 * MS);
    assert_true(await(&a, 1));
}

/* ---- Other threads ------------------------------------------------------------------------------------ */

typedef struct Racer {
    EntryGuard guard;
    Shot shot;
    pthread_t thread;
    uint32_t done; /* atomic */
    bool deleted;  /* only inside the guard */
} Racer;

static void fire_racer(void *opaque)
{
    Racer *r = opaque;

    /* Inside its guard a thread has unset it: it must not come afterwards. */
    assert_false(r->deleted);
    r->shot.count++;
}

static void *race(void *opaque)
{
    Racer *r = opaque;

    for (int i = 0; i < 3000; i++) {
        assert_true(entry_enter(&r->guard));
        r->deleted = false;
        timer_mod(&r->shot.timer, 0);
        if (i % 3 == 0) {
            timer_del(&r->shot.timer);
            r->deleted = true;
        }
        entry_leave(&r->guard);
    }
    assert_true(entry_enter(&r->guard));
    timer_del(&r->shot.timer);
    r->deleted = true;
    entry_leave(&r->guard);
    __atomic_store_n(&r->done, 1, __ATOMIC_RELEASE);
    entry_thread_unregister();
    return NULL;
}

static void any_thread_may_set_and_unset_a_timer(void **state)
{
    Racer r[2] = { 0 };

    (void)state;
    for (int i = 0; i < 2; i++) {
        entry_guard_init(&r[i].guard, NULL, ENTRY_RANK_DEVICE);
        timer_init_ns(&r[i].shot.timer, QEMU_CLOCK_REALTIME, fire_racer, &r[i], &r[i].guard);
        assert_int_equal(pthread_create(&r[i].thread, NULL, race, &r[i]), 0);
    }
    while (!__atomic_load_n(&r[0].done, __ATOMIC_ACQUIRE) ||
           !__atomic_load_n(&r[1].done, __ATOMIC_ACQUIRE)) {
        main_loop_wait(false);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(r[i].thread, NULL);
        assert_false(timer_pending(&r[i].shot.timer));
    }
    main_loop_wait(false);
    for (int i = 0; i < 2; i++) {
        entry_guard_destroy(&r[i].guard);
    }
}

/* A thread that is inside while main waits to fire, and then changes its mind. */
typedef struct Mind {
    EntryGuard guard;
    Shot shot;
    bool forget;     /* unsets the timer; else sets it to an hour from now */
    uint32_t inside; /* atomic */
} Mind;

static void *change_mind(void *opaque)
{
    Mind *m = opaque;
    EntryCounts counts;

    assert_true(entry_enter(&m->guard));
    timer_mod(&m->shot.timer, 0);
    __atomic_store_n(&m->inside, 1, __ATOMIC_RELEASE);
    do {
        usleep(100);
        entry_guard_counts(&m->guard, &counts);
    } while (counts.contended == 0);
    if (m->forget) {
        timer_del(&m->shot.timer);
    } else {
        timer_mod(&m->shot.timer,
                  qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + 3600 * NANOSECONDS_PER_SECOND);
    }
    entry_leave(&m->guard);
    entry_thread_unregister();
    return NULL;
}

static void a_thread_inside_has_the_last_word(void **state)
{
    (void)state;
    for (int forget = 0; forget < 2; forget++) {
        Mind m = { .forget = forget };
        pthread_t thread;

        entry_guard_init(&m.guard, NULL, ENTRY_RANK_DEVICE);
        shot_init(&m.shot, 0, QEMU_CLOCK_REALTIME, &m.guard);
        assert_int_equal(pthread_create(&thread, NULL, change_mind, &m), 0);
        while (!__atomic_load_n(&m.inside, __ATOMIC_ACQUIRE)) {
        }
        main_loop_wait(true);
        pthread_join(thread, NULL);
        assert_int_equal(m.shot.count, 0);
        timer_del(&m.shot.timer);
        entry_guard_destroy(&m.guard);
    }
}

static void *set_soon(void *opaque)
{
    Shot *s = opaque;

    timer_mod(&s->timer, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + 2 * MS);
    return NULL;
}

static void a_timer_set_by_another_thread_wakes_the_loop(void **state)
{
    Shot a, far;
    pthread_t thread;

    (void)state;
    shot_init(&far, 0, QEMU_CLOCK_REALTIME, NULL);
    shot_init(&a, 0, QEMU_CLOCK_REALTIME, NULL);
    timer_mod(&far.timer, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + 3600 * NANOSECONDS_PER_SECOND);
    assert_int_equal(pthread_create(&thread, NULL, set_soon, &a), 0);
    while (!a.count) {
        main_loop_wait(true);
    }
    pthread_join(thread, NULL);
    timer_del(&far.timer);
}

static void a_timer_on_the_heap_is_freed_with_or_without_being_set(void **state)
{
    QEMUTimer *ts = timer_new_ns(QEMU_CLOCK_REALTIME, fire, NULL, NULL);

    (void)state;
    timer_mod(ts, INT64_MAX);
    timer_free(ts);
    timer_free(timer_new_ns(QEMU_CLOCK_VIRTUAL, fire, NULL, NULL));
    timer_free(NULL);
    assert_int_equal(qemu_clock_deadline_ns(QEMU_CLOCK_REALTIME), INT64_MAX);
}

#define timer_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        timer_test(a_clock_in_a_tests_hand_stands_until_it_is_moved),
        timer_test(timers_fire_in_order_each_at_its_own_moment),
        timer_test(a_timer_set_again_within_the_interval_fires_again),
        timer_test(timers_of_one_moment_fire_in_the_order_in_which_they_were_set),
        timer_test(a_period_of_nothing_does_not_hold_the_clock),
        timer_test(a_moment_that_has_passed_fires_without_a_step),
        timer_test(the_virtual_clock_stands_while_the_machine_is_stopped),
        timer_test(a_timer_that_is_due_does_not_fire_while_the_clock_stands),
        timer_test(a_timer_of_host_time_fires_soon_after_its_moment),
        timer_test(the_last_setting_counts),
        timer_test(many_timers_keep_their_order),
        timer_test(a_callback_is_an_entry_of_its_device),
        timer_test(a_timer_of_a_device_that_is_entered_fires_later),
        timer_test(other_sources_are_served_while_a_timer_never_rests),
        timer_test(a_round_has_a_limited_number_of_callbacks),
        timer_test(a_timer_fires_once_a_microsecond_at_most),
        timer_test(a_calendar_that_was_set_back_does_not_hold_a_timer),
        timer_test(any_thread_may_set_and_unset_a_timer),
        timer_test(a_thread_inside_has_the_last_word),
        timer_test(a_timer_set_by_another_thread_wakes_the_loop),
        timer_test(a_timer_on_the_heap_is_freed_with_or_without_being_set),
    };

    return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
