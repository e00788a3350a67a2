/* SPDX-License-Identifier: MIT */
/*
 * Text and values: what is read as what, what is refused, and that whatever is printed is read back
 * as it was.
 */
#include "tests/test.h"
#include <string.h>
#include <qomet/qom/value.h>

#define ROUNDS 20000

static void assert_message(GError *err, const char *text)
{
    assert_non_null(err);
    assert_string_equal(err->message, text);
    assert_true(g_error_matches(err, QOM_ERROR, QOM_ERROR_VALUE));
    g_error_free(err);
}

/* ---- Numbers ---- */

static void a_number_is_decimal_or_hexadecimal(void **state)
{
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {
        { "0", 0 },
        { "-0", 0 },
        { "7", 7 },
        { "4096", 4096 },
        { "0x0", 0 },
        { "0xe9", 0xe9 },
        { "0XE9", 0xe9 },
        { "0x00ff", 0xff },
        { "18446744073709551615", UINT64_MAX },
        { "0xffffffffffffffff", UINT64_MAX },
        { "0x0000000000000000000000000000001", 1 },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        uint64_t value = ~good[i].value;

        assert_true(value_parse_uint(good[i].text, 0, UINT64_MAX, &value, NULL));
        assert_true(value == good[i].value);
    }
}

static void what_is_no_number_is_refused(void **state)
{
    static const char *const bad[] = {
        "",    " 1",  "1 ",  "+1",   "-",     "--1",   "1x",  "x1", "0x",
        "0xg", "1.0", "1e3", "0x-1", "010",   "00",    "-01", "1K", "1,000",
        "\n1", "0b1", "on",  "é",    "1\xff", "0x1p3", "-0x", "٣",
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        uint64_t u = 77;
        int64_t s = 77;
        GError *err = NULL;

        assert_false(value_parse_uint(bad[i], 0, UINT64_MAX, &u, &err));
        assert_non_null(strstr(err->message, "is not a number, accepted are 0 to"));
        g_clear_error(&err);
        assert_false(value_parse_int(bad[i], INT64_MIN, INT64_MAX, &s, &err));
        assert_non_null(strstr(err->message, "is not a number, accepted are -9223372036854775808"));
        g_clear_error(&err);
        assert_int_equal(u, 77);
        assert_int_equal(s, 77);
    }
}

static void a_number_out_of_range_is_refused_not_wrapped(void **state)
{
    uint64_t u = 77;
    int64_t s = 77;
    GError *err = NULL;

    (void)state;
    assert_false(value_parse_uint("18446744073709551616", 0, UINT64_MAX, &u, &err));
    assert_message(err, "'18446744073709551616' is out of range, accepted are 0 to "
                        "18446744073709551615");
    assert_false(value_parse_uint("0x10000000000000000", 0, UINT64_MAX, &u, NULL));
    assert_false(value_parse_uint("99999999999999999999999999999", 0, UINT64_MAX, &u, NULL));
    assert_false(value_parse_uint("-1", 0, UINT64_MAX, &u, NULL));
    assert_false(value_parse_uint("256", 0, 255, &u, NULL));
    assert_false(value_parse_uint("3", 4, 255, &u, NULL));
    assert_false(value_parse_int("9223372036854775808", INT64_MIN, INT64_MAX, &s, NULL));
    assert_false(value_parse_int("-9223372036854775809", INT64_MIN, INT64_MAX, &s, NULL));
    assert_false(value_parse_int("128", -128, 127, &s, NULL));
    assert_false(value_parse_int("-129", -128, 127, &s, NULL));
    assert_int_equal(u, 77);
    assert_int_equal(s, 77);
    assert_true(value_parse_int("-9223372036854775808", INT64_MIN, INT64_MAX, &s, NULL));
    assert_true(s == INT64_MIN);
    assert_true(value_parse_int("-0x80", -128, 127, &s, NULL));
    assert_int_equal(s, -128);
}

static void a_switch_has_four_words_for_each_side(void **state)
{
    static const char *const on[] = { "on", "yes", "true", "y" };
    static const char *const off[] = { "off", "no", "false", "n" };
    GError *err = NULL;
    bool value;

    (void)state;
    for (int i = 0; i < 4; i++) {
        value = false;
        assert_true(value_parse_bool(on[i], &value, NULL) && value);
        assert_true(value_parse_bool(off[i], &value, NULL) && !value);
    }
    assert_false(value_parse_bool("On", &value, NULL));
    assert_false(value_parse_bool("1", &value, NULL));
    assert_false(value_parse_bool("", &value, NULL));
    assert_false(value_parse_bool("maybe", &value, &err));
    assert_message(err, "'maybe' is not a bool, accepted are on, off");
}

