/* SPDX-License-Identifier: MIT */
/*
 * Objects and their properties, and what comes in the words of the command line.
 */
#include <string.h>
#include <qomet/monitor/qmp.h>
#include <qomet/options/options.h>
#include "monitor/hmp-handlers.h"
#include "monitor/hmp-int.h"
#include "monitor/introspect.h"

/* ---- Properties ---- */

bool hmp_do_qom_list(Monitor *mon, GVariant *args, GError **errp)
{
    const char *path = qmp_arg_str(args, "path");
    Object *obj = introspect_find(path ? path : "/", errp);
    ObjectPropertyIterator iter;
    ObjectPropertyView view;

    if (!obj) {
        return false;
    }
    object_property_iter_init(&iter, obj);
    while (object_property_iter_next(&iter, &view)) {
        monitor_printf(mon, "%s (%s)\n", view.name, view.type);
    }
    return true;
}

bool hmp_do_qom_get(Monitor *mon, GVariant *args, GError **errp)
{
    Object *obj = introspect_find(qmp_arg_str(args, "path"), errp);
    g_autoptr(GVariant) value =
        obj ? object_property_get(obj, qmp_arg_str(args, "property"), errp) : NULL;
    g_autofree char *text = value ? json_from_variant_pretty(value) : NULL;

    if (text) {
        monitor_printf(mon, "%s\n", text);
    }
    return value != NULL;
}

/* The value is JSON. */
static bool set_json(Object *obj, const char *property, const char *text, GError **errp)
{
    g_autoptr(GVariant) value = json_to_variant(text, errp);

    return value && object_property_set(obj, property, value, errp);
}

bool hmp_do_qom_set(Monitor *mon, GVariant *args, GError **errp)
{
    const char *property = qmp_arg_str(args, "property");
    const char *text = qmp_arg_str(args, "value");
    Object *obj = introspect_find(qmp_arg_str(args, "path"), errp);

    (void)mon;
    if (!obj) {
        return false;
    }
    return qmp_arg_bool(args, "j", false) ? set_json(obj, property, text, errp)
                                          : object_property_parse(obj, property, text, errp);
}

/* ---- Words ---- */

/*
 * The argument "words" as the command line has it behind @option, taken apart. NULL: what they ask
 * was answered (*@answered), or @errp is set.
 */
static KeyVal *take_words(Monitor *mon, GVariant *args, const char *option, const char *implied_key,
                          bool *answered, GError **errp)
{
    const char *words = qmp_arg_str(args, "words");
    char *const line[] = { (char *)option, (char *)words, NULL };
    g_autofree char *text = options_answer(line);

    *answered = text != NULL;
    if (text) {
        monitor_puts(mon, text);
        return NULL;
    }
    return keyval_parse(words, implied_key, errp);
}

bool hmp_do_device_add(Monitor *mon, GVariant *args, GError **errp)
{
    bool answered;
    g_autoptr(KeyVal) kv = take_words(mon, args, "-device", "driver", &answered, errp);

    return answered || (kv && options_device_add(kv, errp));
}

bool hmp_do_object_add(Monitor *mon, GVariant *args, GError **errp)
{
    bool answered;
    g_autoptr(KeyVal) kv = take_words(mon, args, "-object", "qom-type", &answered, errp);

    return answered || (kv && user_creatable_add(kv, errp));
}
