/* SPDX-License-Identifier: MIT */
/* The map of memory that guests are told, read from the address space: what is RAM there is RAM. */
#include <qomet/memory/memory.h>
#include "machine/boot/e820.h"

typedef struct E820Build {
    GArray *map;
    uint64_t low_end;
} E820Build;

static void add(GArray *map, uint64_t from, uint64_t to, uint32_t type)
{
    E820Entry *last = map->len ? &g_array_index(map, E820Entry, map->len - 1) : NULL;
    E820Entry entry = { from, to - from, type };

    if (from >= to) {
        return;
    }
    if (last && last->type == type && last->addr + last->size == from) {
        last->size += entry.size;
    } else {
        g_array_append_val(map, entry);
    }
}

static bool look_at_range(const MemoryRegionSection *section, void *opaque)
{
    uint64_t from = section->offset_within_address_space, to = from + section->size;
    E820Build *b = opaque;

    if (!section->ram || section->readonly) {
        return true;
    }
    /* What firmware and graphics have in between is no end. */
    if (from <= (b->low_end >= LOW_MEMORY_END ? MAX(b->low_end, HIGH_MEMORY_START) : b->low_end)) {
        b->low_end = MAX(b->low_end, to);
    }
    add(b->map, from, MIN(to, LOW_MEMORY_END), E820_RAM);
    if (from < LOW_MEMORY_END && to > LOW_MEMORY_END) {
        add(b->map, LOW_MEMORY_END, 0xa0000, E820_RESERVED);
        add(b->map, FIRMWARE_START, HIGH_MEMORY_START, E820_RESERVED);
    }
    add(b->map, MAX(from, HIGH_MEMORY_START), to, E820_RAM);
    return true;
}

GArray *e820_map(uint64_t *low_ram_end)
{
    E820Build b = { .map = g_array_new(FALSE, FALSE, sizeof(E820Entry)) };

    address_space_foreach(&address_space_memory, look_at_range, &b);
    *low_ram_end = MIN(b.low_end, UINT64_C(1) << 32);
    return b.map;
}
