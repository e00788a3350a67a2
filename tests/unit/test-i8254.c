/* SPDX-License-Identifier: MIT */
/* The timer of a PC: wave forms of its modes, counts read in every way, gate, and line 0. */
#include "tests/unit/isa-fixture.h"

#define PIT_HZ 1193182
#define IRQ isa_levels[0]

static void pass_to(uint64_t ticks)
{
    qemu_clock_warp_to((ticks * NANOSECONDS_PER_SECOND + PIT_HZ - 1) / PIT_HZ);
}

/* Time begins when the channel is loaded: the clock of a test is at 0. */
static void program(unsigned channel, unsigned mode, uint16_t count)
{
    outb(0x43, channel << 6 | 0x30 | mode << 1);
    outb(0x40 + channel, count);
    outb(0x40 + channel, count >> 8);
}

static uint16_t two_bytes_of(unsigned channel)
{
    uint16_t low = inb(0x40 + channel);

    return low | inb(0x40 + channel) << 8;
}

static uint16_t count_of(unsigned channel)
{
    outb(0x43, channel << 6);
    return two_bytes_of(channel);
}

static uint8_t status_of(unsigned channel)
{
    outb(0x43, 0xe0 | 2 << channel);
    return inb(0x40 + channel);
}

static int pit_setup(void **state)
{
    int result = isa_setup(state);

    if (!result) {
        resettable_reset(OBJECT(isa_make("isa-pit", "")), RESET_TYPE_COLD);
    }
    return result;
}

static void an_interrupt_on_terminal_count_comes_once(void **state)
{
    (void)state;
    program(0, 0, 1000);
    assert_int_equal(IRQ, 0);
    assert_int_equal(status_of(0), 0x30);
    pass_to(999);
    assert_int_equal(count_of(0), 1);
    assert_int_equal(IRQ, 0);
    pass_to(1000);
    assert_int_equal(IRQ, 1);
    assert_int_equal(status_of(0), 0xb0);
    pass_to(1001);
    assert_int_equal(count_of(0), 0xffff); /* it counts on */
    pass_to(500000);
    assert_int_equal(IRQ, 1);
}

static unsigned rises;

static void count_rises(void *opaque G_GNUC_UNUSED, int n G_GNUC_UNUSED, int level)
{
    static int before;

    rises += level && !before;
    before = level;
}

static void a_rate_generator_interrupts_each_period(void **state)
{
    (void)state;
    qemu_irq_set_observer(isa_lines[0], count_rises, NULL, 0);
    program(0, 2, 11932);
    rises = 0;
    pass_to(11932 * 100 - 1);
    assert_int_equal(rises, 99);
    pass_to(11932 * 100);
    assert_int_equal(rises, 100);
    assert_int_equal(count_of(0), 11932);
    qemu_irq_set_observer(isa_lines[0], NULL, NULL, 0);
}

static void a_rate_generator_is_low_for_one_tick(void **state)
{
    (void)state;
    program(0, 2, 10);
    assert_int_equal(status_of(0), 0xb4);
    pass_to(9);
    assert_int_equal(status_of(0), 0x34);
    pass_to(10);
    assert_int_equal(status_of(0), 0xb4);
}

static void a_square_wave_is_high_for_half_and_counts_by_two(void **state)
{
    (void)state;
    program(0, 3, 1000);
    assert_int_equal(count_of(0), 1000);
    pass_to(499);
    assert_int_equal(count_of(0), 2);
    assert_int_equal(status_of(0) & 0x80, 0x80);
    pass_to(500);
    assert_int_equal(count_of(0), 1000);
    assert_int_equal(status_of(0) & 0x80, 0);
    pass_to(1000);
    assert_int_equal(status_of(0) & 0x80, 0x80);
}

static void a_count_of_zero_is_the_largest(void **state)
{
    (void)state;
    program(0, 0, 0);
    pass_to(65535);
    assert_int_equal(IRQ, 0);
    pass_to(65536);
    assert_int_equal(IRQ, 1);
}

static void decimal_counts_are_decimal(void **state)
{
    (void)state;
    outb(0x43, 0x31);
    outb(0x40, 0x34);
    outb(0x40, 0x12);
    pass_to(1);
    assert_int_equal(count_of(0), 0x1233);
    pass_to(1234);
    assert_int_equal(IRQ, 1);
    pass_to(1235);
    assert_int_equal(count_of(0), 0x9999);
}

