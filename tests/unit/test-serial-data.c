/* SPDX-License-Identifier: MIT */
/*
 * The data of the 16550A, sentence by sentence of National's data sheet of the PC16550D: receiver and
 * transmitter with and without FIFOs, and what interrupts.
 */
#include "tests/unit/serial-fixture.h"
#include <unistd.h>
#include <glib/gstdio.h>
#include <qomet/qom/log.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
