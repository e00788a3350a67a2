/* SPDX-License-Identifier: MIT */
/*
 * What boards of the PC's family are made of: the accelerator's interrupt controllers, an ISA bus
 * whose lines lead to them, serial ports.
 */
#include <qomet/backends/chardev/char.h>
#include <qomet/hw/intc/accel-irqchip.h>
#include "machine/x86-board.h"

bool x86_place(MachineState *machine, const char *name, DeviceState *dev, BusState *bus,
               GError **errp)
{
    if (!object_property_add_child(OBJECT(machine), name, OBJECT(dev), errp)) {
        object_unref(dev);
        return false;
    }
    return qdev_realize_and_unref(dev, bus, errp);
}

bool x86_make_irqchip(MachineState *machine, GError **errp)
{
    DeviceState *pic = qdev_new(TYPE_ACCEL_IRQCHIP, errp);

    if (!pic || !x86_place(machine, "pic", pic, NULL, errp)) {
        g_prefix_error(errp, "kernel-irqchip=on: ");
        return false;
    }
    return true;
}

ISABus *x86_make_isa(MachineState *machine, GError **errp)
{
    Object *pic = object_resolve_path_component(OBJECT(machine), "pic");
    ISABus *isa = isa_bus_new(NULL, get_system_io(), errp);
    qemu_irq lines[ISA_NUM_IRQS];

    if (!isa || !pic) {
        return isa;
    }
    for (int i = 0; i < ISA_NUM_IRQS; i++) {
        lines[i] = qdev_get_gpio_in(DEVICE(pic), i);
    }
    isa_bus_register_input_irqs(isa, lines, ISA_NUM_IRQS);
    return isa;
}

static bool make_serial(MachineState *machine, ISABus *isa, unsigned n, GError **errp)
{
    const char *words = machine_serial_words(machine, n);
    g_autofree char *id = g_strdup_printf("serial%u", n);
    Chardev *chr;
    DeviceState *dev;

    if (!words) {
        return true;
    }
    chr = qemu_chr_new(id, words, errp);
    dev = chr ? qdev_new("isa-serial", errp) : NULL;
    if (!dev) {
        return false;
    }
    if (!object_property_set_uint(OBJECT(dev), "index", n, errp) ||
        !object_property_set_str(OBJECT(dev), "chardev", chr->label, errp)) {
        object_unref(dev);
        return false;
    }
    return x86_place(machine, id, dev, BUS(isa), errp);
}

bool x86_make_serials(MachineState *machine, ISABus *isa, GError **errp)
{
    for (unsigned n = 0; n < machine_serial_count(machine); n++) {
        if (!make_serial(machine, isa, n, errp)) {
            g_prefix_error(errp, "-serial %s: ", machine_serial_words(machine, n));
            return false;
        }
    }
    return true;
}