/* ---- Sizes ---- */

static void a_size_has_suffixes_and_exact_fractions(void **state)
{
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {
        { "0", 0 },
        { "1", 1 },
        { "1B", 1 },
        { "1b", 1 },
        { "1K", 1024 },
        { "1k", 1024 },
        { "4M", 4 << 20 },
        { "1.5G", 1536ull << 20 },
        { "1.50g", 1536ull << 20 },
        { "0.5K", 512 },
        { "1.0", 1 },
        { "2.000", 2 },
        { "0.0009765625K", 1 },
        { "2T", 2ull << 40 },
        { "1P", 1ull << 50 },
        { "15E", 15ull << 60 },
        { "15.75E", 63ull << 58 },
        { "0.00000000000000005551115123125782702118158340454101562500E", 0 },
        { "16777215.99999904632568359375T", UINT64_MAX - ((1ull << 20) - 1) },
        { "18446744073709551615", UINT64_MAX },
        { "0x1000", 4096 },
        { "0x1E", 30 },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        uint64_t value = ~good[i].value;
        GError *err = NULL;

        /* More digits than anybody writes are refused, not rounded. */
        if (strlen(good[i].text) > 40) {
            assert_false(value_parse_size(good[i].text, 1, 0, UINT64_MAX, &value, NULL));
            continue;
        }
        if (!value_parse_size(good[i].text, 1, 0, UINT64_MAX, &value, &err)) {
            fail_msg("%s", err->message);
        }
        assert_true(value == good[i].value);
    }
}

static void a_size_without_suffix_counts_the_unit(void **state)
{
    uint64_t value;

    (void)state;
    assert_true(value_parse_size("16", 1 << 20, 0, UINT64_MAX, &value, NULL));
    assert_int_equal(value, 16 << 20);
    assert_true(value_parse_size("1.5", 1 << 20, 0, UINT64_MAX, &value, NULL));
    assert_int_equal(value, 3 << 19);
    assert_true(value_parse_size("0x10", 1 << 20, 0, UINT64_MAX, &value, NULL));
    assert_int_equal(value, 16 << 20);
    assert_true(value_parse_size("16B", 1 << 20, 0, UINT64_MAX, &value, NULL));
    assert_int_equal(value, 16);
    assert_false(value_parse_size("17592186044416", 1 << 20, 0, UINT64_MAX, &value, NULL));
}

static void what_is_no_size_is_refused(void **state)
{
    static const char *const bad[] = { "",      "K",    "1X",  "1KB",  "1KiB", "1 K",
                                       " 1",    "1K ",  "1.",  ".5G",  "1.K",  "1..5",
                                       "1.5.5", "+1",   "1e3", "0x",   "0x1K", "0x1.8",
                                       "01K",   "1,5G", "--1", "1.-5", "1\xff" };
    uint64_t value = 77;
    GError *err = NULL;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        assert_false(value_parse_size(bad[i], 1, 0, UINT64_MAX, &value, &err));
        assert_non_null(strstr(err->message, "is not a size, accepted is a number with"));
        g_clear_error(&err);
    }
    assert_false(value_parse_size("1X", 1, 0, UINT64_MAX, &value, &err));
    assert_message(err, "'1X' is not a size, accepted is a number with an optional suffix K, M, G, "
                        "T, P, E");
    err = NULL;
    assert_false(value_parse_size("0.3K", 1, 0, UINT64_MAX, &value, &err));
    assert_message(err, "'0.3K' is not a whole number of bytes");
    err = NULL;
    assert_false(value_parse_size("1.5", 1, 0, UINT64_MAX, &value, &err));
    assert_message(err, "'1.5' is not a whole number of bytes");
    assert_int_equal(value, 77);
}

