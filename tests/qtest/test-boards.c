/* SPDX-License-Identifier: MIT */
/*
 * The ports of the three teaching guests, driven without a CPU: they print what the guests make
 * them print.
 */
#include <stdlib.h>
#include <string.h>
#include "tests/qtest/qtest-test.h"

/* Ends the program, which must end well and have printed @output. */
static void assert_prints(QTestState *s, const char *output)
{
    char *text = qtest_output(s);

    assert_string_equal(text, output);
    free(text);
    assert_int_equal(qtest_quit(s), 0);
}

static void a_debug_console_prints_what_is_written(void **state)
{
    QTestState *s = qtest_init("-M bare -nodefaults -device isa-debugcon,iobase=0xf1");

    (void)state;
    qtest_outb(s, 0xf1, 'H');
    qtest_outb(s, 0xf1, 'i');
    qtest_outb(s, 0xf1, '\n');
    assert_prints(s, "Hi\n");
}

static void a_debug_console_reads_as_its_property_says(void **state)
{
    QTestState *s = qtest_init("-M bare -nodefaults -device isa-debugcon "
                               "-device isa-debugcon,iobase=0x402,readback=0x55");

    (void)state;
    assert_int_equal(qtest_inb(s, 0xe9), 0xe9);
    assert_int_equal(qtest_inb(s, 0x402), 0x55);
    assert_prints(s, "");
}

static void a_debug_console_prints_to_its_chardev(void **state)
{
    QTestState *s = qtest_init("-M bare -nodefaults -chardev ringbuf,id=r,size=64 "
                               "-device isa-debugcon,iobase=0xf1,chardev=r");

    (void)state;
    qtest_outb(s, 0xf1, 'x');
    assert_prints(s, "");
}

static void the_serial_port_prints_what_is_written(void **state)
{
    QTestState *s = qtest_init("-M bare");

    (void)state;
    qtest_outb(s, 0x3f8, '4');
    qtest_outb(s, 0x3f8, '\n');
    assert_prints(s, "4\n");
}

static void a_port_logger_prints_and_ends_after_its_limit(void **state)
{
    QTestState *s =
        qtest_init("-M bare -nodefaults -device port-logger,iobase=0x10,iosize=2,limit=5");
    char *text;

    (void)state;
    for (uint16_t i = 0; i < 5; i++) {
        qtest_outw(s, 0x10, i);
    }
    assert_int_equal(qtest_wait(s), 0);
    text = qtest_output(s);
    assert_string_equal(text, "port 0x10 <- 0x0000\nport 0x10 <- 0x0001\nport 0x10 <- 0x0002\n"
                              "port 0x10 <- 0x0003\nport 0x10 <- 0x0004\n");
    free(text);
    assert_int_equal(qtest_quit(s), 0);
}

static void an_exit_device_gives_the_status(void **state)
{
    static const struct {
        const char *args;
        uint16_t port;
        uint8_t value;
        int status;
    } rows[] = {
        { "-device isa-debug-exit", 0x501, 0, 1 },
        { "-device isa-debug-exit", 0x501, 1, 3 },
        { "-device isa-debug-exit,iobase=0xf4,iosize=4", 0xf4, 0x10, 0x21 },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        QTestState *s = qtest_initf("-M bare -nodefaults %s", rows[i].args);

        qtest_outb(s, rows[i].port, rows[i].value);
        assert_int_equal(qtest_wait(s), rows[i].status);
        assert_int_equal(qtest_quit(s), rows[i].status);
    }
}

static void memory_is_there_from_0(void **state)
{
    QTestState *s = qtest_init("-M bare -nodefaults -m 1");
    static uint8_t in[200000], out[200000];

    (void)state;
    for (unsigned i = 0; i < sizeof(in); i++) {
        in[i] = (uint8_t)(i * 7);
    }
    qtest_memwrite(s, 0x123, in, sizeof(in));
    qtest_memread(s, 0x123, out, sizeof(out));
    assert_memory_equal(in, out, sizeof(in));
    qtest_memset(s, 0, 0xab, 16);
    assert_int_equal(qtest_readq(s, 8), 0xabababababababab);
    qtest_writel(s, (1 << 20) - 4, 0x12345678);
    assert_int_equal(qtest_readw(s, (1 << 20) - 2), 0x1234);
    assert_int_equal(qtest_readb(s, 1 << 20), 0xff);
    assert_prints(s, "");
}

static void the_words_of_a_command_that_fails_are_told(void **state)
{
    QTestState *s = qtest_init("-M none");
    char *answer = qtest_command(s, "inb %d", 0x10000);

    (void)state;
    assert_string_equal(answer, "FAIL address 0x10000 is more than 0xffff");
    free(answer);
    assert_int_equal(qtest_clock_step(s, 1000), 1000);
    assert_int_equal(qtest_clock_set(s, 5000), 5000);
    assert_false(qtest_big_endian(s));
    assert_int_equal(qtest_quit(s), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_debug_console_prints_what_is_written),
        cmocka_unit_test(a_debug_console_reads_as_its_property_says),
        cmocka_unit_test(a_debug_console_prints_to_its_chardev),
        cmocka_unit_test(the_serial_port_prints_what_is_written),
        cmocka_unit_test(a_port_logger_prints_and_ends_after_its_limit),
        cmocka_unit_test(an_exit_device_gives_the_status),
        cmocka_unit_test(memory_is_there_from_0),
        cmocka_unit_test(the_words_of_a_command_that_fails_are_told),
    };

    return cmocka_run_group_tests(tests, qtest_group_begin, NULL);
}
