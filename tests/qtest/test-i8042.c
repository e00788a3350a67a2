/* SPDX-License-Identifier: MIT */
/*
 * The keyboard controller, driven without a CPU: its commands, what keyboard and mouse answer,
 * lines, and the ways in which it resets the machine.
 */
#include <stdlib.h>
#include <string.h>
#include "tests/qtest/qtest-test.h"

#define DATA 0x60
#define COMMAND 0x64
#define STATUS_OBF 0x01
#define STATUS_SELF_TEST 0x04
#define STATUS_COMMAND 0x08
#define STATUS_MOUSE 0x20

#define KBD_IRQ 1
#define MOUSE_IRQ 12

#define BOARD "-M bare,kernel-irqchip=on -serial null -device i8042,id=kbc"

static QTestState *start(void)
{
    QTestState *s = qtest_init(BOARD);

    qtest_irq_intercept_in(s, "/machine/pic");
    return s;
}

static void command(QTestState *s, uint8_t value)
{
    qtest_outb(s, COMMAND, value);
}

/* A command with an argument. */
static void command_with(QTestState *s, uint8_t value, uint8_t argument)
{
    command(s, value);
    qtest_outb(s, DATA, argument);
}

static uint8_t status(QTestState *s)
{
    return qtest_inb(s, COMMAND);
}

/* Exactly the @n bytes of @bytes come, of the mouse or not. */
static void assert_comes(QTestState *s, const uint8_t *bytes, size_t n, bool mouse)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(status(s) & (STATUS_OBF | STATUS_MOUSE),
                         STATUS_OBF | (mouse ? STATUS_MOUSE : 0));
        assert_int_equal(qtest_inb(s, DATA), bytes[i]);
    }
    assert_false(status(s) & STATUS_OBF);
}

#define BYTES(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ })
#define assert_kbd_sends(s, ...) assert_comes(s, BYTES(__VA_ARGS__), false)
#define assert_mouse_sends(s, ...) assert_comes(s, BYTES(__VA_ARGS__), true)

static void keyboard(QTestState *s, uint8_t value)
{
    qtest_outb(s, DATA, value);
}

static void mouse(QTestState *s, uint8_t value)
{
    command_with(s, 0xd4, value);
}

static void it_tests_itself(void **state)
{
    QTestState *s = start();

    (void)state;
    assert_int_equal(status(s), 0x18);
    command(s, 0xaa);
    assert_int_equal(status(s), 0x18 | STATUS_SELF_TEST | STATUS_OBF);
    assert_kbd_sends(s, 0x55);
    command(s, 0xab);
    assert_kbd_sends(s, 0);
    command(s, 0xa9);
    assert_kbd_sends(s, 0);
    command(s, 0xc0);
    assert_kbd_sends(s, 0x80);
    assert_int_equal(qtest_quit(s), 0);
}

static void the_mode_is_written_and_read(void **state)
{
    QTestState *s = start();

    (void)state;
    command(s, 0x20);
    assert_kbd_sends(s, 0x03);
    command_with(s, 0x60, 0x47);
    assert_false(status(s) & STATUS_COMMAND);
    command(s, 0x20);
    assert_kbd_sends(s, 0x47);
    command(s, 0xad);
    command(s, 0xa7);
    command(s, 0x20);
    assert_kbd_sends(s, 0x77);
    command(s, 0xae);
    command(s, 0xa8);
    command(s, 0x20);
    assert_kbd_sends(s, 0x47);
    assert_int_equal(qtest_quit(s), 0);
}

static void the_keyboard_says_what_it_is(void **state)
{
    QTestState *s = start();

    (void)state;
    keyboard(s, 0xf2);
    assert_kbd_sends(s, 0xfa, 0xab, 0x83);
    command_with(s, 0x60, 0x43); /* translated */
    keyboard(s, 0xf2);
    assert_kbd_sends(s, 0xfa, 0xab, 0x41);
    keyboard(s, 0xff);
    assert_kbd_sends(s, 0xfa, 0xaa);
    keyboard(s, 0xee);
    assert_kbd_sends(s, 0xee);
    keyboard(s, 0xed);
    assert_kbd_sends(s, 0xfa);
    keyboard(s, 0x07);
    assert_kbd_sends(s, 0xfa);
    for (unsigned value = 0xf3; value <= 0xf6; value++) {
        keyboard(s, value);
        assert_kbd_sends(s, 0xfa);
        if (value == 0xf3) {
            keyboard(s, 0x20);
            assert_kbd_sends(s, 0xfa);
        }
    }
    keyboard(s, 0x11);
    assert_kbd_sends(s, 0xfe);
    assert_int_equal(qtest_quit(s), 0);
}