static void a_size_out_of_range_is_refused_not_wrapped(void **state)
{
    static const char *const large[] = { "16E",
                                         "16384P",
                                         "18446744073709551616",
                                         "-1",
                                         "99999999999999999999E",
                                         "15.99999999999999999999E",
                                         "-1.5K",
                                         "0x10000000000000000" };
    uint64_t value = 77;
    GError *err = NULL;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(large); i++) {
        assert_false(value_parse_size(large[i], 1, 0, UINT64_MAX, &value, &err));
        g_clear_error(&err);
    }
    assert_false(value_parse_size("16E", 1, 0, UINT64_MAX, &value, &err));
    assert_message(err, "'16E' is out of range, accepted are 0 to 18446744073709551615");
    err = NULL;
    assert_false(value_parse_size("1G", 1, 4096, 512 << 20, &value, &err));
    assert_message(err, "'1G' is out of range, accepted are 4K to 512M");
    assert_int_equal(value, 77);
}

static void a_size_is_printed_with_the_largest_suffix_that_fits(void **state)
{
    static const struct {
        uint64_t value;
        const char *text;
    } sizes[] = { { 0, "0" },
                  { 1023, "1023" },
                  { 1024, "1K" },
                  { 1025, "1025" },
                  { 1536, "1536" },
                  { 16 << 20, "16M" },
                  { 15ull << 60, "15E" },
                  { UINT64_MAX, "18446744073709551615" } };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *text = value_print_size(sizes[i].value);

        assert_string_equal(text, sizes[i].text);
    }
}

/* ---- Names and addresses ---- */

static void a_name_is_one_of_the_table(void **state)
{
    static const char *const array[] = { "none", NULL, "threads", "native" };
    static const EnumLookup table = { array, G_N_ELEMENTS(array) };
    GError *err = NULL;
    int value = 77;

    (void)state;
    assert_true(value_parse_enum(&table, "threads", &value, NULL));
    assert_int_equal(value, 2);
    assert_false(value_parse_enum(&table, "nativ", &value, &err));
    assert_message(err, "'nativ' is not a known name, accepted are none, threads, native (did you "
                        "mean 'native'?)");
    err = NULL;
    assert_false(value_parse_enum(&table, "io_uring", &value, &err));
    assert_message(err, "'io_uring' is not a known name, accepted are none, threads, native");
    assert_false(value_parse_enum(&table, "", &value, NULL));
    assert_false(value_parse_enum(&table, "None", &value, NULL));
    assert_int_equal(value, 2);
}

static void a_card_address_has_exactly_one_form(void **state)
{
    static const char *const bad[] = { "",
                                       "52:54:00:12:34",
                                       "52:54:00:12:34:5",
                                       "52:54:00:12:34:567",
                                       "52:54:00:12:34:56:78",
                                       "52-54-00-12-34-56",
                                       "52:54:00:12:34:5g",
                                       "5:254:00:12:34:56",
                                       " 52:54:00:12:34:56",
                                       "525400123456",
                                       "52:54:00:12:34:56 ",
                                       "0x:54:00:12:34:56" };
    MACAddr mac = { { 0 } };
    g_autofree char *text = NULL;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        assert_false(value_parse_macaddr(bad[i], &mac, NULL));
    }
    assert_true(value_parse_macaddr("52:54:00:aB:Cd:eF", &mac, NULL));
    text = value_print_macaddr(&mac);
    assert_string_equal(text, "52:54:00:ab:cd:ef");
}

/* ---- Values ---- */

static void an_integer_is_taken_from_a_variant_of_any_width(void **state)
{
    g_autoptr(GVariant) low = g_variant_ref_sink(g_variant_new_int64(INT64_MIN));
    g_autoptr(GVariant) high = g_variant_ref_sink(g_variant_new_uint64(UINT64_MAX));
    g_autoptr(GVariant) byte = g_variant_ref_sink(g_variant_new_byte(255));
    g_autoptr(GVariant) text = g_variant_ref_sink(g_variant_new_string("1"));
    GError *err = NULL;
    uint64_t u;
    int64_t i;

    (void)state;
    assert_true(value_get_int(low, INT64_MIN, INT64_MAX, &i, NULL) && i == INT64_MIN);
    assert_false(value_get_uint(low, 0, UINT64_MAX, &u, &err));
    assert_message(err, "'-9223372036854775808' is out of range, accepted are 0 to "
                        "18446744073709551615");
    err = NULL;
    assert_true(value_get_uint(high, 0, UINT64_MAX, &u, NULL) && u == UINT64_MAX);
    assert_false(value_get_int(high, INT64_MIN, INT64_MAX, &i, NULL));
    assert_true(value_get_int(byte, 0, 255, &i, NULL) && i == 255);
    assert_false(value_get_int(byte, -128, 127, &i, NULL));
    assert_false(value_get_int(text, INT64_MIN, INT64_MAX, &i, &err));
    assert_message(err, "expected an integer, got a string");
}

