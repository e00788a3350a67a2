/* SPDX-License-Identifier: MIT */
/*
 * The 16550A, sentence by sentence of National's data sheet of the PC16550D, through the ports of
 * an isa-serial and without any CPU.
 */
#include "tests/unit/isa-fixture.h"
#include <linux/serial_reg.h>
#include <unistd.h>
#include <glib/gstdio.h>
#include <qomet/hw/char/serial.h>
#include <qomet/hw/core/resettable.h>
#include <qomet/qom/log.h>

#define TYPE "isa-serial"
#define COM1 0x3f8
#define R(reg) (COM1 + (reg))
#define FIFO (UART_FCR_ENABLE_FIFO)
#define IIR_FIFO 0xc0
#define IIR_NONE 0x01
#define IIR_THRE 0x02
#define IIR_DATA 0x04
#define IIR_LINE 0x06
#define IIR_TIMEOUT 0x0c
#define IIR_MODEM 0x00
/* Ten bits at 9600 baud. */
#define CHAR_NS (10 * 12 * 16 * NANOSECONDS_PER_SECOND / 1843200)
#define TIMEOUT_NS (4 * 10 * 12 * 16 * NANOSECONDS_PER_SECOND / 1843200)

static TestChardev *t;
static DeviceState *com1;

static int serial_setup(void **state)
{
    if (isa_setup(state) != 0) {
        return -1;
    }
    t = test_chr("line");
    com1 = isa_make(TYPE, "chardev=line");
    /* 8n1, as a driver would. */
    outb(R(UART_LCR), UART_LCR_WLEN8);
    return 0;
}

#define serial_test(fn) cmocka_unit_test_setup_teardown(fn, serial_setup, isa_teardown)

static void pass_ns(int64_t ns)
{
    qemu_clock_warp_to(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + ns);
}

static void send_break(void)
{
    qemu_chr_be_event(&t->parent_obj, CHR_EVENT_BREAK);
}

static void read_back(const char *text)
{
    for (; *text; text++) {
        assert_true(inb(R(UART_LSR)) & UART_LSR_DR);
        assert_int_equal(inb(R(UART_RX)), *text);
    }
}

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

/* ---- The receiver without FIFOs ---- */

static void a_byte_received_sets_dr_until_it_is_read(void **state)
{
    (void)state;
    type_text(t, "x");
    assert_int_equal(inb(R(UART_LSR)), UART_LSR_DR | UART_LSR_THRE | UART_LSR_TEMT);
    assert_int_equal(inb(R(UART_RX)), 'x');
    assert_int_equal(inb(R(UART_LSR)), UART_LSR_THRE | UART_LSR_TEMT);
    assert_int_equal(inb(R(UART_RX)), 'x');
}

static void without_fifos_the_next_byte_waits_until_the_first_is_read(void **state)
{
    (void)state;
    type_text(t, "ab");
    assert_int_equal(t->typed->len, 1);
    assert_int_equal(inb(R(UART_RX)), 'a');
    run_main();
    assert_int_equal(inb(R(UART_RX)), 'b');
    assert_int_equal(inb(R(UART_LSR)) & UART_LSR_OE, 0);
}

static void received_data_interrupts_until_it_is_read(void **state)
{
    (void)state;
    outb(R(UART_IER), UART_IER_RDI);
    assert_int_equal(isa_levels[4], 0);
    type_text(t, "x");
    assert_int_equal(isa_levels[4], 1);
    assert_int_equal(inb(R(UART_IIR)), IIR_DATA);
    assert_int_equal(inb(R(UART_IIR)), IIR_DATA);
    inb(R(UART_RX));
    assert_int_equal(isa_levels[4], 0);
    assert_int_equal(inb(R(UART_IIR)), IIR_NONE);
}

