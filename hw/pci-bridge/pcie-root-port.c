/* SPDX-License-Identifier: MIT */
/*
 * "pcie-root-port": a port of a PCI Express root complex, by the numbers of QEMU's: a bridge to a
 * bus of one device (PCI Express Base Specification 3.0, 7.8).
 */
#include <string.h>
#include <qomet/hw/pci/pci-bridge.h>

#define TYPE_PCIE_ROOT_PORT "pcie-root-port"
OBJECT_DECLARE_SIMPLE_TYPE(PCIERootPort, PCIE_ROOT_PORT)

#define EXP_VERSION 2
#define EXP_SIZE 0x3c
#define LINK_X1_2_5GT 0x11

struct PCIERootPort {
    PCIBridge parent_obj;
    uint8_t port, chassis;
    uint16_t slot;
};

static bool port_realize(PCIDevice *dev, GError **errp)
{
    const PCIERootPort *s = PCIE_ROOT_PORT(dev);
    uint8_t cap, *config;

    if (!object_dynamic_cast(OBJECT(pci_get_bus(dev)), TYPE_PCIE_BUS)) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'%s' needs a bus of PCI Express, as q35 has it",
                      object_get_typename(OBJECT(dev)));
        return false;
    }
    cap = pci_bridge_initfn(dev, TYPE_PCIE_BUS, 1, errp)
              ? pci_add_capability(dev, PCI_CAP_ID_EXP, 0, EXP_SIZE, errp)
              : 0;
    if (!cap) {
        return false;
    }
    dev->exp_cap = cap;
    config = dev->config + cap;
    pci_config_set_interrupt_pin(dev->config, 1);
    pci_set_word(config + PCI_EXP_FLAGS,
                 EXP_VERSION | PCI_EXP_TYPE_ROOT_PORT << 4 | PCI_EXP_FLAGS_SLOT);
    pci_set_long(config + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_RBER);
    pci_set_long(config + PCI_EXP_LNKCAP, LINK_X1_2_5GT | (uint32_t)s->port << 24);
    pci_set_word(config + PCI_EXP_LNKSTA, LINK_X1_2_5GT);
    pci_set_long(config + PCI_EXP_SLTCAP, (uint32_t)s->slot << 19);
    pci_set_word(dev->wmask + cap + PCI_EXP_DEVCTL, 0x7fef); /* all but the reset of a function */
    return true;
}

/* Whether a device is in the slot, the slot tells when it is asked. */
static uint32_t port_read_config(PCIDevice *dev, uint32_t addr, unsigned len)
{
    uint8_t *config = dev->config + dev->exp_cap;
    bool there = PCI_BRIDGE(dev)->sec_bus->devices[0] != NULL;

    pci_set_word(config + PCI_EXP_SLTSTA, there ? PCI_EXP_SLTSTA_PDS : 0);
    return pci_default_read_config(dev, addr, len);
}

static const Property port_props[] = {
    DEFINE_PROP_UINT8("port", PCIERootPort, port, 0, .help = "number of the port"),
    DEFINE_PROP_UINT8("chassis", PCIERootPort, chassis, 0, .help = "number of its chassis"),
    DEFINE_PROP_UINT16("slot", PCIERootPort, slot, 0, .help = "number of the slot there",
                       PROP_RANGE_U(0, 0x1fff)),
};

static void port_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "PCI Express Root Port";
    pc->realize = port_realize;
    pc->config_read = port_read_config;
    pc->is_express = true;
    pc->vendor_id = PCI_VENDOR_ID_REDHAT;
    pc->device_id = PCI_DEVICE_ID_REDHAT_PCIE_RP;
    device_class_set_props(dc, port_props);
}

static const TypeInfo port_types[] = {
    {
        .name = TYPE_PCIE_ROOT_PORT,
        .parent = TYPE_PCI_BRIDGE,
        .instance_size = sizeof(PCIERootPort),
        .class_init = port_class_init,
    },
};
DEFINE_TYPES(port_types)
