/* SPDX-License-Identifier: MIT */
/*
 * Links: set by path or pointer, checked, strong ones that hold, weak ones that let go.
 */
#include "tests/test.h"
#include <pthread.h>
#include <string.h>
#include <qomet/qom/property.h>

#define TYPE_NODE "test-node"
#define TYPE_LEAF "test-leaf"

typedef struct Node {
    Object parent_obj;
    Object *strong;
    Object *weak;
    Object *checked;
    Object *leaf_only;
    Object *slots[2];
} Node;

static unsigned nodes_alive;

static bool refuse_self(Object *obj, const Property *prop, Object *target, GError **errp)
{
    if (target == obj) {
        qom_error_set(errp, QOM_ERROR_VALUE, "%s must not lead back", prop->name);
        return false;
    }
    return true;
}

static const Property node_properties[] = {
    DEFINE_PROP_LINK("strong", Node, strong, TYPE_NODE, Object *),
    DEFINE_PROP_("weak", Node, weak, Object *, prop_info_link, .link_type = TYPE_NODE,
                 .link_flags = OBJ_PROP_LINK_WEAK),
    DEFINE_PROP_LINK("checked", Node, checked, TYPE_NODE, Object *, .link_check = refuse_self),
    DEFINE_PROP_LINK("leaf-only", Node, leaf_only, TYPE_LEAF, Object *),
};

static void node_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    object_class_add_properties(klass, node_properties, G_N_ELEMENTS(node_properties));
}

static void node_init(Object *obj)
{
    (void)obj;
    __atomic_fetch_add(&nodes_alive, 1, __ATOMIC_RELAXED);
}

static void node_finalize(Object *obj)
{
    (void)obj;
    __atomic_fetch_sub(&nodes_alive, 1, __ATOMIC_RELAXED);
}

static void mourner_finalize(Object *obj);

static const TypeInfo types[] = {
    { .name = TYPE_NODE,
      .parent = TYPE_OBJECT,
      .instance_size = sizeof(Node),
      .instance_init = node_init,
      .instance_finalize = node_finalize,
      .class_init = node_class_init },
    { .name = TYPE_LEAF, .parent = TYPE_NODE },
    { .name = "test-mourner", .parent = TYPE_NODE, .instance_finalize = mourner_finalize },
};

static Node *node_new(const char *type)
{
    return (Node *)object_new(type);
}

/* A node that the tree holds. */
static Node *node_at(const char *name, const char *type)
{
    Node *node = node_new(type);

    assert_true(object_property_add_child(object_get_root(), name, OBJECT(node), NULL));
    object_unref(node);
    return node;
}

static void assert_link_fails(Node *node, const char *name, const char *path, const char *message)
{
    GError *err = NULL;

    assert_false(object_property_parse(OBJECT(node), name, path, &err));
    assert_non_null(err);
    assert_string_equal(err->message, message);
    g_error_free(err);
}

static int group_end(void **state)
{
    (void)state;
    object_root_cleanup();
    return nodes_alive;
}

static int teardown(void **state)
{
    (void)state;
    object_root_cleanup();
    return nodes_alive ? -1 : 0;
}

static void a_link_is_set_by_path_and_printed_as_path(void **state)
{
    Node *a = node_at("a", TYPE_NODE), *b = node_at("b", TYPE_NODE);
    g_autofree char *text = NULL, *none = NULL;
    g_autoptr(GVariant) value = NULL;

    (void)state;
    none = object_property_print(OBJECT(a), "strong", NULL);
    assert_string_equal(none, "");
    assert_true(object_property_parse(OBJECT(a), "strong", "/b", NULL));
    assert_ptr_equal(a->strong, b);
    assert_ptr_equal(object_property_get_link(OBJECT(a), "strong", NULL), b);
    text = object_property_print(OBJECT(a), "strong", NULL);
    assert_string_equal(text, "/b");
    value = object_property_get(OBJECT(a), "strong", NULL);
    assert_string_equal(g_variant_get_string(value, NULL), "/b");
    assert_string_equal(
        object_property_type_name(object_class_property_find(OBJECT(a)->class, "strong")),
        "link<" TYPE_NODE ">");
    /* By the end of its path, and to nothing. */
    assert_true(object_property_parse(OBJECT(a), "weak", "b", NULL));
    assert_ptr_equal(a->weak, b);
    assert_true(object_property_parse(OBJECT(a), "weak", "", NULL));
    assert_null(a->weak);
    assert_true(object_property_set_str(OBJECT(a), "strong", NULL, NULL));
    assert_null(a->strong);
}

