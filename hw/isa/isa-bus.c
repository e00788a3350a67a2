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
    object_unref(ISA_BUS(bus)->address_space_io);
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

bool isa_connect_gpio_out(ISADevice *dev, const char *name, int pin, unsigned n, GError **errp)
{
    BusState *bus = DEVICE(dev)->parent_bus;

    if (n >= ISA_NUM_IRQS) {
        qom_error_set(errp, QOM_ERROR_VALUE, "irq %u is not a line of the bus: 0 to %d", n,
                      ISA_NUM_IRQS - 1);
        return false;
    }
    return qdev_connect_gpio_out_named(DEVICE(dev), name, pin, bus ? ISA_BUS(bus)->irqs[n] : NULL,
                                       errp);
}

bool isa_register_ioport(ISADevice *dev, MemoryRegion *mr, uint32_t start, GError **errp)
{
    BusState *bus = DEVICE(dev)->parent_bus;
    const char *type = object_get_typename(OBJECT(dev));
    uint64_t size = memory_region_size(mr);
    uint64_t last = start + (size ? size - 1 : 0);

    if (!bus || !ISA_BUS(bus)->address_space_io) {
        qom_error_set(errp, QOM_ERROR_STATE, "'%s' has no ports: it sits on %s", type,
                      bus ? "a bus that leads to none" : "no ISA bus");
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

/* Devices have mapped their ports and taken their lines by then. */
static bool check_empty(Object *obj, const Property *prop, Object *target, GError **errp)
{
    (void)target;
    if (BUS(obj)->children->len) {
        qom_error_set(errp, QOM_ERROR_STATE, "'%s' cannot change: devices sit on the bus",
                      prop->name);
        return false;
    }
    return true;
}

#define LINE(n)                                                                                    \
    DEFINE_PROP_LINK("irq[" #n "]", ISABus, irqs[n], TYPE_IRQ, qemu_irq,                           \
                     .link_check = check_empty, .help = "where the line leads")

static const Property isa_bus_props[] = {
    DEFINE_PROP_LINK("ports", ISABus, address_space_io, TYPE_MEMORY_REGION, MemoryRegion *,
                     .link_check = check_empty, .help = "the port space of its devices"),
    LINE(0),
    LINE(1),
    LINE(2),
    LINE(3),
    LINE(4),
    LINE(5),
    LINE(6),
    LINE(7),
    LINE(8),
    LINE(9),
    LINE(10),
    LINE(11),
    LINE(12),
    LINE(13),
    LINE(14),
    LINE(15),
};

static void isa_bus_init(Object *obj)
{
    ISA_BUS(obj)->address_space_io = (MemoryRegion *)object_ref(get_system_io());
}

static void isa_bus_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    object_class_add_properties(klass, isa_bus_props, G_N_ELEMENTS(isa_bus_props));
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
        .instance_init = isa_bus_init,
        .class_init = isa_bus_class_init,
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
