/* SPDX-License-Identifier: MIT */
/* The devices for learning and for test kernels: edu, pci-testdev, pc-testdev. */
#include "tests/qtest/pci-qtest.h"

#define BDF DEVFN(4, 0)
#define BAR 0xe0000000u
#define BUFFER UINT64_C(0x40000)

static QTestState *begin_edu(void)
{
    QTestState *s = qtest_init("-M pc -device edu,addr=4");

    enable_at(s, BDF, BAR);
    return s;
}

static void it_says_who_it_is(void **state)
{
    QTestState *s = begin_edu();

    (void)state;
    assert_int_equal(config_readl(s, BDF, PCI_VENDOR_ID), 0x11e81234);
    assert_int_equal(config_readl(s, BDF, PCI_CLASS_REVISION), 0x00ff0010);
    assert_int_equal(qtest_readl(s, BAR), 0x010000ed);
    qtest_writel(s, BAR + 4, 0x12345678);
    assert_int_equal(qtest_readl(s, BAR + 4), ~0x12345678u);
    /* Below 0x80 by four bytes only. */
    assert_int_equal(qtest_readb(s, BAR), 0xff);
    assert_true(qtest_readq(s, BAR) == UINT64_MAX);
    assert_int_equal(qtest_quit(s), 0);
}

static void a_factorial_takes_a_while(void **state)
{
    QTestState *s = begin_edu();
    static const uint32_t results[][2] = { { 0, 1 },          { 1, 1 },           { 5, 120 },
                                           { 12, 479001600 }, { 33, 0x80000000 }, { 34, 0 },
                                           { UINT32_MAX, 0 } };

    (void)state;
    qtest_irq_intercept_in(s, "/machine/pic");
    config_writeb(s, DEVFN(1, 0), 0x63, 11);
    for (size_t i = 0; i < G_N_ELEMENTS(results); i++) {
        qtest_writel(s, BAR + 0x20, 0x80);
        qtest_writel(s, BAR + 8, results[i][0]);
        assert_int_equal(qtest_readl(s, BAR + 0x20), 0x81);
        qtest_writel(s, BAR + 8, 3); /* one at a time */
        assert_false(qtest_get_irq(s, 11));
        qtest_clock_step(s, 1000000);
        assert_int_equal(qtest_readl(s, BAR + 0x20), 0x80);
        assert_int_equal(qtest_readl(s, BAR + 8), results[i][1]);
        assert_true(qtest_get_irq(s, 11));
        assert_int_equal(qtest_readl(s, BAR + 0x24), 1);
        qtest_writel(s, BAR + 0x64, 1);
        assert_false(qtest_get_irq(s, 11));
    }
    assert_int_equal(qtest_quit(s), 0);
}

static void dma(QTestState *s, uint64_t from, uint64_t to, uint64_t count, uint32_t command)
{
    qtest_writeq(s, BAR + 0x80, from);
    qtest_writeq(s, BAR + 0x88, to);
    qtest_writeq(s, BAR + 0x90, count);
    qtest_writel(s, BAR + 0x98, command);
    assert_int_equal(qtest_readl(s, BAR + 0x98), command);
    qtest_clock_step(s, 200000000);
    assert_int_equal(qtest_readl(s, BAR + 0x98), command & ~1u);
}

static void dma_goes_through_its_buffer(void **state)
{
    QTestState *s = begin_edu();

    (void)state;
    qtest_memset(s, 0x100000, 0x5a, 4096);
    dma(s, 0x100000, BUFFER, 4096, 1);
    dma(s, BUFFER + 16, 0x200000, 4080, 3);
    assert_int_equal(qtest_readl(s, 0x200000), 0x5a5a5a5a);
    assert_int_equal(qtest_readl(s, 0x200000 + 4076), 0x5a5a5a5a);
    assert_int_equal(qtest_readl(s, 0x200000 + 4080), 0);
    assert_int_equal(qtest_readl(s, BAR + 0x24), 0);
    dma(s, BUFFER, 0x200000, 4, 7);
    assert_int_equal(qtest_readl(s, BAR + 0x24), 0x100);
    assert_int_equal(qtest_quit(s), 0);
}