static void an_interrupt_that_is_not_enabled_does_not_show(void **state)
{
    (void)state;
    type_text(t, "x");
    assert_int_equal(isa_levels[4], 0);
    assert_int_equal(inb(R(UART_IIR)), IIR_NONE);
    outb(R(UART_IER), UART_IER_RDI);
    assert_int_equal(isa_levels[4], 1);
    outb(R(UART_IER), 0);
    assert_int_equal(isa_levels[4], 0);
}

static void without_fifos_an_overrun_replaces_the_byte_and_sets_oe(void **state)
{
    (void)state;
    outb(R(UART_MCR), UART_MCR_LOOP);
    outb(R(UART_TX), 'a');
    outb(R(UART_TX), 'b');
    assert_int_equal(inb(R(UART_LSR)), UART_LSR_OE | UART_LSR_DR | UART_LSR_THRE | UART_LSR_TEMT);
    assert_int_equal(inb(R(UART_LSR)), UART_LSR_DR | UART_LSR_THRE | UART_LSR_TEMT);
    assert_int_equal(inb(R(UART_RX)), 'b');
}

static void a_break_is_one_zero_byte_with_bi_and_fe(void **state)
{
    (void)state;
    outb(R(UART_IER), UART_IER_RLSI);
    send_break();
    assert_int_equal(isa_levels[4], 1);
    assert_int_equal(inb(R(UART_IIR)), IIR_LINE);
    assert_int_equal(inb(R(UART_LSR)),
                     UART_LSR_BI | UART_LSR_FE | UART_LSR_DR | UART_LSR_THRE | UART_LSR_TEMT);
    assert_int_equal(isa_levels[4], 0);
    assert_int_equal(inb(R(UART_RX)), 0);
    assert_int_equal(inb(R(UART_LSR)), UART_LSR_THRE | UART_LSR_TEMT);
}

/* ---- The receiver with FIFOs ---- */

static void iir_says_that_the_fifos_are_on(void **state)
{
    (void)state;
    outb(R(UART_FCR), FIFO);
    assert_int_equal(inb(R(UART_IIR)), IIR_FIFO | IIR_NONE);
    outb(R(UART_FCR), 0);
    assert_int_equal(inb(R(UART_IIR)), IIR_NONE);
}

static void the_fifo_holds_sixteen_and_keeps_their_order(void **state)
{
    (void)state;
    outb(R(UART_FCR), FIFO);
    type_text(t, "0123456789abcdefghij");
    assert_int_equal(t->typed->len, 4);
    for (int i = 0; i < 16; i++) {
        assert_int_equal(inb(R(UART_RX)), "0123456789abcdef"[i]);
    }
    run_main();
    read_back("ghij");
    assert_int_equal(inb(R(UART_LSR)), UART_LSR_THRE | UART_LSR_TEMT);
}

static void the_data_interrupt_comes_at_the_trigger_level_and_goes_below_it(void **state)
{
    static const uint8_t levels[] = { 1, 4, 8, 14 };

    (void)state;
    outb(R(UART_IER), UART_IER_RDI);
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++) {
        outb(R(UART_FCR), FIFO | UART_FCR_CLEAR_RCVR | i << 6);
        for (int k = 1; k < levels[i]; k++) {
            type_text(t, "x");
            assert_int_equal(isa_levels[4], 0);
        }
        /* Data is there, and said so, below the level too. */
        assert_int_equal(inb(R(UART_LSR)) & UART_LSR_DR, levels[i] > 1);
        type_text(t, "x");
        assert_int_equal(isa_levels[4], 1);
        assert_int_equal(inb(R(UART_IIR)), IIR_FIFO | IIR_DATA);
        inb(R(UART_RX));
        assert_int_equal(isa_levels[4], 0);
    }
}

