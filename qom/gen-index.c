/* SPDX-License-Identifier: MIT */
/*
 * gen-index MODULE... - writes the index of modules: a line "TYPE FILE" for each type that the
 * loading of a module registers. Run by make.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "qom/qom-int.h"

/*
 * Loads what of @files can be loaded now, and takes it out of the list. Returns whether any could;
 * @errp is set to what the last of the others said.
 */
static bool load_some(GPtrArray *files, GError **errp)
{
    bool some = false;

    for (guint i = 0; i < files->len;) {
        g_clear_error(errp);
        if (module_load(files->pdata[i], errp)) {
            g_ptr_array_remove_index(files, i);
            some = true;
        } else {
            i++;
        }
    }
    return some;
}

static void print_types(void)
{
    g_autoptr(GPtrArray) types = type_all();

    for (guint i = 0; i < types->len; i++) {
        const TypeEntry *entry = types->pdata[i];

        if (entry->origin) {
            printf("%s %s\n", entry->pub.name, strrchr(entry->origin, '/') + 1);
        }
    }
}

int main(int argc, char **argv)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new();
    g_autoptr(GError) error = NULL;

    for (int i = 1; i < argc; i++) {
        g_ptr_array_add(files, argv[i]);
    }
    if (module_call_init(MODULE_INIT_QOM, &error)) {
        /* One may need the types of another one. */
        while (load_some(files, &error)) {
        }
    }
    if (error) {
        fprintf(stderr, "gen-index: %s\n", error->message);
        return EXIT_FAILURE;
    }
    printf("# Which module has a type. Written by make.\n");
    print_types();
    return ferror(stdout) || fclose(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
