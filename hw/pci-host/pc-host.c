/* SPDX-License-Identifier: MIT */
/* A PC's host bridge: the bus wherever nothing else of the machine is, and the function behind it. */
#include "hw/pci-host/pc-host.h"

#define BUS_PRIORITY (-1)

static void unmap_bus(DeviceState *dev, void *opaque G_GNUC_UNUSED)
{
    memory_region_del_subregion(get_system_memory(), &PC_HOST(dev)->pci_memory);
}

static bool make_function(PCHost *s, GError **errp)
{
    DeviceState *dev = qdev_new(PC_HOST_GET_CLASS(s)->function_type, errp);

    if (!dev) {
        return false;
    }
    PC_HOST_FUNCTION(dev)->host = s;
    PCI_DEVICE(dev)->addr = PCI_DEVFN(0, 0);
    if (!object_property_add_child(OBJECT(s), "mch", OBJECT(dev), errp)) {
        object_unref(dev);
        return false;
    }
    return qdev_realize_and_unref(dev, BUS(s->parent_obj.bus), errp);
}

static bool pc_host_realize(DeviceState *dev, GError **errp)
{
    PCHost *s = PC_HOST(dev);
    const PCHostClass *hc = PC_HOST_GET_CLASS(s);

    if (!s->ram) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'ram' is missing: the memory from address 0 on");
        return false;
    }
    memory_region_add_subregion_overlap(get_system_memory(), 0, &s->pci_memory, BUS_PRIORITY);
    qdev_on_unrealize(dev, unmap_bus, NULL);
    s->parent_obj.bus =
        pci_root_bus_new(hc->bus_type, dev, hc->bus_name, &s->pci_memory, get_system_io(), 0, errp);
    return s->parent_obj.bus && make_function(s, errp) &&
           qdev_map(dev, get_system_io(), PCI_CONF_PORT, &s->parent_obj.conf, errp) &&
           qdev_map(dev, get_system_io(), PCI_DATA_PORT, &s->parent_obj.data, errp);
}

static void pc_host_init(Object *obj)
{
    memory_region_init(&PC_HOST(obj)->pci_memory, obj, "pci", UINT64_MAX);
}

static const Property pc_host_props[] = {
    DEFINE_PROP_LINK("ram", PCHost, ram, TYPE_MEMORY_REGION, MemoryRegion *,
                     .help = "the memory from address 0 on"),
};

static void pc_host_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = pc_host_realize;
    device_class_set_props(dc, pc_host_props);
}

static const TypeInfo pc_host_types[] = {
    {
        .name = TYPE_PC_HOST,
        .parent = TYPE_PCI_HOST_BRIDGE,
        .instance_size = sizeof(PCHost),
        .class_size = sizeof(PCHostClass),
        .instance_init = pc_host_init,
        .class_init = pc_host_class_init,
        .abstract = true,
    },
};
DEFINE_TYPES(pc_host_types)
