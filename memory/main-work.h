/* SPDX-License-Identifier: MIT */
/*
 * Work that other threads hand to the main thread: a locked queue and an eventfd that the main loop
 * watches.
 */
#ifndef QOMET_MEMORY_MAIN_WORK_H
#define QOMET_MEMORY_MAIN_WORK_H

#include <qomet/qom/object.h>

/** Says that the calling thread is the main thread; at start, before any other thread runs. */
QOM_EXPORT void main_work_init(void);
QOM_EXPORT bool main_work_is_main(void);
/** Queues @fn for the main thread and wakes it. Any thread. Order of one thread's calls is kept. */
QOM_EXPORT void main_work_post(void (*fn)(void *opaque), void *opaque);
/** The eventfd that is readable while there is work; owned by this file. */
QOM_EXPORT int main_work_fd(void);
/** Does all that is queued. Main thread. Returns how many calls were made. */
QOM_EXPORT unsigned main_work_run(void);

#endif
