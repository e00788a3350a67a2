/* SPDX-License-Identifier: MIT */
/*
 * The help text, made of the option table.
 */
#include <string.h>
#include "options/options-int.h"

#define HELP_INDENT 16
#define HELP_WIDTH 78

/* Writes @text in lines of HELP_WIDTH, each indented. */
static void print_wrapped(FILE *out, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    size_t column = 0;

    for (char **word = words; *word; word++) {
        size_t len = strlen(*word);

        if (column && column + 1 + len > HELP_WIDTH) {
            fputc('\n', out);
            column = 0;
        }
        if (!column) {
            fprintf(out, "%*s%s", HELP_INDENT, "", *word);
            column = HELP_INDENT + len;
        } else {
            fprintf(out, " %s", *word);
            column += 1 + len;
        }
    }
    fputc('\n', out);
}

void option_print_help(FILE *out)
{
    g_autofree char *live = option_live_names();

    fprintf(out, "usage: qomet [OPTION]...\n");
    for (const OptionCommand *command = option_commands; command->name; command++) {
        fprintf(out, "       qomet %s%s%s\n", command->name, *command->args ? " " : "",
                command->args);
    }
    for (unsigned section = 0; section < OPTION_SECTION__MAX; section++) {
        fprintf(out, "\n%s:\n", option_section_titles[section]);
        for (const Option *option = option_table; option->name; option++) {
            if (option->section != section) {
                continue;
            }
            fprintf(out, "  -%s", option->name);
            if (option->alias) {
                fprintf(out, ", -%s", option->alias);
            }
            fprintf(out, "%s%s\n", option->arg ? " " : "", option->arg ? option->arg : "");
            print_wrapped(out, option->help);
        }
    }
    fprintf(out, "\nMachines that run:\n");
    for (const OptionCommand *command = option_commands; command->name; command++) {
        fprintf(out, "  qomet %s%s%s\n", command->name, *command->args ? " " : "", command->args);
        print_wrapped(out, command->help);
    }
    fprintf(out, "  A machine that runs takes:\n");
    print_wrapped(out, live);
    fprintf(out, "\nOptions begin with one dash or two. A comma in a value is written twice.\n");
}
