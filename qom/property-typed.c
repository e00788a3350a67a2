/* SPDX-License-Identifier: MIT */
/*
 * Typed accessors: a property of the class that is a plain field is read and written in place,
 * without a lock and without making a value; all else goes the way of object_property_set() and
 * object_property_get().
 */
#include <qomet/qom/value.h>
#include "qom/property-int.h"

/* The property @name of the class when it is a field of @kind to be read, else NULL. */
static inline const Property *readable(Object *obj, const char *name, PropertyKind kind)
{
    const Property *prop = property_table_find(obj->class->properties, name);

    return prop && prop->info->kind == kind && property_reads_field(prop) ? prop : NULL;
}

/* The same for writing. */
static inline const Property *writable(Object *obj, const char *name, PropertyKind kind)
{
    const Property *prop = property_table_find(obj->class->properties, name);

    return prop && prop->info->kind == kind && property_writes_field(prop) ? prop : NULL;
}

static inline bool may_set(Object *obj, const Property *prop, GError **errp)
{
    return !obj->class->may_set || obj->class->may_set(obj, prop, errp);
}

bool object_property_set_bool(Object *obj, const char *name, bool value, GError **errp)
{
    const Property *prop = writable(obj, name, PROP_KIND_BOOL);

    if (prop) {
        if (!may_set(obj, prop, errp)) {
            return false;
        }
        property_store_uint(property_field(obj, prop), sizeof(bool), value);
        return true;
    }
    return object_property_set(obj, name, g_variant_new_boolean(value), errp);
}

bool object_property_set_int(Object *obj, const char *name, int64_t value, GError **errp)
{
    const Property *prop = writable(obj, name, PROP_KIND_INT);

    if (prop && value >= property_int_min(prop) && value <= property_int_max(prop)) {
        if (!may_set(obj, prop, errp)) {
            return false;
        }
        property_store_uint(property_field(obj, prop), prop->info->size, value);
        return true;
    }
    return object_property_set(obj, name, g_variant_new_int64(value), errp);
}

bool object_property_set_uint(Object *obj, const char *name, uint64_t value, GError **errp)
{
    const Property *prop = writable(obj, name, PROP_KIND_UINT);

    if (prop && value >= property_uint_min(prop) && value <= property_uint_max(prop)) {
        if (!may_set(obj, prop, errp)) {
            return false;
        }
        property_store_uint(property_field(obj, prop), prop->info->size, value);
        return true;
    }
    return object_property_set(obj, name, g_variant_new_uint64(value), errp);
}

bool object_property_set_str(Object *obj, const char *name, const char *value, GError **errp)
{
    if (!value) {
        return object_property_set(obj, name, g_variant_new_maybe(G_VARIANT_TYPE_VARIANT, NULL),
                                   errp);
    }
    if (!g_utf8_validate(value, -1, NULL)) {
        qom_error_set(errp, QOM_ERROR_VALUE, "property '%s' of '%s': '%s' is not valid UTF-8", name,
                      object_get_typename(obj), value);
        return false;
    }
    return object_property_set(obj, name, g_variant_new_string(value), errp);
}

bool object_property_set_link(Object *obj, const char *name, Object *value, GError **errp)
{
    g_autofree char *path = NULL;
    PropertyPlace place;

    if (!property_find(obj, name, &place, errp)) {
        return false;
    }
    if (!place.prop || place.prop->info->kind != PROP_KIND_LINK) {
        qom_error_set(errp, QOM_ERROR_VALUE, "property '%s' of '%s' is no link", name,
                      object_get_typename(obj));
        return false;
    }
    if (!property_may_set(place.obj, place.prop, errp)) {
        return false;
    }
    if (property_writes_field(place.prop)) {
        if (property_link_set(place.obj, place.prop, value, errp)) {
            return true;
        }
        g_prefix_error(errp, "property '%s' of '%s': ", place.prop->name,
                       object_get_typename(place.obj));
        return false;
    }
    path = value ? object_get_canonical_path(value) : g_strdup("");
    if (!path) {
        qom_error_set(errp, QOM_ERROR_STATE,
                      "property '%s' of '%s': the object to link to has no path", name,
                      object_get_typename(obj));
        return false;
    }
    return object_property_set(obj, name, g_variant_new_string(path), errp);
}

