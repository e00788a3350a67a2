/* SPDX-License-Identifier: MIT */
/* The two interrupt controllers of a PC: priorities, acknowledgement, edges and levels, commands. */
#include "tests/unit/isa-fixture.h"
#include <qomet/hw/intc/i8259.h>

static DeviceState *pic;
static int intr;
static qemu_irq intr_line;

static void intr_changes(void *opaque G_GNUC_UNUSED, int n G_GNUC_UNUSED, int level)
{
    intr = level;
}

static void line(int n, int level)
{
    qemu_set_irq(qdev_get_gpio_in(pic, n), level);
}

static void pulse(int n)
{
    line(n, 1);
    line(n, 0);
}

/* As a PC's firmware does: vectors from 0x08 and 0x70 on; nothing masked. */
static void initialise(uint8_t icw4)
{
    static const uint16_t ports[] = { 0x20, 0xa0 };

    for (int chip = 0; chip < 2; chip++) {
        outb(ports[chip], 0x11);
        outb(ports[chip] + 1, chip ? 0x70 : 0x08);
        outb(ports[chip] + 1, chip ? 2 : 4);
        outb(ports[chip] + 1, icw4);
        outb(ports[chip] + 1, 0);
    }
}

static int pic_setup(void **state)
{
    if (isa_setup(state)) {
        return -1;
    }
    pic = isa_make("isa-i8259", "");
    intr = 0;
    intr_line = qemu_allocate_irq(intr_changes, NULL, 0);
    if (!qdev_connect_gpio_out_named(pic, "intr", 0, intr_line, NULL)) {
        return -1;
    }
    initialise(0x01);
    return 0;
}

static int pic_teardown(void **state)
{
    int result = isa_teardown(state);

    object_unref(intr_line);
    return result;
}

static void a_request_interrupts_with_its_vector(void **state)
{
    (void)state;
    line(4, 1);
    assert_int_equal(intr, 1);
    assert_int_equal(inb(0x20), 0x10);
    assert_int_equal(pic_read_irq(pic), 0x0c);
    assert_int_equal(intr, 0);
    assert_int_equal(inb(0x20), 0);
    outb(0x20, 0x0b);
    assert_int_equal(inb(0x20), 0x10);
    outb(0x20, 0x20);
    assert_int_equal(inb(0x20), 0);
}

static void a_request_of_the_second_passes_through_the_first(void **state)
{
    (void)state;
    pulse(8);
    assert_int_equal(intr, 1);
    assert_int_equal(pic_read_irq(pic), 0x70);
    outb(0x20, 0x0b);
    outb(0xa0, 0x0b);
    assert_int_equal(inb(0x20), 0x04);
    assert_int_equal(inb(0xa0), 0x01);
    /* The second one's others wait for both ends. */
    pulse(9);
    assert_int_equal(intr, 0);
    outb(0xa0, 0x20);
    assert_int_equal(intr, 0);
    outb(0x20, 0x20);
    assert_int_equal(intr, 1);
    assert_int_equal(pic_read_irq(pic), 0x71);
}

static void the_lower_input_comes_first_and_may_interrupt_the_higher(void **state)
{
    (void)state;
    pulse(5);
    pulse(3);
    assert_int_equal(pic_read_irq(pic), 0x0b);
    assert_int_equal(intr, 0);
    pulse(1);
    assert_int_equal(intr, 1);
    assert_int_equal(pic_read_irq(pic), 0x09);
    outb(0x20, 0x20); /* ends 1 */
    assert_int_equal(intr, 0);
    outb(0x20, 0x20); /* ends 3 */
    assert_int_equal(intr, 1);
    assert_int_equal(pic_read_irq(pic), 0x0d);
}

static void a_masked_request_waits(void **state)
{
    (void)state;
    outb(0x21, 0x10);
    assert_int_equal(inb(0x21), 0x10);
    pulse(4);
    assert_int_equal(intr, 0);
    outb(0x21, 0);
    assert_int_equal(intr, 1);
}

