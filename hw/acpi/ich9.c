/* SPDX-License-Identifier: MIT */
/* The ICH9's power management: the common registers, and two of its own that firmware looks at. */
#include <qomet/hw/acpi/ich9.h>

#define SMI_OFFSET 0x30 /* in the ports */
#define SMI_BYTES 8     /* enable, then status, which is always 0 */
#define SMI_EN_APMC (1 << 5)

static uint64_t smi_read(void *opaque, hwaddr addr, unsigned size G_GNUC_UNUSED)
{
    return addr == 0 ? ((ICH9PM *)opaque)->smi_enable : 0;
}

static void smi_write(void *opaque, hwaddr addr, uint64_t data, unsigned size G_GNUC_UNUSED)
{
    if (addr == 0) {
        ((ICH9PM *)opaque)->smi_enable = (uint32_t)data;
    }
}

static const MemoryRegionOps smi_ops = {
    .read = smi_read,
    .write = smi_write,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
    .name = "ICH9 SMI",
};

void ich9_pm_init(ICH9PM *s, DeviceState *dev, uint16_t (*base)(DeviceState *dev))
{
    acpi_pm_init(&s->pm, dev,
                 (AcpiPMConfig){ .base = base,
                                 .io_bytes = ICH9_PM_BYTES,
                                 .gpe_bytes = ICH9_GPE_BYTES,
                                 .smi_enable = ICH9_ACPI_ENABLE,
                                 .smi_disable = ICH9_ACPI_DISABLE });
    memory_region_init_io(&s->smi, OBJECT(dev), &smi_ops, s, "acpi-smi", SMI_BYTES);
    memory_region_add_subregion_overlap(&s->pm.io, ICH9_GPE_OFFSET, &s->pm.gpe, 0);
    memory_region_add_subregion_overlap(&s->pm.io, SMI_OFFSET, &s->smi, 0);
}

bool ich9_pm_start(ICH9PM *s, MemoryRegion *ports, GError **errp)
{
    acpi_pm_start(&s->pm, ports);
    return qdev_map(s->pm.dev, ports, ICH9_SMI_PORT, &s->pm.smi_ports, errp);
}

void ich9_pm_reset(ICH9PM *s)
{
    /* There is no system management mode: firmware shall believe that it was set up already. */
    s->smi_enable = SMI_EN_APMC;
    acpi_pm_reset(&s->pm);
    acpi_pm_update_map(&s->pm);
}
