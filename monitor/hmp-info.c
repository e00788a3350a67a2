/* SPDX-License-Identifier: MIT */
/*
 * What "info" tells of the program and of the machine as a whole.
 */
#include "config.h"

#include <qomet/accel/runstate.h>
#include <qomet/hw/core/qdev.h>
#include "monitor/hmp-handlers.h"
#include "monitor/hmp-int.h"

bool hmp_do_info_status(Monitor *mon, GVariant *args, GError **errp)
{
    RunState state = runstate_get();

    (void)args;
    (void)errp;
    if (state == RUN_STATE_RUNNING || state == RUN_STATE_PAUSED) {
        monitor_printf(mon, "VM status: %s\n", runstate_name(state));
    } else {
        monitor_printf(mon, "VM status: paused (%s)\n", runstate_name(state));
    }
    return true;
}

bool hmp_do_info_version(Monitor *mon, GVariant *args, GError **errp)
{
    (void)args;
    (void)errp;
    monitor_puts(mon, PACKAGE_STRING "\n");
    return true;
}

/* ---- Modules ---- */

bool hmp_do_info_modules(Monitor *mon, GVariant *args, GError **errp)
{
    g_auto(GStrv) files = module_list();

    (void)args;
    (void)errp;
    for (char **file = files; *file; file++) {
        monitor_printf(mon, "%s\n", *file);
    }
    if (!*files) {
        monitor_puts(mon, "No modules are loaded\n");
    }
    return true;
}

/* ---- Devices by what they are joined to ---- */

/** Devices that have a property of one name: who has "netdev" is a network device. */
typedef struct Joined {
    Monitor *mon;
    const char *property;
    unsigned n;
} Joined;

static int show_joined(Object *obj, void *opaque)
{
    Joined *j = opaque;
    g_autofree char *path = NULL, *text = NULL;

    if (object_dynamic_cast(obj, TYPE_DEVICE) && object_property_exists(obj, j->property)) {
        path = object_get_canonical_path(obj);
        text = object_property_print(obj, j->property, NULL);
        monitor_printf(j->mon, "%s: %s, %s=%s\n", path, object_get_typename(obj), j->property,
                       text ? text : "");
        j->n++;
    }
    return 0;
}

static void show_devices(Monitor *mon, const char *property, const char *what)
{
    Joined j = { .mon = mon, .property = property };

    object_child_foreach_recursive(object_get_root(), show_joined, &j);
    if (!j.n) {
        monitor_printf(mon, "No %s devices\n", what);
    }
}

bool hmp_do_info_network(Monitor *mon, GVariant *args, GError **errp)
{
    (void)args;
    (void)errp;
    show_devices(mon, "netdev", "network");
    return true;
}

bool hmp_do_info_block(Monitor *mon, GVariant *args, GError **errp)
{
    (void)args;
    (void)errp;
    show_devices(mon, "drive", "block");
    return true;
}
