/* SPDX-License-Identifier: MIT */
/*
 * Commands about one object: which properties it has, and what they hold.
 */
#include <qomet/monitor/qmp.h>
#include "monitor/handlers.h"
#include "monitor/introspect.h"

/* Every property of @obj, with its value where @values; floating. */
static GVariant *list_properties(Object *obj, bool values)
{
    ObjectPropertyIterator iter;
    ObjectPropertyView view;
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("av"));
    object_property_iter_init(&iter, obj);
    while (object_property_iter_next(&iter, &view)) {
        /* One that cannot be read has none. */
        g_autoptr(GVariant) value = values ? object_property_get(obj, view.name, NULL) : NULL;

        g_variant_builder_add(&list, "v",
                              qmp_object("name", g_variant_new_string(view.name), "type",
                                         g_variant_new_string(view.type), "value", value, NULL));
    }
    return g_variant_builder_end(&list);
}

bool qmp_do_qom_list(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    Object *obj = introspect_find(qmp_arg_str(args, "path"), errp);

    (void)mon;
    if (!obj) {
        return false;
    }
    *ret = list_properties(obj, false);
    return true;
}

bool qmp_do_qom_list_get(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    g_autoptr(GVariant) paths = qmp_arg(args, "paths");
    GVariantBuilder list;

    (void)mon;
    g_variant_builder_init(&list, G_VARIANT_TYPE("av"));
    for (gsize i = 0; i < g_variant_n_children(paths); i++) {
        g_autoptr(GVariant) box = g_variant_get_child_value(paths, i);
        g_autoptr(GVariant) path = g_variant_get_variant(box);
        Object *obj = introspect_find(g_variant_get_string(path, NULL), errp);

        if (!obj) {
            g_variant_builder_clear(&list);
            return false;
        }
        g_variant_builder_add(&list, "v",
                              qmp_object("properties", list_properties(obj, true), NULL));
    }
    *ret = g_variant_builder_end(&list);
    return true;
}

bool qmp_do_qom_get(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    Object *obj = introspect_find(qmp_arg_str(args, "path"), errp);

    (void)mon;
    if (obj) {
        *ret = object_property_get(obj, qmp_arg_str(args, "property"), errp);
    }
    return *ret != NULL;
}

bool qmp_do_qom_set(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    Object *obj = introspect_find(qmp_arg_str(args, "path"), errp);
    g_autoptr(GVariant) value = qmp_arg(args, "value");

    (void)mon;
    (void)ret;
    return obj && object_property_set(obj, qmp_arg_str(args, "property"), value, errp);
}
