/* SPDX-License-Identifier: MIT */
/*
 * PCI buses: who sits at which address, and how a configuration access finds its device through
 * bridges.
 */
#include <qomet/hw/pci/msi.h>
#include <qomet/hw/pci/msix.h>
#include "hw/pci/pci-int.h"

/* ---- Addresses ---- */

static PCIDevice *sitting_at(const BusState *bus, unsigned devfn)
{
    for (unsigned i = 0; i < bus->children->len; i++) {
        PCIDevice *dev = PCI_DEVICE(g_ptr_array_index(bus->children, i));

        if (dev->devfn == devfn) {
            return dev;
        }
    }
    return NULL;
}

/* Whether any function of that device is there. */
static const PCIDevice *sitting_in_slot(const BusState *bus, unsigned slot)
{
    for (unsigned i = 0; i < bus->children->len; i++) {
        PCIDevice *dev = PCI_DEVICE(g_ptr_array_index(bus->children, i));

        if (PCI_SLOT(dev->devfn) == slot) {
            return dev;
        }
    }
    return NULL;
}

static const char *label(const PCIDevice *dev)
{
    return DEVICE(dev)->id ? DEVICE(dev)->id : object_get_typename(OBJECT(dev));
}

static bool choose_address(const BusState *bus, PCIDevice *dev, GError **errp)
{
    for (unsigned slot = PCI_BUS(bus)->first_slot; slot < PCI_BUS(bus)->slots; slot++) {
        if (!sitting_in_slot(bus, slot)) {
            dev->devfn = PCI_DEVFN(slot, 0);
            return true;
        }
    }
    qom_error_set(errp, QOM_ERROR_STATE,
                  "PCI: no slot/function available for %s, all in use or reserved",
                  object_get_typename(OBJECT(dev)));
    return false;
}

/* [PCI] 6.2.1: other functions are looked for only where function 0 says that there are some. */
static bool check_functions(const BusState *bus, const PCIDevice *dev, GError **errp)
{
    unsigned slot = PCI_SLOT(dev->devfn);
    const PCIDevice *first = sitting_at(bus, PCI_DEVFN(slot, 0));
    const PCIDevice *other = sitting_in_slot(bus, slot);

    if (PCI_FUNC(dev->devfn) && first && !first->multifunction) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "PCI: single function device can't be populated in function %x.%x: '%s' in "
                      "function 0 has no multifunction=on",
                      slot, PCI_FUNC(dev->devfn), label(first));
        return false;
    }
    if (!PCI_FUNC(dev->devfn) && !dev->multifunction && other) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "PCI: %x.0 indicates single function, but %x.%x is already populated: give "
                      "multifunction=on",
                      slot, slot, PCI_FUNC(other->devfn));
        return false;
    }
    return true;
}

static bool pci_check_address(BusState *bus, DeviceState *qdev, GError **errp)
{
    PCIDevice *dev = PCI_DEVICE(qdev);
    unsigned slots = PCI_BUS(bus)->slots;
    const PCIDevice *there;

    if (dev->addr == PCI_ADDR_AUTO) {
        return choose_address(bus, dev, errp);
    }
    if (PCI_SLOT(dev->addr) >= slots) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "PCI: slot %d is not valid for %s: bus '%s' has %u, from 0",
                      PCI_SLOT(dev->addr), object_get_typename(OBJECT(dev)), bus->name, slots);
        return false;
    }
    there = sitting_at(bus, dev->addr);
    if (there) {
        qom_error_set(errp, QOM_ERROR_EXISTS,
                      "PCI: slot %d function %d not available for %s, in use by %s,id=%s",
                      PCI_SLOT(dev->addr), PCI_FUNC(dev->addr), object_get_typename(OBJECT(dev)),
                      object_get_typename(OBJECT(there)),
                      DEVICE(there)->id ? DEVICE(there)->id : "");
        return false;
    }
    dev->devfn = (uint8_t)dev->addr;
    return check_functions(bus, dev, errp);
}

