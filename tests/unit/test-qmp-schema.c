/* SPDX-License-Identifier: MIT */
/*
 * The schema: values held against it, and that it makes sense in itself.
 */
#include <string.h>
#include <qomet/monitor/qmp.h>
#include <qomet/qom/keyval.h>
#include "tests/test.h"

/* ---- Values ---- */

/* schema_types of the program serve for named types. */
static const SchemaMember members[] = {
    { .name = "s", .type = "str" },
    { .name = "i", .type = "int", .optional = true },
    { .name = "z", .type = "size", .optional = true },
    { .name = "n", .type = "number", .optional = true },
    { .name = "b", .type = "bool", .optional = true },
    { .name = "u", .type = "null", .optional = true },
    { .name = "a", .type = "any", .optional = true },
    { .name = "l", .type = "int[]", .optional = true },
    { .name = "e", .type = "RunState", .optional = true },
    { .name = "o", .type = "VersionInfo", .optional = true },
    { .name = "lo", .type = "VersionTriple[]", .optional = true },
    { .name = "v", .type = "SocketAddressLegacy", .optional = true },
    { .name = NULL },
};

/* What is wrong with @json; NULL: nothing. The caller frees. */
static char *check(const char *json, bool open)
{
    g_autoptr(GVariant) args = json_to_variant(json, NULL);
    g_autoptr(GError) error = NULL;

    assert_non_null(args);
    if (schema_check(members, open, args, &error)) {
        assert_null(error);
        return NULL;
    }
    assert_string_equal(qmp_error_class(error), "GenericError");
    return g_strdup(error->message);
}

static void assert_fits(const char *json)
{
    g_autofree char *wrong = check(json, false);

    if (wrong) {
        fail_msg("%s: %s", json, wrong);
    }
}

static void assert_wrong(const char *json, const char *text)
{
    g_autofree char *wrong = check(json, false);

    assert_non_null(wrong);
    assert_string_equal(wrong, text);
}

static void what_fits_passes(void **state)
{
    (void)state;
    assert_fits("{\"s\": \"\"}");
    assert_fits("{\"s\": \"x\", \"i\": -1, \"z\": 0, \"n\": 1, \"b\": true, \"u\": null}");
    assert_fits("{\"s\": \"x\", \"z\": 18446744073709551615, \"n\": 1.5}");
    assert_fits("{\"s\": \"x\", \"a\": {\"b\": [1, null]}}");
    assert_fits("{\"s\": \"x\", \"l\": [], \"e\": \"guest-panicked\"}");
    assert_fits("{\"s\": \"x\", \"o\": {\"package\": \"p\", \"qemu\": {\"major\": 1, \"minor\": 2, "
                "\"micro\": 3}}, \"lo\": []}");
}

static void what_is_missing_or_too_much_is_named(void **state)
{
    (void)state;
    assert_wrong("{}", "Parameter 's' is missing");
    assert_wrong("{\"s\": \"\", \"x\": 1}", "Parameter 'x' is unexpected");
    assert_wrong("{\"s\": \"\", \"o\": {\"package\": \"\"}}", "Parameter 'o.qemu' is missing");
    assert_wrong("{\"s\": \"\", \"lo\": [{\"major\": 1, \"minor\": 2, \"micro\": 3, \"nano\": 4}]}",
                 "Parameter 'lo[0].nano' is unexpected");
}

static void a_wrong_type_is_named_with_the_right_one(void **state)
{
    (void)state;
    assert_wrong("{\"s\": 1}", "Invalid parameter type for 's', expected: string");
    assert_wrong("{\"s\": \"\", \"i\": \"1\"}",
                 "Invalid parameter type for 'i', expected: integer");
    assert_wrong("{\"s\": \"\", \"i\": 1.0}", "Invalid parameter type for 'i', expected: integer");
    assert_wrong("{\"s\": \"\", \"i\": 9223372036854775808}",
                 "Invalid parameter type for 'i', expected: integer");
    assert_wrong("{\"s\": \"\", \"z\": -1}", "Invalid parameter type for 'z', expected: uint64");
    assert_wrong("{\"s\": \"\", \"n\": \"\"}", "Invalid parameter type for 'n', expected: number");
    assert_wrong("{\"s\": \"\", \"b\": 1}", "Invalid parameter type for 'b', expected: boolean");
    assert_wrong("{\"s\": \"\", \"u\": 0}", "Invalid parameter type for 'u', expected: null");
    assert_wrong("{\"s\": \"\", \"l\": 0}", "Invalid parameter type for 'l', expected: array");
    assert_wrong("{\"s\": \"\", \"l\": [1, \"x\"]}",
                 "Invalid parameter type for 'l[1]', expected: integer");
    assert_wrong("{\"s\": \"\", \"o\": []}", "Invalid parameter type for 'o', expected: object");
    assert_wrong("{\"s\": \"\", \"e\": 1}", "Invalid parameter type for 'e', expected: string");
    assert_wrong("{\"s\": \"\", \"lo\": [{\"major\": 1, \"minor\": 2, \"micro\": []}]}",
                 "Invalid parameter type for 'lo[0].micro', expected: integer");
}

