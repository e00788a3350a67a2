/* SPDX-License-Identifier: MIT */
/* "isa-debugcon": what is written, where to, and what a read gives. */
#include "tests/unit/isa-fixture.h"
#include <unistd.h>
#include <sys/wait.h>

#define TYPE "isa-debugcon"

static void a_byte_written_reaches_the_chardev_at_once(void **state)
{
    TestChardev *t = test_chr("con");

    (void)state;
    isa_make(TYPE, "chardev=con");
    outb(0xe9, 'H');
    assert_sent(t, "H");
    outb(0xe9, 'i');
    outb(0xe9, '\n');
    assert_sent(t, "i\n");
}

static void every_byte_value_passes(void **state)
{
    TestChardev *t = test_chr("con");

    (void)state;
    isa_make(TYPE, "chardev=con");
    for (int i = 0; i < 256; i++) {
        outb(0xe9, i);
    }
    assert_int_equal(t->sent->len, 256);
    for (int i = 0; i < 256; i++) {
        assert_int_equal((uint8_t)t->sent->str[i], i);
    }
}

static void a_read_gives_the_readback_value(void **state)
{
    (void)state;
    isa_make(TYPE, "");
    isa_make(TYPE, "iobase=0xf1,readback=0x5a");
    assert_int_equal(inb(0xe9), 0xe9);
    assert_int_equal(inb(0xf1), 0x5a);
}

static void a_wider_write_reaches_the_port_with_its_own_byte(void **state)
{
    TestChardev *t = test_chr("con");

    (void)state;
    isa_make(TYPE, "chardev=con");
    out_size(0xe9, 'a' | 'b' << 8, 2);
    assert_sent(t, "a");
    out_size(0xe8, 'a' | 'b' << 8, 2);
    assert_sent(t, "b");
    out_size(0xe6, 0x64636261, 4);
    assert_sent(t, "d");
}

static void every_size_at_every_offset_is_survived(void **state)
{
    (void)state;
    test_chr("con");
    isa_make(TYPE, "chardev=con");
    access_everything(0xe9, 1);
    assert_int_equal(inb(0xe9), 0xe9);
}

static void a_port_past_the_last_is_refused(void **state)
{
    (void)state;
    isa_make(TYPE, "iobase=0xffff");
    assert_int_equal(inb(0xffff), 0xe9);
    assert_isa_refused("ports 0x10000 to 0x10000 of 'isa-debugcon' go past the last one, 0xffff",
                       TYPE, "iobase=0x10000");
    assert_isa_refused(
        "ports 0xffffffff to 0xffffffff of 'isa-debugcon' go past the last one, 0xffff", TYPE,
        "iobase=0xffffffff");
}

static void two_on_one_port_are_refused_and_leave_nothing(void **state)
{
    TestChardev *t = test_chr("con");
    GError *err = NULL;

    (void)state;
    isa_make(TYPE, "");
    assert_null(isa_try(TYPE, "chardev=con", &err));
    assert_non_null(err);
    g_error_free(err);
    assert_null(t->parent_obj.be);
    isa_make(TYPE, "iobase=0xea,chardev=con");
}

static void realize_fails_whole_at_each_step(void **state)
{
    TestChardev *t = test_chr("con");
    unsigned nth = 1;

    (void)state;
    for (;; nth++) {
        DeviceState *dev;

        qdev_fault_inject(nth);
        dev = isa_try(TYPE, "chardev=con", NULL);
        qdev_fault_inject(0);
        if (dev) {
            object_unparent(OBJECT(dev));
            break;
        }
        assert_null(t->parent_obj.be);
        assert_int_equal(inb(0xe9), 0xff);
        assert_int_equal(isa->parent_obj.children->len, 0);
    }
    assert_true(nth > 2);
    assert_int_equal(inb(0xe9), 0xff);
    isa_make(TYPE, "chardev=con");
}

static void unplugged_it_is_gone_and_its_chardev_free(void **state)
{
    TestChardev *t = test_chr("con");
    DeviceState *dev = isa_make(TYPE, "chardev=con");

    (void)state;
    object_unparent(OBJECT(dev));
    assert_int_equal(inb(0xe9), 0xff);
    assert_null(t->parent_obj.be);
}

static void without_a_chardev_it_writes_to_standard_output_in_order(void **state)
{
    char got[64] = { 0 };
    int fds[2], saved;

    (void)state;
    isa_make(TYPE, "");
    isa_make(TYPE, "iobase=0xf1");
    fflush(stdout);
    saved = dup(STDOUT_FILENO);
    assert_int_equal(pipe(fds), 0);
    dup2(fds[1], STDOUT_FILENO);
    outb(0xe9, 'a');
    outb(0xf1, 'b');
    outb(0xe9, 'c');
    /* Nothing has to happen before it can be read. */
    assert_int_equal(read(fds[0], got, sizeof(got)), 3);
    dup2(saved, STDOUT_FILENO);
    assert_string_equal(got, "abc");
    qemu_chr_cleanup();
    close(fds[0]);
    close(fds[1]);
    close(saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        isa_test(a_byte_written_reaches_the_chardev_at_once),
        isa_test(every_byte_value_passes),
        isa_test(a_read_gives_the_readback_value),
        isa_test(a_wider_write_reaches_the_port_with_its_own_byte),
        isa_test(every_size_at_every_offset_is_survived),
        isa_test(a_port_past_the_last_is_refused),
        isa_test(two_on_one_port_are_refused_and_leave_nothing),
        isa_test(realize_fails_whole_at_each_step),
        isa_test(unplugged_it_is_gone_and_its_chardev_free),
        isa_test(without_a_chardev_it_writes_to_standard_output_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
