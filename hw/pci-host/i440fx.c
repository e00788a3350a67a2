/* SPDX-License-Identifier: MIT */
/*
 * The host bridge of the machine "pc", Intel's 82441FX ("i440FX"): the ports 0xcf8 and 0xcfc, the
 * bus "pci.0" under the machine's memory, and the function at 00:00.0 with the registers that choose
 * between RAM and ROM (data sheet 290549).
 */
#include <string.h>
#include <qomet/hw/pci-host/i440fx.h>
#include <qomet/hw/pci/pci-host.h>
#include "hw/pci-host/pam.h"

OBJECT_DECLARE_SIMPLE_TYPE(I440FXHost, I440FX_PCI_HOST_BRIDGE)
OBJECT_DECLARE_SIMPLE_TYPE(I440FX, I440FX_PCI_DEVICE)

/* Registers of 00:00.0. */
#define REG_PAM0 0x59
#define REG_SMRAM 0x72

/* Where the bus shows: wherever nothing else of the machine is. */
#define BUS_PRIORITY (-1)

struct I440FXHost {
    PCIHostState parent_obj;
    MemoryRegion pci_memory; /* all that is on the bus */
    MemoryRegion *ram;
};

struct I440FX {
    PCIDevice parent_obj;
    MemoryRegion *ram, *pci_memory; /* the host's */
    PAM pam;
};

/* ---- The function at 00:00.0 ---- */

/* Main thread: RAM and ROM as the registers have them now. */
static void update_map(Object *obj, void *opaque)
{
    I440FX *s = I440FX_PCI_DEVICE(obj);
    uint8_t regs[PAM_REGISTERS], smram;
    uint8_t *config = s->parent_obj.config;

    (void)opaque;
    if (!DEVICE(s)->realized || !entry_enter(&DEVICE(s)->guard)) {
        return;
    }
    memcpy(regs, config + REG_PAM0, sizeof(regs));
    smram = config[REG_SMRAM];
    entry_leave(&DEVICE(s)->guard);
    pam_update(&s->pam, regs, smram);
}

static void i440fx_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    uint8_t before[PCI_CFG_SPACE_SIZE];

    memcpy(before, dev->config, sizeof(before));
    pci_default_write_config(dev, addr, value, len);
    dev->config[REG_SMRAM] = smram_write(before[REG_SMRAM], dev->config[REG_SMRAM]);
    if (memcmp(before + REG_PAM0, dev->config + REG_PAM0, PAM_REGISTERS) != 0 ||
        before[REG_SMRAM] != dev->config[REG_SMRAM]) {
        entry_call_main(OBJECT(dev), update_map, NULL);
    }
}

static bool i440fx_realize(PCIDevice *dev, GError **errp)
{
    I440FX *s = I440FX_PCI_DEVICE(dev);

    return pam_init(&s->pam, DEVICE(dev), s->ram, s->pci_memory, errp);
}

static void i440fx_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    uint8_t *config = PCI_DEVICE(obj)->config;

    memset(config + REG_PAM0, 0, PAM_REGISTERS);
    config[REG_SMRAM] = SMRAM_BASE;
    update_map(obj, NULL);
}

static void i440fx_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "Host bridge";
    dc->user_creatable = false; /* the host bridge makes it */
    dc->hotpluggable = false;
    pc->realize = i440fx_realize;
    pc->config_write = i440fx_write_config;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = PCI_DEVICE_ID_INTEL_82441;
    pc->revision = 0x02;
    pc->class_id = PCI_CLASS_BRIDGE_HOST;
    device_class_set_reset(dc, i440fx_reset);
}

/* ---- The host ---- */

static void unmap_bus(DeviceState *dev, void *opaque)
{
    (void)dev;
    memory_region_del_subregion(get_system_memory(), opaque);
}

static bool make_function(I440FXHost *s, GError **errp)
{
    DeviceState *dev = qdev_new(TYPE_I440FX_PCI_DEVICE, errp);

    if (!dev) {
        return false;
    }
    I440FX_PCI_DEVICE(dev)->ram = s->ram;
    I440FX_PCI_DEVICE(dev)->pci_memory = &s->pci_memory;
    PCI_DEVICE(dev)->addr = PCI_DEVFN(0, 0);
    if (!object_property_add_child(OBJECT(s), "mch", OBJECT(dev), errp)) {
        object_unref(dev);
        return false;
    }
    return qdev_realize_and_unref(dev, BUS(s->parent_obj.bus), errp);
}

static bool i440fx_host_realize(DeviceState *dev, GError **errp)
{
    I440FXHost *s = I440FX_PCI_HOST_BRIDGE(dev);

    if (!s->ram) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'ram' is missing: the memory from address 0 on");
        return false;
    }
    memory_region_init(&s->pci_memory, OBJECT(dev), "pci", UINT64_MAX);
    memory_region_add_subregion_overlap(get_system_memory(), 0, &s->pci_memory, BUS_PRIORITY);
    qdev_on_unrealize(dev, unmap_bus, &s->pci_memory);
    s->parent_obj.bus =
        pci_root_bus_new(TYPE_PCI_BUS, dev, "pci.0", &s->pci_memory, get_system_io(), 0, errp);
    return s->parent_obj.bus && make_function(s, errp) &&
           qdev_map(dev, get_system_io(), PCI_CONF_PORT, &s->parent_obj.conf, errp) &&
           qdev_map(dev, get_system_io(), PCI_DATA_PORT, &s->parent_obj.data, errp);
}

static const Property i440fx_host_props[] = {
    DEFINE_PROP_LINK("ram", I440FXHost, ram, TYPE_MEMORY_REGION, MemoryRegion *,
                     .help = "the memory from address 0 on"),
};

static void i440fx_host_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "Intel 82441FX: host bridge of a PC, with the bus pci.0";
    dc->realize = i440fx_host_realize;
    device_class_set_props(dc, i440fx_host_props);
}

static const TypeInfo i440fx_types[] = {
    {
        .name = TYPE_I440FX_PCI_DEVICE,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(I440FX),
        .class_init = i440fx_class_init,
    },
    {
        .name = TYPE_I440FX_PCI_HOST_BRIDGE,
        .parent = TYPE_PCI_HOST_BRIDGE,
        .instance_size = sizeof(I440FXHost),
        .class_init = i440fx_host_class_init,
    },
};
DEFINE_TYPES(i440fx_types)