static void an_edge_asks_once_and_a_level_as_long_as_it_lasts(void **state)
{
    (void)state;
    outb(0x4d0, 0xff);
    outb(0x4d1, 0xff);
    assert_int_equal(inb(0x4d0), 0xf8); /* timer, keyboard and cascade are always edges */
    assert_int_equal(inb(0x4d1), 0xde);
    line(1, 1);
    line(5, 1);
    assert_int_equal(pic_read_irq(pic), 0x09);
    outb(0x20, 0x20);
    assert_int_equal(pic_read_irq(pic), 0x0d);
    outb(0x20, 0x20);
    assert_int_equal(intr, 1); /* 5 still asks, 1 does not */
    assert_int_equal(pic_read_irq(pic), 0x0d);
    line(5, 0);
    outb(0x20, 0x20);
    assert_int_equal(intr, 0);
}

static void a_request_that_has_gone_is_spurious(void **state)
{
    (void)state;
    assert_int_equal(pic_read_irq(pic), 0x0f);
    outb(0x4d0, 0x20);
    line(5, 1);
    assert_int_equal(intr, 1);
    line(5, 0);
    assert_int_equal(pic_read_irq(pic), 0x0f);
    outb(0x20, 0x0b);
    assert_int_equal(inb(0x20), 0); /* and nothing is in service */
    /* The first has kept the second's edge, so it asks that one. */
    outb(0x4d1, 0x02);
    line(9, 1);
    line(9, 0);
    assert_int_equal(pic_read_irq(pic), 0x77);
    assert_int_equal(inb(0x20), 0x04);
}

static void an_end_may_name_its_input(void **state)
{
    (void)state;
    pulse(2 + 1);
    pic_read_irq(pic);
    pulse(1);
    pic_read_irq(pic);
    outb(0x20, 0x60 | 3);
    outb(0x20, 0x0b);
    assert_int_equal(inb(0x20), 0x02);
}

static void priorities_rotate(void **state)
{
    (void)state;
    outb(0x20, 0xc0 | 3); /* 3 is the last one */
    pulse(3);
    pulse(4);
    assert_int_equal(pic_read_irq(pic), 0x0c);
    outb(0x20, 0xa0); /* ends it, and 4 is the last one */
    assert_int_equal(pic_read_irq(pic), 0x0b);
}

static void an_automatic_end_leaves_nothing_in_service(void **state)
{
    (void)state;
    initialise(0x03);
    pulse(4);
    pulse(5);
    assert_int_equal(pic_read_irq(pic), 0x0c);
    assert_int_equal(intr, 1);
    assert_int_equal(pic_read_irq(pic), 0x0d);
    assert_int_equal(intr, 0);
}

static void after_an_automatic_end_the_second_asks_again(void **state)
{
    (void)state;
    initialise(0x03);
    pulse(8);
    pulse(9);
    assert_int_equal(pic_read_irq(pic), 0x70);
    assert_int_equal(intr, 1);
    assert_int_equal(pic_read_irq(pic), 0x71);
    assert_int_equal(intr, 0);
    /* Where only the second ends by itself, the first one waits for its own end. */
    initialise(0x01);
    outb(0xa0, 0x11);
    outb(0xa1, 0x70);
    outb(0xa1, 2);
    outb(0xa1, 0x03);
    pulse(8);
    pulse(9);
    assert_int_equal(pic_read_irq(pic), 0x70);
    assert_int_equal(intr, 0);
    outb(0x20, 0x20);
    assert_int_equal(intr, 1);
    assert_int_equal(pic_read_irq(pic), 0x71);
    /* The same when it is polled. */
    pulse(8);
    pulse(9);
    outb(0xa0, 0x0c);
    assert_int_equal(inb(0xa0), 0x80);
    outb(0x20, 0x20);
    assert_int_equal(intr, 1);
    assert_int_equal(pic_read_irq(pic), 0x71);
}

