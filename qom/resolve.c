/* SPDX-License-Identifier: MIT */
/*
 * What a type inherits and whether it can: its parent, all the way up, its sizes and its
 * interfaces. The same checks serve a batch before it is committed (where nothing may be loaded)
 * and a class before it is made.
 */
#include <string.h>
#include "qom/qom-int.h"

/* TypeEntry.state */
enum {
    STATE_UNKNOWN,
    STATE_RESOLVING, /* on the way up for a class: meeting it again is a cycle */
    STATE_CHECKING,  /* the same for a batch */
    STATE_BAD,
    STATE_OPEN,
    STATE_GOOD,
};

static TypeEntry *find_known(const char *name, TypeBatch *batch)
{
    uint32_t hash = type_name_hash(name);
    TypeEntry *entry = batch ? type_table_find(batch->names, name, hash) : NULL;

    return entry ? entry : type_lookup_hashed(name, hash);
}

static TypeEntry *find(const char *name, TypeBatch *batch, GError **errp)
{
    TypeEntry *entry = find_known(name, batch);

    if (!entry && !batch && module_load_for_type(name, errp)) {
        entry = type_lookup(name);
    }
    return entry;
}

/* @entry was met again on the way up from it. */
static void error_cycle(GError **errp, const TypeEntry *entry, TypeBatch *batch)
{
    g_autoptr(GString) text = g_string_new(entry->pub.name);
    const TypeEntry *above = entry;

    do {
        above = above->info->parent ? find_known(above->info->parent, batch) : NULL;
        if (!above) {
            qom_error_set(errp, QOM_ERROR_TYPE,
                          "type '%s' is needed to make itself (by one of its interfaces, or by "
                          "the initialiser of a module)",
                          entry->pub.name);
            return;
        }
        g_string_append_printf(text, " -> %s", above->pub.name);
    } while (above != entry);
    qom_error_set(errp, QOM_ERROR_TYPE, "type cycle: %s", text->str);
}

/*
 * Says why the type @wanted ("parent", "interface") of @entry is not there; @cause may hold a
 * module's failure.
 */
static void error_missing(GError **errp, const TypeEntry *entry, const char *role,
                          const char *wanted, GError *cause)
{
    g_autofree char *near = NULL;

    if (!errp) {
        g_clear_error(&cause);
        return;
    }
    if (cause) {
        g_propagate_prefixed_error(errp, cause, "type '%s': %s '%s': ", entry->pub.name, role,
                                   wanted);
        return;
    }
    near = type_suggestion(wanted, entry);
    qom_error_set(errp, QOM_ERROR_TYPE, "type '%s': %s '%s' is not registered%s", entry->pub.name,
                  role, wanted, near);
}

/* One size: the type's own, or the parent's where it has none. */
static bool inherit_size(const TypeEntry *entry, const char *what, size_t own, size_t parents,
                         size_t *size, GError **errp)
{
    *size = own ? own : parents;
    if (*size >= parents) {
        return true;
    }
    qom_error_set(errp, QOM_ERROR_TYPE, "type '%s': %s %zu is smaller than %zu of its parent '%s'",
                  entry->pub.name, what, own, parents, entry->info->parent);
    return false;
}

/* Without a parent it is a root, or the parent is not known yet. */
static bool inherit_sizes(TypeEntry *entry, GError **errp)
{
    static const TypeEntry nothing;
    const TypeEntry *parent = entry->parent ? entry->parent : &nothing;
    const TypeInfo *info = entry->info;

    if (info->instance_align & (info->instance_align - 1)) {
        qom_error_set(errp, QOM_ERROR_TYPE, "type '%s': instance_align %zu is no power of two",
                      entry->pub.name, info->instance_align);
        return false;
    }
    entry->instance_align = MAX(info->instance_align, parent->instance_align);
    return inherit_size(entry, "instance_size", info->instance_size, parent->instance_size,
                        &entry->instance_size, errp) &&
           inherit_size(entry, "class_size", info->class_size, parent->class_size,
                        &entry->class_size, errp);
}

