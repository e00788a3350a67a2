/* SPDX-License-Identifier: MIT */
/*
 * Interrupts of controllers in user space: given to KVM when the guest takes them, and asked for
 * when it does not yet. What is done before and after each KVM_RUN of a vCPU that hears one.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <qomet/accel/cpu-intc.h>
#include "accel/kvm/kvm-int.h"

/* The vector that was acknowledged goes to KVM. False: it has not taken the one before yet. */
static bool give(KVMVcpu *v)
{
    struct kvm_interrupt interrupt = { .irq = (uint32_t)v->acknowledged };
    static LogLimit limit;

    /* With a local APIC in the kernel, KVM is ready again before it has delivered: EEXIST. */
    if (ioctl(v->fd, KVM_INTERRUPT, &interrupt) < 0) {
        if (errno == EEXIST) {
            return false;
        }
        if (qemu_log_limit(&limit)) {
            warn_report("KVM does not take interrupt vector %u: %s", interrupt.irq,
                        g_strerror(errno));
        }
    }
    v->acknowledged = -1;
    return true;
}

void kvm_interrupt_before(KVMVcpu *v)
{
    CPUState *cpu = &v->cpu->parent_obj;
    const CPUIntcClass *ic = CPU_INTC_GET_CLASS(cpu->intc);
    struct kvm_run *run = v->run;

    if (run->ready_for_interrupt_injection) {
        if (v->acknowledged < 0 && cpu_has_interrupt(cpu)) {
            v->acknowledged = ic->acknowledge(cpu->intc, cpu);
        }
        if (v->acknowledged >= 0 && give(v)) {
            /* Of this KVM_RUN: it says anew whether there is room for another. */
            run->ready_for_interrupt_injection = 0;
        }
    }
    run->request_interrupt_window = v->acknowledged >= 0 || cpu_has_interrupt(cpu);
    if (ic->get_cr8) {
        run->cr8 = ic->get_cr8(cpu->intc, cpu);
    }
}

void kvm_interrupt_after(KVMVcpu *v)
{
    CPUState *cpu = &v->cpu->parent_obj;
    const CPUIntcClass *ic = CPU_INTC_GET_CLASS(cpu->intc);

    if (ic->set_cr8) {
        ic->set_cr8(cpu->intc, cpu, (uint8_t)v->run->cr8);
        ic->set_base(cpu->intc, cpu, v->run->apic_base);
    }
}
