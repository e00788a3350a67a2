/* SPDX-License-Identifier: MIT */
/*
 * The undo journal: realize writes down each thing that it acquires together with the way to give
 * it back, so that a failure - and unrealize - runs the same list backwards. Fault points let a
 * test fail each step in turn.
 */
#include "hw/core/qdev-int.h"

typedef enum UndoWhen {
    UNDO_ALWAYS,
    UNDO_ON_FAILURE, /* a device that is unrealized keeps it: its place in the tree */
    UNDO_MAP,        /* opaque is an UndoMap; withdrawn before the class's unrealize */
} UndoWhen;

typedef struct UndoStep {
    DeviceUndoFn *fn;
    void *opaque;
    UndoWhen when;
} UndoStep;

typedef struct UndoMap {
    MemoryRegion *container, *mr; /* referenced */
} UndoMap;

struct DeviceUndo {
    GArray *steps;      /* of UndoStep, oldest first */
    bool open;          /* realize is under way */
    DeviceState *outer; /* the device in whose realize this one was begun */
};

/* The devices being realized, innermost first, linked through DeviceUndo.outer. Main thread. */
static DeviceState *realizing;

static DeviceUndo *undo_of(DeviceState *dev)
{
    if (!dev->undo) {
        dev->undo = g_new0(DeviceUndo, 1);
        dev->undo->steps = g_array_new(FALSE, FALSE, sizeof(UndoStep));
    }
    return dev->undo;
}

static void undo_push(DeviceState *dev, DeviceUndoFn *fn, void *opaque, UndoWhen when)
{
    UndoStep step = { .fn = fn, .opaque = opaque, .when = when };

    g_array_append_val(undo_of(dev)->steps, step);
}

void qdev_undo_begin(DeviceState *dev)
{
    DeviceUndo *undo = undo_of(dev);

    undo->open = true;
    undo->outer = realizing;
    realizing = dev;
}

void qdev_undo_end(DeviceState *dev)
{
    dev->undo->open = false;
    realizing = dev->undo->outer;
    dev->undo->outer = NULL;
}

bool qdev_undo_open(const DeviceState *dev)
{
    return dev->undo && dev->undo->open;
}

DeviceState *qdev_realizing(void)
{
    return realizing;
}

void qdev_on_unrealize(DeviceState *dev, DeviceUndoFn *fn, void *opaque)
{
    undo_push(dev, fn, opaque, UNDO_ALWAYS);
}

void qdev_undo_on_failure(DeviceState *dev, DeviceUndoFn *fn, void *opaque)
{
    undo_push(dev, fn, opaque, UNDO_ON_FAILURE);
}

void qdev_undo_cancel(DeviceState *dev, DeviceUndoFn *fn, void *opaque)
{
    GArray *steps = dev->undo ? dev->undo->steps : NULL;

    for (unsigned i = steps ? steps->len : 0; i > 0; i--) {
        const UndoStep *step = &g_array_index(steps, UndoStep, i - 1);

        if (step->fn == fn && step->opaque == opaque) {
            g_array_remove_index(steps, i - 1);
            return;
        }
    }
}

void qdev_undo_run(DeviceState *dev, bool failed)
{
    DeviceUndo *undo = dev->undo;

    if (!undo) {
        return;
    }
    while (undo->steps->len > 0) {
        UndoStep step = g_array_index(undo->steps, UndoStep, undo->steps->len - 1);

        g_array_set_size(undo->steps, undo->steps->len - 1);
        if (failed || step.when != UNDO_ON_FAILURE) {
            step.fn(dev, step.opaque);
        }
    }
    timers_forget(&dev->guard);
    if (undo->open) {
        qdev_undo_end(dev);
    }
    g_array_free(undo->steps, TRUE);
    g_clear_pointer(&dev->undo, g_free);
}

/* ---- Instance properties --------------------------------------------------------------------- */

static void undo_properties(DeviceState *dev, void *opaque)
{
    GHashTable *kept = opaque;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    ObjectPropertyIterator iter;
    ObjectPropertyView view;

    object_property_iter_init_instance(&iter, OBJECT(dev));
    while (object_property_iter_next(&iter, &view)) {
        if (!kept || !g_hash_table_contains(kept, view.name)) {
            g_ptr_array_add(names, g_strdup(view.name));
        }
    }
    for (unsigned i = names->len; i > 0; i--) {
        const char *name = g_ptr_array_index(names, i - 1);
        Object *target = object_resolve_path_component(OBJECT(dev), name);

        /* A link or an alias may have the name as well: only what is really below us is unparented.
         */
        if (target && object_get_parent(target) == OBJECT(dev) &&
            g_str_equal(object_get_canonical_path_component(target), name)) {
            object_unparent(target);
        } else if (object_property_exists(OBJECT(dev), name)) {
            object_property_del(OBJECT(dev), name, NULL);
        }
    }
    g_clear_pointer(&kept, g_hash_table_unref);
}

