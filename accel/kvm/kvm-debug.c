/* SPDX-License-Identifier: MIT */
/*
 * A debugger's wishes in KVM (KVM_SET_GUEST_DEBUG), and the exits that they lead to.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include "accel/kvm/kvm-int.h"

#define VECTOR_DB 1
#define VECTOR_BP 3
#define VECTOR_UD 6
#define DR6_BS (UINT64_C(1) << 14) /* a single step */
#define DR6_HITS 0xf               /* of debug registers 0 to 3 */

/* ---- What KVM is told ---- */

static bool has_int3(void)
{
    const CPUBreakpoint *b;

    for (unsigned i = 0; (b = cpu_breakpoint_get(i)); i++) {
        if (b->placed) {
            return true;
        }
    }
    return false;
}

static uint32_t control_bits(const KVMVcpu *v, bool registers_used)
{
    uint32_t step = v->cpu->parent_obj.single_step;
    uint32_t control = 0;

    if (has_int3()) {
        control |= KVM_GUESTDBG_USE_SW_BP;
    }
    if (registers_used) {
        control |= KVM_GUESTDBG_USE_HW_BP;
    }
    if (step || kvm_steps_needed(v)) {
        control |= KVM_GUESTDBG_SINGLESTEP;
        if (step & CPU_STEP_NOIRQ && v->kvm->debug_blocks_irqs) {
            control |= KVM_GUESTDBG_BLOCKIRQ;
        }
    }
    return control ? control | KVM_GUESTDBG_ENABLE : 0;
}

/* @inject: KVM_GUESTDBG_INJECT_ bits, or 0. */
static bool set_guest_debug(KVMVcpu *v, uint32_t inject, GError **errp)
{
    X86DebugRegisters registers;
    struct kvm_guest_debug debug = { 0 };

    (void)x86_debug_registers(&registers);
    debug.control = control_bits(v, registers.of[0] != NULL) | inject;
    for (int i = 0; i < 4; i++) {
        debug.arch.debugreg[i] = registers.dr[i];
    }
    debug.arch.debugreg[7] = registers.dr7;
    if (ioctl(v->fd, KVM_SET_GUEST_DEBUG, &debug) < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED,
                      "KVM does not let vCPU %u be debugged (KVM_SET_GUEST_DEBUG): %s",
                      v->cpu->parent_obj.index, g_strerror(errno));
        return false;
    }
    v->debugged = debug.control != 0;
    v->debug_steps = debug.control & KVM_GUESTDBG_SINGLESTEP;
    return true;
}

static uint64_t get_rip(const KVMVcpu *v)
{
    struct kvm_regs regs = { 0 };

    (void)ioctl(v->fd, KVM_GET_REGS, &regs);
    return regs.rip;
}

bool kvm_debug_apply(KVMVcpu *v, GError **errp)
{
    v->step_from = get_rip(v);
    return set_guest_debug(v, 0, errp);
}

bool kvm_debug_update(CPUState *cpu, GError **errp)
{
    return kvm_debug_apply(cpu->accel, errp);
}

/* ---- Exits ---- */

static bool watches(const CPUBreakpoint *b)
{
    return b->kind == CPU_BREAK_WRITE || b->kind == CPU_BREAK_ACCESS;
}

/* The breakpoint that bits 0 to 3 of DR6 mean; one that watches comes before one for code. */
static const CPUBreakpoint *breakpoint_hit(uint64_t dr6)
{
    const CPUBreakpoint *hit = NULL;
    X86DebugRegisters registers;

    (void)x86_debug_registers(&registers);
    for (int i = 0; i < 4; i++) {
        const CPUBreakpoint *b = dr6 >> i & 1 ? registers.of[i] : NULL;

        if (b && (!hit || watches(b))) {
            hit = b;
        }
    }
    return hit;
}

static CPUDebugReason reason_of(CPUBreakKind kind)
{
    static const CPUDebugReason reasons[] = {
        [CPU_BREAK_CODE] = CPU_DEBUG_CODE,
        [CPU_BREAK_WRITE] = CPU_DEBUG_WRITE,
        [CPU_BREAK_ACCESS] = CPU_DEBUG_ACCESS,
        [CPU_BREAK_SOFTWARE] = CPU_DEBUG_SOFTWARE,
    };

    return reasons[kind];
}

