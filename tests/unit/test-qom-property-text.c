/* SPDX-License-Identifier: MIT */
/* Every kind of property set and read as text and as a value, and what an error says. */
#include "tests/unit/gadget-fixture.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_reads_its_text_and_prints_it_back),
        cmocka_unit_test(a_bad_value_is_refused_with_what_is_accepted),
        cmocka_unit_test(an_unknown_name_is_refused_with_the_nearest),
        cmocka_unit_test(a_list_is_read_from_text_and_printed_back),
        cmocka_unit_test(an_integer_of_any_width_is_taken_when_it_fits),
        cmocka_unit_test(a_value_of_another_kind_is_refused_not_converted),
        cmocka_unit_test(a_list_is_set_from_an_array_of_values),
        cmocka_unit_test(a_value_read_can_be_set_again),
        cmocka_unit_test(whatever_a_property_prints_it_parses),
    };

    type_register_static_array(types, G_N_ELEMENTS(types), NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
