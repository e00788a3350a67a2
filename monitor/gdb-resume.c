/* SPDX-License-Identifier: MIT */
/*
 * gdb lets the machine go on, vCPU by vCPU, and is told why it has stopped.
 */
#include <inttypes.h>
#include <string.h>
#include "monitor/gdb-int.h"

/* ---- Stops ---- */

static unsigned signal_of(RunState state)
{
    switch (state) {
    case RUN_STATE_DEBUG:
        return GDB_SIGNAL_TRAP;
    case RUN_STATE_SHUTDOWN:
        return GDB_SIGNAL_QUIT;
    case RUN_STATE_INTERNAL_ERROR:
    case RUN_STATE_GUEST_PANICKED:
        return GDB_SIGNAL_ABRT;
    default:
        return GDB_SIGNAL_INT;
    }
}

/* Nothing that was asked for the last time the machine went on holds any more. */
static void end_steps(void)
{
    CPUState *cpu;

    CPU_FOREACH(cpu)
    {
        cpu_debug_hold(cpu, false);
        /* What can be begun can be ended, unless KVM as a whole has failed. */
        (void)cpu_single_step(cpu, 0, NULL);
    }
}

static void append_reason(GdbServer *s, const CPUDebugEvent *event)
{
    switch (event->reason) {
    case CPU_DEBUG_SOFTWARE:
        g_string_append(s->reply, s->knows_swbreak ? "swbreak:;" : "");
        break;
    case CPU_DEBUG_CODE:
        g_string_append(s->reply, s->knows_hwbreak ? "hwbreak:;" : "");
        break;
    case CPU_DEBUG_WRITE:
        g_string_append_printf(s->reply, "watch:%" PRIx64 ";", event->addr);
        break;
    case CPU_DEBUG_ACCESS:
        g_string_append_printf(s->reply, "awatch:%" PRIx64 ";", event->addr);
        break;
    default:
        break;
    }
}

static void stop_reply(GdbServer *s, unsigned signal, const CPUDebugEvent *event)
{
    g_string_printf(s->reply, "T%02xthread:%x;", signal, s->cpu + 1);
    append_reason(s, event);
}

static void tell(GdbServer *s)
{
    s->waiting = false;
    gdb_send(s, s->reply->str, s->reply->len);
}

void gdb_machine_stopped(GdbServer *s, RunState state)
{
    if (!s->waiting) {
        return;
    }
    if (state == RUN_STATE_SHUTDOWN && qemu_shutdown_requested_get() != SHUTDOWN_CAUSE_NONE) {
        g_string_printf(s->reply, "W%02x", (unsigned)qemu_shutdown_exit_code() & 0xff);
    } else {
        end_steps();
        stop_reply(s, signal_of(state), &(CPUDebugEvent){ 0 });
    }
    tell(s);
}

/* Takes the reason from @cpu and makes it the vCPU that the client looks at. */
static void tell_of_cpu(GdbServer *s, CPUState *cpu)
{
    CPUDebugEvent event = cpu->debug_event;

    cpu->debug_event = (CPUDebugEvent){ 0 };
    s->cpu = cpu->index;
    s->step_cpu = cpu->index;
    stop_reply(s, GDB_SIGNAL_TRAP, &event);
}

void gdb_cpu_stopped(GdbServer *s, CPUState *cpu)
{
    if (!s->parent_obj.connected) {
        vm_start();
    } else if (s->waiting) {
        end_steps();
        tell_of_cpu(s, cpu);
        tell(s);
    }
    /* Else it stays with the vCPU until the client lets the machine go on. */
}

bool gdb_why_stopped(GdbServer *s, const char *args, size_t len)
{
    (void)args;
    (void)len;
    /* Where it was made stopped only by the client that has just come: a terminal's is always. */
    if (runstate_is_running()) {
        vm_stop(RUN_STATE_PAUSED);
    }
    if (!gdb_cpu(s)) {
        s->cpu = 0;
    }
    stop_reply(s, GDB_SIGNAL_TRAP, &(CPUDebugEvent){ 0 });
    return true;
}

/* ---- Going on ---- */

typedef enum Action { STAY, CONTINUE, STEP } Action;

/*
 * A vCPU among those that are to go on has met a watchpoint while the client was told of another
 * one. Breakpoints in code are simply met again.
 */
static bool tell_of_pending(GdbServer *s, const uint8_t *actions)
{
    CPUState *cpu;

    CPU_FOREACH(cpu)
    {
        if (actions[cpu->index] == STAY) {
            continue;
        }
        if (cpu->debug_event.reason == CPU_DEBUG_WRITE ||
            cpu->debug_event.reason == CPU_DEBUG_ACCESS) {
            tell_of_cpu(s, cpu);
            return true;
        }
        cpu->debug_event = (CPUDebugEvent){ 0 };
    }
    return false;
}

