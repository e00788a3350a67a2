/* SPDX-License-Identifier: MIT */
/*
 * JSON values out of a stream: whole, in pieces, wrong, and found again.
 */
#include <string.h>
#include <qomet/qom/json-stream.h>
#include <qomet/qom/keyval.h>
#include "tests/test.h"

/*
 * What comes of @text when it is fed in pieces of @step bytes: values as JSON, "!" for what is
 * wrong. The caller frees.
 */
static char *feed(const char *text, size_t len, size_t step)
{
    g_autofree char *rest = NULL;
    GString *out = g_string_new(NULL);
    JsonStream *s = json_stream_new();

    for (size_t at = 0; at < len;) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) value = NULL;
        g_autofree char *printed = NULL;
        /* A copy of its own, so that a checker of memory sees what is read too far. */
        size_t n = MIN(step, len - at);
        char *piece = g_memdup2(text + at, n);
        size_t taken = json_stream_feed(s, piece, n, &value, &error);

        g_free(piece);
        assert_true(taken <= n);
        assert_true(taken == n || value || error);
        assert_false(value && error);
        at += taken;
        printed = value ? json_from_variant(value) : NULL;
        if (printed || error) {
            g_string_append_printf(out, "%s%s", out->len ? " " : "", error ? "!" : printed);
        }
    }
    json_stream_free(s);
    return g_string_free(out, FALSE);
}

/* Whatever the pieces, the same comes of it. */
static void assert_feeds_n(const char *text, size_t len, const char *expected)
{
    static const size_t steps[] = { 1, 2, 3, 7, SIZE_MAX };

    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_autofree char *got = feed(text, len, MIN(steps[i], len));

        if (strcmp(got, expected) != 0) {
            fail_msg("in pieces of %zu: %s", steps[i], got);
        }
    }
}

static void assert_feeds(const char *text, const char *expected)
{
    assert_feeds_n(text, strlen(text), expected);
}

/* The message of the first thing that is wrong in @text. */
static void assert_says(const char *text, const char *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) value = NULL;
    JsonStream *s = json_stream_new();

    json_stream_feed(s, text, strlen(text), &value, &error);
    assert_null(value);
    assert_non_null(error);
    assert_true(g_error_matches(error, QOM_ERROR, QOM_ERROR_SYNTAX));
    assert_string_equal(error->message, message);
    json_stream_free(s);
}

static void values_follow_each_other(void **state)
{
    (void)state;
    assert_feeds("{\"a\": 1}{\"b\": [2, {}]}", "{\"a\": 1} {\"b\": [2, {}]}");
    assert_feeds("\r\n {\"a\":1}\r\n\t[] \n", "{\"a\": 1} []");
    assert_feeds("{\"a\": \"}{][\\\"\\\\\"}[\"{\"]", "{\"a\": \"}{][\\\"\\\\\"} [\"{\"]");
    assert_feeds("", "");
    assert_feeds(" \r\n", "");
}

static void values_need_no_brackets(void **state)
{
    (void)state;
    assert_feeds("12 -3 true null \"x\" 1.5\n", "12 -3 true null \"x\" 1.5");
    assert_feeds("1[2]\"3\"{}true[]", "1 [2] \"3\" {} true []");
    /* What comes next might belong to it. */
    assert_feeds("12", "");
    assert_feeds("tru", "");
}

static void a_value_that_is_not_whole_is_waited_for(void **state)
{
    (void)state;
    assert_feeds("{\"a\": [1, {\"b\": \"c", "");
    assert_feeds("\"", "");
    assert_feeds("[\"\\", "");
}

static void numbers_are_exact(void **state)
{
    (void)state;
    assert_feeds("[18446744073709551615, 9223372036854775808, -9223372036854775808]",
                 "[18446744073709551615, 9223372036854775808, -9223372036854775808]");
    assert_feeds("[1e3, -0.5, 0]", "[1000.0, -0.5, 0]");
}

