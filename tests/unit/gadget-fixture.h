/* SPDX-License-Identifier: MIT */
/* What the tests of properties share: a type that has one of every kind, and what an error says. */
#ifndef QOMET_TESTS_UNIT_GADGET_FIXTURE_H
#define QOMET_TESTS_UNIT_GADGET_FIXTURE_H

#include "tests/test.h"
#include <string.h>
#include <qomet/qom/module.h>
#include <qomet/qom/value.h>
#include "qom/property-int.h"

#define TYPE_GADGET "test-gadget"
#define TYPE_SMALL_GADGET "test-small-gadget"
#define TYPE_PLAIN "test-plain"

static const char *const modes_array[] = { "slow", "medium", "fast" };
static const EnumLookup modes = { modes_array, G_N_ELEMENTS(modes_array) };

typedef struct Gadget {
    Object parent_obj;
    bool flag;
    uint32_t bits;
    int8_t i8;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    uint64_t size;
    char *text;
    char *text_default;
    int mode;
    MACAddr mac;
    PropertyArray numbers, words, modes, flags;
    uint64_t narrow;
    int64_t celsius;
    bool locked;
    int64_t accessed;
    Property more[8]; /* for properties of the instance */
    uint32_t more_value;
} Gadget;

static G_GNUC_UNUSED GVariant *accessed_get(Object *obj, const Property *prop, GError **errp)
{
    (void)prop;
    (void)errp;
    return g_variant_new_int64(((Gadget *)obj)->accessed);
}

static G_GNUC_UNUSED bool accessed_set(Object *obj, const Property *prop, GVariant *value,
                                       GError **errp)
{
    (void)prop;
    if (g_variant_get_int64(value) == 13) {
        qom_error_set(errp, QOM_ERROR_VALUE, "13 brings bad luck");
        return false;
    }
    ((Gadget *)obj)->accessed = g_variant_get_int64(value);
    return true;
}

static const Property gadget_properties[] = {
    DEFINE_PROP_BOOL("flag", Gadget, flag, true, .help = "a switch", .live = true),
    DEFINE_PROP_BIT("bit3", Gadget, bits, 3, true),
    DEFINE_PROP_BIT("bit4", Gadget, bits, 4, false),
    DEFINE_PROP_INT8("i8", Gadget, i8, -8),
    DEFINE_PROP_INT16("i16", Gadget, i16, -16),
    DEFINE_PROP_INT32("i32", Gadget, i32, -32),
    DEFINE_PROP_INT64("i64", Gadget, i64, -64),
    DEFINE_PROP_UINT8("u8", Gadget, u8, 8),
    DEFINE_PROP_UINT16("iobase", Gadget, u16, 0xe9, .help = "first port"),
    DEFINE_PROP_UINT32("u32", Gadget, u32, 32),
    DEFINE_PROP_UINT64("u64", Gadget, u64, 64),
    DEFINE_PROP_SIZE("size", Gadget, size, 16 << 20),
    DEFINE_PROP_STRING("text", Gadget, text),
    DEFINE_PROP_STRING("text-default", Gadget, text_default, .set_default = true,
                       .defval.s = "as made"),
    DEFINE_PROP_ENUM("mode", Gadget, mode, modes, 1),
    DEFINE_PROP_MACADDR("mac", Gadget, mac),
    DEFINE_PROP_LIST("numbers", Gadget, numbers, prop_info_uint16),
    DEFINE_PROP_LIST("words", Gadget, words, prop_info_string),
    DEFINE_PROP_LIST("modes", Gadget, modes, prop_info_enum, .enum_table = &modes),
    DEFINE_PROP_LIST("flags", Gadget, flags, prop_info_bool),
    DEFINE_PROP_UINT64("narrow", Gadget, narrow, 5, PROP_RANGE_U(2, 9)),
    DEFINE_PROP_INT64("celsius", Gadget, celsius, -1, PROP_RANGE_I(-273, -1)),
    DEFINE_PROP_BOOL("constant", Gadget, flag, true, .read_only = true),
    { .name = "accessed",
      .info = &prop_info_accessor_int,
      .get = accessed_get,
      .set = accessed_set,
      .has_range = true,
      .min.i = -50,
      .max.i = 50 },
    { .name = "seen", .info = &prop_info_accessor_int, .get = accessed_get },
    { .name = "told", .info = &prop_info_accessor_int, .set = accessed_set },
};

