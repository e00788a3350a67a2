/* SPDX-License-Identifier: MIT */
/*
 * On-board devices: regions and lines that the board maps and wires by number, and the bus that
 * they sit on.
 */
#include <qomet/hw/core/sysbus.h>
#include "hw/core/qdev-int.h"

#define SYSTEM_BUS_NAME "main-system-bus"

BusState *sysbus_get_default(void)
{
    Object *there = object_resolve_path_component(qdev_get_machine(), SYSTEM_BUS_NAME);

    return there ? (BusState *)object_dynamic_cast(there, TYPE_SYSTEM_BUS)
                 : qbus_new(TYPE_SYSTEM_BUS, NULL, SYSTEM_BUS_NAME, NULL);
}

/* ---- What the device offers ------------------------------------------------------------------ */

static void undo_mmio(DeviceState *dev, void *opaque)
{
    (void)opaque;
    SYS_BUS_DEVICE(dev)->num_mmio--;
}

static void undo_pio(DeviceState *dev, void *opaque)
{
    (void)opaque;
    SYS_BUS_DEVICE(dev)->num_pio--;
}

static void offer(SysBusDevice *dev, MemoryRegion **regions, unsigned *n, MemoryRegion *mr,
                  void (*undo)(DeviceState *dev, void *opaque))
{
    if (*n == SYSBUS_MAX_REGIONS) {
        error_report("'%s' offers more than %u regions: '%s' is left out",
                     object_get_typename(OBJECT(dev)), SYSBUS_MAX_REGIONS, memory_region_name(mr));
        return;
    }
    regions[(*n)++] = mr;
    if (qdev_undo_open(DEVICE(dev))) {
        qdev_on_unrealize(DEVICE(dev), undo, NULL);
    }
}

void sysbus_init_mmio(SysBusDevice *dev, MemoryRegion *mr)
{
    offer(dev, dev->mmio, &dev->num_mmio, mr, undo_mmio);
}

void sysbus_init_io(SysBusDevice *dev, MemoryRegion *mr)
{
    offer(dev, dev->pio, &dev->num_pio, mr, undo_pio);
}

void sysbus_init_irq(SysBusDevice *dev, qemu_irq *pin)
{
    qdev_init_gpio_out_named(DEVICE(dev), pin, SYSBUS_DEVICE_GPIO_IRQ, 1);
}

/* ---- What the board does with it ------------------------------------------------------------- */

static bool map(SysBusDevice *dev, MemoryRegion **regions, unsigned have, unsigned n,
                MemoryRegion *container, hwaddr addr, GError **errp)
{
    if (n >= have) {
        qom_error_set(errp, QOM_ERROR_NOT_FOUND, "device '%s' has no %s region %u: it has %u",
                      qdev_label(DEVICE(dev)), regions == dev->pio ? "port" : "memory", n, have);
        return false;
    }
    return qdev_map(DEVICE(dev), container, addr, regions[n], errp);
}

bool sysbus_mmio_map(SysBusDevice *dev, unsigned n, hwaddr addr, GError **errp)
{
    return map(dev, dev->mmio, dev->num_mmio, n, get_system_memory(), addr, errp);
}

bool sysbus_pio_map(SysBusDevice *dev, unsigned n, uint16_t port, GError **errp)
{
    return map(dev, dev->pio, dev->num_pio, n, get_system_io(), port, errp);
}

bool sysbus_connect_irq(SysBusDevice *dev, unsigned n, qemu_irq irq, GError **errp)
{
    return qdev_connect_gpio_out_named(DEVICE(dev), SYSBUS_DEVICE_GPIO_IRQ, n, irq, errp);
}

bool sysbus_realize(SysBusDevice *dev, GError **errp)
{
    return qdev_realize(DEVICE(dev), sysbus_get_default(), errp);
}

bool sysbus_realize_and_unref(SysBusDevice *dev, GError **errp)
{
    return qdev_realize_and_unref(DEVICE(dev), sysbus_get_default(), errp);
}

/* ---- The types ------------------------------------------------------------------------------- */

static void sysbus_device_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    (void)data;
    dc->bus_type = TYPE_SYSTEM_BUS;
    dc->user_creatable = false; /* where it is mapped is the board's business */
}

static const TypeInfo sysbus_types[] = {
    {
        .name = TYPE_SYSTEM_BUS,
        .parent = TYPE_BUS,
    },
    {
        .name = TYPE_SYS_BUS_DEVICE,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(SysBusDevice),
        .abstract = true,
        .class_init = sysbus_device_class_init,
    },
};
DEFINE_TYPES(sysbus_types)
