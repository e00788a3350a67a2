/* SPDX-License-Identifier: MIT */
/* What the author of a device gets wrong easily is told in words, and nothing is harmed by it. */
#include "tests/unit/qdev-fixture.h"
#include <qomet/backends/chardev/char.h>
#include <qomet/machine/machine.h>
#include <qomet/qom/user-creatable.h>

typedef struct Sketch {
    DeviceState parent_obj;
    uint32_t number, other;
} Sketch;

/* ---- Types whose properties cannot be right ---- */

static const Property number_props[] = {
    DEFINE_PROP_UINT32("number", Sketch, number, 7, .help = "any"),
};
static const Property twice_props[] = {
    DEFINE_PROP_UINT32("number", Sketch, number, 0, .help = "any"),
    DEFINE_PROP_UINT32("number", Sketch, other, 0, .help = "any"),
};
static const Property range_props[] = {
    DEFINE_PROP_UINT32("number", Sketch, number, 100, PROP_RANGE_U(1, 99), .help = "any"),
};

#define CLASS_WITH(name, props)                                                                    \
    static void name(ObjectClass *klass, const void *data)                                         \
    {                                                                                              \
        (void)data;                                                                                \
        device_class_set_props(DEVICE_CLASS(klass), props);                                        \
    }
CLASS_WITH(number_class_init, number_props)
CLASS_WITH(twice_class_init, twice_props)
CLASS_WITH(range_class_init, range_props)

static GVariant *silent_get(Object *obj, const Property *prop, GError **errp)
{
    (void)obj;
    (void)prop;
    (void)errp;
    return NULL;
}

static bool silent_set(Object *obj, const Property *prop, GVariant *value, GError **errp)
{
    (void)obj;
    (void)prop;
    (void)value;
    (void)errp;
    return false;
}

static const Property silent_props[] = {
    { .name = "mute", .info = &prop_info_accessor_bool, .get = silent_get, .set = silent_set },
};

static bool silent_realize(DeviceState *dev, GError **errp)
{
    (void)dev;
    (void)errp;
    return false;
}

static bool silent_complete(UserCreatable *uc, GError **errp)
{
    (void)uc;
    (void)errp;
    return false;
}

static void silent_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    DEVICE_CLASS(klass)->realize = silent_realize;
    device_class_set_props(DEVICE_CLASS(klass), silent_props);
}

static bool silent_open(Chardev *chr, GError **errp)
{
    (void)chr;
    (void)errp;
    return false;
}

static void silent_chardev_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    CHARDEV_CLASS(klass)->open = silent_open;
    CHARDEV_CLASS(klass)->backend_name = "silent";
}

static bool silent_init(MachineState *machine, GError **errp)
{
    (void)machine;
    (void)errp;
    return false;
}

/* @data: the name of the method that fails. */
static void silent_machine_class_init(ObjectClass *klass, const void *data)
{
    MachineClass *mc = MACHINE_CLASS(klass);

    *(!strcmp(data, "prepare") ? &mc->prepare
      : !strcmp(data, "init")  ? &mc->init
                               : &mc->done) = silent_init;
}

static bool silent_check(BusState *bus, DeviceState *dev, GError **errp)
{
    (void)bus;
    (void)dev;
    (void)errp;
    return false;
}

static void silent_bus_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    BUS_CLASS(klass)->check_address = silent_check;
}

static void silent_object_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    USER_CREATABLE_CLASS(klass)->complete = silent_complete;
}

static const TypeInfo sketch_types[] = {
    { .name = "without-size", .parent = TYPE_DEVICE, .class_init = number_class_init },
    { .name = "below-without-size", .parent = "without-size" },
    {
        .name = "with-size",
        .parent = "without-size",
        .instance_size = sizeof(Sketch),
        .class_init = number_class_init,
    },
    {
        .name = "twice",
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(Sketch),
        .class_init = twice_class_init,
    },
    {
        .name = "out-of-range",
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(Sketch),
        .class_init = range_class_init,
    },
    {
        .name = "silent",
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(Sketch),
        .class_init = silent_class_init,
    },
    {
        .name = "silent-object",
        .parent = TYPE_OBJECT,
        .class_init = silent_object_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_USER_CREATABLE }, {} },
    },
};
DEFINE_TYPES(sketch_types)

#define SILENT_MACHINE(method)                                                                     \
    {                                                                                              \
        .name = "silent-" method "-machine", .parent = TYPE_MACHINE,                               \
        .class_init = silent_machine_class_init, .class_data = (method)                            \
    }

static const TypeInfo silent_types[] = {
    {
        .name = "chardev-silent",
        .parent = TYPE_CHARDEV,
        .class_init = silent_chardev_class_init,
    },
    {
        .name = "silent-bus",
        .parent = TYPE_PROBE_BUS,
        .class_init = silent_bus_class_init,
    },
    SILENT_MACHINE("prepare"),
    SILENT_MACHINE("init"),
    SILENT_MACHINE("done"),
};
DEFINE_TYPES(silent_types)

