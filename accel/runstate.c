/* SPDX-License-Identifier: MIT */
/*
 * Whether the machine runs, and what was asked of it: requests from any thread or signal handler
 * are words written atomically, and the main loop carries them out.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <qomet/accel/debug.h>
#include <qomet/accel/runstate.h>
#include <qomet/backends/chardev/char.h>
#include <qomet/backends/loop.h>
#include <qomet/memory/main-work.h>
#include <qomet/qom/log.h>
#include "accel/cpu-int.h"

typedef struct Listener {
    void (*fn)(bool running, RunState state, void *opaque);
    void (*event)(RunEvent event, ShutdownCause cause, void *opaque);
    void *opaque; /* of the one of them that is not NULL */
} Listener;

static uint32_t run_state; /* RunState, atomic; written on the main thread */
static GArray *listeners;  /* of Listener; main thread */
static void (*reset_hook)(ShutdownCause cause, void *opaque);
static void *reset_hook_opaque;

/*
 * What is asked for, atomic; 0: nothing. The end: its cause in the low byte, then bit 8, then the
 * exit code.
 */
static uint64_t shutdown_request;
/* A request of the same form that ends the program whatever the actions are: the first one. */
static uint64_t end_request;
static uint32_t failure_code;  /* of what has gone wrong, for an end that has no code of its own */
static uint32_t reset_request; /* ShutdownCause */
static uint32_t stop_request;  /* RunState + 1 */
static uint32_t powerdown_request;
static uint32_t panicked_told, crashloaded_told; /* what is only to be told of */

#define REQUEST_VALID 0x100

static RunActions actions; /* its fields are atomic; written on the main thread */

void runstate_set_actions(RunActions to)
{
    __atomic_store_n(&actions.reboot, to.reboot, __ATOMIC_RELAXED);
    __atomic_store_n(&actions.shutdown, to.shutdown, __ATOMIC_RELAXED);
    __atomic_store_n(&actions.panic, to.panic, __ATOMIC_RELAXED);
}

RunActions runstate_get_actions(void)
{
    return (RunActions){ .reboot = __atomic_load_n(&actions.reboot, __ATOMIC_RELAXED),
                         .shutdown = __atomic_load_n(&actions.shutdown, __ATOMIC_RELAXED),
                         .panic = __atomic_load_n(&actions.panic, __ATOMIC_RELAXED) };
}

RunState runstate_get(void)
{
    return __atomic_load_n(&run_state, __ATOMIC_ACQUIRE);
}

bool runstate_is_running(void)
{
    return runstate_get() == RUN_STATE_RUNNING;
}

bool runstate_needs_reset(void)
{
    return runstate_get() == RUN_STATE_INTERNAL_ERROR || runstate_get() == RUN_STATE_SHUTDOWN;
}

/* ---- Names ---- */

const char *runstate_name(RunState state)
{
    static const char *const names[RUN_STATE__MAX] = {
        [RUN_STATE_PRELAUNCH] = "prelaunch",
        [RUN_STATE_RUNNING] = "running",
        [RUN_STATE_PAUSED] = "paused",
        [RUN_STATE_SHUTDOWN] = "shutdown",
        [RUN_STATE_DEBUG] = "debug",
        [RUN_STATE_INTERNAL_ERROR] = "internal-error",
        [RUN_STATE_GUEST_PANICKED] = "guest-panicked",
    };

    return names[state];
}

const char *shutdown_cause_name(ShutdownCause cause)
{
    static const char *const names[SHUTDOWN_CAUSE__MAX] = {
        [SHUTDOWN_CAUSE_NONE] = "none",
        [SHUTDOWN_CAUSE_HOST_ERROR] = "host-error",
        [SHUTDOWN_CAUSE_HOST_SIGNAL] = "host-signal",
        [SHUTDOWN_CAUSE_HOST_UI] = "host-ui",
        [SHUTDOWN_CAUSE_HOST_QMP_QUIT] = "host-qmp-quit",
        [SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET] = "host-qmp-system-reset",
        [SHUTDOWN_CAUSE_GUEST_SHUTDOWN] = "guest-shutdown",
        [SHUTDOWN_CAUSE_GUEST_RESET] = "guest-reset",
        [SHUTDOWN_CAUSE_GUEST_PANIC] = "guest-panic",
    };

    return names[cause];
}

