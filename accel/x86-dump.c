/* SPDX-License-Identifier: MIT */
/*
 * x86 registers as people read them, in the lines of QEMU's "info registers", which scripts know:
 * those of 64-bit mode are wide, those of other modes are not.
 */
#include <inttypes.h>
#include <qomet/accel/cpu.h>
#include "accel/x86-bits.h"

/* What is printed, and where. */
typedef struct Dump {
    const X86Registers *r;
    const X86ExtendedRegisters *x; /* or NULL */
    GString *out;
    bool code64;    /* 64-bit mode: wide registers */
    bool long_mode; /* that, or compatibility mode: wide tables */
} Dump;

/* A number of as many digits as the mode has. */
static void put_number(const Dump *d, bool wide, uint64_t value)
{
    g_string_append_printf(d->out, wide ? "%016" PRIx64 : "%08" PRIx64,
                           wide ? value : value & UINT32_MAX);
}

static void put_registers(const Dump *d)
{
    static const struct {
        const char *wide, *narrow;
        uint8_t number;
    } names[X86_NUM_GPRS] = {
        { "RAX", "EAX", X86_RAX }, { "RBX", "EBX", X86_RBX }, { "RCX", "ECX", X86_RCX },
        { "RDX", "EDX", X86_RDX }, { "RSI", "ESI", X86_RSI }, { "RDI", "EDI", X86_RDI },
        { "RBP", "EBP", X86_RBP }, { "RSP", "ESP", X86_RSP }, { "R8 ", NULL, 8 },
        { "R9 ", NULL, 9 },        { "R10", NULL, 10 },       { "R11", NULL, 11 },
        { "R12", NULL, 12 },       { "R13", NULL, 13 },       { "R14", NULL, 14 },
        { "R15", NULL, 15 },
    };

    for (int i = 0; i < X86_NUM_GPRS && (d->code64 || names[i].narrow); i++) {
        g_string_append_printf(d->out, "%s=", d->code64 ? names[i].wide : names[i].narrow);
        put_number(d, d->code64, d->r->gpr[names[i].number]);
        g_string_append_c(d->out, i % 4 == 3 ? '\n' : ' ');
    }
}

/* RIP, flags, and what else decides about the next instruction. */
static void put_state(const Dump *d, bool halted)
{
    static const struct {
        uint8_t bit;
        char letter;
    } flags[] = { { 10, 'D' }, { 11, 'O' }, { 7, 'S' }, { 6, 'Z' },
                  { 4, 'A' },  { 2, 'P' },  { 0, 'C' } };

    g_string_append(d->out, d->code64 ? "RIP=" : "EIP=");
    put_number(d, d->code64, d->r->rip);
    g_string_append_printf(d->out, " %s=%08" PRIx64 " [", d->code64 ? "RFL" : "EFL", d->r->rflags);
    for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
        g_string_append_c(d->out, d->r->rflags >> flags[i].bit & 1 ? flags[i].letter : '-');
    }
    /* There is no gate at address line 20. */
    g_string_append_printf(d->out, "] CPL=%u II=%d A20=1 SMM=%d HLT=%d\n", d->r->seg[X86_SS].dpl,
                           d->x && d->x->shadow, d->x && d->x->smm, halted);
}

/* ---- Segments -------------------------------------------------------------------------------- */

/* The upper half of the descriptor, without its parts of base and limit (SDM vol. 3, 3.4.5). */
static uint32_t segment_bits(const X86Segment *s)
{
    return s->unusable ? 0
                       : (uint32_t)(s->type << 8 | s->s << 12 | s->dpl << 13 | s->present << 15 |
                                    s->avl << 20 | s->l << 21 | s->db << 22 | s->g << 23);
}

/* Names of system segments (SDM vol. 3, table 3-2) outside of long mode, and in it. */
static const char *system_name(unsigned type, bool long_mode)
{
    static const char *const names[16] = {
        "Reserved",   "TSS16-avl",  "LDT",       "TSS16-busy", "CallGate16", "TaskGate",
        "IntGate16",  "TrapGate16", "Reserved",  "TSS32-avl",  "Reserved",   "TSS32-busy",
        "CallGate32", "Reserved",   "IntGate32", "TrapGate32",
    };
    static const char *const long_names[16] = {
        "<hiword>",   "Reserved", "LDT",       "Reserved",   "Reserved", "Reserved",
        "Reserved",   "Reserved", "Reserved",  "TSS64-avl",  "Reserved", "TSS64-busy",
        "CallGate64", "Reserved", "IntGate64", "TrapGate64",
    };

    return long_mode ? long_names[type] : names[type];
}

