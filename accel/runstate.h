/* SPDX-License-Identifier: MIT */
/*
 * Whether the machine runs, and how it ends: requests from any thread, carried out on the main one.
 * Names are QEMU's.
 */
#ifndef QOMET_ACCEL_RUNSTATE_H
#define QOMET_ACCEL_RUNSTATE_H

#include <qomet/qom/object.h>

typedef enum RunState {
    RUN_STATE_PRELAUNCH, /* made, never started */
    RUN_STATE_RUNNING,
    RUN_STATE_PAUSED,
    RUN_STATE_SHUTDOWN,
} RunState;

typedef enum ShutdownCause {
    SHUTDOWN_CAUSE_NONE,
    SHUTDOWN_CAUSE_HOST_ERROR, /* Qomet itself cannot go on */
    SHUTDOWN_CAUSE_HOST_SIGNAL,
    SHUTDOWN_CAUSE_HOST_UI, /* Ctrl-a x */
    SHUTDOWN_CAUSE_HOST_QMP_QUIT,
    SHUTDOWN_CAUSE_GUEST_SHUTDOWN,
    SHUTDOWN_CAUSE_GUEST_RESET,
    SHUTDOWN_CAUSE_GUEST_PANIC, /* triple fault, unknown exit */
} ShutdownCause;

/** Whether the machine runs, or why it does not. Any thread. */
QOM_EXPORT RunState runstate_get(void);
QOM_EXPORT bool runstate_is_running(void);

/** Starts or continues: clock, then every vCPU. Main thread. */
QOM_EXPORT void vm_start(void);
/** Stops every vCPU and waits for them, then the virtual clock. Main thread outside devices. */
QOM_EXPORT void vm_stop(RunState state);
/**
 * Calls @fn at each change of state, on the main thread, until that pair is unregistered. Main
 * thread.
 */
QOM_EXPORT void runstate_add_listener(void (*fn)(bool running, RunState state, void *opaque),
                                      void *opaque);
QOM_EXPORT void runstate_del_listener(void (*fn)(bool running, RunState state, void *opaque),
                                      void *opaque);

/**
 * Asks for the end of the machine. The first request counts. From within a device no vCPU executes
 * a further instruction of the guest on the asking thread. Any thread; qemu_system_killed() is for
 * signal handlers.
 */
QOM_EXPORT void qemu_system_shutdown_request(ShutdownCause cause);
QOM_EXPORT void qemu_system_shutdown_request_with_code(ShutdownCause cause, int exit_code);
QOM_EXPORT void qemu_system_killed(int signal, int pid);
/**
 * Why the machine is about to end; SHUTDOWN_CAUSE_NONE while nobody has asked for that. Any thread.
 */
QOM_EXPORT ShutdownCause qemu_shutdown_requested_get(void);
/** Asks for a reset of the whole machine. Any thread. */
QOM_EXPORT void qemu_system_reset_request(ShutdownCause cause);
/** Asks for a stop in @state. Any thread. */
QOM_EXPORT void qemu_system_vmstop_request(RunState state);

/**
 * The program's loop: runs the main loop and carries out requests until the machine ends; the exit
 * status. Main thread.
 */
QOM_EXPORT int qemu_main_loop(void);
/** What a reset does (the machine sets it); called with every vCPU parked. */
QOM_EXPORT void runstate_set_reset_hook(void (*fn)(ShutdownCause cause, void *opaque),
                                        void *opaque);
/** Back to the state of a fresh process (tests). */
QOM_EXPORT void runstate_cleanup(void);

#endif
