/* SPDX-License-Identifier: MIT */
/*
 * Properties of classes and instances: defaults, inheritance, every kind set and read in every way,
 * and what an error says.
 */
#include "tests/test.h"
#include <string.h>
#include <pthread.h>
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

static GVariant *accessed_get(Object *obj, const Property *prop, GError **errp)
{
    (void)prop;
    (void)errp;
    return g_variant_new_int64(((Gadget *)obj)->accessed);
}

static bool accessed_set(Object *obj, const Property *prop, GVariant *value, GError **errp)
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

static bool gadget_may_set(Object *obj, const Property *prop, GError **errp)
{
    if (((Gadget *)obj)->locked && !prop->live) {
        qom_error_set(errp, QOM_ERROR_STATE, "'%s' is fixed now", prop->name);
        return false;
    }
    return true;
}

static void gadget_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    klass->may_set = gadget_may_set;
    object_class_add_properties(klass, gadget_properties, G_N_ELEMENTS(gadget_properties));
}

static const Property small_properties[] = {
    DEFINE_PROP_UINT16("iobase", Gadget, u16, 0x2f8, .help = "first port of the small one"),
    DEFINE_PROP_UINT8("extra", Gadget, u8, 0),
};

static void small_class_init(ObjectClass *klass, const void *data)
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

static Gadget *gadget_new(const char *type)
{
    Object *obj = object_new(type);

    assert_non_null(obj);
    return (Gadget *)obj;
}

/* Fails unless @err is there and says @text; frees it. */
static void assert_error(GError *err, QomErrorCode code, const char *text)
{
    assert_non_null(err);
    assert_string_equal(err->message, text);
    assert_true(g_error_matches(err, QOM_ERROR, code));
    g_error_free(err);
}

static void assert_parse_fails(Gadget *gadget, const char *name, const char *text,
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

static void assert_set_fails(Gadget *gadget, const char *name, GVariant *value, QomErrorCode code,
                             const char *message)
{
    GError *err = NULL;

    assert_false(object_property_set(OBJECT(gadget), name, value, &err));
    assert_error(err, code, message);
}

static void assert_prints(Gadget *gadget, const char *name, const char *expected)
{
    g_autofree char *text = object_property_print(OBJECT(gadget), name, NULL);

    assert_non_null(text);
    assert_string_equal(text, expected);
}

static void assert_parses_as(Gadget *gadget, const char *name, const char *text,
                             const char *expected)
{
    GError *err = NULL;

    if (!object_property_parse(OBJECT(gadget), name, text, &err)) {
        fail_msg("%s=%s: %s", name, text, err->message);
    }
    assert_prints(gadget, name, expected);
}

/* ---- Classes ---- */

static void a_new_object_has_the_defaults_of_its_class(void **state)
{
    Gadget *gadget = gadget_new(TYPE_GADGET);

    (void)state;
    assert_true(gadget->flag);
    assert_int_equal(gadget->bits, 1 << 3);
    assert_int_equal(gadget->i8, -8);
    assert_int_equal(gadget->i16, -16);
    assert_int_equal(gadget->i32, -32);
    assert_int_equal(gadget->i64, -64);
    assert_int_equal(gadget->u8, 8);
    assert_int_equal(gadget->u16, 0xe9);
    assert_int_equal(gadget->u32, 32);
    assert_int_equal(gadget->u64, 64);
    assert_int_equal(gadget->size, 16 << 20);
    assert_null(gadget->text);
    assert_string_equal(gadget->text_default, "as made");
    assert_int_equal(gadget->mode, 1);
    assert_int_equal(gadget->numbers.n, 0);
    object_unref(gadget);
}

static void a_class_that_adds_nothing_shares_the_table_of_its_parent(void **state)
{
    ObjectClass *parent = object_class_by_name(TYPE_GADGET);
    ObjectClass *child = object_class_by_name("test-same-gadget");

    (void)state;
    assert_ptr_equal(parent->properties, child->properties);
    assert_ptr_equal(parent->property_list, child->property_list);
}

static void a_child_class_replaces_a_property_in_its_place(void **state)
{
    ObjectClass *parent = object_class_by_name(TYPE_GADGET);
    ObjectClass *child = object_class_by_name(TYPE_SMALL_GADGET);
    Gadget *gadget = gadget_new(TYPE_SMALL_GADGET);

    (void)state;
    assert_int_equal(child->property_list->len, parent->property_list->len + 1);
    assert_ptr_equal(parent->property_list->pdata[1 + 8], &gadget_properties[8]);
    assert_ptr_equal(child->property_list->pdata[1 + 8], &small_properties[0]);
    assert_ptr_equal(child->property_list->pdata[parent->property_list->len], &small_properties[1]);
    assert_ptr_equal(object_class_property_find(child, "iobase"), &small_properties[0]);
    assert_ptr_equal(object_class_property_find(parent, "iobase"), &gadget_properties[8]);
    assert_null(object_class_property_find(parent, "extra"));
    assert_int_equal(gadget->u16, 0x2f8);
    object_unref(gadget);
}

static void names_of_every_length_are_found_and_no_other(void **state)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    static Property props[600];
    static ObjectClass *klass;
    TypeInfo info = { .name = "test-many", .parent = TYPE_GADGET };
    GError *err = NULL;

    (void)state;
    assert_non_null(type_register(&info, &err));
    klass = object_class_by_name("test-many");
    for (int i = 0; i < 600; i++) {
        g_autofree char *tail = g_strnfill(i % 23, 'a' + i % 7);

        g_ptr_array_add(names, g_strdup_printf("%s%d%s", i % 3 ? "x" : "", i, tail));
        props[i] = (Property)DEFINE_PROP_UINT32("", Gadget, u32, 0);
        props[i].name = names->pdata[i];
    }
    object_class_add_properties(klass, props, 600);
    for (int i = 0; i < 600; i++) {
        g_autofree char *other = g_strdup_printf("%s~", props[i].name);

        assert_ptr_equal(object_class_property_find(klass, props[i].name), &props[i]);
        assert_null(object_class_property_find(klass, other));
    }
    assert_non_null(object_class_property_find(klass, "iobase"));
    assert_null(object_class_property_find(klass, ""));
    /* The class outlives the names. */
    g_ptr_array_set_free_func(names, NULL);
}

