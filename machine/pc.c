/* SPDX-License-Identifier: MIT */
/* The machine "pc": what QEMU's machine of that name is, Intel's 440FX with a PIIX3. */
#include <qomet/hw/acpi/piix4.h>
#include <qomet/hw/isa/piix3.h>
#include <qomet/hw/pci-host/i440fx.h>
#include "machine/pc-board.h"
#include "machine/x86-board.h"

static const AcpiFixed fixed = { .pm_base = PIIX4_PM_BASE,
                                 .gpe0 = PIIX4_GPE_BASE,
                                 .gpe0_bytes = PIIX4_GPE_BYTES,
                                 .smi_port = PIIX4_SMI_PORT,
                                 .smi_enable = PIIX4_ACPI_ENABLE,
                                 .smi_disable = PIIX4_ACPI_DISABLE };

/* Power management stands beside the bridge to the ISA bus. */
static bool make_pm(MachineState *machine, PCIBus *pci, ISABus *isa, GError **errp)
{
    DeviceState *dev = qdev_new(TYPE_PIIX4_PM, errp);

    if (!dev) {
        return false;
    }
    PCI_DEVICE(dev)->addr = PCI_DEVFN(1, 3);
    return x86_place(machine, "pm", dev, BUS(pci), errp) &&
           qdev_connect_gpio_out_named(dev, "sci", 0, isa->irqs[PC_SCI_LINE], errp);
}

static const PCSetting settings[] = {
    /* RAM from 0xc0000 to 0xfffff (PAM), */
    { PCI_DEVFN(0, 0), 0x58, 0x33333000 },
    { PCI_DEVFN(0, 0), 0x5c, 0x33333333 },
    /* links A and B on line 10, C and D on line 11, */
    { PCI_DEVFN(1, 0), 0x60, 0x0b0b0a0a },
    /* and power management. */
    { PCI_DEVFN(1, 3), 0x40, PIIX4_PM_BASE | 1 },
    { PCI_DEVFN(1, 3), 0x80, 1 },
    { 0, 0, 0 },
};

static void pc_class_init(ObjectClass *klass, const void *data)
{
    PCBoardClass *pc = PC_BOARD_CLASS(klass);

    (void)data;
    pc->parent_class.desc = "Standard PC (i440FX + PIIX, 1996)";
    pc->ram_in_one_piece = UINT64_C(0xe0000000);
    pc->low_ram_of_more = UINT64_C(0xc0000000);
    pc->host_type = TYPE_I440FX_PCI_HOST_BRIDGE;
    pc->host_name = "i440fx";
    pc->isa_type = TYPE_PIIX3;
    pc->isa_name = "piix3";
    pc->isa_slot = 1;
    pc->make_pm = make_pm;
    pc->fixed = &fixed;
    pc->settings = settings;
}

static const TypeInfo pc_types[] = {
    {
        .name = MACHINE_TYPE_NAME("pc"),
        .parent = TYPE_PC_BOARD,
        .class_init = pc_class_init,
    },
};
DEFINE_TYPES(pc_types)
