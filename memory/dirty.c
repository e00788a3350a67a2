/* SPDX-License-Identifier: MIT */
/* Dirty tracking: a bit a page of RAM, set by any thread that writes, taken by the main thread. */
#include <string.h>
#include "memory/flatview-int.h"

#define PAGE_BYTES (UINT64_C(1) << DIRTY_PAGE_BITS)

static size_t dirty_words(const MemoryRegion *mr)
{
    return (mr->ram_bytes + 64 * PAGE_BYTES - 1) / (64 * PAGE_BYTES);
}

/* The part of word @w that belongs to the pages @first to @last. */
static uint64_t word_mask(uint64_t w, uint64_t first, uint64_t last)
{
    uint64_t mask = UINT64_MAX;

    if (w == first / 64) {
        mask &= UINT64_MAX << first % 64;
    }
    if (w == last / 64) {
        mask &= UINT64_MAX >> (63 - last % 64);
    }
    return mask;
}

void dirty_mark(MemoryRegion *mr, hwaddr addr, uint64_t size)
{
    uint64_t *dirty = rcu_read(&mr->dirty);
    uint64_t first = addr >> DIRTY_PAGE_BITS, last;

    if (!dirty || size == 0) {
        return;
    }
    last = (addr + size - 1) >> DIRTY_PAGE_BITS;
    for (uint64_t w = first / 64; w <= last / 64; w++) {
        const uint64_t mask = word_mask(w, first, last);

        /* Most pages that are written are dirty already; those cost no locked instruction. */
        if ((__atomic_load_n(&dirty[w], __ATOMIC_RELAXED) & mask) != mask) {
            __atomic_fetch_or(&dirty[w], mask, __ATOMIC_RELEASE);
        }
    }
}

void memory_region_set_dirty(MemoryRegion *mr, hwaddr addr, uint64_t size)
{
    EntryThread *t = entry_self();

    section_enter(t);
    if (addr < mr->ram_bytes) {
        dirty_mark(mr, addr, MIN(size, mr->ram_bytes - addr));
    }
    section_leave(t);
}

void memory_region_set_log(MemoryRegion *mr, bool log)
{
    uint64_t *old = mr->dirty;

    g_return_if_fail(mr->ram);
    if (mr->dirty_log == log) {
        return;
    }
    memory_region_transaction_begin();
    mr->dirty_log = log;
    if (log) {
        rcu_publish(&mr->dirty, g_new0(uint64_t, dirty_words(mr)));
    }
    memory_changed(mr);
    memory_region_transaction_commit();
    if (!log) {
        rcu_publish(&mr->dirty, NULL);
        rcu_retire(g_free, old);
    }
}

/* Has the listeners of every address space that shows @mr bring in what the accelerator knows. */
static void sync_listeners(MemoryRegion *mr, hwaddr addr, hwaddr last)
{
    for (AddressSpace *as = address_space_first(); as; as = as->next) {
        const FlatView *view = as->current_map;

        for (guint i = 0; i < as->listeners->len; i++) {
            MemoryListener *l = g_ptr_array_index(as->listeners, i);

            for (uint32_t k = 1; l->log_sync && k <= view->n; k++) {
                const FlatRange *range = &view->ranges[k];

                if (range->mr == mr && range->offset <= last &&
                    addr <= range->offset + (range->last - range->start)) {
                    MemoryRegionSection section = flat_section(as, range);

                    l->log_sync(l, &section);
                }
            }
        }
    }
}

bool memory_region_snapshot_dirty(MemoryRegion *mr, hwaddr addr, uint64_t size, uint64_t *bits)
{
    const uint64_t first = addr >> DIRTY_PAGE_BITS, pages = size >> DIRTY_PAGE_BITS;

    if (!mr->dirty || (addr | size) % PAGE_BYTES || addr > mr->ram_bytes ||
        size > mr->ram_bytes - addr) {
        return false;
    }
    memset(bits, 0, (pages + 63) / 64 * sizeof(*bits));
    if (pages == 0) {
        return true;
    }
    sync_listeners(mr, addr, addr + size - 1);
    for (uint64_t w = first / 64; w <= (first + pages - 1) / 64; w++) {
        const uint64_t mask = word_mask(w, first, first + pages - 1);
        const uint64_t taken = __atomic_fetch_and(&mr->dirty[w], ~mask, __ATOMIC_ACQ_REL) & mask;

        /* Word w holds the pages from 64 * w; the caller's first bit is page @first. */
        for (uint64_t rest = taken; rest; rest &= rest - 1) {
            const uint64_t page = 64 * w + (uint64_t)__builtin_ctzll(rest) - first;

            bits[page / 64] |= UINT64_C(1) << page % 64;
        }
    }
    return true;
}
