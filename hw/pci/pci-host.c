/* SPDX-License-Identifier: MIT */
/*
 * The base class of host bridges: configuration accesses by the ports 0xcf8 (address) and 0xcfc
 * (data).
 */
#include <qomet/hw/pci/pci-host.h>

#define CONFIG_ENABLE (UINT32_C(1) << 31)
#define CONFIG_ADDRESS UINT32_C(0x00fffffc) /* bus, device, function, register */

/* ---- The address ---- */

static uint64_t conf_read(void *opaque, hwaddr addr, unsigned size)
{
    PCIHostState *s = opaque;
    uint64_t value;

    if (size == 4) {
        return s->config_reg;
    }
    address_space_load(&s->narrow_as, addr, size, &value, MEMTXATTRS_UNSPECIFIED);
    return value;
}

static void conf_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    PCIHostState *s = opaque;

    if (size == 4) {
        s->config_reg = (uint32_t)data;
    } else {
        address_space_store(&s->narrow_as, addr, size, data, MEMTXATTRS_UNSPECIFIED);
    }
}

static const MemoryRegionOps conf_ops = {
    .read = conf_read,
    .write = conf_write,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
    .impl = { .min_access_size = 1, .max_access_size = 4 },
    .name = "PCI configuration address",
};

bool pci_host_map_narrow(PCIDevice *dev, uint16_t port, MemoryRegion *mr, GError **errp)
{
    DeviceState *host = BUS(pci_root_bus(pci_get_bus(dev)))->parent;
    PCIHostState *s = (PCIHostState *)object_dynamic_cast(OBJECT(host), TYPE_PCI_HOST_BRIDGE);

    if (!s) {
        qom_error_set(errp, QOM_ERROR_STATE, "'%s' is below no host bridge with ports",
                      object_get_typename(OBJECT(dev)));
        return false;
    }
    return qdev_map(DEVICE(dev), &s->narrow, port - PCI_CONF_PORT, mr, errp);
}

/* ---- The data ---- */

static uint64_t data_read(void *opaque, hwaddr addr, unsigned size)
{
    PCIHostState *s = opaque;

    if (!(s->config_reg & CONFIG_ENABLE)) {
        return UINT64_MAX;
    }
    return pci_data_read(s->bus, (s->config_reg & CONFIG_ADDRESS) | addr, size);
}

static void data_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    PCIHostState *s = opaque;

    if (s->config_reg & CONFIG_ENABLE) {
        pci_data_write(s->bus, (s->config_reg & CONFIG_ADDRESS) | addr, data, size);
    }
}

static const MemoryRegionOps data_ops = {
    .read = data_read,
    .write = data_write,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
    .impl = { .min_access_size = 1, .max_access_size = 4 },
    .name = "PCI configuration data",
};

/* ---- The type ---- */

static void pci_host_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    PCI_HOST_BRIDGE(obj)->config_reg = 0;
}

static void pci_host_init(Object *obj)
{
    PCIHostState *s = PCI_HOST_BRIDGE(obj);

    memory_region_init_io(&s->conf, obj, &conf_ops, s, "pci-conf-idx", 4);
    memory_region_init_io(&s->data, obj, &data_ops, s, "pci-conf-data", 4);
    memory_region_init(&s->narrow, obj, "pci-conf-narrow", 4);
    address_space_init(&s->narrow_as, &s->narrow, "pci-conf-narrow");
    sysbus_init_io(SYS_BUS_DEVICE(s), &s->conf);
    sysbus_init_io(SYS_BUS_DEVICE(s), &s->data);
}

static void pci_host_finalize(Object *obj)
{
    address_space_destroy(&PCI_HOST_BRIDGE(obj)->narrow_as);
}

static const DeviceField pci_host_fields[] = {
    DEVICE_FIELD(PCIHostState, config_reg),
    { NULL, 0, 0, 0, 0 },
};

static void pci_host_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->rank = ENTRY_RANK_BRIDGE;
    dc->user_creatable = false; /* it is part of a board */
    dc->hotpluggable = false;
    dc->state = pci_host_fields;
    device_class_set_reset(dc, pci_host_reset);
}

static const TypeInfo pci_host_types[] = {
    {
        .name = TYPE_PCI_HOST_BRIDGE,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(PCIHostState),
        .instance_init = pci_host_init,
        .instance_finalize = pci_host_finalize,
        .class_init = pci_host_class_init,
        .abstract = true,
    },
};
DEFINE_TYPES(pci_host_types)
