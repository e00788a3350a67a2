/* SPDX-License-Identifier: MIT */
/*
 * Bridges: a PCI device that offers another bus, whose addresses show through windows that the guest
 * sets ("[BRIDGE]": PCI-to-PCI Bridge Architecture Specification 1.2). For authors of bridges.
 */
#ifndef QOMET_HW_PCI_PCI_BRIDGE_H
#define QOMET_HW_PCI_PCI_BRIDGE_H

#include <qomet/hw/pci/pci-bus.h>

#define TYPE_PCI_BRIDGE "base-pci-bridge"
OBJECT_DECLARE_SIMPLE_TYPE(PCIBridge, PCI_BRIDGE)

enum { PCI_BRIDGE_WINDOW_IO, PCI_BRIDGE_WINDOW_MEM, PCI_BRIDGE_WINDOW_PREF, PCI_BRIDGE_WINDOWS };

/** A class that derives from it has is_bridge, and calls pci_bridge_initfn() first. */
struct PCIBridge {
    PCIDevice parent_obj;
    PCIBus *sec_bus;                          /* its child */
    MemoryRegion mem, io;                     /* all that is on that bus */
    MemoryRegion windows[PCI_BRIDGE_WINDOWS]; /* the parts of them that the bus above shows */
};

/**
 * Makes the bus behind @dev, of type @type with room for @slots devices; it is named by the id of
 * @dev, if that has one. In its realize.
 */
QOM_EXPORT bool pci_bridge_initfn(PCIDevice *dev, const char *type, unsigned slots,
                                  GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** A class's config_write calls it instead of pci_default_write_config(). */
QOM_EXPORT void pci_bridge_write_config(PCIDevice *dev, uint32_t addr, uint32_t value,
                                        unsigned len);

#endif
