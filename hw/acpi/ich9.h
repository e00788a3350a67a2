/* SPDX-License-Identifier: MIT */
/*
 * Power management as Intel's ICH9 has it, a part of its bridge to the ISA bus (data sheet 316972,
 * 13.8.3): ACPI's registers and those of its management interrupt, which never comes.
 */
#ifndef QOMET_HW_ACPI_ICH9_H
#define QOMET_HW_ACPI_ICH9_H

#include <qomet/hw/acpi/pm.h>

/** Where firmware puts the registers, and where the others are. */
#define ICH9_PM_BASE 0x600
#define ICH9_PM_BYTES 128
#define ICH9_GPE_OFFSET 0x20
#define ICH9_GPE_BYTES 16
#define ICH9_SMI_PORT 0xb2
#define ICH9_ACPI_ENABLE 0x02
#define ICH9_ACPI_DISABLE 0x03

typedef struct ICH9PM {
    AcpiPMState pm;
    MemoryRegion smi; /* in pm.io */
    uint32_t smi_enable;
} ICH9PM;

/** As acpi_pm_init(); @base: the port where the bridge's registers say that all of it is, or 0. */
QOM_EXPORT void ich9_pm_init(ICH9PM *s, DeviceState *dev, uint16_t (*base)(DeviceState *dev));
/** As acpi_pm_start(). */
QOM_EXPORT bool ich9_pm_start(ICH9PM *s, MemoryRegion *ports,
                              GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** In the reset of the bridge. */
QOM_EXPORT void ich9_pm_reset(ICH9PM *s);

#endif
