/* SPDX-License-Identifier: MIT */
/*
 * Diagnoses of guests that cannot go on, from registers and memory made by hand: each cause by
 * itself, the order among them, and the rules of entering a guest.
 */
#include <inttypes.h>
#include <string.h>
#include "accel/x86-bits.h"
#include "accel/x86-diagnose.h"
#include "tests/unit/ram-fixture.h"

/* Where things are while all is well. */
#define PML4 0x1000
#define PD 0x3000
#define GDT 0x8000
#define IDT 0x9000
#define TSS 0xa000
#define CODE 0x10000
#define HANDLER 0x11000
#define STACK 0x20000
#define NOWHERE UINT64_C(0x40000000) /* mapped, and no RAM is there */
#define NOT_MAPPED UINT64_C(0x8000000000)

#define GATE_INTERRUPT 14
#define CODE64 UINT64_C(0x00af9b000000ffff)
#define CODE32 UINT64_C(0x00cf9b000000ffff)
#define DATA UINT64_C(0x00cf93000000ffff)

static X86Registers regs;
static GString *text;

static X86Segment flat(uint16_t selector, uint8_t type, bool l)
{
    return (X86Segment){ .selector = selector,
                         .limit = UINT32_MAX,
                         .type = type,
                         .present = true,
                         .s = true,
                         .g = true,
                         .db = !l,
                         .l = l };
}

static void long_gate(unsigned vector, uint16_t selector, uint64_t offset, unsigned type_and_ist)
{
    poke8(IDT + vector * 16, (offset & 0xffff) | (uint64_t)selector << 16 |
                                 (uint64_t)(type_and_ist >> 8) << 32 |
                                 (uint64_t)(type_and_ist & 0xff) << 40 | UINT64_C(1) << 47 |
                                 (offset >> 16 & 0xffff) << 48);
    poke8(IDT + vector * 16 + 8, offset >> 32);
}

/* A guest in 64-bit mode in which nothing is wrong, about to execute "ud2". */
static int healthy(void **state)
{
    (void)state;
    text = g_string_new(NULL);
    ram_clear();
    x86_registers_reset(&regs);
    regs.cr0 = X86_CR0_PE | X86_CR0_PG | X86_CR0_ET | X86_CR0_WP;
    regs.cr4 = X86_CR4_PAE;
    regs.efer = X86_EFER_LME | X86_EFER_LMA | X86_EFER_NXE;
    regs.cr3 = PML4;
    poke8(PML4, 0x2000 | X86_PTE_P | X86_PTE_W);
    poke8(0x2000, PD | X86_PTE_P | X86_PTE_W);
    poke8(0x2000 + 8, NOWHERE | X86_PTE_P | X86_PTE_W | X86_PTE_PS);
    poke8(PD, X86_PTE_P | X86_PTE_W | X86_PTE_PS);
    regs.gdt = (X86Table){ GDT, 31 };
    poke8(GDT + 0x08, CODE32);
    poke8(GDT + 0x10, DATA);
    poke8(GDT + 0x18, CODE64);
    regs.idt = (X86Table){ IDT, 32 * 16 - 1 };
    for (unsigned i = 0; i < 32; i++) {
        long_gate(i, 0x18, HANDLER, GATE_INTERRUPT);
    }
    regs.tr.base = TSS;
    regs.tr.limit = 0x67;
    regs.ldt.limit = 0;
    for (int i = 0; i < X86_NUM_SEGS; i++) {
        regs.seg[i] = flat(0x10, X86_SEG_DATA_RW_ACCESSED, false);
    }
    regs.seg[X86_CS] = flat(0x18, X86_SEG_CODE_RX_ACCESSED, true);
    regs.rip = CODE;
    poke(CODE, 0x0b0f, 2);
    poke(HANDLER, 0xf4, 1);
    regs.gpr[X86_RSP] = STACK;
    return 0;
}

static int over(void **state)
{
    (void)state;
    g_string_free(text, TRUE);
    return 0;
}

