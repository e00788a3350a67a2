/* SPDX-License-Identifier: MIT */
/*
 * The monitor that speaks JSON: greeting, the stream of requests, answers. What a request does is
 * in qmp-dispatch.c.
 */
#include <qomet/qom/keyval.h>
#include <qomet/qom/module.h>
#include "monitor/qmp-int.h"

void qmp_send(QmpMonitor *qmp, GVariant *message)
{
    g_autoptr(GVariant) owned = g_variant_ref_sink(message);
    g_autofree char *text =
        qmp->pretty ? json_from_variant_pretty(owned) : json_from_variant(owned);

    monitor_printf(MONITOR(qmp), "%s\r\n", text);
}

/* ---- Requests ---- */

/*
 * While the peer is slow nothing is carried out: it would only have more to read. With the
 * capability oob it is still listened to, since it may have something urgent to say; what is not
 * waits its turn, up to as many requests as QEMU lets wait.
 */
#define MAX_WAITING 8

static bool qmp_ready(Monitor *mon)
{
    QmpMonitor *qmp = QMP_MONITOR(mon);

    return !mon->paused || (qmp->oob && qmp->waiting.length < MAX_WAITING);
}

/* Takes @request over. */
static void take_request(QmpMonitor *qmp, GVariant *request)
{
    if (MONITOR(qmp)->paused && !qmp_is_oob(qmp, request)) {
        g_queue_push_tail(&qmp->waiting, request);
        return;
    }
    qmp_send(qmp, qmp_dispatch(qmp, request));
    g_variant_unref(request);
}

static void qmp_resumed(Monitor *mon)
{
    QmpMonitor *qmp = QMP_MONITOR(mon);

    while (!mon->paused && qmp->waiting.length) {
        take_request(qmp, g_queue_pop_head(&qmp->waiting));
    }
}

static size_t qmp_input(Monitor *mon, const char *buf, size_t len)
{
    QmpMonitor *qmp = QMP_MONITOR(mon);
    size_t done = 0;

    while (done < len && mon->connected && qmp_ready(mon)) {
        g_autoptr(GError) error = NULL;
        GVariant *request;

        done += json_stream_feed(qmp->stream, buf + done, len - done, &request, &error);
        if (error) {
            qmp_send(qmp, qmp_error_answer(error, NULL));
        } else if (request) {
            take_request(qmp, request);
        }
    }
    return done;
}

/* ---- Sessions ---- */

static GVariant *greeting(void)
{
    static const char *const capabilities[] = { "oob" };

    return qmp_object("QMP",
                      qmp_object("version", qmp_version(), "capabilities",
                                 g_variant_new_strv(capabilities, G_N_ELEMENTS(capabilities)),
                                 NULL),
                      NULL);
}

static void begin_session(QmpMonitor *qmp)
{
    qmp_listen(qmp, false);
    qmp->negotiated = qmp->oob = false;
    json_stream_reset(qmp->stream);
    g_queue_clear_full(&qmp->waiting, (GDestroyNotify)g_variant_unref);
}

static void qmp_opened(Monitor *mon)
{
    begin_session(QMP_MONITOR(mon));
    qmp_send(QMP_MONITOR(mon), greeting());
}

static void qmp_closed(Monitor *mon)
{
    begin_session(QMP_MONITOR(mon));
}

static void qmp_init(Object *obj)
{
    g_queue_init(&QMP_MONITOR(obj)->waiting);
    QMP_MONITOR(obj)->stream = json_stream_new();
}

static void qmp_finalize(Object *obj)
{
    begin_session(QMP_MONITOR(obj));
    json_stream_free(QMP_MONITOR(obj)->stream);
}

/* ---- The type ---- */

static const Property qmp_props[] = {
    DEFINE_PROP_BOOL("pretty", QmpMonitor, pretty, false,
                     .help = "answers are indented for people to read"),
};

static void qmp_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    MonitorClass *mc = MONITOR_CLASS(klass);

    mc->opened = qmp_opened;
    mc->closed = qmp_closed;
    mc->ready = qmp_ready;
    mc->input = qmp_input;
    mc->resumed = qmp_resumed;
    USER_CREATABLE_CLASS(klass)->complete = monitor_start;
    object_class_add_properties(klass, qmp_props, G_N_ELEMENTS(qmp_props));
}

static const TypeInfo qmp_types[] = {
    {
        .name = TYPE_MONITOR_QMP,
        .parent = TYPE_MONITOR,
        .instance_size = sizeof(QmpMonitor),
        .instance_init = qmp_init,
        .instance_finalize = qmp_finalize,
        .class_init = qmp_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_USER_CREATABLE }, { NULL } },
    },
};

DEFINE_TYPES(qmp_types)
