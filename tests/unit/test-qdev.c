/* SPDX-License-Identifier: MIT */
/* Devices: making them, their ids and places, the properties that each has, and their end. */
#include "tests/unit/qdev-fixture.h"

static void an_unknown_name_is_no_device(void **state)
{
    (void)state;
    assert_refused(qdev_new("nope", errp), "'nope' is not a valid device model name");
    assert_refused(qdev_new("container", errp), "'container' is not a valid device model name");
}

static void a_near_name_is_suggested(void **state)
{
    (void)state;
    assert_refused(qdev_new("prob-device", errp),
                   "'prob-device' is not a valid device model name (did you mean 'probe-device'?)");
}

static void no_device_is_made_of_an_abstract_type(void **state)
{
    (void)state;
    assert_refused(qdev_new(TYPE_DEVICE, errp),
                   "'device' is an abstract type: no device can be made of it");
}

static void a_new_device_is_outside_the_tree_and_not_realized(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    assert_null(object_get_parent(OBJECT(p)));
    assert_false(object_property_get_bool(OBJECT(p), "realized", NULL));
    assert_false(object_property_get_bool(OBJECT(p), "hotplugged", NULL));
    assert_true(object_property_get_bool(OBJECT(p), "hotpluggable", NULL));
    assert_null(object_property_get_link(OBJECT(p), "parent_bus", NULL));
    object_unref(p);
    assert_trace("finalize");
}

static void an_id_names_a_peripheral(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);
    g_autofree char *path = NULL;

    (void)state;
    assert_works(qdev_set_id(DEVICE(p), "x", errp));
    path = object_get_canonical_path(OBJECT(p));
    assert_string_equal(path, "/machine/peripheral/x");
    assert_string_equal(DEVICE(p)->id, "x");
    assert_ptr_equal(qdev_find("x"), p);
    assert_null(qdev_find("y"));
    assert_refused(qdev_set_id(DEVICE(p), "y", errp),
                   "device /machine/peripheral/x has a name already");
    object_unref(p);
}

static void without_an_id_a_device_is_anonymous(void **state)
{
    Probe *p = probe_new(TYPE_PROBE), *q = probe_new(TYPE_PROBE);
    g_autofree char *first = NULL, *second = NULL;

    (void)state;
    assert_works(qdev_set_id(DEVICE(p), NULL, errp));
    assert_works(qdev_set_id(DEVICE(q), NULL, errp));
    first = object_get_canonical_path(OBJECT(p));
    second = object_get_canonical_path(OBJECT(q));
    assert_string_equal(first, "/machine/peripheral-anon/device[0]");
    assert_string_equal(second, "/machine/peripheral-anon/device[1]");
    object_unref(p);
    object_unref(q);
}

static void an_id_is_given_once(void **state)
{
    Probe *p = probe_new(TYPE_PROBE), *q = probe_new(TYPE_PROBE);

    (void)state;
    assert_works(qdev_set_id(DEVICE(p), "x", errp));
    assert_refused(qdev_set_id(DEVICE(q), "x", errp),
                   "id 'x' is already taken by /machine/peripheral/x (probe-device)");
    assert_null(DEVICE(q)->id);
    object_unparent(OBJECT(p));
    assert_works(qdev_set_id(DEVICE(q), "x", errp));
    object_unref(p);
    object_unref(q);
}

static void an_id_is_well_formed(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);
    const char *const bad[] = { "", "1a", "a b", "a/b", "-a" };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        assert_false(qdev_set_id(DEVICE(p), bad[i], &error));
        assert_non_null(error);
        assert_null(object_get_parent(OBJECT(p)));
    }
    object_unref(p);
}

static void a_device_without_a_place_gets_one(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);
    g_autofree char *path = NULL;

    (void)state;
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    path = object_get_canonical_path(OBJECT(p));
    assert_string_equal(path, "/machine/unattached/device[0]");
    object_unref(p);
    assert_trace("realize");
}

static void a_property_cannot_change_after_realize(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    assert_works(object_property_set_uint(OBJECT(p), "base", 0x90, errp));
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_refused(object_property_set_uint(OBJECT(p), "base", 0xa0, errp),
                   "property 'base' of 'probe-device' cannot change after realize");
    assert_int_equal(p->base, 0x90);
    assert_works(object_property_set_uint(OBJECT(p), "limit", 7, errp));
    assert_int_equal(p->limit, 7);
    qdev_unrealize(DEVICE(p));
    assert_works(object_property_set_uint(OBJECT(p), "base", 0xa0, errp));
    object_unref(p);
}

