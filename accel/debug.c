/* SPDX-License-Identifier: MIT */
/*
 * Single steps, breakpoints and watchpoints of the vCPUs: which there are, and how the accelerator
 * and the debugger learn of them. What they do to the guest's memory is in debug-memory.c.
 */
#include <inttypes.h>
#include <qomet/accel/x86-walk.h>
#include "accel/cpu-int.h"
#include "accel/debug-int.h"

/* A client may make as many as it likes; each is looked at when a vCPU meets one. */
#define MAX_BREAKPOINTS 1024

/* There is an accelerator. */
static CPUDebug *debug_get(void)
{
    AccelState *accel = current_accel();

    if (!accel->debug) {
        accel->debug = g_new0(CPUDebug, 1);
        accel->debug->breakpoints = g_array_new(FALSE, FALSE, sizeof(CPUBreakpoint));
    }
    return accel->debug;
}

GArray *cpu_breakpoints(void)
{
    AccelState *accel = current_accel();

    return accel && accel->debug ? accel->debug->breakpoints : NULL;
}

const CPUBreakpoint *cpu_breakpoint_get(unsigned i)
{
    GArray *all = cpu_breakpoints();

    return all && i < all->len ? &g_array_index(all, CPUBreakpoint, i) : NULL;
}

/* Whether there is something to debug: an accelerator that can, and a vCPU. */
static bool debug_available(GError **errp)
{
    AccelState *accel = current_accel();

    if (!accel || !ACCEL_GET_CLASS(accel)->debug_update) {
        qom_error_set(errp, QOM_ERROR_STATE,
                      "the accelerator '%s' executes no code that could be debugged",
                      accel ? ACCEL_GET_CLASS(accel)->name : "none");
        return false;
    }
    if (!cpu_count()) {
        qom_error_set(errp, QOM_ERROR_STATE, "the machine has no CPU that could be debugged");
        return false;
    }
    return true;
}

bool cpu_debug_meets(CPUBreakKind kind)
{
    AccelState *accel = current_accel();

    return accel && ACCEL_GET_CLASS(accel)->debug_meets &&
           ACCEL_GET_CLASS(accel)->debug_meets(accel, kind);
}

void cpu_debug_free(CPUDebug *debug)
{
    if (debug) {
        g_array_unref(debug->breakpoints);
        g_free(debug);
    }
}

/* ---- What the accelerator is told ---- */

typedef struct Update {
    bool ok;
    GError **errp;
} Update;

static void update_on_cpu(CPUState *cpu, void *opaque)
{
    Update *update = opaque;

    update->ok = !cpu->accel || ACCEL_GET_CLASS(current_accel())->debug_update(cpu, update->errp);
}

static bool update_cpu(CPUState *cpu, GError **errp)
{
    Update update = { .errp = errp };

    run_on_cpu(cpu, update_on_cpu, &update);
    return update.ok;
}

bool cpu_debug_update_all(GError **errp)
{
    CPUState *cpu;

    CPU_FOREACH(cpu)
    {
        if (!update_cpu(cpu, errp)) {
            return false;
        }
    }
    return true;
}

/* ---- Steps ---- */

bool cpu_single_step(CPUState *cpu, unsigned flags, GError **errp)
{
    uint32_t before = cpu->single_step;

    if (flags == before) {
        return true;
    }
    cpu->single_step = flags;
    if (!update_cpu(cpu, errp)) {
        cpu->single_step = before;
        return false;
    }
    return true;
}

void cpu_debug_hold(CPUState *cpu, bool hold)
{
    cpu->debug_hold = hold;
}

/* ---- Breakpoints ---- */

static CPUBreakpoint *find(uint64_t addr, uint64_t size, CPUBreakKind kind)
{
    GArray *all = cpu_breakpoints();

    for (guint i = 0; all && i < all->len; i++) {
        CPUBreakpoint *b = &g_array_index(all, CPUBreakpoint, i);

        if (b->addr == addr && b->size == size && b->kind == kind) {
            return b;
        }
    }
    return NULL;
}

/* All breakpoints are made in the same memory: that of the first vCPU. */
static AddressSpace *debugged_memory(void)
{
    return cpu_next(NULL)->as_memory;
}

static bool locate(CPUState *cpu, CPUBreakpoint *b, GError **errp)
{
    const X86Registers *r = x86_cpu_registers(X86_CPU(cpu), errp);
    X86Walk walk;

    if (!r) {
        return false;
    }
    if (!x86_walk(r, cpu->as_memory, b->addr, &walk)) {
        qom_error_set(errp, QOM_ERROR_NOT_FOUND,
                      "no memory for a breakpoint at 0x%" PRIx64 ": the page is %s", b->addr,
                      walk.fault);
        return false;
    }
    b->gpa = walk.gpa;
    b->placed = cpu_breakpoint_patch(b, cpu->as_memory);
    return b->placed || cpu_read_physical(cpu, b->gpa, &b->original, 1, errp);
}

static void take_away(CPUBreakpoint *b)
{
    GArray *all = cpu_breakpoints();
    CPUBreakpoint gone = *b;

    g_array_remove_index(all, b - (CPUBreakpoint *)(void *)all->data);
    if (gone.placed) {
        cpu_breakpoint_unpatch(&gone, debugged_memory());
    }
}

