/* SPDX-License-Identifier: MIT */
/*
 * Commands about the machine as a whole: whether it runs, reset, its end, what is loaded into it.
 */
#include <qomet/accel/cpu.h>
#include <qomet/accel/runstate.h>
#include <qomet/qom/module.h>
#include "monitor/handlers.h"
#include "monitor/qmp-int.h"

bool qmp_do_query_status(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    (void)mon;
    (void)args;
    (void)errp;
    *ret = qmp_object("status", g_variant_new_string(runstate_name(runstate_get())), "singlestep",
                      g_variant_new_boolean(false), "running",
                      g_variant_new_boolean(runstate_is_running()), NULL);
    return true;
}

bool qmp_do_stop(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    (void)mon;
    (void)args;
    (void)ret;
    (void)errp;
    /* One that was never started stays as it is. */
    if (runstate_is_running()) {
        vm_stop(RUN_STATE_PAUSED);
    }
    return true;
}

bool qmp_do_cont(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    (void)mon;
    (void)args;
    (void)ret;
    if (runstate_needs_reset()) {
        qmp_error_set(errp, QMP_ERROR_GENERIC, "Resetting the Virtual Machine is required");
        return false;
    }
    vm_start();
    return true;
}

bool qmp_do_system_reset(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    (void)mon;
    (void)args;
    (void)ret;
    (void)errp;
    qemu_system_reset_request(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
    return true;
}

bool qmp_do_system_powerdown(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    (void)mon;
    (void)args;
    (void)ret;
    (void)errp;
    qemu_system_powerdown_request();
    return true;
}

bool qmp_do_quit(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    (void)mon;
    (void)args;
    (void)ret;
    (void)errp;
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_QMP_QUIT);
    return true;
}

bool qmp_do_load_module(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    (void)mon;
    (void)ret;
    return module_load(qmp_arg_str(args, "path"), errp);
}

bool qmp_do_human_monitor_command(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    g_autoptr(Monitor) people = monitor_gathering_new();
    int64_t cpu = qmp_arg_int(args, "cpu-index", 0);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL, *shown = NULL;

    (void)mon;
    if (cpu && ((uint64_t)cpu > UINT_MAX || !qemu_get_cpu((unsigned)cpu))) {
        qmp_error_set(errp, QMP_ERROR_GENERIC, "Parameter 'cpu-index' expects a CPU number");
        return false;
    }
    people->cpu_index = (unsigned)cpu;
    if (!hmp_execute(people, qmp_arg_str(args, "command-line"), &error)) {
        monitor_printf(people, "%s\n", error->message);
    }
    text = monitor_gathered(people);
    shown = monitor_with_returns(text);
    *ret = qmp_text(shown);
    return true;
}
