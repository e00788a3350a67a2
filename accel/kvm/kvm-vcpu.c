/* SPDX-License-Identifier: MIT */
/*
 * A vCPU in KVM: made, executed and kicked. The loop in kvm_cpu_exec() is the way of every exit.
 *
 * A kick sets immediate_exit, which makes the next KVM_RUN return at once, and sends a signal,
 * which ends one that is under way; so there is no moment at which it can be lost, and the loop has
 * nothing to test. KVM_RUN first completes the access of the exit before, so a vCPU that has left
 * this way stands between two instructions.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "accel/cpu-int.h"
#include "accel/kvm/kvm-int.h"
#include "qom/probe.h"

bool kvm_cpu_init(CPUState *cpu, GError **errp)
{
    KVMState *s = KVM_ACCEL(current_accel());
    KVMVcpu *v = g_aligned_alloc0(1, sizeof(*v), G_ALIGNOF(KVMVcpu));

    v->cpu = X86_CPU(cpu);
    v->kvm = s;
    v->attrs.requester_id = cpu->index;
    v->memory = cpu->as_memory;
    v->io = cpu->as_io;
    v->pristine = true;
    v->acknowledged = -1;
    v->run = MAP_FAILED;
    /* KVM takes its number of a vCPU for the APIC id too. */
    v->fd = ioctl(s->vm, KVM_CREATE_VCPU, (unsigned long)x86_apic_id(&cpu->topology, cpu->index));
    if (v->fd < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED, "KVM makes no vCPU %u (KVM_CREATE_VCPU): %s",
                      cpu->index, g_strerror(errno));
        goto fail;
    }
    v->run = mmap(NULL, s->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
    if (v->run == MAP_FAILED) {
        qom_error_set(errp, QOM_ERROR_FAILED, "the state of vCPU %u cannot be mapped: %s",
                      cpu->index, g_strerror(errno));
        goto fail;
    }
    if (!kvm_set_cpuid(v, errp)) {
        goto fail;
    }
    __atomic_store_n(&cpu->accel, v, __ATOMIC_RELEASE);
    return true;

fail:
    if (v->run != MAP_FAILED) {
        munmap(v->run, s->run_size);
    }
    if (v->fd >= 0) {
        close(v->fd);
    }
    g_aligned_free(v);
    return false;
}

void kvm_cpu_destroy(CPUState *cpu)
{
    KVMVcpu *v = cpu->accel;

    __atomic_store_n(&cpu->accel, NULL, __ATOMIC_RELEASE);
    munmap(v->run, v->kvm->run_size);
    close(v->fd);
    kvm_observed_free(v);
    g_aligned_free(v);
}

void kvm_cpu_kick(CPUState *cpu)
{
    KVMVcpu *v = __atomic_load_n(&cpu->accel, __ATOMIC_ACQUIRE);

    if (!v) {
        return;
    }
    __atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
    if (cpu != cpu_current() && cpu->has_thread) {
        pthread_kill(cpu->thread, SIG_IPI);
    }
}

bool kvm_cpu_waits(CPUState *cpu)
{
    KVMVcpu *v = cpu->accel;
    struct kvm_mp_state state;

    return v && ioctl(v->fd, KVM_GET_MP_STATE, &state) == 0 &&
           state.mp_state != KVM_MP_STATE_RUNNABLE;
}

bool kvm_cpu_inject_nmi(CPUState *cpu, GError **errp)
{
    KVMVcpu *v = cpu->accel;

    if (!v || ioctl(v->fd, KVM_NMI) != 0) {
        qom_error_set(errp, QOM_ERROR_FAILED, "vCPU %u takes no NMI (KVM_NMI): %s", cpu->index,
                      g_strerror(v ? errno : ENODEV));
        return false;
    }
    return true;
}

static inline bool deal_with_exit(KVMVcpu *v, uint32_t reason)
{
    return G_LIKELY(reason < KVM_EXIT_COUNT) ? v->exits[reason](v) : v->exits[KVM_EXIT_UNKNOWN](v);
}

