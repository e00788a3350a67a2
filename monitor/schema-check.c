/* SPDX-License-Identifier: MIT */
/*
 * Values held against the schema, with QEMU's words where they do not fit.
 */
#include <string.h>
#include <qomet/qom/keyval.h>
#include "monitor/qmp-int.h"

/* Of an object that a handler writes down member by member. */
#define MAX_MEMBERS 32

/* ---- Rows by name ---- */

/* The row called @name of @rows, of @row_bytes each, which begin with their name; or NULL. */
static const void *find_row(const void *rows, size_t row_bytes, const char *name)
{
    for (const char *row = rows;; row += row_bytes) {
        const char *here = *(const char *const *)row;

        if (!here || !strcmp(here, name)) {
            return here ? row : NULL;
        }
    }
}

const SchemaType *schema_type_find(const char *name)
{
    return find_row(schema_types, sizeof(*schema_types), name);
}

const QmpCommand *qmp_command_find(const char *name)
{
    return find_row(qmp_commands, sizeof(*qmp_commands), name);
}

const QmpEvent *qmp_event_find(const char *name)
{
    return find_row(qmp_events, sizeof(*qmp_events), name);
}

/* ---- Values ---- */

/** Where a value stands: the argument's name, or the way to a member of it ("a.b", "a[0]"). */
typedef struct Place {
    const struct Place *above; /* or NULL */
    const char *name;          /* NULL: an element of a list */
    gsize index;
} Place;

static void append_place(GString *text, const Place *place)
{
    if (place->above) {
        append_place(text, place->above);
    }
    if (place->name) {
        g_string_append_printf(text, "%s%s", place->above ? "." : "", place->name);
    } else {
        g_string_append_printf(text, "[%" G_GSIZE_FORMAT "]", place->index);
    }
}

static char *place_text(const Place *place)
{
    GString *text = g_string_new(NULL);

    append_place(text, place);
    return g_string_free(text, FALSE);
}

static bool wrong_type(const Place *place, const char *expected, GError **errp)
{
    g_autofree char *where = place_text(place);

    qmp_error_set(errp, QMP_ERROR_GENERIC, "Invalid parameter type for '%s', expected: %s", where,
                  expected);
    return false;
}

static bool check_members(const SchemaMember *members, bool open, GVariant *value,
                          const Place *above, GError **errp);
static bool check_value(const char *type, GVariant *value, const Place *place, GError **errp);

static bool is_integer(GVariant *value)
{
    return g_variant_is_of_type(value, G_VARIANT_TYPE_INT64) ||
           g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64);
}

static bool check_size(GVariant *value, const Place *place, GError **errp)
{
    if (!is_integer(value)) {
        return wrong_type(place, "uint64", errp);
    }
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_INT64) && g_variant_get_int64(value) < 0) {
        return wrong_type(place, "uint64", errp);
    }
    return true;
}

/* The types that have no row; *@known says whether @type is one. */
static bool check_builtin(const char *type, GVariant *value, const Place *place, bool *known,
                          GError **errp)
{
    static const struct {
        const char *type, *variant, *expected;
    } plain[] = {
        { "str", "s", "string" },
        { "bool", "b", "boolean" },
        { "int", "x", "integer" },
        { "null", "mv", "null" },
    };

    *known = true;
    for (size_t i = 0; i < G_N_ELEMENTS(plain); i++) {
        if (!strcmp(type, plain[i].type)) {
            return g_variant_is_of_type(value, G_VARIANT_TYPE(plain[i].variant)) ||
                   wrong_type(place, plain[i].expected, errp);
        }
    }
    if (!strcmp(type, "size")) {
        return check_size(value, place, errp);
    }
    if (!strcmp(type, "number")) {
        return is_integer(value) || g_variant_is_of_type(value, G_VARIANT_TYPE_DOUBLE) ||
               wrong_type(place, "number", errp);
    }
    *known = !strcmp(type, "any");
    return true;
}

static bool check_list(const char *type, GVariant *value, const Place *place, GError **errp)
{
    g_autofree char *element = g_strndup(type, strlen(type) - 2);

    if (!g_variant_is_of_type(value, G_VARIANT_TYPE("av"))) {
        return wrong_type(place, "array", errp);
    }
    for (gsize i = 0; i < g_variant_n_children(value); i++) {
        g_autoptr(GVariant) box = g_variant_get_child_value(value, i);
        g_autoptr(GVariant) child = g_variant_get_variant(box);
        Place here = { .above = place, .index = i };

        if (!check_value(element, child, &here, errp)) {
            return false;
        }
    }
    return true;
}

/* The error of a word that is none of @words; @place is where it stands. */
static bool wrong_word(const char *const *words, const char *word, const Place *place,
                       GError **errp)
{
    g_autofree char *where = place_text(place);
    g_autofree char *accepted = g_strjoinv("', '", (char **)words);

    qmp_error_set(errp, QMP_ERROR_GENERIC,
                  "Parameter '%s' does not accept value '%s', accepted are '%s'", where, word,
                  accepted);
    return false;
}

