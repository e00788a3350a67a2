/* SPDX-License-Identifier: MIT */
/*
 * Interrupt pins: the level that a device sets goes up from bus to bus - each may turn the pins -
 * to a line of the board, which is high while any device holds it so ([PCI] 2.2.6).
 */
#include "hw/pci/pci-int.h"

int pci_swizzle_map_irq_fn(const PCIDevice *dev, int pin)
{
    return (pin + PCI_SLOT(dev->devfn)) % PCI_NUM_PINS;
}

/* Goes up from @dev, pin @pin, to a root bus; its line is in @line. NULL: it leads nowhere. */
static PCIBus *route(const PCIDevice *dev, int pin, int *line)
{
    PCIBus *bus = pci_get_bus(dev);

    while (bus && bus->map_irq) {
        pin = bus->map_irq(dev, pin);
        if (!bus->bridge) {
            *line = pin;
            return bus->set_irq && pin >= 0 && pin < (int)bus->nirq ? bus : NULL;
        }
        dev = bus->bridge;
        bus = pci_get_bus(dev);
    }
    return NULL;
}

int pci_device_route_intx(const PCIDevice *dev, int pin)
{
    int line = -1;

    return route(dev, pin, &line) ? line : -1;
}

/* @dev begins (+1) or ends (-1) to hold its line high. */
static void change_level(PCIDevice *dev, int change)
{
    int pin = dev->config[PCI_INTERRUPT_PIN] - 1, line;
    PCIBus *root = pin >= 0 && pin < PCI_NUM_PINS ? route(dev, pin, &line) : NULL;

    if (!root) {
        return;
    }
    pthread_mutex_lock(&root->irq_lock);
    root->irq_count[line] += change;
    root->set_irq(root->irq_opaque, line, root->irq_count[line] != 0);
    pthread_mutex_unlock(&root->irq_lock);
}

void pci_set_irq(PCIDevice *dev, int level)
{
    level = level != 0;
    if (dev->irq_level == level) {
        return;
    }
    dev->irq_level = level;
    dev->config[PCI_STATUS] &= ~PCI_STATUS_INTERRUPT;
    dev->config[PCI_STATUS] |= level ? PCI_STATUS_INTERRUPT : 0;
    if (!pci_intx_disabled(dev)) {
        change_level(dev, level ? 1 : -1);
    }
}

void pci_update_intx_disable(PCIDevice *dev, bool was_disabled)
{
    bool disabled = pci_intx_disabled(dev);

    if (dev->irq_level && disabled != was_disabled) {
        change_level(dev, disabled ? -1 : 1);
    }
}

static void set_pin(void *opaque, int n, int level)
{
    (void)n;
    pci_set_irq(opaque, level);
}

qemu_irq pci_allocate_irq(PCIDevice *dev)
{
    return qemu_allocate_irq(set_pin, dev, 0);
}

void pci_bus_irqs(PCIBus *bus, PCISetIRQFn *set_irq, PCIMapIRQFn *map_irq, void *opaque,
                  unsigned nirq)
{
    bus->set_irq = set_irq;
    bus->map_irq = map_irq;
    bus->irq_opaque = opaque;
    bus->nirq = nirq;
    g_free(bus->irq_count);
    bus->irq_count = g_new0(uint32_t, nirq);
}
