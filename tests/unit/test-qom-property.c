/* SPDX-License-Identifier: MIT */
/*
 * Properties of classes and instances: defaults, inheritance, who may set them, and those that come
 * and go.
 */
#include "tests/unit/gadget-fixture.h"

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
    unsigned *checked = opaque;

    for (guint i = 0; i < klass->property_list->len; i++) {
        check_property(klass, klass->property_list->pdata[i]);
        ++*checked;
    }
}

static void every_property_of_every_type_is_in_order(void **state)
{
    unsigned checked = 0;

    (void)state;
    assert_true(module_call_init(MODULE_INIT_QOM, NULL));
    object_class_foreach(check_class, NULL, true, &checked);
    /* Those of this test alone are fewer. */
    assert_true(checked > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_object_has_the_defaults_of_its_class),
        cmocka_unit_test(a_class_that_adds_nothing_shares_the_table_of_its_parent),
        cmocka_unit_test(a_child_class_replaces_a_property_in_its_place),
        cmocka_unit_test(names_of_every_length_are_found_and_no_other),
        cmocka_unit_test(a_listing_tells_types_defaults_and_help_without_an_object),
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
