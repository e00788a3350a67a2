/* SPDX-License-Identifier: MIT */
/*
 * User-creatable objects: made from words with all or nothing, found in /objects, deleted when
 * nobody uses them.
 */
#include <string.h>
#include <qomet/qom/user-creatable.h>

bool id_wellformed(const char *id, GError **errp)
{
    bool good = g_ascii_isalpha(*id);

    for (const char *p = id; good && *p; p++) {
        good = g_ascii_isalnum(*p) || strchr("-._", *p);
    }
    if (!good) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "'%s' is not a valid id, accepted is a letter followed by letters, digits, "
                      "'-', '.' and '_'",
                      id);
    }
    return good;
}

bool user_creatable_complete(Object *obj, GError **errp)
{
    UserCreatable *uc = (UserCreatable *)object_dynamic_cast(obj, TYPE_USER_CREATABLE);
    UserCreatableClass *klass = uc ? USER_CREATABLE_GET_CLASS(uc) : NULL;

    return !klass || !klass->complete ||
           qom_method_ok(klass->complete(uc, errp), object_get_typename(obj), "complete", errp);
}

/* ---- Making ---- */

static ObjectClass *find_class(const char *type, GError **errp)
{
    g_autoptr(GError) err = NULL;
    ObjectClass *klass = object_class_by_name_err(type, &err);

    if (!klass && !g_error_matches(err, QOM_ERROR, QOM_ERROR_NOT_FOUND)) {
        g_propagate_error(errp, g_steal_pointer(&err));
        return NULL;
    }
    if (!klass) {
        g_autofree char *near = object_class_did_you_mean(type, TYPE_USER_CREATABLE, NULL, NULL);

        qom_error_set(errp, QOM_ERROR_NOT_FOUND, "'%s' is not a valid object type name%s", type,
                      near);
        return NULL;
    }
    if (!object_class_dynamic_cast(klass, TYPE_USER_CREATABLE)) {
        qom_error_set(errp, QOM_ERROR_TYPE, "objects of type '%s' cannot be made by a user", type);
        return NULL;
    }
    if (object_class_is_abstract(klass)) {
        qom_error_set(errp, QOM_ERROR_TYPE,
                      "type '%s' is abstract: only types derived from it have objects", type);
        return NULL;
    }
    return klass;
}

static bool id_free(const char *id, GError **errp)
{
    Object *other = object_resolve_path_component(object_get_objects_root(), id);
    g_autofree char *path = NULL;

    if (!other) {
        return true;
    }
    path = object_get_canonical_path(other);
    qom_error_set(errp, QOM_ERROR_EXISTS, "object id '%s' is already taken by %s (%s)", id, path,
                  object_get_typename(other));
    return false;
}

static bool missing(const char *key, GError **errp)
{
    qom_error_set(errp, QOM_ERROR_NOT_FOUND, "parameter '%s' is missing", key);
    return false;
}

/* Everything that can be said against it before it is made. */
static ObjectClass *check_request(const char *type, const char *id, GError **errp)
{
    ObjectClass *klass;

    if (!type) {
        missing("qom-type", errp);
        return NULL;
    }
    klass = find_class(type, errp);
    if (!klass || (!id && !missing("id", errp)) || !id_wellformed(id, errp) || !id_free(id, errp)) {
        return NULL;
    }
    return klass;
}

/* Gives @obj its properties and its place, and completes it. */
static bool settle(Object *obj, KeyVal *kv, const char *id, GError **errp)
{
    if (!object_apply_global_props(obj, errp) || !keyval_apply(kv, obj, errp) ||
        !object_property_add_child(object_get_objects_root(), id, obj, errp)) {
        return false;
    }
    if (user_creatable_complete(obj, errp)) {
        return true;
    }
    object_unparent(obj);
    return false;
}

Object *user_creatable_add(KeyVal *kv, GError **errp)
{
    const char *type = keyval_take(kv, "qom-type");
    const char *id = keyval_take(kv, "id");
    ObjectClass *klass = check_request(type, id, errp);
    Object *obj = klass ? object_new_with_class(klass, errp) : NULL;
    bool good = obj && settle(obj, kv, id, errp);

    /* A good one is held by /objects now; of any other this is the end. */
    object_unref(obj);
    return good ? obj : NULL;
}

bool user_creatable_del(const char *id, GError **errp)
{
    Object *obj = object_resolve_path_component(object_get_objects_root(), id);
    UserCreatableClass *klass;

    if (!obj || !object_dynamic_cast(obj, TYPE_USER_CREATABLE)) {
        qom_error_set(errp, QOM_ERROR_NOT_FOUND, "object '%s' not found", id);
        return false;
    }
    klass = USER_CREATABLE_GET_CLASS(obj);
    if (klass->can_be_deleted && !klass->can_be_deleted((UserCreatable *)obj)) {
        qom_error_set(errp, QOM_ERROR_STATE, "object '%s' is in use and cannot be deleted", id);
        return false;
    }
    object_unparent(obj);
    return true;
}
