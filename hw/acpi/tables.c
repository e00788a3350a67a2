/* SPDX-License-Identifier: MIT */
/*
 * The tables with fixed layouts: FACS, FADT, MADT, MCFG, and what leads to them. What the DSDT says
 * is in dsdt.c.
 */
#include <string.h>
#include <qomet/hw/acpi/ged.h>
#include "hw/acpi/tables-int.h"

#define HEADER_BYTES 36
#define HEADER_LENGTH 4 /* where the table's length stands */
#define HEADER_CHECKSUM 9
#define FACS_BYTES 64 /* and its alignment */
#define RSDP_V1_BYTES 20
#define RSDP_BYTES 36

#define OEM_ID "QOMET "
#define CREATOR "QMET"

/* ---- Writing ---- */

/* The low @bytes (1 to 8) of @value. */
static void put(GByteArray *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        uint8_t byte = value >> 8 * i & 0xff;

        g_byte_array_append(to, &byte, 1);
    }
}

static void put_zeros(GByteArray *to, unsigned bytes)
{
    guint start = to->len;

    g_byte_array_set_size(to, start + bytes);
    memset(to->data + start, 0, bytes);
}

static void put_text(GByteArray *to, const char *text, unsigned bytes)
{
    char padded[8] = { 0 };

    memcpy(padded, text, strlen(text));
    g_byte_array_append(to, (const uint8_t *)padded, bytes);
}

static void put_pointer(AcpiTables *t, GByteArray *to, uint32_t target, unsigned bytes)
{
    AcpiPointer pointer = { to == t->rsdp, bytes, to->len };

    g_array_append_val(t->pointers, pointer);
    put(to, target, bytes);
}

static void put_checksum(AcpiTables *t, bool in_rsdp, uint32_t offset, uint32_t start,
                         uint32_t length)
{
    AcpiChecksum sum = { in_rsdp, offset, start, length };

    g_array_append_val(t->checksums, sum);
}

/* Begins a table (5.2.6); where it begins. */
static uint32_t begin_table(AcpiTables *t, const char *signature, uint8_t revision)
{
    uint32_t start = t->tables->len;

    put_text(t->tables, signature, 4);
    put(t->tables, 0, 4); /* length */
    put(t->tables, revision, 1);
    put(t->tables, 0, 1); /* checksum */
    put_text(t->tables, OEM_ID, 6);
    put_text(t->tables, "QOMET", 4);
    put_text(t->tables, signature, 4);
    put(t->tables, 1, 4);
    put_text(t->tables, CREATOR, 4);
    put(t->tables, 1, 4);
    return start;
}

static void end_table(AcpiTables *t, uint32_t start)
{
    uint32_t length = GUINT32_TO_LE(t->tables->len - start);

    memcpy(t->tables->data + start + HEADER_LENGTH, &length, sizeof(length));
    put_checksum(t, false, start + HEADER_CHECKSUM, start, t->tables->len - start);
}

/* ---- FACS (5.2.10), DSDT ---- */

static uint32_t build_facs(AcpiTables *t)
{
    uint32_t start = t->tables->len;

    put_text(t->tables, "FACS", 4);
    put(t->tables, FACS_BYTES, 4);
    put_zeros(t->tables, 24); /* never slept, no lock held */
    put(t->tables, 1, 1);
    put_zeros(t->tables, FACS_BYTES - 33);
    return start;
}

static uint32_t build_dsdt(AcpiTables *t, const AcpiBoard *board)
{
    uint32_t start = begin_table(t, "DSDT", 2);

    aml_write(acpi_dsdt(board), t->tables);
    end_table(t, start);
    return start;
}

/* ---- FADT (5.2.9) ---- */

#define SPACE_MEMORY 0
#define SPACE_IO 1
#define ACCESS_BYTE 1
#define ACCESS_WORD 2
#define ACCESS_DWORD 3

#define FADT_WBINVD (1 << 0)
#define FADT_PROC_C1 (1 << 2)
#define FADT_PWR_BUTTON (1 << 4)
#define FADT_SLP_BUTTON (1 << 5)
#define FADT_RESET_REG_SUP (1 << 10)
#define FADT_HW_REDUCED (1 << 20)

