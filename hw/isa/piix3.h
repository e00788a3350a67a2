/* SPDX-License-Identifier: MIT */
/* The south bridge of the machine "pc", for its board. */
#ifndef QOMET_HW_ISA_PIIX3_H
#define QOMET_HW_ISA_PIIX3_H

/**
 * A function on a root bus that offers the bus "isa.0". The pins of the PCI bus lead through it to
 * the lines of that bus, as the guest has chosen; where those lead the board says, with
 * isa_bus_register_input_irqs().
 */
#define TYPE_PIIX3 "PIIX3"

#endif
