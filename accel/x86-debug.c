/* SPDX-License-Identifier: MIT */
/*
 * Breakpoints in the debug registers of x86 (SDM vol. 3, 18.2): a register covers 1, 2, 4 or 8
 * bytes that are aligned to as many.
 */
#include "accel/debug-int.h"

#define DR7_FIXED 0x400 /* bit 10 is always set */
#define DR7_GLOBAL(i) (UINT64_C(2) << (2 * (i)))
#define DR7_TYPE_LENGTH(i, type, length) ((uint64_t)((type) | (length) << 2) << (16 + 4 * (i)))

static unsigned type_bits(CPUBreakKind kind)
{
    switch (kind) {
    case CPU_BREAK_WRITE:
        return 1;
    case CPU_BREAK_ACCESS:
        return 3;
    default:
        return 0;
    }
}

/* The largest piece that one register watches at the beginning of those bytes. */
static unsigned piece(uint64_t addr, uint64_t size)
{
    unsigned n = 8;

    while (addr % n || n > size) {
        n /= 2;
    }
    return n;
}

static unsigned length_bits(unsigned n)
{
    return n == 8 ? 2 : n - 1;
}

static bool add(X86DebugRegisters *out, unsigned *used, const CPUBreakpoint *b)
{
    uint64_t addr = b->addr, left = b->size;

    while (left) {
        unsigned n = piece(addr, left);

        if (*used == G_N_ELEMENTS(out->dr)) {
            return false;
        }
        out->dr[*used] = addr;
        out->dr7 |= DR7_GLOBAL(*used) | DR7_TYPE_LENGTH(*used, type_bits(b->kind), length_bits(n));
        out->of[(*used)++] = b;
        addr += n;
        left -= n;
    }
    return true;
}

static bool needs_register(const CPUBreakpoint *b)
{
    return b->kind != CPU_BREAK_SOFTWARE || !b->placed;
}

bool x86_debug_registers(X86DebugRegisters *out)
{
    const CPUBreakpoint *b;
    unsigned used = 0;

    *out = (X86DebugRegisters){ .dr7 = DR7_FIXED };
    for (unsigned i = 0; (b = cpu_breakpoint_get(i)); i++) {
        if (needs_register(b) && !add(out, &used, b)) {
            return false;
        }
    }
    for (unsigned i = 0; (b = cpu_breakpoint_get(i)); i++) {
        if (!needs_register(b) && !add(out, &used, b)) {
            break;
        }
    }
    return true;
}
