/* SPDX-License-Identifier: MIT */
/*
 * Errors of the object model. Every function of Qomet that can fail takes a GError ** as its last
 * parameter; a room has one domain, and a code tells the caller what kind of mistake it was without
 * reading the text.
 */
#ifndef QOMET_QOM_ERROR_H
#define QOMET_QOM_ERROR_H

#include <stdbool.h>
#include <glib.h>
#include <qomet/qom/export.h>

/** Domain of errors from the rooms qom/ and hw/core/. */
#define QOM_ERROR (qom_error_quark())

typedef enum QomErrorCode {
    QOM_ERROR_FAILED,    /* none of the kinds below */
    QOM_ERROR_TYPE,      /* a type: unknown parent, cycle, duplicate, size */
    QOM_ERROR_NOT_FOUND, /* no type, object or property of that name */
    QOM_ERROR_EXISTS,    /* the name, id or place is taken */
    QOM_ERROR_VALUE,     /* a value of the wrong kind or out of its range */
    QOM_ERROR_STATE,     /* not possible now (realized, read-only, in use) */
    QOM_ERROR_SYNTAX,    /* words or JSON that do not parse */
    QOM_ERROR_MODULE,    /* a module that cannot be loaded */
} QomErrorCode;

QOM_EXPORT GQuark qom_error_quark(void);

/**
 * Sets @errp (when it is not NULL) to a new error of the QOM domain.
 * @code: one of QomErrorCode. The text says what, where, and what would be right; no newline. Any
 * thread.
 */
QOM_EXPORT void qom_error_set(GError **errp, QomErrorCode code, const char *fmt, ...)
    G_GNUC_PRINTF(3, 4);
/**
 * The same where @errp has no error yet: for who has called a method of a class that failed and
 * should have said why. Any thread.
 */
QOM_EXPORT void qom_error_set_if_none(GError **errp, QomErrorCode code, const char *fmt, ...)
    G_GNUC_PRINTF(3, 4);

/**
 * Hands on what a method of a class has returned, which is @ok. Where it has failed and set no error
 * - a mistake of the type's author - @errp says of which type's @method that is true. Any thread.
 */
QOM_EXPORT bool qom_method_ok(bool ok, const char *type, const char *method,
                              GError **errp) G_GNUC_WARN_UNUSED_RESULT;

/**
 * The candidate nearest to @word by edit distance, for "did you mean".
 * @candidates: NULL-terminated. Returns one of them (not a copy), or NULL when none is near. Any
 * thread.
 */
QOM_EXPORT const char *qom_nearest(const char *word, const char *const *candidates);
/**
 * The same as the end of a message: " (did you mean 'x'?)", or "" where none is near. The caller
 * frees. Any thread.
 */
QOM_EXPORT char *qom_did_you_mean(const char *word, const char *const *candidates);
/**
 * The same among the names of a table: @rows of @row_bytes each, which begin with their name (a
 * const char *); one without a name ends them. The caller frees. Any thread.
 */
QOM_EXPORT char *qom_did_you_mean_row(const char *word, const void *rows, size_t row_bytes);

#endif