/* Says that a property that exists is of another kind than its reader wants. */
static void set_mismatch(Object *obj, const char *name, GVariant *value, const char *wanted,
                         GError **errp)
{
    qom_error_set(errp, QOM_ERROR_VALUE, "property '%s' of '%s' is %s, not %s", name,
                  object_get_typename(obj), value_kind(value), wanted);
}

bool object_property_get_bool(Object *obj, const char *name, GError **errp)
{
    const Property *prop = readable(obj, name, PROP_KIND_BOOL);
    g_autoptr(GVariant) value = NULL;

    if (prop) {
        return property_load_uint(property_field(obj, prop), sizeof(bool));
    }
    value = object_property_get(obj, name, errp);
    if (value && !g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN)) {
        set_mismatch(obj, name, value, "a bool", errp);
        return false;
    }
    return value && g_variant_get_boolean(value);
}

/* The long ways of the two integers. */
static int64_t get_int_value(Object *obj, const char *name, GError **errp)
{
    g_autoptr(GVariant) value = object_property_get(obj, name, errp);
    int64_t number = 0;

    if (value && !value_get_int(value, INT64_MIN, INT64_MAX, &number, errp)) {
        g_prefix_error(errp, "property '%s' of '%s': ", name, object_get_typename(obj));
    }
    return number;
}

static uint64_t get_uint_value(Object *obj, const char *name, GError **errp)
{
    g_autoptr(GVariant) value = object_property_get(obj, name, errp);
    uint64_t number = 0;

    if (value && !value_get_uint(value, 0, UINT64_MAX, &number, errp)) {
        g_prefix_error(errp, "property '%s' of '%s': ", name, object_get_typename(obj));
    }
    return number;
}

int64_t object_property_get_int(Object *obj, const char *name, GError **errp)
{
    const Property *prop = readable(obj, name, PROP_KIND_INT);

    return prop ? property_load_int(property_field(obj, prop), prop->info->size)
                : get_int_value(obj, name, errp);
}

uint64_t object_property_get_uint(Object *obj, const char *name, GError **errp)
{
    const Property *prop = readable(obj, name, PROP_KIND_UINT);

    return prop ? property_load_uint(property_field(obj, prop), prop->info->size)
                : get_uint_value(obj, name, errp);
}

char *object_property_get_str(Object *obj, const char *name, GError **errp)
{
    const Property *prop = readable(obj, name, PROP_KIND_STRING);
    g_autoptr(GVariant) value = NULL;

    if (prop) {
        return g_strdup(*(char **)property_field(obj, prop));
    }
    value = object_property_get(obj, name, errp);
    if (value && !g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)) {
        set_mismatch(obj, name, value, "a string", errp);
        return NULL;
    }
    return value ? g_variant_dup_string(value, NULL) : NULL;
}

Object *object_property_get_link(Object *obj, const char *name, GError **errp)
{
    const Property *prop = readable(obj, name, PROP_KIND_LINK);
    g_autoptr(GVariant) value = NULL;
    PropertyPlace place;

    if (prop) {
        return __atomic_load_n((Object **)property_field(obj, prop), __ATOMIC_RELAXED);
    }
    if (!property_find(obj, name, &place, errp)) {
        return NULL;
    }
    if (place.child) {
        return place.child;
    }
    if (place.prop->info->kind != PROP_KIND_LINK) {
        qom_error_set(errp, QOM_ERROR_VALUE, "property '%s' of '%s' is no link", name,
                      object_get_typename(obj));
        return NULL;
    }
    if (property_reads_field(place.prop)) {
        return __atomic_load_n((Object **)property_field(place.obj, place.prop), __ATOMIC_RELAXED);
    }
    value = property_get_value(place.obj, place.prop, errp);
    return value && *g_variant_get_string(value, NULL)
               ? object_resolve_path(g_variant_get_string(value, NULL), NULL)
               : NULL;
}
