/* SPDX-License-Identifier: MIT */
/*
 * The schema as a client may ask for it: lists of names, and QEMU's form of introspection, where
 * every type is an entry of its own.
 */
#include <string.h>
#include "monitor/handlers.h"
#include "monitor/qmp-int.h"

/* What a command takes that takes nothing, and returns that returns nothing. */
#define EMPTY_TYPE "q_empty"

/** The list of entries while it is made. */
typedef struct Schema {
    GVariantBuilder entries;
    GHashTable *made; /* names of the arrays and wrappers that are in it (char *, owned) */
} Schema;

static GVariant *name_only(const char *name)
{
    return qmp_object("name", g_variant_new_string(name), NULL);
}

static void add_entry(Schema *s, const char *name, const char *meta, const char *what,
                      GVariant *value, const char *more, GVariant *more_value)
{
    g_variant_builder_add(&s->entries, "v",
                          qmp_object("name", g_variant_new_string(name), "meta-type",
                                     g_variant_new_string(meta), what, value, more, more_value,
                                     NULL));
}

/* The name of @type ("str[]") in the introspection ("[str]"); a list gets its entry. */
static GVariant *type_name(Schema *s, const char *type)
{
    g_autofree char *element = NULL, *name = NULL;

    if (!type) {
        return g_variant_new_string(EMPTY_TYPE);
    }
    if (!strcmp(type, "size")) {
        return g_variant_new_string("int");
    }
    if (!g_str_has_suffix(type, "[]")) {
        return g_variant_new_string(type);
    }
    element = g_strndup(type, strlen(type) - 2);
    name = g_strdup_printf("[%s]", element);
    if (g_hash_table_add(s->made, g_strdup(name))) {
        add_entry(s, name, "array", "element-type", type_name(s, element), NULL, NULL);
    }
    return g_variant_new_string(name);
}

static void add_object(Schema *s, const char *name, const SchemaMember *members)
{
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("av"));
    for (const SchemaMember *m = members; m && m->name; m++) {
        /* A default of null says only that there is one. */
        GVariant *null = m->optional ? g_variant_new_maybe(G_VARIANT_TYPE_VARIANT, NULL) : NULL;

        g_variant_builder_add(&list, "v",
                              qmp_object("name", g_variant_new_string(m->name), "type",
                                         type_name(s, m->type), "default", null, NULL));
    }
    add_entry(s, name, "object", "members", g_variant_builder_end(&list), NULL, NULL);
}

static void add_enum(Schema *s, const SchemaType *type)
{
    GVariantBuilder members;

    g_variant_builder_init(&members, G_VARIANT_TYPE("av"));
    for (const char *const *value = type->values; *value; value++) {
        g_variant_builder_add(&members, "v", name_only(*value));
    }
    add_entry(s, type->name, "enum", "members", g_variant_builder_end(&members), "values",
              g_variant_new_strv(type->values, -1));
}

/* An object that has nothing but the member "data", of @type; its name. */
static GVariant *wrapper_of(Schema *s, const char *type)
{
    g_autofree char *name = g_strdup_printf("q_obj_%s-wrapper", type);

    if (g_hash_table_add(s->made, g_strdup(name))) {
        add_object(s, name,
                   (const SchemaMember[]){ { .name = "data", .type = type }, { .name = NULL } });
    }
    return g_variant_new_string(name);
}

