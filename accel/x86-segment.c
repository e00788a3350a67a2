/* SPDX-License-Identifier: MIT */
/*
 * Segments loaded from their descriptors, as an instruction would do it (SDM vol. 3, 3.4.5), without
 * the checks of privilege.
 */
#include <qomet/accel/debug.h>
#include "accel/x86-bits.h"

#define SELECTOR_LOCAL 4 /* in the LDT */
#define SELECTOR_INDEX 0xfff8

static uint64_t descriptor_bits(uint64_t descriptor, unsigned low, unsigned n)
{
    return descriptor >> low & ((UINT64_C(1) << n) - 1);
}

static X86Segment segment_of(uint16_t selector, uint64_t d)
{
    X86Segment s = {
        .selector = selector,
        .base = descriptor_bits(d, 16, 24) | descriptor_bits(d, 56, 8) << 24,
        .limit = (uint32_t)(descriptor_bits(d, 0, 16) | descriptor_bits(d, 48, 4) << 16),
        .type = (uint8_t)(descriptor_bits(d, 40, 4) | 1), /* accessed from now on */
        .s = descriptor_bits(d, 44, 1),
        .dpl = (uint8_t)descriptor_bits(d, 45, 2),
        .present = descriptor_bits(d, 47, 1),
        .avl = descriptor_bits(d, 52, 1),
        .l = descriptor_bits(d, 53, 1),
        .db = descriptor_bits(d, 54, 1),
        .g = descriptor_bits(d, 55, 1),
    };

    if (s.g) {
        s.limit = s.limit << 12 | 0xfff;
    }
    return s;
}

static X86Segment real_mode_segment(uint16_t selector, bool virtual_8086)
{
    return (X86Segment){
        .selector = selector,
        .base = (uint64_t)selector << 4,
        .limit = 0xffff,
        .type = X86_SEG_DATA_RW_ACCESSED,
        .s = true,
        .present = true,
        .dpl = virtual_8086 ? 3 : 0,
    };
}

bool x86_cpu_load_segment(X86CPU *cpu, X86Registers *r, unsigned index, uint16_t selector,
                          GError **errp)
{
    bool virtual_8086 = r->rflags & X86_RFLAGS_VM;
    bool local = selector & SELECTOR_LOCAL;
    uint64_t table = local ? r->ldt.base : r->gdt.base;
    uint32_t limit = local ? r->ldt.limit : r->gdt.limit;
    uint8_t raw[8];
    uint64_t descriptor = 0;

    if (!(r->cr0 & X86_CR0_PE) || virtual_8086) {
        r->seg[index] = real_mode_segment(selector, virtual_8086);
        return true;
    }
    if (!(selector & ~3) && index != X86_CS) {
        r->seg[index] = (X86Segment){ .selector = selector, .unusable = true };
        return true;
    }
    if ((selector & SELECTOR_INDEX) + sizeof(raw) - 1 > limit) {
        qom_error_set(errp, QOM_ERROR_VALUE, "the selector 0x%x is past the end of its table",
                      selector);
        return false;
    }
    if (!cpu_read_memory(&cpu->parent_obj, table + (selector & SELECTOR_INDEX), raw, sizeof(raw),
                         errp)) {
        return false;
    }
    for (unsigned i = 0; i < sizeof(raw); i++) {
        descriptor |= (uint64_t)raw[i] << (8 * i);
    }
    r->seg[index] = segment_of(selector, descriptor);
    if (!r->seg[index].present || !r->seg[index].s) {
        qom_error_set(errp, QOM_ERROR_VALUE, "the selector 0x%x is of no segment that is there",
                      selector);
        return false;
    }
    return true;
}