static void assert_says(const char *part)
{
    if (!strstr(text->str, part)) {
        fail_msg("'%s' is not in:\n%s", part, text->str);
    }
}

static void assert_cause(const char *cause, const char *part)
{
    g_autofree char *first = cause ? g_strdup_printf("diagnosis: %s: ", cause) : NULL;
    const char *found;

    g_string_truncate(text, 0);
    found = x86_diagnose(&regs, &address_space_memory, true, text);
    if (g_strcmp0(found, cause)) {
        fail_msg("the cause is %s, not %s:\n%s", found, cause, text->str);
    }
    assert_true(g_str_has_prefix(text->str, first ? first : "diagnosis: not found; "));
    assert_true(g_str_has_suffix(text->str, "\n"));
    assert_says(part);
}

/* ---- The five ---- */

static void nothing_is_found_where_nothing_is_wrong(void **state)
{
    (void)state;
    assert_cause(NULL, "code, gates and stack are in place");
    assert_says("in 64-bit mode, CPL 0, at 0018:0000000000010000");
    assert_says("gate   #UD (6) at 0x9060: handler 0018:11000, type 14");
    assert_says("gate   #DF (8) at 0x9080");
}

static void no_IDT(void **state)
{
    (void)state;
    regs.idt = (X86Table){ 0, 0 };
    assert_cause(X86_CAUSE_NO_IDT, "the IDT (base 0x0, limit 0x0) ends before the gate of #UD (6)");
    regs.idt = (X86Table){ IDT, 6 * 16 + 14 };
    assert_cause(X86_CAUSE_NO_IDT, "the gate of #UD (6), which would be at 0x9060");
    /* Whatever came first: that the double fault has no gate makes it a triple fault. */
    regs.idt = (X86Table){ IDT, 7 * 16 - 1 };
    assert_cause(X86_CAUSE_NO_IDT, "the gate of #DF (8), which would be at 0x9080");
    regs.idt = (X86Table){ NOWHERE, 0xfff };
    assert_cause(X86_CAUSE_NO_IDT, "in the IDT at 0x40000000, where no RAM is");
    regs.idt = (X86Table){ NOT_MAPPED, 0xfff };
    assert_cause(X86_CAUSE_NO_IDT, "in the IDT at 0x8000000000, which is not mapped");
    regs.idt = (X86Table){ 0x30000, 0xfff };
    assert_cause(X86_CAUSE_NO_IDT, "the gate of #UD (6) at 0x30060 in the IDT at 0x30000 is not");
}

static void bad_CR3(void **state)
{
    (void)state;
    regs.cr3 = 0xc0000000;
    assert_cause(X86_CAUSE_BAD_CR3, "CR3 is 0xc0000000, and there is no RAM for a page table");
    assert_says("code   0x10000: PML4E[0] at 0xc0000000");
    regs.cr3 = 0x50000;
    assert_cause(X86_CAUSE_BAD_CR3, "CR3 is 0x50000, and there is a table that maps nothing");
    /* KVM does not let it into CR3 when it is no address at all. */
    regs.cr3 = PML4;
    poke(CODE, 0xd8220f, 3);
    regs.gpr[X86_RAX] = UINT64_C(0x12345678000);
    assert_cause(X86_CAUSE_BAD_CR3, "the instruction loads CR3 with 0x12345678000");
    poke(CODE, 0xd9220f41, 4);
    regs.gpr[X86_R8 + 1] = RAM_BYTES;
    assert_cause(X86_CAUSE_BAD_CR3, "the instruction loads CR3 with 0x100000");
    regs.gpr[X86_R8 + 1] = PML4;
    assert_cause(NULL, "in place");
}

