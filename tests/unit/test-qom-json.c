/* SPDX-License-Identifier: MIT */
/*
 * JSON, strictly: what is read as what, what is refused and where, and that nothing is lost on the
 * way there and back.
 */
#include "tests/test.h"
#include <math.h>
#include <string.h>
#include <qomet/qom/keyval.h>

static void assert_reads(const char *text, const char *type, const char *printed)
{
    GError *err = NULL;
    g_autoptr(GVariant) value = json_to_variant(text, &err);
    g_autofree char *again = NULL;

    if (!value) {
        fail_msg("%s: %s", text, err->message);
    }
    assert_string_equal(g_variant_get_type_string(value), type);
    assert_false(g_variant_is_floating(value));
    again = json_from_variant(value);
    assert_string_equal(again, printed);
}

static void assert_refused(const char *text, const char *message)
{
    GError *err = NULL;

    assert_null(json_to_variant(text, &err));
    assert_non_null(err);
    assert_string_equal(err->message, message);
    assert_true(g_error_matches(err, QOM_ERROR, QOM_ERROR_SYNTAX));
    g_error_free(err);
    assert_null(json_to_variant(text, NULL));
}

static void each_kind_of_value_is_read(void **state)
{
    (void)state;
    assert_reads("true", "b", "true");
    assert_reads(" false ", "b", "false");
    assert_reads("null", "mv", "null");
    assert_reads("0", "x", "0");
    assert_reads("-0", "x", "0");
    assert_reads("9223372036854775807", "x", "9223372036854775807");
    assert_reads("-9223372036854775808", "x", "-9223372036854775808");
    assert_reads("9223372036854775808", "t", "9223372036854775808");
    assert_reads("18446744073709551615", "t", "18446744073709551615");
    assert_reads("1.0", "d", "1.0");
    assert_reads("0.1", "d", "0.1");
    assert_reads("1e2", "d", "100.0");
    assert_reads("-1.5E-7", "d", "-1.5e-07");
    assert_reads("\"a\\n\\\"\\\\\\u00e9\"", "s", "\"a\\n\\\"\\\\é\"");
    assert_reads("\"\\ud83d\\ude00\"", "s", "\"😀\"");
    assert_reads("\"\"", "s", "\"\"");
    assert_reads("[]", "av", "[]");
    assert_reads("[1, [\"a\", null]]", "av", "[1, [\"a\", null]]");
    assert_reads("{}", "a{sv}", "{}");
    assert_reads("{\"b\": 1, \"a\": {\"\": 2.5}}", "a{sv}", "{\"b\": 1, \"a\": {\"\": 2.5}}");
    assert_reads("\t{\r\n\"x\":1}\n", "a{sv}", "{\"x\": 1}");
    assert_reads("[{\"a\": 1}, {\"a\": 1}]", "av", "[{\"a\": 1}, {\"a\": 1}]");
}

static void text_that_is_no_json_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "nul",
        "True",
        "nullx",
        "truefalse",
        "1 2",
        "[1,]",
        "[,]",
        "[1 2]",
        "{\"a\":1,}",
        "{,}",
        "{\"a\" 1}",
        "{\"a\"}",
        "{1: 2}",
        "'a'",
        "{'a':1}",
        "{a:1}",
        "[]]",
        "{}}",
        "[",
        "{\"a\":",
        "\"a",
        "\"\\q\"",
        "\"\\u12g4\"",
        "\"\\u12\"",
        "01",
        "-",
        "1.",
        "1.e5",
        ".5",
        "+1",
        "1e",
        "1e+",
        "--1",
        "1-2",
        "1.5.5",
        "0x10",
        "NaN",
        "Infinity",
        "-Infinity",
        "[NaN]",
        "/*x*/1",
        "1 // x",
        "#",
        ("\x0b"
         "1"),
        "\"\xff\"",
        "\"\xc0\x80\"",
        "\"a\x01\"",
        "\"\t\"",
        "\"a\nb\"",
        "undefined",
        "[1]x",
        ("\xef\xbb\xbf"
         "1"),
        "1\xc2\xa0",
        "\"\xed\xa0\x80\"",
        "-NaN",
        "[-]",
        "nan",
        "inf",
        "1,",
        "[tru]",
        "\"\\",
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        GError *err = NULL;
        g_autoptr(GVariant) value = json_to_variant(bad[i], &err);

        if (value) {
            fail_msg("'%s' was taken", bad[i]);
        }
        assert_true(g_error_matches(err, QOM_ERROR, QOM_ERROR_SYNTAX));
        assert_true(g_str_has_prefix(err->message, "not valid JSON at character "));
        g_error_free(err);
    }
}

