/* SPDX-License-Identifier: MIT */
/*
 * Objects: making them, counting references, the end, and casts that say what went wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <qomet/qom/user-creatable.h>
#include "qom/qom-int.h"

/* Below this, malloc and memset are quicker than calloc; above it, fresh pages are zero already. */
#define ZERO_BY_HAND 2048

/* ---- making ---- */

static bool check_instantiable(const TypeEntry *type, GError **errp)
{
    if (type->interface) {
        qom_error_set(errp, QOM_ERROR_TYPE, "type '%s' is an interface: it has no objects",
                      type->pub.name);
        return false;
    }
    if (type->info->abstract) {
        qom_error_set(errp, QOM_ERROR_TYPE,
                      "type '%s' is abstract: only types below it have objects", type->pub.name);
        return false;
    }
    if (type->flaw) {
        qom_error_set(errp, QOM_ERROR_TYPE, "type '%s': %s", type->pub.name, type->flaw);
        return false;
    }
    return true;
}

/* @obj is zero but for free. */
static void init_object(Object *obj, ObjectClass *klass)
{
    const TypeEntry *type = type_entry(klass);

    obj->class = klass;
    obj->ref = 1;
    if (klass->property_list->len) {
        object_properties_set_defaults(obj);
    }
    for (void (*const *init)(Object *) = type->inits; *init; init++) {
        (*init)(obj);
    }
    for (void (*const *init)(Object *) = type->post_inits; *init; init++) {
        (*init)(obj);
    }
}

static Object *alloc_object(const TypeEntry *type)
{
    size_t size = type->instance_size;
    void *memory = NULL;

    if (G_UNLIKELY(type->instance_align > 2 * sizeof(void *))) {
        if (posix_memalign(&memory, type->instance_align, size) != 0) {
            g_error("out of memory: an object of type '%s' takes %zu bytes", type->pub.name, size);
        }
        memset(memory, 0, size);
        ((Object *)memory)->free = free;
        return memory;
    }
    if (size <= ZERO_BY_HAND) {
        memory = g_malloc(size);
        memset(memory, 0, size);
    } else {
        memory = g_malloc0(size);
    }
    ((Object *)memory)->free = g_free;
    return memory;
}

Object *object_new_with_class(ObjectClass *klass, GError **errp)
{
    const TypeEntry *type = type_entry(klass);
    Object *obj;

    if (G_UNLIKELY(!type->instantiable)) {
        check_instantiable(type, errp);
        return NULL;
    }
    obj = alloc_object(type);
    init_object(obj, klass);
    return obj;
}

Object *object_new_err(const char *typename, GError **errp)
{
    ObjectClass *klass = object_class_by_name_err(typename, errp);

    return klass ? object_new_with_class(klass, errp) : NULL;
}

Object *object_new(const char *typename)
{
    return object_new_err(typename, NULL);
}

static bool set_propv(Object *obj, GError **errp, va_list vargs)
{
    const char *name, *text;

    while ((name = va_arg(vargs, const char *))) {
        text = va_arg(vargs, const char *);
        if (!object_property_parse(obj, name, text, errp)) {
            return false;
        }
    }
    return true;
}

Object *object_new_with_propv(const char *typename, Object *parent, const char *id, GError **errp,
                              va_list vargs)
{
    Object *obj = object_new_err(typename, errp);

    if (!obj) {
        return NULL;
    }
    if (!set_propv(obj, errp, vargs)) {
        goto fail;
    }
    if (parent && !object_property_add_child(parent, id, obj, errp)) {
        goto fail;
    }
    if (!user_creatable_complete(obj, errp)) {
        object_unparent(obj);
        goto fail;
    }
    if (parent) {
        object_unref(obj);
    }
    return obj;

fail:
    object_unref(obj);
    return NULL;
}

Object *object_new_with_props(const char *typename, Object *parent, const char *id, GError **errp,
                              ...)
{
    va_list vargs;
    Object *obj;

    va_start(vargs, errp);
    obj = object_new_with_propv(typename, parent, id, errp, vargs);
    va_end(vargs);
    return obj;
}

bool object_initialize(void *data, size_t size, const char *typename, GError **errp)
{
    ObjectClass *klass = object_class_by_name_err(typename, errp);
    const TypeEntry *type;

    if (!klass) {
        return false;
    }
    type = type_entry(klass);
    if (!check_instantiable(type, errp)) {
        return false;
    }
    if (size < type->instance_size) {
        qom_error_set(errp, QOM_ERROR_TYPE,
                      "an object of type '%s' takes %zu bytes, and there is room for %zu", typename,
                      type->instance_size, size);
        return false;
    }
    if (type->instance_align && (uintptr_t)data % type->instance_align) {
        qom_error_set(errp, QOM_ERROR_TYPE,
                      "an object of type '%s' is aligned to %zu bytes, and %p is not", typename,
                      type->instance_align, data);
        return false;
    }
    memset(data, 0, type->instance_size);
    init_object(data, klass);
    return true;
}

