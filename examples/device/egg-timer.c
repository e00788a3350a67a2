/* SPDX-License-Identifier: MIT */
/* A device with a timer and an interrupt line: writing N to its port lets it ring after N units of time. */
#include <qomet/hw/isa/isa-bus.h>
#include <qomet/qom/value.h>

#define TYPE_EGG_TIMER "egg-timer"
OBJECT_DECLARE_SIMPLE_TYPE(EggTimer, EGG_TIMER)

struct EggTimer {
    ISADevice parent_obj;
    MemoryRegion io;
    QEMUTimer *timer;
    qemu_irq irq;
    uint16_t iobase;
    uint8_t line;
    uint32_t unit; /* in microseconds */
    bool rings;    /* until the port is read or written */
};

static void egg_timer_set(EggTimer *s, bool rings)
{
    s->rings = rings;
    qemu_set_irq(s->irq, rings);
}

static void egg_timer_ring(void *opaque)
{
    egg_timer_set(EGG_TIMER(opaque), true);
}

static uint64_t egg_timer_read(void *opaque, G_GNUC_UNUSED hwaddr at, G_GNUC_UNUSED unsigned n)
{
    bool rang = EGG_TIMER(opaque)->rings;

    egg_timer_set(EGG_TIMER(opaque), false);
    return rang;
}

static void egg_timer_write(void *opaque, G_GNUC_UNUSED hwaddr at, uint64_t value,
                            G_GNUC_UNUSED unsigned n)
{
    EggTimer *s = EGG_TIMER(opaque);

    egg_timer_set(s, false);
    timer_mod(s->timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + value * s->unit * SCALE_US);
}

static const MemoryRegionOps egg_timer_ops = { .read = egg_timer_read, .write = egg_timer_write };

static void egg_timer_init(Object *obj)
{
    qdev_init_gpio_out_named(DEVICE(obj), &EGG_TIMER(obj)->irq, "irq", 1);
}

static bool egg_timer_realize(DeviceState *dev, GError **errp)
{
    EggTimer *s = EGG_TIMER(dev);

    s->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, egg_timer_ring, s, &dev->guard);
    memory_region_init_io(&s->io, OBJECT(s), &egg_timer_ops, s, "egg-timer", 1);
    return isa_connect_gpio_out(&s->parent_obj, "irq", 0, s->line, errp) &&
           isa_register_ioport(&s->parent_obj, &s->io, s->iobase, errp);
}

static void egg_timer_reset(Object *obj, G_GNUC_UNUSED ResetType type)
{
    timer_del(EGG_TIMER(obj)->timer);
    egg_timer_set(EGG_TIMER(obj), false);
}

/* A person looks or turns it off while the guest may be at it: from outside, so the guard is entered. */
static GVariant *egg_timer_get_rings(Object *obj, G_GNUC_UNUSED const Property *prop,
                                     G_GNUC_UNUSED GError **errp)
{
    bool rings = false;

    if (entry_enter(&DEVICE(obj)->guard)) {
        rings = EGG_TIMER(obj)->rings;
        entry_leave(&DEVICE(obj)->guard);
    }
    return value_new_bool(rings);
}

static bool egg_timer_set_rings(Object *obj, G_GNUC_UNUSED const Property *prop, GVariant *value,
                                G_GNUC_UNUSED GError **errp)
{
    if (entry_enter(&DEVICE(obj)->guard)) {
        egg_timer_set(EGG_TIMER(obj), g_variant_get_boolean(value));
        entry_leave(&DEVICE(obj)->guard);
    }
    return true;
}

static const Property egg_timer_props[] = {
    DEFINE_PROP_UINT16("iobase", EggTimer, iobase, 0x610, .help = "its port"),
    DEFINE_PROP_UINT8("irq", EggTimer, line, 5, .help = "line of the bus", PROP_RANGE_U(0, 15)),
    DEFINE_PROP_UINT32("unit", EggTimer, unit, 100, .help = "microseconds",
                       PROP_RANGE_U(1, 60000000)),
    { .name = "rings",
      .info = &prop_info_accessor_bool,
      .get = egg_timer_get_rings,
      .set = egg_timer_set_rings,
      .live = true,
      .help = "whether it rings" },
};

static void egg_timer_class_init(ObjectClass *klass, G_GNUC_UNUSED const void *data)
{
    DEVICE_CLASS(klass)->desc = "rings after a time";
    DEVICE_CLASS(klass)->realize = egg_timer_realize;
    device_class_set_reset(DEVICE_CLASS(klass), egg_timer_reset);
    device_class_set_props(DEVICE_CLASS(klass), egg_timer_props);
}

static const TypeInfo egg_timer_types[] = { { .name = TYPE_EGG_TIMER,
                                              .parent = TYPE_ISA_DEVICE,
                                              .instance_size = sizeof(EggTimer),
                                              .instance_init = egg_timer_init,
                                              .class_init = egg_timer_class_init } };
DEFINE_TYPES(egg_timer_types)
