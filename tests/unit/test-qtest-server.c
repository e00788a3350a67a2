/* SPDX-License-Identifier: MIT */
/*
 * The tester's end in qomet: each command and its answer, lines that are wrong or hostile, time, and
 * the end.
 */
#include "tests/unit/qtest-fixture.h"

/* ---- What holds ---- */

static void a_port_is_written_and_read_in_its_sizes(void **state)
{
    (void)state;
    assert_answer("outl 0x100 0xdeadbeef", "OK");
    assert_answer("inl 0x100", "OK 0x00000000deadbeef");
    assert_answer("inw 256", "OK 0x000000000000beef");
    assert_answer("inb 0x100", "OK 0x00000000000000ef");
    assert_answer("outb 0x100 7", "OK");
    assert_int_equal(bench.toy->data, 7);
}

static void what_nothing_answers_reads_as_ones(void **state)
{
    (void)state;
    assert_answer("inb 0x60", "OK 0x00000000000000ff");
    assert_answer("readl 0x80000000", "OK 0x00000000ffffffff");
    assert_answer("outb 0x60 1", "OK");
}

static void memory_is_written_and_read_in_its_sizes(void **state)
{
    (void)state;
    assert_answer("writeq 0x1000 0x1122334455667788", "OK");
    assert_answer("readq 0x1000", "OK 0x1122334455667788");
    assert_answer("readl 0x1002", "OK 0x0000000033445566");
    assert_answer("writew 0x1000 0xffff", "OK");
    assert_answer("readb 0x1001", "OK 0x00000000000000ff");
    assert_answer("endianness", "OK little");
}

static void blocks_of_memory_move(void **state)
{
    (void)state;
    assert_answer("write 0x2000 3 0x0aBBff", "OK");
    assert_answer("read 0x2000 4", "OK 0x0abbff00");
    assert_answer("b64write 0x3000 5 aGVsbG8=", "OK");
    assert_answer("b64read 0x3000 5", "OK aGVsbG8=");
    assert_answer("memset 0x3001 0x10000 0x55", "OK");
    assert_answer("readb 0x13000", "OK 0x0000000000000055");
    assert_answer("readb 0x13001", "OK 0x0000000000000000");
    assert_answer("readb 0x3000", "OK 0x0000000000000068");
}

static void the_largest_block_moves_whole(void **state)
{
    const size_t size = 1 << 20;
    g_autoptr(GString) command = g_string_new(NULL);
    g_autofree char *line = NULL;

    (void)state;
    g_string_printf(command, "write 0x0 0x%zx 0x", size);
    for (size_t i = 0; i < size; i++) {
        g_string_append(command, "aa");
    }
    assert_answer(command->str, "OK");
    assert_answer("readb 0xfffff", "OK 0x00000000000000aa");
    assert_answer("readb 0x100000", "OK 0x0000000000000000");
    send_bytes("read 0 0x100000\n", strlen("read 0 0x100000\n"));
    line = receive();
    assert_int_equal(strlen(line), 2 * size + strlen("OK 0x"));
}

static void a_wrong_line_is_answered_and_the_next_one_works(void **state)
{
    static const char *const wrong[] = {
        "",
        "   ",
        "frobnicate",
        "inb",
        "inb 1 2",
        "inb x",
        "inb -1",
        "inb 0x10000",
        "inb 99999999999999999999999",
        "outb 0x100 256",
        "outw 0x100 0x10000",
        "outl 0x100 0x100000000",
        "readb 0x10000000000000000",
        "read 0 0",
        "read 0 0x100001",
        "read 0xffffffffffffffff 2",
        "write 0 2 0x00",
        "write 0 1 00",
        "write 0 1 0xzz",
        "b64write 0 5 aGVsbG8",
        "b64write 0 4 aGVsbG8=",
        "b64write 0 5 aGVs!G8=",
        "memset 0 0xffffffffffffffff 0",
        "memset 0 1 256",
        "clock_step",
        "clock_step x",
        "clock_step 0xffffffffffffffff",
        "clock_set -5",
        "irq_intercept_in /nowhere",
        "irq_intercept_out /objects/qtest",
        "set_irq_in /machine/peripheral/toy unnamed-gpio-in 2 1",
        "set_irq_in /machine/peripheral/toy nobody 0 1",
        "set_irq_in /machine/peripheral/toy unnamed-gpio-in 0xffffffff 1",
        "set_irq_in toy named 0",
        "a b c d e f g h i j k",
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        assert_fails(wrong[i]);
        assert_answer("endianness", "OK little");
    }
    assert_int_equal(bench.toy->data, 0);
}

