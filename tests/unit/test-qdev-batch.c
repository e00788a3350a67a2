/* SPDX-License-Identifier: MIT */
/* Devices that come together: what is seen before the last one is there, and what a failure leaves. */
#include "tests/unit/qdev-fixture.h"

#define TYPE_WITNESS "witness" /* a handler that writes down whom it is told of */

static const char *refuse; /* the device whose plug fails */

static bool witness_plug(HotplugHandler *h, DeviceState *dev, GError **errp)
{
    (void)h;
    trace("plug:%s", dev->id);
    if (refuse && g_str_equal(refuse, dev->id)) {
        qom_error_set(errp, QOM_ERROR_STATE, "not that one");
        return false;
    }
    return true;
}

static bool witness_unplug(HotplugHandler *h, DeviceState *dev, GError **errp)
{
    (void)h;
    (void)errp;
    trace("unplug:%s", dev->id);
    return true;
}

static void witness_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    HOTPLUG_HANDLER_CLASS(klass)->plug = witness_plug;
    HOTPLUG_HANDLER_CLASS(klass)->unplug = witness_unplug;
}

static const InterfaceInfo witness_interfaces[] = { { TYPE_HOTPLUG_HANDLER }, { NULL } };

static const TypeInfo witness_types[] = { {
    .name = TYPE_WITNESS,
    .parent = TYPE_OBJECT,
    .class_init = witness_class_init,
    .interfaces = witness_interfaces,
} };
DEFINE_TYPES(witness_types)

static BusState *bus;

static int setup(void **state)
{
    Object *handler;

    refuse = NULL;
    if (qdev_fixture_setup(state) != 0) {
        return -1;
    }
    bus = qbus_new(TYPE_PROBE_BUS, NULL, "main", NULL);
    handler = object_new(TYPE_WITNESS);
    assert_true(object_property_add_child(qdev_get_machine(), "handler", handler, NULL));
    object_unref(handler);
    assert_true(qbus_set_hotplug_handler(bus, handler, NULL));
    qdev_set_machine_ready(true);
    return 0;
}

/* Realize maps the registers at the port "base". */
static bool map_registers(Probe *p, GError **errp)
{
    memory_region_init_io(&p->region, OBJECT(p), &probe_ops, p, "registers", 16);
    p->registers[0] = p->base;
    return qdev_map(DEVICE(p), get_system_io(), p->base, &p->region, errp);
}

static uint8_t inb(hwaddr port)
{
    uint64_t value = 0;

    address_space_load(&address_space_io, port, 1, &value, MEMTXATTRS_UNSPECIFIED);
    return value;
}

static Probe *named(const char *id, uint16_t base)
{
    Probe *p = probe_new(TYPE_BUS_PROBE);

    p->base = base;
    p->body = map_registers;
    assert_works(qdev_set_id(DEVICE(p), id, errp));
    object_unref(p);
    return p;
}

static bool nobody_is_seen(Probe *p, GError **errp)
{
    assert_int_equal(inb(0x10), 0xff);
    return map_registers(p, errp);
}

static void nothing_is_seen_before_all_is_there(void **state)
{
    Probe *a = named("a", 0x10), *b = named("b", 0x20);

    (void)state;
    b->body = nobody_is_seen;
    qdev_batch_begin();
    assert_works(qdev_realize(DEVICE(a), bus, errp));
    assert_works(qdev_realize(DEVICE(b), bus, errp));
    assert_trace("realize realize");
    assert_int_equal(inb(0x10), 0xff);
    assert_works(qdev_batch_end(true, errp));
    assert_trace("plug:a plug:b");
    assert_int_equal(inb(0x10), 0x10);
    assert_int_equal(inb(0x20), 0x20);
}

static void a_batch_that_fails_is_undone_in_reverse(void **state)
{
    Probe *a = named("a", 0x10), *b = named("b", 0x20), *c = named("c", 0x30);

    (void)state;
    c->fail = true;
    qdev_batch_begin();
    assert_works(qdev_realize(DEVICE(a), bus, errp));
    assert_works(qdev_realize(DEVICE(b), bus, errp));
    assert_refused(qdev_realize(DEVICE(c), bus, errp), "the probe was told to fail");
    assert_false(qdev_batch_end(false, NULL));
    /* They were never plugged, so nobody is told that they go. */
    assert_trace("realize realize realize unrealize unrealize");
    assert_false(DEVICE(a)->realized || DEVICE(b)->realized);
    assert_int_equal(inb(0x10), 0xff);
    assert_int_equal(bus->children->len, 0);
    /* Whoever has given them their place takes it from them. */
    assert_ptr_equal(qdev_find("a"), a);
}

