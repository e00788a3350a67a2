/* SPDX-License-Identifier: MIT */
/*
 * ACPI's power management, on a clock that the test moves: timer, events, the power button, the end
 * of the machine; and the same without fixed registers.
 */
#include "tests/unit/isa-fixture.h"
#include <qomet/hw/acpi/ged.h>
#include <qomet/hw/acpi/pm.h>
#include <qomet/hw/core/sysbus.h>

#define BASE 0x600
#define GPE 0xafe0
#define SMI 0xb2
#define STATUS BASE
#define ENABLE (BASE + 2)
#define CONTROL (BASE + 4)
#define TIMER (BASE + 8)

#define TIMER_HZ 3579545
#define HALF (1 << 23) /* ticks until the highest bit changes */

#define EV_TIMER 0x001
#define EV_BUTTON 0x100

#define TYPE_PM_CHIP "pm-chip"

typedef struct PMChip {
    DeviceState parent_obj;
    AcpiPMState pm;
} PMChip;

static PMChip *chip;
static int sci;

static bool chip_realize(DeviceState *dev, GError **errp)
{
    AcpiPMState *pm = &((PMChip *)dev)->pm;

    acpi_pm_start(pm, get_system_io());
    return qdev_map(dev, get_system_io(), BASE, &pm->io, errp) &&
           qdev_map(dev, get_system_io(), GPE, &pm->gpe, errp) &&
           qdev_map(dev, get_system_io(), SMI, &pm->smi_ports, errp);
}

static void chip_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    acpi_pm_reset(&((PMChip *)obj)->pm);
}

static void chip_init(Object *obj)
{
    acpi_pm_init(&((PMChip *)obj)->pm, DEVICE(obj), (AcpiPMConfig){ NULL, 64, 4, 0xf1, 0xf0 });
}

static void chip_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    DEVICE_CLASS(klass)->realize = chip_realize;
    device_class_set_reset(DEVICE_CLASS(klass), chip_reset);
}

static const TypeInfo chip_types[] = {
    {
        .name = TYPE_PM_CHIP,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(PMChip),
        .instance_init = chip_init,
        .class_init = chip_class_init,
    },
};
DEFINE_TYPES(chip_types)

static void set_sci(void *opaque G_GNUC_UNUSED, int n G_GNUC_UNUSED, int level)
{
    sci = level;
}

static int setup(void **state)
{
    qemu_irq irq;
    DeviceState *dev;

    if (isa_setup(state)) {
        return -1;
    }
    dev = qdev_new(TYPE_PM_CHIP, NULL);
    irq = qemu_allocate_irq(set_sci, NULL, 0);
    chip = (PMChip *)dev;
    if (!dev || !qdev_realize_and_unref(dev, NULL, NULL) ||
        !qdev_connect_gpio_out_named(dev, "sci", 0, irq, NULL)) {
        return -1;
    }
    object_unref(irq);
    resettable_reset(OBJECT(dev), RESET_TYPE_COLD);
    return 0;
}

#define pm_test(fn) cmocka_unit_test_setup_teardown(fn, setup, isa_teardown)

/* So many ticks of the timer pass. */
static void pass(int64_t ticks)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);

    qemu_clock_warp_to(now + ticks * NANOSECONDS_PER_SECOND / TIMER_HZ + 1);
}

/* The program ends when everybody has heard of it. */
static void end_when_pressed(RunEvent event, ShutdownCause cause G_GNUC_UNUSED,
                             void *opaque G_GNUC_UNUSED)
{
    if (event == RUN_EVENT_POWERDOWN) {
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_QMP_QUIT);
    }
}

static void press_the_button(void)
{
    runstate_add_event_listener(end_when_pressed, NULL);
    qemu_system_powerdown_request();
    qemu_main_loop();
    runstate_del_event_listener(end_when_pressed, NULL);
}

static void the_timer_counts_24_bits(void **state)
{
    uint32_t before;

    (void)state;
    before = in_size(TIMER, 4);
    pass(1000);
    assert_in_range(in_size(TIMER, 4), before + 1000, before + 1001);
    pass(2 * HALF);
    assert_in_range(in_size(TIMER, 4), before + 1000, before + 1002);
    out_size(TIMER, 0, 4); /* cannot be set */
    assert_in_range(in_size(TIMER, 4), before + 1000, before + 1002);
    assert_int_equal(in_size(TIMER, 4) >> 24, 0);
}

