/* SPDX-License-Identifier: MIT */
/* Power management of a board without ACPI's fixed registers, for its board and its tables. */
#ifndef QOMET_HW_ACPI_GED_H
#define QOMET_HW_ACPI_GED_H

/**
 * A sysbus device: memory region 0 tells which event has come, region 1 switches the machine off
 * or resets it; its line rises for each event.
 */
#define TYPE_ACPI_GED "acpi-ged"

#define ACPI_GED_EVENT_BYTES 4
#define ACPI_GED_REGS_BYTES 3

/** The registers of region 1. */
#define ACPI_GED_REG_SLEEP_CTL 0
#define ACPI_GED_REG_SLEEP_STS 1
#define ACPI_GED_REG_RESET 2
#define ACPI_GED_RESET_VALUE 0x42
/** The sleep type of "off". */
#define ACPI_GED_SLP_TYP_S5 5
/** Bits of region 0. */
#define ACPI_GED_PWR_DOWN_EVT 0x2

#endif
