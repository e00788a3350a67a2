/* SPDX-License-Identifier: MIT */
/*
 * The host bridge of the machine "q35", Intel's 82Q35 ("MCH"), with the bus "pcie.0" and a window of
 * memory by which configuration spaces are reached (data sheet 317607).
 */
#include <qomet/hw/pci-host/q35.h>
#include "hw/pci-host/pc-host.h"

OBJECT_DECLARE_SIMPLE_TYPE(Q35Host, Q35_HOST_DEVICE)

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

#define WINDOW_PRIORITY 2 /* on the bus: over BARs */

struct Q35Host {
    PCHost parent_obj;
    MemoryRegion window;
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
static void place_window(PCHost *host, uint64_t value)
{
    static const unsigned buses[] = { 256, 128, 64, 256 };
    MemoryRegion *window = &Q35_HOST_DEVICE(host)->window;
    uint64_t size = buses[(value & PCIEXBAR_LENGTH) >> 1] * BUS_BYTES;

    memory_region_set_enabled(window, value & PCIEXBAR_ENABLE);
    memory_region_set_size(window, size);
    memory_region_set_address(window, value & PCIEXBAR_ADDR & ~(size - 1));
}

/* ---- The types ---- */

static void mch_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    PCHostFunctionClass *fc = PC_HOST_FUNCTION_CLASS(klass);

    fc->parent_class.device_id = PCI_DEVICE_ID_INTEL_Q35_MCH;
    fc->reg_pam = REG_PAM0;
    fc->reg_smram = REG_SMRAM;
    fc->update_map = place_window;
    fc->reg_map = REG_PCIEXBAR;
    fc->map_reset = PCIEXBAR_RESET;
    fc->map_wmask = PCIEXBAR_ADDR | PCIEXBAR_LENGTH | PCIEXBAR_ENABLE;
}

static void q35_host_init(Object *obj)
{
    Q35Host *s = Q35_HOST_DEVICE(obj);

    memory_region_init_io(&s->window, obj, &window_ops, s, "pcie-mmcfg", WINDOW_MAX);
    memory_region_set_enabled(&s->window, false);
    memory_region_add_subregion_overlap(&s->parent_obj.pci_memory, PCIEXBAR_RESET, &s->window,
                                        WINDOW_PRIORITY);
}

static void q35_host_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    PCHostClass *hc = PC_HOST_CLASS(klass);

    DEVICE_CLASS(klass)->desc = "Intel 82Q35: host bridge of a PC, with the bus pcie.0";
    hc->function_type = TYPE_MCH_PCI_DEVICE;
    hc->bus_type = TYPE_PCIE_BUS;
    hc->bus_name = "pcie.0";
}

static const TypeInfo q35_types[] = {
    {
        .name = TYPE_MCH_PCI_DEVICE,
        .parent = TYPE_PC_HOST_FUNCTION,
        .class_init = mch_class_init,
    },
    {
        .name = TYPE_Q35_HOST_DEVICE,
        .parent = TYPE_PC_HOST,
        .instance_size = sizeof(Q35Host),
        .instance_init = q35_host_init,
        .class_init = q35_host_class_init,
    },
};
DEFINE_TYPES(q35_types)
