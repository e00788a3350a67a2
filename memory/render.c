/* SPDX-License-Identifier: MIT */
/*
 * Rendering: from a tree of regions to ranges that do not overlap. The tree is walked so that what
 * lies on top is met first, which gives a list of segments by precedence; where they overlap, a
 * sweep over the addresses keeps the first.
 */
#include <stdlib.h>
#include <string.h>
#include <qomet/qom/log.h>
#include "memory/flatview-int.h"

/* Nesting of containers and aliases; more is an alias that shows itself. */
#define RENDER_DEPTH_MAX 64
/*
 * Regions met in one rendering: two aliases of the same container at each of many levels double it
 * every time.
 */
#define RENDER_VISITS_MAX (1u << 22)
/*
 * Priorities in one container that are worth a pass each over its subregions; with more they are
 * sorted.
 */
#define RENDER_LEVELS_MAX 4

typedef __int128 wide;

/* One region's part of the space, before what lies on top of it is taken away. */
typedef struct Segment {
    FlatRange range;
    size_t rank; /* lower lies on top */
} Segment;

typedef struct Render {
    Segment *v;
    size_t n, room;
    bool tidy; /* so far by address and without overlap */
    unsigned depth, visits;
    bool cut_off; /* and said so */
    GPtrArray *tops;
} Render;

static void collect(Render *r, MemoryRegion *mr, wide base, hwaddr start, hwaddr last,
                    bool readonly);

/* ---- The walk ---- */

static uint64_t range_state(const MemoryRegion *mr, bool readonly)
{
    uint64_t state = mr->serial << RANGE_SERIAL_BITS;

    if (region_reads_ram(mr)) {
        state |= RANGE_RAM;
    }
    if (mr->kind == REGION_RAM && (readonly || mr->readonly)) {
        state |= RANGE_READONLY;
    }
    if (mr->dirty_log) {
        state |= RANGE_DIRTY_LOG;
    }
    if (mr->allow_dma) {
        state |= RANGE_ALLOW_DMA;
    }
    return state;
}

/* Makes room for @n segments more. */
static void reserve(Render *r, size_t n)
{
    if (n > r->room - r->n) {
        r->room = r->n + MAX(n, r->room);
        r->v = g_renew(Segment, r->v, r->room);
    }
}

static void collect_own(Render *r, MemoryRegion *mr, wide base, hwaddr start, hwaddr last,
                        bool readonly)
{
    Segment *s;

    reserve(r, 1);
    if (r->n && start <= r->v[r->n - 1].range.last) {
        r->tidy = false;
    }
    s = &r->v[r->n];
    s->range = (FlatRange){ start, last, (hwaddr)(start - base), mr, range_state(mr, readonly) };
    s->rank = r->n++;
}

/*
 * Whether the order of the subregions of priority *@level (NULL: all) matters: two of them overlap.
 */
static bool level_overlaps(const MemoryRegion *mr, const int32_t *level)
{
    hwaddr end = 0;
    bool any = false;

    for (guint i = 0; i < mr->subregions->len; i++) {
        const MemoryRegion *sub = g_ptr_array_index(mr->subregions, i);

        if (region_shows(sub) && (!level || sub->priority == *level)) {
            if (any && sub->addr <= end) {
                return true;
            }
            any = true;
            end = add_saturated(sub->addr, sub->last);
        }
    }
    return false;
}

/* Walks the subregions of priority *@level (NULL: all) by address. */
static void collect_by_address(Render *r, MemoryRegion *mr, wide base, hwaddr start, hwaddr last,
                               bool readonly, const int32_t *level)
{
    for (guint i = 0; i < mr->subregions->len; i++) {
        MemoryRegion *sub = g_ptr_array_index(mr->subregions, i);

        if (!level || sub->priority == *level) {
            collect(r, sub, base + sub->addr, start, last, readonly);
        }
    }
}

static gint compare_precedence(gconstpointer a, gconstpointer b)
{
    const MemoryRegion *x = *(MemoryRegion *const *)a, *y = *(MemoryRegion *const *)b;

    if (x->priority != y->priority) {
        return x->priority > y->priority ? -1 : 1;
    }
    return x->order > y->order ? -1 : x->order < y->order;
}