static void its_highest_bit_is_an_event(void **state)
{
    (void)state;
    assert_int_equal(in_size(STATUS, 2), 0);
    pass(HALF - 10);
    assert_int_equal(in_size(STATUS, 2), 0);
    pass(20);
    assert_int_equal(in_size(STATUS, 2), EV_TIMER);
    assert_int_equal(sci, 0);
    out_size(STATUS, EV_TIMER, 2);
    assert_int_equal(in_size(STATUS, 2), 0);
    pass(HALF);
    assert_int_equal(in_size(STATUS, 2), EV_TIMER);
}

static void the_timer_interrupts_when_it_is_asked_to(void **state)
{
    (void)state;
    out_size(ENABLE, EV_TIMER, 2);
    pass(HALF - 10);
    assert_int_equal(sci, 0);
    pass(20);
    assert_int_equal(sci, 1);
    out_size(STATUS, EV_TIMER, 2);
    assert_int_equal(sci, 0);
    pass(HALF);
    assert_int_equal(sci, 1);
    out_size(ENABLE, 0, 2);
    assert_int_equal(sci, 0);
}

static void the_power_button_is_an_event_for_who_asks(void **state)
{
    (void)state;
    press_the_button();
    assert_int_equal(in_size(STATUS, 2), 0);
}

static void a_pressed_button_interrupts(void **state)
{
    (void)state;
    out_size(ENABLE, EV_BUTTON, 2);
    press_the_button();
    assert_int_equal(in_size(STATUS, 2), EV_BUTTON);
    assert_int_equal(sci, 1);
    out_size(STATUS, EV_BUTTON, 2);
    assert_int_equal(sci, 0);
}

static void general_events_are_cleared_and_enabled_by_bytes(void **state)
{
    (void)state;
    outb(GPE + 2, 0x02);
    acpi_pm_raise_gpe(&chip->pm, 9);
    assert_int_equal(inb(GPE + 1), 0x02);
    assert_int_equal(sci, 0);
    outb(GPE + 3, 0x02);
    assert_int_equal(sci, 1);
    outb(GPE + 1, 0xfd);
    assert_int_equal(sci, 1);
    outb(GPE + 1, 0x02);
    assert_int_equal(sci, 0);
    assert_int_equal(in_size(GPE, 4), 0x02020000);
}

static void the_command_port_switches_acpi_on_and_off(void **state)
{
    (void)state;
    assert_int_equal(in_size(CONTROL, 2), 0);
    outb(SMI, 0xf1);
    assert_int_equal(in_size(CONTROL, 2), 1);
    outb(SMI, 0x55);
    assert_int_equal(in_size(CONTROL, 2), 1);
    outb(SMI, 0xf0);
    assert_int_equal(in_size(CONTROL, 2), 0);
    outb(SMI + 1, 0x12);
    assert_int_equal(inb(SMI), 0xf0);
    assert_int_equal(inb(SMI + 1), 0x12);
}

