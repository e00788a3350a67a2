/* SPDX-License-Identifier: MIT */
/*
 * "acpi-ged": what a board has that follows the hardware-reduced form of ACPI: sleep control and
 * status (ACPI Specification 6.4, 4.8.3.7), a reset register, and the register that tells the
 * generic event device (5.6.9) what has happened. Registers are QEMU's.
 */
#include <qomet/accel/runstate.h>
#include <qomet/hw/acpi/ged.h>
#include <qomet/hw/core/sysbus.h>

OBJECT_DECLARE_SIMPLE_TYPE(AcpiGedState, ACPI_GED)

#define SLEEP_ENABLE 0x20
#define SLEEP_TYPE_SHIFT 2

struct AcpiGedState {
    SysBusDevice parent_obj;
    MemoryRegion evt, regs;
    qemu_irq irq;
    uint32_t events; /* that have come and were not read */
};

/* What was read is gone. */
static uint64_t event_read(void *opaque, hwaddr addr G_GNUC_UNUSED, unsigned size G_GNUC_UNUSED)
{
    AcpiGedState *s = opaque;
    const uint32_t events = s->events;

    s->events = 0;
    return events;
}

static void event_write(void *opaque G_GNUC_UNUSED, hwaddr addr G_GNUC_UNUSED,
                        uint64_t data G_GNUC_UNUSED, unsigned size G_GNUC_UNUSED)
{
}

static uint64_t regs_read(void *opaque G_GNUC_UNUSED, hwaddr addr G_GNUC_UNUSED,
                          unsigned size G_GNUC_UNUSED)
{
    return 0; /* it does not sleep, and has never woken */
}

static void regs_write(void *opaque G_GNUC_UNUSED, hwaddr addr, uint64_t data,
                       unsigned size G_GNUC_UNUSED)
{
    if (addr == ACPI_GED_REG_SLEEP_CTL && (data & SLEEP_ENABLE) &&
        (data >> SLEEP_TYPE_SHIFT & 7) == ACPI_GED_SLP_TYP_S5) {
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    } else if (addr == ACPI_GED_REG_RESET && data == ACPI_GED_RESET_VALUE) {
        qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    }
}

static const MemoryRegionOps event_ops = {
    .read = event_read,
    .write = event_write,
    .valid = { .min_access_size = 4, .max_access_size = 4 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
    .name = "events",
};

static const MemoryRegionOps regs_ops = {
    .read = regs_read,
    .write = regs_write,
    .valid = { .min_access_size = 1, .max_access_size = 1 },
    .impl = { .min_access_size = 1, .max_access_size = 1 },
    .name = "sleep and reset",
};

static void machine_event(RunEvent event, ShutdownCause cause G_GNUC_UNUSED, void *opaque)
{
    AcpiGedState *s = opaque;

    if (event != RUN_EVENT_POWERDOWN || !entry_enter(&DEVICE(s)->guard)) {
        return;
    }
    s->events |= ACPI_GED_PWR_DOWN_EVT;
    qemu_irq_pulse(s->irq);
    entry_leave(&DEVICE(s)->guard);
}

static void stop_listening(DeviceState *dev G_GNUC_UNUSED, void *opaque)
{
    runstate_del_event_listener(machine_event, opaque);
}

static bool ged_realize(DeviceState *dev, GError **errp G_GNUC_UNUSED)
{
    runstate_add_event_listener(machine_event, ACPI_GED(dev));
    qdev_on_unrealize(dev, stop_listening, ACPI_GED(dev));
    return true;
}

static void ged_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    ACPI_GED(obj)->events = 0;
}

static void ged_init(Object *obj)
{
    AcpiGedState *s = ACPI_GED(obj);

    memory_region_init_io(&s->evt, obj, &event_ops, s, "acpi-ged-evt", ACPI_GED_EVENT_BYTES);
    memory_region_init_io(&s->regs, obj, &regs_ops, s, "acpi-ged-regs", ACPI_GED_REGS_BYTES);
    sysbus_init_mmio(SYS_BUS_DEVICE(obj), &s->evt);
    sysbus_init_mmio(SYS_BUS_DEVICE(obj), &s->regs);
    sysbus_init_irq(SYS_BUS_DEVICE(obj), &s->irq);
}

static const DeviceField ged_fields[] = {
    DEVICE_FIELD(AcpiGedState, events),
    { NULL, 0, 0, 0, 0 },
};

static void ged_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "power management of a board without ACPI's fixed registers";
    dc->realize = ged_realize;
    dc->state = ged_fields;
    device_class_set_reset(dc, ged_reset);
}

static const TypeInfo ged_types[] = {
    {
        .name = TYPE_ACPI_GED,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(AcpiGedState),
        .instance_init = ged_init,
        .class_init = ged_class_init,
    },
};
DEFINE_TYPES(ged_types)
