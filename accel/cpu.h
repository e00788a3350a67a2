/* SPDX-License-Identifier: MIT */
/*
 * The virtual CPU: a device with a thread, driven by the accelerator. Its registers are plain data
 * that the accelerator fetches and puts back.
 */
#ifndef QOMET_ACCEL_CPU_H
#define QOMET_ACCEL_CPU_H

#include <qomet/accel/x86-features.h>
#include <qomet/accel/x86-topology.h>
#include <qomet/hw/core/qdev.h>

#define TYPE_CPU "cpu"
OBJECT_DECLARE_TYPE(CPUState, CPUClass, CPU)
typedef struct CPUThread CPUThread;
typedef struct ExitMemory ExitMemory;
typedef struct CPUIntc CPUIntc; /* see cpu-intc.h */
#define TYPE_X86_CPU "x86_64-cpu"
OBJECT_DECLARE_TYPE(X86CPU, X86CPUClass, X86_CPU)
/** Names of CPU models: "host-x86_64-cpu". */
#define X86_CPU_TYPE_NAME(model) model "-" TYPE_X86_CPU

/** Where a vCPU's thread stands; read by anyone, atomically. */
typedef enum CPUThreadState {
    CPU_CREATED, /* no thread yet */
    CPU_STOPPED, /* parked, may be told to run or to do work */
    CPU_RUNNING,
    CPU_HALTED, /* in HLT, waiting for an interrupt that user space would bring */
    CPU_ENDED,
} CPUThreadState;

typedef enum CPUBreakKind {
    CPU_BREAK_CODE,     /* a debug register: before the instruction at the address */
    CPU_BREAK_WRITE,    /* a debug register: after a write to any of the bytes */
    CPU_BREAK_ACCESS,   /* after a read or a write */
    CPU_BREAK_SOFTWARE, /* before the instruction, by an INT3 in the guest's memory */
} CPUBreakKind;
/** Why a debugger has stopped a vCPU. */
typedef enum CPUDebugReason {
    CPU_DEBUG_NONE,
    CPU_DEBUG_STEP,     /* it executed the one instruction it was to */
    CPU_DEBUG_SOFTWARE, /* it is at an INT3 of ours */
    CPU_DEBUG_CODE,     /* it is at an instruction that a debug register names */
    CPU_DEBUG_WRITE,    /* it has written to watched bytes */
    CPU_DEBUG_ACCESS,   /* it has read or written watched bytes */
} CPUDebugReason;
typedef struct CPUDebugEvent {
    CPUDebugReason reason;
    uint64_t addr; /* that of the breakpoint; 0 for a step */
} CPUDebugEvent;

struct CPUState {
    DeviceState parent_obj;
    uint32_t index;           /* 0 is the one that boots */
    bool triple_fault_resets; /* the machine; otherwise it ends, and says why; before realize */
    CPUTopology topology;     /* of the machine; before realize */
    pthread_t thread;
    bool has_thread;
    int thread_id;          /* what ps calls the thread; 0 until it runs; atomic */
    uint32_t state;         /* CPUThreadState, atomic */
    uint32_t stop;          /* asked to park, atomic */
    uint32_t exit_request;  /* asked to leave the guest, atomic */
    uint32_t halted;        /* executed HLT and not woken yet, also while parked; atomic */
    CPUThread *thread_data; /* private to accel/cpu-thread.c */
    void *accel;            /* the accelerator's own part of this vCPU */
    /* Of cpu-intc.h; NULL: no controller in user space. Written before the machine starts. */
    CPUIntc *intc;
    uint32_t interrupt_request; /* it has something; atomic */
    uint32_t events;            /* a bit for each CPUEvent that is to be dealt with; atomic */
    uint8_t sipi_vector;        /* of the last start-up; atomic */
    bool deaf;                  /* halted with interrupts off; its own thread, and reset */
    AddressSpace *as_memory, *as_io;
    uint64_t exits_observed; /* how many there were; its own thread */
    ExitMemory *exits;       /* the last of them, NULL while there were none; atomic */
    /* Of accel/debug.h; the vCPU's thread reads the first when it enters the guest. */
    uint32_t single_step;      /* CPU_STEP_ bits; written while it is parked */
    bool debug_hold;           /* stays parked when the others go on; main thread */
    CPUDebugEvent debug_event; /* written by its thread, read while it is parked */
};

struct CPUClass {
    DeviceClass parent_class;
    /**
     * Writes the registers as a person reads them, several lines. vCPU parked, or its own thread;
     * with those that only a debugger wants too (@extended): main thread, vCPU parked.
     */
    void (*dump_state)(CPUState *cpu, bool extended, GString *out);
};