static void page_not_present(void **state)
{
    (void)state;
    regs.cr2 = 0x200000;
    assert_cause(X86_CAUSE_NOT_PRESENT,
                 "CR2, where the last page fault was, is 0x200000, and the PDE at 0x3008 is not "
                 "present");
    regs.cr2 = NOT_MAPPED;
    assert_cause(X86_CAUSE_NOT_PRESENT, "the PML4E at 0x1008 is not present");
    regs.cr2 = 0;
    regs.rip = 0x200000;
    assert_cause(X86_CAUSE_NOT_PRESENT, "the code at RIP is 0x200000, and the PDE at 0x3008");
    regs.rip = CODE;
    long_gate(6, 0x18, 0x200000, GATE_INTERRUPT);
    assert_cause(X86_CAUSE_NOT_PRESENT, "the handler of #UD (6) is 0x200000, and the PDE");
}

static void stack_outside_RAM(void **state)
{
    (void)state;
    regs.gpr[X86_RSP] = NOWHERE + 0x1000;
    assert_cause(X86_CAUSE_STACK, "below 0x40001000, which is mapped to where no RAM is");
    regs.gpr[X86_RSP] = NOT_MAPPED;
    assert_cause(X86_CAUSE_STACK, "below 0x8000000000, which is not mapped");
    regs.gpr[X86_RSP] = 0;
    assert_cause(X86_CAUSE_STACK, "below 0x0, which is not mapped");
    /* A push has faulted itself. */
    regs.gpr[X86_RSP] = NOT_MAPPED;
    regs.cr2 = NOT_MAPPED - 8;
    regs.idt = (X86Table){ 0, 0 };
    assert_cause(X86_CAUSE_STACK, "on the stack below RSP (0x8000000000), where no page is mapped");
    /* A return from there. */
    regs.rip = UINT64_MAX;
    regs.gpr[X86_RSP] = NOWHERE + 8;
    assert_cause(X86_CAUSE_STACK, "RIP is all ones, which is what a return finds at 0x40000000");
}

static void jump_into_a_hole(void **state)
{
    (void)state;
    regs.rip = NOWHERE;
    assert_cause(X86_CAUSE_HOLE,
                 "the code at RIP is 0x40000000, guest-physical 0x40000000, and no RAM is there");
    regs.rip = CODE;
    long_gate(6, 0x18, NOWHERE, GATE_INTERRUPT);
    assert_cause(X86_CAUSE_HOLE, "the handler of #UD (6) is 0x40000000");
}

/* ---- Others ---- */

static void what_is_in_the_way_first_is_the_cause(void **state)
{
    (void)state;
    regs.idt = (X86Table){ 0, 0 };
    regs.gpr[X86_RSP] = 0;
    assert_cause(X86_CAUSE_NO_IDT, "gate   #DF (8): past the limit");
    regs.cr2 = NOT_MAPPED;
    assert_cause(X86_CAUSE_NOT_PRESENT, "gate   #PF (14): past the limit");
    regs.rip = NOWHERE;
    assert_cause(X86_CAUSE_HOLE, "CR2    0x8000000000: PML4E[1] at 0x1008 = 0x0 not present");
    regs.cr3 = RAM_BYTES;
    assert_cause(X86_CAUSE_BAD_CR3, "stack");
}

static void code_that_may_not_be_executed(void **state)
{
    (void)state;
    poke8(PD, X86_PTE_P | X86_PTE_W | X86_PTE_PS | X86_PTE_NX);
    assert_cause("page not executable", "marked as no code");
    poke8(PD, X86_PTE_P | X86_PTE_W | X86_PTE_PS);
    regs.seg[X86_SS].dpl = 3;
    assert_cause("page not for user code", "the CPL is 3");
    regs.seg[X86_SS].dpl = 0;
    regs.cr4 |= X86_CR4_SMEP;
    for (unsigned table = PML4; table <= PD; table += 0x1000) {
        poke8(table,
              (table < PD ? table + 0x1000 : X86_PTE_PS) | X86_PTE_P | X86_PTE_W | X86_PTE_U);
    }
    assert_cause("page of user code", "SMEP");
    regs.rip = UINT64_C(1) << 63;
    assert_cause("address not canonical", "which is no address");
}

