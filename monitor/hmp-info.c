/* SPDX-License-Identifier: MIT */
/*
 * What "info" tells of the program and of the machine as a whole.
 */
#include "config.h"

#include <qomet/accel/cpu.h>
#include <qomet/accel/runstate.h>
#include <qomet/qom/module.h>
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
