/* SPDX-License-Identifier: MIT */
/*
 * How interrupt controllers in user space reach a vCPU, whatever executes it:
 *
 *  1. The controller that a vCPU hears (cpu_set_intc(): its local APIC, or the PIC where the
 *     accelerator has the local APICs) says when it has something, and when no more: a level, by
 *     cpu_set_interrupt() or the line cpu_interrupt_pin(). The vCPU leaves the guest, or HLT.
 *  2. As soon as the guest takes interrupts (IF, no shadow), the accelerator asks the controller
 *     for the vector, once: acknowledge(). That one is in service from then on, and is delivered
 *     before another is asked for.
 *  3. What else belongs to a local APIC - CR8, the base - goes through the controller's methods when
 *     the guest is entered and left; INIT, start-up and NMI go to the vCPU by cpu_send_event().
 *
 * Nothing here is used by a vCPU without a controller: the accelerator has all of them, or there are
 * none.
 */
#ifndef QOMET_ACCEL_CPU_INTC_H
#define QOMET_ACCEL_CPU_INTC_H

#include <qomet/accel/cpu.h>

#define TYPE_CPU_INTC "cpu-intc"
OBJECT_DECLARE_INTERFACE(CPUIntc, CPUIntcClass, CPU_INTC)

struct CPUIntcClass {
    InterfaceClass parent_class;
    /**
     * The vector (0 to 255) of what is to be delivered next, in service from then on; -1: nothing is
     * any more. The vCPU's own thread, as all here.
     */
    int (*acknowledge)(CPUIntc *intc, CPUState *cpu);
    /* Of a local APIC; all NULL for others. */
    /** CR8, 0 to 15: bits 7:4 of the task priority. */
    uint8_t (*get_cr8)(CPUIntc *intc, CPUState *cpu);
    void (*set_cr8)(CPUIntc *intc, CPUState *cpu, uint8_t cr8);
    /** What the guest has in IA32_APIC_BASE (SDM vol. 3, 11.4.4). */
    void (*set_base)(CPUIntc *intc, CPUState *cpu, uint64_t base);
};

/** The controller that @cpu hears, which outlives it. Main thread, before the machine starts. */
QOM_EXPORT void cpu_set_intc(CPUState *cpu, CPUIntc *intc);
/**
 * Whether the controller has something for @cpu. Any thread; the caller may hold a controller's lock
 * (leaf), and nothing of it is called back.
 */
QOM_EXPORT void cpu_set_interrupt(CPUState *cpu, bool level);
/** A line that does the same. One reference, the caller's. Main thread. */
QOM_EXPORT qemu_irq cpu_interrupt_pin(CPUState *cpu);
/** What was said last. Any thread. */
static inline bool cpu_has_interrupt(const CPUState *cpu)
{
    return __atomic_load_n(&cpu->interrupt_request, __ATOMIC_SEQ_CST) != 0;
}

/** What an APIC does to its processor besides (SDM vol. 3, 11.5.3 and 9.4.4). */
typedef enum CPUEvent {
    CPU_EVENT_NMI,
    CPU_EVENT_INIT, /* registers as after INIT; all but the first vCPU then wait for the next */
    CPU_EVENT_SIPI, /* a vCPU that waits begins at @vector << 12 in real mode; no other one heeds it */
} CPUEvent;
/**
 * Events of one kind that have not been dealt with are one; a vCPU that is stopped deals with them
 * when it goes on, unless a reset comes first. Any thread, as cpu_set_interrupt().
 */
QOM_EXPORT void cpu_send_event(CPUState *cpu, CPUEvent event, uint8_t vector);

#endif