static void a_listing_tells_types_defaults_and_help_without_an_object(void **state)
{
    ObjectClass *klass = object_class_by_name(TYPE_GADGET);
    static const struct {
        const char *name, *type, *text;
    } expected[] = {
        { "flag", "bool", "on" },
        { "bit4", "bool", "off" },
        { "i8", "int8", "-8" },
        { "iobase", "uint16", "233" },
        { "size", "size", "16M" },
        { "text", "str", NULL },
        { "text-default", "str", "as made" },
        { "mode", "enum", "medium" },
        { "mac", "macaddr", NULL },
        { "numbers", "list<uint16>", NULL },
        { "accessed", "int", NULL },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        const Property *prop = object_class_property_find(klass, expected[i].name);
        g_autofree char *text = NULL;

        assert_non_null(prop);
        assert_string_equal(object_property_type_name(prop), expected[i].type);
        text = object_property_default_text(prop);
        assert_int_equal(g_strcmp0(text, expected[i].text), 0);
    }
    assert_string_equal(object_class_property_find(klass, "flag")->help, "a switch");
}

/* ---- Text ---- */

static void each_kind_reads_its_text_and_prints_it_back(void **state)
{
    Gadget *gadget = gadget_new(TYPE_GADGET);

    (void)state;
    assert_parses_as(gadget, "flag", "no", "off");
    assert_parses_as(gadget, "flag", "yes", "on");
    assert_parses_as(gadget, "bit4", "true", "on");
    assert_int_equal(gadget->bits, 3 << 3);
    assert_parses_as(gadget, "bit3", "off", "off");
    assert_int_equal(gadget->bits, 1 << 4);
    assert_parses_as(gadget, "i8", "-128", "-128");
    assert_parses_as(gadget, "i16", "-0x8000", "-32768");
    assert_parses_as(gadget, "i32", "2147483647", "2147483647");
    assert_parses_as(gadget, "i64", "-9223372036854775808", "-9223372036854775808");
    assert_parses_as(gadget, "u8", "0xff", "255");
    assert_parses_as(gadget, "iobase", "0xE9", "233");
    assert_parses_as(gadget, "u32", "4294967295", "4294967295");
    assert_parses_as(gadget, "u64", "18446744073709551615", "18446744073709551615");
    assert_parses_as(gadget, "size", "1.5G", "1536M");
    assert_parses_as(gadget, "size", "0x1000", "4K");
    assert_parses_as(gadget, "text", "a b,c=d", "a b,c=d");
    assert_parses_as(gadget, "text", "", "");
    assert_parses_as(gadget, "mode", "fast", "fast");
    assert_int_equal(gadget->mode, 2);
    assert_parses_as(gadget, "mac", "52:54:00:12:34:5F", "52:54:00:12:34:5f");
    assert_int_equal(gadget->mac.a[5], 0x5f);
    assert_parses_as(gadget, "accessed", "-50", "-50");
    object_unref(gadget);
}

static void a_bad_value_is_refused_with_what_is_accepted(void **state)
{
    Gadget *gadget = gadget_new(TYPE_GADGET);

    (void)state;
    assert_parse_fails(gadget, "iobase", "70000", QOM_ERROR_VALUE,
                       "property 'iobase' of 'test-gadget': '70000' is out of range, accepted are "
                       "0 to 65535");
    assert_parse_fails(gadget, "iobase", "-1", QOM_ERROR_VALUE,
                       "property 'iobase' of 'test-gadget': '-1' is out of range, accepted are 0 "
                       "to 65535");
    assert_parse_fails(gadget, "i8", "128", QOM_ERROR_VALUE,
                       "property 'i8' of 'test-gadget': '128' is out of range, accepted are -128 "
                       "to 127");
    assert_parse_fails(gadget, "u64", "18446744073709551616", QOM_ERROR_VALUE,
                       "property 'u64' of 'test-gadget': '18446744073709551616' is out of range, "
                       "accepted are 0 to 18446744073709551615");
    assert_parse_fails(gadget, "iobase", "12x", QOM_ERROR_VALUE,
                       "property 'iobase' of 'test-gadget': '12x' is not a number, accepted are 0 "
                       "to 65535");
    assert_parse_fails(gadget, "narrow", "10", QOM_ERROR_VALUE,
                       "property 'narrow' of 'test-gadget': '10' is out of range, accepted are 2 "
                       "to 9");
    assert_parse_fails(gadget, "celsius", "0", QOM_ERROR_VALUE,
                       "property 'celsius' of 'test-gadget': '0' is out of range, accepted are "
                       "-273 to -1");
    assert_parse_fails(gadget, "flag", "maybe", QOM_ERROR_VALUE,
                       "property 'flag' of 'test-gadget': 'maybe' is not a bool, accepted are on, "
                       "off");
    assert_parse_fails(gadget, "mode", "fasst", QOM_ERROR_VALUE,
                       "property 'mode' of 'test-gadget': 'fasst' is not a known name, accepted "
                       "are slow, medium, fast (did you mean 'fast'?)");
    assert_parse_fails(gadget, "size", "1X", QOM_ERROR_VALUE,
                       "property 'size' of 'test-gadget': '1X' is not a size, accepted is a number "
                       "with an optional suffix K, M, G, T, P, E");
    assert_parse_fails(gadget, "mac", "52:54:00:12:34", QOM_ERROR_VALUE,
                       "property 'mac' of 'test-gadget': '52:54:00:12:34' is not the address of a "
                       "network card, accepted are six bytes like 52:54:00:12:34:56");
    assert_parse_fails(gadget, "text", "\xff", QOM_ERROR_VALUE,
                       "property 'text' of 'test-gadget': '\xff' is not valid UTF-8");
    assert_parse_fails(gadget, "accessed", "51", QOM_ERROR_VALUE,
                       "property 'accessed' of 'test-gadget': '51' is out of range, accepted are "
                       "-50 to 50");
    assert_parse_fails(gadget, "accessed", "13", QOM_ERROR_VALUE,
                       "property 'accessed' of 'test-gadget': 13 brings bad luck");
    object_unref(gadget);
}

