/* SPDX-License-Identifier: MIT */
/*
 * Lines of the human monitor: which command they mean, how their arguments are read, and what is
 * said of those that are wrong.
 */
#include "tests/unit/qmp-fixture.h"
#include "monitor/hmp-int.h"

static Monitor *mon;

static int setup(void **state)
{
    int bad = program_setup(state);

    mon = monitor_gathering_new();
    return bad;
}

static int teardown(void **state)
{
    object_unref(mon);
    return qmp_teardown(state);
}

/* What @line prints; an error is a line of its own. The caller frees. */
static char *say(const char *line)
{
    GError *error = NULL;

    if (!hmp_execute(mon, line, &error)) {
        monitor_printf(mon, "%s\n", error->message);
        g_error_free(error);
    }
    return monitor_gathered(mon);
}

#define assert_says(line, expected)                                                                \
    do {                                                                                           \
        g_autofree char *text_ = say(line);                                                        \
        assert_string_equal(text_, expected);                                                      \
    } while (0)

/* ---- Arguments ---- */

static bool never(Monitor *m, GVariant *args, GError **errp)
{
    (void)m;
    (void)args;
    (void)errp;
    fail();
    return false;
}

static const HmpCommand row = {
    .name = "test",
    .params = "",
    .help = "",
    .args =
        (const SchemaMember[]){
            { .name = "f", .type = "flag", .help = "", .optional = true },
            { .name = "dot", .type = "flag", .help = "", .optional = true },
            { .name = "fmt", .type = "fmt", .help = "", .optional = true },
            { .name = "word", .type = "str", .help = "a word" },
            { .name = "number", .type = "int", .help = "a number", .optional = true },
            { .name = "switch", .type = "bool", .help = "a switch", .optional = true },
            { .name = "size", .type = "size", .help = "a size", .optional = true },
            { .name = "rest", .type = "rest", .help = "the rest", .optional = true },
            { .name = NULL },
        },
    .fn = never,
};

/* The arguments as text. The caller frees. */
static char *args_text(const char *line)
{
    GError *error = NULL;
    g_autoptr(GVariant) args = hmp_parse_args(&row, line, mon, &error);
    GString *text = g_string_new(NULL);

    if (!args) {
        g_string_append_printf(text, "error: %s", error->message);
        g_error_free(error);
        return g_string_free(text, FALSE);
    }
    for (const SchemaMember *m = row.args; m->name; m++) {
        g_autoptr(GVariant) value = g_variant_lookup_value(args, m->name, NULL);
        g_autofree char *one = value ? g_variant_print(value, FALSE) : NULL;

        if (one) {
            g_string_append_printf(text, "%s%s=%s", text->len ? " " : "", m->name, one);
        }
    }
    return g_string_free(text, FALSE);
}

