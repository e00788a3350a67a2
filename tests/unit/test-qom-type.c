/* SPDX-License-Identifier: MIT */
/*
 * The registry of types: registration in any order, alone and in batches, and what it says of
 * mistakes.
 */
#include "tests/test.h"
#include <string.h>
#include <qomet/qom/module.h>

#define assert_error(error, c, text)                                                               \
    do {                                                                                           \
        assert_non_null(error);                                                                    \
        assert_string_equal((error)->message, text);                                               \
        assert_int_equal((error)->domain, QOM_ERROR);                                              \
        assert_int_equal((error)->code, c);                                                        \
        g_clear_error(&(error));                                                                   \
    } while (0)

static void must_register(const char *name, const char *parent)
{
    TypeInfo info = { .name = name, .parent = parent };
    GError *error = NULL;

    assert_non_null(type_register(&info, &error));
    assert_null(error);
}

/* What a batch registers; module_call_init() runs it. */
static const TypeInfo *batch;
static size_t batch_len;

static void register_batch(void)
{
    for (size_t i = 0; i < batch_len; i++) {
        type_register_static(&batch[i], NULL);
    }
}

static bool run_batch(const TypeInfo *infos, size_t n, GError **errp)
{
    batch = infos;
    batch_len = n;
    register_module_init(register_batch, MODULE_INIT_QOM);
    return module_call_init(MODULE_INIT_QOM, errp);
}

static void the_base_types_are_there_from_the_start(void **state)
{
    (void)state;
    assert_true(type_count() >= 3);
    assert_non_null(object_class_by_name(TYPE_OBJECT));
    assert_non_null(object_class_by_name(TYPE_INTERFACE));
    assert_non_null(object_class_by_name(TYPE_CONTAINER));
    assert_null(object_class_get_parent(object_class_by_name(TYPE_OBJECT)));
}

static void a_child_may_be_registered_before_its_parent(void **state)
{
    ObjectClass *klass;

    (void)state;
    must_register("order-grandchild", "order-child");
    must_register("order-child", "order-root");
    must_register("order-root", TYPE_OBJECT);
    klass = object_class_by_name("order-grandchild");
    assert_non_null(klass);
    assert_string_equal(object_class_get_name(klass), "order-grandchild");
    assert_int_equal(klass->depth, 3);
    klass = object_class_get_parent(klass);
    assert_string_equal(object_class_get_name(klass), "order-child");
    assert_ptr_equal(klass, object_class_by_name("order-child"));
}

static void an_unknown_type_is_named_with_the_nearest(void **state)
{
    GError *error = NULL;

    (void)state;
    must_register("isa-serious", TYPE_OBJECT);
    assert_null(object_class_by_name_err("isa-serius", &error));
    assert_error(error, QOM_ERROR_NOT_FOUND,
                 "'isa-serius' is not the name of a type (did you mean 'isa-serious'?)");
    assert_null(object_class_by_name_err("zzzzzzzzzzzz", &error));
    assert_error(error, QOM_ERROR_NOT_FOUND, "'zzzzzzzzzzzz' is not the name of a type");
    assert_null(object_class_by_name_err("", &error));
    assert_error(error, QOM_ERROR_NOT_FOUND, "'' is not the name of a type");
    assert_null(object_class_by_name(NULL));
}

static void a_type_without_a_name_is_refused(void **state)
{
    const TypeInfo nameless = { .parent = "device" }, empty = { .name = "", .parent = "device" };
    unsigned count = type_count();
    GError *error = NULL;

    (void)state;
    assert_null(type_register_static(&nameless, &error));
    assert_error(error, QOM_ERROR_TYPE, "a type with parent 'device' is registered without a name");
    assert_null(type_register(&empty, &error));
    assert_error(error, QOM_ERROR_TYPE, "a type with parent 'device' is registered without a name");
    assert_int_equal(type_count(), count);
}

