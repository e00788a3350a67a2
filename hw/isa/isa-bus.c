/* SPDX-License-Identifier: MIT */
/*
 * The ISA bus: a port space of 64 KiB and the sixteen interrupt lines of a board, for the devices
 * that sit on it.
 */
#include <inttypes.h>
#include <qomet/hw/isa/isa-bus.h>

#define ISA_LAST_PORT 0xffff

ISABus *isa_bus_new(DeviceState *bridge, MemoryRegion *io, GError **errp)
{
    BusState *bus = qbus_new(TYPE_ISA_BUS, bridge, NULL, errp);

    if (!bus) {
        return NULL;
    }
    ISA_BUS(bus)->address_space_io = (MemoryRegion *)object_ref(io);
    return ISA_BUS(bus);
}

void isa_bus_register_input_irqs(ISABus *bus, qemu_irq *irqs, int n)
{
    for (int i = 0; i < n && i < ISA_NUM_IRQS; i++) {
        object_unref(bus->irqs[i]);
        bus->irqs[i] = (qemu_irq)object_ref(irqs[i]);
    }
}

static void lower_line(DeviceState *dev, void *opaque)
{
    qemu_irq irq = opaque;

    (void)dev;
    /* What a device that is gone has raised nobody would lower. */
    if (qemu_irq_level(irq) != 0) {
        qemu_irq_lower(irq);
    }
    object_unref(irq);
}

qemu_irq isa_get_irq(ISADevice *dev, unsigned n)
{
    BusState *bus = DEVICE(dev)->parent_bus;
    qemu_irq irq = bus && n < ISA_NUM_IRQS ? ISA_BUS(bus)->irqs[n] : NULL;

    if (irq) {
        qdev_on_unrealize(DEVICE(dev), lower_line, object_ref(irq));
    }
    return irq;
}

bool isa_register_ioport(ISADevice *dev, MemoryRegion *mr, uint32_t start, GError **errp)
{
    BusState *bus = DEVICE(dev)->parent_bus;
    const char *type = object_get_typename(OBJECT(dev));
    uint64_t size = memory_region_size(mr);
    uint64_t last = start + (size ? size - 1 : 0);

    if (!bus) {
        qom_error_set(errp, QOM_ERROR_STATE, "'%s' has no ports: it sits on no ISA bus", type);
        return false;
    }
    if (last > ISA_LAST_PORT) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "ports 0x%x to 0x%" PRIx64 " of '%s' go past the last one, 0x%x", start, last,
                      type, ISA_LAST_PORT);
        return false;
    }
    if (!qdev_map(DEVICE(dev), ISA_BUS(bus)->address_space_io, start, mr, errp)) {
        g_prefix_error(errp, "ports 0x%x to 0x%" PRIx64 " of '%s': ", start, last, type);
        return false;
    }
    return true;
}

static void isa_bus_finalize(Object *obj)
{
    ISABus *bus = ISA_BUS(obj);

    for (int i = 0; i < ISA_NUM_IRQS; i++) {
        object_unref(bus->irqs[i]);
    }
    object_unref(bus->address_space_io);
}

static void isa_device_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    DEVICE_CLASS(klass)->bus_type = TYPE_ISA_BUS;
}

static const TypeInfo isa_types[] = {
    {
        .name = TYPE_ISA_BUS,
        .parent = TYPE_BUS,
        .instance_size = sizeof(ISABus),
        .instance_finalize = isa_bus_finalize,
    },
    {
        .name = TYPE_ISA_DEVICE,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(ISADevice),
        .abstract = true,
        .class_init = isa_device_class_init,
    },
};
DEFINE_TYPES(isa_types)
