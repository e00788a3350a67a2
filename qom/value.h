/* SPDX-License-Identifier: MIT */
/*
 * Text and values: the one reader and printer of numbers, sizes, switches, names and card
 * addresses. Properties read with it; so do options that are no properties ("-m 1.5G").
 *
 * Every reader takes the whole text or nothing: no space before or after, no '+'. It leaves *@value
 * alone when it fails, and then sets @errp to a sentence that begins with the text in quotes and
 * ends with what is accepted. All of them may be called from any thread.
 */
#ifndef QOMET_QOM_VALUE_H
#define QOMET_QOM_VALUE_H

#include <qomet/qom/property.h>

/** on, yes, true, y; off, no, false, n. */
QOM_EXPORT bool value_parse_bool(const char *text, bool *value, GError **errp);
/**
 * A decimal number, or a hexadecimal one after 0x, from @min to @max; '-' is taken by the signed
 * one. A decimal with leading zeros is refused: C programs would read it as octal.
 */
QOM_EXPORT bool value_parse_int(const char *text, int64_t min, int64_t max, int64_t *value,
                                GError **errp);
QOM_EXPORT bool value_parse_uint(const char *text, uint64_t min, uint64_t max, uint64_t *value,
                                 GError **errp);
/**
 * A number of bytes from @min to @max: decimal, also with a fraction, and a suffix B K M G T P E of
 * either case (powers of 1024), or hexadecimal without one. Without suffix it counts @unit bytes
 * (1, or 1 << 20 for "-m"), at most 2^60. "1.5G" is exact; what is not a whole number of bytes
 * ("0.3K") is refused.
 */
QOM_EXPORT bool value_parse_size(const char *text, uint64_t unit, uint64_t min, uint64_t max,
                                 uint64_t *value, GError **errp);
/** @bytes with the largest suffix that leaves a whole number: "16M". The caller frees. */
QOM_EXPORT char *value_print_size(uint64_t bytes);
/** One of the names of @table (some may be NULL); *@value is its index. */
QOM_EXPORT bool value_parse_enum(const EnumLookup *table, const char *text, int *value,
                                 GError **errp);
/** Six bytes in two hexadecimal digits each, with ':' between them. */
QOM_EXPORT bool value_parse_macaddr(const char *text, MACAddr *value, GError **errp);
/** "52:54:00:12:34:56"; the caller frees. */
QOM_EXPORT char *value_print_macaddr(const MACAddr *value);

/**
 * Values for accessors of properties: a reference, or a floating one. They cost less than GLib's,
 * since those that most properties have are made once and shared.
 */
QOM_EXPORT GVariant *value_new_bool(bool b);
QOM_EXPORT GVariant *value_new_int(int64_t i);
QOM_EXPORT GVariant *value_new_uint(uint64_t u);

/** "an integer", "a string", "a list": what @value is, in the words of error messages. */
QOM_EXPORT const char *value_kind(GVariant *value);
/**
 * The integer that @value (of any width) is, when it lies in @min to @max. A value that is no
 * integer is refused: a string that looks like one is a string. Does not sink @value.
 */
QOM_EXPORT bool value_get_int(GVariant *value, int64_t min, int64_t max, int64_t *out,
                              GError **errp);
QOM_EXPORT bool value_get_uint(GVariant *value, uint64_t min, uint64_t max, uint64_t *out,
                               GError **errp);

#endif
