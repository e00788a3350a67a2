/* SPDX-License-Identifier: MIT */
/* Message-signalled interrupts: the capability, masks, and the way of a message ([PCI] 6.8.1). */
#include <qomet/hw/intc/msi-target.h>
#include <qomet/hw/pci/msi.h>
#include "hw/pci/pci-int.h"

/* ---- Registers ---- */

static uint16_t flags_of(const PCIDevice *dev)
{
    return pci_get_word(dev->config + dev->msi_cap + PCI_MSI_FLAGS);
}

static bool is_wide(const PCIDevice *dev)
{
    return flags_of(dev) & PCI_MSI_FLAGS_64BIT;
}

static bool is_maskable(const PCIDevice *dev)
{
    return flags_of(dev) & PCI_MSI_FLAGS_MASKBIT;
}

static unsigned mask_offset(const PCIDevice *dev)
{
    return dev->msi_cap + (is_wide(dev) ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32);
}

static unsigned pending_offset(const PCIDevice *dev)
{
    return dev->msi_cap + (is_wide(dev) ? PCI_MSI_PENDING_64 : PCI_MSI_PENDING_32);
}

static unsigned vectors_offered(const PCIDevice *dev)
{
    return 1u << ((flags_of(dev) & PCI_MSI_FLAGS_QMASK) >> 1);
}

unsigned msi_nr_vectors_allocated(const PCIDevice *dev)
{
    /* The guest may write more than was offered. */
    return MIN(1u << ((flags_of(dev) & PCI_MSI_FLAGS_QSIZE) >> 4), vectors_offered(dev));
}

bool msi_enabled(const PCIDevice *dev)
{
    return dev->msi_cap && (flags_of(dev) & PCI_MSI_FLAGS_ENABLE);
}

/* ---- Making ---- */

static unsigned capability_size(bool wide, bool maskable)
{
    if (maskable) {
        return wide ? PCI_MSI_PENDING_64 + 4 : PCI_MSI_PENDING_32 + 4;
    }
    return wide ? PCI_MSI_DATA_64 + 2 : PCI_MSI_DATA_32 + 2;
}

bool msi_init(PCIDevice *dev, uint8_t offset, unsigned vectors, bool wide, bool maskable,
              GError **errp)
{
    uint16_t flags = (wide ? PCI_MSI_FLAGS_64BIT : 0) | (maskable ? PCI_MSI_FLAGS_MASKBIT : 0);
    uint8_t cap, *wmask;

    if (!vectors || vectors > PCI_MSI_VECTORS_MAX || (vectors & (vectors - 1))) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "%u vectors of MSI: there are 1, 2, 4, 8, 16 or 32 of them", vectors);
        return false;
    }
    cap = pci_add_capability(dev, PCI_CAP_ID_MSI, offset, capability_size(wide, maskable), errp);
    if (!cap) {
        return false;
    }
    for (unsigned n = vectors; n > 1; n /= 2) {
        flags += 1 << 1;
    }
    dev->msi_cap = cap;
    pci_set_word(dev->config + cap + PCI_MSI_FLAGS, flags);
    wmask = dev->wmask + cap;
    pci_set_word(wmask + PCI_MSI_FLAGS, PCI_MSI_FLAGS_QSIZE | PCI_MSI_FLAGS_ENABLE);
    pci_set_long(wmask + PCI_MSI_ADDRESS_LO, 0xfffffffc);
    if (wide) {
        pci_set_long(wmask + PCI_MSI_ADDRESS_HI, UINT32_MAX);
    }
    pci_set_word(wmask + (wide ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32), UINT16_MAX);
    if (maskable) {
        pci_set_long(dev->wmask + mask_offset(dev), UINT32_MAX >> (32 - vectors));
    }
    return true;
}

/* ---- Sending ---- */

void pci_send_msi(PCIDevice *dev, uint64_t addr, uint32_t data)
{
    MsiTarget *target = pci_root_bus(pci_get_bus(dev))->msi_target;

    if (target && (pci_get_word(dev->config + PCI_COMMAND) & PCI_COMMAND_MASTER)) {
        MSI_TARGET_GET_CLASS(target)->send(target, addr, data);
    }
}

static void send_vector(PCIDevice *dev, unsigned vector)
{
    const uint8_t *cap = dev->config + dev->msi_cap;
    uint64_t addr = pci_get_long(cap + PCI_MSI_ADDRESS_LO);
    uint32_t data = pci_get_word(cap + (is_wide(dev) ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32));

    if (is_wide(dev)) {
        addr |= (uint64_t)pci_get_long(cap + PCI_MSI_ADDRESS_HI) << 32;
    }
    /* The lowest bits of the value tell the vectors apart. */
    pci_send_msi(dev, addr, (data & ~(msi_nr_vectors_allocated(dev) - 1)) | vector);
}

void msi_notify(PCIDevice *dev, unsigned vector)
{
    if (!msi_enabled(dev)) {
        return;
    }
    vector = MIN(vector, msi_nr_vectors_allocated(dev) - 1);
    if (is_maskable(dev) && (pci_get_long(dev->config + mask_offset(dev)) >> vector & 1)) {
        uint8_t *pending = dev->config + pending_offset(dev);

        pci_set_long(pending, pci_get_long(pending) | UINT32_C(1) << vector);
        return;
    }
    send_vector(dev, vector);
}

/* What was held back and is not masked any more is sent. */
static void send_pending(PCIDevice *dev)
{
    uint8_t *pending = dev->config + pending_offset(dev);
    uint32_t ready = pci_get_long(pending) & ~pci_get_long(dev->config + mask_offset(dev));

    pci_set_long(pending, pci_get_long(pending) & ~ready);
    for (unsigned vector = 0; vector < msi_nr_vectors_allocated(dev); vector++) {
        if (ready >> vector & 1) {
            send_vector(dev, vector);
        }
    }
}

void msi_write_config(PCIDevice *dev, uint32_t addr, unsigned len)
{
    unsigned size;

    if (!dev->msi_cap) {
        return;
    }
    size = capability_size(is_wide(dev), is_maskable(dev));
    if (!pci_ranges_overlap(addr, len, dev->msi_cap, size) || !msi_enabled(dev)) {
        return;
    }
    pci_set_irq(dev, 0);
    if (is_maskable(dev)) {
        send_pending(dev);
    }
}

void msi_reset(PCIDevice *dev)
{
    unsigned cap = dev->msi_cap, size;

    if (!cap) {
        return;
    }
    size = capability_size(is_wide(dev), is_maskable(dev));
    for (unsigned i = cap; i < cap + size; i++) {
        dev->config[i] &= ~dev->wmask[i];
    }
    if (is_maskable(dev)) {
        pci_set_long(dev->config + pending_offset(dev), 0);
    }
}
