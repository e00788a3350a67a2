/* SPDX-License-Identifier: MIT */
/*
 * Objects: making, counting references, casting, and the composition tree that gives each object a
 * path. A parent owns its children; the last object_unref() frees, and nobody else does.
 */
#ifndef QOMET_QOM_OBJECT_H
#define QOMET_QOM_OBJECT_H

#include <stdarg.h>
#include <qomet/qom/type.h>

typedef struct ObjectNode ObjectNode;

/** What every instance begins with. The fields are private to qom/. */
struct Object {
    ObjectClass *class;
    void (*free)(void *obj); /* NULL for embedded objects */
    uint32_t ref;            /* atomic */
    uint8_t dying;           /* finalize has begun */
    uint8_t weakly_linked;   /* some weak link points here (atomic) */
    Object *parent;          /* NULL outside the tree */
    char *name;              /* in the parent, or NULL */
    ObjectNode *node;        /* instance properties and children; NULL while there are none */
};

/* ---- Casts ----------------------------------------------------------------------------------- */

/** Unchecked: every instance begins with an Object. */
#define OBJECT(obj) ((Object *)(obj))
#define OBJECT_CLASS(klass) ((ObjectClass *)(klass))

/**
 * Says which cast failed and ends the process: a wrong cast is a mistake of the program, not of its
 * input.
 */
QOM_EXPORT void object_cast_failed(const Object *obj, const char *type, const char *file,
                                   int line) G_GNUC_NORETURN;
QOM_EXPORT void object_class_cast_failed(const ObjectClass *klass, const char *type,
                                         const char *file, int line) G_GNUC_NORETURN;

/**
 * The whole check, for what the inline ones below do not settle at once. They return, or say what
 * is wrong and end.
 */
QOM_EXPORT void object_cast_slow(Object *obj, TypeRef *ref, const char *file, int line);
QOM_EXPORT ObjectClass *object_class_cast_slow(ObjectClass *klass, TypeRef *ref, const char *file,
                                               int line);

static inline Object *object_cast_ref(Object *obj, TypeRef *ref, const char *file, int line)
{
    const TypeImpl *type = __atomic_load_n(&ref->type, __ATOMIC_ACQUIRE);

    if (__builtin_expect(obj && (!type || !object_class_derives(obj->class, type)), 0)) {
        object_cast_slow(obj, ref, file, line);
    }
    return obj;
}

/** The same where @ref is most likely an interface. */
static inline Object *object_cast_interface_ref(Object *obj, TypeRef *ref, const char *file,
                                                int line)
{
    const TypeImpl *type = __atomic_load_n(&ref->type, __ATOMIC_ACQUIRE);

    if (__builtin_expect(obj && (!type || !object_class_implements(obj->class, type)), 0)) {
        object_cast_slow(obj, ref, file, line);
    }
    return obj;
}

static inline ObjectClass *object_class_cast_ref(ObjectClass *klass, TypeRef *ref, const char *file,
                                                 int line)
{
    const TypeImpl *type = __atomic_load_n(&ref->type, __ATOMIC_ACQUIRE);

    if (__builtin_expect(!klass || !type || !object_class_derives(klass, type), 0)) {
        return object_class_cast_slow(klass, ref, file, line);
    }
    return klass;
}

static inline ObjectClass *object_class_cast_interface_ref(ObjectClass *klass, TypeRef *ref,
                                                           const char *file, int line)
{
    const TypeImpl *type = __atomic_load_n(&ref->type, __ATOMIC_ACQUIRE);
    const InterfaceSlot *slot;

    if (__builtin_expect(klass && type, 1)) {
        slot = &klass->interfaces[type->id & klass->interface_mask];
        if (__builtin_expect(slot->type == type, 1)) {
            return slot->klass;
        }
    }
    return object_class_cast_slow(klass, ref, file, line);
}

/** Casts with a check; NULL passes. @name must be a string that does not change (a TYPE_ macro). */
#define OBJECT_CHECK(type, obj, name)                                                              \
    ({                                                                                             \
        static TypeRef ref_ = { name, NULL };                                                      \
        (type *)object_cast_ref(OBJECT(obj), &ref_, __FILE__, __LINE__);                           \
    })
/** The interface's view of @obj: the same pointer, checked. */
#define INTERFACE_CHECK(type, obj, name)                                                           \
    ({                                                                                             \
        static TypeRef ref_ = { name, NULL };                                                      \
        (type *)object_cast_interface_ref(OBJECT(obj), &ref_, __FILE__, __LINE__);                 \
    })
/** The class, or the class's own version of an interface class. */
#define OBJECT_CLASS_CHECK(type, klass, name)                                                      \
    ({                                                                                             \
        static TypeRef ref_ = { name, NULL };                                                      \
        (type *)object_class_cast_ref(OBJECT_CLASS(klass), &ref_, __FILE__, __LINE__);             \
    })
