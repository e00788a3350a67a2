/* SPDX-License-Identifier: MIT */
/* The outer form of gdb's protocol: what bytes become, and what is made of bytes. */
#include <string.h>
#include "monitor/gdb-packet.h"
#include "tests/test.h"

static GdbParser parser;

static int setup(void **state)
{
    (void)state;
    memset(&parser, 0, sizeof(parser));
    return 0;
}

/* Feeds all of @bytes, of which only the last may complete something: what that is. */
static GdbInput feed_bytes(const char *bytes, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++) {
        assert_int_equal(gdb_parser_feed(&parser, (uint8_t)bytes[i]), GDB_INPUT_NONE);
    }
    return gdb_parser_feed(&parser, (uint8_t)bytes[len - 1]);
}

static GdbInput feed(const char *text)
{
    return feed_bytes(text, strlen(text));
}

static void expect_packet(const char *text, const char *contents)
{
    assert_int_equal(feed(text), GDB_INPUT_PACKET);
    assert_int_equal(parser.len, strlen(contents));
    assert_string_equal(parser.data, contents);
}

static void a_packet_is_what_is_between_dollar_and_sum(void **state)
{
    (void)state;
    expect_packet("$g#67", "g");
    expect_packet("$#00", "");
    expect_packet("$qSupported:a+#FD", "qSupported:a+");
}

static void signs_between_packets_are_told(void **state)
{
    (void)state;
    assert_int_equal(feed("+"), GDB_INPUT_ACK);
    assert_int_equal(feed("-"), GDB_INPUT_NAK);
    assert_int_equal(feed("\003"), GDB_INPUT_INTERRUPT);
}

static void other_bytes_between_packets_are_passed_over(void **state)
{
    (void)state;
    assert_int_equal(feed("garbage #00 }*"), GDB_INPUT_NONE);
    expect_packet("$?#3f", "?");
}

static void a_wrong_sum_is_bad_and_the_next_packet_is_not(void **state)
{
    (void)state;
    assert_int_equal(feed("$g#68"), GDB_INPUT_BAD);
    assert_int_equal(feed("$g#6x"), GDB_INPUT_BAD);
    assert_int_equal(feed("$g##6"), GDB_INPUT_BAD);
    expect_packet("$g#67", "g");
}

static void escapes_are_undone_and_count_in_the_sum(void **state)
{
    static const char packet[] = "$X}\003}\004}]}\n#ba";

    (void)state;
    assert_int_equal(feed_bytes(packet, sizeof(packet) - 1), GDB_INPUT_PACKET);
    assert_int_equal(parser.len, 5);
    assert_memory_equal(parser.data, "X#$}*", 5);
}

static void contents_may_hold_any_byte(void **state)
{
    static const char packet[] = "$X\0\003+-\xff#b2";

    (void)state;
    assert_int_equal(feed_bytes(packet, sizeof(packet) - 1), GDB_INPUT_PACKET);
    assert_int_equal(parser.len, 6);
    assert_memory_equal(parser.data, "X\0\003+-\xff", 6);
}

static void a_dollar_begins_anew(void **state)
{
    (void)state;
    expect_packet("$m1000,$g#67", "g");
}

static void a_packet_of_the_greatest_length_is_taken_and_a_longer_one_is_not(void **state)
{
    g_autofree char *most = g_strnfill(GDB_PACKET_MAX, 'a');
    g_autofree char *more = g_strnfill(GDB_PACKET_MAX * 3, 'a');
    g_autoptr(GString) text = g_string_new(NULL);

    (void)state;
    gdb_frame(text, most, GDB_PACKET_MAX);
    expect_packet(text->str, most);
    g_string_truncate(text, 0);
    gdb_frame(text, more, GDB_PACKET_MAX + 1);
    assert_int_equal(feed(text->str), GDB_INPUT_TOO_LONG);
    g_string_truncate(text, 0);
    gdb_frame(text, more, GDB_PACKET_MAX * 3);
    assert_int_equal(feed(text->str), GDB_INPUT_TOO_LONG);
    expect_packet("$g#67", "g");
}

static void a_frame_is_what_the_parser_takes(void **state)
{
    g_autoptr(GString) contents = g_string_new("X0,100:");
    g_autoptr(GString) text = g_string_new(NULL);
    uint8_t bytes[256];

    (void)state;
    for (int i = 0; i < 256; i++) {
        bytes[i] = (uint8_t)i;
    }
    gdb_append_escaped(contents, bytes, sizeof(bytes));
    assert_int_equal(contents->len, 7 + 256 + 4);
    gdb_frame(text, contents->str, contents->len);
    assert_int_equal(feed_bytes(text->str, text->len), GDB_INPUT_PACKET);
    assert_int_equal(parser.len, 7 + 256);
    assert_memory_equal(parser.data + 7, bytes, sizeof(bytes));
}

static void bytes_are_two_digits_each(void **state)
{
    g_autoptr(GString) text = g_string_new(NULL);
    uint8_t bytes[3];

    (void)state;
    gdb_append_hex(text, "\x01\xab\xff", 3);
    assert_string_equal(text->str, "01abff");
    assert_true(gdb_parse_hex("01ABff", 3, bytes));
    assert_memory_equal(bytes, "\x01\xab\xff", 3);
    assert_false(gdb_parse_hex("01g0", 2, bytes));
    assert_false(gdb_parse_hex("0", 1, bytes));
    assert_true(gdb_parse_hex("", 0, bytes));
}

static void a_number_has_up_to_64_bits(void **state)
{
    const char *text = "ffffffffffffffff,0010z";
    uint64_t value;

    (void)state;
    assert_true(gdb_take_number(&text, &value));
    assert_true(value == UINT64_MAX);
    assert_false(gdb_take_number(&text, &value));
    assert_true(gdb_take_char(&text, ','));
    assert_true(gdb_take_number(&text, &value));
    assert_int_equal(value, 0x10);
    assert_string_equal(text, "z");
    assert_false(gdb_take_char(&text, 'x'));
    text = "10000000000000000";
    assert_false(gdb_take_number(&text, &value));
    text = "";
    assert_false(gdb_take_char(&text, '\0'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_packet_is_what_is_between_dollar_and_sum, setup),
        cmocka_unit_test_setup(signs_between_packets_are_told, setup),
        cmocka_unit_test_setup(other_bytes_between_packets_are_passed_over, setup),
        cmocka_unit_test_setup(a_wrong_sum_is_bad_and_the_next_packet_is_not, setup),
        cmocka_unit_test_setup(escapes_are_undone_and_count_in_the_sum, setup),
        cmocka_unit_test_setup(contents_may_hold_any_byte, setup),
        cmocka_unit_test_setup(a_dollar_begins_anew, setup),
        cmocka_unit_test_setup(a_packet_of_the_greatest_length_is_taken_and_a_longer_one_is_not,
                               setup),
        cmocka_unit_test_setup(a_frame_is_what_the_parser_takes, setup),
        cmocka_unit_test(bytes_are_two_digits_each),
        cmocka_unit_test(a_number_has_up_to_64_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
