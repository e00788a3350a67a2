/* SPDX-License-Identifier: MIT */
/* Between json.c and json-check.c. */
#ifndef QOM_JSON_INT_H
#define QOM_JSON_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <glib.h>

/** Sets "not valid JSON at character N: @what"; @offset is in bytes. */
void json_error_at(GError **errp, const char *text, size_t offset, const char *what);
/**
 * Whether the text, which json-c has read up to @end, is JSON as RFC 8259 has it and means what
 * json-c made of it: no duplicate names, single quotes, control characters, NaN, numbers that do
 * not fit, half surrogates; only space behind it.
 */
bool json_check(const char *text, size_t end, GError **errp);

#endif