static void arguments_are_read_in_order(void **state)
{
    static const struct {
        const char *line, *text;
    } cases[] = {
        { " a", "word='a'" },
        { "   a   ", "word='a'" },
        { " a 5", "word='a' number=5" },
        { " a -5 on 7 the  rest ", "word='a' number=-5 switch=true size=7 rest='the  rest'" },
        { " a 1 + 2*3 off 0xffffffffffffffff",
          "word='a' number=7 switch=false size=18446744073709551615" },
        { " -f a", "f=true word='a'" },
        { " -dot a", "dot=true word='a'" },
        { " -f -dot  a", "f=true dot=true word='a'" },
        { "/x a", "fmt=(1, 0x78, 0) word='a'" },
        { " /10xb a", "fmt=(10, 0x78, 1) word='a'" },
        { " /0dg a", "fmt=(0, 0x64, 8) word='a'" },
        { " /i a", "fmt=(1, 0x69, 0) word='a'" },
        { " -f /4uh a", "f=true fmt=(4, 0x75, 2) word='a'" },
        { " \"a b\\n\\\"\\\\\" 1", "word='a b\\n\"\\\\' number=1" },
        { " \"\"", "word=''" },
        { " é", "word='é'" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = args_text(cases[i].line);

        assert_string_equal(text, cases[i].text);
    }
}

static void wrong_arguments_are_told(void **state)
{
    static const struct {
        const char *line, *text;
    } cases[] = {
        { "", "error: word expected: a word" },
        { " -f", "error: word expected: a word" },
        { " -g a", "error: unsupported option -g" },
        { " -fg a", "error: unsupported option -g" },
        { " -\xc3\xa9 1 on 1 b", "word='-é' number=1 switch=true size=1 rest='b'" },
        { " /z a", "error: invalid char in format: 'z', there are x d u o c i b h w g" },
        { " /\xc3\xa9 a", "error: invalid char in format: '?', there are x d u o c i b h w g" },
        { " /65537x a", "error: count is too large, accepted are 0 to 65536" },
        { " /99999999999999999999999x a", "error: count is too large, accepted are 0 to 65536" },
        { " \"a", "error: unterminated string" },
        { " \"a\\", "error: unsupported escape code: '\\?', there are n r \\ ' and \"" },
        { " \"a\\q\"", "error: unsupported escape code: '\\q', there are n r \\ ' and \"" },
        { " a b", "error: invalid char 'b' in expression" },
        { " a 5 maybe", "error: 'maybe' is neither 'on' nor 'off'" },
        { " a 5 on x", "error: invalid char 'x' in expression" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = args_text(cases[i].line);

        assert_string_equal(text, cases[i].text);
    }
}

/* ---- Expressions ---- */

static void expressions_are_numbers_of_64_bits(void **state)
{
    static const struct {
        const char *text;
        uint64_t value;
    } cases[] = {
        { "0", 0 },
        { "10", 10 },
        { "0x10", 16 },
        { "0X1f", 31 },
        { "010", 8 },
        { "18446744073709551615", UINT64_MAX },
        { "1+2*3", 7 },
        { "(1+2)*3", 9 },
        { "10-2-3", 5 },
        { "-1", UINT64_MAX },
        { "~0", UINT64_MAX },
        { "+-+5", (uint64_t)-5 },
        { "1 | 2 ^ 3 & 1", 0 },
        { "1 + 6 & 4", 5 },
        { "7 % 4 * 2", 6 },
        { "100 / 7", 14 },
        { "0xffffffffffffffff + 1", 0 },
        { "'A'", 65 },
        { "'''", 39 },
        { " 1  ", 1 },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *at = cases[i].text;
        GError *error = NULL;
        uint64_t value;

        if (!hmp_parse_expression(&at, mon, &value, &error)) {
            fail_msg("%s: %s", cases[i].text, error->message);
        }
        assert_true(value == cases[i].value);
        assert_int_equal(at[strspn(at, " ")], 0);
    }
}

static void what_is_no_expression_is_refused(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "", "unexpected end of expression" },
        { "1+", "unexpected end of expression" },
        { "(1", "')' expected" },
        { "(1 2)", "')' expected" },
        { "x", "invalid char 'x' in expression" },
        { "\xc3\xa9", "invalid char '\xc3\xa9' in expression" },
        { "1x", "invalid char 'x' in number" },
        { "0x", "invalid char 'x' in number" },
        { "09", "invalid char '9' in number" },
        { "1/0", "division by zero" },
        { "1%(2-2)", "division by zero" },
        { "18446744073709551616", "number too large" },
        { "'a", "unexpected end of a letter in quotes" },
        { "'", "unexpected end of a letter in quotes" },
        { "$rip", "No CPU available" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *at = cases[i].text;
        GError *error = NULL;
        uint64_t value;

        assert_false(hmp_parse_expression(&at, mon, &value, &error));
        assert_string_equal(error->message, cases[i].message);
        g_error_free(error);
    }
}

static void depth_of_an_expression_has_an_end(void **state)
{
    static const char *const opens[] = { "(", "-", "~(" };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(opens); i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        GError *error = NULL;
        const char *at;
        uint64_t value;

        for (int n = 0; n < 100000; n++) {
            g_string_append(text, opens[i]);
        }
        at = text->str;
        assert_false(hmp_parse_expression(&at, mon, &value, &error));
        assert_non_null(strstr(error->message, "more than 64 parentheses"));
        g_error_free(error);
    }
}

/* ---- Lines ---- */

static void a_line_is_found_by_name_or_alias(void **state)
{
    (void)state;
    assert_says("", "");
    assert_says("     ", "");
    assert_says("info status", "VM status: paused (prelaunch)\n");
    assert_says("  info   status  ", "VM status: paused (prelaunch)\n");
    assert_says("print 5", "0x5\n");
    assert_says("p 5", "0x5\n");
    assert_says("p/d 5", "5\n");
    assert_says("p /c 0x41", "'A'\n");
    assert_says("p /c 39", "'\\''\n");
    assert_says("p /c 10", "'\\n'\n");
    assert_says("p /c 255", "'\\xff'\n");
    assert_says("p /o 8", "010\n");
    assert_says("p /u -1", "18446744073709551615\n");
    assert_says("p /d -1", "-1\n");
}

