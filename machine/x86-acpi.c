/* SPDX-License-Identifier: MIT */
/* What ACPI tables say of a machine: what is there is there in its tree. */
#include <inttypes.h>
#include <qomet/hw/char/serial.h>
#include <qomet/hw/intc/ioapic.h>
#include <qomet/hw/misc/pvpanic.h>
#include <qomet/qom/error.h>
#include "machine/boot/e820.h"
#include "machine/x86-acpi.h"

static bool has(MachineState *machine, const char *child)
{
    return object_resolve_path_component(OBJECT(machine), child) != NULL;
}

/* The ports of -serial; with -device isa-serial there may be others. */
static void describe_serials(const MachineState *machine, AcpiBoard *board)
{
    for (unsigned n = 0; n < MIN(machine_serial_count(machine), ACPI_MAX_SERIALS); n++) {
        const ISASerialPlace *place = isa_serial_place(n);

        if (place && machine_serial_words(machine, n)) {
            board->serial[n] = (AcpiSerial){ .port = place->iobase, .irq = place->irq };
        }
    }
}

AcpiTables *x86_acpi_build(MachineState *machine, AcpiBoard board)
{
    Object *pvpanic = object_resolve_path_type("", TYPE_PVPANIC_ISA_DEVICE, NULL);
    const CPUTopology topology = machine_topology(machine);
    g_autofree uint32_t *apic_ids = g_new(uint32_t, machine->smp_cpus);

    for (uint32_t i = 0; i < machine->smp_cpus; i++) {
        apic_ids[i] = x86_apic_id(&topology, i);
    }
    board.num_cpus = machine->smp_cpus;
    board.apic_ids = apic_ids;
    board.ioapic_addr = IOAPIC_ADDR;
    board.has_rtc = has(machine, "mc146818rtc");
    board.has_8042 = has(machine, "i8042");
    board.pvpanic_port = pvpanic ? (uint16_t)object_property_get_uint(pvpanic, "ioport", NULL) : 0;
    describe_serials(machine, &board);
    return acpi_build(&board);
}

bool x86_acpi_place(const MachineState *machine, const AcpiTables *tables, BootImage *image,
                    GError **errp)
{
    if (acpi_tables_size(tables) > RESET_VECTOR - FIRMWARE_START) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "the ACPI tables of %u vCPUs have %zu bytes, and there is room for %" PRIu64
                      ": fewer with -smp, or acpi=off",
                      machine->smp_cpus, acpi_tables_size(tables), RESET_VECTOR - FIRMWARE_START);
        return false;
    }
    boot_image_add_bytes(image, FIRMWARE_START,
                         g_byte_array_free_to_bytes(acpi_tables_place(tables, FIRMWARE_START)));
    return true;
}