static void an_error_says_what_and_where(void **state)
{
    (void)state;
    assert_refused("{\"a\": 1, \"b\": 2, \"a\": 3}",
                   "not valid JSON at character 18: 'a' is given twice");
    assert_refused("{\"a\": 1, \"\\u0061\": 3}",
                   "not valid JSON at character 10: 'a' is given twice");
    assert_refused("{\"x\": {\"é\": [{}], \"é\": 0}}",
                   "not valid JSON at character 19: 'é' is given twice");
    assert_refused("[18446744073709551616]",
                   "not valid JSON at character 2: the number is out of range, accepted are "
                   "-9223372036854775808 to 18446744073709551615");
    assert_refused("-9223372036854775809",
                   "not valid JSON at character 1: the number is out of range, accepted are "
                   "-9223372036854775808 to 18446744073709551615");
    assert_refused("[1, 1e999]", "not valid JSON at character 5: the number is too large");
    assert_refused("{\"a\": NaN}", "not valid JSON at character 7: expected a value");
    assert_refused("[1 2]", "not valid JSON at character 4: expected ',' or ']'");
    assert_refused("{\"a\" 1}", "not valid JSON at character 6: expected ':'");
    assert_refused("{\"a\": 1 2}", "not valid JSON at character 9: expected ',' or '}'");
    assert_refused("[1, 2", "not valid JSON at character 6: it ends too early");
    assert_refused("1.", "not valid JSON at character 1: expected a digit after the point");
    assert_refused("\"ab\\u0000\"", "not valid JSON at character 5: a string cannot hold \\u0000");
    assert_refused("{\"\\u0000a\": 1}",
                   "not valid JSON at character 4: a string cannot hold \\u0000");
    assert_refused("\"\\ud800\"",
                   "not valid JSON at character 3: a string holds half of a surrogate pair");
    assert_refused("\"\\ud800\\u0041\"",
                   "not valid JSON at character 3: a string holds half of a surrogate pair");
    assert_refused("\"\\udc00\\ud800\"",
                   "not valid JSON at character 3: a string holds half of a surrogate pair");
    assert_refused("\"a\tb\"", "not valid JSON at character 3: a control character in a string is "
                               "written as an escape");
    assert_refused("\"é\xc0\x80\"", "not valid JSON at character 3: it is not valid UTF-8");
    assert_refused("{} {}", "not valid JSON at character 4: expected nothing behind the value");
}

static char *nested(int depth)
{
    GString *text = g_string_new(NULL);

    for (int i = 0; i < depth; i++) {
        g_string_append(text, i % 2 ? "{\"a\":" : "[");
    }
    g_string_append(text, "1");
    for (int i = depth - 1; i >= 0; i--) {
        g_string_append_c(text, i % 2 ? '}' : ']');
    }
    return g_string_free(text, FALSE);
}

static void nesting_has_a_limit(void **state)
{
    g_autofree char *good = nested(64), *deep = nested(65), *deepest = nested(200000);
    g_autoptr(GVariant) value = json_to_variant(good, NULL);
    g_autofree char *printed = NULL;
    GError *err = NULL;

    (void)state;
    assert_non_null(value);
    printed = json_from_variant(value);
    assert_non_null(printed);
    assert_null(json_to_variant(deep, &err));
    assert_non_null(strstr(err->message, "it is nested too deeply"));
    g_clear_error(&err);
    assert_null(json_to_variant(deepest, NULL));
}

static void length_has_a_limit(void **state)
{
    g_autofree char *text = g_strnfill(64 * 1024 * 1024, ' ');

    (void)state;
    assert_refused(text, "JSON text of 67108864 bytes is too long, at most 67108863 are read");
    text[64 * 1024 * 1024 - 1] = '\0';
    text[0] = '5';
    assert_reads(text, "x", "5");
}

