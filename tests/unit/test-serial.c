/* SPDX-License-Identifier: MIT */
/*
 * The 16550A, sentence by sentence of National's data sheet of the PC16550D, through the ports of
 * an isa-serial and without any CPU: registers, modem lines, and the device on its bus.
 */
#include "tests/unit/serial-fixture.h"
#include <qomet/hw/core/resettable.h>

/* ---- Reset (table I) and registers ---- */

static void after_reset_the_registers_have_their_values(void **state)
{
    (void)state;
    resettable_reset(OBJECT(com1), RESET_TYPE_COLD);
    assert_int_equal(inb(R(UART_IER)), 0);
    assert_int_equal(inb(R(UART_IIR)), IIR_NONE);
    assert_int_equal(inb(R(UART_LCR)), 0);
    assert_int_equal(inb(R(UART_MCR)), 0);
    assert_int_equal(inb(R(UART_LSR)), UART_LSR_THRE | UART_LSR_TEMT);
    assert_int_equal(inb(R(UART_MSR)), UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS);
    assert_int_equal(isa_levels[4], 0);
}

static void a_reset_ends_all_that_was_going_on(void **state)
{
    (void)state;
    outb(R(UART_FCR), FIFO | UART_FCR_TRIGGER_14);
    outb(R(UART_IER), 0x0f);
    outb(R(UART_LCR), 0xff);
    outb(R(UART_SCR), 0x55);
    type_text(t, "abc");
    send_break();
    assert_int_equal(isa_levels[4], 1);
    resettable_reset(OBJECT(com1), RESET_TYPE_COLD);
    assert_int_equal(isa_levels[4], 0);
    assert_int_equal(inb(R(UART_LSR)), UART_LSR_THRE | UART_LSR_TEMT);
    assert_int_equal(inb(R(UART_IIR)), IIR_NONE);
    assert_int_equal(inb(R(UART_LCR)), 0);
    pass_ns(NANOSECONDS_PER_SECOND);
    outb(R(UART_IER), UART_IER_RDI);
    assert_int_equal(isa_levels[4], 0);
}

static void the_scratch_register_keeps_any_byte(void **state)
{
    (void)state;
    for (int i = 0; i < 256; i++) {
        outb(R(UART_SCR), i);
        assert_int_equal(inb(R(UART_SCR)), i);
    }
}

static void the_upper_half_of_ier_is_zero(void **state)
{
    (void)state;
    outb(R(UART_IER), 0xf5);
    assert_int_equal(inb(R(UART_IER)), 0x05);
}

static void the_upper_bits_of_mcr_are_zero(void **state)
{
    (void)state;
    outb(R(UART_MCR), 0xef);
    assert_int_equal(inb(R(UART_MCR)), 0x0f);
}

static void lcr_keeps_every_bit(void **state)
{
    (void)state;
    for (int i = 0; i < 256; i++) {
        outb(R(UART_LCR), i);
        assert_int_equal(inb(R(UART_LCR)), i);
    }
}

static void dlab_shows_the_divisor_in_place_of_data_and_ier(void **state)
{
    (void)state;
    outb(R(UART_IER), UART_IER_RDI);
    outb(R(UART_LCR), UART_LCR_DLAB | UART_LCR_WLEN8);
    outb(R(UART_DLL), 0x34);
    outb(R(UART_DLM), 0x12);
    assert_int_equal(inb(R(UART_DLL)), 0x34);
    assert_int_equal(inb(R(UART_DLM)), 0x12);
    outb(R(UART_LCR), UART_LCR_WLEN8);
    assert_int_equal(inb(R(UART_IER)), UART_IER_RDI);
    assert_sent(t, "");
}

static void lsr_and_msr_are_not_written(void **state)
{
    uint8_t lsr = inb(R(UART_LSR)), msr = inb(R(UART_MSR));

    (void)state;
    outb(R(UART_LSR), 0xff);
    outb(R(UART_MSR), 0xff);
    assert_int_equal(inb(R(UART_LSR)), lsr);
    assert_int_equal(inb(R(UART_MSR)), msr);
}

static void a_wider_access_is_one_of_each_byte(void **state)
{
    (void)state;
    outb(R(UART_LCR), UART_LCR_DLAB | UART_LCR_WLEN8);
    out_size(R(UART_DLL), 0x0203, 2);
    assert_int_equal(inb(R(UART_DLL)), 0x03);
    assert_int_equal(inb(R(UART_DLM)), 0x02);
    assert_int_equal(in_size(R(UART_DLL), 2), 0x0203);
    outb(R(UART_SCR), 0xaa);
    assert_int_equal(in_size(R(UART_LCR), 4) & 0xff, UART_LCR_DLAB | UART_LCR_WLEN8);
    assert_int_equal(in_size(R(UART_MSR), 2) >> 8, 0xaa);
}

