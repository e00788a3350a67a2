/* SPDX-License-Identifier: MIT */
/*
 * What the files of qom/ share and nobody else sees: the whole of a type, and what an object keeps
 * about its children and instance properties.
 */
#ifndef QOM_QOM_INT_H
#define QOM_QOM_INT_H

#include <pthread.h>
#include <qomet/qom/module.h>
#include <qomet/qom/property.h>

/** A registered type. @pub comes first: Type and TypeImpl pointers are the same address. */
typedef struct TypeEntry TypeEntry;
struct TypeEntry {
    TypeImpl pub;
    const TypeInfo *info; /* the caller's (static) or our copy */
    TypeInfo *copy;       /* NULL for static ones */
    const char *origin;   /* the module that registered it (module.c's), NULL: the program */
    uint32_t hash;        /* of the name */

    ObjectClass *klass;    /* published with release once class_init is done; NULL before */
    ObjectClass *building; /* class_init is running, in the thread that holds the class lock */

    /* Filled in by type_resolve() under the class lock, final once klass is published. */
    TypeEntry *parent;
    size_t instance_size, instance_align, class_size; /* inherited values filled in */
    bool interface;                                   /* it is TYPE_INTERFACE or below it */
    uint8_t state;                                    /* of type_resolve() */
    bool refused;                                     /* by type_batch_end(), which frees it */

    /* Filled in with the class. Rows of functions end with NULL and are never NULL themselves. */
    void (*const *inits)(Object *obj);      /* parent first */
    void (*const *post_inits)(Object *obj); /* parent first */
    void (*const *finalizers)(Object *obj); /* leaf first */
    ObjectClass **interfaces;               /* the class's own versions, most derived ones only */
    unsigned n_interfaces;
    bool instantiable; /* it has objects: it is not abstract, no interface, and has no flaw */
    char *flaw;        /* what is wrong with the properties that class_init has added, or NULL */
    char *child_type;  /* "child<NAME>", made by tree.c when first needed (atomic) */
};

/* ---- type.c: the registry ---- */

/** The registered type @name, or NULL; loads nothing. Any thread, without a lock. */
TypeEntry *type_lookup(const char *name);
/** The same for who has type_name_hash() of the name. */
TypeEntry *type_lookup_hashed(const char *name, uint32_t hash);
uint32_t type_name_hash(const char *name);

/** Types by name: the registry is one, and what a batch holds is found by another. */
typedef struct TypeTable TypeTable;

/** With room for @n types; g_free() frees it. */
TypeTable *type_table_new(size_t n);
/** Its name must not be there yet. */
void type_table_put(TypeTable *t, TypeEntry *entry);
TypeEntry *type_table_find(const TypeTable *t, const char *name, uint32_t hash);
/** All registered types in order of name; the caller frees the array. Any thread. */
GPtrArray *type_all(void);
/**
 * " (did you mean 'x'?)" for @name, x being a registered type other than @except (or NULL), or ""
 * where none is near. The caller frees. Any thread.
 */
char *type_suggestion(const char *name, const TypeEntry *except);

/**
 * The lock under which classes are made and modules loaded: one recursive lock for both, since
 * making a class may load the module of its parent, and a module's initialiser may ask for a class.
 */
void class_lock(void);
void class_unlock(void);

/* ---- batch.c: registrations that are checked together ---- */

/** What this thread registers between type_batch_begin() and type_batch_end(). */
typedef struct TypeBatch TypeBatch;
struct TypeBatch {
    TypeBatch *outer;   /* the batch in which this one was begun */
    const char *origin; /* the module, NULL for the program */
    GPtrArray *entries; /* of TypeEntry *, owned, in order of registration */
    TypeTable *names;   /* the first entry of each name; made by type_batch_end() */
};

void type_batch_begin(TypeBatch *batch, const char *origin);
/**
 * Checks the batch whole and commits it: all of it or nothing when @whole, else what is good.
 * False with @errp set at the first registration that is bad. The batch is empty afterwards.
 */
bool type_batch_end(TypeBatch *batch, bool whole, GError **errp);
/** Ends the batch without committing anything. */
void type_batch_drop(TypeBatch *batch);
/** The batch of this thread, or NULL. */
TypeBatch *type_batch_current(void);

