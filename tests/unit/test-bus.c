/* SPDX-License-Identifier: MIT */
/* Buses: names, finding them, who may sit there, and what happens to devices when a bus goes. */
#include "tests/unit/qdev-fixture.h"

#define TYPE_SMALL_BUS "small-bus" /* room for two; word "no" is not let in */

static bool small_check(BusState *bus, DeviceState *dev, GError **errp)
{
    if (g_strcmp0(PROBE(dev)->word, "no") == 0) {
        qom_error_set(errp, QOM_ERROR_VALUE, "bus '%s' does not take it", bus->name);
        return false;
    }
    return true;
}

static void small_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    BUS_CLASS(klass)->max_dev = 2;
    BUS_CLASS(klass)->check_address = small_check;
}

static const TypeInfo small_types[] = {
    {
        .name = TYPE_SMALL_BUS,
        .parent = TYPE_PROBE_BUS,
        .class_init = small_class_init,
    },
};
DEFINE_TYPES(small_types)

static BusState *machine_bus(const char *type, const char *name)
{
    GError *error = NULL;
    BusState *bus = qbus_new(type, NULL, name, &error);

    assert_null(error);
    assert_non_null(bus);
    return bus;
}

static void a_bus_of_the_machine_is_below_it(void **state)
{
    BusState *bus = machine_bus(TYPE_PROBE_BUS, "main");
    g_autofree char *path = object_get_canonical_path(OBJECT(bus));

    (void)state;
    assert_string_equal(path, "/machine/main");
    assert_true(bus->realized);
    assert_null(bus->parent);
}

static void a_bus_without_a_name_is_called_after_its_type_or_its_device(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    assert_string_equal(machine_bus(TYPE_PROBE_BUS, NULL)->name, "probe-bus.0");
    assert_string_equal(machine_bus(TYPE_PROBE_BUS, NULL)->name, "probe-bus.1");
    assert_works(qdev_set_id(DEVICE(p), "x", errp));
    assert_string_equal(qbus_new(TYPE_PROBE_BUS, DEVICE(p), NULL, NULL)->name, "x.0");
    object_unref(p);
}

static void a_bus_is_found_by_name_path_and_type(void **state)
{
    BusState *one = machine_bus(TYPE_PROBE_BUS, "one"), *two = machine_bus(TYPE_SMALL_BUS, "two");

    (void)state;
    assert_ptr_equal(qbus_find("one", NULL, NULL), one);
    assert_ptr_equal(qbus_find("/machine/two", NULL, NULL), two);
    assert_ptr_equal(qbus_find(NULL, TYPE_SMALL_BUS, NULL), two);
    assert_ptr_equal(qbus_find(NULL, TYPE_PROBE_BUS, NULL), one);
    assert_refused(qbus_find("three", NULL, errp), "Bus 'three' not found");
    assert_refused(qbus_find("tow", NULL, errp), "Bus 'tow' not found (did you mean 'two'?)");
    assert_refused(qbus_find("/machine/tow", NULL, errp),
                   "Bus '/machine/tow' not found (did you mean '/machine/two'?)");
    assert_refused(qbus_find("one", TYPE_SMALL_BUS, errp),
                   "bus 'one' is of type 'probe-bus', not 'small-bus'");
    assert_refused(qbus_find(NULL, "ISA", errp), "no 'ISA' bus found");
}

static void a_bus_is_made_of_a_bus_type(void **state)
{
    (void)state;
    assert_refused(qbus_new(TYPE_PROBE, NULL, "x", errp), "type 'probe-device' is no bus");
    assert_false(qbus_new("nope", NULL, "x", NULL));
    machine_bus(TYPE_PROBE_BUS, "x");
    assert_false(qbus_new(TYPE_PROBE_BUS, NULL, "x", NULL));
}

static void a_device_sits_on_its_bus_while_it_is_realized(void **state)
{
    BusState *bus = machine_bus(TYPE_PROBE_BUS, "main");
    Probe *p = probe_new(TYPE_BUS_PROBE);

    (void)state;
    assert_works(qdev_realize(DEVICE(p), bus, errp));
    assert_ptr_equal(DEVICE(p)->parent_bus, bus);
    assert_ptr_equal(object_property_get_link(OBJECT(p), "parent_bus", NULL), bus);
    assert_int_equal(bus->children->len, 1);
    qdev_unrealize(DEVICE(p));
    assert_null(DEVICE(p)->parent_bus);
    assert_int_equal(bus->children->len, 0);
    p->fail = true;
    assert_false(qdev_realize(DEVICE(p), bus, NULL));
    assert_null(DEVICE(p)->parent_bus);
    assert_int_equal(bus->children->len, 0);
    assert_int_equal(OBJECT(bus)->ref, 1);
    object_unref(p);
}

