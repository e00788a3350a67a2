/* SPDX-License-Identifier: MIT */
/*
 * The types of the program by name, against a list that a person keeps: a registration that is lost, or one that nobody
 * wanted, shows here. Who adds a type adds its name to tests/unit/types.expected.
 */
#include <stdlib.h>
#include <string.h>
#include <qomet/qom/module.h>

#include "tests/test.h"

static gint by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(a, b);
}

static void the_types_are_those_of_the_list(void **state)
{
    g_autofree char *path =
        g_build_filename(getenv("abs_top_srcdir"), "tests/unit/types.expected", NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) expected = NULL;
    GSList *classes, *names = NULL;
    GError *err = NULL;
    unsigned missing = 0, unknown = 0;

    (void)state;
    if (!g_file_get_contents(path, &text, NULL, &err)) {
        fail_msg("%s", err->message);
    }
    expected = g_strsplit(g_strchomp(text), "\n", -1);
    classes = object_class_get_list(NULL, true);
    for (GSList *c = classes; c; c = c->next) {
        const char *name = object_class_get_name(c->data);

        names = g_slist_prepend(names, (gpointer)name);
        if (!g_strv_contains((const char *const *)expected, name)) {
            print_error("'%s' is registered and not in tests/unit/types.expected\n", name);
            unknown++;
        }
    }
    for (char **name = expected; *name; name++) {
        if (!g_slist_find_custom(names, *name, by_name)) {
            print_error("'%s' is in tests/unit/types.expected and not registered\n", *name);
            missing++;
        }
    }
    g_slist_free(classes);
    g_slist_free(names);
    assert_int_equal(missing, 0);
    assert_int_equal(unknown, 0);
}

static int setup(void **state)
{
    GError *err = NULL;

    (void)state;
    if (!module_call_init(MODULE_INIT_QOM, &err)) {
        print_error("%s\n", err->message);
        return -1;
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_types_are_those_of_the_list),
    };

    return cmocka_run_group_tests_name("types", tests, setup, NULL);
}
