/* SPDX-License-Identifier: MIT */
/*
 * What a word of a line may become: names of commands, and what the arguments of a command name in
 * the tree and among the types.
 */
#include <string.h>
#include "monitor/hmp-int.h"

char **hmp_complete(const char *before, size_t *from)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    const char *space = strrchr(before, ' ');

    *from = space ? (size_t)(space + 1 - before) : 0;
    for (const HmpCommand *row = hmp_commands; row->name; row++) {
        if (g_str_has_prefix(row->name, before)) {
            g_ptr_array_add(words, g_strconcat(row->name + *from, " ", NULL));
        }
    }
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_steal(words, NULL);
}
