/* SPDX-License-Identifier: MIT */
/*
 * The shape of the map: mapping a region into another, moving, resizing and hiding it, and telling
 * of overlaps.
 */
#include <inttypes.h>
#include "memory/flatview-int.h"

static uint64_t region_order; /* of the mapping made last; main thread */

/* ---- The list of subregions, by address ---- */

/* How many subregions of @mr begin before @addr (or at it, when @after). */
static guint subregions_before(const MemoryRegion *mr, hwaddr addr, bool after)
{
    guint low = 0, high = mr->subregions ? mr->subregions->len : 0;

    while (low < high) {
        const guint middle = low + (high - low) / 2;
        const MemoryRegion *sub = g_ptr_array_index(mr->subregions, middle);

        if (sub->addr < addr || (after && sub->addr == addr)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void subregions_insert(MemoryRegion *mr, MemoryRegion *sub)
{
    if (!mr->subregions) {
        mr->subregions = g_ptr_array_new();
    }
    g_ptr_array_insert(mr->subregions, (gint)subregions_before(mr, sub->addr, true), sub);
}

static void subregions_remove(MemoryRegion *mr, MemoryRegion *sub)
{
    guint i = subregions_before(mr, sub->addr, false);

    while (g_ptr_array_index(mr->subregions, i) != sub) {
        i++;
    }
    g_ptr_array_remove_index(mr->subregions, i);
}

/* ---- Overlap ---- */

/* "PATH (TYPE)" of who owns @mr, as far as that can be said. */
static char *owner_name(const MemoryRegion *mr)
{
    g_autofree char *path = mr->owner ? object_get_canonical_path(mr->owner) : NULL;

    if (!mr->owner) {
        return g_strdup_printf("region '%s'", memory_region_name(mr));
    }
    return path ? g_strdup_printf("%s (%s)", path, object_get_typename(mr->owner))
                : g_strdup(object_get_typename(mr->owner));
}

static void set_overlap_error(MemoryRegion *mr, hwaddr base, const FlatRange *mine,
                              const FlatRange *theirs, GError **errp)
{
    g_autofree char *me = owner_name(mine->mr);
    g_autofree char *them = owner_name(theirs->mr);
    const char *what = memory_region_top(mr) == get_system_io() ? "ports" : "addresses";

    qom_error_set(errp, QOM_ERROR_EXISTS,
                  "%s 0x%" PRIx64 "-0x%" PRIx64 " of %s overlap 0x%" PRIx64 "-0x%" PRIx64 " of %s",
                  what, base + mine->start, base + mine->last, me, base + theirs->start,
                  base + theirs->last, them);
}

/* Whether @sub, were it at @offset of @mr, would lie over or under something that @other shows. */
static bool shows_overlap(MemoryRegion *mr, hwaddr offset, MemoryRegion *sub, MemoryRegion *other,
                          GError **errp)
{
    FlatRanges mine, theirs;
    bool found = false;
    size_t i = 1, k = 1;

    render_ranges(sub, offset, &mine);
    render_ranges(other, other->addr, &theirs);
    while (!found && i <= mine.n && k <= theirs.n) {
        if (mine.v[i].last < theirs.v[k].start) {
            i++;
        } else if (theirs.v[k].last < mine.v[i].start) {
            k++;
        } else {
            hwaddr base = 0;

            for (const MemoryRegion *up = mr; up->container; up = up->container) {
                base += up->addr;
            }
            set_overlap_error(mr, base, &mine.v[i], &theirs.v[k], errp);
            found = true;
        }
    }
    flat_ranges_clear(&mine);
    flat_ranges_clear(&theirs);
    return found;
}

/*
 * Subregions that have no priority and are seen do not overlap, as long as the container is tidy;
 * so below the new one's start only the nearest of them can reach into it.
 */
static bool check_overlap(MemoryRegion *mr, hwaddr offset, MemoryRegion *sub, GError **errp)
{
    const hwaddr last = add_saturated(offset, sub->last);
    guint i = subregions_before(mr, last, true);

    if (!region_shows(sub)) {
        return true;
    }
    while (i-- > 0) {
        MemoryRegion *other = g_ptr_array_index(mr->subregions, i);

        if (other->may_overlap || !region_shows(other)) {
            continue;
        }
        if (add_saturated(other->addr, other->last) >= offset) {
            if (shows_overlap(mr, offset, sub, other, errp)) {
                return false;
            }
            mr->untidy =
                true; /* containers may share a place, as long as what they show does not */
        } else if (!mr->untidy) {
            break;
        }
    }
    return true;
}

/* ---- Mapping ---- */

static bool check_mappable(MemoryRegion *mr, MemoryRegion *sub, GError **errp)
{
    if (!object_get_class(OBJECT(sub))) {
        qom_error_set(errp, QOM_ERROR_STATE,
                      "a region was not initialised: memory_region_init_io() or another of that "
                      "name comes before it is mapped");
        return false;
    }
    if (sub->container) {
        g_autofree char *owner = owner_name(sub);

        qom_error_set(errp, QOM_ERROR_STATE,
                      "region '%s' of %s is mapped already, in '%s': unmap it first",
                      memory_region_name(sub), owner, memory_region_name(sub->container));
        return false;
    }
    for (const MemoryRegion *up = mr; up; up = up->container) {
        if (up == sub) {
            qom_error_set(errp, QOM_ERROR_STATE, "region '%s' cannot be mapped below itself",
                          memory_region_name(sub));
            return false;
        }
    }
    return true;
}

static void map(MemoryRegion *mr, hwaddr offset, MemoryRegion *sub, int priority, bool may_overlap)
{
    memory_region_transaction_begin();
    memory_changed(sub);
    object_ref(sub);
    sub->container = mr;
    sub->addr = offset;
    sub->priority = priority;
    sub->may_overlap = may_overlap;
    sub->order = ++region_order;
    sub->transaction = memory_transaction();
    subregions_insert(mr, sub);
    memory_changed(mr);
    memory_region_transaction_commit();
}

bool memory_region_add_subregion(MemoryRegion *mr, hwaddr offset, MemoryRegion *sub, GError **errp)
{
    bool good;

    if (!check_mappable(mr, sub, errp) || !check_overlap(mr, offset, sub, errp)) {
        return false;
    }
    memory_region_transaction_begin();
    map(mr, offset, sub, 0, false);
    good = memory_region_transaction_check(errp);
    if (!good) {
        memory_region_del_subregion(mr, sub);
    }
    memory_region_transaction_commit();
    return good;
}

void memory_region_add_subregion_overlap(MemoryRegion *mr, hwaddr offset, MemoryRegion *sub,
                                         int priority)
{
    g_autoptr(GError) error = NULL;

    if (!check_mappable(mr, sub, &error)) {
        g_critical("%s", error->message);
        return;
    }
    map(mr, offset, sub, priority, true);
}

void memory_region_del_subregion(MemoryRegion *mr, MemoryRegion *sub)
{
    g_return_if_fail(sub->container == mr);
    memory_region_transaction_begin();
    memory_changed(mr);
    subregions_remove(mr, sub);
    sub->container = NULL;
    memory_changed(sub);
    memory_release_later(sub);
    memory_region_transaction_commit();
}

/* ---- Changes of one region ---- */

/* The end of a change of @mr; it may now overlap what it did not. */
static void changed(MemoryRegion *mr)
{
    if (mr->container && !mr->may_overlap) {
        mr->container->untidy = true;
    }
    memory_changed(mr);
    memory_region_transaction_commit();
}

void memory_region_set_enabled(MemoryRegion *mr, bool enabled)
{
    if (mr->enabled != enabled) {
        memory_region_transaction_begin();
        mr->enabled = enabled;
        changed(mr);
    }
}

void memory_region_set_address(MemoryRegion *mr, hwaddr addr)
{
    if (mr->addr == addr) {
        return;
    }
    if (!mr->container) {
        mr->addr = addr;
        return;
    }
    memory_region_transaction_begin();
    subregions_remove(mr->container, mr);
    mr->addr = addr;
    mr->order = ++region_order;
    subregions_insert(mr->container, mr);
    changed(mr);
}

void memory_region_set_size(MemoryRegion *mr, uint64_t size)
{
    if (mr->ram && (size > mr->ram_bytes || size == UINT64_MAX)) {
        g_critical("region '%s' has memory for %zu bytes and cannot show %" PRIu64,
                   memory_region_name(mr), mr->ram_bytes, size);
        size = mr->ram_bytes;
    }
    if (memory_region_size(mr) != size) {
        memory_region_transaction_begin();
        mr->last = size_to_last(size);
        mr->empty = size == 0;
        changed(mr);
    }
}

void memory_region_set_alias_offset(MemoryRegion *mr, hwaddr offset)
{
    g_return_if_fail(mr->alias);
    if (mr->alias_offset != offset) {
        memory_region_transaction_begin();
        mr->alias_offset = offset;
        changed(mr);
    }
}

void memory_region_set_readonly(MemoryRegion *mr, bool readonly)
{
    if (mr->readonly != readonly) {
        memory_region_transaction_begin();
        mr->readonly = readonly;
        changed(mr);
    }
}

void memory_region_rom_device_set_romd(MemoryRegion *mr, bool romd)
{
    if (mr->romd_mode != romd) {
        memory_region_transaction_begin();
        mr->romd_mode = romd;
        changed(mr);
    }
}

void memory_region_set_allow_dma(MemoryRegion *mr, bool allow)
{
    if (mr->allow_dma != allow) {
        memory_region_transaction_begin();
        mr->allow_dma = allow;
        changed(mr);
    }
}

/* ---- Eventfds ---- */

static gint compare_eventfds(gconstpointer a, gconstpointer b)
{
    const MemoryRegionIoeventfd *x = a, *y = b;

    if (x->addr != y->addr) {
        return x->addr < y->addr ? -1 : 1;
    }
    if (x->size != y->size) {
        return x->size < y->size ? -1 : 1;
    }
    if (x->match_data != y->match_data) {
        return x->match_data ? -1 : 1;
    }
    if (x->match_data && x->data != y->data) {
        return x->data < y->data ? -1 : 1;
    }
    return x->fd < y->fd ? -1 : x->fd > y->fd;
}

void memory_region_add_eventfd(MemoryRegion *mr, const MemoryRegionIoeventfd *e)
{
    guint i = 0;

    memory_region_transaction_begin();
    if (!mr->ioeventfds) {
        mr->ioeventfds = g_array_new(FALSE, FALSE, sizeof(*e));
    }
    while (i < mr->ioeventfds->len &&
           compare_eventfds(&g_array_index(mr->ioeventfds, MemoryRegionIoeventfd, i), e) < 0) {
        i++;
    }
    g_array_insert_val(mr->ioeventfds, i, *e);
    memory_changed(mr);
    memory_region_transaction_commit();
}

void memory_region_del_eventfd(MemoryRegion *mr, const MemoryRegionIoeventfd *e)
{
    for (guint i = 0; mr->ioeventfds && i < mr->ioeventfds->len; i++) {
        if (compare_eventfds(&g_array_index(mr->ioeventfds, MemoryRegionIoeventfd, i), e) == 0) {
            memory_region_transaction_begin();
            g_array_remove_index(mr->ioeventfds, i);
            memory_changed(mr);
            memory_region_transaction_commit();
            return;
        }
    }
    g_critical("region '%s' has no such eventfd", memory_region_name(mr));
}
