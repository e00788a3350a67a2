/* SPDX-License-Identifier: MIT */
/* What the files of the DSDT share. */
#ifndef HW_ACPI_DSDT_INT_H
#define HW_ACPI_DSDT_INT_H

#include "hw/acpi/tables-int.h"

/* Adds RTC, keyboard controller, serial ports and pvpanic to @parent, a bus or a bridge. */
void acpi_dsdt_legacy(Aml *parent, const AcpiBoard *board);
/* Adds the root bus and its links to @scope, and what stands outside all scopes to @root. */
void acpi_dsdt_pci(Aml *scope, Aml *root, const AcpiBoard *board);

#endif
