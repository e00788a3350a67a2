/* SPDX-License-Identifier: MIT */
/* The machine "q35": what QEMU's machine of that name is, Intel's Q35 with an ICH9. */
#include <qomet/hw/acpi/ich9.h>
#include <qomet/hw/isa/ich9-lpc.h>
#include <qomet/hw/pci-host/q35.h>
#include "machine/pc-board.h"

/* Where firmware puts the window of configuration spaces. */
#define Q35_ECAM UINT64_C(0xb0000000)

/* Pins of the bus lead to inputs of the IOAPIC that no ISA line has. */
static bool wire(DeviceState *bridge, DeviceState *pic, GError **errp)
{
    for (int i = 0; i < ICH9_LPC_PIRQS; i++) {
        if (!qdev_connect_gpio_out_named(bridge, ICH9_LPC_GSI, i,
                                         qdev_get_gpio_in(pic, ICH9_LPC_FIRST_GSI + i), errp)) {
            return false;
        }
    }
    return qdev_connect_gpio_out_named(bridge, "sci", 0, qdev_get_gpio_in(pic, PC_SCI_LINE), errp);
}

static const AcpiFixed fixed = { .pm_base = ICH9_PM_BASE,
                                 .gpe0 = ICH9_PM_BASE + ICH9_GPE_OFFSET,
                                 .gpe0_bytes = ICH9_GPE_BYTES,
                                 .smi_port = ICH9_SMI_PORT,
                                 .smi_enable = ICH9_ACPI_ENABLE,
                                 .smi_disable = ICH9_ACPI_DISABLE };

static const PCSetting settings[] = {
    /* RAM from 0xc0000 to 0xfffff (PAM), configuration spaces, */
    { PCI_DEVFN(0, 0), 0x90, 0x33333330 },
    { PCI_DEVFN(0, 0), 0x94, 0x00333333 },
    { PCI_DEVFN(0, 0), 0x60, Q35_ECAM | 1 },
    /* half of the links on line 10 and half on line 11, */
    { PCI_DEVFN(ICH9_LPC_SLOT, 0), 0x60, 0x0b0b0a0a },
    { PCI_DEVFN(ICH9_LPC_SLOT, 0), 0x68, 0x0b0b0a0a },
    /* and power management. */
    { PCI_DEVFN(ICH9_LPC_SLOT, 0), 0x40, ICH9_PM_BASE | 1 },
    { PCI_DEVFN(ICH9_LPC_SLOT, 0), 0x44, 0x80 },
    { 0, 0, 0 },
};

static void q35_class_init(ObjectClass *klass, const void *data)
{
    PCBoardClass *pc = PC_BOARD_CLASS(klass);

    (void)data;
    pc->parent_class.desc = "Standard PC (Q35 + ICH9, 2009)";
    pc->ram_in_one_piece = UINT64_C(0xb0000000);
    pc->low_ram_of_more = UINT64_C(0x80000000);
    pc->host_type = TYPE_Q35_HOST_DEVICE;
    pc->host_name = "q35";
    pc->isa_type = TYPE_ICH9_LPC;
    pc->isa_name = "lpc";
    pc->isa_slot = ICH9_LPC_SLOT;
    pc->wire = wire;
    pc->fixed = &fixed;
    pc->settings = settings;
    pc->ecam = Q35_ECAM;
    pc->gsi_base = ICH9_LPC_FIRST_GSI;
}

static const TypeInfo q35_types[] = {
    {
        .name = MACHINE_TYPE_NAME("q35"),
        .parent = TYPE_PC_BOARD,
        .class_init = q35_class_init,
    },
};
DEFINE_TYPES(q35_types)
