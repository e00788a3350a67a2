/* SPDX-License-Identifier: MIT */
/* ACPI tables of boards of the PC's family, read off the machine. */
#ifndef MACHINE_X86_ACPI_H
#define MACHINE_X86_ACPI_H

#include <qomet/hw/acpi/tables.h>
#include <qomet/machine/machine.h>
#include "machine/boot/boot.h"

/*
 * The tables of @machine: @board, with the parts that are found in the machine itself filled in -
 * processors, interrupt controllers, clock, keyboard controller, serial ports, pvpanic. The caller
 * frees them. For a class's done.
 */
AcpiTables *x86_acpi_build(MachineState *machine, AcpiBoard board);
/*
 * Puts @tables where firmware would have put them, at FIRMWARE_START, which is what a guest is told
 * is no RAM. False with @errp set when there is no room for all of them.
 */
bool x86_acpi_place(const MachineState *machine, const AcpiTables *tables, BootImage *image,
                    GError **errp);

#endif