#define BOOT_LEGACY_DEVICES (1 << 0)
#define BOOT_8042 (1 << 1)
#define BOOT_NO_VGA (1 << 2)
#define BOOT_NO_CMOS_RTC (1 << 5)

#define NO_C_STATE 0x0fff
#define CMOS_CENTURY 0x32
#define TIMER_BYTES 4
#define PM1_EVENT_BYTES 4
#define PM1_CONTROL_BYTES 2
#define PM1_CONTROL_OFFSET 4
#define TIMER_OFFSET 8

/* A generic address (5.2.3.2); nothing for @bytes 0. */
static void put_register(GByteArray *to, unsigned space, uint64_t addr, unsigned bytes,
                         unsigned access)
{
    put(to, bytes ? space : 0, 1);
    put(to, bytes * 8, 1);
    put(to, 0, 1);
    put(to, bytes ? access : 0, 1);
    put(to, bytes ? addr : 0, 8);
}

static uint32_t fadt_flags(const AcpiBoard *board)
{
    uint32_t flags = FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON;

    if (board->reduced) {
        return flags | FADT_PWR_BUTTON | FADT_HW_REDUCED | FADT_RESET_REG_SUP;
    }
    return flags | (board->reset_port ? FADT_RESET_REG_SUP : 0);
}

static uint16_t fadt_boot_flags(const AcpiBoard *board)
{
    return (board->reduced ? 0 : BOOT_LEGACY_DEVICES) | (board->has_8042 ? BOOT_8042 : 0) |
           BOOT_NO_VGA | (board->has_rtc ? 0 : BOOT_NO_CMOS_RTC);
}

/* The fixed registers as 32-bit ports; all 0 where there are none. */
static void put_fixed_ports(GByteArray *to, const AcpiFixed *f)
{
    put(to, f->pm_base, 4);
    put(to, 0, 4);
    put(to, f->pm_base ? f->pm_base + PM1_CONTROL_OFFSET : 0, 4);
    put(to, 0, 4);
    put(to, 0, 4);
    put(to, f->pm_base ? f->pm_base + TIMER_OFFSET : 0, 4);
    put(to, f->gpe0, 4);
    put(to, 0, 4);
    put(to, f->pm_base ? PM1_EVENT_BYTES : 0, 1);
    put(to, f->pm_base ? PM1_CONTROL_BYTES : 0, 1);
    put(to, 0, 1);
    put(to, f->pm_base ? TIMER_BYTES : 0, 1);
    put(to, f->gpe0_bytes, 1);
    put(to, 0, 3);
}

/* The same as generic addresses. */
static void put_fixed_registers(GByteArray *to, const AcpiFixed *f)
{
    const unsigned here = f->pm_base != 0;

    put_register(to, SPACE_IO, f->pm_base, here * PM1_EVENT_BYTES, ACCESS_WORD);
    put_register(to, 0, 0, 0, 0);
    put_register(to, SPACE_IO, f->pm_base + PM1_CONTROL_OFFSET, here * PM1_CONTROL_BYTES,
                 ACCESS_WORD);
    put_register(to, 0, 0, 0, 0);
    put_register(to, 0, 0, 0, 0);
    put_register(to, SPACE_IO, f->pm_base + TIMER_OFFSET, here * TIMER_BYTES, ACCESS_DWORD);
    put_register(to, SPACE_IO, f->gpe0, f->gpe0_bytes, ACCESS_BYTE);
    put_register(to, 0, 0, 0, 0);
}

static void put_reset_register(GByteArray *to, const AcpiBoard *board)
{
    if (board->reduced) {
        put_register(to, SPACE_MEMORY, board->reduced->regs_addr + ACPI_GED_REG_RESET, 1,
                     ACCESS_BYTE);
        put(to, ACPI_GED_RESET_VALUE, 1);
    } else {
        put_register(to, SPACE_IO, board->reset_port, board->reset_port ? 1 : 0, ACCESS_BYTE);
        put(to, board->reset_value, 1);
    }
}

