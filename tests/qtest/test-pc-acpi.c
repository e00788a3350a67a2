/* SPDX-License-Identifier: MIT */
/*
 * Power management of the machines "pc" (PIIX4_PM) and "q35" (in ICH9-LPC), driven without a CPU:
 * where it is, its interrupt, how it ends, and the tables by which firmware tells of it.
 */
#include "tests/qtest/pci-qtest.h"

#define BASE 0x600
#define SCI 9

static const struct Chip {
    const char *machine;
    unsigned devfn;
    uint32_t id;
    uint8_t reg_base, reg_enable, enable; /* where it is, and whether it is there */
    uint8_t ports;                        /* how many it has */
    uint8_t acpi_on;                      /* at port 0xb2 */
    uint16_t gpe;                         /* in the tables */
    bool has_ecam;
} chips[] = {
    { "pc", DEVFN(1, 3), 0x71138086, 0x40, 0x80, 0x01, 64, 0xf1, 0xafe0, false },
    { "q35", DEVFN(31, 0), 0x29188086, 0x40, 0x44, 0x80, 128, 0x02, 0x620, true },
};

static QTestState *begin(const struct Chip *c)
{
    return qtest_initf("-M %s -nodefaults", c->machine);
}

static void place(QTestState *s, const struct Chip *c, uint16_t base)
{
    config_writel(s, c->devfn, c->reg_base, base | 1);
    config_writeb(s, c->devfn, c->reg_enable, c->enable);
}

static void its_registers_are_where_the_guest_puts_them(void **state)
{
    (void)state;
    for (const struct Chip *c = chips; c < chips + G_N_ELEMENTS(chips); c++) {
        QTestState *s = begin(c);

        assert_int_equal(config_readl(s, c->devfn, 0), c->id);
        assert_int_equal(config_readl(s, c->devfn, c->reg_base), 1);
        assert_int_equal(qtest_inl(s, BASE + 8), 0xffffffff);
        place(s, c, BASE);
        assert_int_equal(config_readl(s, c->devfn, c->reg_base), BASE | 1);
        qtest_clock_step(s, 1000000000);
        assert_int_equal(qtest_inl(s, BASE + 8), 3579545);
        place(s, c, 0xb000);
        assert_int_equal(qtest_inl(s, BASE + 8), 0xffffffff);
        assert_int_equal(qtest_inl(s, 0xb008), 3579545);
        config_writeb(s, c->devfn, c->reg_enable, 0);
        assert_int_equal(qtest_inl(s, 0xb008), 0xffffffff);
        /* A reset takes them away. */
        place(s, c, BASE);
        qtest_outb(s, 0xcf9, 6);
        assert_int_equal(config_readl(s, c->devfn, c->reg_base), 1);
        assert_int_equal(qtest_inl(s, BASE + 8), 0xffffffff);
        assert_int_equal(qtest_quit(s), 0);
    }
}

/* Over other devices, over itself, at the end of the ports, over the registers that place it. */
static void it_may_be_put_anywhere(void **state)
{
    static const uint16_t places[] = { 0x0000, 0x0080, 0x0c80, 0x0500, 0xaf80, 0xff80, 0x0600 };

    (void)state;
    for (const struct Chip *c = chips; c < chips + G_N_ELEMENTS(chips); c++) {
        QTestState *s = begin(c);

        for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
            place(s, c, places[i]);
            for (unsigned port = 0; port < c->ports; port += 2) {
                free(qtest_command(s, "inl 0x%x", places[i] + port));
                free(qtest_command(s, "inb 0x%x", places[i] + port));
            }
        }
        assert_int_equal(qtest_inl(s, BASE + 8), 0);
        assert_int_equal(qtest_quit(s), 0);
    }
}

static void its_events_are_line_9(void **state)
{
    (void)state;
    for (const struct Chip *c = chips; c < chips + G_N_ELEMENTS(chips); c++) {
        QTestState *s = begin(c);

        qtest_irq_intercept_in(s, "/machine/pic");
        place(s, c, BASE);
        qtest_outw(s, BASE + 2, 1); /* the timer's highest bit */
        assert_false(qtest_get_irq(s, SCI));
        qtest_clock_step(s, 2400000000);
        assert_true(qtest_get_irq(s, SCI));
        qtest_outw(s, BASE, 1);
        assert_false(qtest_get_irq(s, SCI));
        assert_int_equal(qtest_quit(s), 0);
    }
}

static void it_switches_the_machine_off(void **state)
{
    (void)state;
    for (const struct Chip *c = chips; c < chips + G_N_ELEMENTS(chips); c++) {
        QTestState *s = begin(c);

        place(s, c, BASE);
        qtest_outb(s, 0xb2, c->acpi_on);
        assert_int_equal(qtest_inw(s, BASE + 4), 1);
        qtest_outw(s, BASE + 4, 1 << 13 | 1);
        assert_int_equal(qtest_wait(s), 0);
        qtest_quit(s);
    }
}

static void firmware_need_not_set_up_management_mode(void **state)
{
    QTestState *s = begin(&chips[0]);

    (void)state;
    assert_int_equal(config_readl(s, chips[0].devfn, 0x58), 1 << 25);
    assert_int_equal(qtest_quit(s), 0);
    s = begin(&chips[1]);
    place(s, &chips[1], BASE);
    assert_int_equal(qtest_inl(s, BASE + 0x30), 1 << 5);
    qtest_outl(s, BASE + 0x30, 0x21);
    assert_int_equal(qtest_inl(s, BASE + 0x30), 0x21);
    qtest_outl(s, BASE + 0x34, UINT32_MAX);
    assert_int_equal(qtest_inl(s, BASE + 0x34), 0);
    assert_int_equal(qtest_quit(s), 0);
}

