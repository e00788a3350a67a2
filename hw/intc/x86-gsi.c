/* SPDX-License-Identifier: MIT */
/*
 * "x86-gsi": where a PC's interrupts divide. The first sixteen lead to the PIC and to the IOAPIC,
 * the others to the IOAPIC alone; number 0, the timer's, reaches that one at pin 2, where the PIC has
 * its cascade.
 */
#include <qomet/hw/intc/x86-gsi.h>

OBJECT_DECLARE_SIMPLE_TYPE(X86Gsi, X86_GSI)

#define TIMER 0
#define CASCADE 2

struct X86Gsi {
    DeviceState parent_obj;
    qemu_irq pic[X86_GSI_PICS], ioapic[X86_GSIS];
};

static void gsi_set(void *opaque, int n, int level)
{
    X86Gsi *s = opaque;

    if (n < X86_GSI_PICS) {
        qemu_set_irq(s->pic[n], level);
    }
    if (n != CASCADE) {
        qemu_set_irq(s->ioapic[n == TIMER ? CASCADE : n], level);
    }
}

static void gsi_init(Object *obj)
{
    X86Gsi *s = X86_GSI(obj);

    qdev_init_gpio_in_direct(DEVICE(obj), gsi_set, NULL, X86_GSIS);
    qdev_init_gpio_out_named(DEVICE(obj), s->pic, X86_GSI_PIC, X86_GSI_PICS);
    qdev_init_gpio_out_named(DEVICE(obj), s->ioapic, X86_GSI_IOAPIC, X86_GSIS);
}

static void gsi_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    DEVICE_CLASS(klass)->desc = "wires from a PC's devices to its PIC and IOAPIC";
    DEVICE_CLASS(klass)->user_creatable = false; /* it has to be wired */
    DEVICE_CLASS(klass)->hotpluggable = false;
}

static const TypeInfo gsi_types[] = {
    {
        .name = TYPE_X86_GSI,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(X86Gsi),
        .instance_init = gsi_init,
        .class_init = gsi_class_init,
    },
};

DEFINE_TYPES(gsi_types)
