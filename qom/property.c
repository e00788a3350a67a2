/* SPDX-License-Identifier: MIT */
/*
 * Properties of objects: finding one by name, and setting, getting, parsing and printing it as a
 * value or text. The typed accessors are in property-typed.c.
 */
#include <qomet/qom/value.h>
#include "qom/property-int.h"

/* ---- Finding ---- */

/* Of the names that might have been meant: not those of children, which can be neither set nor parsed. */
static char *did_you_mean(Object *obj, const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    ObjectPropertyIterator iter;
    ObjectPropertyView view;

    object_property_iter_init(&iter, obj);
    while (object_property_iter_next(&iter, &view)) {
        if (!view.child) {
            g_ptr_array_add(names, (void *)view.name);
        }
    }
    g_ptr_array_add(names, NULL);
    return qom_did_you_mean(name, (const char *const *)names->pdata);
}

void property_set_unknown(Object *obj, const char *name, GError **errp)
{
    g_autofree char *near = NULL;

    if (!errp) {
        return;
    }
    near = did_you_mean(obj, name);
    qom_error_set(errp, QOM_ERROR_NOT_FOUND, "Property '%s.%s' not found%s",
                  object_get_typename(obj), name, near);
}

bool property_find(Object *obj, const char *name, PropertyPlace *place, GError **errp)
{
    /*
     * There is no circle: an alias is made only where its way ends, so none leads to one that leads
     * back.
     */
    for (;;) {
        const Property *prop = property_table_find(obj->class->properties, name);
        ObjectProperty *op = prop || !obj->node ? NULL : object_node_find(obj, name);

        if (!prop && !op) {
            property_set_unknown(obj, name, errp);
            return false;
        }
        if (!op || !op->alias_target) {
            *place = (PropertyPlace){
                .obj = obj,
                .prop = op && op->prop.info ? &op->prop : prop,
                .child = op ? op->child : NULL,
            };
            return true;
        }
        obj = op->alias_target;
        name = op->alias_name;
    }
}

bool object_property_exists(Object *obj, const char *name)
{
    return property_table_find(obj->class->properties, name) ||
           (obj->node && object_node_find(obj, name));
}

/* ---- Values ---- */

static void prefix_error(Object *obj, const char *name, GError **errp)
{
    qom_error_set_if_none(errp, QOM_ERROR_FAILED, "its accessor has failed and does not say why");
    g_prefix_error(errp, "property '%s' of '%s': ", name, object_get_typename(obj));
}

GVariant *property_get_value(Object *obj, const Property *prop, GError **errp)
{
    GVariant *value;

    /* What is found and is no child has a property behind it; the analyzer cannot know. */
    g_assert(prop);
    if (prop->get) {
        value = prop->get(obj, prop, errp);
    } else if (prop->info->get) {
        value = prop->info->get(obj, prop, errp);
    } else if (prop->info->kind == PROP_KIND_LINK) {
        value = g_variant_new_take_string(property_link_path(obj, prop));
    } else {
        value = property_field_get(prop, property_field(obj, prop), errp);
    }
    if (!value) {
        prefix_error(obj, prop->name, errp);
        return NULL;
    }
    return g_variant_take_ref(value);
}

static bool link_set_value(Object *obj, const Property *prop, GVariant *value, GError **errp)
{
    Object *target = NULL;

    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING) &&
        !property_link_resolve(prop, g_variant_get_string(value, NULL), &target, errp)) {
        return false;
    }
    return property_link_set(obj, prop, target, errp);
}

static bool store_value(Object *obj, const Property *prop, GVariant *value, GError **errp)
{
    g_autoptr(GVariant) checked = property_check(prop, value, errp);

    if (!checked) {
        return false;
    }
    if (prop->set) {
        return prop->set(obj, prop, checked, errp);
    }
    if (prop->info->set) {
        return prop->info->set(obj, prop, checked, errp);
    }
    if (prop->info->kind == PROP_KIND_LINK) {
        return link_set_value(obj, prop, checked, errp);
    }
    property_field_set(prop, property_field(obj, prop), checked);
    return true;
}

bool property_set_value(Object *obj, const Property *prop, GVariant *value, GError **errp)
{
    if (store_value(obj, prop, value, errp)) {
        return true;
    }
    prefix_error(obj, prop->name, errp);
    return false;
}

