/* SPDX-License-Identifier: MIT */
/* Properties through the accessors of C, and kinds of property that others define. */
#include "tests/unit/gadget-fixture.h"
#include <pthread.h>

/* ---- Typed accessors ---- */

static void typed_accessors_read_and_write_every_width(void **state)
{
    Object *obj = OBJECT(gadget_new(TYPE_SMALL_GADGET));
    g_autofree char *name = NULL;
    GError *err = NULL;

    (void)state;
    assert_true(object_property_set_int(obj, "i8", -128, NULL));
    assert_int_equal(object_property_get_int(obj, "i8", &err), -128);
    assert_true(object_property_set_int(obj, "i16", -32768, NULL));
    assert_int_equal(object_property_get_int(obj, "i16", &err), -32768);
    assert_true(object_property_set_int(obj, "i32", INT32_MIN, NULL));
    assert_int_equal(object_property_get_int(obj, "i32", &err), INT32_MIN);
    assert_true(object_property_set_int(obj, "i64", INT64_MIN, NULL));
    assert_true(object_property_get_int(obj, "i64", &err) == INT64_MIN);
    assert_true(object_property_set_uint(obj, "u8", 255, NULL));
    assert_int_equal(object_property_get_uint(obj, "u8", &err), 255);
    assert_true(object_property_set_uint(obj, "u64", UINT64_MAX, NULL));
    assert_true(object_property_get_uint(obj, "u64", &err) == UINT64_MAX);
    assert_true(object_property_set_uint(obj, "size", 4096, NULL));
    assert_int_equal(object_property_get_uint(obj, "size", &err), 4096);
    assert_true(object_property_set_bool(obj, "flag", false, NULL));
    assert_false(object_property_get_bool(obj, "flag", &err));
    assert_true(object_property_set_bool(obj, "bit4", true, NULL));
    assert_true(object_property_get_bool(obj, "bit4", &err));
    assert_true(object_property_set_str(obj, "mode", "slow", NULL));
    name = object_property_get_str(obj, "mode", &err);
    assert_string_equal(name, "slow");
    /* Of the other signedness, and through an accessor. */
    assert_true(object_property_set_uint(obj, "i8", 5, NULL));
    assert_int_equal(object_property_get_uint(obj, "i8", &err), 5);
    assert_true(object_property_set_int(obj, "accessed", 42, NULL));
    assert_int_equal(object_property_get_int(obj, "accessed", &err), 42);
    assert_null(err);
    object_unref(obj);
}

static void a_string_is_copied_and_may_be_unset(void **state)
{
    Object *obj = OBJECT(gadget_new(TYPE_GADGET));
    char text[] = "abc";
    g_autofree char *got = NULL;
    GError *err = NULL;

    (void)state;
    assert_null(object_property_get_str(obj, "text", &err));
    assert_null(err);
    assert_true(object_property_set_str(obj, "text", text, NULL));
    text[0] = 'x';
    got = object_property_get_str(obj, "text", NULL);
    assert_string_equal(got, "abc");
    assert_true(object_property_set_str(obj, "text", NULL, NULL));
    assert_null(((Gadget *)obj)->text);
    assert_false(object_property_set_str(obj, "text", "\xc0\x80", &err));
    assert_error(err, QOM_ERROR_VALUE,
                 "property 'text' of 'test-gadget': '\xc0\x80' is not valid UTF-8");
    object_unref(obj);
}

