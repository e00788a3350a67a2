/* SPDX-License-Identifier: MIT */
/*
 * The longer way of an access: memory, eventfds, other sizes than a method's own, what crosses
 * ranges or meets none, buffers, DMA. An access is cut into pieces that lie in one range each, and
 * each piece is done by itself.
 */
#include <string.h>
#include <sys/eventfd.h>
#include "memory/flatview-int.h"

/* One access on the longer way. */
typedef struct Access {
    AddressSpace *as;
    const FlatView *view;
    EntryThread *thread;
    MemTxAttrs attrs;
    bool is_write;
} Access;

/* ---- Memory ---- */

static uint64_t ram_load(const uint8_t *host, unsigned size)
{
    uint64_t value = 0;

    /* Whole where a processor's own access would be; the guest may be writing. */
    if (((uintptr_t)host & (size - 1)) == 0) {
        switch (size) {
        case 1:
            return __atomic_load_n(host, __ATOMIC_RELAXED);
        case 2:
            return __atomic_load_n((const uint16_t *)host, __ATOMIC_RELAXED);
        case 4:
            return __atomic_load_n((const uint32_t *)host, __ATOMIC_RELAXED);
        case 8:
            return __atomic_load_n((const uint64_t *)host, __ATOMIC_RELAXED);
        }
    }
    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)__atomic_load_n(&host[i], __ATOMIC_RELAXED) << (8 * i);
    }
    return value;
}

static void ram_store(uint8_t *host, uint64_t value, unsigned size)
{
    if (((uintptr_t)host & (size - 1)) == 0) {
        switch (size) {
        case 1:
            __atomic_store_n(host, (uint8_t)value, __ATOMIC_RELAXED);
            return;
        case 2:
            __atomic_store_n((uint16_t *)host, (uint16_t)value, __ATOMIC_RELAXED);
            return;
        case 4:
            __atomic_store_n((uint32_t *)host, (uint32_t)value, __ATOMIC_RELAXED);
            return;
        case 8:
            __atomic_store_n((uint64_t *)host, value, __ATOMIC_RELAXED);
            return;
        }
    }
    for (unsigned i = 0; i < size; i++) {
        __atomic_store_n(&host[i], (uint8_t)(value >> (8 * i)), __ATOMIC_RELAXED);
    }
}

/*
 * Between a buffer and guest memory, which a guest may write to at the same time: that is its own
 * race, and where one is looked for, the copy is made of accesses that are none.
 */
static void ram_copy(uint8_t *to, const uint8_t *from, uint64_t n)
{
#ifdef THREAD_SANITIZER
    for (uint64_t i = 0; i < n; i++) {
        __atomic_store_n(&to[i], __atomic_load_n(&from[i], __ATOMIC_RELAXED), __ATOMIC_RELAXED);
    }
#else
    memcpy(to, from, n);
#endif
}

static void ram_written(const Access *a, const FlatRow *row, hwaddr offset, uint64_t size)
{
    if (row->flags & ROW_DIRTY_LOG) {
        dirty_mark(flatview_range(a->view, row)->mr, offset, size);
    }
}

/* ---- Devices ---- */

/* Whether an eventfd takes the place of this write; it has been signalled then. */
static bool eventfd_takes(const FlatView *view, hwaddr addr, unsigned size, uint64_t value)
{
    uint32_t low = 0, high = view->n_eventfds;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (view->eventfds[middle].e.addr < addr) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < view->n_eventfds && view->eventfds[low].e.addr == addr; low++) {
        const MemoryRegionIoeventfd *e = &view->eventfds[low].e;

        if ((e->size == 0 || e->size == size) && (!e->match_data || e->data == value)) {
            eventfd_write(e->fd, 1);
            return true;
        }
    }
    return false;
}

static MemTxResult device_access(const Access *a, const FlatRow *row, hwaddr addr, unsigned size,
                                 uint64_t *value)
{
    const FlatRange *range = flatview_range(a->view, row);
    const hwaddr offset = addr - row->start + row->offset;
    MemTxResult result = MEMTX_ACCESS_ERROR;

    if (range->mr->kind == REGION_RAM || (a->attrs.dma && !(range->state & RANGE_ALLOW_DMA))) {
        return MEMTX_ACCESS_ERROR;
    }
    if (a->is_write && (row->flags & ROW_EVENTFD) && eventfd_takes(a->view, addr, size, *value)) {
        return MEMTX_OK;
    }
    if (row->guard && !guard_lock(a->thread, row->guard)) {
        return MEMTX_ACCESS_ERROR;
    }
    if (access_is_valid(range->mr, offset, size, a->is_write, a->attrs)) {
        if (row->guard && !a->attrs.debug) {
            entry_count_access(a->thread, row->guard, size, a->is_write);
        }
        result = a->is_write ? access_write(range->mr, offset, size, *value, a->attrs)
                             : access_read(range->mr, offset, size, value, a->attrs);
    }
    if (row->guard) {
        guard_unlock(a->thread, row->guard);
    }
    return result;
}

