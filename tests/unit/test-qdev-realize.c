/* SPDX-License-Identifier: MIT */
/* Realize as a transaction: what it acquires is given back, in reverse order, when it fails and when it is undone. */
#include "tests/unit/qdev-fixture.h"
#include <pthread.h>
#include <unistd.h>

static void note(DeviceState *dev, void *opaque)
{
    (void)dev;
    trace("%s", (const char *)opaque);
}

static bool notes_and_fails(Probe *p, GError **errp)
{
    (void)errp;
    qdev_on_unrealize(DEVICE(p), note, "first");
    qdev_on_unrealize(DEVICE(p), note, "second");
    qdev_on_unrealize(DEVICE(p), note, "third");
    return true;
}

static void what_was_acquired_last_is_given_back_first(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    p->body = notes_and_fails;
    p->fail = true;
    assert_refused(qdev_realize(DEVICE(p), NULL, errp), "the probe was told to fail");
    assert_trace("realize third second first");
    p->fail = false;
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_trace("realize");
    qdev_unrealize(DEVICE(p));
    assert_trace("unrealize third second first");
    object_unref(p);
}

static void a_failed_realize_leaves_the_device_as_it_was(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    p->fail = true;
    assert_false(qdev_realize(DEVICE(p), NULL, NULL));
    assert_null(object_get_parent(OBJECT(p)));
    assert_null(DEVICE(p)->undo);
    assert_false(DEVICE(p)->realized);
    assert_int_equal(OBJECT(p)->ref, 1);
    object_unref(p);
    assert_trace("realize finalize");
}

static void a_failed_realize_frees_the_device_that_was_given_away(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    p->fail = true;
    assert_false(qdev_realize_and_unref(DEVICE(p), NULL, NULL));
    assert_trace("realize finalize");
}

static void a_device_that_had_a_place_keeps_it(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    assert_works(qdev_set_id(DEVICE(p), "x", errp));
    p->fail = true;
    assert_false(qdev_realize(DEVICE(p), NULL, NULL));
    assert_ptr_equal(qdev_find("x"), p);
    p->fail = false;
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    qdev_unrealize(DEVICE(p));
    assert_ptr_equal(qdev_find("x"), p);
    object_unref(p);
}

/* ---- Children, aliases, devices within devices ------------------------------------------------------ */

static bool adds_properties(Probe *p, GError **errp)
{
    Object *child = object_new("container");

    assert_true(object_property_add_child(OBJECT(p), "attic", child, NULL));
    object_unref(child);
    return object_property_add_alias(OBJECT(p), "first-port", OBJECT(p), "base", errp);
}

static void children_and_aliases_of_realize_go_with_it(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);
    Object *before = object_new("container");

    (void)state;
    assert_true(object_property_add_child(OBJECT(p), "cellar", before, NULL));
    object_unref(before);
    p->body = adds_properties;
    for (int i = 0; i < 2; i++) {
        assert_works(qdev_realize(DEVICE(p), NULL, errp));
        assert_true(object_property_exists(OBJECT(p), "first-port"));
        assert_true(object_property_exists(OBJECT(p), "attic"));
        qdev_unrealize(DEVICE(p));
        assert_false(object_property_exists(OBJECT(p), "first-port"));
        assert_false(object_property_exists(OBJECT(p), "attic"));
        assert_true(object_property_exists(OBJECT(p), "cellar"));
    }
    p->fail = true;
    assert_false(qdev_realize(DEVICE(p), NULL, NULL));
    assert_false(object_property_exists(OBJECT(p), "attic"));
    assert_true(object_property_exists(OBJECT(p), "cellar"));
    object_unref(p);
}

static bool makes_two_devices(Probe *p, GError **errp)
{
    Probe *inside = probe_new(TYPE_PROBE), *elsewhere = probe_new(TYPE_PROBE);

    inside->body = probe_maps;
    assert_true(object_property_add_child(OBJECT(p), "inner", OBJECT(inside), NULL));
    return qdev_realize_and_unref(DEVICE(inside), NULL, errp) &&
           qdev_realize_and_unref(DEVICE(elsewhere), NULL, errp);
}

