/* SPDX-License-Identifier: MIT */
/* Which memory an instruction reaches for: enough of a decoder to find addresses, and no more. */
#ifndef ACCEL_X86_OPERAND_H
#define ACCEL_X86_OPERAND_H

#include <qomet/accel/cpu.h>

#define X86_OPERANDS_MAX 3

typedef struct X86Operand {
    uint64_t linear; /* the lowest address */
    bool stack;      /* it is pushed to or popped from there */
} X86Operand;

/**
 * The memory operands of the instruction at RIP, whose first @n bytes are @code, with the registers
 * @r as they are before it. Returns how many there are, at most X86_OPERANDS_MAX; 0 also for
 * instructions that are not known here (VEX, EVEX and the like). SDM vol. 2, chapters 2 and A.
 */
unsigned x86_operands(const X86Registers *r, const uint8_t *code, unsigned n,
                      X86Operand out[X86_OPERANDS_MAX]);

#endif
