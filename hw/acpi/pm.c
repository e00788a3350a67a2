/* SPDX-License-Identifier: MIT */
/*
 * ACPI's fixed registers. The timer is not counted: it is read off the virtual clock, and its
 * interrupt is armed only when the guest asks for it. The power button is pressed by the machine's
 * event, and switching off is a shutdown that the guest has asked for.
 */
#include <qomet/accel/runstate.h>
#include <qomet/hw/acpi/pm.h>

#define TIMER_HZ 3579545
#define TIMER_BITS 24

#define PM1_TIMER 0x0001
#define PM1_GLOBAL_LOCK 0x0020
#define PM1_POWER_BUTTON 0x0100
#define PM1_RTC 0x0400
#define PM1_EVENTS (PM1_TIMER | PM1_GLOBAL_LOCK | PM1_POWER_BUTTON | PM1_RTC)

#define CONTROL_SCI_EN 0x0001
#define CONTROL_SLEEP_TYPE_SHIFT 10
#define CONTROL_SLEEP_ENABLE 0x2000
#define CONTROL_KEPT 0x1c03 /* what is read back: SCI_EN, bus master reload, sleep type */
#define SLEEP_S5 0          /* the type that the DSDT gives */

/* ---- The timer ---- */

static uint64_t timer_ticks(int64_t ns)
{
    return (uint64_t)((unsigned __int128)(uint64_t)ns * TIMER_HZ / NANOSECONDS_PER_SECOND);
}

/* The first ns after @ns at which the highest bit changes. */
static int64_t next_overflow(int64_t ns)
{
    const uint64_t period = UINT64_C(1) << (TIMER_BITS - 1);
    uint64_t ticks = (timer_ticks(ns) / period + 1) * period;

    return (int64_t)(((unsigned __int128)ticks * NANOSECONDS_PER_SECOND + TIMER_HZ - 1) / TIMER_HZ);
}

/* Notes that the highest bit has changed since it was last looked at. */
static void catch_up(AcpiPMState *s)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);

    if (now >= s->overflow_ns) {
        s->pm1_status |= PM1_TIMER;
        s->overflow_ns = next_overflow(now);
    }
}

/* ---- The interrupt ---- */

static bool gpe_pending(const AcpiPMState *s)
{
    const unsigned half = s->config.gpe_bytes / 2;
    uint8_t pending = 0;

    for (unsigned i = 0; i < half; i++) {
        pending |= s->gpe_regs[i] & s->gpe_regs[half + i];
    }
    return pending != 0;
}

static void update(AcpiPMState *s)
{
    qemu_set_irq(s->sci[0], (s->pm1_status & s->pm1_enable & PM1_EVENTS) || gpe_pending(s));
    if ((s->pm1_enable & PM1_TIMER) && !(s->pm1_status & PM1_TIMER)) {
        timer_mod(&s->overflow, s->overflow_ns);
    } else {
        timer_del(&s->overflow);
    }
}

static void overflow(void *opaque)
{
    AcpiPMState *s = opaque;

    catch_up(s);
    update(s);
}

void acpi_pm_raise_gpe(AcpiPMState *s, unsigned n)
{
    g_return_if_fail(n / 8 < s->config.gpe_bytes / 2U);
    s->gpe_regs[n / 8] |= 1 << n % 8;
    update(s);
}

/* ---- Registers of two bytes, which are reached by one or both ---- */

static unsigned shift_of(hwaddr addr)
{
    return addr % 2 * 8;
}

/* @reg after a write at @addr: a byte that was not written stays. */
static uint16_t written(uint16_t reg, hwaddr addr, uint64_t data, unsigned size)
{
    const unsigned mask = (size == 1 ? UINT8_MAX : UINT16_MAX) << shift_of(addr);

    return (uint16_t)((reg & ~mask) | (data << shift_of(addr) & mask));
}

/* ---- Events ---- */

