/* SPDX-License-Identifier: MIT */
/*
 * A guest that means no good, on whole PCs: every register of every function, BARs over everything
 * that there is, and registers of the small devices with every size. What was there is there after.
 */
#include "tests/qtest/pci-qtest.h"

#define EDU DEVFN(4, 0)
#define TESTDEV DEVFN(5, 0)
#define EDU_ID 0x010000ed
#define BAR 0xe0000000u
#define PORTS 0xc000u
#define RESET 0x06 /* at port 0xcf9 */

#define DEVICES "-device edu,addr=4 -device pci-testdev,addr=5,membar=64K "

static void write_sized(QTestState *s, uint64_t addr, unsigned size, uint64_t value)
{
    switch (size) {
    case 1:
        qtest_writeb(s, addr, (uint8_t)value);
        break;
    case 2:
        qtest_writew(s, addr, (uint16_t)value);
        break;
    case 4:
        qtest_writel(s, addr, (uint32_t)value);
        break;
    default:
        qtest_writeq(s, addr, value);
    }
}

static void out_sized(QTestState *s, uint16_t port, unsigned size, uint32_t value)
{
    switch (size) {
    case 1:
        qtest_outb(s, port, (uint8_t)value);
        break;
    case 2:
        qtest_outw(s, port, (uint16_t)value);
        break;
    default:
        qtest_outl(s, port, value);
    }
}

static void access_memory(QTestState *s, uint64_t from, unsigned bytes)
{
    for (uint64_t addr = from; addr < from + bytes; addr++) {
        for (unsigned size = 1; size <= 8; size *= 2) {
            write_sized(s, addr, size, UINT64_MAX);
            write_sized(s, addr, size, 1);
        }
        qtest_readb(s, addr);
        qtest_readw(s, addr);
        qtest_readl(s, addr);
        qtest_readq(s, addr);
    }
}

static void access_ports(QTestState *s, uint16_t from, unsigned ports)
{
    for (unsigned n = 0; n < ports; n++) {
        const uint16_t port = (uint16_t)(from + n);

        for (unsigned size = 1; size <= 4; size *= 2) {
            out_sized(s, port, size, UINT32_MAX);
            out_sized(s, port, size, 1);
        }
        qtest_inb(s, port);
        qtest_inw(s, port);
        qtest_inl(s, port);
    }
}

/* ---- Configuration space ---- */

static void write_every_register(QTestState *s, unsigned bdf)
{
    static const uint32_t values[] = { UINT32_MAX, 0, 0xa5a5a5a5, 0xfee00001, 0x80000000 };

    for (unsigned reg = 0; reg < 256; reg++) {
        for (unsigned size = 1; size <= 4; size *= 2) {
            for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
                config_select(s, bdf, reg);
                out_sized(s, DATA + (reg & 3), size, values[i]);
            }
        }
    }
}

static void every_register_is_written(const char *words)
{
    QTestState *s = qtest_init(words);
    uint32_t numbers[256];

    for (unsigned bdf = 0; bdf < 256; bdf++) {
        numbers[bdf] = config_readl(s, bdf, PCI_VENDOR_ID);
    }
    for (unsigned bdf = 0; bdf < 256; bdf++) {
        if (numbers[bdf] != UINT32_MAX) {
            write_every_register(s, bdf);
        }
    }
    qtest_clock_step(s, 1000000000);
    for (unsigned bdf = 0; bdf < 256; bdf++) {
        assert_int_equal(config_readl(s, bdf, PCI_VENDOR_ID), numbers[bdf]);
    }
    qtest_outb(s, 0xcf9, RESET);
    enable_at(s, EDU, BAR);
    assert_int_equal(qtest_readl(s, BAR), EDU_ID);
    qtest_writel(s, 0x100000, 0x12345678);
    assert_int_equal(qtest_readl(s, 0x100000), 0x12345678);
    assert_int_equal(qtest_quit(s), 0);
}

static void every_register_of_every_function_takes_every_value(void **state)
{
    (void)state;
    every_register_is_written("-M pc " DEVICES "-device pci-bridge,addr=6,id=b -device edu,bus=b");
    every_register_is_written("-M q35 " DEVICES
                              "-device pcie-root-port,addr=6,id=p -device edu,bus=p");
}

/* ---- BARs ---- */

