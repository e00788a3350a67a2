/* SPDX-License-Identifier: MIT */
/* What the files of memory/ share about regions and address spaces. */
#ifndef MEMORY_MEMORY_INT_H
#define MEMORY_MEMORY_INT_H

#include <qomet/memory/memory.h>
#include "memory/rcu-int.h"

#define DIRTY_PAGE_BITS 12

typedef enum MemoryRegionKind {
    REGION_CONTAINER, /* shows only its subregions */
    REGION_IO,
    REGION_RAM, /* and rom, which is read-only ram */
    REGION_ROM_DEVICE,
    REGION_ALIAS,
} MemoryRegionKind;

/* The last address of @size bytes at 0, where UINT64_MAX says 2^64; 0 for no bytes. */
static inline hwaddr size_to_last(uint64_t size)
{
    return size == UINT64_MAX ? UINT64_MAX : size ? size - 1 : 0;
}

/* @addr + @n, or UINT64_MAX where that wraps. */
static inline hwaddr add_saturated(hwaddr addr, uint64_t n)
{
    return addr > UINT64_MAX - n ? UINT64_MAX : addr + n;
}

/* Whether it shows anything at all. */
static inline bool region_shows(const MemoryRegion *mr)
{
    return mr->enabled && !mr->empty;
}

/* Whether reads come from memory now. */
static inline bool region_reads_ram(const MemoryRegion *mr)
{
    return mr->kind == REGION_RAM || (mr->kind == REGION_ROM_DEVICE && mr->romd_mode);
}

/* ---- transaction.c ---- */

/* Inside a transaction: what shows @mr must be rendered again. */
void memory_changed(MemoryRegion *mr);
/* The number of the transaction that is open. */
uint64_t memory_transaction(void);
/* Drops the reference of a mapping that was @mr's when the views that show it are gone. */
void memory_release_later(MemoryRegion *mr);
void address_space_list_add(AddressSpace *as);
void address_space_list_remove(AddressSpace *as);
AddressSpace *address_space_first(void);
/* The topmost container of @mr. */
MemoryRegion *memory_region_top(MemoryRegion *mr);

/* ---- listener.c ---- */

/* Asks the listeners whether they can follow what @as shows with all changes so far. */
bool listeners_check(AddressSpace *as, GError **errp);
void listeners_begin(AddressSpace *as);
/* Tells what the step from @old to @new takes away and brings. Either may be NULL. */
void listeners_diff(AddressSpace *as, const FlatView *old, const FlatView *new);
void listeners_commit(AddressSpace *as);

/* ---- access.c ---- */

/*
 * Accesses of 1 to 8 bytes at @addr of @mr, by its contract; inside its guard. Values are those of
 * a little-endian guest. A read gives all ones for what fails.
 */
bool access_is_valid(const MemoryRegion *mr, hwaddr addr, unsigned size, bool is_write,
                     MemTxAttrs attrs);
MemTxResult access_read(const MemoryRegion *mr, hwaddr addr, unsigned size, uint64_t *value,
                        MemTxAttrs attrs);
MemTxResult access_write(const MemoryRegion *mr, hwaddr addr, unsigned size, uint64_t value,
                         MemTxAttrs attrs);
/*
 * The bytes that one access may take of the @n at @addr, where a longer run is cut into accesses.
 */
unsigned access_piece(const MemoryRegionOps *ops, hwaddr addr, uint64_t n);

/* The low @size (1 to 8) bytes. */
static inline uint64_t size_mask(unsigned size)
{
    return UINT64_MAX >> (64 - 8 * size);
}

/* ---- dirty.c ---- */

/* Marks @size bytes at @addr, which are in @mr, if it is tracked. Any thread, in a section. */
void dirty_mark(MemoryRegion *mr, hwaddr addr, uint64_t size);

#endif