void qdev_undo_mark_properties(DeviceState *dev)
{
    GHashTable *kept = NULL; /* none, as most devices have */
    ObjectPropertyIterator iter;
    ObjectPropertyView view;

    object_property_iter_init_instance(&iter, OBJECT(dev));
    while (object_property_iter_next(&iter, &view)) {
        if (!kept) {
            kept = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        }
        g_hash_table_add(kept, g_strdup(view.name));
    }
    undo_push(dev, undo_properties, kept, UNDO_ALWAYS);
}

/* ---- Mappings -------------------------------------------------------------------------------- */

static void undo_map(DeviceState *dev, void *opaque)
{
    UndoMap *map = opaque;

    (void)dev;
    /* The device may have moved or unmapped it since. */
    if (map->mr->container == map->container) {
        memory_region_del_subregion(map->container, map->mr);
    }
    object_unref(map->mr);
    object_unref(map->container);
    g_free(map);
}

bool qdev_map(DeviceState *dev, MemoryRegion *container, hwaddr addr, MemoryRegion *mr,
              GError **errp)
{
    UndoMap *map;

    if (!dev->realized && !qdev_undo_open(dev)) {
        qom_error_set(errp, QOM_ERROR_STATE,
                      "region '%s' of '%s' cannot be mapped: the device is not realized",
                      memory_region_name(mr), qdev_label(dev));
        return false;
    }
    if (memory_region_is_mapped(mr)) {
        qom_error_set(errp, QOM_ERROR_STATE, "region '%s' of '%s' is mapped already",
                      memory_region_name(mr), qdev_label(dev));
        return false;
    }
    if (!qdev_fault_point("map a region", errp) ||
        !memory_region_add_subregion(container, addr, mr, errp)) {
        return false;
    }
    map = g_new(UndoMap, 1);
    map->container = (MemoryRegion *)object_ref(container);
    map->mr = (MemoryRegion *)object_ref(mr);
    undo_push(dev, undo_map, map, UNDO_MAP);
    return true;
}

void qdev_undo_withdraw(DeviceState *dev)
{
    GArray *steps = dev->undo ? dev->undo->steps : NULL;

    memory_region_transaction_begin();
    for (unsigned i = steps ? steps->len : 0; i > 0; i--) {
        UndoStep step = g_array_index(steps, UndoStep, i - 1);

        if (step.when == UNDO_MAP) {
            g_array_remove_index(steps, i - 1);
            step.fn(dev, step.opaque);
        }
    }
    memory_region_transaction_commit();
    /* Nobody can find the device any more; a thread that found it before is waited for. */
    if (entry_enter(&dev->guard)) {
        entry_leave(&dev->guard);
    }
}

/* ---- Timers ---------------------------------------------------------------------------------- */

static void undo_timer(DeviceState *dev, void *opaque)
{
    (void)dev;
    timer_del(opaque);
    g_free(opaque);
}

static DeviceState *guarded_device(const EntryGuard *guard)
{
    return guard ? (DeviceState *)object_dynamic_cast(guard->owner, TYPE_DEVICE) : NULL;
}

void qdev_undo_adopt_timer(EntryGuard *guard, QEMUTimer *ts)
{
    DeviceState *dev = guarded_device(guard);

    if (dev && qdev_undo_open(dev)) {
        undo_push(dev, undo_timer, ts, UNDO_ALWAYS);
    }
}

void qdev_undo_disown_timer(EntryGuard *guard, QEMUTimer *ts)
{
    DeviceState *dev = guarded_device(guard);

    if (dev) {
        qdev_undo_cancel(dev, undo_timer, ts);
    }
}

/* ---- Faults ---------------------------------------------------------------------------------- */

static struct {
    unsigned passed;  /* since the last qdev_fault_inject() */
    unsigned fail_at; /* 0: none */
} faults;

bool qdev_fault_point(const char *what, GError **errp)
{
    faults.passed++;
    if (faults.fail_at == 0 || faults.passed != faults.fail_at) {
        return true;
    }
    qom_error_set(errp, QOM_ERROR_FAILED, "a test lets step %u fail: %s", faults.passed, what);
    return false;
}

unsigned qdev_fault_inject(unsigned nth)
{
    unsigned passed = faults.passed;

    faults.passed = 0;
    faults.fail_at = nth;
    return passed;
}
