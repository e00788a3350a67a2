/* SPDX-License-Identifier: MIT */
/*
 * The serial port of a board, driven without a CPU: registers, loopback, input from a peer, its
 * interrupt line.
 */
#include <errno.h>
#include <glib.h>
#include <linux/serial_reg.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "tests/qtest/qtest-test.h"

#define COM1 0x3f8
#define COM1_IRQ 4

static void the_registers_are_those_of_a_16550a(void **state)
{
    QTestState *s = qtest_init("-M bare -serial null");

    (void)state;
    assert_int_equal(qtest_inb(s, COM1 + UART_LSR), UART_LSR_TEMT | UART_LSR_THRE);
    assert_int_equal(qtest_inb(s, COM1 + UART_IIR), UART_IIR_NO_INT);
    qtest_outb(s, COM1 + UART_SCR, 0x5a);
    assert_int_equal(qtest_inb(s, COM1 + UART_SCR), 0x5a);
    qtest_outb(s, COM1 + UART_FCR, UART_FCR_ENABLE_FIFO);
    assert_int_equal(qtest_inb(s, COM1 + UART_IIR) & 0xc0, 0xc0);
    /* The divisor stands in place of data and interrupt enable. */
    qtest_outb(s, COM1 + UART_LCR, UART_LCR_DLAB | UART_LCR_WLEN8);
    qtest_outb(s, COM1 + UART_DLL, 0x0c);
    qtest_outb(s, COM1 + UART_DLM, 0x01);
    assert_int_equal(qtest_inb(s, COM1 + UART_DLL), 0x0c);
    assert_int_equal(qtest_inb(s, COM1 + UART_DLM), 0x01);
    qtest_outb(s, COM1 + UART_LCR, UART_LCR_WLEN8);
    assert_int_equal(qtest_inb(s, COM1 + UART_IER), 0);
    assert_int_equal(qtest_quit(s), 0);
}

static void in_loopback_it_receives_what_it_sends(void **state)
{
    QTestState *s = qtest_init("-M bare");
    char *output;

    (void)state;
    qtest_outb(s, COM1 + UART_FCR, UART_FCR_ENABLE_FIFO);
    qtest_outb(s, COM1 + UART_MCR, UART_MCR_LOOP);
    qtest_outb(s, COM1, 'a');
    qtest_outb(s, COM1, 'b');
    assert_true(qtest_inb(s, COM1 + UART_LSR) & UART_LSR_DR);
    assert_int_equal(qtest_inb(s, COM1), 'a');
    assert_int_equal(qtest_inb(s, COM1), 'b');
    assert_false(qtest_inb(s, COM1 + UART_LSR) & UART_LSR_DR);
    output = qtest_output(s);
    assert_string_equal(output, "");
    free(output);
    assert_int_equal(qtest_quit(s), 0);
}

static void its_line_follows_what_is_received(void **state)
{
    QTestState *s = qtest_init("-M bare,kernel-irqchip=on -serial null");

    (void)state;
    qtest_irq_intercept_in(s, "/machine/pic");
    qtest_outb(s, COM1 + UART_MCR, UART_MCR_LOOP);
    qtest_outb(s, COM1 + UART_IER, UART_IER_RDI);
    assert_false(qtest_get_irq(s, COM1_IRQ));
    qtest_outb(s, COM1, 'x');
    assert_true(qtest_get_irq(s, COM1_IRQ));
    assert_int_equal(qtest_inb(s, COM1 + UART_IIR) & UART_IIR_ID, UART_IIR_RDI);
    assert_int_equal(qtest_inb(s, COM1), 'x');
    assert_false(qtest_get_irq(s, COM1_IRQ));
    assert_int_equal(qtest_quit(s), 0);
}

static void a_byte_that_is_not_read_times_out_in_virtual_time(void **state)
{
    QTestState *s = qtest_init("-M bare,kernel-irqchip=on -serial null");

    (void)state;
    qtest_irq_intercept_in(s, "/machine/pic");
    qtest_outb(s, COM1 + UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_14);
    qtest_outb(s, COM1 + UART_MCR, UART_MCR_LOOP);
    qtest_outb(s, COM1 + UART_IER, UART_IER_RDI);
    qtest_outb(s, COM1, 'x');
    assert_false(qtest_get_irq(s, COM1_IRQ));
    qtest_clock_step(s, 1000000000);
    assert_true(qtest_get_irq(s, COM1_IRQ));
    assert_int_equal(qtest_inb(s, COM1 + UART_IIR) & 0x0f, 0x0c);
    assert_int_equal(qtest_quit(s), 0);
}

/* A socket that listens at @path. */
static int listen_at(const char *path)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strncpy(un.sun_path, path, sizeof(un.sun_path) - 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void a_peer_is_heard_and_answered(void **state)
{
    g_autofree char *dir = g_dir_make_tmp("test-serial-XXXXXX", NULL), *path = NULL;
    int listener, peer;
    QTestState *s;
    char byte = 0;

    (void)state;
    assert_non_null(dir);
    path = g_build_filename(dir, "peer", NULL);
    listener = listen_at(path);
    s = qtest_initf("-M bare -serial unix:%s", path);
    peer = accept(listener, NULL, NULL);
    assert_true(peer >= 0);
    assert_int_equal(write(peer, "q", 1), 1);
    /* The byte comes in its own time. */
    for (unsigned i = 0; i < 5000 && !(qtest_inb(s, COM1 + UART_LSR) & UART_LSR_DR); i++) {
        usleep(1000);
    }
    assert_int_equal(qtest_inb(s, COM1), 'q');
    qtest_outb(s, COM1, 'r');
    assert_int_equal(poll(&(struct pollfd){ .fd = peer, .events = POLLIN }, 1, 20000), 1);
    assert_int_equal(read(peer, &byte, 1), 1);
    assert_int_equal(byte, 'r');
    assert_int_equal(qtest_quit(s), 0);
    close(peer);
    close(listener);
    unlink(path);
    rmdir(dir);
}

static void nodefaults_leaves_it_out(void **state)
{
    QTestState *s = qtest_init("-M bare,unassigned=ignore -nodefaults");

    (void)state;
    assert_int_equal(qtest_inb(s, COM1 + UART_LSR), 0xff);
    assert_int_equal(qtest_quit(s), 0);
    s = qtest_init("-M bare,unassigned=ignore -serial none");
    assert_int_equal(qtest_inb(s, COM1 + UART_LSR), 0xff);
    assert_int_equal(qtest_quit(s), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_registers_are_those_of_a_16550a),
        cmocka_unit_test(in_loopback_it_receives_what_it_sends),
        cmocka_unit_test(its_line_follows_what_is_received),
        cmocka_unit_test(a_byte_that_is_not_read_times_out_in_virtual_time),
        cmocka_unit_test(a_peer_is_heard_and_answered),
        cmocka_unit_test(nodefaults_leaves_it_out),
    };

    return cmocka_run_group_tests(tests, qtest_group_begin, NULL);
}
