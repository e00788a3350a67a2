/* SPDX-License-Identifier: MIT */
/*
 * Message-signalled interrupts ([PCI] 6.8.1): up to 32 vectors, whose address and value are in the
 * configuration space. All of this is called inside the device's guard, or in its realize.
 */
#ifndef QOMET_HW_PCI_MSI_H
#define QOMET_HW_PCI_MSI_H

#include <qomet/hw/pci/pci.h>

#define PCI_MSI_VECTORS_MAX 32

/**
 * Adds the capability at @offset (0: where there is room) with @vectors (a power of two up to 32),
 * addresses of 64 bits or 32, and a mask for each vector or none. In realize; nothing has to be
 * undone.
 */
QOM_EXPORT bool msi_init(PCIDevice *dev, uint8_t offset, unsigned vectors, bool wide, bool maskable,
                         GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** Whether the guest wants messages; the pin is not used then. */
QOM_EXPORT bool msi_enabled(const PCIDevice *dev);
/** How many vectors the guest has given to the device: a power of two. */
QOM_EXPORT unsigned msi_nr_vectors_allocated(const PCIDevice *dev);
/**
 * Sends the message of @vector, or notes that it is pending while the guest masks it. Without
 * effect unless messages are enabled; a vector past those that were allocated is sent as the last.
 */
QOM_EXPORT void msi_notify(PCIDevice *dev, unsigned vector);

/** For hw/pci: after a write to the configuration space, and a reset. */
QOM_EXPORT void msi_write_config(PCIDevice *dev, uint32_t addr, unsigned len);
QOM_EXPORT void msi_reset(PCIDevice *dev);

/**
 * Sends any message, if the device may be a bus master. What no processor takes is dropped, and
 * never reaches memory.
 */
QOM_EXPORT void pci_send_msi(PCIDevice *dev, uint64_t addr, uint32_t data);

#endif