static void dma_that_leaves_its_buffer_or_ram_does_nothing(void **state)
{
    static const struct {
        uint64_t buffer, count;
    } wild[] = {
        { BUFFER - 1, 1 },          { BUFFER, 4097 },     { BUFFER + 1, 4096 },
        { BUFFER + 4096, 1 },       { BUFFER + 4097, 0 }, { 0, 1 },
        { UINT64_MAX, 1 },          { UINT64_MAX, 2 },    { BUFFER, UINT64_MAX },
        { BUFFER + 8, UINT64_MAX }, { BUFFER, -BUFFER },  { UINT64_MAX - 8, BUFFER + 16 },
    };
    QTestState *s = begin_edu();

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(wild); i++) {
        dma(s, 0x100000, wild[i].buffer, wild[i].count, 1);
        dma(s, wild[i].buffer, 0x100000, wild[i].count, 3);
    }
    assert_int_equal(qtest_readl(s, 0x100000), 0);
    /* Its own registers, the ROM, nothing at all, the end of RAM. */
    dma(s, BUFFER, BAR, 4096, 3);
    dma(s, BAR, BUFFER, 4096, 1);
    dma(s, BUFFER, 0xf0000, 64, 3);
    dma(s, BUFFER, 0xd0000000, 64, 3);
    dma(s, BUFFER, 128 * 1024 * 1024 - 8, 16, 3);
    assert_int_equal(qtest_readl(s, BAR), 0x010000ed);
    assert_int_equal(qtest_quit(s), 0);
}

static void without_bus_mastering_there_is_no_dma(void **state)
{
    QTestState *s = begin_edu();

    (void)state;
    config_writel(s, BDF, PCI_COMMAND, PCI_COMMAND_MEMORY);
    qtest_memset(s, 0x100000, 0x5a, 16);
    dma(s, BUFFER, 0x100000, 16, 3);
    assert_int_equal(qtest_readl(s, 0x100000), 0x5a5a5a5a);
    assert_int_equal(qtest_quit(s), 0);
}

static void every_size_at_every_offset_does_no_harm(void **state)
{
    QTestState *s = begin_edu();

    (void)state;
    for (unsigned offset = 0; offset < 0xa8; offset++) {
        qtest_writeb(s, BAR + offset, 0xff);
        qtest_writew(s, BAR + offset, 0xffff);
        qtest_writel(s, BAR + offset, 0xffffffff);
        qtest_writeq(s, BAR + offset, UINT64_MAX);
        qtest_readb(s, BAR + offset);
        qtest_readw(s, BAR + offset);
        qtest_readl(s, BAR + offset);
        qtest_readq(s, BAR + offset);
    }
    qtest_readq(s, BAR + 0xffffc);
    qtest_clock_step(s, 1000000000);
    assert_int_equal(qtest_readl(s, BAR), 0x010000ed);
    assert_int_equal(qtest_quit(s), 0);
}

static void it_comes_and_goes_while_its_timers_run(void **state)
{
    QTestState *s = begin_edu();

    (void)state;
    qtest_writel(s, BAR + 8, 5);
    qtest_writel(s, BAR + 0x98, 1);
    qtest_outb(s, 0xcf9, 6);
    qtest_clock_step(s, 1000000000);
    enable_at(s, BDF, BAR);
    assert_int_equal(qtest_readl(s, BAR + 8), 0);
    assert_int_equal(qtest_readl(s, BAR + 0x20), 0);
    assert_int_equal(qtest_quit(s), 0);
}

/* ---- Test devices ---- */

#define PORTS 0xc000

