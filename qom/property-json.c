/* SPDX-License-Identifier: MIT */
/*
 * What properties hold, as JSON, where there are many: the whole tree is told in one answer. Plain
 * fields are written without a value in between.
 */
#include <qomet/qom/keyval.h>
#include "qom/property-int.h"

static void append_value(Object *obj, const Property *prop, GString *out)
{
    g_autoptr(GVariant) value = property_get_value(obj, prop, NULL);

    if (value) {
        json_append_variant(out, value);
    } else {
        g_string_append(out, "null");
    }
}

/* The path of @target, or an empty string. */
static void append_path(const Object *target, GString *out)
{
    g_autofree char *path = target ? object_get_canonical_path(target) : NULL;

    json_append_string(out, path ? path : "");
}

static void append_field(Object *obj, const Property *prop, GString *out)
{
    const void *field = property_field(obj, prop);
    unsigned size = prop->info->size;

    switch (prop->info->kind) {
    case PROP_KIND_BOOL:
        g_string_append(out, property_load_uint(field, sizeof(bool)) ? "true" : "false");
        break;
    case PROP_KIND_BIT:
        g_string_append(out, property_load_bit(field, prop) ? "true" : "false");
        break;
    case PROP_KIND_INT:
        json_append_int(out, property_load_int(field, size));
        break;
    case PROP_KIND_UINT:
        json_append_uint(out, property_load_uint(field, size));
        break;
    case PROP_KIND_LINK:
        append_path(*(Object *const *)field, out);
        break;
    default:
        append_value(obj, prop, out);
        break;
    }
}

void object_property_append_json(Object *obj, const ObjectPropertyView *view, GString *out)
{
    PropertyPlace place = { .obj = obj, .prop = view->prop, .child = view->child };

    if (!place.prop && !place.child && !property_find(obj, view->name, &place, NULL)) {
        g_string_append(out, "null");
    } else if (place.child) {
        append_path(place.child, out);
    } else if (property_reads_field(place.prop)) {
        append_field(place.obj, place.prop, out);
    } else {
        append_value(place.obj, place.prop, out);
    }
}
