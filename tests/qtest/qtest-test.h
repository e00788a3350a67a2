/* SPDX-License-Identifier: MIT */
/* What every test that drives devices from outside begins with. */
#ifndef QOMET_TESTS_QTEST_QTEST_TEST_H
#define QOMET_TESTS_QTEST_QTEST_TEST_H

#include <qomet/qtest.h>
#include "tests/test.h"

static inline void on_failure(const char *message)
{
    fail_msg("%s", message);
}

/* The setup of a group, or the beginning of it: what fails in the client fails the test. */
static inline int qtest_group_begin(void **state)
{
    (void)state;
    qtest_set_failure_handler(on_failure);
    return 0;
}

#endif