static void put_sleep_register(GByteArray *to, const AcpiReduced *r, unsigned offset)
{
    put_register(to, SPACE_MEMORY, r ? r->regs_addr + offset : 0, r ? 1 : 0, ACCESS_BYTE);
}

static uint32_t build_fadt(AcpiTables *t, const AcpiBoard *board, uint32_t facs, uint32_t dsdt)
{
    static const AcpiFixed none;
    const AcpiFixed *f = board->fixed ? board->fixed : &none;
    GByteArray *to = t->tables;
    uint32_t start = begin_table(t, "FACP", 5);

    put_pointer(t, to, facs, 4);
    put_pointer(t, to, dsdt, 4);
    put(to, 0, 2); /* no profile */
    put(to, board->fixed ? board->sci : 0, 2);
    put(to, f->smi_port, 4);
    put(to, f->smi_enable, 1);
    put(to, f->smi_disable, 1);
    put(to, 0, 2);
    put_fixed_ports(to, f);
    put(to, NO_C_STATE, 2);
    put(to, NO_C_STATE, 2);
    put(to, 0, 8); /* caches need no flushing by hand; no duty cycle; no alarm by date */
    put(to, board->has_rtc ? CMOS_CENTURY : 0, 1);
    put(to, fadt_boot_flags(board), 2);
    put(to, 0, 1);
    put(to, fadt_flags(board), 4);
    put_reset_register(to, board);
    put(to, 0, 2);
    put(to, 1, 1); /* minor version: 5.1 */
    /* Both are below 4 GiB: the FACS is told of once, the DSDT as everybody does. */
    put(to, 0, 8);
    put_pointer(t, to, dsdt, 8);
    put_fixed_registers(to, f);
    put_sleep_register(to, board->reduced, ACPI_GED_REG_SLEEP_CTL);
    put_sleep_register(to, board->reduced, ACPI_GED_REG_SLEEP_STS);
    end_table(t, start);
    return start;
}

/* ---- MADT (5.2.12), MCFG (PCI Firmware Specification 3.3, 4.1.2) ---- */

#define LAPIC_ADDR 0xfee00000
#define MADT_PCAT_COMPAT 1
#define MADT_LAPIC 0
#define MADT_IOAPIC 1
#define MADT_OVERRIDE 2
#define MADT_LAPIC_NMI 4
#define MADT_X2APIC 9
#define MADT_X2APIC_NMI 10
#define CPU_ENABLED 1
#define INTI_ACTIVE_HIGH 0x01
#define INTI_LEVEL 0x0c

static void put_cpu(GByteArray *to, unsigned uid, uint32_t apic_id)
{
    if (apic_id < 255 && uid < 255) {
        put(to, MADT_LAPIC, 1);
        put(to, 8, 1);
        put(to, uid, 1);
        put(to, apic_id, 1);
        put(to, CPU_ENABLED, 4);
    } else {
        put(to, MADT_X2APIC, 1);
        put(to, 16, 1);
        put(to, 0, 2);
        put(to, apic_id, 4);
        put(to, CPU_ENABLED, 4);
        put(to, uid, 4);
    }
}

static void put_ioapic(GByteArray *to, const AcpiBoard *board)
{
    put(to, MADT_IOAPIC, 1);
    put(to, 12, 1);
    put(to, board->ioapic_id, 1);
    put(to, 0, 1);
    put(to, board->ioapic_addr, 4);
    put(to, 0, 4);
}

static void put_override(GByteArray *to, const AcpiIrqOverride *o)
{
    put(to, MADT_OVERRIDE, 1);
    put(to, 10, 1);
    put(to, 0, 1); /* ISA */
    put(to, o->source, 1);
    put(to, o->gsi, 4);
    put(to, o->level ? INTI_LEVEL | INTI_ACTIVE_HIGH : 0, 2);
}

