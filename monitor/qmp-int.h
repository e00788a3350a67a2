/* SPDX-License-Identifier: MIT */
/*
 * What the files of the machine protocol share: one connection's state, and the steps from a value
 * that was read to an answer.
 */
#ifndef MONITOR_QMP_INT_H
#define MONITOR_QMP_INT_H

#include <qomet/monitor/qmp.h>
#include <qomet/qom/json-stream.h>

typedef struct QmpMonitor {
    Monitor parent_obj;
    bool pretty;        /* property: answers on several lines, indented */
    bool negotiated;    /* qmp_capabilities was executed */
    bool oob;           /* and it has enabled that */
    JsonStream *stream; /* what the peer says */
    GQueue waiting;     /* requests (GVariant *) that wait while the peer is slow; only with oob */
} QmpMonitor;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(QmpMonitor, object_unref)
DECLARE_INSTANCE_CHECKER(QmpMonitor, QMP_MONITOR, TYPE_MONITOR_QMP)

/** Sends @message (a floating one is taken over) on a line of its own. */
void qmp_send(QmpMonitor *qmp, GVariant *message);
/** Whether @request, which a client has sent, asks to be carried out before those that wait. */
bool qmp_is_oob(const QmpMonitor *qmp, GVariant *request);
/**
 * Carries @request out, which a client has sent; the answer, floating: {"return": ...} or {"error":
 * ...}, with the id.
 */
GVariant *qmp_dispatch(QmpMonitor *qmp, GVariant *request);
/** {"error": {"class": ..., "desc": ...}}, with @id unless it is NULL; floating. */
GVariant *qmp_error_answer(const GError *error, GVariant *id);

/** {"qemu": {"major": ...}, "package": ...}; floating. */
GVariant *qmp_version(void);

/** @qmp is told of events from now on, or no longer. Main thread. */
void qmp_listen(QmpMonitor *qmp, bool on);

#endif
