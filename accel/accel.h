/* SPDX-License-Identifier: MIT */
/*
 * Accelerators: what executes the guest. One object of one AccelClass a process: "kvm", "qtest" (no
 * CPU), later "soft".
 */
#ifndef QOMET_ACCEL_ACCEL_H
#define QOMET_ACCEL_ACCEL_H

#include <qomet/accel/cpu.h>
#include <qomet/accel/runstate.h>

#define TYPE_ACCEL "accel"
OBJECT_DECLARE_TYPE(AccelState, AccelClass, ACCEL)
/** Type names of accelerators end so: "kvm-accel". */
#define ACCEL_CLASS_SUFFIX "-" TYPE_ACCEL

typedef struct CPUDebug CPUDebug;

struct AccelState {
    Object parent_obj;
    /*
     * Told, with @eoi_opaque, of each level interrupt that a local APIC of the accelerator's has
     * ended, when create_apics() has made them; NULL: nobody is to know. Written before the machine
     * starts; any vCPU's thread calls it.
     */
    void (*eoi)(void *opaque, uint8_t vector);
    void *eoi_opaque;
    CPUDebug *debug; /* private to accel/debug.c; NULL until a debugger wants something */
};

/** Whether a message to that address is one for local APICs (SDM vol. 3, 11.11.1). */
static inline bool accel_msi_is_taken(uint64_t addr)
{
    return (addr & ~UINT64_C(0xfffff)) == UINT64_C(0xfee00000);
}

struct AccelClass {
    ObjectClass parent_class;
    const char *name; /* as in "-accel kvm" */
    const char *help; /* one sentence */
    bool has_cpus;    /* executes guest code */
    /**
     * Opens what it needs. False with a reason and what to do about it; then the next of the list
     * is tried.
     */
    bool (*init)(AccelState *accel, GError **errp);
    /**
     * Takes what belongs to no vCPU back to power-on; every vCPU parked. Main thread. May be NULL.
     */
    void (*reset)(AccelState *accel);
    /**
     * All of the machine has been reset, and every vCPU is parked: each takes the state that it begins
     * with before one goes on, which may send it something. Main thread. May be NULL.
     */
    void (*reset_done)(AccelState *accel);
    /**
     * Interrupt controllers in the accelerator (KVM's PIC, IOAPIC, LAPICs), before any vCPU is
     * made.
     */
    bool (*create_irqchip)(AccelState *accel, GError **errp);
    /**
     * Instead of those, the local APICs alone: a PIC and an IOAPIC are in user space, and reach vCPUs
     * by cpu-intc.h and by messages. NULL: they cannot be divided so.
     */
    bool (*create_apics)(AccelState *accel, GError **errp);
    /**
     * With those: what pin @pin of the IOAPIC will send, whose ends are to be told of. NULL: all are.
     * Any thread.
     */
    void (*pin_set)(AccelState *accel, unsigned pin, uint64_t addr, uint32_t data);
    /**
     * A PC's timer at its ports, beside those controllers; after them. NULL: there is none.
     */
    bool (*create_pit)(AccelState *accel, GError **errp);
    /** Sets line @gsi of those controllers. Any thread. */
    void (*set_irq)(AccelState *accel, unsigned gsi, int level);
    /**
     * Sends the message of an MSI to them; whether a local APIC has taken it. NULL, like the four
     * that follow: they take none. Any thread.
     */
    bool (*send_msi)(AccelState *accel, uint64_t addr, uint32_t data);
    /**
     * A number above those of the lines that stands for that message, or for nothing while no local
     * APIC takes it; -1 with @errp set. Any thread.
     */
    int (*route_add)(AccelState *accel, uint64_t addr, uint32_t data, GError **errp);
    void (*route_set)(AccelState *accel, int gsi, uint64_t addr, uint32_t data);
    void (*route_del)(AccelState *accel, int gsi);
    /**
     * Whether an eventfd raises a line or sends a message. With @resample_fd (else -1), the line
     * stays high until the guest has acknowledged it, and that one is signalled then. Any thread.
     */
    bool (*irqfd)(AccelState *accel, int gsi, int fd, int resample_fd, bool on, GError **errp);
    /**
     * Appends the registers of those controllers to @out, in lines. Main thread, every vCPU parked.
     */
    void (*print_irqchip)(AccelState *accel, GString *out);
    /** Makes the accelerator's part of @cpu (cpu->accel), on the vCPU's own thread. */
    bool (*cpu_init)(CPUState *cpu, GError **errp);
    /** Ends it, when that thread has ended. Main thread. */
    void (*cpu_destroy)(CPUState *cpu);
    /**
     * Executes the guest until something must be looked at: a stop, work, the end. First it takes
     * over registers that were fetched or changed. The vCPU's own thread.
     */
    void (*cpu_exec)(CPUState *cpu);
    /**
     * Makes cpu_exec return soon (the common code has set exit_request). Any thread, signal-safe.
     */
    void (*cpu_kick)(CPUState *cpu);
    /**
     * Whether @cpu waits for an event inside the accelerator, which has interrupt controllers of
     * its own. May be NULL: never. The vCPU's own thread.
     */
    bool (*cpu_waits)(CPUState *cpu);
    /** A non-maskable interrupt is pending from now on. NULL: there are none. The vCPU's own thread. */
    bool (*inject_nmi)(CPUState *cpu, GError **errp);
    /** Moves registers between cpu->regs and the accelerator. The vCPU's own thread. */
    bool (*get_registers)(X86CPU *cpu, GError **errp);
    bool (*put_registers)(X86CPU *cpu, GError **errp);
    /** The same for what is not in cpu->regs. May be NULL: there is no such thing. */
    bool (*get_extended)(X86CPU *cpu, X86ExtendedRegisters *r, GError **errp);
    bool (*put_extended)(X86CPU *cpu, const X86ExtendedRegisters *r, GError **errp);
    /**
     * Takes over cpu->single_step and the breakpoints of accel/debug.h. NULL: the guest cannot be
     * debugged. The vCPU's own thread.
     */
    bool (*debug_update)(CPUState *cpu, GError **errp);
    /** Whether breakpoints of @kind are ever met; asked before one is made. Main thread. */
    bool (*debug_meets)(AccelState *accel, CPUBreakKind kind);
};

/**
 * Makes the accelerator that "@words" names: "kvm", "kvm:qtest" (the first that works),
 * "kvm,prop=value". In /machine's place of "accel". NULL with every reason told when none works.
 * Main thread, once.
 */
QOM_EXPORT AccelState *accel_init(const char *words, GError **errp);
/** The one accelerator, or NULL before accel_init(). */
QOM_EXPORT AccelState *current_accel(void);
/** Ends it: vCPU threads must have ended. */
QOM_EXPORT void accel_cleanup(void);

#endif
