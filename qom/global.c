/* SPDX-License-Identifier: MIT */
/*
 * Global properties: what "-global driver.prop=value" asks of every object of a type that is made
 * later. Main thread.
 */
#include <qomet/qom/property.h>

typedef struct Global {
    char *driver;
    char *property;
    char *text;
    bool used;
} Global;

static GPtrArray *globals; /* of Global *, oldest first; NULL: none */

static void global_free(gpointer data)
{
    Global *global = data;

    g_free(global->driver);
    g_free(global->property);
    g_free(global->text);
    g_free(global);
}

void object_global_add(const char *driver, const char *property, const char *text)
{
    Global *global = g_new0(Global, 1);

    global->driver = g_strdup(driver);
    global->property = g_strdup(property);
    global->text = g_strdup(text);
    globals = globals ?: g_ptr_array_new_with_free_func(global_free);
    g_ptr_array_add(globals, global);
}

bool object_apply_global_props(Object *obj, GError **errp)
{
    for (guint i = 0; globals && i < globals->len; i++) {
        Global *global = globals->pdata[i];

        if (!object_dynamic_cast(obj, global->driver)) {
            continue;
        }
        global->used = true;
        if (!object_property_parse(obj, global->property, global->text, errp)) {
            g_prefix_error(errp, "-global %s.%s=%s: ", global->driver, global->property,
                           global->text);
            return false;
        }
    }
    return true;
}

void object_global_foreach_unused(void (*fn)(const char *driver, const char *property,
                                             const char *text, void *opaque),
                                  void *opaque)
{
    for (guint i = 0; globals && i < globals->len; i++) {
        const Global *global = globals->pdata[i];

        if (!global->used) {
            fn(global->driver, global->property, global->text, opaque);
        }
    }
}

void object_global_clear(void)
{
    g_clear_pointer(&globals, g_ptr_array_unref);
}
