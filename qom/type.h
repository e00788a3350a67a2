/* SPDX-License-Identifier: MIT */
/*
 * Types: what a type is (TypeInfo), the registry they live in, and the classes made from them on
 * first use. The names and meanings are those of QEMU's QOM; errors are reported, never fatal.
 */
#ifndef QOMET_QOM_TYPE_H
#define QOMET_QOM_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <glib.h>
#include <qomet/qom/error.h>
#include <qomet/qom/export.h>

typedef struct Object Object;
typedef struct ObjectClass ObjectClass;
typedef struct Property Property;
typedef struct TypeImpl TypeImpl;
typedef TypeImpl *Type;

#define TYPE_OBJECT "object"
#define TYPE_INTERFACE "interface"

/** One entry of TypeInfo.interfaces; the list ends with an entry whose type is NULL. */
typedef struct InterfaceInfo {
    const char *type; /* name of an interface type */
} InterfaceInfo;

/**
 * The description of a type, usually a static const. Sizes of 0 mean "as the parent's". Functions
 * run parent first, except class_init's own, which runs once, and finalize, which runs leaf first.
 */
typedef struct TypeInfo {
    const char *name;   /* unique in the process */
    const char *parent; /* of the parent; TYPE_INTERFACE for an interface that extends none */

    size_t instance_size;                    /* bytes of an instance, its parent's struct first */
    size_t instance_align;                   /* power of two, or 0 for malloc's own alignment */
    void (*instance_init)(Object *obj);      /* memory is zero, property defaults are set already */
    void (*instance_post_init)(Object *obj); /* after every instance_init */
    void (*instance_finalize)(Object *obj);  /* at the last unref; children are gone already */

    bool abstract;     /* no instances of the type itself */
    size_t class_size; /* bytes of the class struct, parent's first */
    /* Overrides methods and adds class properties. */
    void (*class_init)(ObjectClass *klass, const void *data);
    /* Runs for the type and each type below it. */
    void (*class_base_init)(ObjectClass *klass, const void *data);
    const void *class_data; /* of the type whose class is made: handed to both; not owned */
    const InterfaceInfo *interfaces; /* what the class implements, or NULL */
} TypeInfo;

/**
 * A row of the table by which a class finds an interface without comparing strings (index: id &
 * mask).
 */
typedef struct InterfaceSlot {
    const TypeImpl *type; /* NULL: empty */
    ObjectClass *klass;   /* this class's version of the interface class */
} InterfaceSlot;

/**
 * What every class begins with. Made on first use, lives as long as the process; read-only after
 * class_init.
 */
struct ObjectClass {
    Type type;
    const Type *ancestors;           /* [0] is the root, [depth] the type itself */
    const InterfaceSlot *interfaces; /* interface_mask + 1 rows, never NULL */
    uint32_t depth;
    uint32_t interface_mask;
    /* Private: finds a property by name; the parent's until the class adds one. */
    struct PropertyTable *properties;
    /* Of const Property *, in order of declaration, base class first; never NULL. */
    GPtrArray *property_list;

    /**
     * Asked before a property of @obj is set; NULL lets everything pass. Devices refuse after
     * realize here.
     */
    bool (*may_set)(Object *obj, const Property *prop, GError **errp);
    /**
     * Called before @obj leaves the tree, while it still has its path; may be NULL. Devices
     * unrealize here.
     */
    void (*unparent)(Object *obj);
};

/** What every interface class begins with. */
typedef struct InterfaceClass {
    ObjectClass parent_class;
    ObjectClass *concrete_class; /* the class of the objects that implement it */
} InterfaceClass;

/** The part of a type that inline casts read. */
struct TypeImpl {
    const char *name;
    uint32_t depth; /* distance from the root; valid once the class exists */
    uint32_t id;    /* of an interface: a small number of its own; 0 for other types */
};

/** A type named in the program text; found by name once, then by pointer. Zero but for the name. */
typedef struct TypeRef {
    const char *name;
    const TypeImpl *type; /* cache, read and written atomically */
} TypeRef;

