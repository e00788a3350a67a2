/* SPDX-License-Identifier: MIT */
/* A test of the device beside it, without a guest: PORT_COUNTER_MODULE names the module, QOMET the program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <qomet/qtest.h>

static QTestState *start(const char *properties)
{
    return qtest_initf("-M bare -nodefaults -module %s -device port-counter%s",
                       getenv("PORT_COUNTER_MODULE"), properties);
}

static void each_write_adds_one(void **state)
{
    QTestState *s = start("");

    (void)state;
    assert_int_equal(qtest_inl(s, 0x600), 0);
    qtest_outb(s, 0x600, 0xff);
    qtest_outl(s, 0x600, 0);
    assert_int_equal(qtest_inl(s, 0x600), 2);
    assert_int_equal(qtest_quit(s), 0);
}

static void the_step_and_the_port_are_properties(void **state)
{
    QTestState *s = start(",iobase=0x700,step=5");

    (void)state;
    qtest_outw(s, 0x702, 0);
    assert_int_equal(qtest_inl(s, 0x700), 5);
    assert_int_equal(qtest_inl(s, 0x600), 0xffffffff);
    assert_int_equal(qtest_quit(s), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_write_adds_one),
        cmocka_unit_test(the_step_and_the_port_are_properties),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
