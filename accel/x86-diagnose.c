/* SPDX-License-Identifier: MIT */
/*
 * Why a guest cannot go on: the order in which a processor needs things is the order of the checks -
 * code, then data, then (x86-delivery.c) what it takes to deliver an exception.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <qomet/accel/disas.h>
#include "accel/x86-bits.h"
#include "accel/x86-diagnose.h"
#include "accel/x86-operand.h"

#define VECTOR_UD 6
#define VECTOR_GP 13
#define VECTOR_PF 14

/* ---- Reaching ---- */

void diagnosis_verdict(Diagnosis *d, const char *cause, const char *fmt, ...)
{
    va_list ap;

    if (d->cause) {
        return;
    }
    d->cause = cause;
    va_start(ap, fmt);
    d->sentence = g_strdup_vprintf(fmt, ap);
    va_end(ap);
}

static bool is_ram(const Diagnosis *d, hwaddr addr)
{
    GuestSlice slice;

    if (!guest_slice_get(d->memory, addr, 1, false, &slice)) {
        return false;
    }
    guest_slice_put(&slice);
    return true;
}

/* Whether the first table that a walk has looked into holds no entry that maps anything. */
static bool maps_nothing(const Diagnosis *d, const X86Walk *walk)
{
    const X86WalkStep *root = &walk->steps[0];
    bool pae = !strcmp(root->level, "PDPTE");
    unsigned bytes = d->r->cr4 & X86_CR4_PAE ? 8 : 4, n = pae ? 4 : 4096 / bytes;
    hwaddr table = root->entry_addr - (hwaddr)root->index * bytes;
    bool nothing = true;
    GuestSlice slice;

    if (!guest_slice_get(d->memory, table, n * bytes, false, &slice)) {
        return true;
    }
    for (unsigned i = 0; i < n && nothing; i++) {
        nothing = !(slice.host[i * bytes] & X86_PTE_P);
    }
    guest_slice_put(&slice);
    return nothing;
}

static Reach reach_of(const Diagnosis *d, const X86Walk *walk)
{
    if (walk->mapped) {
        return is_ram(d, walk->gpa) ? REACH_RAM : REACH_NO_RAM;
    }
    if (!walk->n_steps) {
        return REACH_NOT_CANONICAL;
    }
    return walk->n_steps == 1 && maps_nothing(d, walk) ? REACH_BAD_CR3 : REACH_NOT_MAPPED;
}

Reach diagnosis_reach(Diagnosis *d, const char *label, uint64_t linear, X86Walk *walk)
{
    Reach reach;

    x86_walk(d->r, d->memory, linear, walk);
    reach = reach_of(d, walk);
    if (!label) {
        return reach;
    }
    g_string_append_printf(d->lines, "  %-6s 0x%" PRIx64 ":", label, linear);
    for (unsigned i = 0; i < walk->n_steps; i++) {
        const X86WalkStep *step = &walk->steps[i];

        g_string_append_printf(d->lines, "%s %s[%u] at 0x%" PRIx64 " = 0x%" PRIx64, i ? "," : "",
                               step->level, step->index, step->entry_addr, step->entry);
    }
    if (walk->mapped) {
        g_string_append_printf(d->lines, " -> 0x%" PRIx64 ", %s%s%s\n", walk->gpa,
                               reach == REACH_RAM ? "RAM" : "where no RAM is",
                               walk->writable ? "" : ", read-only",
                               walk->no_execute ? ", not to be executed" : "");
    } else {
        g_string_append_printf(d->lines, " %s\n", walk->fault);
    }
    return reach;
}

/* What ended a walk, as a sentence that begins with "the". */
static char *fault_sentence(const X86Walk *walk)
{
    const X86WalkStep *last = &walk->steps[walk->n_steps - 1];
    const char *verb = !g_strcmp0(walk->fault, "reserved bit set") ? "has a" : "is";

    return g_strdup_printf("the %s at 0x%" PRIx64 " %s %s", last->level, last->entry_addr, verb,
                           walk->fault);
}

void diagnosis_out_of_reach(Diagnosis *d, Reach reach, const X86Walk *walk, const char *what,
                            uint64_t linear, const char *cause_no_ram)
{
    g_autofree char *fault = walk->n_steps && walk->fault ? fault_sentence(walk) : NULL;

    switch (reach) {
    case REACH_RAM:
        break;
    case REACH_NO_RAM:
        diagnosis_verdict(d, cause_no_ram,
                          "%s is 0x%" PRIx64 ", guest-physical 0x%" PRIx64 ", and no RAM is there",
                          what, linear, walk->gpa);
        break;
    case REACH_BAD_CR3:
        diagnosis_verdict(d, X86_CAUSE_BAD_CR3,
                          "CR3 is 0x%" PRIx64 ", and there is %s: so %s (0x%" PRIx64
                          ") and all else is out of reach",
                          d->r->cr3,
                          g_strcmp0(walk->fault, "outside RAM") ? "a table that maps nothing"
                                                                : "no RAM for a page table",
                          what, linear);
        break;
    case REACH_NOT_MAPPED:
        diagnosis_verdict(d,
                          !g_strcmp0(walk->fault, "not present")   ? X86_CAUSE_NOT_PRESENT
                          : !g_strcmp0(walk->fault, "outside RAM") ? "page table outside RAM"
                                                                   : "reserved bit in a page table",
                          "%s is 0x%" PRIx64 ", and %s", what, linear, fault);
        break;
    case REACH_NOT_CANONICAL:
        diagnosis_verdict(d, "address not canonical", "%s is 0x%" PRIx64 ", which is no address",
                          what, linear);
        break;
    }
}

