/* SPDX-License-Identifier: MIT */
/*
 * What a word of a line may become: names of commands, and what the arguments of a command name in
 * the tree and among the types. Every word is given with what follows it (" ", "=", "/").
 */
#include <string.h>
#include <qomet/hw/core/bus.h>
#include <qomet/qom/user-creatable.h>
#include "monitor/hmp-int.h"

/** The end of a line, and what it may become. */
typedef struct Completion {
    const char *line;  /* up to the cursor */
    const char *typed; /* the part of it that is to be completed */
    char *path;        /* the argument "path" before it, or NULL */
    char *property;    /* the argument "property" before it, or NULL */
    GPtrArray *words;  /* of char *, in order */
} Completion;

/* "@name@after", if it begins with what was typed. */
static void offer(Completion *c, const char *name, const char *after)
{
    if (g_str_has_prefix(name, c->typed)) {
        g_ptr_array_add(c->words, g_strconcat(name, after, NULL));
    }
}

/* What is completed begins behind the last of @separators in it. */
static void narrow(Completion *c, const char *separators)
{
    for (const char *p = c->typed; *p; p++) {
        if (strchr(separators, *p)) {
            c->typed = p + 1;
        }
    }
}

/* ---- Commands -------------------------------------------------------------------------------- */

/* Names of one word, or, behind "info ", topics. */
static void complete_command(Completion *c)
{
    bool topic = g_str_has_prefix(c->typed, "info ");

    c->typed += topic ? strlen("info ") : 0;
    for (const HmpCommand *row = hmp_commands; row->name; row++) {
        const char *space = strchr(row->name, ' ');

        if (topic == (space != NULL)) {
            offer(c, topic ? space + 1 : row->name, " ");
        }
    }
}

/* ---- Objects --------------------------------------------------------------------------------- */

static int has_child(Object *child, void *opaque)
{
    (void)child;
    (void)opaque;
    return 1;
}

static int offer_child(Object *child, void *opaque)
{
    bool more = object_child_foreach(child, has_child, NULL);

    offer(opaque, object_get_canonical_path_component(child), more ? "/" : " ");
    return 0;
}

static void complete_path(Completion *c)
{
    const char *begin = c->typed;
    g_autofree char *above = NULL;
    Object *parent;

    if (!*begin) {
        offer(c, "/", "");
        return;
    }
    if (*begin != '/') {
        return;
    }
    narrow(c, "/");
    /* Without the slash before what is typed, unless that is the root itself. */
    above = g_strndup(begin, (gsize)MAX(c->typed - 1 - begin, 1));
    parent = object_resolve_path(above, NULL);
    if (parent) {
        object_child_foreach(parent, offer_child, c);
    }
}

static int offer_name(Object *child, void *opaque)
{
    offer(opaque, object_get_canonical_path_component(child), " ");
    return 0;
}

static void offer_names(Completion *c, const char *container)
{
    Object *obj = object_resolve_path(container, NULL);

    if (obj) {
        object_child_foreach(obj, offer_name, c);
    }
}

/* By id, or any other by its path. */
static void complete_device(Completion *c)
{
    if (*c->typed == '/') {
        complete_path(c);
    } else {
        offer_names(c, "/machine/peripheral");
    }
}

static void complete_object(Completion *c)
{
    offer_names(c, "/objects");
}

/* ---- Properties ------------------------------------------------------------------------------ */

static void complete_property(Completion *c)
{
    Object *obj = c->path ? object_resolve_path(c->path, NULL) : NULL;
    ObjectPropertyIterator iter;
    ObjectPropertyView view;

    if (!obj) {
        return;
    }
    object_property_iter_init(&iter, obj);
    while (object_property_iter_next(&iter, &view)) {
        offer(c, view.name, " ");
    }
}

