/* SPDX-License-Identifier: MIT */
/* The south bridge of the machine "q35", for its board. */
#ifndef QOMET_HW_ISA_ICH9_LPC_H
#define QOMET_HW_ISA_ICH9_LPC_H

/**
 * A function on a root bus that offers the bus "isa.0". Pins of the PCI bus lead to the lines of
 * that bus, as the guest has chosen, and to the outputs "gsi", which are the pins 16 to 23 of the
 * board's IOAPIC.
 */
#define TYPE_ICH9_LPC "ICH9-LPC"
#define ICH9_LPC_GSI "gsi"
#define ICH9_LPC_PIRQS 8
#define ICH9_LPC_FIRST_GSI 16
/** Where it is: device 31, function 0. */
#define ICH9_LPC_SLOT 31

#endif
