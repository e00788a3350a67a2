/* SPDX-License-Identifier: MIT */
/*
 * Transactions: changes of the shape are gathered, and at the outermost commit each address space
 * that shows one is rendered anew, its listeners are told, the view is published, and the old one
 * freed when its readers have left.
 */
#include "memory/flatview-int.h"

/* All of this belongs to the main thread. */
static struct {
    unsigned depth;
    uint64_t number; /* of outermost transactions so far */
    bool committing;
    /* Set of the topmost regions below which something has changed; compared, never followed. */
    GHashTable *changed;
    GPtrArray *released; /* of MemoryRegion *: references to drop when no view shows them */
    AddressSpace *spaces;
} map;

/* A region that was taken out of the map, until nobody can be reading a view that has it. */
typedef struct ReleasedRegion {
    MemoryRegion *mr; /* the map's reference */
    Object *kept;     /* in whose memory it lives: the device may go before the transaction ends */
} ReleasedRegion;

/* A step of one address space from one view to the next. */
typedef struct ViewChange {
    AddressSpace *as;
    FlatView *old, *new;
} ViewChange;

void address_space_list_add(AddressSpace *as)
{
    as->next = map.spaces;
    map.spaces = as;
}

void address_space_list_remove(AddressSpace *as)
{
    for (AddressSpace **p = &map.spaces; *p; p = &(*p)->next) {
        if (*p == as) {
            *p = as->next;
            as->next = NULL;
            return;
        }
    }
}

AddressSpace *address_space_first(void)
{
    return map.spaces;
}

MemoryRegion *memory_region_top(MemoryRegion *mr)
{
    while (mr->container) {
        mr = mr->container;
    }
    return mr;
}

void memory_changed(MemoryRegion *mr)
{
    MemoryRegion *top = memory_region_top(mr);

    if (!map.changed) {
        map.changed = g_hash_table_new(NULL, NULL);
    }
    g_hash_table_add(map.changed, top);
}

uint64_t memory_transaction(void)
{
    return map.number;
}

void memory_release_later(MemoryRegion *mr)
{
    ReleasedRegion *released;

    if (mr->transaction == map.number) {
        /* Never published: its memory may be the next region's before this transaction ends. */
        object_unref(mr);
        return;
    }
    if (!map.released) {
        map.released = g_ptr_array_new();
    }
    released = g_new(ReleasedRegion, 1);
    released->mr = mr;
    released->kept = object_ref_memory(mr);
    g_ptr_array_add(map.released, released);
}

static bool view_may_have_changed(const FlatView *view)
{
    for (guint i = 0; i < view->tops->len; i++) {
        if (g_hash_table_contains(map.changed, g_ptr_array_index(view->tops, i))) {
            return true;
        }
    }
    return false;
}

/* The new views of all address spaces that show a change. */
static GArray *render_changes(void)
{
    GArray *changes = g_array_new(FALSE, FALSE, sizeof(ViewChange));

    for (AddressSpace *as = map.spaces; as; as = as->next) {
        ViewChange change = { as, as->current_map, NULL };

        if (!view_may_have_changed(change.old)) {
            continue;
        }
        change.new = flatview_render(as->root);
        if (flatview_equal(change.old, change.new)) {
            /* The same to look at, but perhaps by another way: the new one knows by which. */
            GPtrArray *tops = change.old->tops;

            change.old->tops = change.new->tops;
            change.new->tops = tops;
            flatview_free(change.new);
            continue;
        }
        g_array_append_val(changes, change);
    }
    g_hash_table_remove_all(map.changed);
    return changes;
}

/*
 * Publishes everything at one time as far as listeners can tell: all begin before the first change,
 * end after the last.
 */
static void publish_changes(GArray *changes)
{
    const ViewChange *change = (const ViewChange *)changes->data;

    for (guint i = 0; i < changes->len; i++) {
        listeners_begin(change[i].as);
    }
    for (guint i = 0; i < changes->len; i++) {
        listeners_diff(change[i].as, change[i].old, change[i].new);
    }
    for (guint i = 0; i < changes->len; i++) {
        rcu_publish(&change[i].as->current_map, change[i].new);
    }
    for (guint i = 0; i < changes->len; i++) {
        listeners_commit(change[i].as);
    }
    for (guint i = 0; i < changes->len; i++) {
        rcu_retire_later(flatview_free, change[i].old);
    }
}

bool memory_region_transaction_check(GError **errp)
{
    if (map.depth != 1 || map.committing || !map.changed) {
        return true;
    }
    for (AddressSpace *as = map.spaces; as; as = as->next) {
        if (view_may_have_changed(as->current_map) && !listeners_check(as, errp)) {
            return false;
        }
    }
    return true;
}

static void release_region(void *opaque)
{
    ReleasedRegion *released = opaque;

    object_unref(released->mr);
    object_unref(released->kept);
    g_free(released);
}

static void commit(void)
{
    bool wait = false;

    map.committing = true;
    /* A listener may change the map: that is done in the next round. */
    while (map.changed && g_hash_table_size(map.changed)) {
        g_autoptr(GArray) changes = render_changes();

        publish_changes(changes);
        wait |= changes->len != 0;
    }
    if (map.released) {
        for (guint i = 0; i < map.released->len; i++) {
            rcu_retire_later(release_region, g_ptr_array_index(map.released, i));
            wait = true;
        }
        g_ptr_array_set_size(map.released, 0);
    }
    map.committing = false;
    if (wait) {
        entry_synchronize();
    }
}

void memory_region_transaction_begin(void)
{
    if (map.depth++ == 0) {
        map.number++;
    }
}

void memory_region_transaction_commit(void)
{
    g_assert(map.depth > 0);
    if (--map.depth == 0 && !map.committing) {
        commit();
    }
}
