/* SPDX-License-Identifier: MIT */
/*
 * The text of a property of each kind: "NAME=TEXT" is set or refused with a reason; what was set
 * prints as text that sets the same again; and the text as JSON is taken or refused as well.
 */
#include <stdlib.h>
#include <string.h>
#include <qomet/qom/keyval.h>
#include "tests/fuzz/fuzz.h"

#define TYPE_TARGET "fuzz-target"

static const char *const names_array[] = { "none", "native", NULL, "io:uring", "" };
static const EnumLookup names = { names_array, G_N_ELEMENTS(names_array) };

static const char *const list_names_array[] = { "a", "b:c", "d\\" };
static const EnumLookup list_names = { list_names_array, G_N_ELEMENTS(list_names_array) };

typedef struct Target {
    Object parent_obj;
    bool flag;
    uint32_t bits;
    int8_t i8;
    int64_t i64;
    uint8_t u8;
    uint64_t u64;
    uint64_t size;
    int64_t accessed;
    int name;
    char *text;
    MACAddr mac;
    PropertyArray flags, numbers, sizes, words, names;
    Object *strong, *weak;
} Target;

static GVariant *accessed_get(Object *obj, const Property *prop, GError **errp)
{
    (void)prop;
    (void)errp;
    return g_variant_new_int64(((Target *)obj)->accessed);
}

static bool accessed_set(Object *obj, const Property *prop, GVariant *value, GError **errp)
{
    (void)prop;
    (void)errp;
    ((Target *)obj)->accessed = g_variant_get_int64(value);
    return true;
}

static const Property target_properties[] = {
    DEFINE_PROP_BOOL("flag", Target, flag, true),
    DEFINE_PROP_BIT("bit", Target, bits, 31, true),
    DEFINE_PROP_INT8("i8", Target, i8, -1),
    DEFINE_PROP_INT64("i64", Target, i64, -1),
    DEFINE_PROP_UINT8("u8", Target, u8, 1, PROP_RANGE_U(1, 99)),
    DEFINE_PROP_UINT64("u64", Target, u64, 1),
    DEFINE_PROP_SIZE("size", Target, size, 4096),
    DEFINE_PROP_ENUM("name", Target, name, names, 1),
    DEFINE_PROP_STRING("text", Target, text),
    DEFINE_PROP_MACADDR("mac", Target, mac),
    DEFINE_PROP_LIST("flags", Target, flags, prop_info_bool),
    DEFINE_PROP_LIST("numbers", Target, numbers, prop_info_int16),
    DEFINE_PROP_LIST("sizes", Target, sizes, prop_info_size),
    DEFINE_PROP_LIST("words", Target, words, prop_info_string),
    DEFINE_PROP_LIST("names", Target, names, prop_info_enum, .enum_table = &list_names),
    DEFINE_PROP_LINK("strong", Target, strong, TYPE_TARGET, Object *),
    DEFINE_PROP_("weak", Target, weak, Object *, prop_info_link, .link_type = TYPE_TARGET),
    { .name = "accessed",
      .info = &prop_info_accessor_int,
      .get = accessed_get,
      .set = accessed_set },
};

static void target_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    object_class_add_properties(klass, target_properties, G_N_ELEMENTS(target_properties));
}

static const TypeInfo target_info = {
    .name = TYPE_TARGET,
    .parent = TYPE_OBJECT,
    .instance_size = sizeof(Target),
    .class_init = target_class_init,
};

/* What @obj holds prints as a text that @other takes and then holds the same. */
static void check_round_trip(Object *obj, Object *other, const char *name)
{
    g_autoptr(GVariant) value = object_property_get(obj, name, NULL);
    g_autoptr(GVariant) again = NULL;
    g_autofree char *text = object_property_print(obj, name, NULL);
    g_autofree char *text_again = NULL;

    MUST(value && text);
    MUST(object_property_parse(other, name, text, NULL));
    again = object_property_get(other, name, NULL);
    text_again = object_property_print(other, name, NULL);
    MUST(again && g_variant_equal(value, again));
    MUST(text_again && strcmp(text, text_again) == 0);
}

static void check(Object *obj, Object *other, const char *name, const char *text)
{
    g_autofree char *before = object_property_print(obj, name, NULL), *after = NULL;
    g_autoptr(GVariant) value = json_to_variant(text, NULL);
    GError *err = NULL;

    if (object_property_parse(obj, name, text, &err)) {
        MUST(!err);
        check_round_trip(obj, other, name);
    } else {
        MUST(err);
        after = object_property_print(obj, name, NULL);
        MUST(g_strcmp0(before, after) == 0);
    }
    g_clear_error(&err);
    if (value && object_property_set(obj, name, value, &err)) {
        MUST(!err);
        check_round_trip(obj, other, name);
    } else {
        MUST(!value == !err);
    }
    g_clear_error(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *name = g_malloc(size + 1);
    g_autoptr(Object) obj = NULL, other = NULL;
    char *text;

    /* Registered by the first input. */
    if (!object_class_by_name(TYPE_TARGET)) {
        type_register_static(&target_info, NULL);
    }
    memcpy(name, data, size);
    name[size] = '\0';
    text = strchr(name, '=');
    if (!text) {
        return 0;
    }
    *text++ = '\0';
    obj = object_new(TYPE_TARGET);
    other = object_new(TYPE_TARGET);
    MUST(obj && other);
    MUST(object_property_add_child(object_get_root(), "obj", obj, NULL));
    MUST(object_property_add_child(object_get_root(), "other", other, NULL));
    check(obj, other, name, text);
    object_root_cleanup();
    return 0;
}
