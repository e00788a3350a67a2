/* SPDX-License-Identifier: MIT */
/*
 * The state of a vCPU beyond X86Registers at power-on and after INIT: floating point, debug
 * registers, pending events, model-specific registers, the local APIC. A vCPU that has not run yet
 * has it from KVM.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include "accel/x86-bits.h"
#include "accel/kvm/kvm-int.h"

#define MXCSR_RESET 0x1f80
#define FCW_RESET 0x0040
#define DR6_RESET 0xffff0ff0
#define DR7_RESET 0x400

/*
 * Where KVM_GET_LAPIC keeps a register: at its offset in the APIC's page (SDM vol. 3, table 11-1).
 */
#define APIC_TPR 0x80
#define APIC_LDR 0xd0
#define APIC_DFR 0xe0
#define APIC_SPIV 0xf0
#define APIC_ISR 0x100 /* eight of them, 16 bytes apart; then as many of TMR, then of IRR */
#define APIC_ESR 0x280
#define APIC_ICR 0x300
#define APIC_ICR2 0x310
#define APIC_LVTT 0x320
#define APIC_LVT0 0x350
#define APIC_LVT_LAST 0x370
#define APIC_TMICT 0x380
#define APIC_TDCR 0x3e0
#define APIC_LVT_MASKED 0x10000
#define APIC_LVT_EXTINT 0x700

/*
 * Registers that hold zero unless said otherwise, in the SDM's names; then those of KVM's
 * paravirtual interface.
 */
static const struct {
    uint32_t index;
    uint64_t value;
} msrs[] = {
    { 0x10, 0 },  /* TSC */
    { 0x174, 0 }, /* SYSENTER_CS, _ESP, _EIP */
    { 0x175, 0 },
    { 0x176, 0 },
    { 0x277, UINT64_C(0x0007040600070406) }, /* PAT (SDM vol. 3, 12.12.4) */
    { 0x2ff, 0 },                            /* MTRR_DEF_TYPE */
    { 0x6e0, 0 },                            /* TSC_DEADLINE */
    { 0xc0000081, 0 },                       /* STAR, LSTAR, CSTAR, FMASK */
    { 0xc0000082, 0 },
    { 0xc0000083, 0 },
    { 0xc0000084, 0 },
    { 0xc0000102, 0 }, /* KERNEL_GS_BASE */
    { 0xc0000103, 0 }, /* TSC_AUX */
    { 0x11, 0 },       /* wall clock and system time, old and new numbers */
    { 0x12, 0 },
    { 0x4b564d00, 0 },
    { 0x4b564d01, 0 },
    { 0x4b564d02, 0 }, /* asynchronous page faults, stolen time, EOI */
    { 0x4b564d03, 0 },
    { 0x4b564d04, 0 },
};

static void reset_msrs(KVMVcpu *v)
{
    for (size_t i = 0; i < G_N_ELEMENTS(msrs); i++) {
        union {
            struct kvm_msrs head;
            uint8_t room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
        } m = { .head.nmsrs = 1 };

        m.head.entries[0].index = msrs[i].index;
        m.head.entries[0].data = msrs[i].value;
        /* One that this processor lacks cannot hold anything, so a refusal is as good. */
        (void)ioctl(v->fd, KVM_SET_MSRS, &m);
    }
}

