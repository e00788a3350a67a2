/* SPDX-License-Identifier: MIT */
/*
 * The machine "bare": RAM from 0, vCPUs, ports with an ISA bus, and serial ports. No firmware, no
 * PCI. What it runs is a flat binary, see flat.c.
 *
 * With kernel-irqchip=on, KVM's PIC, IOAPIC and local APICs take the sixteen lines of the ISA bus.
 * Without, there is nothing that wakes a halted vCPU, so the machine ends when the last one has
 * halted.
 */
#include <qomet/qom/error.h>
#include "machine/flat-int.h"
#include "machine/x86-board.h"

#define TYPE_BARE_MACHINE MACHINE_TYPE_NAME("bare")
OBJECT_DECLARE_SIMPLE_TYPE(BareMachine, BARE_MACHINE)

struct BareMachine {
    FlatMachine parent_obj;
    int kernel_irqchip; /* OnOffSplit */
};

/* ---- The board ---- */

static bool bare_init(MachineState *machine, GError **errp)
{
    const OnOffSplit chips = BARE_MACHINE(machine)->kernel_irqchip;
    ISABus *isa;

    if (chips == ON_OFF_SPLIT_SPLIT) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "kernel-irqchip=split: this machine has all interrupt controllers, or none");
        return false;
    }
    /*
     * The vCPUs' threads come up while the rest is made. RAM is mapped before: KVM would have that
     * wait until it has made them.
     */
    if ((chips == ON_OFF_SPLIT_ON && !x86_make_irqchip(machine, chips, errp)) ||
        !machine_create_ram(machine, X86_LOW_RAM_END, X86_HIGH_RAM_START, errp) ||
        !machine_create_cpus(machine, errp)) {
        return false;
    }
    isa = x86_make_isa(machine, errp);
    return isa && x86_make_serials(machine, isa, errp);
}

/* ---- The type ---- */

static const Property bare_props[] = {
    DEFINE_PROP_ENUM(
        "kernel-irqchip", BareMachine, kernel_irqchip, on_off_split_table, ON_OFF_SPLIT_OFF,
        .help = "have KVM's PIC, IOAPIC and local APICs, and the serial port on IRQ 4"),
};

static void bare_class_init(ObjectClass *klass, const void *data)
{
    MachineClass *mc = MACHINE_CLASS(klass);

    (void)data;
    mc->desc = "teaching board: RAM, ports, a flat binary";
    mc->is_default = true;
    mc->max_cpus = 255;
    mc->default_ram_size = UINT64_C(16) << 20;
    mc->init = bare_init;
    object_class_add_properties(klass, bare_props, G_N_ELEMENTS(bare_props));
}

static const TypeInfo bare_types[] = {
    {
        .name = TYPE_BARE_MACHINE,
        .parent = TYPE_FLAT_MACHINE,
        .instance_size = sizeof(BareMachine),
        .class_init = bare_class_init,
    },
};
DEFINE_TYPES(bare_types)
