/* SPDX-License-Identifier: MIT */
/*
 * Classes: made from types on first use, parent before child, each with the row of its ancestors
 * and its own versions of the interface classes.
 */
#include <string.h>
#include "qom/qom-int.h"

typedef void (*InstanceFunc)(Object *obj);

static const InterfaceSlot no_interfaces[1];
static const InstanceFunc no_functions[1];
static pthread_mutex_t class_mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static uint32_t n_interface_ids; /* under class_mutex */

void class_lock(void)
{
    pthread_mutex_lock(&class_mutex);
}

void class_unlock(void)
{
    pthread_mutex_unlock(&class_mutex);
}

/* ---- the parts of a class ---- */

/*
 * The parent's row @above with @own put first (@leaf_first) or last. The rows are never freed, so
 * they may be shared.
 */
static const InstanceFunc *function_row(const InstanceFunc *above, InstanceFunc own,
                                        bool leaf_first)
{
    size_t n = 0;
    InstanceFunc *row;

    if (!own) {
        return above;
    }
    while (above[n]) {
        n++;
    }
    row = g_new0(InstanceFunc, n + 2);
    memcpy(row + leaf_first, above, n * sizeof(row[0]));
    row[leaf_first ? 0 : n] = own;
    return row;
}

static void make_function_rows(TypeEntry *entry)
{
    const TypeEntry *parent = entry->parent;
    const TypeInfo *info = entry->info;

    entry->inits = function_row(parent ? parent->inits : no_functions, info->instance_init, false);
    entry->post_inits =
        function_row(parent ? parent->post_inits : no_functions, info->instance_post_init, false);
    entry->finalizers =
        function_row(parent ? parent->finalizers : no_functions, info->instance_finalize, true);
}

/*
 * The class's struct and behind it the row of its ancestors: what the parent has, and the type
 * itself.
 */
static ObjectClass *make_class_struct(TypeEntry *entry)
{
    const TypeEntry *parent = entry->parent;
    size_t size = (entry->class_size + sizeof(Type) - 1) & ~(sizeof(Type) - 1);
    uint32_t depth = parent ? parent->pub.depth + 1 : 0;
    ObjectClass *klass = g_malloc0(size + (depth + 1) * sizeof(Type));
    Type *ancestors = (Type *)((char *)klass + size);

    if (parent) {
        memcpy(klass, parent->klass, parent->class_size);
        memcpy(ancestors, parent->klass->ancestors, depth * sizeof(Type));
    }
    ancestors[depth] = &entry->pub;
    entry->pub.depth = depth;
    klass->type = &entry->pub;
    klass->ancestors = ancestors;
    klass->depth = depth;
    klass->interfaces = no_interfaces;
    klass->interface_mask = 0;
    klass->properties = NULL;
    klass->property_list = NULL;
    object_class_properties_inherit(klass, parent ? parent->klass : NULL);
    return klass;
}

static void run_class_base_inits(ObjectClass *klass, const void *data)
{
    for (uint32_t i = 0; i <= klass->depth; i++) {
        const TypeInfo *info = ((TypeEntry *)klass->ancestors[i])->info;

        if (info->class_base_init) {
            info->class_base_init(klass, data);
        }
    }
}

/* ---- interfaces ---- */

static ObjectClass *find_version(ObjectClass **versions, unsigned n, const TypeImpl *type)
{
    for (unsigned i = 0; i < n; i++) {
        if (versions[i]->type == type) {
            return versions[i];
        }
    }
    return NULL;
}

/*
 * @klass's own version of the interface @type. It begins as the parent's version. Where the parent
 * implements only an interface above @type, it begins as the interface class itself, with the
 * methods that the parent has set.
 */
