/* SPDX-License-Identifier: MIT */
/* Reset: three phases over the tree, each object once, and what may happen meanwhile. */
#include "tests/unit/qdev-fixture.h"

#define TYPE_RESET_PROBE "reset-probe"
#define TYPE_RESET_THING "reset-thing" /* resettable, no device */

/* What a phase of the object does besides being written down. */
static void (*in_phase)(Object *obj, const char *phase);

static const char *name_of(Object *obj)
{
    const char *name = object_get_canonical_path_component(obj);

    return name ? name : "?";
}

static void phase(Object *obj, const char *what)
{
    trace("%s:%s", what, name_of(obj));
    if (in_phase) {
        in_phase(obj, what);
    }
}

static void enter(Object *obj, ResetType type)
{
    assert_int_equal(type, RESET_TYPE_COLD);
    assert_true(resettable_is_in_reset(obj));
    phase(obj, "enter");
}

static void hold(Object *obj, ResetType type)
{
    (void)type;
    assert_true(resettable_is_in_reset(obj));
    phase(obj, "hold");
}

static void leave(Object *obj, ResetType type)
{
    (void)type;
    assert_false(resettable_is_in_reset(obj));
    phase(obj, "exit");
}

static void reset_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    RESETTABLE_CLASS(klass)->phases =
        (ResettablePhases){ .enter = enter, .hold = hold, .exit = leave };
}

static void on_bus_class_init(ObjectClass *klass, const void *data)
{
    reset_class_init(klass, data);
    DEVICE_CLASS(klass)->bus_type = TYPE_PROBE_BUS;
}

static const TypeInfo reset_probe_types[] = {
    {
        .name = TYPE_RESET_PROBE,
        .parent = TYPE_PROBE,
        .class_init = reset_class_init,
    },
    {
        .name = "reset-bus-probe",
        .parent = TYPE_PROBE,
        .class_init = on_bus_class_init,
    },
    {
        .name = TYPE_RESET_THING,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Object),
        .class_init = reset_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_RESETTABLE }, { NULL } },
    },
};
DEFINE_TYPES(reset_probe_types)

static int setup(void **state)
{
    in_phase = NULL;
    return qdev_fixture_setup(state);
}

/* A realized device as the child @name of @parent, which holds it. */
static Object *add(Object *parent, const char *name, const char *type)
{
    Object *obj = object_new(type);

    assert_true(object_property_add_child(parent, name, obj, NULL));
    object_unref(obj);
    if (object_dynamic_cast(obj, TYPE_DEVICE)) {
        assert_works(qdev_realize(DEVICE(obj), NULL, errp));
        g_string_truncate(probe_trace, 0);
    }
    return obj;
}

static void each_phase_is_finished_before_the_next_children_first(void **state)
{
    Object *a = add(qdev_get_machine(), "a", TYPE_RESET_PROBE);

    (void)state;
    add(a, "b", TYPE_RESET_PROBE);
    add(a, "c", TYPE_RESET_PROBE);
    resettable_reset(a, RESET_TYPE_COLD);
    assert_trace("enter:b enter:c enter:a hold:b hold:c hold:a exit:b exit:c exit:a");
    assert_false(resettable_is_in_reset(a));
}

static void reset_goes_through_plain_containers_and_other_objects(void **state)
{
    Object *shelf = container_get(qdev_get_machine(), "/shelf/upper");

    (void)state;
    add(shelf, "a", TYPE_RESET_PROBE);
    add(shelf, "t", TYPE_RESET_THING);
    resettable_reset(qdev_get_machine(), RESET_TYPE_COLD);
    assert_trace("enter:a enter:t hold:a hold:t exit:a exit:t");
}

static void what_is_not_below_is_left_alone(void **state)
{
    Object *a = add(qdev_get_machine(), "a", TYPE_RESET_PROBE);

    (void)state;
    add(qdev_get_machine(), "b", TYPE_RESET_PROBE);
    resettable_reset(a, RESET_TYPE_COLD);
    assert_trace("enter:a hold:a exit:a");
}

