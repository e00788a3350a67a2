/* SPDX-License-Identifier: MIT */
/* The registers as gdb numbers them: names, sizes, and those that are kept in another form. */
#include <string.h>
#include "monitor/gdb-target.h"
#include "tests/test.h"

static const GdbRegister *by_name(const char *name)
{
    const GdbRegister *reg;

    for (unsigned i = 0; (reg = gdb_register(i)); i++) {
        if (!strcmp(reg->name, name)) {
            return reg;
        }
    }
    fail_msg("there is no register '%s'", name);
    return NULL;
}

/* gdb finds these by number, whatever the description says. */
static void the_first_registers_are_gdbs_own(void **state)
{
    static const struct {
        unsigned number;
        const char *name;
        unsigned bytes;
    } known[] = { { 0, "rax", 8 },     { 7, "rsp", 8 },  { 15, "r15", 8 },   { 16, "rip", 8 },
                  { 17, "eflags", 4 }, { 18, "cs", 4 },  { 23, "gs", 4 },    { 24, "st0", 10 },
                  { 32, "fctrl", 4 },  { 39, "fop", 4 }, { 40, "xmm0", 16 }, { 56, "mxcsr", 4 } };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(known); i++) {
        const GdbRegister *reg = gdb_register(known[i].number);

        assert_string_equal(reg->name, known[i].name);
        assert_int_equal(reg->bytes, known[i].bytes);
    }
    assert_null(gdb_register(1000));
    assert_null(gdb_register(UINT64_MAX));
}

static void every_register_is_described_and_lies_in_the_state(void **state)
{
    g_autofree char *xml = gdb_target_xml();
    const GdbRegister *reg;

    (void)state;
    for (unsigned i = 0; (reg = gdb_register(i)); i++) {
        g_autofree char *line =
            g_strdup_printf("<reg name=\"%s\" bitsize=\"%u\"", reg->name, 8U * reg->bytes);

        assert_non_null(strstr(xml, line));
        assert_true((size_t)reg->offset + reg->size <= sizeof(GdbRegisters));
        assert_ptr_equal(by_name(reg->name), reg);
        assert_true(!reg->get == !reg->set);
    }
}

/* SDM vol. 1, 8.1.7 */
static void a_tag_tells_what_is_in_a_register(void **state)
{
    const GdbRegister *ftag = by_name("ftag");
    GdbRegisters regs;

    (void)state;
    memset(&regs, 0, sizeof(regs));
    assert_int_equal(ftag->get(&regs), 0xffff);
    /* Register 7 is on top: a one; 6 a zero; 5 infinite; 4 denormal; the others are empty. */
    regs.x.fsw = 7 << 11;
    regs.x.ftw = 0xf0;
    regs.x.st[0][7] = 0x80;
    regs.x.st[0][8] = 0xff;
    regs.x.st[0][9] = 0x3f;
    regs.x.st[6][7] = 0x80;
    regs.x.st[6][8] = 0xff;
    regs.x.st[6][9] = 0x7f;
    regs.x.st[5][0] = 1;
    assert_int_equal(ftag->get(&regs), 0x1aff);
}

static void a_tag_word_says_which_registers_are_in_use(void **state)
{
    const GdbRegister *ftag = by_name("ftag");
    GdbRegisters regs;

    (void)state;
    memset(&regs, 0, sizeof(regs));
    ftag->set(&regs, 0x1aff);
    assert_int_equal(regs.x.ftw, 0xf0);
    ftag->set(&regs, 0xffff);
    assert_int_equal(regs.x.ftw, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_registers_are_gdbs_own),
        cmocka_unit_test(every_register_is_described_and_lies_in_the_state),
        cmocka_unit_test(a_tag_tells_what_is_in_a_register),
        cmocka_unit_test(a_tag_word_says_which_registers_are_in_use),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
