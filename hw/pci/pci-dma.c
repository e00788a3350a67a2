/* SPDX-License-Identifier: MIT */
/* What a device reads and writes in memory by itself: RAM, while it may be a bus master. */
#include "hw/pci/pci-int.h"

static bool may_master(const PCIDevice *dev)
{
    return pci_get_word(dev->config + PCI_COMMAND) & PCI_COMMAND_MASTER;
}

static MemTxAttrs attrs_of(const PCIDevice *dev)
{
    return (MemTxAttrs){ .requester_id = pci_get_bdf(dev) };
}

MemTxResult pci_dma_read(PCIDevice *dev, hwaddr addr, void *buf, uint64_t len)
{
    return may_master(dev) ? dma_memory_read(&address_space_memory, addr, buf, len, attrs_of(dev))
                           : MEMTX_ACCESS_ERROR;
}

MemTxResult pci_dma_write(PCIDevice *dev, hwaddr addr, const void *buf, uint64_t len)
{
    return may_master(dev) ? dma_memory_write(&address_space_memory, addr, buf, len, attrs_of(dev))
                           : MEMTX_ACCESS_ERROR;
}