static void an_unknown_name_is_refused_with_the_nearest(void **state)
{
    Gadget *gadget = gadget_new(TYPE_GADGET);
    Object *root = object_get_root();

    (void)state;
    assert_parse_fails(gadget, "iobse", "1", QOM_ERROR_NOT_FOUND,
                       "Property 'test-gadget.iobse' not found (did you mean 'iobase'?)");
    assert_parse_fails(gadget, "quite-another", "1", QOM_ERROR_NOT_FOUND,
                       "Property 'test-gadget.quite-another' not found");
    assert_true(object_property_add_child(root, "x", OBJECT(gadget), NULL));
    assert_parse_fails(gadget, "iobse", "1", QOM_ERROR_NOT_FOUND,
                       "Property 'test-gadget.iobse' not found (did you mean 'iobase'?)");
    object_unparent(OBJECT(gadget));
    object_unref(gadget);
    object_root_cleanup();
}

static void a_list_is_read_from_text_and_printed_back(void **state)
{
    Gadget *gadget = gadget_new(TYPE_GADGET);

    (void)state;
    assert_parses_as(gadget, "numbers", "1:0x10:65535", "1:16:65535");
    assert_int_equal(gadget->numbers.n, 3);
    assert_int_equal(((uint16_t *)gadget->numbers.data)[1], 16);
    assert_parses_as(gadget, "numbers", "", "");
    assert_int_equal(gadget->numbers.n, 0);
    assert_parses_as(gadget, "words", "a\\:b:c\\\\:d\\e", "a\\:b:c\\\\:d\\\\e");
    assert_int_equal(gadget->words.n, 3);
    assert_string_equal(((char **)gadget->words.data)[0], "a:b");
    assert_string_equal(((char **)gadget->words.data)[1], "c\\");
    assert_string_equal(((char **)gadget->words.data)[2], "d\\e");
    assert_parses_as(gadget, "modes", "fast:slow", "fast:slow");
    assert_int_equal(((int *)gadget->modes.data)[0], 2);
    assert_parses_as(gadget, "flags", "on:off:yes", "on:off:on");
    assert_parse_fails(gadget, "numbers", "1:70000", QOM_ERROR_VALUE,
                       "property 'numbers' of 'test-gadget': element 2: '70000' is out of range, "
                       "accepted are 0 to 65535");
    assert_parse_fails(gadget, "numbers", "1:", QOM_ERROR_VALUE,
                       "property 'numbers' of 'test-gadget': element 2: '' is not a number, "
                       "accepted are 0 to 65535");
    assert_parse_fails(gadget, "words", "a::b", QOM_ERROR_VALUE,
                       "property 'words' of 'test-gadget': element 2: expected a string that is "
                       "not empty");
    object_unref(gadget);
}

/* ---- Values ---- */

static void an_integer_of_any_width_is_taken_when_it_fits(void **state)
{
    Gadget *gadget = gadget_new(TYPE_GADGET);
    GVariant *fitting[] = {
        g_variant_new_byte(7),   g_variant_new_int16(7),  g_variant_new_uint16(7),
        g_variant_new_int32(7),  g_variant_new_uint32(7), g_variant_new_int64(7),
        g_variant_new_uint64(7),
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(fitting); i++) {
        gadget->u8 = 0;
        gadget->i8 = 0;
        g_variant_ref_sink(fitting[i]);
        assert_true(object_property_set(OBJECT(gadget), "u8", fitting[i], NULL));
        assert_int_equal(gadget->u8, 7);
        assert_true(object_property_set(OBJECT(gadget), "i8", fitting[i], NULL));
        assert_int_equal(gadget->i8, 7);
        g_variant_unref(fitting[i]);
    }
    assert_set_fails(gadget, "u8", g_variant_new_int64(-1), QOM_ERROR_VALUE,
                     "property 'u8' of 'test-gadget': '-1' is out of range, accepted are 0 to 255");
    assert_set_fails(gadget, "i8", g_variant_new_uint64(UINT64_MAX), QOM_ERROR_VALUE,
                     "property 'i8' of 'test-gadget': '18446744073709551615' is out of range, "
                     "accepted are -128 to 127");
    assert_int_equal(gadget->u8, 7);
    assert_int_equal(gadget->i8, 7);
    object_unref(gadget);
}

static void a_value_of_another_kind_is_refused_not_converted(void **state)
{
    Gadget *gadget = gadget_new(TYPE_GADGET);

    (void)state;
    assert_set_fails(gadget, "iobase", g_variant_new_string("1"), QOM_ERROR_VALUE,
                     "property 'iobase' of 'test-gadget': expected an integer, got a string");
    assert_set_fails(gadget, "iobase", g_variant_new_double(1), QOM_ERROR_VALUE,
                     "property 'iobase' of 'test-gadget': expected an integer, got a number with a "
                     "fraction");
    assert_set_fails(gadget, "i8", g_variant_new_boolean(TRUE), QOM_ERROR_VALUE,
                     "property 'i8' of 'test-gadget': expected an integer, got a bool");
    assert_set_fails(gadget, "flag", g_variant_new_int64(1), QOM_ERROR_VALUE,
                     "property 'flag' of 'test-gadget': expected a bool, got an integer");
    assert_set_fails(gadget, "text", g_variant_new_int64(1), QOM_ERROR_VALUE,
                     "property 'text' of 'test-gadget': expected a string, got an integer");
    assert_set_fails(gadget, "mode", g_variant_new_int64(1), QOM_ERROR_VALUE,
                     "property 'mode' of 'test-gadget': expected a string, got an integer");
    assert_set_fails(gadget, "mac", g_variant_new_int64(1), QOM_ERROR_VALUE,
                     "property 'mac' of 'test-gadget': expected a string, got an integer");
    assert_set_fails(gadget, "numbers", g_variant_new_int64(1), QOM_ERROR_VALUE,
                     "property 'numbers' of 'test-gadget': expected a list, got an integer");
    assert_set_fails(gadget, "size", g_variant_new_maybe(G_VARIANT_TYPE_VARIANT, NULL),
                     QOM_ERROR_VALUE,
                     "property 'size' of 'test-gadget': expected an integer, got null");
    object_unref(gadget);
}

