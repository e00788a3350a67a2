/* SPDX-License-Identifier: MIT */
/*
 * The kinds of properties: what each has in its field, the values and texts that stand for it, and
 * the check that a value passes before it is stored.
 */
#include <qomet/qom/keyval.h>
#include <qomet/qom/value.h>
#include "qom/property-int.h"

/* ---- Values ---- */

/*
 * GLib makes a value in three allocations. Most numbers and all switches are among a few: theirs
 * are made once, at their first use, and shared for as long as the process lives.
 */
#define N_SHARED 256

static GVariant *shared_bools[2], *shared_ints[N_SHARED], *shared_uints[N_SHARED];

/* A reference of the value in @slot, or NULL when nobody has needed it yet. */
static inline GVariant *shared_ref(GVariant **slot)
{
    GVariant *value = __atomic_load_n(slot, __ATOMIC_ACQUIRE);

    return value ? g_variant_ref(value) : NULL;
}

/*
 * Puts @fresh (floating) into the empty @slot, unless another thread was quicker, and returns a
 * reference.
 */
static GVariant *shared_fill(GVariant **slot, GVariant *fresh)
{
    GVariant *empty = NULL;

    g_variant_ref_sink(fresh);
    if (__atomic_compare_exchange_n(slot, &empty, fresh, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE)) {
        g_variant_ref(fresh);
    }
    return fresh;
}

GVariant *value_new_bool(bool b)
{
    return shared_ref(&shared_bools[b]) ?: shared_fill(&shared_bools[b], g_variant_new_boolean(b));
}

GVariant *value_new_int(int64_t i)
{
    if (i < 0 || i >= N_SHARED) {
        return g_variant_new_int64(i);
    }
    return shared_ref(&shared_ints[i]) ?: shared_fill(&shared_ints[i], g_variant_new_int64(i));
}

GVariant *value_new_uint(uint64_t u)
{
    if (u >= N_SHARED) {
        return g_variant_new_uint64(u);
    }
    return shared_ref(&shared_uints[u]) ?: shared_fill(&shared_uints[u], g_variant_new_uint64(u));
}

/* ---- Fields ---- */

GVariant *property_field_get(const Property *prop, const void *field, GError **errp)
{
    const PropertyInfo *info = prop->info;
    const char *text;
    int number;

    switch (info->kind) {
    case PROP_KIND_BOOL:
        return value_new_bool(property_load_uint(field, sizeof(bool)));
    case PROP_KIND_BIT:
        return value_new_bool(property_load_bit(field, prop));
    case PROP_KIND_INT:
        return value_new_int(property_load_int(field, info->size));
    case PROP_KIND_UINT:
        return value_new_uint(property_load_uint(field, info->size));
    case PROP_KIND_STRING:
        text = *(char *const *)field;
        return g_variant_new_string(text ? text : "");
    case PROP_KIND_ENUM:
        number = property_load_int(field, sizeof(int));
        if (number >= 0 && number < prop->enum_table->size && prop->enum_table->array[number]) {
            return g_variant_new_string(prop->enum_table->array[number]);
        }
        qom_error_set(errp, QOM_ERROR_VALUE, "it holds %d, which has no name", number);
        return NULL;
    default:
        qom_error_set(errp, QOM_ERROR_VALUE, "a field of kind '%s' cannot be read", info->name);
        return NULL;
    }
}

void property_field_set(const Property *prop, void *field, GVariant *value)
{
    const PropertyInfo *info = prop->info;
    int number = 0;

    switch (info->kind) {
    case PROP_KIND_BOOL:
        property_store_uint(field, sizeof(bool), g_variant_get_boolean(value));
        break;
    case PROP_KIND_BIT:
        property_store_bit(field, prop, g_variant_get_boolean(value));
        break;
    case PROP_KIND_INT:
        property_store_uint(field, info->size, g_variant_get_int64(value));
        break;
    case PROP_KIND_UINT:
        property_store_uint(field, info->size, g_variant_get_uint64(value));
        break;
    case PROP_KIND_STRING:
        g_free(*(char **)field);
        *(char **)field = g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)
                              ? g_variant_dup_string(value, NULL)
                              : NULL;
        break;
    case PROP_KIND_ENUM:
        value_parse_enum(prop->enum_table, g_variant_get_string(value, NULL), &number, NULL);
        property_store_uint(field, sizeof(int), number);
        break;
    default:
        break;
    }
}

