/* SPDX-License-Identifier: MIT */
/*
 * Listeners: what one view takes away from another and brings, told in the order that each listener
 * relies on.
 */
#include <inttypes.h>
#include <qomet/qom/log.h>
#include "memory/flatview-int.h"

static guint n_listeners(const AddressSpace *as)
{
    return as->listeners ? as->listeners->len : 0;
}

static MemoryListener *listener_at(const AddressSpace *as, guint i)
{
    return g_ptr_array_index(as->listeners, i);
}

static bool range_equal(const FlatRange *a, const FlatRange *b)
{
    return a->start == b->start && a->last == b->last && a->offset == b->offset && a->mr == b->mr &&
           a->state == b->state;
}

/* ---- Telling one listener ---- */

static void tell_range(AddressSpace *as, MemoryListener *l,
                       void (*fn)(MemoryListener *l, const MemoryRegionSection *s),
                       const FlatRange *range)
{
    if (fn) {
        MemoryRegionSection section = flat_section(as, range);

        fn(l, &section);
    }
}

static MemoryRegionSection eventfd_section(AddressSpace *as, const FlatView *view,
                                           const FlatEventfd *fe)
{
    MemoryRegionSection section = flat_section(as, &view->ranges[fe->range]);

    section.offset_within_region += fe->e.addr - section.offset_within_address_space;
    section.offset_within_address_space = fe->e.addr;
    section.size = fe->e.size ? fe->e.size : 1;
    return section;
}

static void tell_eventfd(AddressSpace *as, MemoryListener *l, const FlatView *view,
                         const FlatEventfd *fe, bool add)
{
    MemoryRegionSection section = eventfd_section(as, view, fe);

    if (!add) {
        if (l->eventfd_del) {
            l->eventfd_del(l, &section, &fe->e);
        }
    } else if (l->eventfd_add && !l->eventfd_add(l, &section, &fe->e)) {
        /* Nothing is lost: the write comes out of the guest, and dispatch signals the eventfd. */
        warn_report("eventfd %d of region '%s' at 0x%" PRIx64 " of %s is served by the slower way",
                    fe->e.fd, memory_region_name(section.mr), fe->e.addr, as->name);
    }
}

/* ---- Asking them ---- */

static bool any_may_refuse(const AddressSpace *as)
{
    for (guint i = 0; i < n_listeners(as); i++) {
        if (listener_at(as, i)->check) {
            return true;
        }
    }
    return false;
}

bool listeners_check(AddressSpace *as, GError **errp)
{
    g_autofree MemoryRegionSection *sections = NULL;
    FlatRanges ranges;
    bool good = true;

    if (!any_may_refuse(as)) {
        return true;
    }
    render_ranges(as->root, 0, &ranges);
    sections = g_new(MemoryRegionSection, ranges.n);
    for (size_t i = 0; i < ranges.n; i++) {
        sections[i] = flat_section(as, &ranges.v[i + 1]);
    }
    for (guint i = 0; good && i < n_listeners(as); i++) {
        MemoryListener *l = listener_at(as, i);

        good = !l->check || l->check(l, sections, (unsigned)ranges.n, errp);
    }
    flat_ranges_clear(&ranges);
    return good;
}

/* ---- The difference ---- */

typedef struct ViewDiff {
    GArray *gone, *come,
        *kept; /* of uint32_t: ranges of the old view; of the new one; of the new one */
} ViewDiff;

static void diff_ranges(const FlatView *old, const FlatView *new, ViewDiff *diff)
{
    uint32_t i = 1, k = 1;

    while (i <= old->n || k <= new->n) {
        const FlatRange *o = i <= old->n ? &old->ranges[i] : NULL;
        const FlatRange *n = k <= new->n ? &new->ranges[k] : NULL;

        if (o && n && range_equal(o, n)) {
            if (diff->kept) {
                g_array_append_val(diff->kept, k);
            }
            i++;
            k++;
        } else if (o && (!n || o->start <= n->start)) {
            g_array_append_val(diff->gone, i);
            i++;
        } else {
            g_array_append_val(diff->come, k);
            k++;
        }
    }
}

