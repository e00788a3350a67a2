/* SPDX-License-Identifier: MIT */
/* The machine "q35": what QEMU's machine of that name is, Intel's Q35 with an ICH9. */
#include <qomet/hw/isa/ich9-lpc.h>
#include <qomet/hw/pci-host/q35.h>
#include "machine/pc-board.h"

/* Pins of the bus lead to inputs of the IOAPIC that no ISA line has. */
static bool wire_gsis(DeviceState *bridge, DeviceState *pic, GError **errp)
{
    for (int i = 0; i < ICH9_LPC_PIRQS; i++) {
        if (!qdev_connect_gpio_out_named(bridge, ICH9_LPC_GSI, i,
                                         qdev_get_gpio_in(pic, ICH9_LPC_FIRST_GSI + i), errp)) {
            return false;
        }
    }
    return true;
}

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
    pc->wire = wire_gsis;
}

static const TypeInfo q35_types[] = {
    {
        .name = MACHINE_TYPE_NAME("q35"),
        .parent = TYPE_PC_BOARD,
        .class_init = q35_class_init,
    },
};
DEFINE_TYPES(q35_types)
