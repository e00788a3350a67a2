/* SPDX-License-Identifier: MIT */
/*
 * What properties of every kind hold, as JSON: the same by the short way and by that over values.
 */
#include <qomet/qom/keyval.h>
#include <qomet/qom/module.h>
#include "tests/test.h"

typedef struct Thing {
    Object parent_obj;
    bool flag;
    uint32_t bits;
    int8_t i8;
    int64_t i64;
    uint16_t u16;
    uint64_t u64, size;
    char *text;
    int mode;
    MACAddr mac;
    PropertyArray numbers;
    Object *link;
    int64_t accessed;
} Thing;

static const char *const mode_names[] = { "idle", "busy" };
static const EnumLookup modes = { mode_names, G_N_ELEMENTS(mode_names) };

static GVariant *accessed_get(Object *obj, const Property *prop, GError **errp)
{
    (void)prop;
    if (((Thing *)obj)->accessed < 0) {
        qom_error_set(errp, QOM_ERROR_STATE, "not now");
        return NULL;
    }
    return g_variant_new_int64(((Thing *)obj)->accessed);
}

static bool accessed_set(Object *obj, const Property *prop, GVariant *value, GError **errp)
{
    (void)prop;
    (void)errp;
    ((Thing *)obj)->accessed = g_variant_get_int64(value);
    return true;
}

static const Property thing_props[] = {
    DEFINE_PROP_BOOL("flag", Thing, flag, true),
    DEFINE_PROP_BIT("bit3", Thing, bits, 3, true),
    DEFINE_PROP_BIT("bit4", Thing, bits, 4, false),
    DEFINE_PROP_INT8("i8", Thing, i8, -8),
    DEFINE_PROP_INT64("i64", Thing, i64, INT64_MIN),
    DEFINE_PROP_UINT16("u16", Thing, u16, 0xffff),
    DEFINE_PROP_UINT64("u64", Thing, u64, UINT64_MAX),
    DEFINE_PROP_SIZE("size", Thing, size, 16 << 20),
    DEFINE_PROP_STRING("text", Thing, text),
    DEFINE_PROP_ENUM("mode", Thing, mode, modes, 1),
    DEFINE_PROP_MACADDR("mac", Thing, mac),
    DEFINE_PROP_LIST("numbers", Thing, numbers, prop_info_uint16),
    DEFINE_PROP_LINK("link", Thing, link, TYPE_OBJECT, Object *),
    { .name = "accessed",
      .info = &prop_info_accessor_int,
      .get = accessed_get,
      .set = accessed_set },
    { .name = "told", .info = &prop_info_accessor_int, .set = accessed_set },
};

static void thing_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    object_class_add_properties(klass, thing_props, G_N_ELEMENTS(thing_props));
}

static const TypeInfo types[] = {
    { .name = "test-thing",
      .parent = TYPE_OBJECT,
      .instance_size = sizeof(Thing),
      .class_init = thing_class_init },
};

/* Holds every property of @obj against its value. */
static void check_object(Object *obj)
{
    ObjectPropertyIterator iter;
    ObjectPropertyView view;
    unsigned seen = 0;

    object_property_iter_init(&iter, obj);
    while (object_property_iter_next(&iter, &view)) {
        g_autoptr(GVariant) value = object_property_get(obj, view.name, NULL);
        g_autofree char *expected = value ? json_from_variant(value) : g_strdup("null");
        g_autoptr(GString) out = g_string_new("");

        object_property_append_json(obj, &view, out);
        if (strcmp(out->str, expected) != 0) {
            fail_msg("%s: %s instead of %s", view.name, out->str, expected);
        }
        seen++;
    }
    assert_true(seen > G_N_ELEMENTS(thing_props));
}

static Object *thing_at(const char *name)
{
    Object *obj = object_new("test-thing");

    assert_true(object_property_add_child(object_get_root(), name, obj, NULL));
    object_unref(obj);
    return obj;
}

static void a_new_object_is_written_as_it_is_read(void **state)
{
    (void)state;
    check_object(thing_at("a"));
}

static void every_kind_of_value_is_written_as_it_is_read(void **state)
{
    Object *obj = thing_at("a"), *other = thing_at("b \"quoted\"");

    (void)state;
    assert_true(object_property_parse(obj, "text", "\"two\"\nlines\\", NULL));
    assert_true(object_property_parse(obj, "mac", "52:54:00:12:34:56", NULL));
    assert_true(object_property_parse(obj, "numbers", "1:2:3", NULL));
    assert_true(object_property_set_link(obj, "link", other, NULL));
    assert_true(object_property_add_alias(obj, "of-another", other, "u64", NULL));
    assert_true(object_property_add_child(obj, "part[*]", object_new(TYPE_CONTAINER), NULL));
    check_object(obj);
    object_unref(object_resolve_path_component(obj, "part[0]"));
}

static void what_cannot_be_read_is_null(void **state)
{
    Object *obj = thing_at("a");

    (void)state;
    assert_true(object_property_set_int(obj, "told", -1, NULL));
    assert_null(object_property_get(obj, "accessed", NULL));
    check_object(obj);
}

static int forget_all(void **state)
{
    (void)state;
    object_root_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_new_object_is_written_as_it_is_read, forget_all),
        cmocka_unit_test_teardown(every_kind_of_value_is_written_as_it_is_read, forget_all),
        cmocka_unit_test_teardown(what_cannot_be_read_is_null, forget_all),
    };

    type_register_static_array(types, G_N_ELEMENTS(types), NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