static void a_link_takes_only_objects_of_its_type(void **state)
{
    Node *a = node_at("a", TYPE_NODE), *leaf = node_at("leaf", TYPE_LEAF);
    GError *err = NULL;

    (void)state;
    assert_link_fails(a, "leaf-only", "/a",
                      "property 'leaf-only' of 'test-node': '/a' is of type 'test-node', expected "
                      "an object of type 'test-leaf'");
    assert_link_fails(a, "strong", "/",
                      "property 'strong' of 'test-node': '/' is of type 'container', expected an "
                      "object of type 'test-node'");
    assert_false(object_property_set_link(OBJECT(a), "leaf-only", OBJECT(a), &err));
    assert_true(g_error_matches(err, QOM_ERROR, QOM_ERROR_VALUE));
    g_clear_error(&err);
    assert_false(object_property_set(OBJECT(a), "leaf-only", g_variant_new_int64(1), &err));
    assert_string_equal(err->message,
                        "property 'leaf-only' of 'test-node': expected a string, got an integer");
    g_clear_error(&err);
    assert_null(a->leaf_only);
    assert_true(object_property_set_link(OBJECT(a), "leaf-only", OBJECT(leaf), NULL));
    assert_true(object_property_set_link(OBJECT(a), "strong", OBJECT(leaf), NULL));
}

static void a_path_that_leads_nowhere_leaves_the_link_as_it_was(void **state)
{
    Node *a = node_at("a", TYPE_NODE), *b = node_at("b", TYPE_NODE);
    GError *err = NULL;

    (void)state;
    assert_true(object_property_set_link(OBJECT(a), "strong", OBJECT(b), NULL));
    assert_false(object_property_parse(OBJECT(a), "strong", "/nowhere", &err));
    assert_true(g_str_has_prefix(err->message, "property 'strong' of 'test-node': "));
    assert_non_null(strstr(err->message, "nowhere"));
    g_clear_error(&err);
    assert_ptr_equal(a->strong, b);
}

static void a_strong_link_keeps_its_target_and_lets_it_go_when_changed(void **state)
{
    Node *a = node_new(TYPE_NODE), *b = node_new(TYPE_NODE), *c = node_new(TYPE_NODE);

    (void)state;
    assert_true(object_property_set_link(OBJECT(a), "strong", OBJECT(b), NULL));
    object_unref(b);
    assert_int_equal(nodes_alive, 3);
    /* The same again must not drop the only reference on the way. */
    assert_true(object_property_set_link(OBJECT(a), "strong", OBJECT(b), NULL));
    assert_int_equal(nodes_alive, 3);
    assert_true(object_property_set_link(OBJECT(a), "strong", OBJECT(c), NULL));
    assert_int_equal(nodes_alive, 2);
    object_unref(c);
    assert_int_equal(nodes_alive, 2);
    object_unref(a);
    assert_int_equal(nodes_alive, 0);
}

static void a_weak_link_is_cleared_when_its_target_leaves_the_tree(void **state)
{
    Node *a = node_at("a", TYPE_NODE), *b = node_at("b", TYPE_NODE);

    (void)state;
    object_ref(b);
    assert_true(object_property_set_link(OBJECT(a), "weak", OBJECT(b), NULL));
    assert_true(object_property_set_link(OBJECT(a), "strong", OBJECT(b), NULL));
    object_unparent(OBJECT(b));
    assert_null(a->weak);
    assert_ptr_equal(a->strong, b);
    object_unref(b);
}

