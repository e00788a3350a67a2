/* SPDX-License-Identifier: MIT */
/* The interrupt controllers of the accelerator as a device: input lines that lead into it. */
#ifndef QOMET_HW_INTC_ACCEL_IRQCHIP_H
#define QOMET_HW_INTC_ACCEL_IRQCHIP_H

#include <qomet/hw/core/qdev.h>

/** The accelerator's local APICs alone, which take messages. A device without properties. */
#define TYPE_ACCEL_APICS "accel-apics"

/** With the other controllers. A device without properties. Its inputs are ACCEL_IRQCHIP_LINES lines without a name. */
#define TYPE_ACCEL_IRQCHIP "accel-irqchip"

/** The pins of an IOAPIC; the first sixteen are those of the two PICs as well. */
#define ACCEL_IRQCHIP_LINES 24

#endif
