/* SPDX-License-Identifier: MIT */
/*
 * The main of a fuzz target in a build without libFuzzer: runs it once on each file that is named, so that what a
 * fuzzer once found stays found with every compiler.
 */
#include <glib.h>
#include <stdio.h>
#include "tests/fuzz/fuzz.h"

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        GError *err = NULL;
        char *data = NULL;
        gsize size = 0;

        if (!g_file_get_contents(argv[i], &data, &size, &err)) {
            fprintf(stderr, "%s: %s\n", argv[0], err->message);
            g_error_free(err);
            return 1;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)data, size);
        g_free(data);
    }
    return 0;
}