static void collect_by_precedence(Render *r, MemoryRegion *mr, wide base, hwaddr start, hwaddr last,
                                  bool readonly)
{
    g_autoptr(GPtrArray) subs = g_ptr_array_sized_new(mr->subregions->len);

    for (guint i = 0; i < mr->subregions->len; i++) {
        g_ptr_array_add(subs, g_ptr_array_index(mr->subregions, i));
    }
    g_ptr_array_sort(subs, compare_precedence);
    for (guint i = 0; i < subs->len; i++) {
        MemoryRegion *sub = g_ptr_array_index(subs, i);

        collect(r, sub, base + sub->addr, start, last, readonly);
    }
}

/*
 * Fills @levels with the priorities in use, highest first. Returns how many, or 0 when there are
 * too many.
 */
static unsigned priority_levels(const MemoryRegion *mr, int32_t *levels)
{
    unsigned n = 0;

    for (guint i = 0; i < mr->subregions->len; i++) {
        const MemoryRegion *sub = g_ptr_array_index(mr->subregions, i);
        unsigned at = 0;

        if (!region_shows(sub)) {
            continue;
        }
        while (at < n && levels[at] > sub->priority) {
            at++;
        }
        if (at < n && levels[at] == sub->priority) {
            continue;
        }
        if (n == RENDER_LEVELS_MAX) {
            return 0;
        }
        memmove(&levels[at + 1], &levels[at], (n - at) * sizeof(*levels));
        levels[at] = sub->priority;
        n++;
    }
    return n;
}

/*
 * Most containers hold subregions that do not overlap, or a few priorities within each of which
 * they do not: those are walked by address, which keeps the segments in that order.
 */
static void collect_subregions(Render *r, MemoryRegion *mr, wide base, hwaddr start, hwaddr last,
                               bool readonly)
{
    int32_t levels[RENDER_LEVELS_MAX];
    unsigned n_levels, tidy = 0;

    if (!level_overlaps(mr, NULL)) {
        collect_by_address(r, mr, base, start, last, readonly, NULL);
        return;
    }
    n_levels = priority_levels(mr, levels);
    while (tidy < n_levels && !level_overlaps(mr, &levels[tidy])) {
        tidy++;
    }
    if (n_levels == 0 || tidy < n_levels) {
        collect_by_precedence(r, mr, base, start, last, readonly);
        return;
    }
    for (unsigned i = 0; i < n_levels; i++) {
        collect_by_address(r, mr, base, start, last, readonly, &levels[i]);
    }
}

static bool collect_may_go_on(Render *r, const MemoryRegion *mr)
{
    static LogLimit limit;

    if (r->depth < RENDER_DEPTH_MAX && ++r->visits < RENDER_VISITS_MAX) {
        return true;
    }
    if (!r->cut_off && qemu_log_limit(&limit)) {
        warn_report(
            "memory region '%s' shows itself through aliases without end: part of it is left out",
            memory_region_name(mr));
    }
    r->cut_off = true;
    return false;
}

static void remember_top(Render *r, MemoryRegion *mr)
{
    MemoryRegion *top = memory_region_top(mr);

    if (!g_ptr_array_find(r->tops, top, NULL)) {
        g_ptr_array_add(r->tops, top);
    }
}

/* Collects what @mr, with its start at @base, shows between @start and @last. */
static void collect(Render *r, MemoryRegion *mr, wide base, hwaddr start, hwaddr last,
                    bool readonly)
{
    const wide end = base + mr->last;

    if (!region_shows(mr) || base > last || end < (wide)start || !collect_may_go_on(r, mr)) {
        return;
    }
    start = base > (wide)start ? (hwaddr)base : start;
    last = end < (wide)last ? (hwaddr)end : last;
    readonly |= mr->readonly;
    r->depth++;
    if (mr->kind == REGION_ALIAS) {
        remember_top(r, mr->alias);
        collect(r, mr->alias, base - mr->alias_offset, start, last, readonly);
    } else {
        if (mr->subregions) {
            reserve(r, mr->subregions->len);
            collect_subregions(r, mr, base, start, last, readonly);
        }
        if (mr->kind != REGION_CONTAINER) {
            collect_own(r, mr, base, start, last, readonly);
        }
    }
    r->depth--;
}

/* ---- The sweep ---- */

/*
 * Merges the runs [a, b) and [b, c), each by start, of @v into @to; at equal starts those of the
 * first stay first.
 */
static void merge_runs(const Segment *v, size_t a, size_t b, size_t c, Segment *to)
{
    size_t i = a, j = b;

    for (size_t k = a; k < c; k++) {
        bool second = i == b || (j < c && v[j].range.start < v[i].range.start);

        to[k] = second ? v[j++] : v[i++];
    }
}

