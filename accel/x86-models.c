/* SPDX-License-Identifier: MIT */
/*
 * CPU models: "host" and "max" are what the accelerator offers; "qemu64" is the least that every
 * processor with 64 bits has, the same on every host.
 */
#include <string.h>
#include <qomet/accel/accel.h>

/* Features of leaf 1 (SDM vol. 2, CPUID). */
#define ECX_SSE3 (1u << 0)
#define ECX_CX16 (1u << 13)
#define ECX_HYPERVISOR (1u << 31)
#define EDX_FPU (1u << 0)
#define EDX_DE (1u << 2)
#define EDX_PSE (1u << 3)
#define EDX_TSC (1u << 4)
#define EDX_MSR (1u << 5)
#define EDX_PAE (1u << 6)
#define EDX_MCE (1u << 7)
#define EDX_CX8 (1u << 8)
#define EDX_APIC (1u << 9)
#define EDX_SEP (1u << 11)
#define EDX_MTRR (1u << 12)
#define EDX_PGE (1u << 13)
#define EDX_MCA (1u << 14)
#define EDX_CMOV (1u << 15)
#define EDX_PAT (1u << 16)
#define EDX_PSE36 (1u << 17)
#define EDX_CLFSH (1u << 19)
#define EDX_MMX (1u << 23)
#define EDX_FXSR (1u << 24)
#define EDX_SSE (1u << 25)
#define EDX_SSE2 (1u << 26)

/* Of leaf 0x80000001. */
#define EXT_ECX_LAHF_LM (1u << 0)
#define EXT_EDX_SYSCALL (1u << 11)
#define EXT_EDX_NX (1u << 20)
#define EXT_EDX_LM (1u << 29)

/* Those of leaf 1 that AMD repeats there. */
#define EXT_EDX_REPEATED                                                                           \
    (EDX_FPU | EDX_DE | EDX_PSE | EDX_TSC | EDX_MSR | EDX_PAE | EDX_MCE | EDX_CX8 | EDX_APIC |     \
     EDX_MTRR | EDX_PGE | EDX_MCA | EDX_CMOV | EDX_PAT | EDX_PSE36 | EDX_MMX | EDX_FXSR)

/* KVM's paravirtual clock and what goes with it, in every KVM that can run this program. */
#define KVM_CLOCKSOURCE (1u << 0)
#define KVM_NOP_IO_DELAY (1u << 1)
#define KVM_CLOCKSOURCE2 (1u << 3)
#define KVM_CLOCKSOURCE_STABLE (1u << 24)

#define CHARS(a, b, c, d)                                                                          \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

/* The vendor (leaf 0), APIC id and number of vCPUs (1, 0xb) are filled in for each vCPU. */
static const X86Cpuid qemu64[] = {
    { .leaf = 0, .eax = 0xd },
    {
        .leaf = 1,
        .eax = 0x00060fb1, /* family 15, model 107, stepping 1, as QEMU's */
        .ebx = 8 << 8,     /* CLFLUSH writes back 64 bytes */
        .ecx = ECX_SSE3 | ECX_CX16 | ECX_HYPERVISOR,
        .edx = EDX_FPU | EDX_DE | EDX_PSE | EDX_TSC | EDX_MSR | EDX_PAE | EDX_MCE | EDX_CX8 |
               EDX_APIC | EDX_SEP | EDX_MTRR | EDX_PGE | EDX_MCA | EDX_CMOV | EDX_PAT | EDX_PSE36 |
               EDX_CLFSH | EDX_MMX | EDX_FXSR | EDX_SSE | EDX_SSE2,
    },
    { .leaf = 0xb, .subleaf = 0 },
    { .leaf = 0xb, .subleaf = 1 },
    /*
     * No extended state. KVM takes a CPUID that says so in a third of the time of one that does
     * not.
     */
    { .leaf = 0xd },
    { .leaf = 0x40000000,
      .eax = 0x40000001,
      .ebx = CHARS('K', 'V', 'M', 'K'),
      .ecx = CHARS('V', 'M', 'K', 'V'),
      .edx = CHARS('M', 0, 0, 0) },
    { .leaf = 0x40000001,
      .eax = KVM_CLOCKSOURCE | KVM_NOP_IO_DELAY | KVM_CLOCKSOURCE2 | KVM_CLOCKSOURCE_STABLE },
    { .leaf = 0x80000000, .eax = 0x80000008 },
    { .leaf = 0x80000001,
      .ecx = EXT_ECX_LAHF_LM,
      .edx = EXT_EDX_REPEATED | EXT_EDX_SYSCALL | EXT_EDX_NX | EXT_EDX_LM },
    { .leaf = 0x80000002,
      .eax = CHARS('Q', 'o', 'm', 'e'),
      .ebx = CHARS('t', ' ', 'v', 'i'),
      .ecx = CHARS('r', 't', 'u', 'a'),
      .edx = CHARS('l', ' ', 'C', 'P') },
    { .leaf = 0x80000003, .eax = CHARS('U', 0, 0, 0) },
    { .leaf = 0x80000004 },
    { .leaf = 0x80000008, .eax = 48 << 8 | 39 }, /* bits of virtual and physical addresses */
};

/* ---- Finding ---- */

ObjectClass *x86_cpu_class_by_name(const char *model, GError **errp)
{
    g_autofree char *type = g_str_has_suffix(model, X86_CPU_TYPE_NAME(""))
                                ? g_strdup(model)
                                : g_strconcat(model, X86_CPU_TYPE_NAME(""), NULL);
    ObjectClass *klass = object_class_by_name(type);
    g_autofree char *near = NULL;

    if (klass && object_class_dynamic_cast(klass, TYPE_X86_CPU) &&
        !object_class_is_abstract(klass)) {
        return klass;
    }
    near = object_class_did_you_mean(model, TYPE_X86_CPU, X86_CPU_TYPE_NAME(""), NULL);
    qom_error_set(errp, QOM_ERROR_NOT_FOUND, "'%s' is not a CPU model%s", model,
                  *near ? near : " (-cpu help lists those that there are)");
    return NULL;
}

/* ---- The models ---- */

typedef struct Model {
    const char *help;
    const X86Cpuid *cpuid;
    unsigned cpuid_n;
} Model;

static const Model model_host = { .help = "what the host's processor and the accelerator offer" };
static const Model model_max = {
    .help = "all that the accelerator offers; under KVM the same as host"
};
static const Model model_qemu64 = { .help =
                                        "the least of a 64-bit processor, the same on every host",
                                    .cpuid = qemu64,
                                    .cpuid_n = G_N_ELEMENTS(qemu64) };

static void model_class_init(ObjectClass *klass, const void *data)
{
    X86CPUClass *xc = X86_CPU_CLASS(klass);
    const Model *model = data;

    DEVICE_CLASS(klass)->desc = model->help;
    xc->cpuid = model->cpuid;
    xc->cpuid_n = model->cpuid_n;
}

#define MODEL(model, which)                                                                        \
    {                                                                                              \
        .name = X86_CPU_TYPE_NAME(model), .parent = TYPE_X86_CPU, .class_init = model_class_init,  \
        .class_data = &(which)                                                                     \
    }

static const TypeInfo model_types[] = {
    MODEL("host", model_host),
    MODEL("max", model_max),
    MODEL("qemu64", model_qemu64),
};
DEFINE_TYPES(model_types)