static void a_list_is_set_from_an_array_of_values(void **state)
{
    Gadget *gadget = gadget_new(TYPE_GADGET);
    const char *const words[] = { "x", "y:z", NULL };
    g_autoptr(GVariant) got = NULL;
    GVariantBuilder builder;

    (void)state;
    g_variant_builder_init(&builder, G_VARIANT_TYPE("av"));
    g_variant_builder_add(&builder, "v", g_variant_new_int64(3));
    g_variant_builder_add(&builder, "v", g_variant_new_uint64(4));
    assert_true(
        object_property_set(OBJECT(gadget), "numbers", g_variant_builder_end(&builder), NULL));
    assert_prints(gadget, "numbers", "3:4");
    got = object_property_get(OBJECT(gadget), "numbers", NULL);
    assert_string_equal(g_variant_get_type_string(got), "at");
    assert_true(object_property_set(OBJECT(gadget), "words", g_variant_new_strv(words, -1), NULL));
    assert_prints(gadget, "words", "x:y\\:z");
    g_variant_builder_init(&builder, G_VARIANT_TYPE("av"));
    g_variant_builder_add(&builder, "v", g_variant_new_int64(3));
    g_variant_builder_add(&builder, "v", g_variant_new_string("4"));
    assert_set_fails(gadget, "numbers", g_variant_builder_end(&builder), QOM_ERROR_VALUE,
                     "property 'numbers' of 'test-gadget': element 2: expected an integer, got a "
                     "string");
    assert_prints(gadget, "numbers", "3:4");
    object_unref(gadget);
}

static void a_value_read_can_be_set_again(void **state)
{
    Gadget *gadget = gadget_new(TYPE_GADGET);
    const GPtrArray *list = OBJECT(gadget)->class->property_list;

    (void)state;
    assert_true(object_property_parse(OBJECT(gadget), "numbers", "1:2:3", NULL));
    for (guint i = 0; i < list->len; i++) {
        const Property *prop = list->pdata[i];
        g_autoptr(GVariant) value = NULL, again = NULL;

        if (strcmp(prop->name, "told") == 0 || prop->read_only || strcmp(prop->name, "seen") == 0) {
            continue;
        }
        value = object_property_get(OBJECT(gadget), prop->name, NULL);
        assert_non_null(value);
        assert_false(g_variant_is_floating(value));
        assert_true(g_variant_is_of_type(value, G_VARIANT_TYPE(prop->info->variant_type)));
        assert_true(object_property_set(OBJECT(gadget), prop->name, value, NULL));
        again = object_property_get(OBJECT(gadget), prop->name, NULL);
        assert_true(g_variant_equal(value, again));
    }
    object_unref(gadget);
}

static uint64_t random_uint(GRand *rand)
{
    uint64_t all = (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);

    return all >> g_rand_int_range(rand, 0, 64);
}

/* Words of letters that mean something to the parsers. */
static char *random_word(GRand *rand)
{
    static const char *const letters[] = { "a", ":", "\\", ",", "=", " ", "é", "0", "{" };
    GString *word = g_string_new("w");

    for (int n = g_rand_int_range(rand, 0, 8); n > 0; n--) {
        g_string_append(word, letters[g_rand_int_range(rand, 0, G_N_ELEMENTS(letters))]);
    }
    return g_string_free(word, FALSE);
}

static GVariant *random_list(GRand *rand, const Property *prop)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("av"));
    for (int n = g_rand_int_range(rand, 0, 6); n > 0; n--) {
        GVariant *element;

        if (prop->element == &prop_info_string) {
            element = g_variant_new_take_string(random_word(rand));
        } else if (prop->element == &prop_info_enum) {
            element = g_variant_new_string(modes_array[g_rand_int_range(rand, 0, 3)]);
        } else if (prop->element == &prop_info_bool) {
            element = g_variant_new_boolean(g_rand_boolean(rand));
        } else {
            element = g_variant_new_uint16(random_uint(rand));
        }
        g_variant_builder_add(&builder, "v", element);
    }
    return g_variant_builder_end(&builder);
}

static GVariant *random_value(GRand *rand, const Property *prop)
{
    uint64_t u = random_uint(rand);

    if (prop->element) {
        return random_list(rand, prop);
    }
    if (prop->info == &prop_info_macaddr) {
        return g_variant_new_take_string(
            g_strdup_printf("%02x:00:%02X:fF:%02x:01", (uint8_t)u, (uint8_t)(u >> 8), 7));
    }
    switch (prop->info->kind) {
    case PROP_KIND_BOOL:
    case PROP_KIND_BIT:
        return g_variant_new_boolean(u & 1);
    case PROP_KIND_INT:
        return g_variant_new_int64(u & 1 ? -(int64_t)(u >> 1) - 1 : (int64_t)(u >> 1));
    case PROP_KIND_UINT:
        return g_variant_new_uint64(u);
    case PROP_KIND_ENUM:
        return g_variant_new_string(modes_array[u % 3]);
    default:
        return g_variant_new_take_string(random_word(rand));
    }
}

static void whatever_a_property_prints_it_parses(void **state)
{
    Object *obj = OBJECT(gadget_new(TYPE_GADGET)), *other = OBJECT(gadget_new(TYPE_GADGET));
    const GPtrArray *list = obj->class->property_list;
    GRand *rand = g_rand_new_with_seed(4711);
    unsigned compared[64] = { 0 };

    (void)state;
    assert_true(list->len < G_N_ELEMENTS(compared));
    for (int round = 0; round < 40000; round++) {
        guint i = g_rand_int_range(rand, 0, list->len);
        const Property *prop = list->pdata[i];
        g_autoptr(GVariant) value = g_variant_ref_sink(random_value(rand, prop));
        g_autoptr(GVariant) set = NULL, parsed = NULL;
        g_autofree char *text = NULL;

        if (!object_property_set(obj, prop->name, value, NULL) || strcmp(prop->name, "told") == 0) {
            continue;
        }
        set = object_property_get(obj, prop->name, NULL);
        text = object_property_print(obj, prop->name, NULL);
        assert_true(object_property_parse(other, prop->name, text, NULL));
        parsed = object_property_get(other, prop->name, NULL);
        assert_true(g_variant_equal(set, parsed));
        compared[i]++;
    }
    for (guint i = 0; i < list->len; i++) {
        const Property *prop = list->pdata[i];

        if (!prop->get && !prop->set && !prop->read_only) {
            assert_true(compared[i] > 0);
        }
    }
    g_rand_free(rand);
    object_unref(obj);
    object_unref(other);
}

/* ---- Typed accessors ---- */

