/* SPDX-License-Identifier: MIT */
/*
 * How the vCPUs of a machine stand together, and the APIC ids that tell it: each level has as many
 * bits of an id as its number needs (Intel SDM vol. 3, 9.9.1).
 */
#ifndef QOMET_ACCEL_X86_TOPOLOGY_H
#define QOMET_ACCEL_X86_TOPOLOGY_H

#include <qomet/qom/export.h>
#include <stdint.h>

/** Sockets of cores of threads; 0 stands for 1. */
typedef struct CPUTopology {
    uint32_t sockets;
    uint32_t cores;   /* of each socket */
    uint32_t threads; /* of each core */
} CPUTopology;

/** vCPUs of one socket. Any thread. */
QOM_EXPORT uint32_t cpu_topology_per_socket(const CPUTopology *t);
/** The bits of an APIC id that name the thread in its core. Any thread. */
QOM_EXPORT unsigned x86_apic_thread_bits(const CPUTopology *t);
/** The bits that name the thread in its socket: those that are above name the socket. Any thread. */
QOM_EXPORT unsigned x86_apic_socket_shift(const CPUTopology *t);
/** The APIC id of the vCPU @index: threads are counted first, then cores, then sockets. Any thread. */
QOM_EXPORT uint32_t x86_apic_id(const CPUTopology *t, uint32_t index);

#endif
