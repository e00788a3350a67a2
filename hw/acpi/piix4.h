/* SPDX-License-Identifier: MIT */
/* The power management function of the machine "pc", for its board. */
#ifndef QOMET_HW_ACPI_PIIX4_H
#define QOMET_HW_ACPI_PIIX4_H

/**
 * A function on a root bus, with the output line "sci". The registers of ACPI are where the guest
 * puts them.
 */
#define TYPE_PIIX4_PM "PIIX4_PM"

/** Where firmware expects to put them, and where the others are. */
#define PIIX4_PM_BASE 0x600
#define PIIX4_GPE_BASE 0xafe0
#define PIIX4_GPE_BYTES 4
#define PIIX4_SMI_PORT 0xb2
#define PIIX4_ACPI_ENABLE 0xf1
#define PIIX4_ACPI_DISABLE 0xf0

#endif
