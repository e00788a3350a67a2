/* SPDX-License-Identifier: MIT */
/* What the tests of the 16550A share: an isa-serial at COM1 whose line is the test's. */
#ifndef QOMET_TESTS_UNIT_SERIAL_FIXTURE_H
#define QOMET_TESTS_UNIT_SERIAL_FIXTURE_H

#include <linux/serial_reg.h>
#include <qomet/hw/char/serial.h>
#include "tests/unit/isa-fixture.h"

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

static G_GNUC_UNUSED int serial_setup(void **state)
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

static G_GNUC_UNUSED void pass_ns(int64_t ns)
{
    qemu_clock_warp_to(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + ns);
}

static G_GNUC_UNUSED void send_break(void)
{
    qemu_chr_be_event(&t->parent_obj, CHR_EVENT_BREAK);
}

static G_GNUC_UNUSED void read_back(const char *text)
{
    for (; *text; text++) {
        assert_true(inb(R(UART_LSR)) & UART_LSR_DR);
        assert_int_equal(inb(R(UART_RX)), *text);
    }
}

#endif