static void values_of_other_types_are_printed_too(void **state)
{
    static const struct {
        const char *value, *text;
    } others[] = {
        { "byte 200", "200" },
        { "int16 -7", "-7" },
        { "uint16 7", "7" },
        { "int32 -8", "-8" },
        { "uint32 8", "8" },
        { "handle 3", "3" },
        { "objectpath '/a/b'", "\"/a/b\"" },
        { "signature 'as'", "\"as\"" },
        { "<<5>>", "5" },
        { "@as ['a', 'b']", "[\"a\", \"b\"]" },
        { "@ay [1, 2]", "[1, 2]" },
        { "(1, 'a', true)", "[1, \"a\", true]" },
        { "@a{ss} {'k': 'v'}", "{\"k\": \"v\"}" },
        { "@a{us} {1: 'v'}", "[[1, \"v\"]]" },
        { "@mi 4", "4" },
        { "@mi nothing", "null" },
        { "'\\u0001\\u007f'", "\"\\u0001\\u007f\"" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autoptr(GVariant) value = g_variant_parse(NULL, others[i].value, NULL, NULL, NULL);
        g_autofree char *text = NULL;

        assert_non_null(value);
        text = json_from_variant(value);
        assert_string_equal(text, others[i].text);
    }
}

static void what_is_no_number_in_json_is_printed_as_null(void **state)
{
    const double numbers[] = { NAN, INFINITY, -INFINITY };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_autoptr(GVariant) value = g_variant_ref_sink(g_variant_new_double(numbers[i]));
        g_autofree char *text = json_from_variant(value);

        assert_string_equal(text, "null");
    }
}

/* ---- Round trips ---- */

static GVariant *random_string(GRand *rand)
{
    GString *text = g_string_new(NULL);

    for (int n = g_rand_int_range(rand, 0, 12); n > 0; n--) {
        gunichar c = g_rand_int_range(rand, 1, g_rand_boolean(rand) ? 0x80 : 0x110000);

        if (g_unichar_validate(c)) {
            g_string_append_unichar(text, c);
        }
    }
    return g_variant_new_take_string(g_string_free(text, FALSE));
}

static double random_double(GRand *rand)
{
    union {
        uint64_t u;
        double d;
    } bits;

    do {
        bits.u = (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);
    } while (!isfinite(bits.d));
    return bits.d;
}

static GVariant *random_value(GRand *rand, int depth)
{
    uint64_t u =
        ((uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand)) >> g_rand_int_range(rand, 0, 64);
    GVariantBuilder builder;

    switch (g_rand_int_range(rand, 0, depth > 0 ? 8 : 6)) {
    case 0:
        return g_variant_new_boolean(u & 1);
    case 1:
        return g_variant_new_maybe(G_VARIANT_TYPE_VARIANT, NULL);
    case 2:
        return g_variant_new_int64(u);
    case 3:
        return g_variant_new_uint64(u | 1ull << 63);
    case 4:
        return g_variant_new_double(random_double(rand));
    case 5:
        return random_string(rand);
    case 6:
        g_variant_builder_init(&builder, G_VARIANT_TYPE("av"));
        for (int n = g_rand_int_range(rand, 0, 5); n > 0; n--) {
            g_variant_builder_add(&builder, "v", random_value(rand, depth - 1));
        }
        return g_variant_builder_end(&builder);
    default:
        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        for (int n = g_rand_int_range(rand, 0, 5); n > 0; n--) {
            g_autofree char *key = g_strdup_printf("%d\"\\\n%d", n, g_rand_int_range(rand, 0, 100));

            g_variant_builder_add(&builder, "{sv}", key, random_value(rand, depth - 1));
        }
        return g_variant_builder_end(&builder);
    }
}

static void whatever_is_printed_is_read_back(void **state)
{
    GRand *rand = g_rand_new_with_seed(4711);

    (void)state;
    for (int round = 0; round < 5000; round++) {
        g_autoptr(GVariant) value = g_variant_ref_sink(random_value(rand, 4));
        g_autofree char *text = json_from_variant(value);
        GError *err = NULL;
        g_autoptr(GVariant) again = json_to_variant(text, &err);

        if (!again) {
            fail_msg("%s: %s", text, err->message);
        }
        if (!g_variant_equal(value, again)) {
            fail_msg("%s", text);
        }
    }
    g_rand_free(rand);
}

static void every_character_may_be_an_escape(void **state)
{
    (void)state;
    for (gunichar c = 1; c <= 0x10ffff; c += c < 0xd700 ? 97 : 31) {
        g_autoptr(GVariant) value = NULL;
        g_autofree char *text = NULL;
        const char *read;
        char utf8[7] = { 0 };

        if (c >= 0xd800 && c < 0xe000) {
            continue;
        }
        if (c < 0x10000) {
            text = g_strdup_printf("\"\\\\\\u%04x\"", c);
        } else {
            text = g_strdup_printf("\"\\\\\\u%04x\\u%04X\"", 0xd800 + ((c - 0x10000) >> 10),
                                   0xdc00 + (c & 0x3ff));
        }
        g_unichar_to_utf8(c, utf8);
        value = json_to_variant(text, NULL);
        if (!value) {
            fail_msg("%s", text);
        }
        read = g_variant_get_string(value, NULL);
        assert_int_equal(*read, '\\');
        assert_string_equal(read + 1, utf8);
    }
}