void property_field_clear(const Property *prop, void *field)
{
    if (prop->info->kind == PROP_KIND_STRING) {
        g_clear_pointer((char **)field, g_free);
    }
}

void property_field_default(const Property *prop, void *field)
{
    switch (prop->info->kind) {
    case PROP_KIND_BIT:
        property_store_bit(field, prop, prop->defval.u);
        break;
    case PROP_KIND_STRING:
        *(char **)field = g_strdup(prop->defval.s);
        break;
    default:
        break;
    }
}

/* ---- Defaults and type names ---- */

GVariant *object_property_default(const Property *prop)
{
    GVariant *value = NULL;

    if (!prop->set_default) {
        return NULL;
    }
    switch (prop->info->kind) {
    case PROP_KIND_BOOL:
    case PROP_KIND_BIT:
        value = g_variant_new_boolean(prop->defval.u != 0);
        break;
    case PROP_KIND_INT:
        value = g_variant_new_int64(prop->defval.i);
        break;
    case PROP_KIND_UINT:
        value = g_variant_new_uint64(prop->defval.u);
        break;
    case PROP_KIND_STRING:
        value = prop->defval.s ? g_variant_new_string(prop->defval.s) : NULL;
        break;
    case PROP_KIND_ENUM:
        if (prop->defval.i >= 0 && prop->defval.i < prop->enum_table->size &&
            prop->enum_table->array[prop->defval.i]) {
            value = g_variant_new_string(prop->enum_table->array[prop->defval.i]);
        }
        break;
    case PROP_KIND_OTHER:
        /* As text; what the field holds then is the author's business. */
        return prop->defval.s ? property_parse_text(prop, prop->defval.s, NULL) : NULL;
    default:
        break;
    }
    return value ? g_variant_ref_sink(value) : NULL;
}

char *object_property_default_text(const Property *prop)
{
    g_autoptr(GVariant) value = object_property_default(prop);

    return value ? property_print_value(prop, value) : NULL;
}

const char *object_property_type_name(const Property *prop)
{
    g_autofree char *name = NULL;

    if (prop->info->kind == PROP_KIND_LINK) {
        name = g_strdup_printf("link<%s>", prop->link_type ? prop->link_type : TYPE_OBJECT);
    } else if (prop->element) {
        name = g_strdup_printf("%s<%s>", prop->info->name, prop->element->name);
    } else {
        return prop->info->name;
    }
    return g_intern_string(name);
}

/* ---- Checks ---- */

static GVariant *expected(GVariant *value, const char *what, GError **errp)
{
    qom_error_set(errp, QOM_ERROR_VALUE, "expected %s, got %s", what, value_kind(value));
    return NULL;
}

/* What a value of the GVariant type @type is called, or NULL. */
static const char *variant_type_kind(const char *type)
{
    switch (*type) {
    case 'b':
        return "a bool";
    case 'd':
        return "a number";
    case 's':
        return "a string";
    case 'a':
        return type[1] == '{' ? "an object" : "a list";
    default:
        return strchr("ynqiuxt", *type) ? "an integer" : NULL;
    }
}

static GVariant *check_other(const Property *prop, GVariant *value, GError **errp)
{
    const char *type = prop->info->variant_type;

    if (!type || g_variant_is_of_type(value, G_VARIANT_TYPE(type))) {
        return g_variant_ref(value);
    }
    if (variant_type_kind(type)) {
        return expected(value, variant_type_kind(type), errp);
    }
    qom_error_set(errp, QOM_ERROR_VALUE, "expected a value of type '%s', got a value of type '%s'",
                  type, g_variant_get_type_string(value));
    return NULL;
}