unsigned diagnosis_read(const Diagnosis *d, uint64_t linear, void *buf, unsigned n)
{
    unsigned done = 0;

    while (done < n) {
        uint64_t at = linear + done;
        unsigned len = MIN(n - done, 0x1000 - (unsigned)(at & 0xfff));
        GuestSlice slice;
        X86Walk walk;

        if (!x86_walk(d->r, d->memory, at, &walk) ||
            !guest_slice_get(d->memory, walk.gpa, len, false, &slice)) {
            break;
        }
        memcpy((uint8_t *)buf + done, slice.host, len);
        guest_slice_put(&slice);
        done += len;
    }
    return done;
}

/* ---- Code ---- */

static unsigned code_bits(const X86Registers *r)
{
    return r->seg[X86_CS].l ? 64 : r->seg[X86_CS].db ? 32 : 16;
}

static uint64_t linear_rip(const X86Registers *r)
{
    return r->seg[X86_CS].l ? r->rip : (r->seg[X86_CS].base + r->rip) & UINT32_MAX;
}

static void append_code(Diagnosis *d)
{
    unsigned length;
    g_autofree char *text =
        disas_instruction(d->code, d->n_code, code_bits(d->r), d->r->rip, &length);

    if (text) {
        g_string_append_printf(d->lines, "         %s\n", text);
    }
}

/* The instruction would load CR3 (mov from a register): KVM does not carry it out with what is no
 * address, so CR3 itself is still good. */
static void check_load_of_cr3(Diagnosis *d)
{
    unsigned rex = (d->code[0] & 0xf0) == 0x40 && code_bits(d->r) == 64 ? d->code[0] : 0;
    const uint8_t *op = d->code + (rex != 0);
    uint64_t value;

    if (op[0] != 0x0f || op[1] != 0x22 || (op[2] & 0x38) != 3 << 3) {
        return;
    }
    value = d->r->gpr[(op[2] & 7) | (rex & 1 ? 8 : 0)];
    if (!is_ram(d, value & X86_PTE_ADDR)) {
        diagnosis_verdict(d, X86_CAUSE_BAD_CR3,
                          "the instruction loads CR3 with 0x%" PRIx64
                          ", where no RAM is for a page table",
                          value);
    }
}

/* Which exception the instruction raises by its nature. */
static int vector_of_code(const Diagnosis *d)
{
    if (d->code[0] == 0x0f && d->code[1] == 0x0b) {
        return VECTOR_UD;
    }
    if (d->code[0] == 0xcc) {
        return 3;
    }
    return d->code[0] == 0xcd ? d->code[1] : -1;
}

/* Whether code in a page with these rights may be executed (SDM vol. 3, 4.6). */
static void check_rights(Diagnosis *d, const X86Walk *walk, uint64_t linear)
{
    bool user = d->r->seg[X86_SS].dpl == 3;

    if (walk->no_execute) {
        diagnosis_verdict(d, "page not executable",
                          "the code at RIP is 0x%" PRIx64 ", in a page that is marked as no code",
                          linear);
    } else if (user && !walk->user) {
        diagnosis_verdict(
            d, "page not for user code",
            "the code at RIP is 0x%" PRIx64 ", in a page of the kernel, and the CPL is 3", linear);
    } else if (!user && walk->n_steps && walk->user && d->r->cr4 & X86_CR4_SMEP) {
        diagnosis_verdict(d, "page of user code",
                          "the code at RIP is 0x%" PRIx64
                          ", in a page of user code, which SMEP keeps the kernel from executing",
                          linear);
    }
}

static void check_code(Diagnosis *d)
{
    const X86Registers *r = d->r;
    uint64_t linear = linear_rip(r);
    X86Walk walk;
    Reach reach = diagnosis_reach(d, "code", linear, &walk);

    d->n_code = diagnosis_read(d, linear, d->code, sizeof(d->code));
    append_code(d);
    if (code_bits(r) != 64 && r->rip > r->seg[X86_CS].limit) {
        diagnosis_verdict(d, "jump past the end of the code segment",
                          "RIP is 0x%" PRIx64 ", and the limit of CS is 0x%x", r->rip,
                          r->seg[X86_CS].limit);
        return;
    }
    if (reach != REACH_RAM) {
        d->vector = reach == REACH_NO_RAM ? -1 : VECTOR_PF;
        diagnosis_out_of_reach(d, reach, &walk, "the code at RIP", linear, X86_CAUSE_HOLE);
        return;
    }
    d->vector = vector_of_code(d);
    check_rights(d, &walk, linear);
    check_load_of_cr3(d);
}