/* A merge sort that begins with the runs that are there: a walk gives few and long ones. */
static void sort_segments(Render *r)
{
    size_t *runs = g_new(size_t, r->n + 1); /* where each begins, and r->n */
    Segment *from = r->v, *to = g_new(Segment, r->room);
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++) {
        if (i == 0 || from[i].range.start < from[i - 1].range.start) {
            runs[n++] = i;
        }
    }
    runs[n] = r->n;
    while (n > 1) {
        size_t merged = 0;
        Segment *swap;

        for (size_t i = 0; i < n; i += 2) {
            size_t b = runs[i + 1], c = i + 1 < n ? runs[i + 2] : b;

            merge_runs(from, runs[i], b, c, to);
            runs[merged++] = runs[i];
        }
        runs[merged] = r->n;
        n = merged;
        swap = from;
        from = to;
        to = swap;
    }
    r->v = from;
    g_free(to);
    g_free(runs);
}

static void add_range(FlatRanges *out, const Segment *s, hwaddr start, hwaddr last)
{
    const FlatRange range = { start, last, s->range.offset + (start - s->range.start), s->range.mr,
                              s->range.state };

    if (out->n) {
        FlatRange *before = &out->v[out->n];

        if (before->mr == range.mr && before->state == range.state &&
            before->last + 1 == range.start &&
            before->offset + (range.start - before->start) == range.offset) {
            before->last = range.last;
            return;
        }
    }
    if (out->n + 2 > out->room) {
        out->room = 2 * (out->n + 2);
        out->v = g_renew(FlatRange, out->v, out->room);
    }
    out->v[++out->n] = range;
}

/* The segments that began and may not have ended: a heap, the one on top of the others first. */
typedef struct Heap {
    const Segment **v;
    size_t n;
} Heap;

static void heap_push(Heap *heap, const Segment *s)
{
    size_t i = heap->n++;

    while (i && heap->v[(i - 1) / 2]->rank > s->rank) {
        heap->v[i] = heap->v[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap->v[i] = s;
}

static void heap_pop(Heap *heap)
{
    const Segment *s = heap->v[--heap->n];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= heap->n) {
            break;
        }
        if (child + 1 < heap->n && heap->v[child + 1]->rank < heap->v[child]->rank) {
            child++;
        }
        if (heap->v[child]->rank > s->rank) {
            break;
        }
        heap->v[i] = heap->v[child];
        i = child;
    }
    heap->v[i] = s;
}

static void sweep(const Render *r, FlatRanges *out)
{
    Heap heap = { g_new(const Segment *, r->n), 0 };
    hwaddr at = 0;
    size_t next = 0;

    while (next < r->n || heap.n) {
        const Segment *top;
        hwaddr last;

        while (heap.n && heap.v[0]->range.last < at) {
            heap_pop(&heap);
        }
        if (heap.n == 0) {
            if (next == r->n) {
                break;
            }
            at = r->v[next].range.start;
        }
        while (next < r->n && r->v[next].range.start <= at) {
            heap_push(&heap, &r->v[next++]);
        }
        top = heap.v[0];
        last = top->range.last;
        if (next < r->n && r->v[next].range.start <= last) {
            last = r->v[next].range.start - 1;
        }
        add_range(out, top, at, last);
        if (last == UINT64_MAX) {
            break;
        }
        at = last + 1;
    }
    g_free(heap.v);
}

void render_ranges(MemoryRegion *mr, hwaddr base, FlatRanges *out)
{
    Render r = { .tidy = true, .tops = g_ptr_array_new() };

    remember_top(&r, mr);
    collect(&r, mr, base, 0, UINT64_MAX, false);

    *out = (FlatRanges){ .room = r.n + 2, .tops = r.tops };
    out->v = g_new(FlatRange, out->room);
    memset(&out->v[0], 0, sizeof(out->v[0]));
    if (r.tidy) {
        for (size_t i = 0; i < r.n; i++) {
            add_range(out, &r.v[i], r.v[i].range.start, r.v[i].range.last);
        }
    } else {
        sort_segments(&r);
        sweep(&r, out);
    }
    g_free(r.v);
}

void flat_ranges_clear(FlatRanges *ranges)
{
    g_free(ranges->v);
    g_ptr_array_free(ranges->tops, TRUE);
}