static void a_field_outside_of_the_objects_is_told_instead_of_written(void **state)
{
    g_autofree char *text =
        g_strdup_printf("the field of property 'number' is outside of its objects, which have %zu "
                        "bytes (instance_size): it is missing, or the size of another struct",
                        sizeof(DeviceState));
    g_autofree char *own = g_strdup_printf("type 'without-size': %s", text);
    g_autofree char *below = g_strdup_printf("type 'below-without-size': %s", text);
    DeviceState *dev;
    Sketch room;

    (void)state;
    assert_refused(qdev_new("without-size", errp), own);
    assert_refused(qdev_new("below-without-size", errp), below);
    assert_refused(object_initialize(&room, sizeof(room), "without-size", errp), own);
    dev = qdev_new("with-size", NULL);
    assert_non_null(dev);
    assert_int_equal(((Sketch *)dev)->number, 7);
    object_unref(dev);
}

static void a_property_is_added_once(void **state)
{
    (void)state;
    assert_refused(qdev_new("twice", errp),
                   "type 'twice': property 'number' is added twice by its class_init");
}

static void a_default_is_in_the_range(void **state)
{
    (void)state;
    assert_refused(
        qdev_new("out-of-range", errp),
        "type 'out-of-range': the default 100 of property 'number' is out of its own range");
}

/* ---- Methods that fail and do not say why ---- */

static void a_realize_that_says_nothing_is_named(void **state)
{
    DeviceState *dev = qdev_new("silent", NULL);

    (void)state;
    assert_refused(qdev_realize(dev, NULL, errp),
                   "'silent': its realize() has failed and does not say why");
    object_unref(dev);
}

static void an_accessor_that_says_nothing_is_named(void **state)
{
    Object *obj = object_new("silent");

    (void)state;
    assert_refused(object_property_set_bool(obj, "mute", true, errp),
                   "property 'mute' of 'silent': its accessor has failed and does not say why");
    assert_refused(object_property_get(obj, "mute", errp),
                   "property 'mute' of 'silent': its accessor has failed and does not say why");
    object_unref(obj);
}

static void a_complete_that_says_nothing_is_named(void **state)
{
    (void)state;
    assert_refused(object_new_with_props("silent-object", NULL, NULL, errp, NULL),
                   "'silent-object': its complete() has failed and does not say why");
}

static void an_open_that_says_nothing_is_named(void **state)
{
    g_autoptr(KeyVal) kv = keyval_parse("silent,id=x", "backend", NULL);

    (void)state;
    assert_refused(qemu_chr_new_keyval(kv, errp),
                   "'chardev-silent': its open() has failed and does not say why");
}

static void a_bus_that_says_nothing_is_named(void **state)
{
    Probe *p = probe_new(TYPE_BUS_PROBE);
    BusState *bus = qbus_new("silent-bus", NULL, "mute.0", NULL);

    (void)state;
    assert_refused(qdev_realize(DEVICE(p), bus, errp),
                   "'silent-bus': its check_address() has failed and does not say why");
    object_unref(p);
}

/* Makes one, as far as it comes. */
static bool make_machine(const char *type, GError **errp)
{
    MachineState *machine = machine_new(MACHINE_CLASS(object_class_by_name(type)), errp);

    return machine && machine_init(machine, errp) && machine_done(machine, errp);
}

static void a_machine_that_says_nothing_is_named(void **state)
{
    static const char *const methods[] = { "prepare", "init", "done" };

    (void)state;
    object_unparent(qdev_get_machine());
    for (size_t i = 0; i < G_N_ELEMENTS(methods); i++) {
        g_autofree char *type = g_strdup_printf("silent-%s-machine", methods[i]);
        g_autofree char *text =
            g_strdup_printf("'%s': its %s() has failed and does not say why", type, methods[i]);

        assert_refused(make_machine(type, errp), text);
        machine_cleanup();
    }
}

/* ---- Regions ---- */

static bool maps_what_is_not_initialised(Probe *p, GError **errp)
{
    return qdev_map(DEVICE(p), get_system_memory(), 0, &p->region, errp);
}

static void a_region_is_initialised_before_it_is_mapped(void **state)
{
    Probe *p = probe_new(TYPE_PROBE);

    (void)state;
    p->body = maps_what_is_not_initialised;
    assert_refused(qdev_realize(DEVICE(p), NULL, errp),
                   "a region was not initialised: memory_region_init_io() or another of that name "
                   "comes before it is mapped");
    object_unref(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        qdev_test(a_field_outside_of_the_objects_is_told_instead_of_written),
        qdev_test(a_property_is_added_once),
        qdev_test(a_default_is_in_the_range),
        qdev_test(a_realize_that_says_nothing_is_named),
        qdev_test(an_accessor_that_says_nothing_is_named),
        qdev_test(a_complete_that_says_nothing_is_named),
        qdev_test(an_open_that_says_nothing_is_named),
        qdev_test(a_bus_that_says_nothing_is_named),
        qdev_test(a_machine_that_says_nothing_is_named),
        qdev_test(a_region_is_initialised_before_it_is_mapped),
    };

    return cmocka_run_group_tests_name("author-mistakes", tests, NULL, NULL);
}