static void a_device_that_cannot_be_plugged_takes_all_with_it(void **state)
{
    Probe *a = named("a", 0x10), *b = named("b", 0x20), *c = named("c", 0x30);

    (void)state;
    refuse = "b";
    qdev_batch_begin();
    assert_works(qdev_realize(DEVICE(a), bus, errp));
    assert_works(qdev_realize(DEVICE(b), bus, errp));
    assert_works(qdev_realize(DEVICE(c), bus, errp));
    assert_refused(qdev_batch_end(true, errp), "device 'b': not that one");
    assert_trace("realize realize realize plug:a plug:b unrealize unrealize unplug:a unrealize");
    assert_int_equal(inb(0x10), 0xff);
    assert_int_equal(inb(0x30), 0xff);
}

/* What a listener cannot follow is refused when the batch ends. */
static bool no_room(MemoryListener *l, const MemoryRegionSection *sections, unsigned n,
                    GError **errp)
{
    (void)l;
    (void)sections;
    if (n > 1) {
        qom_error_set(errp, QOM_ERROR_STATE, "there is room for one");
    }
    return n <= 1;
}

static void a_map_that_a_listener_refuses_takes_all_with_it(void **state)
{
    MemoryListener listener = { .check = no_room };
    Probe *a = named("a", 0x10), *b = named("b", 0x20);

    (void)state;
    memory_listener_register(&listener, &address_space_io);
    qdev_batch_begin();
    assert_works(qdev_realize(DEVICE(a), bus, errp));
    assert_works(qdev_realize(DEVICE(b), bus, errp));
    assert_refused(qdev_batch_end(true, errp), "there is room for one");
    assert_trace("realize realize unrealize unrealize");
    assert_false(DEVICE(a)->realized || DEVICE(b)->realized);
    assert_int_equal(inb(0x10), 0xff);
    qdev_batch_begin();
    assert_works(qdev_realize(DEVICE(a), bus, errp));
    assert_works(qdev_batch_end(true, errp));
    assert_int_equal(inb(0x10), 0x10);
    memory_listener_unregister(&listener, &address_space_io);
}

static int lines_seen;

static void line_changes(void *opaque, int n, int level)
{
    (void)opaque;
    (void)n;
    lines_seen += level;
}

static bool with_input(Probe *p, GError **errp)
{
    (void)errp;
    qdev_init_gpio_in(DEVICE(p), line_changes, 1);
    return true;
}

static void lines_reach_a_device_when_all_is_there(void **state)
{
    Probe *a = named("a", 0x10);

    (void)state;
    a->body = with_input;
    lines_seen = 0;
    qdev_batch_begin();
    assert_works(qdev_realize(DEVICE(a), bus, errp));
    qemu_irq_raise(qdev_get_gpio_in(DEVICE(a), 0));
    assert_int_equal(lines_seen, 0);
    assert_works(qdev_batch_end(true, errp));
    assert_int_equal(lines_seen, 1);
}

static bool with_inner(Probe *p, GError **errp)
{
    DeviceState *inner = qdev_new(TYPE_PROBE, errp);

    assert_true(object_property_add_child(OBJECT(p), "inner", OBJECT(inner), NULL));
    return qdev_realize_and_unref(inner, NULL, errp);
}

static void a_device_within_a_device_goes_with_it(void **state)
{
    Probe *a = named("a", 0x10);

    (void)state;
    a->body = with_inner;
    qdev_batch_begin();
    assert_works(qdev_realize(DEVICE(a), bus, errp));
    assert_false(qdev_batch_end(false, NULL));
    assert_trace("realize realize unrealize unrealize finalize");
    qdev_batch_begin();
    assert_works(qdev_realize(DEVICE(a), bus, errp));
    assert_works(qdev_batch_end(true, errp));
    assert_trace("realize realize plug:a");
}

static void a_batch_may_be_empty(void **state)
{
    (void)state;
    qdev_batch_begin();
    assert_works(qdev_batch_end(true, errp));
    qdev_batch_begin();
    assert_false(qdev_batch_end(false, NULL));
}

int main(void)
{
#define batch_test(f) cmocka_unit_test_setup_teardown(f, setup, qdev_fixture_teardown)
    const struct CMUnitTest tests[] = {
        batch_test(nothing_is_seen_before_all_is_there),
        batch_test(a_batch_that_fails_is_undone_in_reverse),
        batch_test(a_device_that_cannot_be_plugged_takes_all_with_it),
        batch_test(a_map_that_a_listener_refuses_takes_all_with_it),
        batch_test(lines_reach_a_device_when_all_is_there),
        batch_test(a_device_within_a_device_goes_with_it),
        batch_test(a_batch_may_be_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
