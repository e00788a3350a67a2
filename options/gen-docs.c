/* SPDX-License-Identifier: MIT */
/*
 * gen-docs man|bash - writes the manual page, or bash's completion, of qomet from the option table.
 * Run by make.
 */
#include "config.h"

#include <string.h>
#include "options/options-int.h"

/* Text for roff: a backslash and a leading dot or quote would be commands, a dash a hyphen. */
static void print_roff(const char *text)
{
    if (*text == '.' || *text == '\'') {
        fputs("\\&", stdout);
    }
    for (; *text; text++) {
        if (*text == '\\') {
            fputs("\\e", stdout);
        } else if (*text == '\'') {
            fputs("\\(aq", stdout);
        } else if (*text == '-') {
            fputs("\\-", stdout);
        } else {
            putchar(*text);
        }
    }
}

static void print_man_option(const Option *option)
{
    printf(".TP\n\\fB\\-%s\\fR", option->name);
    if (option->alias) {
        printf(", \\fB\\-%s\\fR", option->alias);
    }
    if (option->arg) {
        fputs(" \\fI", stdout);
        print_roff(option->arg);
        fputs("\\fR", stdout);
    }
    putchar('\n');
    print_roff(option->help);
    putchar('\n');
}

/* The name of a command and what follows it, in bold and italics. */
static void print_man_command_line(const OptionCommand *command)
{
    printf("\\fBqomet %s\\fR \\fI", command->name);
    print_roff(command->args);
    fputs("\\fR\n", stdout);
}

static void print_man_commands(void)
{
    g_autofree char *live = option_live_names();

    printf(".SH \"MACHINES THAT RUN\"\n"
           "A machine that was started with\n.B \\-name\ncan be changed while it runs.\n");
    for (const OptionCommand *command = option_commands; command->name; command++) {
        puts(".TP");
        print_man_command_line(command);
        print_roff(command->help);
        putchar('\n');
    }
    puts(".PP\nOf the options above, a machine that runs takes");
    print_roff(live);
    puts(".");
}

static void print_man(void)
{
    printf(".\\\" Made of the option table by options/gen-docs.\n"
           ".TH QOMET 1 \"\" \"%s %s\" \"\"\n"
           ".SH NAME\nqomet \\- a virtual machine monitor made of objects\n"
           ".SH SYNOPSIS\n.B qomet\n[\\fIOPTION\\fR]...\n",
           PACKAGE_NAME, PACKAGE_VERSION);
    for (const OptionCommand *command = option_commands; command->name; command++) {
        puts(".br");
        print_man_command_line(command);
    }
    printf(".SH DESCRIPTION\n"
           "Makes a machine out of devices and runs it on KVM.\n"
           "The options are those of QEMU and mean what they mean there.\n"
           "They begin with one dash or two and are not abbreviated; where one takes properties, "
           "these are\n"
           ".IR KEY = VALUE\n"
           "separated by commas, and a comma in a value is written twice.\n"
           ".SH OPTIONS\n");
    for (unsigned section = 0; section < OPTION_SECTION__MAX; section++) {
        printf(".SS %s\n", option_section_titles[section]);
        for (const Option *option = option_table; option->name; option++) {
            if (option->section == section) {
                print_man_option(option);
            }
        }
    }
    print_man_commands();
    printf(
        ".SH ENVIRONMENT\n.TP\n.B QOMET_MODULE_DIR\n"
        "The folder of modules, instead of the one that was named when qomet was built (or, while "
        "it "
        "is not\ninstalled, the one that it stands in).\n"
        ".TP\n.B XDG_RUNTIME_DIR\n"
        "Machines that run are found by name in its folder qomet, of mode 700; without it, in "
        "qomet\\-UID\nin the temporary directory\n"
        ".RB ( TMPDIR\nin the environment, else /tmp).\n"
        ".SH \"EXIT STATUS\"\n"
        "0 when the guest has ended by itself, a question was answered, or qomet was told to quit "
        "(by a\n"
        "monitor, or by SIGINT, SIGTERM or SIGHUP); 1 after an error; and what a device such as\n"
        "isa\\-debug\\-exit asks for.\n"
        ".SH \"SEE ALSO\"\n.BR qomet\\-board (5)\n");
}

/* Which words follow an option. */
static const char *completion_of(const Option *option)
{
    return option->completes_help                  ? "names"
           : !option->arg                          ? NULL
           : g_str_has_prefix(option->arg, "FILE") ? "files"
                                                   : "other";
}

static void print_bash_case(const char *kind)
{
    const char *separator = "    ";

    for (const Option *option = option_table; option->name; option++) {
        if (!g_strcmp0(completion_of(option), kind)) {
            printf("%s-%s|--%s", separator, option->name, option->name);
            if (option->alias) {
                printf("|-%s|--%s", option->alias, option->alias);
            }
            separator = "|";
        }
    }
    printf(")\n");
}

/* Behind a command that talks to a machine stands the name of one that runs. */
static void print_bash_machines(void)
{
    const char *separator = "    ";

    for (const OptionCommand *command = option_commands; command->name; command++) {
        if (g_str_has_prefix(command->args, "NAME")) {
            printf("%s%s", separator, command->name);
            separator = "|";
        }
    }
    printf(")\n"
           "        COMPREPLY=($(compgen -W \"$(\"$1\" list 2>/dev/null | sed 's/ .*//')\" -- "
           "\"$word\"))\n"
           "        return\n        ;;\n");
}

static void print_bash(void)
{
    printf("# Completion of qomet for bash. Made of the option table by options/gen-docs.\n\n"
           "_qomet()\n{\n"
           "    local word=$2 before=$3\n\n"
           "    COMPREPLY=()\n"
           "    case $before in\n");
    print_bash_machines();
    print_bash_case("names");
    /*
     * The listings begin each row with the name, alone or as: name \"NAME\", or after two spaces.
     */
    printf("        COMPREPLY=($(compgen -W \"help $(\"$1\" \"$before\" help 2>/dev/null |\n"
           "            sed -n -e '/:$/d' -e 's/^name \"\\([^\"]*\\)\".*/\\1/p' -e 't' -e 's/^ "
           "*\\([^ ]*\\).*/\\1/p')\""
           " -- \"$word\"))\n"
           "        return\n        ;;\n");
    print_bash_case("files");
    printf("        COMPREPLY=($(compgen -f -- \"$word\"))\n"
           "        compopt -o filenames 2>/dev/null\n"
           "        return\n        ;;\n");
    print_bash_case("other");
    printf("        return\n        ;;\n    esac\n"
           "    COMPREPLY=($(compgen -W \"");
    for (const Option *option = option_table; option->name; option++) {
        printf("-%s ", option->name);
        if (option->alias) {
            printf("-%s ", option->alias);
        }
    }
    for (const OptionCommand *command = option_commands; command->name; command++) {
        printf("%s ", command->name);
    }
    printf("\" -- \"$word\"))\n}\n\ncomplete -F _qomet qomet\n");
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "man")) {
        print_man();
    } else if (argc == 2 && !strcmp(argv[1], "bash")) {
        print_bash();
    } else {
        fprintf(stderr, "usage: gen-docs man|bash\n");
        return 1;
    }
    return ferror(stdout) || fclose(stdout) ? 1 : 0;
}