bool shutdown_caused_by_guest(ShutdownCause cause)
{
    return cause >= SHUTDOWN_CAUSE_GUEST_SHUTDOWN;
}

/* ---- States ---- */

static void add_listener(Listener listener)
{
    if (!listeners) {
        listeners = g_array_new(FALSE, FALSE, sizeof(Listener));
    }
    g_array_append_val(listeners, listener);
}

static void del_listener(Listener listener)
{
    for (guint i = 0; listeners && i < listeners->len; i++) {
        const Listener *l = &g_array_index(listeners, Listener, i);

        if (l->fn == listener.fn && l->event == listener.event && l->opaque == listener.opaque) {
            g_array_remove_index(listeners, i);
            return;
        }
    }
}

void runstate_add_listener(void (*fn)(bool running, RunState state, void *opaque), void *opaque)
{
    add_listener((Listener){ .fn = fn, .opaque = opaque });
}

void runstate_del_listener(void (*fn)(bool running, RunState state, void *opaque), void *opaque)
{
    del_listener((Listener){ .fn = fn, .opaque = opaque });
}

void runstate_add_event_listener(void (*fn)(RunEvent event, ShutdownCause cause, void *opaque),
                                 void *opaque)
{
    add_listener((Listener){ .event = fn, .opaque = opaque });
}

void runstate_del_event_listener(void (*fn)(RunEvent event, ShutdownCause cause, void *opaque),
                                 void *opaque)
{
    del_listener((Listener){ .event = fn, .opaque = opaque });
}

/*
 * Calls @tell for each listener, from the last to the first: one that takes itself away is not in
 * the way of the others.
 */
static void foreach_listener(void (*tell)(const Listener *l, const void *what), const void *what)
{
    for (guint i = listeners ? listeners->len : 0; i-- > 0;) {
        if (i < listeners->len) {
            Listener l = g_array_index(listeners, Listener, i);

            tell(&l, what);
        }
    }
}

static void tell_state(const Listener *l, const void *what)
{
    RunState state = *(const RunState *)what;

    if (l->fn) {
        l->fn(state == RUN_STATE_RUNNING, state, l->opaque);
    }
}

static void set_state(RunState state)
{
    __atomic_store_n(&run_state, state, __ATOMIC_RELEASE);
    foreach_listener(tell_state, &state);
}

/** What is told of an event. */
typedef struct Happening {
    RunEvent event;
    ShutdownCause cause;
} Happening;

static void tell_event(const Listener *l, const void *what)
{
    const Happening *h = what;

    if (l->event) {
        l->event(h->event, h->cause, l->opaque);
    }
}

static void happen(RunEvent event, ShutdownCause cause)
{
    Happening h = { event, cause };

    foreach_listener(tell_event, &h);
}

void vm_start(void)
{
    if (runstate_is_running()) {
        return;
    }
    qemu_clock_virtual_run(true);
    set_state(RUN_STATE_RUNNING);
    resume_all_vcpus();
}

void vm_stop(RunState state)
{
    if (!runstate_is_running()) {
        if (state != runstate_get()) {
            set_state(state);
        }
        return;
    }
    pause_all_vcpus();
    qemu_clock_virtual_run(false);
    set_state(state);
}

/* ---- Requests ---- */

/* Wakes the main loop; also from a signal handler. */
static void notify(void)
{
    uint64_t one = 1;
    int saved = errno;

    if (write(main_work_fd(), &one, sizeof(one)) < 0) {
        /* The counter is full: the loop has been woken already. */
    }
    errno = saved;
}

/* The vCPU that asks executes nothing more before the request has been carried out. */
static void hold_current(void)
{
    CPUState *cpu = cpu_current();

    if (cpu) {
        cpu_hold_for_request(cpu);
    }
}

