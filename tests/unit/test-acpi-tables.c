/* SPDX-License-Identifier: MIT */
/*
 * ACPI tables of three boards: the sums and references of what is placed in memory, what firmware
 * is told of, and that the reference compiler takes apart what was built and makes the same of it.
 */
#include "tests/test.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <qomet/hw/acpi/aml.h>
#include <qomet/hw/acpi/ged.h>
#include <qomet/hw/acpi/piix4.h>
#include <qomet/hw/acpi/tables.h>
#include <qomet/backends/loop.h>

#define ADDR 0xe0000
#define HEADER_BYTES 36

/* ---- Boards ---- */

static const uint32_t apic_ids[300] = { 0, 1, 2, 3, [299] = 299 };

static AcpiPciHost pc_host = {
    .bus_last = 0xff,
    .io = { { 0x0000, 0x0cf7 }, { 0x0d00, 0xffff } },
    .mem32 = { { 0xa0000, 0xbffff }, { 0xc0000000, 0xfebfffff } },
    .num_links = 4,
    .link_reg = { 0x60, 0x61, 0x62, 0x63 },
    .has_isa = true,
    .isa_devfn = 1 << 3,
};

static const AcpiFixed pc_fixed = {
    .pm_base = PIIX4_PM_BASE,
    .gpe0 = PIIX4_GPE_BASE,
    .gpe0_bytes = PIIX4_GPE_BYTES,
    .smi_port = PIIX4_SMI_PORT,
    .smi_enable = PIIX4_ACPI_ENABLE,
    .smi_disable = PIIX4_ACPI_DISABLE,
};

static const AcpiBoard pc = {
    .num_cpus = 4,
    .apic_ids = apic_ids,
    .ioapic_addr = 0xfec00000,
    .has_8259 = true,
    .overrides = { { 0, 2, false }, { 5, 5, true }, { 9, 9, true }, { 10, 10, true } },
    .num_overrides = 4,
    .sci = 9,
    .pci = &pc_host,
    .fixed = &pc_fixed,
    .reset_port = 0xcf9,
    .reset_value = 0x0f,
    .serial = { { 0x3f8, 4 }, { 0x2f8, 3 } },
    .has_rtc = true,
    .has_8042 = true,
    .pvpanic_port = 0x505,
};

static AcpiPciHost q35_host = {
    .express = true,
    .bus_last = 0xff,
    .ecam = 0xb0000000,
    .io = { { 0x0000, 0x0cf7 }, { 0x0d00, 0xffff } },
    .mem32 = { { 0xa0000, 0xbffff }, { 0xc0000000, 0xfebfffff } },
    .mem64 = { UINT64_C(0x800000000), UINT64_C(0xfffffffff) },
    .num_links = 8,
    .link_reg = { 0x60, 0x61, 0x62, 0x63, 0x68, 0x69, 0x6a, 0x6b },
    .gsi_base = 16,
    .has_isa = true,
    .isa_devfn = 31 << 3,
};

static const AcpiBoard q35 = {
    .num_cpus = 300,
    .apic_ids = apic_ids,
    .ioapic_addr = 0xfec00000,
    .has_8259 = true,
    .sci = 9,
    .pci = &q35_host,
    .fixed = &pc_fixed,
    .serial = { [3] = { 0x2e8, 3 } },
};

static AcpiPciHost microvm_host = {
    .express = true,
    .bus_last = 0x0f,
    .ecam = UINT64_C(0x4010000000),
    .mem32 = { { 0xc0000000, 0xdfffffff } },
    .gsi_base = 16,
};

static const AcpiReduced reduced = { 0xfea00000, 0xfea00200, 9 };

static const AcpiBoard microvm = {
    .num_cpus = 1,
    .apic_ids = apic_ids,
    .ioapic_addr = 0xfec00000,
    .pci = &microvm_host,
    .reduced = &reduced,
    .serial = { { 0x3f8, 4 } },
    .virtio_mmio = { 8, 0xfeb00000, 512, 24 },
};

static const AcpiBoard smallest = {
    .num_cpus = 1, .apic_ids = apic_ids, .ioapic_addr = 0xfec00000, .reduced = &reduced
};

static const struct {
    const char *name;
    const AcpiBoard *board;
} boards[] = { { "pc", &pc }, { "q35", &q35 }, { "microvm", &microvm }, { "smallest", &smallest } };

