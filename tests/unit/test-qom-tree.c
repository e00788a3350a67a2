/* SPDX-License-Identifier: MIT */
/*
 * The composition tree: names, paths, iteration, and what becomes of children.
 */
#include "tests/test.h"
#include <string.h>
#include <qomet/qom/module.h>

typedef struct Node {
    Object parent_obj;
    Object *link;
    uint32_t number;
} Node;

static unsigned alive;

static Object **linker_slot(Object *obj)
{
    return &((Node *)obj)->link;
}

static const Property with_properties[] = { DEFINE_PROP_UINT32("x[1]", Node, number, 0) };

static void with_property_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    object_class_add_properties(klass, with_properties, G_N_ELEMENTS(with_properties));
}

static void node_init(Object *obj)
{
    (void)obj;
    alive++;
}

static void node_finalize(Object *obj)
{
    (void)obj;
    alive--;
}

static void greedy_unparent(Object *obj)
{
    Object *other = object_resolve_path_component(obj->parent, "victim");

    if (other) {
        object_unparent(other);
    }
}

static void greedy_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    klass->unparent = greedy_unparent;
}

static const TypeInfo types[] = {
    {
        .name = "node",
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Node),
        .instance_init = node_init,
        .instance_finalize = node_finalize,
    },
    { .name = "leaf-node", .parent = "node" },
    { .name = "with-property", .parent = "node", .class_init = with_property_class_init },
    { .name = "greedy", .parent = "node", .class_init = greedy_class_init },
};

static int setup(void **state)
{
    (void)state;
    return type_register_static_array(types, G_N_ELEMENTS(types), NULL) ? 0 : 1;
}

static int each_setup(void **state)
{
    (void)state;
    object_get_root();
    return 0;
}

static int each_teardown(void **state)
{
    (void)state;
    object_root_cleanup();
    assert_int_equal(alive, 0);
    return 0;
}

/* A new child of @parent, which holds the only reference. */
static Object *add_typed(Object *parent, const char *name, const char *type)
{
    Object *obj = object_new(type);
    GError *error = NULL;

    assert_true(object_property_add_child(parent, name, obj, &error));
    object_unref(obj);
    return obj;
}

static Object *add(Object *parent, const char *name)
{
    return add_typed(parent, name, "node");
}

static void assert_path(const Object *obj, const char *expected)
{
    g_autofree char *path = object_get_canonical_path(obj);

    assert_non_null(path);
    assert_string_equal(path, expected);
}

#define assert_message(error, text)                                                                \
    do {                                                                                           \
        assert_non_null(error);                                                                    \
        assert_string_equal((error)->message, text);                                               \
        g_clear_error(&(error));                                                                   \
    } while (0)

static void a_path_leads_from_the_root_to_the_object_and_back(void **state)
{
    Object *a = add(object_get_root(), "a"), *b = add(a, "b"), *c = add(b, "c-3.x_[7]");

    (void)state;
    assert_path(object_get_root(), "/");
    assert_path(a, "/a");
    assert_path(c, "/a/b/c-3.x_[7]");
    assert_ptr_equal(object_resolve_path("/a/b/c-3.x_[7]", NULL), c);
    assert_ptr_equal(object_resolve_path("/", NULL), object_get_root());
    assert_ptr_equal(object_resolve_path("//a///b/", NULL), b);
    assert_null(object_resolve_path("/a/c", NULL));
    assert_string_equal(object_get_canonical_path_component(c), "c-3.x_[7]");
    assert_ptr_equal(object_get_parent(c), b);
    assert_null(object_get_canonical_path_component(object_get_root()));
}

static void an_object_outside_the_tree_has_no_path(void **state)
{
    Object *obj = object_new("node"), *child = add(obj, "child");

    (void)state;
    assert_null(object_get_canonical_path(obj));
    assert_null(object_get_canonical_path(child));
    object_unref(obj);
}