static bool reset_lapic(KVMVcpu *v)
{
    static const struct {
        uint16_t offset;
        uint32_t value;
    } zeroes[] = {
        { APIC_TPR, 0 },     { APIC_LDR, 0 },   { APIC_DFR, 0xffffffff },
        { APIC_SPIV, 0xff }, { APIC_ESR, 0 },   { APIC_ICR, 0 },
        { APIC_ICR2, 0 },    { APIC_TMICT, 0 }, { APIC_TDCR, 0 },
    };
    struct kvm_lapic_state s;
    uint32_t masked = APIC_LVT_MASKED, extint = APIC_LVT_EXTINT;

    if (ioctl(v->fd, KVM_GET_LAPIC, &s) < 0) {
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(zeroes); i++) {
        memcpy(s.regs + zeroes[i].offset, &zeroes[i].value, 4);
    }
    for (size_t i = 0; i < 24; i++) {
        memset(s.regs + APIC_ISR + i * 16, 0, 4);
    }
    for (unsigned offset = APIC_LVTT; offset <= APIC_LVT_LAST; offset += 0x10) {
        memcpy(s.regs + offset, &masked, 4);
    }
    if (v->cpu->regs.apic_base & X86_APIC_BASE_BSP) {
        /*
         * As at power-on under KVM: the PIC reaches the first processor without the APIC being
         * programmed.
         */
        memcpy(s.regs + APIC_LVT0, &extint, 4);
    }
    return ioctl(v->fd, KVM_SET_LAPIC, &s) == 0;
}

static bool reset_fpu(KVMVcpu *v)
{
    struct kvm_xsave xsave = { 0 };
    struct kvm_xcrs xcrs = { .nr_xcrs = 1, .xcrs[0].value = 1 };
    struct kvm_fpu fpu = { .fcw = FCW_RESET, .mxcsr = MXCSR_RESET };

    if (ioctl(v->kvm->vm, KVM_CHECK_EXTENSION, KVM_CAP_XSAVE) > 0) {
        /* No component is marked as in use: all take their initial state. */
        xsave.region[6] = MXCSR_RESET;
        if (ioctl(v->fd, KVM_SET_XSAVE, &xsave) < 0) {
            return false;
        }
    }
    if (ioctl(v->kvm->vm, KVM_CHECK_EXTENSION, KVM_CAP_XCRS) > 0) {
        /* Refused by a processor without XSAVE, which has nothing to reset. */
        (void)ioctl(v->fd, KVM_SET_XCRS, &xcrs);
    }
    return ioctl(v->fd, KVM_SET_FPU, &fpu) == 0;
}

static bool reset_events(KVMVcpu *v)
{
    struct kvm_debugregs debug = { .dr6 = DR6_RESET, .dr7 = DR7_RESET };
    struct kvm_vcpu_events events = { .flags = KVM_VCPUEVENT_VALID_NMI_PENDING |
                                               KVM_VCPUEVENT_VALID_SIPI_VECTOR };

    return ioctl(v->fd, KVM_SET_DEBUGREGS, &debug) == 0 &&
           ioctl(v->fd, KVM_SET_VCPU_EVENTS, &events) == 0;
}

bool kvm_init_vcpu(KVMVcpu *v, GError **errp)
{
    v->acknowledged = -1;
    if (!v->pristine && !reset_events(v)) {
        qom_error_set(errp, QOM_ERROR_FAILED, "KVM does not take the pending events back: %s",
                      g_strerror(errno));
        return false;
    }
    return true;
}

bool kvm_reset_vcpu(KVMVcpu *v, GError **errp)
{
    const char *what = NULL;

    v->acknowledged = -1;
    if (!v->pristine) {
        reset_msrs(v);
        if (!reset_fpu(v)) {
            what = "floating point";
        } else if (!reset_events(v)) {
            what = "pending events";
        } else if (v->kvm->lapics && !reset_lapic(v)) {
            what = "local APIC";
        }
    }
    if (!what && v->kvm->lapics) {
        struct kvm_mp_state state = { v->cpu->wait_for_sipi ? KVM_MP_STATE_UNINITIALIZED
                                                            : KVM_MP_STATE_RUNNABLE };

        if (ioctl(v->fd, KVM_SET_MP_STATE, &state) < 0) {
            what = "activity state";
        }
    }
    if (what) {
        qom_error_set(errp, QOM_ERROR_FAILED, "KVM does not reset the %s: %s", what,
                      g_strerror(errno));
        return false;
    }
    return true;
}
