/* SPDX-License-Identifier: MIT */
/*
 * Reset in three phases. The objects that take part are listed first, children before their parents
 * as in QEMU; then each phase goes once over the list. So an object that is reached twice (through
 * its bus and through the tree) is reset once, and what a phase changes in the tree does not
 * confuse the next one.
 */
#include "hw/core/qdev-int.h"

typedef struct Reset {
    GPtrArray *members;  /* of Object *, referenced, in order of the phases */
    GHashTable *reached; /* those and the plain objects between them */
} Reset;

typedef struct ResetRequest {
    Object *obj; /* referenced */
    ResetType type;
} ResetRequest;

/* One reset at a time in the process, on the main thread. */
static Reset *current;
static GQueue waiting = G_QUEUE_INIT; /* of ResetRequest *: asked for from within a reset */

static ResettableClass *resettable_class(const Object *obj)
{
    return (ResettableClass *)object_class_dynamic_cast(object_get_class(obj), TYPE_RESETTABLE);
}

static DeviceState *as_device(Object *obj)
{
    return (DeviceState *)object_dynamic_cast(obj, TYPE_DEVICE);
}

/* ---- Who takes part -------------------------------------------------------------------------- */

static void collect(Object *obj, void *opaque);

static int collect_child(Object *child, void *opaque)
{
    collect(child, opaque);
    return 0;
}

static void collect(Object *obj, void *opaque)
{
    Reset *reset = opaque;
    ResettableClass *rc = resettable_class(obj);

    if (!g_hash_table_add(reset->reached, obj)) {
        return;
    }
    if (rc && rc->child_foreach) {
        rc->child_foreach(obj, collect, reset);
    } else {
        object_child_foreach(obj, collect_child, reset);
    }
    if (rc) {
        g_ptr_array_add(reset->members, object_ref(obj));
    }
}

/* ---- The phases ------------------------------------------------------------------------------ */

/* A device has nothing to reset before realize, and may have been taken away by an earlier phase.
 */
static const ResettablePhases *phases_of(Object *obj)
{
    DeviceState *dev = as_device(obj);

    return dev && !dev->realized ? NULL : &resettable_class(obj)->phases;
}

static void run(Reset *reset, ResetType type)
{
    for (unsigned i = 0; i < reset->members->len; i++) {
        DeviceState *dev = as_device(g_ptr_array_index(reset->members, i));

        if (dev) {
            __atomic_fetch_add(&dev->reset_count, 1, __ATOMIC_RELEASE);
        }
    }
    for (unsigned i = 0; i < reset->members->len; i++) {
        Object *obj = g_ptr_array_index(reset->members, i);
        const ResettablePhases *phases = phases_of(obj);

        if (phases && phases->enter) {
            phases->enter(obj, type);
        }
    }
    for (unsigned i = 0; i < reset->members->len; i++) {
        Object *obj = g_ptr_array_index(reset->members, i);
        const ResettablePhases *phases = phases_of(obj);

        if (phases && phases->hold) {
            phases->hold(obj, type);
        }
    }
    for (unsigned i = 0; i < reset->members->len; i++) {
        Object *obj = g_ptr_array_index(reset->members, i);
        const ResettablePhases *phases = phases_of(obj);
        DeviceState *dev = as_device(obj);

        g_hash_table_remove(reset->reached, obj);
        if (dev) {
            __atomic_fetch_sub(&dev->reset_count, 1, __ATOMIC_RELEASE);
        }
        if (phases && phases->exit) {
            phases->exit(obj, type);
        }
    }
}

static void reset_now(Object *obj, ResetType type)
{
    Reset reset = {
        .members = g_ptr_array_new_with_free_func(object_unref),
        .reached = g_hash_table_new(NULL, NULL),
    };

    current = &reset;
    collect(obj, &reset);
    run(&reset, type);
    current = NULL;
    g_hash_table_unref(reset.reached);
    g_ptr_array_unref(reset.members);
}

void resettable_reset(Object *obj, ResetType type)
{
    ResetRequest *request;

    if (current) {
        request = g_new(ResetRequest, 1);
        *request = (ResetRequest){ .obj = object_ref(obj), .type = type };
        g_queue_push_tail(&waiting, request);
        return;
    }
    reset_now(obj, type);
    while ((request = g_queue_pop_head(&waiting))) {
        reset_now(request->obj, request->type);
        object_unref(request->obj);
        g_free(request);
    }
}

bool resettable_is_in_reset(const Object *obj)
{
    DeviceState *dev = as_device((Object *)obj);

    if (dev) {
        return __atomic_load_n(&dev->reset_count, __ATOMIC_ACQUIRE) != 0;
    }
    return current && g_hash_table_contains(current->reached, obj);
}

void device_class_set_reset(DeviceClass *dc, void (*hold)(Object *obj, ResetType type))
{
    RESETTABLE_CLASS(dc)->phases.hold = hold;
}

static const TypeInfo reset_types[] = {
    {
        .name = TYPE_RESETTABLE,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(ResettableClass),
    },
};
DEFINE_TYPES(reset_types)
