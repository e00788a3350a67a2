/* SPDX-License-Identifier: MIT */
/*
 * The south bridge of the machine "q35", Intel's ICH9: eight registers lead the pins of the PCI bus
 * to the lines of the ISA bus, and the same pins lead to the IOAPIC; power management is a part of it
 * (data sheet 316972).
 */
#include <qomet/hw/acpi/ich9.h>
#include <qomet/hw/isa/ich9-lpc.h>
#include <qomet/hw/pci/pci-bus.h>
#include "hw/isa/south-bridge.h"

OBJECT_DECLARE_SIMPLE_TYPE(ICH9LPCState, ICH9_LPC)

#define REG_PMBASE 0x40
#define PMBASE_IO 0x01
#define PMBASE_MASK 0xff80
#define REG_ACPI_CNTL 0x44
#define ACPI_CNTL_EN 0x80
#define REG_PIRQA 0x60 /* to D */
#define REG_PIRQE 0x68 /* to H */
#define REG_RCBA 0xf0

/* Devices from here on are the chipset's own: their pins lead to PIRQA to D. */
#define FIRST_OWN_SLOT 25

struct ICH9LPCState {
    SouthBridge parent_obj;
    qemu_irq gsi[ICH9_LPC_PIRQS];
    ICH9PM pm;
};

/* ---- Pins ---- */

static unsigned map_pin(unsigned slot, unsigned pin)
{
    return slot < FIRST_OWN_SLOT ? (pin + slot) % PCI_NUM_PINS + PCI_NUM_PINS : pin;
}

static void set_pirq(SouthBridge *s, unsigned pirq, int level)
{
    qemu_set_irq(ICH9_LPC(s)->gsi[pirq], level);
}

/* ---- Where power management is ---- */

static uint16_t pm_base(DeviceState *dev)
{
    const uint8_t *config = PCI_DEVICE(dev)->config;

    return config[REG_ACPI_CNTL] & ACPI_CNTL_EN ? pci_get_word(config + REG_PMBASE) & PMBASE_MASK
                                                : 0;
}

static void lpc_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    const uint16_t before = pm_base(DEVICE(dev));

    south_bridge_write_config(dev, addr, value, len);
    if (pm_base(DEVICE(dev)) != before) {
        acpi_pm_update_map(&ICH9_LPC(dev)->pm.pm);
    }
}

/* ---- The device ---- */

static bool lpc_realize(PCIDevice *dev, GError **errp)
{
    pci_set_word(dev->wmask + REG_PMBASE, PMBASE_MASK);
    dev->wmask[REG_ACPI_CNTL] = ACPI_CNTL_EN;
    pci_set_long(dev->wmask + REG_RCBA, 0xffffc001);
    return south_bridge_realize(dev, errp) &&
           ich9_pm_start(&ICH9_LPC(dev)->pm, pci_get_bus(dev)->address_space_io, errp);
}

static void lpc_reset(SouthBridge *s)
{
    uint8_t *config = s->parent_obj.config;

    pci_set_word(config + REG_PMBASE, PMBASE_IO);
    config[REG_ACPI_CNTL] = 0;
    pci_set_long(config + REG_RCBA, 0);
    ich9_pm_reset(&ICH9_LPC(s)->pm);
}

static void lpc_init(Object *obj)
{
    qdev_init_gpio_out_named(DEVICE(obj), ICH9_LPC(obj)->gsi, ICH9_LPC_GSI, ICH9_LPC_PIRQS);
    ich9_pm_init(&ICH9_LPC(obj)->pm, DEVICE(obj), pm_base);
}

static const DeviceField lpc_fields[] = {
    ACPI_PM_FIELDS(ICH9LPCState, pm.pm),
    DEVICE_FIELD(ICH9LPCState, pm.smi_enable),
    { NULL, 0, 0, 0, 0 },
};

static void lpc_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    SouthBridgeClass *sc = SOUTH_BRIDGE_CLASS(klass);

    DEVICE_CLASS(klass)->desc = "ICH9 LPC bridge: ISA bridge of a PC, with the bus isa.0";
    DEVICE_CLASS(klass)->state = lpc_fields;
    pc->realize = lpc_realize;
    pc->config_write = lpc_write_config;
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