/* ---- Tables in memory ---- */

static uint32_t get32(const uint8_t *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t get64(const uint8_t *p)
{
    return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static uint8_t sum(const uint8_t *p, size_t n)
{
    uint8_t total = 0;

    for (size_t i = 0; i < n; i++) {
        total += p[i];
    }
    return total;
}

/* What stands at the guest's address @addr. */
static const uint8_t *at(const GByteArray *mem, uint64_t addr)
{
    assert_in_range(addr, ADDR, ADDR + mem->len - 1);
    return mem->data + (addr - ADDR);
}

/* The table @signature that the XSDT lists; NULL: there is none. */
static const uint8_t *find(const GByteArray *mem, const char *signature)
{
    const uint8_t *xsdt = at(mem, get64(mem->data + 24));

    assert_memory_equal(xsdt, "XSDT", 4);
    for (uint32_t i = HEADER_BYTES; i < get32(xsdt + 4); i += 8) {
        const uint8_t *table = at(mem, get64(xsdt + i));

        if (!memcmp(table, signature, 4)) {
            return table;
        }
    }
    return NULL;
}

static void assert_table(const uint8_t *table, const char *signature)
{
    assert_memory_equal(table, signature, 4);
    assert_int_equal(sum(table, get32(table + 4)), 0);
}

static void what_is_placed_in_memory_is_found_and_adds_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(boards); i++) {
        g_autoptr(AcpiTables) t = acpi_build(boards[i].board);
        g_autoptr(GByteArray) mem = acpi_tables_place(t, ADDR);
        const uint8_t *fadt = find(mem, "FACP"), *rsdt = at(mem, get32(mem->data + 16));

        assert_int_equal(mem->len, acpi_tables_size(t));
        assert_memory_equal(mem->data, "RSD PTR ", 8);
        assert_int_equal(sum(mem->data, 20), 0);
        assert_int_equal(sum(mem->data, 36), 0);
        assert_table(rsdt, "RSDT");
        assert_table(fadt, "FACP");
        assert_table(find(mem, "APIC"), "APIC");
        assert_int_equal(get32(fadt + 4), 268);
        assert_table(at(mem, get64(fadt + 140)), "DSDT");
        assert_int_equal(get32(fadt + 40), get64(fadt + 140));
        assert_memory_equal(at(mem, get32(fadt + 36)), "FACS", 4);
        assert_int_equal(get32(fadt + 36) % 64, 0);
        /* Both lists name the same. */
        for (uint32_t row = 0; row < (get32(rsdt + 4) - HEADER_BYTES) / 4; row++) {
            assert_int_equal(get32(rsdt + HEADER_BYTES + row * 4),
                             get64(at(mem, get64(mem->data + 24)) + HEADER_BYTES + row * 8));
        }
    }
}

static void only_a_board_with_ecam_has_an_mcfg(void **state)
{
    g_autoptr(AcpiTables) t = acpi_build(&q35), other = acpi_build(&pc);
    g_autoptr(GByteArray) mem = acpi_tables_place(t, ADDR), plain = acpi_tables_place(other, ADDR);
    const uint8_t *mcfg = find(mem, "MCFG");

    (void)state;
    assert_table(mcfg, "MCFG");
    assert_int_equal(get64(mcfg + 44), 0xb0000000);
    assert_int_equal(mcfg[55], 0xff);
    assert_null(find(plain, "MCFG"));
}

/* How many rows of @type the MADT has. */
static unsigned count_rows(const uint8_t *madt, uint8_t type)
{
    unsigned n = 0;

    for (uint32_t i = 44; i < get32(madt + 4); i += madt[i + 1]) {
        n += madt[i] == type;
    }
    return n;
}

static void every_cpu_and_controller_is_in_the_madt(void **state)
{
    g_autoptr(AcpiTables) t = acpi_build(&pc), large = acpi_build(&q35);
    g_autoptr(GByteArray) mem = acpi_tables_place(t, ADDR), more = acpi_tables_place(large, ADDR);
    const uint8_t *madt = find(mem, "APIC");

    (void)state;
    assert_int_equal(count_rows(madt, 0), 4);
    assert_int_equal(count_rows(madt, 1), 1);
    assert_int_equal(count_rows(madt, 2), 4);
    assert_int_equal(count_rows(madt, 9), 0);
    assert_int_equal(get32(madt + 40), 1);
    madt = find(more, "APIC");
    assert_int_equal(count_rows(madt, 0), 255);
    assert_int_equal(count_rows(madt, 9), 45);
    assert_int_equal(count_rows(madt, 10), 1);
}