static void four_characters_of_silence_are_a_timeout(void **state)
{
    (void)state;
    outb(R(UART_FCR), FIFO | UART_FCR_TRIGGER_14);
    outb(R(UART_IER), UART_IER_RDI);
    type_text(t, "ab");
    pass_ns(TIMEOUT_NS - 1);
    assert_int_equal(isa_levels[4], 0);
    pass_ns(1);
    assert_int_equal(isa_levels[4], 1);
    assert_int_equal(inb(R(UART_IIR)), IIR_FIFO | IIR_TIMEOUT);
    /* One read ends it and begins the time anew. */
    assert_int_equal(inb(R(UART_RX)), 'a');
    assert_int_equal(isa_levels[4], 0);
    pass_ns(TIMEOUT_NS);
    assert_int_equal(inb(R(UART_IIR)), IIR_FIFO | IIR_TIMEOUT);
    assert_int_equal(inb(R(UART_RX)), 'b');
    pass_ns(100 * CHAR_NS);
    assert_int_equal(inb(R(UART_IIR)), IIR_FIFO | IIR_NONE);
}

static void a_new_byte_and_a_read_begin_the_silence_anew(void **state)
{
    (void)state;
    outb(R(UART_FCR), FIFO | UART_FCR_TRIGGER_14);
    outb(R(UART_IER), UART_IER_RDI);
    type_text(t, "a");
    pass_ns(3 * CHAR_NS);
    type_text(t, "b");
    pass_ns(3 * CHAR_NS);
    assert_int_equal(isa_levels[4], 0);
    inb(R(UART_RX));
    pass_ns(3 * CHAR_NS);
    assert_int_equal(isa_levels[4], 0);
    pass_ns(TIMEOUT_NS - 3 * CHAR_NS);
    assert_int_equal(isa_levels[4], 1);
}

static void the_time_of_a_character_follows_divisor_and_format(void **state)
{
    (void)state;
    outb(R(UART_LCR), UART_LCR_DLAB);
    out_size(R(UART_DLL), 1, 2);
    /* 8 data bits, parity, 2 stop bits: twelve bits at 115200 baud. */
    outb(R(UART_LCR), UART_LCR_WLEN8 | UART_LCR_PARITY | UART_LCR_STOP);
    outb(R(UART_FCR), FIFO | UART_FCR_TRIGGER_14);
    outb(R(UART_IER), UART_IER_RDI);
    type_text(t, "a");
    pass_ns(4 * 12 * NANOSECONDS_PER_SECOND / 115200 - 1);
    assert_int_equal(isa_levels[4], 0);
    pass_ns(1);
    assert_int_equal(isa_levels[4], 1);
}

static void there_is_no_timeout_without_fifos(void **state)
{
    (void)state;
    type_text(t, "a");
    pass_ns(100 * CHAR_NS);
    outb(R(UART_IER), UART_IER_RDI);
    assert_int_equal(inb(R(UART_IIR)), IIR_DATA);
}

static void an_overrun_of_the_fifo_loses_the_new_byte_and_sets_oe(void **state)
{
    (void)state;
    outb(R(UART_FCR), FIFO);
    outb(R(UART_IER), UART_IER_RLSI);
    outb(R(UART_MCR), UART_MCR_LOOP);
    for (int i = 0; i < 17; i++) {
        outb(R(UART_TX), 'a' + i);
    }
    assert_int_equal(inb(R(UART_IIR)), IIR_FIFO | IIR_LINE);
    assert_int_equal(inb(R(UART_LSR)) & UART_LSR_OE, UART_LSR_OE);
    assert_int_equal(inb(R(UART_LSR)) & UART_LSR_OE, 0);
    assert_int_equal(inb(R(UART_IIR)), IIR_FIFO | IIR_NONE);
    read_back("abcdefghijklmnop");
    assert_int_equal(inb(R(UART_LSR)) & UART_LSR_DR, 0);
}

