/* SPDX-License-Identifier: MIT */
/*
 * The south bridge of the machine "q35", Intel's ICH9: eight registers lead the pins of the PCI bus
 * to the lines of the ISA bus, and the same pins lead to the IOAPIC (data sheet 316972).
 */
#include <qomet/hw/isa/ich9-lpc.h>
#include "hw/isa/south-bridge.h"

OBJECT_DECLARE_SIMPLE_TYPE(ICH9LPCState, ICH9_LPC)

#define REG_PIRQA 0x60 /* to D */
#define REG_PIRQE 0x68 /* to H */
#define REG_RCBA 0xf0

/* Devices from here on are the chipset's own: their pins lead to PIRQA to D. */
#define FIRST_OWN_SLOT 25

struct ICH9LPCState {
    SouthBridge parent_obj;
    qemu_irq gsi[ICH9_LPC_PIRQS];
};

static unsigned map_pin(unsigned slot, unsigned pin)
{
    return slot < FIRST_OWN_SLOT ? (pin + slot) % PCI_NUM_PINS + PCI_NUM_PINS : pin;
}

static void set_pirq(SouthBridge *s, unsigned pirq, int level)
{
    qemu_set_irq(ICH9_LPC(s)->gsi[pirq], level);
}

static bool lpc_realize(PCIDevice *dev, GError **errp)
{
    pci_set_long(dev->wmask + REG_RCBA, 0xffffc001);
    return south_bridge_realize(dev, errp);
}

static void lpc_reset(SouthBridge *s)
{
    pci_set_long(s->parent_obj.config + REG_RCBA, 0);
}

static void lpc_init(Object *obj)
{
    qdev_init_gpio_out_named(DEVICE(obj), ICH9_LPC(obj)->gsi, ICH9_LPC_GSI, ICH9_LPC_PIRQS);
}

static void lpc_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    SouthBridgeClass *sc = SOUTH_BRIDGE_CLASS(klass);

    DEVICE_CLASS(klass)->desc = "ICH9 LPC bridge: ISA bridge of a PC, with the bus isa.0";
    pc->realize = lpc_realize;
    pc->device_id = PCI_DEVICE_ID_INTEL_ICH9_8;
    pc->revision = 0x02;
    sc->num_pirqs = ICH9_LPC_PIRQS;
    for (unsigned i = 0; i < PCI_NUM_PINS; i++) {
        sc->pirq_reg[i] = REG_PIRQA + i;
        sc->pirq_reg[PCI_NUM_PINS + i] = REG_PIRQE + i;
    }
    sc->map_pin = map_pin;
    sc->set_pirq = set_pirq;
    sc->reset = lpc_reset;
}

static const TypeInfo lpc_types[] = {
    {
        .name = TYPE_ICH9_LPC,
        .parent = TYPE_SOUTH_BRIDGE,
        .instance_size = sizeof(ICH9LPCState),
        .instance_init = lpc_init,
        .class_init = lpc_class_init,
    },
};
DEFINE_TYPES(lpc_types)
