/* SPDX-License-Identifier: MIT */
/*
 * What it takes to deliver an exception (SDM vol. 3, 6.12 and 6.14): a gate in the IDT, its code
 * segment in the GDT, a stack, and the handler's code. A triple fault means that this failed for the
 * double fault, whatever came first.
 */
#include <inttypes.h>
#include <string.h>
#include "accel/x86-bits.h"
#include "accel/x86-diagnose.h"

#define VECTOR_DF 8
#define VECTOR_GP 13

#define GATE_TASK 5
#define SELECTOR_LDT 4 /* the bit that says so */

#define TSS32_ESP0 4
#define TSS32_SS0 8
#define TSS64_RSP0 4
#define TSS64_IST1 0x24

typedef struct Gate {
    uint16_t selector;
    uint64_t offset;
    uint8_t type, ist;
    bool present;
} Gate;

static const char *const vector_names[22] = {
    [0] = "#DE",  [1] = "#DB",  [2] = "NMI",  [3] = "#BP",  [4] = "#OF",
    [5] = "#BR",  [6] = "#UD",  [7] = "#NM",  [8] = "#DF",  [10] = "#TS",
    [11] = "#NP", [12] = "#SS", [13] = "#GP", [14] = "#PF", [16] = "#MF",
    [17] = "#AC", [18] = "#MC", [19] = "#XM", [20] = "#VE", [21] = "#CP",
};

/* "#PF (14)"; the caller frees. */
static char *vector_name(unsigned vector)
{
    const char *name = vector < G_N_ELEMENTS(vector_names) ? vector_names[vector] : NULL;

    return g_strdup_printf("%s (%u)", name ? name : "vector", vector);
}

static bool is_long(const Diagnosis *d)
{
    return d->r->efer & X86_EFER_LMA;
}

static bool is_real(const Diagnosis *d)
{
    return !(d->r->cr0 & X86_CR0_PE);
}

static uint64_t bits(uint64_t value, unsigned high, unsigned low)
{
    return value >> low & (UINT64_MAX >> (63 - (high - low)));
}

/* ---- Tables ---- */

static Gate decode_gate(const Diagnosis *d, const uint64_t raw[2])
{
    Gate gate = {
        .selector = (uint16_t)bits(raw[0], 31, 16),
        .offset = bits(raw[0], 15, 0) | bits(raw[0], 63, 48) << 16,
        .type = (uint8_t)bits(raw[0], 43, 40),
        .present = bits(raw[0], 47, 47),
    };

    if (is_real(d)) {
        gate.offset = bits(raw[0], 15, 0);
        gate.type = 6;
        gate.present = true;
    } else if (is_long(d)) {
        gate.offset |= raw[1] << 32;
        gate.ist = (uint8_t)bits(raw[0], 34, 32);
    }
    return gate;
}

/* Interrupt or trap gate of 16 or 32 bits (6, 7, 14, 15); long mode has the latter two only. */
static bool is_gate_type(const Diagnosis *d, uint8_t type)
{
    return type == 14 || type == 15 ||
           (!is_long(d) && (type == 6 || type == 7 || type == GATE_TASK));
}

