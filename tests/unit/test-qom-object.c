/* SPDX-License-Identifier: MIT */
/*
 * Objects: the order in which they begin and end, references, and memory that the caller provides.
 */
#include "tests/test.h"
#include <string.h>
#include <qomet/qom/module.h>

typedef struct Base {
    Object parent_obj;
    uint32_t field;
} Base;

typedef struct Part {
    Object parent_obj;
    char name;
} Part;

typedef struct Whole {
    Base parent_obj;
    Part a, b;
} Whole;

static GString *trace;
static bool refs_in_finalize;

static const char *reset_trace(void)
{
    g_string_truncate(trace, 0);
    return trace->str;
}

#define TRACES(function, text)                                                                     \
    static void function(Object *obj)                                                              \
    {                                                                                              \
        (void)obj;                                                                                 \
        g_string_append(trace, text);                                                              \
    }
TRACES(base_post_init, "base-post ")
TRACES(leaf_init, "leaf-init ")
TRACES(leaf_post_init, "leaf-post ")
TRACES(leaf_finalize, "leaf-end ")

static void base_init(Object *obj)
{
    /* Fresh memory is zero. */
    assert_int_equal(((Base *)obj)->field, 0);
    ((Base *)obj)->field = 7;
    g_string_append(trace, "base-init ");
}

static void base_finalize(Object *obj)
{
    g_string_append(trace, "base-end ");
    if (refs_in_finalize) {
        object_unref(object_ref(obj));
    }
}

static void part_finalize(Object *obj)
{
    char name = ((Part *)obj)->name;

    g_string_append_printf(trace, "part-%c-end ", name ? name : '?');
}

static void part_unparent(Object *obj)
{
    g_autofree char *path = object_get_canonical_path(obj);

    g_string_append_printf(trace, "part-%c-unparent(%s) ", ((Part *)obj)->name, path ? path : "");
}

static void part_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    klass->unparent = part_unparent;
}

static void whole_init(Object *obj)
{
    Whole *whole = (Whole *)obj;

    object_initialize_child(obj, "a", &whole->a, "part");
    object_initialize_child(obj, "b", &whole->b, "part");
    whole->a.name = 'a';
    whole->b.name = 'b';
}

static const TypeInfo types[] = {
    {
        .name = "base",
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Base),
        .instance_init = base_init,
        .instance_post_init = base_post_init,
        .instance_finalize = base_finalize,
    },
    { .name = "middle", .parent = "base" },
    {
        .name = "leaf",
        .parent = "middle",
        .instance_init = leaf_init,
        .instance_post_init = leaf_post_init,
        .instance_finalize = leaf_finalize,
    },
    {
        .name = "part",
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Part),
        .instance_finalize = part_finalize,
        .class_init = part_class_init,
    },
    {
        .name = "whole",
        .parent = "base",
        .instance_size = sizeof(Whole),
        .instance_init = whole_init,
    },
    {
        .name = "aligned",
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Object) + 3,
        .instance_align = 256,
    },
    { .name = "aligned-child", .parent = "aligned", .instance_align = 8 },
    { .name = "large", .parent = TYPE_OBJECT, .instance_size = 100000 },
};

static int setup(void **state)
{
    (void)state;
    trace = g_string_new(NULL);
    return type_register_static_array(types, G_N_ELEMENTS(types), NULL) ? 0 : 1;
}

static int teardown(void **state)
{
    (void)state;
    g_string_free(trace, TRUE);
    object_root_cleanup();
    return 0;
}

static void an_object_begins_parent_first_and_ends_leaf_first(void **state)
{
    Object *obj;

    (void)state;
    reset_trace();
    obj = object_new("leaf");
    assert_string_equal(trace->str, "base-init leaf-init base-post leaf-post ");
    assert_int_equal(((Base *)obj)->field, 7);
    reset_trace();
    object_unref(obj);
    assert_string_equal(trace->str, "leaf-end base-end ");
}

static void only_the_last_reference_ends_an_object(void **state)
{
    Object *obj = object_new("leaf");

    (void)state;
    reset_trace();
    assert_ptr_equal(object_ref(obj), obj);
    object_ref(obj);
    object_unref(obj);
    object_unref(obj);
    assert_string_equal(trace->str, "");
    object_unref(obj);
    assert_string_equal(trace->str, "leaf-end base-end ");
    object_unref(NULL);
    assert_null(object_ref(NULL));
}

static void a_finalizer_may_take_and_give_back_a_reference(void **state)
{
    (void)state;
    reset_trace();
    refs_in_finalize = true;
    object_unref(object_new("base"));
    refs_in_finalize = false;
    assert_string_equal(trace->str, "base-init base-post base-end ");
}

static void memory_is_zero_and_aligned_as_the_type_says(void **state)
{
    Object *aligned = object_new("aligned"), *child = object_new("aligned-child");
    Object *large = object_new("large");

    (void)state;
    assert_int_equal((uintptr_t)aligned % 256, 0);
    assert_int_equal((uintptr_t)child % 256, 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(((char *)aligned)[sizeof(Object) + i], 0);
    }
    for (size_t i = sizeof(Object); i < 100000; i++) {
        assert_int_equal(((char *)large)[i], 0);
    }
    object_unref(aligned);
    object_unref(child);
    object_unref(large);
}