static void put_segment_type(const Dump *d, const X86Segment *s)
{
    g_string_append_printf(d->out, " DPL=%d ", s->dpl);
    if (!s->s) {
        g_string_append(d->out, system_name(s->type, d->long_mode));
    } else if (s->type & 8) {
        g_string_append_printf(d->out, "%s [%c%c%c]",
                               s->l    ? "CS64"
                               : s->db ? "CS32"
                                       : "CS16",
                               s->type & 4 ? 'C' : '-', s->type & 2 ? 'R' : '-',
                               s->type & 1 ? 'A' : '-');
    } else {
        g_string_append_printf(d->out, "%s [%c%c%c]", s->db || d->long_mode ? "DS  " : "DS16",
                               s->type & 4 ? 'E' : '-', s->type & 2 ? 'W' : '-',
                               s->type & 1 ? 'A' : '-');
    }
}

static void put_segment(const Dump *d, const char *name, const X86Segment *s)
{
    g_string_append_printf(d->out, "%-3s=%04x ", name, s->selector);
    put_number(d, d->code64, s->base);
    g_string_append_printf(d->out, " %08x %08x", s->limit, segment_bits(s));
    if (d->r->cr0 & X86_CR0_PE && s->present && !s->unusable) {
        put_segment_type(d, s);
    }
    g_string_append_c(d->out, '\n');
}

static void put_segments(const Dump *d)
{
    static const char segs[X86_NUM_SEGS][3] = { "ES", "CS", "SS", "DS", "FS", "GS" };

    for (int i = 0; i < X86_NUM_SEGS; i++) {
        put_segment(d, segs[i], &d->r->seg[i]);
    }
    put_segment(d, "LDT", &d->r->ldt);
    put_segment(d, "TR", &d->r->tr);
}

/* ---- What a kernel sees ---------------------------------------------------------------------- */

static void put_table(const Dump *d, const char *name, const X86Table *table)
{
    g_string_append_printf(d->out, "%s=     ", name);
    put_number(d, d->long_mode, table->base);
    g_string_append_printf(d->out, " %08x\n", table->limit);
}

static void put_control(const Dump *d)
{
    put_table(d, "GDT", &d->r->gdt);
    put_table(d, "IDT", &d->r->idt);
    g_string_append_printf(d->out, "CR0=%08" PRIx64 " CR2=", d->r->cr0);
    put_number(d, d->long_mode, d->r->cr2);
    g_string_append(d->out, " CR3=");
    put_number(d, d->long_mode, d->r->cr3);
    g_string_append_printf(d->out, " CR4=%08" PRIx64 "\n", d->r->cr4);
    if (d->x) {
        for (int i = 0; i < 4; i++) {
            g_string_append_printf(d->out, "DR%d=%016" PRIx64 " ", i, d->x->dr[i]);
        }
        g_string_append_printf(d->out, "\nDR6=%016" PRIx64 " DR7=%016" PRIx64 "\n", d->x->dr[6],
                               d->x->dr[7]);
    }
    g_string_append_printf(d->out, "EFER=%016" PRIx64 "\n", d->r->efer);
}

/* ---- Floating point and vectors -------------------------------------------------------------- */

/* @n bytes at @bytes as a number, the lowest byte first. */
static uint64_t little(const uint8_t *bytes, unsigned n)
{
    uint64_t value = 0;

    while (n-- > 0) {
        value = value << 8 | bytes[n];
    }
    return value;
}

static void put_extended(const Dump *d)
{
    const X86ExtendedRegisters *x = d->x;
    const unsigned top = x->fsw >> 11 & 7;

    g_string_append_printf(d->out, "FCW=%04x FSW=%04x [ST=%u] FTW=%02x MXCSR=%08x\n", x->fcw,
                           x->fsw, top, x->ftw, x->mxcsr);
    /* By their own numbers, while X86ExtendedRegisters has them from the top of the stack on. */
    for (unsigned i = 0; i < 8; i++) {
        const uint8_t *st = x->st[(i - top) & 7];

        g_string_append_printf(d->out, "FPR%u=%016" PRIx64 " %04x%c", i, little(st, 8),
                               (unsigned)little(st + 8, 2), i % 2 ? '\n' : ' ');
    }
    for (unsigned i = 0; i < (d->code64 ? 16 : 8); i++) {
        g_string_append_printf(d->out, "XMM%02u=%016" PRIx64 " %016" PRIx64 "%c", i,
                               little(x->xmm[i] + 8, 8), little(x->xmm[i], 8), i % 2 ? '\n' : ' ');
    }
}

void x86_registers_dump(const X86Registers *r, const X86ExtendedRegisters *x, bool halted,
                        GString *out)
{
    const bool long_mode = r->efer & X86_EFER_LMA;
    const Dump d = {
        .r = r, .x = x, .out = out, .long_mode = long_mode, .code64 = long_mode && r->seg[X86_CS].l
    };

    put_registers(&d);
    put_state(&d, halted);
    put_segments(&d);
    put_control(&d);
    if (x) {
        put_extended(&d);
    }
    g_string_append_printf(out, "(%s, CPL %u)\n", x86_mode_name(r), r->seg[X86_SS].dpl);
}
