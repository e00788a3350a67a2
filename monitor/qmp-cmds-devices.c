/* SPDX-License-Identifier: MIT */
/*
 * Devices and other objects that come and go while the machine runs. They are made by the code
 * behind -device and -object.
 */
#include <qomet/hw/core/bus.h>
#include <qomet/monitor/qmp.h>
#include <qomet/options/options.h>
#include "monitor/handlers.h"
#include "monitor/introspect.h"

bool qmp_do_device_add(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    g_autoptr(KeyVal) kv = keyval_from_variant(args);

    (void)mon;
    (void)ret;
    /* A string may stand for a value of any type, as behind -device. */
    for (guint i = 0; i < kv->items->len; i++) {
        KeyValItem *item = g_ptr_array_index(kv->items, i);

        if (g_variant_is_of_type(item->value, G_VARIANT_TYPE_STRING)) {
            item->text = g_variant_dup_string(item->value, NULL);
            g_clear_pointer(&item->value, g_variant_unref);
        }
    }
    return options_device_add(kv, errp) != NULL;
}

static int collect_name(Object *child, void *opaque)
{
    g_ptr_array_add(opaque, (void *)object_get_canonical_path_component(child));
    return 0;
}

/* The device of that id, or NULL with the nearest one in @errp. */
static Object *device_by_id(const char *id, GError **errp)
{
    Object *place = container_get(qdev_get_machine(), "/peripheral");
    Object *obj = object_resolve_path_component(place, id);
    g_autoptr(GPtrArray) names = NULL;
    g_autofree char *near = NULL;

    if (!obj) {
        names = g_ptr_array_new();
        object_child_foreach(place, collect_name, names);
        g_ptr_array_add(names, NULL);
        near = qom_did_you_mean(id, (const char *const *)names->pdata);
        qmp_error_set(errp, QMP_ERROR_DEVICE_NOT_FOUND, "Device '%s' not found%s", id, near);
    }
    return obj;
}

bool qmp_do_device_del(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    const char *id = qmp_arg_str(args, "id");
    Object *obj = *id == '/' ? introspect_find(id, errp) : device_by_id(id, errp);

    (void)mon;
    (void)ret;
    if (!obj) {
        return false;
    }
    if (!object_dynamic_cast(obj, TYPE_DEVICE)) {
        qmp_error_set(errp, QMP_ERROR_GENERIC, "%s is not a hotpluggable device", id);
        return false;
    }
    return qdev_unplug(DEVICE(obj), errp);
}

bool qmp_do_object_add(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    g_autoptr(KeyVal) kv = keyval_from_variant(args);

    (void)mon;
    (void)ret;
    return user_creatable_add(kv, errp) != NULL;
}

bool qmp_do_object_del(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    (void)mon;
    (void)ret;
    return user_creatable_del(qmp_arg_str(args, "id"), errp);
}
