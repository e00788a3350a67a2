/* SPDX-License-Identifier: MIT */
/*
 * Names of linux/kvm.h that older kernel headers lack. Numbers of the kernel's interface: they
 * never change.
 */
#ifndef ACCEL_KVM_COMPAT_H
#define ACCEL_KVM_COMPAT_H

#include <linux/kvm.h>

#ifndef KVM_EXIT_NOTIFY
#define KVM_EXIT_NOTIFY 37
#endif
#ifndef KVM_EXIT_LOONGARCH_IOCSR
#define KVM_EXIT_LOONGARCH_IOCSR 38
#endif
#ifndef KVM_EXIT_MEMORY_FAULT
#define KVM_EXIT_MEMORY_FAULT 39
#endif
#ifndef KVM_EXIT_TDX
#define KVM_EXIT_TDX 40
#endif
#ifndef KVM_EXIT_ARM_SEA
#define KVM_EXIT_ARM_SEA 41
#endif

/* One more than the last reason. */
#define KVM_EXIT_COUNT 42

/* What follows exit_reason for KVM_EXIT_MEMORY_FAULT. */
typedef struct KVMMemoryFault {
    uint64_t flags, gpa, size;
} KVMMemoryFault;

#endif
