/* SPDX-License-Identifier: MIT */
/* Between json.c, json-check.c and json-stream.c. */
#ifndef QOM_JSON_INT_H
#define QOM_JSON_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <glib.h>
#include <json-c/json.h>

/** Sets "not valid JSON at character N: @what"; @offset is in bytes. */
void json_error_at(GError **errp, const char *text, size_t offset, const char *what);
/**
 * Whether the text, which json-c has read up to @end, is JSON as RFC 8259 has it and means what
 * json-c made of it: no duplicate names, single quotes, control characters, NaN, numbers that do
 * not fit, half surrogates; only space behind it.
 */
bool json_check(const char *text, size_t end, GError **errp);

/**
 * A copy of the JSON text in which the escapes that json-c reads wrong are written as the characters
 * that they stand for; NULL: it has none. The caller frees.
 */
char *json_spell_out(const char *text, size_t len);
/**
 * The value of @text up to @end, of which json-c made @json and which json_check() must pass; a full
 * reference, or NULL with @errp set.
 */
GVariant *json_checked_value(const char *text, size_t end, json_object *json, GError **errp);

/** json-c's reader as we have it: strict, of limited depth. The caller frees. */
struct json_tokener *json_reader_new(void);
/** What json-c's error means to the one who wrote the text. */
const char *json_error_words(enum json_tokener_error error);
/** The value that json-c has read; floating. It must have passed json_check(). */
GVariant *json_to_value(json_object *json);

#endif
