/* SPDX-License-Identifier: MIT */
/*
 * MSI-X ([PCI] 6.8.2): up to 2048 vectors, each with an address, a value and a mask in a table in
 * the device's memory. The guest reaches table and pending bits by 4 bytes at a time. Called inside
 * the device's guard, or in its realize, unless it says otherwise.
 */
#ifndef QOMET_HW_PCI_MSIX_H
#define QOMET_HW_PCI_MSIX_H

#include <qomet/hw/pci/pci.h>

#define PCI_MSIX_VECTORS_MAX 2048

/**
 * Adds the capability with @vectors; the table is mapped at @table_offset of @table_bar, the memory
 * of BAR @table_nr, and the pending bits likewise; offsets are multiples of 8, and both fit there.
 * @offset: of the capability, 0 where there is room. In realize; undone with it.
 */
QOM_EXPORT bool msix_init(PCIDevice *dev, unsigned vectors, MemoryRegion *table_bar,
                          unsigned table_nr, uint32_t table_offset, MemoryRegion *pba_bar,
                          unsigned pba_nr, uint32_t pba_offset, uint8_t offset,
                          GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** The same with a BAR @nr of its own, of 4 KiB or more. */
QOM_EXPORT bool msix_init_exclusive_bar(PCIDevice *dev, unsigned vectors, unsigned nr,
                                        GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** Whether the guest wants them; the pin is not used then. */
QOM_EXPORT bool msix_enabled(const PCIDevice *dev);
/** Whether the guest holds @vector back. A vector that there is not is. */
QOM_EXPORT bool msix_is_masked(const PCIDevice *dev, unsigned vector);
/**
 * Sends the message of @vector, or notes that it is pending while the guest masks it. Without effect
 * unless MSI-X is enabled, and for a vector that there is not.
 */
QOM_EXPORT void msix_notify(PCIDevice *dev, unsigned vector);

/**
 * Has the eventfd @fd, which stays the caller's, send @vector without any exit, while the guest has
 * it enabled and not masked; meanwhile signals wait in @fd. False with @errp set when the board
 * cannot: whoever reads @fd calls msix_notify() then. Main thread, or inside the guard.
 */
QOM_EXPORT bool msix_set_irqfd(PCIDevice *dev, unsigned vector, int fd,
                               GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** Ends that, if it was begun. */
QOM_EXPORT void msix_clear_irqfd(PCIDevice *dev, unsigned vector);

/** For hw/pci: after a write to the configuration space, a reset, the end. */
QOM_EXPORT void msix_write_config(PCIDevice *dev, uint32_t addr, unsigned len);
QOM_EXPORT void msix_reset(PCIDevice *dev);
QOM_EXPORT void msix_uninit(PCIDevice *dev);

#endif
