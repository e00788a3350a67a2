/* SPDX-License-Identifier: MIT */
/* Features that a user has asked for, or does not want, in what CPUID tells the guest. */
#include <string.h>
#include "accel/kvm/kvm-int.h"

/* Bits of leaf 1's EDX that AMD repeats in leaf 0x80000001's (APM vol. 3, E.4.2). */
#define REPEATED 0x0183f3ffu

/* Parts of the extended state, leaf 0xd (SDM vol. 1, 13.1), and what each is for. */
static const struct {
    uint32_t parts;
    unsigned word, bit; /* of x86_feature_words */
} states[] = {
    { 1u << 2, X86_FEATURES_1_ECX, 28 },  /* avx */
    { 3u << 3, X86_FEATURES_7_EBX, 14 },  /* mpx */
    { 7u << 5, X86_FEATURES_7_EBX, 16 },  /* avx512f */
    { 1u << 9, X86_FEATURES_7_ECX, 3 },   /* pku */
    { 3u << 17, X86_FEATURES_7_EDX, 24 }, /* amx-tile */
};
#define XSAVE_BIT 26 /* of X86_FEATURES_1_ECX */

static uint32_t *reg_of(struct kvm_cpuid2 *cpuid, const X86FeatureWord *word)
{
    struct kvm_cpuid_entry2 *e = kvm_cpuid_find(cpuid, word->leaf, word->subleaf);
    uint32_t *const regs[] = { e ? &e->eax : NULL, e ? &e->ebx : NULL, e ? &e->ecx : NULL,
                               e ? &e->edx : NULL };

    return regs[word->reg];
}

static uint32_t value_of(struct kvm_cpuid2 *cpuid, unsigned n)
{
    const uint32_t *reg = reg_of(cpuid, &x86_feature_words[n]);

    return reg ? *reg : 0;
}

/* Those that this host does not have: the guest goes without, unless it is to have them all. */
static bool tell_missing(const KVMVcpu *v, unsigned n, uint32_t missing, GError **errp)
{
    static const char *const regs[] = { "EAX", "EBX", "ECX", "EDX" };
    const X86FeatureWord *word = &x86_feature_words[n];

    for (unsigned bit = 0; bit < 32; bit++) {
        g_autofree char *text = NULL;

        if (!(missing >> bit & 1)) {
            continue;
        }
        text = g_strdup_printf("host doesn't support requested feature: CPUID.%02XH:%s.%s [bit %u]",
                               word->leaf, regs[word->reg], word->names[bit], bit);
        if (v->cpu->enforce_features) {
            qom_error_set(errp, QOM_ERROR_FAILED, "%s", text);
            return false;
        }
        if (v->cpu->check_features && v->cpu->parent_obj.index == 0) {
            warn_report("%s", text);
        }
    }
    return true;
}

/* The guest sees no state of what it does not have. */
static void trim_state(struct kvm_cpuid2 *cpuid)
{
    const bool xsave = value_of(cpuid, X86_FEATURES_1_ECX) >> XSAVE_BIT & 1;
    uint32_t gone = xsave ? 0 : UINT32_MAX;

    for (unsigned i = 0; i < G_N_ELEMENTS(states); i++) {
        gone |= value_of(cpuid, states[i].word) >> states[i].bit & 1 ? 0 : states[i].parts;
    }
    for (uint32_t i = 0; i < cpuid->nent; i++) {
        struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

        if (e->function != 0xd) {
            continue;
        }
        if (e->index == 0) {
            e->eax &= ~gone;
        }
        if (!xsave || (e->index >= 2 && e->index < 32 && gone >> e->index & 1)) {
            e->eax = e->ebx = e->ecx = e->edx = 0;
        }
    }
}

static void repeat(struct kvm_cpuid2 *cpuid)
{
    uint32_t *extended = reg_of(cpuid, &x86_feature_words[X86_FEATURES_EXT_EDX]);

    if (extended && *extended & REPEATED) {
        *extended &= ~REPEATED | value_of(cpuid, X86_FEATURES_1_EDX);
    }
}

/* A model without extended state that is to have some has it as the kernel does. */
static struct kvm_cpuid2 *with_state(struct kvm_cpuid2 *cpuid, const struct kvm_cpuid2 *supported)
{
    for (uint32_t i = 0; i < supported->nent; i++) {
        const struct kvm_cpuid_entry2 *e = &supported->entries[i];

        if (e->function == 0xd) {
            cpuid = kvm_cpuid_with(cpuid, e->function, e->index);
            *kvm_cpuid_find(cpuid, e->function, e->index) = *e;
        }
    }
    return cpuid;
}

bool kvm_apply_features(KVMVcpu *v, struct kvm_cpuid2 **cpuid, struct kvm_cpuid2 *supported,
                        GError **errp)
{
    const X86Features *f = &v->cpu->features;

    for (unsigned n = 0; n < X86_NUM_FEATURE_WORDS; n++) {
        const X86FeatureWord *word = &x86_feature_words[n];
        const uint32_t can = value_of(*cpuid, n) | value_of(supported, n);
        uint32_t *reg;

        if (!tell_missing(v, n, f->on[n] & ~can, errp)) {
            return false;
        }
        if (f->on[n] & can) {
            *cpuid = kvm_cpuid_with(*cpuid, word->leaf, word->subleaf);
        }
        reg = reg_of(*cpuid, word);
        if (reg) {
            *reg = (*reg | (f->on[n] & can)) & ~f->off[n];
        }
    }
    if (f->on[X86_FEATURES_1_ECX] >> XSAVE_BIT & 1) {
        *cpuid = with_state(*cpuid, supported);
    }
    repeat(*cpuid);
    trim_state(*cpuid);
    return true;
}