static void an_unknown_type_makes_no_object(void **state)
{
    GError *error = NULL;

    (void)state;
    assert_null(object_new("laef"));
    assert_null(object_new_err("laef", &error));
    assert_string_equal(error->message, "'laef' is not the name of a type (did you mean 'leaf'?)");
    g_clear_error(&error);
    assert_null(object_new(TYPE_OBJECT));
}

static void an_object_may_live_in_memory_of_the_caller(void **state)
{
    Base base;
    GError *error = NULL;
    char *memory = g_malloc(1024);
    char *misaligned = memory + (256 - (uintptr_t)memory % 256) + 8;
    g_autofree char *room =
        g_strdup_printf("an object of type 'base' takes %zu bytes, and there is room for %zu",
                        sizeof(Base), sizeof(Base) - 1);

    (void)state;
    memset(&base, 0xff, sizeof(base));
    reset_trace();
    assert_true(object_initialize(&base, sizeof(base), "base", &error));
    assert_int_equal(base.field, 7);
    object_unref(&base);
    assert_string_equal(trace->str, "base-init base-post base-end ");

    reset_trace();
    assert_false(object_initialize(&base, sizeof(base) - 1, "base", &error));
    assert_string_equal(error->message, room);
    g_clear_error(&error);
    assert_false(object_initialize(&base, sizeof(base), TYPE_OBJECT, &error));
    assert_string_equal(error->message,
                        "type 'object' is abstract: only types below it have objects");
    g_clear_error(&error);
    assert_false(object_initialize(misaligned, 512, "aligned", &error));
    assert_non_null(strstr(error->message, "is aligned to 256 bytes"));
    g_clear_error(&error);
    assert_string_equal(trace->str, "");
    g_free(memory);
}

static void embedded_children_end_in_reverse_before_the_finalizers_of_their_parent(void **state)
{
    Object *whole = object_new("whole");

    (void)state;
    assert_ptr_equal(object_resolve_path_component(whole, "a"), &((Whole *)whole)->a);
    reset_trace();
    object_unref(whole);
    assert_string_equal(trace->str, "part-b-unparent() part-b-end part-a-unparent() part-a-end "
                                    "base-end ");
}

static void an_embedded_child_whose_name_is_taken_ends_at_once(void **state)
{
    Object *whole = object_new("whole");
    Part part = { 0 };
    GError *error = NULL;

    (void)state;
    reset_trace();
    assert_false(object_initialize_child_err(whole, "a", &part, sizeof(part), "part", &error));
    assert_string_equal(error->message, "whole '' has a property 'a' already: child<part>");
    g_clear_error(&error);
    assert_string_equal(trace->str, "part-?-end ");
    object_unref(whole);
}

static void the_unparent_hook_still_has_its_path(void **state)
{
    Object *whole = object_new("whole");

    (void)state;
    assert_true(object_property_add_child(object_get_root(), "w", whole, NULL));
    object_unref(whole);
    reset_trace();
    object_unparent(OBJECT(&((Whole *)whole)->a));
    assert_string_equal(trace->str, "part-a-unparent(/w/a) part-a-end ");
    reset_trace();
    object_unparent(whole);
    assert_string_equal(trace->str, "part-b-unparent() part-b-end base-end ");
}

static void with_props_the_parent_holds_the_only_reference(void **state)
{
    GError *error = NULL;
    Object *obj, *taken;

    (void)state;
    obj = object_new_with_props("leaf", object_get_root(), "leaf0", &error, NULL);
    assert_non_null(obj);
    assert_int_equal(obj->ref, 1);
    assert_ptr_equal(object_resolve_path("/leaf0", NULL), obj);
    taken = object_new_with_props("leaf", object_get_root(), "leaf0", &error, NULL);
    assert_null(taken);
    assert_string_equal(error->message,
                        "container '/' has a property 'leaf0' already: child<leaf>");
    g_clear_error(&error);
    reset_trace();
    object_unparent(obj);
    assert_string_equal(trace->str, "leaf-end base-end ");

    obj = object_new_with_props("leaf", NULL, NULL, &error, NULL);
    assert_int_equal(obj->ref, 1);
    object_unref(obj);
    assert_null(object_new_with_props("leaf", NULL, NULL, &error, "no-such", "1", NULL));
    assert_non_null(error);
    g_clear_error(&error);
    assert_null(object_new_with_props("no-such-type", NULL, NULL, &error, NULL));
    assert_non_null(error);
    g_clear_error(&error);
}

static void a_hundred_thousand_objects_come_and_go(void **state)
{
    size_t n = 100000;
    g_autofree Object **objs = g_new0(Object *, n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        objs[i] = object_new("middle");
        assert_non_null(objs[i]);
    }
    for (size_t i = 0; i < n; i++) {
        object_unref(objs[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_begins_parent_first_and_ends_leaf_first),
        cmocka_unit_test(only_the_last_reference_ends_an_object),
        cmocka_unit_test(a_finalizer_may_take_and_give_back_a_reference),
        cmocka_unit_test(memory_is_zero_and_aligned_as_the_type_says),
        cmocka_unit_test(an_unknown_type_makes_no_object),
        cmocka_unit_test(an_object_may_live_in_memory_of_the_caller),
        cmocka_unit_test(embedded_children_end_in_reverse_before_the_finalizers_of_their_parent),
        cmocka_unit_test(an_embedded_child_whose_name_is_taken_ends_at_once),
        cmocka_unit_test(the_unparent_hook_still_has_its_path),
        cmocka_unit_test(with_props_the_parent_holds_the_only_reference),
        cmocka_unit_test(a_hundred_thousand_objects_come_and_go),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
