/* SPDX-License-Identifier: MIT */
/*
 * Links: pointers from one object to another that are properties. A strong one holds a reference. A
 * weak one is kept in a register by its target, and becomes NULL when the target leaves the tree or
 * ends.
 */
#include "qom/property-int.h"

/** A weak link that points somewhere, in the list of its target's. */
typedef struct WeakLink {
    Object **field;
    Object *target;
    struct WeakLink *prev, *next;
} WeakLink;

/* Both under weak_lock; they exist while there are weak links that point somewhere. */
static pthread_mutex_t weak_lock = PTHREAD_MUTEX_INITIALIZER;
static GHashTable *weak_by_field;  /* Object ** -> WeakLink *, owned */
static GHashTable *weak_by_target; /* Object * -> the first WeakLink * of its list */

static void weak_remove_locked(Object **field)
{
    WeakLink *link = weak_by_field ? g_hash_table_lookup(weak_by_field, field) : NULL;

    if (!link) {
        return;
    }
    if (link->next) {
        link->next->prev = link->prev;
    }
    if (link->prev) {
        link->prev->next = link->next;
    } else if (link->next) {
        g_hash_table_insert(weak_by_target, link->target, link->next);
    } else {
        g_hash_table_remove(weak_by_target, link->target);
    }
    g_hash_table_remove(weak_by_field, field);
    if (!g_hash_table_size(weak_by_field)) {
        g_clear_pointer(&weak_by_field, g_hash_table_unref);
        g_clear_pointer(&weak_by_target, g_hash_table_unref);
    }
}

static void weak_add_locked(Object **field, Object *target)
{
    WeakLink *link = g_new0(WeakLink, 1);

    if (!weak_by_field) {
        weak_by_field = g_hash_table_new_full(NULL, NULL, NULL, g_free);
        weak_by_target = g_hash_table_new(NULL, NULL);
    }
    link->field = field;
    link->target = target;
    link->next = g_hash_table_lookup(weak_by_target, target);
    if (link->next) {
        link->next->prev = link;
    }
    g_hash_table_insert(weak_by_target, target, link);
    g_hash_table_insert(weak_by_field, field, link);
    __atomic_store_n(&target->weakly_linked, 1, __ATOMIC_RELEASE);
}

static void weak_set(Object **field, Object *target)
{
    pthread_mutex_lock(&weak_lock);
    weak_remove_locked(field);
    if (target) {
        weak_add_locked(field, target);
    }
    __atomic_store_n(field, target, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&weak_lock);
}

void object_links_clear_to(Object *target)
{
    WeakLink *link;

    if (!__atomic_load_n(&target->weakly_linked, __ATOMIC_ACQUIRE)) {
        return;
    }
    pthread_mutex_lock(&weak_lock);
    __atomic_store_n(&target->weakly_linked, 0, __ATOMIC_RELAXED);
    while (weak_by_target && (link = g_hash_table_lookup(weak_by_target, target))) {
        __atomic_store_n(link->field, NULL, __ATOMIC_RELEASE);
        weak_remove_locked(link->field);
    }
    pthread_mutex_unlock(&weak_lock);
}

/* An object that held itself could never end. */
static bool holds_reference(const Object *obj, const Property *prop, const Object *target)
{
    return prop->link_flags & OBJ_PROP_LINK_STRONG && target && target != obj;
}

static void point_at(Object *obj, const Property *prop, Object *target)
{
    Object **field = property_field(obj, prop);
    Object *old = *field;

    if (!(prop->link_flags & OBJ_PROP_LINK_STRONG)) {
        weak_set(field, target);
        return;
    }
    if (holds_reference(obj, prop, target)) {
        object_ref(target);
    }
    __atomic_store_n(field, target, __ATOMIC_RELEASE);
    if (holds_reference(obj, prop, old)) {
        object_unref(old);
    }
}

bool object_property_allow_set_link(Object *obj G_GNUC_UNUSED, const Property *prop G_GNUC_UNUSED,
                                    Object *target G_GNUC_UNUSED, GError **errp G_GNUC_UNUSED)
{
    return true;
}

static const char *link_type(const Property *prop)
{
    return prop->link_type ? prop->link_type : TYPE_OBJECT;
}

static bool link_type_check(const Property *prop, Object *target, GError **errp)
{
    g_autofree char *path = NULL;

    if (object_dynamic_cast(target, link_type(prop))) {
        return true;
    }
    path = object_get_canonical_path(target);
    qom_error_set(errp, QOM_ERROR_VALUE, "'%s' is of type '%s', expected an object of type '%s'",
                  path ? path : "(an object without a path)", object_get_typename(target),
                  link_type(prop));
    return false;
}

bool property_link_set(Object *obj, const Property *prop, Object *target, GError **errp)
{
    if (target && !link_type_check(prop, target, errp)) {
        return false;
    }
    if (target && target->dying) {
        qom_error_set(errp, QOM_ERROR_STATE, "the object to link to is being deleted");
        return false;
    }
    if (prop->link_check && !prop->link_check(obj, prop, target, errp)) {
        return false;
    }
    point_at(obj, prop, target);
    return true;
}

bool property_link_resolve(const Property *prop, const char *path, Object **target, GError **errp)
{
    g_autoptr(GError) err = NULL;
    Object *other;

    *target = NULL;
    if (!*path) {
        return true;
    }
    *target = object_resolve_path_err(path, link_type(prop), &err);
    if (*target) {
        return true;
    }
    /* An object of another type explains more than "not found". */
    other = object_resolve_path(path, NULL);
    if (!other || link_type_check(prop, other, errp)) {
        g_propagate_error(errp, g_steal_pointer(&err));
    }
    return false;
}

char *property_link_path(const Object *obj, const Property *prop)
{
    Object *target = *(Object **)property_field(obj, prop);
    char *path = target ? object_get_canonical_path(target) : NULL;

    return path ? path : g_strdup("");
}

void property_link_clear(Object *obj, const Property *prop)
{
    if (*(Object **)property_field(obj, prop)) {
        point_at(obj, prop, NULL);
    }
}
