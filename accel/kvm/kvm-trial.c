/* SPDX-License-Identifier: MIT */
/*
 * What this KVM does for a debugger. One that interprets code, or runs on an emulated processor, may
 * pass over breakpoints and watchpoints and does not say so; so each kind is tried once, in a
 * machine of one page.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "accel/kvm/kvm-int.h"

#define PAGE_BYTES 4096
#define WATCHED 0x800
#define STACK 0xf00
#define AT_INT3 0x100
#define AT_WRITE 0x110
#define AT_HLT 0x113
#define GATE_3 (3 * 4) /* of #BP in real mode's table */

typedef struct Trial {
    int vm, vcpu;
    uint8_t *page;
    struct kvm_run *run;
    size_t run_size;
} Trial;

/* Real mode; whatever happens, each of them ends at the hlt. */
static void put_code(uint8_t *page)
{
    static const uint8_t gate[] = { AT_HLT & 0xff, AT_HLT >> 8, 0, 0 };
    static const uint8_t write[] = {
        0xa2, WATCHED & 0xff, WATCHED >> 8, /* mov [WATCHED], al */
        0xf4,                               /* hlt */
    };

    memcpy(page + GATE_3, gate, sizeof(gate));
    page[AT_INT3] = 0xcc;
    memcpy(page + AT_WRITE, write, sizeof(write));
}

/* False where that cannot be had now; it may be later. */
static bool make_machine(Trial *t, const KVMState *s)
{
    struct kvm_userspace_memory_region slot = { .memory_size = PAGE_BYTES };

    t->vm = ioctl(s->fd, KVM_CREATE_VM, 0);
    if (t->vm < 0 || ioctl(t->vm, KVM_SET_TSS_ADDR, (unsigned long)KVM_TSS_ADDR) < 0) {
        return false;
    }
    put_code(t->page);
    slot.userspace_addr = (uintptr_t)t->page;
    if (ioctl(t->vm, KVM_SET_USER_MEMORY_REGION, &slot) < 0) {
        return false;
    }
    t->vcpu = ioctl(t->vm, KVM_CREATE_VCPU, 0UL);
    if (t->vcpu < 0) {
        return false;
    }
    t->run = mmap(NULL, t->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, t->vcpu, 0);
    return t->run != MAP_FAILED;
}

static void end_machine(Trial *t)
{
    if (t->run != MAP_FAILED) {
        munmap(t->run, t->run_size);
    }
    if (t->vcpu >= 0) {
        close(t->vcpu);
    }
    if (t->vm >= 0) {
        close(t->vm);
    }
    g_aligned_free(t->page);
}

/* Whether the guest that begins at @start stops for the debugger, and not at its hlt. */
static bool stops(Trial *t, uint64_t start, uint32_t control, uint64_t dr0, uint64_t dr7)
{
    struct kvm_guest_debug debug = { .control = KVM_GUESTDBG_ENABLE | control,
                                     .arch.debugreg = { [0] = dr0, [7] = dr7 } };
    struct kvm_regs regs = { .rip = start, .rsp = STACK, .rflags = 2 };
    struct kvm_sregs sregs;
    int result;

    if (ioctl(t->vcpu, KVM_GET_SREGS, &sregs) < 0) {
        return false;
    }
    sregs.cs.base = sregs.cs.selector = 0;
    if (ioctl(t->vcpu, KVM_SET_SREGS, &sregs) < 0 || ioctl(t->vcpu, KVM_SET_REGS, &regs) < 0 ||
        ioctl(t->vcpu, KVM_SET_GUEST_DEBUG, &debug) < 0) {
        return false;
    }
    do {
        result = ioctl(t->vcpu, KVM_RUN, 0);
    } while (result < 0 && errno == EINTR);
    return result == 0 && t->run->exit_reason == KVM_EXIT_DEBUG;
}

void kvm_trial(KVMState *s)
{
    Trial t = { .vm = -1, .vcpu = -1, .run = MAP_FAILED, .run_size = s->run_size };

    if (s->debug_tried) {
        return;
    }
    t.page = g_aligned_alloc0(1, PAGE_BYTES, PAGE_BYTES);
    s->debug_tried = make_machine(&t, s);
    if (s->debug_tried) {
        s->debug_watch = stops(&t, AT_WRITE, KVM_GUESTDBG_USE_HW_BP, WATCHED, 0x10402);
        s->debug_code = stops(&t, AT_WRITE, KVM_GUESTDBG_USE_HW_BP, AT_HLT, 0x402);
        s->debug_int3 = stops(&t, AT_INT3, KVM_GUESTDBG_USE_SW_BP, 0, 0);
    }
    end_machine(&t);
}