/* Status at 0, cleared by ones; enable at 2. */
static uint64_t event_read(void *opaque, hwaddr addr, unsigned size G_GNUC_UNUSED)
{
    AcpiPMState *s = opaque;

    catch_up(s);
    return (addr < 2 ? s->pm1_status : s->pm1_enable) >> shift_of(addr);
}

static void event_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    AcpiPMState *s = opaque;

    catch_up(s);
    if (addr < 2) {
        s->pm1_status &= ~written(0, addr, data, size);
    } else {
        s->pm1_enable = written(s->pm1_enable, addr, data, size) & PM1_EVENTS;
    }
    update(s);
}

/* ---- Control ---- */

static void set_acpi(AcpiPMState *s, bool on)
{
    s->pm1_control = (s->pm1_control & ~CONTROL_SCI_EN) | (on ? CONTROL_SCI_EN : 0);
}

static uint64_t control_read(void *opaque, hwaddr addr, unsigned size G_GNUC_UNUSED)
{
    return ((AcpiPMState *)opaque)->pm1_control >> shift_of(addr);
}

/* Sleep states other than "off" are not there: no table offers them. */
static void control_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    AcpiPMState *s = opaque;
    const uint16_t value = written(s->pm1_control, addr, data, size);

    s->pm1_control = value & CONTROL_KEPT;
    if ((value & CONTROL_SLEEP_ENABLE) && (value >> CONTROL_SLEEP_TYPE_SHIFT & 7) == SLEEP_S5) {
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    }
}

static uint64_t timer_read(void *opaque G_GNUC_UNUSED, hwaddr addr G_GNUC_UNUSED,
                           unsigned size G_GNUC_UNUSED)
{
    return timer_ticks(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL)) & ((1 << TIMER_BITS) - 1);
}

static void timer_write(void *opaque G_GNUC_UNUSED, hwaddr addr G_GNUC_UNUSED,
                        uint64_t data G_GNUC_UNUSED, unsigned size G_GNUC_UNUSED)
{
}

/* ---- General-purpose events, and the port that switches ACPI on ---- */

static uint64_t gpe_read(void *opaque, hwaddr addr, unsigned size G_GNUC_UNUSED)
{
    return ((AcpiPMState *)opaque)->gpe_regs[addr];
}

static void gpe_write(void *opaque, hwaddr addr, uint64_t data, unsigned size G_GNUC_UNUSED)
{
    AcpiPMState *s = opaque;

    if (addr < s->config.gpe_bytes / 2U) {
        s->gpe_regs[addr] &= ~data;
    } else {
        s->gpe_regs[addr] = data;
    }
    update(s);
}

static uint64_t smi_read(void *opaque, hwaddr addr, unsigned size G_GNUC_UNUSED)
{
    const AcpiPMState *s = opaque;

    return addr == 0 ? s->smi_command : s->smi_status;
}

static void smi_write(void *opaque, hwaddr addr, uint64_t data, unsigned size G_GNUC_UNUSED)
{
    AcpiPMState *s = opaque;

    if (addr != 0) {
        s->smi_status = data;
        return;
    }
    s->smi_command = data;
    if (data == s->config.smi_enable || data == s->config.smi_disable) {
        set_acpi(s, data == s->config.smi_enable);
    }
}

static const MemoryRegionOps event_ops = {
    .read = event_read,
    .write = event_write,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
    .impl = { .min_access_size = 1, .max_access_size = 2 },
    .name = "PM1 events",
};

static const MemoryRegionOps control_ops = {
    .read = control_read,
    .write = control_write,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
    .impl = { .min_access_size = 1, .max_access_size = 2 },
    .name = "PM1 control",
};

static const MemoryRegionOps timer_ops = {
    .read = timer_read,
    .write = timer_write,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
    .name = "PM timer",
};

static const MemoryRegionOps gpe_ops = {
    .read = gpe_read,
    .write = gpe_write,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
    .name = "general-purpose events",
};