static void broken_page_tables(void **state)
{
    (void)state;
    regs.cr2 = 0x200000;
    poke8(PD + 8, 0x200000 | X86_PTE_P | X86_PTE_PS | 1 << 13);
    assert_cause("reserved bit in a page table", "the PDE at 0x3008 has a reserved bit set");
    poke8(PD + 8, NOWHERE | X86_PTE_P);
    assert_cause("page table outside RAM", "the PTE at 0x40000000 is outside RAM");
}

static void gates_that_lead_nowhere(void **state)
{
    (void)state;
    long_gate(6, 0x18, HANDLER, 5);
    assert_cause("bad gate", "has type 5, which is no interrupt or trap gate of this mode");
    long_gate(6, 0, HANDLER, GATE_INTERRUPT);
    assert_cause("bad code segment", "selector is null");
    long_gate(6, 0x20, HANDLER, GATE_INTERRUPT);
    assert_cause("bad code segment", "0x20 is past the limit 0x1f of the GDT");
    long_gate(6, 0x0c, HANDLER, GATE_INTERRUPT);
    assert_cause("bad code segment", "of the LDT");
    long_gate(6, 0x10, HANDLER, GATE_INTERRUPT);
    assert_cause("bad code segment", "which is no present 64-bit code segment");
    long_gate(6, 0x08, HANDLER, GATE_INTERRUPT);
    assert_cause("bad code segment", "0x00cf9b000000ffff, which is no present 64-bit");
    long_gate(6, 0x18, HANDLER, GATE_INTERRUPT);
    regs.gdt.base = NOWHERE;
    assert_cause("GDT out of reach", "in the GDT at 0x40000000");
}

static void stacks_that_the_processor_switches_to(void **state)
{
    (void)state;
    long_gate(6, 0x18, HANDLER, GATE_INTERRUPT | 2 << 8);
    assert_cause(X86_CAUSE_STACK, "below 0x0");
    poke8(TSS + 0x24 + 8, STACK);
    assert_cause(NULL, "pushes 0x1ffff");
    regs.tr.limit = 0x20;
    assert_cause("bad TSS", "offset 0x2c");
    /* From user code, RSP0. */
    long_gate(6, 0x18, HANDLER, GATE_INTERRUPT);
    regs.tr.limit = 0x67;
    regs.seg[X86_SS].dpl = 3;
    for (unsigned table = PML4; table <= PD; table += 0x1000) {
        poke8(table,
              (table < PD ? table + 0x1000 : X86_PTE_PS) | X86_PTE_P | X86_PTE_W | X86_PTE_U);
    }
    assert_cause(X86_CAUSE_STACK, "below 0x0");
    poke8(TSS + 4, STACK);
    assert_cause(NULL, "in place");
    poke8(PD, X86_PTE_P | X86_PTE_PS | X86_PTE_U);
    assert_cause("stack read-only", "in a page that is read-only");
}

/* ---- Other modes ---- */

static void protected_mode(void)
{
    regs.cr0 = X86_CR0_PE | X86_CR0_ET;
    regs.cr4 = regs.efer = 0;
    regs.seg[X86_CS] = flat(0x08, X86_SEG_CODE_RX_ACCESSED, false);
    regs.idt.limit = 32 * 8 - 1;
    for (unsigned i = 0; i < 32; i++) {
        poke8(IDT + i * 8, (uint64_t)(HANDLER & 0xffff) | 0x08 << 16 |
                               (UINT64_C(0x80) | GATE_INTERRUPT) << 40 |
                               (uint64_t)(HANDLER >> 16) << 48);
    }
}

