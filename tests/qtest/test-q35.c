/* SPDX-License-Identifier: MIT */
/*
 * The machine "q35", driven without a CPU: its bridges (mch: configuration spaces in memory;
 * ICH9-LPC: pins of the PCI bus led to the IOAPIC and to lines of isa.0, port 0xcf9), a root port.
 */
#include "tests/qtest/pci-qtest.h"

#define HOST DEVFN(0, 0)
#define LPC DEVFN(31, 0)
#define PCIEXBAR 0x60
#define WINDOW UINT64_C(0xb0000000)

/* The register @reg of a function in the window. */
static uint64_t at(unsigned bus, unsigned devfn, unsigned reg)
{
    return WINDOW | bus << 20 | devfn << 12 | reg;
}

static QTestState *begin_q35(const char *more)
{
    QTestState *s = qtest_initf("-M q35 %s", more);

    config_writel(s, HOST, PCIEXBAR, WINDOW | 1);
    return s;
}

static void the_bridges_are_those_of_a_q35_with_an_ich9(void **state)
{
    QTestState *s = begin_q35("");

    (void)state;
    assert_int_equal(config_readl(s, HOST, PCI_VENDOR_ID), 0x29c08086);
    assert_int_equal(config_readl(s, HOST, PCI_CLASS_REVISION) >> 8, 0x060000);
    assert_int_equal(config_readl(s, LPC, PCI_VENDOR_ID), 0x29188086);
    assert_int_equal(config_readl(s, LPC, PCI_CLASS_REVISION) >> 8, 0x060100);
    assert_int_equal(qtest_quit(s), 0);
}

static void the_window_and_the_ports_show_the_same(void **state)
{
    QTestState *s = begin_q35("-device edu,addr=4");

    (void)state;
    for (unsigned reg = 0; reg < 256; reg += 4) {
        assert_int_equal(qtest_readl(s, at(0, HOST, reg)), config_readl(s, HOST, reg));
        assert_int_equal(qtest_readl(s, at(0, DEVFN(4, 0), reg)),
                         config_readl(s, DEVFN(4, 0), reg));
    }
    assert_int_equal(qtest_readb(s, at(0, LPC, 3)), 0x29);
    assert_int_equal(qtest_readw(s, at(0, LPC, 2)), 0x2918);
    qtest_writeb(s, at(0, LPC, 0x60), 11);
    assert_int_equal(config_readb(s, LPC, 0x60), 11);
    /* A device of the old kind has no more; nobody is elsewhere. */
    assert_int_equal(qtest_readl(s, at(0, DEVFN(4, 0), 0x100)), UINT32_MAX);
    assert_int_equal(qtest_readl(s, at(0, DEVFN(4, 0), 0xffc)), UINT32_MAX);
    assert_int_equal(qtest_readl(s, at(0, DEVFN(5, 0), 0)), UINT32_MAX);
    assert_int_equal(qtest_readl(s, at(255, DEVFN(31, 7), 0xffc)), UINT32_MAX);
    qtest_writel(s, at(0, DEVFN(4, 0), 0x100), 0);
    assert_int_equal(qtest_quit(s), 0);
}

static void the_window_is_where_its_register_says(void **state)
{
    QTestState *s = qtest_init("-M q35");

    (void)state;
    assert_int_equal(qtest_readl(s, at(0, HOST, 0)), UINT32_MAX);
    config_writel(s, HOST, PCIEXBAR, WINDOW | 1);
    assert_int_equal(qtest_readl(s, at(0, HOST, 0)), 0x29c08086);
    /* 64 buses, then 128. */
    config_writel(s, HOST, PCIEXBAR, 0xe4000000 | 2 << 1 | 1);
    assert_int_equal(qtest_readl(s, at(0, HOST, 0)), UINT32_MAX);
    assert_int_equal(qtest_readl(s, 0xe4000000), 0x29c08086);
    config_writel(s, HOST, PCIEXBAR, 0xe4000000 | 1 << 1 | 1);
    assert_int_equal(qtest_readl(s, 0xe0000000), 0x29c08086);
    /* From within the window it moves above 4 GiB, and is switched off there. */
    qtest_writel(s, 0xe0000000 + PCIEXBAR + 4, 0xf);
    assert_int_equal(qtest_readl(s, 0xe0000000), UINT32_MAX);
    assert_int_equal(qtest_readl(s, UINT64_C(0xfe0000000)), 0x29c08086);
    qtest_writel(s, UINT64_C(0xfe0000000) + PCIEXBAR, 0);
    assert_int_equal(qtest_readl(s, UINT64_C(0xfe0000000)), UINT32_MAX);
    assert_int_equal(config_readl(s, HOST, PCIEXBAR + 4), 0xf);
    assert_int_equal(qtest_quit(s), 0);
}

