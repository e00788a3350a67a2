/* SPDX-License-Identifier: MIT */
/*
 * "ram": the guest's memory as an on-board device. It offers two regions, so that a board can leave
 * a hole for devices: the first so many bytes, and the rest. The memory is a backend's (memdev), or
 * its own.
 */
#include <inttypes.h>
#include <qomet/backends/hostmem.h>
#include <qomet/hw/core/sysbus.h>

#define TYPE_RAM "ram"
OBJECT_DECLARE_SIMPLE_TYPE(RamState, RAM)

struct RamState {
    SysBusDevice parent_obj;
    uint64_t size, split;
    HostMemoryBackend *memdev; /* NULL: own is the memory */
    MemoryRegion own;
    MemoryRegion low, high; /* aliases of the memory: the regions 0 and 1 */
};

static void release_backend(DeviceState *dev G_GNUC_UNUSED, void *opaque)
{
    host_memory_backend_release(opaque);
}

/* The memory of the backend, which is this device's from now on. */
static MemoryRegion *take_backend(RamState *s, GError **errp)
{
    MemoryRegion *ram;

    if (!host_memory_backend_take(s->memdev, errp)) {
        return NULL;
    }
    qdev_on_unrealize(DEVICE(s), release_backend, s->memdev);
    ram = host_memory_backend_get_memory(s->memdev);
    if (s->size && s->size != memory_region_size(ram)) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "size=%" PRIu64 " is not that of 'memdev', %" PRIu64 " bytes", s->size,
                      memory_region_size(ram));
        return NULL;
    }
    s->size = memory_region_size(ram);
    return ram;
}

static MemoryRegion *make_own(RamState *s, GError **errp)
{
    if (!s->size) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'size' is missing: the bytes of the memory");
        return NULL;
    }
    return memory_region_init_ram(&s->own, OBJECT(s), "ram", s->size, errp) ? &s->own : NULL;
}

static bool ram_realize(DeviceState *dev, GError **errp)
{
    RamState *s = RAM(dev);
    MemoryRegion *ram = s->memdev ? take_backend(s, errp) : make_own(s, errp);
    uint64_t low = MIN(s->size, s->split);

    if (!ram) {
        return false;
    }
    memory_region_init_alias(&s->low, OBJECT(dev), "low", ram, 0, low);
    memory_region_init_alias(&s->high, OBJECT(dev), "high", ram, low, s->size - low);
    sysbus_init_mmio(SYS_BUS_DEVICE(dev), &s->low);
    sysbus_init_mmio(SYS_BUS_DEVICE(dev), &s->high);
    return true;
}

static const Property ram_props[] = {
    DEFINE_PROP_SIZE("size", RamState, size, 0,
                     .help = "its bytes; with memdev, 0 stands for all of that"),
    DEFINE_PROP_LINK("memdev", RamState, memdev, TYPE_MEMORY_BACKEND, HostMemoryBackend *,
                     .help = "what the memory comes from; without it, it is the device's own"),
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