bool object_initialize_child_err(Object *parent, const char *name, void *child, size_t size,
                                 const char *typename, GError **errp)
{
    bool added;

    if (!object_initialize(child, size, typename, errp)) {
        return false;
    }
    added = object_property_add_child(parent, name, child, errp);
    /* The parent has a reference of its own; without it this is the end of the child. */
    object_unref(child);
    return added;
}

void object_initialize_child_checked(Object *parent, const char *name, void *child, size_t size,
                                     const char *typename)
{
    GError *error = NULL;

    if (!object_initialize_child_err(parent, name, child, size, typename, &error)) {
        fprintf(stderr, "qom: child '%s' of an object of type '%s': %s\n", name,
                object_get_typename(parent), error->message);
        abort();
    }
}

/* ---- references and the end ---- */

Object *object_ref(void *obj)
{
    if (obj) {
        __atomic_fetch_add(&((Object *)obj)->ref, 1, __ATOMIC_RELAXED);
    }
    return obj;
}

Object *object_ref_memory(void *opaque)
{
    Object *obj = opaque;

    while (!obj->free && obj->parent) {
        obj = obj->parent;
    }
    return object_ref(obj);
}

static void finalize(Object *obj)
{
    const TypeEntry *type = type_entry(obj->class);

    obj->dying = 1;
    object_links_clear_to(obj);
    if (obj->node) {
        object_node_clear(obj);
    }
    if (obj->class->property_list->len) {
        object_properties_release(obj);
    }
    for (void (*const *finalizer)(Object *) = type->finalizers; *finalizer; finalizer++) {
        (*finalizer)(obj);
    }
    /* Whoever took a reference meanwhile would now hold freed memory. */
    g_assert(__atomic_load_n(&obj->ref, __ATOMIC_RELAXED) == 0);
    if (obj->free) {
        obj->free(obj);
    }
}

void object_unref(void *opaque)
{
    Object *obj = opaque;
    uint32_t before;

    if (!obj) {
        return;
    }
    before = __atomic_fetch_sub(&obj->ref, 1, __ATOMIC_ACQ_REL);
    g_assert(before > 0);
    /* A finalizer may take and give back references of the object that it ends. */
    if (before == 1 && !obj->dying) {
        g_assert(!obj->parent);
        finalize(obj);
    }
}

/* ---- casts ---- */

const char *object_get_typename(const Object *obj)
{
    return obj->class->type->name;
}

Object *object_dynamic_cast(Object *obj, const char *typename)
{
    return obj && object_class_dynamic_cast(obj->class, typename) ? obj : NULL;
}

Object *object_dynamic_cast_assert(Object *obj, const char *typename, const char *file, int line)
{
    if (obj && !object_dynamic_cast(obj, typename)) {
        object_cast_failed(obj, typename, file, line);
    }
    return obj;
}

void object_cast_slow(Object *obj, TypeRef *ref, const char *file, int line)
{
    const TypeImpl *type = type_ref_get(ref);

    if (obj && (!type || !object_class_is_a(obj->class, type))) {
        object_cast_failed(obj, ref->name, file, line);
    }
}

ObjectClass *object_class_cast_slow(ObjectClass *klass, TypeRef *ref, const char *file, int line)
{
    ObjectClass *cast = type_ref_get(ref) ? object_class_dynamic_cast(klass, ref->name) : NULL;

    if (!cast) {
        object_class_cast_failed(klass, ref->name, file, line);
    }
    return cast;
}

void object_cast_failed(const Object *obj, const char *type, const char *file, int line)
{
    g_autofree char *path = object_get_canonical_path(obj);

    fprintf(stderr, "%s:%d: object %s of type '%s' (%p) is no '%s'%s\n", file, line,
            path ? path : "outside the tree", object_get_typename(obj), (const void *)obj, type,
            type_lookup(type) ? "" : ", which is not registered");
    abort();
}

void object_class_cast_failed(const ObjectClass *klass, const char *type, const char *file,
                              int line)
{
    fprintf(stderr, "%s:%d: class '%s' is no '%s'%s\n", file, line,
            klass ? object_class_get_name(klass) : "(none)", type,
            type_lookup(type) ? "" : ", which is not registered");
    abort();
}