bool property_may_set(Object *obj, const Property *prop, GError **errp)
{
    if (!property_settable(prop)) {
        qom_error_set(errp, QOM_ERROR_STATE, "property '%s' of '%s' is read-only", prop->name,
                      object_get_typename(obj));
        return false;
    }
    return !obj->class->may_set || qom_method_ok(obj->class->may_set(obj, prop, errp),
                                                 object_get_typename(obj), "may_set", errp);
}

/* Finds a property that may be set now. */
static bool find_to_set(Object *obj, const char *name, PropertyPlace *place, GError **errp)
{
    if (!property_find(obj, name, place, errp)) {
        return false;
    }
    if (!place->prop) {
        qom_error_set(errp, QOM_ERROR_STATE, "'%s' of '%s' is a child object and cannot be set",
                      name, object_get_typename(place->obj));
        return false;
    }
    return property_may_set(place->obj, place->prop, errp);
}

bool object_property_set(Object *obj, const char *name, GVariant *value, GError **errp)
{
    g_autoptr(GVariant) held = g_variant_ref_sink(value);
    PropertyPlace place;

    return find_to_set(obj, name, &place, errp) &&
           property_set_value(place.obj, place.prop, held, errp);
}

GVariant *object_property_get(Object *obj, const char *name, GError **errp)
{
    PropertyPlace place;

    if (!property_find(obj, name, &place, errp)) {
        return NULL;
    }
    if (place.child) {
        char *path = object_get_canonical_path(place.child);

        return g_variant_ref_sink(g_variant_new_take_string(path ? path : g_strdup("")));
    }
    return property_get_value(place.obj, place.prop, errp);
}

bool object_property_parse(Object *obj, const char *name, const char *text, GError **errp)
{
    g_autoptr(GVariant) value = NULL;
    PropertyPlace place;

    if (!find_to_set(obj, name, &place, errp)) {
        return false;
    }
    value = property_parse_text(place.prop, text, errp);
    if (!value) {
        prefix_error(place.obj, place.prop->name, errp);
        return false;
    }
    return property_set_value(place.obj, place.prop, value, errp);
}

char *object_property_print(Object *obj, const char *name, GError **errp)
{
    g_autoptr(GVariant) value = NULL;
    PropertyPlace place;

    if (!property_find(obj, name, &place, errp)) {
        return NULL;
    }
    if (place.child) {
        char *path = object_get_canonical_path(place.child);

        return path ? path : g_strdup("");
    }
    value = property_get_value(place.obj, place.prop, errp);
    return value ? property_print_value(place.prop, value) : NULL;
}

/* ---- Iteration ---- */

void object_property_iter_init(ObjectPropertyIterator *iter, Object *obj)
{
    *iter = (ObjectPropertyIterator){ .obj = obj };
    iter->link = obj->node ? obj->node->order.head : NULL;
}

void object_property_iter_init_instance(ObjectPropertyIterator *iter, Object *obj)
{
    object_property_iter_init(iter, obj);
    iter->next = obj->class->property_list->len;
}

static void view_of_property(const Property *prop, ObjectPropertyView *view)
{
    *view = (ObjectPropertyView){
        .name = prop->name,
        .type = object_property_type_name(prop),
        .description = prop->help,
        .prop = prop,
        .settable = property_settable(prop),
    };
}

static void view_of_instance(Object *obj, const ObjectProperty *op, ObjectPropertyView *view)
{
    PropertyPlace place;

    if (op->prop.info) {
        view_of_property(&op->prop, view);
    } else {
        *view = (ObjectPropertyView){ .name = op->prop.name,
                                      .type = op->type_name,
                                      .child = op->child };
    }
    if (op->alias_target && property_find(obj, op->prop.name, &place, NULL) && place.prop) {
        view->description = place.prop->help;
        view->settable = property_settable(place.prop);
    }
    view->instance = true;
}

bool object_property_iter_next(ObjectPropertyIterator *iter, ObjectPropertyView *view)
{
    const GPtrArray *list = iter->obj->class->property_list;
    ObjectProperty *op;

    if (iter->next < list->len) {
        view_of_property(list->pdata[iter->next++], view);
        return true;
    }
    if (!iter->link) {
        return false;
    }
    op = iter->link->data;
    /* Now, so that the caller may delete what it is shown. */
    iter->link = iter->link->next;
    view_of_instance(iter->obj, op, view);
    return true;
}
