/* SPDX-License-Identifier: MIT */
/*
 * Words: how options are split into keys and values, in both forms, and how they reach an object.
 */
#include "tests/test.h"
#include <string.h>
#include <qomet/qom/keyval.h>

#define TYPE_GADGET "test-gadget"

typedef struct Gadget {
    Object parent_obj;
    uint16_t port;
    bool flag;
    char *text;
    PropertyArray numbers;
} Gadget;

static const Property gadget_properties[] = {
    DEFINE_PROP_UINT16("port", Gadget, port, 0),
    DEFINE_PROP_BOOL("flag", Gadget, flag, false),
    DEFINE_PROP_STRING("text", Gadget, text),
    DEFINE_PROP_LIST("numbers", Gadget, numbers, prop_info_uint8),
};

static void gadget_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    object_class_add_properties(klass, gadget_properties, G_N_ELEMENTS(gadget_properties));
}

static const TypeInfo gadget_info = {
    .name = TYPE_GADGET,
    .parent = TYPE_OBJECT,
    .instance_size = sizeof(Gadget),
    .class_init = gadget_class_init,
};

/* The words split into "key=value;" each, for comparing. */
static char *split(const char *words, const char *implied_key)
{
    GError *err = NULL;
    g_autoptr(KeyVal) kv = keyval_parse(words, implied_key, &err);
    GString *out = g_string_new(NULL);

    if (!kv) {
        fail_msg("%s", err->message);
    }
    for (guint i = 0; i < kv->items->len; i++) {
        const KeyValItem *item = kv->items->pdata[i];

        assert_true(!item->text == !!item->value);
        assert_false(item->used);
        g_string_append_printf(out, "%s=%s;", item->key, keyval_take(kv, item->key));
    }
    return g_string_free(out, FALSE);
}

static void assert_splits(const char *words, const char *implied_key, const char *expected)
{
    g_autofree char *got = split(words, implied_key);

    assert_string_equal(got, expected);
}

static void assert_refused(const char *words, const char *implied_key, const char *message)
{
    GError *err = NULL;

    assert_null(keyval_parse(words, implied_key, &err));
    assert_non_null(err);
    assert_string_equal(err->message, message);
    assert_true(g_error_matches(err, QOM_ERROR, QOM_ERROR_SYNTAX));
    g_error_free(err);
    assert_null(keyval_parse(words, implied_key, NULL));
}

static void words_are_split_at_commas_in_order(void **state)
{
    (void)state;
    assert_splits("", NULL, "");
    assert_splits("", "driver", "");
    assert_splits("a=1", NULL, "a=1;");
    assert_splits("b=1,a=2,c=", NULL, "b=1;a=2;c=;");
    assert_splits("a=b=c", NULL, "a=b=c;");
    assert_splits("a= b ,c", NULL, "a= b ;c=on;");
}

static void a_key_alone_is_on(void **state)
{
    (void)state;
    assert_splits("wait", NULL, "wait=on;");
    assert_splits("a=1,wait,b=2", NULL, "a=1;wait=on;b=2;");
    assert_splits("nowait,help", NULL, "nowait=on;help=on;");
}

static void the_first_word_may_lack_its_key(void **state)
{
    (void)state;
    assert_splits("isa-serial,iobase=0x3f8", "driver", "driver=isa-serial;iobase=0x3f8;");
    assert_splits("isa-serial,help", "driver", "driver=isa-serial;help=on;");
    assert_splits("driver=isa-serial,x=1", "driver", "driver=isa-serial;x=1;");
    assert_splits("x=1,isa-serial", "driver", "x=1;isa-serial=on;");
    assert_splits("a,,b,c=d", "path", "path=a,b;c=d;");
    assert_splits("/dev/fd/3", "path", "path=/dev/fd/3;");
}