static void typed_accessors_fail_as_the_others_do(void **state)
{
    Object *obj = OBJECT(gadget_new(TYPE_SMALL_GADGET));
    GError *err = NULL;

    (void)state;
    assert_false(object_property_set_uint(obj, "iobase", 65536, &err));
    assert_error(err, QOM_ERROR_VALUE,
                 "property 'iobase' of 'test-small-gadget': '65536' is out of range, accepted are "
                 "0 to 65535");
    err = NULL;
    assert_false(object_property_set_int(obj, "celsius", 1, &err));
    assert_non_null(err);
    g_clear_error(&err);
    assert_false(object_property_set_bool(obj, "iobase", true, &err));
    assert_error(err, QOM_ERROR_VALUE,
                 "property 'iobase' of 'test-small-gadget': expected an integer, got a bool");
    err = NULL;
    assert_int_equal(object_property_get_int(obj, "text", &err), 0);
    assert_error(err, QOM_ERROR_VALUE,
                 "property 'text' of 'test-small-gadget': expected an integer, got a string");
    err = NULL;
    assert_false(object_property_get_bool(obj, "text", &err));
    assert_error(err, QOM_ERROR_VALUE,
                 "property 'text' of 'test-small-gadget' is a string, not a bool");
    err = NULL;
    assert_null(object_property_get_str(obj, "iobase", &err));
    assert_error(err, QOM_ERROR_VALUE,
                 "property 'iobase' of 'test-small-gadget' is an integer, not a string");
    err = NULL;
    assert_true(object_property_set_uint(obj, "u64", UINT64_MAX, NULL));
    assert_int_equal(object_property_get_int(obj, "u64", &err), 0);
    assert_non_null(err);
    g_clear_error(&err);
    assert_int_equal(object_property_get_uint(obj, "nope", &err), 0);
    assert_non_null(err);
    g_clear_error(&err);
    assert_false(object_property_set_bool(obj, "constant", true, &err));
    assert_error(err, QOM_ERROR_STATE, "property 'constant' of 'test-small-gadget' is read-only");
    object_unref(obj);
}

static void *set_and_get(void *opaque)
{
    Object *obj = opaque;

    for (unsigned i = 0; i < 20000; i++) {
        if (!object_property_set_uint(obj, "u32", i % 2 ? 0 : UINT32_MAX, NULL) ||
            !object_property_set_bool(obj, "flag", i % 3, NULL) ||
            !object_property_set_bool(obj, "bit3", i % 5, NULL)) {
            return "a value is refused";
        }
        if ((uint32_t)(object_property_get_uint(obj, "u32", NULL) + 1) > 1) {
            return "a number is half written";
        }
        object_property_get_bool(obj, "flag", NULL);
    }
    return NULL;
}

static void numbers_are_set_and_read_by_several_threads_at_once(void **state)
{
    Object *obj = OBJECT(gadget_new(TYPE_SMALL_GADGET));
    pthread_t threads[3];
    void *complaint;

    (void)state;
    assert_true(object_property_set_uint(obj, "u32", 0, NULL));
    assert_true(object_property_set_bool(obj, "bit4", true, NULL));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, set_and_get, obj), 0);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], &complaint);
        assert_null(complaint);
    }
    /* The bit beside the one that they wrote is as it was. */
    assert_true(object_property_get_bool(obj, "bit4", NULL));
    object_unref(obj);
}

/* ---- Kinds that others define ---- */

static GVariant *table_get(Object *obj, const Property *prop, GError **errp)
{
    (void)obj;
    (void)prop;
    (void)errp;
    return g_variant_new_parsed("{'a': <1>}");
}

static bool table_set(Object *obj, const Property *prop, GVariant *value, GError **errp)
{
    (void)prop;
    (void)errp;
    ((Gadget *)obj)->accessed = g_variant_n_children(value);
    return true;
}

static const PropertyInfo table_info = {
    .name = "table",
    .variant_type = "a{sv}",
    .get = table_get,
    .set = table_set,
};

static const PropertyInfo ratio_info = { .name = "ratio", .variant_type = "d", .get = table_get };
static const PropertyInfo tuple_info = { .name = "tuple",
                                         .variant_type = "(ss)",
                                         .set = table_set };
static const PropertyInfo lone_info = { .name = "lone", .variant_type = "s" };

static GVariant *even_parse(const Property *prop, const char *text, GError **errp)
{
    uint64_t u;

    if (!value_parse_uint(text, 0, 100, &u, errp)) {
        return NULL;
    }
    if (u % 2) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'%s' is odd", prop->name);
        return NULL;
    }
    return g_variant_new_uint64(u);
}

static const PropertyInfo even_info = {
    .name = "even",
    .variant_type = "t",
    .kind = PROP_KIND_UINT,
    .size = 4,
    .parse = even_parse,
};