static void a_type_registered_twice_is_refused_and_both_are_described(void **state)
{
    const TypeInfo again = { .name = "twice", .parent = "twice-other" };
    unsigned count;
    GError *error = NULL;

    (void)state;
    must_register("twice", TYPE_OBJECT);
    count = type_count();
    assert_null(type_register_static(&again, &error));
    assert_error(error, QOM_ERROR_EXISTS,
                 "type 'twice' is registered twice: first as a child of 'object' by the program, "
                 "then as a child of 'twice-other' by the program");
    assert_int_equal(type_count(), count);
    assert_non_null(object_class_by_name("twice"));
}

static void a_missing_parent_is_named_and_may_come_later(void **state)
{
    GError *error = NULL;

    (void)state;
    must_register("orphan", "orphans-parent");
    must_register("orphans-grandparent", TYPE_OBJECT);
    for (int i = 0; i < 2; i++) {
        assert_null(object_class_by_name_err("orphan", &error));
        assert_error(error, QOM_ERROR_TYPE,
                     "type 'orphan': parent 'orphans-parent' is not registered");
    }
    must_register("orphans-child", "orphans-grandparents");
    assert_null(object_class_by_name_err("orphans-child", &error));
    assert_error(error, QOM_ERROR_TYPE,
                 "type 'orphans-child': parent 'orphans-grandparents' is not registered "
                 "(did you mean 'orphans-grandparent'?)");
    must_register("orphans-parent", TYPE_OBJECT);
    assert_non_null(object_class_by_name_err("orphan", &error));
    assert_null(error);
}

static void a_cycle_is_shown_whole(void **state)
{
    GError *error = NULL;

    (void)state;
    must_register("ring-a", "ring-b");
    must_register("ring-b", "ring-c");
    must_register("ring-c", "ring-a");
    must_register("ring-tail", "ring-a");
    must_register("ring-self", "ring-self");
    for (int i = 0; i < 2; i++) {
        assert_null(object_class_by_name_err("ring-a", &error));
        assert_error(error, QOM_ERROR_TYPE, "type cycle: ring-a -> ring-b -> ring-c -> ring-a");
    }
    assert_null(object_class_by_name_err("ring-tail", &error));
    assert_error(error, QOM_ERROR_TYPE, "type cycle: ring-a -> ring-b -> ring-c -> ring-a");
    assert_null(object_class_by_name_err("ring-self", &error));
    assert_error(error, QOM_ERROR_TYPE, "type cycle: ring-self -> ring-self");
}

static void a_type_smaller_than_its_parent_is_refused(void **state)
{
    static const TypeInfo infos[] = {
        { .name = "big", .parent = TYPE_OBJECT, .instance_size = 480, .class_size = 960 },
        { .name = "small", .parent = "big", .instance_size = 479 },
        { .name = "small-class", .parent = "big", .class_size = 959 },
        { .name = "odd", .parent = "big", .instance_align = 24 },
        { .name = "tiny", .parent = TYPE_OBJECT, .instance_size = 1 },
    };
    g_autofree char *tiny = NULL;
    GError *error = NULL;

    (void)state;
    assert_true(type_register_static_array(infos, G_N_ELEMENTS(infos), &error));
    assert_null(object_class_by_name_err("small", &error));
    assert_error(error, QOM_ERROR_TYPE,
                 "type 'small': instance_size 479 is smaller than 480 of its parent 'big'");
    assert_null(object_class_by_name_err("small-class", &error));
    assert_error(error, QOM_ERROR_TYPE,
                 "type 'small-class': class_size 959 is smaller than 960 of its parent 'big'");
    assert_null(object_class_by_name_err("odd", &error));
    assert_error(error, QOM_ERROR_TYPE, "type 'odd': instance_align 24 is no power of two");
    assert_null(object_class_by_name_err("tiny", &error));
    tiny = g_strdup_printf(
        "type 'tiny': instance_size 1 is smaller than %zu of its parent 'object'", sizeof(Object));
    assert_error(error, QOM_ERROR_TYPE, tiny);
}

