/* SPDX-License-Identifier: MIT */
/*
 * "ram": the guest's memory as an on-board device. It offers two regions, so that a board can leave
 * a hole for devices: the first so many bytes, and the rest.
 */
#include <qomet/hw/core/sysbus.h>

#define TYPE_RAM "ram"
OBJECT_DECLARE_SIMPLE_TYPE(RamState, RAM)

struct RamState {
    SysBusDevice parent_obj;
    uint64_t size, split;
    MemoryRegion ram;       /* all of it */
    MemoryRegion low, high; /* aliases of it: the regions 0 and 1 */
};

static bool ram_realize(DeviceState *dev, GError **errp)
{
    RamState *s = RAM(dev);
    uint64_t low = MIN(s->size, s->split);

    if (!s->size) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'size' is missing: the bytes of the memory");
        return false;
    }
    if (!memory_region_init_ram(&s->ram, OBJECT(dev), "ram", s->size, errp)) {
        return false;
    }
    memory_region_init_alias(&s->low, OBJECT(dev), "low", &s->ram, 0, low);
    memory_region_init_alias(&s->high, OBJECT(dev), "high", &s->ram, low, s->size - low);
    sysbus_init_mmio(SYS_BUS_DEVICE(dev), &s->low);
    sysbus_init_mmio(SYS_BUS_DEVICE(dev), &s->high);
    return true;
}

static const Property ram_props[] = {
    DEFINE_PROP_SIZE("size", RamState, size, 0, .help = "its bytes"),
    DEFINE_PROP_SIZE("split", RamState, split, UINT64_MAX,
                     .help = "bytes of the first region; what is more is the second one"),
};

static void ram_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "memory of the guest";
    dc->hotpluggable = false;
    dc->realize = ram_realize;
    device_class_set_props(dc, ram_props);
}

static const TypeInfo ram_types[] = {
    {
        .name = TYPE_RAM,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(RamState),
        .class_init = ram_class_init,
    },
};

DEFINE_TYPES(ram_types)