static G_GNUC_UNUSED bool gadget_may_set(Object *obj, const Property *prop, GError **errp)
{
    if (((Gadget *)obj)->locked && !prop->live) {
        qom_error_set(errp, QOM_ERROR_STATE, "'%s' is fixed now", prop->name);
        return false;
    }
    return true;
}

static G_GNUC_UNUSED void gadget_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    klass->may_set = gadget_may_set;
    object_class_add_properties(klass, gadget_properties, G_N_ELEMENTS(gadget_properties));
}

static const Property small_properties[] = {
    DEFINE_PROP_UINT16("iobase", Gadget, u16, 0x2f8, .help = "first port of the small one"),
    DEFINE_PROP_UINT8("extra", Gadget, u8, 0),
};

static G_GNUC_UNUSED void small_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    klass->may_set = NULL;
    object_class_add_properties(klass, small_properties, G_N_ELEMENTS(small_properties));
}

static const TypeInfo types[] = {
    { .name = TYPE_GADGET,
      .parent = TYPE_OBJECT,
      .instance_size = sizeof(Gadget),
      .class_init = gadget_class_init },
    { .name = TYPE_SMALL_GADGET, .parent = TYPE_GADGET, .class_init = small_class_init },
    { .name = "test-same-gadget", .parent = TYPE_GADGET },
    { .name = TYPE_PLAIN, .parent = TYPE_OBJECT, .instance_size = sizeof(Object) },
};

static G_GNUC_UNUSED Gadget *gadget_new(const char *type)
{
    Object *obj = object_new(type);

    assert_non_null(obj);
    return (Gadget *)obj;
}

/* Fails unless @err is there and says @text; frees it. */
static G_GNUC_UNUSED void assert_error(GError *err, QomErrorCode code, const char *text)
{
    assert_non_null(err);
    assert_string_equal(err->message, text);
    assert_true(g_error_matches(err, QOM_ERROR, code));
    g_error_free(err);
}

static G_GNUC_UNUSED void assert_parse_fails(Gadget *gadget, const char *name, const char *text,
                                             QomErrorCode code, const char *message)
{
    g_autofree char *before = object_property_print(OBJECT(gadget), name, NULL);
    g_autofree char *after = NULL;
    GError *err = NULL;

    assert_false(object_property_parse(OBJECT(gadget), name, text, &err));
    assert_error(err, code, message);
    assert_false(object_property_parse(OBJECT(gadget), name, text, NULL));
    after = object_property_print(OBJECT(gadget), name, NULL);
    assert_int_equal(g_strcmp0(before, after), 0);
}

static G_GNUC_UNUSED void assert_set_fails(Gadget *gadget, const char *name, GVariant *value,
                                           QomErrorCode code, const char *message)
{
    GError *err = NULL;

    assert_false(object_property_set(OBJECT(gadget), name, value, &err));
    assert_error(err, code, message);
}

static G_GNUC_UNUSED void assert_prints(Gadget *gadget, const char *name, const char *expected)
{
    g_autofree char *text = object_property_print(OBJECT(gadget), name, NULL);

    assert_non_null(text);
    assert_string_equal(text, expected);
}

static G_GNUC_UNUSED void assert_parses_as(Gadget *gadget, const char *name, const char *text,
                                           const char *expected)
{
    GError *err = NULL;

    if (!object_property_parse(OBJECT(gadget), name, text, &err)) {
        fail_msg("%s=%s: %s", name, text, err->message);
    }
    assert_prints(gadget, name, expected);
}

#endif
