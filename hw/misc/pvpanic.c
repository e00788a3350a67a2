/* SPDX-License-Identifier: MIT */
/*
 * "pvpanic": a port by which a guest's kernel says that it cannot go on. Reading it tells which
 * events it takes; QEMU's docs/specs/pvpanic is the source. Firmware finds the port's number in the
 * file etc/pvpanic-port.
 */
#include <qomet/accel/runstate.h>
#include <qomet/hw/misc/fw-cfg.h>
#include <qomet/hw/misc/pvpanic.h>

OBJECT_DECLARE_SIMPLE_TYPE(PVPanicISAState, PVPANIC_ISA_DEVICE)

#define PANICKED 0x01
#define CRASHLOADED 0x02 /* and its crash kernel takes over */
#define EVENTS (PANICKED | CRASHLOADED)

struct PVPanicISAState {
    ISADevice parent_obj;
    MemoryRegion io;
    uint16_t ioport; /* properties */
    uint8_t events;
};

static uint64_t pvpanic_read(void *opaque, hwaddr addr G_GNUC_UNUSED, unsigned size G_GNUC_UNUSED)
{
    return ((PVPanicISAState *)opaque)->events;
}

static void pvpanic_write(void *opaque, hwaddr addr G_GNUC_UNUSED, uint64_t data,
                          unsigned size G_GNUC_UNUSED)
{
    const PVPanicISAState *s = opaque;

    data &= s->events;
    if (data & PANICKED) {
        qemu_system_guest_panicked();
    } else if (data & CRASHLOADED) {
        qemu_system_guest_crashloaded();
    }
}

static const MemoryRegionOps pvpanic_ops = {
    .read = pvpanic_read,
    .write = pvpanic_write,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
    .name = "pvpanic",
};

static bool pvpanic_realize(DeviceState *dev, GError **errp)
{
    PVPanicISAState *s = PVPANIC_ISA_DEVICE(dev);
    FWCfgState *fw_cfg = fw_cfg_find();
    const uint16_t port = GUINT16_TO_LE(s->ioport);

    return isa_register_ioport(ISA_DEVICE(dev), &s->io, s->ioport, errp) &&
           (!fw_cfg || fw_cfg_modify_file(fw_cfg, "etc/pvpanic-port", &port, sizeof(port), errp));
}

static void pvpanic_init(Object *obj)
{
    PVPanicISAState *s = PVPANIC_ISA_DEVICE(obj);

    memory_region_init_io(&s->io, obj, &pvpanic_ops, s, "pvpanic", 1);
}

static const Property pvpanic_props[] = {
    DEFINE_PROP_UINT16("ioport", PVPanicISAState, ioport, 0x505, .help = "the port"),
    DEFINE_PROP_UINT8("events", PVPanicISAState, events, EVENTS,
                      .help = "what it takes: 1 the guest has panicked, 2 its crash kernel runs",
                      PROP_RANGE_U(0, EVENTS)),
};

static void pvpanic_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "port by which a guest says that it has crashed";
    dc->realize = pvpanic_realize;
    dc->hotpluggable = false; /* firmware has told the guest by then */
    device_class_set_props(dc, pvpanic_props);
}

static const TypeInfo pvpanic_types[] = {
    {
        .name = TYPE_PVPANIC_ISA_DEVICE,
        .parent = TYPE_ISA_DEVICE,
        .instance_size = sizeof(PVPanicISAState),
        .instance_init = pvpanic_init,
        .class_init = pvpanic_class_init,
    },
};

DEFINE_TYPES(pvpanic_types)
