/* SPDX-License-Identifier: MIT */
/* "port-logger": its lines, and the end of the machine after as many as were asked for. */
#include "tests/unit/isa-fixture.h"
#include <qomet/hw/core/resettable.h>

#define TYPE "port-logger"

static void a_write_prints_port_and_value(void **state)
{
    TestChardev *t = test_chr("log");

    (void)state;
    isa_make(TYPE, "iobase=0x10,iosize=8,chardev=log");
    outb(0x10, 0x5);
    assert_sent(t, "port 0x10 <- 0x05\n");
    out_size(0x12, 1, 2);
    assert_sent(t, "port 0x12 <- 0x0001\n");
    out_size(0x14, 0xdeadbeef, 4);
    assert_sent(t, "port 0x14 <- 0xdeadbeef\n");
}

static void the_port_has_as_many_digits_as_it_needs(void **state)
{
    TestChardev *t = test_chr("log");

    (void)state;
    isa_make(TYPE, "iobase=0,iosize=0x10000,chardev=log");
    outb(0, 0);
    outb(0x3f8, 0x41);
    outb(0xffff, 0xff);
    assert_sent(t, "port 0x0 <- 0x00\nport 0x3f8 <- 0x41\nport 0xffff <- 0xff\n");
}

static void reads_give_all_ones_and_print_nothing(void **state)
{
    TestChardev *t = test_chr("log");

    (void)state;
    isa_make(TYPE, "iosize=4,chardev=log");
    assert_int_equal(in_size(0x10, 4), UINT32_MAX);
    assert_int_equal(inb(0x13), 0xff);
    assert_sent(t, "");
}

static void an_access_of_any_alignment_is_one_line(void **state)
{
    TestChardev *t = test_chr("log");

    (void)state;
    isa_make(TYPE, "iosize=8,chardev=log");
    out_size(0x11, 0x1234, 2);
    out_size(0x13, 0x12345678, 4);
    out_size(0x10, UINT64_C(0x0123456789abcdef), 8);
    assert_sent(t, "port 0x11 <- 0x1234\nport 0x13 <- 0x12345678\n"
                   "port 0x10 <- 0x0123456789abcdef\n");
}

static void a_write_over_the_end_is_cut_there(void **state)
{
    TestChardev *t = test_chr("log");

    (void)state;
    isa_make(TYPE, "iosize=2,chardev=log");
    out_size(0x11, 0xaabb, 2);
    out_size(0x0f, 0xaabb, 2);
    out_size(0x10, 0x11223344, 4);
    assert_sent(t, "port 0x11 <- 0xbb\nport 0x10 <- 0xaa\nport 0x10 <- 0x3344\n");
}

static void after_the_limit_it_ends_the_machine_and_says_no_more(void **state)
{
    TestChardev *t = test_chr("log");

    (void)state;
    isa_make(TYPE, "iosize=2,limit=3,chardev=log");
    for (int i = 0; i < 10; i++) {
        out_size(0x10, i, 2);
    }
    assert_sent(t, "port 0x10 <- 0x0000\nport 0x10 <- 0x0001\nport 0x10 <- 0x0002\n");
    assert_int_equal(qemu_main_loop(), 0);
}

static void without_a_limit_it_goes_on(void **state)
{
    TestChardev *t = test_chr("log");

    (void)state;
    isa_make(TYPE, "chardev=log");
    for (int i = 0; i < 1000; i++) {
        outb(0x10, i);
    }
    assert_int_equal(t->sent->len, 1000 * strlen("port 0x10 <- 0x00\n"));
}

static void *write_for_ever(void *opaque)
{
    for (int i = 0; i < 20000; i++) {
        out_size(0x10, (uintptr_t)opaque, 2);
    }
    entry_thread_unregister();
    return NULL;
}

static void the_limit_holds_against_several_writers(void **state)
{
    TestChardev *t = test_chr("log");
    pthread_t threads[3];
    unsigned lines = 0;

    (void)state;
    isa_make(TYPE, "iosize=2,limit=1000,chardev=log");
    for (uintptr_t i = 0; i < G_N_ELEMENTS(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, write_for_ever, (void *)i), 0);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    for (size_t i = 0; i < t->sent->len; i++) {
        lines += t->sent->str[i] == '\n';
    }
    assert_int_equal(lines, 1000);
}

static void a_reset_counts_anew(void **state)
{
    TestChardev *t = test_chr("log");
    DeviceState *dev = isa_make(TYPE, "limit=1,chardev=log");

    (void)state;
    outb(0x10, 1);
    outb(0x10, 2);
    assert_sent(t, "port 0x10 <- 0x01\n");
    resettable_reset(OBJECT(dev), RESET_TYPE_COLD);
    outb(0x10, 3);
    assert_sent(t, "port 0x10 <- 0x03\n");
}

static void every_size_at_every_offset_is_survived(void **state)
{
    TestChardev *t = test_chr("log");

    (void)state;
    isa_make(TYPE, "iobase=0x20,iosize=3,chardev=log");
    access_everything(0x20, 3);
    g_string_truncate(t->sent, 0);
    outb(0x22, 1);
    assert_sent(t, "port 0x22 <- 0x01\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        isa_test(a_write_prints_port_and_value),
        isa_test(the_port_has_as_many_digits_as_it_needs),
        isa_test(reads_give_all_ones_and_print_nothing),
        isa_test(an_access_of_any_alignment_is_one_line),
        isa_test(a_write_over_the_end_is_cut_there),
        isa_test(after_the_limit_it_ends_the_machine_and_says_no_more),
        isa_test(without_a_limit_it_goes_on),
        isa_test(the_limit_holds_against_several_writers),
        isa_test(a_reset_counts_anew),
        isa_test(every_size_at_every_offset_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