/* The eventfds of @a that @b has not; both are in order of address. */
static GArray *eventfds_missing(const FlatView *a, const FlatView *b)
{
    GArray *missing = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    uint32_t from = 0;

    for (uint32_t i = 0; i < a->n_eventfds; i++) {
        const hwaddr addr = a->eventfds[i].e.addr;
        bool found = false;

        while (from < b->n_eventfds && b->eventfds[from].e.addr < addr) {
            from++;
        }
        for (uint32_t k = from; !found && k < b->n_eventfds && b->eventfds[k].e.addr == addr; k++) {
            found = flat_eventfd_equal(&a->eventfds[i], &b->eventfds[k]);
        }
        if (!found) {
            g_array_append_val(missing, i);
        }
    }
    return missing;
}

static void tell_eventfds(AddressSpace *as, const FlatView *view, const GArray *which, bool add)
{
    for (guint n = 0; n < n_listeners(as); n++) {
        MemoryListener *l = listener_at(as, add ? n : n_listeners(as) - 1 - n);

        for (guint i = 0; i < which->len; i++) {
            tell_eventfd(as, l, view, &view->eventfds[g_array_index(which, uint32_t, i)], add);
        }
    }
}

void listeners_diff(AddressSpace *as, const FlatView *old, const FlatView *new)
{
    g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autoptr(GArray) come = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autoptr(GArray) kept = NULL;
    g_autoptr(GArray) eventfds_gone = NULL;
    g_autoptr(GArray) eventfds_come = NULL;
    const guint n = n_listeners(as);

    if (n == 0) {
        return;
    }
    for (guint i = 0; i < n && !kept; i++) {
        if (listener_at(as, i)->region_nop) {
            kept = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        }
    }
    diff_ranges(old, new, &(ViewDiff){ gone, come, kept });
    eventfds_gone = eventfds_missing(old, new);
    eventfds_come = eventfds_missing(new, old);

    tell_eventfds(as, old, eventfds_gone, false);
    for (guint i = n; i-- > 0;) {
        MemoryListener *l = listener_at(as, i);

        for (guint k = 0; k < gone->len; k++) {
            tell_range(as, l, l->region_del, &old->ranges[g_array_index(gone, uint32_t, k)]);
        }
    }
    for (guint i = 0; i < n; i++) {
        MemoryListener *l = listener_at(as, i);

        for (guint k = 0; kept && k < kept->len; k++) {
            tell_range(as, l, l->region_nop, &new->ranges[g_array_index(kept, uint32_t, k)]);
        }
        for (guint k = 0; k < come->len; k++) {
            tell_range(as, l, l->region_add, &new->ranges[g_array_index(come, uint32_t, k)]);
        }
    }
    tell_eventfds(as, new, eventfds_come, true);
}

void listeners_begin(AddressSpace *as)
{
    for (guint i = 0; i < n_listeners(as); i++) {
        MemoryListener *l = listener_at(as, i);

        if (l->begin) {
            l->begin(l);
        }
    }
}

void listeners_commit(AddressSpace *as)
{
    for (guint i = 0; i < n_listeners(as); i++) {
        MemoryListener *l = listener_at(as, i);

        if (l->commit) {
            l->commit(l);
        }
    }
}

/* ---- Coming and going ---- */

void memory_listener_register(MemoryListener *l, AddressSpace *as)
{
    const FlatView *view = as->current_map;
    guint at = 0;

    while (at < as->listeners->len && listener_at(as, at)->priority <= l->priority) {
        at++;
    }
    g_ptr_array_insert(as->listeners, (gint)at, l);

    if (l->begin) {
        l->begin(l);
    }
    for (uint32_t i = 1; i <= view->n; i++) {
        tell_range(as, l, l->region_add, &view->ranges[i]);
    }
    for (uint32_t i = 0; i < view->n_eventfds; i++) {
        tell_eventfd(as, l, view, &view->eventfds[i], true);
    }
    if (l->commit) {
        l->commit(l);
    }
}

void memory_listener_unregister(MemoryListener *l, AddressSpace *as)
{
    const FlatView *view = as->current_map;

    if (!g_ptr_array_remove(as->listeners, l)) {
        return;
    }
    if (l->begin) {
        l->begin(l);
    }
    for (uint32_t i = 0; i < view->n_eventfds; i++) {
        tell_eventfd(as, l, view, &view->eventfds[i], false);
    }
    for (uint32_t i = 1; i <= view->n; i++) {
        tell_range(as, l, l->region_del, &view->ranges[i]);
    }
    if (l->commit) {
        l->commit(l);
    }
}
