/* SPDX-License-Identifier: MIT */
/* The timer of a PC in the kernel, with port 0x61, and its reset. */
#include <errno.h>
#include <sys/ioctl.h>
#include "accel/kvm/kvm-int.h"

bool kvm_create_pit(AccelState *accel, GError **errp)
{
    KVMState *s = KVM_ACCEL(accel);
    struct kvm_pit_config config = { .flags = KVM_PIT_SPEAKER_DUMMY };
    struct kvm_pit_state2 *pit;

    if (ioctl(s->vm, KVM_CREATE_PIT2, &config) < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED, "KVM makes no timer (KVM_CREATE_PIT2): %s%s",
                      g_strerror(errno), s->chips ? "" : "; it needs KVM's interrupt controllers");
        return false;
    }
    pit = g_new0(struct kvm_pit_state2, 1);
    if (ioctl(s->vm, KVM_GET_PIT2, pit) < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED, "KVM does not give the state of its timer: %s",
                      g_strerror(errno));
        g_free(pit);
        return false;
    }
    s->pit = pit;
    return kvm_routes_apply(s, errp); /* its line leads to pin 2 of the IOAPIC */
}

void kvm_pit_reset(KVMState *s)
{
    if (s->pit && ioctl(s->vm, KVM_SET_PIT2, s->pit) < 0) {
        error_report("KVM does not reset its timer: %s", g_strerror(errno));
    }
}