static bool is_null(GVariant *value)
{
    return g_variant_is_of_type(value, G_VARIANT_TYPE_MAYBE);
}

GVariant *property_check(const Property *prop, GVariant *value, GError **errp)
{
    bool is_string = g_variant_is_of_type(value, G_VARIANT_TYPE_STRING);
    int64_t i;
    uint64_t u;
    int number;

    switch (prop->info->kind) {
    case PROP_KIND_BOOL:
    case PROP_KIND_BIT:
        if (!g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN)) {
            return expected(value, "a bool", errp);
        }
        return g_variant_ref(value);
    case PROP_KIND_INT:
        if (!value_get_int(value, property_int_min(prop), property_int_max(prop), &i, errp)) {
            return NULL;
        }
        return g_variant_ref_sink(g_variant_new_int64(i));
    case PROP_KIND_UINT:
        if (!value_get_uint(value, property_uint_min(prop), property_uint_max(prop), &u, errp)) {
            return NULL;
        }
        return g_variant_ref_sink(g_variant_new_uint64(u));
    case PROP_KIND_STRING:
    case PROP_KIND_LINK:
        /* null unsets it */
        if (!is_string && !is_null(value)) {
            return expected(value, "a string", errp);
        }
        return g_variant_ref(value);
    case PROP_KIND_ENUM:
        if (!is_string) {
            return expected(value, "a string", errp);
        }
        if (!value_parse_enum(prop->enum_table, g_variant_get_string(value, NULL), &number, errp)) {
            return NULL;
        }
        return g_variant_ref(value);
    default:
        return check_other(prop, value, errp);
    }
}

/* ---- Text ---- */

static GVariant *parse_string(const char *text, GError **errp)
{
    if (!g_utf8_validate(text, -1, NULL)) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'%s' is not valid UTF-8", text);
        return NULL;
    }
    return g_variant_ref_sink(g_variant_new_string(text));
}

static GVariant *parse_by_kind(const Property *prop, const char *text, GError **errp)
{
    int64_t i;
    uint64_t u;
    bool b;

    switch (prop->info->kind) {
    case PROP_KIND_BOOL:
    case PROP_KIND_BIT:
        if (!value_parse_bool(text, &b, errp)) {
            return NULL;
        }
        return g_variant_ref_sink(g_variant_new_boolean(b));
    case PROP_KIND_INT:
        if (!value_parse_int(text, property_int_min(prop), property_int_max(prop), &i, errp)) {
            return NULL;
        }
        return g_variant_ref_sink(g_variant_new_int64(i));
    case PROP_KIND_UINT:
        if (!value_parse_uint(text, property_uint_min(prop), property_uint_max(prop), &u, errp)) {
            return NULL;
        }
        return g_variant_ref_sink(g_variant_new_uint64(u));
    case PROP_KIND_STRING:
    case PROP_KIND_ENUM:
    case PROP_KIND_LINK:
        return parse_string(text, errp);
    default:
        if (g_strcmp0(prop->info->variant_type, "s") == 0) {
            return parse_string(text, errp);
        }
        qom_error_set(errp, QOM_ERROR_VALUE, "a value of type '%s' cannot be given as text",
                      prop->info->name);
        return NULL;
    }
}

GVariant *property_parse_text(const Property *prop, const char *text, GError **errp)
{
    GVariant *value;

    if (!prop->info->parse) {
        return parse_by_kind(prop, text, errp);
    }
    value = prop->info->parse(prop, text, errp);
    return value ? g_variant_take_ref(value) : NULL;
}

char *property_print_value(const Property *prop, GVariant *value)
{
    if (prop->info->print) {
        return prop->info->print(prop, value);
    }
    switch (g_variant_classify(value)) {
    case G_VARIANT_CLASS_BOOLEAN:
        return g_strdup(g_variant_get_boolean(value) ? "on" : "off");
    case G_VARIANT_CLASS_INT64:
        return g_strdup_printf("%" G_GINT64_FORMAT, g_variant_get_int64(value));
    case G_VARIANT_CLASS_UINT64:
        return g_strdup_printf("%" G_GUINT64_FORMAT, g_variant_get_uint64(value));
    case G_VARIANT_CLASS_STRING:
        return g_variant_dup_string(value, NULL);
    default:
        return json_from_variant(value);
    }
}