static void a_device_finds_a_bus_of_its_type(void **state)
{
    Probe *p = probe_new(TYPE_BUS_PROBE);

    (void)state;
    assert_refused(qdev_realize(DEVICE(p), NULL, errp),
                   "No 'probe-bus' bus found for device 'bus-probe-device'");
    machine_bus(TYPE_PROBE_BUS, "main");
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_string_equal(DEVICE(p)->parent_bus->name, "main");
    object_unref(p);
}

static void a_device_does_not_sit_on_another_kind_of_bus(void **state)
{
    BusState *bus = machine_bus(TYPE_PROBE_BUS, "main");
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    assert_refused(
        qdev_realize(DEVICE(p), bus, errp),
        "device 'probe-device' cannot sit on bus 'main' of type 'probe-bus': it needs no bus");
    object_unref(p);
}

static void a_bus_has_room_for_so_many(void **state)
{
    BusState *bus = machine_bus(TYPE_SMALL_BUS, "small");
    Probe *p[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        p[i] = probe_new(TYPE_BUS_PROBE);
    }
    assert_works(qdev_realize(DEVICE(p[0]), bus, errp));
    assert_works(qdev_realize(DEVICE(p[1]), NULL, errp));
    assert_refused(qdev_realize(DEVICE(p[2]), bus, errp), "Bus 'small' is full: it has room for 2");
    assert_refused(qdev_realize(DEVICE(p[2]), NULL, errp),
                   "No free 'probe-bus' bus found for device 'bus-probe-device': each is full");
    qdev_unrealize(DEVICE(p[0]));
    assert_works(qdev_realize(DEVICE(p[2]), NULL, errp));
    for (int i = 0; i < 3; i++) {
        object_unref(p[i]);
    }
}

static void a_bus_may_refuse_a_device(void **state)
{
    BusState *bus = machine_bus(TYPE_SMALL_BUS, "small");
    Probe *p = probe_new(TYPE_BUS_PROBE);

    (void)state;
    assert_works(object_property_set_str(OBJECT(p), "word", "no", errp));
    assert_refused(qdev_realize(DEVICE(p), bus, errp), "bus 'small' does not take it");
    assert_int_equal(bus->children->len, 0);
    assert_trace("");
    object_unref(p);
}

/* ---- A bus that a device offers --------------------------------------------------------------------- */

static bool offers_a_bus(Probe *p, GError **errp)
{
    return qbus_new(TYPE_PROBE_BUS, DEVICE(p), "b.0", errp) != NULL;
}

static void the_buses_of_a_device_come_and_go_with_it(void **state)
{
    Probe *bridge = probe_new(TYPE_PROBE);
    BusState *bus;

    (void)state;
    assert_works(qdev_set_id(DEVICE(bridge), "bridge", errp));
    bridge->body = offers_a_bus;
    for (int i = 0; i < 2; i++) {
        assert_works(qdev_realize(DEVICE(bridge), NULL, errp));
        bus = qbus_find("b.0", NULL, NULL);
        assert_true(bus->realized);
        assert_ptr_equal(bus->parent, bridge);
        assert_int_equal(DEVICE(bridge)->child_buses->len, 1);
        qdev_unrealize(DEVICE(bridge));
        assert_null(qbus_find("b.0", NULL, NULL));
        assert_int_equal(DEVICE(bridge)->child_buses->len, 0);
    }
    object_unref(bridge);
}

static void unrealizing_a_bridge_unrealizes_what_sits_behind_it(void **state)
{
    Probe *bridge = probe_new(TYPE_PROBE), *p = probe_new(TYPE_BUS_PROBE);

    (void)state;
    assert_works(qdev_set_id(DEVICE(bridge), "bridge", errp));
    assert_works(qdev_set_id(DEVICE(p), "p", errp));
    qbus_new(TYPE_PROBE_BUS, DEVICE(bridge), "b.0", NULL);
    assert_works(qdev_realize(DEVICE(bridge), NULL, errp));
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    qdev_unrealize(DEVICE(bridge));
    assert_false(DEVICE(p)->realized);
    assert_ptr_equal(qdev_find("p"), p);
    assert_trace("realize realize unrealize unrealize");
    object_unref(p);
    object_unref(bridge);
}

