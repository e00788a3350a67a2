/* SPDX-License-Identifier: MIT */
/* Interrupt lines that a test watches and sets, whoever changes them. */
#include "tests/unit/qtest-fixture.h"
#include <pthread.h>

static void an_output_line_is_told_when_it_changes(void **state)
{
    (void)state;
    assert_answer("outl 0x104 1", "OK");
    assert_answer("irq_intercept_out /machine/peripheral/toy", "OK");
    assert_answer("irq_intercept_out toy", "OK");
    send_bytes("outl 0x104 1\n", 13);
    assert_line("IRQ raise 0");
    assert_line("OK");
    assert_answer("outl 0x104 1", "OK");
    send_bytes("outl 0x104 0\n", 13);
    assert_line("IRQ lower 0");
    assert_line("OK");
    assert_fails("irq_intercept_in /machine/peripheral/toy");
}

static void an_output_still_leads_where_it_led(void **state)
{
    GError *error = NULL;

    (void)state;
    assert_true(qdev_connect_gpio_out(DEVICE(bench.toy), 1, qdev_get_gpio_in(DEVICE(bench.toy), 1),
                                      &error));
    assert_answer("irq_intercept_out toy", "OK");
    assert_answer("outl 0x108 10", "OK");
    send_bytes("clock_step 10\n", 14);
    assert_line("IRQ raise 1");
    assert_line("OK 0x000000000000000a");
    assert_int_equal(bench.toy->data, 0x201);
}

static void an_input_line_is_set_and_watched(void **state)
{
    (void)state;
    assert_answer("set_irq_in toy unnamed-gpio-in 1 1", "OK");
    assert_int_equal(bench.toy->data, 0x201);
    assert_answer("set_irq_in toy named 0 5", "OK");
    assert_int_equal(bench.toy->data, 0x105);
    assert_answer("irq_intercept_in toy", "OK");
    send_bytes("set_irq_in toy unnamed-gpio-in 0 1\n", 35);
    assert_line("IRQ raise 0");
    assert_line("OK");
    assert_answer("set_irq_in toy unnamed-gpio-in 0 1", "OK");
    assert_int_equal(bench.toy->data, 0x101);
}

static void the_lines_of_a_board_are_watched(void **state)
{
    qemu_irq lines[3];

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++) {
        lines[i] = qemu_allocate_irq(toy_input, bench.toy, (int)i);
        assert_true(
            object_property_add_child(qdev_get_machine(), "line[*]", OBJECT(lines[i]), NULL));
        object_unref(lines[i]);
    }
    assert_answer("irq_intercept_in /machine", "OK");
    qemu_irq_raise(lines[2]);
    qemu_irq_lower(lines[2]);
    assert_line("IRQ raise 2");
    assert_line("IRQ lower 2");
    assert_int_equal(bench.toy->data, 0x300);
}

#define CHANGES 2000

static void *change_line(void *opaque)
{
    for (unsigned i = 0; i < CHANGES; i++) {
        qemu_set_irq(opaque, (i & 1) == 0);
    }
    return NULL;
}

static void a_line_may_change_on_any_thread(void **state)
{
    qemu_irq line = qemu_allocate_irq(toy_input, bench.toy, 0);
    unsigned told = 0, answered = 0;
    pthread_t thread;

    (void)state;
    assert_true(object_property_add_child(qdev_get_machine(), "line[*]", OBJECT(line), NULL));
    assert_answer("irq_intercept_in /machine", "OK");
    assert_int_equal(pthread_create(&thread, NULL, change_line, line), 0);
    for (unsigned i = 0; i < CHANGES; i++) {
        send_bytes("endianness\n", 11);
    }
    /* Whole lines in some order, and the line's changes in their own. */
    while (told < CHANGES || answered < CHANGES) {
        g_autofree char *text = receive();

        if (strcmp(text, "OK little") == 0) {
            answered++;
        } else {
            assert_string_equal(text, told % 2 == 0 ? "IRQ raise 0" : "IRQ lower 0");
            told++;
        }
    }
    pthread_join(thread, NULL);
    object_unref(line);
}

/* Sends about 20 MiB of them. */
static void *flood_line(void *opaque)
{
    for (unsigned i = 0; i < (20 << 20) / 12; i++) {
        qemu_set_irq(opaque, (i & 1) == 0);
    }
    return NULL;
}

static void a_guest_that_floods_a_test_with_interrupts_does_not_fill_the_memory(void **state)
{
    qemu_irq line = qemu_allocate_irq(toy_input, bench.toy, 0);
    uint64_t bytes = 0;
    pthread_t thread;

    (void)state;
    assert_true(object_property_add_child(qdev_get_machine(), "line[*]", OBJECT(line), NULL));
    assert_answer("irq_intercept_in /machine", "OK");
    assert_int_equal(pthread_create(&thread, NULL, flood_line, line), 0);
    pthread_join(thread, NULL);
    send_bytes("endianness\n", 11);
    for (;;) {
        char buf[65536];
        ssize_t n = recv(bench.sock, buf, sizeof(buf), 0);

        main_loop_wait(false);
        if (n > 0) {
            bytes += (uint64_t)n;
            if (n >= 10 && memcmp(buf + n - 10, "OK little\n", 10) == 0) {
                break;
            }
        }
    }
    assert_in_range(bytes, 1 << 20, 10 << 20);
    object_unref(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_guest_that_floods_a_test_with_interrupts_does_not_fill_the_memory),
        TEST(an_output_line_is_told_when_it_changes),
        TEST(an_output_still_leads_where_it_led),
        TEST(an_input_line_is_set_and_watched),
        TEST(the_lines_of_a_board_are_watched),
        TEST(a_line_may_change_on_any_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
