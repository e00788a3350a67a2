/* SPDX-License-Identifier: MIT */
/*
 * What ACPI tables say of a PC: the windows of its root bus between RAM and the interrupt
 * controllers, links as its south bridge has them, and power management as its class has it.
 */
#include <string.h>
#include <qomet/hw/pci/pci-host.h>
#include "hw/isa/south-bridge.h"
#include "machine/pc-acpi.h"
#include "machine/pc-board.h"
#include "machine/x86-acpi.h"

#define ECAM_BYTES (UINT64_C(256) << 20)
#define GIB (UINT64_C(1) << 30)
#define MEM32_END UINT64_C(0xfebfffff) /* interrupt controllers and firmware follow */
#define MEM64_END UINT64_C(0x7fffffffff)

#define SPARE_BUSES 7
#define BUSES_OF_BRIDGE 4 /* its own, and room for bridges that come later */

#define RESET_VALUE 0x0f /* all of the machine, by port 0xcf9 */

/* The line of the timer is the input 2 of the IOAPIC; those of links are levels. */
static const AcpiIrqOverride overrides[] = {
    { 0, 2, false }, { 5, 5, true }, { 9, 9, true }, { 10, 10, true }, { 11, 11, true },
};

/* Bridges at and below @bus. */
static unsigned count_bridges(const PCIBus *bus)
{
    unsigned n = 0;

    for (guint i = 0; i < bus->below->len; i++) {
        n += 1 + count_bridges(g_ptr_array_index(bus->below, i));
    }
    return n;
}

/*
 * The last bus number that the window of configuration spaces is said to have: a guest looks for
 * devices on each, which takes it longer than all else in its start.
 */
static uint8_t last_bus(const PCIBus *root)
{
    return (uint8_t)MIN(SPARE_BUSES + BUSES_OF_BRIDGE * count_bridges(root), 0xff);
}

static AcpiPciHost describe_pci(MachineState *machine, uint64_t low_ram)
{
    const PCBoardClass *pc = PC_BOARD_GET_CLASS(machine);
    const PCIBus *bus =
        PCI_HOST_BRIDGE(object_resolve_path_component(OBJECT(machine), pc->host_name))->bus;
    const uint64_t high = 4 * GIB + (machine->ram_size - low_ram);
    AcpiPciHost host = {
        .express = pc->ecam != 0,
        .bus_last = pc->ecam ? last_bus(bus) : 0xff,
        .ecam = pc->ecam,
        .io = { { 0, 0x0cf7 }, { 0x0d00, 0xffff } },
        .mem32 = { { 0xa0000, 0xbffff }, { low_ram, MEM32_END } },
        .gsi_base = pc->gsi_base,
    };

    if (pc->ecam) {
        host.mem32[1].min = pc->ecam + ECAM_BYTES;
    }
    if (high < MEM64_END) {
        host.mem64 = (AcpiWindow){ (high + GIB - 1) & ~(GIB - 1), MEM64_END };
    }
    south_bridge_describe(
        SOUTH_BRIDGE(object_resolve_path_component(OBJECT(machine), pc->isa_name)), &host);
    return host;
}

AcpiTables *pc_acpi_build(MachineState *machine, uint64_t low_ram)
{
    const AcpiPciHost host = describe_pci(machine, low_ram);
    const AcpiFixed *fixed = PC_BOARD_GET_CLASS(machine)->fixed;
    AcpiBoard board = { .has_8259 = true,
                        .num_overrides = G_N_ELEMENTS(overrides),
                        .sci = PC_SCI_LINE,
                        .pci = &host,
                        .fixed = fixed,
                        .reset_port = RESET_CONTROL_PORT,
                        .reset_value = RESET_VALUE };

    memcpy(board.overrides, overrides, sizeof(overrides));
    return x86_acpi_build(machine, board);
}
