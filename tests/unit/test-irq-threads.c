/* SPDX-License-Identifier: MIT */
/* Interrupt lines that several threads set, and what goes away while one of them does. */
#include "tests/unit/irq-fixture.h"
#include <pthread.h>
#include <unistd.h>

/* ---- Threads ---------------------------------------------------------------------------------------- */

#define ROUNDS 4000

typedef struct Driver {
    pthread_t thread;
    qemu_irq irq;
    EntryGuard guard;
    int last;
    bool inside;
    uint64_t seed;
} Driver;

static void *drive(void *opaque)
{
    Driver *d = opaque;

    for (int i = 0; i < ROUNDS; i++) {
        d->seed = d->seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        d->last = d->seed >> 63;
        if (d->inside) {
            assert_true(entry_enter(&d->guard));
        }
        qemu_set_irq(d->irq, d->last);
        if (d->inside) {
            entry_leave(&d->guard);
        }
    }
    entry_thread_unregister();
    return NULL;
}

static void drivers_run(Driver *drivers, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        drivers[i].seed = i + 1;
        entry_guard_init(&drivers[i].guard, NULL, ENTRY_RANK_DEVICE);
    }
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(pthread_create(&drivers[i].thread, NULL, drive, &drivers[i]), 0);
    }
    for (unsigned i = 0; i < n; i++) {
        pthread_join(drivers[i].thread, NULL);
        entry_guard_destroy(&drivers[i].guard);
    }
}

static int last_level;

static void keep_level(void *opaque, int n, int level)
{
    (void)opaque;
    (void)n;
    __atomic_store_n(&last_level, level, __ATOMIC_RELAXED);
}

static void an_or_ends_at_the_or_of_its_inputs_whoever_races(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        DeviceState * or = combiner_new(TYPE_OR_IRQ, 3);
        qemu_irq out = qemu_allocate_irq(keep_level, NULL, 0);
        Driver drivers[3] = { 0 };
        int expected = 0;

        lead(or, 0, out);
        for (int i = 0; i < 3; i++) {
            drivers[i].irq = qdev_get_gpio_in(or, i);
            drivers[i].inside = i & 1;
        }
        drivers_run(drivers, 3);
        for (int i = 0; i < 3; i++) {
            expected |= drivers[i].last;
        }
        assert_int_equal(qemu_irq_level(out), expected);
        assert_int_equal(last_level, expected);
        object_unref(or);
        object_unref(out);
    }
}

typedef struct Sink {
    EntryGuard guard;
    int level; /* only inside the guard */
    int rises;
} Sink;

static void sink_set(void *opaque, int n, int level)
{
    Sink *sink = opaque;

    (void)n;
    sink->rises += level && !sink->level;
    sink->level = level;
}

static void a_deferred_line_ends_at_the_last_level_whoever_races(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        Sink sink = { .level = 0 };
        Driver drivers[2] = { 0 };

        entry_guard_init(&sink.guard, NULL, ENTRY_RANK_DEVICE);
        drivers[0].irq = drivers[1].irq =
            qemu_allocate_irq_deferred(sink_set, &sink, 0, &sink.guard);
        drivers[0].inside = true;
        drivers_run(drivers, 2);
        assert_int_equal(sink.level, qemu_irq_level(drivers[0].irq));
        assert_true(sink.rises > 0);
        object_unref(drivers[0].irq);
        entry_guard_destroy(&sink.guard);
    }
}

static void *pulse_inside(void *opaque)
{
    Driver *d = opaque;

    for (int i = 0; i < ROUNDS; i++) {
        assert_true(entry_enter(&d->guard));
        qemu_irq_pulse(d->irq);
        entry_leave(&d->guard);
    }
    entry_thread_unregister();
    return NULL;
}

static void every_pulse_of_one_thread_is_a_rise_through_an_or(void **state)
{
    Sink sink = { .level = 0 };
    DeviceState * or = combiner_new(TYPE_OR_IRQ, 2);
    Driver d = { 0 };
    qemu_irq out;

    (void)state;
    entry_guard_init(&sink.guard, NULL, ENTRY_RANK_DEVICE);
    entry_guard_init(&d.guard, NULL, ENTRY_RANK_DEVICE);
    out = qemu_allocate_irq_deferred(sink_set, &sink, 0, &sink.guard);
    lead(or, 0, out);
    d.irq = qdev_get_gpio_in(or, 1);
    assert_int_equal(pthread_create(&d.thread, NULL, pulse_inside, &d), 0);
    pthread_join(d.thread, NULL);
    assert_int_equal(sink.rises, ROUNDS);
    assert_int_equal(sink.level, 0);
    object_unref(or);
    object_unref(out);
    entry_guard_destroy(&d.guard);
    entry_guard_destroy(&sink.guard);
}

