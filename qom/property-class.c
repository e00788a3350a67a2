/* SPDX-License-Identifier: MIT */
/*
 * The properties of classes: the table of each class, found by name and listed in order, what new
 * instances get from it, and what ends with them.
 */
#include <qomet/qom/value.h>
#include "qom/property-int.h"

static void table_insert(PropertyTable *table, const Property *prop)
{
    uint32_t hash = property_name_hash(prop->name);
    uint32_t i = hash;

    while (table->slots[i & table->mask].prop) {
        i++;
    }
    table->slots[i & table->mask] = (PropertySlot){ hash, prop };
}

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

static void table_index(PropertyTable *table)
{
    uint32_t size = 4;

    while (size < 2 * table->list->len) {
        size *= 2;
    }
    g_free(table->slots);
    table->slots = g_new0(PropertySlot, size);
    table->mask = size - 1;
    g_clear_pointer(&table->defaults, g_array_unref);
    g_clear_pointer(&table->owning, g_ptr_array_unref);
    for (guint i = 0; i < table->list->len; i++) {
        const Property *prop = table->list->pdata[i];
        PropertyDefault store;

        table_insert(table, prop);
        if (default_store(prop, &store)) {
            table->defaults = table->defaults ?: g_array_new(FALSE, FALSE, sizeof(store));
            g_array_append_val(table->defaults, store);
        }
        if (owns_something(prop)) {
            table->owning = table->owning ?: g_ptr_array_new();
            g_ptr_array_add(table->owning, (void *)prop);
        }
    }
}

static PropertyTable *table_copy(const PropertyTable *from, const ObjectClass *owner)
{
    PropertyTable *table = g_new0(PropertyTable, 1);

    table->owner = owner;
    table->list = g_ptr_array_new();
    for (guint i = 0; from && i < from->list->len; i++) {
        g_ptr_array_add(table->list, from->list->pdata[i]);
    }
    return table;
}

void object_class_properties_inherit(ObjectClass *klass, const ObjectClass *parent)
{
    if (parent) {
        klass->properties = parent->properties;
    } else {
        klass->properties = table_copy(NULL, klass);
        table_index(klass->properties);
    }
    klass->property_list = klass->properties->list;
}

void object_class_add_properties(ObjectClass *klass, const Property *props, size_t n)
{
    PropertyTable *table = klass->properties;

    if (table->owner != klass) {
        table = table_copy(table, klass);
        klass->properties = table;
        klass->property_list = table->list;
        table_index(table);
    }
    for (size_t i = 0; i < n; i++) {
        const Property *old = property_table_find(table, props[i].name);
        guint place;

        if (old && g_ptr_array_find(table->list, old, &place)) {
            table->list->pdata[place] = (void *)&props[i];
        } else {
            g_ptr_array_add(table->list, (void *)&props[i]);
        }
    }
    table_index(table);
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
