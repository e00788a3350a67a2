/* SPDX-License-Identifier: MIT */
/*
 * Event loops: the main one (a GMainContext with the queue of handed-over work in it) and
 * descriptor watches.
 */
#ifndef QOMET_BACKENDS_LOOP_H
#define QOMET_BACKENDS_LOOP_H

#include <qomet/memory/entry.h>

/** Makes this thread the main one, with its loop. At start; a second call does nothing. */
QOM_EXPORT void main_loop_init(void);
/** Runs one round; waits for something to do when @may_block. Main thread. */
QOM_EXPORT void main_loop_wait(bool may_block);
/**
 * Has @fn called before (@waits) and after each wait of the loop, whether it was long or not; NULL:
 * no more. Main thread.
 */
QOM_EXPORT void main_loop_observe(void (*fn)(bool waits));
/** Frees what the loop holds (end of the process, tests). */
QOM_EXPORT void main_loop_cleanup(void);

typedef struct LoopWatch LoopWatch;
/**
 * Calls @fn on the main thread whenever @fd is ready for @events (GIOCondition), inside @guard when
 * it is not NULL. The watch is owned by the caller and ends with loop_watch_free(); the descriptor
 * is not owned.
 */
QOM_EXPORT LoopWatch *loop_watch_new(int fd, unsigned events, EntryGuard *guard,
                                     void (*fn)(int fd, unsigned ready, void *opaque),
                                     void *opaque);
/** Pauses or resumes: @events 0 means none, not even hang-up. Main thread. */
QOM_EXPORT void loop_watch_set_events(LoopWatch *watch, unsigned events);
/** NULL is fine. May be called from within @fn. Main thread. */
QOM_EXPORT void loop_watch_free(LoopWatch *watch);

/**
 * One timerfd in the loop, for hw/core/timer and the back ends; devices use timers of hw/core. @fn
 * runs on the main thread when CLOCK_MONOTONIC reaches what was set.
 */
typedef struct LoopTimer LoopTimer;
/** NULL, with errno set, when the host has no descriptor left. Main thread. */
QOM_EXPORT LoopTimer *loop_timer_new(void (*fn)(void *opaque), void *opaque);
/** Any thread. @deadline_ns: absolute; INT64_MAX: never. */
QOM_EXPORT void loop_timer_set(LoopTimer *t, int64_t deadline_ns);
/** Sets it to @ns from now. Any thread. */
QOM_EXPORT void loop_timer_set_after(LoopTimer *t, int64_t ns);
/** NULL is fine; nobody else may be setting it. Main thread. */
QOM_EXPORT void loop_timer_free(LoopTimer *t);

#endif
