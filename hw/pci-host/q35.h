/* SPDX-License-Identifier: MIT */
/* The host bridge of the machine "q35", for its board. */
#ifndef QOMET_HW_PCI_HOST_Q35_H
#define QOMET_HW_PCI_HOST_Q35_H

/**
 * The way from the processors to the bus "pcie.0", a pci-host-bridge. The link "ram" is the memory
 * that shows through in place of ROMs.
 */
#define TYPE_Q35_HOST_DEVICE "q35-pcihost"
/** What the guest finds at 00:00.0; the host bridge makes it. */
#define TYPE_MCH_PCI_DEVICE "mch"

#endif
