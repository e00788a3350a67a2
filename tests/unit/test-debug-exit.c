/* SPDX-License-Identifier: MIT */
/* "isa-debug-exit": the status that a write ends the machine with. */
#include "tests/unit/isa-fixture.h"

#define TYPE "isa-debug-exit"

static void a_write_of_v_ends_with_v_doubled_plus_one(void **state)
{
    static const struct {
        uint64_t value;
        unsigned size;
        int status;
    } cases[] = {
        { 0, 1, 1 },      { 1, 1, 3 },           { 0x10, 1, 0x21 },
        { 0xff, 1, 511 }, { 0x1234, 2, 0x2469 }, { 0x01234567, 4, 0x02468acf },
    };

    (void)state;
    isa_make(TYPE, "iosize=4");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        runstate_cleanup();
        out_size(0x501, cases[i].value, cases[i].size);
        assert_int_equal(qemu_main_loop(), cases[i].status);
    }
}

static void the_first_write_counts(void **state)
{
    (void)state;
    isa_make(TYPE, "");
    outb(0x501, 2);
    outb(0x502, 3);
    assert_int_equal(qemu_main_loop(), 5);
}

static void it_has_two_ports_by_default(void **state)
{
    (void)state;
    isa_make(TYPE, "");
    assert_int_equal(inb(0x500), 0xff);
    assert_int_equal(inb(0x501), 0);
    assert_int_equal(inb(0x502), 0);
    assert_int_equal(inb(0x503), 0xff);
    out_size(0x501, 0x1234, 2);
    assert_int_equal(qemu_main_loop(), 0x2469);
}

static void its_ports_are_given(void **state)
{
    (void)state;
    isa_make(TYPE, "iobase=0xf4,iosize=0x04");
    outb(0xf7, 7);
    assert_int_equal(qemu_main_loop(), 15);
}

static void no_ports_or_too_many_are_refused(void **state)
{
    GError *err = NULL;

    (void)state;
    assert_null(isa_try(TYPE, "iosize=0", &err));
    assert_non_null(strstr(err->message, "iosize"));
    g_clear_error(&err);
    assert_null(isa_try(TYPE, "iosize=0x10000", &err));
    assert_non_null(strstr(err->message, "go past the last one"));
    g_clear_error(&err);
    isa_make(TYPE, "iobase=0,iosize=0x10000");
}

static void every_size_at_every_offset_is_survived(void **state)
{
    (void)state;
    isa_make(TYPE, "");
    access_everything(0x501, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        isa_test(a_write_of_v_ends_with_v_doubled_plus_one),
        isa_test(the_first_write_counts),
        isa_test(it_has_two_ports_by_default),
        isa_test(its_ports_are_given),
        isa_test(no_ports_or_too_many_are_refused),
        isa_test(every_size_at_every_offset_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