static void typed_accessors_read_and_write_every_width(void **state)
{
    Object *obj = OBJECT(gadget_new(TYPE_SMALL_GADGET));
    g_autofree char *name = NULL;
    GError *err = NULL;

    (void)state;
    assert_true(object_property_set_int(obj, "i8", -128, NULL));
    assert_int_equal(object_property_get_int(obj, "i8", &err), -128);
    assert_true(object_property_set_int(obj, "i16", -32768, NULL));
    assert_int_equal(object_property_get_int(obj, "i16", &err), -32768);
    assert_true(object_property_set_int(obj, "i32", INT32_MIN, NULL));
    assert_int_equal(object_property_get_int(obj, "i32", &err), INT32_MIN);
    assert_true(object_property_set_int(obj, "i64", INT64_MIN, NULL));
    assert_true(object_property_get_int(obj, "i64", &err) == INT64_MIN);
    assert_true(object_property_set_uint(obj, "u8", 255, NULL));
    assert_int_equal(object_property_get_uint(obj, "u8", &err), 255);
    assert_true(object_property_set_uint(obj, "u64", UINT64_MAX, NULL));
    assert_true(object_property_get_uint(obj, "u64", &err) == UINT64_MAX);
    assert_true(object_property_set_uint(obj, "size", 4096, NULL));
    assert_int_equal(object_property_get_uint(obj, "size", &err), 4096);
    assert_true(object_property_set_bool(obj, "flag", false, NULL));
    assert_false(object_property_get_bool(obj, "flag", &err));
    assert_true(object_property_set_bool(obj, "bit4", true, NULL));
    assert_true(object_property_get_bool(obj, "bit4", &err));
    assert_true(object_property_set_str(obj, "mode", "slow", NULL));
    name = object_property_get_str(obj, "mode", &err);
    assert_string_equal(name, "slow");
    /* Of the other signedness, and through an accessor. */
    assert_true(object_property_set_uint(obj, "i8", 5, NULL));
    assert_int_equal(object_property_get_uint(obj, "i8", &err), 5);
    assert_true(object_property_set_int(obj, "accessed", 42, NULL));
    assert_int_equal(object_property_get_int(obj, "accessed", &err), 42);
    assert_null(err);
    object_unref(obj);
}

static void a_string_is_copied_and_may_be_unset(void **state)
{
    Object *obj = OBJECT(gadget_new(TYPE_GADGET));
    char text[] = "abc";
    g_autofree char *got = NULL;
    GError *err = NULL;

    (void)state;
    assert_null(object_property_get_str(obj, "text", &err));
    assert_null(err);
    assert_true(object_property_set_str(obj, "text", text, NULL));
    text[0] = 'x';
    got = object_property_get_str(obj, "text", NULL);
    assert_string_equal(got, "abc");
    assert_true(object_property_set_str(obj, "text", NULL, NULL));
    assert_null(((Gadget *)obj)->text);
    assert_false(object_property_set_str(obj, "text", "\xc0\x80", &err));
    assert_error(err, QOM_ERROR_VALUE,
                 "property 'text' of 'test-gadget': '\xc0\x80' is not valid UTF-8");
    object_unref(obj);
}

static void typed_accessors_fail_as_the_others_do(void **state)
{
    Object *obj = OBJECT(gadget_new(TYPE_SMALL_GADGET));
    GError *err = NULL;

    (void)state;
    assert_false(object_property_set_uint(obj, "iobase", 65536, &err));
    assert_error(err, QOM_ERROR_VALUE,
                 "property 'iobase' of 'test-small-gadget': '65536' is out of range, accepted are "
                 "0 to 65535");
    err = NULL;
    assert_false(object_property_set_int(obj, "celsius", 1, &err));
    assert_non_null(err);
    g_clear_error(&err);
    assert_false(object_property_set_bool(obj, "iobase", true, &err));
    assert_error(err, QOM_ERROR_VALUE,
                 "property 'iobase' of 'test-small-gadget': expected an integer, got a bool");
    err = NULL;
    assert_int_equal(object_property_get_int(obj, "text", &err), 0);
    assert_error(err, QOM_ERROR_VALUE,
                 "property 'text' of 'test-small-gadget': expected an integer, got a string");
    err = NULL;
    assert_false(object_property_get_bool(obj, "text", &err));
    assert_error(err, QOM_ERROR_VALUE,
                 "property 'text' of 'test-small-gadget' is a string, not a bool");
    err = NULL;
    assert_null(object_property_get_str(obj, "iobase", &err));
    assert_error(err, QOM_ERROR_VALUE,
                 "property 'iobase' of 'test-small-gadget' is an integer, not a string");
    err = NULL;
    assert_true(object_property_set_uint(obj, "u64", UINT64_MAX, NULL));
    assert_int_equal(object_property_get_int(obj, "u64", &err), 0);
    assert_non_null(err);
    g_clear_error(&err);
    assert_int_equal(object_property_get_uint(obj, "nope", &err), 0);
    assert_non_null(err);
    g_clear_error(&err);
    assert_false(object_property_set_bool(obj, "constant", true, &err));
    assert_error(err, QOM_ERROR_STATE, "property 'constant' of 'test-small-gadget' is read-only");
    object_unref(obj);
}

static void *set_and_get(void *opaque)
{
    Object *obj = opaque;

    for (unsigned i = 0; i < 20000; i++) {
        if (!object_property_set_uint(obj, "u32", i % 2 ? 0 : UINT32_MAX, NULL) ||
            !object_property_set_bool(obj, "flag", i % 3, NULL) ||
            !object_property_set_bool(obj, "bit3", i % 5, NULL)) {
            return "a value is refused";
        }
        if ((uint32_t)(object_property_get_uint(obj, "u32", NULL) + 1) > 1) {
            return "a number is half written";
        }
        object_property_get_bool(obj, "flag", NULL);
    }
    return NULL;
}

static void numbers_are_set_and_read_by_several_threads_at_once(void **state)
{
    Object *obj = OBJECT(gadget_new(TYPE_SMALL_GADGET));
    pthread_t threads[3];
    void *complaint;

    (void)state;
    assert_true(object_property_set_uint(obj, "u32", 0, NULL));
    assert_true(object_property_set_bool(obj, "bit4", true, NULL));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, set_and_get, obj), 0);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], &complaint);
        assert_null(complaint);
    }
    /* The bit beside the one that they wrote is as it was. */
    assert_true(object_property_get_bool(obj, "bit4", NULL));
    object_unref(obj);
}

/* ---- Kinds that others define ---- */

static GVariant *table_get(Object *obj, const Property *prop, GError **errp)
{
    (void)obj;
    (void)prop;
    (void)errp;
    return g_variant_new_parsed("{'a': <1>}");
}

static bool table_set(Object *obj, const Property *prop, GVariant *value, GError **errp)
{
    (void)prop;
    (void)errp;
    ((Gadget *)obj)->accessed = g_variant_n_children(value);
    return true;
}