static void a_type_without_a_parent_is_refused(void **state)
{
    GError *error = NULL;

    (void)state;
    must_register("parentless", NULL);
    assert_null(object_class_by_name_err("parentless", &error));
    assert_error(error, QOM_ERROR_TYPE,
                 "type 'parentless' names no parent (a type without one has the parent 'object')");
}

static void sizes_of_zero_are_the_parents(void **state)
{
    static const TypeInfo infos[] = {
        { .name = "sized", .parent = TYPE_OBJECT, .instance_size = 200, .class_size = 400 },
        { .name = "sized-child", .parent = "sized" },
    };

    (void)state;
    assert_true(type_register_static_array(infos, G_N_ELEMENTS(infos), NULL));
    assert_int_equal(object_type_get_instance_size(object_class_by_name("sized-child")), 200);
}

static void a_registered_copy_outlives_what_it_was_made_from(void **state)
{
    InterfaceInfo interfaces[] = { { g_strdup("copied-interface") }, { NULL } };
    TypeInfo info = { .name = g_strdup("copied"),
                      .parent = g_strdup(TYPE_OBJECT),
                      .interfaces = interfaces };
    GError *error = NULL;

    (void)state;
    must_register("copied-interface", TYPE_INTERFACE);
    assert_non_null(type_register(&info, &error));
    memset((char *)info.name, 'x', strlen(info.name));
    memset((char *)info.parent, 'x', strlen(info.parent));
    g_free((char *)info.name);
    g_free((char *)info.parent);
    g_free((char *)interfaces[0].type);
    memset(&info, 0, sizeof(info));
    interfaces[0].type = NULL;
    assert_non_null(object_class_dynamic_cast(object_class_by_name("copied"), "copied-interface"));
}

static void an_array_keeps_what_is_good_and_reports_the_first_that_is_not(void **state)
{
    static const TypeInfo infos[] = {
        { .name = "array-a", .parent = TYPE_OBJECT },
        { .name = "array-a", .parent = TYPE_CONTAINER },
        { .parent = TYPE_OBJECT },
        { .name = "array-b", .parent = TYPE_OBJECT },
    };
    GError *error = NULL;

    (void)state;
    assert_false(type_register_static_array(infos, G_N_ELEMENTS(infos), &error));
    assert_error(error, QOM_ERROR_EXISTS,
                 "type 'array-a' is registered twice: first as a child of 'object' by the program, "
                 "then as a child of 'container' by the program");
    assert_non_null(object_class_by_name("array-a"));
    assert_non_null(object_class_by_name("array-b"));
}

static bool batch_type_was_seen;

static void look_for_batch_type(void)
{
    TypeInfo info = { .name = "batch-unseen", .parent = TYPE_OBJECT };

    type_register(&info, NULL);
    batch_type_was_seen = object_class_by_name("batch-unseen") != NULL;
}

static void nothing_of_a_batch_is_seen_before_it_is_checked(void **state)
{
    (void)state;
    batch_type_was_seen = true;
    register_module_init(look_for_batch_type, MODULE_INIT_QOM);
    assert_null(object_class_by_name("batch-unseen"));
    assert_true(module_call_init(MODULE_INIT_QOM, NULL));
    assert_false(batch_type_was_seen);
    assert_non_null(object_class_by_name("batch-unseen"));
}

static void the_queue_runs_once(void **state)
{
    static const TypeInfo infos[] = { { .name = "queued-once", .parent = TYPE_OBJECT } };
    unsigned queued = module_init_queued();
    GError *error = NULL;

    (void)state;
    assert_true(run_batch(infos, 1, &error));
    assert_true(module_call_init(MODULE_INIT_QOM, &error));
    assert_null(error);
    assert_int_equal(module_init_queued(), queued + 1);
}