/* ---- Round trips ---- */

/* Numbers near every power of two are as likely as any. */
static uint64_t random_uint(GRand *rand)
{
    uint64_t all = (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);

    return (all >> g_rand_int_range(rand, 0, 64)) - g_rand_int_range(rand, 0, 2);
}

static void whatever_is_printed_is_read_back(void **state)
{
    GRand *rand = g_rand_new_with_seed(4711);

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t u = random_uint(rand), read_u = ~u;
        int64_t i = (int64_t)u, read_i = ~i;
        MACAddr mac, read_mac;
        g_autofree char *decimal = g_strdup_printf("%" G_GUINT64_FORMAT, u);
        g_autofree char *hex = g_strdup_printf("0x%" G_GINT64_MODIFIER "x", u);
        g_autofree char *with_sign = g_strdup_printf("%" G_GINT64_FORMAT, i);
        g_autofree char *size = value_print_size(u);
        g_autofree char *address = NULL;

        for (size_t n = 0; n < sizeof(mac.a); n++) {
            mac.a[n] = g_rand_int(rand);
        }
        address = value_print_macaddr(&mac);
        assert_true(value_parse_uint(decimal, 0, UINT64_MAX, &read_u, NULL) && read_u == u);
        assert_true(value_parse_uint(hex, u, u, &read_u, NULL) && read_u == u);
        assert_true(value_parse_int(with_sign, i, i, &read_i, NULL) && read_i == i);
        assert_true(value_parse_size(size, 1, 0, UINT64_MAX, &read_u, NULL) && read_u == u);
        assert_true(value_parse_macaddr(address, &read_mac, NULL));
        assert_memory_equal(&mac, &read_mac, sizeof(mac));
    }
    g_rand_free(rand);
}

static void a_size_with_a_fraction_is_what_the_digits_say(void **state)
{
    static const char suffixes[] = "KMGTPE";
    GRand *rand = g_rand_new_with_seed(4712);

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        int suffix = g_rand_int_range(rand, 0, 6), digits = g_rand_int_range(rand, 1, 8);
        uint64_t unit = 1ull << 10 * (suffix + 1), scale = 1, part,
                 whole = g_rand_int_range(rand, 0, 9);
        unsigned __int128 exact;
        g_autofree char *text = NULL;
        uint64_t value = 0;
        bool good;

        for (int i = 0; i < digits; i++) {
            scale *= 10;
        }
        part = random_uint(rand) % scale;
        if (g_rand_boolean(rand)) {
            part = scale / 8 * (part % 8); /* likely to come out whole */
        }
        text = g_strdup_printf("%" G_GUINT64_FORMAT ".%0*" G_GUINT64_FORMAT "%c", whole, digits,
                               part, suffixes[suffix]);
        good = value_parse_size(text, 1, 0, UINT64_MAX, &value, NULL);
        exact = (unsigned __int128)part * unit;
        assert_int_equal(good, exact % scale == 0);
        if (good) {
            assert_true(value == whole * unit + (uint64_t)(exact / scale));
        }
    }
    g_rand_free(rand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_decimal_or_hexadecimal),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(a_number_out_of_range_is_refused_not_wrapped),
        cmocka_unit_test(a_switch_has_four_words_for_each_side),
        cmocka_unit_test(a_size_has_suffixes_and_exact_fractions),
        cmocka_unit_test(a_size_without_suffix_counts_the_unit),
        cmocka_unit_test(what_is_no_size_is_refused),
        cmocka_unit_test(a_size_out_of_range_is_refused_not_wrapped),
        cmocka_unit_test(a_size_is_printed_with_the_largest_suffix_that_fits),
        cmocka_unit_test(a_name_is_one_of_the_table),
        cmocka_unit_test(a_card_address_has_exactly_one_form),
        cmocka_unit_test(an_integer_is_taken_from_a_variant_of_any_width),
        cmocka_unit_test(whatever_is_printed_is_read_back),
        cmocka_unit_test(a_size_with_a_fraction_is_what_the_digits_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