/* What a property may be set to, as far as that can be listed. */
static void offer_values(Completion *c, const Property *prop, const char *after)
{
    if (prop->info->kind == PROP_KIND_BOOL || prop->info->kind == PROP_KIND_BIT) {
        offer(c, "on", after);
        offer(c, "off", after);
    } else if (prop->enum_table) {
        for (int i = 0; i < prop->enum_table->size; i++) {
            if (prop->enum_table->array[i]) {
                offer(c, prop->enum_table->array[i], after);
            }
        }
    } else if (prop->info == &prop_info_chr) {
        offer_names(c, "/chardevs");
    } else if (prop->info->kind == PROP_KIND_LINK) {
        complete_path(c);
    }
}

static void complete_value(Completion *c)
{
    Object *obj = c->path ? object_resolve_path(c->path, NULL) : NULL;
    const Property *prop =
        obj && c->property ? object_class_property_find(object_get_class(obj), c->property) : NULL;

    if (prop) {
        offer_values(c, prop, " ");
    }
}

static void complete_bool(Completion *c)
{
    offer(c, "on", " ");
    offer(c, "off", " ");
}

/* ---- Words of the command line --------------------------------------------------------------- */

static void offer_class(ObjectClass *klass, void *opaque)
{
    DeviceClass *dc = (DeviceClass *)object_class_dynamic_cast(klass, TYPE_DEVICE);

    if (!dc || dc->user_creatable) {
        offer(opaque, object_class_get_name(klass), ",");
    }
}

static int offer_bus(Object *obj, void *opaque)
{
    if (object_dynamic_cast(obj, TYPE_BUS)) {
        offer(opaque, ((BusState *)obj)->name, "");
    }
    return 0;
}

/* The names that can be given to what is @klass, but for those that were. */
static void offer_keys(Completion *c, ObjectClass *klass, char **given)
{
    DeviceClass *dc = (DeviceClass *)object_class_dynamic_cast(klass, TYPE_DEVICE);
    ObjectClass *common = dc ? object_class_by_name(TYPE_DEVICE) : NULL;

    offer(c, "id", "=");
    if (dc && dc->bus_type) {
        offer(c, "bus", "=");
    }
    for (unsigned i = 0; i < klass->property_list->len; i++) {
        const Property *prop = g_ptr_array_index(klass->property_list, i);
        bool again = false;

        for (char **key = given; *key; key++) {
            size_t len = strcspn(*key, "=");

            again |= strlen(prop->name) == len && !strncmp(prop->name, *key, len);
        }
        if (!prop->read_only && !again &&
            !(common && object_class_property_find(common, prop->name))) {
            offer(c, prop->name, "=");
        }
    }
}

/* Behind "key=". */
static void complete_key_value(Completion *c, ObjectClass *klass, const char *key)
{
    const Property *prop = object_class_property_find(klass, key);

    if (!strcmp(key, "bus")) {
        object_child_foreach_recursive(qdev_get_machine(), offer_bus, c);
    } else if (prop) {
        offer_values(c, prop, "");
    }
}

/* "isa-debugcon,iobase=0xe9,ch" */
static void complete_words(Completion *c, const char *base)
{
    g_auto(GStrv) words = g_strsplit(c->typed, ",", -1);
    ObjectClass *klass;
    const char *equals;

    narrow(c, ",");
    if (!words[0] || !words[1]) {
        module_load_all(NULL);
        object_class_foreach(offer_class, base, false, c);
        return;
    }
    klass = object_class_by_name(words[0]);
    if (!klass || !object_class_dynamic_cast(klass, base)) {
        return;
    }
    equals = strchr(c->typed, '=');
    if (equals) {
        g_autofree char *key = g_strndup(c->typed, (gsize)(equals - c->typed));

        c->typed = equals + 1;
        complete_key_value(c, klass, key);
    } else {
        offer_keys(c, klass, words + 1);
    }
}

static void complete_device_words(Completion *c)
{
    complete_words(c, TYPE_DEVICE);
}

static void complete_object_words(Completion *c)
{
    complete_words(c, TYPE_USER_CREATABLE);
}