static ObjectClass *make_version(ObjectClass *klass, const TypeEntry *type, const TypeEntry *parent)
{
    ObjectClass *inherited = find_version(parent->interfaces, parent->n_interfaces, &type->pub);
    ObjectClass *version = g_memdup2(inherited ? inherited : type->klass, type->class_size);

    for (unsigned i = 0; !inherited && i < parent->n_interfaces; i++) {
        const TypeEntry *above = type_entry(parent->interfaces[i]);
        const uintptr_t *theirs = (const uintptr_t *)parent->interfaces[i];
        const uintptr_t *plain = (const uintptr_t *)above->klass;

        if (!object_class_derives(version, &above->pub)) {
            continue;
        }
        for (size_t w = sizeof(InterfaceClass) / sizeof(*theirs);
             w < above->class_size / sizeof(*theirs); w++) {
            if (theirs[w] != plain[w]) {
                ((uintptr_t *)version)[w] = theirs[w];
            }
        }
    }
    ((InterfaceClass *)version)->concrete_class = klass;
    return version;
}

/*
 * A row for every interface type that casts may ask for, by (id & mask), the mask being grown until
 * no two meet. Ids of interfaces are dense, so this ends at the number of interfaces in the process
 * at the latest.
 */
static void make_interface_rows(ObjectClass *klass, ObjectClass **versions, unsigned n)
{
    g_autoptr(GPtrArray) types = g_ptr_array_new();
    g_autoptr(GPtrArray) classes = g_ptr_array_new();
    g_autofree InterfaceSlot *rows = NULL;
    uint32_t mask = 0;
    guint placed;

    for (unsigned v = 0; v < n; v++) {
        /*
         * The interfaces above it, without TYPE_INTERFACE; one that two of them share is found in
         * the first.
         */
        for (uint32_t d = versions[v]->depth; d > 0; d--) {
            if (!g_ptr_array_find(types, versions[v]->ancestors[d], NULL)) {
                g_ptr_array_add(types, versions[v]->ancestors[d]);
                g_ptr_array_add(classes, versions[v]);
            }
        }
    }
    while (mask + 1 < types->len) {
        mask = mask << 1 | 1;
    }
    for (;; mask = mask << 1 | 1) {
        rows = g_new0(InterfaceSlot, (size_t)mask + 1);
        for (placed = 0; placed < types->len; placed++) {
            Type type = types->pdata[placed];
            InterfaceSlot *row = &rows[type->id & mask];

            if (row->type) {
                break;
            }
            row->type = type;
            row->klass = classes->pdata[placed];
        }
        if (placed == types->len) {
            break;
        }
        g_clear_pointer(&rows, g_free);
    }
    klass->interfaces = g_steal_pointer(&rows);
    klass->interface_mask = mask;
}

static void make_interfaces(TypeEntry *entry, ObjectClass *klass)
{
    const TypeEntry *parent = entry->parent;
    const InterfaceInfo *own = entry->info->interfaces;
    g_autoptr(GPtrArray) types = NULL;

    if (!parent || (!parent->n_interfaces && !(own && own->type))) {
        return;
    }
    types = g_ptr_array_new();
    for (unsigned i = 0; i < parent->n_interfaces; i++) {
        g_ptr_array_add(types, type_entry(parent->interfaces[i]));
    }
    for (; own && own->type; own++) {
        TypeEntry *added = type_lookup(own->type);
        bool covered = false;

        /* Only the most derived are kept: a version of an interface serves those above it too. */
        for (guint i = 0; i < types->len && !covered; i++) {
            const TypeEntry *kept = types->pdata[i];

            if (object_class_derives(kept->klass, &added->pub)) {
                covered = true;
            } else if (object_class_derives(added->klass, &kept->pub)) {
                g_ptr_array_remove_index(types, i--);
            }
        }
        if (!covered) {
            g_ptr_array_add(types, added);
        }
    }
    entry->interfaces = g_new0(ObjectClass *, types->len);
    entry->n_interfaces = types->len;
    for (guint i = 0; i < types->len; i++) {
        entry->interfaces[i] = make_version(klass, types->pdata[i], parent);
        run_class_base_inits(entry->interfaces[i], entry->info->class_data);
    }
    make_interface_rows(klass, entry->interfaces, entry->n_interfaces);
}

/* ---- making ---- */

static bool make_class(TypeEntry *entry, GError **errp);

