/* SPDX-License-Identifier: MIT */
/*
 * Guest memory as bounded views: an address and a length become a slice of one piece of RAM, or are
 * refused.
 */
#include "memory/flatview-int.h"

bool guest_slice_get(AddressSpace *as, hwaddr addr, uint64_t len, bool write, GuestSlice *out)
{
    EntryThread *t = entry_self();
    const FlatView *view;
    const FlatRow *row;
    hwaddr offset;

    section_enter(t);
    view = rcu_read(&as->current_map);
    row = flatview_find(view, addr);
    /* An address in the row and a length within what is left of it: the sum cannot wrap. */
    if (!(row->flags & (write ? ROW_RAM_WRITE : ROW_RAM_READ)) ||
        (len && len - 1 > row->span - (addr - row->start))) {
        section_leave(t);
        *out = (GuestSlice){ 0 };
        return false;
    }
    offset = addr - row->start + row->offset;
    *out = (GuestSlice){ row->ram + offset, len, flatview_range(view, row)->mr, offset, write };
    return true;
}

void guest_slice_put(GuestSlice *slice)
{
    if (!slice->mr) {
        return;
    }
    if (slice->writable) {
        dirty_mark(slice->mr, slice->offset, slice->len);
    }
    *slice = (GuestSlice){ 0 };
    section_leave(entry_thread_self);
}
