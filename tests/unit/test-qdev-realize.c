/* SPDX-License-Identifier: MIT */
/* Realize as a transaction: what it acquires is given back, in reverse order, when it fails and when it is undone. */
#include "tests/unit/qdev-fixture.h"
#include <pthread.h>
#include <unistd.h>

static bool is_mapped(hwaddr port)
{
    MemoryRegionSection section = address_space_find(&address_space_io, port);
    bool mapped = section.mr != NULL;

    object_unref(section.mr);
    return mapped;
}

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

/* ---- Regions -------------------------------------------------------------------------------------- */

static bool maps(Probe *p, GError **errp)
{
    memory_region_init_io(&p->region, OBJECT(p), &probe_ops, p, "registers", 4);
    return qdev_map(DEVICE(p), get_system_io(), p->base, &p->region, errp);
}

static void a_region_is_mapped_as_long_as_its_device_is_realized(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    p->body = maps;
    for (int i = 0; i < 3; i++) {
        assert_works(qdev_realize(DEVICE(p), NULL, errp));
        assert_true(is_mapped(0x80));
        assert_non_null(object_resolve_path_component(OBJECT(p), "registers"));
        qdev_unrealize(DEVICE(p));
        assert_false(is_mapped(0x80));
        assert_null(object_resolve_path_component(OBJECT(p), "registers"));
    }
    object_unref(p);
}

static void a_region_of_a_failed_realize_is_gone(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    p->body = maps;
    p->fail = true;
    for (int i = 0; i < 3; i++) {
        assert_false(qdev_realize(DEVICE(p), NULL, NULL));
        assert_false(is_mapped(0x80));
        assert_null(object_resolve_path_component(OBJECT(p), "registers"));
    }
    p->fail = false;
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_true(is_mapped(0x80));
    object_unref(p);
}

static void two_devices_in_one_place_are_both_named(void **state)
{
    Probe *p = probe_new(TYPE_PROBE), *q = probe_new(TYPE_PROBE);

    (void)state;
    p->body = maps;
    q->body = maps;
    q->base = 0x82;
    assert_works(qdev_set_id(DEVICE(p), "one", errp));
    assert_works(qdev_set_id(DEVICE(q), "two", errp));
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_refused(qdev_realize(DEVICE(q), NULL, errp),
                   "ports 0x82-0x85 of /machine/peripheral/two (probe-device) overlap 0x80-0x83 of "
                   "/machine/peripheral/one (probe-device)");
    assert_false(is_mapped(0x84));
    object_unref(p);
    object_unref(q);
}

static bool sees_nothing(Probe *p, GError **errp)
{
    bool ok = maps(p, errp);

    /* What is mapped is not seen before all is done. */
    assert_false(is_mapped(p->base));
    return ok;
}

static void a_guest_does_not_see_a_device_that_is_not_ready(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    p->body = sees_nothing;
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_true(is_mapped(0x80));
    object_unref(p);
}

static void sees_no_guest(Probe *p)
{
    assert_false(is_mapped(p->base));
}

static void unrealize_begins_when_nobody_can_enter(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    p->body = maps;
    p->end = sees_no_guest;
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    qdev_unrealize(DEVICE(p));
    assert_trace("realize unrealize");
    object_unref(p);
}

static void a_region_is_mapped_for_a_realized_device_only(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    memory_region_init_io(&p->region, OBJECT(p), &probe_ops, p, "registers", 4);
    assert_refused(
        qdev_map(DEVICE(p), get_system_io(), 0x80, &p->region, errp),
        "region 'registers' of 'probe-device' cannot be mapped: the device is not realized");
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_works(qdev_map(DEVICE(p), get_system_io(), 0x80, &p->region, errp));
    assert_refused(qdev_map(DEVICE(p), get_system_io(), 0x90, &p->region, errp),
                   "region 'registers' of 'probe-device' is mapped already");
    qdev_unrealize(DEVICE(p));
    assert_false(is_mapped(0x80));
    object_unref(p);
}

static void a_device_may_unmap_or_move_its_region_itself(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    memory_region_init_io(&p->region, OBJECT(p), &probe_ops, p, "registers", 4);
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_works(qdev_map(DEVICE(p), get_system_io(), 0x80, &p->region, errp));
    memory_region_del_subregion(get_system_io(), &p->region);
    assert_works(qdev_map(DEVICE(p), get_system_memory(), 0x80, &p->region, errp));
    memory_region_set_address(&p->region, 0x1000);
    qdev_unrealize(DEVICE(p));
    assert_false(memory_region_is_mapped(&p->region));
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_works(qdev_map(DEVICE(p), get_system_io(), 0x80, &p->region, errp));
    memory_region_del_subregion(get_system_io(), &p->region);
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

    inside->body = maps;
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
    assert_false(is_mapped(0x80));
    assert_trace("realize realize realize unrealize finalize unrealize finalize");
    p->fail = false;
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_int_equal(count_children("/machine/unattached"), 1);
    assert_true(is_mapped(0x80));
    object_unparent(OBJECT(p));
    assert_int_equal(count_children("/machine/unattached"), 0);
    assert_false(is_mapped(0x80));
    object_unref(p);
}

static bool inner_fails_then_moves(Probe *p, GError **errp)
{
    Probe *inside = probe_new(TYPE_PROBE);
    bool ok;

    assert_true(object_property_add_child(OBJECT(p), "inner", OBJECT(inside), NULL));
    inside->body = maps;
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
    assert_false(is_mapped(0x80));
    assert_true(is_mapped(0x90));
    qdev_unrealize(DEVICE(p));
    assert_false(is_mapped(0x90));
    object_unref(p);
}

