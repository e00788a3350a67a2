/* SPDX-License-Identifier: MIT */
/*
 * "ioport80": port 0x80, where a PC's firmware shows how far it is and where drivers write to let a
 * microsecond pass. Nobody looks at it. What is written ends in an eventfd that nobody reads, so
 * that an accelerator which knows eventfds does not leave its guest for it.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <qomet/hw/isa/isa-bus.h>

#define TYPE_IOPORT80 "ioport80"
OBJECT_DECLARE_SIMPLE_TYPE(IOPort80State, IOPORT80)

#define PORT 0x80

struct IOPort80State {
    ISADevice parent_obj;
    MemoryRegion io;
};

/* Where there are no eventfds, writes come here. */
static void ioport80_write(void *opaque G_GNUC_UNUSED, hwaddr addr G_GNUC_UNUSED,
                           uint64_t data G_GNUC_UNUSED, unsigned size G_GNUC_UNUSED)
{
}

static const MemoryRegionOps ioport80_ops = {
    .write = ioport80_write,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
    .name = "port 0x80",
};

static void end_eventfd(DeviceState *dev, void *opaque)
{
    MemoryRegionIoeventfd *e = opaque;

    memory_region_del_eventfd(&IOPORT80(dev)->io, e);
    close(e->fd);
    g_free(e);
}

static bool ioport80_realize(DeviceState *dev, GError **errp)
{
    IOPort80State *s = IOPORT80(dev);
    MemoryRegionIoeventfd *e;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED, "cannot make an eventfd: %s", g_strerror(errno));
        return false;
    }
    e = g_new(MemoryRegionIoeventfd, 1);
    *e = (MemoryRegionIoeventfd){ .fd = fd };
    memory_region_add_eventfd(&s->io, e);
    qdev_on_unrealize(dev, end_eventfd, e);
    return isa_register_ioport(ISA_DEVICE(dev), &s->io, PORT, errp);
}

static void ioport80_init(Object *obj)
{
    IOPort80State *s = IOPORT80(obj);

    memory_region_init_io(&s->io, obj, &ioport80_ops, s, "ioport80", 1);
}

static void ioport80_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "port 0x80 of a PC: what is written is forgotten";
    dc->realize = ioport80_realize;
}

static const TypeInfo ioport80_types[] = {
    {
        .name = TYPE_IOPORT80,
        .parent = TYPE_ISA_DEVICE,
        .instance_size = sizeof(IOPort80State),
        .instance_init = ioport80_init,
        .class_init = ioport80_class_init,
    },
};

DEFINE_TYPES(ioport80_types)
