/* SPDX-License-Identifier: MIT */
/* x86 registers as plain data: what they hold at power-on, and how a person reads them. */
#include <inttypes.h>
#include <string.h>
#include <qomet/accel/cpu.h>
#include "accel/x86-bits.h"

static X86Segment segment(uint16_t selector, uint64_t base, uint8_t type, bool s)
{
    return (X86Segment){
        .selector = selector, .base = base, .limit = 0xffff, .type = type, .s = s, .present = true
    };
}

void x86_registers_reset(X86Registers *r)
{
    memset(r, 0, sizeof(*r));
    r->gpr[X86_RDX] = 0x600; /* family 6; the rest of the version is in CPUID */
    r->rip = 0xfff0;
    r->rflags = X86_RFLAGS_ONE;
    for (int i = 0; i < X86_NUM_SEGS; i++) {
        r->seg[i] = segment(0, 0, X86_SEG_DATA_RW_ACCESSED, true);
    }
    r->seg[X86_CS] = segment(0xf000, 0xffff0000, X86_SEG_CODE_RX_ACCESSED, true);
    r->tr = segment(0, 0, X86_SEG_TSS_BUSY, false);
    r->ldt = segment(0, 0, X86_SEG_LDT, false);
    r->gdt.limit = r->idt.limit = 0xffff;
    r->cr0 = X86_CR0_CD | X86_CR0_NW | X86_CR0_ET;
    r->apic_base = 0xfee00000 | X86_APIC_BASE_ENABLE | X86_APIC_BASE_BSP;
}

static void dump_segment(GString *out, const char *name, const X86Segment *s)
{
    g_string_append_printf(out, "%-3s=%04x base %016" PRIx64 " limit %08x ", name, s->selector,
                           s->base, s->limit);
    if (s->unusable || !s->present) {
        g_string_append(out, "unusable\n");
        return;
    }
    if (!s->s) {
        g_string_append_printf(out, "system type %u", s->type);
    } else if (s->type & 8) {
        g_string_append_printf(out, "code%s %s", s->type & 2 ? " readable" : "",
                               s->l    ? "64-bit"
                               : s->db ? "32-bit"
                                       : "16-bit");
    } else {
        g_string_append_printf(out, "data%s", s->type & 2 ? " writable" : "");
    }
    g_string_append_printf(out, " dpl %u\n", s->dpl);
}

const char *x86_mode_name(const X86Registers *r)
{
    if (!(r->cr0 & X86_CR0_PE)) {
        return "real mode";
    }
    if (r->rflags & X86_RFLAGS_VM) {
        return "virtual 8086 mode";
    }
    if (r->efer & X86_EFER_LMA) {
        return r->seg[X86_CS].l ? "64-bit mode" : "compatibility mode";
    }
    return r->cr0 & X86_CR0_PG ? "protected mode, paging" : "protected mode, no paging";
}

static void dump_flags(GString *out, uint64_t rflags)
{
    static const struct {
        uint8_t bit;
        char name[4];
    } flags[] = { { 0, "CF" },  { 2, "PF" },  { 4, "AF" },  { 6, "ZF" },  { 7, "SF" },
                  { 8, "TF" },  { 9, "IF" },  { 10, "DF" }, { 11, "OF" }, { 14, "NT" },
                  { 16, "RF" }, { 17, "VM" }, { 18, "AC" } };

    for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
        if (rflags >> flags[i].bit & 1) {
            g_string_append_printf(out, " %s", flags[i].name);
        }
    }
}

void x86_registers_dump(const X86Registers *r, GString *out)
{
    static const char names[X86_NUM_GPRS][4] = { "RAX", "RCX", "RDX", "RBX", "RSP", "RBP",
                                                 "RSI", "RDI", "R8",  "R9",  "R10", "R11",
                                                 "R12", "R13", "R14", "R15" };
    static const uint8_t order[X86_NUM_GPRS] = { X86_RAX, X86_RBX, X86_RCX, X86_RDX,
                                                 X86_RSI, X86_RDI, X86_RBP, X86_RSP,
                                                 8,       9,       10,      11,
                                                 12,      13,      14,      15 };
    static const char segs[X86_NUM_SEGS][3] = { "ES", "CS", "SS", "DS", "FS", "GS" };

    for (int i = 0; i < X86_NUM_GPRS; i++) {
        g_string_append_printf(out, "%-3s=%016" PRIx64 "%c", names[order[i]], r->gpr[order[i]],
                               i % 4 == 3 ? '\n' : ' ');
    }
    g_string_append_printf(out, "RIP=%016" PRIx64 " RFLAGS=%08" PRIx64 " (", r->rip, r->rflags);
    dump_flags(out, r->rflags);
    g_string_append_printf(out, " ) %s, CPL %u\n", x86_mode_name(r), r->seg[X86_SS].dpl);
    for (int i = 0; i < X86_NUM_SEGS; i++) {
        dump_segment(out, segs[i], &r->seg[i]);
    }
    dump_segment(out, "LDT", &r->ldt);
    dump_segment(out, "TR", &r->tr);
    g_string_append_printf(
        out, "GDT base %016" PRIx64 " limit %04x   IDT base %016" PRIx64 " limit %04x\n",
        r->gdt.base, r->gdt.limit, r->idt.base, r->idt.limit);
    g_string_append_printf(out,
                           "CR0=%08" PRIx64 " CR2=%016" PRIx64 " CR3=%016" PRIx64 " CR4=%08" PRIx64
                           " EFER=%08" PRIx64 "\n",
                           r->cr0, r->cr2, r->cr3, r->cr4, r->efer);
}
