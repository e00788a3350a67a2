/* SPDX-License-Identifier: MIT */
/* What all bridges have in common: the bus behind, bus numbers, windows, and its reset. */
#include <string.h>
#include <qomet/accel/cpu.h>
#include <qomet/hw/pci/pci-bridge.h>
#include "hw/pci/pci-int.h"

#define IO_UNIT 0xfff
#define MEM_UNIT 0xfffff

/* ---- Windows ---- */

typedef struct Window {
    uint64_t base, limit; /* the last byte; below base: it is closed */
} Window;

static Window window_of(const PCIDevice *dev, unsigned n)
{
    const uint8_t *c = dev->config;
    uint16_t command = pci_get_word(c + PCI_COMMAND);
    Window w = { 1, 0 };

    if (!(command & (n == PCI_BRIDGE_WINDOW_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY))) {
        return w;
    }
    switch (n) {
    case PCI_BRIDGE_WINDOW_IO:
        w.base = (uint64_t)(c[PCI_IO_BASE] & 0xf0) << 8;
        w.limit = (uint64_t)(c[PCI_IO_LIMIT] & 0xf0) << 8 | IO_UNIT;
        break;
    case PCI_BRIDGE_WINDOW_MEM:
        w.base = (uint64_t)(pci_get_word(c + PCI_MEMORY_BASE) & 0xfff0) << 16;
        w.limit = (uint64_t)(pci_get_word(c + PCI_MEMORY_LIMIT) & 0xfff0) << 16 | MEM_UNIT;
        break;
    default:
        w.base = (uint64_t)pci_get_long(c + PCI_PREF_BASE_UPPER32) << 32 |
                 (uint64_t)(pci_get_word(c + PCI_PREF_MEMORY_BASE) & 0xfff0) << 16;
        w.limit = (uint64_t)pci_get_long(c + PCI_PREF_LIMIT_UPPER32) << 32 |
                  (uint64_t)(pci_get_word(c + PCI_PREF_MEMORY_LIMIT) & 0xfff0) << 16 | MEM_UNIT;
    }
    return w;
}

static void get_windows(const PCIDevice *dev, Window windows[PCI_BRIDGE_WINDOWS])
{
    for (unsigned n = 0; n < PCI_BRIDGE_WINDOWS; n++) {
        windows[n] = window_of(dev, n);
    }
}

static void place_window(MemoryRegion *mr, Window w)
{
    uint64_t last = w.limit - w.base;

    memory_region_set_enabled(mr, w.base <= w.limit);
    if (w.base <= w.limit) {
        memory_region_set_size(mr, last == UINT64_MAX ? UINT64_MAX : last + 1);
        memory_region_set_address(mr, w.base);
        memory_region_set_alias_offset(mr, w.base);
    }
}

/* Main thread. */
static void update_windows(Object *obj, void *opaque)
{
    PCIBridge *br = PCI_BRIDGE(obj);
    Window windows[PCI_BRIDGE_WINDOWS];

    (void)opaque;
    if (!DEVICE(br)->realized || !entry_enter(&DEVICE(br)->guard)) {
        return;
    }
    get_windows(&br->parent_obj, windows);
    entry_leave(&DEVICE(br)->guard);
    memory_region_transaction_begin();
    for (unsigned n = 0; n < PCI_BRIDGE_WINDOWS; n++) {
        place_window(&br->windows[n], windows[n]);
    }
    memory_region_transaction_commit();
}

/* Main thread: what is behind the bridge is as at power-on. Nobody may be in a device meanwhile. */
static void reset_bus(Object *obj, void *opaque)
{
    (void)opaque;
    if (DEVICE(obj)->realized) {
        pause_all_vcpus();
        resettable_reset(OBJECT(PCI_BRIDGE(obj)->sec_bus), RESET_TYPE_COLD);
        resume_all_vcpus();
    }
}

void pci_bridge_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    Window before[PCI_BRIDGE_WINDOWS], after[PCI_BRIDGE_WINDOWS];
    uint16_t control = pci_get_word(dev->config + PCI_BRIDGE_CONTROL);

    get_windows(dev, before);
    pci_default_write_config(dev, addr, value, len);
    get_windows(dev, after);
    if (memcmp(before, after, sizeof(before)) != 0) {
        entry_call_main(OBJECT(dev), update_windows, NULL);
    }
    if (~control & pci_get_word(dev->config + PCI_BRIDGE_CONTROL) & PCI_BRIDGE_CTL_BUS_RESET) {
        entry_call_main(OBJECT(dev), reset_bus, NULL);
    }
}

/* ---- Making ---- */

