/* SPDX-License-Identifier: MIT */
/*
 * The rules that a guest's state must keep for the processor to enter it (SDM vol. 3, 27.3.1), as
 * far as they are about registers that can be seen here. AMD's are a part of these (APM vol. 2,
 * 15.5.1).
 */
#include <inttypes.h>
#include "accel/x86-bits.h"
#include "accel/x86-diagnose.h"

static bool is_long(const X86Registers *r)
{
    return r->efer & X86_EFER_LMA;
}

static bool is_virtual_8086(const X86Registers *r)
{
    return r->rflags & X86_RFLAGS_VM;
}

static bool is_canonical(const X86Registers *r, uint64_t addr)
{
    unsigned unused = r->cr4 & X86_CR4_LA57 ? 7 : 16;

    return (uint64_t)((int64_t)(addr << unused) >> unused) == addr;
}

static bool paging_without_protection(const X86Registers *r)
{
    return r->cr0 & X86_CR0_PG && !(r->cr0 & X86_CR0_PE);
}

static bool long_mode_is_half_on(const X86Registers *r)
{
    return is_long(r) != (r->efer & X86_EFER_LME && r->cr0 & X86_CR0_PG);
}

static bool long_mode_without_pae(const X86Registers *r)
{
    return is_long(r) && !(r->cr4 & X86_CR4_PAE);
}

static bool write_through_with_cache(const X86Registers *r)
{
    return r->cr0 & X86_CR0_NW && !(r->cr0 & X86_CR0_CD);
}

static bool cr3_too_wide(const X86Registers *r)
{
    return is_long(r) && r->cr3 >> 52;
}

/* Bit 1 is always set; bits 3, 5, 15 and those from 22 on never are. */
static bool rflags_reserved(const X86Registers *r)
{
    return !(r->rflags & X86_RFLAGS_ONE) || r->rflags & ~UINT64_C(0x3f7fd7);
}

static bool virtual_8086_in_long_mode(const X86Registers *r)
{
    return is_virtual_8086(r) && (is_long(r) || !(r->cr0 & X86_CR0_PE));
}

static bool rip_too_wide(const X86Registers *r)
{
    return is_long(r) && r->seg[X86_CS].l ? !is_canonical(r, r->rip) : r->rip >> 32 != 0;
}

static bool cs_no_code(const X86Registers *r)
{
    const X86Segment *cs = &r->seg[X86_CS];

    /* In real mode a data segment will do. */
    return !is_virtual_8086(r) &&
           (!cs->s || !cs->present || !(cs->type & 1) || (!(cs->type & 8) && r->cr0 & X86_CR0_PE));
}

static bool cs_both_sizes(const X86Registers *r)
{
    return is_long(r) && r->seg[X86_CS].l && r->seg[X86_CS].db;
}

static bool ss_no_stack(const X86Registers *r)
{
    const X86Segment *ss = &r->seg[X86_SS];

    return !is_virtual_8086(r) && !ss->unusable &&
           (!ss->s || !ss->present || (ss->type != 3 && ss->type != 7));
}

static bool ss_privilege(const X86Registers *r)
{
    const X86Segment *cs = &r->seg[X86_CS], *ss = &r->seg[X86_SS];

    /* A conforming code segment may have another. */
    return r->cr0 & X86_CR0_PE && !is_virtual_8086(r) && !(cs->type & 4) && cs->type & 8 &&
           cs->dpl != ss->dpl;
}

static bool tr_no_tss(const X86Registers *r)
{
    const X86Segment *tr = &r->tr;

    return tr->unusable || tr->s || !tr->present ||
           (tr->type != 11 && (tr->type != 3 || is_long(r)));
}

static bool ldt_no_table(const X86Registers *r)
{
    return !r->ldt.unusable && (r->ldt.s || !r->ldt.present || r->ldt.type != 2);
}

static bool base_not_canonical(const X86Registers *r)
{
    return !is_canonical(r, r->gdt.base) || !is_canonical(r, r->idt.base) ||
           !is_canonical(r, r->tr.base) || !is_canonical(r, r->seg[X86_FS].base) ||
           !is_canonical(r, r->seg[X86_GS].base) ||
           (!r->ldt.unusable && !is_canonical(r, r->ldt.base));
}

/* A limit in bytes has the upper bits clear, one in pages the lower ones set. */
static bool limit_of_no_granularity(const X86Registers *r)
{
    for (int i = 0; i < X86_NUM_SEGS; i++) {
        const X86Segment *s = &r->seg[i];

        if (!s->unusable && s->present &&
            ((s->g && (s->limit & 0xfff) != 0xfff) || (!s->g && s->limit >> 20))) {
            return true;
        }
    }
    return false;
}

static const struct {
    bool (*broken)(const X86Registers *r);
    const char *rule;
} rules[] = {
    { paging_without_protection, "CR0.PG is set, so CR0.PE must be" },
    { long_mode_is_half_on, "EFER.LMA must be set when EFER.LME and CR0.PG are, and only then" },
    { long_mode_without_pae, "EFER.LMA is set, so CR4.PAE must be" },
    { write_through_with_cache, "CR0.NW is set, so CR0.CD must be" },
    { cr3_too_wide, "CR3 is wider than any address" },
    { rflags_reserved, "RFLAGS has reserved bits that are not as they must be" },
    { virtual_8086_in_long_mode, "RFLAGS.VM is set, which is for 32-bit protected mode" },
    { rip_too_wide, "RIP is no address of this mode" },
    { cs_no_code, "CS must be a present code segment that has been accessed" },
    { cs_both_sizes, "CS has both L and D set" },
    { ss_no_stack, "SS must be a present, writable data segment that has been accessed" },
    { ss_privilege, "CS and SS have different privilege levels" },
    { tr_no_tss, "TR must be a present, busy TSS" },
    { ldt_no_table, "LDTR must be a present LDT or unusable" },
    { base_not_canonical, "the base of a table or segment is no canonical address" },
    { limit_of_no_granularity, "the limit of a segment does not fit its granularity" },
};

bool x86_check_entry(const X86Registers *r, GString *out)
{
    bool good = true;

    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        if (rules[i].broken(r)) {
            g_string_append_printf(out, "  broken rule: %s\n", rules[i].rule);
            good = false;
        }
    }
    return good;
}
