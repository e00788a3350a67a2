/* SPDX-License-Identifier: MIT */
/*
 * Words: the one parser that turns "driver,key=value,..." and {"key": value} into an ordered list
 * of keys and values. The command line, device_add, attach and board files all read with it.
 */
#ifndef QOMET_QOM_KEYVAL_H
#define QOMET_QOM_KEYVAL_H

#include <qomet/qom/property.h>

/**
 * One key: @text for key=value words (its type is the property's), @value for JSON; one of them is
 * set.
 */
typedef struct KeyValItem {
    char *key;
    char *text;
    GVariant *value;
    bool used; /* keyval_take() has given it out */
} KeyValItem;

/** The keys of one option, in the order written. */
typedef struct KeyVal {
    GPtrArray *items; /* of KeyValItem * */
} KeyVal;

/**
 * Reads @words: JSON when the first character that is no space is '{', else key=value separated by
 * commas, a comma inside a value doubled ("a,,b"), a bare "key" for key=on ("nokey" is not
 * special). @implied_key (may be NULL) names the first word when it has no '='. A key given twice
 * is an error in JSON; in words the later one stands. Returns NULL with @errp set (what was
 * expected, and at which character, counted from 1). The caller frees.
 */
QOM_EXPORT KeyVal *keyval_parse(const char *words, const char *implied_key, GError **errp);
/** The same of members that have been read already: @object is an a{sv}. The caller frees. */
QOM_EXPORT KeyVal *keyval_from_variant(GVariant *object);
QOM_EXPORT void keyval_free(KeyVal *kv);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeyVal, keyval_free)

/**
 * The text of @key (a JSON string, or a number printed), marked as used; NULL when it is not there.
 */
QOM_EXPORT const char *keyval_take(KeyVal *kv, const char *key);
/** The item of @key, not marked, or NULL. */
QOM_EXPORT KeyValItem *keyval_find(KeyVal *kv, const char *key);
/**
 * Sets every key that was not taken as a property of @obj, in order; stops at the first that fails.
 */
QOM_EXPORT bool keyval_apply(KeyVal *kv, Object *obj, GError **errp);
/** False, naming the first key that was not taken, when there is one. */
QOM_EXPORT bool keyval_check_all_used(KeyVal *kv, GError **errp);

/**
 * JSON text -> value ('b' 'x' 't' 'd' 's' 'av' 'a{sv}', null as a maybe-nothing "mv"), strict: an
 * integer is 'x', or 't' from 2^63 to 2^64 - 1; refused are duplicate names, numbers that do not
 * fit, NaN, \u0000, half surrogates, more than 64 levels and 64 MiB. Returns a full reference, or
 * NULL with @errp set (what, and at which character from 1). Any thread.
 */
QOM_EXPORT GVariant *json_to_variant(const char *text, GError **errp);
#define JSON_ENTRY_TYPE ((const GVariantType *)"{sv}")
/**
 * A member of an object, for g_variant_new_array() of JSON_ENTRY_TYPE; @value, if floating, is taken
 * over. Floating. Any thread.
 */
QOM_EXPORT GVariant *json_entry(const char *name, GVariant *value);
/**
 * A value of any type -> JSON text on one line, which json_to_variant() takes back: dictionaries
 * with string keys become objects, other containers arrays, an empty maybe and what is not finite
 * null. The caller frees. Any thread.
 */
QOM_EXPORT char *json_from_variant(GVariant *value);
/** The same on several lines, indented by four spaces a level. */
QOM_EXPORT char *json_from_variant_pretty(GVariant *value);

/*
 * Many values at once, without a GVariant for each: their text, written piece by piece, and a value
 * that stands for it. Any thread.
 */

/** The text of json_from_variant(); a string in quotes, its bytes being UTF-8; a number. */
QOM_EXPORT void json_append_variant(GString *out, GVariant *value);
QOM_EXPORT void json_append_string(GString *out, const char *text);
QOM_EXPORT void json_append_int(GString *out, int64_t number);
QOM_EXPORT void json_append_uint(GString *out, uint64_t number);
/**
 * A value that is printed as @text, which is JSON on one line as json_from_variant() writes it, and
 * is taken over. It is good for nothing else. Floating.
 */
QOM_EXPORT GVariant *json_new_text(char *text);

#endif
