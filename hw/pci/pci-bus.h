/* SPDX-License-Identifier: MIT */
/*
 * PCI buses: which device is at which address, how a configuration access finds it, and how its
 * interrupt pin finds a line of the board. For authors of host bridges, bridges and boards.
 */
#ifndef QOMET_HW_PCI_PCI_BUS_H
#define QOMET_HW_PCI_PCI_BUS_H

#include <qomet/hw/intc/msi-target.h>
#include <qomet/hw/pci/pci.h>

#define PCI_DEVFN_MAX 256

/** Sets line @line of the board. Called with the lock of the root bus held, on any thread: it leads
 * to an interrupt controller. */
typedef void PCISetIRQFn(void *opaque, int line, int level);
/** The pin (0 to 3) of the bus above, or the line of the board, that pin @pin of @dev leads to. */
typedef int PCIMapIRQFn(const PCIDevice *dev, int pin);

struct PCIBus {
    BusState parent_obj;
    PCIDevice *bridge; /* that offers it; NULL: it is a root bus, which a host bridge offers */
    MemoryRegion *address_space_mem, *address_space_io; /* where its devices' BARs appear */
    /* By device and function; changed on the main thread inside pci_bus_guard(), read there. */
    PCIDevice *devices[PCI_DEVFN_MAX];
    GPtrArray *below;   /* of PCIBus *: what the bridges on it lead to; the same rule */
    uint8_t slots;      /* devices that it has room for */
    uint8_t first_slot; /* that a device takes which does not say where it sits */
    PCIMapIRQFn *map_irq;
    /* Of a root bus: */
    PCISetIRQFn *set_irq;
    void *irq_opaque;
    unsigned nirq;
    uint32_t *irq_count;      /* devices that hold each line high; guarded by irq_lock */
    pthread_mutex_t irq_lock; /* a leaf */
    MsiTarget *msi_target;    /* that takes the messages of its devices, referenced; or NULL */
};

/**
 * A root bus of type @type ("PCI", "PCIE") as the child @name of @host, over those two maps. Its
 * first slot for devices without an address is @first_slot.
 */
QOM_EXPORT PCIBus *pci_root_bus_new(const char *type, DeviceState *host, const char *name,
                                    MemoryRegion *mem, MemoryRegion *io, uint8_t first_slot,
                                    GError **errp);
/** Where the pins of a root bus lead: @map_irq gives one of @nirq lines, @set_irq sets it. */
QOM_EXPORT void pci_bus_irqs(PCIBus *bus, PCISetIRQFn *set_irq, PCIMapIRQFn *map_irq, void *opaque,
                             unsigned nirq);
/** As the specification of bridges has it: each device turns the pins by one. */
QOM_EXPORT int pci_swizzle_map_irq_fn(const PCIDevice *dev, int pin);
/** The line of the board that pin @pin (0 to 3) of @dev leads to. Any thread. */
QOM_EXPORT int pci_device_route_intx(const PCIDevice *dev, int pin);

/** The bus that @dev sits on. */
static inline PCIBus *pci_get_bus(const PCIDevice *dev)
{
    return (PCIBus *)DEVICE(dev)->parent_bus;
}
QOM_EXPORT PCIBus *pci_root_bus(PCIBus *bus);
/** The number of @bus: 0, or what the guest has given to its bridge. Any thread. */
QOM_EXPORT uint8_t pci_bus_num(const PCIBus *bus);
/** Bus, device and function as one number. Any thread. */
static inline uint16_t pci_get_bdf(const PCIDevice *dev)
{
    return (uint16_t)(pci_bus_num(pci_get_bus(dev)) << 8 | dev->devfn);
}
/** The guard of the host bridge, inside which configuration accesses are made; or NULL. */
QOM_EXPORT EntryGuard *pci_bus_guard(PCIBus *bus);
/** The bus number @num at or below @root, or NULL. Inside pci_bus_guard(), or main thread. */
QOM_EXPORT PCIBus *pci_find_bus_nr(PCIBus *root, uint8_t num);
/** The device there, or NULL. The same. */
QOM_EXPORT PCIDevice *pci_find_device(PCIBus *root, uint8_t bus_num, uint8_t devfn);

/**
 * A configuration access to a function of @root: @addr is bus << 16 | devfn << 8 | register for the
 * ports, bus << 20 | devfn << 12 | register for memory. @len: 1, 2 or 4. All ones where nobody
 * answers. Inside pci_bus_guard(), or main thread while no vCPU runs; the device's own guard is
 * entered here.
 */
QOM_EXPORT uint32_t pci_data_read(PCIBus *root, uint32_t addr, unsigned len);
QOM_EXPORT void pci_data_write(PCIBus *root, uint32_t addr, uint32_t value, unsigned len);
QOM_EXPORT uint32_t pcie_data_read(PCIBus *root, uint32_t addr, unsigned len);
QOM_EXPORT void pcie_data_write(PCIBus *root, uint32_t addr, uint32_t value, unsigned len);

/** Puts the regions of @dev where its configuration space says. Main thread outside devices. */
QOM_EXPORT void pci_update_mappings(PCIDevice *dev);
/** Registers, BARs and pin of @dev as at power-on; what is the device's own stays. Main thread. */
QOM_EXPORT void pci_device_reset(PCIDevice *dev);

#endif