static void set_registers(PCIDevice *dev)
{
    uint8_t *wmask = dev->wmask;

    wmask[PCI_PRIMARY_BUS] = wmask[PCI_SECONDARY_BUS] = wmask[PCI_SUBORDINATE_BUS] = 0xff;
    wmask[PCI_SEC_LATENCY_TIMER] = 0xff;
    wmask[PCI_IO_BASE] = wmask[PCI_IO_LIMIT] = 0xf0;
    pci_set_word(wmask + PCI_MEMORY_BASE, 0xfff0);
    pci_set_word(wmask + PCI_MEMORY_LIMIT, 0xfff0);
    pci_set_word(wmask + PCI_PREF_MEMORY_BASE, 0xfff0);
    pci_set_word(wmask + PCI_PREF_MEMORY_LIMIT, 0xfff0);
    pci_set_quad(wmask + PCI_PREF_BASE_UPPER32, UINT64_MAX); /* and that of the limit */
    pci_set_word(wmask + PCI_BRIDGE_CONTROL,
                 PCI_BRIDGE_CTL_PARITY | PCI_BRIDGE_CTL_SERR | PCI_BRIDGE_CTL_ISA |
                     PCI_BRIDGE_CTL_VGA | PCI_BRIDGE_CTL_MASTER_ABORT | PCI_BRIDGE_CTL_BUS_RESET);
    pci_set_word(dev->config + PCI_PREF_MEMORY_BASE, PCI_PREF_RANGE_TYPE_64);
    pci_set_word(dev->config + PCI_PREF_MEMORY_LIMIT, PCI_PREF_RANGE_TYPE_64);
}

/* Where the bus above shows the window @n. */
static MemoryRegion *space_above(const PCIBridge *br, unsigned n)
{
    const PCIBus *above = pci_get_bus(&br->parent_obj);

    return n == PCI_BRIDGE_WINDOW_IO ? above->address_space_io : above->address_space_mem;
}

static void unmap_windows(DeviceState *dev, void *opaque G_GNUC_UNUSED)
{
    PCIBridge *br = PCI_BRIDGE(dev);

    for (unsigned n = 0; n < PCI_BRIDGE_WINDOWS; n++) {
        memory_region_del_subregion(space_above(br, n), &br->windows[n]);
    }
}

static void make_windows(PCIBridge *br)
{
    static const char *const names[] = { "pci-bridge-io-window", "pci-bridge-mem-window",
                                         "pci-bridge-pref-window" };

    for (unsigned n = 0; n < PCI_BRIDGE_WINDOWS; n++) {
        MemoryRegion *mr = &br->windows[n];

        memory_region_init_alias(mr, OBJECT(br), names[n],
                                 n == PCI_BRIDGE_WINDOW_IO ? &br->io : &br->mem, 0, 0);
        memory_region_set_enabled(mr, false);
        memory_region_add_subregion_overlap(space_above(br, n), 0, mr, 1);
    }
    qdev_on_unrealize(DEVICE(br), unmap_windows, NULL);
}

bool pci_bridge_initfn(PCIDevice *dev, const char *type, unsigned slots, GError **errp)
{
    PCIBridge *br = PCI_BRIDGE(dev);

    set_registers(dev);
    /* "-device X,bus=ID": the id of a bridge is the name of its bus. */
    br->sec_bus = (PCIBus *)qbus_new(type, DEVICE(dev), DEVICE(dev)->id, errp);
    if (!br->sec_bus) {
        return false;
    }
    memory_region_init(&br->mem, OBJECT(dev), "pci-bridge-pci", UINT64_MAX);
    memory_region_init(&br->io, OBJECT(dev), "pci-bridge-io", 0x10000);
    br->sec_bus->bridge = dev;
    br->sec_bus->slots = (uint8_t)slots;
    br->sec_bus->address_space_mem = &br->mem;
    br->sec_bus->address_space_io = &br->io;
    make_windows(br);
    return true;
}

/* ---- The type ---- */

static void pci_bridge_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    PCIDevice *dev = PCI_DEVICE(obj);

    for (unsigned i = PCI_PRIMARY_BUS; i < PCI_CAPABILITY_LIST; i++) {
        __atomic_store_n(&dev->config[i], dev->config[i] & ~dev->wmask[i], __ATOMIC_RELAXED);
    }
    pci_set_word(dev->config + PCI_BRIDGE_CONTROL, 0);
    dev->config[PCI_COMMAND] &= ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    update_windows(obj, NULL);
}

static void pci_bridge_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->rank = ENTRY_RANK_BRIDGE;
    dc->hotpluggable = false;
    pc->is_bridge = true;
    pc->class_id = PCI_CLASS_BRIDGE_PCI;
    pc->config_write = pci_bridge_write_config;
    device_class_set_reset(dc, pci_bridge_reset);
}

static const TypeInfo pci_bridge_types[] = {
    {
        .name = TYPE_PCI_BRIDGE,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(PCIBridge),
        .class_init = pci_bridge_class_init,
        .abstract = true,
    },
};
DEFINE_TYPES(pci_bridge_types)
