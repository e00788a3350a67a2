/* SPDX-License-Identifier: MIT */
/*
 * The south bridge of the machine "q35", Intel's ICH9: the bus "isa.0", eight registers that lead
 * the pins of the PCI bus to its lines, the way of the same pins to the IOAPIC, and the port 0xcf9
 * (data sheet 316972).
 */
#include <string.h>
#include <qomet/hw/isa/ich9-lpc.h>
#include <qomet/hw/isa/reset-control.h>
#include <qomet/hw/pci/pci-host.h>
#include "hw/isa/pirq.h"

OBJECT_DECLARE_SIMPLE_TYPE(ICH9LPCState, ICH9_LPC)

#define REG_PIRQA 0x60 /* to D */
#define REG_PIRQE 0x68 /* to H */
#define REG_RCBA 0xf0

/* Devices from here on are the chipset's own: their pins lead to PIRQA to D. */
#define FIRST_OWN_SLOT 25

struct ICH9LPCState {
    PCIDevice parent_obj;
    PirqRouter router;
    qemu_irq gsi[ICH9_LPC_PIRQS];
    ResetControl reset_control;
};

/* ---- Pins ---- */

static int map_pin(const PCIDevice *dev, int pin)
{
    int slot = PCI_SLOT(dev->devfn);

    return slot < FIRST_OWN_SLOT ? (pin + slot) % PCI_NUM_PINS + PCI_NUM_PINS : pin;
}

static void set_pirq(void *opaque, int pirq, int level)
{
    ICH9LPCState *s = opaque;

    pirq_set(&s->router, pirq, level);
    qemu_set_irq(s->gsi[pirq], level);
}

static unsigned pirq_register(unsigned pirq)
{
    return pirq < PCI_NUM_PINS ? REG_PIRQA + pirq : REG_PIRQE + pirq - PCI_NUM_PINS;
}

static void update_routes(ICH9LPCState *s)
{
    for (unsigned i = 0; i < ICH9_LPC_PIRQS; i++) {
        pirq_route(&s->router, i, s->parent_obj.config[pirq_register(i)]);
    }
}

/* ---- The device ---- */

static void lpc_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    pci_default_write_config(dev, addr, value, len);
    update_routes(ICH9_LPC(dev));
}

static bool lpc_realize(PCIDevice *dev, GError **errp)
{
    ICH9LPCState *s = ICH9_LPC(dev);

    s->router.isa = isa_bus_new(DEVICE(dev), pci_get_bus(dev)->address_space_io, errp);
    if (!s->router.isa) {
        return false;
    }
    pci_set_long(dev->wmask + REG_RCBA, 0xffffc001);
    reset_control_init(&s->reset_control, DEVICE(dev));
    pci_bus_irqs(pci_get_bus(dev), set_pirq, map_pin, s, ICH9_LPC_PIRQS);
    return pci_host_map_narrow(dev, RESET_CONTROL_PORT, &s->reset_control.io, errp);
}

static void lpc_exit(PCIDevice *dev)
{
    pci_bus_irqs(pci_get_bus(dev), NULL, NULL, NULL, 0);
}

static void lpc_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    ICH9LPCState *s = ICH9_LPC(obj);

    for (unsigned i = 0; i < ICH9_LPC_PIRQS; i++) {
        s->parent_obj.config[pirq_register(i)] = PIRQ_OFF;
    }
    pci_set_long(s->parent_obj.config + REG_RCBA, 0);
    s->reset_control.value = 0;
    update_routes(s);
}

static void lpc_init(Object *obj)
{
    pirq_router_init(&ICH9_LPC(obj)->router);
    qdev_init_gpio_out_named(DEVICE(obj), ICH9_LPC(obj)->gsi, ICH9_LPC_GSI, ICH9_LPC_PIRQS);
}

static void lpc_finalize(Object *obj)
{
    pirq_router_destroy(&ICH9_LPC(obj)->router);
}

static const DeviceField lpc_fields[] = {
    DEVICE_ARRAY(ICH9LPCState, router.level),
    DEVICE_ARRAY(ICH9LPCState, router.line),
    DEVICE_FIELD(ICH9LPCState, reset_control.value),
    { NULL, 0, 0, 0, 0 },
};

static void lpc_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "ICH9 LPC bridge: ISA bridge of a PC, with the bus isa.0";
    dc->user_creatable = false; /* the pins of the bus are wired to it */
    dc->hotpluggable = false;
    dc->state = lpc_fields;
    pc->realize = lpc_realize;
    pc->exit = lpc_exit;
    pc->config_write = lpc_write_config;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = PCI_DEVICE_ID_INTEL_ICH9_8;
    pc->revision = 0x02;
    pc->class_id = PCI_CLASS_BRIDGE_ISA;
    device_class_set_reset(dc, lpc_reset);
}

static const TypeInfo lpc_types[] = {
    {
        .name = TYPE_ICH9_LPC,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(ICH9LPCState),
        .instance_init = lpc_init,
        .instance_finalize = lpc_finalize,
        .class_init = lpc_class_init,
    },
};
DEFINE_TYPES(lpc_types)
