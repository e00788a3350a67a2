/* SPDX-License-Identifier: MIT */
/*
 * Options that make objects other than devices, and the defaults that -global changes.
 */
#include <string.h>
#include <qomet/backends/chardev/char.h>
#include "options/options-int.h"

/* ---- -object ---- */

bool option_check_object(OptionPlan *plan, OptionWord *word, GError **errp)
{
    const char *type = keyval_take(word->kv, "qom-type");
    g_autofree char *near = NULL;
    ObjectClass *klass;

    (void)plan;
    if (!type) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "'qom-type' is missing: it names the type of the object");
        return false;
    }
    klass = object_class_by_name(type);
    if (klass && object_class_dynamic_cast(klass, TYPE_USER_CREATABLE) &&
        !object_class_is_abstract(klass)) {
        return option_id_is_free("/objects", keyval_take(word->kv, "id"), errp);
    }
    near = object_class_did_you_mean(type, TYPE_USER_CREATABLE, NULL, NULL);
    qom_error_set(errp, QOM_ERROR_NOT_FOUND, "'%s' is not a type of object that can be made%s",
                  type, near);
    return false;
}

/* What has a property for a chardev needs one that is there, and a debugger needs vCPUs too. */
OptionStage option_stage_of_object(const OptionWord *word)
{
    const char *type = keyval_take(word->kv, "qom-type");
    const ObjectClass *klass = type ? object_class_by_name(type) : NULL;

    for (guint i = 0; klass && i < klass->property_list->len; i++) {
        const Property *prop = g_ptr_array_index(klass->property_list, i);

        if (prop->info == &prop_info_chr) {
            return OPTION_STAGE_TALKER;
        }
    }
    return OPTION_STAGE_OBJECT;
}

bool option_apply_object(OptionPlan *plan, OptionWord *word, GError **errp)
{
    Object *obj = user_creatable_add(word->kv, errp);

    option_made(plan, obj);
    return obj != NULL;
}

/* ---- -chardev ---- */

bool option_check_chardev(OptionPlan *plan, OptionWord *word, GError **errp)
{
    (void)plan;
    return option_id_is_free("/chardevs", keyval_take(word->kv, "id"), errp);
}

bool option_apply_chardev(OptionPlan *plan, OptionWord *word, GError **errp)
{
    Chardev *chr = qemu_chr_new_keyval(word->kv, errp);

    if (chr && !host_client_present()) {
        qemu_chr_announce(chr);
    }
    option_made(plan, chr);
    return chr != NULL;
}

/* ---- -global ---- */

bool option_apply_global(OptionPlan *plan, OptionWord *word, GError **errp)
{
    const char *driver = keyval_take(word->kv, "driver");
    const char *property = keyval_take(word->kv, "property");
    const char *value = keyval_take(word->kv, "value");

    (void)plan;
    (void)errp;
    object_global_add(driver, property, value);
    return true;
}

static void warn_unused(const char *driver, const char *property, const char *text, void *opaque)
{
    ObjectClass *klass = object_class_by_name(driver);

    (void)opaque;
    if (!klass) {
        g_autofree char *near = object_class_did_you_mean(driver, TYPE_OBJECT, NULL, NULL);

        warn_report("global '%s.%s=%s' has no effect: there is no type '%s'%s", driver, property,
                    text, driver, near);
    } else if (!object_class_property_find(klass, property)) {
        warn_report("global '%s.%s=%s' has no effect: '%s' has no property '%s'", driver, property,
                    text, driver, property);
    } else {
        warn_report("global '%s.%s=%s' has no effect: no object of the type '%s' was made", driver,
                    property, text, driver);
    }
}

void option_warn_unused_globals(void)
{
    object_global_foreach_unused(warn_unused, NULL);
}