static void protected_mode_has_gates_of_eight_bytes(void **state)
{
    (void)state;
    protected_mode();
    assert_cause(NULL, "gate   #UD (6) at 0x9030: handler 0008:11000, type 14");
    assert_says("in protected mode, no paging, CPL 0, at 0008:00010000");
    regs.idt.limit = 0x3f;
    assert_cause(X86_CAUSE_NO_IDT, "the gate of #DF (8), which would be at 0x9040");
    regs.idt.limit = 0xff;
    regs.gpr[X86_RSP] = NOWHERE;
    assert_cause(X86_CAUSE_STACK, "below 0x40000000");
    regs.gpr[X86_RSP] = STACK;
    regs.rip = NOWHERE;
    assert_cause(X86_CAUSE_HOLE, "0x40000000");
    regs.seg[X86_CS].limit = 0xfffff;
    assert_cause("jump past the end of the code segment", "the limit of CS is 0xfffff");
}

static void protected_mode_switches_stacks_by_segment(void **state)
{
    (void)state;
    protected_mode();
    regs.seg[X86_SS].dpl = 3;
    poke(TSS + 4, STACK, 4);
    poke(TSS + 8, 0x10, 2);
    assert_cause(NULL, "in place");
    poke8(GDT + 0x10, DATA | UINT64_C(0x40) << 56);
    assert_cause(X86_CAUSE_STACK, "below 0x40020000");
    /* A task gate switches all of it, and is not followed. */
    for (unsigned i = 0; i < 32; i++) {
        poke8(IDT + i * 8, 0x28 << 16 | UINT64_C(0x85) << 40);
    }
    assert_cause(NULL, "type 5");
}

static void real_mode_has_vectors_of_four_bytes(void **state)
{
    (void)state;
    x86_registers_reset(&regs);
    regs.seg[X86_CS].base = CODE;
    regs.seg[X86_CS].selector = CODE >> 4;
    regs.rip = 0;
    regs.idt.limit = 0x3ff;
    regs.gpr[X86_RSP] = 0x8000;
    poke(6 * 4, HANDLER >> 4 << 16, 4);
    assert_cause(NULL, "gate   #UD (6) at 0x18: handler 1100:0");
    assert_says("in real mode, CPL 0, at 1000:00000000");
    regs.idt.limit = 0;
    assert_cause(X86_CAUSE_NO_IDT, "limit 0x0");
    regs.seg[X86_CS].base = 0xffff0000;
    assert_cause(X86_CAUSE_HOLE, "0xffff0000");
}

static void an_instruction_that_cannot_be_executed_needs_no_gate(void **state)
{
    (void)state;
    poke(CODE, 0xa20f, 2); /* cpuid */
    regs.idt = (X86Table){ 0, 0 };
    assert_null(x86_diagnose(&regs, &address_space_memory, false, text));
    assert_true(g_str_has_prefix(text->str, "diagnosis: not found; there is code at RIP.\n"));
    regs.rip = NOWHERE;
    assert_string_equal(x86_diagnose(&regs, &address_space_memory, false, text), X86_CAUSE_HOLE);
}

static void
an_instruction_that_raises_an_exception_whatever_it_finds_needs_gate_and_stack(void **state)
{
    static const uint64_t raises[] = { 0x0b0f /* ud2 */, 0xcc /* int3 */, 0x80cd /* int 0x80 */ };

    (void)state;
    regs.idt.limit = 0x81 * 16 - 1;
    long_gate(0x80, 0x18, HANDLER, GATE_INTERRUPT);
    for (size_t i = 0; i < G_N_ELEMENTS(raises); i++) {
        poke(CODE, raises[i], 2);
        g_string_truncate(text, 0);
        regs.gpr[X86_RSP] = STACK;
        assert_null(x86_diagnose(&regs, &address_space_memory, false, text));
        assert_says("code, gates and stack are in place");
        regs.gpr[X86_RSP] = NOWHERE;
        assert_string_equal(x86_diagnose(&regs, &address_space_memory, false, text),
                            X86_CAUSE_STACK);
    }
}

/* ---- Entering ---- */