static void over_ram_there_is_no_window(void **state)
{
    QTestState *s = qtest_init("-M q35 -m 512M");

    (void)state;
    qtest_writel(s, 0x10000000, 0x12345678);
    config_writel(s, HOST, PCIEXBAR, 0x10000000 | 1);
    assert_int_equal(qtest_readl(s, 0x10000000), 0x12345678);
    config_writel(s, HOST, PCIEXBAR, 1);
    qtest_writel(s, 0, 1);
    assert_int_equal(qtest_readl(s, 0), 1);
    assert_int_equal(qtest_quit(s), 0);
}

static void a_reset_closes_the_window(void **state)
{
    QTestState *s = begin_q35("");

    (void)state;
    qtest_outb(s, 0xcf9, 6);
    assert_int_equal(qtest_readl(s, at(0, HOST, 0)), UINT32_MAX);
    assert_int_equal(config_readl(s, HOST, PCIEXBAR), 0xb0000000);
    assert_int_equal(qtest_quit(s), 0);
}

static void a_pin_leads_to_the_ioapic_and_to_the_chosen_line(void **state)
{
    QTestState *s = begin_q35("-device edu,addr=4");

    (void)state;
    qtest_irq_intercept_in(s, "/machine/pic");
    enable_at(s, DEVFN(4, 0), 0xe0000000);
    /* Device 4, pin A: PIRQE. */
    qtest_writel(s, 0xe0000060, 1);
    assert_true(qtest_get_irq(s, 20));
    assert_false(qtest_get_irq(s, 10));
    config_writeb(s, LPC, 0x68, 10);
    assert_true(qtest_get_irq(s, 10));
    qtest_writel(s, 0xe0000064, 1);
    assert_false(qtest_get_irq(s, 20));
    assert_false(qtest_get_irq(s, 10));
    assert_int_equal(qtest_quit(s), 0);
}

/* The link that pin A of @slot leads to: E to H, but those of the chipset's own devices. */
static unsigned link_of(unsigned slot)
{
    return slot < 25 ? 4 + slot % 4 : 0;
}

static void each_slot_has_its_pin_on_its_link(void **state)
{
    static const unsigned slots[] = { 2, 3, 4, 5, 24, 25, 30 };
    QTestState *s = begin_q35("-device edu,addr=2 -device edu,addr=3 -device edu,addr=4 "
                              "-device edu,addr=5 -device edu,addr=18 -device edu,addr=19 "
                              "-device edu,addr=1e");

    (void)state;
    qtest_irq_intercept_in(s, "/machine/pic");
    for (unsigned n = 0; n < G_N_ELEMENTS(slots); n++) {
        uint32_t bar = 0xe0000000 + (slots[n] << 20);
        unsigned link = link_of(slots[n]), reg = link < 4 ? 0x60 + link : 0x68 + link - 4;

        enable_at(s, DEVFN(slots[n], 0), bar);
        config_writeb(s, LPC, reg, 11);
        qtest_writel(s, bar + 0x60, 1);
        for (unsigned i = 0; i < 8; i++) {
            assert_int_equal(qtest_get_irq(s, 16 + i), i == link);
        }
        assert_true(qtest_get_irq(s, 11));
        config_writeb(s, LPC, reg, 0x80);
        assert_false(qtest_get_irq(s, 11));
        assert_true(qtest_get_irq(s, 16 + link));
        qtest_writel(s, bar + 0x64, 1);
        assert_false(qtest_get_irq(s, 16 + link));
    }
    assert_int_equal(qtest_quit(s), 0);
}

