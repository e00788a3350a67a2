/* SPDX-License-Identifier: MIT */
/*
 * The registry of types: a table from name to type that is read without a lock. Types are only ever
 * added, so a pointer to a registered type is good for the life of the process.
 */
#include <string.h>
#include <qomet/qom/user-creatable.h>
#include "qom/qom-int.h"

/**
 * Open addressing, at most half full. The registry's is four times as large when that is passed:
 * writers hold registry_mutex; a reader sees each slot either empty or with an entry that is
 * complete. A table that became too small stays behind @older, since somebody may still be reading
 * it; all of them together are smaller than the newest.
 */
struct TypeTable {
    TypeTable *older;
    uint32_t mask, used;
    TypeEntry *slots[];
};

static TypeTable *table;
static pthread_mutex_t registry_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t registry_once = PTHREAD_ONCE_INIT;

static GVariant *get_type(Object *obj, const Property *prop, GError **errp)
{
    (void)prop;
    (void)errp;
    return g_variant_new_string(object_get_typename(obj));
}

static const Property object_props[] = {
    { .name = "type",
      .info = &prop_info_accessor_string,
      .help = "the name of its type",
      .read_only = true,
      .get = get_type },
};

static void object_base_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    object_class_add_properties(klass, object_props, G_N_ELEMENTS(object_props));
}

static const TypeInfo base_types[] = {
    {
        .name = TYPE_OBJECT,
        .instance_size = sizeof(Object),
        .class_size = sizeof(ObjectClass),
        .class_init = object_base_class_init,
        .abstract = true,
    },
    {
        .name = TYPE_INTERFACE,
        .class_size = sizeof(InterfaceClass),
        .abstract = true,
    },
    {
        .name = TYPE_CONTAINER,
        .parent = TYPE_OBJECT,
    },
    {
        .name = TYPE_USER_CREATABLE,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(UserCreatableClass),
    },
};

uint32_t type_name_hash(const char *name)
{
    uint32_t hash = 5381;

    for (const unsigned char *c = (const unsigned char *)name; *c; c++) {
        hash = hash * 33 + *c;
    }
    /*
     * Names that differ in their last digits only would stand side by side, and searches be long.
     */
    hash *= 0x9e3779b1;
    return hash ^ hash >> 15;
}

TypeTable *type_table_new(size_t n)
{
    size_t n_slots = 4;
    TypeTable *new;

    while (n_slots < 2 * n) {
        n_slots *= 2;
    }
    new = g_malloc0(sizeof(*new) + n_slots * sizeof(new->slots[0]));
    new->mask = (uint32_t)n_slots - 1;
    return new;
}

void type_table_put(TypeTable *t, TypeEntry *entry)
{
    uint32_t i = entry->hash & t->mask;

    while (t->slots[i]) {
        i = (i + 1) & t->mask;
    }
    __atomic_store_n(&t->slots[i], entry, __ATOMIC_RELEASE);
    __atomic_store_n(&t->used, t->used + 1, __ATOMIC_RELAXED);
}

static TypeEntry *entry_new(const TypeInfo *info, TypeInfo *copy, const char *origin)
{
    TypeEntry *entry = g_new0(TypeEntry, 1);

    entry->pub.name = info->name;
    entry->info = info;
    entry->copy = copy;
    entry->origin = origin;
    entry->hash = info->name ? type_name_hash(info->name) : 0;
    return entry;
}

static void registry_init(void)
{
    TypeTable *t = type_table_new(128);

    for (size_t i = 0; i < G_N_ELEMENTS(base_types); i++) {
        type_table_put(t, entry_new(&base_types[i], NULL, NULL));
    }
    __atomic_store_n(&table, t, __ATOMIC_RELEASE);
}

static inline TypeTable *table_get(void)
{
    TypeTable *t = __atomic_load_n(&table, __ATOMIC_ACQUIRE);

    if (G_UNLIKELY(!t)) {
        pthread_once(&registry_once, registry_init);
        t = __atomic_load_n(&table, __ATOMIC_ACQUIRE);
    }
    return t;
}

void type_registry_lock(void)
{
    pthread_mutex_lock(&registry_mutex);
}

void type_registry_unlock(void)
{
    pthread_mutex_unlock(&registry_mutex);
}

void type_insert(TypeEntry *entry)
{
    TypeTable *t = table_get();

    if (2 * (t->used + 1) > t->mask + 1) {
        TypeTable *larger = type_table_new(2 * ((size_t)t->mask + 1));

        larger->older = t;
        for (uint32_t i = 0; i <= t->mask; i++) {
            if (t->slots[i]) {
                type_table_put(larger, t->slots[i]);
            }
        }
        __atomic_store_n(&table, larger, __ATOMIC_RELEASE);
        t = larger;
    }
    type_table_put(t, entry);
}

TypeEntry *type_table_find(const TypeTable *t, const char *name, uint32_t hash)
{
    TypeEntry *entry;

    for (uint32_t i = hash & t->mask;; i = (i + 1) & t->mask) {
        entry = __atomic_load_n(&t->slots[i], __ATOMIC_ACQUIRE);
        if (!entry) {
            return NULL;
        }
        if (entry->hash == hash && strcmp(entry->pub.name, name) == 0) {
            return entry;
        }
    }
}