/* The guest debugs itself: it gets the exception that the debugger's wishes have kept from it. */
static bool give_to_guest(KVMVcpu *v, uint32_t inject)
{
    g_autoptr(GError) error = NULL;
    struct kvm_debugregs regs;

    if (inject == KVM_GUESTDBG_INJECT_DB && ioctl(v->fd, KVM_GET_DEBUGREGS, &regs) == 0) {
        regs.dr6 = v->run->debug.arch.dr6;
        (void)ioctl(v->fd, KVM_SET_DEBUGREGS, &regs);
    }
    if (!set_guest_debug(v, inject, &error)) {
        cpu_guest_panicked(&v->cpu->parent_obj, "%s", error->message);
        return false;
    }
    return true;
}

static bool stop_at(KVMVcpu *v, const CPUBreakpoint *b)
{
    cpu_debug_stop(&v->cpu->parent_obj, reason_of(b->kind), b->addr);
    return false;
}

/* The vCPU has executed one instruction: whether it is to stop. */
static bool stepped(KVMVcpu *v)
{
    CPUState *cpu = &v->cpu->parent_obj;
    const CPUBreakpoint *b = kvm_steps_met(v);

    if (b) {
        (void)stop_at(v, b);
    } else if (cpu->single_step) {
        cpu_debug_stop(cpu, CPU_DEBUG_STEP, 0);
    }
    return b || cpu->single_step;
}

bool kvm_exit_debug(KVMVcpu *v)
{
    const struct kvm_debug_exit_arch *arch = &v->run->debug.arch;
    const CPUBreakpoint *b;
    bool step;

    if (arch->exception == VECTOR_BP) {
        b = cpu_breakpoint_software_at(&v->cpu->parent_obj, arch->pc);
        return b ? stop_at(v, b) : give_to_guest(v, KVM_GUESTDBG_INJECT_BP);
    }
    b = arch->dr6 & DR6_HITS ? breakpoint_hit(arch->dr6) : NULL;
    step = arch->dr6 & DR6_BS && v->debug_steps;
    /* A breakpoint that the step has come to is met when the guest goes on from it. */
    if (b && (!step || watches(b))) {
        return stop_at(v, b);
    }
    if (step) {
        return !stepped(v);
    }
    return give_to_guest(v, KVM_GUESTDBG_INJECT_DB);
}

bool kvm_debug_is_breakpoint(KVMVcpu *v)
{
    struct kvm_vcpu_events events;
    const X86Registers *r;
    const CPUBreakpoint *b;

    if (v->run->internal.suberror != KVM_INTERNAL_ERROR_EMULATION || !v->debugged) {
        return false;
    }
    r = x86_cpu_registers(v->cpu, NULL);
    b = r ? cpu_breakpoint_software_at(&v->cpu->parent_obj, x86_program_counter(r)) : NULL;
    if (!b) {
        return false;
    }
    /* Besides telling us, KVM may have an exception for the guest. */
    if (ioctl(v->fd, KVM_GET_VCPU_EVENTS, &events) == 0 && events.exception.nr == VECTOR_UD &&
        (events.exception.injected || events.exception.pending)) {
        events.exception.injected = events.exception.pending = 0;
        (void)ioctl(v->fd, KVM_SET_VCPU_EVENTS, &events);
    }
    (void)stop_at(v, b);
    return true;
}

/* ---- Steps over what leaves the guest ---- */

/*
 * An instruction that leaves the guest may end without KVM saying that the step is done, and the
 * next one would be executed with it. So it is completed here, with all of its accesses, and looked
 * at.
 */
static bool step_access(KVMVcpu *v)
{
    CPUState *cpu = &v->cpu->parent_obj;

    if (!v->step_exits[v->run->exit_reason](v)) {
        return false;
    }
    if (v->completing) {
        return true;
    }
    kvm_complete_access(v);
    if (cpu->debug_event.reason == CPU_DEBUG_NONE && get_rip(v) != v->step_from) {
        (void)stepped(v);
    }
    /* What was asked of the vCPU meanwhile is looked at. */
    return false;
}

static bool step_halt(KVMVcpu *v)
{
    (void)v->step_exits[KVM_EXIT_HLT](v);
    (void)stepped(v);
    return false;
}

bool kvm_debug_enter(KVMVcpu *v, KVMExitFn *const *exits)
{
    const CPUBreakpoint *b = kvm_steps_begin(v);

    if (b) {
        return stop_at(v, b);
    }
    v->step_exits = exits;
    v->exits[KVM_EXIT_IO] = v->exits[KVM_EXIT_MMIO] = step_access;
    v->exits[KVM_EXIT_HLT] = step_halt;
    return true;
}
