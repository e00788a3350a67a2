/* SPDX-License-Identifier: MIT */
/*
 * What is logged while the machine runs: the items of -d, switched together or one by one.
 */
#include <string.h>
#include <qomet/accel/exit-record.h>
#include <qomet/monitor/qmp.h>
#include "monitor/hmp-handlers.h"
#include "monitor/hmp-int.h"

static uint32_t mask_now(void)
{
    return __atomic_load_n(&qemu_loglevel, __ATOMIC_RELAXED);
}

/* vCPUs that run look at it when they are told to. */
static void set_mask(uint32_t mask)
{
    __atomic_store_n(&qemu_loglevel, mask, __ATOMIC_RELAXED);
    exit_observers_changed();
}

/* ---- log ---- */

static void show_items(Monitor *mon)
{
    monitor_puts(mon, "Log items (comma separated):\n");
    monitor_printf(mon, "%-20s %s\n", "none", "no item");
    for (const LogItem *item = qemu_log_items; item->name; item++) {
        monitor_printf(mon, "%-20s %s\n", item->name, item->help);
    }
    monitor_printf(mon, "%-20s %s\n", "all", "every one of them");
}

bool hmp_do_log(Monitor *mon, GVariant *args, GError **errp)
{
    const char *items = qmp_arg_str(args, "items");
    uint32_t mask = 0;

    if (!strcmp(items, "help") || !strcmp(items, "?")) {
        show_items(mon);
        return true;
    }
    if (strcmp(items, "none") != 0 && !qemu_str_to_log_mask(items, &mask, errp)) {
        return false;
    }
    set_mask(mask);
    return true;
}

/* ---- trace-event ---- */

static void set_unknown(const char *name, GError **errp)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *near = NULL, *all = NULL;

    for (const LogItem *item = qemu_log_items; item->name; item++) {
        g_ptr_array_add(names, (void *)item->name);
    }
    g_ptr_array_add(names, NULL);
    near = qom_did_you_mean(name, (const char *const *)names->pdata);
    all = g_strjoinv(" ", (char **)names->pdata);
    qmp_error_set(errp, QMP_ERROR_GENERIC,
                  "unknown event \"%s\"%s: the events here are the items of 'log': %s", name, near,
                  all);
}

bool hmp_do_trace_event(Monitor *mon, GVariant *args, GError **errp)
{
    const char *name = qmp_arg_str(args, "name");
    uint32_t mask = 0;

    (void)mon;
    for (const LogItem *item = qemu_log_items; item->name; item++) {
        if (g_pattern_match_simple(name, item->name)) {
            mask |= item->mask;
        }
    }
    if (!mask) {
        set_unknown(name, errp);
        return false;
    }
    set_mask(qmp_arg_bool(args, "option", true) ? mask_now() | mask : mask_now() & ~mask);
    return true;
}

bool hmp_do_info_trace_events(Monitor *mon, GVariant *args, GError **errp)
{
    (void)args;
    (void)errp;
    for (const LogItem *item = qemu_log_items; item->name; item++) {
        monitor_printf(mon, "%s : state %u\n", item->name, (mask_now() & item->mask) != 0);
    }
    return true;
}
