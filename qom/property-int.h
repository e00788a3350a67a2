/* SPDX-License-Identifier: MIT */
/*
 * What the property files share: the table by which a class finds its properties, access to fields
 * by kind, and links.
 */
#ifndef QOM_PROPERTY_INT_H
#define QOM_PROPERTY_INT_H

#include <string.h>
#include "qom/qom-int.h"

/* ---- The table of a class (property-class.c) ------------------------------------------------- */

/** A row of the open-addressed table; prop is NULL in an empty one. */
typedef struct PropertySlot {
    uint32_t hash;
    const Property *prop;
} PropertySlot;

/** One store that makes a new instance's field hold its default. */
typedef struct PropertyDefault {
    const Property *prop;
    uint64_t value;
    uint8_t size; /* bytes to store; 0: not a plain number, see property_field_default() */
} PropertyDefault;

/** The properties of a class, inherited ones included. Read-only once class_init is done. */
typedef struct PropertyTable {
    const ObjectClass *owner; /* who may change it; classes below share it until they add one */
    GPtrArray *list;          /* of const Property *, in order of declaration */
    GArray
        *defaults; /* of PropertyDefault: what zeroed memory lacks, parents' first; NULL: nothing */
    GPtrArray *owning; /* of const Property *, whose fields own something; NULL: none */
    uint32_t mask;
    PropertySlot slots[]; /* mask + 1 rows, at least half of them empty */
} PropertyTable;

/*
 * Both ends of the name and its length: names that differ only in the middle are rare, and still
 * compared.
 */
static inline uint32_t property_name_hash(const char *name)
{
    size_t len = strlen(name);
    uint64_t a = 0, b = 0;

    if (len >= 8) {
        memcpy(&a, name, 8);
        memcpy(&b, name + len - 8, 8);
    } else if (len >= 4) {
        memcpy(&a, name, 4);
        memcpy(&b, name + len - 4, 4);
    } else if (len) {
        a = (uint64_t)(uint8_t)name[0] << 16 | (uint64_t)(uint8_t)name[len / 2] << 8 |
            (uint8_t)name[len - 1];
    }
    a = (a + len) * 0x9e3779b97f4a7c15ull ^ b * 0xc2b2ae3d27d4eb4full;
    return a >> 32 ^ a;
}

/** Where the property @name is, or would be. */
static inline const PropertySlot *property_table_slot(const PropertyTable *table, const char *name,
                                                      uint32_t hash)
{
    for (uint32_t i = hash;; i++) {
        const PropertySlot *slot = &table->slots[i & table->mask];

        if (!slot->prop || (slot->hash == hash && strcmp(slot->prop->name, name) == 0)) {
            return slot;
        }
    }
}

static inline const Property *property_table_find(const PropertyTable *table, const char *name)
{
    return property_table_slot(table, name, property_name_hash(name))->prop;
}

/* ---- Fields ---------------------------------------------------------------------------------- */

static inline void *property_field(const Object *obj, const Property *prop)
{
    return (char *)obj + prop->offset;
}

/** Whether reading is a load from the field, not a call. */
static inline bool property_reads_field(const Property *prop)
{
    return !prop->get && !prop->info->get;
}

static inline bool property_settable(const Property *prop)
{
    return !prop->read_only && (prop->set || (!prop->get && (prop->info->set || !prop->info->get)));
}

/** Whether writing is a store to the field, not a call. */
static inline bool property_writes_field(const Property *prop)
{
    return !prop->set && !prop->info->set && property_settable(prop);
}

/*
 * A typed accessor may run beside the thread of the device: the loads and stores are single ones,
 * in no order.
 */
static inline uint64_t property_load_uint(const void *field, unsigned size)
{
    switch (size) {
    case 1:
        return __atomic_load_n((const uint8_t *)field, __ATOMIC_RELAXED);
    case 2:
        return __atomic_load_n((const uint16_t *)field, __ATOMIC_RELAXED);
    case 4:
        return __atomic_load_n((const uint32_t *)field, __ATOMIC_RELAXED);
    default:
        return __atomic_load_n((const uint64_t *)field, __ATOMIC_RELAXED);
    }
}

static inline int64_t property_load_int(const void *field, unsigned size)
{
    unsigned unused = 64 - 8 * size;

    return (int64_t)(property_load_uint(field, size) << unused) >> unused;
}