static void what_is_wrong_within_brackets_is_dropped_with_them(void **state)
{
    (void)state;
    assert_feeds("{\"a\" 1}{\"b\": 2}", "! {\"b\": 2}");
    assert_feeds("{\"a\": {\"x\": y}, \"b\": [1, 2]} [3]", "! [3]");
    assert_feeds("{\"a\": 1, \"a\": 2}[3]", "! [3]");
    assert_feeds("{\"a\": 18446744073709551616}[3]", "! [3]");
    assert_feeds("{\"a\": 1e999}[3]", "! [3]");
    assert_feeds("{\"a\": NaN}[3]", "! [3]");
    assert_feeds("{'a': 1}[3]", "! [3]");
    assert_feeds("{\"a\": \"\\u0000\"}[3]", "! [3]");
    assert_feeds("{\"a\": \"\\ud800\"}[3]", "! [3]");
    assert_feeds("{\"a\": \"\xc3\"}[3]", "! [3]");
    assert_feeds("{\"a\": \"\xc0\x80\"}[3]", "! [3]");
    assert_feeds("[1}[3]", "! [3]");
    assert_feeds("{]{}", "! {}");
    assert_feeds("[1,][3]", "! [3]");
    assert_feeds("[1 2][3]", "! [3]");
    assert_feeds("[/* a remark */ 1][3]", "! [3]");
}

static void what_is_wrong_outside_of_brackets_is_dropped_alone(void **state)
{
    (void)state;
    assert_feeds("} {}", "! {}");
    assert_feeds(", : ] {}", "! ! ! {}");
    assert_feeds("xyz {}", "! {}");
    assert_feeds("12x {}", "! {}");
    assert_feeds("truefalse {}", "! {}");
    assert_feeds("- {}", "! {}");
    assert_feeds("'x' {}", "! {}");
}

static void a_line_ends_what_cannot_be_told_apart(void **state)
{
    (void)state;
    /* A string has no end on its line; a control character may be anything. */
    assert_feeds("{\"a\": \"b}\n{\"c\": 1}", "! {\"c\": 1}");
    assert_feeds("{\"a\": \001 1, \"b\": {\n{\"c\": 1}", "! {\"c\": 1}");
    assert_feeds("\001\002\003\n{\"c\": 1}", "! {\"c\": 1}");
    assert_feeds("\001\002\003 {\"c\": 1}", "! {\"c\": 1}");
    assert_feeds("{\"a\": \001 1}{\"c\": 1}", "! {\"c\": 1}");
    assert_feeds("{\"a\": \"x\001y\"}{\"c\": 1}", "! {\"c\": 1}");
}

static void the_pieces_do_not_matter(void **state)
{
    (void)state;
    assert_feeds("{\"a\" 1, [\n{\"b\": 2}", "! {\"b\": 2}");
    assert_feeds("{\"a\": 1,\n\"b\" 2\n}\n[1]", "! ! [1]");
    assert_feeds("{\"a\":\n\n[1, 2\n]\n}\n", "{\"a\": [1, 2]}");
}

static void a_nul_is_no_end(void **state)
{
    (void)state;
    assert_feeds_n("\0{\"a\": 1}", 9, "! {\"a\": 1}");
    assert_feeds_n("{\"a\0\": 1}\n[2]", 13, "! [2]");
    assert_feeds_n("{\"a\": 1\0}[2]", 12, "! [2]");
    assert_feeds_n("12\0 [2]", 7, "! [2]");
}

static void a_client_may_begin_anew(void **state)
{
    (void)state;
    assert_feeds("{\"a\": [\"b\xff{\"c\": 1}", "! {\"c\": 1}");
    assert_feeds("{\"a\" [ \xfe[1]", "! [1]");
    assert_feeds("\xff[1]", "! [1]");
    assert_feeds("[1]\xff[2]", "[1] ! [2]");
}

static void nothing_is_nested_without_end(void **state)
{
    g_autoptr(GString) deep = g_string_new(NULL);

    (void)state;
    for (int i = 0; i < 100000; i++) {
        g_string_append_c(deep, '[');
    }
    g_string_append(deep, "\n[1]");
    assert_feeds(deep->str, "! [1]");
    g_string_truncate(deep, 100000);
    for (int i = 0; i < 100000; i++) {
        g_string_append_c(deep, ']');
    }
    g_string_append(deep, "[1]");
    assert_feeds(deep->str, "! [1]");
}