static char *pci_dev_path(DeviceState *qdev)
{
    const PCIDevice *dev = PCI_DEVICE(qdev);

    return g_strdup_printf("%02x.%x", PCI_SLOT(dev->devfn), PCI_FUNC(dev->devfn));
}

/* ---- Finding ---- */

PCIBus *pci_root_bus(PCIBus *bus)
{
    while (bus->bridge) {
        bus = pci_get_bus(bus->bridge);
    }
    return bus;
}

EntryGuard *pci_bus_guard(PCIBus *bus)
{
    DeviceState *host = BUS(pci_root_bus(bus))->parent;

    return host ? &host->guard : NULL;
}

uint8_t pci_bus_num(const PCIBus *bus)
{
    return bus->bridge ? __atomic_load_n(&bus->bridge->config[PCI_SECONDARY_BUS], __ATOMIC_RELAXED)
                       : 0;
}

PCIBus *pci_find_bus_nr(PCIBus *root, uint8_t num)
{
    PCIBus *bus = root;

    while (bus && pci_bus_num(bus) != num) {
        PCIBus *next = NULL;

        for (unsigned i = 0; i < bus->below->len && !next; i++) {
            PCIBus *below = g_ptr_array_index(bus->below, i);
            const uint8_t *config = below->bridge->config;

            if (num >= config[PCI_SECONDARY_BUS] && num <= config[PCI_SUBORDINATE_BUS] &&
                config[PCI_SECONDARY_BUS]) {
                next = below;
            }
        }
        bus = next;
    }
    return bus;
}

PCIDevice *pci_find_device(PCIBus *root, uint8_t bus_num, uint8_t devfn)
{
    PCIBus *bus = pci_find_bus_nr(root, bus_num);

    return bus ? bus->devices[devfn] : NULL;
}

/* ---- Configuration accesses ---- */

static uint32_t config_read(PCIDevice *dev, uint32_t addr, unsigned len)
{
    uint32_t value = UINT32_MAX;

    if (dev && addr < pci_config_size(dev) && entry_enter(&DEVICE(dev)->guard)) {
        value = PCI_DEVICE_GET_CLASS(dev)->config_read(dev, addr, len);
        entry_leave(&DEVICE(dev)->guard);
    }
    return len < 4 ? value & ((UINT32_C(1) << (8 * len)) - 1) : value;
}

static void config_write(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    if (dev && addr < pci_config_size(dev) && entry_enter(&DEVICE(dev)->guard)) {
        PCI_DEVICE_GET_CLASS(dev)->config_write(dev, addr, value, len);
        entry_leave(&DEVICE(dev)->guard);
    }
}

static PCIDevice *at_port_addr(PCIBus *root, uint32_t addr)
{
    return pci_find_device(root, addr >> 16 & 0xff, addr >> 8 & 0xff);
}

uint32_t pci_data_read(PCIBus *root, uint32_t addr, unsigned len)
{
    return config_read(at_port_addr(root, addr), addr & 0xff, len);
}

void pci_data_write(PCIBus *root, uint32_t addr, uint32_t value, unsigned len)
{
    config_write(at_port_addr(root, addr), addr & 0xff, value, len);
}

static PCIDevice *at_ecam_addr(PCIBus *root, uint32_t addr)
{
    return pci_find_device(root, addr >> 20 & 0xff, addr >> 12 & 0xff);
}

uint32_t pcie_data_read(PCIBus *root, uint32_t addr, unsigned len)
{
    return config_read(at_ecam_addr(root, addr), addr & 0xfff, len);
}

void pcie_data_write(PCIBus *root, uint32_t addr, uint32_t value, unsigned len)
{
    config_write(at_ecam_addr(root, addr), addr & 0xfff, value, len);
}

/* ---- Coming, and reset ---- */

