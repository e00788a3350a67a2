/* SPDX-License-Identifier: MIT */
/*
 * What CPUID tells of sockets, cores and threads, and of who shares a cache (Intel SDM vol. 2,
 * "CPUID"; AMD APM vol. 3, appendix E).
 */
#include <string.h>
#include "accel/kvm/kvm-int.h"

#define EDX_HTT (1u << 28)       /* leaf 1 */
#define ECX_CMP_LEGACY (1u << 1) /* leaf 0x80000001, AMD */

#define LEVEL_THREAD (1u << 8)
#define LEVEL_CORE (2u << 8)

#define CACHE_KIND(eax) ((eax)&0x1f) /* 0: there is none */
#define CACHE_LEVEL(eax) ((eax) >> 5 & 7)
#define SHARING_SHIFT 14
#define SHARING_MASK (0xfffu << SHARING_SHIFT)
#define CORES_SHIFT 26
#define CORES_MASK 0x3fu

typedef struct Place {
    const CPUTopology *topology;
    uint32_t apic_id, per_socket;
    bool intel;
} Place;

/* The last of the ids that @bits tell apart, as far as @most. */
static uint32_t last_id(unsigned bits, uint32_t most)
{
    return bits < 31 ? MIN((UINT32_C(1) << bits) - 1, most) : most;
}

static void fill_version(struct kvm_cpuid_entry2 *e, const Place *p)
{
    e->ebx = (e->ebx & 0xffff) | MIN(p->per_socket, 0xff) << 16 | (p->apic_id & 0xff) << 24;
    e->edx = p->per_socket > 1 ? e->edx | EDX_HTT : e->edx & ~EDX_HTT;
}

/* Leaves 4 and 0x8000001d: the last level belongs to the socket, those before to a core. */
static void fill_sharing(struct kvm_cpuid_entry2 *e, const Place *p)
{
    const unsigned bits = CACHE_LEVEL(e->eax) > 2 ? x86_apic_socket_shift(p->topology)
                                                  : x86_apic_thread_bits(p->topology);

    if (CACHE_KIND(e->eax)) {
        e->eax &= ~SHARING_MASK;
        e->eax |= last_id(bits, SHARING_MASK >> SHARING_SHIFT) << SHARING_SHIFT;
    }
}

static void fill_cores(struct kvm_cpuid_entry2 *e, const Place *p)
{
    const unsigned bits = x86_apic_socket_shift(p->topology) - x86_apic_thread_bits(p->topology);

    if (CACHE_KIND(e->eax)) {
        e->eax &= ~(CORES_MASK << CORES_SHIFT);
        e->eax |= last_id(bits, CORES_MASK) << CORES_SHIFT;
    }
}

/* Leaves 0xb and 0x1f. */
static void fill_levels(struct kvm_cpuid_entry2 *e, const Place *p)
{
    e->eax = e->ebx = 0;
    e->ecx = e->index & 0xff;
    e->edx = p->apic_id;
    if (e->index == 0) {
        e->eax = x86_apic_thread_bits(p->topology);
        e->ebx = MAX(p->topology->threads, 1);
        e->ecx |= LEVEL_THREAD;
    } else if (e->index == 1) {
        e->eax = x86_apic_socket_shift(p->topology);
        e->ebx = p->per_socket;
        e->ecx |= LEVEL_CORE;
    }
}

/* With that bit, Linux looks for no threads where Intel's leaves are. */
static void fill_legacy(struct kvm_cpuid_entry2 *e, const Place *p)
{
    e->ecx &= ~ECX_CMP_LEGACY;
    if (p->per_socket > 1 && !p->intel) {
        e->ecx |= ECX_CMP_LEGACY;
    }
}

static void fill_sizes(struct kvm_cpuid_entry2 *e, const Place *p)
{
    e->ecx = 0;
    if (p->per_socket > 1 && !p->intel) {
        e->ecx = x86_apic_socket_shift(p->topology) << 12 | MIN(p->per_socket - 1, 0xff);
    }
}

static void fill_core(struct kvm_cpuid_entry2 *e, const Place *p)
{
    const uint32_t in_socket = p->apic_id & last_id(x86_apic_socket_shift(p->topology), UINT32_MAX);

    e->eax = p->apic_id;
    e->ebx =
        (MAX(p->topology->threads, 1) - 1) << 8 | in_socket >> x86_apic_thread_bits(p->topology);
    e->ecx = p->apic_id >> x86_apic_socket_shift(p->topology); /* its node */
    e->edx = 0;
}

static bool is_intel(struct kvm_cpuid2 *cpuid)
{
    const struct kvm_cpuid_entry2 *vendor = kvm_cpuid_find(cpuid, 0, 0);

    return vendor && memcmp(&vendor->ebx, "Genu", 4) == 0;
}

void kvm_fill_topology(struct kvm_cpuid2 *cpuid, const CPUState *cpu)
{
    const Place place = { .topology = &cpu->topology,
                          .apic_id = x86_apic_id(&cpu->topology, cpu->index),
                          .per_socket = cpu_topology_per_socket(&cpu->topology),
                          .intel = is_intel(cpuid) };

    for (uint32_t i = 0; i < cpuid->nent; i++) {
        struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

        switch (e->function) {
        case 1:
            fill_version(e, &place);
            break;
        case 4:
            fill_sharing(e, &place);
            fill_cores(e, &place);
            break;
        case 0xb:
        case 0x1f:
            fill_levels(e, &place);
            break;
        case 0x80000001:
            fill_legacy(e, &place);
            break;
        case 0x80000008:
            fill_sizes(e, &place);
            break;
        case 0x8000001d:
            fill_sharing(e, &place);
            break;
        case 0x8000001e:
            fill_core(e, &place);
            break;
        default:
            break;
        }
    }
}
