/* SPDX-License-Identifier: MIT */
/*
 * The walk from a linear address to a guest-physical one, told step by step: which entry of which
 * table was read, what it held, and why the walk ended where it did.
 */
#ifndef QOMET_ACCEL_X86_WALK_H
#define QOMET_ACCEL_X86_WALK_H

#include <qomet/accel/cpu.h>

/** One entry that was looked at. */
typedef struct X86WalkStep {
    const char *level; /* "PML5E", "PML4E", "PDPTE", "PDE" or "PTE", as in the SDM */
    unsigned index;    /* in its table */
    hwaddr entry_addr; /* guest-physical */
    uint64_t entry;    /* 0 when it is outside RAM */
} X86WalkStep;

typedef struct X86Walk {
    X86WalkStep steps[5]; /* from CR3 on; the last one is where the walk ended */
    unsigned n_steps;     /* 0 without paging, and when the address is not canonical */
    bool mapped;
    /* Valid when mapped: */
    hwaddr gpa;
    uint64_t page_size;              /* in bytes; 4096 without paging */
    bool writable, user, no_execute; /* what all entries together allow */
    /*
     * A part of a sentence when not mapped, else NULL: "not present", "reserved bit set", "outside
     * RAM" (the entry), "not canonical".
     */
    const char *fault;
} X86Walk;

/**
 * Walks the page tables that @r names for the address @linear (of which the upper half counts in
 * long mode only); tables are read from RAM and ROM of @memory only, and no accessed or dirty bit
 * is set. The paging modes of SDM vol. 3, 4.3 to 4.5: 32-bit, PAE, 4-level, 5-level. Address bits
 * that this processor's width makes reserved are not looked at: what they lead to is outside RAM.
 * The answer is out->mapped. Any thread that may use @r.
 */
QOM_EXPORT bool x86_walk(const X86Registers *r, AddressSpace *memory, uint64_t linear,
                         X86Walk *out);

#endif
