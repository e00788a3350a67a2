/* SPDX-License-Identifier: MIT */
/*
 * The object graph as values: what the commands about objects, and listings for people, share.
 */
#ifndef MONITOR_INTROSPECT_H
#define MONITOR_INTROSPECT_H

#include <qomet/qom/property.h>

/**
 * The object of @path as a client gives it: absolute, or an end of one that is meant. NULL with
 * @errp set, DeviceNotFound with the nearest path where there is none. Main thread.
 */
Object *introspect_find(const char *path, GError **errp);

/**
 * The class of the type @name. NULL with @errp set: DeviceNotFound in the words "@what 'NAME' not
 * found", with the nearest name among the types that are @implements (NULL: all).
 */
ObjectClass *introspect_class(const char *name, const char *what, const char *implements,
                              GError **errp);

#endif