static void a_doorbell_is_counted_however_it_is_noticed(void **state)
{
    static const char *const names[] = { "mmio-no-eventfd", "mmio-wildcard-eventfd",
                                         "mmio-datamatch-eventfd" };
    QTestState *s = qtest_init("-M pc -device pci-testdev,addr=4");

    (void)state;
    enable_at(s, BDF, BAR);
    config_writel(s, BDF, PCI_BASE_ADDRESS_1, PORTS);
    assert_int_equal(qtest_readl(s, BAR), 0);
    for (unsigned test = 0; test < 3; test++) {
        char name[32] = { 0 };
        uint32_t offset;
        uint8_t data;

        qtest_writeb(s, BAR, test);
        offset = qtest_readl(s, BAR + 4);
        data = qtest_readb(s, BAR + 8);
        assert_int_equal(offset, 2048 + test);
        assert_int_equal(qtest_readb(s, BAR + 1), 1);
        for (unsigned i = 0; i < sizeof(name) - 1; i++) {
            name[i] = qtest_readb(s, BAR + 16 + i);
        }
        assert_string_equal(name, names[test]);
        assert_int_equal(qtest_readl(s, BAR + 12), 0);
        qtest_writeb(s, BAR + offset, data);
        assert_int_equal(qtest_readb(s, BAR + 12), 1);
        qtest_writeb(s, BAR + offset, data ^ 1);
        assert_int_equal(qtest_readb(s, BAR + 12), test == 1 ? 2 : 1);

        qtest_outb(s, PORTS, test);
        assert_int_equal(qtest_inl(s, PORTS + 4), 131 + test);
        qtest_outb(s, PORTS + 131 + test, data);
        assert_int_equal(qtest_inb(s, PORTS + 12), 1);
    }
    qtest_writeb(s, BAR, 3);
    assert_int_equal(qtest_readl(s, BAR + 4), 0);
    qtest_writeb(s, BAR, 1);
    qtest_outb(s, 0xcf9, 6);
    enable_at(s, BDF, BAR);
    assert_int_equal(qtest_readl(s, BAR + 4), 0);
    assert_int_equal(qtest_quit(s), 0);
}

static void pc_testdev_has_a_register_lines_and_memory(void **state)
{
    QTestState *s = qtest_init("-M pc -device pc-testdev");

    (void)state;
    qtest_irq_intercept_in(s, "/machine/pic");
    qtest_outl(s, 0xe0, 0x12345678);
    assert_int_equal(qtest_inb(s, 0xe1), 0x56);
    qtest_outw(s, 0xe2, 0xabcd);
    assert_int_equal(qtest_inl(s, 0xe0), 0xabcd5678);
    assert_int_equal(qtest_inl(s, 0xe8), 0xabcd5678);
    for (unsigned line = 0; line < 24; line++) {
        qtest_outb(s, 0x2000 + line, 1);
        assert_int_equal(qtest_get_irq(s, line), line < 16);
        qtest_outb(s, 0x2000 + line, 0);
        assert_false(qtest_get_irq(s, line));
    }
    qtest_writel(s, 0xff00fffc, 0x11223344);
    assert_int_equal(qtest_readl(s, 0xff00fffc), 0x11223344);
    assert_int_equal(qtest_readb(s, 0xff00fffd), 0x33);
    qtest_writel(s, 0x3000, 7);
    qtest_outl(s, 0xe4, 0x3000);
    qtest_outl(s, 0xe4, 0xff000000);
    qtest_outl(s, 0xe4, 0xfffff000);
    assert_int_equal(qtest_readl(s, 0x3000), 7);
    assert_int_equal(qtest_quit(s), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_who_it_is),
        cmocka_unit_test(a_factorial_takes_a_while),
        cmocka_unit_test(dma_goes_through_its_buffer),
        cmocka_unit_test(dma_that_leaves_its_buffer_or_ram_does_nothing),
        cmocka_unit_test(without_bus_mastering_there_is_no_dma),
        cmocka_unit_test(every_size_at_every_offset_does_no_harm),
        cmocka_unit_test(it_comes_and_goes_while_its_timers_run),
        cmocka_unit_test(a_doorbell_is_counted_however_it_is_noticed),
        cmocka_unit_test(pc_testdev_has_a_register_lines_and_memory),
    };

    return cmocka_run_group_tests(tests, qtest_group_begin, NULL);
}
