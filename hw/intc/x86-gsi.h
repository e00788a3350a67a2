/* SPDX-License-Identifier: MIT */
/* The numbered interrupts of a PC: lines that lead to a PIC and an IOAPIC in user space. */
#ifndef QOMET_HW_INTC_X86_GSI_H
#define QOMET_HW_INTC_X86_GSI_H

#include <qomet/hw/core/qdev.h>

/**
 * A device without properties: X86_GSIS inputs without a name; outputs "pic", of which there are
 * sixteen, and "ioapic". It holds nothing but wires, so a level passes at once.
 */
#define TYPE_X86_GSI "x86-gsi"

#define X86_GSIS 24
#define X86_GSI_PIC "pic"
#define X86_GSI_PICS 16
#define X86_GSI_IOAPIC "ioapic"

#endif
