/* SPDX-License-Identifier: MIT */
/*
 * Options that make objects other than devices, and the defaults that -global changes.
 */
#include <string.h>
#include <qomet/backends/chardev/char.h>
#include "options/options-int.h"

/* The names that a search for the nearest goes through; owned copies. */
typedef struct Candidates {
    GPtrArray *names;
    const char *suffix;
    bool drivers; /* only what -device can make */
} Candidates;

static void add_candidate(ObjectClass *klass, void *opaque)
{
    Candidates *c = opaque;
    const char *name = object_class_get_name(klass);

    if (!c->drivers || DEVICE_CLASS(klass)->user_creatable) {
        g_ptr_array_add(c->names, c->suffix && g_str_has_suffix(name, c->suffix)
                                      ? g_strndup(name, strlen(name) - strlen(c->suffix))
                                      : g_strdup(name));
    }
}

char *option_nearest_class(const char *name, const char *type, const char *suffix)
{
    Candidates c = { g_ptr_array_new_with_free_func(g_free), suffix, !strcmp(type, TYPE_DEVICE) };
    const char *near;
    char *text;

    object_class_foreach(add_candidate, type, false, &c);
    g_ptr_array_add(c.names, NULL);
    near = qom_nearest(name, (const char *const *)c.names->pdata);
    text = near ? g_strdup_printf(" (did you mean '%s'?)", near) : g_strdup("");
    g_ptr_array_free(c.names, TRUE);
    return text;
}

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
        return true;
    }
    near = option_nearest_class(type, TYPE_USER_CREATABLE, NULL);
    qom_error_set(errp, QOM_ERROR_NOT_FOUND, "'%s' is not a type of object that can be made%s",
                  type, near);
    return false;
}

bool option_apply_object(OptionPlan *plan, OptionWord *word, GError **errp)
{
    (void)plan;
    return user_creatable_add(word->kv, errp) != NULL;
}

/* ---- -chardev ---- */

bool option_apply_chardev(OptionPlan *plan, OptionWord *word, GError **errp)
{
    (void)plan;
    return qemu_chr_new_keyval(word->kv, errp) != NULL;
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
        g_autofree char *near = option_nearest_class(driver, TYPE_OBJECT, NULL);

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