static bool prepare(GdbServer *s, const uint8_t *actions)
{
    bool ok = true;
    CPUState *cpu;

    CPU_FOREACH(cpu)
    {
        cpu_debug_hold(cpu, actions[cpu->index] == STAY);
        ok = ok && cpu_single_step(cpu, actions[cpu->index] == STEP ? s->step : 0, NULL);
    }
    if (!ok) {
        end_steps();
    }
    return ok;
}

/* @actions: one for each index of a vCPU. */
static bool go_on(GdbServer *s, const uint8_t *actions, unsigned n)
{
    if (!memchr(actions, CONTINUE, n) && !memchr(actions, STEP, n)) {
        stop_reply(s, GDB_SIGNAL_NONE, &(CPUDebugEvent){ 0 });
        return true;
    }
    if (tell_of_pending(s, actions)) {
        return true;
    }
    if (runstate_needs_reset()) {
        stop_reply(s, signal_of(runstate_get()), &(CPUDebugEvent){ 0 });
        return true;
    }
    if (!prepare(s, actions)) {
        return gdb_error(s, GDB_EINVAL);
    }
    s->waiting = true;
    vm_start();
    return false;
}

/* One more than the highest index of a vCPU. */
static unsigned cpu_end(void)
{
    unsigned end = 0;
    CPUState *cpu;

    CPU_FOREACH(cpu)
    {
        end = cpu->index + 1;
    }
    return end;
}

/* "c", "s": the address to go on from, if there is one, is an old form that nobody sends. */
static bool go_on_plain(GdbServer *s, Action action, const char *args)
{
    unsigned n = cpu_end();
    g_autofree uint8_t *actions = g_malloc0(n);

    if (*args) {
        return gdb_error(s, GDB_EINVAL);
    }
    memset(actions, CONTINUE, n);
    if (action == STEP) {
        actions[s->step_cpu < n ? s->step_cpu : s->cpu < n ? s->cpu : 0] = STEP;
    }
    return go_on(s, actions, n);
}

bool gdb_continue(GdbServer *s, const char *args, size_t len)
{
    (void)len;
    return go_on_plain(s, CONTINUE, args);
}

bool gdb_step(GdbServer *s, const char *args, size_t len)
{
    (void)len;
    return go_on_plain(s, STEP, args);
}

bool gdb_vcont_query(GdbServer *s, const char *args, size_t len)
{
    (void)args;
    (void)len;
    g_string_assign(s->reply, "vCont;c;C;s;S;t");
    return true;
}

/* "c", "C05", ... at *@text. Guests have no signals: those of gdb are left out. */
static bool take_action(const char **text, Action *action)
{
    uint64_t signal;
    char c = **text;

    switch (c) {
    case 'c':
    case 'C':
        *action = CONTINUE;
        break;
    case 's':
    case 'S':
        *action = STEP;
        break;
    case 't':
        *action = STAY;
        break;
    default:
        return false;
    }
    (*text)++;
    return (c != 'C' && c != 'S') || gdb_take_number(text, &signal);
}

/* vCont;ACTION[:THREAD];...: for each vCPU the first that means it counts. */
bool gdb_vcont(GdbServer *s, const char *args, size_t len)
{
    unsigned n = cpu_end();
    g_autofree uint8_t *actions = g_malloc0(n);
    g_autofree bool *given = g_new0(bool, n);

    (void)len;
    while (gdb_take_char(&args, ';')) {
        unsigned cpu = GDB_ALL_CPUS;
        Action action;

        if (!take_action(&args, &action) ||
            (gdb_take_char(&args, ':') && !gdb_take_thread(&args, &cpu))) {
            return gdb_error(s, GDB_EINVAL);
        }
        for (unsigned i = cpu == GDB_ALL_CPUS ? 0 : cpu; i < n; i++) {
            actions[i] = given[i] ? actions[i] : action;
            given[i] = true;
            if (cpu != GDB_ALL_CPUS) {
                break;
            }
        }
    }
    return *args ? gdb_error(s, GDB_EINVAL) : go_on(s, actions, n);
}

bool gdb_detach(GdbServer *s, const char *args, size_t len)
{
    (void)args;
    (void)len;
    cpu_debug_clear();
    s->waiting = false; /* it says nothing more, and wants to hear nothing */
    if (!runstate_needs_reset()) {
        vm_start();
    }
    return gdb_ok(s);
}