/* A device that goes while another thread sets its input: the handler must not run on what is freed. */
static void heap_handler(void *opaque, int n, int level)
{
    Probe *p = opaque;

    /* One that acts at once is called by any thread. */
    __atomic_store_n(&p->word[n], level, __ATOMIC_RELAXED);
}

static bool takes_a_line(Probe *p, GError **errp)
{
    (void)errp;
    p->word = g_malloc0(4);
    return true;
}

static void gives_word_back(Probe *p)
{
    g_clear_pointer(&p->word, g_free);
}

static void a_device_may_go_while_a_thread_sets_its_line(void **state)
{
    (void)state;
    for (int direct = 0; direct < 2; direct++) {
        for (int round = 0; round < 20; round++) {
            Probe *p = probe_new(TYPE_PROBE);
            Driver d = { .inside = round & 1, .seed = 5 };

            p->body = takes_a_line;
            p->end = gives_word_back;
            if (direct) {
                qdev_init_gpio_in_direct(DEVICE(p), heap_handler, NULL, 2);
            } else {
                qdev_init_gpio_in(DEVICE(p), heap_handler, 2);
            }
            entry_guard_init(&d.guard, NULL, ENTRY_RANK_DEVICE);
            d.irq = (qemu_irq)object_ref(qdev_get_gpio_in(DEVICE(p), 1));
            assert_int_equal(pthread_create(&d.thread, NULL, drive, &d), 0);
            for (int i = 0; i < 20; i++) {
                assert_works(qdev_realize(DEVICE(p), NULL, errp));
                qdev_unrealize(DEVICE(p));
            }
            object_unparent(OBJECT(p));
            object_unref(p);
            pthread_join(d.thread, NULL);
            object_unref(d.irq);
            entry_guard_destroy(&d.guard);
        }
    }
}

/* ---- Waiting for a handler that is slow ------------------------------------------------------------- */

static struct {
    uint32_t inside, left; /* atomic */
} slow;

static void slow_handler(void *opaque, int n, int level)
{
    (void)opaque;
    (void)n;
    (void)level;
    __atomic_store_n(&slow.inside, 1, __ATOMIC_RELEASE);
    usleep(5000);
    __atomic_store_n(&slow.left, 1, __ATOMIC_RELEASE);
}

static void *raise_line(void *opaque)
{
    qemu_irq_raise(opaque);
    entry_thread_unregister();
    return NULL;
}

static void raise_and_wait_for_the_handler(pthread_t *thread, qemu_irq irq)
{
    slow.inside = slow.left = 0;
    assert_int_equal(pthread_create(thread, NULL, raise_line, irq), 0);
    while (!__atomic_load_n(&slow.inside, __ATOMIC_ACQUIRE)) {
    }
}

static void unrealize_waits_for_a_handler_that_runs(void **state)
{
    (void)state;
    for (int direct = 0; direct < 2; direct++) {
        Probe *p = probe_new(TYPE_PROBE);
        pthread_t thread;

        if (direct) {
            qdev_init_gpio_in_direct(DEVICE(p), slow_handler, NULL, 1);
        } else {
            qdev_init_gpio_in(DEVICE(p), slow_handler, 1);
        }
        assert_works(qdev_realize(DEVICE(p), NULL, errp));
        raise_and_wait_for_the_handler(&thread, qdev_get_gpio_in(DEVICE(p), 0));
        qdev_unrealize(DEVICE(p));
        assert_true(__atomic_load_n(&slow.left, __ATOMIC_ACQUIRE));
        pthread_join(thread, NULL);
        object_unref(p);
    }
}

static void nobody_observes_after_the_observer_was_taken_away(void **state)
{
    qemu_irq irq = qemu_allocate_irq(tell, "pic", 0);
    pthread_t thread;

    (void)state;
    qemu_irq_set_observer(irq, slow_handler, NULL, 0);
    raise_and_wait_for_the_handler(&thread, irq);
    qemu_irq_set_observer(irq, NULL, NULL, 0);
    assert_true(__atomic_load_n(&slow.left, __ATOMIC_ACQUIRE));
    pthread_join(thread, NULL);
    object_unref(irq);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        qdev_test(an_or_ends_at_the_or_of_its_inputs_whoever_races),
        qdev_test(a_deferred_line_ends_at_the_last_level_whoever_races),
        qdev_test(every_pulse_of_one_thread_is_a_rise_through_an_or),
        qdev_test(unrealize_waits_for_a_handler_that_runs),
        qdev_test(nobody_observes_after_the_observer_was_taken_away),
        qdev_test(a_device_may_go_while_a_thread_sets_its_line),
    };

    return cmocka_run_group_tests_name("irq-threads", tests, NULL, NULL);
}
