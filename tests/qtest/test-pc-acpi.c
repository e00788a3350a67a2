/* SPDX-License-Identifier: MIT */
/* The PC's power management, driven without a CPU: where it is, its interrupt, how it ends. */
#include "tests/qtest/pci-qtest.h"

#define PM DEVFN(1, 3)
#define PMBA 0x40
#define PMREGMISC 0x80

#define BASE 0x600
#define SCI 9

static void place(QTestState *s, uint16_t base)
{
    config_writel(s, PM, PMBA, base | 1);
    config_writel(s, PM, PMREGMISC, 1);
}

static void its_registers_are_where_the_guest_puts_them(void **state)
{
    QTestState *s = qtest_init("-M pc -nodefaults");

    (void)state;
    assert_int_equal(config_readl(s, PM, 0), 0x71138086);
    assert_int_equal(config_readl(s, PM, PMBA), 1);
    assert_int_equal(qtest_inl(s, BASE + 8), 0xffffffff);
    place(s, BASE);
    assert_int_equal(config_readl(s, PM, PMBA), BASE | 1);
    qtest_clock_step(s, 1000000000);
    assert_int_equal(qtest_inl(s, BASE + 8), 3579545);
    place(s, 0xb000);
    assert_int_equal(qtest_inl(s, BASE + 8), 0xffffffff);
    assert_int_equal(qtest_inl(s, 0xb008), 3579545);
    config_writel(s, PM, PMREGMISC, 0);
    assert_int_equal(qtest_inl(s, 0xb008), 0xffffffff);
    assert_int_equal(qtest_quit(s), 0);
}

/* Over other devices, over itself, at the end of the ports, over the registers that place it. */
static void it_may_be_put_anywhere(void **state)
{
    static const uint16_t places[] = { 0x0000, 0x0040, 0x0cc0, 0x0500, 0xafc0, 0xffc0, 0x0600 };
    QTestState *s = qtest_init("-M pc -nodefaults");

    (void)state;
    for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        place(s, places[i]);
        for (unsigned port = 0; port < 64; port += 2) {
            /* Switching off is what it is there for. */
            if (port != 4 && places[i] + port != 0x64 && places[i] + port != 0xcf8) {
                free(qtest_command(s, "inl 0x%x", places[i] + port));
            }
        }
    }
    assert_int_equal(qtest_inl(s, BASE + 8), 0);
    assert_int_equal(qtest_quit(s), 0);
}

static void its_events_are_line_9(void **state)
{
    QTestState *s = qtest_init("-M pc -nodefaults");

    (void)state;
    qtest_irq_intercept_in(s, "/machine/pic");
    place(s, BASE);
    qtest_outw(s, BASE + 2, 1); /* the timer's highest bit */
    assert_false(qtest_get_irq(s, SCI));
    qtest_clock_step(s, 2400000000);
    assert_true(qtest_get_irq(s, SCI));
    qtest_outw(s, BASE, 1);
    assert_false(qtest_get_irq(s, SCI));
    assert_int_equal(qtest_quit(s), 0);
}

static void it_switches_the_machine_off(void **state)
{
    QTestState *s = qtest_init("-M pc -nodefaults");

    (void)state;
    place(s, BASE);
    qtest_outb(s, 0xb2, 0xf1);
    assert_int_equal(qtest_inw(s, BASE + 4), 1);
    qtest_outw(s, BASE + 4, 1 << 13 | 1);
    assert_int_equal(qtest_wait(s), 0);
    qtest_quit(s);
}

static void without_acpi_there_is_none(void **state)
{
    QTestState *s = qtest_init("-M pc,acpi=off -nodefaults");

    (void)state;
    assert_int_equal(config_readl(s, PM, 0), 0xffffffff);
    qtest_outw(s, 0x510, 0x19);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(qtest_inb(s, 0x511), 0);
    }
    assert_int_equal(qtest_quit(s), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_registers_are_where_the_guest_puts_them),
        cmocka_unit_test(it_may_be_put_anywhere),
        cmocka_unit_test(its_events_are_line_9),
        cmocka_unit_test(it_switches_the_machine_off),
        cmocka_unit_test(without_acpi_there_is_none),
    };

    qtest_set_failure_handler(on_failure);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