static void names_are_checked(void **state)
{
    Object *root = object_get_root(), *obj = object_new("node");
    GError *error = NULL;

    (void)state;
    add(root, "taken");
    assert_false(object_property_add_child(root, "", obj, &error));
    assert_message(error, "'' is no name for a property of container '/': it is empty");
    assert_false(object_property_add_child(root, NULL, obj, &error));
    assert_message(error, "'' is no name for a property of container '/': it is empty");
    assert_false(object_property_add_child(root, "a/b", obj, &error));
    assert_message(error, "'a/b' is no name for a property of container '/': it holds '/', which "
                          "separates the parts of a path");
    assert_false(object_property_add_child(root, "a/b[*]", obj, &error));
    g_clear_error(&error);
    assert_false(object_property_add_child(root, "taken", obj, &error));
    assert_message(error, "container '/' has a property 'taken' already: child<node>");
    assert_int_equal(obj->ref, 1);
    assert_null(obj->parent);
    object_unref(obj);
}

static void a_child_has_one_parent_and_is_not_above_it(void **state)
{
    Object *root = object_get_root(), *a = add(root, "a"), *loose = object_new("node");
    Object *below = add(loose, "below");
    GError *error = NULL;

    (void)state;
    assert_false(object_property_add_child(root, "again", a, &error));
    assert_message(error, "node '/a' has a parent already: it cannot become 'again'");
    assert_false(object_property_add_child(below, "up", loose, &error));
    assert_message(error, "node cannot become a child of what is below it");
    assert_false(object_property_add_child(loose, "self", loose, &error));
    assert_message(error, "node cannot become a child of what is below it");
    object_unref(loose);
}

static void unparenting_ends_a_child_that_nobody_else_holds(void **state)
{
    Object *a = add(object_get_root(), "a"), *b = add(a, "b"), *held = add(b, "held");

    (void)state;
    object_ref(held);
    assert_int_equal(alive, 3);
    object_unparent(a);
    assert_int_equal(alive, 1);
    assert_null(object_get_parent(held));
    assert_null(object_get_canonical_path_component(held));
    assert_null(object_resolve_path("/a", NULL));
    object_unparent(held);
    assert_int_equal(alive, 1);
    /* It may be put in again. */
    assert_true(object_property_add_child(object_get_root(), "b", held, NULL));
    assert_path(held, "/b");
    object_unref(held);
}

static void array_names_take_the_lowest_free_index(void **state)
{
    Object *root = object_get_root(), *x[6];

    (void)state;
    add(root, "x[1]");
    for (int i = 0; i < 4; i++) {
        x[i] = add(root, "x[*]");
    }
    assert_path(x[0], "/x[0]");
    assert_path(x[1], "/x[2]");
    assert_path(x[3], "/x[4]");
    assert_path(add(root, "y[*]"), "/y[0]");
    object_unparent(x[2]);
    object_unparent(x[0]);
    assert_path(add(root, "x[*]"), "/x[0]");
    assert_path(add(root, "x[*]"), "/x[3]");
    assert_path(add(root, "x[*]"), "/x[5]");
    object_unparent(object_resolve_path("/x[1]", NULL));
    assert_path(add(root, "x[*]"), "/x[1]");
    /* Names that only look alike change nothing. */
    object_unparent(add(root, "x[6"));
    object_unparent(add(root, "x[]"));
    object_unparent(add(root, "x[9999999999999999999999]"));
    object_unparent(add(root, "x[0]b"));
    assert_path(add(root, "x[*]"), "/x[6]");
}

static void thousands_of_array_names_are_given_out_in_order(void **state)
{
    Object *root = object_get_root();

    (void)state;
    for (int i = 0; i < 4000; i++) {
        g_autofree char *path = g_strdup_printf("/x[%d]", i);

        assert_path(add(root, "x[*]"), path);
    }
    object_unparent(object_resolve_path("/x[77]", NULL));
    object_unparent(object_resolve_path("/x[3999]", NULL));
    assert_path(add(root, "x[*]"), "/x[77]");
    assert_path(add(root, "x[*]"), "/x[3999]");
    assert_path(add(root, "x[*]"), "/x[4000]");
}

static int note(Object *child, void *opaque)
{
    g_string_append_printf(opaque, "%s ", child->name);
    return 0;
}

static int note_until_c(Object *child, void *opaque)
{
    note(child, opaque);
    return strcmp(child->name, "c") == 0 ? 42 : 0;
}

static int note_and_unparent(Object *child, void *opaque)
{
    note(child, opaque);
    object_unparent(child);
    return 0;
}

