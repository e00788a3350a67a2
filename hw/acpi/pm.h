/* SPDX-License-Identifier: MIT */
/*
 * ACPI's fixed registers of power management (ACPI Specification 6.4, 4.8): events, control - by
 * which the guest switches the machine off -, a timer, general-purpose events, and the port by
 * which it switches ACPI on. A part of a chip's state, used inside its guard.
 */
#ifndef QOMET_HW_ACPI_PM_H
#define QOMET_HW_ACPI_PM_H

#include <qomet/hw/core/qdev.h>

/** Sizes and places of the registers in ports of the chip's choice. */
#define ACPI_PM1_EVENT_BYTES 4
#define ACPI_PM1_CONTROL_OFFSET 4
#define ACPI_PM_TIMER_OFFSET 8

#define ACPI_GPE_MAX_BYTES 32

/** What a chip has. */
typedef struct AcpiPMConfig {
    /* The port where the chip's registers say that io is, or 0; inside the guard. NULL: the chip
     * maps it. */
    uint16_t (*base)(DeviceState *dev);
    uint8_t io_bytes;  /* ports of events, control, timer, and what else the chip has there */
    uint8_t gpe_bytes; /* status and enable, so even */
    uint8_t smi_enable, smi_disable; /* what is written to the command port */
} AcpiPMConfig;

typedef struct AcpiPMState {
    AcpiPMConfig config;
    DeviceState *dev;             /* the chip */
    MemoryRegion io;              /* events, control, timer */
    MemoryRegion *ports;          /* where io is to be mapped */
    bool mapped;                  /* it is; main thread */
    MemoryRegion gpe, smi_ports;  /* general-purpose events; command and its status */
    MemoryRegion evt, cnt, timer; /* in io */
    qemu_irq sci[1];              /* the chip's output "sci": high while an event is pending */
    QEMUTimer overflow;           /* when the timer's highest bit changes next */
    uint16_t pm1_status, pm1_enable, pm1_control;
    int64_t overflow_ns; /* when the timer's highest bit changes next without having been noted */
    uint8_t gpe_regs[ACPI_GPE_MAX_BYTES]; /* status, then enable */
    uint8_t smi_command, smi_status;
} AcpiPMState;

/** The rows of a chip's state table for its field @f of the device's struct @s. */
/* NOLINTBEGIN(bugprone-macro-parentheses): the name of a member takes none. */
#define ACPI_PM_FIELDS(s, f)                                                                       \
    DEVICE_FIELD(s, f.pm1_status), DEVICE_FIELD(s, f.pm1_enable), DEVICE_FIELD(s, f.pm1_control),  \
        DEVICE_FIELD(s, f.overflow_ns), DEVICE_ARRAY(s, f.gpe_regs),                               \
        DEVICE_FIELD(s, f.smi_command), DEVICE_FIELD(s, f.smi_status)
/* NOLINTEND(bugprone-macro-parentheses) */

/** In the instance_init of @dev. */
QOM_EXPORT void acpi_pm_init(AcpiPMState *s, DeviceState *dev, AcpiPMConfig config);
/** In its realize: from now on, until it is unrealized, it hears of the power button, and is in the
 * map of ports @ports, which outlives it. */
QOM_EXPORT void acpi_pm_start(AcpiPMState *s, MemoryRegion *ports);
/** In its reset. */
QOM_EXPORT void acpi_pm_reset(AcpiPMState *s);
/** The chip's base() may give another port than before: io goes there before the guest goes on. */
QOM_EXPORT void acpi_pm_update_map(AcpiPMState *s);
/** Raises the general-purpose event @n; inside the guard. */
QOM_EXPORT void acpi_pm_raise_gpe(AcpiPMState *s, unsigned n);

#endif
