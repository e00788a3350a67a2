/* SPDX-License-Identifier: MIT */
/*
 * JSON, strictly: text -> GVariant. json-c builds the tree; what it lets pass although RFC 8259
 * does not, or changes silently, is looked for in the text (json-check.c).
 */
#include <string.h>
#include <json-c/json.h>
#include <qomet/qom/keyval.h>
#include "qom/json-int.h"

/* Arrays and objects within each other. */
#define JSON_DEPTH 64
/* A message, a board file; json-c counts in ints. */
#define JSON_MAX_BYTES (64 * 1024 * 1024)

/* ---- Text -> value ---- */

/* json-c gives the nearest int64_t. */
static GVariant *integer_from_json(json_object *json)
{
    int64_t i = json_object_get_int64(json);

    if (i == INT64_MAX && json_object_get_uint64(json) > INT64_MAX) {
        return g_variant_new_uint64(json_object_get_uint64(json));
    }
    return g_variant_new_int64(i);
}

static GVariant *array_from_json(json_object *json)
{
    size_t n = json_object_array_length(json);
    g_autofree GVariant **elements = g_new(GVariant *, n);

    for (size_t i = 0; i < n; i++) {
        elements[i] = g_variant_new_variant(json_to_value(json_object_array_get_idx(json, i)));
    }
    return g_variant_new_array(G_VARIANT_TYPE_VARIANT, elements, n);
}

GVariant *json_entry(const char *name, GVariant *value)
{
    return g_variant_new_dict_entry(g_variant_new_string(name), g_variant_new_variant(value));
}

static GVariant *object_from_json(json_object *json)
{
    g_autofree GVariant **entries = g_new(GVariant *, json_object_object_length(json));
    size_t n = 0;

    json_object_object_foreach(json, key, member)
    {
        entries[n++] = json_entry(key, json_to_value(member));
    }
    return g_variant_new_array(JSON_ENTRY_TYPE, entries, n);
}

GVariant *json_to_value(json_object *json)
{
    switch (json_object_get_type(json)) {
    case json_type_boolean:
        return g_variant_new_boolean(json_object_get_boolean(json));
    case json_type_int:
        return integer_from_json(json);
    case json_type_double:
        return g_variant_new_double(json_object_get_double(json));
    case json_type_string:
        return g_variant_new_string(json_object_get_string(json));
    case json_type_array:
        return array_from_json(json);
    case json_type_object:
        return object_from_json(json);
    default:
        return g_variant_new_maybe(G_VARIANT_TYPE_VARIANT, NULL);
    }
}

const char *json_error_words(enum json_tokener_error error)
{
    switch (error) {
    case json_tokener_continue:
    case json_tokener_error_parse_eof:
        return "it ends too early";
    case json_tokener_error_depth:
        return "it is nested too deeply";
    case json_tokener_error_parse_number:
        return "expected a number";
    case json_tokener_error_parse_array:
        return "expected ',' or ']'";
    case json_tokener_error_parse_object_key_name:
        return "expected a name in double quotes";
    case json_tokener_error_parse_object_key_sep:
        return "expected ':'";
    case json_tokener_error_parse_object_value_sep:
        return "expected ',' or '}'";
    case json_tokener_error_parse_string:
        return "a string holds an unknown escape";
    default:
        return "expected a value";
    }
}

struct json_tokener *json_reader_new(void)
{
    struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH + 1);

    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
    return tokener;
}

GVariant *json_checked_value(const char *text, size_t end, json_object *json, GError **errp)
{
    g_autofree char *spelled_out = NULL;
    struct json_tokener *tokener;
    GVariant *value;

    if (!json_check(text, end, errp)) {
        return NULL;
    }
    spelled_out = json_spell_out(text, end);
    if (!spelled_out) {
        return g_variant_ref_sink(json_to_value(json));
    }
    tokener = json_reader_new();
    json = json_tokener_parse_ex(tokener, spelled_out, (int)strlen(spelled_out) + 1);
    value = g_variant_ref_sink(json_to_value(json));
    json_object_put(json);
    json_tokener_free(tokener);
    return value;
}

GVariant *json_to_variant(const char *text, GError **errp)
{
    size_t len = strlen(text);
    const char *bad;
    g_autoptr(GVariant) value = NULL;
    struct json_tokener *tokener;
    enum json_tokener_error error;
    json_object *json;
    size_t end;

    if (len >= JSON_MAX_BYTES) {
        qom_error_set(errp, QOM_ERROR_SYNTAX,
                      "JSON text of %zu bytes is too long, at most %d are read", len,
                      JSON_MAX_BYTES - 1);
        return NULL;
    }
    /* json-c's own check lets overlong forms and surrogates pass. */
    if (!g_utf8_validate(text, len, &bad)) {
        json_error_at(errp, text, bad - text, "it is not valid UTF-8");
        return NULL;
    }
    tokener = json_reader_new();
    /* The NUL tells a number at the end that it is whole. */
    json = json_tokener_parse_ex(tokener, text, len + 1);
    error = json_tokener_get_error(tokener);
    end = json_tokener_get_parse_end(tokener);
    if (error != json_tokener_success) {
        json_error_at(errp, text, MIN(end, len), json_error_words(error));
    } else {
        value = json_checked_value(text, end, json, errp);
    }
    json_object_put(json);
    json_tokener_free(tokener);
    return g_steal_pointer(&value);
}
