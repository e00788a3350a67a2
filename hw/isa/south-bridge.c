/* SPDX-License-Identifier: MIT */
/* The parts of a south bridge, put together: the ISA bus, the way of the PCI bus's pins, port 0xcf9. */
#include <string.h>
#include <qomet/hw/pci/pci-bus.h>
#include <qomet/hw/pci/pci-host.h>
#include "hw/isa/south-bridge.h"

/* ---- Pins ---- */

static int map_irq(const PCIDevice *dev, int pin)
{
    const SouthBridge *s = pci_get_bus(dev)->irq_opaque;

    return SOUTH_BRIDGE_GET_CLASS(s)->map_pin(PCI_SLOT(dev->devfn), pin);
}

static void set_pirq(void *opaque, int pirq, int level)
{
    SouthBridge *s = opaque;
    const SouthBridgeClass *sc = SOUTH_BRIDGE_GET_CLASS(s);

    pirq_set(&s->router, pirq, level);
    if (sc->set_pirq) {
        sc->set_pirq(s, pirq, level);
    }
}

static void update_routes(SouthBridge *s)
{
    const SouthBridgeClass *sc = SOUTH_BRIDGE_GET_CLASS(s);

    for (unsigned i = 0; i < sc->num_pirqs; i++) {
        pirq_route(&s->router, i, s->parent_obj.config[sc->pirq_reg[i]]);
    }
}

void south_bridge_describe(SouthBridge *s, AcpiPciHost *host)
{
    const SouthBridgeClass *sc = SOUTH_BRIDGE_GET_CLASS(s);

    host->has_isa = true;
    host->isa_devfn = s->parent_obj.devfn;
    host->num_links = sc->num_pirqs;
    memcpy(host->link_reg, sc->pirq_reg, sc->num_pirqs);
    for (unsigned slot = 0; slot < ACPI_PCI_SLOTS; slot++) {
        for (unsigned pin = 0; pin < PCI_NUM_PINS; pin++) {
            host->route[slot][pin] = sc->map_pin(slot, pin);
        }
    }
}

/* ---- The device ---- */

void south_bridge_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    pci_default_write_config(dev, addr, value, len);
    update_routes(SOUTH_BRIDGE(dev));
}

bool south_bridge_realize(PCIDevice *dev, GError **errp)
{
    SouthBridge *s = SOUTH_BRIDGE(dev);
    const SouthBridgeClass *sc = SOUTH_BRIDGE_GET_CLASS(s);
    PCIBus *bus = pci_get_bus(dev);

    s->router.isa = isa_bus_new(DEVICE(dev), bus->address_space_io, errp);
    if (!s->router.isa) {
        return false;
    }
    reset_control_init(&s->reset_control, DEVICE(dev));
    pci_bus_irqs(bus, set_pirq, map_irq, s, sc->num_pirqs);
    return pci_host_map_narrow(dev, RESET_CONTROL_PORT, &s->reset_control.io, errp);
}

static void south_bridge_exit(PCIDevice *dev)
{
    pci_bus_irqs(pci_get_bus(dev), NULL, NULL, NULL, 0);
}

static void south_bridge_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    SouthBridge *s = SOUTH_BRIDGE(obj);
    const SouthBridgeClass *sc = SOUTH_BRIDGE_GET_CLASS(s);

    for (unsigned i = 0; i < sc->num_pirqs; i++) {
        s->parent_obj.config[sc->pirq_reg[i]] = PIRQ_OFF;
    }
    s->reset_control.value = 0;
    update_routes(s);
    if (sc->reset) {
        sc->reset(s);
    }
}

static void south_bridge_init(Object *obj)
{
    pirq_router_init(&SOUTH_BRIDGE(obj)->router);
}

static void south_bridge_finalize(Object *obj)
{
    pirq_router_destroy(&SOUTH_BRIDGE(obj)->router);
}

static const DeviceField south_bridge_fields[] = {
    DEVICE_ARRAY(SouthBridge, router.level),
    DEVICE_ARRAY(SouthBridge, router.line),
    DEVICE_FIELD(SouthBridge, reset_control.value),
    { NULL, 0, 0, 0, 0 },
};

static void south_bridge_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->user_creatable = false; /* the pins of the bus are wired to it */
    dc->hotpluggable = false;
    dc->state = south_bridge_fields;
    pc->realize = south_bridge_realize;
    pc->exit = south_bridge_exit;
    pc->config_write = south_bridge_write_config;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->class_id = PCI_CLASS_BRIDGE_ISA;
    device_class_set_reset(dc, south_bridge_reset);
}

static const TypeInfo south_bridge_types[] = {
    {
        .name = TYPE_SOUTH_BRIDGE,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(SouthBridge),
        .class_size = sizeof(SouthBridgeClass),
        .instance_init = south_bridge_init,
        .instance_finalize = south_bridge_finalize,
        .class_init = south_bridge_class_init,
        .abstract = true,
    },
};
DEFINE_TYPES(south_bridge_types)