static void s5_ends_the_machine(void **state)
{
    (void)state;
    out_size(CONTROL, 1 << 10 | 1 << 13, 2); /* a sleep that no table offers */
    assert_int_equal(qemu_shutdown_requested_get(), SHUTDOWN_CAUSE_NONE);
    assert_int_equal(in_size(CONTROL, 2), 1 << 10);
    out_size(CONTROL, 0, 2);
    assert_int_equal(qemu_shutdown_requested_get(), SHUTDOWN_CAUSE_NONE);
    out_size(CONTROL, 1 << 13, 2);
    assert_int_equal(qemu_shutdown_requested_get(), SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    assert_int_equal(qemu_main_loop(), 0);
}

/* ACPI Specification 6.4, 4.8.3: these registers are reached by bytes as well. */
static void a_byte_of_a_register_leaves_the_other_one(void **state)
{
    (void)state;
    out_size(ENABLE, EV_TIMER, 2);
    outb(ENABLE + 1, EV_BUTTON >> 8);
    assert_int_equal(in_size(ENABLE, 2), EV_TIMER | EV_BUTTON);
    assert_int_equal(inb(ENABLE + 1), EV_BUTTON >> 8);
    pass(HALF);
    press_the_button();
    outb(STATUS, EV_TIMER);
    assert_int_equal(in_size(STATUS, 2), EV_BUTTON);
    outb(STATUS + 1, EV_BUTTON >> 8);
    assert_int_equal(in_size(STATUS, 2), 0);
}

static void sleep_is_asked_for_by_a_byte(void **state)
{
    (void)state;
    outb(SMI, 0xf1);
    outb(CONTROL + 1, 1 << 2);
    assert_int_equal(in_size(CONTROL, 2), 1 << 10 | 1);
    outb(CONTROL + 1, 1 << 5);
    assert_int_equal(in_size(CONTROL, 2), 1);
    assert_int_equal(qemu_shutdown_requested_get(), SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    assert_int_equal(qemu_main_loop(), 0);
}

static void every_access_harms_nothing(void **state)
{
    (void)state;
    access_everything(BASE, 64);
    access_everything(GPE, 4);
    access_everything(SMI, 2);
    resettable_reset(OBJECT(chip), RESET_TYPE_COLD);
    assert_int_equal(in_size(STATUS, 4), 0);
    assert_int_equal(in_size(GPE, 4), 0);
    assert_int_equal(sci, 0);
}

/* ---- Without fixed registers ---- */

#define GED 0xfea00000
#define GED_REGS 0xfea00200

static int ged_level, ged_rises;

static void set_ged(void *opaque G_GNUC_UNUSED, int n G_GNUC_UNUSED, int level)
{
    ged_rises += level && !ged_level;
    ged_level = level;
}

static int ged_setup(void **state)
{
    SysBusDevice *dev;
    qemu_irq irq;

    if (isa_setup(state)) {
        return -1;
    }
    ged_level = ged_rises = 0;
    dev = SYS_BUS_DEVICE(qdev_new(TYPE_ACPI_GED, NULL));
    irq = qemu_allocate_irq(set_ged, NULL, 0);
    if (!sysbus_realize_and_unref(dev, NULL) || !sysbus_mmio_map(dev, 0, GED, NULL) ||
        !sysbus_mmio_map(dev, 1, GED_REGS, NULL) || !sysbus_connect_irq(dev, 0, irq, NULL)) {
        return -1;
    }
    object_unref(irq);
    return 0;
}

#define ged_test(fn) cmocka_unit_test_setup_teardown(fn, ged_setup, isa_teardown)

static uint64_t load(uint64_t addr, unsigned size)
{
    uint64_t value = 0;

    address_space_load(&address_space_memory, addr, size, &value, MEMTXATTRS_UNSPECIFIED);
    return value;
}

static void store(uint64_t addr, unsigned size, uint64_t value)
{
    address_space_store(&address_space_memory, addr, size, value, MEMTXATTRS_UNSPECIFIED);
}

static void without_them_the_button_is_an_event_that_is_read_once(void **state)
{
    (void)state;
    assert_int_equal(load(GED, 4), 0);
    press_the_button();
    assert_int_equal(ged_rises, 1);
    assert_int_equal(load(GED, 4), ACPI_GED_PWR_DOWN_EVT);
    assert_int_equal(load(GED, 4), 0);
}

static void without_them_a_register_ends_or_resets_the_machine(void **state)
{
    (void)state;
    store(GED_REGS + ACPI_GED_REG_SLEEP_CTL, 1, 0x20); /* another sleep */
    store(GED_REGS + ACPI_GED_REG_SLEEP_CTL, 1, ACPI_GED_SLP_TYP_S5 << 2);
    store(GED_REGS + ACPI_GED_REG_RESET, 1, 0x41);
    store(GED_REGS + ACPI_GED_REG_SLEEP_STS, 1, 0xff);
    for (unsigned size = 1; size <= 8; size *= 2) {
        for (int offset = -8; offset < 8; offset++) {
            load(GED + offset, size);
            store(GED + offset, size, UINT64_MAX);
            load(GED_REGS + offset, size);
        }
    }
    assert_int_equal(qemu_shutdown_requested_get(), SHUTDOWN_CAUSE_NONE);
    store(GED_REGS + ACPI_GED_REG_SLEEP_CTL, 1, 0x20 | ACPI_GED_SLP_TYP_S5 << 2);
    assert_int_equal(qemu_shutdown_requested_get(), SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    assert_int_equal(qemu_main_loop(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pm_test(the_timer_counts_24_bits),
        pm_test(its_highest_bit_is_an_event),
        pm_test(the_timer_interrupts_when_it_is_asked_to),
        pm_test(the_power_button_is_an_event_for_who_asks),
        pm_test(a_pressed_button_interrupts),
        pm_test(general_events_are_cleared_and_enabled_by_bytes),
        pm_test(the_command_port_switches_acpi_on_and_off),
        pm_test(s5_ends_the_machine),
        pm_test(a_byte_of_a_register_leaves_the_other_one),
        pm_test(sleep_is_asked_for_by_a_byte),
        pm_test(every_access_harms_nothing),
        ged_test(without_them_the_button_is_an_event_that_is_read_once),
        ged_test(without_them_a_register_ends_or_resets_the_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
