/* SPDX-License-Identifier: MIT */
/* Counts of exits by object, read from the tree, and the exits that vCPUs remember. */
#include <inttypes.h>
#include "monitor/exits.h"

static void counts_free(gpointer opaque)
{
    ExitCounts *c = opaque;

    g_free(c->path);
    g_free(c);
}

static int add_counts(Object *obj, void *opaque)
{
    EntryOwner *owner = (EntryOwner *)object_dynamic_cast(obj, TYPE_ENTRY_OWNER);
    ExitCounts *c;

    if (owner) {
        c = g_new0(ExitCounts, 1);
        c->path = object_get_canonical_path(obj);
        c->type = object_get_typename(obj);
        entry_guard_counts(ENTRY_OWNER_GET_CLASS(owner)->get_guard(owner), &c->counts);
        g_ptr_array_add(opaque, c);
    }
    return 0;
}

uint64_t exit_counts_sum(const ExitCounts *c)
{
    return c->counts.reads + c->counts.writes + c->counts.other;
}

/* g_ptr_array_sort() gives pointers to the elements. */
static gint more_first(gconstpointer a, gconstpointer b)
{
    uint64_t first = exit_counts_sum(*(ExitCounts *const *)a);
    uint64_t second = exit_counts_sum(*(ExitCounts *const *)b);

    return (first < second) - (first > second);
}

GPtrArray *exit_counts_all(void)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(counts_free);

    object_child_foreach_recursive(object_get_root(), add_counts, all);
    g_ptr_array_sort(all, more_first);
    return all;
}

GPtrArray *exit_records_asked_for(int64_t count, int64_t cpu, GError **errp)
{
    CPUState *which = cpu >= 0 && cpu <= UINT32_MAX ? qemu_get_cpu((unsigned)cpu) : NULL;
    GPtrArray *records;

    if (count < 1) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "%" PRId64 " is no number of exits, accepted are 1 to %d for each vCPU",
                      count, EXIT_RECORDS_KEPT);
        return NULL;
    }
    if (cpu >= 0 && !which) {
        qom_error_set(errp, QOM_ERROR_NOT_FOUND, "there is no vCPU %" PRId64 ", there are %u", cpu,
                      cpu_count());
        return NULL;
    }
    records = exit_records(which, (unsigned)MIN(count, EXIT_RECORDS_KEPT * (int64_t)1024));
    if (!records->len && !exit_observers()) {
        g_ptr_array_unref(records);
        qom_error_set(errp, QOM_ERROR_STATE,
                      "no exits are recorded: 'explain on' begins with that ('record' of "
                      "explain-exit), as do the options -explain and -accel kvm,exit-timing=on");
        return NULL;
    }
    return records;
}