/** x86 registers, in the terms of the Intel SDM, volume 3. */
typedef struct X86Segment {
    uint64_t base;
    uint32_t limit; /* in bytes, expanded */
    uint16_t selector;
    uint8_t type, dpl;
    bool present, db, s, l, g, avl, unusable;
} X86Segment;
typedef struct X86Table {
    uint64_t base;
    uint16_t limit;
} X86Table;
enum {
    X86_RAX,
    X86_RCX,
    X86_RDX,
    X86_RBX,
    X86_RSP,
    X86_RBP,
    X86_RSI,
    X86_RDI,
    X86_R8,
    X86_R15 = 15,
    X86_NUM_GPRS
};
enum { X86_ES, X86_CS, X86_SS, X86_DS, X86_FS, X86_GS, X86_NUM_SEGS };
typedef struct X86Registers {
    uint64_t gpr[X86_NUM_GPRS];
    uint64_t rip, rflags;
    X86Segment seg[X86_NUM_SEGS], tr, ldt;
    X86Table gdt, idt;
    uint64_t cr0, cr2, cr3, cr4, cr8, efer, apic_base;
} X86Registers;

/** What a debugger shows besides: floating point and vectors as FXSAVE lays them out. */
typedef struct X86ExtendedRegisters {
    uint16_t fcw, fsw, fop;
    uint8_t ftw; /* abridged: a bit for each register that is in use */
    uint64_t fip, fdp;
    uint32_t mxcsr;
    uint8_t st[8][16];   /* the lower 10 bytes are the value */
    uint8_t xmm[16][16]; /* the lowest byte first */
    uint64_t kernel_gs_base;
    /* Only read: */
    uint64_t dr[8]; /* debug registers, 4 and 5 being none */
    bool shadow;    /* the last instruction keeps interrupts away from the next one */
    bool smm;       /* in system management mode */
} X86ExtendedRegisters;

struct X86CPU {
    CPUState parent_obj;
    X86Registers regs; /* valid while regs_fetched; at reset: what the vCPU starts with */
    bool regs_fetched; /* regs are newer than, or the same as, the accelerator's */
    bool regs_dirty;   /* regs are newer */
    bool reset_state;  /* what is not in regs takes its power-on state too, before it runs next */
    bool init_state; /* what INIT changes of that does: debug registers, events that were to come */
    /* It waits for an INIT and a SIPI. As reset leaves it, all but the first one do (SDM vol. 3,
     * 9.4); a board that starts them itself clears this in its reset. */
    bool wait_for_sipi;
    bool pv_hypercalls; /* property "kvm-hypercalls" */
    /* Of CPUID, before realize; and what is done when the host lacks one: properties. */
    X86Features features;
    bool check_features, enforce_features;
};

/** What CPUID gives for one leaf and subleaf. */
typedef struct X86Cpuid {
    uint32_t leaf, subleaf, eax, ebx, ecx, edx;
} X86Cpuid;

struct X86CPUClass {
    CPUClass parent_class;
    /*
     * A model that is the same on every host: its leaves, without what depends on the vCPU's index
     * or the host's vendor. NULL: whatever the accelerator offers.
     */
    const X86Cpuid *cpuid;
    unsigned cpuid_n;
};

/**
 * The class of "-cpu @model" ("host", or the whole name of the type); NULL with the nearest name in
 * @errp. Main thread.
 */
QOM_EXPORT ObjectClass *x86_cpu_class_by_name(const char *model, GError **errp);
/** The linear address of the instruction that @r are about to execute. Any thread. */
static inline uint64_t x86_program_counter(const X86Registers *r)
{
    return (r->seg[X86_CS].l ? 0 : r->seg[X86_CS].base) + r->rip;
}
/** Power-on values (SDM vol. 3, table 10-1) into @r. */
QOM_EXPORT void x86_registers_reset(X86Registers *r);
/**
 * The registers for reading: fetched from the accelerator when need be. vCPU parked, or on its own
 * thread.
 */
QOM_EXPORT const X86Registers *x86_cpu_registers(X86CPU *cpu, GError **errp);
/** The registers for writing; they go back before the vCPU runs next. Same threads. */
QOM_EXPORT X86Registers *x86_cpu_registers_for_write(X86CPU *cpu, GError **errp);
/**
 * Takes @r over as the registers, if the accelerator does: registers that contradict each other are
 * refused, and nothing has changed then. Main thread, vCPU parked.
 */