static void realized_is_a_property_that_realizes(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    assert_works(object_property_set_bool(OBJECT(p), "realized", true, errp));
    assert_true(DEVICE(p)->realized);
    assert_works(object_property_set_bool(OBJECT(p), "realized", true, errp));
    assert_trace("realize");
    assert_works(object_property_set_bool(OBJECT(p), "realized", false, errp));
    assert_false(DEVICE(p)->realized);
    assert_trace("unrealize");
    p->fail = true;
    assert_refused(object_property_set_bool(OBJECT(p), "realized", true, errp),
                   "property 'realized' of 'probe-device': the probe was told to fail");
    assert_false(DEVICE(p)->realized);
    object_unref(p);
}

static void what_a_device_is_cannot_be_set(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);
    const char *const names[] = { "hotplugged", "hotpluggable", "reads", "refused", "parent_bus" };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        assert_false(object_property_parse(OBJECT(p), names[i], "1", NULL));
    }
    object_unref(p);
}

static void a_device_counts_its_accesses(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);
    uint64_t value;

    (void)state;
    memory_region_init_io(&p->region, OBJECT(p), &probe_ops, p, "registers", 16);
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_works(qdev_map(DEVICE(p), get_system_io(), 0x80, &p->region, errp));
    address_space_store(&address_space_io, 0x80, 1, 7, MEMTXATTRS_UNSPECIFIED);
    address_space_store(&address_space_io, 0x84, 4, 7, MEMTXATTRS_UNSPECIFIED);
    address_space_load(&address_space_io, 0x80, 2, &value, MEMTXATTRS_UNSPECIFIED);
    assert_int_equal(object_property_get_uint(OBJECT(p), "writes", NULL), 2);
    assert_int_equal(object_property_get_uint(OBJECT(p), "write-bytes", NULL), 5);
    assert_int_equal(object_property_get_uint(OBJECT(p), "reads", NULL), 1);
    assert_int_equal(object_property_get_uint(OBJECT(p), "read-bytes", NULL), 2);
    assert_int_equal(object_property_get_uint(OBJECT(p), "contended", NULL), 0);
    assert_int_equal(object_property_get_uint(OBJECT(p), "refused", NULL), 0);
    object_unref(p);
}

static void a_global_is_a_default(void **state)
{
    Probe *p;

    (void)state;
    object_global_add(TYPE_PROBE, "base", "0x123");
    p = probe_new(TYPE_PROBE);
    assert_int_equal(p->base, 0x123);
    object_unref(p);
}

static void a_bad_global_is_told_by_realize(void **state)
{
    Probe *p;
    g_autoptr(GError) error = NULL;

    (void)state;
    object_global_add(TYPE_PROBE, "base", "many");
    p = probe_new(TYPE_PROBE);
    assert_false(qdev_realize(DEVICE(p), NULL, &error));
    assert_non_null(strstr(error->message, "base"));
    assert_non_null(strstr(error->message, "many"));
    assert_null(object_get_parent(OBJECT(p)));
    object_unref(p);
    assert_trace("finalize");
}

static void unparenting_a_device_unrealizes_it(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    assert_works(qdev_realize_and_unref(DEVICE(p), NULL, errp));
    object_unparent(OBJECT(p));
    assert_trace("realize unrealize finalize");
}

static void the_end_of_the_tree_unrealizes_what_is_in_it(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    assert_works(qdev_realize_and_unref(DEVICE(p), NULL, errp));
    object_root_cleanup();
    assert_trace("realize unrealize finalize");
}

static void a_device_is_not_realized_twice(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    assert_works(qdev_realize(DEVICE(p), NULL, errp));
    assert_refused(qdev_realize(DEVICE(p), NULL, errp),
                   "device 'probe-device' is realized already");
    assert_true(DEVICE(p)->realized);
    object_unref(p);
}

static void the_machine_is_a_container_when_there_is_none(void **state)
{
    Object *machine = qdev_get_machine();

    (void)state;
    assert_ptr_equal(machine, qdev_get_machine());
    assert_ptr_equal(machine, object_resolve_path("/machine", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        qdev_test(an_unknown_name_is_no_device),
        qdev_test(a_near_name_is_suggested),
        qdev_test(no_device_is_made_of_an_abstract_type),
        qdev_test(a_new_device_is_outside_the_tree_and_not_realized),
        qdev_test(an_id_names_a_peripheral),
        qdev_test(without_an_id_a_device_is_anonymous),
        qdev_test(an_id_is_given_once),
        qdev_test(an_id_is_well_formed),
        qdev_test(a_device_without_a_place_gets_one),
        qdev_test(a_property_cannot_change_after_realize),
        qdev_test(realized_is_a_property_that_realizes),
        qdev_test(what_a_device_is_cannot_be_set),
        qdev_test(a_device_counts_its_accesses),
        qdev_test(a_global_is_a_default),
        qdev_test(a_bad_global_is_told_by_realize),
        qdev_test(unparenting_a_device_unrealizes_it),
        qdev_test(the_end_of_the_tree_unrealizes_what_is_in_it),
        qdev_test(a_device_is_not_realized_twice),
        qdev_test(the_machine_is_a_container_when_there_is_none),
    };

    return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
