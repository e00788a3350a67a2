/* SPDX-License-Identifier: MIT */
/*
 * The machine "pc", driven without a CPU: its bridges (i440FX: RAM behind ROM; PIIX3: pins of the PCI
 * bus led to lines of isa.0, port 0xcf9), and ways to reset it (port92, i8042).
 */
#include "tests/qtest/pci-qtest.h"
#include <unistd.h>

#define HOST DEVFN(0, 0)
#define ISA DEVFN(1, 0)
#define PAM0 0x59
#define PIRQA 0x60

static char *firmware; /* 64 KiB, each byte 0xf1 */

static void the_bridges_are_those_of_a_440fx_with_a_piix3(void **state)
{
    QTestState *s = qtest_initf("-M pc -bios %s", firmware);

    (void)state;
    assert_int_equal(config_readl(s, HOST, PCI_VENDOR_ID), 0x12378086);
    assert_int_equal(config_readl(s, HOST, PCI_CLASS_REVISION) >> 8, 0x060000);
    assert_int_equal(config_readl(s, HOST, PCI_SUBSYSTEM_VENDOR_ID), 0x11001af4);
    assert_int_equal(config_readl(s, ISA, PCI_VENDOR_ID), 0x70008086);
    assert_int_equal(config_readl(s, ISA, PCI_CLASS_REVISION) >> 8, 0x060100);
    assert_int_equal(config_readb(s, ISA, PCI_HEADER_TYPE), 0x80);
    assert_int_equal(config_readl(s, DEVFN(2, 0), PCI_VENDOR_ID), UINT32_MAX);
    assert_int_equal(qtest_quit(s), 0);
}

static void firmware_ends_at_4_gib_and_at_1_mib(void **state)
{
    QTestState *s = qtest_initf("-M pc -bios %s", firmware);

    (void)state;
    assert_int_equal(qtest_readl(s, 0xffff0000), 0xf1f1f1f1);
    assert_int_equal(qtest_readl(s, 0xfffffffc), 0xf1f1f1f1);
    assert_int_equal(qtest_readl(s, 0xfffefffc), UINT32_MAX);
    assert_int_equal(qtest_readl(s, 0xf0000), 0xf1f1f1f1);
    assert_int_equal(qtest_readl(s, 0xe0000), UINT32_MAX);
    qtest_writel(s, 0xf0000, 0);
    qtest_writel(s, 0xffff0000, 0);
    assert_int_equal(qtest_readl(s, 0xf0000), 0xf1f1f1f1);
    assert_int_equal(qtest_quit(s), 0);
}

static void registers_put_ram_in_place_of_rom(void **state)
{
    QTestState *s = qtest_initf("-M pc -bios %s", firmware);

    (void)state;
    /* Both ways for the last 64 KiB. */
    config_writeb(s, HOST, PAM0, 0x30);
    assert_int_equal(qtest_readl(s, 0xf0000), 0);
    qtest_writel(s, 0xf0000, 0x12345678);
    assert_int_equal(qtest_readl(s, 0xf0000), 0x12345678);
    /* Reads alone: what was written stays. */
    config_writeb(s, HOST, PAM0, 0x10);
    qtest_writel(s, 0xf0000, 0);
    assert_int_equal(qtest_readl(s, 0xf0000), 0x12345678);
    config_writeb(s, HOST, PAM0, 0);
    assert_int_equal(qtest_readl(s, 0xf0000), 0xf1f1f1f1);
    /* Each half of the others is one of twelve segments. */
    for (unsigned i = 0; i < 12; i++) {
        uint32_t addr = 0xc0000 + i * 0x4000;

        qtest_writel(s, addr, 0x5a5a5a5a);
        assert_int_equal(qtest_readl(s, addr), UINT32_MAX);
        config_writeb(s, HOST, PAM0 + 1 + i / 2, i % 2 ? 0x30 : 0x03);
        assert_int_equal(qtest_readl(s, addr), 0);
        qtest_writel(s, addr + 0x3ffc, i);
        assert_int_equal(qtest_readl(s, addr + 0x3ffc), i);
        config_writeb(s, HOST, PAM0 + 1 + i / 2, 0);
        assert_int_equal(qtest_readl(s, addr), UINT32_MAX);
    }
    assert_int_equal(qtest_quit(s), 0);
}

static void below_640_kib_and_from_1_mib_on_there_is_ram(void **state)
{
    QTestState *s = qtest_initf("-M pc -m 2M -bios %s", firmware);

    (void)state;
    for (uint32_t addr = 0; addr < 0x300000; addr += 0x8000) {
        bool ram = addr < 0xa0000 || (addr >= 0x100000 && addr < 0x200000);

        qtest_writel(s, addr, addr | 1);
        if (addr < 0xf0000 || addr >= 0x100000) {
            assert_int_equal(qtest_readl(s, addr), ram ? addr | 1 : UINT32_MAX);
        }
    }
    assert_int_equal(qtest_quit(s), 0);
}