static void the_fixed_registers_or_their_absence_are_in_the_fadt(void **state)
{
    g_autoptr(AcpiTables) t = acpi_build(&pc), other = acpi_build(&microvm);
    g_autoptr(GByteArray) mem = acpi_tables_place(t, ADDR), small = acpi_tables_place(other, ADDR);
    const uint8_t *fadt = find(mem, "FACP");

    (void)state;
    assert_int_equal(get32(fadt + 48), PIIX4_SMI_PORT);
    assert_int_equal(get32(fadt + 56), PIIX4_PM_BASE);
    assert_int_equal(get32(fadt + 64), PIIX4_PM_BASE + 4);
    assert_int_equal(get32(fadt + 76), PIIX4_PM_BASE + 8);
    assert_int_equal(fadt[88], 4);
    assert_int_equal(fadt[89], 2);
    assert_int_equal(fadt[91], 4);
    assert_int_equal(get64(fadt + 152), PIIX4_PM_BASE);
    assert_int_equal(get64(fadt + 120), 0xcf9);
    assert_int_equal(fadt[128], 0x0f);
    assert_false(get32(fadt + 112) & 1 << 20);
    fadt = find(small, "FACP");
    assert_true(get32(fadt + 112) & 1 << 20);
    assert_int_equal(get32(fadt + 56), 0);
    assert_int_equal(get64(fadt + 248), reduced.regs_addr + ACPI_GED_REG_SLEEP_CTL);
    assert_int_equal(get64(fadt + 120), reduced.regs_addr + ACPI_GED_REG_RESET);
}

/* ---- What firmware is told ---- */

typedef struct File {
    char name[56];
    uint8_t *data;
    uint32_t size;
} File;

/* The file @name of @dev, as a guest reads it. */
static File read_file(const char *name)
{
    File file = { .data = NULL };
    uint8_t row[64];
    uint64_t byte = 0;
    uint32_t n = 0, key = 0;

    g_strlcpy(file.name, name, sizeof(file.name));
    address_space_store(&address_space_io, FW_CFG_IO_BASE, 2, FW_CFG_FILE_DIR,
                        MEMTXATTRS_UNSPECIFIED);
    for (unsigned i = 0; i < 4; i++) {
        address_space_load(&address_space_io, FW_CFG_IO_BASE + 1, 1, &byte, MEMTXATTRS_UNSPECIFIED);
        n = n << 8 | byte;
    }
    for (uint32_t i = 0; i < n; i++) {
        for (unsigned j = 0; j < sizeof(row); j++) {
            address_space_load(&address_space_io, FW_CFG_IO_BASE + 1, 1, &byte,
                               MEMTXATTRS_UNSPECIFIED);
            row[j] = byte;
        }
        if (!strcmp((char *)row + 8, name)) {
            file.size = GUINT32_SWAP_LE_BE(get32(row));
            key = row[4] << 8 | row[5];
        }
    }
    assert_true(key != 0);
    file.data = g_malloc(file.size);
    address_space_store(&address_space_io, FW_CFG_IO_BASE, 2, key, MEMTXATTRS_UNSPECIFIED);
    for (uint32_t i = 0; i < file.size; i++) {
        address_space_load(&address_space_io, FW_CFG_IO_BASE + 1, 1, &byte, MEMTXATTRS_UNSPECIFIED);
        file.data[i] = byte;
    }
    return file;
}

static File *find_file(File *files, const uint8_t *name)
{
    return !strcmp(files[0].name, (const char *)name) ? &files[0] : &files[1];
}