/* Between type.c and batch.c; type_insert() under type_registry_lock(). */
void type_registry_lock(void);
void type_registry_unlock(void);
void type_insert(TypeEntry *entry);
void type_entry_free(TypeEntry *entry);
void type_error_duplicate(GError **errp, const TypeEntry *first, const TypeEntry *second);

/* ---- resolve.c: what a type inherits, and whether it can ---- */

typedef enum TypeVerdict {
    TYPE_BAD,  /* @errp is set */
    TYPE_OPEN, /* nothing wrong, but an ancestor is in a module not loaded, or not registered yet */
    TYPE_GOOD, /* everything that it inherits is known */
} TypeVerdict;

/**
 * Finds parent and interfaces of @entry, all the way up, and fills in what it inherits. With
 * @batch: nothing is loaded, the entries of the batch come first, and what is found is provisional
 * (each visited entry goes on @visited, for type_resolve_forget()). Without: modules are loaded and
 * the verdict is TYPE_GOOD or TYPE_BAD. Under the class lock.
 */
TypeVerdict type_resolve(TypeEntry *entry, TypeBatch *batch, GPtrArray *visited, GError **errp);
void type_resolve_forget(GPtrArray *visited);

/* ---- class.c ---- */

/** The class of @entry, made now if need be. Any thread. */
ObjectClass *type_class(TypeEntry *entry, GError **errp);
/**
 * The class as far as it exists: also the one whose class_init this thread is in. NULL: not made
 * yet. Any thread.
 */
ObjectClass *type_class_peek(TypeEntry *entry);
static inline TypeEntry *type_entry(const ObjectClass *klass)
{
    return (TypeEntry *)klass->type;
}

/* ---- module.c ---- */

/** Whether the index of modules names @type. Under the class lock. */
bool module_index_has(const char *type);
/** The types that it names, sorted and NULL-terminated; g_strfreev() frees. Any thread. */
char **module_index_types(void);

/* ---- tree.c and the files of properties ---- */

/** An instance property: a child, an alias, a link or an array element. */
struct ObjectProperty {
    Property prop; /* name owned; for children and aliases info is NULL */
    Object *child;
    Object *alias_target;
    char *alias_name;
    char *type_name; /* "child<isa-serial>"; owned, but for children (it is TypeEntry.child_type) */
    GList link;      /* in ObjectNode.order; data is the ObjectProperty */
};

/** Made with the first child or instance property of an object. */
struct ObjectNode {
    GHashTable *table;  /* name -> ObjectProperty *, owned */
    GQueue order;       /* the same in order of addition, through ObjectProperty.link */
    GHashTable *arrays; /* prefix of "[*]" names -> the indexes taken, or NULL */
};

/** The instance property @name, or NULL. */
ObjectProperty *object_node_find(const Object *obj, const char *name);
/** Takes @op over (its name resolved when it ends in "[*]"); on failure frees it. */
bool object_node_add(Object *obj, ObjectProperty *op, GError **errp);
/**
 * Takes @op out of @obj, releases what its field owns and frees it. Children: object_unparent().
 */
void object_node_remove(Object *obj, ObjectProperty *op);
/** Frees the property itself; what its field owns stays. For one that was never added. */
void object_property_free(ObjectProperty *op);
/**
 * Unparents the children and removes the other instance properties, in reverse order of addition.
 */
void object_node_clear(Object *obj);
/** Whether @obj is the root of the tree. Any thread. */
bool object_is_root(const Object *obj);

/* Called by object.c: writes each class property's default (see Property.set_default). */
void object_properties_set_defaults(Object *obj);
/* Called by object.c: frees what the fields of class properties own; clears links. */
void object_properties_release(Object *obj);
/*
 * Called by tree.c: the same for the field of an instance property that goes (children and aliases
 * own nothing).
 */
void property_release_instance(Object *obj, ObjectProperty *op);
/*
 * Called by tree.c when @target leaves the tree and by object.c when it is finalized: weak links to
 * it are cleared.
 */
void object_links_clear_to(Object *target);
/*
 * Class properties: called by type.c when a class is made, before class_init; shares the parent's
 * table.
 */
void object_class_properties_inherit(ObjectClass *klass, const ObjectClass *parent);
/**
 * What its author has got wrong about the properties of @klass, whose objects have @instance_size
 * bytes: a part of a sentence that the caller frees, or NULL. Under the class lock.
 */
char *object_class_properties_flaw(const ObjectClass *klass, size_t instance_size);

#endif