static void ram_beyond_3_gib_goes_on_at_4_gib(void **state)
{
    QTestState *s = qtest_initf("-M pc -m 4G -bios %s", firmware);

    (void)state;
    qtest_writel(s, 0xbffffffc, 1);
    assert_int_equal(qtest_readl(s, 0xbffffffc), 1);
    assert_int_equal(qtest_readl(s, 0xc0000000), UINT32_MAX);
    qtest_writel(s, UINT64_C(0x13ffffffc), 2);
    assert_int_equal(qtest_readl(s, UINT64_C(0x13ffffffc)), 2);
    assert_int_equal(qtest_readl(s, UINT64_C(0x140000000)), UINT32_MAX);
    assert_int_equal(qtest_quit(s), 0);
}

/* ---- Pins ---- */

static void a_pin_leads_to_the_line_that_the_guest_has_chosen(void **state)
{
    QTestState *s = qtest_initf("-M pc -bios %s -device edu,addr=4", firmware);

    (void)state;
    qtest_irq_intercept_in(s, "/machine/pic");
    enable_at(s, DEVFN(4, 0), 0xe0000000);
    /* Device 4, pin A: PIRQD. */
    qtest_writel(s, 0xe0000060, 1);
    for (unsigned i = 0; i < 16; i++) {
        assert_false(qtest_get_irq(s, i));
    }
    config_writeb(s, ISA, PIRQA + 3, 10);
    assert_true(qtest_get_irq(s, 10));
    config_writeb(s, ISA, PIRQA + 3, 11);
    assert_false(qtest_get_irq(s, 10));
    assert_true(qtest_get_irq(s, 11));
    config_writeb(s, ISA, PIRQA, 5);
    assert_false(qtest_get_irq(s, 5));
    qtest_writel(s, 0xe0000064, 1);
    assert_false(qtest_get_irq(s, 11));
    assert_int_equal(qtest_quit(s), 0);
}

static void each_slot_has_its_pin_on_the_next_link(void **state)
{
    QTestState *s = qtest_initf("-M pc -bios %s -device edu,addr=2 -device edu,addr=3 "
                                "-device edu,addr=4 -device edu,addr=5 -device edu,addr=6",
                                firmware);
    static const unsigned lines[] = { 5, 10, 11, 9 };

    (void)state;
    qtest_irq_intercept_in(s, "/machine/pic");
    for (unsigned i = 0; i < 4; i++) {
        config_writeb(s, ISA, PIRQA + i, lines[i]);
        assert_int_equal(config_readb(s, ISA, PIRQA + i), lines[i]);
    }
    for (unsigned slot = 2; slot < 7; slot++) {
        uint32_t bar = 0xe0000000 + (slot << 20);

        enable_at(s, DEVFN(slot, 0), bar);
        qtest_writel(s, bar + 0x60, 1);
        for (unsigned i = 0; i < 4; i++) {
            assert_int_equal(qtest_get_irq(s, lines[i]), i == (slot - 1) % 4);
        }
        qtest_writel(s, bar + 0x64, 1);
        assert_false(qtest_get_irq(s, lines[(slot - 1) % 4]));
    }
    assert_int_equal(qtest_quit(s), 0);
}

static void a_line_is_high_while_any_of_its_pins_is(void **state)
{
    QTestState *s = qtest_initf("-M pc -bios %s -device edu,addr=2 -device edu,addr=3", firmware);

    (void)state;
    qtest_irq_intercept_in(s, "/machine/pic");
    config_writeb(s, ISA, PIRQA + 1, 10);
    config_writeb(s, ISA, PIRQA + 2, 10);
    enable_at(s, DEVFN(2, 0), 0xe0000000);
    enable_at(s, DEVFN(3, 0), 0xe0100000);
    qtest_writel(s, 0xe0000060, 1);
    qtest_writel(s, 0xe0100060, 1);
    assert_true(qtest_get_irq(s, 10));
    qtest_writel(s, 0xe0000064, 1);
    assert_true(qtest_get_irq(s, 10));
    /* A link that is off leads nowhere, whatever line it names. */
    config_writeb(s, ISA, PIRQA + 2, 0x8a);
    assert_false(qtest_get_irq(s, 10));
    config_writeb(s, ISA, PIRQA + 2, 10);
    assert_true(qtest_get_irq(s, 10));
    qtest_outb(s, 0xcf9, 0x06);
    assert_false(qtest_get_irq(s, 10));
    assert_int_equal(qtest_quit(s), 0);
}

/* ---- Resets ---- */