static void zero_bytes_and_endless_lines_are_refused(void **state)
{
    static char flood[3 << 20];

    (void)state;
    send_bytes("inb 0x100\0 1\n", 13);
    assert_line("FAIL a zero byte in the line");
    memset(flood, 'x', sizeof(flood));
    send_bytes(flood, sizeof(flood));
    send_bytes("\n", 1);
    assert_line("FAIL a line of more than 2097408 bytes");
    assert_answer("endianness\r", "OK little");
}

static void commands_may_come_many_at_once_or_in_pieces(void **state)
{
    GString *many = g_string_new(NULL);

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        g_string_append_printf(many, "outl 0x100 %u\ninl 0x100\n", i);
    }
    send_bytes(many->str, many->len);
    for (unsigned i = 0; i < 1000; i++) {
        char expected[32];

        snprintf(expected, sizeof(expected), "OK 0x%016x", i);
        assert_line("OK");
        assert_line(expected);
    }
    g_string_free(many, TRUE);
    for (const char *p = "inl 0x100\n"; *p; p++) {
        send_bytes(p, 1);
    }
    assert_line("OK 0x00000000000003e7");
}

static void a_test_that_does_not_read_does_not_fill_the_memory(void **state)
{
    static const char command[] = "read 0 0x100000\n";
    unsigned sent = 0;

    (void)state;
    /* Each asks for 2 MiB; what is not read stays where it is, and the commands after it too. */
    for (unsigned i = 0; i < 20; i++) {
        if (send(bench.sock, command, strlen(command), MSG_NOSIGNAL) == (ssize_t)strlen(command)) {
            sent++;
        }
        main_loop_wait(false);
    }
    assert_int_equal(sent, 20);
    for (unsigned i = 0; i < sent; i++) {
        g_autofree char *line = receive();

        assert_int_equal(strlen(line), (2 << 20) + strlen("OK 0x"));
    }
    assert_answer("endianness", "OK little");
}

static void time_stands_still_but_for_commands(void **state)
{
    (void)state;
    assert_answer("clock_step 0", "OK 0x0000000000000000");
    assert_answer("outl 0x108 1000", "OK");
    assert_answer("clock_step 999", "OK 0x00000000000003e7");
    assert_int_equal(bench.toy->fired, 0);
    assert_answer("clock_step 1", "OK 0x00000000000003e8");
    assert_int_equal(bench.toy->fired, 1);
    assert_answer("outl 0x108 2000", "OK");
    assert_answer("clock_step", "OK 0x0000000000000bb8");
    assert_int_equal(bench.toy->fired, 2);
    assert_answer("clock_set 5000", "OK 0x0000000000001388");
    assert_answer("clock_set 10", "OK 0x0000000000001388");
}

static void nothing_is_done_after_the_guest_has_asked_for_the_end(void **state)
{
    (void)state;
    send_bytes("outl 0x100 1\noutl 0x10c 3\noutl 0x100 2\n", 39);
    assert_line("OK");
    assert_line("OK");
    assert_int_equal(qemu_main_loop(), 3);
    assert_int_equal(bench.toy->data, 1);
}

static void hanging_up_ends_the_program_with_status_0(void **state)
{
    (void)state;
    send_bytes("outl 0x100 1\n", 13);
    close(bench.sock);
    bench.sock = -1;
    assert_int_equal(qemu_main_loop(), 0);
    assert_int_equal(bench.toy->data, 1);
}

static void an_address_that_leads_nowhere_is_told(void **state)
{
    static const char *const addresses[] = { "unix:/nonexistent/socket", "unix:", "tcp:1", "" };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(addresses); i++) {
        GError *error = NULL;

        assert_null(object_new_with_props(TYPE_QTEST, object_get_objects_root(), "second", &error,
                                          "address", addresses[i], NULL));
        assert_non_null(error);
        g_error_free(error);
    }
    assert_null(object_resolve_path("/objects/second", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_port_is_written_and_read_in_its_sizes),
        TEST(what_nothing_answers_reads_as_ones),
        TEST(memory_is_written_and_read_in_its_sizes),
        TEST(blocks_of_memory_move),
        TEST(the_largest_block_moves_whole),
        TEST(a_wrong_line_is_answered_and_the_next_one_works),
        TEST(zero_bytes_and_endless_lines_are_refused),
        TEST(commands_may_come_many_at_once_or_in_pieces),
        TEST(a_test_that_does_not_read_does_not_fill_the_memory),
        TEST(time_stands_still_but_for_commands),
        TEST(nothing_is_done_after_the_guest_has_asked_for_the_end),
        TEST(hanging_up_ends_the_program_with_status_0),
        TEST(an_address_that_leads_nowhere_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