/* The class of @needed ("parent", "interface" of @entry), whose own class_init must be over. */
static bool make_needed(const TypeEntry *entry, const char *role, TypeEntry *needed, GError **errp)
{
    if (needed->klass) {
        return true;
    }
    if (needed->building) {
        qom_error_set(errp, QOM_ERROR_STATE,
                      "type '%s': the class of its %s '%s' is not complete yet (it is asked for "
                      "while that class_init runs)",
                      entry->pub.name, role, needed->pub.name);
        return false;
    }
    return make_class(needed, errp);
}

/*
 * Under the class lock, @entry resolved and without a class. All that can fail comes before
 * anything is made.
 */
static bool make_class(TypeEntry *entry, GError **errp)
{
    const InterfaceInfo *i;
    ObjectClass *klass;

    if (entry->parent && !make_needed(entry, "parent", entry->parent, errp)) {
        return false;
    }
    for (i = entry->info->interfaces; i && i->type; i++) {
        if (!make_needed(entry, "interface", type_lookup(i->type), errp)) {
            return false;
        }
    }
    if (entry->interface) {
        entry->pub.id = n_interface_ids++;
    }
    klass = make_class_struct(entry);
    make_function_rows(entry);
    make_interfaces(entry, klass);
    entry->building = klass;
    run_class_base_inits(klass, entry->info->class_data);
    if (entry->info->class_init) {
        entry->info->class_init(klass, entry->info->class_data);
    }
    entry->flaw = object_class_properties_flaw(klass, entry->instance_size);
    entry->instantiable = !entry->info->abstract && !entry->interface && !entry->flaw;
    __atomic_store_n(&entry->klass, klass, __ATOMIC_RELEASE);
    entry->building = NULL;
    return true;
}

ObjectClass *type_class(TypeEntry *entry, GError **errp)
{
    ObjectClass *klass = __atomic_load_n(&entry->klass, __ATOMIC_ACQUIRE);

    if (klass) {
        return klass;
    }
    class_lock();
    if (entry->klass || entry->building) {
        klass = entry->klass ? entry->klass : entry->building;
    } else if (type_resolve(entry, NULL, NULL, errp) == TYPE_GOOD && make_class(entry, errp)) {
        klass = entry->klass;
    }
    class_unlock();
    return klass;
}

ObjectClass *type_class_peek(TypeEntry *entry)
{
    ObjectClass *klass = __atomic_load_n(&entry->klass, __ATOMIC_ACQUIRE);

    if (!klass) {
        class_lock();
        klass = entry->klass ? entry->klass : entry->building;
        class_unlock();
    }
    return klass;
}

const TypeImpl *type_ref_resolve(TypeRef *ref)
{
    TypeEntry *entry = type_lookup(ref->name);

    /* The class first: whoever finds the pointer in the cache may read depth and id at once. */
    if (!entry || !type_class(entry, NULL)) {
        return NULL;
    }
    __atomic_store_n(&ref->type, &entry->pub, __ATOMIC_RELEASE);
    return &entry->pub;
}

/* ---- asking ---- */

ObjectClass *object_class_by_name_err(const char *name, GError **errp)
{
    TypeEntry *entry = type_lookup(name);
    GError *error = NULL;

    if (!entry && name && module_load_for_type(name, &error)) {
        entry = type_lookup(name);
    }
    if (entry) {
        return type_class(entry, errp);
    }
    if (error) {
        g_propagate_error(errp, error);
    } else if (errp) {
        g_autofree char *near = name ? type_suggestion(name, NULL) : g_strdup("");

        qom_error_set(errp, QOM_ERROR_NOT_FOUND, "'%s' is not the name of a type%s",
                      name ? name : "", near);
    }
    return NULL;
}

ObjectClass *object_class_by_name(const char *name)
{
    return object_class_by_name_err(name, NULL);
}

ObjectClass *object_class_get_parent(ObjectClass *klass)
{
    return klass->depth ? ((TypeEntry *)klass->ancestors[klass->depth - 1])->klass : NULL;
}

const char *object_class_get_name(const ObjectClass *klass)
{
    return klass->type->name;
}

bool object_class_is_abstract(const ObjectClass *klass)
{
    return type_entry(klass)->info->abstract || type_entry(klass)->interface;
}