static void children_are_visited_in_order_of_addition(void **state)
{
    Object *root = object_get_root();
    g_autoptr(GString) seen = g_string_new(NULL);

    (void)state;
    add(add(root, "b"), "b1");
    add(add(add(root, "c"), "c1"), "c11");
    add(root, "a");
    assert_int_equal(object_child_foreach(root, note, seen), 0);
    assert_string_equal(seen->str, "b c a ");
    g_string_truncate(seen, 0);
    assert_int_equal(object_child_foreach_recursive(root, note, seen), 0);
    assert_string_equal(seen->str, "b b1 c c1 c11 a ");
    g_string_truncate(seen, 0);
    assert_int_equal(object_child_foreach_recursive(root, note_until_c, seen), 42);
    assert_string_equal(seen->str, "b b1 c ");
    g_string_truncate(seen, 0);
    assert_int_equal(object_child_foreach(object_resolve_path("/c", NULL), note_and_unparent, seen),
                     0);
    assert_string_equal(seen->str, "c1 ");
    g_string_truncate(seen, 0);
    assert_int_equal(object_child_foreach_recursive(root, note_and_unparent, seen), 0);
    assert_string_equal(seen->str, "b c a ");
    assert_int_equal(alive, 0);
}

static void unparenting_may_take_siblings_with_it(void **state)
{
    Object *a = add(object_get_root(), "a"), *b = add(object_get_root(), "b");

    (void)state;
    add(a, "victim");
    add_typed(a, "greedy", "greedy");
    object_unparent(a);
    assert_int_equal(alive, 1);
    add_typed(b, "greedy", "greedy");
    add(b, "victim");
    object_unparent(b);
    assert_int_equal(alive, 0);
}

static void a_partial_path_matches_the_end_of_one(void **state)
{
    Object *root = object_get_root(), *a = add(root, "a"), *b = add(a, "b"), *c = add(b, "c");
    Object *other = add_typed(add(root, "z"), "c", "leaf-node");
    bool ambiguous = true;
    GError *error = NULL;

    (void)state;
    assert_ptr_equal(object_resolve_path("b", &ambiguous), b);
    assert_false(ambiguous);
    assert_ptr_equal(object_resolve_path("b/c", NULL), c);
    assert_ptr_equal(object_resolve_path("a/b/c", NULL), c);
    assert_ptr_equal(object_resolve_path("z/c", NULL), other);
    assert_null(object_resolve_path("c", &ambiguous));
    assert_true(ambiguous);
    assert_null(object_resolve_path("a/c", &ambiguous));
    assert_false(ambiguous);
    assert_null(object_resolve_path("", &ambiguous));
    assert_false(ambiguous);
    assert_ptr_equal(object_resolve_path_type("c", "leaf-node", &ambiguous), other);
    assert_false(ambiguous);
    assert_null(object_resolve_path_type("c", "node", &ambiguous));
    assert_true(ambiguous);
    /* A type alone is enough where there is one of it. */
    assert_ptr_equal(object_resolve_path_type("", "leaf-node", &ambiguous), other);
    assert_false(ambiguous);
    assert_null(object_resolve_path_type("", "node", &ambiguous));
    assert_true(ambiguous);
    assert_null(object_resolve_path_err("c", NULL, &error));
    assert_message(error, "Path 'c' is ambiguous: it may be '/a/b/c' or '/z/c', for example");
    assert_ptr_equal(object_resolve_path_err("b/c", NULL, &error), c);
    assert_null(error);
}

static void a_path_goes_through_links_and_aliases(void **state)
{
    Object *root = object_get_root(), *a = add(root, "a"), *b = add(a, "b"), *c = add(b, "c");
    Object *target = NULL, *linker = add(root, "linker");
    bool ambiguous = true;
    GError *error = NULL;

    (void)state;
    assert_true(object_property_add_link(linker, "to", "node", linker_slot(linker), NULL,
                                         OBJ_PROP_LINK_STRONG, &error));
    assert_true(object_property_add_alias(root, "short", a, "b", &error));
    assert_true(object_property_add_alias(root, "via", linker, "to", &error));
    assert_null(object_resolve_path("/linker/to", NULL));
    assert_null(object_resolve_path("/linker/to/c", NULL));
    assert_true(object_property_set_link(linker, "to", b, &error));
    target = object_resolve_path("/linker/to", NULL);
    assert_ptr_equal(target, b);
    assert_ptr_equal(object_resolve_path("/linker/to/c", NULL), c);
    assert_ptr_equal(object_resolve_path("/short/c", NULL), c);
    assert_ptr_equal(object_resolve_path("/via/c", NULL), c);
    /* Found in two ways, it is still one object. */
    assert_ptr_equal(object_resolve_path("c", &ambiguous), c);
    assert_false(ambiguous);
    assert_ptr_equal(object_resolve_path("to/c", &ambiguous), c);
    assert_false(ambiguous);
    /* The path of the object is where it stands, not how it was found. */
    assert_path(target, "/a/b");
}

