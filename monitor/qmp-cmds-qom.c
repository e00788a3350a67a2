/* SPDX-License-Identifier: MIT */
/*
 * Commands about one object: which properties it has, and what they hold.
 */
#include <qomet/monitor/qmp.h>
#include <qomet/qom/keyval.h>
#include "monitor/handlers.h"
#include "monitor/introspect.h"

/* As much as a request may have: a path is short, and what it names is long. */
#define ANSWER_MAX (64 * 1024 * 1024)

bool qmp_do_qom_list(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    Object *obj = introspect_find(qmp_arg_str(args, "path"), errp);
    ObjectPropertyIterator iter;
    ObjectPropertyView view;
    GVariantBuilder list;

    (void)mon;
    if (!obj) {
        return false;
    }
    g_variant_builder_init(&list, G_VARIANT_TYPE("av"));
    object_property_iter_init(&iter, obj);
    while (object_property_iter_next(&iter, &view)) {
        g_variant_builder_add(&list, "v",
                              qmp_object("name", g_variant_new_string(view.name), "type",
                                         g_variant_new_string(view.type), NULL));
    }
    *ret = g_variant_builder_end(&list);
    return true;
}

/* An ObjectPropertiesValues of the schema, as text: thousands of them may be asked for at once. */
static void append_properties(GString *out, Object *obj)
{
    const char *between = "";
    ObjectPropertyIterator iter;
    ObjectPropertyView view;

    g_string_append(out, "{\"properties\": [");
    object_property_iter_init(&iter, obj);
    while (object_property_iter_next(&iter, &view)) {
        g_autoptr(GVariant) value = object_property_get(obj, view.name, NULL);

        g_string_append(out, between);
        g_string_append(out, "{\"name\": ");
        json_append_string(out, view.name);
        g_string_append(out, ", \"type\": ");
        json_append_string(out, view.type);
        if (value) {
            /* One that cannot be read has none. */
            g_string_append(out, ", \"value\": ");
            json_append_variant(out, value);
        }
        g_string_append_c(out, '}');
        between = ", ";
    }
    g_string_append(out, "]}");
}

bool qmp_do_qom_list_get(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    g_autoptr(GVariant) paths = qmp_arg(args, "paths");
    g_autoptr(GString) out = g_string_new("[");

    (void)mon;
    for (gsize i = 0; i < g_variant_n_children(paths); i++) {
        g_autoptr(GVariant) box = g_variant_get_child_value(paths, i);
        g_autoptr(GVariant) path = g_variant_get_variant(box);
        Object *obj = introspect_find(g_variant_get_string(path, NULL), errp);

        if (!obj) {
            return false;
        }
        if (i > 0) {
            g_string_append(out, ", ");
        }
        append_properties(out, obj);
        if (out->len > ANSWER_MAX) {
            qom_error_set(errp, QOM_ERROR_VALUE,
                          "'paths[%zu]' makes the answer longer than %d MiB: ask for fewer at once",
                          i, ANSWER_MAX >> 20);
            return false;
        }
    }
    g_string_append_c(out, ']');
    *ret = json_new_text(g_string_free(g_steal_pointer(&out), FALSE));
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
