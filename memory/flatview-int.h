/* SPDX-License-Identifier: MIT */
/*
 * A flat view: what a root region shows, as ranges in order of address that do not overlap, with
 * what an access needs to find one and call its method. Never changed once made; read in a section.
 */
#ifndef MEMORY_FLATVIEW_INT_H
#define MEMORY_FLATVIEW_INT_H

#include "memory/memory-int.h"

/* Bits of FlatRange.state, below the region's serial number. */
#define RANGE_READONLY (1u << 0) /* ram that drops writes */
#define RANGE_RAM (1u << 1)      /* reads come from memory */
#define RANGE_DIRTY_LOG (1u << 2)
#define RANGE_ALLOW_DMA (1u << 3)
#define RANGE_SERIAL_BITS 8

/* A piece of one region. Equal bytes mean an equal range. */
typedef struct FlatRange {
    hwaddr start, last; /* in the address space */
    hwaddr offset;      /* of start in the region */
    MemoryRegion *mr;
    uint64_t state;
} FlatRange;

/*
 * Bits of FlatRow.flags. The first say by size which accesses, if aligned, are one call of a plain
 * method.
 */
#define ROW_READ(size) (UINT64_C(1) << (size))
#define ROW_WRITE(size) (UINT64_C(1) << (16 + (size)))
#define ROW_RAM_READ (UINT64_C(1) << 32)
#define ROW_RAM_WRITE (UINT64_C(1) << 33)
#define ROW_DIRTY_LOG (UINT64_C(1) << 34)
#define ROW_EVENTFD (UINT64_C(1) << 35) /* writes may be an eventfd's */

/*
 * What dispatch needs of a range: one cache line, so that finding and calling touch nothing else of
 * memory/.
 */
typedef struct FlatRow {
    hwaddr start;
    hwaddr span;   /* last address - start */
    hwaddr offset; /* of start in the region */
    EntryGuard *guard;
    void *opaque;
    union {
        uint64_t (*read)(void *opaque, hwaddr addr, unsigned size);
        uint8_t *ram; /* ROW_RAM_READ: offset 0 of the region */
    };
    void (*write)(void *opaque, hwaddr addr, uint64_t data, unsigned size);
    uint64_t flags;
} __attribute__((aligned(64))) FlatRow;

/* An eventfd with its place in the address space. */
typedef struct FlatEventfd {
    MemoryRegionIoeventfd e;
    uint32_t range; /* index of the range that shows it */
} FlatEventfd;

/*
 * Set in an entry of the index when more than one range has a part in the bucket; the rest is the
 * first of them.
 */
#define INDEX_MANY (UINT32_C(1) << 31)

struct FlatView {
    hwaddr base;    /* where the index begins: the first range's start */
    uint32_t shift; /* a bucket of the index is 2^shift addresses */
    uint32_t buckets;
    const uint32_t *index;   /* the range in each bucket, or 0 */
    const FlatRow *rows;     /* from 1 to n; row 0 stands for nothing and has no flags */
    const FlatRange *ranges; /* the same */
    uint32_t n;
    uint32_t n_eventfds;
    FlatEventfd *eventfds; /* by address */
    GPtrArray *tops;       /* topmost regions that rendering met: a change below no other matters */
};

/* What @root shows. Never NULL. */
FlatView *flatview_render(MemoryRegion *root);
void flatview_free(void *view);
bool flatview_equal(const FlatView *a, const FlatView *b);
bool flat_eventfd_equal(const FlatEventfd *a, const FlatEventfd *b);
MemoryRegionSection flat_section(AddressSpace *as, const FlatRange *range);

/* The ranges of a tree of regions, as render.c makes them: a vector of @n, from 1. */
typedef struct FlatRanges {
    FlatRange *v;
    size_t n, room;
    GPtrArray *tops;
} FlatRanges;
/*
 * The ranges that @mr shows when its start is at @base. @out is overwritten; end it with
 * flat_ranges_clear(), or take over its v and tops.
 */
void render_ranges(MemoryRegion *mr, hwaddr base, FlatRanges *out);
void flat_ranges_clear(FlatRanges *ranges);

/* The last row that starts at or before @addr; row @first starts before all others that could. */
const FlatRow *flatview_search(const FlatView *view, uint32_t first, hwaddr addr);

/* The only row that may contain @addr: it does if @addr - row->start is at most row->span. */
static inline const FlatRow *flatview_candidate(const FlatView *view, hwaddr addr)
{
    const uint64_t bucket = (addr - view->base) >> view->shift;
    uint32_t entry;

    if (G_UNLIKELY(bucket >= view->buckets)) {
        return &view->rows[0];
    }
    entry = view->index[bucket];
    if (G_UNLIKELY(entry & INDEX_MANY)) {
        return flatview_search(view, entry & ~INDEX_MANY, addr);
    }
    return &view->rows[entry];
}

/* The row that contains @addr, or row 0. */
static inline const FlatRow *flatview_find(const FlatView *view, hwaddr addr)
{
    const FlatRow *row = flatview_candidate(view, addr);

    return addr - row->start <= row->span ? row : &view->rows[0];
}

static inline const FlatRange *flatview_range(const FlatView *view, const FlatRow *row)
{
    return &view->ranges[row - view->rows];
}

/* ---- long-way.c: load and store, inside a section, where that is not one call of a method ---- */

MemTxResult long_load(AddressSpace *as, hwaddr addr, unsigned size, uint64_t *value,
                      MemTxAttrs attrs);
MemTxResult long_store(AddressSpace *as, hwaddr addr, unsigned size, uint64_t value,
                       MemTxAttrs attrs);

#endif
