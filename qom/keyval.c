/* SPDX-License-Identifier: MIT */
/*
 * Words: "driver,key=value,..." and {"key": value} read into an ordered list of keys, which options
 * take from by name and whose rest becomes properties.
 */
#include "config.h"

#include <string.h>
#include <qomet/qom/keyval.h>

static void item_free(gpointer data)
{
    KeyValItem *item = data;

    g_free(item->key);
    g_free(item->text);
    g_clear_pointer(&item->value, g_variant_unref);
    g_free(item);
}

static KeyVal *keyval_new(void)
{
    KeyVal *kv = g_new0(KeyVal, 1);

    kv->items = g_ptr_array_new_with_free_func(item_free);
    return kv;
}

void keyval_free(KeyVal *kv)
{
    if (kv) {
        g_ptr_array_unref(kv->items);
        g_free(kv);
    }
}

/* ---- key=value ---- */

/** Where the reading of key=value words stands. */
typedef struct WordReader {
    KeyVal *kv;
    GHashTable *by_key; /* key -> its KeyValItem */
    const char *start;
    const char *next;
} WordReader;

/* The position of @p as a person counts it: characters, from 1. */
static size_t position(const WordReader *reader, const char *p)
{
    size_t n = 1;

    for (const char *c = reader->start; c < p; c++) {
        n += ((uint8_t)*c & 0xc0) != 0x80;
    }
    return n;
}

/* Takes over both. The later of two values of a key stands, where the first one stood. */
static void add_text(WordReader *reader, char *key, char *text)
{
    KeyValItem *item = g_hash_table_lookup(reader->by_key, key);

    if (item) {
        g_free(key);
        g_free(item->text);
        item->text = text;
        return;
    }
    item = g_new0(KeyValItem, 1);
    item->key = key;
    item->text = text;
    g_hash_table_insert(reader->by_key, key, item);
    g_ptr_array_add(reader->kv->items, item);
}

/* Reads up to the next single comma; a doubled one is a comma of the value. */
static char *read_value(WordReader *reader)
{
    GString *out = g_string_new(NULL);
    const char *p = reader->next;

    for (; *p && (*p != ',' || p[1] == ','); p++) {
        p += *p == ',';
        g_string_append_c(out, *p);
    }
    reader->next = p;
    return g_string_free(out, FALSE);
}

static bool missing_key(const WordReader *reader, const char *what, GError **errp)
{
    qom_error_set(errp, QOM_ERROR_SYNTAX, "expected a parameter %s at character %zu of '%s'", what,
                  position(reader, reader->next), reader->start);
    return false;
}

static bool read_word(WordReader *reader, const char *implied_key, GError **errp)
{
    size_t len = strcspn(reader->next, "=,");
    bool has_value = reader->next[len] == '=';
    char *key;

    if (implied_key && !has_value && len) {
        add_text(reader, g_strdup(implied_key), read_value(reader));
        return true;
    }
    if (!len && has_value) {
        return missing_key(reader, "before '='", errp);
    }
    if (!len) {
        return missing_key(reader, reader->next == reader->start ? "before ','" : "after ','",
                           errp);
    }
    key = g_strndup(reader->next, len);
    reader->next += len + has_value;
#ifdef QOMET_PLANTED_BUG
    /* Found by fuzz-keyval: behind a key without a value at the end there is nothing to step over.
     */
    reader->next += !has_value;
#endif
    add_text(reader, key, has_value ? read_value(reader) : g_strdup("on"));
    return true;
}

static bool read_words(KeyVal *kv, const char *words, const char *implied_key, GError **errp)
{
    g_autoptr(GHashTable) by_key = g_hash_table_new(g_str_hash, g_str_equal);
    WordReader reader = { .kv = kv, .by_key = by_key, .start = words, .next = words };

    if (!*words) {
        return true;
    }
    if (!read_word(&reader, implied_key, errp)) {
        return false;
    }
    while (*reader.next == ',') {
        reader.next++;
        if (!read_word(&reader, NULL, errp)) {
            return false;
        }
    }
    return true;
}

/* ---- JSON ---- */

static void add_members(KeyVal *kv, GVariant *object)
{
    GVariantIter iter;
    const char *key;
    GVariant *value;

    g_variant_iter_init(&iter, object);
    while (g_variant_iter_next(&iter, "{&sv}", &key, &value)) {
        KeyValItem *item = g_new0(KeyValItem, 1);

        item->key = g_strdup(key);
        item->value = value;
        g_ptr_array_add(kv->items, item);
    }
}

static bool read_json(KeyVal *kv, const char *words, GError **errp)
{
    g_autoptr(GVariant) object = json_to_variant(words, errp);

    if (!object) {
        return false;
    }
    add_members(kv, object);
    return true;
}

KeyVal *keyval_from_variant(GVariant *object)
{
    KeyVal *kv = keyval_new();

    add_members(kv, object);
    return kv;
}

static bool is_json(const char *words)
{
    return words[strspn(words, " \t\r\n")] == '{';
}

KeyVal *keyval_parse(const char *words, const char *implied_key, GError **errp)
{
    g_autoptr(KeyVal) kv = keyval_new();
    bool good =
        is_json(words) ? read_json(kv, words, errp) : read_words(kv, words, implied_key, errp);

    return good ? g_steal_pointer(&kv) : NULL;
}

/* ---- Taking ---- */

KeyValItem *keyval_find(KeyVal *kv, const char *key)
{
    for (guint i = 0; i < kv->items->len; i++) {
        KeyValItem *item = kv->items->pdata[i];

        if (strcmp(item->key, key) == 0) {
            return item;
        }
    }
    return NULL;
}

/* What the value would have been in words. */
static char *text_of(GVariant *value)
{
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)) {
        return g_variant_dup_string(value, NULL);
    }
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN)) {
        return g_strdup(g_variant_get_boolean(value) ? "on" : "off");
    }
    return json_from_variant(value);
}

const char *keyval_take(KeyVal *kv, const char *key)
{
    KeyValItem *item = keyval_find(kv, key);

    if (!item) {
        return NULL;
    }
    item->used = true;
    if (!item->text) {
        item->text = text_of(item->value);
    }
    return item->text;
}

bool keyval_apply(KeyVal *kv, Object *obj, GError **errp)
{
    for (guint i = 0; i < kv->items->len; i++) {
        KeyValItem *item = kv->items->pdata[i];

        if (item->used) {
            continue;
        }
        if (!(item->value ? object_property_set(obj, item->key, item->value, errp)
                          : object_property_parse(obj, item->key, item->text, errp))) {
            return false;
        }
        item->used = true;
    }
    return true;
}

bool keyval_check_all_used(KeyVal *kv, GError **errp)
{
    for (guint i = 0; i < kv->items->len; i++) {
        const KeyValItem *item = kv->items->pdata[i];

        if (!item->used) {
            qom_error_set(errp, QOM_ERROR_NOT_FOUND, "unexpected parameter '%s'", item->key);
            return false;
        }
    }
    return true;
}
