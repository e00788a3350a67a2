/* SPDX-License-Identifier: MIT */
/*
 * The machine "bare": RAM from 0, vCPUs, ports with an ISA bus, and serial ports. No firmware, no
 * PCI. What it runs is a flat binary, see flat.c.
 *
 * With kernel-irqchip=on, KVM's PIC, IOAPIC and local APICs take the sixteen lines of the ISA bus.
 * Without, there is nothing that wakes a halted vCPU, so the machine ends when the last one has
 * halted.
 */
#include <qomet/backends/chardev/char.h>
#include <qomet/hw/intc/accel-irqchip.h>
#include <qomet/hw/isa/isa-bus.h>
#include "machine/flat-int.h"

#define TYPE_BARE_MACHINE MACHINE_TYPE_NAME("bare")
OBJECT_DECLARE_SIMPLE_TYPE(BareMachine, BARE_MACHINE)

/* Where RAM leaves room for the devices below 4 GiB; the rest of it goes on at 4 GiB. */
#define LOW_RAM_END UINT64_C(0xc0000000)
#define HIGH_RAM_START UINT64_C(0x100000000)

struct BareMachine {
    FlatMachine parent_obj;
    bool kernel_irqchip;
};

/* ---- The board ---- */

/* Makes @dev, whose reference is taken over, the child @name of the machine, and realizes it. */
static bool place(MachineState *machine, const char *name, DeviceState *dev, BusState *bus,
                  GError **errp)
{
    if (!object_property_add_child(OBJECT(machine), name, OBJECT(dev), errp)) {
        object_unref(dev);
        return false;
    }
    return qdev_realize_and_unref(dev, bus, errp);
}

static bool make_irqchip(MachineState *machine, GError **errp)
{
    DeviceState *pic = qdev_new(TYPE_ACCEL_IRQCHIP, errp);

    if (!pic || !place(machine, "pic", pic, NULL, errp)) {
        g_prefix_error(errp, "kernel-irqchip=on: ");
        return false;
    }
    return true;
}

static ISABus *make_isa(MachineState *machine, GError **errp)
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
    return place(machine, id, dev, BUS(isa), errp);
}

static bool make_serials(MachineState *machine, ISABus *isa, GError **errp)
{
    for (unsigned n = 0; n < machine_serial_count(machine); n++) {
        if (!make_serial(machine, isa, n, errp)) {
            g_prefix_error(errp, "-serial %s: ", machine_serial_words(machine, n));
            return false;
        }
    }
    return true;
}

static bool bare_init(MachineState *machine, GError **errp)
{
    ISABus *isa;

    /*
     * The vCPUs' threads come up while the rest is made. RAM is mapped before: KVM would have that
     * wait until it has made them.
     */
    if ((BARE_MACHINE(machine)->kernel_irqchip && !make_irqchip(machine, errp)) ||
        !machine_create_ram(machine, LOW_RAM_END, HIGH_RAM_START, errp) ||
        !machine_create_cpus(machine, errp)) {
        return false;
    }
    isa = make_isa(machine, errp);
    return isa && make_serials(machine, isa, errp);
}

/* ---- The type ---- */

static const Property bare_props[] = {
    DEFINE_PROP_BOOL("kernel-irqchip", BareMachine, kernel_irqchip, false,
                     .help =
                         "have KVM's PIC, IOAPIC and local APICs, and the serial port on IRQ 4"),
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
