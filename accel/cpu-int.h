/* SPDX-License-Identifier: MIT */
/* What the files of accel/ share about vCPU threads and nobody else sees. */
#ifndef ACCEL_CPU_INT_H
#define ACCEL_CPU_INT_H

#include <qomet/accel/cpu.h>

/* The signal that takes a vCPU's thread out of the guest; its handler does nothing. */
#define SIG_IPI SIGUSR1

CPUThread *cpu_thread_new(void);
void cpu_thread_free(CPUThread *t);
/*
 * Starts the thread of @cpu, parked, and does not wait for it: while the board is being made, the
 * accelerator makes its part of all vCPUs. If it cannot, that is reported and ends the machine.
 * False when there is no thread. Main thread.
 */
bool cpu_thread_start(CPUState *cpu, GError **errp);
/* Ends it and waits, doing meanwhile what it may be waiting for. Main thread. */
void cpu_thread_end(CPUState *cpu);
/*
 * Forgets how often pause_all_vcpus() was called: as in a fresh process, in which the machine has
 * not been started.
 */
void cpus_pause_reset(void);

/*
 * Has the vCPU look soon whether there is something for it: it leaves the guest, or wakes. Nothing to
 * do on its own thread, which looks before it enters the guest. Any thread.
 */
void cpu_look(CPUState *cpu);

/*
 * x86-cpu.c: whether it is this program that keeps it waiting for a start-up; until that comes it
 * heeds nothing but INIT (SDM vol. 3, 9.4.4). Its own thread.
 */
bool cpu_waits_for_start(const CPUState *cpu);

/* x86-cpu.c: what the signal INIT does. Its own thread. */
void x86_cpu_init_signal(X86CPU *cpu);

/*
 * cpu-intc.c: does what was sent by cpu_send_event(). Its own thread, which may not be parked: main
 * looks at the registers of one that is, and resets it.
 */
void cpu_deal_with_events(CPUState *cpu);

/* The next guest that panics is reported again. */
void cpu_report_reset(void);

/*
 * The calling vCPU stays parked until the requests that are pending now have been carried out. Its
 * own thread.
 */
void cpu_hold_for_request(CPUState *cpu);
/* The main thread has carried out what was asked for. */
void cpus_request_done(void);

#endif