static void set_first(uint64_t *slot, uint64_t request)
{
    uint64_t none = 0;

    __atomic_compare_exchange_n(slot, &none, request, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static void request_shutdown(ShutdownCause cause, int exit_code)
{
    uint64_t request = (uint64_t)(uint32_t)exit_code << 32 | REQUEST_VALID | cause;

    if (exit_code && (cause == SHUTDOWN_CAUSE_HOST_ERROR || cause == SHUTDOWN_CAUSE_GUEST_PANIC)) {
        __atomic_store_n(&failure_code, exit_code, __ATOMIC_SEQ_CST);
    }
    set_first(&shutdown_request, request);
    if (cause < SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET) {
        set_first(&end_request, request);
    }
    /* A person who ends the machine does not wait for a peer that reads slowly. */
    if (cause == SHUTDOWN_CAUSE_HOST_SIGNAL || cause == SHUTDOWN_CAUSE_HOST_UI) {
        qemu_chr_end_waits();
        qemu_log_end_waits(true);
    }
    notify();
}

void qemu_system_shutdown_request_with_code(ShutdownCause cause, int exit_code)
{
    hold_current();
    request_shutdown(cause, exit_code);
}

void qemu_system_shutdown_request(ShutdownCause cause)
{
    bool bad = cause == SHUTDOWN_CAUSE_HOST_ERROR ||
               (cause == SHUTDOWN_CAUSE_GUEST_PANIC &&
                runstate_get_actions().panic == PANIC_ACTION_EXIT_FAILURE);

    qemu_system_shutdown_request_with_code(cause, bad ? EXIT_FAILURE : EXIT_SUCCESS);
}

void qemu_system_killed(int signal, int pid)
{
    (void)signal;
    (void)pid;
    request_shutdown(SHUTDOWN_CAUSE_HOST_SIGNAL, EXIT_SUCCESS);
}

/* The request that counts: the first one, or, when that has only stopped the machine, what ends it. */
static uint64_t pending_shutdown(void)
{
    uint64_t request = __atomic_load_n(&shutdown_request, __ATOMIC_SEQ_CST);

    return request ? request : __atomic_load_n(&end_request, __ATOMIC_SEQ_CST);
}

static ShutdownCause cause_of(uint64_t request)
{
    return (ShutdownCause)(request & 0xff);
}

ShutdownCause qemu_shutdown_requested_get(void)
{
    return cause_of(pending_shutdown());
}

int qemu_shutdown_exit_code(void)
{
    return (int)(__atomic_load_n(&shutdown_request, __ATOMIC_SEQ_CST) >> 32);
}

void qemu_system_reset_request(ShutdownCause cause)
{
    if (runstate_get_actions().reboot == REBOOT_ACTION_SHUTDOWN) {
        qemu_system_shutdown_request(cause);
        return;
    }
    hold_current();
    __atomic_store_n(&reset_request, cause, __ATOMIC_SEQ_CST);
    notify();
}

static void tell_main(uint32_t *what)
{
    __atomic_store_n(what, 1, __ATOMIC_SEQ_CST);
    notify();
}

void qemu_system_powerdown_request(void)
{
    tell_main(&powerdown_request);
}

void qemu_system_guest_panicked(void)
{
    if (runstate_get_actions().panic == PANIC_ACTION_NONE) {
        tell_main(&panicked_told);
    } else {
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_PANIC);
    }
}

void qemu_system_guest_crashloaded(void)
{
    tell_main(&crashloaded_told);
}

void qemu_system_vmstop_request(RunState state)
{
    hold_current();
    __atomic_store_n(&stop_request, state + 1, __ATOMIC_SEQ_CST);
    notify();
}

void runstate_set_reset_hook(void (*fn)(ShutdownCause cause, void *opaque), void *opaque)
{
    reset_hook = fn;
    reset_hook_opaque = opaque;
}

/* ---- The loop ---- */

/* A machine that does not run is as new after a reset. */
static void reset(ShutdownCause cause)
{
    if (reset_hook) {
        reset_hook(cause, reset_hook_opaque);
    }
    cpu_report_reset();
    if (!runstate_is_running() && runstate_get() != RUN_STATE_PRELAUNCH) {
        set_state(RUN_STATE_PRELAUNCH);
    }
    happen(RUN_EVENT_RESET, cause);
}

static void tell_if_asked(uint32_t *what, RunEvent event)
{
    if (__atomic_exchange_n(what, 0, __ATOMIC_SEQ_CST)) {
        happen(event, SHUTDOWN_CAUSE_NONE);
    }
}

/*
 * What is pending is taken only when every vCPU is parked: then nobody can ask anew between the
 * request being carried out and those who asked being let go.
 */
static void carry_out_requests(void)
{
    uint32_t cause, state;

    tell_if_asked(&powerdown_request, RUN_EVENT_POWERDOWN);
    tell_if_asked(&panicked_told, RUN_EVENT_GUEST_PANICKED);
    tell_if_asked(&crashloaded_told, RUN_EVENT_GUEST_CRASHLOADED);
    if (!__atomic_load_n(&reset_request, __ATOMIC_SEQ_CST) &&
        !__atomic_load_n(&stop_request, __ATOMIC_SEQ_CST)) {
        return;
    }
    pause_all_vcpus();
    cause = __atomic_exchange_n(&reset_request, 0, __ATOMIC_SEQ_CST);
    if (cause) {
        reset(cause);
    }
    state = __atomic_exchange_n(&stop_request, 0, __ATOMIC_SEQ_CST);
    if (state == RUN_STATE_DEBUG + 1 && !runstate_is_running()) {
        /* Somebody has stopped the machine before the debugger's stop was carried out. */
        state = 0;
    }
    if (state) {
        vm_stop(state - 1);
    }
    cpus_request_done();
    resume_all_vcpus();
    if (state == RUN_STATE_DEBUG + 1) {
        cpu_debug_report();
    }
}

/* Whether the program ends when the guest, or the reset of somebody, causes a shutdown. */
static bool ends_program(ShutdownCause cause)
{
    RunActions now = runstate_get_actions();

    if (cause == SHUTDOWN_CAUSE_GUEST_PANIC && now.panic != PANIC_ACTION_SHUTDOWN) {
        return now.panic == PANIC_ACTION_EXIT_FAILURE;
    }
    return now.shutdown == SHUTDOWN_ACTION_POWEROFF;
}

static void tell_shutdown(ShutdownCause cause)
{
    if (cause == SHUTDOWN_CAUSE_GUEST_PANIC) {
        happen(RUN_EVENT_GUEST_PANICKED, cause);
    }
    if (cause != SHUTDOWN_CAUSE_GUEST_PANIC ||
        runstate_get_actions().panic <= PANIC_ACTION_SHUTDOWN) {
        happen(RUN_EVENT_SHUTDOWN, cause);
    }
}

/* As in carry_out_requests(), what is pending is taken when nobody can ask anew. */
static void stop_instead(void)
{
    ShutdownCause cause;

    pause_all_vcpus();
    cause = cause_of(__atomic_exchange_n(&shutdown_request, 0, __ATOMIC_SEQ_CST));
    tell_shutdown(cause);
    vm_stop(cause != SHUTDOWN_CAUSE_GUEST_PANIC                 ? RUN_STATE_SHUTDOWN
            : runstate_get_actions().panic == PANIC_ACTION_NONE ? RUN_STATE_INTERNAL_ERROR
                                                                : RUN_STATE_GUEST_PANICKED);
    cpus_request_done();
    resume_all_vcpus();
}

/* Whether the program is to end now; a shutdown that does not end it is carried out. */
static bool take_shutdown(void)
{
    uint64_t request = pending_shutdown();

    if (!request) {
        return false;
    }
    if (__atomic_load_n(&end_request, __ATOMIC_SEQ_CST) || ends_program(cause_of(request))) {
        return true;
    }
    stop_instead();
    return false;
}

int qemu_main_loop(void)
{
    uint64_t request;
    int code;

    while (!take_shutdown()) {
        carry_out_requests();
        main_loop_wait(!pending_shutdown());
    }
    request = pending_shutdown();
    tell_shutdown(cause_of(request));
    vm_stop(RUN_STATE_SHUTDOWN);
    /* Now that nothing more can fail. */
    code = (int)(request >> 32);
    return code ? code : (int)__atomic_load_n(&failure_code, __ATOMIC_SEQ_CST);
}

void runstate_cleanup(void)
{
    if (listeners) {
        g_array_unref(listeners);
        listeners = NULL;
    }
    run_state = RUN_STATE_PRELAUNCH;
    reset_hook = NULL;
    reset_hook_opaque = NULL;
    runstate_set_actions((RunActions){ 0 });
    shutdown_request = end_request = 0;
    failure_code = 0;
    reset_request = stop_request = powerdown_request = 0;
    panicked_told = crashloaded_told = 0;
    cpus_pause_reset();
    cpu_report_reset();
    qemu_log_end_waits(false);
}