/* Does what firmware does with the commands: the RSDP comes to ADDR, the tables to ADDR + 64. */
static void carry_out(File *files, const File *loader)
{
    const uint32_t places[] = { ADDR, ADDR + 64 };
    unsigned allocated = 0;

    assert_int_equal(loader->size % 128, 0);
    for (uint32_t i = 0; i < loader->size; i += 128) {
        const uint8_t *c = loader->data + i;
        File *file = find_file(files, c + 4);
        uint64_t value = 0;

        switch (get32(c)) {
        case 1:
            assert_int_equal(get32(c + 60), file == files ? 16 : 64);
            assert_int_equal(c[64], file == files ? 2 : 1);
            allocated++;
            break;
        case 2:
            assert_int_equal(allocated, 2);
            assert_true(get32(c + 116) + c[120] <= file->size);
            memcpy(&value, file->data + get32(c + 116), c[120]);
            value += places[find_file(files, c + 60) - files];
            memcpy(file->data + get32(c + 116), &value, c[120]);
            break;
        case 3:
            assert_true(get32(c + 64) + get32(c + 68) <= file->size);
            file->data[get32(c + 60)] -= sum(file->data + get32(c + 64), get32(c + 68));
            break;
        default:
            fail_msg("there is no command %u", get32(c));
        }
    }
}

static void firmware_makes_the_same_of_it_by_the_commands(void **state)
{
    g_autoptr(AcpiTables) t = acpi_build(&pc);
    g_autoptr(GByteArray) mem = acpi_tables_place(t, ADDR);
    GError *err = NULL;
    FWCfgState *fw_cfg = fw_cfg_init_io_dma(FW_CFG_IO_BASE, FW_CFG_DMA_IO_BASE, &err);
    File files[2], loader;

    (void)state;
    assert_non_null(fw_cfg);
    assert_true(acpi_tables_add_to_fw_cfg(t, fw_cfg, &err));
    files[0] = read_file("etc/acpi/rsdp");
    files[1] = read_file("etc/acpi/tables");
    loader = read_file("etc/table-loader");
    carry_out(files, &loader);
    assert_memory_equal(files[0].data, mem->data, files[0].size);
    assert_memory_equal(files[1].data, mem->data + 64, files[1].size);
    assert_int_equal(files[1].size + 64, mem->len);
    for (unsigned i = 0; i < 2; i++) {
        g_free(files[i].data);
    }
    g_free(loader.data);
}

/* ---- The reference compiler ---- */

/* Runs iasl in @dir with one word or two (@second may be NULL); what it says in @out. Its status. */
static int iasl(const char *dir, const char *first, const char *second, char **out)
{
    /* Names and numbers stay as they were written. */
    const char *argv[] = { "iasl", "-oa", first, second, NULL };
    GError *err = NULL;
    int status = -1;

    if (!g_spawn_sync(dir, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL,
                      NULL, NULL, out, NULL, &status, &err)) {
        fail_msg("iasl (package acpica-tools): %s", err->message);
    }
    return status;
}

/* Taken apart and put together again, @table is the same but for who says to have made it. */
static void assert_iasl_agrees(const char *board, const char *name, const uint8_t *table)
{
    g_autofree char *dir = g_dir_make_tmp("test-acpi-XXXXXX", NULL), *out = NULL;
    g_autofree char *aml = g_build_filename(dir, "t.aml", NULL);
    g_autofree char *dsl = g_build_filename(dir, "t.dsl", NULL), *again = NULL;
    g_autofree char *said = NULL;
    gsize size = get32(table + 4), got = 0;

    assert_true(g_file_set_contents(aml, (const char *)table, size, NULL));
    if (iasl(dir, "-d", "t.aml", &out) || g_unlink(aml)) {
        fail_msg("%s of %s: iasl does not take it apart: %s", name, board, out);
    }
    if (iasl(dir, "t.dsl", NULL, &said) || !g_file_get_contents(aml, &again, &got, NULL)) {
        fail_msg("%s of %s: iasl does not put it together: %s", name, board, said);
    }
    if (!strstr(said, "0 Errors, 0 Warnings")) {
        fail_msg("%s of %s: iasl says: %s", name, board, said);
    }
    assert_int_equal(got, size);
    assert_memory_equal(again + HEADER_BYTES, table + HEADER_BYTES, size - HEADER_BYTES);
    g_unlink(aml);
    g_unlink(dsl);
    assert_int_equal(g_rmdir(dir), 0);
}