/* NMIs come to LINT1 of every CPU. */
static void put_nmi(GByteArray *to, bool x2apic)
{
    put(to, x2apic ? MADT_X2APIC_NMI : MADT_LAPIC_NMI, 1);
    put(to, x2apic ? 12 : 6, 1);
    if (x2apic) {
        put(to, 0, 2);
        put(to, UINT32_MAX, 4);
        put(to, 1, 1);
        put(to, 0, 3);
    } else {
        put(to, UINT8_MAX, 1);
        put(to, 0, 2);
        put(to, 1, 1);
    }
}

static uint32_t build_madt(AcpiTables *t, const AcpiBoard *board)
{
    GByteArray *to = t->tables;
    uint32_t start = begin_table(t, "APIC", 3);
    bool x2apic = board->num_cpus > 255;

    put(to, LAPIC_ADDR, 4);
    put(to, board->has_8259 ? MADT_PCAT_COMPAT : 0, 4);
    for (unsigned i = 0; i < board->num_cpus; i++) {
        put_cpu(to, i, board->apic_ids[i]);
        x2apic = x2apic || board->apic_ids[i] >= 255;
    }
    put_ioapic(to, board);
    for (unsigned i = 0; i < board->num_overrides; i++) {
        put_override(to, &board->overrides[i]);
    }
    put_nmi(to, false);
    if (x2apic) {
        put_nmi(to, true);
    }
    end_table(t, start);
    return start;
}

static uint32_t build_mcfg(AcpiTables *t, const AcpiPciHost *host)
{
    uint32_t start = begin_table(t, "MCFG", 1);

    put(t->tables, 0, 8);
    put(t->tables, host->ecam, 8);
    put(t->tables, 0, 2); /* segment */
    put(t->tables, 0, 1);
    put(t->tables, host->bus_last, 1);
    put(t->tables, 0, 4);
    end_table(t, start);
    return start;
}

/* ---- What leads to them: RSDT and XSDT (5.2.7), RSDP (5.2.5.3) ---- */

static uint32_t build_root(AcpiTables *t, const char *signature, const uint32_t *tables, unsigned n,
                           unsigned bytes)
{
    uint32_t start = begin_table(t, signature, 1);

    for (unsigned i = 0; i < n; i++) {
        put_pointer(t, t->tables, tables[i], bytes);
    }
    end_table(t, start);
    return start;
}

static void build_rsdp(AcpiTables *t, uint32_t rsdt, uint32_t xsdt)
{
    put_text(t->rsdp, "RSD PTR ", 8);
    put(t->rsdp, 0, 1);
    put_text(t->rsdp, OEM_ID, 6);
    put(t->rsdp, 2, 1);
    put_pointer(t, t->rsdp, rsdt, 4);
    put(t->rsdp, RSDP_BYTES, 4);
    put_pointer(t, t->rsdp, xsdt, 8);
    put(t->rsdp, 0, 4);
    put_checksum(t, true, 8, 0, RSDP_V1_BYTES);
    put_checksum(t, true, 32, 0, RSDP_BYTES);
}

AcpiTables *acpi_build(const AcpiBoard *board)
{
    AcpiTables *t = g_new0(AcpiTables, 1);
    uint32_t listed[3], facs, dsdt, rsdt;
    unsigned n = 0;

    t->rsdp = g_byte_array_new();
    t->tables = g_byte_array_new();
    t->pointers = g_array_new(FALSE, FALSE, sizeof(AcpiPointer));
    t->checksums = g_array_new(FALSE, FALSE, sizeof(AcpiChecksum));
    facs = build_facs(t); /* first, for its alignment */
    dsdt = build_dsdt(t, board);
    listed[n++] = build_fadt(t, board, facs, dsdt);
    listed[n++] = build_madt(t, board);
    if (board->pci && board->pci->ecam) {
        listed[n++] = build_mcfg(t, board->pci);
    }
    rsdt = build_root(t, "RSDT", listed, n, 4);
    build_rsdp(t, rsdt, build_root(t, "XSDT", listed, n, 8));
    return t;
}

void acpi_tables_free(AcpiTables *t)
{
    if (t) {
        g_byte_array_unref(t->rsdp);
        g_byte_array_unref(t->tables);
        g_array_unref(t->pointers);
        g_array_unref(t->checksums);
        g_free(t);
    }
}
