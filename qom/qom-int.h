/* SPDX-License-Identifier: MIT */
/*
 * What the files of qom/ share and nobody else sees: the whole of a type, and what an object keeps about its children
 * and instance properties.
 */
#ifndef QOM_QOM_INT_H
#define QOM_QOM_INT_H

#include <pthread.h>
#include <qomet/qom/module.h>
#include <qomet/qom/property.h>

/** A registered type. @pub comes first: Type and TypeImpl pointers are the same address. */
typedef struct TypeEntry {
    TypeImpl pub;
    const TypeInfo *info; /* the caller's (static) or our copy */
    TypeInfo *copy;       /* NULL for static ones */
    ObjectClass *klass;   /* published with release once class_init is done; NULL before */
    bool making;          /* class creation is under way: meeting it again is a cycle */
    size_t instance_size, instance_align, class_size; /* inherited values filled in, valid with klass */
} TypeEntry;

/** An instance property: a child, an alias, a link or an array element. */
struct ObjectProperty {
    Property prop; /* name owned; for children and aliases info is NULL */
    Object *child;
    Object *alias_target;
    char *alias_name;
    char *type_name; /* "child<isa-serial>" */
    GList link;      /* in ObjectNode.order; data is the ObjectProperty */
};

/** Made with the first child or instance property of an object. */
struct ObjectNode {
    GHashTable *table; /* name -> ObjectProperty *, owned */
    GQueue order;      /* the same in order of addition, through ObjectProperty.link */
    GHashTable *next;  /* prefix of "[*]" names -> ArrayNames *, or NULL */
};

/* Between tree.c and property files. */
ObjectProperty *object_node_find(const Object *obj, const char *name);
/** Takes @op over (its name resolved when it ends in "[*]"); on failure frees it. */
bool object_node_add(Object *obj, ObjectProperty *op, GError **errp);
void object_node_remove(Object *obj, ObjectProperty *op);
void object_property_free(ObjectProperty *op);

/* Called by object.c. */
void object_properties_set_defaults(Object *obj); /* writes each class property's default (see Property.set_default) */
void object_properties_release(Object *obj);      /* frees what the fields of class properties own; clears links */
/* Called by tree.c when @target leaves the tree and by object.c when it is finalized: weak links to it are cleared. */
void object_links_clear_to(Object *target);
/* Class properties: called by type.c when a class is made, before class_init; copies the parent's table. */
void object_class_properties_inherit(ObjectClass *klass, const ObjectClass *parent);

#endif
