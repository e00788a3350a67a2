/* SPDX-License-Identifier: MIT */
/* ACPI tables of the machines "pc" and "q35". */
#ifndef MACHINE_PC_ACPI_H
#define MACHINE_PC_ACPI_H

#include <qomet/hw/acpi/tables.h>
#include <qomet/machine/machine.h>

/* The tables of a machine of that family with @low_ram bytes of its RAM below 4 GiB. The caller
 * frees them. For the class's done. */
AcpiTables *pc_acpi_build(MachineState *machine, uint64_t low_ram);

#endif
