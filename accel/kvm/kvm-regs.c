/* SPDX-License-Identifier: MIT */
/* Registers between X86Registers and KVM's structures. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include "accel/kvm/kvm-int.h"

static X86Segment get_segment(const struct kvm_segment *k)
{
    return (X86Segment){
        .base = k->base,
        .limit = k->limit,
        .selector = k->selector,
        .type = k->type,
        .dpl = k->dpl,
        .present = k->present,
        .db = k->db,
        .s = k->s,
        .l = k->l,
        .g = k->g,
        .avl = k->avl,
        .unusable = k->unusable,
    };
}

static struct kvm_segment put_segment(const X86Segment *s)
{
    return (struct kvm_segment){
        .base = s->base,
        .limit = s->limit,
        .selector = s->selector,
        .type = s->type,
        .dpl = s->dpl,
        .present = s->present,
        .db = s->db,
        .s = s->s,
        .l = s->l,
        .g = s->g,
        .avl = s->avl,
        .unusable = s->unusable,
    };
}

bool kvm_read_registers(KVMVcpu *v, X86Registers *r, GError **errp)
{
    struct kvm_sregs s;
    struct kvm_regs k;

    if (ioctl(v->fd, KVM_GET_REGS, &k) < 0 || ioctl(v->fd, KVM_GET_SREGS, &s) < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED, "KVM gives no registers of vCPU %u: %s",
                      v->cpu->parent_obj.index, g_strerror(errno));
        return false;
    }
    *r = (X86Registers){
        .gpr = { [X86_RAX] = k.rax,
                 [X86_RCX] = k.rcx,
                 [X86_RDX] = k.rdx,
                 [X86_RBX] = k.rbx,
                 [X86_RSP] = k.rsp,
                 [X86_RBP] = k.rbp,
                 [X86_RSI] = k.rsi,
                 [X86_RDI] = k.rdi,
                 k.r8,
                 k.r9,
                 k.r10,
                 k.r11,
                 k.r12,
                 k.r13,
                 k.r14,
                 k.r15 },
        .rip = k.rip,
        .rflags = k.rflags,
        .seg = { [X86_ES] = get_segment(&s.es),
                 [X86_CS] = get_segment(&s.cs),
                 [X86_SS] = get_segment(&s.ss),
                 [X86_DS] = get_segment(&s.ds),
                 [X86_FS] = get_segment(&s.fs),
                 [X86_GS] = get_segment(&s.gs) },
        .tr = get_segment(&s.tr),
        .ldt = get_segment(&s.ldt),
        .gdt = { s.gdt.base, s.gdt.limit },
        .idt = { s.idt.base, s.idt.limit },
        .cr0 = s.cr0,
        .cr2 = s.cr2,
        .cr3 = s.cr3,
        .cr4 = s.cr4,
        .cr8 = s.cr8,
        .efer = s.efer,
        .apic_base = s.apic_base,
    };
    return true;
}

bool kvm_get_registers(X86CPU *cpu, GError **errp)
{
    return kvm_read_registers(cpu->parent_obj.accel, &cpu->regs, errp);
}

bool kvm_put_registers(X86CPU *cpu, GError **errp)
{
    KVMVcpu *v = cpu->parent_obj.accel;
    const X86Registers *r = &cpu->regs;
    struct kvm_regs k = {
        .rax = r->gpr[X86_RAX],
        .rcx = r->gpr[X86_RCX],
        .rdx = r->gpr[X86_RDX],
        .rbx = r->gpr[X86_RBX],
        .rsp = r->gpr[X86_RSP],
        .rbp = r->gpr[X86_RBP],
        .rsi = r->gpr[X86_RSI],
        .rdi = r->gpr[X86_RDI],
        .r8 = r->gpr[8],
        .r9 = r->gpr[9],
        .r10 = r->gpr[10],
        .r11 = r->gpr[11],
        .r12 = r->gpr[12],
        .r13 = r->gpr[13],
        .r14 = r->gpr[14],
        .r15 = r->gpr[15],
        .rip = r->rip,
        .rflags = r->rflags,
    };
    struct kvm_sregs s = {
        .es = put_segment(&r->seg[X86_ES]),
        .cs = put_segment(&r->seg[X86_CS]),
        .ss = put_segment(&r->seg[X86_SS]),
        .ds = put_segment(&r->seg[X86_DS]),
        .fs = put_segment(&r->seg[X86_FS]),
        .gs = put_segment(&r->seg[X86_GS]),
        .tr = put_segment(&r->tr),
        .ldt = put_segment(&r->ldt),
        .gdt = { .base = r->gdt.base, .limit = r->gdt.limit },
        .idt = { .base = r->idt.base, .limit = r->idt.limit },
        .cr0 = r->cr0,
        .cr2 = r->cr2,
        .cr3 = r->cr3,
        .cr4 = r->cr4,
        .cr8 = r->cr8,
        .efer = r->efer,
        .apic_base = r->apic_base,
    };

    if (ioctl(v->fd, KVM_SET_SREGS, &s) < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED,
                      "KVM does not take the system registers (segments, CR0 0x%" PRIx64
                      ", CR4 0x%" PRIx64 ", EFER 0x%" PRIx64 "): %s",
                      r->cr0, r->cr4, r->efer, g_strerror(errno));
        return false;
    }
    if (ioctl(v->fd, KVM_SET_REGS, &k) < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED, "KVM does not take the registers: %s",
                      g_strerror(errno));
        return false;
    }
    /* Without interrupt controllers in the kernel, KVM_RUN takes the task priority from here. */
    v->run->cr8 = r->cr8;
    return true;
}

