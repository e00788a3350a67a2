/* SPDX-License-Identifier: MIT */
/*
 * The configuration space of a device: its header, what a write lets through and what follows from
 * it, and the list of capabilities ([PCI] 6.1, 6.2, 6.7).
 */
#include <string.h>
#include <qomet/hw/pci/msi.h>
#include <qomet/hw/pci/msix.h>
#include "hw/pci/pci-int.h"

/* Errors that a device has met: the guest clears them by writing ones. */
#define STATUS_W1C                                                                                 \
    (PCI_STATUS_PARITY | PCI_STATUS_SIG_TARGET_ABORT | PCI_STATUS_REC_TARGET_ABORT |               \
     PCI_STATUS_REC_MASTER_ABORT | PCI_STATUS_SIG_SYSTEM_ERROR | PCI_STATUS_DETECTED_PARITY)
#define COMMAND_WRITABLE                                                                           \
    (PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |               \
     PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE)

#define MULTIFUNCTION 0x80 /* in the header type */

/* ---- The header ---- */

static void set_numbers(PCIDevice *dev)
{
    const PCIDeviceClass *pc = PCI_DEVICE_GET_CLASS(dev);
    bool own = pc->subsystem_vendor_id || pc->subsystem_id;
    uint8_t *config = dev->config;

    pci_set_word(config + PCI_VENDOR_ID, pc->vendor_id);
    pci_set_word(config + PCI_DEVICE_ID, pc->device_id);
    pci_set_byte(config + PCI_REVISION_ID, pc->revision);
    pci_set_word(config + PCI_CLASS_DEVICE, pc->class_id);
    pci_set_byte(config + PCI_HEADER_TYPE,
                 (pc->is_bridge ? PCI_HEADER_TYPE_BRIDGE : PCI_HEADER_TYPE_NORMAL) |
                     (dev->multifunction ? MULTIFUNCTION : 0));
    if (!pc->is_bridge) {
        pci_set_word(config + PCI_SUBSYSTEM_VENDOR_ID,
                     own ? pc->subsystem_vendor_id : PCI_VENDOR_ID_REDHAT_QUMRANET);
        pci_set_word(config + PCI_SUBSYSTEM_ID, own ? pc->subsystem_id : PCI_SUBDEVICE_ID_QEMU);
    }
}

void pci_config_init(PCIDevice *dev)
{
    uint32_t size = pci_config_size(dev);

    memset(dev->config, 0, 4 * (size_t)size);
    memset(dev->io_regions, 0, sizeof(dev->io_regions));
    dev->msi_cap = dev->msix_cap = dev->exp_cap = 0;
    dev->irq_level = 0;
    set_numbers(dev);
    pci_set_word(dev->wmask + PCI_COMMAND, COMMAND_WRITABLE);
    pci_set_word(dev->w1cmask + PCI_STATUS, STATUS_W1C);
    dev->wmask[PCI_CACHE_LINE_SIZE] = 0xff;
    dev->wmask[PCI_INTERRUPT_LINE] = 0xff;
    /* What is no capability is the device's own, and plain memory unless it says otherwise. */
    memset(dev->wmask + PCI_STD_HEADER_SIZEOF, 0xff, size - PCI_STD_HEADER_SIZEOF);
    memset(dev->used, 0xff, PCI_STD_HEADER_SIZEOF);
}

/* ---- Accesses ---- */

uint32_t pci_default_read_config(PCIDevice *dev, uint32_t addr, unsigned len)
{
    uint32_t value = UINT32_MAX;

    if (len <= sizeof(value) && addr < pci_config_size(dev) && addr + len <= pci_config_size(dev)) {
        value = 0;
        memcpy(&value, dev->config + addr, len);
    }
    return value;
}

static void write_bytes(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    for (unsigned i = 0; i < len && addr + i < pci_config_size(dev); i++, value >>= 8) {
        uint8_t *byte = dev->config + addr + i, wmask = dev->wmask[addr + i];
        const uint8_t new = (*byte & ~wmask) | (value & wmask);

        /* Whose bus number it is reads that from any thread: pci_get_bdf(). */
        __atomic_store_n(byte, new & ~(value & dev->w1cmask[addr + i]), __ATOMIC_RELAXED);
    }
}

static void update_mappings(Object *obj, void *opaque)
{
    (void)opaque;
    pci_update_mappings(PCI_DEVICE(obj));
}

void pci_default_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    bool intx_disabled = pci_intx_disabled(dev);
    hwaddr before[PCI_NUM_REGIONS], after[PCI_NUM_REGIONS];

    pci_wanted_addrs(dev, before);
    write_bytes(dev, addr, value, len);
    pci_wanted_addrs(dev, after);
    if (memcmp(before, after, sizeof(before)) != 0) {
        entry_call_main(OBJECT(dev), update_mappings, NULL);
    }
    pci_update_intx_disable(dev, intx_disabled);
    msi_write_config(dev, addr, len);
    msix_write_config(dev, addr, len);
}

/* ---- Capabilities ---- */

static bool is_free(const PCIDevice *dev, unsigned offset, unsigned size)
{
    if (offset + size > PCI_CFG_SPACE_SIZE) {
        return false;
    }
    for (unsigned i = 0; i < size; i++) {
        if (dev->used[offset + i]) {
            return false;
        }
    }
    return true;
}

/* The first place for @size bytes; 0: there is none. */
static unsigned find_space(const PCIDevice *dev, unsigned size)
{
    for (unsigned offset = PCI_STD_HEADER_SIZEOF; offset < PCI_CFG_SPACE_SIZE; offset += 4) {
        if (is_free(dev, offset, size)) {
            return offset;
        }
    }
    return 0;
}

uint8_t pci_add_capability(PCIDevice *dev, uint8_t id, uint8_t offset, uint8_t size, GError **errp)
{
    unsigned at = offset ? offset : find_space(dev, size);

    if (offset % 4) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "capability 0x%02x at 0x%02x in '%s': its offset is no multiple of 4", id,
                      offset, object_get_typename(OBJECT(dev)));
        return 0;
    }
    if (!at || !is_free(dev, at, size)) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "no room for capability 0x%02x of %u bytes %s 0x%02x in '%s'", id, size,
                      offset ? "at" : "from", offset ? offset : PCI_STD_HEADER_SIZEOF,
                      object_get_typename(OBJECT(dev)));
        return 0;
    }
    dev->config[at + PCI_CAP_LIST_ID] = id;
    dev->config[at + PCI_CAP_LIST_NEXT] = dev->config[PCI_CAPABILITY_LIST];
    dev->config[PCI_CAPABILITY_LIST] = (uint8_t)at;
    dev->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
    memset(dev->used + at, 0xff, (size + 3u) & ~3u);
    memset(dev->wmask + at, 0, size);
    return (uint8_t)at;
}

uint8_t pci_find_capability(const PCIDevice *dev, uint8_t id)
{
    uint8_t at =
        dev->config[PCI_STATUS] & PCI_STATUS_CAP_LIST ? dev->config[PCI_CAPABILITY_LIST] : 0;

    /* A space that a device has filled with a loop ends too. */
    for (unsigned n = 0; at >= PCI_STD_HEADER_SIZEOF && n < PCI_CFG_SPACE_SIZE / 4; n++) {
        if (dev->config[at + PCI_CAP_LIST_ID] == id) {
            return at;
        }
        at = dev->config[at + PCI_CAP_LIST_NEXT] & ~3;
    }
    return 0;
}
