/* SPDX-License-Identifier: MIT */
/*
 * Interrupt lines: levels, lines that act at once, lines that wait for the thread to leave its
 * device, combiners.
 */
#include "tests/unit/irq-fixture.h"

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

static void a_ring_that_splits_at_each_turn_ends_as_soon(void **state)
{
    DeviceState *split = combiner_new(TYPE_SPLIT_IRQ, 48);

    (void)state;
    for (int i = 0; i < 48; i++) {
        lead(split, i, qdev_get_gpio_in(split, 0));
    }
    qemu_irq_raise(qdev_get_gpio_in(split, 0));
    assert_int_equal(qemu_irq_level(qdev_get_gpio_in(split, 0)), 1);
    /* What ended is the change, not the line. */
    qemu_irq_lower(qdev_get_gpio_in(split, 0));
    assert_int_equal(qemu_irq_level(qdev_get_gpio_in(split, 0)), 0);
    object_unref(split);
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
        qdev_test(a_ring_that_splits_at_each_turn_ends_as_soon),
    };

    return cmocka_run_group_tests_name("irq", tests, NULL, NULL);
}
