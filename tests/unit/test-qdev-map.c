/* SPDX-License-Identifier: MIT */
/*
 * Regions of a device: mapped as long as it is realized, seen when it is ready, withdrawn when
 * nobody is inside.
 */
#include "tests/unit/qdev-fixture.h"
#include <pthread.h>
#include <unistd.h>

/* ---- Regions -------------------------------------------------------------------------------------- */

static void a_region_is_mapped_as_long_as_its_device_is_realized(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    p->body = probe_maps;
    for (int i = 0; i < 3; i++) {
        assert_works(qdev_realize(DEVICE(p), NULL, errp));
        assert_true(port_is_mapped(0x80));
        assert_non_null(object_resolve_path_component(OBJECT(p), "registers"));
        qdev_unrealize(DEVICE(p));
        assert_false(port_is_mapped(0x80));
        assert_null(object_resolve_path_component(OBJECT(p), "registers"));
    }
    object_unref(p);
}

static void a_region_of_a_failed_realize_is_gone(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    p->body = probe_maps;
    p->fail = true;
    for (int i = 0; i < 3; i++) {
        assert_false(qdev_realize(DEVICE(p), NULL, NULL));
        assert_false(port_is_mapped(0x80));
        assert_null(object_resolve_path_component(OBJECT(p), "registers"));
    }
    p->fail = false;
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_true(port_is_mapped(0x80));
    object_unref(p);
}

static void two_devices_in_one_place_are_both_named(void **state)
{
    Probe *p = probe_new(TYPE_PROBE), *q = probe_new(TYPE_PROBE);

    (void)state;
    p->body = probe_maps;
    q->body = probe_maps;
    q->base = 0x82;
    assert_works(qdev_set_id(DEVICE(p), "one", errp));
    assert_works(qdev_set_id(DEVICE(q), "two", errp));
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_refused(qdev_realize(DEVICE(q), NULL, errp),
                   "ports 0x82-0x85 of /machine/peripheral/two (probe-device) overlap 0x80-0x83 of "
                   "/machine/peripheral/one (probe-device)");
    assert_false(port_is_mapped(0x84));
    object_unref(p);
    object_unref(q);
}

static bool sees_nothing(Probe *p, GError **errp)
{
    bool ok = probe_maps(p, errp);

    /* What is mapped is not seen before all is done. */
    assert_false(port_is_mapped(p->base));
    return ok;
}

static void a_guest_does_not_see_a_device_that_is_not_ready(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    p->body = sees_nothing;
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_true(port_is_mapped(0x80));
    object_unref(p);
}

static void sees_no_guest(Probe *p)
{
    assert_false(port_is_mapped(p->base));
}

static void unrealize_begins_when_nobody_can_enter(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    p->body = probe_maps;
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
    assert_false(port_is_mapped(0x80));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        qdev_test(a_region_is_mapped_as_long_as_its_device_is_realized),
        qdev_test(a_region_of_a_failed_realize_is_gone),
        qdev_test(two_devices_in_one_place_are_both_named),
        qdev_test(a_guest_does_not_see_a_device_that_is_not_ready),
        qdev_test(unrealize_begins_when_nobody_can_enter),
        qdev_test(a_region_is_mapped_for_a_realized_device_only),
        qdev_test(a_device_may_unmap_or_move_its_region_itself),
        qdev_test(unrealize_waits_for_whoever_is_inside),
        qdev_test(a_running_guest_never_meets_half_a_device),
    };

    return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