static void a_word_that_is_none_of_an_enum_is_told_with_those(void **state)
{
    (void)state;
    assert_wrong("{\"s\": \"\", \"e\": \"run\"}",
                 "Parameter 'e' does not accept value 'run', accepted are 'prelaunch', 'running', "
                 "'paused', 'shutdown', 'debug', 'internal-error', 'guest-panicked'");
}

static void an_object_of_several_shapes_has_that_which_its_type_says(void **state)
{
    (void)state;
    assert_fits("{\"s\": \"\", \"v\": {\"type\": \"unix\", \"data\": {\"path\": \"p\"}}}");
    assert_fits("{\"s\": \"\", \"v\": {\"data\": {\"host\": \"h\", \"port\": \"1\"}, "
                "\"type\": \"inet\"}}");
    assert_wrong("{\"s\": \"\", \"v\": []}", "Invalid parameter type for 'v', expected: object");
    assert_wrong("{\"s\": \"\", \"v\": {}}", "Parameter 'v.type' is missing");
    assert_wrong("{\"s\": \"\", \"v\": {\"type\": \"unix\"}}", "Parameter 'v.data' is missing");
    assert_wrong("{\"s\": \"\", \"v\": {\"type\": 1, \"data\": {}}}",
                 "Invalid parameter type for 'v.type', expected: string");
    assert_wrong("{\"s\": \"\", \"v\": {\"type\": \"unix\", \"data\": 1}}",
                 "Invalid parameter type for 'v.data', expected: object");
    assert_wrong("{\"s\": \"\", \"v\": {\"type\": \"unix\", \"data\": {\"host\": \"\"}}}",
                 "Parameter 'v.data.path' is missing");
    assert_wrong("{\"s\": \"\", \"v\": {\"type\": \"unix\", \"data\": {\"path\": \"\"}, \"x\": 1}}",
                 "Parameter 'v.x' is unexpected");
    assert_wrong(
        "{\"s\": \"\", \"v\": {\"type\": \"udp\", \"data\": {}}}",
        "Parameter 'v.type' does not accept value 'udp', accepted are 'inet', 'unix', 'fd'");
}

static void open_arguments_may_be_anything_else(void **state)
{
    g_autofree char *wrong = check("{\"s\": \"\", \"x\": 1}", true);
    g_autofree char *missing = check("{\"x\": 1}", true);

    (void)state;
    assert_null(wrong);
    assert_string_equal(missing, "Parameter 's' is missing");
}

static void a_handler_reads_its_arguments(void **state)
{
    g_autoptr(GVariant) args = json_to_variant(
        "{\"s\": \"x\", \"i\": -1, \"z\": 18446744073709551615, \"b\": true}", NULL);
    g_autoptr(GVariant) any = qmp_arg(args, "s");

    (void)state;
    assert_string_equal(qmp_arg_str(args, "s"), "x");
    assert_null(qmp_arg_str(args, "t"));
    assert_int_equal(qmp_arg_int(args, "i", 5), -1);
    assert_int_equal(qmp_arg_int(args, "j", 5), 5);
    assert_true(qmp_arg_size(args, "z", 0) == UINT64_MAX);
    assert_true(qmp_arg_size(args, "y", UINT64_MAX) == UINT64_MAX);
    assert_true(qmp_arg_bool(args, "b", false));
    assert_true(qmp_arg_bool(args, "c", true));
    assert_string_equal(g_variant_get_string(any, NULL), "x");
    assert_null(qmp_arg(args, "t"));
}

/* ---- The tables ---- */