static void a_batch_commits_what_is_good_and_reports_the_first_that_is_not(void **state)
{
    static const TypeInfo infos[] = {
        { .name = "batch-child", .parent = "batch-parent" },
        { .name = "batch-below-orphan", .parent = "batch-orphan" },
        { .name = "batch-orphan", .parent = "batch-nobody" },
        { .name = "batch-parent", .parent = TYPE_OBJECT, .instance_size = 100 },
        { .name = "batch-parent", .parent = TYPE_CONTAINER },
        { .name = "batch-small", .parent = "batch-parent", .instance_size = 99 },
        { .name = "batch-x", .parent = "batch-y" },
        { .name = "batch-y", .parent = "batch-x" },
        { .parent = TYPE_OBJECT },
    };
    unsigned count = type_count();
    GError *error = NULL;

    (void)state;
    assert_false(run_batch(infos, G_N_ELEMENTS(infos), &error));
    assert_error(error, QOM_ERROR_TYPE,
                 "type 'batch-orphan': parent 'batch-nobody' is not registered");
    assert_int_equal(type_count(), count + 2);
    assert_non_null(object_class_by_name("batch-child"));
    assert_null(object_class_by_name("batch-orphan"));
    assert_null(object_class_by_name("batch-small"));
    assert_null(object_class_by_name("batch-x"));
}

static void a_batch_finds_each_mistake(void **state)
{
    static const InterfaceInfo g[] = { { "found-g" }, {} }, nothing[] = { { "found-nothing" }, {} },
                               k[] = { { "found-k" }, {} };
    static const struct {
        TypeInfo infos[2];
        const char *message;
    } cases[] = {
        { { { .name = "found-a", .parent = "found-b" },
            { .name = "found-b", .parent = "found-a" } },
          "type cycle: found-a -> found-b -> found-a" },
        { { { .name = "found-c", .parent = TYPE_OBJECT },
            { .name = "found-c", .parent = "found-c" } },
          "type 'found-c' is registered twice: first as a child of 'object' by the program, "
          "then as a child of 'found-c' by the program" },
        { { { .name = "found-d", .parent = TYPE_OBJECT, .instance_size = 90 },
            { .name = "found-e", .parent = "found-d", .instance_size = 80 } },
          "type 'found-e': instance_size 80 is smaller than 90 of its parent 'found-d'" },
        { { { .name = "found-f", .parent = TYPE_OBJECT }, { .parent = "found-f" } },
          "a type with parent 'found-f' is registered without a name" },
        { { { .name = "found-g", .parent = TYPE_OBJECT },
            { .name = "found-h", .parent = "found-g", .interfaces = g } },
          "type 'found-h': 'found-g' among its interfaces is no interface (none of its parents is "
          "'interface')" },
        { { { .name = "found-i", .parent = TYPE_OBJECT },
            { .name = "found-j", .parent = "found-i", .interfaces = nothing } },
          "type 'found-j': interface 'found-nothing' is not registered" },
        { { { .name = "found-k", .parent = TYPE_INTERFACE },
            { .name = "found-l", .parent = TYPE_INTERFACE, .interfaces = k } },
          "type 'found-l' is an interface and implements none: to extend 'found-k', name it as the "
          "parent" },
    };
    GError *error = NULL;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_false(run_batch(cases[i].infos, 2, &error));
        assert_non_null(error);
        assert_string_equal(error->message, cases[i].message);
        g_clear_error(&error);
    }
}

static void a_batch_closes_a_cycle_that_was_begun_outside(void **state)
{
    static const TypeInfo infos[] = { { .name = "half-b", .parent = "half-a" } };
    GError *error = NULL;

    (void)state;
    must_register("half-a", "half-b");
    assert_false(run_batch(infos, 1, &error));
    assert_error(error, QOM_ERROR_TYPE, "type cycle: half-b -> half-a -> half-b");
    assert_null(object_class_by_name_err("half-a", &error));
    assert_error(error, QOM_ERROR_TYPE, "type 'half-a': parent 'half-b' is not registered");
}