/**
 * Registers @info; nothing is made yet. type_register() copies it, type_register_static() keeps the
 * pointer, which must then outlive the process's use of it. Parent and children may be registered
 * in any order. Returns the type, or NULL with @errp set when the name is missing or taken (both
 * sides are named). Inside module_call_init() and module loading nothing is visible until the whole
 * batch has been checked; there a NULL @errp is fine, since the batch reports the first error. Any
 * thread.
 */
QOM_EXPORT Type type_register(const TypeInfo *info, GError **errp);
QOM_EXPORT Type type_register_static(const TypeInfo *info, GError **errp);
QOM_EXPORT bool type_register_static_array(const TypeInfo *infos, size_t n, GError **errp);

/**
 * The class of the type @name, made now if need be (its module is loaded if the index knows one).
 * Returns NULL with @errp set for an unknown name (the nearest is given), unknown parent, cycle, a
 * type smaller than its parent, or an interface that is none. Any thread; class_init functions run
 * under the class lock.
 */
QOM_EXPORT ObjectClass *object_class_by_name_err(const char *name, GError **errp);
/** The same, without the reason. */
QOM_EXPORT ObjectClass *object_class_by_name(const char *name);
/** The parent class, or NULL for a root. */
QOM_EXPORT ObjectClass *object_class_get_parent(ObjectClass *klass);
QOM_EXPORT const char *object_class_get_name(const ObjectClass *klass);
QOM_EXPORT bool object_class_is_abstract(const ObjectClass *klass);
QOM_EXPORT bool object_class_is_interface(const ObjectClass *klass);
/** The bytes that an instance takes. */
QOM_EXPORT size_t object_type_get_instance_size(const ObjectClass *klass);

/**
 * Calls @fn for every class that is or implements @implements_type (NULL: every one), in order of
 * name. Makes the classes of all registered types; one that cannot be made is left out.
 */
QOM_EXPORT void object_class_foreach(void (*fn)(ObjectClass *klass, void *opaque),
                                     const char *implements_type, bool include_abstract,
                                     void *opaque);
/**
 * The classes of object_class_foreach() as a list in order of name; the caller frees it with
 * g_slist_free().
 */
QOM_EXPORT GSList *object_class_get_list(const char *implements_type, bool include_abstract);
/**
 * " (did you mean 'x'?)" for @name among the classes of object_class_foreach() that are not abstract
 * and for which @fits (NULL: all), or "" where none is near. @suffix: what their names end in and
 * people leave out, or NULL. The caller frees.
 */
QOM_EXPORT char *object_class_did_you_mean(const char *name, const char *implements_type,
                                           const char *suffix, bool (*fits)(ObjectClass *klass));

/** Number of registered types, the built-in roots included. */
QOM_EXPORT unsigned type_count(void);

/**
 * Finds the type of @ref by name for the first time (NULL while there is none). For the inline
 * below.
 */
QOM_EXPORT const TypeImpl *type_ref_resolve(TypeRef *ref);

static inline const TypeImpl *type_ref_get(TypeRef *ref)
{
    const TypeImpl *type = __atomic_load_n(&ref->type, __ATOMIC_ACQUIRE);

    return __builtin_expect(type != NULL, 1) ? type : type_ref_resolve(ref);
}

/**
 * Whether @klass is @type or derives from it: one compare at any depth (interfaces are not looked
 * at).
 */
static inline bool object_class_derives(const ObjectClass *klass, const TypeImpl *type)
{
    return type->depth <= klass->depth && klass->ancestors[type->depth] == type;
}

/** Whether @klass implements the interface @type (or one that extends it). */
static inline bool object_class_implements(const ObjectClass *klass, const TypeImpl *type)
{
    return klass->interfaces[type->id & klass->interface_mask].type == type;
}

/** Whether @klass is, derives from, or implements @type. */
static inline bool object_class_is_a(const ObjectClass *klass, const TypeImpl *type)
{
    return object_class_derives(klass, type) || object_class_implements(klass, type);
}

#endif