static void the_keyboard_has_three_sets_of_codes(void **state)
{
    QTestState *s = start();

    (void)state;
    for (unsigned set = 1; set <= 3; set++) {
        keyboard(s, 0xf0);
        assert_kbd_sends(s, 0xfa);
        keyboard(s, set);
        assert_kbd_sends(s, 0xfa);
        keyboard(s, 0xf0);
        assert_kbd_sends(s, 0xfa);
        keyboard(s, 0);
        assert_kbd_sends(s, 0xfa, set);
    }
    keyboard(s, 0xf0);
    assert_kbd_sends(s, 0xfa);
    keyboard(s, 4);
    assert_kbd_sends(s, 0xfe);
    assert_int_equal(qtest_quit(s), 0);
}

static void the_mouse_says_what_it_is(void **state)
{
    static const uint8_t wheel[] = { 200, 100, 80 }, buttons[] = { 200, 200, 80 };
    QTestState *s = start();

    (void)state;
    mouse(s, 0xff);
    assert_mouse_sends(s, 0xfa, 0xaa, 0x00);
    mouse(s, 0xe9);
    assert_mouse_sends(s, 0xfa, 0x00, 2, 100);
    for (unsigned i = 0; i < 3; i++) {
        mouse(s, 0xf3);
        assert_mouse_sends(s, 0xfa);
        mouse(s, wheel[i]);
        assert_mouse_sends(s, 0xfa);
    }
    mouse(s, 0xf2);
    assert_mouse_sends(s, 0xfa, 3);
    for (unsigned i = 0; i < 3; i++) {
        mouse(s, 0xf3);
        assert_mouse_sends(s, 0xfa);
        mouse(s, buttons[i]);
        assert_mouse_sends(s, 0xfa);
    }
    mouse(s, 0xf2);
    assert_mouse_sends(s, 0xfa, 4);
    mouse(s, 0xeb);
    assert_mouse_sends(s, 0xfa, 8, 0, 0);
    mouse(s, 0xff);
    assert_mouse_sends(s, 0xfa, 0xaa, 0x00);
    mouse(s, 0x01);
    assert_mouse_sends(s, 0xfe);
    assert_int_equal(qtest_quit(s), 0);
}

static void the_mouse_keeps_how_it_was_set(void **state)
{
    QTestState *s = start();

    (void)state;
    for (const uint8_t *c = (const uint8_t *)"\xe7\xf4\xf0\xe8\x03\xf3\x28"; *c; c++) {
        mouse(s, *c);
        assert_mouse_sends(s, 0xfa);
    }
    mouse(s, 0xe9);
    assert_mouse_sends(s, 0xfa, 0x70, 3, 0x28);
    for (const uint8_t *c = (const uint8_t *)"\xe6\xf5\xea"; *c; c++) {
        mouse(s, *c);
        assert_mouse_sends(s, 0xfa);
    }
    mouse(s, 0xe9);
    assert_mouse_sends(s, 0xfa, 0, 3, 0x28);
    mouse(s, 0xf6);
    assert_mouse_sends(s, 0xfa);
    mouse(s, 0xe9);
    assert_mouse_sends(s, 0xfa, 0, 2, 100);
    mouse(s, 0xee); /* from now on what it is sent comes back */
    assert_mouse_sends(s, 0xfa);
    mouse(s, 0xf4);
    assert_mouse_sends(s, 0xf4);
    mouse(s, 0xec);
    assert_mouse_sends(s, 0xfa);
    mouse(s, 0xf4);
    assert_mouse_sends(s, 0xfa);
    assert_int_equal(qtest_quit(s), 0);
}

static void each_byte_is_an_interrupt(void **state)
{
    QTestState *s = start();

    (void)state;
    assert_false(qtest_get_irq(s, KBD_IRQ));
    keyboard(s, 0xff);
    assert_true(qtest_get_irq(s, KBD_IRQ));
    qtest_inb(s, DATA);
    assert_true(qtest_get_irq(s, KBD_IRQ)); /* of the second one */
    qtest_inb(s, DATA);
    assert_false(qtest_get_irq(s, KBD_IRQ));
    mouse(s, 0xf4);
    assert_true(qtest_get_irq(s, MOUSE_IRQ));
    assert_false(qtest_get_irq(s, KBD_IRQ));
    qtest_inb(s, DATA);
    assert_false(qtest_get_irq(s, MOUSE_IRQ));
    command_with(s, 0x60, 0x00);
    keyboard(s, 0xee);
    mouse(s, 0xf4);
    assert_false(qtest_get_irq(s, KBD_IRQ));
    assert_int_equal(qtest_inb(s, DATA), 0xee);
    assert_mouse_sends(s, 0xfa);
    assert_false(qtest_get_irq(s, MOUSE_IRQ));
    assert_int_equal(qtest_quit(s), 0);
}