static void an_unknown_command_names_the_nearest(void **state)
{
    (void)state;
    assert_says("stpo", "unknown command: 'stpo' (did you mean 'stop'?)\n");
    assert_says("frobnicate", "unknown command: 'frobnicate'\n");
    assert_says("info statsu", "unknown command: 'info statsu' (did you mean 'info status'?)\n");
    assert_says("infos", "unknown command: 'infos' (did you mean 'info'?)\n");
    assert_says("/10xb 5", "unknown command: '/10xb'\n");
    assert_says("\xff", "the line is not UTF-8\n");
}

static void wrong_lines_point_to_the_help(void **state)
{
    (void)state;
    assert_says("stop now", "stop: extraneous characters at the end of line\n"
                            "Try \"help stop\" for more information\n");
    assert_says("info mtree -z", "info mtree: unsupported option -z\n"
                                 "Try \"help info mtree\" for more information\n");
    assert_says("p", "print: expr expected: an expression\n"
                     "Try \"help print\" for more information\n");
}

static void help_is_made_of_the_rows(void **state)
{
    g_autofree char *all = say("help"), *topics = say("info"), *same = say("help info");

    (void)state;
    assert_says("help quit", "quit|q -- end the machine and the program\n");
    assert_says("? q", "quit|q -- end the machine and the program\n");
    assert_says("help info status", "info status -- show whether the machine runs\n");
    assert_says("help nothing", "Error: unknown command: 'nothing'\n");
    assert_string_equal(topics, same);
    for (const HmpCommand *r = hmp_commands; r->name; r++) {
        g_autofree char *line = g_strdup_printf("\n%s", r->name);

        assert_non_null(strstr(strchr(r->name, ' ') ? topics : all, line + 1));
        /* What the help calls by name is there, and what it says is one sentence. */
        assert_false(g_str_has_suffix(r->help, "."));
        assert_true((r->fn != NULL) != (r->qmp != NULL));
    }
}

static void every_type_of_an_argument_is_known(void **state)
{
    static const char *const types[] = { "str",     "int",          "size",         "bool",
                                         "flag",    "fmt",          "path",         "property",
                                         "value",   "device",       "object",       "rest",
                                         "command", "device-words", "object-words", "log-items",
                                         NULL };

    (void)state;
    for (const HmpCommand *r = hmp_commands; r->name; r++) {
        bool may = false;

        for (const SchemaMember *m = r->args; m && m->name; m++) {
            if (!g_strv_contains(types, m->type)) {
                fail_msg("%s: %s has the type %s", r->name, m->name, m->type);
            }
            /* What must be there does not stand behind what may be left out. */
            if (strcmp(m->type, "flag") != 0 && strcmp(m->type, "fmt") != 0) {
                assert_false(may && !m->optional);
                may = m->optional;
            }
        }
    }
}

/* ---- What commands show ---- */

typedef struct Cold {
    DeviceState parent_obj;
    int8_t narrow;
    int64_t wide;
} Cold;

static const Property cold_props[] = {
    DEFINE_PROP_INT8("narrow", Cold, narrow, -5, .help = "a number"),
    DEFINE_PROP_INT64("wide", Cold, wide, -5, .help = "a number"),
};

static void cold_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    device_class_set_props(DEVICE_CLASS(klass), cold_props);
}

static const TypeInfo cold_types[] = {
    {
        .name = "cold-device",
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(Cold),
        .class_init = cold_class_init,
    },
};
DEFINE_TYPES(cold_types)

static void a_negative_number_has_the_digits_of_its_width(void **state)
{
    DeviceState *dev = qdev_new("cold-device", NULL);
    g_autofree char *text = NULL;

    (void)state;
    assert_true(qdev_realize(dev, NULL, NULL));
    text = say("info qtree");
    assert_non_null(strstr(text, "  narrow = -5 (0xfb)\n"));
    assert_non_null(strstr(text, "  wide = -5 (0xfffffffffffffffb)\n"));
    object_unparent(OBJECT(dev));
    object_unref(dev);
}

static void without_an_output_there_are_no_wires(void **state)
{
    (void)state;
    assert_says("info wires", "No device has an output line.\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_are_read_in_order),
        cmocka_unit_test(wrong_arguments_are_told),
        cmocka_unit_test(expressions_are_numbers_of_64_bits),
        cmocka_unit_test(what_is_no_expression_is_refused),
        cmocka_unit_test(depth_of_an_expression_has_an_end),
        cmocka_unit_test(a_line_is_found_by_name_or_alias),
        cmocka_unit_test(an_unknown_command_names_the_nearest),
        cmocka_unit_test(wrong_lines_point_to_the_help),
        cmocka_unit_test(help_is_made_of_the_rows),
        cmocka_unit_test(every_type_of_an_argument_is_known),
        cmocka_unit_test(a_negative_number_has_the_digits_of_its_width),
        cmocka_unit_test(without_an_output_there_are_no_wires),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
