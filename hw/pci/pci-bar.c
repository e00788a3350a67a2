/* SPDX-License-Identifier: MIT */
/*
 * The regions of a device: BARs of ports and of memory, and the ROM. The guest says in the
 * configuration space where each one is; the map follows on the main thread ([PCI] 6.2.5).
 */
#include <string.h>
#include <qomet/backends/datadir.h>
#include <qomet/qom/log.h>
#include "backends/read-file.h"
#include "hw/pci/pci-int.h"

#define MEM_BAR_MIN 16
#define IO_BAR_MIN 4
#define ROM_MIN 2048 /* the granularity of a ROM's address */
#define ROM_MAX (UINT64_C(16) << 20)

/* Above what is mapped in the same map without being asked for, below what firmware puts over it. */
#define BAR_PRIORITY 1

/* ---- Registers ---- */

/* Where the register of region @n is. */
static unsigned bar_offset(const PCIDevice *dev, unsigned n)
{
    if (n != PCI_ROM_SLOT) {
        return PCI_BASE_ADDRESS_0 + n * 4;
    }
    return PCI_DEVICE_GET_CLASS(dev)->is_bridge ? PCI_ROM_ADDRESS1 : PCI_ROM_ADDRESS;
}

static bool is_64bit(const PCIIORegion *r)
{
    return !(r->type & PCI_BASE_ADDRESS_SPACE_IO) && (r->type & PCI_BASE_ADDRESS_MEM_TYPE_64);
}

static void set_register(PCIDevice *dev, unsigned n, uint8_t type, MemoryRegion *mr)
{
    PCIIORegion *r = &dev->io_regions[n];
    unsigned offset = bar_offset(dev, n);
    uint64_t writable;

    *r = (PCIIORegion){
        .memory = mr, .size = memory_region_size(mr), .type = type, .addr = PCI_BAR_UNMAPPED
    };
    writable = ~(r->size - 1);
    pci_set_long(dev->config + offset, type);
    if (n == PCI_ROM_SLOT) {
        writable |= PCI_ROM_ADDRESS_ENABLE;
    }
    if (is_64bit(r)) {
        pci_set_quad(dev->wmask + offset, writable);
    } else {
        pci_set_long(dev->wmask + offset, (uint32_t)writable);
    }
}

/* A device that asks for a BAR that cannot be is a mistake in the program. */
static void check_bar(const PCIDevice *dev, unsigned n, uint8_t type, uint64_t size)
{
    const unsigned bars = PCI_DEVICE_GET_CLASS(dev)->is_bridge ? 2 : PCI_ROM_SLOT;
    const bool io = type & PCI_BASE_ADDRESS_SPACE_IO;
    const bool wide = !io && (type & PCI_BASE_ADDRESS_MEM_TYPE_64);

    if (n + wide >= bars || dev->io_regions[n].memory) {
        g_error("'%s' has no BAR %u, or has it already", object_get_typename(OBJECT(dev)), n);
    }
    if ((size & (size - 1)) || size < (io ? IO_BAR_MIN : MEM_BAR_MIN) ||
        size > (wide ? UINT64_C(1) << 62
                : io ? 256
                     : UINT64_C(1) << 31)) {
        g_error("BAR %u of '%s': its size 0x%" G_GINT64_MODIFIER "x is none that a BAR has", n,
                object_get_typename(OBJECT(dev)), size);
    }
}

void pci_register_bar(PCIDevice *dev, unsigned n, uint8_t type, MemoryRegion *mr)
{
    check_bar(dev, n, type, memory_region_size(mr));
    set_register(dev, n, type, mr);
}

hwaddr pci_get_bar_addr(const PCIDevice *dev, unsigned n)
{
    return n < PCI_NUM_REGIONS && dev->io_regions[n].memory ? dev->io_regions[n].addr
                                                            : PCI_BAR_UNMAPPED;
}

void pci_reset_region(PCIDevice *dev, unsigned n)
{
    const PCIIORegion *r = &dev->io_regions[n];
    uint8_t *config = dev->config + bar_offset(dev, n);

    if (!r->memory) {
        return;
    }
    pci_set_long(config, r->type);
    if (is_64bit(r)) {
        pci_set_long(config + 4, 0);
    }
}

/* ---- Where they are to be ---- */

static bool is_decoded(const PCIDevice *dev, unsigned n, uint64_t value)
{
    uint16_t command = pci_get_word(dev->config + PCI_COMMAND);

    if (dev->io_regions[n].type & PCI_BASE_ADDRESS_SPACE_IO) {
        return command & PCI_COMMAND_IO;
    }
    return (command & PCI_COMMAND_MEMORY) &&
           (n != PCI_ROM_SLOT || (value & PCI_ROM_ADDRESS_ENABLE));
}

/*
 * An address of 0 and one that ends with the last that the register can say are what a guest leaves
 * there while it sizes the BAR or before it has chosen: the region is nowhere then.
 */
