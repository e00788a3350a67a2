/* SPDX-License-Identifier: MIT */
/* A machine built outside the tree: the teaching board with 1 MiB of RAM and a debug console soldered on at 0xe9. */
#include <qomet/hw/isa/isa-bus.h>
#include <qomet/machine/machine.h>

#define TYPE_ECHO_BOARD MACHINE_TYPE_NAME("echo-board")

static bool echo_board_init(MachineState *machine, GError **errp)
{
    ObjectClass *bare = object_class_by_name(MACHINE_TYPE_NAME("bare"));
    BusState *isa;
    g_autoptr(DeviceState) console = NULL;

    if (!MACHINE_CLASS(bare)->init(machine, errp)) {
        return false;
    }
    isa = qbus_find("isa.0", TYPE_ISA_BUS, errp);
    console = isa ? qdev_new("isa-debugcon", errp) : NULL;
    return console && object_property_set_uint(OBJECT(console), "iobase", 0xe9, errp) &&
           qdev_realize(console, isa, errp);
}

static void echo_board_class_init(ObjectClass *klass, G_GNUC_UNUSED const void *data)
{
    MachineClass *mc = MACHINE_CLASS(klass);

    mc->desc = "teaching board with a debug console at port 0xe9";
    mc->default_ram_size = 1 << 20;
    mc->init = echo_board_init;
}

static const TypeInfo echo_board_types[] = { { .name = TYPE_ECHO_BOARD,
                                               .parent = MACHINE_TYPE_NAME("bare"),
                                               .class_init = echo_board_class_init } };
DEFINE_TYPES(echo_board_types)