/* Whether @type, of QMP, is one: built in, or a row; lists of it too. */
static bool type_is_known(const char *type)
{
    static const char *const builtins[] = { "str",  "int",  "size", "number",
                                            "bool", "null", "any",  NULL };
    g_autofree char *element =
        g_strndup(type, g_str_has_suffix(type, "[]") ? strlen(type) - 2 : strlen(type));

    return g_strv_contains(builtins, element) || schema_type_find(element);
}

static void check_help(const char *name, const char *help)
{
    if (!help || !*help || !g_ascii_isupper(*help) || help[strlen(help) - 1] != '.') {
        fail_msg("the help of %s is no sentence: %s", name, help);
    }
}

static void check_members(const char *where, const SchemaMember *list)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (const SchemaMember *m = list; m && m->name; m++) {
        if (!type_is_known(m->type)) {
            fail_msg("%s.%s: there is no type '%s'", where, m->name, m->type);
        }
        if (!g_hash_table_add(seen, (void *)m->name)) {
            fail_msg("%s.%s is there twice", where, m->name);
        }
        if (!m->help || !*m->help || m->help[strlen(m->help) - 1] == '.') {
            fail_msg("%s.%s has no help, or it ends in a full stop", where, m->name);
        }
    }
}

static void the_tables_make_sense(void **state)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    (void)state;
    for (const QmpCommand *row = qmp_commands; row->name; row++) {
        assert_true(g_hash_table_add(seen, (void *)row->name));
        assert_non_null(row->fn);
        check_help(row->name, row->help);
        check_members(row->name, row->args);
        if (row->ret && !type_is_known(row->ret)) {
            fail_msg("%s returns '%s', which is no type", row->name, row->ret);
        }
        assert_ptr_equal(qmp_command_find(row->name), row);
    }
    for (const QmpEvent *row = qmp_events; row->name; row++) {
        assert_true(g_hash_table_add(seen, (void *)row->name));
        check_help(row->name, row->help);
        check_members(row->name, row->data);
        assert_ptr_equal(qmp_event_find(row->name), row);
    }
    for (const SchemaType *row = schema_types; row->name; row++) {
        assert_true(g_hash_table_add(seen, (void *)row->name));
        check_help(row->name, row->help);
        assert_int_equal(!!row->values + !!row->members + !!row->variants, 1);
        check_members(row->name, row->members);
        check_members(row->name, row->variants);
    }
    assert_null(qmp_command_find("nope"));
    assert_null(qmp_event_find("nope"));
    assert_null(schema_type_find("nope"));
}

static void every_type_is_used(void **state)
{
    g_autoptr(GString) used = g_string_new(" ");

    (void)state;
    for (const QmpCommand *row = qmp_commands; row->name; row++) {
        for (const SchemaMember *m = row->args; m && m->name; m++) {
            g_string_append_printf(used, "%s ", m->type);
        }
        g_string_append_printf(used, "%s ", row->ret ? row->ret : "");
    }
    for (const QmpEvent *row = qmp_events; row->name; row++) {
        for (const SchemaMember *m = row->data; m && m->name; m++) {
            g_string_append_printf(used, "%s ", m->type);
        }
    }
    for (const SchemaType *row = schema_types; row->name; row++) {
        for (const SchemaMember *m = row->members ? row->members : row->variants; m && m->name;
             m++) {
            g_string_append_printf(used, "%s ", m->type);
        }
    }
    for (const SchemaType *row = schema_types; row->name; row++) {
        g_autofree char *plain = g_strdup_printf(" %s ", row->name);
        g_autofree char *list = g_strdup_printf(" %s[] ", row->name);

        if (!strstr(used->str, plain) && !strstr(used->str, list)) {
            fail_msg("nothing uses the type '%s'", row->name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_passes),
        cmocka_unit_test(what_is_missing_or_too_much_is_named),
        cmocka_unit_test(a_wrong_type_is_named_with_the_right_one),
        cmocka_unit_test(a_word_that_is_none_of_an_enum_is_told_with_those),
        cmocka_unit_test(an_object_of_several_shapes_has_that_which_its_type_says),
        cmocka_unit_test(open_arguments_may_be_anything_else),
        cmocka_unit_test(a_handler_reads_its_arguments),
        cmocka_unit_test(the_tables_make_sense),
        cmocka_unit_test(every_type_is_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