/* An object of several shapes: which, its member "type" says, an enumeration made for it. */
static void add_variants(Schema *s, const SchemaType *type)
{
    g_autofree char *kind = g_strconcat(type->name, "Kind", NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    GVariantBuilder members, variants;

    g_variant_builder_init(&variants, G_VARIANT_TYPE("av"));
    for (const SchemaMember *v = type->variants; v->name; v++) {
        g_ptr_array_add(names, (void *)v->name);
        g_variant_builder_add(&variants, "v",
                              qmp_object("case", g_variant_new_string(v->name), "type",
                                         wrapper_of(s, v->type), NULL));
    }
    g_ptr_array_add(names, NULL);
    add_enum(s, &(SchemaType){ .name = kind, .values = (const char *const *)names->pdata });
    g_variant_builder_init(&members, G_VARIANT_TYPE("av"));
    g_variant_builder_add(
        &members, "v",
        qmp_object("name", g_variant_new_string("type"), "type", g_variant_new_string(kind), NULL));
    g_variant_builder_add(&s->entries, "v",
                          qmp_object("name", g_variant_new_string(type->name), "meta-type",
                                     g_variant_new_string("object"), "members",
                                     g_variant_builder_end(&members), "tag",
                                     g_variant_new_string("type"), "variants",
                                     g_variant_builder_end(&variants), NULL));
}

/* The type of the arguments of @name; its entry is added when there are any. */
static GVariant *args_type(Schema *s, const char *name, const SchemaMember *args)
{
    g_autofree char *type = NULL;

    if (!args) {
        return g_variant_new_string(EMPTY_TYPE);
    }
    type = g_strdup_printf("q_obj_%s-arg", name);
    add_object(s, type, args);
    return g_variant_new_string(type);
}

static void add_command(Schema *s, const QmpCommand *row)
{
    GVariant *args = args_type(s, row->name, row->args);
    GVariant *ret = type_name(s, row->ret);

    g_variant_builder_add(&s->entries, "v",
                          qmp_object("name", g_variant_new_string(row->name), "meta-type",
                                     g_variant_new_string("command"), "arg-type", args, "ret-type",
                                     ret, "allow-oob", g_variant_new_boolean(row->oob), NULL));
}

static void add_builtins(Schema *s)
{
    static const struct {
        const char *name, *json;
    } builtins[] = {
        { "any", "value" }, { "bool", "boolean" },  { "int", "int" },
        { "null", "null" }, { "number", "number" }, { "str", "string" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(builtins); i++) {
        add_entry(s, builtins[i].name, "builtin", "json-type",
                  g_variant_new_string(builtins[i].json), NULL, NULL);
    }
    add_object(s, EMPTY_TYPE, NULL);
}

bool qmp_do_query_qmp_schema(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    g_autoptr(GHashTable) made = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Schema s = { .made = made };

    (void)mon;
    (void)args;
    (void)errp;
    g_variant_builder_init(&s.entries, G_VARIANT_TYPE("av"));
    for (const QmpCommand *row = qmp_commands; row->name; row++) {
        add_command(&s, row);
    }
    for (const QmpEvent *row = qmp_events; row->name; row++) {
        add_entry(&s, row->name, "event", "arg-type", args_type(&s, row->name, row->data), NULL,
                  NULL);
    }
    for (const SchemaType *row = schema_types; row->name; row++) {
        if (row->values) {
            add_enum(&s, row);
        } else if (row->variants) {
            add_variants(&s, row);
        } else {
            add_object(&s, row->name, row->members);
        }
    }
    add_builtins(&s);
    *ret = g_variant_builder_end(&s.entries);
    return true;
}

/* The names of @rows, of @row_bytes each, which begin with theirs. */
static GVariant *list_names(const void *rows, size_t row_bytes)
{
    GVariantBuilder list;
    const char *const *name;

    g_variant_builder_init(&list, G_VARIANT_TYPE("av"));
    for (const char *row = rows; name = (const char *const *)row, *name; row += row_bytes) {
        g_variant_builder_add(&list, "v", name_only(*name));
    }
    return g_variant_builder_end(&list);
}

bool qmp_do_query_commands(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    (void)mon;
    (void)args;
    (void)errp;
    *ret = list_names(qmp_commands, sizeof(*qmp_commands));
    return true;
}

bool qmp_do_query_events(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    (void)mon;
    (void)args;
    (void)errp;
    *ret = list_names(qmp_events, sizeof(*qmp_events));
    return true;
}
