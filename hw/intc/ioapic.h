/* SPDX-License-Identifier: MIT */
/* The I/O APIC in user space: pins that become messages to the local APICs. */
#ifndef QOMET_HW_INTC_IOAPIC_H
#define QOMET_HW_INTC_IOAPIC_H

#include <qomet/hw/core/sysbus.h>

/**
 * A device on the system bus with one region, to be mapped at IOAPIC_ADDR, and IOAPIC_PINS inputs
 * without a name: high while the interrupt is asked for, whatever polarity the guest has set.
 * Messages go to the machine's msi-target, which has to be there before it and tells it of the ends
 * of level interrupts.
 */
#define TYPE_IOAPIC "ioapic"

#define IOAPIC_PINS 24
#define IOAPIC_ADDR UINT64_C(0xfec00000)

#endif
