/* SPDX-License-Identifier: MIT */
/*
 * Global properties: whom they reach, in which order, and which were never used.
 */
#include "tests/test.h"
#include <string.h>
#include <qomet/qom/property.h>

#define TYPE_GADGET "test-gadget"
#define TYPE_SMALL_GADGET "test-small-gadget"

typedef struct Gadget {
    Object parent_obj;
    uint16_t port;
    bool flag;
} Gadget;

static const Property gadget_properties[] = {
    DEFINE_PROP_UINT16("port", Gadget, port, 1),
    DEFINE_PROP_BOOL("flag", Gadget, flag, false),
};

static void gadget_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    object_class_add_properties(klass, gadget_properties, G_N_ELEMENTS(gadget_properties));
}

static const TypeInfo types[] = {
    { .name = TYPE_GADGET,
      .parent = TYPE_OBJECT,
      .instance_size = sizeof(Gadget),
      .class_init = gadget_class_init },
    { .name = TYPE_SMALL_GADGET, .parent = TYPE_GADGET },
    { .name = "test-other", .parent = TYPE_OBJECT, .instance_size = sizeof(Gadget) },
};

static int teardown(void **state)
{
    (void)state;
    object_global_clear();
    return 0;
}

static void list_unused(const char *driver, const char *property, const char *text, void *opaque)
{
    g_string_append_printf(opaque, "%s.%s=%s;", driver, property, text);
}

static void assert_unused(const char *expected)
{
    GString *list = g_string_new(NULL);

    object_global_foreach_unused(list_unused, list);
    assert_string_equal(list->str, expected);
    g_string_free(list, TRUE);
}

static void without_globals_nothing_happens(void **state)
{
    g_autoptr(Object) obj = object_new(TYPE_GADGET);

    (void)state;
    assert_true(object_apply_global_props(obj, NULL));
    assert_int_equal(((Gadget *)obj)->port, 1);
    assert_unused("");
}

static void a_global_reaches_its_type_and_those_below(void **state)
{
    g_autoptr(Object) gadget = object_new(TYPE_GADGET), small = object_new(TYPE_SMALL_GADGET),
                      other = object_new("test-other");

    (void)state;
    object_global_add(TYPE_GADGET, "port", "0x10");
    object_global_add(TYPE_SMALL_GADGET, "flag", "on");
    assert_true(object_apply_global_props(gadget, NULL));
    assert_true(object_apply_global_props(small, NULL));
    assert_true(object_apply_global_props(other, NULL));
    assert_int_equal(((Gadget *)gadget)->port, 16);
    assert_false(((Gadget *)gadget)->flag);
    assert_int_equal(((Gadget *)small)->port, 16);
    assert_true(((Gadget *)small)->flag);
}

static void the_later_of_two_wins(void **state)
{
    g_autoptr(Object) small = object_new(TYPE_SMALL_GADGET);

    (void)state;
    object_global_add(TYPE_SMALL_GADGET, "port", "2");
    object_global_add(TYPE_GADGET, "port", "3");
    assert_true(object_apply_global_props(small, NULL));
    assert_int_equal(((Gadget *)small)->port, 3);
    assert_unused("");
}

static void those_that_nobody_used_are_named_in_order(void **state)
{
    g_autoptr(Object) gadget = object_new(TYPE_GADGET);

    (void)state;
    object_global_add("no-such-type", "x", "1");
    object_global_add(TYPE_GADGET, "flag", "on");
    object_global_add(TYPE_SMALL_GADGET, "port", "2");
    assert_unused("no-such-type.x=1;test-gadget.flag=on;test-small-gadget.port=2;");
    assert_true(object_apply_global_props(gadget, NULL));
    assert_unused("no-such-type.x=1;test-small-gadget.port=2;");
}

static void a_bad_one_is_an_error_that_names_it(void **state)
{
    g_autoptr(Object) gadget = object_new(TYPE_GADGET);
    GError *err = NULL;

    (void)state;
    object_global_add(TYPE_GADGET, "prt", "1");
    assert_false(object_apply_global_props(gadget, &err));
    assert_string_equal(err->message, "-global test-gadget.prt=1: Property 'test-gadget.prt' "
                                      "not found (did you mean 'port'?)");
    assert_true(g_error_matches(err, QOM_ERROR, QOM_ERROR_NOT_FOUND));
    g_clear_error(&err);
    object_global_clear();
    object_global_add(TYPE_GADGET, "port", "70000");
    assert_false(object_apply_global_props(gadget, &err));
    assert_string_equal(err->message,
                        "-global test-gadget.port=70000: property 'port' of 'test-gadget': '70000' "
                        "is out of range, accepted are 0 to 65535");
    g_clear_error(&err);
    assert_int_equal(((Gadget *)gadget)->port, 1);
}

static void the_words_given_may_go_at_once(void **state)
{
    g_autoptr(Object) gadget = object_new(TYPE_GADGET);
    char driver[] = TYPE_GADGET, property[] = "port", text[] = "7";

    (void)state;
    object_global_add(driver, property, text);
    driver[0] = property[0] = text[0] = 'x';
    assert_true(object_apply_global_props(gadget, NULL));
    assert_int_equal(((Gadget *)gadget)->port, 7);
}

#define global_test(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        global_test(without_globals_nothing_happens),
        global_test(a_global_reaches_its_type_and_those_below),
        global_test(the_later_of_two_wins),
        global_test(those_that_nobody_used_are_named_in_order),
        global_test(a_bad_one_is_an_error_that_names_it),
        global_test(the_words_given_may_go_at_once),
    };

    type_register_static_array(types, G_N_ELEMENTS(types), NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