static void sixty_four_levels_are_taken(void **state)
{
    g_autoptr(GString) deep = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) value = NULL;
    JsonStream *s = json_stream_new();

    (void)state;
    for (int i = 0; i < 64; i++) {
        g_string_append_c(deep, '[');
    }
    for (int i = 0; i < 64; i++) {
        g_string_append_c(deep, ']');
    }
    json_stream_feed(s, deep->str, deep->len, &value, &error);
    assert_non_null(value);
    json_stream_free(s);
}

/* Feeds @count times @part after @first; the first thing that is wrong. */
static GError *feed_many(const char *first, const char *part, size_t count)
{
    JsonStream *s = json_stream_new();
    g_autoptr(GString) piece = g_string_new(NULL);
    g_autoptr(GVariant) value = NULL;
    size_t len = strlen(part), sent = 0;
    GError *error = NULL;

    while (piece->len < 65536) {
        g_string_append(piece, part);
    }
    json_stream_feed(s, first, strlen(first), &value, &error);
    while (!error && sent < count * len) {
        json_stream_feed(s, piece->str, piece->len, &value, &error);
        assert_null(value);
        sent += piece->len;
    }
    if (error) {
        json_stream_feed(s, "\n{}", 3, &value, NULL);
        assert_non_null(value);
    }
    json_stream_free(s);
    return error;
}

static void a_value_has_a_largest_size(void **state)
{
    g_autoptr(GError) longer = feed_many("[\"", "0123456789abcdef", (64 << 20) / 16 + 1);
    g_autoptr(GError) parts = feed_many("[", "1,", (2 << 20) + 100000);

    (void)state;
    assert_non_null(longer);
    assert_non_null(strstr(longer->message, "it is too long"));
    assert_non_null(parts);
    assert_non_null(strstr(parts->message, "it has too many parts"));
    assert_null(feed_many("[", "1,", 1 << 20));
}

static void the_place_of_a_mistake_is_told(void **state)
{
    (void)state;
    assert_says("{\"execute\" \"x\"}", "not valid JSON at character 12: expected ':'");
    assert_says("  {\"\xc3\xa9\": }", "not valid JSON at character 7: expected a value");
    assert_says("{\"a\": 1, \"a\": 2}", "not valid JSON at character 10: 'a' is given twice");
    assert_says("{\"a\": \"\xc3\"}", "not valid JSON at character 8: it is not valid UTF-8");
    assert_says("[\"a\nb\"]", "not valid JSON at character 4: a control character in a string is "
                              "written as an escape");
}

static void a_new_peer_begins_anew(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) value = NULL;
    JsonStream *s = json_stream_new();

    (void)state;
    json_stream_feed(s, "{\"a\": [\"", 8, &value, &error);
    assert_null(value);
    json_stream_reset(s);
    json_stream_feed(s, "[1]", 3, &value, &error);
    assert_non_null(value);
    json_stream_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_follow_each_other),
        cmocka_unit_test(values_need_no_brackets),
        cmocka_unit_test(a_value_that_is_not_whole_is_waited_for),
        cmocka_unit_test(numbers_are_exact),
        cmocka_unit_test(what_is_wrong_within_brackets_is_dropped_with_them),
        cmocka_unit_test(what_is_wrong_outside_of_brackets_is_dropped_alone),
        cmocka_unit_test(a_line_ends_what_cannot_be_told_apart),
        cmocka_unit_test(the_pieces_do_not_matter),
        cmocka_unit_test(a_nul_is_no_end),
        cmocka_unit_test(a_client_may_begin_anew),
        cmocka_unit_test(nothing_is_nested_without_end),
        cmocka_unit_test(sixty_four_levels_are_taken),
        cmocka_unit_test(a_value_has_a_largest_size),
        cmocka_unit_test(the_place_of_a_mistake_is_told),
        cmocka_unit_test(a_new_peer_begins_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