static void a_bar_may_be_anywhere_and_harms_nothing_there(void **state)
{
    static const uint32_t places[] = { 0,          0x1000,     0xa0000,    0xf0000,    0x100000,
                                       0x7f00000,  0x8000000,  0xb0000000, 0xfec00000, 0xfed00000,
                                       0xfee00000, 0xff000000, 0xfff00000 };
    QTestState *s = qtest_init("-M pc " DEVICES "-device pc-testdev");

    (void)state;
    qtest_writel(s, 0x1000, 0x11111111);
    qtest_writel(s, 0x7fffffc, 0x22222222);
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        enable_at(s, EDU, places[i]);
        enable_at(s, TESTDEV, places[i]);
        config_writel(s, TESTDEV, PCI_BASE_ADDRESS_1, places[i]); /* ports over ports */
        config_writel(s, TESTDEV, PCI_BASE_ADDRESS_2, places[i]);
        config_writel(s, TESTDEV, PCI_BASE_ADDRESS_3, i % 2 ? UINT32_MAX : 0);
        qtest_writeq(s, places[i] + 0x80, places[i]);
        qtest_writeq(s, places[i] + 0x88, 0x40000);
        qtest_writeq(s, places[i] + 0x90, 4096);
        qtest_writel(s, places[i] + 0x98, 1);
        qtest_clock_step(s, 200000000);
        qtest_readq(s, places[i]);
        /* Sized, and moved, while it is decoded. */
        config_writel(s, EDU, PCI_BASE_ADDRESS_0, UINT32_MAX);
        assert_int_equal(config_readl(s, EDU, PCI_BASE_ADDRESS_0), 0xfff00000);
    }
    config_writel(s, TESTDEV, PCI_COMMAND, 0);
    enable_at(s, EDU, BAR);
    assert_int_equal(qtest_readl(s, BAR), EDU_ID);
    qtest_writel(s, 0x1000, 0x11111111);
    assert_int_equal(qtest_readl(s, 0x1000), 0x11111111);
    assert_int_equal(qtest_readl(s, 0x7fffffc), 0x22222222);
    assert_int_equal(qtest_quit(s), 0);
}

/* ---- Small devices ---- */

static void every_size_at_every_offset_of_the_test_devices_does_no_harm(void **state)
{
    QTestState *s = qtest_init("-M pc " DEVICES "-device pc-testdev");

    (void)state;
    enable_at(s, TESTDEV, BAR);
    config_writel(s, TESTDEV, PCI_BASE_ADDRESS_1, PORTS);
    access_memory(s, BAR - 8, 40);
    access_memory(s, BAR + 2048 - 8, 16);
    access_memory(s, BAR + 4096 - 8, 16);
    access_ports(s, PORTS - 4, 24);
    access_ports(s, PORTS + 124, 12);
    access_ports(s, PORTS + 252, 8);
    access_memory(s, 0xff000000 - 8, 16);
    access_memory(s, 0xff010000 - 8, 16);
    access_ports(s, 0xe0 - 4, 20);
    access_ports(s, 0x2000 - 4, 32);
    qtest_writel(s, 0xff000000, 0x12345678);
    assert_int_equal(qtest_readl(s, 0xff000000), 0x12345678);
    qtest_outl(s, 0xe0, 0x12345678);
    assert_int_equal(qtest_inl(s, 0xe0), 0x12345678);
    assert_int_equal(qtest_quit(s), 0);
}

static void every_port_of_a_pc_takes_every_size(void **state)
{
    QTestState *s = qtest_init("-M pc -device pvpanic -action panic=none");

    (void)state;
    access_ports(s, 0, 0x100);
    access_ports(s, 0x4c0, 0x60);
    access_ports(s, 0xae00, 0x10);
    access_ports(s, 0xafd8, 0x20);
    qtest_clock_step(s, 1000000000);
    qtest_outb(s, 0xcf9, RESET);
    assert_int_equal(config_readl(s, DEVFN(1, 0), PCI_VENDOR_ID), 0x70008086);
    assert_int_equal(qtest_quit(s), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_register_of_every_function_takes_every_value),
        cmocka_unit_test(a_bar_may_be_anywhere_and_harms_nothing_there),
        cmocka_unit_test(every_size_at_every_offset_of_the_test_devices_does_no_harm),
        cmocka_unit_test(every_port_of_a_pc_takes_every_size),
    };

    return cmocka_run_group_tests(tests, qtest_group_begin, NULL);
}
