/* SPDX-License-Identifier: MIT */
/*
 * JSON values one after the other out of a stream of bytes that arrives in any pieces. What is wrong
 * is reported once, and the next value is found again.
 */
#ifndef QOMET_QOM_JSON_STREAM_H
#define QOMET_QOM_JSON_STREAM_H

#include <glib.h>
#include <qomet/qom/export.h>

/** Bytes of one value, and brackets, names and commas in it, that are taken. */
#define JSON_STREAM_MAX_BYTES (64 * 1024 * 1024)
#define JSON_STREAM_MAX_TOKENS (2 * 1024 * 1024)

typedef struct JsonStream JsonStream;

QOM_EXPORT JsonStream *json_stream_new(void);
/** NULL is fine. */
QOM_EXPORT void json_stream_free(JsonStream *s);
/** Forgets what has begun: another peer speaks. */
QOM_EXPORT void json_stream_reset(JsonStream *s);
/**
 * Takes bytes of @buf until a value is whole (*@value: a full reference, as of json_to_variant()) or
 * something is wrong (@errp); returns how many. With neither all were taken and more is needed. A
 * wrong value is dropped up to where its brackets close, to the next line, or to a byte 0xfe or
 * 0xff, which no text holds: a client may send it to begin anew.
 */
QOM_EXPORT size_t json_stream_feed(JsonStream *s, const char *buf, size_t len, GVariant **value,
                                   GError **errp);

#endif
