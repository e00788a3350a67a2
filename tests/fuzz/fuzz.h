/* SPDX-License-Identifier: MIT */
/* What every fuzz target begins with. */
#ifndef QOMET_TESTS_FUZZ_FUZZ_H
#define QOMET_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Unlike an assertion it is there in every build. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* An input that is eaten from its beginning. */
typedef struct FuzzInput {
    const uint8_t *data;
    size_t size;
} FuzzInput;

/* The next @n bytes, at most 8; zeroes behind the end. */
static inline uint64_t fuzz_take(FuzzInput *in, size_t n)
{
    uint64_t value = 0;

    n = n < in->size ? n : in->size;
    if (n) {
        memcpy(&value, in->data, n);
        in->data += n;
        in->size -= n;
    }
    return value;
}

/* The target: called with each input, any number of times in one process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
