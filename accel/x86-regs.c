/* SPDX-License-Identifier: MIT */
/* x86 registers as plain data: what they hold at power-on, and the mode that they make. */
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