static void a_healthy_state_breaks_no_rule_of_entering(void **state)
{
    X86Registers reset;

    (void)state;
    x86_registers_reset(&reset);
    assert_true(x86_check_entry(&reset, text));
    regs.tr.type = X86_SEG_TSS_BUSY;
    assert_true(x86_check_entry(&regs, text));
    protected_mode();
    assert_true(x86_check_entry(&regs, text));
    assert_string_equal(text->str, "");
}

/* Puts @value where @field is, and back; the check in between says @rule, and only that. */
#define assert_rule(field, value, rule)                                                            \
    do {                                                                                           \
        __typeof__(field) saved = (field);                                                         \
                                                                                                   \
        (field) = (value);                                                                         \
        g_string_truncate(text, 0);                                                                \
        assert_false(x86_check_entry(&regs, text));                                                \
        assert_says("  broken rule: " rule);                                                       \
        (field) = saved;                                                                           \
    } while (0)

static void broken_rules_of_entering_are_named(void **state)
{
    X86Segment *cs = &regs.seg[X86_CS];

    (void)state;
    assert_rule(regs.cr0, X86_CR0_PG | X86_CR0_ET, "CR0.PG is set, so CR0.PE must be");
    assert_rule(regs.efer, X86_EFER_LME, "EFER.LMA must be set");
    assert_rule(regs.efer, X86_EFER_LMA, "EFER.LMA must be set");
    assert_rule(regs.cr4, 0, "EFER.LMA is set, so CR4.PAE must be");
    assert_rule(regs.cr0, regs.cr0 | X86_CR0_NW, "CR0.NW is set, so CR0.CD must be");
    assert_rule(regs.cr3, UINT64_C(1) << 52, "CR3 is wider");
    assert_rule(regs.rflags, 0, "RFLAGS has reserved bits");
    assert_rule(regs.rflags, X86_RFLAGS_ONE | 8, "RFLAGS has reserved bits");
    assert_rule(regs.rflags, X86_RFLAGS_ONE | X86_RFLAGS_VM, "RFLAGS.VM is set");
    assert_rule(regs.rip, UINT64_C(1) << 63, "RIP is no address");
    assert_rule(cs->type, 3, "CS must be a present code segment");
    assert_rule(cs->present, false, "CS must be a present code segment");
    assert_rule(cs->db, true, "CS has both L and D");
    assert_rule(regs.seg[X86_SS].type, 1, "SS must be");
    assert_rule(regs.seg[X86_SS].dpl, 3, "CS and SS have different");
    assert_rule(regs.tr.type, 9, "TR must be a present, busy TSS");
    assert_rule(regs.tr.unusable, true, "TR must be");
    assert_rule(regs.ldt.type, 0, "LDTR must be");
    assert_rule(regs.gdt.base, UINT64_C(1) << 47, "the base of a table");
    assert_rule(regs.seg[X86_DS].g, false, "the limit of a segment");
    assert_rule(regs.seg[X86_DS].limit, 0x1000, "the limit of a segment");
}

#define test(f) cmocka_unit_test_setup_teardown(f, healthy, over)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(nothing_is_found_where_nothing_is_wrong),
        test(no_IDT),
        test(bad_CR3),
        test(page_not_present),
        test(stack_outside_RAM),
        test(jump_into_a_hole),
        test(what_is_in_the_way_first_is_the_cause),
        test(code_that_may_not_be_executed),
        test(broken_page_tables),
        test(gates_that_lead_nowhere),
        test(stacks_that_the_processor_switches_to),
        test(protected_mode_has_gates_of_eight_bytes),
        test(protected_mode_switches_stacks_by_segment),
        test(real_mode_has_vectors_of_four_bytes),
        test(an_instruction_that_cannot_be_executed_needs_no_gate),
        test(an_instruction_that_raises_an_exception_whatever_it_finds_needs_gate_and_stack),
        test(a_healthy_state_breaks_no_rule_of_entering),
        test(broken_rules_of_entering_are_named),
    };

    return cmocka_run_group_tests(tests, ram_setup, ram_teardown);
}