static void a_name_that_a_property_has_is_taken(void **state)
{
    Object *root = object_get_root(), *a = add(root, "a"), *obj = object_new("node");
    GError *error = NULL;

    (void)state;
    assert_true(object_property_add_alias(root, "alias", root, "a", NULL));
    assert_false(object_property_add_child(root, "alias", obj, &error));
    assert_message(error, "container '/' has a property 'alias' already: alias<node>");
    object_unref(obj);
    obj = object_new("with-property");
    assert_false(object_property_add_child(obj, "x[1]", a, &error));
    g_clear_error(&error);
    add(obj, "x[*]");
    assert_string_equal(object_get_canonical_path_component(add(obj, "x[*]")), "x[2]");
    object_unref(obj);
}

static void a_path_that_leads_nowhere_is_said_where(void **state)
{
    Object *a = add(object_get_root(), "a");
    GError *error = NULL;

    (void)state;
    add(a, "b");
    assert_null(object_resolve_path_err("/a/b/c/d", NULL, &error));
    assert_message(error, "there is no object '/a/b/c/d': '/a/b' has no 'c'");
    assert_null(object_resolve_path_err("/x", NULL, &error));
    assert_message(error, "there is no object '/x': '/' has no 'x'");
    assert_null(object_resolve_path_err("/a/b", "leaf-node", &error));
    assert_message(error, "'/a/b' is an object of type 'node', not of 'leaf-node'");
    assert_null(object_resolve_path_err("q", NULL, &error));
    assert_message(error, "no object has a path that ends in 'q'");
    assert_null(object_resolve_path_err("a", "leaf-node", &error));
    assert_message(error, "no object of type 'leaf-node' has a path that ends in 'a'");
    assert_null(object_resolve_path_err("", NULL, &error));
    assert_message(error, "no object has a path that ends in ''");
}

static void containers_are_made_where_they_are_missing(void **state)
{
    Object *root = object_get_root(), *c = container_get(root, "/machine/peripheral");

    (void)state;
    assert_path(c, "/machine/peripheral");
    assert_string_equal(object_get_typename(c), TYPE_CONTAINER);
    assert_ptr_equal(container_get(root, "/machine/peripheral"), c);
    assert_ptr_equal(container_get(root, "/"), root);
    assert_path(object_get_objects_root(), "/objects");
    assert_ptr_equal(object_get_objects_root(), object_get_objects_root());
}

static void cleaning_up_ends_everything_below_the_root(void **state)
{
    Object *held = add(add(object_get_root(), "a"), "b");

    (void)state;
    object_ref(held);
    object_root_cleanup();
    assert_int_equal(alive, 1);
    assert_null(object_get_canonical_path(held));
    object_unref(held);
    object_root_cleanup();
    assert_null(object_resolve_path("/a", NULL));
}

#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, each_setup, each_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TREE_TEST(a_path_leads_from_the_root_to_the_object_and_back),
        TREE_TEST(an_object_outside_the_tree_has_no_path),
        TREE_TEST(names_are_checked),
        TREE_TEST(a_child_has_one_parent_and_is_not_above_it),
        TREE_TEST(unparenting_ends_a_child_that_nobody_else_holds),
        TREE_TEST(array_names_take_the_lowest_free_index),
        TREE_TEST(thousands_of_array_names_are_given_out_in_order),
        TREE_TEST(children_are_visited_in_order_of_addition),
        TREE_TEST(unparenting_may_take_siblings_with_it),
        TREE_TEST(a_partial_path_matches_the_end_of_one),
        TREE_TEST(a_path_goes_through_links_and_aliases),
        TREE_TEST(a_name_that_a_property_has_is_taken),
        TREE_TEST(a_path_that_leads_nowhere_is_said_where),
        TREE_TEST(containers_are_made_where_they_are_missing),
        TREE_TEST(cleaning_up_ends_everything_below_the_root),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