static void port_0xcf9_switches_the_links_off(void **state)
{
    QTestState *s = begin_q35("");

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        config_writeb(s, LPC, (i < 4 ? 0x60 : 0x64) + i, 10);
    }
    config_writel(s, LPC, 0xf0, 0xfed1c001);
    qtest_outb(s, 0xcf9, 0x02);
    assert_int_equal(qtest_inb(s, 0xcf9), 0x02);
    assert_int_equal(config_readb(s, LPC, 0x6b), 10);
    assert_int_equal(config_readl(s, LPC, 0xf0), 0xfed1c001);
    qtest_outb(s, 0xcf9, 0x06);
    assert_int_equal(qtest_inb(s, 0xcf9), 0);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(config_readb(s, LPC, (i < 4 ? 0x60 : 0x64) + i), 0x80);
    }
    assert_int_equal(config_readl(s, LPC, 0xf0), 0);
    assert_int_equal(qtest_quit(s), 0);
}

static void a_root_port_leads_to_one_device(void **state)
{
    QTestState *s = begin_q35("-device pcie-root-port,id=rp,addr=2,slot=7 -device edu,bus=rp");
    unsigned port = DEVFN(2, 0), cap = qtest_readb(s, at(0, port, PCI_CAPABILITY_LIST));

    (void)state;
    assert_int_equal(qtest_readl(s, at(0, port, 0)), 0x000c1b36);
    assert_int_equal(qtest_readb(s, at(0, port, cap)), PCI_CAP_ID_EXP);
    assert_int_equal(qtest_readw(s, at(0, port, cap + PCI_EXP_FLAGS)), 0x0142);
    assert_int_equal(qtest_readl(s, at(0, port, cap + PCI_EXP_SLTCAP)) >> 19, 7);
    assert_int_equal(qtest_readw(s, at(0, port, cap + PCI_EXP_SLTSTA)), PCI_EXP_SLTSTA_PDS);
    qtest_writel(s, at(0, port, PCI_PRIMARY_BUS), 0x00010100);
    assert_int_equal(qtest_readl(s, at(1, 0, 0)), 0x11e81234);
    assert_int_equal(qtest_readl(s, at(1, DEVFN(1, 0), 0)), UINT32_MAX);
    /* Its memory shows when the port lets it. */
    qtest_writel(s, at(1, 0, PCI_BASE_ADDRESS_0), 0xe0000000);
    qtest_writew(s, at(1, 0, PCI_COMMAND), PCI_COMMAND_MEMORY);
    assert_int_equal(qtest_readl(s, 0xe0000000), UINT32_MAX);
    qtest_writel(s, at(0, port, PCI_MEMORY_BASE), 0xe000e000);
    qtest_writew(s, at(0, port, PCI_COMMAND), PCI_COMMAND_MEMORY);
    assert_int_equal(qtest_readl(s, 0xe0000000), 0x010000ed);
    assert_int_equal(qtest_quit(s), 0);
}

static void every_size_at_every_offset_does_no_harm(void **state)
{
    QTestState *s = begin_q35("-device pcie-root-port,addr=2");

    (void)state;
    for (unsigned reg = 0; reg < 0x108; reg++) {
        qtest_writeb(s, at(0, DEVFN(2, 0), reg), 0xff);
        qtest_writew(s, at(0, DEVFN(2, 0), reg), 0xffff);
        qtest_writel(s, at(0, DEVFN(2, 0), reg), 0);
        qtest_writeq(s, at(0, DEVFN(2, 0), reg), UINT64_MAX);
        qtest_readb(s, at(0, DEVFN(2, 0), reg));
        qtest_readq(s, at(0, DEVFN(2, 0), reg));
    }
    assert_int_equal(config_readl(s, DEVFN(2, 0), 0), 0x000c1b36);
    assert_int_equal(qtest_quit(s), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bridges_are_those_of_a_q35_with_an_ich9),
        cmocka_unit_test(the_window_and_the_ports_show_the_same),
        cmocka_unit_test(the_window_is_where_its_register_says),
        cmocka_unit_test(over_ram_there_is_no_window),
        cmocka_unit_test(a_reset_closes_the_window),
        cmocka_unit_test(a_pin_leads_to_the_ioapic_and_to_the_chosen_line),
        cmocka_unit_test(each_slot_has_its_pin_on_its_link),
        cmocka_unit_test(port_0xcf9_switches_the_links_off),
        cmocka_unit_test(a_root_port_leads_to_one_device),
        cmocka_unit_test(every_size_at_every_offset_does_no_harm),
    };

    return cmocka_run_group_tests(tests, qtest_group_begin, NULL);
}
