/* SPDX-License-Identifier: MIT */
/* The map of memory as a PC's firmware tells it (ACPI 6.5, chapter 15), read from the machine. */
#ifndef MACHINE_BOOT_E820_H
#define MACHINE_BOOT_E820_H

#include <glib.h>
#include <stdint.h>

enum { E820_RAM = 1, E820_RESERVED = 2 };

typedef struct E820Entry {
    uint64_t addr, size;
    uint32_t type;
} E820Entry;

/* What a PC keeps for firmware and graphics below 1 MiB is no RAM to a guest, whatever is there. */
#define LOW_MEMORY_END UINT64_C(0x9fc00)
#define FIRMWARE_START UINT64_C(0xf0000)
#define RESET_VECTOR UINT64_C(0xffff0)
#define HIGH_MEMORY_START UINT64_C(0x100000)

/*
 * The map, in order of address, of the machine as it stands; @low_ram_end: behind the RAM that
 * begins at 0 (and goes on at 1 MiB), at most 4 GiB. The caller owns the array. Main thread.
 */
GArray *e820_map(uint64_t *low_ram_end);

#endif
