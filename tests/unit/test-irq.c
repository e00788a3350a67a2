/* SPDX-License-Identifier: MIT */
/* Interrupt lines: levels, lines that act at once, lines that wait for the thread to leave its device, combiners. */
#include "tests/unit/qdev-fixture.h"
#include <pthread.h>
#include <unistd.h>

static void tell(void *opaque, int n, int level)
{
    trace("%s%d=%d", (const char *)opaque, n, level);
}

/* ---- Lines that act at once ------------------------------------------------------------------------- */

static void a_line_passes_its_level_on_at_once(void **state)
{
    qemu_irq irq = qemu_allocate_irq(tell, "pic", 4);

    (void)state;
    qemu_irq_raise(irq);
    assert_int_equal(qemu_irq_level(irq), 1);
    qemu_irq_lower(irq);
    assert_int_equal(qemu_irq_level(irq), 0);
    assert_trace("pic4=1 pic4=0");
    object_unref(irq);
}

static void the_same_level_again_is_passed_on_too(void **state)
{
    qemu_irq irq = qemu_allocate_irq(tell, "pic", 0);

    (void)state;
    qemu_set_irq(irq, 1);
    qemu_set_irq(irq, 1);
    assert_trace("pic0=1 pic0=1");
    object_unref(irq);
}

static void a_line_that_ends_nowhere_takes_every_level(void **state)
{
    (void)state;
    qemu_irq_pulse(NULL);
    assert_int_equal(qemu_irq_level(NULL), 0);
}

static void a_level_of_the_devices_own_meaning_arrives(void **state)
{
    qemu_irq irq = qemu_allocate_irq(tell, "x", 0);

    (void)state;
    qemu_set_irq(irq, 7);
    qemu_set_irq(irq, -3);
    assert_int_equal(qemu_irq_level(irq), -3);
    assert_trace("x0=7 x0=-3");
    object_unref(irq);
}

static void an_inverted_line_passes_the_opposite(void **state)
{
    qemu_irq irq = qemu_allocate_irq(tell, "pic", 1);
    qemu_irq inverted = qemu_irq_invert(irq);

    (void)state;
    /* Its own level is low from the beginning. */
    assert_trace("pic1=1");
    object_unref(irq);
    qemu_irq_raise(inverted);
    qemu_irq_lower(inverted);
    assert_trace("pic1=0 pic1=1");
    object_unref(inverted);
}

static void an_observer_sees_a_change_before_the_handler(void **state)
{
    qemu_irq irq = qemu_allocate_irq(tell, "pic", 3);

    (void)state;
    qemu_irq_set_observer(irq, tell, "seen", 9);
    qemu_irq_raise(irq);
    assert_trace("seen9=1 pic3=1");
    qemu_irq_set_observer(irq, tell, "now", 9);
    qemu_irq_lower(irq);
    assert_trace("now9=0 pic3=0");
    qemu_irq_set_observer(irq, NULL, NULL, 0);
    qemu_irq_raise(irq);
    assert_trace("pic3=1");
    object_unref(irq);
}

/* ---- Lines that wait -------------------------------------------------------------------------------- */

typedef struct Owner {
    EntryGuard guard, other;
    qemu_irq irq;
} Owner;

static void tell_inside(void *opaque, int n, int level)
{
    Owner *o = opaque;

    assert_true(entry_inside(&o->guard));
    assert_false(entry_inside(&o->other));
    trace("dev%d=%d", n, level);
}

static void owner_init(Owner *o)
{
    entry_guard_init(&o->guard, NULL, ENTRY_RANK_DEVICE);
    entry_guard_init(&o->other, NULL, ENTRY_RANK_DEVICE);
    o->irq = qemu_allocate_irq_deferred(tell_inside, o, 2, &o->guard);
}

static void owner_end(Owner *o)
{
    object_unref(o->irq);
    entry_guard_destroy(&o->guard);
    entry_guard_destroy(&o->other);
}

static void a_deferred_line_waits_until_the_thread_has_left_its_device(void **state)
{
    Owner o;

    (void)state;
    owner_init(&o);
    assert_true(entry_enter(&o.other));
    qemu_irq_raise(o.irq);
    assert_int_equal(qemu_irq_level(o.irq), 1);
    assert_trace("");
    entry_leave(&o.other);
    assert_trace("dev2=1");
    owner_end(&o);
}

static void outside_all_devices_a_deferred_line_acts_at_once(void **state)
{
    Owner o;

    (void)state;
    owner_init(&o);
    qemu_irq_raise(o.irq);
    assert_trace("dev2=1");
    qemu_irq_lower(o.irq);
    assert_trace("dev2=0");
    owner_end(&o);
}

