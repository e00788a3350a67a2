/* SPDX-License-Identifier: MIT */
/*
 * The function at 00:00.0 of a PC: what the guest writes to the registers of PAM and SMRAM, and to
 * another one that a class may have, the machine's memory map follows.
 */
#include <string.h>
#include "hw/pci-host/pc-host.h"

/* Main thread: the map as the registers have it now. */
static void update_map(Object *obj, void *opaque G_GNUC_UNUSED)
{
    PCHostFunction *s = PC_HOST_FUNCTION(obj);
    const PCHostFunctionClass *fc = PC_HOST_FUNCTION_GET_CLASS(s);
    uint8_t config[PCI_CFG_SPACE_SIZE];

    if (!DEVICE(s)->realized || !entry_enter(&DEVICE(s)->guard)) {
        return;
    }
    memcpy(config, s->parent_obj.config, sizeof(config));
    entry_leave(&DEVICE(s)->guard);
    memory_region_transaction_begin();
    pam_update(&s->pam, config + fc->reg_pam, config[fc->reg_smram]);
    if (fc->update_map) {
        fc->update_map(s->host, pci_get_quad(config + fc->reg_map));
    }
    memory_region_transaction_commit();
}

static void function_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    const PCHostFunctionClass *fc = PC_HOST_FUNCTION_GET_CLASS(dev);
    uint8_t before[PCI_CFG_SPACE_SIZE], *now = dev->config;

    memcpy(before, now, sizeof(before));
    pci_default_write_config(dev, addr, value, len);
    now[fc->reg_smram] = smram_write(before[fc->reg_smram], now[fc->reg_smram]);
    if (memcmp(before + fc->reg_pam, now + fc->reg_pam, PAM_REGISTERS) != 0 ||
        before[fc->reg_smram] != now[fc->reg_smram] ||
        (fc->update_map && pci_get_quad(before + fc->reg_map) != pci_get_quad(now + fc->reg_map))) {
        entry_call_main(OBJECT(dev), update_map, NULL);
    }
}

static bool function_realize(PCIDevice *dev, GError **errp)
{
    PCHostFunction *s = PC_HOST_FUNCTION(dev);
    const PCHostFunctionClass *fc = PC_HOST_FUNCTION_GET_CLASS(s);

    if (fc->update_map) {
        pci_set_quad(dev->wmask + fc->reg_map, fc->map_wmask);
    }
    return pam_init(&s->pam, DEVICE(dev), s->host->ram, &s->host->pci_memory, errp);
}

static void function_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    const PCHostFunctionClass *fc = PC_HOST_FUNCTION_GET_CLASS(obj);
    uint8_t *config = PCI_DEVICE(obj)->config;

    if (fc->update_map) {
        pci_set_quad(config + fc->reg_map, fc->map_reset);
    }
    memset(config + fc->reg_pam, 0, PAM_REGISTERS);
    config[fc->reg_smram] = SMRAM_BASE;
    update_map(obj, NULL);
}

static void function_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "Host bridge";
    dc->user_creatable = false; /* the host bridge makes it */
    dc->hotpluggable = false;
    pc->realize = function_realize;
    pc->config_write = function_write_config;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->class_id = PCI_CLASS_BRIDGE_HOST;
    device_class_set_reset(dc, function_reset);
}

static const TypeInfo function_types[] = {
    {
        .name = TYPE_PC_HOST_FUNCTION,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(PCHostFunction),
        .class_size = sizeof(PCHostFunctionClass),
        .class_init = function_class_init,
        .abstract = true,
    },
};
DEFINE_TYPES(function_types)
