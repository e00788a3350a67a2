/* SPDX-License-Identifier: MIT */
/*
 * "isa-debugcon": a port that prints. What the guest writes goes to a chardev, or to standard
 * output without one; a read gives a fixed value, by which guests find out that the port is there.
 */
#include <qomet/backends/chardev/char.h>
#include <qomet/hw/isa/isa-bus.h>

#define TYPE_ISA_DEBUGCON "isa-debugcon"
OBJECT_DECLARE_SIMPLE_TYPE(DebugconState, ISA_DEBUGCON)

struct DebugconState {
    ISADevice parent_obj;
    MemoryRegion io;
    uint32_t iobase;
    uint32_t readback;
    CharBackend chr;
};

static uint64_t debugcon_read(void *opaque, hwaddr addr G_GNUC_UNUSED, unsigned size G_GNUC_UNUSED)
{
    DebugconState *s = opaque;

    return s->readback;
}

static void debugcon_write(void *opaque, hwaddr addr G_GNUC_UNUSED, uint64_t data,
                           unsigned size G_GNUC_UNUSED)
{
    DebugconState *s = opaque;
    uint8_t byte = data;

    qemu_chr_fe_print(&s->chr, &byte, 1);
}

static const MemoryRegionOps debugcon_ops = {
    .read = debugcon_read,
    .write = debugcon_write,
    .valid = { .min_access_size = 1, .max_access_size = 1 },
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};

static void debugcon_init(Object *obj)
{
    DebugconState *s = ISA_DEBUGCON(obj);

    memory_region_init_io(&s->io, obj, &debugcon_ops, s, "debugcon", 1);
}

static bool debugcon_realize(DeviceState *dev, GError **errp)
{
    DebugconState *s = ISA_DEBUGCON(dev);

    return isa_register_ioport(ISA_DEVICE(dev), &s->io, s->iobase, errp);
}

static const Property debugcon_props[] = {
    DEFINE_PROP_UINT32("iobase", DebugconState, iobase, 0xe9, .help = "the port"),
    DEFINE_PROP_UINT32("readback", DebugconState, readback, 0xe9, .help = "what a read gives"),
    DEFINE_PROP_CHR("chardev", DebugconState, chr,
                    .help = "ID of the chardev to write to (default: standard output)"),
};

static void debugcon_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "port that prints what is written to it";
    dc->realize = debugcon_realize;
    device_class_set_props(dc, debugcon_props);
}

static const TypeInfo debugcon_types[] = {
    {
        .name = TYPE_ISA_DEBUGCON,
        .parent = TYPE_ISA_DEVICE,
        .instance_size = sizeof(DebugconState),
        .instance_init = debugcon_init,
        .class_init = debugcon_class_init,
    },
};

DEFINE_TYPES(debugcon_types)
