/* SPDX-License-Identifier: MIT */
/* "pci-bridge": a bridge to a bus of 32 devices, by the numbers of QEMU's. */
#include <qomet/hw/pci/pci-bridge.h>

#define TYPE_PCI_BRIDGE_DEV "pci-bridge"
OBJECT_DECLARE_SIMPLE_TYPE(PCIBridgeDev, PCI_BRIDGE_DEV)

#define SLOTS 32
#define SLOTID_SIZE 4

struct PCIBridgeDev {
    PCIBridge parent_obj;
    uint8_t chassis_nr;
};

static bool bridge_realize(PCIDevice *dev, GError **errp)
{
    uint8_t chassis = PCI_BRIDGE_DEV(dev)->chassis_nr, cap;

    if (!pci_bridge_initfn(dev, TYPE_PCI_BUS, SLOTS, errp)) {
        return false;
    }
    if (!chassis) {
        return true;
    }
    cap = pci_add_capability(dev, PCI_CAP_ID_SLOTID, 0, SLOTID_SIZE, errp);
    if (cap) {
        dev->config[cap + PCI_SID_CHASSIS_NR] = chassis;
    }
    return cap != 0;
}

static const Property bridge_props[] = {
    DEFINE_PROP_UINT8("chassis_nr", PCIBridgeDev, chassis_nr, 0,
                      .help = "number of the chassis that its slots are in (0: it tells none)"),
};

static void bridge_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "Standard PCI Bridge";
    pc->realize = bridge_realize;
    pc->vendor_id = PCI_VENDOR_ID_REDHAT;
    pc->device_id = PCI_DEVICE_ID_REDHAT_BRIDGE;
    device_class_set_props(dc, bridge_props);
}

static const TypeInfo bridge_types[] = {
    {
        .name = TYPE_PCI_BRIDGE_DEV,
        .parent = TYPE_PCI_BRIDGE,
        .instance_size = sizeof(PCIBridgeDev),
        .class_init = bridge_class_init,
    },
};
DEFINE_TYPES(bridge_types)