static TypeVerdict check_interfaces(TypeEntry *entry, TypeBatch *batch, GPtrArray *visited,
                                    GError **errp)
{
    TypeVerdict verdict = TYPE_GOOD;

    for (const InterfaceInfo *i = entry->info->interfaces; i && i->type; i++) {
        GError *cause = NULL;
        TypeEntry *interface;

        if (entry->interface) {
            qom_error_set(errp, QOM_ERROR_TYPE,
                          "type '%s' is an interface and implements none: "
                          "to extend '%s', name it as the parent",
                          entry->pub.name, i->type);
            return TYPE_BAD;
        }
        interface = find(i->type, batch, &cause);
        if (!interface) {
            if (batch && module_index_has(i->type)) {
                verdict = TYPE_OPEN;
                continue;
            }
            error_missing(errp, entry, "interface", i->type, cause);
            return TYPE_BAD;
        }
        switch (type_resolve(interface, batch, visited, errp)) {
        case TYPE_BAD:
            return TYPE_BAD;
        case TYPE_OPEN:
            verdict = TYPE_OPEN;
            if (!interface->interface) {
                continue; /* what is above it will tell */
            }
            break;
        case TYPE_GOOD:
            break;
        }
        if (!interface->interface || !interface->parent) {
            qom_error_set(errp, QOM_ERROR_TYPE,
                          "type '%s': '%s' among its interfaces is no interface (none of its "
                          "parents is '%s')",
                          entry->pub.name, i->type, TYPE_INTERFACE);
            return TYPE_BAD;
        }
    }
    return verdict;
}

static TypeVerdict resolve_parent(TypeEntry *entry, TypeBatch *batch, GPtrArray *visited,
                                  GError **errp)
{
    const char *name = entry->info->parent;
    GError *cause = NULL;
    TypeVerdict verdict;

    if (!name) {
        entry->interface = strcmp(entry->pub.name, TYPE_INTERFACE) == 0;
        if (entry->interface || strcmp(entry->pub.name, TYPE_OBJECT) == 0) {
            return TYPE_GOOD;
        }
        qom_error_set(errp, QOM_ERROR_TYPE,
                      "type '%s' names no parent (a type without one has the parent '%s')",
                      entry->pub.name, TYPE_OBJECT);
        return TYPE_BAD;
    }
    entry->parent = find(name, batch, &cause);
    if (!entry->parent) {
        /*
         * A type registered earlier by itself may still wait for its parent: no fault of this
         * batch.
         */
        bool earlier =
            batch && type_table_find(batch->names, entry->pub.name, entry->hash) != entry;

        if (batch && (earlier || module_index_has(name))) {
            return TYPE_OPEN;
        }
        error_missing(errp, entry, "parent", name, cause);
        return TYPE_BAD;
    }
    verdict = type_resolve(entry->parent, batch, visited, errp);
    if (verdict != TYPE_BAD) {
        entry->interface = entry->parent->interface;
    }
    return verdict;
}

TypeVerdict type_resolve(TypeEntry *entry, TypeBatch *batch, GPtrArray *visited, GError **errp)
{
    TypeVerdict verdict, interfaces;

    switch (entry->state) {
    case STATE_GOOD:
        return TYPE_GOOD;
    case STATE_OPEN:
        return TYPE_OPEN;
    case STATE_BAD:
        qom_error_set(errp, QOM_ERROR_TYPE, "type '%s' is not registered, since it is in error",
                      entry->pub.name);
        return TYPE_BAD;
    case STATE_RESOLVING:
        if (batch) {
            /* Its class is being made, which loads the module whose batch this is. */
            return TYPE_OPEN;
        }
        /* fall through */
    case STATE_CHECKING:
        error_cycle(errp, entry, batch);
        return TYPE_BAD;
    }

    entry->state = batch ? STATE_CHECKING : STATE_RESOLVING;
    if (visited) {
        g_ptr_array_add(visited, entry);
    }
    verdict = resolve_parent(entry, batch, visited, errp);
    if (verdict != TYPE_BAD && !inherit_sizes(entry, errp)) {
        verdict = TYPE_BAD;
    }
    if (verdict != TYPE_BAD) {
        interfaces = check_interfaces(entry, batch, visited, errp);
        verdict = MIN(verdict, interfaces);
    }
    if (verdict == TYPE_GOOD) {
        entry->state = STATE_GOOD;
    } else if (batch) {
        entry->state = verdict == TYPE_BAD ? STATE_BAD : STATE_OPEN;
    } else {
        /* Tried anew at the next use: what is missing may have been registered by then. */
        entry->state = STATE_UNKNOWN;
        entry->parent = NULL;
    }
    return verdict;
}

void type_resolve_forget(GPtrArray *visited)
{
    for (guint i = 0; i < visited->len; i++) {
        TypeEntry *entry = visited->pdata[i];

        entry->state = STATE_UNKNOWN;
        entry->parent = NULL;
    }
}