static const PropertyInfo table_info = {
    .name = "table",
    .variant_type = "a{sv}",
    .get = table_get,
    .set = table_set,
};

static const PropertyInfo ratio_info = { .name = "ratio", .variant_type = "d", .get = table_get };
static const PropertyInfo tuple_info = { .name = "tuple",
                                         .variant_type = "(ss)",
                                         .set = table_set };
static const PropertyInfo lone_info = { .name = "lone", .variant_type = "s" };

static GVariant *even_parse(const Property *prop, const char *text, GError **errp)
{
    uint64_t u;

    if (!value_parse_uint(text, 0, 100, &u, errp)) {
        return NULL;
    }
    if (u % 2) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'%s' is odd", prop->name);
        return NULL;
    }
    return g_variant_new_uint64(u);
}

static const PropertyInfo even_info = {
    .name = "even",
    .variant_type = "t",
    .kind = PROP_KIND_UINT,
    .size = 4,
    .parse = even_parse,
};

static void a_kind_of_another_author_is_checked_by_the_type_of_its_values(void **state)
{
    static const Property table = { .name = "table", .info = &table_info };
    static const Property ratio = { .name = "ratio", .info = &ratio_info, .set = table_set };
    static const Property tuple = { .name = "tuple", .info = &tuple_info };
    Gadget *gadget = gadget_new(TYPE_GADGET);

    (void)state;
    assert_true(object_property_add(OBJECT(gadget), &table, NULL));
    assert_true(object_property_add(OBJECT(gadget), &ratio, NULL));
    assert_true(object_property_add(OBJECT(gadget), &tuple, NULL));
    assert_true(object_property_set(OBJECT(gadget), "table",
                                    g_variant_new_parsed("{'x': <1>, 'y': <2>}"), NULL));
    assert_int_equal(gadget->accessed, 2);
    assert_prints(gadget, "table", "{\"a\": 1}");
    assert_set_fails(gadget, "table", g_variant_new_parsed("[<1>]"), QOM_ERROR_VALUE,
                     "property 'table' of 'test-gadget': expected an object, got a list");
    assert_set_fails(gadget, "ratio", g_variant_new_parsed("{'x': <1>}"), QOM_ERROR_VALUE,
                     "property 'ratio' of 'test-gadget': expected a number, got an object");
    assert_set_fails(gadget, "tuple", g_variant_new_parsed("(1, 2)"), QOM_ERROR_VALUE,
                     "property 'tuple' of 'test-gadget': expected a value of type '(ss)', got a "
                     "value of type '(ii)'");
    assert_parse_fails(gadget, "table", "x", QOM_ERROR_VALUE,
                       "property 'table' of 'test-gadget': a value of type 'table' cannot be given "
                       "as text");
    object_unref(gadget);
}

static void a_kind_may_read_text_its_own_way(void **state)
{
    static const Property even = {
        .name = "even",
        .info = &even_info,
        .offset = offsetof(Gadget, more_value),
    };
    static const Property lone = { .name = "lone", .info = &lone_info };
    Gadget *gadget = gadget_new(TYPE_GADGET);
    GError *err = NULL;

    (void)state;
    assert_true(object_property_add(OBJECT(gadget), &even, NULL));
    assert_true(object_property_add(OBJECT(gadget), &lone, NULL));
    assert_parses_as(gadget, "even", "0x10", "16");
    assert_int_equal(gadget->more_value, 16);
    assert_parse_fails(gadget, "even", "3", QOM_ERROR_VALUE,
                       "property 'even' of 'test-gadget': 'even' is odd");
    /* Neither a field that is known nor functions: it has a name, and that is all. */
    assert_null(object_property_get(OBJECT(gadget), "lone", &err));
    assert_error(err, QOM_ERROR_VALUE,
                 "property 'lone' of 'test-gadget': a field of kind 'lone' cannot be read");
    object_unref(gadget);
}

static void only_plain_kinds_can_be_listed(void **state)
{
    static const Property macs = {
        .name = "macs",
        .info = &prop_info_list,
        .element = &prop_info_macaddr,
        .offset = offsetof(Gadget, words),
    };
    Gadget *gadget = gadget_new(TYPE_GADGET);
    GError *err = NULL;

    (void)state;
    assert_true(object_property_add(OBJECT(gadget), &macs, NULL));
    assert_false(object_property_parse(OBJECT(gadget), "macs", "", &err));
    assert_error(err, QOM_ERROR_VALUE,
                 "property 'macs' of 'test-gadget': there are no lists of 'macaddr'");
    assert_false(object_property_set(OBJECT(gadget), "macs", g_variant_new_strv(NULL, 0), NULL));
    assert_null(object_property_get(OBJECT(gadget), "macs", NULL));
    object_unref(gadget);
}

/* ---- Who may ---- */

static void a_class_may_forbid_to_set_on_every_way(void **state)
{
    Gadget *gadget = gadget_new(TYPE_GADGET);
    Object *obj = OBJECT(gadget);
    GError *err = NULL;

    (void)state;
    gadget->locked = true;
    assert_parse_fails(gadget, "iobase", "1", QOM_ERROR_STATE, "'iobase' is fixed now");
    assert_set_fails(gadget, "iobase", g_variant_new_int64(1), QOM_ERROR_STATE,
                     "'iobase' is fixed now");
    assert_false(object_property_set_uint(obj, "iobase", 1, &err));
    assert_error(err, QOM_ERROR_STATE, "'iobase' is fixed now");
    assert_false(object_property_set_int(obj, "i8", 1, NULL));
    assert_false(object_property_set_str(obj, "text", "a", NULL));
    assert_false(object_property_set_int(obj, "accessed", 1, NULL));
    assert_true(object_property_set_bool(obj, "flag", false, NULL));
    assert_int_equal(gadget->u16, 0xe9);
    object_unref(gadget);
}

static void read_only_and_write_only_properties_say_so(void **state)
{
    Gadget *gadget = gadget_new(TYPE_GADGET);
    GError *err = NULL;

    (void)state;
    assert_parse_fails(gadget, "constant", "off", QOM_ERROR_STATE,
                       "property 'constant' of 'test-gadget' is read-only");
    assert_parse_fails(gadget, "seen", "1", QOM_ERROR_STATE,
                       "property 'seen' of 'test-gadget' is read-only");
    assert_true(object_property_set_int(OBJECT(gadget), "told", 8, NULL));
    assert_int_equal(object_property_get_int(OBJECT(gadget), "seen", NULL), 8);
    assert_null(object_property_get(OBJECT(gadget), "told", &err));
    assert_error(err, QOM_ERROR_STATE, "property 'told' of 'test-gadget': it can only be written");
    object_unref(gadget);
}

