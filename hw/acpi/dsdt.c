/* SPDX-License-Identifier: MIT */
/*
 * The DSDT: what a guest finds by no bus of its own - processors, root bus, legacy devices, how the
 * machine is switched off.
 */
#include <qomet/hw/acpi/ged.h>
#include "hw/acpi/dsdt-int.h"

#define SLEEP_S5_FIXED 0 /* the type that hw/acpi/pm.c knows */

#define NOTIFY_PRESSED 0x80
#define PRESENT_ENABLED_SHOWN 0x0f

static void name_hid(Aml *dev, const char *id)
{
    aml_append(dev, aml_name_decl("_HID", aml_eisaid(id)));
}

static void name_int(Aml *dev, const char *name, uint64_t value)
{
    aml_append(dev, aml_name_decl(name, aml_int(value)));
}

/* ---- Legacy devices ---- */

/* A device with @ports ports from @port on, and the line @irq (0: none). */
static Aml *legacy_device(const char *name, const char *id, uint16_t port, uint8_t ports,
                          uint8_t irq)
{
    Aml *dev = aml_device("%s", name), *crs = aml_resource_template();

    name_hid(dev, id);
    if (ports) {
        aml_append(crs, aml_io(port, port, 1, ports));
    }
    if (irq) {
        aml_append(crs, aml_irq_no_flags(irq));
    }
    aml_append(dev, aml_name_decl("_CRS", crs));
    return dev;
}

static void add_8042(Aml *parent)
{
    Aml *kbd = aml_device("KBD_"), *crs = aml_resource_template();

    name_hid(kbd, "PNP0303");
    name_int(kbd, "_STA", PRESENT_ENABLED_SHOWN);
    aml_append(crs, aml_io(0x60, 0x60, 1, 1));
    aml_append(crs, aml_io(0x64, 0x64, 1, 1));
    aml_append(crs, aml_irq_no_flags(1));
    aml_append(kbd, aml_name_decl("_CRS", crs));
    aml_append(parent, kbd);
    aml_append(parent, legacy_device("MOU_", "PNP0F13", 0, 0, 12));
}

static void add_serials(Aml *parent, const AcpiBoard *board)
{
    for (unsigned i = 0; i < ACPI_MAX_SERIALS; i++) {
        char name[] = { 'C', 'O', 'M', (char)('1' + i), 0 };
        Aml *dev;

        if (board->serial[i].port) {
            dev = legacy_device(name, "PNP0501", board->serial[i].port, 8, board->serial[i].irq);
            name_int(dev, "_UID", i + 1);
            aml_append(parent, dev);
        }
    }
}

static void add_pvpanic(Aml *parent, uint16_t port)
{
    Aml *dev = aml_device("PEVT"), *crs = aml_resource_template();

    aml_append(dev, aml_name_decl("_HID", aml_string("QEMU0001")));
    name_int(dev, "_STA", PRESENT_ENABLED_SHOWN & ~4);
    aml_append(crs, aml_io(port, port, 1, 1));
    aml_append(dev, aml_name_decl("_CRS", crs));
    aml_append(parent, dev);
}

void acpi_dsdt_legacy(Aml *parent, const AcpiBoard *board)
{
    if (board->has_rtc) {
        aml_append(parent, legacy_device("RTC_", "PNP0B00", 0x70, 8, 8));
    }
    if (board->has_8042) {
        add_8042(parent);
    }
    add_serials(parent, board);
    if (board->pvpanic_port) {
        add_pvpanic(parent, board->pvpanic_port);
    }
}

/* ---- What else is there ---- */

static void add_cpus(Aml *scope, const AcpiBoard *board)
{
    for (unsigned i = 0; i < board->num_cpus; i++) {
        Aml *dev = aml_device("C%03X", i & 0xfff);

        aml_append(dev, aml_name_decl("_HID", aml_string("ACPI0007")));
        name_int(dev, "_UID", i);
        aml_append(scope, dev);
    }
}

static void add_virtio(Aml *scope, const AcpiBoard *board)
{
    for (unsigned i = 0; i < board->virtio_mmio.n; i++) {
        const uint32_t gsi = board->virtio_mmio.gsi + i, bytes = board->virtio_mmio.bytes;
        Aml *dev = aml_device("VR%02u", i % 100), *crs = aml_resource_template();

        aml_append(dev, aml_name_decl("_HID", aml_string("LNRO0005")));
        name_int(dev, "_UID", i);
        name_int(dev, "_CCA", 1);
        aml_append(crs, aml_memory32_fixed(board->virtio_mmio.addr + i * bytes, bytes));
        aml_append(crs, aml_interrupt(AML_EDGE, AML_ACTIVE_HIGH, AML_EXCLUSIVE, &gsi, 1));
        aml_append(dev, aml_name_decl("_CRS", crs));
        aml_append(scope, dev);
    }
}

/* Events without fixed registers (5.6.9): the power button is the only one. */
static void add_ged(Aml *scope, const AcpiReduced *r)
{
    Aml *ged = aml_device("GED_"), *button = aml_device("PWRB");
    Aml *crs = aml_resource_template(), *field = aml_field("EREG", AML_DWORD_ACC);
    Aml *event = aml_method("_EVT", 1, AML_SERIALIZED), *pressed;

    aml_append(ged, aml_name_decl("_HID", aml_string("ACPI0013")));
    name_int(ged, "_UID", 0);
    aml_append(crs, aml_interrupt(AML_EDGE, AML_ACTIVE_HIGH, AML_EXCLUSIVE, &r->gsi, 1));
    aml_append(ged, aml_name_decl("_CRS", crs));
    aml_append(ged, aml_operation_region("EREG", AML_SYSTEM_MEMORY, aml_int(r->ged_addr), 4));
    aml_append(field, aml_named_field("ESEL", 32));
    aml_append(ged, field);
    aml_append(event, aml_store(aml_name("ESEL"), aml_local(0)));
    pressed = aml_if(aml_equal(aml_and(aml_local(0), aml_int(ACPI_GED_PWR_DOWN_EVT), NULL),
                               aml_int(ACPI_GED_PWR_DOWN_EVT)));
    aml_append(pressed, aml_notify(aml_name("\\_SB.PWRB"), aml_int(NOTIFY_PRESSED)));
    aml_append(event, pressed);
    aml_append(ged, event);
    aml_append(scope, ged);
    name_hid(button, "PNP0C0C");
    name_int(button, "_UID", 0);
    aml_append(scope, button);
}

static Aml *s5(uint8_t type)
{
    Aml *values = aml_package(4);

    aml_append(values, aml_int(type));
    aml_append(values, aml_int(type));
    aml_append(values, aml_int(0));
    aml_append(values, aml_int(0));
    return aml_name_decl("_S5", values);
}

Aml *acpi_dsdt(const AcpiBoard *board)
{
    Aml *dsdt = init_aml(), *scope = aml_scope("\\_SB");

    add_cpus(scope, board);
    if (board->pci) {
        acpi_dsdt_pci(scope, dsdt, board);
    }
    if (!board->pci || !board->pci->has_isa) {
        acpi_dsdt_legacy(scope, board);
    }
    add_virtio(scope, board);
    if (board->reduced) {
        add_ged(scope, board->reduced);
    }
    aml_append(dsdt, scope);
    aml_append(dsdt, s5(board->reduced ? ACPI_GED_SLP_TYP_S5 : SLEEP_S5_FIXED));
    return dsdt;
}
