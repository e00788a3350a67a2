/* SPDX-License-Identifier: MIT */
/*
 * User-creatable objects: what "-object TYPE,id=ID,..." may make. They live in /objects.
 */
#ifndef QOMET_QOM_USER_CREATABLE_H
#define QOMET_QOM_USER_CREATABLE_H

#include <qomet/qom/keyval.h>

#define TYPE_USER_CREATABLE "user-creatable"

OBJECT_DECLARE_INTERFACE(UserCreatable, UserCreatableClass, USER_CREATABLE)

struct UserCreatableClass {
    InterfaceClass parent_class;
    /**
     * Called when all properties are set; may be NULL. False with @errp set: the object is not
     * made.
     */
    bool (*complete)(UserCreatable *uc, GError **errp);
    /** Whether the object may be deleted now; NULL: always. */
    bool (*can_be_deleted)(UserCreatable *uc);
};

/** Calls the class's complete() when @obj is user-creatable; true for other objects. */
QOM_EXPORT bool user_creatable_complete(Object *obj, GError **errp);
/**
 * Makes what @kv says (keys "qom-type", "id" and properties) in /objects. Main thread.
 * Returns the object without a reference, or NULL with @errp set and nothing left behind.
 */
QOM_EXPORT Object *user_creatable_add(KeyVal *kv, GError **errp);
/** Deletes /objects/@id, unless its class says that it is in use. */
QOM_EXPORT bool user_creatable_del(const char *id, GError **errp);
/** Whether @id is a letter followed by letters, digits, '-', '.' or '_'. Sets @errp when not. */
QOM_EXPORT bool id_wellformed(const char *id, GError **errp);

#endif
