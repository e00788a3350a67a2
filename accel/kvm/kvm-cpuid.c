/* SPDX-License-Identifier: MIT */
/*
 * What CPUID tells the guest: the leaves of its model, or what KVM supports on this host, with the
 * places filled in that depend on the vCPU.
 */
#include <cpuid.h>
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include "accel/kvm/kvm-int.h"

#define CPUID_1_ECX_X2APIC (1u << 21)
#define CPUID_1_ECX_TSC_DEADLINE (1u << 24)
#define CPUID_1_ECX_HYPERVISOR (1u << 31)

/* KVM's paravirtual features (Documentation/virt/kvm/x86/cpuid.rst) that are not for each guest. */
#define KVM_FEATURES_LEAF 0x40000001
#define KVM_FEATURES_BY_HYPERCALL (1u << 7 | 1u << 11 | 1u << 13) /* unhalt, send IPI, yield */
/* With asynchronous page faults and ends of interrupts, what KVM does with local APICs of its own. */
#define KVM_FEATURES_OF_LAPICS (KVM_FEATURES_BY_HYPERCALL | 1u << 4 | 1u << 6 | 1u << 10 | 1u << 14)

static struct kvm_cpuid2 *new_cpuid(uint32_t n)
{
    struct kvm_cpuid2 *cpuid = g_malloc0(sizeof(*cpuid) + n * sizeof(cpuid->entries[0]));

    cpuid->nent = n;
    return cpuid;
}

static bool ask_kernel(KVMState *s, GError **errp)
{
    /* The kernel wants to be given enough room, and does not say how much that is. */
    for (uint32_t n = 128; n <= 4096; n *= 2) {
        struct kvm_cpuid2 *cpuid = new_cpuid(n);

        if (ioctl(s->fd, KVM_GET_SUPPORTED_CPUID, cpuid) == 0) {
            s->cpuid = cpuid;
            return true;
        }
        g_free(cpuid);
        if (errno != E2BIG) {
            break;
        }
    }
    qom_error_set(errp, QOM_ERROR_FAILED,
                  "KVM does not say what the processor can do (KVM_GET_SUPPORTED_CPUID): %s",
                  g_strerror(errno));
    return false;
}

