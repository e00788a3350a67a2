/* SPDX-License-Identifier: MIT */
/* The clock of a PC: its registers, alarms, periods and interrupts, on a clock that the test moves. */
#include "tests/unit/isa-fixture.h"
#include <qomet/hw/timer/mc146818rtc.h>

#define SECOND NANOSECONDS_PER_SECOND
#define IRQ isa_levels[RTC_ISA_IRQ]

static uint8_t cmos(uint8_t index)
{
    outb(0x70, index);
    return inb(0x71);
}

static void set_cmos(uint8_t index, uint8_t value)
{
    outb(0x70, index);
    outb(0x71, value);
}

static void pass(int64_t ns)
{
    qemu_clock_warp_to(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + ns);
}

static DeviceState *make_rtc(const char *base)
{
    g_autofree char *props = g_strdup_printf("guest-clock=on,base=%s", base);

    return isa_make("mc146818rtc", props);
}

#define assert_time(century, year, month, day, hour, minute, second)                               \
    do {                                                                                           \
        assert_int_equal(cmos(0x32), century);                                                     \
        assert_int_equal(cmos(9), year);                                                           \
        assert_int_equal(cmos(8), month);                                                          \
        assert_int_equal(cmos(7), day);                                                            \
        assert_int_equal(cmos(4), hour);                                                           \
        assert_int_equal(cmos(2), minute);                                                         \
        assert_int_equal(cmos(0), second);                                                         \
    } while (0)

static void it_begins_with_the_time_it_is_given_in_bcd(void **state)
{
    (void)state;
    make_rtc("2028-02-28T23:59:58");
    assert_time(0x20, 0x28, 0x02, 0x28, 0x23, 0x59, 0x58);
    assert_int_equal(cmos(6), 2); /* a Monday; Sunday is 1 */
    assert_int_equal(cmos(0x0d), 0x80);
    pass(2 * SECOND);
    assert_time(0x20, 0x28, 0x02, 0x29, 0, 0, 0);
    assert_int_equal(cmos(6), 3);
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const wrong[] = { "tomorrow", "1969-12-31T23:59:59", "2200-01-01T00:00:00",
                                         "9999-12-31T23:59:59" };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *base = g_strdup_printf("base=%s", wrong[i]);
        g_autofree char *message =
            g_strdup_printf("%s is no time from 1970 to 2199: it is utc, localtime, or like "
                            "2026-01-31T12:00:00",
                            base);

        assert_isa_refused(message, "mc146818rtc", base);
    }
    isa_make("mc146818rtc", "base=localtime");
}

static void binary_and_twelve_hours_are_forms_of_the_same_time(void **state)
{
    (void)state;
    make_rtc("2027-12-31T13:45:10");
    set_cmos(0x0b, 0x06);
    assert_time(20, 27, 12, 31, 13, 45, 10);
    set_cmos(0x0b, 0x04);
    assert_int_equal(cmos(4), 0x81);
    set_cmos(0x0b, 0x00);
    assert_int_equal(cmos(4), 0x81);
    pass(11 * 3600 * SECOND);
    assert_int_equal(cmos(4), 0x12); /* midnight is 12 AM */
    assert_int_equal(cmos(9), 0x28);
}

static void it_stands_while_the_guest_sets_it(void **state)
{
    (void)state;
    make_rtc("2026-02-10T12:00:00");
    pass(SECOND / 4);
    set_cmos(0x0b, 0x92); /* SET clears the update interrupt's bit */
    assert_int_equal(cmos(0x0b), 0x82);
    /* The 31st comes before January does: no byte changes another. */
    set_cmos(7, 0x31);
    set_cmos(8, 0x01);
    pass(5 * SECOND);
    assert_time(0x20, 0x26, 0x01, 0x31, 0x12, 0, 0);
    set_cmos(0x0b, 0x02);
    pass(SECOND * 3 / 4 - 1);
    assert_int_equal(cmos(0), 0);
    pass(1);
    assert_int_equal(cmos(0), 1);
}

static void after_a_reset_of_its_divider_the_next_second_is_half_a_second_away(void **state)
{
    (void)state;
    make_rtc("2026-02-10T12:00:00");
    pass(SECOND / 10);
    set_cmos(0x0a, 0x76);
    pass(100 * SECOND);
    assert_int_equal(cmos(0), 0);
    set_cmos(0x0a, 0x26);
    pass(SECOND / 2 - 1);
    assert_int_equal(cmos(0), 0);
    pass(1);
    assert_int_equal(cmos(0), 1);
}

static void an_update_is_announced(void **state)
{
    (void)state;
    make_rtc("2026-02-10T12:00:00");
    assert_int_equal(cmos(0x0a), 0x26);
    pass(SECOND - 244001);
    assert_int_equal(cmos(0x0a), 0x26);
    pass(1);
    assert_int_equal(cmos(0x0a), 0xa6);
    pass(244000);
    assert_int_equal(cmos(0x0a), 0x26);
    /* The flag rises without any interrupt asked for, and is gone when it was read. */
    assert_int_equal(cmos(0x0c), 0x50);
    assert_int_equal(cmos(0x0c), 0);
}

static void each_second_interrupts_until_register_c_is_read(void **state)
{
    (void)state;
    make_rtc("2026-02-10T12:00:00");
    set_cmos(0x0b, 0x12);
    pass(SECOND - 1);
    assert_int_equal(IRQ, 0);
    pass(1);
    assert_int_equal(IRQ, 1);
    assert_int_equal(cmos(0x0c) & 0x90, 0x90);
    assert_int_equal(IRQ, 0);
    pass(SECOND);
    assert_int_equal(IRQ, 1);
    set_cmos(0x0b, 0x02); /* not asked for any more */
    assert_int_equal(IRQ, 0);
}

