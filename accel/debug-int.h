/* SPDX-License-Identifier: MIT */
/* What the files of accel/ that serve a debugger share. */
#ifndef ACCEL_DEBUG_INT_H
#define ACCEL_DEBUG_INT_H

#include <qomet/accel/accel.h>
#include <qomet/accel/debug.h>

#define X86_INT3 0xcc

/* Breakpoints of the machine; in order of their making. Changed while all vCPUs are parked. */
struct CPUDebug {
    GArray *breakpoints; /* of CPUBreakpoint */
    void (*hook)(CPUState *cpu, void *opaque);
    void *hook_opaque;
};

/* Tells the accelerator of breakpoints and steps, for every vCPU. False when it refuses one. */
bool cpu_debug_update_all(GError **errp);
/* Those of the accelerator, or NULL before there are any. */
GArray *cpu_breakpoints(void);

/*
 * Puts an INT3 at @b->gpa and notes what was there, or takes it out. False when no memory that can
 * be written is there.
 */
bool cpu_breakpoint_patch(CPUBreakpoint *b, AddressSpace *as);
void cpu_breakpoint_unpatch(CPUBreakpoint *b, AddressSpace *as);
/* Frees what debugging has left at the end of the accelerator; NULL is fine. */
void cpu_debug_free(CPUDebug *debug);

#endif
