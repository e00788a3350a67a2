/* SPDX-License-Identifier: MIT */
/* APIC ids by topology. */
#include <glib.h>
#include <qomet/accel/x86-topology.h>

/* How many bits it takes to name each of @n. */
static unsigned bits_for(uint32_t n)
{
    unsigned bits = 0;

    while (bits < 31 && (UINT32_C(1) << bits) < n) {
        bits++;
    }
    return bits;
}

uint32_t cpu_topology_per_socket(const CPUTopology *t)
{
    return MAX(t->cores, 1) * MAX(t->threads, 1);
}

unsigned x86_apic_thread_bits(const CPUTopology *t)
{
    return bits_for(t->threads);
}

unsigned x86_apic_socket_shift(const CPUTopology *t)
{
    return bits_for(t->cores) + bits_for(t->threads);
}

uint32_t x86_apic_id(const CPUTopology *t, uint32_t index)
{
    const uint32_t threads = MAX(t->threads, 1), per_socket = cpu_topology_per_socket(t);
    const uint32_t socket = index / per_socket, core = index % per_socket / threads;

    return socket << x86_apic_socket_shift(t) | core << x86_apic_thread_bits(t) | index % threads;
}
