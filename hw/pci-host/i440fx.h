/* SPDX-License-Identifier: MIT */
/* The host bridge of the machine "pc", for its board. */
#ifndef QOMET_HW_PCI_HOST_I440FX_H
#define QOMET_HW_PCI_HOST_I440FX_H

/**
 * The way from the processors to the bus "pci.0", a pci-host-bridge. The link "ram" is the memory
 * that shows through in place of ROMs.
 */
#define TYPE_I440FX_PCI_HOST_BRIDGE "i440FX-pcihost"
/** What the guest finds at 00:00.0; the host bridge makes it. */
#define TYPE_I440FX_PCI_DEVICE "i440FX"

#endif