static void a_weak_link_is_cleared_when_its_target_ends(void **state)
{
    Node *a = node_new(TYPE_NODE), *b = node_new(TYPE_NODE);

    (void)state;
    assert_true(object_property_set_link(OBJECT(a), "weak", OBJECT(b), NULL));
    assert_int_equal(OBJECT(b)->ref, 1);
    object_unref(b);
    assert_null(a->weak);
    assert_null(object_property_get_link(OBJECT(a), "weak", NULL));
    object_unref(a);
}

static void a_target_may_outlive_those_that_link_to_it_weakly(void **state)
{
    Node *target = node_new(TYPE_NODE), *holders[5];

    (void)state;
    for (int i = 0; i < 5; i++) {
        holders[i] = node_new(TYPE_NODE);
        assert_true(object_property_set_link(OBJECT(holders[i]), "weak", OBJECT(target), NULL));
    }
    /* First, middle and last of the list, then one that points elsewhere. */
    object_unref(holders[4]);
    object_unref(holders[2]);
    object_unref(holders[0]);
    assert_true(object_property_set_link(OBJECT(holders[1]), "weak", OBJECT(holders[3]), NULL));
    object_unref(target);
    assert_ptr_equal(holders[1]->weak, holders[3]);
    assert_null(holders[3]->weak);
    object_unref(holders[3]);
    assert_null(holders[1]->weak);
    object_unref(holders[1]);
}

static void an_object_may_link_to_itself(void **state)
{
    Node *a = node_new(TYPE_NODE);

    (void)state;
    assert_true(object_property_set_link(OBJECT(a), "weak", OBJECT(a), NULL));
    assert_true(object_property_set_link(OBJECT(a), "strong", OBJECT(a), NULL));
    assert_int_equal(OBJECT(a)->ref, 1);
    object_unref(a);
    assert_int_equal(nodes_alive, 0);
}

static void the_check_of_a_link_is_asked_first(void **state)
{
    Node *a = node_at("a", TYPE_NODE), *b = node_at("b", TYPE_NODE);

    (void)state;
    assert_true(object_property_parse(OBJECT(a), "checked", "/b", NULL));
    assert_link_fails(a, "checked", "/a",
                      "property 'checked' of 'test-node': checked must not lead back");
    assert_ptr_equal(a->checked, b);
    assert_true(object_property_parse(OBJECT(a), "checked", "", NULL));
    assert_null(a->checked);
}

static void links_of_an_instance_are_links_too(void **state)
{
    Node *a = node_at("a", TYPE_NODE), *b = node_at("b", TYPE_NODE);
    ObjectPropertyIterator iter;
    ObjectPropertyView view;
    char type[] = TYPE_NODE;

    (void)state;
    assert_true(object_property_add_link(OBJECT(a), "slot[*]", type, &a->slots[0], NULL,
                                         OBJ_PROP_LINK_STRONG, NULL));
    assert_true(object_property_add_link(OBJECT(a), "slot[*]", type, &a->slots[1],
                                         object_property_allow_set_link, OBJ_PROP_LINK_WEAK, NULL));
    memset(type, 'x', sizeof(type) - 1);
    assert_true(object_property_parse(OBJECT(a), "slot[0]", "/b", NULL));
    assert_true(object_property_set_link(OBJECT(a), "slot[1]", OBJECT(b), NULL));
    assert_ptr_equal(a->slots[0], b);
    assert_ptr_equal(object_property_get_link(OBJECT(a), "slot[1]", NULL), b);
    assert_int_equal(OBJECT(b)->ref, 2);
    assert_ptr_equal(object_resolve_path("/a/slot[0]", NULL), b);
    object_property_iter_init(&iter, OBJECT(a));
    while (object_property_iter_next(&iter, &view) && !view.instance) {
    }
    assert_string_equal(view.name, "slot[0]");
    assert_string_equal(view.type, "link<" TYPE_NODE ">");
    /* Deleting one gives its reference back; the other goes with the object. */
    assert_true(object_property_del(OBJECT(a), "slot[0]", NULL));
    assert_null(a->slots[0]);
    assert_int_equal(OBJECT(b)->ref, 1);
    object_unparent(OBJECT(b));
    assert_null(a->slots[1]);
}

