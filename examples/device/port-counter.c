/* SPDX-License-Identifier: MIT */
/* A device built outside the tree: its port counts the writes to it, reading tells how many. */
#include <qomet/hw/isa/isa-bus.h>

#define TYPE_PORT_COUNTER "port-counter"
OBJECT_DECLARE_SIMPLE_TYPE(PortCounter, PORT_COUNTER)

struct PortCounter {
    ISADevice parent_obj;
    MemoryRegion io;
    uint16_t iobase;
    uint8_t step;   /* what one write adds */
    uint32_t count; /* since reset */
};

static uint64_t port_counter_read(void *opaque, G_GNUC_UNUSED hwaddr at, G_GNUC_UNUSED unsigned n)
{
    return PORT_COUNTER(opaque)->count;
}

static void port_counter_write(void *opaque, G_GNUC_UNUSED hwaddr at, G_GNUC_UNUSED uint64_t value,
                               G_GNUC_UNUSED unsigned n)
{
    PORT_COUNTER(opaque)->count += PORT_COUNTER(opaque)->step;
}

static const MemoryRegionOps port_counter_ops = { .read = port_counter_read,
                                                  .write = port_counter_write };

static bool port_counter_realize(DeviceState *dev, GError **errp)
{
    PortCounter *s = PORT_COUNTER(dev);

    memory_region_init_io(&s->io, OBJECT(s), &port_counter_ops, s, "port-counter", 4);
    return isa_register_ioport(&s->parent_obj, &s->io, s->iobase, errp);
}

static void port_counter_reset(Object *obj, G_GNUC_UNUSED ResetType type)
{
    PORT_COUNTER(obj)->count = 0;
}

static const Property port_counter_props[] = {
    DEFINE_PROP_UINT16("iobase", PortCounter, iobase, 0x600, .help = "first of its four ports"),
    DEFINE_PROP_UINT8("step", PortCounter, step, 1, .help = "added per write", PROP_RANGE_U(1, 99)),
};

static void port_counter_class_init(ObjectClass *klass, G_GNUC_UNUSED const void *data)
{
    DEVICE_CLASS(klass)->desc = "counts the writes to a port";
    DEVICE_CLASS(klass)->realize = port_counter_realize;
    device_class_set_reset(DEVICE_CLASS(klass), port_counter_reset);
    device_class_set_props(DEVICE_CLASS(klass), port_counter_props);
}

static const TypeInfo port_counter_types[] = { { .name = TYPE_PORT_COUNTER,
                                                 .parent = TYPE_ISA_DEVICE,
                                                 .instance_size = sizeof(PortCounter),
                                                 .class_init = port_counter_class_init } };
DEFINE_TYPES(port_counter_types)