/* ---- Sizes and card addresses ---- */

static GVariant *size_parse(const Property *prop, const char *text, GError **errp)
{
    uint64_t bytes;

    if (!value_parse_size(text, 1, property_uint_min(prop), property_uint_max(prop), &bytes,
                          errp)) {
        return NULL;
    }
    return g_variant_new_uint64(bytes);
}

static char *size_print(const Property *prop G_GNUC_UNUSED, GVariant *value)
{
    return value_print_size(g_variant_get_uint64(value));
}

static GVariant *macaddr_get(Object *obj, const Property *prop, GError **errp G_GNUC_UNUSED)
{
    return g_variant_new_take_string(value_print_macaddr(property_field(obj, prop)));
}

static bool macaddr_set(Object *obj, const Property *prop, GVariant *value, GError **errp)
{
    return value_parse_macaddr(g_variant_get_string(value, NULL), property_field(obj, prop), errp);
}

/* ---- Accessors: a kind of value, but no field ---- */

static GVariant *accessor_get(Object *obj G_GNUC_UNUSED, const Property *prop G_GNUC_UNUSED,
                              GError **errp)
{
    qom_error_set(errp, QOM_ERROR_STATE, "it can only be written");
    return NULL;
}

#define INFO_NUMBER(id, text, k, bytes, vtype)                                                     \
    const PropertyInfo prop_info_##id = {                                                          \
        .name = (text), .variant_type = (vtype), .kind = (k), .size = (bytes)                      \
    }
#define INFO_ACCESSOR(id, text, k, bytes, vtype)                                                   \
    const PropertyInfo prop_info_accessor_##id = {                                                 \
        .name = (text),                                                                            \
        .variant_type = (vtype),                                                                   \
        .kind = (k),                                                                               \
        .size = (bytes),                                                                           \
        .get = accessor_get,                                                                       \
    }

INFO_NUMBER(bool, "bool", PROP_KIND_BOOL, sizeof(bool), "b");
INFO_NUMBER(bit, "bool", PROP_KIND_BIT, 4, "b");
INFO_NUMBER(int8, "int8", PROP_KIND_INT, 1, "x");
INFO_NUMBER(int16, "int16", PROP_KIND_INT, 2, "x");
INFO_NUMBER(int32, "int32", PROP_KIND_INT, 4, "x");
INFO_NUMBER(int64, "int64", PROP_KIND_INT, 8, "x");
INFO_NUMBER(uint8, "uint8", PROP_KIND_UINT, 1, "t");
INFO_NUMBER(uint16, "uint16", PROP_KIND_UINT, 2, "t");
INFO_NUMBER(uint32, "uint32", PROP_KIND_UINT, 4, "t");
INFO_NUMBER(uint64, "uint64", PROP_KIND_UINT, 8, "t");
INFO_NUMBER(string, "str", PROP_KIND_STRING, sizeof(char *), "s");
INFO_NUMBER(enum, "enum", PROP_KIND_ENUM, sizeof(int), "s");
INFO_NUMBER(link, "link", PROP_KIND_LINK, sizeof(Object *), "s");
INFO_ACCESSOR(bool, "bool", PROP_KIND_BOOL, sizeof(bool), "b");
INFO_ACCESSOR(int, "int", PROP_KIND_INT, 8, "x");
INFO_ACCESSOR(uint, "uint", PROP_KIND_UINT, 8, "t");
INFO_ACCESSOR(string, "str", PROP_KIND_STRING, sizeof(char *), "s");

const PropertyInfo prop_info_size = {
    .name = "size",
    .variant_type = "t",
    .kind = PROP_KIND_UINT,
    .size = 8,
    .parse = size_parse,
    .print = size_print,
};

const PropertyInfo prop_info_macaddr = {
    .name = "macaddr",
    .variant_type = "s",
    .get = macaddr_get,
    .set = macaddr_set,
};
