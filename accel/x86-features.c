/* SPDX-License-Identifier: MIT */
/* The table of CPUID's features (Intel SDM vol. 2, "CPUID"; AMD APM vol. 3, appendix E). */
#include <string.h>
#include <qomet/accel/x86-features.h>
#include <qomet/qom/error.h>

/* clang-format off */
const X86FeatureWord x86_feature_words[X86_NUM_FEATURE_WORDS] = {
    [X86_FEATURES_1_ECX] = { 1, 0, X86_CPUID_ECX, {
        "pni", "pclmulqdq", "dtes64", "monitor", "ds-cpl", "vmx", "smx", "est",
        "tm2", "ssse3", "cid", NULL, "fma", "cx16", "xtpr", "pdcm",
        NULL, "pcid", "dca", "sse4.1", "sse4.2", "x2apic", "movbe", "popcnt",
        "tsc-deadline", "aes", "xsave", NULL, "avx", "f16c", "rdrand", "hypervisor",
    } },
    [X86_FEATURES_1_EDX] = { 1, 0, X86_CPUID_EDX, {
        "fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce",
        "cx8", "apic", NULL, "sep", "mtrr", "pge", "mca", "cmov",
        "pat", "pse36", "pn", "clflush", NULL, "ds", "acpi", "mmx",
        "fxsr", "sse", "sse2", "ss", "ht", "tm", "ia64", "pbe",
    } },
    [X86_FEATURES_7_EBX] = { 7, 0, X86_CPUID_EBX, {
        "fsgsbase", "tsc-adjust", "sgx", "bmi1", "hle", "avx2", NULL, "smep",
        "bmi2", "erms", "invpcid", "rtm", NULL, NULL, "mpx", NULL,
        "avx512f", "avx512dq", "rdseed", "adx", "smap", "avx512ifma", "pcommit", "clflushopt",
        "clwb", "intel-pt", "avx512pf", "avx512er", "avx512cd", "sha-ni", "avx512bw", "avx512vl",
    } },
    [X86_FEATURES_7_ECX] = { 7, 0, X86_CPUID_ECX, {
        NULL, "avx512vbmi", "umip", "pku", NULL, "waitpkg", "avx512vbmi2", NULL,
        "gfni", "vaes", "vpclmulqdq", "avx512vnni", "avx512bitalg", NULL, "avx512-vpopcntdq", NULL,
        "la57", NULL, NULL, NULL, NULL, NULL, "rdpid", NULL,
        "bus-lock-detect", "cldemote", NULL, "movdiri", "movdir64b", NULL, "sgxlc", "pks",
    } },
    [X86_FEATURES_7_EDX] = { 7, 0, X86_CPUID_EDX, {
        NULL, NULL, "avx512-4vnniw", "avx512-4fmaps", "fsrm", NULL, NULL, NULL,
        "avx512-vp2intersect", NULL, "md-clear", NULL, NULL, NULL, "serialize", NULL,
        "tsx-ldtrk", NULL, NULL, "arch-lbr", NULL, NULL, "amx-bf16", "avx512-fp16",
        "amx-tile", "amx-int8", "spec-ctrl", "stibp", NULL, "arch-capabilities",
        "core-capability", "ssbd",
    } },
    [X86_FEATURES_EXT_ECX] = { 0x80000001, 0, X86_CPUID_ECX, {
        "lahf-lm", "cmp-legacy", "svm", "extapic", "cr8legacy", "abm", "sse4a", "misalignsse",
        "3dnowprefetch", "osvw", "ibs", "xop", "skinit", "wdt", NULL, "lwp",
        "fma4", "tce", NULL, "nodeid-msr", NULL, "tbm", "topoext", "perfctr-core",
        "perfctr-nb", NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    } },
    [X86_FEATURES_EXT_EDX] = { 0x80000001, 0, X86_CPUID_EDX, {
        NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        NULL, NULL, NULL, "syscall", NULL, NULL, NULL, NULL,
        NULL, NULL, NULL, "mp", "nx", NULL, "mmxext", NULL,
        NULL, "fxsr-opt", "pdpe1gb", "rdtscp", NULL, "lm", "3dnowext", "3dnow",
    } },
};
/* clang-format on */

static const struct {
    const char *alias, *name;
} aliases[] = {
    { "sse3", "pni" }, { "pclmuldq", "pclmulqdq" }, { "sse4-1", "sse4.1" }, { "sse4-2", "sse4.2" },
    { "xd", "nx" },    { "ffxsr", "fxsr-opt" },     { "i64", "lm" },
};

/* Some have been written with an underscore. */
static char *canonical(const char *given)
{
    char *name = g_strdelimit(g_strdup(given), "_", '-');

    for (unsigned i = 0; i < G_N_ELEMENTS(aliases); i++) {
        if (strcmp(name, aliases[i].alias) == 0) {
            g_free(name);
            return g_strdup(aliases[i].name);
        }
    }
    return name;
}

bool x86_features_set(X86Features *f, const char *given, bool on)
{
    g_autofree char *name = canonical(given);

    for (unsigned i = 0; i < X86_NUM_FEATURE_WORDS; i++) {
        for (unsigned bit = 0; bit < 32; bit++) {
            if (g_strcmp0(x86_feature_words[i].names[bit], name) == 0) {
                *(on ? &f->on[i] : &f->off[i]) |= UINT32_C(1) << bit;
                *(on ? &f->off[i] : &f->on[i]) &= ~(UINT32_C(1) << bit);
                return true;
            }
        }
    }
    return false;
}

char *x86_features_did_you_mean(const char *name)
{
    const char *names[X86_NUM_FEATURE_WORDS * 32 + 1];
    unsigned n = 0;

    for (unsigned i = 0; i < X86_NUM_FEATURE_WORDS * 32; i++) {
        const char *known = x86_feature_words[i / 32].names[i % 32];

        if (known) {
            names[n++] = known;
        }
    }
    names[n] = NULL;
    return qom_did_you_mean(name, names);
}
