/* SPDX-License-Identifier: MIT */
/* The small ports of a PC, driven without a CPU: 0x80, 0x92, and the one that tells of a panic. */
#include <stdlib.h>
#include <string.h>
#include "tests/qtest/qtest-test.h"

#define PANIC_PORT 0x505

static void port_0x80_forgets_what_is_written(void **state)
{
    QTestState *s = qtest_init("-M bare -serial null -device ioport80");

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        qtest_outb(s, 0x80, i);
        assert_int_equal(qtest_inb(s, 0x80), 0xff);
    }
    qtest_outw(s, 0x80, 1);
    qtest_outl(s, 0x80, 1);
    assert_int_equal(qtest_quit(s), 0);
}

static void port_0x92_keeps_what_is_written(void **state)
{
    QTestState *s = qtest_init("-M bare -serial null -device port92");

    (void)state;
    assert_int_equal(qtest_inb(s, 0x92), 2);
    qtest_outb(s, 0x92, 0);
    assert_int_equal(qtest_inb(s, 0x92), 0);
    qtest_outb(s, 0x92, 0x0c);
    assert_int_equal(qtest_inb(s, 0x92), 0x0c);
    assert_int_equal(qtest_quit(s), 0);
}

static void port_0x92_resets_the_machine_when_its_bit_goes_up(void **state)
{
    QTestState *s = qtest_init("-M bare -serial null -device port92");

    (void)state;
    qtest_outb(s, 0x92, 3);
    for (unsigned i = 0; i < 1000 && qtest_inb(s, 0x92) != 2; i++) {
        /* The main loop has its turn between two commands of the tester. */
    }
    assert_int_equal(qtest_inb(s, 0x92), 2);
    assert_int_equal(qtest_quit(s), 0);
    s = qtest_init("-M bare -serial null -device port92 -no-reboot");
    qtest_outb(s, 0x92, 2);
    qtest_outb(s, 0x92, 1);
    assert_int_equal(qtest_wait(s), 0);
    assert_int_equal(qtest_quit(s), 0);
}

static void a_panic_ends_the_program_with_a_failure(void **state)
{
    QTestState *s = qtest_init("-M bare -serial null -device pvpanic");

    (void)state;
    assert_int_equal(qtest_inb(s, PANIC_PORT), 3);
    qtest_outb(s, PANIC_PORT, 0);
    qtest_outb(s, PANIC_PORT, 0xfc); /* events that nobody knows */
    qtest_outb(s, PANIC_PORT, 2);    /* a crash kernel runs: nothing ends */
    assert_int_equal(qtest_inb(s, PANIC_PORT), 3);
    qtest_outb(s, PANIC_PORT, 0xff);
    assert_int_equal(qtest_wait(s), 1);
    qtest_quit(s);
}

static void a_panic_may_change_nothing(void **state)
{
    QTestState *s = qtest_init("-M bare -serial null -device pvpanic -action panic=none");

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        qtest_outb(s, PANIC_PORT, 1);
    }
    assert_int_equal(qtest_inb(s, PANIC_PORT), 3);
    assert_int_equal(qtest_quit(s), 0);
}

static void what_pvpanic_takes_and_where_is_given(void **state)
{
    QTestState *s = qtest_init("-M bare -serial null -device pvpanic,ioport=0x600,events=2");

    (void)state;
    assert_int_equal(qtest_inb(s, 0x600), 2);
    qtest_outb(s, 0x600, 1); /* not taken */
    assert_int_equal(qtest_inb(s, 0x600), 2);
    assert_int_equal(qtest_quit(s), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_0x80_forgets_what_is_written),
        cmocka_unit_test(port_0x92_keeps_what_is_written),
        cmocka_unit_test(port_0x92_resets_the_machine_when_its_bit_goes_up),
        cmocka_unit_test(a_panic_ends_the_program_with_a_failure),
        cmocka_unit_test(a_panic_may_change_nothing),
        cmocka_unit_test(what_pvpanic_takes_and_where_is_given),
    };

    return cmocka_run_group_tests(tests, qtest_group_begin, NULL);
}
