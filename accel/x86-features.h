/* SPDX-License-Identifier: MIT */
/* Names of what CPUID tells of a processor, as "-cpu MODEL,+avx2,-smap" has them: QEMU's. */
#ifndef QOMET_ACCEL_X86_FEATURES_H
#define QOMET_ACCEL_X86_FEATURES_H

#include <qomet/qom/export.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum { X86_CPUID_EAX, X86_CPUID_EBX, X86_CPUID_ECX, X86_CPUID_EDX };
/** The words of x86_feature_words. */
enum {
    X86_FEATURES_1_ECX,
    X86_FEATURES_1_EDX,
    X86_FEATURES_7_EBX,
    X86_FEATURES_7_ECX,
    X86_FEATURES_7_EDX,
    X86_FEATURES_EXT_ECX,
    X86_FEATURES_EXT_EDX,
    X86_NUM_FEATURE_WORDS
};

/** One register of one leaf; bits that have no name are NULL. */
typedef struct X86FeatureWord {
    uint32_t leaf, subleaf;
    unsigned reg; /* X86_CPUID_ */
    const char *names[32];
} X86FeatureWord;
QOM_EXPORT extern const X86FeatureWord x86_feature_words[X86_NUM_FEATURE_WORDS];

/** What a user has said of features: a bit that is in neither is as the model has it. */
typedef struct X86Features {
    uint32_t on[X86_NUM_FEATURE_WORDS], off[X86_NUM_FEATURE_WORDS];
} X86Features;

/** Notes that @name shall be there (@on), or not; false when there is no feature of that name. */
QOM_EXPORT bool x86_features_set(X86Features *f, const char *name,
                                 bool on) G_GNUC_WARN_UNUSED_RESULT;
/** " (did you mean 'avx2'?)", or "". The caller frees. */
QOM_EXPORT char *x86_features_did_you_mean(const char *name);

#endif