static void the_alarm_comes_at_its_time_of_day(void **state)
{
    (void)state;
    make_rtc("2026-02-10T12:00:00");
    set_cmos(1, 0x30);
    set_cmos(3, 0x59);
    set_cmos(5, 0x11);
    set_cmos(0x0b, 0x22);
    pass((23 * 3600 + 59 * 60 + 30) * SECOND - 1);
    assert_int_equal(IRQ, 0);
    pass(1);
    assert_int_equal(IRQ, 1);
    assert_int_equal(cmos(0x0c) & 0xa0, 0xa0);
    assert_int_equal(cmos(7), 0x11);
}

static void alarm_bytes_may_mean_every_value(void **state)
{
    (void)state;
    make_rtc("2026-02-10T12:00:00");
    set_cmos(1, 0x05);
    set_cmos(3, 0xff);
    set_cmos(5, 0xc0);
    set_cmos(0x0b, 0x22);
    for (int i = 0; i < 3; i++) {
        pass((i ? 60 : 5) * SECOND - 1);
        assert_int_equal(IRQ, 0);
        pass(1);
        assert_int_equal(IRQ, 1);
        cmos(0x0c);
    }
}

static void an_alarm_that_is_no_time_never_comes(void **state)
{
    (void)state;
    make_rtc("2026-02-10T12:00:00");
    set_cmos(0x0b, 0x22);
    /* Hour, minute, second; the others may be any. */
    for (int i = 5; i >= 1; i -= 2) {
        set_cmos(1, i == 1 ? 0x75 : 0xff);
        set_cmos(3, i == 3 ? 0x60 : 0xff);
        set_cmos(5, i == 5 ? 0x24 : 0xff);
        cmos(0x0c);
        pass(3 * 86400 * SECOND);
        assert_int_equal(IRQ, 0);
        assert_int_equal(cmos(0x0c) & 0x20, 0);
    }
    /* However often the guest asks. */
    for (int i = 0; i < 20000; i++) {
        cmos(0x0c);
    }
}

static void the_periodic_interrupt_has_the_rate_of_register_a(void **state)
{
    (void)state;
    make_rtc("2026-02-10T12:00:00");
    set_cmos(0x0a, 0x2f); /* twice a second */
    set_cmos(0x0b, 0x42);
    pass(SECOND / 2 - 1);
    assert_int_equal(IRQ, 0);
    pass(1);
    assert_int_equal(IRQ, 1);
    assert_int_equal(cmos(0x0c) & 0xc0, 0xc0);
    set_cmos(0x0a, 0x26); /* 1,024 times */
    pass(SECOND / 1024 + 1);
    assert_int_equal(IRQ, 1);
    cmos(0x0c);
    set_cmos(0x0a, 0x20); /* not at all */
    pass(10 * SECOND);
    assert_int_equal(IRQ, 0);
}

static void a_reset_ends_interrupts_and_leaves_the_time(void **state)
{
    DeviceState *dev = make_rtc("2026-02-10T12:00:00");

    (void)state;
    set_cmos(0x40, 0x5a);
    set_cmos(0x0b, 0x52);
    pass(2 * SECOND);
    assert_int_equal(IRQ, 1);
    resettable_reset(OBJECT(dev), RESET_TYPE_COLD);
    assert_int_equal(IRQ, 0);
    pass(2 * SECOND);
    assert_int_equal(IRQ, 0);
    assert_int_equal(cmos(0), 4);
    assert_int_equal(cmos(0x40), 0x5a);
}

static void the_board_and_the_guest_share_its_memory(void **state)
{
    DeviceState *dev = make_rtc("utc");

    (void)state;
    mc146818rtc_set_cmos_data(dev, 0x34, 0x12);
    assert_int_equal(cmos(0x34), 0x12);
    assert_int_equal(cmos(0x34 | 0x80), 0x12); /* the highest bit is not part of the index */
    set_cmos(0x7f, 0x77);
    assert_int_equal(mc146818rtc_get_cmos_data(dev, 0x7f), 0x77);
    assert_int_equal(inb(0x70), 0xff);
}

static void no_bytes_that_a_guest_writes_do_harm(void **state)
{
    static const uint8_t values[] = {
        0, 0x02, 0x04, 0x10, 0x2f, 0x60, 0x7f, 0x80, 0x99, 0xf6, 0xff
    };

    (void)state;
    make_rtc("utc");
    access_everything(0x70, 2);
    for (size_t b = 0; b < G_N_ELEMENTS(values); b++) {
        set_cmos(0x0b, values[b]);
        for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
            for (int index = 0; index < 0x40; index++) {
                set_cmos(index, index == 0x0b ? values[b] : values[i]);
                cmos(index);
            }
            pass(SECOND / 3);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        isa_test(it_begins_with_the_time_it_is_given_in_bcd),
        isa_test(what_is_no_time_is_refused),
        isa_test(binary_and_twelve_hours_are_forms_of_the_same_time),
        isa_test(it_stands_while_the_guest_sets_it),
        isa_test(after_a_reset_of_its_divider_the_next_second_is_half_a_second_away),
        isa_test(an_update_is_announced),
        isa_test(each_second_interrupts_until_register_c_is_read),
        isa_test(the_alarm_comes_at_its_time_of_day),
        isa_test(alarm_bytes_may_mean_every_value),
        isa_test(an_alarm_that_is_no_time_never_comes),
        isa_test(the_periodic_interrupt_has_the_rate_of_register_a),
        isa_test(a_reset_ends_interrupts_and_leaves_the_time),
        isa_test(the_board_and_the_guest_share_its_memory),
        isa_test(no_bytes_that_a_guest_writes_do_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