static void an_enum_field_without_a_name_is_an_error_not_a_crash(void **state)
{
    Gadget *gadget = gadget_new(TYPE_GADGET);
    GError *err = NULL;

    (void)state;
    gadget->mode = 77;
    assert_null(object_property_print(OBJECT(gadget), "mode", &err));
    assert_error(err, QOM_ERROR_VALUE,
                 "property 'mode' of 'test-gadget': it holds 77, which has no name");
    gadget->mode = -1;
    assert_null(object_property_get(OBJECT(gadget), "mode", NULL));
    object_unref(gadget);
}

/* ---- Instances ---- */

static void an_alias_shows_the_property_of_another_object(void **state)
{
    Gadget *outer = gadget_new(TYPE_GADGET), *inner = gadget_new(TYPE_GADGET);
    Object *obj = OBJECT(outer);
    GError *err = NULL;

    (void)state;
    assert_true(object_property_add_alias(obj, "port", OBJECT(inner), "iobase", NULL));
    assert_true(object_property_parse(obj, "port", "0x3f8", NULL));
    assert_int_equal(inner->u16, 0x3f8);
    assert_int_equal(object_property_get_uint(obj, "port", NULL), 0x3f8);
    assert_prints(outer, "port", "1016");
    assert_true(object_property_set_uint(obj, "port", 5, NULL));
    assert_int_equal(inner->u16, 5);
    assert_true(object_property_exists(obj, "port"));
    inner->locked = true;
    assert_parse_fails(outer, "port", "6", QOM_ERROR_STATE, "'iobase' is fixed now");
    assert_false(object_property_add_alias(obj, "q", OBJECT(inner), "iobse", &err));
    assert_error(err, QOM_ERROR_NOT_FOUND,
                 "alias 'q': Property 'test-gadget.iobse' not found (did you mean 'iobase'?)");
    err = NULL;
    assert_false(object_property_add_alias(obj, "port", OBJECT(inner), "u8", &err));
    assert_true(g_error_matches(err, QOM_ERROR, QOM_ERROR_EXISTS));
    g_clear_error(&err);
    assert_false(object_property_add_alias(obj, "u8", OBJECT(inner), "u8", &err));
    assert_true(g_error_matches(err, QOM_ERROR, QOM_ERROR_EXISTS));
    g_clear_error(&err);
    object_unref(outer);
    object_unref(inner);
}

static void aliases_cannot_be_made_to_lead_in_a_circle(void **state)
{
    Gadget *a = gadget_new(TYPE_GADGET), *b = gadget_new(TYPE_GADGET);
    GError *err = NULL;

    (void)state;
    assert_true(object_property_add_alias(OBJECT(a), "x", OBJECT(b), "mode", NULL));
    assert_true(object_property_add_alias(OBJECT(b), "y", OBJECT(a), "x", NULL));
    assert_prints(b, "y", "medium");
    assert_true(object_property_del(OBJECT(a), "x", NULL));
    assert_false(object_property_add_alias(OBJECT(a), "x", OBJECT(b), "y", &err));
    assert_true(g_error_matches(err, QOM_ERROR, QOM_ERROR_NOT_FOUND));
    g_clear_error(&err);
    assert_false(object_property_parse(OBJECT(b), "y", "fast", &err));
    assert_true(g_error_matches(err, QOM_ERROR, QOM_ERROR_NOT_FOUND));
    g_clear_error(&err);
    /* What comes in its place is found again. */
    assert_true(object_property_add_alias(OBJECT(a), "x", OBJECT(a), "mode", NULL));
    assert_true(object_property_parse(OBJECT(b), "y", "fast", NULL));
    assert_int_equal(a->mode, 2);
    object_unref(a);
    object_unref(b);
}

static void properties_of_an_instance_come_and_go(void **state)
{
    Gadget *gadget = gadget_new(TYPE_GADGET);
    Object *obj = OBJECT(gadget);
    Property prop = DEFINE_PROP_UINT32("lane[*]", Gadget, more_value, 0, PROP_RANGE_U(0, 4));
    GError *err = NULL;

    (void)state;
    assert_true(object_property_add(obj, &prop, NULL));
    assert_true(object_property_add(obj, &prop, NULL));
    assert_true(object_property_exists(obj, "lane[0]"));
    assert_true(object_property_exists(obj, "lane[1]"));
    assert_true(object_property_parse(obj, "lane[1]", "4", NULL));
    assert_int_equal(gadget->more_value, 4);
    assert_parse_fails(gadget, "lane[1]", "5", QOM_ERROR_VALUE,
                       "property 'lane[1]' of 'test-gadget': '5' is out of range, accepted are 0 "
                       "to 4");
    assert_true(object_property_del(obj, "lane[0]", NULL));
    assert_false(object_property_exists(obj, "lane[0]"));
    assert_false(object_property_del(obj, "lane[0]", &err));
    assert_true(g_error_matches(err, QOM_ERROR, QOM_ERROR_NOT_FOUND));
    g_clear_error(&err);
    assert_false(object_property_del(obj, "iobase", &err));
    assert_error(err, QOM_ERROR_STATE,
                 "property 'iobase' belongs to the type 'test-gadget' and cannot be deleted");
    object_unref(gadget);
}

static void a_child_is_listed_but_can_be_neither_set_nor_deleted(void **state)
{
    Gadget *gadget = gadget_new(TYPE_GADGET);
    Object *root = object_get_root(), *child = object_new(TYPE_PLAIN);
    g_autoptr(GVariant) value = NULL;
    GError *err = NULL;

    (void)state;
    assert_true(object_property_add_child(root, "g", OBJECT(gadget), NULL));
    assert_true(object_property_add_child(OBJECT(gadget), "part", child, NULL));
    object_unref(child);
    value = object_property_get(OBJECT(gadget), "part", NULL);
    assert_string_equal(g_variant_get_string(value, NULL), "/g/part");
    assert_prints(gadget, "part", "/g/part");
    assert_ptr_equal(object_property_get_link(OBJECT(gadget), "part", NULL), child);
    assert_parse_fails(gadget, "part", "/", QOM_ERROR_STATE,
                       "'part' of 'test-gadget' is a child object and cannot be set");
    assert_false(object_property_del(OBJECT(gadget), "part", &err));
    assert_error(err, QOM_ERROR_STATE,
                 "'part' of 'test-gadget' is a child object and is removed by unparenting it");
    object_unref(gadget);
    object_root_cleanup();
}

