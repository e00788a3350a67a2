/* SPDX-License-Identifier: MIT */
/*
 * "isa-debug-exit": a port by which a guest ends the machine and says how it went. Writing v gives
 * the exit status (v << 1) | 1, so a guest can never claim the status 0 of an orderly end.
 */
#include <qomet/accel/runstate.h>
#include <qomet/hw/isa/isa-bus.h>

#define TYPE_ISA_DEBUG_EXIT "isa-debug-exit"
OBJECT_DECLARE_SIMPLE_TYPE(DebugExitState, ISA_DEBUG_EXIT)

struct DebugExitState {
    ISADevice parent_obj;
    MemoryRegion io;
    uint32_t iobase;
    uint32_t iosize;
};

static uint64_t debug_exit_read(void *opaque G_GNUC_UNUSED, hwaddr addr G_GNUC_UNUSED,
                                unsigned size G_GNUC_UNUSED)
{
    return 0;
}

static void debug_exit_write(void *opaque G_GNUC_UNUSED, hwaddr addr G_GNUC_UNUSED, uint64_t data,
                             unsigned size G_GNUC_UNUSED)
{
    qemu_system_shutdown_request_with_code(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, (int)(data << 1 | 1));
}

static const MemoryRegionOps debug_exit_ops = {
    .read = debug_exit_read,
    .write = debug_exit_write,
    .valid = { .min_access_size = 1, .max_access_size = 4, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 4, .unaligned = true },
};

static void debug_exit_init(Object *obj)
{
    DebugExitState *s = ISA_DEBUG_EXIT(obj);

    memory_region_init_io(&s->io, obj, &debug_exit_ops, s, "debug-exit", 1);
}

static bool debug_exit_realize(DeviceState *dev, GError **errp)
{
    DebugExitState *s = ISA_DEBUG_EXIT(dev);

    memory_region_set_size(&s->io, s->iosize);
    return isa_register_ioport(ISA_DEVICE(dev), &s->io, s->iobase, errp);
}

static const Property debug_exit_props[] = {
    DEFINE_PROP_UINT32("iobase", DebugExitState, iobase, 0x501, .help = "first port"),
    DEFINE_PROP_UINT32("iosize", DebugExitState, iosize, 0x02, .help = "number of ports",
                       PROP_RANGE_U(1, 0x10000)),
};

static void debug_exit_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "port that ends the machine with a status of the guest's choice";
    dc->realize = debug_exit_realize;
    device_class_set_props(dc, debug_exit_props);
}

static const TypeInfo debug_exit_types[] = {
    {
        .name = TYPE_ISA_DEBUG_EXIT,
        .parent = TYPE_ISA_DEVICE,
        .instance_size = sizeof(DebugExitState),
        .instance_init = debug_exit_init,
        .class_init = debug_exit_class_init,
    },
};

DEFINE_TYPES(debug_exit_types)