static hwaddr wanted_addr(const PCIDevice *dev, unsigned n)
{
    const PCIIORegion *r = &dev->io_regions[n];
    const uint8_t *config = dev->config + bar_offset(dev, n);
    uint64_t value, addr;

    if (!r->memory) {
        return PCI_BAR_UNMAPPED;
    }
    value = is_64bit(r) ? pci_get_quad(config) : pci_get_long(config);
    addr = value & ~(r->size - 1);
    if (!is_decoded(dev, n, value) || addr == 0 ||
        addr + (r->size - 1) >= (is_64bit(r) ? UINT64_MAX : UINT32_MAX)) {
        return PCI_BAR_UNMAPPED;
    }
    return addr;
}

void pci_wanted_addrs(const PCIDevice *dev, hwaddr addrs[PCI_NUM_REGIONS])
{
    for (unsigned n = 0; n < PCI_NUM_REGIONS; n++) {
        addrs[n] = wanted_addr(dev, n);
    }
}

/* ---- Where they are ---- */

static void move_region(PCIDevice *dev, PCIIORegion *r, hwaddr addr)
{
    PCIBus *bus = pci_get_bus(dev);
    MemoryRegion *space =
        r->type & PCI_BASE_ADDRESS_SPACE_IO ? bus->address_space_io : bus->address_space_mem;

    if (!r->memory || r->addr == addr) {
        return;
    }
    if (r->addr != PCI_BAR_UNMAPPED) {
        memory_region_del_subregion(space, r->memory);
    }
    r->addr = addr;
    if (addr != PCI_BAR_UNMAPPED) {
        memory_region_add_subregion_overlap(space, addr, r->memory, BAR_PRIORITY);
    }
}

/* Moves them to @addrs; those for which there is no room go nowhere, whatever their registers say. */
static void move_regions(PCIDevice *dev, const hwaddr addrs[PCI_NUM_REGIONS])
{
    bool moved[PCI_NUM_REGIONS];
    g_autoptr(GError) error = NULL;

    memory_region_transaction_begin();
    for (unsigned n = 0; n < PCI_NUM_REGIONS; n++) {
        moved[n] = dev->io_regions[n].addr != addrs[n];
        move_region(dev, &dev->io_regions[n], addrs[n]);
    }
    if (!memory_region_transaction_check(&error)) {
        for (unsigned n = 0; n < PCI_NUM_REGIONS; n++) {
            if (moved[n]) {
                move_region(dev, &dev->io_regions[n], PCI_BAR_UNMAPPED);
            }
        }
        qemu_log_mask(LOG_GUEST_ERROR, "pci: BARs of '%s' that were moved are mapped nowhere: %s\n",
                      object_get_typename(OBJECT(dev)), error->message);
    }
    memory_region_transaction_commit();
}

void pci_update_mappings(PCIDevice *dev)
{
    hwaddr addrs[PCI_NUM_REGIONS];

    /* It may have gone since the guest asked for this. */
    if (!DEVICE(dev)->realized || !entry_enter(&DEVICE(dev)->guard)) {
        return;
    }
    pci_wanted_addrs(dev, addrs);
    entry_leave(&DEVICE(dev)->guard);
    move_regions(dev, addrs);
}

void pci_unmap_regions(PCIDevice *dev)
{
    memory_region_transaction_begin();
    for (unsigned n = 0; n < PCI_NUM_REGIONS; n++) {
        move_region(dev, &dev->io_regions[n], PCI_BAR_UNMAPPED);
    }
    memory_region_transaction_commit();
}

/* ---- The ROM ---- */

static bool make_rom(PCIDevice *dev, GBytes *file, const char *path, GError **errp)
{
    gsize bytes = 0;
    const void *data = g_bytes_get_data(file, &bytes);
    uint64_t size = ROM_MIN;

    if (!bytes) {
        qom_error_set(errp, QOM_ERROR_VALUE, "romfile '%s' is empty", path);
        return false;
    }
    while (size < bytes) {
        size *= 2;
    }
    if (!memory_region_init_rom(&dev->rom, OBJECT(dev), "rom", size, errp)) {
        return false;
    }
    memcpy(memory_region_get_ram_ptr(&dev->rom), data, bytes);
    /* Memory comes in pages, and ROMs may be smaller. */
    memory_region_set_size(&dev->rom, size);
    if (dev->rombar) {
        set_register(dev, PCI_ROM_SLOT, 0, &dev->rom);
    }
    return true;
}

bool pci_add_rom(PCIDevice *dev, GError **errp)
{
    const char *name = dev->romfile ? dev->romfile : PCI_DEVICE_GET_CLASS(dev)->romfile;
    g_autofree char *path = NULL;
    GBytes *file;
    bool ok;

    if (!name || !*name) {
        return true;
    }
    path = datadir_find(name, errp);
    file = path ? host_read_file(path, ROM_MAX, "what a ROM can have", errp) : NULL;
    if (!file) {
        g_prefix_error(errp, "romfile: ");
        return false;
    }
    ok = make_rom(dev, file, path, errp);
    g_bytes_unref(file);
    return ok;
}