static void every_size_at_every_offset_is_survived(void **state)
{
    (void)state;
    access_everything(COM1, 8);
    take_output(t, 0);
    access_everything(COM1, 8);
    resettable_reset(OBJECT(com1), RESET_TYPE_COLD);
    assert_int_equal(inb(R(UART_LSR)), UART_LSR_THRE | UART_LSR_TEMT);
}

/* ---- Modem lines and loopback (8.8, 8.9) ---- */

static void a_peer_is_always_ready(void **state)
{
    (void)state;
    assert_int_equal(inb(R(UART_MSR)), UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS);
    outb(R(UART_MCR), UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT1 | UART_MCR_OUT2);
    assert_int_equal(inb(R(UART_MSR)), UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS);
}

static void in_loopback_the_outputs_are_the_inputs(void **state)
{
    static const struct {
        uint8_t mcr, msr;
    } pairs[] = {
        { UART_MCR_RTS, UART_MSR_CTS },
        { UART_MCR_DTR, UART_MSR_DSR },
        { UART_MCR_OUT1, UART_MSR_RI },
        { UART_MCR_OUT2, UART_MSR_DCD },
    };

    (void)state;
    outb(R(UART_MCR), UART_MCR_LOOP);
    assert_int_equal(inb(R(UART_MSR)) & 0xf0, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        outb(R(UART_MCR), UART_MCR_LOOP | pairs[i].mcr);
        assert_int_equal(inb(R(UART_MSR)) & 0xf0, pairs[i].msr);
    }
}

static void a_change_of_a_line_is_told_until_msr_is_read(void **state)
{
    (void)state;
    outb(R(UART_MCR), UART_MCR_LOOP);
    inb(R(UART_MSR));
    outb(R(UART_MCR), UART_MCR_LOOP | UART_MCR_RTS);
    assert_int_equal(inb(R(UART_MSR)), UART_MSR_CTS | UART_MSR_DCTS);
    assert_int_equal(inb(R(UART_MSR)), UART_MSR_CTS);
    outb(R(UART_MCR), UART_MCR_LOOP | UART_MCR_RTS | UART_MCR_DTR | UART_MCR_OUT2);
    assert_int_equal(inb(R(UART_MSR)),
                     UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD | UART_MSR_DDSR | UART_MSR_DDCD);
}

static void of_the_ring_only_the_end_is_told(void **state)
{
    (void)state;
    outb(R(UART_MCR), UART_MCR_LOOP);
    inb(R(UART_MSR));
    outb(R(UART_MCR), UART_MCR_LOOP | UART_MCR_OUT1);
    assert_int_equal(inb(R(UART_MSR)), UART_MSR_RI);
    outb(R(UART_MCR), UART_MCR_LOOP);
    assert_int_equal(inb(R(UART_MSR)), UART_MSR_TERI);
}

static void a_change_of_a_line_interrupts_in_loopback_too(void **state)
{
    (void)state;
    outb(R(UART_IER), UART_IER_MSI);
    outb(R(UART_MCR), UART_MCR_LOOP);
    assert_int_equal(isa_levels[4], 1);
    assert_int_equal(inb(R(UART_IIR)), IIR_MODEM);
    inb(R(UART_MSR));
    assert_int_equal(isa_levels[4], 0);
}

static void in_loopback_what_is_sent_is_received_and_not_heard_outside(void **state)
{
    (void)state;
    outb(R(UART_FCR), FIFO);
    outb(R(UART_IER), UART_IER_RDI);
    outb(R(UART_MCR), UART_MCR_LOOP);
    outb(R(UART_TX), 0xae);
    assert_int_equal(isa_levels[4], 1);
    assert_int_equal(inb(R(UART_RX)), 0xae);
    assert_sent(t, "");
}

static void in_loopback_the_host_waits(void **state)
{
    (void)state;
    outb(R(UART_FCR), FIFO);
    outb(R(UART_MCR), UART_MCR_LOOP);
    type_text(t, "later");
    send_break();
    assert_int_equal(inb(R(UART_LSR)) & (UART_LSR_DR | UART_LSR_BI), 0);
    outb(R(UART_MCR), 0);
    run_main();
    read_back("later");
}

/* ---- isa-serial ---- */

