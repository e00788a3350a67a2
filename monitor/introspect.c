/* SPDX-License-Identifier: MIT */
/*
 * Finding what a client names: objects by path, classes by name.
 */
#include <qomet/monitor/qmp.h>
#include "monitor/introspect.h"

Object *introspect_find(const char *path, GError **errp)
{
    g_autoptr(GError) error = NULL;
    Object *obj = object_resolve_path_err(path, NULL, &error);
    g_autofree char *near = NULL;

    if (obj) {
        return obj;
    }
    if (!*path) {
        qmp_error_set(errp, QMP_ERROR_GENERIC, "Path '' is ambiguous: every object ends in it");
        return NULL;
    }
    if (!g_error_matches(error, QOM_ERROR, QOM_ERROR_NOT_FOUND)) {
        g_propagate_error(errp, g_steal_pointer(&error));
        return NULL;
    }
    near = object_path_did_you_mean(path);
    qmp_error_set(errp, QMP_ERROR_DEVICE_NOT_FOUND, "Device '%s' not found%s", path, near);
    return NULL;
}

ObjectClass *introspect_class(const char *name, const char *what, const char *implements,
                              GError **errp)
{
    g_autoptr(GError) error = NULL;
    ObjectClass *klass = object_class_by_name_err(name, &error);
    g_autofree char *near = NULL;

    if (klass) {
        return klass;
    }
    if (!g_error_matches(error, QOM_ERROR, QOM_ERROR_NOT_FOUND)) {
        g_propagate_error(errp, g_steal_pointer(&error));
        return NULL;
    }
    near = object_class_did_you_mean(name, implements, NULL, NULL);
    qmp_error_set(errp, QMP_ERROR_DEVICE_NOT_FOUND, "%s '%s' not found%s", what, name, near);
    return NULL;
}
