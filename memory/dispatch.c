/* SPDX-License-Identifier: MIT */
/*
 * The way of an exit: section, lookup, guard, method, and back. An aligned access of a size that a
 * plain method takes, to a device that nobody is in, goes straight on; everything else takes the
 * longer way.
 *
 * Every instruction here is paid at each exit: `bench-memory --once port-write N` under callgrind
 * counts them.
 */
#include <string.h>
#include "memory/flatview-int.h"
#include "qom/probe.h"

static const uint64_t size_masks[] = {
    0,
    0xff,
    0xffff,
    0xffffff,
    0xffffffff,
    UINT64_C(0xffffffffff),
    UINT64_C(0xffffffffffff),
    UINT64_C(0xffffffffffffff),
    UINT64_MAX,
};

/* Whether DMA or a monitor asks: the bits are looked at together. */
static inline bool attrs_special(MemTxAttrs attrs)
{
    const MemTxAttrs special = { .dma = 1, .debug = 1 };
    uint64_t bits, mask;

    G_STATIC_ASSERT(sizeof(attrs) == sizeof(bits));
    memcpy(&bits, &attrs, sizeof(bits));
    memcpy(&mask, &special, sizeof(mask));
    return (bits & mask) != 0;
}

/*
 * Whether an access is one call of the method of @row, the candidate for its address; @direction is
 * ROW_READ(0) or ROW_WRITE(0). One of these sizes that is aligned does not cross the end of the
 * range: see direct_sizes().
 */
static inline bool goes_straight(const FlatRow *row, hwaddr addr, unsigned size, uint64_t direction,
                                 MemTxAttrs attrs)
{
    const hwaddr distance = addr - row->start;

    return distance <= row->span && (row->flags & (direction << (size & 15))) &&
           ((distance + row->offset) & (size - 1)) == 0 && !attrs_special(attrs);
}

/* The same, and whether nobody is in the device: then @t is. Inside a section. */
static inline bool enter_row(EntryThread *t, const FlatRow *row, EntryGuard *guard, hwaddr addr,
                             unsigned size, uint64_t direction, MemTxAttrs attrs)
{
    return goes_straight(row, addr, size, direction, attrs) && (!guard || guard_try_lock(t, guard));
}

MemTxResult address_space_load(AddressSpace *as, hwaddr addr, unsigned size, uint64_t *value,
                               MemTxAttrs attrs)
{
    EntryThread *t = entry_self();
    MemTxResult result = MEMTX_OK;
    const FlatRow *row;
    EntryGuard *guard;

    QOMET_PROBE4(dispatch, as, addr, size, false);
    section_enter(t);
    row = flatview_candidate(rcu_read(&as->current_map), addr);
    guard = row->guard;
    if (G_UNLIKELY(!enter_row(t, row, guard, addr, size, ROW_READ(0), attrs))) {
        result = long_load(as, addr, size, value, attrs);
    } else {
        const uint64_t data = row->read(row->opaque, addr - row->start + row->offset, size);

        *value = data & size_masks[size];
        if (guard) {
            entry_count_access(t, guard, size, false);
            guard_unlock(t, guard);
        }
    }
    section_leave(t);
    return result;
}

MemTxResult address_space_store(AddressSpace *as, hwaddr addr, unsigned size, uint64_t value,
                                MemTxAttrs attrs)
{
    EntryThread *t = entry_self();
    MemTxResult result = MEMTX_OK;
    const FlatRow *row;
    EntryGuard *guard;

    QOMET_PROBE4(dispatch, as, addr, size, true);
    section_enter(t);
    row = flatview_candidate(rcu_read(&as->current_map), addr);
    guard = row->guard;
    if (G_UNLIKELY(!enter_row(t, row, guard, addr, size, ROW_WRITE(0), attrs))) {
        result = long_store(as, addr, size, value, attrs);
    } else {
        if (guard) {
            entry_count_access(t, guard, size, true);
        }
        row->write(row->opaque, addr - row->start + row->offset, value & size_masks[size], size);
        if (guard) {
            guard_unlock(t, guard);
        }
    }
    section_leave(t);
    return result;
}

MemTxResult address_space_access_observed(AddressSpace *as, MemoryAccess *what, MemTxAttrs attrs)
{
    EntryThread *t = entry_self();
    const FlatView *view;
    const FlatRow *row;

    section_enter(t);
    view = rcu_read(&as->current_map);
    row = flatview_find(view, what->addr);
    what->as = as;
    what->mr = flatview_range(view, row)->mr;
    what->offset = what->addr - row->start + row->offset;
    what->result = what->is_write
                       ? address_space_store(as, what->addr, what->size, what->value, attrs)
                       : address_space_load(as, what->addr, what->size, &what->value, attrs);
    section_leave(t);
    return what->result;
}