static bool check_enum(const SchemaType *type, GVariant *value, const Place *place, GError **errp)
{
    const char *text;

    if (!g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)) {
        return wrong_type(place, "string", errp);
    }
    text = g_variant_get_string(value, NULL);
    return g_strv_contains(type->values, text) || wrong_word(type->values, text, place, errp);
}

static bool check_variant(const SchemaType *type, GVariant *value, const Place *place,
                          GError **errp)
{
    const SchemaMember shape[] = { { .name = "type", .type = "str" },
                                   { .name = "data", .type = "any" },
                                   { .name = NULL } };
    Place tag = { .above = place, .name = "type" }, data = { .above = place, .name = "data" };
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autoptr(GVariant) inner = NULL;
    const char *word = NULL;

    if (!check_members(shape, false, value, place, errp)) {
        return false;
    }
    g_variant_lookup(value, "type", "&s", &word);
    inner = g_variant_lookup_value(value, "data", NULL);
    for (const SchemaMember *v = type->variants; v->name; v++) {
        if (!strcmp(v->name, word)) {
            return check_value(v->type, inner, &data, errp);
        }
        g_ptr_array_add(names, (void *)v->name);
    }
    g_ptr_array_add(names, NULL);
    return wrong_word((const char *const *)names->pdata, word, &tag, errp);
}

static bool check_value(const char *type, GVariant *value, const Place *place, GError **errp)
{
    const SchemaType *row;
    bool known, good;

    if (g_str_has_suffix(type, "[]")) {
        return check_list(type, value, place, errp);
    }
    good = check_builtin(type, value, place, &known, errp);
    if (known) {
        return good;
    }
    row = schema_type_find(type);
    if (row->values) {
        return check_enum(row, value, place, errp);
    }
    if (!g_variant_is_of_type(value, G_VARIANT_TYPE_VARDICT)) {
        return wrong_type(place, "object", errp);
    }
    return row->variants ? check_variant(row, value, place, errp)
                         : check_members(row->members, false, value, place, errp);
}

static bool check_known(const SchemaMember *members, GVariant *value, const Place *above,
                        GError **errp)
{
    GVariantIter iter;
    const char *key;

    g_variant_iter_init(&iter, value);
    while (g_variant_iter_next(&iter, "{&sv}", &key, NULL)) {
        const SchemaMember *m = members;

        while (m && m->name && strcmp(m->name, key) != 0) {
            m++;
        }
        if (!m || !m->name) {
            Place here = { .above = above, .name = key };
            g_autofree char *where = place_text(&here);

            qmp_error_set(errp, QMP_ERROR_GENERIC, "Parameter '%s' is unexpected", where);
            return false;
        }
    }
    return true;
}

static bool check_members(const SchemaMember *members, bool open, GVariant *value,
                          const Place *above, GError **errp)
{
    for (const SchemaMember *m = members; m && m->name; m++) {
        g_autoptr(GVariant) member = g_variant_lookup_value(value, m->name, NULL);
        Place here = { .above = above, .name = m->name };
        g_autofree char *where = NULL;

        if (member) {
            if (!check_value(m->type, member, &here, errp)) {
                return false;
            }
        } else if (!m->optional) {
            where = place_text(&here);
            qmp_error_set(errp, QMP_ERROR_GENERIC, "Parameter '%s' is missing", where);
            return false;
        }
    }
    return open || check_known(members, value, above, errp);
}

bool schema_check(const SchemaMember *members, bool open, GVariant *args, GError **errp)
{
    return check_members(members, open, args, NULL, errp);
}

/* ---- What a handler reads and makes ---- */

GVariant *qmp_object(const char *name, ...)
{
    GVariant *entries[MAX_MEMBERS];
    size_t n = 0;
    va_list ap;

    va_start(ap, name);
    for (; name; name = va_arg(ap, const char *)) {
        GVariant *value = va_arg(ap, GVariant *);

        if (value) {
            g_assert(n < MAX_MEMBERS);
            entries[n++] = json_entry(name, value);
        }
    }
    va_end(ap);
    return g_variant_new_array(JSON_ENTRY_TYPE, entries, n);
}

GVariant *qmp_text(const char *text)
{
    return g_variant_new_take_string(g_utf8_make_valid(text, -1));
}

const char *qmp_arg_str(GVariant *args, const char *name)
{
    const char *text = NULL;

    g_variant_lookup(args, name, "&s", &text);
    return text;
}

bool qmp_arg_bool(GVariant *args, const char *name, bool if_absent)
{
    gboolean value = if_absent;

    g_variant_lookup(args, name, "b", &value);
    return value;
}

int64_t qmp_arg_int(GVariant *args, const char *name, int64_t if_absent)
{
    gint64 value = if_absent;

    g_variant_lookup(args, name, "x", &value);
    return value;
}

uint64_t qmp_arg_size(GVariant *args, const char *name, uint64_t if_absent)
{
    guint64 value;

    /* What fits into a signed one was read as that. */
    return g_variant_lookup(args, name, "t", &value)
               ? value
               : (uint64_t)qmp_arg_int(args, name, (int64_t)if_absent);
}

GVariant *qmp_arg(GVariant *args, const char *name)
{
    return g_variant_lookup_value(args, name, NULL);
}
