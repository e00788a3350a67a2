/* SPDX-License-Identifier: MIT */
/*
 * The whole tree in one answer. It is written as text at once: a machine has tens of thousands of
 * properties.
 */
#include <qomet/monitor/qmp.h>
#include <qomet/qom/keyval.h>
#include "monitor/handlers.h"
#include "monitor/introspect.h"

static void append_properties(GString *out, Object *obj)
{
    const char *between = "";
    ObjectPropertyIterator iter;
    ObjectPropertyView view;

    object_property_iter_init(&iter, obj);
    while (object_property_iter_next(&iter, &view)) {
        if (view.child) {
            continue;
        }
        g_string_append(out, between);
        json_append_string(out, view.name);
        g_string_append(out, ": ");
        object_property_append_json(obj, &view, out);
        between = ", ";
    }
}

/* An ObjectTree of the schema. */
static void append_object(GString *out, Object *obj);

static int append_child(Object *child, void *opaque)
{
    GString *out = opaque;

    if (out->str[out->len - 1] != '[') {
        g_string_append(out, ", ");
    }
    append_object(out, child);
    return 0;
}

static void append_object(GString *out, Object *obj)
{
    const char *name = object_get_canonical_path_component(obj);

    g_string_append(out, "{\"name\": ");
    json_append_string(out, name ? name : "/");
    g_string_append(out, ", \"properties\": {");
    append_properties(out, obj);
    g_string_append(out, "}, \"children\": [");
    object_child_foreach(obj, append_child, out);
    g_string_append(out, "]}");
}

bool qmp_do_qom_tree(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    const char *path = qmp_arg_str(args, "path");
    Object *obj = introspect_find(path ? path : "/", errp);
    GString *out;

    (void)mon;
    if (!obj) {
        return false;
    }
    out = g_string_new(NULL);
    append_object(out, obj);
    *ret = json_new_text(g_string_free(out, FALSE));
    return true;
}