/* ---- Data ---- */

/* The stack pointer as a linear address. */
static uint64_t linear_rsp(const X86Registers *r)
{
    uint64_t esp = r->gpr[X86_RSP] & (r->seg[X86_SS].db ? UINT32_MAX : 0xffff);

    return code_bits(r) == 64 ? r->gpr[X86_RSP] : (r->seg[X86_SS].base + esp) & UINT32_MAX;
}

/*
 * Where nothing answers, a read gives all ones: so does a return from a function whose stack is such
 * a place.
 */
static void check_return(Diagnosis *d)
{
    unsigned bytes = code_bits(d->r) / 8;
    uint64_t all_ones = UINT64_MAX >> (64 - 8 * bytes), taken = linear_rsp(d->r) - bytes;
    X86Walk walk;

    if (d->r->rip == all_ones && diagnosis_reach(d, NULL, taken, &walk) == REACH_NO_RAM) {
        diagnosis_verdict(d, X86_CAUSE_STACK,
                          "RIP is all ones, which is what a return finds at 0x%" PRIx64
                          ", below RSP, where no RAM is",
                          taken);
    }
}

/* Whether @linear is where a push, a call, or what the processor pushes itself would go. */
static bool is_below_rsp(const Diagnosis *d, uint64_t linear)
{
    return linear_rsp(d->r) - linear - 1 < 0x1000;
}

static bool faults(Reach reach)
{
    return reach != REACH_RAM && reach != REACH_NO_RAM;
}

/* What the instruction reaches for. */
static void check_operands(Diagnosis *d)
{
    X86Operand operands[X86_OPERANDS_MAX];
    unsigned n = x86_operands(d->r, d->code, d->n_code, operands);

    for (unsigned i = 0; i < n; i++) {
        uint64_t linear = operands[i].linear;
        X86Walk walk;
        Reach reach = diagnosis_reach(d, "data", linear, &walk);

        if (!faults(reach)) {
            continue;
        }
        if (operands[i].stack && reach != REACH_BAD_CR3) {
            diagnosis_verdict(d, X86_CAUSE_STACK,
                              "the instruction reaches for 0x%" PRIx64
                              " on the stack, where no page is mapped",
                              linear);
        }
        d->vector = reach == REACH_NOT_CANONICAL ? VECTOR_GP : VECTOR_PF;
        diagnosis_out_of_reach(d, reach, &walk, "what the instruction reaches for", linear, NULL);
    }
}

/* CR2 is where the last page fault was; before the first one it is 0. */
static void check_cr2(Diagnosis *d)
{
    const X86Registers *r = d->r;
    X86Walk walk;
    Reach reach;

    if (!(r->cr0 & X86_CR0_PG)) {
        return;
    }
    reach = diagnosis_reach(d, "CR2", r->cr2, &walk);
    if (!faults(reach) || r->cr2 == 0) {
        return;
    }
    if (r->cr2 - r->idt.base <= r->idt.limit) {
        diagnosis_verdict(d, X86_CAUSE_NO_IDT,
                          "CR2 is 0x%" PRIx64
                          ", where the last page fault was: in the IDT, of which "
                          "that page is not mapped",
                          r->cr2);
    } else if (is_below_rsp(d, r->cr2)) {
        diagnosis_verdict(d, X86_CAUSE_STACK,
                          "CR2 is 0x%" PRIx64 ", where the last page fault was: on the stack below "
                          "RSP (0x%" PRIx64 "), where no page is mapped",
                          r->cr2, r->gpr[X86_RSP]);
    }
    d->vector = VECTOR_PF;
    diagnosis_out_of_reach(d, reach, &walk, "CR2, where the last page fault was,", r->cr2, NULL);
}

/* ---- All of it ---- */

const char *x86_diagnose(const X86Registers *r, AddressSpace *memory, bool exception, GString *out)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    Diagnosis d = { .r = r, .memory = memory, .lines = lines, .vector = -1 };
    X86Walk walk;

    check_return(&d);
    check_code(&d);
    diagnosis_reach(&d, "stack", linear_rsp(r) - 1, &walk);
    /* KVM also gives up the instruction when it cannot deliver the exception that this raises. */
    exception = exception || (!d.cause && d.vector >= 0);
    if (exception) {
        check_operands(&d);
        check_cr2(&d);
        diagnosis_check_delivery(&d);
    }
    if (d.cause) {
        g_string_append_printf(out, "diagnosis: %s: %s.\n", d.cause, d.sentence);
    } else {
        g_string_append_printf(out, "diagnosis: not found; %s.\n",
                               exception ? "code, gates and stack are in place"
                                         : "there is code at RIP");
    }
    g_string_append_printf(out, "  in %s, CPL %u, at %04x:%0*" PRIx64 "\n", x86_mode_name(r),
                           r->seg[X86_SS].dpl, r->seg[X86_CS].selector, code_bits(r) == 64 ? 16 : 8,
                           r->rip);
    g_string_append(out, lines->str);
    g_free(d.sentence);
    return d.cause;
}
