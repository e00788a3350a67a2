/* SPDX-License-Identifier: MIT */
/*
 * The host bridge of the machine "pc", Intel's 82441FX ("i440FX"), with the bus "pci.0" (data sheet
 * 290549).
 */
#include <qomet/hw/pci-host/i440fx.h>
#include "hw/pci-host/pc-host.h"

/* Registers of 00:00.0. */
#define REG_PAM0 0x59
#define REG_SMRAM 0x72

static void i440fx_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    PCHostFunctionClass *fc = PC_HOST_FUNCTION_CLASS(klass);

    fc->parent_class.device_id = PCI_DEVICE_ID_INTEL_82441;
    fc->parent_class.revision = 0x02;
    fc->reg_pam = REG_PAM0;
    fc->reg_smram = REG_SMRAM;
}

static void i440fx_host_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    PCHostClass *hc = PC_HOST_CLASS(klass);

    DEVICE_CLASS(klass)->desc = "Intel 82441FX: host bridge of a PC, with the bus pci.0";
    hc->function_type = TYPE_I440FX_PCI_DEVICE;
    hc->bus_type = TYPE_PCI_BUS;
    hc->bus_name = "pci.0";
}

static const TypeInfo i440fx_types[] = {
    {
        .name = TYPE_I440FX_PCI_DEVICE,
        .parent = TYPE_PC_HOST_FUNCTION,
        .class_init = i440fx_class_init,
    },
    {
        .name = TYPE_I440FX_PCI_HOST_BRIDGE,
        .parent = TYPE_PC_HOST,
        .class_init = i440fx_host_class_init,
    },
};
DEFINE_TYPES(i440fx_types)
