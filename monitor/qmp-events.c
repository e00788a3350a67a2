/* SPDX-License-Identifier: MIT */
/*
 * Events on their way to those who listen.
 */
#include <qomet/memory/main-work.h>
#include "monitor/qmp-int.h"

static GList *listeners; /* of QmpMonitor *; main thread */

void qmp_listen(QmpMonitor *qmp, bool on)
{
    listeners = g_list_remove(listeners, qmp);
    if (on) {
        listeners = g_list_append(listeners, qmp);
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
    GVariantBuilder message, timestamp;
    GVariant *whole;

    g_variant_builder_init(&timestamp, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&timestamp, "{sv}", "seconds", g_variant_new_int64(now / G_USEC_PER_SEC));
    g_variant_builder_add(&timestamp, "{sv}", "microseconds",
                          g_variant_new_int64(now % G_USEC_PER_SEC));
    g_variant_builder_init(&message, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&message, "{sv}", "timestamp", g_variant_builder_end(&timestamp));
    g_variant_builder_add(&message, "{sv}", "event", g_variant_new_string(event));
    if (data) {
        g_variant_builder_add(&message, "{sv}", "data", data);
    }
    whole = g_variant_ref_sink(g_variant_builder_end(&message));
    if (main_work_is_main()) {
        deliver(whole);
    } else {
        main_work_post(deliver, whole);
    }
}