static void a_bridge_that_goes_takes_what_sits_behind_it(void **state)
{
    Probe *bridge = probe_new(TYPE_PROBE), *inner = probe_new(TYPE_BUS_PROBE),
          *p = probe_new(TYPE_BUS_PROBE);

    (void)state;
    assert_works(qdev_set_id(DEVICE(bridge), "bridge", errp));
    assert_works(qdev_set_id(DEVICE(inner), "inner", errp));
    assert_works(qdev_set_id(DEVICE(p), "p", errp));
    bridge->body = offers_a_bus;
    assert_works(qdev_realize_and_unref(DEVICE(bridge), NULL, errp));
    assert_works(qdev_realize_and_unref(DEVICE(inner), qbus_find("b.0", NULL, NULL), errp));
    qbus_new(TYPE_PROBE_BUS, DEVICE(inner), "c.0", NULL);
    assert_works(qdev_realize_and_unref(DEVICE(p), qbus_find("c.0", NULL, NULL), errp));
    object_unparent(OBJECT(bridge));
    assert_null(qdev_find("inner"));
    assert_null(qdev_find("p"));
    assert_trace(
        "realize realize realize unrealize finalize unrealize finalize unrealize finalize");
}

static bool gives_the_machine_a_bus(Probe *p, GError **errp)
{
    (void)p;
    return qbus_new(TYPE_PROBE_BUS, NULL, "b.0", errp) != NULL;
}

static void a_bus_that_is_made_elsewhere_by_a_realize_is_undone_too(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    p->body = gives_the_machine_a_bus;
    p->fail = true;
    assert_false(qdev_realize(DEVICE(p), NULL, NULL));
    assert_null(qbus_find("b.0", NULL, NULL));
    p->fail = false;
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_non_null(qbus_find("b.0", NULL, NULL));
    qdev_unrealize(DEVICE(p));
    assert_null(qbus_find("b.0", NULL, NULL));
    object_unref(p);
}

static bool removes_its_bus(Probe *p, GError **errp)
{
    (void)errp;
    object_unparent(OBJECT(DEVICE(p)->parent_bus));
    return true;
}

static void loses_its_bus(Probe *p)
{
    (void)removes_its_bus(p, NULL);
}

static void a_bus_that_a_device_on_it_takes_away_is_gone_all_the_same(void **state)
{
    Probe *p = probe_new(TYPE_BUS_PROBE), *q = probe_new(TYPE_BUS_PROBE);

    (void)state;
    assert_works(qdev_set_id(DEVICE(p), "p", errp));
    p->body = removes_its_bus;
    p->fail = true;
    assert_false(qdev_realize(DEVICE(p), machine_bus(TYPE_PROBE_BUS, "a"), NULL));
    assert_null(DEVICE(p)->parent_bus);
    assert_null(qbus_find("a", NULL, NULL));
    q->end = loses_its_bus;
    assert_works(qdev_realize(DEVICE(q), machine_bus(TYPE_PROBE_BUS, "b"), errp));
    qdev_unrealize(DEVICE(q));
    assert_null(DEVICE(q)->parent_bus);
    assert_null(qbus_find("b", NULL, NULL));
    object_unref(p);
    object_unref(q);
}

static void a_bus_may_stand_in_memory_of_its_device(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);
    struct {
        BusState bus;
    } room;

    (void)state;
    assert_works(qbus_init(&room, sizeof(room), TYPE_PROBE_BUS, DEVICE(p), "b.0", errp));
    assert_string_equal(room.bus.name, "b.0");
    assert_false(qbus_init(&room, 8, TYPE_PROBE_BUS, DEVICE(p), "b.1", NULL));
    object_unref(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        qdev_test(a_bus_of_the_machine_is_below_it),
        qdev_test(a_bus_without_a_name_is_called_after_its_type_or_its_device),
        qdev_test(a_bus_is_found_by_name_path_and_type),
        qdev_test(a_bus_is_made_of_a_bus_type),
        qdev_test(a_device_sits_on_its_bus_while_it_is_realized),
        qdev_test(a_device_finds_a_bus_of_its_type),
        qdev_test(a_device_does_not_sit_on_another_kind_of_bus),
        qdev_test(a_bus_has_room_for_so_many),
        qdev_test(a_bus_may_refuse_a_device),
        qdev_test(the_buses_of_a_device_come_and_go_with_it),
        qdev_test(unrealizing_a_bridge_unrealizes_what_sits_behind_it),
        qdev_test(a_bridge_that_goes_takes_what_sits_behind_it),
        qdev_test(a_bus_that_is_made_elsewhere_by_a_realize_is_undone_too),
        qdev_test(a_bus_that_a_device_on_it_takes_away_is_gone_all_the_same),
        qdev_test(a_bus_may_stand_in_memory_of_its_device),
    };

    return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
