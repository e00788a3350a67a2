/* SPDX-License-Identifier: MIT */
/*
 * Flat modes: protected mode with segments of 4 GiB, or 64-bit mode with memory mapped to itself -
 * their tables in memory, and the registers that go with them.
 */
#ifndef MACHINE_BOOT_FLAT_MODE_H
#define MACHINE_BOOT_FLAT_MODE_H

#include <qomet/accel/cpu.h>

/*
 * What the tables are. They are pages from low to high: one with the GDT, and in 64-bit mode PML4,
 * page directory pointers, page directories, which map the first @gib GiB in pages of 2 MiB that can
 * be read, written and executed. There is no IDT.
 */
typedef struct FlatMode {
    uint64_t tables; /* address of the first page */
    uint32_t gib;    /* 0: protected mode */
    /* Selectors, 0x8 to 0x18; that of the code in the other mode may be 0: there is none. */
    uint16_t code32, code64, data;
} FlatMode;

#define FLAT_MODE_PAGE UINT64_C(4096)

/* Bytes of the tables that map @gib GiB. */
uint64_t flat_mode_bytes(uint32_t gib);
/* The tables themselves. The caller owns a reference. */
GBytes *flat_mode_tables(const FlatMode *mode);
/* Puts the registers of a reset into that mode: segments, tables, control registers. */
void flat_mode_registers(const FlatMode *mode, X86Registers *r);

#endif
