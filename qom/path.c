/* SPDX-License-Identifier: MIT */
/*
 * Paths: from an object to its name from the root, and from a path, whole or partial, to the
 * object.
 */
#include <string.h>
#include "qom/qom-int.h"

/* An alias may stand for another; more than this in a row means that they stand for each other. */
#define ALIAS_HOPS 32

const char *object_get_canonical_path_component(const Object *obj)
{
    return obj->name;
}

char *object_get_canonical_path(const Object *obj)
{
    const Object *above = obj;
    size_t len = 0;
    char *path, *end;

    while (above->parent) {
        len += strlen(above->name) + 1;
        above = above->parent;
    }
    if (!object_is_root(above)) {
        return NULL;
    }
    if (above == obj) {
        return g_strdup("/");
    }
    path = g_malloc(len + 1);
    end = path + len;
    *end = '\0';
    for (; obj != above; obj = obj->parent) {
        size_t part = strlen(obj->name);

        end -= part;
        memcpy(end, obj->name, part);
        *--end = '/';
    }
    return path;
}

Object *object_resolve_path_component(Object *parent, const char *part)
{
    for (int hops = 0; hops < ALIAS_HOPS; hops++) {
        ObjectProperty *op = object_node_find(parent, part);
        const Property *prop;

        if (op && op->child) {
            return op->child;
        }
        if (op && op->alias_target) {
            parent = op->alias_target;
            part = op->alias_name;
            continue;
        }
        prop = op ? &op->prop : object_class_property_find(parent->class, part);
        if (!prop || !prop->info || prop->info->kind != PROP_KIND_LINK) {
            return NULL;
        }
        return object_property_get_link(parent, part, NULL);
    }
    return NULL;
}

/* What @parts lead to from @from, or NULL. */
static Object *follow(Object *from, char **parts)
{
    for (; from && *parts; parts++) {
        if (**parts) {
            from = object_resolve_path_component(from, *parts);
        }
    }
    return from;
}

typedef struct Search {
    char **parts;
    const char *typename;
    Object *found, *other; /* other: a second one, so the path is ambiguous */
} Search;

/* Always goes on to the end or to the second match: 0 to go on. */
static int search_from(Object *obj, void *opaque)
{
    Search *search = opaque;
    Object *match = follow(obj, search->parts);

    if (match && search->typename) {
        match = object_dynamic_cast(match, search->typename);
    }
    if (match && !search->found) {
        search->found = match;
    } else if (match && match != search->found) {
        search->other = match;
    }
    return search->other != NULL;
}

static void search_path(Search *search, const char *path)
{
    bool any = false;

    for (char **part = search->parts; *part; part++) {
        any = any || **part;
    }
    if (*path == '/') {
        search->found = follow(object_get_root(), search->parts);
        if (search->found && search->typename) {
            search->found = object_dynamic_cast(search->found, search->typename);
        }
    } else if ((any || search->typename) && !search_from(object_get_root(), search)) {
        object_child_foreach_recursive(object_get_root(), search_from, search);
    }
}

Object *object_resolve_path_type(const char *path, const char *typename, bool *ambiguous)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    Search search = { .parts = parts, .typename = typename };

    search_path(&search, path);
    if (ambiguous) {
        *ambiguous = search.other != NULL;
    }
    return search.other ? NULL : search.found;
}

Object *object_resolve_path(const char *path, bool *ambiguous)
{
    return object_resolve_path_type(path, NULL, ambiguous);
}

/* ---- Paths that lead nowhere ---- */

static int collect_name(Object *child, void *opaque)
{
    g_ptr_array_add(opaque, (void *)object_get_canonical_path_component(child));
    return 0;
}

/* How far @parts lead from the root; *@missing is the first that leads nowhere, or NULL. */
static Object *follow_until(char **parts, const char **missing)
{
    Object *at = object_get_root();

    *missing = NULL;
    for (; *parts; parts++) {
        Object *next = **parts ? object_resolve_path_component(at, *parts) : at;

        if (!next) {
            *missing = *parts;
            break;
        }
        at = next;
    }
    return at;
}

char *object_path_did_you_mean(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *where = NULL;
    const char *missing, *near;
    Object *at;

    if (*path != '/') {
        object_child_foreach_recursive(object_get_root(), collect_name, names);
        g_ptr_array_add(names, NULL);
        return qom_did_you_mean(path, (const char *const *)names->pdata);
    }
    at = follow_until(parts, &missing);
    object_child_foreach(at, collect_name, names);
    g_ptr_array_add(names, NULL);
    near = missing ? qom_nearest(missing, (const char *const *)names->pdata) : NULL;
    where = object_get_canonical_path(at);
    if (!near || !where) {
        return g_strdup("");
    }
    return g_strdup_printf(" (did you mean '%s/%s'?)", where[1] ? where : "", near);
}

/* Says where an absolute path ends to be one. */
static void error_not_found(GError **errp, const char *path, const char *typename, char **parts)
{
    /* An object of another type may have the very name. */
    g_autofree char *near = typename ? g_strdup("") : object_path_did_you_mean(path);
    g_autofree char *where = NULL;
    const char *missing;
    Object *at;

    if (*path != '/') {
        qom_error_set(errp, QOM_ERROR_NOT_FOUND, "no object%s%s%s has a path that ends in '%s'%s",
                      typename ? " of type '" : "", typename ? typename : "", typename ? "'" : "",
                      path, near);
        return;
    }
    at = follow_until(parts, &missing);
    if (!missing) {
        qom_error_set(errp, QOM_ERROR_NOT_FOUND, "'%s' is an object of type '%s', not of '%s'",
                      path, object_get_typename(at), typename);
        return;
    }
    where = object_get_canonical_path(at);
    qom_error_set(errp, QOM_ERROR_NOT_FOUND, "there is no object '%s': '%s' has no '%s'%s", path,
                  where ? where : "", missing, near);
}

Object *object_resolve_path_err(const char *path, const char *typename, GError **errp)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    Search search = { .parts = parts, .typename = typename };

    search_path(&search, path);
    if (search.other) {
        g_autofree char *one = object_get_canonical_path(search.found);
        g_autofree char *other = object_get_canonical_path(search.other);

        qom_error_set(errp, QOM_ERROR_VALUE,
                      "Path '%s' is ambiguous: it may be '%s' or '%s', for example", path,
                      one ? one : "(outside the tree)", other ? other : "(outside the tree)");
        return NULL;
    }
    if (!search.found && errp) {
        error_not_found(errp, path, typename, parts);
    }
    return search.found;
}