static void a_device_that_is_not_realized_has_nothing_to_reset(void **state)
{
    Object *a = add(qdev_get_machine(), "a", TYPE_RESET_PROBE);

    (void)state;
    qdev_unrealize(DEVICE(a));
    g_string_truncate(probe_trace, 0);
    resettable_reset(qdev_get_machine(), RESET_TYPE_COLD);
    assert_trace("");
    assert_false(resettable_is_in_reset(a));
}

static void devices_on_a_bus_are_reset_with_the_bridge_and_once_with_the_machine(void **state)
{
    Object *bridge = add(qdev_get_machine(), "bridge", TYPE_RESET_PROBE);
    BusState *bus = qbus_new(TYPE_PROBE_BUS, DEVICE(bridge), "bus", NULL);
    Probe *p = probe_new("reset-bus-probe");

    (void)state;
    assert_works(qdev_set_id(DEVICE(p), "p", errp));
    assert_works(qdev_realize(DEVICE(p), bus, errp));
    g_string_truncate(probe_trace, 0);
    resettable_reset(OBJECT(bridge), RESET_TYPE_COLD);
    assert_trace("enter:p enter:bridge hold:p hold:bridge exit:p exit:bridge");
    resettable_reset(OBJECT(bus), RESET_TYPE_COLD);
    assert_trace("enter:p hold:p exit:p");
    resettable_reset(qdev_get_machine(), RESET_TYPE_COLD);
    assert_trace("enter:p enter:bridge hold:p hold:bridge exit:p exit:bridge");
    object_unref(p);
}

static Object *also;

static void reset_another(Object *obj, const char *what)
{
    (void)obj;
    if (also && g_str_equal(what, "hold")) {
        Object *it = also;

        also = NULL;
        resettable_reset(it, RESET_TYPE_COLD);
    }
}

static void a_reset_asked_for_within_a_reset_is_done_afterwards(void **state)
{
    Object *a = add(qdev_get_machine(), "a", TYPE_RESET_PROBE);

    (void)state;
    also = add(qdev_get_machine(), "b", TYPE_RESET_PROBE);
    in_phase = reset_another;
    resettable_reset(a, RESET_TYPE_COLD);
    assert_trace("enter:a hold:a exit:a enter:b hold:b exit:b");
}

static void take_away(Object *obj, const char *what)
{
    (void)obj;
    if (also && g_str_equal(what, "hold")) {
        Object *it = also;

        also = NULL;
        object_unparent(it);
    }
}

static void a_device_that_goes_within_a_reset_takes_no_further_part(void **state)
{
    (void)state;
    add(qdev_get_machine(), "a", TYPE_RESET_PROBE);
    also = add(qdev_get_machine(), "b", TYPE_RESET_PROBE);
    in_phase = take_away;
    resettable_reset(qdev_get_machine(), RESET_TYPE_COLD);
    assert_trace("enter:a enter:b hold:a unrealize exit:a finalize");
}

static void a_hotplugged_device_is_reset_before_it_is_seen(void **state)
{
    Probe *p;

    (void)state;
    qdev_set_machine_ready(true);
    p = probe_new(TYPE_RESET_PROBE);
    assert_works(qdev_set_id(DEVICE(p), "p", errp));
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_trace("realize enter:p hold:p exit:p");
    object_unref(p);
}

static void a_device_of_the_board_waits_for_the_first_reset(void **state)
{
    Probe *p = probe_new(TYPE_RESET_PROBE);

    (void)state;
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_trace("realize");
    object_unref(p);
}

int main(void)
{
#define reset_test(f) cmocka_unit_test_setup_teardown(f, setup, qdev_fixture_teardown)
    const struct CMUnitTest tests[] = {
        reset_test(each_phase_is_finished_before_the_next_children_first),
        reset_test(reset_goes_through_plain_containers_and_other_objects),
        reset_test(what_is_not_below_is_left_alone),
        reset_test(a_device_that_is_not_realized_has_nothing_to_reset),
        reset_test(devices_on_a_bus_are_reset_with_the_bridge_and_once_with_the_machine),
        reset_test(a_reset_asked_for_within_a_reset_is_done_afterwards),
        reset_test(a_device_that_goes_within_a_reset_takes_no_further_part),
        reset_test(a_hotplugged_device_is_reset_before_it_is_seen),
        reset_test(a_device_of_the_board_waits_for_the_first_reset),
    };

    return cmocka_run_group_tests_name("reset", tests, NULL, NULL);
}
