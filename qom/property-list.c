/* SPDX-License-Identifier: MIT */
/*
 * List properties: elements of one scalar kind, side by side in memory that the property owns. As
 * text "1:2:3"; in strings and names, ':' is written '\:' and '\' is '\\'. The empty text is the
 * empty list, so no element is empty.
 */
#include "config.h"

#include <qomet/qom/value.h>
#include "qom/property-int.h"

/* The property as its elements see it: same range, names and bit, no place in the object. */
static Property element_of(const Property *prop)
{
    Property element = *prop;

    element.info = prop->element;
    element.element = NULL;
    element.offset = 0;
    return element;
}

/* Bytes of an element in the array; 0 for kinds that cannot be listed. */
static size_t element_size(const PropertyInfo *info)
{
    switch (info->kind) {
    case PROP_KIND_BOOL:
    case PROP_KIND_INT:
    case PROP_KIND_UINT:
        return info->size;
    case PROP_KIND_STRING:
        return sizeof(char *);
    case PROP_KIND_ENUM:
        return sizeof(int);
    default:
        return 0;
    }
}

static void *element_at(const PropertyArray *array, size_t size, uint32_t i)
{
    return (char *)array->data + size * i;
}

static bool element_kind_check(const Property *prop, GError **errp)
{
    if (prop->element && element_size(prop->element) && !prop->element->get) {
        return true;
    }
    qom_error_set(errp, QOM_ERROR_VALUE, "there are no lists of '%s'",
                  prop->element ? prop->element->name : "nothing");
    return false;
}

static void array_clear(const Property *element, PropertyArray *array)
{
    size_t size = element_size(element->info);

    for (uint32_t i = 0; i < array->n; i++) {
        property_field_clear(element, element_at(array, size, i));
    }
    g_free(array->data);
    *array = (PropertyArray){ 0 };
}

static GVariant *list_get(Object *obj, const Property *prop, GError **errp)
{
    const PropertyArray *array = property_field(obj, prop);
    Property element = element_of(prop);
    g_autoptr(GPtrArray) values = NULL;

    if (!element_kind_check(prop, errp)) {
        return NULL;
    }
    values = g_ptr_array_new_with_free_func((GDestroyNotify)g_variant_unref);
    for (uint32_t i = 0; i < array->n; i++) {
        const void *field = element_at(array, element_size(element.info), i);
        GVariant *value = property_field_get(&element, field, errp);

        if (!value) {
            return NULL;
        }
        g_ptr_array_add(values, g_variant_take_ref(value));
    }
    return g_variant_new_array(G_VARIANT_TYPE(element.info->variant_type),
                               (GVariant *const *)values->pdata, values->len);
}

/* The checked value of element @i of @list, out of its box. */
static GVariant *list_check_element(const Property *element, GVariant *list, gsize i, GError **errp)
{
    g_autoptr(GVariant) value = g_variant_get_child_value(list, i);
    GVariant *checked;

    if (g_variant_is_of_type(value, G_VARIANT_TYPE_VARIANT)) {
        GVariant *inner = g_variant_get_variant(value);

        g_variant_unref(value);
        value = inner;
    }
    checked = property_check(element, value, errp);
    if (checked && element->info->kind == PROP_KIND_STRING &&
        (!g_variant_is_of_type(checked, G_VARIANT_TYPE_STRING) ||
         !*g_variant_get_string(checked, NULL))) {
        qom_error_set(errp, QOM_ERROR_VALUE, "expected a string that is not empty");
        g_clear_pointer(&checked, g_variant_unref);
    }
    if (!checked) {
        g_prefix_error(errp, "element %" G_GSIZE_FORMAT ": ", i + 1);
    }
    return checked;
}

static bool list_set(Object *obj, const Property *prop, GVariant *value, GError **errp)
{
    PropertyArray *array = property_field(obj, prop);
    Property element = element_of(prop);
    PropertyArray made = { 0 };
    gsize n = g_variant_n_children(value);
    size_t size;

    if (!element_kind_check(prop, errp)) {
        return false;
    }
    size = element_size(element.info);
    if (n > G_MAXUINT32 / size) {
        qom_error_set(errp, QOM_ERROR_VALUE, "a list of %" G_GSIZE_FORMAT " elements is too long",
                      n);
        return false;
    }
    made.data = g_malloc0_n(n, size);
    for (; made.n < n; made.n++) {
        g_autoptr(GVariant) checked = list_check_element(&element, value, made.n, errp);

        if (!checked) {
            array_clear(&element, &made);
            return false;
        }
        property_field_set(&element, element_at(&made, size, made.n), checked);
    }
    array_clear(&element, array);
    *array = made;
    return true;
}

static void list_release(Object *obj, const Property *prop)
{
    Property element = element_of(prop);

    array_clear(&element, property_field(obj, prop));
}

/* Whether the text of an element may hold the ':' that stands between elements. */
static bool needs_escapes(const Property *element)
{
    return element->info->kind == PROP_KIND_STRING || element->info->kind == PROP_KIND_ENUM;
}

/* Whether a '\\' before @c makes it a part of the element. */
static bool can_be_escaped(char c)
{
#ifdef QOMET_PLANTED_BUG
    /* Found by fuzz-property: a backslash at the end has nothing behind it. */
    if (c == '\0') {
        return true;
    }
#endif
    return c == ':' || c == '\\';
}

/* Takes the text up to the next ':' off *@text, which becomes NULL after the last one. */
static char *next_element(const char **text, bool escapes)
{
    GString *out = g_string_new(NULL);
    const char *p = *text;

    for (; *p && *p != ':'; p++) {
        if (escapes && p[0] == '\\' && can_be_escaped(p[1])) {
            p++;
        }
        g_string_append_c(out, *p);
    }
    *text = *p ? p + 1 : NULL;
    return g_string_free(out, FALSE);
}

static GVariant *list_parse(const Property *prop, const char *text, GError **errp)
{
    Property element = element_of(prop);
    g_autoptr(GPtrArray) values = NULL;

    if (!element_kind_check(prop, errp)) {
        return NULL;
    }
    values = g_ptr_array_new_with_free_func((GDestroyNotify)g_variant_unref);
    text = *text ? text : NULL;
    while (text) {
        g_autofree char *word = next_element(&text, needs_escapes(&element));
        GVariant *value = property_parse_text(&element, word, errp);

        if (!value) {
            g_prefix_error(errp, "element %u: ", values->len + 1);
            return NULL;
        }
        g_ptr_array_add(values, value);
    }
    return g_variant_new_array(G_VARIANT_TYPE(element.info->variant_type),
                               (GVariant *const *)values->pdata, values->len);
}

static char *list_print(const Property *prop, GVariant *list)
{
    Property element = element_of(prop);
    GString *out = g_string_new(NULL);

    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) value = g_variant_get_child_value(list, i);
        g_autofree char *word = property_print_value(&element, value);

        if (i) {
            g_string_append_c(out, ':');
        }
        for (const char *p = word; *p; p++) {
            if (needs_escapes(&element) && (*p == ':' || *p == '\\')) {
                g_string_append_c(out, '\\');
            }
            g_string_append_c(out, *p);
        }
    }
    return g_string_free(out, FALSE);
}

const PropertyInfo prop_info_list = {
    .name = "list",
    .variant_type = "a*",
    .get = list_get,
    .set = list_set,
    .parse = list_parse,
    .print = list_print,
    .release = list_release,
};
