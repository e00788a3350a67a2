/* SPDX-License-Identifier: MIT */
/* The machine "pc": what QEMU's machine of that name is, Intel's 440FX with a PIIX3. */
#include <qomet/hw/isa/piix3.h>
#include <qomet/hw/pci-host/i440fx.h>
#include "machine/pc-board.h"

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
}

static const TypeInfo pc_types[] = {
    {
        .name = MACHINE_TYPE_NAME("pc"),
        .parent = TYPE_PC_BOARD,
        .class_init = pc_class_init,
    },
};
DEFINE_TYPES(pc_types)
