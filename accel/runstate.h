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
    RUN_STATE_DEBUG,          /* a debugger has it */
    RUN_STATE_INTERNAL_ERROR, /* a vCPU cannot go on; only a reset helps */
    RUN_STATE_GUEST_PANICKED,
    RUN_STATE__MAX,
} RunState;

typedef enum ShutdownCause {
    SHUTDOWN_CAUSE_NONE,
    SHUTDOWN_CAUSE_HOST_ERROR, /* Qomet itself cannot go on */
    SHUTDOWN_CAUSE_HOST_SIGNAL,
    SHUTDOWN_CAUSE_HOST_UI, /* Ctrl-a x */
    SHUTDOWN_CAUSE_HOST_QMP_QUIT,
    SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET,
    SHUTDOWN_CAUSE_GUEST_SHUTDOWN,
    SHUTDOWN_CAUSE_GUEST_RESET,
    SHUTDOWN_CAUSE_GUEST_PANIC, /* triple fault, unknown exit */
    SHUTDOWN_CAUSE__MAX,
} ShutdownCause;

/** What happens to a machine as a whole. */
typedef enum RunEvent {
    RUN_EVENT_SHUTDOWN,          /* it is about to end */
    RUN_EVENT_RESET,             /* it was reset */
    RUN_EVENT_POWERDOWN,         /* somebody has pressed its power button */
    RUN_EVENT_GUEST_PANICKED,    /* its guest cannot go on */
    RUN_EVENT_GUEST_CRASHLOADED, /* it could not either, and its crash kernel runs now */
} RunEvent;

/** What a reset that somebody asks for does (-action reboot=). */
typedef enum RebootAction {
    REBOOT_ACTION_RESET,
    REBOOT_ACTION_SHUTDOWN, /* it is a shutdown */
} RebootAction;

/** What a shutdown does that the guest, not a person, asks for (-action shutdown=). */
typedef enum ShutdownAction {
    SHUTDOWN_ACTION_POWEROFF, /* the program ends */
    SHUTDOWN_ACTION_PAUSE,    /* the machine stops */
} ShutdownAction;

/** What is done when the guest cannot go on (-action panic=). */
typedef enum PanicAction {
    PANIC_ACTION_EXIT_FAILURE, /* the program ends, status 1 */
    PANIC_ACTION_SHUTDOWN,     /* it is a shutdown */
    PANIC_ACTION_PAUSE,        /* the machine stops */
    PANIC_ACTION_NONE,         /* nothing, but where a vCPU is at its end the machine stops */
} PanicAction;

typedef struct RunActions {
    RebootAction reboot;
    ShutdownAction shutdown;
    PanicAction panic;
} RunActions;

/** What is done from now on; a fresh process has the first of each. Main thread. */
QOM_EXPORT void runstate_set_actions(RunActions actions);
QOM_EXPORT RunActions runstate_get_actions(void);

/** Whether the machine runs, or why it does not. Any thread. */
QOM_EXPORT RunState runstate_get(void);
QOM_EXPORT bool runstate_is_running(void);
/** "prelaunch", "guest-panicked", ...: QEMU's name. Any thread. */
QOM_EXPORT const char *runstate_name(RunState state);
/** Whether it can only go on after a reset. */
QOM_EXPORT bool runstate_needs_reset(void);

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
 * Calls @fn when something happens to the machine, on the main thread, until that pair is
 * unregistered. @cause: why; SHUTDOWN_CAUSE_NONE for what is told and nothing is done about, as for
 * a power button. Main thread.
 */
QOM_EXPORT void runstate_add_event_listener(void (*fn)(RunEvent event, ShutdownCause cause,
                                                       void *opaque),
                                            void *opaque);
QOM_EXPORT void runstate_del_event_listener(void (*fn)(RunEvent event, ShutdownCause cause,
                                                       void *opaque),
                                            void *opaque);
/** "host-qmp-quit", "guest-shutdown", ...: QEMU's name. Any thread. */
QOM_EXPORT const char *shutdown_cause_name(ShutdownCause cause);
/** Whether the guest itself has asked for it. */
QOM_EXPORT bool shutdown_caused_by_guest(ShutdownCause cause);

/**
 * Asks for the end of the machine; what the actions above say of the cause is done. The first
 * request counts, but a failure gives its status to an end that has none. From within a device no vCPU executes
 * a further instruction of the guest on the asking thread. Any thread; qemu_system_killed() is for
 * signal handlers.
 */
QOM_EXPORT void qemu_system_shutdown_request(ShutdownCause cause);
/** The same with an exit status for the case that the program ends by it. */
QOM_EXPORT void qemu_system_shutdown_request_with_code(ShutdownCause cause, int exit_code);
QOM_EXPORT void qemu_system_killed(int signal, int pid);
/**
 * Why the machine is about to end; SHUTDOWN_CAUSE_NONE while nobody has asked for that. Any thread.
 */
QOM_EXPORT ShutdownCause qemu_shutdown_requested_get(void);
/** The exit status that is about to be. Any thread. */
QOM_EXPORT int qemu_shutdown_exit_code(void);
/** Asks for a reset of the whole machine. Any thread. */
QOM_EXPORT void qemu_system_reset_request(ShutdownCause cause);
/**
 * The guest says that it cannot go on: what the action for a panic says is done; with
 * PANIC_ACTION_NONE it is told of, and the guest runs on. Any thread.
 */
QOM_EXPORT void qemu_system_guest_panicked(void);
/** The guest says that its crash kernel runs; that is told of. Any thread. */
QOM_EXPORT void qemu_system_guest_crashloaded(void);
/** Presses the power button: the guest is told, if a device of the machine does. Any thread. */
QOM_EXPORT void qemu_system_powerdown_request(void);
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
