/* SPDX-License-Identifier: MIT */
/*
 * Whether watchpoints work in this KVM: one that interprets code may meet breakpoints in the debug
 * registers and no accesses, and does not say so. It is tried in a machine of one page. Where they
 * do not, vCPUs go in steps, and what is in the watched bytes is compared after each.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <qomet/accel/x86-walk.h>
#include "accel/kvm/kvm-int.h"

#define PAGE_BYTES 4096
#define WATCHED 0x800
#define TSS_ADDR UINT64_C(0xfeffd000)

typedef struct Trial {
    int vm, vcpu;
    uint8_t *page;
    struct kvm_run *run;
    size_t run_size;
} Trial;

/* Writes to the watched byte; goes no further in any case. */
static const uint8_t trial_code[] = {
    0xa2, WATCHED & 0xff, WATCHED >> 8, /* mov [WATCHED], al */
    0xf4,                               /* hlt */
};

static bool make_machine(Trial *t, const KVMState *s)
{
    struct kvm_userspace_memory_region slot = { .memory_size = PAGE_BYTES };

    t->vm = ioctl(s->fd, KVM_CREATE_VM, 0);
    if (t->vm < 0 || ioctl(t->vm, KVM_SET_TSS_ADDR, (unsigned long)TSS_ADDR) < 0) {
        return false;
    }
    t->page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (t->page == MAP_FAILED) {
        return false;
    }
    memcpy(t->page, trial_code, sizeof(trial_code));
    slot.userspace_addr = (uintptr_t)t->page;
    t->vcpu = ioctl(t->vm, KVM_SET_USER_MEMORY_REGION, &slot) < 0
                  ? -1
                  : ioctl(t->vm, KVM_CREATE_VCPU, 0UL);
    if (t->vcpu < 0) {
        return false;
    }
    t->run = mmap(NULL, t->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, t->vcpu, 0);
    return t->run != MAP_FAILED;
}

static bool start_vcpu(Trial *t)
{
    struct kvm_regs regs = { .rflags = 2 };
    struct kvm_sregs sregs;
    struct kvm_guest_debug debug = {
        .control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP,
        .arch.debugreg = { [0] = WATCHED, [7] = 0x10402 /* register 0: writes of a byte */ },
    };

    if (ioctl(t->vcpu, KVM_GET_SREGS, &sregs) < 0) {
        return false;
    }
    sregs.cs.base = sregs.cs.selector = 0;
    return ioctl(t->vcpu, KVM_SET_SREGS, &sregs) == 0 && ioctl(t->vcpu, KVM_SET_REGS, &regs) == 0 &&
           ioctl(t->vcpu, KVM_SET_GUEST_DEBUG, &debug) == 0;
}

static bool runs_into_watchpoint(Trial *t)
{
    int result;

    do {
        result = ioctl(t->vcpu, KVM_RUN, 0);
    } while (result < 0 && errno == EINTR);
    return result == 0 && t->run->exit_reason == KVM_EXIT_DEBUG;
}

static void end_trial(Trial *t)
{
    if (t->run != MAP_FAILED) {
        munmap(t->run, t->run_size);
    }
    if (t->vcpu >= 0) {
        close(t->vcpu);
    }
    if (t->page != MAP_FAILED) {
        munmap(t->page, PAGE_BYTES);
    }
    if (t->vm >= 0) {
        close(t->vm);
    }
}

static bool registers_watch(KVMState *s)
{
    Trial t = {
        .vm = -1, .vcpu = -1, .page = MAP_FAILED, .run = MAP_FAILED, .run_size = s->run_size
    };

    if (!s->watches_tried) {
        s->watches = make_machine(&t, s) && start_vcpu(&t) && runs_into_watchpoint(&t);
        s->watches_tried = true;
        end_trial(&t);
    }
    return s->watches;
}

bool kvm_debug_watches(AccelState *accel, CPUBreakKind kind)
{
    return registers_watch(KVM_ACCEL(accel)) || kind == CPU_BREAK_WRITE;
}

/* ---- Where they do not work ---- */

bool kvm_watch_steps(const KVMVcpu *v)
{
    const CPUBreakpoint *b;

    for (unsigned i = 0; !v->kvm->watches && (b = cpu_breakpoint_get(i)); i++) {
        if (b->kind == CPU_BREAK_WRITE) {
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

const CPUBreakpoint *kvm_watch_changed(KVMVcpu *v)
{
    const CPUBreakpoint *changed = NULL;
    X86DebugRegisters registers;
    X86Registers r;

    (void)x86_debug_registers(&registers);
    if (!kvm_read_registers(v, &r, NULL)) {
        return NULL;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(registers.of); i++) {
        const CPUBreakpoint *b = registers.of[i];
        uint64_t value;

        if (!b || b->kind != CPU_BREAK_WRITE) {
            continue;
        }
        value = value_at(v, &r, registers.dr[i], length_of(&registers, i));
        if (value != v->watched[i]) {
            v->watched[i] = value;
            changed = b;
        }
    }
    return changed;
}

void kvm_watch_begin(KVMVcpu *v)
{
    if (kvm_watch_steps(v)) {
        (void)kvm_watch_changed(v);
    }
}