static void what_an_instance_links_to_is_released_with_it(void **state)
{
    Node *a = node_new(TYPE_NODE), *b = node_new(TYPE_NODE);

    (void)state;
    assert_true(object_property_add_link(OBJECT(a), "slot", TYPE_NODE, &a->slots[0], NULL,
                                         OBJ_PROP_LINK_STRONG, NULL));
    assert_true(object_property_add_link(OBJECT(a), "loose", TYPE_NODE, &a->slots[1], NULL,
                                         OBJ_PROP_LINK_WEAK, NULL));
    assert_true(object_property_set_link(OBJECT(a), "slot", OBJECT(b), NULL));
    assert_true(object_property_set_link(OBJECT(a), "loose", OBJECT(b), NULL));
    object_unref(b);
    assert_int_equal(nodes_alive, 2);
    object_unref(a);
    assert_int_equal(nodes_alive, 0);
}

static void a_link_to_an_object_without_a_path_prints_as_nothing(void **state)
{
    Node *a = node_new(TYPE_NODE), *b = node_new(TYPE_NODE);
    g_autofree char *text = NULL;

    (void)state;
    assert_true(object_property_set_link(OBJECT(a), "strong", OBJECT(b), NULL));
    text = object_property_print(OBJECT(a), "strong", NULL);
    assert_string_equal(text, "");
    object_unref(a);
    object_unref(b);
}

static GVariant *named_get(Object *obj, const Property *prop, GError **errp)
{
    Object *target = ((Node *)obj)->slots[0];

    (void)prop;
    (void)errp;
    return g_variant_new_take_string(target ? object_get_canonical_path(target) : g_strdup(""));
}

static bool named_set(Object *obj, const Property *prop, GVariant *value, GError **errp)
{
    const char *path = g_variant_get_string(value, NULL);

    (void)prop;
    ((Node *)obj)->slots[0] = *path ? object_resolve_path_err(path, NULL, errp) : NULL;
    return !*path || ((Node *)obj)->slots[0];
}

static void a_link_behind_functions_is_set_by_its_path(void **state)
{
    static const Property named = {
        .name = "named",
        .info = &prop_info_link,
        .get = named_get,
        .set = named_set,
    };
    Node *a = node_at("a", TYPE_NODE), *b = node_at("b", TYPE_NODE), *outside = node_new(TYPE_NODE);
    GError *err = NULL;

    (void)state;
    assert_true(object_property_add(OBJECT(a), &named, NULL));
    assert_true(object_property_set_link(OBJECT(a), "named", OBJECT(b), NULL));
    assert_ptr_equal(a->slots[0], b);
    assert_ptr_equal(object_property_get_link(OBJECT(a), "named", NULL), b);
    assert_false(object_property_set_link(OBJECT(a), "named", OBJECT(outside), &err));
    assert_string_equal(err->message,
                        "property 'named' of 'test-node': the object to link to has no path");
    g_clear_error(&err);
    assert_true(object_property_set_link(OBJECT(a), "named", NULL, NULL));
    assert_null(object_property_get_link(OBJECT(a), "named", &err));
    assert_null(err);
    object_unref(outside);
}

static Node *survivor;

/* Tries to be found when it is too late. */
static void mourner_finalize(Object *obj)
{
    GError *err = NULL;

    assert_false(object_property_set_link(OBJECT(survivor), "weak", obj, &err));
    assert_string_equal(err->message,
                        "property 'weak' of 'test-node': the object to link to is being deleted");
    g_clear_error(&err);
}

static void an_object_that_ends_cannot_be_linked_to(void **state)
{
    (void)state;
    survivor = node_new(TYPE_NODE);
    object_unref(object_new("test-mourner"));
    assert_null(survivor->weak);
    object_unref(survivor);
}

