/* SPDX-License-Identifier: MIT */
/* On-board devices: a list of regions and lines that the board maps and wires by number. QEMU's
 * SysBusDevice. */
#ifndef QOMET_HW_CORE_SYSBUS_H
#define QOMET_HW_CORE_SYSBUS_H

#include <qomet/hw/core/bus.h>

#define TYPE_SYSTEM_BUS "System"
#define TYPE_SYS_BUS_DEVICE "sys-bus-device"
OBJECT_DECLARE_SIMPLE_TYPE(SysBusDevice, SYS_BUS_DEVICE)

#define SYSBUS_MAX_REGIONS 16
struct SysBusDevice {
    DeviceState parent_obj;
    unsigned num_mmio, num_pio;
    MemoryRegion *mmio[SYSBUS_MAX_REGIONS];
    MemoryRegion *pio[SYSBUS_MAX_REGIONS];
};
#define SYSBUS_DEVICE_GPIO_IRQ "sysbus-irq"

/**
 * The system bus, made at the first call. NULL where something else in the machine has its name,
 * "main-system-bus": realizing without a bus then says that there is none. Main thread, as all below.
 */
QOM_EXPORT BusState *sysbus_get_default(void);
/** In instance_init or realize: adds region @num_mmio to what the board may map; @mr is the
 * device's. */
QOM_EXPORT void sysbus_init_mmio(SysBusDevice *dev, MemoryRegion *mr);
/** The same for ports: region @num_pio. */
QOM_EXPORT void sysbus_init_io(SysBusDevice *dev, MemoryRegion *mr);
/** Adds the output line @pin, a field of the device, to what the board may wire. */
QOM_EXPORT void sysbus_init_irq(SysBusDevice *dev, qemu_irq *pin);
/** Maps region @n of a realized device; undone when it is unrealized. */
QOM_EXPORT bool sysbus_mmio_map(SysBusDevice *dev, unsigned n, hwaddr addr,
                                GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** The same at port @port. */
QOM_EXPORT bool sysbus_pio_map(SysBusDevice *dev, unsigned n, uint16_t port,
                               GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** Leads output line @n to @irq, which is referenced (NULL: nowhere); fails for a line that the
 * device does not have. */
QOM_EXPORT bool sysbus_connect_irq(SysBusDevice *dev, unsigned n, qemu_irq irq,
                                   GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** qdev_realize() on the system bus. */
QOM_EXPORT bool sysbus_realize(SysBusDevice *dev, GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** The same, and drops the caller's reference. */
QOM_EXPORT bool sysbus_realize_and_unref(SysBusDevice *dev,
                                         GError **errp) G_GNUC_WARN_UNUSED_RESULT;

#endif
