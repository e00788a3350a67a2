/* SPDX-License-Identifier: MIT */
/* What the files of hw/pci/ share and nobody else sees. */
#ifndef HW_PCI_PCI_INT_H
#define HW_PCI_PCI_INT_H

#include <qomet/hw/pci/pci-bus.h>

/* pci-bar.c */

/** Where the configuration space puts each region of @dev now. Inside its guard. */
void pci_wanted_addrs(const PCIDevice *dev, hwaddr addrs[PCI_NUM_REGIONS]);
/** Takes all regions out of the map, and waits until nobody is inside @dev. Main thread. */
void pci_unmap_regions(PCIDevice *dev);
/** What the register of region @n shows after a reset. */
void pci_reset_region(PCIDevice *dev, unsigned n);
/** Makes the region of the ROM file, if @dev is to have one. In realize. */
bool pci_add_rom(PCIDevice *dev, GError **errp);

/* pci-irq.c */

/** After a write to the configuration space: what INTX_DISABLE was before. Inside the guard. */
void pci_update_intx_disable(PCIDevice *dev, bool was_disabled);

/* pci-config.c */

/** The header of the configuration space as it is before the class's realize. */
void pci_config_init(PCIDevice *dev);
/** Bytes @addr, @len of the space and @first, @size have something in common. */
static inline bool pci_ranges_overlap(uint32_t addr, unsigned len, uint32_t first, unsigned size)
{
    return addr < first + size && first < addr + len;
}
/** Whether the pin is off: by the command register, or because messages are sent instead. */
static inline bool pci_intx_disabled(const PCIDevice *dev)
{
    return pci_get_word(dev->config + PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE;
}

#endif
