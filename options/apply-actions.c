/* SPDX-License-Identifier: MIT */
/*
 * Options about what a machine does when its guest asks for an end or comes to one: -action and its
 * two short forms.
 */
#include <string.h>
#include <qomet/accel/runstate.h>
#include "options/options-int.h"

static const char *const reboot_names[] = {
    [REBOOT_ACTION_RESET] = "reset",
    [REBOOT_ACTION_SHUTDOWN] = "shutdown",
    NULL,
};
static const char *const shutdown_names[] = {
    [SHUTDOWN_ACTION_POWEROFF] = "poweroff",
    [SHUTDOWN_ACTION_PAUSE] = "pause",
    NULL,
};
static const char *const panic_names[] = {
    [PANIC_ACTION_EXIT_FAILURE] = "exit-failure",
    [PANIC_ACTION_SHUTDOWN] = "shutdown",
    [PANIC_ACTION_PAUSE] = "pause",
    [PANIC_ACTION_NONE] = "none",
    NULL,
};

/* The place of the value of @key among @names; @now when it is not given, -1 with @errp set. */
static int choose(OptionWord *word, const char *key, const char *const *names, int now,
                  GError **errp)
{
    const char *value = keyval_take(word->kv, key);
    g_autofree char *list = NULL, *near = NULL;

    if (!value) {
        return now;
    }
    for (int i = 0; names[i]; i++) {
        if (!strcmp(names[i], value)) {
            return i;
        }
    }
    near = qom_did_you_mean(value, names);
    list = g_strjoinv(", ", (char **)names);
    qom_error_set(errp, QOM_ERROR_VALUE, "%s=%s: '%s' is not an action%s; accepted are %s", key,
                  value, value, near, list);
    return -1;
}

bool option_apply_action(OptionPlan *plan, OptionWord *word, GError **errp)
{
    RunActions actions = runstate_get_actions();
    int reboot, shutdown, panic;

    (void)plan;
    reboot = choose(word, "reboot", reboot_names, (int)actions.reboot, errp);
    shutdown =
        reboot < 0 ? -1 : choose(word, "shutdown", shutdown_names, (int)actions.shutdown, errp);
    panic = shutdown < 0 ? -1 : choose(word, "panic", panic_names, (int)actions.panic, errp);
    if (panic < 0) {
        return false;
    }
    runstate_set_actions((RunActions){ reboot, shutdown, panic });
    return true;
}

bool option_apply_no_reboot(OptionPlan *plan, OptionWord *word, GError **errp)
{
    RunActions actions = runstate_get_actions();

    (void)plan;
    (void)word;
    (void)errp;
    actions.reboot = REBOOT_ACTION_SHUTDOWN;
    runstate_set_actions(actions);
    return true;
}

bool option_apply_no_shutdown(OptionPlan *plan, OptionWord *word, GError **errp)
{
    RunActions actions = runstate_get_actions();

    (void)plan;
    (void)word;
    (void)errp;
    actions.shutdown = SHUTDOWN_ACTION_PAUSE;
    runstate_set_actions(actions);
    return true;
}
