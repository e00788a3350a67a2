/* SPDX-License-Identifier: MIT */
/*
 * The machine protocol, for those who write its commands: errors of a class, events, arguments.
 */
#ifndef QOMET_MONITOR_QMP_H
#define QOMET_MONITOR_QMP_H

#include <qomet/monitor/schema.h>

/** Domain of errors whose code is the class that the client sees; all others are GenericError. */
#define QMP_ERROR (qmp_error_quark())

typedef enum QmpErrorClass {
    QMP_ERROR_GENERIC,
    QMP_ERROR_COMMAND_NOT_FOUND,
    QMP_ERROR_DEVICE_NOT_FOUND,
    QMP_ERROR_DEVICE_NOT_ACTIVE,
    QMP_ERROR_KVM_MISSING_CAP,
    QMP_ERROR__MAX,
} QmpErrorClass;

QOM_EXPORT GQuark qmp_error_quark(void);
/** Sets @errp (may be NULL) to an error of that class. Any thread. */
QOM_EXPORT void qmp_error_set(GError **errp, QmpErrorClass class, const char *fmt, ...)
    G_GNUC_PRINTF(3, 4);
/** "GenericError", ...: what a client sees of @error. Any thread. */
QOM_EXPORT const char *qmp_error_class(const GError *error);

/**
 * Tells every QMP monitor that has negotiated, with the time of this call. @event: a row of
 * qmp_events; @data: a{sv} (a floating one is taken over) or NULL. Any thread.
 */
QOM_EXPORT void qmp_emit(const char *event, GVariant *data);

/**
 * An object of members: pairs of a name and a GVariant * (taken over when floating; NULL leaves the
 * member out), ended by NULL. Floating. Any thread.
 */
QOM_EXPORT GVariant *qmp_object(const char *name, ...) G_GNUC_NULL_TERMINATED;

/** A string of bytes that may be anything: what is no UTF-8 is replaced. Floating. Any thread. */
QOM_EXPORT GVariant *qmp_text(const char *text);

/*
 * An argument of a handler by name. Strings belong to @args. What is not there is NULL, or
 * @if_absent.
 */
QOM_EXPORT const char *qmp_arg_str(GVariant *args, const char *name);
QOM_EXPORT bool qmp_arg_bool(GVariant *args, const char *name, bool if_absent);
QOM_EXPORT int64_t qmp_arg_int(GVariant *args, const char *name, int64_t if_absent);
QOM_EXPORT uint64_t qmp_arg_size(GVariant *args, const char *name, uint64_t if_absent);
/** The same for any type; the caller gives the reference back. */
QOM_EXPORT GVariant *qmp_arg(GVariant *args, const char *name);

#endif
