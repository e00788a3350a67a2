/* SPDX-License-Identifier: MIT */
/* Timers on clocks, with QEMU's names. A callback is an entry of its device and runs on the main
 * thread. */
#ifndef QOMET_HW_CORE_TIMER_H
#define QOMET_HW_CORE_TIMER_H

#include <qomet/memory/entry.h>

typedef enum QEMUClockType {
    QEMU_CLOCK_REALTIME, /* monotonic host time; runs always */
    /* stands still while the machine is stopped; under qtest moved by the test alone */
    QEMU_CLOCK_VIRTUAL,
    QEMU_CLOCK_HOST, /* the host's calendar, may jump */
    QEMU_CLOCK_MAX,
} QEMUClockType;

#define NANOSECONDS_PER_SECOND INT64_C(1000000000)
#define SCALE_MS 1000000
#define SCALE_US 1000
#define SCALE_NS 1

typedef void QEMUTimerCB(void *opaque);
/** Embedded in a device's state or made with timer_new_ns(). Private to hw/core. */
typedef struct QEMUTimer {
    int64_t expire_ns; /* on its clock; -1: not set. Atomic */
    QEMUTimerCB *cb;
    void *opaque;
    EntryGuard *guard;
    QEMUClockType clock;
    uint32_t heap_index; /* in the clock's queue, from 1; 0: not queued */
    uint64_t sequence;   /* timers of one moment fire in the order in which they were set */
    int64_t last_ns;     /* when it fired last, on its clock: the floor of timer_mod() */
} QEMUTimer;

/** The time of @type in ns. Any thread. */
QOM_EXPORT int64_t qemu_clock_get_ns(QEMUClockType type);

/** Makes @ts ready (an embedded timer; ended with timer_del() before its memory goes). @guard:
 * entered around @cb. */
QOM_EXPORT void timer_init_ns(QEMUTimer *ts, QEMUClockType type, QEMUTimerCB *cb, void *opaque,
                              EntryGuard *guard);
/**
 * The same on the heap; ended with timer_free(). One that a device makes in its realize is freed
 * with what realize acquires, after the class's unrealize, which may free it itself;
 * instance_finalize must not. Main thread.
 */
QOM_EXPORT QEMUTimer *timer_new_ns(QEMUClockType type, QEMUTimerCB *cb, void *opaque,
                                   EntryGuard *guard);
/** Main thread; NULL is fine. */
QOM_EXPORT void timer_free(QEMUTimer *ts);
/**
 * Sets the moment (absolute, ns of its clock); a moment that has passed fires soon. Any thread. A
 * guest cannot make a timer fire more often than every 1 us of host time, however often it is set
 * to "now".
 */
QOM_EXPORT void timer_mod(QEMUTimer *ts, int64_t expire_ns);
/** Sets it only if that is earlier than what is set. */
QOM_EXPORT void timer_mod_anticipate(QEMUTimer *ts, int64_t expire_ns);
/** Unsets it. From the main thread or inside its guard: the callback does not run afterwards. */
QOM_EXPORT void timer_del(QEMUTimer *ts);
/** Whether it is set. Any thread. */
QOM_EXPORT bool timer_pending(const QEMUTimer *ts);
/** ns until the first timer of @type, 0 when due, INT64_MAX for none. */
QOM_EXPORT int64_t qemu_clock_deadline_ns(QEMUClockType type);

/** Starts and ends the clocks (program start and end, tests). Main thread, after
 * main_loop_init(). */
QOM_EXPORT void clocks_init(void);
QOM_EXPORT void clocks_cleanup(void);
/** Lets the virtual clock run or stand; a clock that a test has taken stands. Main thread. */
QOM_EXPORT void qemu_clock_virtual_run(bool run);
/** Hands the virtual clock to a test: it stands but for qemu_clock_warp_to(). */
QOM_EXPORT void qemu_clock_virtual_manual(void);
/** Moves the manual clock to @ns (not backwards), firing what comes due in order, each at its own
 * moment. */
QOM_EXPORT void qemu_clock_warp_to(int64_t ns);

#endif
