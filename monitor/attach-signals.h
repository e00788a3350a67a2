/* SPDX-License-Identifier: MIT */
/*
 * What asks a client of a machine to end: signals are noted, and what waits is woken.
 */
#ifndef MONITOR_ATTACH_SIGNALS_H
#define MONITOR_ATTACH_SIGNALS_H

#include <stdbool.h>

/**
 * From now on SIGINT, SIGTERM and SIGHUP no longer end the process: they are noted, and interrupt
 * system calls. Once, on the main thread. False: it could not be, which has been told.
 */
bool attach_signals_take(void);

/** Whether one of them has come since attach_signals_take(). Any thread. */
bool attach_signals_came(void);

/** A descriptor to wait for input of: one has come. -1 before attach_signals_take(). */
int attach_signals_fd(void);

/** Nothing more is to be read from attach_signals_fd() until the next one comes. */
void attach_signals_heard(void);

#endif