/* 1 to 8 bytes that lie in @row; a read that is refused leaves all ones. */
static MemTxResult range_access(const Access *a, const FlatRow *row, hwaddr addr, unsigned size,
                                uint64_t *value)
{
    const hwaddr offset = addr - row->start + row->offset;

    if (!a->is_write) {
        if (row->flags & ROW_RAM_READ) {
            *value = ram_load(row->ram + offset, size);
            return MEMTX_OK;
        }
        *value = size_mask(size);
    } else if (row->flags & ROW_RAM_WRITE) {
        ram_store(row->ram + offset, *value, size);
        ram_written(a, row, offset, size);
        return MEMTX_OK;
    }
    return device_access(a, row, addr, size, value);
}

/* ---- Nothing there ---- */

/* How many of the @n bytes from @addr, at which nothing is, come before the next range. */
static uint64_t gap_length(const FlatView *view, hwaddr addr, uint64_t n)
{
    uint32_t low = 1, high = view->n + 1;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (view->rows[middle].start <= addr) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low <= view->n ? MIN(n, view->rows[low].start - addr) : n;
}

static MemTxResult unassigned_access(const Access *a, hwaddr addr, unsigned size, uint64_t *value)
{
    const uint64_t written = a->is_write ? *value : 0;

    if (!a->is_write) {
        *value = size_mask(size);
    }
    if (a->as->unassigned && !a->attrs.debug) {
        a->as->unassigned(a->as->unassigned_opaque, addr, size, a->is_write, written, a->attrs);
    }
    return MEMTX_DECODE_ERROR;
}

/* ---- Cutting ---- */

/* What the cut of an access at one address is: in @row (or nowhere), @n bytes. */
typedef struct Piece {
    const FlatRow *row; /* NULL: nothing there */
    uint64_t n;
} Piece;

/* The piece of the @left bytes from @addr that one range or one gap holds. */
static Piece piece_at(const FlatView *view, hwaddr addr, uint64_t left)
{
    const FlatRow *row = flatview_find(view, addr);

    if (row == &view->rows[0]) {
        const uint64_t to_end = UINT64_MAX - addr;

        return (Piece){ NULL, gap_length(view, addr, MIN(left - 1, to_end) + 1) };
    }
    return (Piece){ row, MIN(left - 1, row->span - (addr - row->start)) + 1 };
}

static bool piece_is_memory(const Piece *piece, bool is_write)
{
    return piece->row && (piece->row->flags & (is_write ? ROW_RAM_WRITE : ROW_RAM_READ));
}

/* The bytes of @piece that are one access of its device. */
static unsigned device_piece(const Access *a, const Piece *piece, hwaddr addr)
{
    return access_piece(flatview_range(a->view, piece->row)->mr->ops,
                        addr - piece->row->start + piece->row->offset, piece->n);
}

/*
 * An access of 1 to 8 bytes of an odd size, or in more than one range: by pieces, each on its own.
 */
static MemTxResult cut_access(const Access *a, hwaddr addr, unsigned size, uint64_t *value)
{
    MemTxResult result = MEMTX_OK;
    uint64_t all = 0;

    for (unsigned done = 0; done < size;) {
        const hwaddr at = addr + done;
        uint64_t part = *value >> (8 * done);
        unsigned n = size - done;

        if (at < addr) {
            /* Past the end of 2^64 is nowhere. */
            result |= MEMTX_DECODE_ERROR;
            part = UINT64_MAX;
        } else {
            const Piece piece = piece_at(a->view, at, n);

            n = (unsigned)piece.n;
            if (piece.row && !piece_is_memory(&piece, a->is_write)) {
                n = device_piece(a, &piece, at);
            }
            part &= size_mask(n);
            result |= piece.row ? range_access(a, piece.row, at, n, &part)
                                : unassigned_access(a, at, n, &part);
        }
        all |= (part & size_mask(n)) << (8 * done);
        done += n;
    }
    if (!a->is_write) {
        *value = all;
    }
    return result;
}