static unsigned count_children(const char *path)
{
    Object *obj = container_get(object_get_root(), path);
    ObjectPropertyIterator iter;
    ObjectPropertyView view;
    unsigned n = 0;

    object_property_iter_init(&iter, obj);
    while (object_property_iter_next(&iter, &view)) {
        n += view.child != NULL;
    }
    return n;
}

static void devices_that_realize_makes_go_with_it(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    assert_works(qdev_set_id(DEVICE(p), "x", errp));
    p->body = makes_two_devices;
    p->fail = true;
    assert_false(qdev_realize(DEVICE(p), NULL, NULL));
    assert_int_equal(count_children("/machine/unattached"), 0);
    assert_false(port_is_mapped(0x80));
    assert_trace("realize realize realize unrealize finalize unrealize finalize");
    p->fail = false;
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_int_equal(count_children("/machine/unattached"), 1);
    assert_true(port_is_mapped(0x80));
    object_unparent(OBJECT(p));
    assert_int_equal(count_children("/machine/unattached"), 0);
    assert_false(port_is_mapped(0x80));
    object_unref(p);
}

static bool inner_fails_then_moves(Probe *p, GError **errp)
{
    Probe *inside = probe_new(TYPE_PROBE);
    bool ok;

    assert_true(object_property_add_child(OBJECT(p), "inner", OBJECT(inside), NULL));
    inside->body = probe_maps;
    inside->fail = true;
    assert_false(qdev_realize(DEVICE(inside), NULL, NULL));
    inside->fail = false;
    inside->base = 0x90;
    ok = qdev_realize(DEVICE(inside), NULL, errp);
    object_unref(inside);
    return ok;
}

static void a_failure_within_may_be_tried_again(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    p->body = inner_fails_then_moves;
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_false(port_is_mapped(0x80));
    assert_true(port_is_mapped(0x90));
    qdev_unrealize(DEVICE(p));
    assert_false(port_is_mapped(0x90));
    object_unref(p);
}

static bool inner_fails_and_is_freed(Probe *p, GError **errp)
{
    Probe *inside = probe_new(TYPE_PROBE);

    (void)p;
    inside->body = probe_maps;
    inside->fail = true;
    return qdev_realize_and_unref(DEVICE(inside), NULL, errp);
}

static void a_device_that_failed_within_may_be_freed_there(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    p->body = inner_fails_and_is_freed;
    assert_refused(qdev_realize(DEVICE(p), NULL, errp), "the probe was told to fail");
    assert_trace("realize realize finalize");
    object_unref(p);
}

static Probe *outside;

static bool wires_its_parent(Probe *p, GError **errp)
{
    qdev_init_gpio_in(DEVICE(p), NULL, 1);
    return qdev_connect_gpio_out(DEVICE(outside), 0, qdev_get_gpio_in(DEVICE(p), 0), errp);
}

static void a_device_below_another_may_hold_on_to_it(void **state)
{
    Probe *inside = probe_new(TYPE_PROBE);

    (void)state;
    outside = probe_new(TYPE_PROBE);
    qdev_init_gpio_out(DEVICE(outside), outside->out, 1);
    inside->body = wires_its_parent;
    assert_true(object_property_add_child(OBJECT(outside), "inside", OBJECT(inside), NULL));
    assert_works(qdev_realize(DEVICE(outside), NULL, errp));
    assert_works(qdev_realize_and_unref(DEVICE(inside), NULL, errp));
    object_unref(outside);
    object_unparent(OBJECT(outside));
    assert_trace("realize realize unrealize unrealize finalize finalize");
}

/* ---- Timers --------------------------------------------------------------------------------------- */

static void never(void *opaque)
{
    (void)opaque;
    fail();
}

