/* SPDX-License-Identifier: MIT */
/*
 * Words of a command line, one a line of the input, are read into a plan. Nothing is carried out.
 */
#include <glib.h>
#include <string.h>
#include <qomet/options/options.h>
#include "tests/fuzz/fuzz.h"

#define MAX_WORDS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_auto(GStrv) words = g_strsplit(text, "\n", MAX_WORDS);
    g_autoptr(GError) error = NULL;
    char *argv[MAX_WORDS + 2] = { "qomet" };
    int argc = 1;
    OptionPlan *plan;

    for (char **word = words; *word; word++) {
        argv[argc++] = *word;
    }
    plan = options_parse(argc, argv, &error);
    /* One of the two, and an error says something. */
    MUST((plan != NULL) != (error != NULL) && (!error || *error->message));
    option_plan_free(plan);
    return 0;
}