static void what_is_no_link_is_not_set_as_one(void **state)
{
    static const Property number = {
        .name = "number",
        .info = &prop_info_uint64,
        .offset = offsetof(Node, slots),
    };
    Node *a = node_at("a", TYPE_NODE);
    GError *err = NULL;

    (void)state;
    node_at("b", TYPE_NODE);
    assert_true(object_property_add_alias(OBJECT(a), "other", OBJECT(a), "strong", NULL));
    assert_true(object_property_set_link(OBJECT(a), "other", OBJECT(a), NULL));
    assert_ptr_equal(a->strong, a);
    assert_false(object_property_set_link(object_get_root(), "a", OBJECT(a), &err));
    assert_non_null(err);
    g_clear_error(&err);
    assert_true(object_property_add(OBJECT(a), &number, NULL));
    assert_null(object_property_get_link(OBJECT(a), "number", &err));
    assert_string_equal(err->message, "property 'number' of 'test-node' is no link");
    g_clear_error(&err);
    assert_null(object_property_get_link(OBJECT(a), "strng", &err));
    assert_string_equal(err->message,
                        "Property 'test-node.strng' not found (did you mean 'strong'?)");
    g_clear_error(&err);
}

/* Targets that end in one thread while holders of other targets come and go in another. */
static void *churn(void *opaque)
{
    (void)opaque;
    for (int i = 0; i < 2000; i++) {
        Node *target = node_new(TYPE_NODE), *holder = node_new(TYPE_NODE);

        g_assert_true(object_property_set_link(OBJECT(holder), "weak", OBJECT(target), NULL));
        object_unref(i % 2 ? target : holder);
        object_unref(i % 2 ? holder : target);
    }
    return NULL;
}

static void weak_links_may_be_used_from_several_threads(void **state)
{
    pthread_t threads[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, churn, NULL), 0);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(nodes_alive, 0);
}

static void many_weak_links_to_one_target_take_linear_time(void **state)
{
    enum { N = 20000 };
    g_autofree Node **holders = g_new0(Node *, N);
    Node *target = node_new(TYPE_NODE);

    (void)state;
    for (int i = 0; i < N; i++) {
        holders[i] = node_new(TYPE_NODE);
        assert_true(object_property_set_link(OBJECT(holders[i]), "weak", OBJECT(target), NULL));
    }
    for (int i = 0; i < N / 2; i++) {
        object_unref(holders[i]);
    }
    object_unref(target);
    for (int i = N / 2; i < N; i++) {
        assert_null(holders[i]->weak);
        object_unref(holders[i]);
    }
}

#define link_test(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        link_test(a_link_is_set_by_path_and_printed_as_path),
        link_test(a_link_takes_only_objects_of_its_type),
        link_test(a_path_that_leads_nowhere_leaves_the_link_as_it_was),
        link_test(a_strong_link_keeps_its_target_and_lets_it_go_when_changed),
        link_test(a_weak_link_is_cleared_when_its_target_leaves_the_tree),
        link_test(a_weak_link_is_cleared_when_its_target_ends),
        link_test(a_target_may_outlive_those_that_link_to_it_weakly),
        link_test(an_object_may_link_to_itself),
        link_test(the_check_of_a_link_is_asked_first),
        link_test(links_of_an_instance_are_links_too),
        link_test(what_an_instance_links_to_is_released_with_it),
        link_test(a_link_to_an_object_without_a_path_prints_as_nothing),
        link_test(a_link_behind_functions_is_set_by_its_path),
        link_test(an_object_that_ends_cannot_be_linked_to),
        link_test(what_is_no_link_is_not_set_as_one),
        link_test(weak_links_may_be_used_from_several_threads),
        link_test(many_weak_links_to_one_target_take_linear_time),
    };

    type_register_static_array(types, G_N_ELEMENTS(types), NULL);
    return cmocka_run_group_tests(tests, NULL, group_end);
}