static void what_the_controller_is_told_to_send_it_sends(void **state)
{
    QTestState *s = start();

    (void)state;
    command_with(s, 0xd2, 0x12);
    assert_kbd_sends(s, 0x12);
    command_with(s, 0xd3, 0x5a);
    assert_true(qtest_get_irq(s, MOUSE_IRQ));
    assert_mouse_sends(s, 0x5a);
    assert_int_equal(qtest_quit(s), 0);
}

static void who_is_switched_off_waits(void **state)
{
    QTestState *s = start();

    (void)state;
    keyboard(s, 0xff);
    command(s, 0xad);
    assert_true(status(s) & STATUS_OBF); /* the first byte is there already */
    assert_int_equal(qtest_inb(s, DATA), 0xfa);
    assert_false(status(s) & STATUS_OBF);
    command(s, 0xae);
    assert_kbd_sends(s, 0xaa);
    assert_int_equal(qtest_quit(s), 0);
}

static void the_controllers_answer_follows_what_was_not_read(void **state)
{
    QTestState *s = start();

    (void)state;
    keyboard(s, 0xf2);
    command(s, 0xaa);
    assert_kbd_sends(s, 0xfa, 0x55, 0xab, 0x83);
    assert_int_equal(qtest_quit(s), 0);
}

static void a20_is_in_the_output_port(void **state)
{
    QTestState *s = start();

    (void)state;
    command(s, 0xd0);
    assert_kbd_sends(s, 0x03);
    command(s, 0xdd);
    command(s, 0xd0);
    assert_kbd_sends(s, 0x01);
    command(s, 0xdf);
    command(s, 0xd0);
    assert_kbd_sends(s, 0x03);
    command_with(s, 0xd1, 0x01);
    command(s, 0xd0);
    assert_kbd_sends(s, 0x01);
    assert_int_equal(qtest_quit(s), 0);
}

/* It is a reset when the mode is as at first afterwards. */
static void assert_resets(uint8_t value, int argument)
{
    QTestState *s = start();

    command_with(s, 0x60, 0x47);
    command(s, value);
    if (argument >= 0) {
        qtest_outb(s, DATA, argument);
    }
    for (unsigned i = 0; i < 1000 && status(s) != 0x18; i++) {
        /* The main loop has its turn between two commands of the tester. */
    }
    command(s, 0x20);
    assert_kbd_sends(s, 0x03);
    assert_int_equal(qtest_quit(s), 0);
}

static void it_resets_the_machine(void **state)
{
    QTestState *s;

    (void)state;
    assert_resets(0xfe, -1);
    assert_resets(0xf0, -1);
    assert_resets(0xd1, 0x02);
    s = qtest_init(BOARD " -no-reboot");
    command(s, 0xff); /* no line is pulsed */
    command(s, 0xfe);
    assert_int_equal(qtest_wait(s), 0);
    assert_int_equal(qtest_quit(s), 0);
}

static void any_command_at_any_time_harms_nothing(void **state)
{
    QTestState *s = start();
    uint32_t random = 1;

    (void)state;
    for (unsigned i = 0; i < 4000; i++) {
        random = random * 1103515245 + 12345;
        uint8_t value = random >> 16;

        if (random & 1 << 30) {
            qtest_outb(s, COMMAND, value >= 0xf0 || value == 0xd1 ? 0xd4 : value);
        } else {
            qtest_outb(s, DATA, value);
        }
        if (random & 1 << 29) {
            qtest_inb(s, DATA);
            status(s);
        }
    }
    for (unsigned port = DATA - 2; port < COMMAND + 3; port++) {
        for (const char *size = "bwl"; *size; size++) {
            free(qtest_command(s, "out%c 0x%x 0x%x", *size, port, 0xffffffff));
            free(qtest_command(s, "in%c 0x%x", *size, port));
        }
    }
    for (unsigned i = 0; i < 8; i++) {
        qtest_inb(s, DATA);
    }
    command(s, 0xaa);
    assert_kbd_sends(s, 0x55);
    assert_int_equal(qtest_quit(s), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_tests_itself),
        cmocka_unit_test(the_mode_is_written_and_read),
        cmocka_unit_test(the_keyboard_says_what_it_is),
        cmocka_unit_test(the_keyboard_has_three_sets_of_codes),
        cmocka_unit_test(the_mouse_says_what_it_is),
        cmocka_unit_test(the_mouse_keeps_how_it_was_set),
        cmocka_unit_test(each_byte_is_an_interrupt),
        cmocka_unit_test(what_the_controller_is_told_to_send_it_sends),
        cmocka_unit_test(who_is_switched_off_waits),
        cmocka_unit_test(the_controllers_answer_follows_what_was_not_read),
        cmocka_unit_test(a20_is_in_the_output_port),
        cmocka_unit_test(it_resets_the_machine),
        cmocka_unit_test(any_command_at_any_time_harms_nothing),
    };

    return cmocka_run_group_tests(tests, qtest_group_begin, NULL);
}