static void the_reference_compiler_makes_the_same_of_each_table(void **state)
{
    static const char *const names[] = { "FACP", "APIC", "MCFG" };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(boards); i++) {
        g_autoptr(AcpiTables) t = acpi_build(boards[i].board);
        g_autoptr(GByteArray) mem = acpi_tables_place(t, ADDR);

        assert_iasl_agrees(boards[i].name, "DSDT", at(mem, get64(find(mem, "FACP") + 140)));
        for (size_t j = 0; j < G_N_ELEMENTS(names); j++) {
            if (find(mem, names[j])) {
                assert_iasl_agrees(boards[i].name, names[j], find(mem, names[j]));
            }
        }
    }
}

/* ---- The builder's own rules ---- */

static void assert_aml(Aml *aml, const char *bytes, size_t n)
{
    g_autoptr(GByteArray) out = g_byte_array_new();

    aml_write(aml, out);
    assert_int_equal(out->len, n);
    assert_memory_equal(out->data, bytes, n);
}

#define assert_aml_is(aml, text) assert_aml(aml, text, sizeof(text) - 1)

static void integers_and_names_are_as_short_as_can_be(void **state)
{
    (void)state;
    assert_aml_is(aml_int(0), "\x00");
    assert_aml_is(aml_int(1), "\x01");
    assert_aml_is(aml_int(0xff), "\x0a\xff");
    assert_aml_is(aml_int(0x100), "\x0b\x00\x01");
    assert_aml_is(aml_int(0x10000), "\x0c\x00\x00\x01\x00");
    assert_aml_is(aml_int(UINT64_C(1) << 32), "\x0e\x00\x00\x00\x00\x01\x00\x00\x00");
    assert_aml_is(aml_name("\\_SB.PCI0.X"), "\\\x2f\x03_SB_PCI0X___");
    assert_aml_is(aml_name("^A.B"), "^\x2e"
                                    "A___B___");
    assert_aml_is(aml_eisaid("PNP0A03"), "\x0c\x41\xd0\x0a\x03");
    assert_aml_is(aml_string("hi %d", 5), "\x0dhi 5\x00");
}

/* Around each length at which the length itself grows. */
static void lengths_count_themselves(void **state)
{
    static const struct {
        unsigned terms;
        const char *head;
        size_t head_bytes;
    } cases[] = {
        { 58, "\x10\x3f", 2 },
        { 59, "\x10\x41\x04", 3 },
        { 4089, "\x10\x4f\xff", 3 },
        { 4090, "\x10\x81\x00\x01", 4 },
        { 60000, "\x10\x87\xa6\x0e", 4 },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) out = g_byte_array_new();
        Aml *scope = aml_scope("ABCD");

        for (unsigned n = 0; n < cases[i].terms; n++) {
            aml_append(scope, aml_int(0));
        }
        aml_write(scope, out);
        assert_memory_equal(out->data, cases[i].head, cases[i].head_bytes);
        assert_int_equal(out->len, cases[i].head_bytes + 4 + cases[i].terms);
    }
}

/* ---- Before and after each test ---- */

static int setup(void **state)
{
    (void)state;
    for (unsigned slot = 0; slot < ACPI_PCI_SLOTS; slot++) {
        for (unsigned pin = 0; pin < 4; pin++) {
            pc_host.route[slot][pin] = (slot + pin + 3) % 4;
            q35_host.route[slot][pin] = (slot + pin) % 4 + 4;
            microvm_host.route[slot][pin] = (slot + pin) % 4;
        }
    }
    main_loop_init();
    clocks_init();
    if (!module_call_init(MODULE_INIT_QOM, NULL)) {
        return -1;
    }
    memory_map_init();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    object_root_cleanup();
    memory_map_cleanup();
    clocks_cleanup();
    main_loop_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_placed_in_memory_is_found_and_adds_up),
        cmocka_unit_test(only_a_board_with_ecam_has_an_mcfg),
        cmocka_unit_test(every_cpu_and_controller_is_in_the_madt),
        cmocka_unit_test(the_fixed_registers_or_their_absence_are_in_the_fadt),
        cmocka_unit_test(firmware_makes_the_same_of_it_by_the_commands),
        cmocka_unit_test(the_reference_compiler_makes_the_same_of_each_table),
        cmocka_unit_test(integers_and_names_are_as_short_as_can_be),
        cmocka_unit_test(lengths_count_themselves),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