bool object_class_is_interface(const ObjectClass *klass)
{
    return type_entry(klass)->interface;
}

size_t object_type_get_instance_size(const ObjectClass *klass)
{
    return type_entry(klass)->instance_size;
}

ObjectClass *object_class_dynamic_cast(ObjectClass *klass, const char *typename)
{
    TypeEntry *entry = type_lookup(typename);
    const InterfaceSlot *slot;

    /*
     * A type without a class has nothing below it, and its depth and id are not there to be read.
     */
    if (!klass || !entry || !type_class_peek(entry)) {
        return NULL;
    }
    if (object_class_derives(klass, &entry->pub)) {
        return klass;
    }
    slot = &klass->interfaces[entry->pub.id & klass->interface_mask];
    return slot->type == &entry->pub ? slot->klass : NULL;
}

/*
 * Whether @entry may turn out to be or implement @implements: for an interface only its class can
 * tell, for any other type the chain of parents does, so that a listing makes no class that it does
 * not show.
 */
static bool may_be_listed(TypeEntry *entry, const ObjectClass *implements)
{
    const TypeEntry *above = entry;

    if (!implements || object_class_is_interface(implements)) {
        return true;
    }
    class_lock();
    if (type_resolve(entry, NULL, NULL, NULL) != TYPE_GOOD) {
        above = NULL;
    }
    while (above && &above->pub != implements->type) {
        above = above->parent;
    }
    class_unlock();
    return above != NULL;
}

void object_class_foreach(void (*fn)(ObjectClass *klass, void *opaque), const char *implements_type,
                          bool include_abstract, void *opaque)
{
    ObjectClass *implements = implements_type ? object_class_by_name(implements_type) : NULL;
    g_autoptr(GPtrArray) all = NULL;

    if (implements_type && !implements) {
        return;
    }
    all = type_all();
    for (guint i = 0; i < all->len; i++) {
        TypeEntry *entry = all->pdata[i];
        ObjectClass *klass = may_be_listed(entry, implements) ? type_class(entry, NULL) : NULL;

        if (klass && (include_abstract || !object_class_is_abstract(klass)) &&
            (!implements || object_class_is_a(klass, implements->type))) {
            fn(klass, opaque);
        }
    }
}

static void collect(ObjectClass *klass, void *opaque)
{
    GSList **list = opaque;

    *list = g_slist_prepend(*list, klass);
}

GSList *object_class_get_list(const char *implements_type, bool include_abstract)
{
    GSList *list = NULL;

    object_class_foreach(collect, implements_type, include_abstract, &list);
    return g_slist_reverse(list);
}

/* A type's name as it is written where all end in @suffix (or NULL). The caller frees. */
static char *without_suffix(const char *type, const char *suffix)
{
    return suffix && g_str_has_suffix(type, suffix) ? g_strndup(type, strlen(type) - strlen(suffix))
                                                    : g_strdup(type);
}

/* Only its class tells whether a type fits: that of the index of modules nearest to @name is loaded. */
static void load_nearest(const char *name, const char *suffix)
{
    g_auto(GStrv) types = module_index_types();
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *near;

    for (unsigned i = 0; types[i]; i++) {
        g_ptr_array_add(names, without_suffix(types[i], suffix));
    }
    g_ptr_array_add(names, NULL);
    near = qom_nearest(name, (const char *const *)names->pdata);
    for (unsigned i = 0; near && types[i]; i++) {
        if (names->pdata[i] == near) {
            object_class_by_name(types[i]);
        }
    }
}

char *object_class_did_you_mean(const char *name, const char *implements_type, const char *suffix,
                                bool (*fits)(ObjectClass *klass))
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GSList) classes = NULL;

    load_nearest(name, suffix);
    classes = object_class_get_list(implements_type, false);
    for (GSList *c = classes; c; c = c->next) {
        if (!fits || fits(c->data)) {
            g_ptr_array_add(names, without_suffix(object_class_get_name(c->data), suffix));
        }
    }
    g_ptr_array_add(names, NULL);
    return qom_did_you_mean(name, (const char *const *)names->pdata);
}