static void ten_thousand_types_are_found_again(void **state)
{
    unsigned n = 10000, count = type_count();

    (void)state;
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("many-%u", i);
        g_autofree char *parent = i ? g_strdup_printf("many-%u", i / 2) : g_strdup(TYPE_OBJECT);

        must_register(name, parent);
    }
    assert_int_equal(type_count(), count + n);
    for (unsigned i = n; i-- > 0;) {
        g_autofree char *name = g_strdup_printf("many-%u", i);
        ObjectClass *klass = object_class_by_name(name);

        assert_non_null(klass);
        assert_string_equal(object_class_get_name(klass), name);
    }
}

static void the_nearest_name_is_within_a_few_edits_or_begins_alike(void **state)
{
    static const char *const names[] = { "isa-debugcon", "isa-debug-exit", "port-logger",
                                         "pc",           "bare",           NULL };

    (void)state;
    assert_string_equal(qom_nearest("bear", names), "bare");
    assert_string_equal(qom_nearest("isa-debugcom", names), "isa-debugcon");
    assert_string_equal(qom_nearest("isa-debugexit", names), "isa-debug-exit");
    assert_string_equal(qom_nearest("port", names), "port-logger");
    assert_string_equal(qom_nearest("portlogger", names), "port-logger");
    assert_null(qom_nearest("nope", names));
    assert_null(qom_nearest("xx", names));
    assert_null(qom_nearest("", names));
    assert_null(qom_nearest(NULL, names));
    assert_null(qom_nearest("isa-serial", names));
}

static void the_nearest_name_of_a_table_is_that_of_a_row(void **state)
{
    static const struct {
        const char *name;
        int other;
    } rows[] = { { "stop", 1 }, { "cont", 2 }, { NULL, 0 }, { "quit", 3 } };
    g_autofree char *near = qom_did_you_mean_row("cnot", rows, sizeof(rows[0]));
    g_autofree char *behind_the_end = qom_did_you_mean_row("quit", rows, sizeof(rows[0]));

    (void)state;
    assert_string_equal(near, " (did you mean 'cont'?)");
    assert_string_equal(behind_the_end, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_base_types_are_there_from_the_start),
        cmocka_unit_test(a_child_may_be_registered_before_its_parent),
        cmocka_unit_test(an_unknown_type_is_named_with_the_nearest),
        cmocka_unit_test(a_type_without_a_name_is_refused),
        cmocka_unit_test(a_type_registered_twice_is_refused_and_both_are_described),
        cmocka_unit_test(a_missing_parent_is_named_and_may_come_later),
        cmocka_unit_test(a_cycle_is_shown_whole),
        cmocka_unit_test(a_type_smaller_than_its_parent_is_refused),
        cmocka_unit_test(a_type_without_a_parent_is_refused),
        cmocka_unit_test(sizes_of_zero_are_the_parents),
        cmocka_unit_test(a_registered_copy_outlives_what_it_was_made_from),
        cmocka_unit_test(an_array_keeps_what_is_good_and_reports_the_first_that_is_not),
        cmocka_unit_test(nothing_of_a_batch_is_seen_before_it_is_checked),
        cmocka_unit_test(the_queue_runs_once),
        cmocka_unit_test(a_batch_commits_what_is_good_and_reports_the_first_that_is_not),
        cmocka_unit_test(a_batch_finds_each_mistake),
        cmocka_unit_test(a_batch_closes_a_cycle_that_was_begun_outside),
        cmocka_unit_test(ten_thousand_types_are_found_again),
        cmocka_unit_test(the_nearest_name_is_within_a_few_edits_or_begins_alike),
        cmocka_unit_test(the_nearest_name_of_a_table_is_that_of_a_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
