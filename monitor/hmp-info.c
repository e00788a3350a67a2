/* SPDX-License-Identifier: MIT */
/*
 * What "info" tells of the program and of the machine as a whole.
 */
#include "config.h"

#include <inttypes.h>
#include <qomet/accel/cpu.h>
#include <qomet/accel/runstate.h>
#include <qomet/hw/intc/intc.h>
#include <qomet/monitor/qmp.h>
#include "monitor/handlers.h"
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

/* ---- Character devices ---- */

bool hmp_do_info_chardev(Monitor *mon, GVariant *args, GError **errp)
{
    g_autoptr(GVariant) list = NULL;

    if (!qmp_do_query_chardev(mon, args, &list, errp)) {
        return false;
    }
    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) box = g_variant_get_child_value(list, i);
        g_autoptr(GVariant) info = g_variant_get_variant(box);

        monitor_printf(mon, "%s: filename=%s\n", qmp_arg_str(info, "label"),
                       qmp_arg_str(info, "filename"));
    }
    return true;
}

/* ---- Interrupts ---- */

/* Calls @fn for each interrupt controller of the machine. */
static void foreach_controller(int (*fn)(Object *obj, void *opaque), Monitor *mon)
{
    object_child_foreach_recursive(qdev_get_machine(), fn, mon);
}

static int show_statistics(Object *obj, void *opaque)
{
    const InterruptStatsProviderClass *ic;
    Monitor *mon = opaque;
    g_autofree uint64_t *counts = NULL;

    if (!object_dynamic_cast(obj, TYPE_INTERRUPT_STATS_PROVIDER)) {
        return 0;
    }
    ic = INTERRUPT_STATS_PROVIDER_GET_CLASS(obj);
    counts = g_new0(uint64_t, ic->inputs);
    ic->get_statistics(INTERRUPT_STATS_PROVIDER(obj), counts, ic->inputs);
    monitor_printf(mon, "IRQ statistics for %s:\n", object_get_typename(obj));
    for (unsigned i = 0; i < ic->inputs; i++) {
        if (counts[i]) {
            monitor_printf(mon, "%2u: %" PRIu64 "\n", i, counts[i]);
        }
    }
    return 0;
}

bool hmp_do_info_irq(Monitor *mon, GVariant *args, GError **errp)
{
    (void)args;
    (void)errp;
    foreach_controller(show_statistics, mon);
    return true;
}

static int show_controller(Object *obj, void *opaque)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (object_dynamic_cast(obj, TYPE_INTERRUPT_STATS_PROVIDER)) {
        g_autofree char *path = object_get_canonical_path(obj);

        g_string_append_printf(text, "%s (%s):\n", path, object_get_typename(obj));
        INTERRUPT_STATS_PROVIDER_GET_CLASS(obj)->print_info(INTERRUPT_STATS_PROVIDER(obj), text);
        monitor_puts(opaque, text->str);
    }
    return 0;
}

bool hmp_do_info_pic(Monitor *mon, GVariant *args, GError **errp)
{
    (void)args;
    (void)errp;
    pause_all_vcpus();
    foreach_controller(show_controller, mon);
    resume_all_vcpus();
    return true;
}
