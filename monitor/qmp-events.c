/* SPDX-License-Identifier: MIT */
/*
 * Events: what the rooms above tell of, on its way to those who listen.
 */
#include <qomet/accel/runstate.h>
#include <qomet/hw/core/bus.h>
#include <qomet/memory/main-work.h>
#include "monitor/qmp-int.h"

static GList *listeners; /* of QmpMonitor *; main thread */
static bool was_running; /* what the listeners know */

/* ---- Where events come from ---- */

static void state_changed(bool running, RunState state, void *opaque)
{
    bool ends = qemu_shutdown_requested_get() != SHUTDOWN_CAUSE_NONE;

    (void)state;
    (void)opaque;
    if (running != was_running && !ends) {
        qmp_emit(running ? "RESUME" : "STOP", NULL);
    }
    was_running = running;
}

static GVariant *cause_data(ShutdownCause cause)
{
    return qmp_object("guest", g_variant_new_boolean(shutdown_caused_by_guest(cause)), "reason",
                      g_variant_new_string(shutdown_cause_name(cause)), NULL);
}

/* What is done with a guest that cannot go on. */
static const char *panic_action(ShutdownCause cause)
{
    if (cause == SHUTDOWN_CAUSE_NONE) {
        return "run";
    }
    return runstate_get_actions().panic >= PANIC_ACTION_PAUSE ? "pause" : "poweroff";
}

static void machine_event(RunEvent event, ShutdownCause cause, void *opaque)
{
    (void)opaque;
    switch (event) {
    case RUN_EVENT_SHUTDOWN:
        qmp_emit("SHUTDOWN", cause_data(cause));
        break;
    case RUN_EVENT_RESET:
        qmp_emit("RESET", cause_data(cause));
        break;
    case RUN_EVENT_POWERDOWN:
        qmp_emit("POWERDOWN", NULL);
        break;
    case RUN_EVENT_GUEST_CRASHLOADED:
        qmp_emit("GUEST_CRASHLOADED", qmp_object("action", g_variant_new_string("run"), NULL));
        break;
    case RUN_EVENT_GUEST_PANICKED:
        qmp_emit("GUEST_PANICKED",
                 qmp_object("action", g_variant_new_string(panic_action(cause)), NULL));
        break;
    }
}

static void device_event(QDevEvent event, const char *id, const char *path, void *opaque)
{
    (void)opaque;
    qmp_emit(event == QDEV_EVENT_DELETED ? "DEVICE_DELETED" : "DEVICE_UNPLUG_GUEST_ERROR",
             qmp_object("device", id ? g_variant_new_string(id) : NULL, "path",
                        g_variant_new_string(path), NULL));
}

/* ---- Who is told ---- */

void qmp_listen(QmpMonitor *qmp, bool on)
{
    bool listened = listeners != NULL;

    listeners = g_list_remove(listeners, qmp);
    if (on) {
        listeners = g_list_append(listeners, qmp);
    }
    if (!listened && listeners) {
        was_running = runstate_is_running();
        runstate_add_listener(state_changed, NULL);
        runstate_add_event_listener(machine_event, NULL);
        qdev_add_listener(device_event, NULL);
    } else if (listened && !listeners) {
        runstate_del_listener(state_changed, NULL);
        runstate_del_event_listener(machine_event, NULL);
        qdev_del_listener(device_event, NULL);
    }
}

static void deliver(void *opaque)
{
    GVariant *message = opaque;

    for (GList *l = listeners, *next; l; l = next) {
        next = l->next;
        qmp_send(l->data, message);
    }
    g_variant_unref(message);
}

void qmp_emit(const char *event, GVariant *data)
{
    int64_t now = g_get_real_time();
    GVariant *timestamp =
        qmp_object("seconds", g_variant_new_int64(now / G_USEC_PER_SEC), "microseconds",
                   g_variant_new_int64(now % G_USEC_PER_SEC), NULL);
    GVariant *whole = g_variant_ref_sink(qmp_object(
        "timestamp", timestamp, "event", g_variant_new_string(event), "data", data, NULL));

    if (main_work_is_main()) {
        deliver(whole);
    } else {
        main_work_post(deliver, whole);
    }
}
