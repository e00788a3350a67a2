/* SPDX-License-Identifier: MIT */
/*
 * Batches: what a thread registers while initialisers run is collected, checked as a whole, and
 * then committed at once - or, for a module, dropped as if it had never been.
 */
#include "qom/qom-int.h"

static __thread TypeBatch *current;

TypeBatch *type_batch_current(void)
{
    return current;
}

void type_batch_begin(TypeBatch *batch, const char *origin)
{
    *batch = (TypeBatch){
        .outer = current,
        .origin = origin,
        .entries = g_ptr_array_new(),
    };
    current = batch;
}

static void batch_close(TypeBatch *batch)
{
    g_ptr_array_free(batch->entries, TRUE);
    g_clear_pointer(&batch->names, g_free);
}

void type_batch_drop(TypeBatch *batch)
{
    current = batch->outer;
    g_ptr_array_foreach(batch->entries, (GFunc)(void (*)(void))type_entry_free, NULL);
    batch_close(batch);
}

/* Names come first, since a parent is found by its name wherever in the batch it stands. */
static bool check_name(TypeBatch *batch, TypeEntry *entry, GError **errp)
{
    const char *name = entry->pub.name;
    TypeEntry *taken;

    if (!name || !*name) {
        qom_error_set(errp, QOM_ERROR_TYPE, "a type with parent '%s' is registered without a name",
                      entry->info->parent ? entry->info->parent : "(none)");
        return false;
    }
    taken = type_lookup_hashed(name, entry->hash);
    if (!taken) {
        taken = type_table_find(batch->names, name, entry->hash);
    }
    if (taken) {
        type_error_duplicate(errp, taken, entry);
        return false;
    }
    type_table_put(batch->names, entry);
    return true;
}

/*
 * Frees the bad entries and leaves the good ones. Returns the error of the first bad one in order
 * of registration.
 */
static GError *batch_check(TypeBatch *batch)
{
    g_autoptr(GPtrArray) visited = g_ptr_array_new();
    guint first_bad = G_MAXUINT, n_good = 0;
    GError *error = NULL;

    for (guint i = 0; i < batch->entries->len; i++) {
        TypeEntry *entry = batch->entries->pdata[i];

        entry->refused = !check_name(batch, entry, error ? NULL : &error);
        if (entry->refused) {
            first_bad = MIN(first_bad, i);
        }
    }
    for (guint i = 0; i < batch->entries->len; i++) {
        TypeEntry *entry = batch->entries->pdata[i];
        bool earliest = i < first_bad;
        GError *reason = NULL;

        if (entry->refused ||
            type_resolve(entry, batch, visited, earliest ? &reason : NULL) != TYPE_BAD) {
            continue;
        }
        entry->refused = true;
        if (earliest) {
            g_clear_error(&error);
            error = reason;
            first_bad = i;
        }
    }
    type_resolve_forget(visited);
    for (guint i = 0; i < batch->entries->len; i++) {
        TypeEntry *entry = batch->entries->pdata[i];

        if (entry->refused) {
            type_entry_free(entry);
        } else {
            batch->entries->pdata[n_good++] = entry;
        }
    }
    g_ptr_array_set_size(batch->entries, n_good);
    return error;
}

bool type_batch_end(TypeBatch *batch, bool whole, GError **errp)
{
    GError *error;

    /*
     * Nobody makes a class of a half-committed batch, and nobody takes a name that was found free.
     */
    class_lock();
    type_registry_lock();
    current = batch->outer;
    batch->names = type_table_new(batch->entries->len);
    for (guint i = 0; i < batch->entries->len; i++) {
        ((TypeEntry *)batch->entries->pdata[i])->origin = batch->origin;
    }
    error = batch_check(batch);
    for (guint i = 0; i < batch->entries->len; i++) {
        if (whole && error) {
            type_entry_free(batch->entries->pdata[i]);
        } else {
            type_insert(batch->entries->pdata[i]);
        }
    }
    type_registry_unlock();
    batch_close(batch);
    class_unlock();
    if (error) {
        g_propagate_error(errp, error);
        return false;
    }
    return true;
}
