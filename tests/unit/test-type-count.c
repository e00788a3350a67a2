/* SPDX-License-Identifier: MIT */
/*
 * No type got lost in linking: as many constructors have queued an initialiser as there are lines of type_init() and
 * DEFINE_TYPES() in the sources of the program. The lines were counted when this was built.
 */
#include <qomet/qom/module.h>

#include "tests/test.h"
#include "tests/unit/type-count.h"

static void test_every_type_init_is_linked(void **state)
{
    (void)state;
    assert_int_equal(module_init_queued(), TYPE_INIT_LINES);
}

static void test_the_queue_runs(void **state)
{
    GError *err = NULL;

    (void)state;
    if (!module_call_init(MODULE_INIT_QOM, &err)) {
        fail_msg("%s", err->message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type_init_is_linked),
        cmocka_unit_test(test_the_queue_runs),
    };

    return cmocka_run_group_tests_name("type-count", tests, NULL, NULL);
}