static void an_error_shows_when_its_byte_is_at_the_top(void **state)
{
    (void)state;
    outb(R(UART_FCR), FIFO);
    type_text(t, "a");
    send_break();
    type_text(t, "b");
    /* Bit 7: somewhere in the FIFO. */
    assert_int_equal(inb(R(UART_LSR)),
                     UART_LSR_FIFOE | UART_LSR_DR | UART_LSR_THRE | UART_LSR_TEMT);
    assert_int_equal(inb(R(UART_RX)), 'a');
    assert_int_equal(inb(R(UART_LSR)), UART_LSR_FIFOE | UART_LSR_BI | UART_LSR_FE | UART_LSR_DR |
                                           UART_LSR_THRE | UART_LSR_TEMT);
    /* Reading the LSR ends it, since no later byte has an error. */
    assert_int_equal(inb(R(UART_LSR)), UART_LSR_DR | UART_LSR_THRE | UART_LSR_TEMT);
    assert_int_equal(inb(R(UART_RX)), 0);
    assert_int_equal(inb(R(UART_RX)), 'b');
}

static void bit_7_stays_while_a_later_byte_has_an_error(void **state)
{
    (void)state;
    outb(R(UART_FCR), FIFO);
    send_break();
    send_break();
    assert_true(inb(R(UART_LSR)) & UART_LSR_FIFOE);
    assert_true(inb(R(UART_LSR)) & UART_LSR_FIFOE);
    inb(R(UART_RX));
    assert_true(inb(R(UART_LSR)) & UART_LSR_FIFOE);
    assert_false(inb(R(UART_LSR)) & UART_LSR_FIFOE);
}

static void clearing_the_receiver_empties_it(void **state)
{
    (void)state;
    outb(R(UART_FCR), FIFO);
    outb(R(UART_IER), UART_IER_RDI | UART_IER_RLSI);
    send_break();
    type_text(t, "abc");
    outb(R(UART_FCR), FIFO | UART_FCR_CLEAR_RCVR);
    assert_int_equal(isa_levels[4], 0);
    assert_int_equal(inb(R(UART_LSR)), UART_LSR_THRE | UART_LSR_TEMT);
    pass_ns(100 * CHAR_NS);
    assert_int_equal(isa_levels[4], 0);
    /* The bit clears itself. */
    type_text(t, "d");
    read_back("d");
}

static void a_change_of_mode_empties_the_fifos(void **state)
{
    (void)state;
    type_text(t, "a");
    outb(R(UART_FCR), FIFO);
    assert_int_equal(inb(R(UART_LSR)) & UART_LSR_DR, 0);
    type_text(t, "bc");
    outb(R(UART_FCR), 0);
    assert_int_equal(inb(R(UART_LSR)) & UART_LSR_DR, 0);
}

static void without_bit_0_the_other_bits_of_fcr_are_not_programmed(void **state)
{
    (void)state;
    outb(R(UART_FCR), UART_FCR_TRIGGER_14 | UART_FCR_CLEAR_RCVR);
    type_text(t, "a");
    outb(R(UART_FCR), UART_FCR_CLEAR_RCVR);
    assert_int_equal(inb(R(UART_LSR)) & UART_LSR_DR, UART_LSR_DR);
    assert_int_equal(inb(R(UART_IIR)), IIR_NONE);
}

/* ---- The transmitter ---- */

static void a_byte_is_sent_at_once(void **state)
{
    (void)state;
    outb(R(UART_TX), 'H');
    assert_sent(t, "H");
    assert_int_equal(inb(R(UART_LSR)), UART_LSR_THRE | UART_LSR_TEMT);
    outb(R(UART_TX), 'i');
    assert_sent(t, "i");
}

static void a_guest_that_never_sets_the_format_sends_whole_bytes(void **state)
{
    (void)state;
    outb(R(UART_LCR), 0);
    outb(R(UART_TX), 0xc3);
    assert_sent(t, "\xc3");
}

static void enabling_the_thre_interrupt_raises_it_when_empty(void **state)
{
    (void)state;
    outb(R(UART_IER), UART_IER_THRI);
    assert_int_equal(isa_levels[4], 1);
    assert_int_equal(inb(R(UART_IIR)), IIR_THRE);
    /* Reading IIR when it is the source ends it. */
    assert_int_equal(isa_levels[4], 0);
    assert_int_equal(inb(R(UART_IIR)), IIR_NONE);
    /* Off and on is a new question. */
    outb(R(UART_IER), 0);
    outb(R(UART_IER), UART_IER_THRI);
    assert_int_equal(isa_levels[4], 1);
    /* Written again without a change it is not. */
    inb(R(UART_IIR));
    outb(R(UART_IER), UART_IER_THRI);
    assert_int_equal(isa_levels[4], 0);
}

