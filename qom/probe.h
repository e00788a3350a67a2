/* SPDX-License-Identifier: MIT */
/*
 * Static probes: places that bpftrace, perf, SystemTap and gdb find by name (provider "qomet") in
 * the program and its core dumps. An unused probe is one instruction that does nothing. What there
 * is, with its arguments:
 *
 *   exit(vcpu, reason)                  KVM has left the guest; reason: KVM_EXIT_ of linux/kvm.h
 *   dispatch(as, addr, size, is_write)  an access begins its way; as: AddressSpace *
 *   realize(dev, type, id)              a device is realized; type and id: char *, id may be NULL
 *   irq(line, n, level)                 a line is set; line: qemu_irq, n: its number at its owner
 *
 * Arguments are what is at hand there: nothing is computed for them.
 */
#ifndef QOM_PROBE_H
#define QOM_PROBE_H

#include "config.h"

#ifdef QOMET_PROBES
#include <sys/sdt.h>
#define QOMET_PROBE2(name, a, b) STAP_PROBE2(qomet, name, a, b)
#define QOMET_PROBE3(name, a, b, c) STAP_PROBE3(qomet, name, a, b, c)
#define QOMET_PROBE4(name, a, b, c, d) STAP_PROBE4(qomet, name, a, b, c, d)
#else
#define QOMET_PROBE2(name, a, b) ((void)(a), (void)(b))
#define QOMET_PROBE3(name, a, b, c) ((void)(a), (void)(b), (void)(c))
#define QOMET_PROBE4(name, a, b, c, d) ((void)(a), (void)(b), (void)(c), (void)(d))
#endif

#endif
