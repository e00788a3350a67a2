/* SPDX-License-Identifier: MIT */
/* What every fuzz target begins with. */
#ifndef QOMET_TESTS_FUZZ_FUZZ_H
#define QOMET_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Unlike an assertion it is there in every build. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The target: called with each input, any number of times in one process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
