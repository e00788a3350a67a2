/* SPDX-License-Identifier: MIT */
/*
 * "port92": the port 0x92 of a PC, by which a guest opens the address line 20 and resets the
 * machine. The line is always open here: the bit is kept, and does nothing.
 */
#include <qomet/accel/runstate.h>
#include <qomet/hw/isa/isa-bus.h>

#define TYPE_PORT92 "port92"
OBJECT_DECLARE_SIMPLE_TYPE(Port92State, PORT92)

#define PORT92_PORT 0x92
#define PORT92_RESET 0x01 /* resets when it goes up */
#define PORT92_A20 0x02

struct Port92State {
    ISADevice parent_obj;
    MemoryRegion io;
    uint8_t value;
};

static uint64_t port92_read(void *opaque, hwaddr addr G_GNUC_UNUSED, unsigned size G_GNUC_UNUSED)
{
    return ((Port92State *)opaque)->value;
}

static void port92_write(void *opaque, hwaddr addr G_GNUC_UNUSED, uint64_t data,
                         unsigned size G_GNUC_UNUSED)
{
    Port92State *s = opaque;
    uint8_t rises = data & ~s->value;

    s->value = (uint8_t)data;
    if (rises & PORT92_RESET) {
        qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    }
}

static const MemoryRegionOps port92_ops = {
    .read = port92_read,
    .write = port92_write,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
    .name = "port 0x92",
};

static bool port92_realize(DeviceState *dev, GError **errp)
{
    return isa_register_ioport(ISA_DEVICE(dev), &PORT92(dev)->io, PORT92_PORT, errp);
}

static void port92_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    PORT92(obj)->value = PORT92_A20;
}

static void port92_init(Object *obj)
{
    Port92State *s = PORT92(obj);

    memory_region_init_io(&s->io, obj, &port92_ops, s, "port92", 1);
}

static const DeviceField port92_fields[] = {
    DEVICE_FIELD(Port92State, value),
    { NULL, 0, 0, 0, 0 },
};

static void port92_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "port 0x92 of a PC: fast reset";
    dc->realize = port92_realize;
    dc->state = port92_fields;
    device_class_set_reset(dc, port92_reset);
}

static const TypeInfo port92_types[] = {
    {
        .name = TYPE_PORT92,
        .parent = TYPE_ISA_DEVICE,
        .instance_size = sizeof(Port92State),
        .instance_init = port92_init,
        .class_init = port92_class_init,
    },
};
DEFINE_TYPES(port92_types)