static inline void property_store_uint(void *field, unsigned size, uint64_t value)
{
    switch (size) {
    case 1:
        __atomic_store_n((uint8_t *)field, value, __ATOMIC_RELAXED);
        break;
    case 2:
        __atomic_store_n((uint16_t *)field, value, __ATOMIC_RELAXED);
        break;
    case 4:
        __atomic_store_n((uint32_t *)field, value, __ATOMIC_RELAXED);
        break;
    default:
        __atomic_store_n((uint64_t *)field, value, __ATOMIC_RELAXED);
        break;
    }
}

static inline bool property_load_bit(const void *field, const Property *prop)
{
    return property_load_uint(field, prop->info->size) >> prop->bitnr & 1;
}

/* Other bits of the word may belong to other properties. */
static inline void property_store_bit(void *field, const Property *prop, bool value)
{
    uint64_t bit = 1ull << prop->bitnr;

    if (prop->info->size == 8 && value) {
        __atomic_fetch_or((uint64_t *)field, bit, __ATOMIC_RELAXED);
    } else if (prop->info->size == 8) {
        __atomic_fetch_and((uint64_t *)field, ~bit, __ATOMIC_RELAXED);
    } else if (value) {
        __atomic_fetch_or((uint32_t *)field, bit, __ATOMIC_RELAXED);
    } else {
        __atomic_fetch_and((uint32_t *)field, ~bit, __ATOMIC_RELAXED);
    }
}

/** The least and the greatest number that an integer property takes. */
static inline int64_t property_int_min(const Property *prop)
{
    return prop->has_range ? prop->min.i : INT64_MIN >> (64 - 8 * prop->info->size);
}

static inline int64_t property_int_max(const Property *prop)
{
    return prop->has_range ? prop->max.i : INT64_MAX >> (64 - 8 * prop->info->size);
}

static inline uint64_t property_uint_min(const Property *prop)
{
    return prop->has_range ? prop->min.u : 0;
}

static inline uint64_t property_uint_max(const Property *prop)
{
    return prop->has_range ? prop->max.u : UINT64_MAX >> (64 - 8 * prop->info->size);
}

/* By kind (property-info.c); errors say what is wrong with the value, not whose it is. */

/** What @field, of a kind that is no link, holds; for g_variant_take_ref(). */
GVariant *property_field_get(const Property *prop, const void *field, GError **errp);
/** Stores a value that property_check() has passed. */
void property_field_set(const Property *prop, void *field, GVariant *value);
/** Frees what the field owns and zeroes it. */
void property_field_clear(const Property *prop, void *field);
/** Writes a default that is no plain number into a zeroed field. */
void property_field_default(const Property *prop, void *field);
/** @value as a value of the type that the property has, in its range; a full reference, or NULL. */
GVariant *property_check(const Property *prop, GVariant *value, GError **errp);
GVariant *property_parse_text(const Property *prop, const char *text, GError **errp);
char *property_print_value(const Property *prop, GVariant *value);

/* Values in and out of an object by whatever way the property has (property.c). */
GVariant *property_get_value(Object *obj, const Property *prop, GError **errp);
bool property_set_value(Object *obj, const Property *prop, GVariant *value, GError **errp);
/** False when the property is read-only or the class forbids to set it now. */
bool property_may_set(Object *obj, const Property *prop, GError **errp);

/* ---- Finding (property.c) -------------------------------------------------------------------- */

/** Where a name of an object leads, aliases followed. */
typedef struct PropertyPlace {
    Object *obj;
    const Property *prop; /* NULL for a child */
    Object *child;
} PropertyPlace;

/** The error of a name that leads nowhere. */
void property_set_unknown(Object *obj, const char *name, GError **errp);
/** False, with the nearest name in @errp, when there is no such property. */
bool property_find(Object *obj, const char *name, PropertyPlace *place, GError **errp);

/* ---- Links (link.c) -------------------------------------------------------------------------- */

/** Points the link at @target (NULL: nothing) when its type and check allow that. */
bool property_link_set(Object *obj, const Property *prop, Object *target, GError **errp);
/** Finds the object that @path means for this link; "" is NULL. */
bool property_link_resolve(const Property *prop, const char *path, Object **target, GError **errp);
/** Its path, or "" for none; the caller frees. */
char *property_link_path(const Object *obj, const Property *prop);
/** Lets go of the target without asking. */
void property_link_clear(Object *obj, const Property *prop);

#endif