static void a_kind_of_another_author_is_checked_by_the_type_of_its_values(void **state)
{
    static const Property table = { .name = "table", .info = &table_info };
    static const Property ratio = { .name = "ratio", .info = &ratio_info, .set = table_set };
    static const Property tuple = { .name = "tuple", .info = &tuple_info };
    Gadget *gadget = gadget_new(TYPE_GADGET);

    (void)state;
    assert_true(object_property_add(OBJECT(gadget), &table, NULL));
    assert_true(object_property_add(OBJECT(gadget), &ratio, NULL));
    assert_true(object_property_add(OBJECT(gadget), &tuple, NULL));
    assert_true(object_property_set(OBJECT(gadget), "table",
                                    g_variant_new_parsed("{'x': <1>, 'y': <2>}"), NULL));
    assert_int_equal(gadget->accessed, 2);
    assert_prints(gadget, "table", "{\"a\": 1}");
    assert_set_fails(gadget, "table", g_variant_new_parsed("[<1>]"), QOM_ERROR_VALUE,
                     "property 'table' of 'test-gadget': expected an object, got a list");
    assert_set_fails(gadget, "ratio", g_variant_new_parsed("{'x': <1>}"), QOM_ERROR_VALUE,
                     "property 'ratio' of 'test-gadget': expected a number, got an object");
    assert_set_fails(gadget, "tuple", g_variant_new_parsed("(1, 2)"), QOM_ERROR_VALUE,
                     "property 'tuple' of 'test-gadget': expected a value of type '(ss)', got a "
                     "value of type '(ii)'");
    assert_parse_fails(gadget, "table", "x", QOM_ERROR_VALUE,
                       "property 'table' of 'test-gadget': a value of type 'table' cannot be given "
                       "as text");
    object_unref(gadget);
}

static void a_kind_may_read_text_its_own_way(void **state)
{
    static const Property even = {
        .name = "even",
        .info = &even_info,
        .offset = offsetof(Gadget, more_value),
    };
    static const Property lone = { .name = "lone", .info = &lone_info };
    Gadget *gadget = gadget_new(TYPE_GADGET);
    GError *err = NULL;

    (void)state;
    assert_true(object_property_add(OBJECT(gadget), &even, NULL));
    assert_true(object_property_add(OBJECT(gadget), &lone, NULL));
    assert_parses_as(gadget, "even", "0x10", "16");
    assert_int_equal(gadget->more_value, 16);
    assert_parse_fails(gadget, "even", "3", QOM_ERROR_VALUE,
                       "property 'even' of 'test-gadget': 'even' is odd");
    /* Neither a field that is known nor functions: it has a name, and that is all. */
    assert_null(object_property_get(OBJECT(gadget), "lone", &err));
    assert_error(err, QOM_ERROR_VALUE,
                 "property 'lone' of 'test-gadget': a field of kind 'lone' cannot be read");
    object_unref(gadget);
}

static void only_plain_kinds_can_be_listed(void **state)
{
    static const Property macs = {
        .name = "macs",
        .info = &prop_info_list,
        .element = &prop_info_macaddr,
        .offset = offsetof(Gadget, words),
    };
    Gadget *gadget = gadget_new(TYPE_GADGET);
    GError *err = NULL;

    (void)state;
    assert_true(object_property_add(OBJECT(gadget), &macs, NULL));
    assert_false(object_property_parse(OBJECT(gadget), "macs", "", &err));
    assert_error(err, QOM_ERROR_VALUE,
                 "property 'macs' of 'test-gadget': there are no lists of 'macaddr'");
    assert_false(object_property_set(OBJECT(gadget), "macs", g_variant_new_strv(NULL, 0), NULL));
    assert_null(object_property_get(OBJECT(gadget), "macs", NULL));
    object_unref(gadget);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(typed_accessors_read_and_write_every_width),
        cmocka_unit_test(a_string_is_copied_and_may_be_unset),
        cmocka_unit_test(typed_accessors_fail_as_the_others_do),
        cmocka_unit_test(numbers_are_set_and_read_by_several_threads_at_once),
        cmocka_unit_test(a_kind_of_another_author_is_checked_by_the_type_of_its_values),
        cmocka_unit_test(a_kind_may_read_text_its_own_way),
        cmocka_unit_test(only_plain_kinds_can_be_listed),
    };

    type_register_static_array(types, G_N_ELEMENTS(types), NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
