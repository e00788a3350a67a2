/* SPDX-License-Identifier: MIT */
/* Bits of x86 registers, descriptors and page tables, by the names of the Intel SDM. */
#ifndef ACCEL_X86_BITS_H
#define ACCEL_X86_BITS_H

#include <stdint.h>

#define X86_RFLAGS_ONE (UINT64_C(1) << 1) /* always set */
#define X86_RFLAGS_IF (UINT64_C(1) << 9)
#define X86_RFLAGS_VM (UINT64_C(1) << 17)

#define X86_CR0_PE (UINT64_C(1) << 0)
#define X86_CR0_MP (UINT64_C(1) << 1)
#define X86_CR0_ET (UINT64_C(1) << 4)
#define X86_CR0_NE (UINT64_C(1) << 5)
#define X86_CR0_WP (UINT64_C(1) << 16)
#define X86_CR0_NW (UINT64_C(1) << 29)
#define X86_CR0_CD (UINT64_C(1) << 30)
#define X86_CR0_PG (UINT64_C(1) << 31)

#define X86_CR4_PSE (UINT64_C(1) << 4)
#define X86_CR4_PAE (UINT64_C(1) << 5)
#define X86_CR4_OSFXSR (UINT64_C(1) << 9)
#define X86_CR4_OSXMMEXCPT (UINT64_C(1) << 10)
#define X86_CR4_LA57 (UINT64_C(1) << 12)
#define X86_CR4_SMEP (UINT64_C(1) << 20)

#define X86_EFER_LME (UINT64_C(1) << 8)
#define X86_EFER_LMA (UINT64_C(1) << 10)
#define X86_EFER_NXE (UINT64_C(1) << 11)

#define X86_APIC_BASE_BSP (UINT64_C(1) << 8)
#define X86_APIC_BASE_ENABLE (UINT64_C(1) << 11)

#define X86_PTE_P (UINT64_C(1) << 0)
#define X86_PTE_W (UINT64_C(1) << 1)
#define X86_PTE_U (UINT64_C(1) << 2)
#define X86_PTE_PS (UINT64_C(1) << 7)
#define X86_PTE_ADDR UINT64_C(0x000ffffffffff000)
#define X86_PTE_NX (UINT64_C(1) << 63)

/* Types of segments (SDM vol. 3, tables 3-1 and 3-2). */
#define X86_SEG_LDT 2
#define X86_SEG_DATA_RW_ACCESSED 3
#define X86_SEG_CODE_RX_ACCESSED 11
#define X86_SEG_TSS_BUSY 11

#endif