/* ---- Others ---------------------------------------------------------------------------------- */

static void complete_log_items(Completion *c)
{
    narrow(c, ",");
    for (const LogItem *item = qemu_log_items; item->name; item++) {
        offer(c, item->name, "");
    }
}

/* "$ri" */
static void complete_number(Completion *c)
{
    g_auto(GStrv) names = hmp_register_names();

    if (!strchr(c->typed, '$')) {
        return;
    }
    narrow(c, "$");
    for (char **name = names; *name; name++) {
        offer(c, *name, "");
    }
}

static void (*find_completer(const char *type))(Completion *c)
{
    static const struct {
        const char *type;
        void (*complete)(Completion *c);
    } completers[] = {
        { "command", complete_command },
        { "path", complete_path },
        { "property", complete_property },
        { "value", complete_value },
        { "bool", complete_bool },
        { "device", complete_device },
        { "object", complete_object },
        { "device-words", complete_device_words },
        { "object-words", complete_object_words },
        { "log-items", complete_log_items },
        { "int", complete_number },
        { "size", complete_number },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(completers); i++) {
        if (!strcmp(completers[i].type, type)) {
            return completers[i].complete;
        }
    }
    return NULL;
}

/* ---- Which argument -------------------------------------------------------------------------- */

/* The names of the flags that stand next to @m. */
static void complete_flags(Completion *c, const SchemaMember *m)
{
    c->typed++;
    for (; m->name && !strcmp(m->type, "flag"); m++) {
        offer(c, m->name, " ");
    }
}

/* Reads over the argument at @*at if another one follows it; else false. */
static bool pass(Completion *c, const SchemaMember *m, const char **at)
{
    const char *begin = *at + strspn(*at, " ");
    size_t len = strcspn(begin, " ");
    bool given = true;

    if (!strcmp(m->type, "flag")) {
        given = *begin == '-';
    } else if (!strcmp(m->type, "fmt")) {
        given = *begin == '/';
    }
    c->typed = begin;
    if (!given) {
        *at = begin;
        return true;
    }
    if (!begin[len]) {
        return false;
    }
    if (!strcmp(m->type, "path")) {
        g_free(c->path);
        c->path = g_strndup(begin, len);
    } else if (!strcmp(m->type, "property")) {
        g_free(c->property);
        c->property = g_strndup(begin, len);
    }
    *at = begin + len;
    return true;
}

static void complete_args(Completion *c, const HmpCommand *row, const char *at)
{
    for (const SchemaMember *m = row->args; m && m->name; m++) {
        void (*complete)(Completion * c) = find_completer(m->type);

        if (hmp_takes_rest(m->type)) {
            c->typed = at + strspn(at, " ");
            if (complete) {
                complete(c);
            }
            return;
        }
        if (!pass(c, m, &at)) {
            if (!strcmp(m->type, "flag")) {
                complete_flags(c, m);
            } else if (complete) {
                complete(c);
            }
            return;
        }
    }
}

static void complete_line(Completion *c)
{
    const char *at = c->line + strspn(c->line, " ");
    const char *begin = at;
    const HmpCommand *row;

    c->typed = begin;
    if (!strchr(begin, ' ') || (g_str_has_prefix(begin, "info ") && !strchr(begin + 5, ' '))) {
        complete_command(c);
        return;
    }
    c->typed = begin + strlen(begin);
    row = hmp_find(&at, NULL);
    if (row) {
        complete_args(c, row, at);
    }
}

static int compare_words(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char **hmp_complete(const char *before, size_t *from)
{
    Completion c = { .line = before, .words = g_ptr_array_new() };

    complete_line(&c);
    *from = (size_t)(c.typed - before);
    g_ptr_array_sort(c.words, compare_words);
    g_ptr_array_add(c.words, NULL);
    g_free(c.path);
    g_free(c.property);
    return (char **)g_ptr_array_free(c.words, FALSE);
}
