/* SPDX-License-Identifier: MIT */
/*
 * Pictures of the machine for people: what "-dot" shows.
 */
#include <qomet/monitor/picture.h>
#include <qomet/monitor/qmp.h>
#include "monitor/hmp-handlers.h"

bool hmp_do_info_wires(Monitor *mon, GVariant *args, GError **errp)
{
    g_autofree char *text = qmp_arg_bool(args, "dot", false) ? picture_wires() : listing_wires();

    (void)errp;
    monitor_puts(mon, *text ? text : "No device has an output line.\n");
    return true;
}
