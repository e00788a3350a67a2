/* SPDX-License-Identifier: MIT */
/*
 * Making a flat view of the ranges that a root region shows: the rows of dispatch, their index, the
 * eventfds.
 */
#include <stdlib.h>
#include <string.h>
#include "memory/flatview-int.h"

/* Buckets of the index: at least this many, and two for each range. */
#define INDEX_BUCKETS_MIN 1024

/* ---- Rows ---- */

/* A bit for each size up to the index, as ROW_READ() has them. */
static const uint16_t sizes_up_to[] = {
    [0] = 0,
    [1] = ROW_READ(1),
    [2] = ROW_READ(1) | ROW_READ(2),
    [4] = ROW_READ(1) | ROW_READ(2) | ROW_READ(4),
    [8] = ROW_READ(1) | ROW_READ(2) | ROW_READ(4) | ROW_READ(8),
};

/*
 * The sizes in which an aligned access, up to offset @last, is one call of a plain method, its
 * value unchanged.
 */
static uint64_t direct_sizes(const MemoryRegionOps *ops, hwaddr last)
{
    unsigned max = MIN(ops->valid.max_access_size ? ops->valid.max_access_size : 8,
                       ops->impl.max_access_size ? ops->impl.max_access_size : 4);

    if (ops->valid.accepts || ops->endianness != DEVICE_LITTLE_ENDIAN) {
        return 0;
    }
    /* Where the range ends amid an aligned access, its end would have to be looked at each time. */
    while ((last + 1) & (max - 1)) {
        max /= 2;
    }
    return sizes_up_to[max] &
           ~sizes_up_to[MAX(ops->valid.min_access_size, ops->impl.min_access_size) / 2];
}

static void fill_row(FlatRow *row, const FlatRange *range)
{
    const MemoryRegion *mr = range->mr;

    row->start = range->start;
    row->span = range->last - range->start;
    row->offset = range->offset;
    row->guard = mr->guard;
    row->opaque = mr->opaque;
    row->read = NULL;
    row->write = NULL;
    row->flags = 0;
    if (mr->ops) {
        const uint64_t sizes = direct_sizes(mr->ops, row->offset + row->span);

        row->write = mr->ops->write;
        if (mr->ops->write) {
            row->flags |= sizes << 16;
        }
        if (mr->ops->read && !(range->state & RANGE_RAM)) {
            row->read = mr->ops->read;
            row->flags |= sizes;
        }
    }
    if (range->state & RANGE_RAM) {
        row->ram = mr->ram;
        row->flags |= ROW_RAM_READ;
        if (mr->kind == REGION_RAM && !(range->state & RANGE_READONLY)) {
            row->flags |= ROW_RAM_WRITE;
        }
    }
    if (range->state & RANGE_DIRTY_LOG) {
        row->flags |= ROW_DIRTY_LOG;
    }
}

static void make_rows(FlatView *view)
{
    FlatRow *rows = aligned_alloc(64, (view->n + 1) * sizeof(*rows));

    if (!rows) {
        g_error("no room for a flat view of %u ranges", view->n);
    }
    memset(&rows[0], 0, sizeof(rows[0]));
    for (uint32_t i = 1; i <= view->n; i++) {
        fill_row(&rows[i], &view->ranges[i]);
    }
    for (uint32_t i = 0; i < view->n_eventfds; i++) {
        FlatRow *row = &rows[view->eventfds[i].range];

        row->flags = (row->flags | ROW_EVENTFD) & ~(UINT64_C(0xffff) << 16);
    }
    view->rows = rows;
}

static void make_index(FlatView *view)
{
    /* With one range, every bucket is its. */
    const uint64_t wanted = view->n == 1 ? 2 : MAX(INDEX_BUCKETS_MIN, 2 * (uint64_t)view->n);
    uint32_t *index;
    uint64_t span;

    if (view->n == 0) {
        return;
    }
    view->base = view->rows[1].start;
    span = view->ranges[view->n].last - view->base;
    while (span >> view->shift >= wanted) {
        view->shift++;
    }
    view->buckets = (uint32_t)(span >> view->shift) + 1;
    index = g_new0(uint32_t, view->buckets);
    for (uint32_t i = 1; i <= view->n; i++) {
        const uint64_t first = (view->ranges[i].start - view->base) >> view->shift;
        const uint64_t last = (view->ranges[i].last - view->base) >> view->shift;

        for (uint64_t b = first; b <= last; b++) {
            index[b] = index[b] ? index[b] | INDEX_MANY : i;
        }
    }
    view->index = index;
}

