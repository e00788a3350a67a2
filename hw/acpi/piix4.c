/* SPDX-License-Identifier: MIT */
/*
 * "PIIX4_PM": the power management function of Intel's 82371AB, which stands in a PC beside its
 * PIIX3: ACPI's registers at ports that the guest chooses (data sheet 290562, chapter 7). Its
 * SMBus is not there: the registers that place it are memory only.
 */
#include <string.h>
#include <qomet/hw/acpi/piix4.h>
#include <qomet/hw/acpi/pm.h>
#include <qomet/hw/pci/pci-bus.h>

OBJECT_DECLARE_SIMPLE_TYPE(PIIX4PMState, PIIX4_PM)

#define REG_PMBA 0x40
#define PMBA_IO 0x01
#define PMBA_MASK 0xffc0
#define PMBA_BYTES 64
#define REG_DEVACTB 0x58
#define DEVACTB_APMC_EN (1 << 25)
#define REG_PMREGMISC 0x80
#define PMREGMISC_PMIOSE 0x01
#define REG_SMBBA 0x90
#define REG_SMBHSTCFG 0xd2

struct PIIX4PMState {
    PCIDevice parent_obj;
    AcpiPMState pm;
};

/* ---- Where the registers are ---- */

static uint16_t pm_base(DeviceState *dev)
{
    const uint8_t *config = PCI_DEVICE(dev)->config;

    return config[REG_PMREGMISC] & PMREGMISC_PMIOSE ? pci_get_word(config + REG_PMBA) & PMBA_MASK
                                                    : 0;
}

static void piix4_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    const uint16_t before = pm_base(DEVICE(dev));

    pci_default_write_config(dev, addr, value, len);
    if (pm_base(DEVICE(dev)) != before) {
        acpi_pm_update_map(&PIIX4_PM(dev)->pm);
    }
}

/* ---- The device ---- */

static bool piix4_realize(PCIDevice *dev, GError **errp)
{
    PIIX4PMState *s = PIIX4_PM(dev);
    MemoryRegion *io = pci_get_bus(dev)->address_space_io;

    pci_set_word(dev->wmask + REG_PMBA, PMBA_MASK);
    memset(dev->wmask + REG_DEVACTB, 0xff, 4);
    dev->wmask[REG_PMREGMISC] = PMREGMISC_PMIOSE;
    pci_set_word(dev->wmask + REG_SMBBA, PMBA_MASK);
    dev->wmask[REG_SMBHSTCFG] = 0xff;
    pci_set_long(dev->config + REG_PMBA, PMBA_IO);
    pci_set_long(dev->config + REG_SMBBA, PMBA_IO);
    pci_config_set_interrupt_pin(dev->config, 1);
    acpi_pm_start(&s->pm, io);
    return qdev_map(DEVICE(dev), io, PIIX4_GPE_BASE, &s->pm.gpe, errp) &&
           qdev_map(DEVICE(dev), io, PIIX4_SMI_PORT, &s->pm.smi_ports, errp);
}

static void piix4_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    PIIX4PMState *s = PIIX4_PM(obj);
    uint8_t *config = s->parent_obj.config;

    pci_set_word(config + REG_PMBA, PMBA_IO);
    config[REG_PMREGMISC] = 0;
    /* There is no system management mode: firmware shall believe that it was set up already. */
    pci_set_long(config + REG_DEVACTB, DEVACTB_APMC_EN);
    pci_set_word(config + REG_SMBBA, PMBA_IO);
    config[REG_SMBHSTCFG] = 0;
    acpi_pm_reset(&s->pm);
    acpi_pm_update_map(&s->pm);
}

static void piix4_init(Object *obj)
{
    acpi_pm_init(&PIIX4_PM(obj)->pm, DEVICE(obj),
                 (AcpiPMConfig){ .base = pm_base,
                                 .io_bytes = PMBA_BYTES,
                                 .gpe_bytes = PIIX4_GPE_BYTES,
                                 .smi_enable = PIIX4_ACPI_ENABLE,
                                 .smi_disable = PIIX4_ACPI_DISABLE });
}

static const DeviceField piix4_fields[] = {
    ACPI_PM_FIELDS(PIIX4PMState, pm),
    { NULL, 0, 0, 0, 0 },
};

static void piix4_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "Intel 82371AB: power management of a PC";
    dc->user_creatable = false; /* its interrupt is wired by the board */
    dc->hotpluggable = false;
    dc->state = piix4_fields;
    pc->realize = piix4_realize;
    pc->config_write = piix4_write_config;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = PCI_DEVICE_ID_INTEL_82371AB_3;
    pc->class_id = PCI_CLASS_BRIDGE_OTHER;
    pc->revision = 3;
    device_class_set_reset(dc, piix4_reset);
}

static const TypeInfo piix4_types[] = {
    {
        .name = TYPE_PIIX4_PM,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(PIIX4PMState),
        .instance_init = piix4_init,
        .class_init = piix4_class_init,
    },
};
DEFINE_TYPES(piix4_types)