static void each_byte_sent_raises_thre_again(void **state)
{
    (void)state;
    outb(R(UART_IER), UART_IER_THRI);
    inb(R(UART_IIR));
    outb(R(UART_TX), 'x');
    assert_int_equal(isa_levels[4], 1);
    assert_int_equal(inb(R(UART_IIR)), IIR_THRE);
    assert_int_equal(isa_levels[4], 0);
}

static void reading_iir_for_another_source_keeps_thre(void **state)
{
    (void)state;
    outb(R(UART_IER), UART_IER_THRI | UART_IER_RDI);
    type_text(t, "x");
    assert_int_equal(inb(R(UART_IIR)), IIR_DATA);
    inb(R(UART_RX));
    assert_int_equal(inb(R(UART_IIR)), IIR_THRE);
}

/* The test's host takes nothing; what the chardev's own queue holds is sent first. */
static int fill_chardev(void)
{
    int n = 0;

    take_output(t, 0);
    while (t->parent_obj.out_len < CHR_OUT_BYTES) {
        outb(R(UART_TX), '.');
        n++;
    }
    assert_int_equal(inb(R(UART_LSR)), UART_LSR_THRE | UART_LSR_TEMT);
    return n;
}

static void when_the_host_takes_nothing_the_bytes_stay_and_thre_says_so(void **state)
{
    int queued = fill_chardev();

    (void)state;
    outb(R(UART_IER), UART_IER_THRI);
    inb(R(UART_IIR));
    /* Into the shift register: the holding register is empty again. */
    outb(R(UART_TX), 'a');
    assert_int_equal(inb(R(UART_LSR)), UART_LSR_THRE);
    assert_int_equal(isa_levels[4], 1);
    outb(R(UART_TX), 'b');
    assert_int_equal(inb(R(UART_LSR)), 0);
    assert_int_equal(isa_levels[4], 0);
    /* 16450 mode: a third replaces the second. */
    outb(R(UART_TX), 'c');
    take_output(t, -1);
    assert_int_equal(inb(R(UART_LSR)), UART_LSR_THRE | UART_LSR_TEMT);
    assert_int_equal(isa_levels[4], 1);
    g_string_erase(t->sent, 0, queued);
    assert_sent(t, "ac");
}

static void the_transmitters_fifo_holds_sixteen_and_the_shift_register_one(void **state)
{
    int queued;

    (void)state;
    outb(R(UART_FCR), FIFO);
    queued = fill_chardev();
    for (int i = 0; i < 18; i++) {
        outb(R(UART_TX), 'a' + i);
        assert_int_equal(inb(R(UART_LSR)), i ? 0 : UART_LSR_THRE);
    }
    take_output(t, -1);
    g_string_erase(t->sent, 0, queued);
    assert_sent(t, "abcdefghijklmnopq");
    assert_int_equal(inb(R(UART_LSR)), UART_LSR_THRE | UART_LSR_TEMT);
}

static void bytes_that_find_no_place_do_not_flood_the_log(void **state)
{
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "test-serial-log-XXXXXX", NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    int fd = g_mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    assert_true(qemu_set_log_filename(path, NULL));
    qemu_loglevel = LOG_GUEST_ERROR;
    outb(R(UART_FCR), FIFO);
    fill_chardev();
    for (int i = 0; i < 1000; i++) {
        outb(R(UART_TX), 'x');
    }
    qemu_loglevel = 0;
    assert_true(qemu_set_log_filename(NULL, NULL));
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    unlink(path);
    lines = g_strsplit(text, "\n", -1);
    assert_non_null(strstr(text, "0x78 is lost"));
    assert_in_range(g_strv_length(lines), 2, 20);
}