static void an_automatic_end_may_rotate(void **state)
{
    (void)state;
    initialise(0x03);
    outb(0x20, 0x80);
    pulse(4);
    pulse(5);
    assert_int_equal(pic_read_irq(pic), 0x0c);
    pulse(4);
    assert_int_equal(pic_read_irq(pic), 0x0d);
    assert_int_equal(pic_read_irq(pic), 0x0c);
}

static void a_special_mask_lets_lower_ones_through(void **state)
{
    (void)state;
    pulse(3);
    pic_read_irq(pic);
    pulse(5);
    assert_int_equal(intr, 0);
    outb(0x21, 0x08);
    outb(0x20, 0x68);
    assert_int_equal(intr, 1);
    outb(0x20, 0x48);
    assert_int_equal(intr, 0);
}

static void nested_the_second_may_interrupt_itself(void **state)
{
    (void)state;
    initialise(0x11);
    pulse(12);
    assert_int_equal(pic_read_irq(pic), 0x74);
    pulse(8);
    assert_int_equal(intr, 1);
    assert_int_equal(pic_read_irq(pic), 0x70);
}

static void it_can_be_polled(void **state)
{
    (void)state;
    outb(0x20, 0x0c);
    assert_int_equal(inb(0x20), 0);
    pulse(6);
    outb(0x20, 0x0c);
    assert_int_equal(inb(0x20), 0x86);
    assert_int_equal(intr, 0);
    outb(0x20, 0x0b);
    assert_int_equal(inb(0x20), 0x40);
}

static void initialising_forgets_requests_and_masks(void **state)
{
    (void)state;
    outb(0x21, 0xff);
    pulse(4);
    outb(0x20, 0x10); /* no fourth word follows */
    assert_int_equal(intr, 0);
    outb(0x21, 0x40);
    outb(0x21, 0x04);
    assert_int_equal(inb(0x21), 0);
    pulse(4);
    assert_int_equal(pic_read_irq(pic), 0x44);
    outb(0x20, 0x12); /* single: no third word either */
    outb(0x21, 0x50);
    outb(0x21, 0xef);
    assert_int_equal(inb(0x21), 0xef);
}

static void a_reset_masks_nothing_and_asks_for_nothing(void **state)
{
    (void)state;
    outb(0x4d0, 0x20);
    pulse(4);
    resettable_reset(OBJECT(pic), RESET_TYPE_COLD);
    assert_int_equal(intr, 0);
    assert_int_equal(inb(0x4d0), 0);
    assert_int_equal(inb(0x20), 0);
}

static void nothing_a_guest_does_harms_it(void **state)
{
    (void)state;
    access_everything(0x20, 2);
    access_everything(0xa0, 2);
    access_everything(0x4d0, 2);
    for (int value = 0; value < 0x10000; value++) {
        outb(0x20, value);
        outb(0x21, value >> 8);
        outb(0xa0, value >> 8);
        outb(0xa1, value);
        line(value % 16, value & 0x10);
        if (intr) {
            pic_read_irq(pic);
        }
        inb(0x20);
        inb(0xa0);
    }
}

#define pic_test(fn) cmocka_unit_test_setup_teardown(fn, pic_setup, pic_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        pic_test(a_request_interrupts_with_its_vector),
        pic_test(a_request_of_the_second_passes_through_the_first),
        pic_test(the_lower_input_comes_first_and_may_interrupt_the_higher),
        pic_test(a_masked_request_waits),
        pic_test(an_edge_asks_once_and_a_level_as_long_as_it_lasts),
        pic_test(a_request_that_has_gone_is_spurious),
        pic_test(an_end_may_name_its_input),
        pic_test(priorities_rotate),
        pic_test(an_automatic_end_leaves_nothing_in_service),
        pic_test(after_an_automatic_end_the_second_asks_again),
        pic_test(an_automatic_end_may_rotate),
        pic_test(a_special_mask_lets_lower_ones_through),
        pic_test(nested_the_second_may_interrupt_itself),
        pic_test(it_can_be_polled),
        pic_test(initialising_forgets_requests_and_masks),
        pic_test(a_reset_masks_nothing_and_asks_for_nothing),
        pic_test(nothing_a_guest_does_harms_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