static void an_iteration_shows_the_class_first_and_the_instance_in_order(void **state)
{
    Gadget *gadget = gadget_new(TYPE_SMALL_GADGET);
    Object *obj = OBJECT(gadget), *child = object_new(TYPE_PLAIN);
    ObjectPropertyIterator iter;
    ObjectPropertyView view;

    (void)state;
    assert_true(object_property_add_child(obj, "part", child, NULL));
    object_unref(child);
    assert_true(object_property_add_alias(obj, "port", obj, "iobase", NULL));
    object_property_iter_init(&iter, obj);
    assert_true(object_property_iter_next(&iter, &view));
    assert_string_equal(view.name, "type");
    for (size_t i = 0; i < G_N_ELEMENTS(gadget_properties); i++) {
        assert_true(object_property_iter_next(&iter, &view));
        assert_string_equal(view.name, gadget_properties[i].name);
        assert_false(view.instance);
        assert_non_null(view.prop);
    }
    assert_false(view.child);
    assert_true(object_property_iter_next(&iter, &view));
    assert_string_equal(view.name, "extra");
    assert_true(view.settable);
    assert_true(object_property_iter_next(&iter, &view));
    assert_string_equal(view.name, "part");
    assert_string_equal(view.type, "child<" TYPE_PLAIN ">");
    assert_ptr_equal(view.child, child);
    assert_true(view.instance);
    assert_false(view.settable);
    assert_true(object_property_iter_next(&iter, &view));
    assert_string_equal(view.name, "port");
    assert_string_equal(view.type, "alias<uint16>");
    assert_string_equal(view.description, "first port of the small one");
    assert_null(view.prop);
    assert_true(view.settable);
    /* The one shown may go. */
    assert_true(object_property_del(obj, "port", NULL));
    assert_false(object_property_iter_next(&iter, &view));
    object_unref(gadget);
}

/* ---- All types of the program ---- */

static void check_property(const ObjectClass *klass, const Property *prop)
{
    const char *type = object_class_get_name(klass);
    g_autofree char *text = object_property_default_text(prop);
    g_autoptr(GVariant) value = object_property_default(prop), checked = NULL;
    GError *err = NULL;

    if (!prop->name || !*prop->name || !prop->info || strpbrk(prop->name, "/=, ")) {
        fail_msg("type '%s': '%s' is no name for a property", type, prop->name);
    }
    if (prop->help && (!*prop->help || g_str_has_suffix(prop->help, "."))) {
        fail_msg("%s.%s: help is one sentence without a full stop", type, prop->name);
    }
    if (prop->info->kind == PROP_KIND_ENUM && !prop->enum_table) {
        fail_msg("%s.%s: an enum without names", type, prop->name);
    }
    if (prop->set_default && prop->info->kind == PROP_KIND_ENUM && !value) {
        fail_msg("%s.%s: the default has no name", type, prop->name);
    }
    if (!value) {
        return;
    }
    checked = property_check(prop, value, &err);
    if (!checked) {
        fail_msg("%s.%s: the default: %s", type, prop->name, err->message);
    }
    assert_non_null(text);
}

static void check_class(ObjectClass *klass, void *opaque)
{
    (void)opaque;
    for (guint i = 0; i < klass->property_list->len; i++) {
        check_property(klass, klass->property_list->pdata[i]);
    }
}

static void every_property_of_every_type_is_in_order(void **state)
{
    (void)state;
    module_call_init(MODULE_INIT_QOM, NULL);
    object_class_foreach(check_class, NULL, true, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_object_has_the_defaults_of_its_class),
        cmocka_unit_test(a_class_that_adds_nothing_shares_the_table_of_its_parent),
        cmocka_unit_test(a_child_class_replaces_a_property_in_its_place),
        cmocka_unit_test(names_of_every_length_are_found_and_no_other),
        cmocka_unit_test(a_listing_tells_types_defaults_and_help_without_an_object),
        cmocka_unit_test(each_kind_reads_its_text_and_prints_it_back),
        cmocka_unit_test(a_bad_value_is_refused_with_what_is_accepted),
        cmocka_unit_test(an_unknown_name_is_refused_with_the_nearest),
        cmocka_unit_test(a_list_is_read_from_text_and_printed_back),
        cmocka_unit_test(an_integer_of_any_width_is_taken_when_it_fits),
        cmocka_unit_test(a_value_of_another_kind_is_refused_not_converted),
        cmocka_unit_test(a_list_is_set_from_an_array_of_values),
        cmocka_unit_test(a_value_read_can_be_set_again),
        cmocka_unit_test(whatever_a_property_prints_it_parses),
        cmocka_unit_test(typed_accessors_read_and_write_every_width),
        cmocka_unit_test(a_string_is_copied_and_may_be_unset),
        cmocka_unit_test(typed_accessors_fail_as_the_others_do),
        cmocka_unit_test(numbers_are_set_and_read_by_several_threads_at_once),
        cmocka_unit_test(a_kind_of_another_author_is_checked_by_the_type_of_its_values),
        cmocka_unit_test(a_kind_may_read_text_its_own_way),
        cmocka_unit_test(only_plain_kinds_can_be_listed),
        cmocka_unit_test(a_class_may_forbid_to_set_on_every_way),
        cmocka_unit_test(read_only_and_write_only_properties_say_so),
        cmocka_unit_test(an_enum_field_without_a_name_is_an_error_not_a_crash),
        cmocka_unit_test(an_alias_shows_the_property_of_another_object),
        cmocka_unit_test(aliases_cannot_be_made_to_lead_in_a_circle),
        cmocka_unit_test(properties_of_an_instance_come_and_go),
        cmocka_unit_test(a_child_is_listed_but_can_be_neither_set_nor_deleted),
        cmocka_unit_test(an_iteration_shows_the_class_first_and_the_instance_in_order),
        cmocka_unit_test(every_property_of_every_type_is_in_order),
    };

    type_register_static_array(types, G_N_ELEMENTS(types), NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
