/* SPDX-License-Identifier: MIT */
/*
 * The program in the background: a child goes on, and its parent waits until the machine is ready,
 * so that who has started it knows. Names are QEMU's.
 */
#ifndef QOMET_BACKENDS_DAEMON_H
#define QOMET_BACKENDS_DAEMON_H

#include <stdbool.h>
#include <qomet/qom/error.h>
#include <qomet/qom/export.h>

/**
 * Returns in a new process, in a session of its own. The old one ends with status 0 when the new one
 * calls os_setup_post(), else with its status; signals that it gets are handed on. False with @errp
 * set: there is no new process. Main thread, before there are others and before anything is opened
 * that belongs to one process.
 */
QOM_EXPORT bool os_daemonize(GError **errp);
/** Whether this is the new process: standard input and output are nobody's. */
QOM_EXPORT bool is_daemonized(void);
/**
 * The machine is ready: standard input, output and error are given up, "/" becomes the working
 * directory, and the parent ends. Without os_daemonize() nothing. Main thread.
 */
QOM_EXPORT void os_setup_post(void);

#endif
