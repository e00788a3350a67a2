/* SPDX-License-Identifier: MIT */
/*
 * A PC's interrupt controllers, by "kernel-irqchip": the accelerator's ("on"), or its local APICs
 * with an IOAPIC and a PIC in user space ("split"). Whichever it is, the child "pic" has the lines
 * that a board leads its devices to.
 */
#include <qomet/accel/cpu-intc.h>
#include <qomet/hw/intc/accel-irqchip.h>
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

static bool make_split(MachineState *machine, GError **errp)
{
    DeviceState *gsi;

    if (!place(machine, "apics", TYPE_ACCEL_APICS, NULL, errp)) {
        return false;
    }
    gsi = place(machine, "pic", TYPE_X86_GSI, NULL, errp);
    return gsi && make_ioapic(machine, gsi, errp);
}

bool x86_make_irqchip(MachineState *machine, OnOffSplit kernel_irqchip, GError **errp)
{
    bool ok = false;

    switch (kernel_irqchip) {
    case ON_OFF_SPLIT_ON:
        ok = place(machine, "pic", TYPE_ACCEL_IRQCHIP, NULL, errp) != NULL;
        break;
    case ON_OFF_SPLIT_SPLIT:
        ok = make_split(machine, errp);
        break;
    case ON_OFF_SPLIT_OFF:
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "this machine's local APICs are the accelerator's: on or split");
        break;
    }
    if (!ok) {
        g_prefix_error(errp, "kernel-irqchip=%s: ", on_off_split_names[kernel_irqchip]);
    }
    return ok;
}

/* The first processor hears its INTR. */
static bool make_pic(MachineState *machine, ISABus *isa, DeviceState *gsi, GError **errp)
{
    DeviceState *pic = place(machine, "i8259", TYPE_I8259, BUS(isa), errp);
    CPUState *cpu = qemu_get_cpu(0);
    qemu_irq pin;
    bool ok;

    if (!pic) {
        return false;
    }
    for (int n = 0; n < X86_GSI_PICS; n++) {
        if (!qdev_connect_gpio_out_named(gsi, X86_GSI_PIC, n, qdev_get_gpio_in(pic, n), errp)) {
            return false;
        }
    }
    if (!cpu) {
        return true; /* a tester drives the board */
    }
    cpu_set_intc(cpu, CPU_INTC(pic));
    pin = cpu_interrupt_pin(cpu);
    ok = qdev_connect_gpio_out_named(pic, "intr", 0, pin, errp);
    object_unref(pin);
    return ok;
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
