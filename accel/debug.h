/* SPDX-License-Identifier: MIT */
/*
 * What a debugger asks of the vCPUs: single steps, breakpoints, watchpoints, and memory as the
 * guest addresses it. The machine stops in RUN_STATE_DEBUG when a vCPU meets one of them.
 */
#ifndef QOMET_ACCEL_DEBUG_H
#define QOMET_ACCEL_DEBUG_H

#include <qomet/accel/cpu.h>

typedef struct CPUBreakpoint {
    CPUBreakKind kind;
    uint64_t addr; /* linear */
    uint64_t size; /* bytes watched; 1 for code */
    /* Of CPU_BREAK_SOFTWARE: */
    hwaddr gpa;       /* where it was when the breakpoint was made */
    uint8_t original; /* what the INT3 stands for */
    bool placed;      /* the INT3 is in memory; else a debug register has to do */
} CPUBreakpoint;

/** How a vCPU goes on: QEMU's SSTEP_ bits. */
enum {
    CPU_STEP_ENABLE = 1, /* stops after one instruction */
    CPU_STEP_NOIRQ = 2,  /* and takes no interrupt meanwhile, where the accelerator can do that */
};

/**
 * Whether breakpoints of @kind are ever met. CPU_BREAK_ACCESS is not in a KVM that interprets the
 * guest's code and passes over the debug registers; what else it passes over is made up for by
 * steps, which is slow. Main thread.
 */
QOM_EXPORT bool cpu_debug_meets(CPUBreakKind kind);
/**
 * Lets @cpu stop after one instruction when it goes on (CPU_STEP_ bits), or not any more (0). The
 * vCPU is parked. False when the accelerator refuses. Main thread.
 */
QOM_EXPORT bool cpu_single_step(CPUState *cpu, unsigned flags, GError **errp);
/** Keeps @cpu parked when the others go on. Main thread, the machine stopped. */
QOM_EXPORT void cpu_debug_hold(CPUState *cpu, bool hold);

/**
 * Makes a breakpoint for all vCPUs; @cpu is the one whose page tables say where @addr is (for
 * CPU_BREAK_SOFTWARE). One that is there already is fine. Watched bytes may need several debug
 * registers, and a software breakpoint in ROM takes one. Main thread.
 */
QOM_EXPORT bool cpu_breakpoint_insert(CPUState *cpu, uint64_t addr, uint64_t size,
                                      CPUBreakKind kind, GError **errp);
/** Takes it away. False when there is none. Main thread. */
QOM_EXPORT bool cpu_breakpoint_remove(uint64_t addr, uint64_t size, CPUBreakKind kind);
/** Takes all breakpoints away, ends all steps, lets go what is held. Main thread. */
QOM_EXPORT void cpu_debug_clear(void);
/**
 * Around what loads the guest's memory anew, every vCPU parked: takes INT3s out of it, and puts
 * them back over what is there then. Main thread.
 */
QOM_EXPORT void cpu_breakpoints_lift(void);
QOM_EXPORT void cpu_breakpoints_place(void);

/**
 * Memory at the linear address @addr as @cpu sees it now: RAM and ROM only, without the INT3s of
 * breakpoints. A write reaches ROM too, stands below such an INT3, and is all or nothing. False
 * names the first address that is not there. Main thread.
 */
QOM_EXPORT bool cpu_read_memory(CPUState *cpu, uint64_t addr, void *buf, size_t len, GError **errp);
QOM_EXPORT bool cpu_write_memory(CPUState *cpu, uint64_t addr, const void *buf, size_t len,
                                 GError **errp);
/** The same with guest-physical addresses. */
QOM_EXPORT bool cpu_read_physical(CPUState *cpu, hwaddr addr, void *buf, size_t len, GError **errp);
QOM_EXPORT bool cpu_write_physical(CPUState *cpu, hwaddr addr, const void *buf, size_t len,
                                   GError **errp);

/**
 * Who is told that a vCPU met a breakpoint or finished a step (cpu->debug_event says which); the
 * machine is stopped in RUN_STATE_DEBUG. Called once for each vCPU that has an event; it stays
 * until it is cleared. With nobody to tell (NULL) the machine goes on. False when somebody else is
 * told already, or there is nothing to debug. Main thread.
 */
QOM_EXPORT bool cpu_set_debug_hook(void (*fn)(CPUState *cpu, void *opaque), void *opaque,
                                   GError **errp);

/* ---- For accelerators ------------------------------------------------------------------------ */

/** Number @i of the breakpoints, or NULL past the last. They change while all vCPUs are parked. */
const CPUBreakpoint *cpu_breakpoint_get(unsigned i);
/**
 * The software breakpoint whose INT3 @cpu has met at @linear, or NULL: then it is the guest's own.
 * The vCPU's own thread.
 */
const CPUBreakpoint *cpu_breakpoint_software_at(CPUState *cpu, uint64_t linear);
/** Stops the machine for @reason; @addr as in CPUDebugEvent. The vCPU's own thread. */
void cpu_debug_stop(CPUState *cpu, CPUDebugReason reason, uint64_t addr);
/** Tells the hook of what has stopped the machine. Main thread; for accel/runstate.c. */
void cpu_debug_report(void);

/* What debug registers 0 to 3 are to hold. */
typedef struct X86DebugRegisters {
    uint64_t dr[4];
    uint64_t dr7;
    const CPUBreakpoint *of[4]; /* the breakpoint that each serves, or NULL: it is free */
} X86DebugRegisters;
/**
 * Shares the debug registers out: first to those that need them, then to software breakpoints,
 * which are met even where INT3 does not stop the guest (real mode that KVM interprets). False when
 * they do not suffice.
 */
bool x86_debug_registers(X86DebugRegisters *out);

#endif
