/* SPDX-License-Identifier: MIT */
/*
 * What every unit test includes: cmocka with the headers that it wants before it, and a skip that says why.
 */
#ifndef QOMET_TESTS_TEST_H
#define QOMET_TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/*
 * Leave the running test as skipped, for a reason given as to printf.
 * A test that needs KVM and has none says "no usable KVM: ..." in exactly these words.
 */
#define test_skip(...)                                                                             \
    do {                                                                                           \
        printf("# skip: " __VA_ARGS__);                                                            \
        printf("\n");                                                                              \
        fflush(stdout);                                                                            \
        skip();                                                                                    \
    } while (0)

#endif
