/* SPDX-License-Identifier: MIT */
/*
 * Properties of one instance: aliases, links and array elements. They are kept beside the children
 * (tree.c).
 */
#include "qom/property-int.h"

/* Takes @op over. */
static bool add_to_instance(Object *obj, ObjectProperty *op, GError **errp)
{
    if (!property_table_find(obj->class->properties, op->prop.name)) {
        return object_node_add(obj, op, errp);
    }
    qom_error_set(errp, QOM_ERROR_EXISTS, "type '%s' has a property '%s' already",
                  object_get_typename(obj), op->prop.name);
    object_property_free(op);
    return false;
}

bool object_property_add_alias(Object *obj, const char *name, Object *target,
                               const char *target_name, GError **errp)
{
    ObjectProperty *op;
    PropertyPlace place;

    if (!property_find(target, target_name, &place, errp)) {
        g_prefix_error(errp, "alias '%s': ", name);
        return false;
    }
    op = g_new0(ObjectProperty, 1);
    op->prop.name = g_strdup(name);
    op->alias_target = target;
    op->alias_name = g_strdup(target_name);
    op->type_name = g_strdup_printf("alias<%s>", place.prop ? object_property_type_name(place.prop)
                                                            : object_get_typename(place.child));
    return add_to_instance(obj, op, errp);
}

bool object_property_add(Object *obj, const Property *prop, GError **errp)
{
    ObjectProperty *op = g_new0(ObjectProperty, 1);

    op->prop = *prop;
    op->prop.name = g_strdup(prop->name);
    return add_to_instance(obj, op, errp);
}

bool object_property_add_link(Object *obj, const char *name, const char *type, Object **slot,
                              ObjectLinkCheck *check, ObjectPropertyLinkFlags flags, GError **errp)
{
    Property prop = {
        .name = name,
        .info = &prop_info_link,
        .offset = (char *)slot - (char *)obj,
        .link_type = g_intern_string(type),
        .link_flags = flags,
        .link_check = check,
    };

    return object_property_add(obj, &prop, errp);
}

bool object_property_del(Object *obj, const char *name, GError **errp)
{
    ObjectProperty *op;

    if (property_table_find(obj->class->properties, name)) {
        qom_error_set(errp, QOM_ERROR_STATE,
                      "property '%s' belongs to the type '%s' and cannot be deleted", name,
                      object_get_typename(obj));
        return false;
    }
    op = obj->node ? object_node_find(obj, name) : NULL;
    if (!op) {
        property_set_unknown(obj, name, errp);
        return false;
    }
    if (op->child) {
        qom_error_set(errp, QOM_ERROR_STATE,
                      "'%s' of '%s' is a child object and is removed by unparenting it", name,
                      object_get_typename(obj));
        return false;
    }
    object_node_remove(obj, op);
    return true;
}
