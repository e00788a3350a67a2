/* SPDX-License-Identifier: MIT */
/*
 * The properties of classes: the table of each class, found by name and listed in order, what new
 * instances get from it, and what ends with them.
 */
#include <qomet/qom/value.h>
#include "qom/property-int.h"

/* Whether the field of @prop can hold something that must be given back. */
static bool owns_something(const Property *prop)
{
    if (prop->info->release) {
        return !prop->get;
    }
    return property_reads_field(prop) &&
           (prop->info->kind == PROP_KIND_STRING || prop->info->kind == PROP_KIND_LINK);
}

/*
 * Whether zeroed memory lacks the default, and how it is written. Accessors have no field: theirs
 * is only listed.
 */
static bool default_store(const Property *prop, PropertyDefault *store)
{
    *store = (PropertyDefault){ .prop = prop, .value = prop->defval.u };
    if (!prop->set_default || !property_reads_field(prop) || !prop->defval.u) {
        return false;
    }
    switch (prop->info->kind) {
    case PROP_KIND_BOOL:
        store->size = sizeof(bool);
        store->value = 1;
        return true;
    case PROP_KIND_INT:
    case PROP_KIND_UINT:
        store->size = prop->info->size;
        return true;
    case PROP_KIND_ENUM:
        store->size = sizeof(int);
        return true;
    case PROP_KIND_BIT:
    case PROP_KIND_STRING:
        return true;
    default:
        return false;
    }
}

static void table_put(PropertyTable *table, uint32_t hash, const Property *prop)
{
    uint32_t i = hash;

    while (table->slots[i & table->mask].prop) {
        i++;
    }
    table->slots[i & table->mask] = (PropertySlot){ hash, prop };
}

/* An empty one with room for @n properties. */
static PropertyTable *table_new(const ObjectClass *owner, size_t n)
{
    size_t size = 4;
    PropertyTable *table;

    while (size < 2 * n) {
        size *= 2;
    }
    table = g_malloc0(sizeof(*table) + size * sizeof(table->slots[0]));
    table->owner = owner;
    table->mask = (uint32_t)size - 1;
    table->list = g_ptr_array_sized_new((guint)n);
    return table;
}

/* The same properties, with room for @n more. */
static PropertyTable *table_copy(const PropertyTable *from, const ObjectClass *owner, size_t n)
{
    PropertyTable *table = table_new(owner, from->list->len + n);

    g_ptr_array_extend(table->list, from->list, NULL, NULL);
    for (uint32_t i = 0; i <= from->mask; i++) {
        if (from->slots[i].prop) {
            table_put(table, from->slots[i].hash, from->slots[i].prop);
        }
    }
    if (from->defaults) {
        table->defaults = g_array_copy(from->defaults);
    }
    if (from->owning) {
        table->owning = g_ptr_array_copy(from->owning, NULL, NULL);
    }
    return table;
}

static void table_free(PropertyTable *table)
{
    g_ptr_array_unref(table->list);
    g_clear_pointer(&table->defaults, g_array_unref);
    g_clear_pointer(&table->owning, g_ptr_array_unref);
    g_free(table);
}

/* Notes what instances get and what ends with them. */
static void note_instance_part(PropertyTable *table, const Property *prop)
{
    PropertyDefault store;

    if (default_store(prop, &store)) {
        table->defaults = table->defaults ?: g_array_new(FALSE, FALSE, sizeof(store));
        g_array_append_val(table->defaults, store);
    }
    if (owns_something(prop)) {
        table->owning = table->owning ?: g_ptr_array_new();
        g_ptr_array_add(table->owning, (void *)prop);
    }
}

static void forget_instance_part(PropertyTable *table, const Property *prop)
{
    for (guint i = 0; table->defaults && i < table->defaults->len; i++) {
        if (g_array_index(table->defaults, PropertyDefault, i).prop == prop) {
            g_array_remove_index(table->defaults, i);
            break;
        }
    }
    if (table->owning) {
        g_ptr_array_remove(table->owning, (void *)prop);
    }
}

/*
 * Puts @prop in the place of the one of its name among the @inherited, if there is one, else behind
 * the last. Another one of the class itself stays: object_class_properties_flaw() finds them both.
 */
static void table_add(PropertyTable *table, const PropertyTable *inherited, const Property *prop)
{
    uint32_t hash = property_name_hash(prop->name);
    PropertySlot *slot = (PropertySlot *)property_table_slot(table, prop->name, hash);
    guint place;

    if (!slot->prop) {
        *slot = (PropertySlot){ hash, prop };
        g_ptr_array_add(table->list, (void *)prop);
    } else if (!inherited || property_table_find(inherited, prop->name) != slot->prop) {
        g_ptr_array_add(table->list, (void *)prop);
        return;
    } else if (g_ptr_array_find(table->list, slot->prop, &place)) {
        forget_instance_part(table, slot->prop);
        table->list->pdata[place] = (void *)prop;
        slot->prop = prop;
    }
    note_instance_part(table, prop);
}