const FlatRow *flatview_search(const FlatView *view, uint32_t first, hwaddr addr)
{
    const FlatRow *rows = view->rows;
    uint32_t low = first, high = view->n;

    /* Few share a bucket, unless most of the ranges stand together in a corner of the space. */
    for (int i = 0; i < 4; i++) {
        if (low == high || rows[low + 1].start > addr) {
            return &rows[low];
        }
        low++;
    }
    while (low < high) {
        const uint32_t middle = high - (high - low) / 2;

        if (rows[middle].start <= addr) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return &rows[low];
}

/* ---- Eventfds ---- */

static void collect_eventfds(FlatView *view)
{
    g_autoptr(GArray) all = NULL;

    for (uint32_t i = 1; i <= view->n; i++) {
        const FlatRange *range = &view->ranges[i];
        const GArray *own = range->mr->ioeventfds;

        for (guint k = 0; own && k < own->len; k++) {
            FlatEventfd fe = { g_array_index(own, MemoryRegionIoeventfd, k), i };
            hwaddr addr = fe.e.addr, end = add_saturated(addr, fe.e.size ? fe.e.size - 1 : 0);

            if (addr < range->offset || end - range->offset > range->last - range->start) {
                continue;
            }
            fe.e.addr = range->start + (addr - range->offset);
            if (!all) {
                all = g_array_new(FALSE, FALSE, sizeof(FlatEventfd));
            }
            g_array_append_val(all, fe);
        }
    }
    if (all) {
        view->n_eventfds = all->len;
        view->eventfds = g_memdup2(all->data, all->len * sizeof(FlatEventfd));
    }
}

bool flat_eventfd_equal(const FlatEventfd *a, const FlatEventfd *b)
{
    return a->e.addr == b->e.addr && a->e.size == b->e.size && a->e.match_data == b->e.match_data &&
           (!a->e.match_data || a->e.data == b->e.data) && a->e.fd == b->e.fd;
}

/* ---- Views ---- */

FlatView *flatview_render(MemoryRegion *root)
{
    FlatView *view = g_new0(FlatView, 1);
    FlatRanges ranges;

    render_ranges(root, 0, &ranges);
    if (ranges.n >= INDEX_MANY) {
        g_error("a flat view of %zu ranges", ranges.n);
    }
    view->ranges = ranges.v;
    view->n = (uint32_t)ranges.n;
    view->tops = ranges.tops;
    collect_eventfds(view);
    make_rows(view);
    make_index(view);
    return view;
}

void flatview_free(void *opaque)
{
    FlatView *view = opaque;

    g_ptr_array_free(view->tops, TRUE);
    g_free(view->eventfds);
    g_free((void *)view->index);
    free((void *)view->rows);
    g_free((void *)view->ranges);
    g_free(view);
}

bool flatview_equal(const FlatView *a, const FlatView *b)
{
    if (a->n != b->n || a->n_eventfds != b->n_eventfds ||
        memcmp(a->ranges, b->ranges, (a->n + 1) * sizeof(*a->ranges)) != 0) {
        return false;
    }
    for (uint32_t i = 0; i < a->n_eventfds; i++) {
        if (!flat_eventfd_equal(&a->eventfds[i], &b->eventfds[i])) {
            return false;
        }
    }
    return true;
}

MemoryRegionSection flat_section(AddressSpace *as, const FlatRange *range)
{
    const uint64_t span = range->last - range->start;

    return (MemoryRegionSection){
        .mr = range->mr,
        .as = as,
        .offset_within_region = range->offset,
        .offset_within_address_space = range->start,
        .size = span == UINT64_MAX ? span : span + 1,
        .ram = range->state & RANGE_RAM,
        .readonly = (range->state & RANGE_READONLY) || range->mr->kind == REGION_ROM_DEVICE,
        .dirty_log = range->state & RANGE_DIRTY_LOG,
    };
}