static void pci_bus_announce(BusState *qbus, DeviceState *qdev)
{
    PCIBus *bus = PCI_BUS(qbus);
    PCIDevice *dev = PCI_DEVICE(qdev);
    EntryGuard *guard = pci_bus_guard(bus);
    bool inside = guard && entry_enter(guard);

    bus->devices[dev->devfn] = dev;
    for (unsigned i = 0; qdev->child_buses && i < qdev->child_buses->len; i++) {
        PCIBus *below =
            (PCIBus *)object_dynamic_cast(g_ptr_array_index(qdev->child_buses, i), TYPE_PCI_BUS);

        if (below && below->bridge == dev) {
            g_ptr_array_add(bus->below, below);
        }
    }
    if (inside) {
        entry_leave(guard);
    }
}

void pci_device_reset(PCIDevice *dev)
{
    uint8_t *config = dev->config;

    if (!DEVICE(dev)->realized) {
        return;
    }
    pci_set_irq(dev, 0);
    for (unsigned i = PCI_COMMAND; i < PCI_STATUS + 2; i++) {
        config[i] &= ~(dev->wmask[i] | dev->w1cmask[i]);
    }
    config[PCI_CACHE_LINE_SIZE] = 0;
    config[PCI_INTERRUPT_LINE] = 0;
    for (unsigned n = 0; n < PCI_NUM_REGIONS; n++) {
        pci_reset_region(dev, n);
    }
    pci_update_mappings(dev);
    msi_reset(dev);
    msix_reset(dev);
}

/* After the devices have reset what is their own. */
static void pci_bus_reset(Object *obj, ResetType type)
{
    BusState *bus = BUS(obj);

    (void)type;
    for (unsigned i = 0; i < bus->children->len; i++) {
        pci_device_reset(PCI_DEVICE(g_ptr_array_index(bus->children, i)));
    }
}

/* ---- The types ---- */

PCIBus *pci_root_bus_new(const char *type, DeviceState *host, const char *name, MemoryRegion *mem,
                         MemoryRegion *io, uint8_t first_slot, GError **errp)
{
    PCIBus *bus = (PCIBus *)qbus_new(type, host, name, errp);

    if (bus) {
        bus->address_space_mem = mem;
        bus->address_space_io = io;
        bus->first_slot = first_slot;
        bus->msi_target = (MsiTarget *)object_ref(msi_target_find());
    }
    return bus;
}

static void pci_bus_init(Object *obj)
{
    PCIBus *bus = (PCIBus *)obj;

    bus->below = g_ptr_array_new();
    bus->slots = 32;
    bus->map_irq = pci_swizzle_map_irq_fn;
    pthread_mutex_init(&bus->irq_lock, NULL);
}

static void pci_bus_finalize(Object *obj)
{
    PCIBus *bus = (PCIBus *)obj;

    g_ptr_array_unref(bus->below);
    g_free(bus->irq_count);
    object_unref(bus->msi_target);
    pthread_mutex_destroy(&bus->irq_lock);
}

static void pci_bus_class_init(ObjectClass *klass, const void *data)
{
    BusClass *bc = BUS_CLASS(klass);

    (void)data;
    bc->check_address = pci_check_address;
    bc->get_dev_path = pci_dev_path;
    bc->announce = pci_bus_announce;
    RESETTABLE_CLASS(klass)->phases.hold = pci_bus_reset;
}

static const TypeInfo pci_bus_types[] = {
    {
        .name = TYPE_PCI_BUS,
        .parent = TYPE_BUS,
        .instance_size = sizeof(PCIBus),
        .instance_init = pci_bus_init,
        .instance_finalize = pci_bus_finalize,
        .class_init = pci_bus_class_init,
    },
    {
        .name = TYPE_PCIE_BUS,
        .parent = TYPE_PCI_BUS,
    },
};
DEFINE_TYPES(pci_bus_types)