static void clearing_the_transmitter_spares_the_shift_register(void **state)
{
    int queued;

    (void)state;
    outb(R(UART_FCR), FIFO);
    queued = fill_chardev();
    outb(R(UART_TX), 'a');
    outb(R(UART_TX), 'b');
    outb(R(UART_FCR), FIFO | UART_FCR_CLEAR_XMIT);
    assert_int_equal(inb(R(UART_LSR)), UART_LSR_THRE);
    take_output(t, -1);
    g_string_erase(t->sent, 0, queued);
    assert_sent(t, "a");
}

/* ---- Priorities (table IV) ---- */

static void interrupts_show_in_the_order_of_their_priority(void **state)
{
    (void)state;
    outb(R(UART_FCR), FIFO | UART_FCR_TRIGGER_14);
    /* A change of the modem lines, THRE, a time-out, and a line error. */
    outb(R(UART_MCR), UART_MCR_LOOP);
    outb(R(UART_MCR), 0);
    outb(R(UART_IER), 0x0f);
    send_break();
    pass_ns(TIMEOUT_NS);
    assert_int_equal(inb(R(UART_IIR)), IIR_FIFO | IIR_LINE);
    inb(R(UART_LSR));
    assert_int_equal(inb(R(UART_IIR)), IIR_FIFO | IIR_TIMEOUT);
    inb(R(UART_RX));
    assert_int_equal(inb(R(UART_IIR)), IIR_FIFO | IIR_THRE);
    assert_int_equal(inb(R(UART_IIR)), IIR_FIFO | IIR_MODEM);
    assert_int_equal(isa_levels[4], 1);
    inb(R(UART_MSR));
    assert_int_equal(inb(R(UART_IIR)), IIR_FIFO | IIR_NONE);
    assert_int_equal(isa_levels[4], 0);
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
        serial_test(a_byte_received_sets_dr_until_it_is_read),
        serial_test(without_fifos_the_next_byte_waits_until_the_first_is_read),
        serial_test(received_data_interrupts_until_it_is_read),
        serial_test(an_interrupt_that_is_not_enabled_does_not_show),
        serial_test(without_fifos_an_overrun_replaces_the_byte_and_sets_oe),
        serial_test(a_break_is_one_zero_byte_with_bi_and_fe),
        serial_test(iir_says_that_the_fifos_are_on),
        serial_test(the_fifo_holds_sixteen_and_keeps_their_order),
        serial_test(the_data_interrupt_comes_at_the_trigger_level_and_goes_below_it),
        serial_test(four_characters_of_silence_are_a_timeout),
        serial_test(a_new_byte_and_a_read_begin_the_silence_anew),
        serial_test(the_time_of_a_character_follows_divisor_and_format),
        serial_test(there_is_no_timeout_without_fifos),
        serial_test(an_overrun_of_the_fifo_loses_the_new_byte_and_sets_oe),
        serial_test(an_error_shows_when_its_byte_is_at_the_top),
        serial_test(bit_7_stays_while_a_later_byte_has_an_error),
        serial_test(clearing_the_receiver_empties_it),
        serial_test(a_change_of_mode_empties_the_fifos),
        serial_test(without_bit_0_the_other_bits_of_fcr_are_not_programmed),
        serial_test(a_byte_is_sent_at_once),
        serial_test(a_guest_that_never_sets_the_format_sends_whole_bytes),
        serial_test(enabling_the_thre_interrupt_raises_it_when_empty),
        serial_test(each_byte_sent_raises_thre_again),
        serial_test(reading_iir_for_another_source_keeps_thre),
        serial_test(when_the_host_takes_nothing_the_bytes_stay_and_thre_says_so),
        serial_test(the_transmitters_fifo_holds_sixteen_and_the_shift_register_one),
        serial_test(bytes_that_find_no_place_do_not_flood_the_log),
        serial_test(clearing_the_transmitter_spares_the_shift_register),
        serial_test(interrupts_show_in_the_order_of_their_priority),
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