static void ports_and_lines_follow_the_index(void **state)
{
    static const struct {
        uint16_t port;
        int irq;
    } places[] = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 } };

    (void)state;
    /* The first is there already. */
    for (size_t i = 1; i < G_N_ELEMENTS(places); i++) {
        isa_make(TYPE, "");
        assert_int_equal(inb(places[i].port + UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        outb(places[i].port + UART_IER, UART_IER_THRI);
        assert_int_equal(isa_levels[places[i].irq], 1);
        outb(places[i].port + UART_IER, 0);
        assert_int_equal(isa_levels[places[i].irq], 0);
    }
    assert_isa_refused("Max. supported number of ISA serial ports is 4.", TYPE, "");
    assert_isa_refused("Max. supported number of ISA serial ports is 4.", TYPE, "index=4");
}

static void an_index_that_has_become_free_is_used_again(void **state)
{
    (void)state;
    isa_make(TYPE, "");
    object_unparent(OBJECT(com1));
    assert_int_equal(inb(R(UART_LSR)), 0xff);
    isa_make(TYPE, "");
    assert_int_equal(inb(R(UART_LSR)), UART_LSR_THRE | UART_LSR_TEMT);
}

static void place_and_line_can_be_given(void **state)
{
    (void)state;
    isa_make(TYPE, "index=2,iobase=0x100,irq=15");
    outb(0x100 + UART_IER, UART_IER_THRI);
    assert_int_equal(isa_levels[15], 1);
    assert_isa_refused("irq 16 is not a line of the bus: 0 to 15", TYPE, "irq=16");
}

static void a_board_without_lines_is_fine(void **state)
{
    (void)state;
    for (int i = 0; i < ISA_NUM_IRQS; i++) {
        object_unref(isa->irqs[i]);
        isa->irqs[i] = NULL;
    }
    isa_make(TYPE, "");
    outb(0x2f8 + UART_IER, UART_IER_THRI);
    assert_int_equal(inb(0x2f8 + UART_IIR), IIR_THRE);
}

static void without_a_chardev_bytes_vanish(void **state)
{
    (void)state;
    isa_make(TYPE, "");
    outb(0x2f8 + UART_TX, 'x');
    assert_int_equal(inb(0x2f8 + UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
}

static void unplugged_it_lets_go_of_line_chardev_and_input(void **state)
{
    (void)state;
    outb(R(UART_IER), UART_IER_THRI);
    assert_int_equal(isa_levels[4], 1);
    object_unparent(OBJECT(com1));
    assert_int_equal(isa_levels[4], 0);
    assert_null(t->parent_obj.be);
    type_text(t, "x");
    assert_int_equal(t->typed->len, 1);
    isa_make(TYPE, "chardev=line");
    run_main();
    assert_int_equal(inb(R(UART_RX)), 'x');
}

static void realize_fails_whole_at_each_step(void **state)
{
    unsigned nth = 1;

    (void)state;
    object_unparent(OBJECT(com1));
    for (;; nth++) {
        DeviceState *dev;

        qdev_fault_inject(nth);
        dev = isa_try(TYPE, "chardev=line", NULL);
        qdev_fault_inject(0);
        if (dev) {
            break;
        }
        assert_null(t->parent_obj.be);
        assert_int_equal(inb(R(UART_LSR)), 0xff);
        assert_int_equal(isa->parent_obj.children->len, 0);
    }
    assert_true(nth > 2);
}

static void the_state_is_data_of_fixed_width(void **state)
{
    const DeviceField *f = DEVICE_GET_CLASS(com1)->state;
    size_t bytes = 0;

    (void)state;
    for (; f->name; f++) {
        bytes += f->size * f->count;
        assert_true(f->offset + f->size * f->count <=
                    object_type_get_instance_size(com1->parent_obj.class));
    }
    /* Registers, three arrays of sixteen, and the places in them. */
    assert_int_equal(bytes, 6 + 2 + 1 + 1 + 3 * 16 + 4 + 2 + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        serial_test(after_reset_the_registers_have_their_values),
        serial_test(a_reset_ends_all_that_was_going_on),
        serial_test(the_scratch_register_keeps_any_byte),
        serial_test(the_upper_half_of_ier_is_zero),
        serial_test(the_upper_bits_of_mcr_are_zero),
        serial_test(lcr_keeps_every_bit),
        serial_test(dlab_shows_the_divisor_in_place_of_data_and_ier),
        serial_test(lsr_and_msr_are_not_written),
        serial_test(a_wider_access_is_one_of_each_byte),
        serial_test(every_size_at_every_offset_is_survived),
        serial_test(a_peer_is_always_ready),
        serial_test(in_loopback_the_outputs_are_the_inputs),
        serial_test(a_change_of_a_line_is_told_until_msr_is_read),
        serial_test(of_the_ring_only_the_end_is_told),
        serial_test(a_change_of_a_line_interrupts_in_loopback_too),
        serial_test(in_loopback_what_is_sent_is_received_and_not_heard_outside),
        serial_test(in_loopback_the_host_waits),
        serial_test(ports_and_lines_follow_the_index),
        serial_test(an_index_that_has_become_free_is_used_again),
        serial_test(place_and_line_can_be_given),
        serial_test(a_board_without_lines_is_fine),
        serial_test(without_a_chardev_bytes_vanish),
        serial_test(unplugged_it_lets_go_of_line_chardev_and_input),
        serial_test(realize_fails_whole_at_each_step),
        serial_test(the_state_is_data_of_fixed_width),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
