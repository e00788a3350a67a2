/* SPDX-License-Identifier: MIT */
/*
 * A PC's interrupt controllers, by "kernel-irqchip": the accelerator's ("on"), its local APICs with
 * an IOAPIC and a PIC in user space ("split"), or all of them there ("off"). Whichever it is, the
 * child "pic" has the lines that a board leads its devices to.
 */
#include <qomet/accel/cpu-intc.h>
#include <qomet/hw/intc/accel-irqchip.h>
#include <qomet/hw/intc/apic.h>
#include <qomet/hw/intc/i8259.h>
#include <qomet/hw/intc/ioapic.h>
#include <qomet/hw/intc/x86-gsi.h>
#include <qomet/qom/error.h>
#include "machine/x86-board.h"

static const char *const on_off_split_names[] = { "on", "off", "split" };
const EnumLookup on_off_split_table = { on_off_split_names, G_N_ELEMENTS(on_off_split_names) };

/* The device of that type as the child @name of the machine. */
static DeviceState *place(MachineState *machine, const char *name, const char *type, BusState *bus,
                          GError **errp)
{
    DeviceState *dev = qdev_new(type, errp);

    return dev && x86_place(machine, name, dev, bus, errp) ? dev : NULL;
}

/* ---- In user space ---- */

static bool make_ioapic(MachineState *machine, DeviceState *gsi, GError **errp)
{
    DeviceState *ioapic = place(machine, "ioapic", TYPE_IOAPIC, sysbus_get_default(), errp);

    if (!ioapic || !sysbus_mmio_map(SYS_BUS_DEVICE(ioapic), 0, IOAPIC_ADDR, errp)) {
        return false;
    }
    for (int n = 0; n < X86_GSIS; n++) {
        if (!qdev_connect_gpio_out_named(gsi, X86_GSI_IOAPIC, n, qdev_get_gpio_in(ioapic, n),
                                         errp)) {
            return false;
        }
    }
    return true;
}

/* The accelerator's local APICs, or ours. */
static bool make_apics(MachineState *machine, OnOffSplit kernel_irqchip, GError **errp)
{
    const CPUTopology topology = machine_topology(machine);
    DeviceState *apics;

    if (kernel_irqchip == ON_OFF_SPLIT_SPLIT) {
        return place(machine, "apics", TYPE_ACCEL_APICS, NULL, errp) != NULL;
    }
    apics = qdev_new(TYPE_APICS, errp);
    if (!apics) {
        return false;
    }
    if (!object_property_set_uint(OBJECT(apics), "num-cpus", machine->smp_cpus, errp) ||
        !object_property_set_uint(OBJECT(apics), "cores", topology.cores, errp) ||
        !object_property_set_uint(OBJECT(apics), "threads", topology.threads, errp)) {
        object_unref(apics);
        return false;
    }
    return x86_place(machine, "apics", apics, sysbus_get_default(), errp) &&
           sysbus_mmio_map(SYS_BUS_DEVICE(apics), 0, APICS_ADDR, errp);
}

static bool make_here(MachineState *machine, OnOffSplit kernel_irqchip, GError **errp)
{
    DeviceState *gsi;

    if (!make_apics(machine, kernel_irqchip, errp)) {
        return false;
    }
    gsi = place(machine, "pic", TYPE_X86_GSI, NULL, errp);
    return gsi && make_ioapic(machine, gsi, errp);
}

bool x86_make_irqchip(MachineState *machine, OnOffSplit kernel_irqchip, GError **errp)
{
    const bool ok = kernel_irqchip == ON_OFF_SPLIT_ON
                        ? place(machine, "pic", TYPE_ACCEL_IRQCHIP, NULL, errp) != NULL
                        : make_here(machine, kernel_irqchip, errp);

    if (!ok) {
        g_prefix_error(errp, "kernel-irqchip=%s: ", on_off_split_names[kernel_irqchip]);
    }
    return ok;
}

/* INTR leads to the first processor, or to its APIC, which leads to the processor; so do the others. */
static bool wire_cpus(MachineState *machine, DeviceState *pic, GError **errp)
{
    DeviceState *apics = DEVICE(object_resolve_path_component(OBJECT(machine), "apics"));
    CPUState *cpu;
    qemu_irq pin;
    bool ok;

    if (object_dynamic_cast(OBJECT(apics), TYPE_APICS)) {
        apics_set_pic(apics, CPU_INTC(pic));
        CPU_FOREACH(cpu)
        {
            if (!apic_connect(apics_get(apics, cpu->index), cpu, errp)) {
                return false;
            }
        }
        return qdev_connect_gpio_out_named(
            pic, "intr", 0, qdev_get_gpio_in_named(apics_get(apics, 0), APIC_LINT0, 0), errp);
    }
    cpu = qemu_get_cpu(0);
    if (!cpu) {
        return true; /* a tester drives the board */
    }
    cpu_set_intc(cpu, CPU_INTC(pic));
    pin = cpu_interrupt_pin(cpu);
    ok = qdev_connect_gpio_out_named(pic, "intr", 0, pin, errp);
    object_unref(pin);
    return ok;
}

static bool make_pic(MachineState *machine, ISABus *isa, DeviceState *gsi, GError **errp)
{
    DeviceState *pic = place(machine, "i8259", TYPE_I8259, BUS(isa), errp);

    if (!pic) {
        return false;
    }
    for (int n = 0; n < X86_GSI_PICS; n++) {
        if (!qdev_connect_gpio_out_named(gsi, X86_GSI_PIC, n, qdev_get_gpio_in(pic, n), errp)) {
            return false;
        }
    }
    return wire_cpus(machine, pic, errp);
}

/* ---- The lines of ISA ---- */

bool x86_wire_isa(MachineState *machine, ISABus *isa, GError **errp)
{
    DeviceState *pic = (DeviceState *)object_resolve_path_component(OBJECT(machine), "pic");
    qemu_irq lines[ISA_NUM_IRQS];

    if (!pic) {
        return true;
    }
    for (int i = 0; i < ISA_NUM_IRQS; i++) {
        lines[i] = qdev_get_gpio_in(pic, i);
    }
    isa_bus_register_input_irqs(isa, lines, ISA_NUM_IRQS);
    return !object_dynamic_cast(OBJECT(pic), TYPE_X86_GSI) || make_pic(machine, isa, pic, errp);
}