/* ---- Extended registers ---- */

#define MSR_KERNEL_GS_BASE 0xc0000102

/* The beginning of what KVM_GET_XSAVE gives (SDM vol. 1, 10.5.1 and 13.4). */
typedef struct XsaveArea {
    uint16_t fcw, fsw;
    uint8_t ftw, reserved;
    uint16_t fop;
    uint64_t fip, fdp;
    uint32_t mxcsr, mxcsr_mask;
    uint8_t st[8][16];
    uint8_t xmm[16][16];
    uint8_t unused[96];
    uint64_t in_use; /* a bit for each component that is not in its initial state */
} XsaveArea;
#define XSAVE_X87 1
#define XSAVE_SSE 2

typedef union KernelGsBase {
    struct kvm_msrs head;
    uint8_t room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
} KernelGsBase;

static KernelGsBase kernel_gs_base(uint64_t value)
{
    KernelGsBase m = { .head.nmsrs = 1 };

    m.head.entries[0].index = MSR_KERNEL_GS_BASE;
    m.head.entries[0].data = value;
    return m;
}

static bool extended_failed(const X86CPU *cpu, const char *what, GError **errp)
{
    qom_error_set(errp, QOM_ERROR_FAILED, "KVM does not %s the extended registers of vCPU %u: %s",
                  what, cpu->parent_obj.index, g_strerror(errno));
    return false;
}

bool kvm_get_extended(X86CPU *cpu, X86ExtendedRegisters *r, GError **errp)
{
    KVMVcpu *v = cpu->parent_obj.accel;
    KernelGsBase msr = kernel_gs_base(0);
    struct kvm_vcpu_events events;
    struct kvm_debugregs debug;
    struct kvm_xsave xsave;
    XsaveArea area;

    if (ioctl(v->fd, KVM_GET_XSAVE, &xsave) < 0 || ioctl(v->fd, KVM_GET_MSRS, &msr) < 0 ||
        ioctl(v->fd, KVM_GET_DEBUGREGS, &debug) < 0 ||
        ioctl(v->fd, KVM_GET_VCPU_EVENTS, &events) < 0) {
        return extended_failed(cpu, "give", errp);
    }
    memcpy(&area, &xsave, sizeof(area));
    *r = (X86ExtendedRegisters){
        .fcw = area.fcw,
        .fsw = area.fsw,
        .fop = area.fop,
        .ftw = area.ftw,
        .fip = area.fip,
        .fdp = area.fdp,
        .mxcsr = area.mxcsr,
        .kernel_gs_base = msr.head.entries[0].data,
        .dr = { [6] = debug.dr6, [7] = debug.dr7 },
        .shadow = events.interrupt.shadow != 0,
        .smm = v->run->flags & KVM_RUN_X86_SMM,
    };
    memcpy(r->dr, debug.db, sizeof(debug.db));
    memcpy(r->st, area.st, sizeof(r->st));
    memcpy(r->xmm, area.xmm, sizeof(r->xmm));
    return true;
}

bool kvm_put_extended(X86CPU *cpu, const X86ExtendedRegisters *r, GError **errp)
{
    KVMVcpu *v = cpu->parent_obj.accel;
    KernelGsBase msr = kernel_gs_base(r->kernel_gs_base);
    struct kvm_xsave xsave;
    XsaveArea area;

    if (ioctl(v->fd, KVM_GET_XSAVE, &xsave) < 0) {
        return extended_failed(cpu, "give", errp);
    }
    memcpy(&area, &xsave, sizeof(area));
    area.fcw = r->fcw;
    area.fsw = r->fsw;
    area.fop = r->fop;
    area.ftw = r->ftw;
    area.fip = r->fip;
    area.fdp = r->fdp;
    area.mxcsr = r->mxcsr;
    memcpy(area.st, r->st, sizeof(area.st));
    memcpy(area.xmm, r->xmm, sizeof(area.xmm));
    area.in_use |= XSAVE_X87 | XSAVE_SSE;
    memcpy(&xsave, &area, sizeof(area));
    if (ioctl(v->fd, KVM_SET_XSAVE, &xsave) < 0) {
        return extended_failed(cpu, "take", errp);
    }
    if (ioctl(v->fd, KVM_SET_MSRS, &msr) != 1) {
        errno = EINVAL; /* KVM only says that it took none */
        return extended_failed(cpu, "take", errp);
    }
    return true;
}
