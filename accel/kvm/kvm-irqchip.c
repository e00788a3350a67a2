/* SPDX-License-Identifier: MIT */
/*
 * The interrupt controllers in the kernel: two PICs, an IOAPIC, a local APIC in each vCPU; their
 * lines and their reset.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include "accel/kvm/kvm-int.h"

#define CHIPS 3

/* As they were when they were made, for the reset. */
struct KVMChips {
    struct kvm_irqchip initial[CHIPS];
};

bool kvm_create_irqchip(AccelState *accel, GError **errp)
{
    KVMState *s = KVM_ACCEL(accel);
    KVMChips *chips;

    if (ioctl(s->vm, KVM_CREATE_IRQCHIP, 0) < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED,
                      "KVM makes no interrupt controllers (KVM_CREATE_IRQCHIP): %s",
                      g_strerror(errno));
        return false;
    }
    chips = g_new0(KVMChips, 1);
    for (unsigned i = 0; i < CHIPS; i++) {
        chips->initial[i].chip_id = i;
        if (ioctl(s->vm, KVM_GET_IRQCHIP, &chips->initial[i]) < 0) {
            qom_error_set(errp, QOM_ERROR_FAILED,
                          "KVM does not give the state of interrupt controller %u: %s", i,
                          g_strerror(errno));
            g_free(chips);
            return false;
        }
    }
    s->chips = chips;
    return true;
}

void kvm_set_irq(AccelState *accel, unsigned gsi, int level)
{
    KVMState *s = KVM_ACCEL(accel);
    struct kvm_irq_level line = { .irq = gsi, .level = level != 0 };
    static LogLimit limit;

    if (ioctl(s->vm, KVM_IRQ_LINE, &line) < 0 && qemu_log_limit(&limit)) {
        warn_report("KVM does not take interrupt line %u: %s", gsi, g_strerror(errno));
    }
}

void kvm_irqchip_reset(KVMState *s)
{
    if (!s->chips) {
        return;
    }
    for (unsigned i = 0; i < CHIPS; i++) {
        if (ioctl(s->vm, KVM_SET_IRQCHIP, &s->chips->initial[i]) < 0) {
            error_report("KVM does not reset interrupt controller %u: %s", i, g_strerror(errno));
        }
    }
}