static void one_byte_may_be_written_and_read(void **state)
{
    (void)state;
    outb(0x43, 0x10); /* low only, mode 0 */
    outb(0x40, 200);
    pass_to(50);
    assert_int_equal(inb(0x40), 150);
    assert_int_equal(inb(0x40), 150);
    outb(0x43, 0x20); /* high only */
    outb(0x40, 2);
    assert_int_equal(inb(0x40), 2);
}

static void a_latched_count_stays_until_it_is_read(void **state)
{
    (void)state;
    program(0, 0, 5000);
    pass_to(1000);
    outb(0x43, 0);
    pass_to(2000);
    outb(0x43, 0); /* no second one */
    assert_int_equal(two_bytes_of(0), 4000);
    assert_int_equal(two_bytes_of(0), 3000);
}

static void read_back_latches_status_and_count_of_several(void **state)
{
    (void)state;
    program(0, 0, 0x1234);
    program(2, 0, 0x5678);
    outb(0x43, 0xc0 | 0x02 | 0x08);
    assert_int_equal(inb(0x40), 0x30);
    assert_int_equal(inb(0x40), 0x34);
    assert_int_equal(inb(0x40), 0x12);
    assert_int_equal(inb(0x42), 0x30);
    assert_int_equal(inb(0x42), 0x78);
}

static void a_channel_without_a_count_says_so(void **state)
{
    (void)state;
    outb(0x43, 0x34);
    assert_int_equal(status_of(0), 0xf4);
    outb(0x40, 0x10);
    assert_int_equal(status_of(0) & 0x40, 0x40);
    outb(0x40, 0x10);
    assert_int_equal(status_of(0) & 0x40, 0);
}

static void port_0x61_opens_the_gate_and_shows_the_output(void **state)
{
    (void)state;
    program(2, 0, 1000);
    pass_to(5000);
    assert_int_equal(inb(0x61) & 0x20, 0);
    assert_int_equal(count_of(2), 1000); /* its gate is closed */
    outb(0x61, 0x01);
    pass_to(5400);
    outb(0x61, 0x00);
    pass_to(9000);
    assert_in_range(count_of(2), 600, 601);
    outb(0x61, 0x01);
    pass_to(9000 + 602);
    assert_int_equal(inb(0x61) & 0x21, 0x21);
}

static void a_gate_begins_one_shots_and_stops_waves(void **state)
{
    (void)state;
    program(2, 1, 100);
    assert_int_equal(inb(0x61) & 0x20, 0x20);
    outb(0x61, 1);
    assert_int_equal(inb(0x61) & 0x20, 0);
    pass_to(101);
    assert_int_equal(inb(0x61) & 0x20, 0x20);
    program(2, 3, 100);
    pass_to(101 + 60);
    assert_int_equal(inb(0x61) & 0x20, 0);
    outb(0x61, 0);
    assert_int_equal(inb(0x61) & 0x20, 0x20);
}

static void the_refresh_bit_changes_every_15_us(void **state)
{
    (void)state;
    assert_int_equal(inb(0x61) & 0x10, 0);
    qemu_clock_warp_to(15085);
    assert_int_equal(inb(0x61) & 0x10, 0x10);
    qemu_clock_warp_to(2 * 15085);
    assert_int_equal(inb(0x61) & 0x10, 0);
}

static void nothing_a_guest_does_harms_it(void **state)
{
    (void)state;
    access_everything(0x40, 4);
    access_everything(0x61, 1);
    for (unsigned value = 0; value < 0x10000; value++) {
        outb(0x43, value);
        outb(0x40 + value % 3, value >> 8);
        outb(0x61, value >> 4);
        inb(0x40 + (value >> 3) % 4);
        inb(0x61);
        if (value % 64 == 0) {
            qemu_clock_warp_to(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + value);
        }
    }
}

#define pit_test(fn) cmocka_unit_test_setup_teardown(fn, pit_setup, isa_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        pit_test(an_interrupt_on_terminal_count_comes_once),
        pit_test(a_rate_generator_interrupts_each_period),
        pit_test(a_rate_generator_is_low_for_one_tick),
        pit_test(a_square_wave_is_high_for_half_and_counts_by_two),
        pit_test(a_count_of_zero_is_the_largest),
        pit_test(decimal_counts_are_decimal),
        pit_test(one_byte_may_be_written_and_read),
        pit_test(a_latched_count_stays_until_it_is_read),
        pit_test(read_back_latches_status_and_count_of_several),
        pit_test(a_channel_without_a_count_says_so),
        pit_test(port_0x61_opens_the_gate_and_shows_the_output),
        pit_test(a_gate_begins_one_shots_and_stops_waves),
        pit_test(the_refresh_bit_changes_every_15_us),
        pit_test(nothing_a_guest_does_harms_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