static void names_that_json_c_takes_for_the_same_are_not(void **state)
{
    g_autoptr(GVariant) value =
        json_to_variant("{\"\\ud836\\udc00\": 1, \"\\uD836\\uDC01\": 2}", NULL);
    gint64 number;

    (void)state;
    assert_non_null(value);
    assert_true(g_variant_lookup(value, "\U0001d800", "x", &number) && number == 1);
    assert_true(g_variant_lookup(value, "\U0001d801", "x", &number) && number == 2);
    assert_null(json_to_variant("{\"\\ud836\\udc00\": 1, \"\\uD836\\uDC00\": 2}", NULL));
}

static void text_stands_for_the_value_that_it_was_made_of(void **state)
{
    GRand *rand = g_rand_new_with_seed(42);

    (void)state;
    for (int round = 0; round < 2000; round++) {
        g_autoptr(GVariant) value = g_variant_ref_sink(random_value(rand, 4));
        g_autofree char *text = json_from_variant(value), *lines = json_from_variant_pretty(value);
        g_autoptr(GVariant) stand_in = g_variant_ref_sink(json_new_text(g_strdup(text)));
        g_autofree char *again = json_from_variant(stand_in);
        g_autofree char *lines_again = json_from_variant_pretty(stand_in);

        assert_string_equal(again, text);
        assert_string_equal(lines_again, lines);
    }
    g_rand_free(rand);
}

static void text_stands_within_other_values(void **state)
{
    GVariant *members[] = { json_new_text(g_strdup("{\"b\": [], \"c\": \"]\\\"\"}")) };
    g_autoptr(GVariant) list =
        g_variant_ref_sink(g_variant_new_array(G_VARIANT_TYPE("(s)"), members, 1));
    g_autofree char *text = json_from_variant(list), *lines = json_from_variant_pretty(list);

    (void)state;
    assert_string_equal(text, "[{\"b\": [], \"c\": \"]\\\"\"}]");
    assert_string_equal(lines, "[\n    {\n        \"b\": [],\n        \"c\": \"]\\\"\"\n    }\n]");
}

static void text_is_written_piece_by_piece(void **state)
{
    g_autoptr(GString) out = g_string_new("x");
    g_autoptr(GVariant) list = g_variant_ref_sink(g_variant_new_parsed("[<1>, <'a'>]"));

    (void)state;
    json_append_string(out, "");
    json_append_string(out, "plain \u00e9");
    json_append_string(out, "\n\"mid\\dle\"\x01");
    json_append_uint(out, 0);
    g_string_append_c(out, ' ');
    json_append_uint(out, UINT64_MAX);
    g_string_append_c(out, ' ');
    json_append_int(out, INT64_MIN);
    g_string_append_c(out, ' ');
    json_append_int(out, INT64_MAX);
    g_string_append_c(out, ' ');
    json_append_int(out, -1);
    json_append_variant(out, list);
    assert_string_equal(out->str, "x\"\"\"plain \u00e9\"\"\\n\\\"mid\\\\dle\\\"\\u0001\"0 "
                                  "18446744073709551615 -9223372036854775808 9223372036854775807 "
                                  "-1[1, \"a\"]");
    assert_int_equal(out->len, strlen(out->str));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_value_is_read),
        cmocka_unit_test(text_that_is_no_json_is_refused),
        cmocka_unit_test(an_error_says_what_and_where),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(length_has_a_limit),
        cmocka_unit_test(values_of_other_types_are_printed_too),
        cmocka_unit_test(what_is_no_number_in_json_is_printed_as_null),
        cmocka_unit_test(whatever_is_printed_is_read_back),
        cmocka_unit_test(every_character_may_be_an_escape),
        cmocka_unit_test(names_that_json_c_takes_for_the_same_are_not),
        cmocka_unit_test(text_stands_for_the_value_that_it_was_made_of),
        cmocka_unit_test(text_stands_within_other_values),
        cmocka_unit_test(text_is_written_piece_by_piece),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