static void fill_version(struct kvm_cpuid_entry2 *e, const KVMVcpu *v)
{
    e->ecx |= CPUID_1_ECX_HYPERVISOR;
    e->ecx &= ~(CPUID_1_ECX_X2APIC | CPUID_1_ECX_TSC_DEADLINE);
    if (v->kvm->lapics) {
        e->ecx |= CPUID_1_ECX_X2APIC;
        if (ioctl(v->kvm->vm, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0) {
            e->ecx |= CPUID_1_ECX_TSC_DEADLINE;
        }
    }
}

/* All that the kernel supports; the caller frees. */
static struct kvm_cpuid2 *supported_cpuid(KVMState *s, GError **errp)
{
    struct kvm_cpuid2 *cpuid = NULL;

    pthread_mutex_lock(&s->cpuid_lock);
    if (s->cpuid || ask_kernel(s, errp)) {
        cpuid = g_memdup2(s->cpuid, sizeof(*cpuid) + s->cpuid->nent * sizeof(cpuid->entries[0]));
    }
    pthread_mutex_unlock(&s->cpuid_lock);
    return cpuid;
}

/* The vendor decides what some instructions do in odd modes, so it is the host's. */
static void fill_vendor(struct kvm_cpuid_entry2 *e)
{
    unsigned eax;

    __cpuid(0, eax, e->ebx, e->ecx, e->edx);
    (void)eax;
}

static bool has_subleaves(uint32_t leaf)
{
    return leaf == 0xb || leaf == 0xd;
}

/*
 * The leaves of a model that is the same everywhere. Asking the kernel what it supports is not
 * needed for that, and where this host is a guest itself that takes as long as all else that starts
 * a machine.
 */
static struct kvm_cpuid2 *fixed_cpuid(const X86CPUClass *xc)
{
    struct kvm_cpuid2 *cpuid = new_cpuid(xc->cpuid_n);

    for (unsigned i = 0; i < xc->cpuid_n; i++) {
        const X86Cpuid *c = &xc->cpuid[i];
        struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

        *e = (struct kvm_cpuid_entry2){ .function = c->leaf,
                                        .index = c->subleaf,
                                        .flags = has_subleaves(c->leaf)
                                                     ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX
                                                     : 0,
                                        .eax = c->eax,
                                        .ebx = c->ebx,
                                        .ecx = c->ecx,
                                        .edx = c->edx };
        if (c->leaf == 0) {
            fill_vendor(e);
        }
    }
    return cpuid;
}

struct kvm_cpuid_entry2 *kvm_cpuid_find(struct kvm_cpuid2 *cpuid, uint32_t leaf, uint32_t subleaf)
{
    for (uint32_t i = 0; i < cpuid->nent; i++) {
        struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

        if (e->function == leaf &&
            (e->index == subleaf || !(e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX))) {
            return e;
        }
    }
    return NULL;
}

struct kvm_cpuid2 *kvm_cpuid_with(struct kvm_cpuid2 *cpuid, uint32_t leaf, uint32_t subleaf)
{
    if (kvm_cpuid_find(cpuid, leaf, subleaf)) {
        return cpuid;
    }
    cpuid = g_realloc(cpuid, sizeof(*cpuid) + (cpuid->nent + 1) * sizeof(cpuid->entries[0]));
    cpuid->entries[cpuid->nent++] = (struct kvm_cpuid_entry2){
        .function = leaf,
        .index = subleaf,
        .flags = has_subleaves(leaf) ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
    };
    return cpuid;
}

static bool has_wishes(const X86Features *f)
{
    uint32_t any = 0;

    for (unsigned n = 0; n < X86_NUM_FEATURE_WORDS; n++) {
        any |= f->on[n] | f->off[n];
    }
    return any != 0;
}

static bool apply_features(KVMVcpu *v, struct kvm_cpuid2 **cpuid, GError **errp)
{
    g_autofree struct kvm_cpuid2 *supported = NULL;

    if (!has_wishes(&v->cpu->features)) {
        return true;
    }
    supported = supported_cpuid(v->kvm, errp);
    return supported && kvm_apply_features(v, cpuid, supported, errp);
}

bool kvm_set_cpuid(KVMVcpu *v, GError **errp)
{
    const X86CPUClass *xc = X86_CPU_GET_CLASS(v->cpu);
    g_autofree struct kvm_cpuid2 *cpuid = NULL;

    cpuid = xc->cpuid ? fixed_cpuid(xc) : supported_cpuid(v->kvm, errp);
    if (!cpuid) {
        return false;
    }
    for (uint32_t i = 0; i < cpuid->nent; i++) {
        struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

        switch (e->function) {
        case 1:
            fill_version(e, v);
            break;
        case KVM_FEATURES_LEAF:
            if (!v->cpu->pv_hypercalls) {
                e->eax &= ~KVM_FEATURES_BY_HYPERCALL;
            }
            if (!v->kvm->lapics) {
                e->eax &= ~KVM_FEATURES_OF_LAPICS;
            }
            break;
        default:
            break;
        }
    }
    if (!apply_features(v, &cpuid, errp)) {
        return false;
    }
    if (kvm_cpuid_find(cpuid, 0xb, 0)) {
        cpuid = kvm_cpuid_with(cpuid, 0xb, 1);
    }
    kvm_fill_topology(cpuid, &v->cpu->parent_obj);
    if (ioctl(v->fd, KVM_SET_CPUID2, cpuid) < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED, "KVM does not take the CPUID of vCPU %u: %s",
                      v->cpu->parent_obj.index, g_strerror(errno));
        return false;
    }
    return true;
}