/* The gate of @vector; false when there is none that could be used. */
static bool find_gate(Diagnosis *d, unsigned vector, const char *name, Gate *gate)
{
    const X86Table *idt = &d->r->idt;
    unsigned size = is_real(d) ? 4 : is_long(d) ? 16 : 8;
    uint64_t linear = idt->base + (uint64_t)vector * size, raw[2] = { 0 };

    if (vector * size + size - 1 > idt->limit) {
        diagnosis_verdict(d, X86_CAUSE_NO_IDT,
                          "the IDT (base 0x%" PRIx64
                          ", limit 0x%x) ends before the gate of %s, which would be at 0x%" PRIx64,
                          idt->base, idt->limit, name, linear);
        g_string_append_printf(d->lines,
                               "  gate   %s: past the limit 0x%x of the IDT at 0x%" PRIx64 "\n",
                               name, idt->limit, idt->base);
        return false;
    }
    if (diagnosis_read(d, linear, raw, size) != size) {
        X86Walk walk;
        Reach reach = diagnosis_reach(d, "IDT", linear, &walk);

        diagnosis_verdict(
            d, X86_CAUSE_NO_IDT,
            "the gate of %s would be at 0x%" PRIx64 " in the IDT at 0x%" PRIx64 ", %s", name,
            linear, idt->base, reach == REACH_NO_RAM ? "where no RAM is" : "which is not mapped");
        return false;
    }
    *gate = decode_gate(d, raw);
    g_string_append_printf(
        d->lines, "  gate   %s at 0x%" PRIx64 ": handler %04x:%" PRIx64 ", type %u%s\n", name,
        linear, gate->selector, gate->offset, gate->type, gate->present ? "" : ", not present");
    if (!gate->present) {
        diagnosis_verdict(d, X86_CAUSE_NO_IDT,
                          "the gate of %s at 0x%" PRIx64 " in the IDT at 0x%" PRIx64
                          " is not present",
                          name, linear, idt->base);
    } else if (!is_gate_type(d, gate->type)) {
        diagnosis_verdict(d, "bad gate",
                          "the gate of %s at 0x%" PRIx64
                          " has type %u, which is no interrupt or trap gate of this mode",
                          name, linear, gate->type);
    }
    return gate->present && is_gate_type(d, gate->type);
}

/* The descriptor that @selector names; false when there is none. */
static bool find_descriptor(Diagnosis *d, uint16_t selector, uint64_t *raw)
{
    bool local = selector & SELECTOR_LDT;
    uint64_t base = local ? d->r->ldt.base : d->r->gdt.base;
    uint32_t limit = local ? d->r->ldt.limit : d->r->gdt.limit;
    const char *table = local ? "LDT" : "GDT";
    unsigned offset = selector & ~7u;

    if (!(selector & ~3u)) {
        diagnosis_verdict(d, "bad code segment", "the handler's selector is null");
    } else if (offset + 7 > limit) {
        diagnosis_verdict(d, "bad code segment",
                          "the handler's selector 0x%x is past the limit 0x%x of the %s", selector,
                          limit, table);
    } else if (diagnosis_read(d, base + offset, raw, 8) != 8) {
        diagnosis_verdict(d, "GDT out of reach",
                          "the descriptor of selector 0x%x would be at 0x%" PRIx64 " in the %s at "
                          "0x%" PRIx64 ", which is not mapped to RAM",
                          selector, base + offset, table, base);
    } else {
        return true;
    }
    return false;
}

static uint32_t descriptor_base(uint64_t raw)
{
    return (uint32_t)(bits(raw, 39, 16) | bits(raw, 63, 56) << 24);
}

/* The handler's code segment; its base and DPL. */
static bool find_code_segment(Diagnosis *d, const Gate *gate, uint64_t *base, unsigned *dpl)
{
    uint64_t raw;
    bool code, right_size;

    if (is_real(d)) {
        *base = (uint64_t)gate->selector << 4;
        *dpl = 0;
        return true;
    }
    if (!find_descriptor(d, gate->selector, &raw)) {
        return false;
    }
    code = bits(raw, 47, 47) && bits(raw, 44, 43) == 3; /* present; neither system nor data */
    right_size = !is_long(d) || bits(raw, 54, 53) == 1; /* L and not D */
    g_string_append_printf(d->lines, "         segment %04x: descriptor 0x%016" PRIx64 "\n",
                           gate->selector, raw);
    if (!code || !right_size) {
        diagnosis_verdict(d, "bad code segment",
                          "the descriptor of selector 0x%x is 0x%016" PRIx64
                          ", which is no present%s code segment",
                          gate->selector, raw, is_long(d) ? " 64-bit" : "");
        return false;
    }
    *base = is_long(d) ? 0 : descriptor_base(raw);
    *dpl = (unsigned)bits(raw, 46, 45);
    return true;
}

