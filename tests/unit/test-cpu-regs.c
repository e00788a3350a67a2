/* SPDX-License-Identifier: MIT */
/*
 * x86 registers as text, their values at power-on, and code found through page tables made by hand.
 */
#include <inttypes.h>
#include <string.h>
#include <qomet/accel/cpu.h>
#include "accel/x86-bits.h"
#include "tests/unit/ram-fixture.h"

static X86CPU *cpu;

static int setup(void **state)
{
    GError *error = NULL;

    if (ram_setup(state) != 0) {
        return -1;
    }
    cpu = X86_CPU(qdev_new(X86_CPU_TYPE_NAME("qemu64"), &error));
    return cpu ? 0 : -1;
}

static int teardown(void **state)
{
    object_unref(cpu);
    return ram_teardown(state);
}

/* Power-on registers and empty memory. */
static int fresh(void **state)
{
    (void)state;
    x86_registers_reset(&cpu->regs);
    cpu->regs_fetched = true;
    ram_clear();
    return 0;
}

static void assert_translates(uint64_t gva, hwaddr expected)
{
    GError *error = NULL;
    hwaddr gpa = 0;

    if (!x86_cpu_translate(cpu, gva, &gpa, &error)) {
        fail_msg("0x%" PRIx64 ": %s", gva, error->message);
    }
    assert_int_equal(gpa, expected);
}

static void assert_refused(uint64_t gva, const char *text)
{
    g_autoptr(GError) error = NULL;
    hwaddr gpa;

    assert_false(x86_cpu_translate(cpu, gva, &gpa, &error));
    if (!strstr(error->message, text)) {
        fail_msg("'%s' is not in: %s", text, error->message);
    }
}

static void four_levels(void)
{
    cpu->regs.cr0 |= X86_CR0_PE | X86_CR0_PG;
    cpu->regs.cr4 = X86_CR4_PAE;
    cpu->regs.efer = X86_EFER_LME | X86_EFER_LMA;
    cpu->regs.cr3 = 0x1000;
    poke(0x1000, 0x2000 | X86_PTE_P, 8);
    poke(0x2000, 0x3000 | X86_PTE_P, 8);
    poke(0x3000, 0x4000 | X86_PTE_P, 8);
}

/* ---- Values and text ---- */

static void power_on_is_at_the_reset_vector(void **state)
{
    const X86Registers *r = &cpu->regs;

    (void)state;
    assert_int_equal(r->seg[X86_CS].base + r->rip, 0xfffffff0);
    assert_int_equal(r->seg[X86_CS].selector, 0xf000);
    assert_int_equal(r->rflags, 2);
    assert_int_equal(r->cr0, 0x60000010);
    assert_int_equal(r->seg[X86_DS].limit, 0xffff);
    assert_int_equal(r->apic_base & 0xfffff000, 0xfee00000);
}

static void a_dump_names_every_register_and_the_mode(void **state)
{
    static const char *const names[] = {
        "RAX=", "RBX=", "RCX=", "RDX=", "RSI=", "RDI=", "RBP=",    "RSP=", "R8 =", "R9 =", "R10=",
        "R11=", "R12=", "R13=", "R14=", "R15=", "RIP=", "RFLAGS=", "ES =", "CS =", "SS =", "DS =",
        "FS =", "GS =", "LDT=", "TR =", "GDT ", "IDT ", "CR0=",    "CR2=", "CR3=", "CR4=", "EFER="
    };
    g_autoptr(GString) text = g_string_new(NULL);

    (void)state;
    cpu->regs.gpr[X86_R15] = UINT64_C(0x123456789abcdef0);
    cpu->regs.rflags |= X86_RFLAGS_IF;
    CPU_GET_CLASS(cpu)->dump_state(CPU(cpu), text);
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (!strstr(text->str, names[i])) {
            fail_msg("no %s in:\n%s", names[i], text->str);
        }
    }
    assert_non_null(strstr(text->str, "R15=123456789abcdef0"));
    assert_non_null(strstr(text->str, "RFLAGS=00000202 ( IF ) real mode"));
    assert_non_null(
        strstr(text->str, "CS =f000 base 00000000ffff0000 limit 0000ffff code readable 16-bit"));
}