/* ---- Tables ---- */

static uint32_t read_big_endian(QTestState *s, unsigned bytes)
{
    uint32_t value = 0;

    while (bytes--) {
        value = value << 8 | qtest_inb(s, 0x511);
    }
    return value;
}

/* The file @name of fw_cfg, which the caller frees; NULL: there is none. */
static GByteArray *read_file(QTestState *s, const char *name)
{
    uint32_t n;

    qtest_outw(s, 0x510, 0x19);
    for (n = read_big_endian(s, 4); n > 0; n--) {
        uint32_t size = read_big_endian(s, 4), key = read_big_endian(s, 4) >> 16;
        char its[56];

        for (unsigned i = 0; i < sizeof(its); i++) {
            its[i] = (char)qtest_inb(s, 0x511);
        }
        if (!strcmp(its, name)) {
            GByteArray *file = g_byte_array_new();

            qtest_outw(s, 0x510, key);
            g_byte_array_set_size(file, size);
            for (uint32_t i = 0; i < size; i++) {
                file->data[i] = qtest_inb(s, 0x511);
            }
            return file;
        }
    }
    return NULL;
}

static uint32_t get32(const uint8_t *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The table of that signature, or NULL. Tables follow each other, each as long as it says. */
static const uint8_t *find_table(const GByteArray *tables, const char *signature)
{
    for (guint at = 0; at + 36 <= tables->len;) {
        if (!memcmp(tables->data + at, signature, 4)) {
            return tables->data + at;
        }
        at += get32(tables->data + at + 4);
    }
    return NULL;
}

static void firmware_finds_tables_that_tell_of_it(void **state)
{
    (void)state;
    for (const struct Chip *c = chips; c < chips + G_N_ELEMENTS(chips); c++) {
        QTestState *s = begin(c);
        GByteArray *rsdp = read_file(s, "etc/acpi/rsdp"),
                   *loader = read_file(s, "etc/table-loader"),
                   *tables = read_file(s, "etc/acpi/tables");
        const uint8_t *fadt, *mcfg;

        assert_non_null(rsdp);
        assert_non_null(loader);
        assert_non_null(tables);
        assert_memory_equal(rsdp->data, "RSD PTR ", 8);
        assert_int_equal(loader->len % 128, 0);
        fadt = find_table(tables, "FACP");
        assert_non_null(fadt);
        assert_int_equal(fadt[46], SCI);
        assert_int_equal(get32(fadt + 48), 0xb2);
        assert_int_equal(fadt[52], c->acpi_on);
        assert_int_equal(get32(fadt + 56), BASE);
        assert_int_equal(get32(fadt + 64), BASE + 4);
        assert_int_equal(get32(fadt + 76), BASE + 8);
        assert_int_equal(get32(fadt + 80), c->gpe);
        assert_non_null(find_table(tables, "APIC"));
        mcfg = find_table(tables, "MCFG");
        assert_int_equal(mcfg != NULL, c->has_ecam);
        if (mcfg) {
            assert_int_equal(get32(mcfg + 44), 0xb0000000);
        }
        g_byte_array_unref(rsdp);
        g_byte_array_unref(loader);
        g_byte_array_unref(tables);
        assert_int_equal(qtest_quit(s), 0);
    }
}

/* A guest looks at each of these buses. */
static void the_window_has_room_for_the_buses_that_there_are(void **state)
{
    static const struct {
        const char *words;
        uint8_t last;
    } cases[] = {
        { "", 7 },
        { "-device pcie-root-port,id=a -device pcie-root-port,id=b "
          "-device pci-bridge,bus=b",
          19 },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        QTestState *s = qtest_initf("-M q35 -nodefaults %s", cases[i].words);
        GByteArray *tables = read_file(s, "etc/acpi/tables");
        const uint8_t *mcfg = find_table(tables, "MCFG");

        assert_non_null(mcfg);
        assert_int_equal(mcfg[54], 0);
        assert_int_equal(mcfg[55], cases[i].last);
        g_byte_array_unref(tables);
        assert_int_equal(qtest_quit(s), 0);
    }
}

static void without_acpi_there_are_none(void **state)
{
    (void)state;
    for (const struct Chip *c = chips; c < chips + G_N_ELEMENTS(chips); c++) {
        QTestState *s = qtest_initf("-M %s,acpi=off -nodefaults", c->machine);

        assert_null(read_file(s, "etc/acpi/rsdp"));
        assert_null(read_file(s, "etc/acpi/tables"));
        assert_null(read_file(s, "etc/table-loader"));
        assert_int_equal(qtest_quit(s), 0);
    }
}

static void without_acpi_the_function_of_its_own_is_not_there(void **state)
{
    QTestState *s = qtest_init("-M pc,acpi=off -nodefaults");

    (void)state;
    assert_int_equal(config_readl(s, chips[0].devfn, 0), 0xffffffff);
    assert_int_equal(qtest_quit(s), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_registers_are_where_the_guest_puts_them),
        cmocka_unit_test(it_may_be_put_anywhere),
        cmocka_unit_test(its_events_are_line_9),
        cmocka_unit_test(it_switches_the_machine_off),
        cmocka_unit_test(firmware_need_not_set_up_management_mode),
        cmocka_unit_test(firmware_finds_tables_that_tell_of_it),
        cmocka_unit_test(the_window_has_room_for_the_buses_that_there_are),
        cmocka_unit_test(without_acpi_there_are_none),
        cmocka_unit_test(without_acpi_the_function_of_its_own_is_not_there),
    };

    return cmocka_run_group_tests(tests, qtest_group_begin, NULL);
}