static void port_0xcf9_is_beside_the_configuration_address(void **state)
{
    QTestState *s = qtest_initf("-M pc -bios %s", firmware);

    (void)state;
    qtest_outl(s, CONF, 0x80000000);
    qtest_outb(s, 0xcf9, 0x02);
    assert_int_equal(qtest_inb(s, 0xcf9), 0x02);
    assert_int_equal(qtest_inl(s, CONF), 0x80000000);
    assert_int_equal(qtest_inl(s, DATA), 0x12378086);
    /* An address with that bit where 0xcf9 has its own is an address. */
    qtest_outl(s, CONF, 0x80000600);
    assert_int_equal(qtest_inb(s, 0xcf9), 0x02);
    /* Of the other bits, none is kept. */
    qtest_outb(s, 0xcf9, 0xf9);
    assert_int_equal(qtest_inb(s, 0xcf9), 0);
    assert_int_equal(qtest_inl(s, CONF), 0x80000600);
    assert_int_equal(qtest_quit(s), 0);
}

static void port_0xcf9_resets_the_machine(void **state)
{
    QTestState *s = qtest_initf("-M pc -bios %s", firmware);

    (void)state;
    config_writeb(s, HOST, PAM0, 0x30);
    config_writeb(s, ISA, PIRQA, 11);
    qtest_outb(s, 0xcf9, 0x02);
    assert_int_equal(qtest_inb(s, 0xcf9), 0x02);
    assert_int_equal(config_readb(s, HOST, PAM0), 0x30);
    qtest_outb(s, 0xcf9, 0x06);
    assert_int_equal(qtest_inb(s, 0xcf9), 0);
    assert_int_equal(config_readb(s, HOST, PAM0), 0);
    assert_int_equal(config_readb(s, ISA, PIRQA), 0x80);
    assert_int_equal(qtest_readl(s, 0xf0000), 0xf1f1f1f1);
    assert_int_equal(qtest_quit(s), 0);
}

static void it_is_reset_in_every_way_again_and_again(void **state)
{
    QTestState *s = qtest_initf("-M pc -bios %s -device edu,addr=4", firmware);

    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        enable_at(s, DEVFN(4, 0), 0xe0000000);
        assert_int_equal(qtest_readl(s, 0xe0000000), 0x010000ed);
        switch (i % 3) {
        case 0:
            qtest_outb(s, 0xcf9, 0x06);
            break;
        case 1:
            qtest_outb(s, 0x92, 0x01);
            break;
        default:
            qtest_outb(s, 0x64, 0xfe);
        }
        assert_int_equal(qtest_readl(s, 0xe0000000), UINT32_MAX);
    }
    assert_int_equal(qtest_quit(s), 0);
}

/* ---- Firmware that is none ---- */

static int run_with_firmware(size_t bytes)
{
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "test-pc-XXXXXX", NULL);
    g_autofree char *command = NULL;
    g_autofree char *contents = g_malloc0(bytes + 1);
    int fd = g_mkstemp(path), status;

    assert_int_equal(write(fd, contents, bytes), bytes);
    close(fd);
    command =
        g_strdup_printf("exec '%s' -M pc -accel qtest -nodefaults -bios %s 2>/dev/null </dev/null",
                        getenv("QOMET"), path);
    status = system(command);
    unlink(path);
    return status >> 8;
}

static void firmware_of_odd_size_is_refused(void **state)
{
    (void)state;
    assert_int_equal(run_with_firmware(0), 1);
    assert_int_equal(run_with_firmware(1), 1);
    assert_int_equal(run_with_firmware(65535), 1);
    assert_int_equal(run_with_firmware(65537), 1);
    assert_int_equal(run_with_firmware((16 << 20) + 65536), 1);
}

static int make_firmware(void **state)
{
    char bytes[65536];
    int fd;

    (void)qtest_group_begin(state);
    firmware = g_build_filename(g_get_tmp_dir(), "test-pc-XXXXXX", NULL);
    fd = g_mkstemp(firmware);
    memset(bytes, 0xf1, sizeof(bytes));
    if (fd < 0 || write(fd, bytes, sizeof(bytes)) != sizeof(bytes)) {
        return -1;
    }
    close(fd);
    return 0;
}

static int remove_firmware(void **state)
{
    (void)state;
    unlink(firmware);
    g_free(firmware);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bridges_are_those_of_a_440fx_with_a_piix3),
        cmocka_unit_test(firmware_ends_at_4_gib_and_at_1_mib),
        cmocka_unit_test(registers_put_ram_in_place_of_rom),
        cmocka_unit_test(below_640_kib_and_from_1_mib_on_there_is_ram),
        cmocka_unit_test(ram_beyond_3_gib_goes_on_at_4_gib),
        cmocka_unit_test(a_pin_leads_to_the_line_that_the_guest_has_chosen),
        cmocka_unit_test(each_slot_has_its_pin_on_the_next_link),
        cmocka_unit_test(a_line_is_high_while_any_of_its_pins_is),
        cmocka_unit_test(port_0xcf9_is_beside_the_configuration_address),
        cmocka_unit_test(port_0xcf9_resets_the_machine),
        cmocka_unit_test(it_is_reset_in_every_way_again_and_again),
        cmocka_unit_test(firmware_of_odd_size_is_refused),
    };

    return cmocka_run_group_tests(tests, make_firmware, remove_firmware);
}
