/* SPDX-License-Identifier: MIT */
/*
 * The host bridge of the machine "q35", Intel's 82Q35 ("MCH"): the ports 0xcf8 and 0xcfc and the
 * window of memory by which configuration spaces are reached, the bus "pcie.0" under the machine's
 * memory, and the function at 00:00.0 with the registers for window, RAM and ROM (data sheet 317607).
 */
#include <string.h>
#include <qomet/hw/pci-host/q35.h>
#include <qomet/hw/pci/pci-host.h>
#include "hw/pci-host/pam.h"

OBJECT_DECLARE_SIMPLE_TYPE(Q35Host, Q35_HOST_DEVICE)
OBJECT_DECLARE_SIMPLE_TYPE(MCHState, MCH_PCI_DEVICE)

/* Registers of 00:00.0. */
#define REG_PCIEXBAR 0x60
#define PCIEXBAR_ENABLE 0x1
#define PCIEXBAR_LENGTH 0x6
#define PCIEXBAR_ADDR UINT64_C(0xffc000000)
#define PCIEXBAR_RESET UINT64_C(0xb0000000)
#define REG_PAM0 0x90
#define REG_SMRAM 0x9d

#define BUS_BYTES (UINT64_C(1) << 20) /* of the window, for each bus */
#define WINDOW_MAX (256 * BUS_BYTES)

/* Where the bus shows: wherever nothing else of the machine is; and on it the window, over BARs. */
#define BUS_PRIORITY (-1)
#define WINDOW_PRIORITY 2

struct Q35Host {
    PCIHostState parent_obj;
    MemoryRegion pci_memory; /* all that is on the bus */
    MemoryRegion window;
    MemoryRegion *ram;
};

struct MCHState {
    PCIDevice parent_obj;
    Q35Host *host;
    PAM pam;
};

/* ---- The window ---- */

static uint64_t window_read(void *opaque, hwaddr addr, unsigned size)
{
    return pcie_data_read(PCI_HOST_BRIDGE(opaque)->bus, (uint32_t)addr, size);
}

static void window_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    pcie_data_write(PCI_HOST_BRIDGE(opaque)->bus, (uint32_t)addr, (uint32_t)data, size);
}

static const MemoryRegionOps window_ops = {
    .read = window_read,
    .write = window_write,
    .impl = { .min_access_size = 1, .max_access_size = 4 },
    .name = "PCI configuration window",
};

/* As the register says; a length that it has no meaning for is the longest. */
static void place_window(Q35Host *s, uint64_t value)
{
    static const unsigned buses[] = { 256, 128, 64, 256 };
    uint64_t size = buses[(value & PCIEXBAR_LENGTH) >> 1] * BUS_BYTES;

    memory_region_set_enabled(&s->window, value & PCIEXBAR_ENABLE);
    memory_region_set_size(&s->window, size);
    memory_region_set_address(&s->window, value & PCIEXBAR_ADDR & ~(size - 1));
}

/* ---- The function at 00:00.0 ---- */

/* Main thread: the map as the registers have it now. */
static void update_map(Object *obj, void *opaque)
{
    MCHState *s = MCH_PCI_DEVICE(obj);
    uint8_t config[PCI_CFG_SPACE_SIZE];

    (void)opaque;
    if (!DEVICE(s)->realized || !entry_enter(&DEVICE(s)->guard)) {
        return;
    }
    memcpy(config, s->parent_obj.config, sizeof(config));
    entry_leave(&DEVICE(s)->guard);
    memory_region_transaction_begin();
    pam_update(&s->pam, config + REG_PAM0, config[REG_SMRAM]);
    place_window(s->host, pci_get_quad(config + REG_PCIEXBAR));
    memory_region_transaction_commit();
}

static void mch_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    uint8_t before[PCI_CFG_SPACE_SIZE];

    memcpy(before, dev->config, sizeof(before));
    pci_default_write_config(dev, addr, value, len);
    dev->config[REG_SMRAM] = smram_write(before[REG_SMRAM], dev->config[REG_SMRAM]);
    if (memcmp(before + REG_PAM0, dev->config + REG_PAM0, PAM_REGISTERS) != 0 ||
        memcmp(before + REG_PCIEXBAR, dev->config + REG_PCIEXBAR, 8) != 0 ||
        before[REG_SMRAM] != dev->config[REG_SMRAM]) {
        entry_call_main(OBJECT(dev), update_map, NULL);
    }
}