static void a_doubled_comma_is_a_comma_of_the_value(void **state)
{
    (void)state;
    assert_splits("a=1,,2,b=3", NULL, "a=1,2;b=3;");
    assert_splits("a=,,", NULL, "a=,;");
    assert_splits("a=,,,,,b", NULL, "a=,,;b=on;");
    assert_splits("a=1,,,b=2", NULL, "a=1,;b=2;");
}

static void of_two_values_of_a_key_the_later_stands(void **state)
{
    (void)state;
    assert_splits("a=1,b=2,a=3", NULL, "a=3;b=2;");
    assert_splits("x,driver=y", "driver", "driver=y;");
}

static void words_that_lack_a_key_are_refused_where_it_should_be(void **state)
{
    (void)state;
    assert_refused(",", NULL, "expected a parameter before ',' at character 1 of ','");
    assert_refused(",a=1", "driver", "expected a parameter before ',' at character 1 of ',a=1'");
    assert_refused("=1", NULL, "expected a parameter before '=' at character 1 of '=1'");
    assert_refused("=1", "driver", "expected a parameter before '=' at character 1 of '=1'");
    assert_refused("a=1,", NULL, "expected a parameter after ',' at character 5 of 'a=1,'");
    assert_refused("a=1,=2", NULL, "expected a parameter before '=' at character 5 of 'a=1,=2'");
    assert_refused("a,,b=1", NULL, "expected a parameter after ',' at character 3 of 'a,,b=1'");
    assert_refused("é=ü,", NULL, "expected a parameter after ',' at character 5 of 'é=ü,'");
}

static void json_is_told_by_its_brace_and_keeps_its_types(void **state)
{
    g_autoptr(KeyVal) kv = keyval_parse(
        " \n{\"driver\": \"x\", \"port\": 5, \"flag\": true, \"n\": null}", "driver", NULL);

    (void)state;
    assert_non_null(kv);
    assert_int_equal(kv->items->len, 4);
    assert_true(g_variant_is_of_type(keyval_find(kv, "driver")->value, G_VARIANT_TYPE_STRING));
    assert_true(g_variant_is_of_type(keyval_find(kv, "port")->value, G_VARIANT_TYPE_INT64));
    assert_true(g_variant_is_of_type(keyval_find(kv, "flag")->value, G_VARIANT_TYPE_BOOLEAN));
    assert_null(keyval_find(kv, "port")->text);
    assert_splits("{\"b\": \"t,u\", \"a\": 18446744073709551615, \"c\": false, \"d\": [1, 2.5]}",
                  NULL, "b=t,u;a=18446744073709551615;c=off;d=[1, 2.5];");
    assert_splits("{}", NULL, "");
}

static void bad_json_is_refused_where_it_is_bad(void **state)
{
    (void)state;
    assert_refused("{\"a\": 1, \"a\": 2}", NULL,
                   "not valid JSON at character 10: 'a' is given twice");
    assert_refused("{\"a\": 1} x", NULL,
                   "not valid JSON at character 10: expected nothing behind the value");
    assert_refused("{a: 1}", NULL,
                   "not valid JSON at character 2: expected a name in double quotes");
    assert_refused("{\"a\": 1", NULL, "not valid JSON at character 8: it ends too early");
}

static void a_key_taken_is_used_and_the_rest_can_be_asked_for(void **state)
{
    g_autoptr(KeyVal) kv = keyval_parse("a=1,b=2", NULL, NULL);
    GError *err = NULL;

    (void)state;
    assert_null(keyval_take(kv, "c"));
    assert_string_equal(keyval_take(kv, "a"), "1");
    assert_string_equal(keyval_take(kv, "a"), "1");
    assert_non_null(keyval_find(kv, "b"));
    assert_false(keyval_check_all_used(kv, &err));
    assert_string_equal(err->message, "unexpected parameter 'b'");
    g_clear_error(&err);
    keyval_take(kv, "b");
    assert_true(keyval_check_all_used(kv, NULL));
    keyval_free(NULL);
}