TypeEntry *type_lookup_hashed(const char *name, uint32_t hash)
{
    return type_table_find(table_get(), name, hash);
}

TypeEntry *type_lookup(const char *name)
{
    return name ? type_lookup_hashed(name, type_name_hash(name)) : NULL;
}

unsigned type_count(void)
{
    return __atomic_load_n(&table_get()->used, __ATOMIC_RELAXED);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    const TypeEntry *x = *(TypeEntry *const *)a, *y = *(TypeEntry *const *)b;

    return strcmp(x->pub.name, y->pub.name);
}

GPtrArray *type_all(void)
{
    const TypeTable *t = table_get();
    GPtrArray *all = g_ptr_array_new();

    for (uint32_t i = 0; i <= t->mask; i++) {
        TypeEntry *entry = __atomic_load_n(&t->slots[i], __ATOMIC_ACQUIRE);

        if (entry) {
            g_ptr_array_add(all, entry);
        }
    }
    g_ptr_array_sort(all, compare_names);
    return all;
}

char *type_suggestion(const char *name, const TypeEntry *except)
{
    g_autoptr(GPtrArray) all = type_all();
    g_auto(GStrv) more = module_index_types();
    guint n = 0;

    for (guint i = 0; i < all->len; i++) {
        const TypeEntry *entry = all->pdata[i];

        if (entry != except) {
            all->pdata[n++] = (gpointer)entry->pub.name;
        }
    }
    g_ptr_array_set_size(all, n);
    for (unsigned i = 0; more[i]; i++) {
        if (strcmp(more[i], name) != 0) {
            g_ptr_array_add(all, more[i]);
        }
    }
    g_ptr_array_add(all, NULL);
    return qom_did_you_mean(name, (const char *const *)all->pdata);
}

/* ---- registration ---- */

static TypeInfo *info_copy(const TypeInfo *info)
{
    TypeInfo *copy = g_memdup2(info, sizeof(*info));

    copy->name = g_strdup(info->name);
    copy->parent = g_strdup(info->parent);
    if (info->interfaces) {
        size_t n = 0;
        InterfaceInfo *interfaces;

        while (info->interfaces[n].type) {
            n++;
        }
        interfaces = g_new0(InterfaceInfo, n + 1);
        for (size_t i = 0; i < n; i++) {
            interfaces[i].type = g_strdup(info->interfaces[i].type);
        }
        copy->interfaces = interfaces;
    }
    return copy;
}

static void info_free(TypeInfo *copy)
{
    if (!copy) {
        return;
    }
    for (size_t i = 0; copy->interfaces && copy->interfaces[i].type; i++) {
        g_free((char *)copy->interfaces[i].type);
    }
    g_free((InterfaceInfo *)copy->interfaces);
    g_free((char *)copy->name);
    g_free((char *)copy->parent);
    g_free(copy);
}

void type_entry_free(TypeEntry *entry)
{
    info_free(entry->copy);
    g_free(entry);
}

static char *describe(const TypeEntry *entry)
{
    return g_strdup_printf("as a child of '%s' by %s",
                           entry->info->parent ? entry->info->parent : "(none)",
                           entry->origin ? entry->origin : "the program");
}

void type_error_duplicate(GError **errp, const TypeEntry *first, const TypeEntry *second)
{
    g_autofree char *one = describe(first), *other = describe(second);

    qom_error_set(errp, QOM_ERROR_EXISTS, "type '%s' is registered twice: first %s, then %s",
                  first->pub.name, one, other);
}

static Type type_register_entry(TypeEntry *entry, GError **errp)
{
    TypeBatch *batch = type_batch_current();
    TypeEntry *taken;

    if (batch) {
        g_ptr_array_add(batch->entries, entry);
        return &entry->pub;
    }
    if (!entry->pub.name || !*entry->pub.name) {
        qom_error_set(errp, QOM_ERROR_TYPE, "a type with parent '%s' is registered without a name",
                      entry->info->parent ? entry->info->parent : "(none)");
        type_entry_free(entry);
        return NULL;
    }
    type_registry_lock();
    taken = type_lookup_hashed(entry->pub.name, entry->hash);
    if (!taken) {
        type_insert(entry);
    }
    type_registry_unlock();
    if (taken) {
        type_error_duplicate(errp, taken, entry);
        type_entry_free(entry);
        return NULL;
    }
    return &entry->pub;
}

Type type_register(const TypeInfo *info, GError **errp)
{
    TypeInfo *copy = info_copy(info);

    return type_register_entry(entry_new(copy, copy, NULL), errp);
}

Type type_register_static(const TypeInfo *info, GError **errp)
{
    return type_register_entry(entry_new(info, NULL, NULL), errp);
}

bool type_register_static_array(const TypeInfo *infos, size_t n, GError **errp)
{
    bool good = true;

    /* The first that fails is reported, and the others stand, as in module_call_init(). */
    for (size_t i = 0; i < n; i++) {
        if (!type_register_static(&infos[i], good ? errp : NULL)) {
            good = false;
        }
    }
    return good;
}
