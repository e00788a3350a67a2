/* SPDX-License-Identifier: MIT */
/*
 * The example boards, driven without a CPU: the teaching board prints what its three guests make it
 * print, and on the party line two serial ports pull at one interrupt line.
 */
#include <stdlib.h>
#include <string.h>
#include "tests/qtest/qtest-test.h"

#define COM1 0x3f8
#define COM2 0x2f8
#define IER 1
#define IIR 2
#define IER_THRE 2
#define SHARED_LINE 4

/* The board of the example @name with @words. */
static QTestState *start(const char *name, const char *words)
{
    return qtest_initf("-board %s/examples/boards/%s.board -M %s%s", getenv("abs_top_srcdir"), name,
                       name, words);
}

static void assert_prints(QTestState *s, const char *output)
{
    char *text = qtest_output(s);

    assert_string_equal(text, output);
    free(text);
    assert_int_equal(qtest_quit(s), 0);
}

static void the_teaching_board_says_hi(void **state)
{
    QTestState *s = start("teaching", " -device isa-debugcon,iobase=0xf1");

    (void)state;
    qtest_outb(s, 0xf1, 'H');
    qtest_outb(s, 0xf1, 'i');
    qtest_outb(s, 0xf1, '\n');
    assert_prints(s, "Hi\n");
}

static void the_teaching_board_has_a_serial_port(void **state)
{
    QTestState *s = start("teaching", "");

    (void)state;
    qtest_outb(s, COM1, '4');
    qtest_outb(s, COM1, '\n');
    assert_prints(s, "4\n");
}

static void the_teaching_board_counts(void **state)
{
    QTestState *s = start("teaching", " -device port-logger,iobase=0x10,iosize=2,limit=3");

    (void)state;
    for (uint16_t i = 0; i < 3; i++) {
        qtest_outw(s, 0x10, i);
    }
    assert_int_equal(qtest_wait(s), 0);
    assert_prints(s, "port 0x10 <- 0x0000\nport 0x10 <- 0x0001\nport 0x10 <- 0x0002\n");
}

static void the_teaching_board_has_ram_on_both_sides_of_the_hole(void **state)
{
    QTestState *s = start("teaching", " -m 4G");

    (void)state;
    qtest_writeq(s, 0xbffffff8, 1);
    qtest_writeq(s, 0x100000000, 2);
    assert_int_equal(qtest_readq(s, 0xbffffff8), 1);
    assert_int_equal(qtest_readq(s, 0x100000000), 2);
    assert_int_equal(qtest_readb(s, 0xc0000000), 0xff);
    assert_prints(s, "");
}

static void two_serial_ports_share_a_line(void **state)
{
    QTestState *s = start("party-line", " -serial null -serial null");

    (void)state;
    qtest_irq_intercept_in(s, "/machine/pic");
    assert_false(qtest_get_irq(s, SHARED_LINE));
    qtest_outb(s, COM1 + IER, IER_THRE); /* at once: the transmitter is empty */
    assert_true(qtest_get_irq(s, SHARED_LINE));
    qtest_outb(s, COM2 + IER, IER_THRE);
    assert_int_equal(qtest_inb(s, COM1 + IIR) & 0xf, 2); /* which ends the interrupt of the first */
    assert_true(qtest_get_irq(s, SHARED_LINE));
    assert_int_equal(qtest_inb(s, COM2 + IIR) & 0xf, 2);
    assert_false(qtest_get_irq(s, SHARED_LINE));
    assert_false(qtest_get_irq(s, 3));
    assert_prints(s, "");
}

static void what_is_written_to_the_logger_is_printed(void **state)
{
    QTestState *s = start("party-line", " -serial null");

    (void)state;
    qtest_outb(s, 0x80, 0x5a);
    qtest_outb(s, COM2, 'x'); /* nobody was told where the second port leads */
    assert_prints(s, "port 0x80 <- 0x5a\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_teaching_board_says_hi),
        cmocka_unit_test(the_teaching_board_has_a_serial_port),
        cmocka_unit_test(the_teaching_board_counts),
        cmocka_unit_test(the_teaching_board_has_ram_on_both_sides_of_the_hole),
        cmocka_unit_test(two_serial_ports_share_a_line),
        cmocka_unit_test(what_is_written_to_the_logger_is_printed),
    };

    return cmocka_run_group_tests(tests, qtest_group_begin, NULL);
}
