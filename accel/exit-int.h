/* SPDX-License-Identifier: MIT */
/* What the files about exits share: the observers behind the bits of ExitObservers. */
#ifndef ACCEL_EXIT_INT_H
#define ACCEL_EXIT_INT_H

#include <qomet/accel/exit-record.h>

/* Called with each record, on the vCPU's thread, while one of the bits @when is on. */
typedef struct ExitObserver {
    unsigned when;
    void (*seen)(CPUState *cpu, const ExitRecord *r);
} ExitObserver;

extern const ExitObserver exit_observer_explain;                      /* exit-explain.c */
extern const ExitObserver exit_observer_trace;                        /* exit-trace.c */
extern const ExitObserver exit_observer_timing, exit_observer_memory; /* exit-memory.c */

/* Nobody is told of exits any more, but for the log. Main thread. */
void exit_observers_reset(void);

/* Frees what @cpu remembers of its exits. Main thread, when its thread has ended. */
void exit_memory_free(CPUState *cpu);

#endif
