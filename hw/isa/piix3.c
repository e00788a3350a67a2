/* SPDX-License-Identifier: MIT */
/*
 * The south bridge of the machine "pc", Intel's 82371SB ("PIIX3"): the bus "isa.0", four registers
 * that lead the pins of the PCI bus to its lines, and the port 0xcf9 that resets the machine (data
 * sheet 290550).
 */
#include <string.h>
#include <qomet/hw/isa/piix3.h>
#include <qomet/hw/isa/reset-control.h>
#include <qomet/hw/pci/pci-host.h>
#include "hw/isa/pirq.h"

OBJECT_DECLARE_SIMPLE_TYPE(PIIX3State, PIIX3)

#define REG_XBCS 0x4e
#define REG_PIRQRC 0x60
#define PIRQS 4
#define REG_TOM 0x69

struct PIIX3State {
    PCIDevice parent_obj;
    PirqRouter router;
    ResetControl reset_control;
};

/* ---- Pins ---- */

/* Slot 1 has pin A on PIRQA, each further slot one more (as QEMU's board is wired). */
static int map_pin(const PCIDevice *dev, int pin)
{
    return (pin + PCI_SLOT(dev->devfn) + PIRQS - 1) % PIRQS;
}

static void set_pirq(void *opaque, int pirq, int level)
{
    pirq_set(&((PIIX3State *)opaque)->router, pirq, level);
}

static void update_routes(PIIX3State *s)
{
    for (unsigned i = 0; i < PIRQS; i++) {
        pirq_route(&s->router, i, s->parent_obj.config[REG_PIRQRC + i]);
    }
}

/* ---- The device ---- */

static void piix3_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    pci_default_write_config(dev, addr, value, len);
    update_routes(PIIX3(dev));
}

static bool piix3_realize(PCIDevice *dev, GError **errp)
{
    PIIX3State *s = PIIX3(dev);

    s->router.isa = isa_bus_new(DEVICE(dev), pci_get_bus(dev)->address_space_io, errp);
    if (!s->router.isa) {
        return false;
    }
    reset_control_init(&s->reset_control, DEVICE(dev));
    pci_bus_irqs(pci_get_bus(dev), set_pirq, map_pin, s, PIRQS);
    return pci_host_map_narrow(dev, RESET_CONTROL_PORT, &s->reset_control.io, errp);
}

static void piix3_exit(PCIDevice *dev)
{
    pci_bus_irqs(pci_get_bus(dev), NULL, NULL, NULL, 0);
}

static void piix3_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    PIIX3State *s = PIIX3(obj);
    uint8_t *config = s->parent_obj.config;

    config[REG_XBCS] = 0x03;
    memset(config + REG_PIRQRC, PIRQ_OFF, PIRQS);
    config[REG_TOM] = 0x02;
    s->reset_control.value = 0;
    update_routes(s);
}

static void piix3_init(Object *obj)
{
    pirq_router_init(&PIIX3(obj)->router);
}

static void piix3_finalize(Object *obj)
{
    pirq_router_destroy(&PIIX3(obj)->router);
}

static const DeviceField piix3_fields[] = {
    DEVICE_ARRAY(PIIX3State, router.level),
    DEVICE_ARRAY(PIIX3State, router.line),
    DEVICE_FIELD(PIIX3State, reset_control.value),
    { NULL, 0, 0, 0, 0 },
};

static void piix3_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "Intel 82371SB: ISA bridge of a PC, with the bus isa.0";
    dc->user_creatable = false; /* the pins of the bus are wired to it */
    dc->hotpluggable = false;
    dc->state = piix3_fields;
    pc->realize = piix3_realize;
    pc->exit = piix3_exit;
    pc->config_write = piix3_write_config;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = PCI_DEVICE_ID_INTEL_82371SB_0;
    pc->class_id = PCI_CLASS_BRIDGE_ISA;
    device_class_set_reset(dc, piix3_reset);
}

static const TypeInfo piix3_types[] = {
    {
        .name = TYPE_PIIX3,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(PIIX3State),
        .instance_init = piix3_init,
        .instance_finalize = piix3_finalize,
        .class_init = piix3_class_init,
    },
};
DEFINE_TYPES(piix3_types)