#define OBJECT_GET_CLASS(type, obj, name)                                                          \
    OBJECT_CLASS_CHECK(type, object_get_class(OBJECT(obj)), name)

/** NAME(obj) for @Instance; @cast is one of the inline casts above. */
#define DECLARE_INSTANCE_CHECKER_BY(cast, Instance, NAME, TYPENAME)                                \
    static inline G_GNUC_UNUSED Instance *NAME(const void *obj)                                    \
    {                                                                                              \
        static TypeRef ref = { TYPENAME, NULL };                                                   \
        return (Instance *)cast((Object *)obj, &ref, __FILE__, __LINE__);                          \
    }
#define DECLARE_INSTANCE_CHECKER(Instance, NAME, TYPENAME)                                         \
    DECLARE_INSTANCE_CHECKER_BY(object_cast_ref, Instance, NAME, TYPENAME)

/** NAME_CLASS(klass) and NAME_GET_CLASS(obj) for @Class. */
#define DECLARE_CLASS_CHECKERS_BY(cast, Class, NAME, TYPENAME)                                     \
    static inline G_GNUC_UNUSED Class *NAME##_CLASS(const void *klass)                             \
    {                                                                                              \
        static TypeRef ref = { TYPENAME, NULL };                                                   \
        return (Class *)cast((ObjectClass *)klass, &ref, __FILE__, __LINE__);                      \
    }                                                                                              \
    static inline G_GNUC_UNUSED Class *NAME##_GET_CLASS(const void *obj)                           \
    {                                                                                              \
        return NAME##_CLASS(((const Object *)obj)->class);                                         \
    }
#define DECLARE_CLASS_CHECKERS(Class, NAME, TYPENAME)                                              \
    DECLARE_CLASS_CHECKERS_BY(object_class_cast_ref, Class, NAME, TYPENAME)