static const MemoryRegionOps smi_ops = {
    .read = smi_read,
    .write = smi_write,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
    .name = "ACPI command",
};

/* ---- The power button ---- */

static void machine_event(RunEvent event, ShutdownCause cause G_GNUC_UNUSED, void *opaque)
{
    AcpiPMState *s = opaque;

    if (event != RUN_EVENT_POWERDOWN || !entry_enter(&s->dev->guard)) {
        return;
    }
    /* A guest that has not asked for it does not find an old press when it does. */
    if (s->pm1_enable & PM1_POWER_BUTTON) {
        s->pm1_status |= PM1_POWER_BUTTON;
        update(s);
    }
    entry_leave(&s->dev->guard);
}

/* ---- For the chip ---- */

static void unmap(AcpiPMState *s)
{
    if (s->mapped) {
        memory_region_del_subregion(s->ports, &s->io);
        s->mapped = false;
    }
}

/* Main thread. */
static void place(Object *owner G_GNUC_UNUSED, void *opaque)
{
    AcpiPMState *s = opaque;
    uint16_t base;

    /* The chip may have gone since the guest asked for this. */
    if (!s->dev->realized || !entry_enter(&s->dev->guard)) {
        return;
    }
    base = s->config.base(s->dev);
    entry_leave(&s->dev->guard);
    memory_region_transaction_begin();
    unmap(s);
    if (base) {
        memory_region_add_subregion_overlap(s->ports, base, &s->io, 0);
        s->mapped = true;
    }
    memory_region_transaction_commit();
}

void acpi_pm_update_map(AcpiPMState *s)
{
    entry_call_main(OBJECT(s->dev), place, s);
}

static void stop(DeviceState *dev G_GNUC_UNUSED, void *opaque)
{
    AcpiPMState *s = opaque;

    unmap(s);
    runstate_del_event_listener(machine_event, s);
    timer_del(&s->overflow);
}

void acpi_pm_init(AcpiPMState *s, DeviceState *dev, AcpiPMConfig config)
{
    Object *obj = OBJECT(dev);

    g_assert(config.gpe_bytes <= ACPI_GPE_MAX_BYTES);
    s->config = config;
    s->dev = dev;
    timer_init_ns(&s->overflow, QEMU_CLOCK_VIRTUAL, overflow, s, &dev->guard);
    memory_region_init(&s->io, obj, "acpi-pm", config.io_bytes);
    memory_region_init_io(&s->evt, obj, &event_ops, s, "acpi-evt", ACPI_PM1_EVENT_BYTES);
    memory_region_init_io(&s->cnt, obj, &control_ops, s, "acpi-cnt", 2);
    memory_region_init_io(&s->timer, obj, &timer_ops, s, "acpi-tmr", 4);
    memory_region_init_io(&s->gpe, obj, &gpe_ops, s, "acpi-gpe0", config.gpe_bytes);
    memory_region_init_io(&s->smi_ports, obj, &smi_ops, s, "apm-io", 2);
    memory_region_add_subregion_overlap(&s->io, 0, &s->evt, 0);
    memory_region_add_subregion_overlap(&s->io, ACPI_PM1_CONTROL_OFFSET, &s->cnt, 0);
    memory_region_add_subregion_overlap(&s->io, ACPI_PM_TIMER_OFFSET, &s->timer, 0);
    qdev_init_gpio_out_named(dev, s->sci, "sci", 1);
}

void acpi_pm_start(AcpiPMState *s, MemoryRegion *ports)
{
    s->ports = ports;
    runstate_add_event_listener(machine_event, s);
    qdev_on_unrealize(s->dev, stop, s);
}

void acpi_pm_reset(AcpiPMState *s)
{
    s->pm1_status = s->pm1_enable = s->pm1_control = 0;
    s->overflow_ns = next_overflow(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
    memset(s->gpe_regs, 0, sizeof(s->gpe_regs));
    s->smi_command = s->smi_status = 0;
    update(s);
}
