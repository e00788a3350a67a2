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

static void a_dump_has_the_lines_of_qemu_and_names_the_mode(void **state)
{
    g_autoptr(GString) text = g_string_new(NULL);

    (void)state;
    cpu->regs.gpr[X86_RBX] = UINT64_C(0x123456789abcdef0);
    cpu->regs.rflags |= X86_RFLAGS_IF | 1 << 6 | 1;
    CPU_GET_CLASS(cpu)->dump_state(CPU(cpu), false, text);
    assert_string_equal(text->str,
                        "EAX=00000000 EBX=9abcdef0 ECX=00000000 EDX=00000600\n"
                        "ESI=00000000 EDI=00000000 EBP=00000000 ESP=00000000\n"
                        "EIP=0000fff0 EFL=00000243 [---Z--C] CPL=0 II=0 A20=1 SMM=0 HLT=0\n"
                        "ES =0000 00000000 0000ffff 00009300\n"
                        "CS =f000 ffff0000 0000ffff 00009b00\n"
                        "SS =0000 00000000 0000ffff 00009300\n"
                        "DS =0000 00000000 0000ffff 00009300\n"
                        "FS =0000 00000000 0000ffff 00009300\n"
                        "GS =0000 00000000 0000ffff 00009300\n"
                        "LDT=0000 00000000 0000ffff 00008200\n"
                        "TR =0000 00000000 0000ffff 00008b00\n"
                        "GDT=     00000000 0000ffff\n"
                        "IDT=     00000000 0000ffff\n"
                        "CR0=60000010 CR2=00000000 CR3=00000000 CR4=00000000\n"
                        "EFER=0000000000000000\n"
                        "(real mode, CPL 0)\n");
}

static void in_64_bit_mode_registers_are_wide_and_segments_are_explained(void **state)
{
    static const char *const lines[] = {
        "R12=0000000000000000 R13=0000000000000000 R14=0000000000000000 R15=123456789abcdef0\n",
        "RIP=000000000000fff0 RFL=00000002 [-------] CPL=0 II=1 A20=1 SMM=0 HLT=1\n",
        "ES =0000 0000000000000000 0000ffff 00009300 DPL=0 DS   [-WA]\n",
        "CS =f000 00000000ffff0000 0000ffff 00209b00 DPL=0 CS64 [-RA]\n",
        "DS =0000 0000000000000000 0000ffff 00000000\n",
        "TR =0000 0000000000000000 0000ffff 00008b00 DPL=0 TSS64-busy\n",
        "GDT=     0000000000000000 0000ffff\n",
        /* NOLINTNEXTLINE(bugprone-suspicious-missing-comma): two lines that follow each other. */
        "DR0=0000000000000001 DR1=0000000000000000 DR2=0000000000000000 DR3=0000000000000000 \n"
        "DR6=0000000000000006 DR7=0000000000000007\n"
        "EFER=0000000000000500\n"
        "FCW=037f FSW=3800 [ST=7] FTW=80 MXCSR=00001f80\n",
        /* What is at the top of the stack has the number of the top. */
        "FPR6=0000000000000000 0000 FPR7=8000000000000000 3fff\n",
        "XMM14=0000000000000000 0000000000000000 XMM15=000000000000000b 000000000000000a\n",
        "(64-bit mode, CPL 0)\n",
    };
    X86ExtendedRegisters x = { .fcw = 0x37f,
                               .fsw = 0x3800,
                               .ftw = 0x80,
                               .mxcsr = 0x1f80,
                               .dr = { 1, [6] = 6, [7] = 7 },
                               .shadow = true };
    g_autoptr(GString) text = g_string_new(NULL);

    (void)state;
    four_levels();
    cpu->regs.gpr[X86_R15] = UINT64_C(0x123456789abcdef0);
    cpu->regs.seg[X86_CS].l = true;
    cpu->regs.seg[X86_DS].unusable = true;
    x.st[0][7] = 0x80;
    x.st[0][8] = 0xff;
    x.st[0][9] = 0x3f;
    x.xmm[15][0] = 0xa;
    x.xmm[15][8] = 0xb;
    x86_registers_dump(&cpu->regs, &x, true, text);
    for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++) {
        if (!strstr(text->str, lines[i])) {
            fail_msg("no %s in:\n%s", lines[i], text->str);
        }
    }
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
        x86_registers_dump(&cpu->regs, NULL, false, text);
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
    CPU_GET_CLASS(cpu)->dump_state(CPU(cpu), false, text);
    assert_non_null(strstr(text->str, "no registers"));
}

#define test(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(power_on_is_at_the_reset_vector),
        test(a_dump_has_the_lines_of_qemu_and_names_the_mode),
        test(in_64_bit_mode_registers_are_wide_and_segments_are_explained),
        test(a_dump_tells_the_modes_apart),
        test(an_address_is_translated_or_the_entry_that_says_no_is_named),
        test(code_is_read_across_pages_until_it_ends),
        test(code_in_real_mode_is_at_cs_and_ip),
        test(registers_of_a_cpu_that_nobody_executes_are_an_error),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