/* ---- The stack ---- */

/* @n bytes at @offset in the TSS as a number. */
static bool read_tss(Diagnosis *d, unsigned offset, unsigned n, uint64_t *value)
{
    *value = 0;
    if (offset + n - 1 > d->r->tr.limit ||
        diagnosis_read(d, d->r->tr.base + offset, value, n) != n) {
        diagnosis_verdict(d, "bad TSS",
                          "the handler's stack would be read from the TSS (base 0x%" PRIx64
                          ", limit 0x%x) at offset 0x%x, which is not there",
                          d->r->tr.base, d->r->tr.limit, offset);
        return false;
    }
    return true;
}

/* Where the handler's stack begins. */
static bool find_stack(Diagnosis *d, const Gate *gate, unsigned dpl, uint64_t *linear)
{
    const X86Registers *r = d->r;
    bool inward = !is_real(d) && dpl < r->seg[X86_SS].dpl;
    uint64_t selector, raw;

    if (is_long(d) && (gate->ist || inward)) {
        return read_tss(d, gate->ist ? TSS64_IST1 + 8u * (gate->ist - 1u) : TSS64_RSP0, 8, linear);
    }
    if (inward) {
        if (!read_tss(d, TSS32_ESP0, 4, linear) || !read_tss(d, TSS32_SS0, 2, &selector) ||
            !find_descriptor(d, (uint16_t)selector, &raw)) {
            return false;
        }
        *linear = (*linear + descriptor_base(raw)) & UINT32_MAX;
        return true;
    }
    *linear = is_long(d)
                  ? r->gpr[X86_RSP]
                  : r->seg[X86_SS].base +
                        (uint32_t)(r->gpr[X86_RSP] & (r->seg[X86_SS].db ? UINT32_MAX : 0xffff));
    return true;
}

static bool check_stack(Diagnosis *d, const Gate *gate, unsigned dpl)
{
    uint64_t top, last;
    X86Walk walk;
    Reach reach;

    if (!find_stack(d, gate, dpl, &top)) {
        return false;
    }
    last = is_long(d) ? (top & ~UINT64_C(15)) - 1 : (top - 1) & UINT32_MAX;
    reach = diagnosis_reach(d, "pushes", last, &walk);
    if (reach != REACH_RAM) {
        diagnosis_verdict(d, X86_CAUSE_STACK,
                          "the processor pushes on the stack below 0x%" PRIx64 ", which is %s", top,
                          reach == REACH_NO_RAM ? "mapped to where no RAM is" : "not mapped");
        return false;
    }
    if (!walk.writable && d->r->cr0 & X86_CR0_WP) {
        diagnosis_verdict(d, "stack read-only",
                          "the processor pushes on the stack below 0x%" PRIx64
                          ", in a page that is read-only",
                          top);
        return false;
    }
    return true;
}

/* ---- All of it ---- */

static void check_vector(Diagnosis *d, unsigned vector)
{
    g_autofree char *name = vector_name(vector), *what = g_strconcat("the handler of ", name, NULL);
    uint64_t base;
    unsigned dpl;
    X86Walk walk;
    Reach reach;
    Gate gate;

    /* What a task gate leads to is not followed. */
    if (!find_gate(d, vector, name, &gate) || gate.type == GATE_TASK ||
        !find_code_segment(d, &gate, &base, &dpl) || !check_stack(d, &gate, dpl)) {
        return;
    }
    reach = diagnosis_reach(d, "code", base + gate.offset, &walk);
    diagnosis_out_of_reach(d, reach, &walk, what, base + gate.offset, X86_CAUSE_HOLE);
}

void diagnosis_check_delivery(Diagnosis *d)
{
    unsigned first = d->vector >= 0 ? (unsigned)d->vector : VECTOR_GP;

    check_vector(d, first);
    if (first != VECTOR_DF) {
        check_vector(d, VECTOR_DF);
    }
}