static void a_dump_tells_the_modes_apart(void **state)
{
    static const struct {
        uint64_t cr0, rflags, efer;
        bool l;
        const char *mode;
    } modes[] = {
        { 0, 2, 0, false, "real mode" },
        { X86_CR0_PE, 2, 0, false, "protected mode, no paging" },
        { X86_CR0_PE | X86_CR0_PG, 2, 0, false, "protected mode, paging" },
        { X86_CR0_PE, X86_RFLAGS_VM, 0, false, "virtual 8086 mode" },
        { X86_CR0_PE | X86_CR0_PG, 2, X86_EFER_LMA, false, "compatibility mode" },
        { X86_CR0_PE | X86_CR0_PG, 2, X86_EFER_LMA, true, "64-bit mode" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autoptr(GString) text = g_string_new(NULL);

        cpu->regs.cr0 = modes[i].cr0;
        cpu->regs.rflags = modes[i].rflags;
        cpu->regs.efer = modes[i].efer;
        cpu->regs.seg[X86_CS].l = modes[i].l;
        x86_registers_dump(&cpu->regs, text);
        assert_non_null(strstr(text->str, modes[i].mode));
    }
}

/* ---- Addresses ---- */

static void an_address_is_translated_or_the_entry_that_says_no_is_named(void **state)
{
    (void)state;
    assert_translates(0x12345678, 0x12345678);
    four_levels();
    poke(0x4000 + 8 * 7, UINT64_C(0xabcde000) | X86_PTE_P, 8);
    assert_translates(0x7123, UINT64_C(0xabcde123));
    assert_refused(0x5000, "no page is mapped at 0x5000 (PTE at 0x4028: not present)");
    assert_refused(UINT64_C(1) << 47, "no page is mapped at 0x800000000000: not canonical");
    poke(0x2000, RAM_BYTES | X86_PTE_P, 8);
    assert_refused(0x5000, "(PDE at 0x100000: outside RAM)");
}

/* ---- Code ---- */

static void code_is_read_across_pages_until_it_ends(void **state)
{
    uint8_t code[16];

    (void)state;
    four_levels();
    poke(0x4000, 0x8000 | X86_PTE_P, 8);
    poke(0x4008, 0x6000 | X86_PTE_P, 8);
    poke(0x8ffe, 0xbbaa, 2);
    poke(0x6000, 0xddcc, 2);
    cpu->regs.seg[X86_CS].l = true;
    cpu->regs.rip = 0xffe;
    assert_int_equal(x86_cpu_code_bytes(cpu, code, 16), 16);
    assert_memory_equal(code, "\xaa\xbb\xcc\xdd\0\0", 6);
    cpu->regs.rip = 0x1ffd;
    assert_int_equal(x86_cpu_code_bytes(cpu, code, 16), 3);
    cpu->regs.rip = 0x5000;
    assert_int_equal(x86_cpu_code_bytes(cpu, code, 16), 0);
}

static void code_in_real_mode_is_at_cs_and_ip(void **state)
{
    uint8_t code[4];

    (void)state;
    cpu->regs.seg[X86_CS].base = 0x20000;
    cpu->regs.rip = 0x10;
    poke(0x20010, 0x44332211, 4);
    assert_int_equal(x86_cpu_code_bytes(cpu, code, 4), 4);
    assert_memory_equal(code, "\x11\x22\x33\x44", 4);
    cpu->regs.seg[X86_CS].base = RAM_BYTES;
    assert_int_equal(x86_cpu_code_bytes(cpu, code, 4), 0);
}

static void registers_of_a_cpu_that_nobody_executes_are_an_error(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = g_string_new(NULL);

    (void)state;
    cpu->regs_fetched = false;
    assert_null(x86_cpu_registers(cpu, &error));
    assert_non_null(error);
    CPU_GET_CLASS(cpu)->dump_state(CPU(cpu), text);
    assert_non_null(strstr(text->str, "no registers"));
}

#define test(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(power_on_is_at_the_reset_vector),
        test(a_dump_names_every_register_and_the_mode),
        test(a_dump_tells_the_modes_apart),
        test(an_address_is_translated_or_the_entry_that_says_no_is_named),
        test(code_is_read_across_pages_until_it_ends),
        test(code_in_real_mode_is_at_cs_and_ip),
        test(registers_of_a_cpu_that_nobody_executes_are_an_error),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