static void what_is_left_becomes_properties(void **state)
{
    g_autoptr(KeyVal) kv =
        keyval_parse("gadget,port=0x10,flag,text=a,,b,numbers=1:2", "driver", NULL);
    g_autoptr(Object) obj = object_new(TYPE_GADGET);
    Gadget *gadget = (Gadget *)obj;
    GError *err = NULL;

    (void)state;
    assert_string_equal(keyval_take(kv, "driver"), "gadget");
    if (!keyval_apply(kv, obj, &err)) {
        fail_msg("%s", err->message);
    }
    assert_int_equal(gadget->port, 16);
    assert_true(gadget->flag);
    assert_string_equal(gadget->text, "a,b");
    assert_int_equal(gadget->numbers.n, 2);
    assert_true(keyval_check_all_used(kv, NULL));
}

static void json_becomes_properties_without_conversion(void **state)
{
    g_autoptr(KeyVal) good = keyval_parse(
        "{\"port\": 16, \"flag\": true, \"text\": null, \"numbers\": [1, 2]}", NULL, NULL);
    g_autoptr(KeyVal) bad = keyval_parse("{\"flag\": true, \"port\": \"16\"}", NULL, NULL);
    g_autoptr(Object) obj = object_new(TYPE_GADGET);
    Gadget *gadget = (Gadget *)obj;
    GError *err = NULL;

    (void)state;
    assert_true(keyval_apply(good, obj, NULL));
    assert_int_equal(gadget->port, 16);
    assert_true(gadget->flag);
    assert_null(gadget->text);
    assert_int_equal(((uint8_t *)gadget->numbers.data)[1], 2);
    assert_false(keyval_apply(bad, obj, &err));
    assert_string_equal(err->message,
                        "property 'port' of 'test-gadget': expected an integer, got a string");
    g_clear_error(&err);
    assert_false(keyval_find(bad, "port")->used);
}

static void applying_stops_at_the_first_that_fails(void **state)
{
    g_autoptr(KeyVal) kv = keyval_parse("port=1,prt=2,flag", NULL, NULL);
    g_autoptr(Object) obj = object_new(TYPE_GADGET);
    GError *err = NULL;

    (void)state;
    assert_false(keyval_apply(kv, obj, &err));
    assert_string_equal(err->message,
                        "Property 'test-gadget.prt' not found (did you mean 'port'?)");
    g_clear_error(&err);
    assert_int_equal(((Gadget *)obj)->port, 1);
    assert_false(((Gadget *)obj)->flag);
}

static void a_hundred_thousand_keys_take_linear_time(void **state)
{
    GString *words = g_string_new("k0=0");
    g_autoptr(KeyVal) kv = NULL;

    (void)state;
    for (int i = 1; i < 100000; i++) {
        g_string_append_printf(words, ",k%d=%d", i, i);
    }
    kv = keyval_parse(words->str, NULL, NULL);
    assert_int_equal(kv->items->len, 100000);
    g_string_free(words, TRUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_split_at_commas_in_order),
        cmocka_unit_test(a_key_alone_is_on),
        cmocka_unit_test(the_first_word_may_lack_its_key),
        cmocka_unit_test(a_doubled_comma_is_a_comma_of_the_value),
        cmocka_unit_test(of_two_values_of_a_key_the_later_stands),
        cmocka_unit_test(words_that_lack_a_key_are_refused_where_it_should_be),
        cmocka_unit_test(json_is_told_by_its_brace_and_keeps_its_types),
        cmocka_unit_test(bad_json_is_refused_where_it_is_bad),
        cmocka_unit_test(a_key_taken_is_used_and_the_rest_can_be_asked_for),
        cmocka_unit_test(what_is_left_becomes_properties),
        cmocka_unit_test(json_becomes_properties_without_conversion),
        cmocka_unit_test(applying_stops_at_the_first_that_fails),
        cmocka_unit_test(a_hundred_thousand_keys_take_linear_time),
    };

    type_register_static(&gadget_info, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