QOM_EXPORT bool x86_cpu_set_registers(X86CPU *cpu, const X86Registers *r, GError **errp);
/**
 * Loads @selector into r->seg[@index] (X86_CS, ...) from the tables that @r names, or as real mode
 * does. False when it is of no segment; r->seg[@index] may have changed then. Main thread.
 */
QOM_EXPORT bool x86_cpu_load_segment(X86CPU *cpu, X86Registers *r, unsigned index,
                                     uint16_t selector, GError **errp);
/** The extended registers, from and to the accelerator at once. Main thread, vCPU parked. */
QOM_EXPORT bool x86_cpu_get_extended(X86CPU *cpu, X86ExtendedRegisters *r, GError **errp);
QOM_EXPORT bool x86_cpu_set_extended(X86CPU *cpu, const X86ExtendedRegisters *r, GError **errp);
/**
 * Bytes at CS:RIP through the guest's page tables, at most @max; returns how many could be read.
 */
QOM_EXPORT unsigned x86_cpu_code_bytes(X86CPU *cpu, uint8_t *buf, unsigned max);
/** Guest-virtual to guest-physical by walking the page tables (debug access; no A/D bits set). */
QOM_EXPORT bool x86_cpu_translate(X86CPU *cpu, uint64_t gva, hwaddr *gpa, GError **errp);
/** The mode that the processor is in: "64-bit mode". Static. */
QOM_EXPORT const char *x86_mode_name(const X86Registers *r);
/**
 * All registers as text: the lines of QEMU's "info registers", and one that names the mode. @x may be
 * NULL.
 */
QOM_EXPORT void x86_registers_dump(const X86Registers *r, const X86ExtendedRegisters *x,
                                   bool halted, GString *out);

/** The vCPU @index, without a reference, or NULL. Any thread. */
QOM_EXPORT CPUState *qemu_get_cpu(unsigned index);
/** The vCPU that comes after @cpu in order of index (NULL: the first), or NULL. Any thread. */
QOM_EXPORT CPUState *cpu_next(const CPUState *cpu);
#define CPU_FOREACH(cpu) for ((cpu) = cpu_next(NULL); (cpu); (cpu) = cpu_next(cpu))
/** How many vCPUs there are; their indices begin at 0. Any thread. */
QOM_EXPORT unsigned cpu_count(void);
/** The vCPU whose thread is running, or NULL. */
QOM_EXPORT CPUState *cpu_current(void);

/**
 * The guest cannot go on: says @fmt (sentences, no newline at the end), the registers and the bytes
 * at RIP on stderr, and asks for the end of the machine with status 1. Only the first of several is
 * said. The vCPU's own thread.
 */
QOM_EXPORT void cpu_guest_panicked(CPUState *cpu, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/** Leaves the guest soon. Any thread, also from a signal handler. */
QOM_EXPORT void cpu_exit(CPUState *cpu);
/**
 * Runs @fn on the vCPU's thread, between two entries of the guest, and waits for it. Main thread
 * outside devices.
 */
QOM_EXPORT void run_on_cpu(CPUState *cpu, void (*fn)(CPUState *cpu, void *opaque), void *opaque);
/** The same, not waiting. Any thread. */
QOM_EXPORT void async_run_on_cpu(CPUState *cpu, void (*fn)(CPUState *cpu, void *opaque),
                                 void *opaque);
/** Parks every vCPU and waits until they are. Nestable. Main thread outside devices. */
QOM_EXPORT void pause_all_vcpus(void);
/** Takes back one pause_all_vcpus(); with the last one they go on. Main thread. */
QOM_EXPORT void resume_all_vcpus(void);
/**
 * Called (any thread) when a vCPU halts while user space holds the interrupt controller. Set by the
 * board, main thread.
 */
QOM_EXPORT void cpu_set_halt_hook(void (*fn)(CPUState *cpu, void *opaque), void *opaque);
/**
 * @cpu has executed HLT, and user space holds the interrupt controller, which wakes it only if the
 * guest takes interrupts (@interruptible). For accelerators; its own thread.
 */
QOM_EXPORT void cpu_halt(CPUState *cpu, bool interruptible);
/** Wakes a vCPU from CPU_HALTED. Any thread. */
QOM_EXPORT void cpu_wake(CPUState *cpu);
/** Sends @cpu a non-maskable interrupt, if the accelerator has them. Main thread outside devices. */
QOM_EXPORT bool cpu_inject_nmi(CPUState *cpu, GError **errp);

#endif
