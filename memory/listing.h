/* SPDX-License-Identifier: MIT */
/*
 * Memory as a person reads it: what each region is, what is mapped in it, and all address spaces. For
 * listings and pictures; main thread.
 */
#ifndef QOMET_MEMORY_LISTING_H
#define QOMET_MEMORY_LISTING_H

#include <qomet/memory/memory.h>

/** One region at this moment. */
typedef struct MemoryRegionListing {
    /*
     * "ram", "rom", "romd" (reads come from memory, writes go to the device), "i/o", "alias", or
     * "container", which shows only what is mapped in it.
     */
    const char *kind;
    hwaddr addr;         /* in its container */
    uint64_t size;       /* bytes; UINT64_MAX stands for 2^64 */
    int priority;        /* where it overlaps another in the container, the higher one is seen */
    bool enabled;        /* it is seen at all */
    MemoryRegion *alias; /* of an alias: what it shows a part of, without a reference; else NULL */
    hwaddr alias_offset; /* where that part begins */
} MemoryRegionListing;

/** The last address of @size bytes (UINT64_MAX: 2^64) at @addr; of none, @addr. */
static inline hwaddr memory_last_address(hwaddr addr, uint64_t size)
{
    return size == UINT64_MAX ? UINT64_MAX : size ? addr + size - 1 : addr;
}

QOM_EXPORT MemoryRegionListing memory_region_list(const MemoryRegion *mr);
/** The same words for a piece of a flat view: "ram", "rom", "romd" or "i/o". */
QOM_EXPORT const char *memory_section_kind(const MemoryRegionSection *section);

/** Calls @fn for each region that is mapped in @mr, in order of address. */
QOM_EXPORT void memory_region_foreach_subregion(MemoryRegion *mr,
                                                void (*fn)(MemoryRegion *sub, void *opaque),
                                                void *opaque);

/** Calls @fn for each address space, in the order in which they were made. */
QOM_EXPORT void address_spaces_foreach(void (*fn)(AddressSpace *as, void *opaque), void *opaque);

#endif
