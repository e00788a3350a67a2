/* SPDX-License-Identifier: MIT */
/* The two interrupt controllers of a PC, for those who ask them: a processor, or a board. */
#ifndef QOMET_HW_INTC_I8259_H
#define QOMET_HW_INTC_I8259_H

#include <qomet/hw/isa/isa-bus.h>

/**
 * The pair as one device on the ISA bus: sixteen inputs without a name, and the output "intr", which
 * is high while the processor is to be interrupted.
 */
#define TYPE_I8259 "isa-i8259"

/**
 * The processor's acknowledgement: the vector (0 to 255) of the request with the highest priority,
 * which is in service from then on. Without one, that of input 7, as the chip does (8259A data
 * sheet, "spurious"). Any thread.
 */
QOM_EXPORT int pic_read_irq(DeviceState *dev);

#endif