void object_class_properties_inherit(ObjectClass *klass, const ObjectClass *parent)
{
    klass->properties = parent ? parent->properties : table_new(klass, 0);
    klass->property_list = klass->properties->list;
}

void object_class_add_properties(ObjectClass *klass, const Property *props, size_t n)
{
    PropertyTable *old = klass->properties, *table = table_copy(old, klass, n);
    const ObjectClass *parent = object_class_get_parent(klass);

    for (size_t i = 0; i < n; i++) {
        table_add(table, parent ? parent->properties : NULL, &props[i]);
    }
    klass->properties = table;
    klass->property_list = table->list;
    if (old->owner == klass) {
        table_free(old);
    }
}

/* Whether a new instance would hold what the property's own setter refuses. */
static bool default_is_out_of_range(const Property *prop)
{
    if (!prop->set_default || !prop->has_range) {
        return false;
    }
    if (prop->info->kind == PROP_KIND_INT) {
        return prop->defval.i < prop->min.i || prop->defval.i > prop->max.i;
    }
    return prop->info->kind == PROP_KIND_UINT &&
           (prop->defval.u < prop->min.u || prop->defval.u > prop->max.u);
}

char *object_class_properties_flaw(const ObjectClass *klass, size_t instance_size)
{
    const PropertyTable *table = klass->properties;

    if (table->owner != klass) {
        return g_strdup(type_entry(table->owner)->flaw);
    }
    for (guint i = 0; i < table->list->len; i++) {
        const Property *prop = table->list->pdata[i];

        if ((size_t)prop->offset + MAX(prop->info->size, 1) > instance_size) {
            return g_strdup_printf("the field of property '%s' is outside of its objects, which "
                                   "have %zu bytes (instance_size): it is missing, or the size of "
                                   "another struct",
                                   prop->name, instance_size);
        }
        if (property_table_find(table, prop->name) != prop) {
            return g_strdup_printf("property '%s' is added twice by its class_init", prop->name);
        }
        if (default_is_out_of_range(prop)) {
            g_autofree char *text = object_property_default_text(prop);

            return g_strdup_printf("the default %s of property '%s' is out of its own range", text,
                                   prop->name);
        }
    }
    return NULL;
}

const Property *object_class_property_find(ObjectClass *klass, const char *name)
{
    return property_table_find(klass->properties, name);
}

bool object_property_set_default_text(Property *prop, const char *text, GError **errp)
{
    g_autoptr(GVariant) value = NULL;
    int number;

    if (!property_settable(prop)) {
        qom_error_set(errp, QOM_ERROR_STATE, "'%s' is read-only", prop->name);
        return false;
    }
    value = property_parse_text(prop, text, errp);
    if (!value) {
        return false;
    }
    switch (prop->info->kind) {
    case PROP_KIND_BOOL:
    case PROP_KIND_BIT:
        prop->defval.u = g_variant_get_boolean(value);
        break;
    case PROP_KIND_INT:
        prop->defval.i = g_variant_get_int64(value);
        break;
    case PROP_KIND_UINT:
        prop->defval.u = g_variant_get_uint64(value);
        break;
    case PROP_KIND_STRING:
        prop->defval.s = g_intern_string(text);
        break;
    case PROP_KIND_ENUM:
        if (!value_parse_enum(prop->enum_table, text, &number, errp)) {
            return false;
        }
        prop->defval.i = number;
        break;
    default:
        return true;
    }
    prop->set_default = true;
    return true;
}

void object_properties_set_defaults(Object *obj)
{
    const GArray *defaults = obj->class->properties->defaults;

    for (guint i = 0; defaults && i < defaults->len; i++) {
        const PropertyDefault *store = &((const PropertyDefault *)(const void *)defaults->data)[i];
        void *field = property_field(obj, store->prop);

        if (store->size) {
            property_store_uint(field, store->size, store->value);
        } else {
            property_field_default(store->prop, field);
        }
    }
}

static void release(Object *obj, const Property *prop)
{
    if (prop->info->release) {
        prop->info->release(obj, prop);
    } else if (prop->info->kind == PROP_KIND_LINK) {
        property_link_clear(obj, prop);
    } else {
        property_field_clear(prop, property_field(obj, prop));
    }
}

void property_release_instance(Object *obj, ObjectProperty *op)
{
    if (op->prop.info && owns_something(&op->prop)) {
        release(obj, &op->prop);
    }
}

void object_properties_release(Object *obj)
{
    const GPtrArray *owning = obj->class->properties->owning;

    for (guint i = 0; owning && i < owning->len; i++) {
        release(obj, owning->pdata[i]);
    }
}