static bool inner_fails_and_is_freed(Probe *p, GError **errp)
{
    Probe *inside = probe_new(TYPE_PROBE);

    (void)p;
    inside->body = maps;
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

/* ---- A guest that is inside ------------------------------------------------------------------------- */

typedef struct Guest {
    pthread_t thread;
    uint32_t stop; /* atomic */
} Guest;

static void *guest_main(void *opaque)
{
    Guest *guest = opaque;
    uint64_t value;

    while (!__atomic_load_n(&guest->stop, __ATOMIC_ACQUIRE)) {
        address_space_store(&address_space_io, 0x80, 1, 1, MEMTXATTRS_UNSPECIFIED);
        address_space_load(&address_space_io, 0x81, 1, &value, MEMTXATTRS_UNSPECIFIED);
    }
    entry_thread_unregister();
    return NULL;
}

static uint64_t read_buffer(void *opaque, hwaddr addr, unsigned size)
{
    (void)size;
    return ((Probe *)opaque)->word[addr];
}

static void write_buffer(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    (void)size;
    ((Probe *)opaque)->word[addr] = data;
}

static const MemoryRegionOps buffer_ops = { .read = read_buffer, .write = write_buffer };

static bool maps_a_buffer(Probe *p, GError **errp)
{
    bool ok;

    memory_region_init_io(&p->region, OBJECT(p), &buffer_ops, p, "registers", 4);
    ok = qdev_map(DEVICE(p), get_system_io(), p->base, &p->region, errp);
    /* A guest that came in already would find nothing here. */
    usleep(100);
    p->word = g_malloc0(4);
    return ok;
}

static void frees_the_buffer(Probe *p)
{
    g_clear_pointer(&p->word, g_free);
}

static void a_running_guest_never_meets_half_a_device(void **state)
{
    Guest guest = { .stop = 0 };

    (void)state;
    assert_int_equal(pthread_create(&guest.thread, NULL, guest_main, &guest), 0);
    for (int i = 0; i < 200; i++) {
        Probe *p = probe_new(TYPE_PROBE);

        p->body = maps_a_buffer;
        p->end = frees_the_buffer;
        assert_works(qdev_realize(DEVICE(p), NULL, errp));
        object_unparent(OBJECT(p));
        object_unref(p);
    }
    __atomic_store_n(&guest.stop, 1, __ATOMIC_RELEASE);
    pthread_join(guest.thread, NULL);
}

typedef struct Visitor {
    Probe *probe;
    uint32_t inside, left; /* atomic */
} Visitor;

static Visitor visitor;

static void *visit(void *opaque)
{
    (void)opaque;
    assert_true(entry_enter(&DEVICE(visitor.probe)->guard));
    __atomic_store_n(&visitor.inside, 1, __ATOMIC_RELEASE);
    usleep(5000);
    __atomic_store_n(&visitor.left, 1, __ATOMIC_RELEASE);
    entry_leave(&DEVICE(visitor.probe)->guard);
    entry_thread_unregister();
    return NULL;
}

static void finds_nobody_inside(Probe *p)
{
    (void)p;
    assert_true(__atomic_load_n(&visitor.left, __ATOMIC_ACQUIRE));
}

static void unrealize_waits_for_whoever_is_inside(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);
    pthread_t thread;

    (void)state;
    visitor = (Visitor){ .probe = p };
    p->end = finds_nobody_inside;
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_int_equal(pthread_create(&thread, NULL, visit, NULL), 0);
    while (!__atomic_load_n(&visitor.inside, __ATOMIC_ACQUIRE)) {
    }
    qdev_unrealize(DEVICE(p));
    pthread_join(thread, NULL);
    object_unref(p);
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

        p->body = maps;
        qdev_fault_inject(n);
        ok = qdev_realize(DEVICE(p), NULL, &error);
        assert_int_equal(ok, error == NULL);
        assert_int_equal(is_mapped(0x80), ok);
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
        qdev_test(a_region_is_mapped_as_long_as_its_device_is_realized),
        qdev_test(a_region_of_a_failed_realize_is_gone),
        qdev_test(two_devices_in_one_place_are_both_named),
        qdev_test(a_guest_does_not_see_a_device_that_is_not_ready),
        qdev_test(unrealize_begins_when_nobody_can_enter),
        qdev_test(a_region_is_mapped_for_a_realized_device_only),
        qdev_test(a_device_may_unmap_or_move_its_region_itself),
        qdev_test(children_and_aliases_of_realize_go_with_it),
        qdev_test(devices_that_realize_makes_go_with_it),
        qdev_test(a_failure_within_may_be_tried_again),
        qdev_test(a_device_that_failed_within_may_be_freed_there),
        qdev_test(a_device_below_another_may_hold_on_to_it),
        qdev_test(timers_of_realize_go_with_it),
        qdev_test(a_timer_in_the_state_is_unset_when_its_device_goes),
        qdev_test(a_timer_of_a_device_that_was_never_realized_is_unset_too),
        qdev_test(unrealize_waits_for_whoever_is_inside),
        qdev_test(a_running_guest_never_meets_half_a_device),
        qdev_test(the_nth_step_can_be_made_to_fail),
    };

    return cmocka_run_group_tests_name("realize", tests, NULL, NULL);
}
