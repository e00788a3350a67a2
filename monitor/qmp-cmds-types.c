/* SPDX-License-Identifier: MIT */
/*
 * Commands about types: which there are, and which properties their objects will have. All is read
 * from the classes; no object is made.
 */
#include <qomet/hw/core/qdev.h>
#include <qomet/monitor/qmp.h>
#include "monitor/handlers.h"
#include "monitor/introspect.h"

bool qmp_do_qom_list_types(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    g_autoptr(GSList) classes = NULL;
    GVariantBuilder list;

    (void)mon;
    (void)errp;
    module_load_all(NULL);
    classes = object_class_get_list(qmp_arg_str(args, "implements"),
                                    qmp_arg_bool(args, "abstract", false));
    g_variant_builder_init(&list, G_VARIANT_TYPE("av"));
    for (GSList *at = classes; at; at = at->next) {
        const ObjectClass *klass = at->data, *parent = object_class_get_parent(at->data);
        bool abstract = object_class_is_abstract(klass);

        g_variant_builder_add(
            &list, "v",
            qmp_object("name", g_variant_new_string(object_class_get_name(klass)), "abstract",
                       abstract ? g_variant_new_boolean(true) : NULL, "parent",
                       parent ? g_variant_new_string(object_class_get_name(parent)) : NULL, NULL));
    }
    *ret = g_variant_builder_end(&list);
    return true;
}

/* ---- Properties of a class ---- */

static GVariant *property_info(const Property *prop, bool with_default)
{
    g_autoptr(GVariant) defval = with_default ? object_property_default(prop) : NULL;

    return qmp_object("name", g_variant_new_string(prop->name), "type",
                      g_variant_new_string(object_property_type_name(prop)), "description",
                      prop->help ? g_variant_new_string(prop->help) : NULL, "default-value", defval,
                      NULL);
}

/* Those of @klass that @common (NULL: nothing) has not; floating. */
static GVariant *class_properties(ObjectClass *klass, ObjectClass *common)
{
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("av"));
    for (guint i = 0; i < klass->property_list->len; i++) {
        const Property *prop = g_ptr_array_index(klass->property_list, i);

        if (!common || !object_class_property_find(common, prop->name)) {
            g_variant_builder_add(&list, "v", property_info(prop, common != NULL));
        }
    }
    return g_variant_builder_end(&list);
}

bool qmp_do_qom_list_properties(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    ObjectClass *klass = introspect_class(qmp_arg_str(args, "typename"), "Class", NULL, errp);

    (void)mon;
    if (!klass) {
        return false;
    }
    if (object_class_is_interface(klass)) {
        qmp_error_set(errp, QMP_ERROR_GENERIC,
                      "Parameter 'typename' expects a QOM type with objects, '%s' is an interface",
                      object_class_get_name(klass));
        return false;
    }
    *ret = class_properties(klass, NULL);
    return true;
}

bool qmp_do_device_list_properties(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    ObjectClass *klass =
        introspect_class(qmp_arg_str(args, "typename"), "Device", TYPE_DEVICE, errp);

    (void)mon;
    if (!klass) {
        return false;
    }
    if (object_class_is_abstract(klass) || !object_class_dynamic_cast(klass, TYPE_DEVICE)) {
        qmp_error_set(errp, QMP_ERROR_GENERIC,
                      "Parameter 'typename' expects a non-abstract device type");
        return false;
    }
    *ret = class_properties(klass, object_class_by_name(TYPE_DEVICE));
    return true;
}