/** Everything a header says of a type that has a class struct of its own. */
#define OBJECT_DECLARE_TYPE(Instance, Class, NAME)                                                 \
    typedef struct Instance Instance;                                                              \
    typedef struct Class Class;                                                                    \
    G_DEFINE_AUTOPTR_CLEANUP_FUNC(Instance, object_unref)                                          \
    DECLARE_INSTANCE_CHECKER(Instance, NAME, TYPE_##NAME)                                          \
    DECLARE_CLASS_CHECKERS(Class, NAME, TYPE_##NAME)

/** The same for a type that adds nothing to its parent's class. */
#define OBJECT_DECLARE_SIMPLE_TYPE(Instance, NAME)                                                 \
    typedef struct Instance Instance;                                                              \
    G_DEFINE_AUTOPTR_CLEANUP_FUNC(Instance, object_unref)                                          \
    DECLARE_INSTANCE_CHECKER(Instance, NAME, TYPE_##NAME)

/** What a header says of an interface: NAME(obj) and NAME_GET_CLASS(obj). */
#define OBJECT_DECLARE_INTERFACE(Instance, Class, NAME)                                            \
    typedef struct Instance Instance;                                                              \
    typedef struct Class Class;                                                                    \
    DECLARE_INSTANCE_CHECKER_BY(object_cast_interface_ref, Instance, NAME, TYPE_##NAME)            \
    DECLARE_CLASS_CHECKERS_BY(object_class_cast_interface_ref, Class, NAME, TYPE_##NAME)

/** @obj when it is (or implements) the type @typename, else NULL. NULL passes. Any thread. */
QOM_EXPORT Object *object_dynamic_cast(Object *obj, const char *typename);
QOM_EXPORT Object *object_dynamic_cast_assert(Object *obj, const char *typename, const char *file,
                                              int line);
/** @klass, or its version of the interface @typename, or NULL. */
QOM_EXPORT ObjectClass *object_class_dynamic_cast(ObjectClass *klass, const char *typename);

static inline ObjectClass *object_get_class(const Object *obj)
{
    return obj->class;
}
QOM_EXPORT const char *object_get_typename(const Object *obj);

/* ---- Making and ending ----------------------------------------------------------------------- */

/**
 * A new object with one reference, owned by the caller. object_new() returns NULL for a type that
 * does not exist or is abstract; object_new_err() says which. Any thread, unless the type says
 * otherwise.
 */
QOM_EXPORT Object *object_new(const char *typename);
QOM_EXPORT Object *object_new_err(const char *typename, GError **errp);
QOM_EXPORT Object *object_new_with_class(ObjectClass *klass, GError **errp);

/**
 * A new object with properties set from pairs of strings (name, text as on the command line) ended
 * by NULL, completed if it is user-creatable, and added to @parent as @id when @parent is not NULL
 * - which then holds the only reference. On failure nothing is left and NULL is returned.
 */
QOM_EXPORT Object *object_new_with_props(const char *typename, Object *parent, const char *id,
                                         GError **errp, ...) G_GNUC_NULL_TERMINATED;
QOM_EXPORT Object *object_new_with_propv(const char *typename, Object *parent, const char *id,
                                         GError **errp, va_list vargs);

/**
 * Makes an object in memory that the caller provides (a field of a larger struct). @size is the
 * room there is. One reference; the memory itself is not freed. False when the type is unknown,
 * abstract or larger than @size.
 */
QOM_EXPORT bool object_initialize(void *data, size_t size, const char *typename,
                                  GError **errp) G_GNUC_WARN_UNUSED_RESULT;

/**
 * The same, and adds it to @parent as the child @name, which holds the only reference: the child
 * ends with its parent.
 */
QOM_EXPORT bool object_initialize_child_err(Object *parent, const char *name, void *child,
                                            size_t size, const char *typename,
                                            GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/**
 * For instance_init functions: the field @child of @parent; a failure is a mistake of the program
 * and ends it.
 */
#define object_initialize_child(parent, name, child, typename)                                     \
    object_initialize_child_checked(OBJECT(parent), name, child, sizeof(*(child)), typename)
QOM_EXPORT void object_initialize_child_checked(Object *parent, const char *name, void *child,
                                                size_t size, const char *typename);

/** Takes a reference (atomic; any thread) and returns @obj. */
QOM_EXPORT Object *object_ref(void *obj);
/**
 * Takes a reference on the object in whose memory @obj lives - itself, or the nearest one above that
 * was allocated - and returns that one, for object_unref(). An embedded object's own reference does
 * not keep its memory. Main thread, or while something else keeps @obj in its place in the tree.
 */
QOM_EXPORT Object *object_ref_memory(void *obj);
/**
 * Gives one back; NULL is fine. The last one unparents children, runs finalize leaf to root and
 * frees.
 */
QOM_EXPORT void object_unref(void *obj);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Object, object_unref)

/* ---- The composition tree (main thread) ------------------------------------------------------ */

/** A plain object that is there to hold children. */
#define TYPE_CONTAINER "container"

/** The root "/", made at the first call; owned by the process. */
QOM_EXPORT Object *object_get_root(void);
/** The container "/objects" that holds what -object makes. */
QOM_EXPORT Object *object_get_objects_root(void);
/**
 * Ends the tree below the root, children first: for leak checks at the end of a process or a test.
 */
QOM_EXPORT void object_root_cleanup(void);

/**
 * Adds @child under @name; the parent takes a reference of its own. A name that ends in "[*]"
 * becomes the first free "[0]", "[1]", ... in constant time. Fails when the name is taken, empty or
 * holds '/', or @child has a parent.
 */
QOM_EXPORT bool object_property_add_child(Object *obj, const char *name, Object *child,
                                          GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/**
 * Takes @obj out of the tree and drops the parent's reference; a hook of the class runs first. No
 * parent: nothing.
 */
QOM_EXPORT void object_unparent(Object *obj);
static inline Object *object_get_parent(const Object *obj)
{
    return obj->parent;
}
/**
 * The container at the absolute path @path, with all the containers above it made where they are
 * missing.
 */
QOM_EXPORT Object *container_get(Object *root, const char *path);

/**
 * Calls @fn for each child in order of addition until it returns non-zero, which is returned (0
 * otherwise). @fn may unparent the child that it is given. The recursive one visits a child before
 * what is below it.
 */
QOM_EXPORT int object_child_foreach(Object *obj, int (*fn)(Object *child, void *opaque),
                                    void *opaque);
QOM_EXPORT int object_child_foreach_recursive(Object *obj, int (*fn)(Object *child, void *opaque),
                                              void *opaque);

/**
 * "/machine/peripheral/x", from the root; NULL for an object outside the tree. The caller frees it.
 */
QOM_EXPORT char *object_get_canonical_path(const Object *obj);
/** The last component, or NULL; owned by @obj, valid until it is unparented. */
QOM_EXPORT const char *object_get_canonical_path_component(const Object *obj);

/**
 * Finds an object. An absolute path starts with '/'. Anything else is partial: it matches the end
 * of paths, and must match one object only. Links and aliases are followed. Returns a pointer
 * without a reference, or NULL; @ambiguous (may be NULL) is set to whether more than one matched.
 */
QOM_EXPORT Object *object_resolve_path(const char *path, bool *ambiguous);
/** The same; only objects of @typename count, and the path "" means the only one that there is. */
QOM_EXPORT Object *object_resolve_path_type(const char *path, const char *typename,
                                            bool *ambiguous);
/** The same with a message that names two of the candidates when the path is ambiguous. */
QOM_EXPORT Object *object_resolve_path_err(const char *path, const char *typename, GError **errp);
/**
 * " (did you mean '/machine/peripheral/x'?)" for a path that leads nowhere, or "" where no child of
 * a near name is there. The caller frees.
 */
QOM_EXPORT char *object_path_did_you_mean(const char *path);
/** The child, link or alias @part of @parent, or NULL. */
QOM_EXPORT Object *object_resolve_path_component(Object *parent, const char *part);

#endif
