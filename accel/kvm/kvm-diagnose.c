/* SPDX-License-Identifier: MIT */
/*
 * What a guest was doing that cannot go on. Where KVM has reset the vCPU before it reported a triple
 * fault (AMD), the guest is run once more from the state at its last entry, in single steps, until
 * the fault comes again: the registers before that step are what is looked at.
 */
#include <errno.h>
#include <inttypes.h>
#include <sys/ioctl.h>
#include "accel/kvm/kvm-int.h"
#include "accel/x86-bits.h"
#include "accel/x86-diagnose.h"

/* A guest that ran on for longer than this is not followed to its end. */
#define STEPS_MAX 100000
#define STEPS_NS (INT64_C(5) * 1000000000)

/* ---- Once more, in steps ---- */

typedef struct Replay {
    X86Registers before; /* the last step */
    unsigned steps;
    const char *ended; /* why the end was not reached; NULL: it was */
} Replay;

/* SVM's SHUTDOWN intercept leaves the state undefined, so KVM resets the vCPU before it reports. */
bool kvm_is_reset_state(const X86Registers *r)
{
    return r->rip == 0xfff0 && r->seg[X86_CS].base == 0xffff0000 && !(r->cr0 & X86_CR0_PE);
}

static bool single_step(KVMVcpu *v)
{
    struct kvm_guest_debug debug = { .control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP };

    return ioctl(v->fd, KVM_SET_GUEST_DEBUG, &debug) == 0;
}

/* What was pending belongs to the life after the reset. */
static bool put_back(KVMVcpu *v, const X86Registers *kept)
{
    struct kvm_vcpu_events none = { .flags = KVM_VCPUEVENT_VALID_NMI_PENDING };

    v->cpu->regs = *kept;
    return ioctl(v->fd, KVM_SET_VCPU_EVENTS, &none) == 0 && kvm_put_registers(v->cpu, NULL);
}

/* One step; true when there is another. */
static bool step(KVMVcpu *v, Replay *replay)
{
    if (!kvm_get_registers(v->cpu, NULL)) {
        replay->ended = "the registers could not be read";
        return false;
    }
    replay->before = v->cpu->regs;
    if (kvm_cpu_waits(&v->cpu->parent_obj)) {
        /* In KVM_RUN, for as long as nothing interrupts it. */
        replay->ended = "it waits for an interrupt";
        return false;
    }
    __atomic_store_n(&v->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
    if (ioctl(v->fd, KVM_RUN, 0) < 0) {
        if (errno == EINTR || errno == EAGAIN) {
            return true;
        }
        replay->ended = "KVM_RUN failed";
        return false;
    }
    replay->steps++;
    switch (v->run->exit_reason) {
    case KVM_EXIT_DEBUG:
        return true;
    case KVM_EXIT_SHUTDOWN:
        return false;
    default:
        replay->ended = kvm_exit_meaning(v->run->exit_reason);
        return false;
    }
}

static Replay run_once_more(KVMVcpu *v, const X86Registers *kept)
{
    Replay replay = { .before = *kept };
    int64_t end = exit_clock_ns() + STEPS_NS;

    if (!put_back(v, kept) || !single_step(v)) {
        replay.ended = "KVM did not take the state back";
        return replay;
    }
    while (step(v, &replay)) {
        if (replay.steps == STEPS_MAX || exit_clock_ns() > end) {
            replay.ended = "it took too many steps";
            break;
        }
    }
    /* As a debugger wants it. */
    (void)kvm_debug_apply(v, NULL);
    return replay;
}

/* ---- The diagnosis ---- */

static void diagnose_from_last_entry(KVMVcpu *v, GString *out)
{
    const X86Registers *kept = kvm_kept_registers(v);
    Replay replay;

    if (!kept) {
        g_string_append(out, "diagnosis: none, since the state is lost; with -explain the state at "
                             "each entry is kept, and the guest is run once more from the last.\n");
        return;
    }
    replay = run_once_more(v, kept);
    v->cpu->regs = replay.before;
    if (replay.ended) {
        g_string_append_printf(out,
                               "diagnosis: run once more from its last entry (RIP 0x%" PRIx64
                               "), the guest did not come to the same end: after %u steps, %s.\n",
                               kept->rip, replay.steps, replay.ended);
    } else {
        g_string_append_printf(out,
                               "Run once more from its last entry (RIP 0x%" PRIx64
                               "), the guest came to the same end after %u steps; what follows is "
                               "from before the last.\n",
                               kept->rip, replay.steps);
    }
    x86_diagnose(&replay.before, v->memory, true, out);
}

static void diagnose_failed_entry(const X86Registers *r, AddressSpace *memory, GString *out)
{
    g_autoptr(GString) rules = g_string_new(NULL);

    if (x86_check_entry(r, rules)) {
        /* An emulated SVM says this too of what the guest wants to load into CR3. */
        g_string_append(out, "The guest's state breaks no rule that can be checked.\n");
        x86_diagnose(r, memory, false, out);
        return;
    }
    g_string_append_printf(out, "diagnosis: the state of a guest in %s, as it is known here:\n%s",
                           x86_mode_name(r), rules->str);
}

char *kvm_diagnose(KVMVcpu *v)
{
    g_autoptr(GString) out = g_string_new("\n");
    const X86Registers *r = x86_cpu_registers(v->cpu, NULL);
    uint32_t reason = v->run->exit_reason;

    if (!r) {
        return g_strdup("");
    }
    if (reason == KVM_EXIT_FAIL_ENTRY) {
        diagnose_failed_entry(r, v->memory, out);
    } else if (reason == KVM_EXIT_SHUTDOWN && kvm_is_reset_state(r)) {
        diagnose_from_last_entry(v, out);
    } else if (reason == KVM_EXIT_SHUTDOWN || reason == KVM_EXIT_INTERNAL_ERROR) {
        bool instruction = reason == KVM_EXIT_INTERNAL_ERROR &&
                           v->run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION;

        x86_diagnose(r, v->memory, !instruction, out);
    } else {
        return g_strdup("");
    }
    /* The caller ends the line. */
    g_string_truncate(out, out->len - 1);
    return g_string_free(g_steal_pointer(&out), FALSE);
}
