/* SPDX-License-Identifier: MIT */
/*
 * Breakpoints and watchpoints where KVM passes over them: the vCPU goes in steps, and after each one
 * it is seen where it stands, and whether the watched bytes have changed.
 */
#include <string.h>
#include <qomet/accel/x86-walk.h>
#include "accel/kvm/kvm-int.h"

static bool needs_steps(const KVMState *s, CPUBreakKind kind)
{
    switch (kind) {
    case CPU_BREAK_WRITE:
        return !s->debug_watch;
    case CPU_BREAK_CODE:
        return !s->debug_code;
    case CPU_BREAK_SOFTWARE:
        return !s->debug_code && !s->debug_int3;
    default:
        return false;
    }
}

bool kvm_debug_meets(AccelState *accel, CPUBreakKind kind)
{
    KVMState *s = KVM_ACCEL(accel);

    kvm_trial(s);
    /* A read leaves no trace that a step could find. */
    return kind != CPU_BREAK_ACCESS || s->debug_watch;
}

bool kvm_steps_needed(const KVMVcpu *v)
{
    const CPUBreakpoint *b;

    for (unsigned i = 0; (b = cpu_breakpoint_get(i)); i++) {
        if (needs_steps(v->kvm, b->kind)) {
            return true;
        }
    }
    return false;
}

/* How many bytes from @registers->dr[i] on belong to that register. */
static unsigned length_of(const X86DebugRegisters *registers, unsigned i)
{
    static const uint8_t lengths[] = { 1, 2, 8, 4 };

    return lengths[registers->dr7 >> (18 + 4 * i) & 3];
}

/* What is at the linear address; 0 where nothing is. */
static uint64_t value_at(KVMVcpu *v, const X86Registers *r, uint64_t addr, unsigned len)
{
    uint64_t value = 0;
    GuestSlice slice;
    X86Walk walk;

    if (x86_walk(r, v->memory, addr, &walk) &&
        guest_slice_get(v->memory, walk.gpa, len, false, &slice)) {
        memcpy(&value, slice.host, len);
        guest_slice_put(&slice);
    }
    return value;
}

/* A watchpoint whose bytes are not what they were; NULL: all are. */
static const CPUBreakpoint *find_changed(KVMVcpu *v, const X86Registers *r)
{
    const CPUBreakpoint *changed = NULL;
    X86DebugRegisters registers;

    (void)x86_debug_registers(&registers);
    for (unsigned i = 0; i < G_N_ELEMENTS(registers.of); i++) {
        const CPUBreakpoint *b = registers.of[i];
        uint64_t value;

        if (!b || b->kind != CPU_BREAK_WRITE || !needs_steps(v->kvm, b->kind)) {
            continue;
        }
        value = value_at(v, r, registers.dr[i], length_of(&registers, i));
        if (value != v->watched[i]) {
            v->watched[i] = value;
            changed = b;
        }
    }
    return changed;
}

static const CPUBreakpoint *find_code(const KVMVcpu *v, const X86Registers *r)
{
    uint64_t pc = x86_program_counter(r);
    const CPUBreakpoint *b;

    for (unsigned i = 0; (b = cpu_breakpoint_get(i)); i++) {
        bool code = b->kind == CPU_BREAK_CODE || b->kind == CPU_BREAK_SOFTWARE;

        if (code && b->addr == pc && needs_steps(v->kvm, b->kind)) {
            return b;
        }
    }
    return NULL;
}

const CPUBreakpoint *kvm_steps_begin(KVMVcpu *v)
{
    X86Registers r;

    if (!kvm_steps_needed(v) || !kvm_read_registers(v, &r, NULL)) {
        return NULL;
    }
    (void)find_changed(v, &r);
    return find_code(v, &r);
}

const CPUBreakpoint *kvm_steps_met(KVMVcpu *v)
{
    const CPUBreakpoint *b;
    X86Registers r;

    if (!kvm_steps_needed(v) || !kvm_read_registers(v, &r, NULL)) {
        return NULL;
    }
    b = find_changed(v, &r);
    /* Who steps by his own wish is told of that; what he has come to is met when he goes on. */
    return b || v->cpu->parent_obj.single_step ? b : find_code(v, &r);
}