/* Every vCPU is parked. */
static bool insert(CPUState *cpu, CPUBreakpoint b, GError **errp)
{
    CPUDebug *debug = debug_get();
    X86DebugRegisters registers;

    if (debug->breakpoints->len >= MAX_BREAKPOINTS) {
        qom_error_set(errp, QOM_ERROR_STATE, "there are %d breakpoints already, no more fit",
                      MAX_BREAKPOINTS);
        return false;
    }
    if (b.kind == CPU_BREAK_SOFTWARE && !locate(cpu, &b, errp)) {
        return false;
    }
    g_array_append_val(debug->breakpoints, b);
    if (!x86_debug_registers(&registers)) {
        qom_error_set(errp, QOM_ERROR_STATE,
                      "the four debug registers do not suffice for %" PRIu64 " bytes at 0x%" PRIx64
                      " and the other breakpoints",
                      b.size, b.addr);
    } else if (cpu_debug_update_all(errp)) {
        return true;
    }
    take_away(find(b.addr, b.size, b.kind));
    (void)cpu_debug_update_all(NULL);
    return false;
}

static bool is_code(CPUBreakKind kind)
{
    return kind == CPU_BREAK_CODE || kind == CPU_BREAK_SOFTWARE;
}

static bool may_watch(uint64_t addr, uint64_t size, GError **errp)
{
    if (!size || addr + (size - 1) < addr) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "%" PRIu64 " bytes at 0x%" PRIx64 " are nothing that could be watched", size,
                      addr);
        return false;
    }
    return true;
}

bool cpu_breakpoint_insert(CPUState *cpu, uint64_t addr, uint64_t size, CPUBreakKind kind,
                           GError **errp)
{
    CPUBreakpoint b = { .kind = kind, .addr = addr, .size = size };
    bool ok;

    if (is_code(kind)) {
        b.size = 1;
    } else if (!may_watch(addr, size, errp)) {
        return false;
    }
    if (!debug_available(errp)) {
        return false;
    }
    if (!cpu_debug_meets(kind)) {
        qom_error_set(errp, QOM_ERROR_STATE, "the accelerator '%s' does not meet %s here",
                      ACCEL_GET_CLASS(current_accel())->name,
                      is_code(kind) ? "breakpoints" : "watchpoints of this kind");
        return false;
    }
    pause_all_vcpus();
    ok = find(addr, b.size, kind) || insert(cpu, b, errp);
    resume_all_vcpus();
    return ok;
}

bool cpu_breakpoint_remove(uint64_t addr, uint64_t size, CPUBreakKind kind)
{
    CPUBreakpoint *b = find(addr, is_code(kind) ? 1 : size, kind);

    if (!b) {
        return false;
    }
    pause_all_vcpus();
    take_away(b);
    /* Fewer than before: what was taken over once is not refused now. */
    (void)cpu_debug_update_all(NULL);
    resume_all_vcpus();
    return true;
}

void cpu_debug_clear(void)
{
    GArray *all = cpu_breakpoints();
    CPUState *cpu;

    pause_all_vcpus();
    while (all && all->len) {
        take_away(&g_array_index(all, CPUBreakpoint, all->len - 1));
    }
    CPU_FOREACH(cpu)
    {
        cpu->single_step = 0;
        cpu->debug_hold = false;
        cpu->debug_event = (CPUDebugEvent){ 0 };
        (void)update_cpu(cpu, NULL);
    }
    resume_all_vcpus();
}

const CPUBreakpoint *cpu_breakpoint_software_at(CPUState *cpu, uint64_t linear)
{
    GArray *all = cpu_breakpoints();
    const X86Registers *r;
    X86Walk walk;

    if (!all || !all->len) {
        return NULL;
    }
    r = x86_cpu_registers(X86_CPU(cpu), NULL);
    if (!r || !x86_walk(r, cpu->as_memory, linear, &walk)) {
        return NULL;
    }
    for (guint i = 0; i < all->len; i++) {
        const CPUBreakpoint *b = &g_array_index(all, CPUBreakpoint, i);

        /* The same code may be reached at several addresses. */
        if (b->kind == CPU_BREAK_SOFTWARE && b->placed && b->gpa == walk.gpa) {
            return b;
        }
    }
    return NULL;
}

/* ---- Stops ---- */

bool cpu_set_debug_hook(void (*fn)(CPUState *cpu, void *opaque), void *opaque, GError **errp)
{
    AccelState *accel = current_accel();

    if (!fn && !(accel && accel->debug)) {
        return true;
    }
    if (!debug_available(errp)) {
        return false;
    }
    if (fn && debug_get()->hook) {
        qom_error_set(errp, QOM_ERROR_EXISTS, "the machine is in the hands of a debugger already");
        return false;
    }
    debug_get()->hook = fn;
    debug_get()->hook_opaque = opaque;
    return true;
}

void cpu_debug_stop(CPUState *cpu, CPUDebugReason reason, uint64_t addr)
{
    cpu->debug_event = (CPUDebugEvent){ reason, addr };
    qemu_system_vmstop_request(RUN_STATE_DEBUG);
}

void cpu_debug_report(void)
{
    AccelState *accel = current_accel();
    CPUDebug *debug = accel ? accel->debug : NULL;
    bool told = false;
    CPUState *cpu;

    CPU_FOREACH(cpu)
    {
        if (debug && debug->hook && cpu->debug_event.reason != CPU_DEBUG_NONE) {
            debug->hook(cpu, debug->hook_opaque);
            told = true;
        }
    }
    if (!told) {
        /* Whoever wanted to know has gone meanwhile, or has let the machine go on. */
        vm_start();
    }
}