/* What is set while inside, and what the handler must see when the last that it saw was @first. */
typedef struct Replay {
    int first;
    const char *set; /* a digit a change */
    const char *seen;
} Replay;

static void a_deferred_line_keeps_pulses_and_the_last_level(void **state)
{
    static const Replay replays[] = {
        { 0, "1", "dev2=1" },         { 0, "10", "dev2=1 dev2=0" },         { 0, "0", "dev2=0" },
        { 0, "101", "dev2=1" },       { 0, "1010", "dev2=1 dev2=0" },       { 1, "0", "dev2=0" },
        { 1, "01", "dev2=0 dev2=1" }, { 1, "010", "dev2=0 dev2=1 dev2=0" }, { 1, "1", "dev2=1" },
        { 0, "12", "dev2=2" },        { 0, "20", "dev2=2 dev2=0" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(replays); i++) {
        Owner o;

        owner_init(&o);
        qemu_set_irq(o.irq, replays[i].first);
        g_string_truncate(probe_trace, 0);
        assert_true(entry_enter(&o.other));
        for (const char *c = replays[i].set; *c; c++) {
            qemu_set_irq(o.irq, *c - '0');
        }
        entry_leave(&o.other);
        assert_trace(replays[i].seen);
        owner_end(&o);
    }
}

static void a_line_outlives_its_last_reference_while_a_delivery_is_to_come(void **state)
{
    Owner o;

    (void)state;
    owner_init(&o);
    assert_true(entry_enter(&o.other));
    qemu_irq_raise(o.irq);
    object_unref(o.irq);
    entry_leave(&o.other);
    assert_trace("dev2=1");
    o.irq = NULL;
    owner_end(&o);
}

/* ---- Combiners -------------------------------------------------------------------------------------- */

static DeviceState *combiner_new(const char *type, unsigned lines)
{
    DeviceState *dev = qdev_new(type, NULL);

    assert_non_null(dev);
    if (lines) {
        assert_true(object_property_set_uint(OBJECT(dev), "num-lines", lines, NULL));
    }
    assert_true(qdev_realize(dev, NULL, NULL));
    return dev;
}

static void lead(DeviceState *from, int n, qemu_irq to)
{
    assert_works(qdev_connect_gpio_out(from, n, to, errp));
}

static void an_or_is_high_while_one_input_is(void **state)
{
    DeviceState * or = combiner_new(TYPE_OR_IRQ, 3);
    qemu_irq out = qemu_allocate_irq(tell, "out", 0);

    (void)state;
    lead(or, 0, out);
    qemu_irq_raise(qdev_get_gpio_in(or, 0));
    qemu_irq_raise(qdev_get_gpio_in(or, 2));
    qemu_irq_lower(qdev_get_gpio_in(or, 0));
    assert_int_equal(qemu_irq_level(out), 1);
    qemu_irq_lower(qdev_get_gpio_in(or, 2));
    assert_int_equal(qemu_irq_level(out), 0);
    assert_trace("out0=1 out0=1 out0=1 out0=0");
    assert_null(qdev_get_gpio_in(or, 3));
    object_unref(or);
    object_unref(out);
}

static void a_split_passes_to_each_output_in_order(void **state)
{
    DeviceState *split = combiner_new(TYPE_SPLIT_IRQ, 2);
    qemu_irq a = qemu_allocate_irq(tell, "a", 0), b = qemu_allocate_irq(tell, "b", 0);

    (void)state;
    lead(split, 0, a);
    lead(split, 1, b);
    qemu_irq_pulse(qdev_get_gpio_in(split, 0));
    assert_trace("a0=1 b0=1 a0=0 b0=0");
    assert_refused(qdev_connect_gpio_out(split, 2, a, errp),
                   "device 'split-irq' has no output line 2: it has 2");
    object_unref(split);
    object_unref(a);
    object_unref(b);
}

static void an_invert_tells_its_output_at_reset(void **state)
{
    DeviceState *invert = combiner_new(TYPE_INVERT_IRQ, 0);
    qemu_irq out = qemu_allocate_irq(tell, "out", 0);

    (void)state;
    lead(invert, 0, out);
    resettable_reset(OBJECT(invert), RESET_TYPE_COLD);
    assert_trace("out0=1");
    qemu_irq_raise(qdev_get_gpio_in(invert, 0));
    assert_trace("out0=0");
    object_unref(invert);
    object_unref(out);
}

static void combiners_refuse_a_number_of_lines_that_they_cannot_have(void **state)
{
    DeviceState * or = qdev_new(TYPE_OR_IRQ, NULL);

    (void)state;
    assert_false(object_property_set_uint(OBJECT(or), "num-lines", 0, NULL));
    assert_false(object_property_set_uint(OBJECT(or), "num-lines", 49, NULL));
    assert_true(object_property_set_uint(OBJECT(or), "num-lines", 48, NULL));
    assert_works(qdev_realize(or, NULL, errp));
    qemu_irq_raise(qdev_get_gpio_in(or, 47));
    object_unref(or);
}

static void a_ring_of_or_gates_comes_to_rest(void **state)
{
    DeviceState *a = combiner_new(TYPE_OR_IRQ, 2), *b = combiner_new(TYPE_OR_IRQ, 2);
    DeviceState *split = combiner_new(TYPE_SPLIT_IRQ, 2);
    qemu_irq out = qemu_allocate_irq(tell, "out", 0);

    (void)state;
    lead(a, 0, qdev_get_gpio_in(b, 0));
    lead(b, 0, qdev_get_gpio_in(split, 0));
    lead(split, 0, qdev_get_gpio_in(a, 1));
    lead(split, 1, out);
    qemu_irq_raise(qdev_get_gpio_in(a, 0));
    qemu_irq_lower(qdev_get_gpio_in(a, 0));
    /* A ring holds itself. */
    assert_int_equal(qemu_irq_level(out), 1);
    object_unref(a);
    object_unref(b);
    object_unref(split);
    object_unref(out);
}

static void a_ring_with_an_inverter_ends_and_is_told(void **state)
{
    DeviceState * or = combiner_new(TYPE_OR_IRQ, 2), *invert = combiner_new(TYPE_INVERT_IRQ, 0);

    (void)state;
    lead(or, 0, qdev_get_gpio_in(invert, 0));
    lead(invert, 0, qdev_get_gpio_in(or, 1));
    qemu_irq_raise(qdev_get_gpio_in(or, 0));
    qemu_irq_lower(qdev_get_gpio_in(or, 0));
    qemu_irq_pulse(qdev_get_gpio_in(or, 0));
    object_unref(or);
    object_unref(invert);
}

static void a_ring_of_splits_ends(void **state)
{
    DeviceState *a = combiner_new(TYPE_SPLIT_IRQ, 1), *b = combiner_new(TYPE_INVERT_IRQ, 0);

    (void)state;
    lead(a, 0, qdev_get_gpio_in(b, 0));
    lead(b, 0, qdev_get_gpio_in(a, 0));
    qemu_irq_raise(qdev_get_gpio_in(a, 0));
    object_unref(a);
    object_unref(b);
}

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
        qdev_test(a_line_passes_its_level_on_at_once),
        qdev_test(the_same_level_again_is_passed_on_too),
        qdev_test(a_line_that_ends_nowhere_takes_every_level),
        qdev_test(a_level_of_the_devices_own_meaning_arrives),
        qdev_test(an_inverted_line_passes_the_opposite),
        qdev_test(an_observer_sees_a_change_before_the_handler),
        qdev_test(a_deferred_line_waits_until_the_thread_has_left_its_device),
        qdev_test(outside_all_devices_a_deferred_line_acts_at_once),
        qdev_test(a_deferred_line_keeps_pulses_and_the_last_level),
        qdev_test(a_line_outlives_its_last_reference_while_a_delivery_is_to_come),
        qdev_test(an_or_is_high_while_one_input_is),
        qdev_test(a_split_passes_to_each_output_in_order),
        qdev_test(an_invert_tells_its_output_at_reset),
        qdev_test(combiners_refuse_a_number_of_lines_that_they_cannot_have),
        qdev_test(a_ring_of_or_gates_comes_to_rest),
        qdev_test(a_ring_with_an_inverter_ends_and_is_told),
        qdev_test(a_ring_of_splits_ends),
        qdev_test(an_or_ends_at_the_or_of_its_inputs_whoever_races),
        qdev_test(a_deferred_line_ends_at_the_last_level_whoever_races),
        qdev_test(every_pulse_of_one_thread_is_a_rise_through_an_or),
        qdev_test(unrealize_waits_for_a_handler_that_runs),
        qdev_test(nobody_observes_after_the_observer_was_taken_away),
        qdev_test(a_device_may_go_while_a_thread_sets_its_line),
    };

    return cmocka_run_group_tests_name("irq", tests, NULL, NULL);
}
