/* SPDX-License-Identifier: MIT */
/* "info pci": who is on the PCI buses, and what the guest has made of them. */
#include <inttypes.h>
#include <string.h>
#include <qomet/hw/pci/pci-bus.h>
#include <qomet/monitor/qmp.h>
#include "monitor/hmp-handlers.h"
#include "monitor/hmp-int.h"

static const char *class_name(uint16_t class)
{
    static const struct {
        uint16_t class;
        const char *name;
    } names[] = {
        { 0x0001, "VGA controller" },      { 0x0100, "SCSI controller" },
        { 0x0101, "IDE controller" },      { 0x0106, "SATA controller" },
        { 0x0200, "Ethernet controller" }, { 0x0300, "VGA controller" },
        { 0x0600, "Host bridge" },         { 0x0601, "ISA bridge" },
        { 0x0604, "PCI bridge" },          { 0x0680, "Bridge" },
        { 0x0c03, "USB controller" },      { 0x0c05, "SMBus" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (names[i].class == class) {
            return names[i].name;
        }
    }
    return NULL;
}

static void show_region(Monitor *mon, const PCIDevice *dev, unsigned n)
{
    const PCIIORegion *r = &dev->io_regions[n];

    if (!r->memory) {
        return;
    }
    monitor_printf(mon, "      BAR%u: ", n);
    if (r->type & PCI_BASE_ADDRESS_SPACE_IO) {
        monitor_printf(mon, "I/O at 0x%04" PRIx64 " [0x%04" PRIx64 "].\n", r->addr,
                       r->addr + r->size - 1);
    } else {
        monitor_printf(mon, "%d bit%s memory at 0x%08" PRIx64 " [0x%08" PRIx64 "].\n",
                       r->type & PCI_BASE_ADDRESS_MEM_TYPE_64 ? 64 : 32,
                       r->type & PCI_BASE_ADDRESS_MEM_PREFETCH ? " prefetchable" : "", r->addr,
                       r->addr + r->size - 1);
    }
}

static void show_bridge(Monitor *mon, const uint8_t *c)
{
    uint64_t upper_base = pci_get_long(c + PCI_PREF_BASE_UPPER32);
    uint64_t upper_limit = pci_get_long(c + PCI_PREF_LIMIT_UPPER32);

    monitor_printf(mon, "      BUS %u.\n", c[PCI_PRIMARY_BUS]);
    monitor_printf(mon, "      secondary bus %u.\n", c[PCI_SECONDARY_BUS]);
    monitor_printf(mon, "      subordinate bus %u.\n", c[PCI_SUBORDINATE_BUS]);
    monitor_printf(mon, "      IO range [0x%04x, 0x%04x]\n", (c[PCI_IO_BASE] & 0xf0) << 8,
                   (c[PCI_IO_LIMIT] & 0xf0) << 8 | 0xfff);
    monitor_printf(mon, "      memory range [0x%08x, 0x%08x]\n",
                   (pci_get_word(c + PCI_MEMORY_BASE) & 0xfff0u) << 16,
                   (pci_get_word(c + PCI_MEMORY_LIMIT) & 0xfff0u) << 16 | 0xfffff);
    monitor_printf(mon, "      prefetchable memory range [0x%08" PRIx64 ", 0x%08" PRIx64 "]\n",
                   upper_base << 32 | (pci_get_word(c + PCI_PREF_MEMORY_BASE) & 0xfff0u) << 16,
                   upper_limit << 32 | (pci_get_word(c + PCI_PREF_MEMORY_LIMIT) & 0xfff0u) << 16 |
                       0xfffff);
}

static void show_device(Monitor *mon, PCIDevice *dev)
{
    const PCIDeviceClass *pc = PCI_DEVICE_GET_CLASS(dev);
    uint8_t c[PCI_STD_HEADER_SIZEOF];
    const char *name;

    if (!entry_enter(&DEVICE(dev)->guard)) {
        return;
    }
    memcpy(c, dev->config, sizeof(c));
    entry_leave(&DEVICE(dev)->guard);
    monitor_printf(mon, "  Bus %2u, device %3u, function %u:\n", pci_bus_num(pci_get_bus(dev)),
                   PCI_SLOT(dev->devfn), PCI_FUNC(dev->devfn));
    name = class_name(pci_get_word(c + PCI_CLASS_DEVICE));
    if (name) {
        monitor_printf(mon, "    %s", name);
    } else {
        monitor_printf(mon, "    Class %04u", pci_get_word(c + PCI_CLASS_DEVICE));
    }
    monitor_printf(mon, ": PCI device %04x:%04x\n", pci_get_word(c + PCI_VENDOR_ID),
                   pci_get_word(c + PCI_DEVICE_ID));
    if (!pc->is_bridge) {
        monitor_printf(mon, "      PCI subsystem %04x:%04x\n",
                       pci_get_word(c + PCI_SUBSYSTEM_VENDOR_ID),
                       pci_get_word(c + PCI_SUBSYSTEM_ID));
    }
    if (c[PCI_INTERRUPT_PIN]) {
        monitor_printf(mon, "      IRQ %u, pin %c\n", c[PCI_INTERRUPT_LINE],
                       'A' + c[PCI_INTERRUPT_PIN] - 1);
    }
    if (pc->is_bridge) {
        show_bridge(mon, c);
    }
    for (unsigned n = 0; n < PCI_NUM_REGIONS; n++) {
        show_region(mon, dev, n);
    }
    monitor_printf(mon, "      id \"%s\"\n", DEVICE(dev)->id ? DEVICE(dev)->id : "");
}

/* Each device, and behind a bridge those of its bus. */
static void show_bus(Monitor *mon, const PCIBus *bus)
{
    for (unsigned devfn = 0; devfn < PCI_DEVFN_MAX; devfn++) {
        PCIDevice *dev = bus->devices[devfn];

        if (!dev) {
            continue;
        }
        show_device(mon, dev);
        for (unsigned i = 0; i < bus->below->len; i++) {
            const PCIBus *below = g_ptr_array_index(bus->below, i);

            if (below->bridge == dev) {
                show_bus(mon, below);
            }
        }
    }
}

typedef struct Shown {
    Monitor *mon;
    bool any;
} Shown;

static int show_root(Object *obj, void *opaque)
{
    PCIBus *bus = (PCIBus *)object_dynamic_cast(obj, TYPE_PCI_BUS);
    Shown *shown = opaque;

    if (bus && !bus->bridge) {
        shown->any = true;
        show_bus(shown->mon, bus);
    }
    return 0;
}

bool hmp_do_info_pci(Monitor *mon, GVariant *args, GError **errp)
{
    Shown shown = { .mon = mon };

    (void)args;
    (void)errp;
    object_child_foreach_recursive(qdev_get_machine(), show_root, &shown);
    if (!shown.any) {
        monitor_puts(mon, "PCI devices not supported\n");
    }
    return true;
}