static MemTxResult one_access(AddressSpace *as, hwaddr addr, unsigned size, uint64_t *value,
                              bool is_write, MemTxAttrs attrs)
{
    const Access a = { as, rcu_read(&as->current_map), entry_thread_self, attrs, is_write };
    const FlatRow *row = flatview_find(a.view, addr);

    if (row != &a.view->rows[0] && row->span - (addr - row->start) >= size - 1 &&
        !(size & (size - 1))) {
        return range_access(&a, row, addr, size, value);
    }
    return cut_access(&a, addr, size, value);
}

MemTxResult long_load(AddressSpace *as, hwaddr addr, unsigned size, uint64_t *value,
                      MemTxAttrs attrs)
{
    *value = UINT64_MAX;
    if (size == 0 || size > 8) {
        return MEMTX_ACCESS_ERROR;
    }
    return one_access(as, addr, size, value, false, attrs);
}

MemTxResult long_store(AddressSpace *as, hwaddr addr, unsigned size, uint64_t value,
                       MemTxAttrs attrs)
{
    if (size == 0 || size > 8) {
        return MEMTX_ACCESS_ERROR;
    }
    value &= size_mask(size);
    return one_access(as, addr, size, &value, true, attrs);
}

/* ---- Buffers ---- */

/* The bytes of one device access between a buffer and a value. */
static MemTxResult buffer_access(const Access *a, const FlatRow *row, hwaddr addr, unsigned n,
                                 uint8_t *buf)
{
    uint64_t value = a->is_write ? ram_load(buf, n) : 0;
    MemTxResult result = range_access(a, row, addr, n, &value);

    if (!a->is_write) {
        ram_store(buf, value, n);
    }
    return result;
}

static MemTxResult buffer_unassigned(const Access *a, hwaddr addr, uint64_t n, uint8_t *buf)
{
    const unsigned told = (unsigned)MIN(n, 8);
    uint64_t value = a->is_write ? ram_load(buf, told) : 0;

    if (!a->is_write) {
        memset(buf, 0xff, n);
    }
    return unassigned_access(a, addr, told, &value);
}

/* Moves @len bytes. After an error it stops if @stop, and else keeps the first one. */
static MemTxResult move_buffer(AddressSpace *as, hwaddr addr, MemTxAttrs attrs, uint8_t *buf,
                               uint64_t len, bool is_write, bool stop)
{
    EntryThread *t = entry_self();
    MemTxResult result = MEMTX_OK;
    Access a = { as, NULL, t, attrs, is_write };

    section_enter(t);
    a.view = rcu_read(&as->current_map);
    while (len && !(stop && result != MEMTX_OK)) {
        Piece piece = piece_at(a.view, addr, len);
        MemTxResult part = MEMTX_OK;

        if (piece_is_memory(&piece, is_write)) {
            const hwaddr offset = addr - piece.row->start + piece.row->offset;

            if (is_write) {
                ram_copy(piece.row->ram + offset, buf, piece.n);
                ram_written(&a, piece.row, offset, piece.n);
            } else {
                ram_copy(buf, piece.row->ram + offset, piece.n);
            }
        } else if (piece.row) {
            piece.n = device_piece(&a, &piece, addr);
            part = buffer_access(&a, piece.row, addr, (unsigned)piece.n, buf);
        } else {
            part = buffer_unassigned(&a, addr, piece.n, buf);
        }
        result = result == MEMTX_OK ? part : result;
        addr += piece.n;
        buf += piece.n;
        len -= piece.n;
        if (addr == 0 && len) {
            /* The end of 2^64 has been passed. */
            result = result == MEMTX_OK ? MEMTX_DECODE_ERROR : result;
            if (!is_write) {
                memset(buf, 0xff, len);
            }
            len = 0;
        }
    }
    section_leave(t);
    return result;
}

MemTxResult address_space_read(AddressSpace *as, hwaddr addr, MemTxAttrs attrs, void *buf,
                               uint64_t len)
{
    return move_buffer(as, addr, attrs, buf, len, false, false);
}

MemTxResult address_space_write(AddressSpace *as, hwaddr addr, MemTxAttrs attrs, const void *buf,
                                uint64_t len)
{
    return move_buffer(as, addr, attrs, (void *)buf, len, true, false);
}

MemTxResult dma_memory_read(AddressSpace *as, hwaddr addr, void *buf, uint64_t len,
                            MemTxAttrs attrs)
{
    attrs.dma = 1;
    return move_buffer(as, addr, attrs, buf, len, false, true);
}

MemTxResult dma_memory_write(AddressSpace *as, hwaddr addr, const void *buf, uint64_t len,
                             MemTxAttrs attrs)
{
    attrs.dma = 1;
    return move_buffer(as, addr, attrs, (void *)buf, len, true, true);
}