void kvm_complete_access(KVMVcpu *v)
{
    int done;

    if (v->completing) {
        /* What has called deals with one of the parts: the loop below goes on to the next. */
        return;
    }
    v->completing = true;
    do {
        __atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
        done = ioctl(v->fd, KVM_RUN, 0);
        if (done < 0 && errno != EINTR && errno != EAGAIN) {
            cpu_guest_panicked(&v->cpu->parent_obj, "KVM_RUN failed: %s.", g_strerror(errno));
        }
        __atomic_store_n(&v->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
    } while (done == 0 && deal_with_exit(v, v->run->exit_reason));
    v->completing = false;
}

/*
 * The registers have been looked at or changed since the guest last ran: gives them back. False
 * when the guest is not to be entered yet.
 */
static bool give_registers_back(KVMVcpu *v)
{
    CPUState *cpu = &v->cpu->parent_obj;
    g_autoptr(GError) error = NULL;

    if (v->cpu->regs_dirty || v->cpu->reset_state) {
        if (!v->pristine) {
            kvm_complete_access(v);
        }
        if ((v->cpu->reset_state && !kvm_reset_vcpu(v, &error)) ||
            (v->cpu->init_state && !kvm_init_vcpu(v, &error)) ||
            !kvm_put_registers(v->cpu, &error) || (v->debugged && !kvm_debug_apply(v, &error))) {
            error_report("vCPU %u: %s", cpu->index, error->message);
            qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_ERROR);
            return false;
        }
    }
    v->cpu->regs_fetched = v->cpu->regs_dirty = false;
    v->cpu->reset_state = v->cpu->init_state = false;
    v->pristine = false;
    return !__atomic_load_n(&cpu->exit_request, __ATOMIC_SEQ_CST);
}

static void take_reset(CPUState *cpu, void *opaque)
{
    (void)opaque;
    /* What fails is said, and ends the machine. */
    (void)give_registers_back(cpu->accel);
}

/*
 * One that has not run begins with what KVM made, and one that waits for the main thread has an access
 * to complete before: those take theirs when they go on.
 */
void kvm_reset_done(AccelState *accel)
{
    CPUState *cpu;

    (void)accel;
    CPU_FOREACH(cpu)
    {
        const KVMVcpu *v = __atomic_load_n(&cpu->accel, __ATOMIC_ACQUIRE);

        if (v && !v->pristine && __atomic_load_n(&cpu->state, __ATOMIC_SEQ_CST) == CPU_STOPPED) {
            run_on_cpu(cpu, take_reset, NULL);
        }
    }
}

/* KVM_RUN has failed with @err. */
static void run_failed(KVMVcpu *v, int err)
{
    if (err == EINTR || err == EAGAIN) {
        return;
    }
    if (v->run->exit_reason == KVM_EXIT_MEMORY_FAULT) {
        kvm_exits_plain[KVM_EXIT_MEMORY_FAULT](v);
        return;
    }
    cpu_guest_panicked(&v->cpu->parent_obj, "KVM_RUN failed: %s.", g_strerror(err));
}

/* The loop below for a vCPU that hears a controller in user space, of which it is told each time. */
static void exec_with_interrupts(KVMVcpu *v)
{
    int err;

    do {
        kvm_interrupt_before(v);
        err = ioctl(v->fd, KVM_RUN, 0) < 0 ? errno : 0;
        kvm_interrupt_after(v);
        if (err) {
            run_failed(v, err);
            return;
        }
        QOMET_PROBE2(exit, v->attrs.requester_id, v->run->exit_reason);
    } while (deal_with_exit(v, v->run->exit_reason));
}

__attribute__((hot)) void kvm_cpu_exec(CPUState *cpu)
{
    KVMVcpu *v = cpu->accel;
    struct kvm_run *run = v->run;
    const bool observed = exit_observers() != 0;

    memcpy(v->exits, observed ? kvm_exits_observed : kvm_exits_plain, sizeof(v->exits));
    __atomic_store_n(&run->immediate_exit, 0, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&cpu->exit_request, __ATOMIC_SEQ_CST) ||
        (v->cpu->regs_fetched && !give_registers_back(v)) || (observed && !kvm_observe_entry(v))) {
        return;
    }
    if (G_UNLIKELY(v->debug_steps) &&
        !kvm_debug_enter(v, observed ? kvm_exits_observed : kvm_exits_plain)) {
        return;
    }
    if (G_UNLIKELY(cpu->intc)) {
        exec_with_interrupts(v);
        return;
    }
    for (;;) {
        if (G_UNLIKELY(ioctl(v->fd, KVM_RUN, 0) < 0)) {
            run_failed(v, errno);
            return;
        }
        QOMET_PROBE2(exit, v->attrs.requester_id, run->exit_reason);
        if (G_UNLIKELY(!deal_with_exit(v, run->exit_reason))) {
            return;
        }
    }
}