static bool sets_a_timer(Probe *p, GError **errp)
{
    (void)errp;
    p->timer = timer_new_ns(QEMU_CLOCK_REALTIME, never, p, &DEVICE(p)->guard);
    timer_mod(p->timer, 5 * NANOSECONDS_PER_SECOND);
    return true;
}

static void frees_its_timer(Probe *p)
{
    timer_free(p->timer);
    p->timer = NULL;
}

static void timers_of_realize_go_with_it(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    p->body = sets_a_timer;
    p->fail = true;
    assert_false(qdev_realize(DEVICE(p), NULL, NULL));
    assert_int_equal(qemu_clock_deadline_ns(QEMU_CLOCK_REALTIME), INT64_MAX);
    p->fail = false;
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_int_not_equal(qemu_clock_deadline_ns(QEMU_CLOCK_REALTIME), INT64_MAX);
    qdev_unrealize(DEVICE(p));
    assert_int_equal(qemu_clock_deadline_ns(QEMU_CLOCK_REALTIME), INT64_MAX);
    /* An author who frees it in unrealize does so once. */
    p->end = frees_its_timer;
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    qdev_unrealize(DEVICE(p));
    assert_int_equal(qemu_clock_deadline_ns(QEMU_CLOCK_REALTIME), INT64_MAX);
    object_unref(p);
}

static void a_timer_in_the_state_is_unset_when_its_device_goes(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);
    QEMUTimer timer;

    (void)state;
    timer_init_ns(&timer, QEMU_CLOCK_REALTIME, never, p, &DEVICE(p)->guard);
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    timer_mod(&timer, 5 * NANOSECONDS_PER_SECOND);
    qdev_unrealize(DEVICE(p));
    assert_false(timer_pending(&timer));
    object_unref(p);
}

static void a_timer_of_a_device_that_was_never_realized_is_unset_too(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);
    QEMUTimer timer;

    (void)state;
    timer_init_ns(&timer, QEMU_CLOCK_REALTIME, never, p, &DEVICE(p)->guard);
    timer_mod(&timer, 5 * NANOSECONDS_PER_SECOND);
    object_unref(p);
    assert_false(timer_pending(&timer));
}

/* ---- Fault points ----------------------------------------------------------------------------------- */

static void the_nth_step_can_be_made_to_fail(void **state)
{
    unsigned n;

    (void)state;
    for (n = 1; n < 20; n++) {
        Probe *p = probe_new(TYPE_PROBE);
        g_autoptr(GError) error = NULL;
        bool ok;

        p->body = probe_maps;
        qdev_fault_inject(n);
        ok = qdev_realize(DEVICE(p), NULL, &error);
        assert_int_equal(ok, error == NULL);
        assert_int_equal(port_is_mapped(0x80), ok);
        object_unparent(OBJECT(p));
        object_unref(p);
        if (ok) {
            break;
        }
        assert_true(error && strstr(error->message, "a test lets step"));
    }
    /* Into the tree, realize, map, finish. */
    assert_int_equal(n, 5);
    assert_int_equal(qdev_fault_inject(0), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        qdev_test(what_was_acquired_last_is_given_back_first),
        qdev_test(a_failed_realize_leaves_the_device_as_it_was),
        qdev_test(a_failed_realize_frees_the_device_that_was_given_away),
        qdev_test(a_device_that_had_a_place_keeps_it),
        qdev_test(children_and_aliases_of_realize_go_with_it),
        qdev_test(devices_that_realize_makes_go_with_it),
        qdev_test(a_failure_within_may_be_tried_again),
        qdev_test(a_device_that_failed_within_may_be_freed_there),
        qdev_test(a_device_below_another_may_hold_on_to_it),
        qdev_test(timers_of_realize_go_with_it),
        qdev_test(a_timer_in_the_state_is_unset_when_its_device_goes),
        qdev_test(a_timer_of_a_device_that_was_never_realized_is_unset_too),
        qdev_test(the_nth_step_can_be_made_to_fail),
    };

    return cmocka_run_group_tests_name("realize", tests, NULL, NULL);
}
