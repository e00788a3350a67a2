/* SPDX-License-Identifier: MIT */
/*
 * Host bridges: what leads from the processors' accesses to a root bus. The base class has the two
 * registers by which a PC reaches configuration spaces through ports ([PCI] 3.2.2.3.2).
 */
#ifndef QOMET_HW_PCI_PCI_HOST_H
#define QOMET_HW_PCI_PCI_HOST_H

#include <qomet/hw/core/sysbus.h>
#include <qomet/hw/pci/pci-bus.h>

#define TYPE_PCI_HOST_BRIDGE "pci-host-bridge"
OBJECT_DECLARE_SIMPLE_TYPE(PCIHostState, PCI_HOST_BRIDGE)

#define PCI_CONF_PORT 0xcf8
#define PCI_DATA_PORT 0xcfc

/**
 * Its guard is that of all configuration accesses below it. It offers conf and data as the port
 * regions 0 and 1.
 */
struct PCIHostState {
    SysBusDevice parent_obj;
    MemoryRegion conf, data;
    /*
     * Accesses to the ports of conf that are not of 4 bytes are none to the register; they go on to
     * the bus, where a south bridge may have a register (0xcf9). Four bytes.
     */
    MemoryRegion narrow;
    AddressSpace narrow_as;
    uint32_t config_reg;
    PCIBus *bus; /* made by the class's realize; its child */
};

/**
 * Maps @mr at @port (PCI_CONF_PORT to PCI_CONF_PORT + 3) of the bus, for as long as @dev, a device
 * on a root bus, is realized. In realize.
 */
QOM_EXPORT bool pci_host_map_narrow(PCIDevice *dev, uint16_t port, MemoryRegion *mr,
                                    GError **errp) G_GNUC_WARN_UNUSED_RESULT;

#endif