static bool mch_realize(PCIDevice *dev, GError **errp)
{
    MCHState *s = MCH_PCI_DEVICE(dev);

    pci_set_quad(dev->wmask + REG_PCIEXBAR, PCIEXBAR_ADDR | PCIEXBAR_LENGTH | PCIEXBAR_ENABLE);
    return pam_init(&s->pam, DEVICE(dev), s->host->ram, &s->host->pci_memory, errp);
}

static void mch_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    uint8_t *config = PCI_DEVICE(obj)->config;

    pci_set_quad(config + REG_PCIEXBAR, PCIEXBAR_RESET);
    memset(config + REG_PAM0, 0, PAM_REGISTERS);
    config[REG_SMRAM] = SMRAM_BASE;
    update_map(obj, NULL);
}

static void mch_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "Host bridge";
    dc->user_creatable = false; /* the host bridge makes it */
    dc->hotpluggable = false;
    pc->realize = mch_realize;
    pc->config_write = mch_write_config;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = PCI_DEVICE_ID_INTEL_Q35_MCH;
    pc->class_id = PCI_CLASS_BRIDGE_HOST;
    device_class_set_reset(dc, mch_reset);
}

/* ---- The host ---- */

static void unmap_bus(DeviceState *dev, void *opaque G_GNUC_UNUSED)
{
    Q35Host *s = Q35_HOST_DEVICE(dev);

    memory_region_del_subregion(&s->pci_memory, &s->window);
    memory_region_del_subregion(get_system_memory(), &s->pci_memory);
}

static void make_map(Q35Host *s)
{
    memory_region_init(&s->pci_memory, OBJECT(s), "pci", UINT64_MAX);
    memory_region_init_io(&s->window, OBJECT(s), &window_ops, s, "pcie-mmcfg", WINDOW_MAX);
    memory_region_set_enabled(&s->window, false);
    memory_region_add_subregion_overlap(&s->pci_memory, PCIEXBAR_RESET, &s->window,
                                        WINDOW_PRIORITY);
    memory_region_add_subregion_overlap(get_system_memory(), 0, &s->pci_memory, BUS_PRIORITY);
    qdev_on_unrealize(DEVICE(s), unmap_bus, NULL);
}

static bool make_function(Q35Host *s, GError **errp)
{
    DeviceState *dev = qdev_new(TYPE_MCH_PCI_DEVICE, errp);

    if (!dev) {
        return false;
    }
    MCH_PCI_DEVICE(dev)->host = s;
    PCI_DEVICE(dev)->addr = PCI_DEVFN(0, 0);
    if (!object_property_add_child(OBJECT(s), "mch", OBJECT(dev), errp)) {
        object_unref(dev);
        return false;
    }
    return qdev_realize_and_unref(dev, BUS(s->parent_obj.bus), errp);
}

static bool q35_host_realize(DeviceState *dev, GError **errp)
{
    Q35Host *s = Q35_HOST_DEVICE(dev);

    if (!s->ram) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'ram' is missing: the memory from address 0 on");
        return false;
    }
    make_map(s);
    s->parent_obj.bus =
        pci_root_bus_new(TYPE_PCIE_BUS, dev, "pcie.0", &s->pci_memory, get_system_io(), 0, errp);
    return s->parent_obj.bus && make_function(s, errp) &&
           qdev_map(dev, get_system_io(), PCI_CONF_PORT, &s->parent_obj.conf, errp) &&
           qdev_map(dev, get_system_io(), PCI_DATA_PORT, &s->parent_obj.data, errp);
}

static const Property q35_host_props[] = {
    DEFINE_PROP_LINK("ram", Q35Host, ram, TYPE_MEMORY_REGION, MemoryRegion *,
                     .help = "the memory from address 0 on"),
};

static void q35_host_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "Intel 82Q35: host bridge of a PC, with the bus pcie.0";
    dc->realize = q35_host_realize;
    device_class_set_props(dc, q35_host_props);
}

static const TypeInfo q35_types[] = {
    {
        .name = TYPE_MCH_PCI_DEVICE,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(MCHState),
        .class_init = mch_class_init,
    },
    {
        .name = TYPE_Q35_HOST_DEVICE,
        .parent = TYPE_PCI_HOST_BRIDGE,
        .instance_size = sizeof(Q35Host),
        .class_init = q35_host_class_init,
    },
};
DEFINE_TYPES(q35_types)
