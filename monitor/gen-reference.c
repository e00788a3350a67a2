/* SPDX-License-Identifier: MIT */
/*
 * gen-reference - writes docs/qmp-reference.md, the reference of all that a monitor can be asked,
 * from the schema. Run by make.
 */
#include <stdio.h>
#include <string.h>
#include <qomet/monitor/schema.h>

/* Text within a table: a bar would begin a column. */
static void print_text(const char *text)
{
    for (; *text; text++) {
        if (*text == '|') {
            fputs("\\|", stdout);
        } else if (*text == '<') {
            fputs("&lt;", stdout);
        } else {
            putchar(*text);
        }
    }
}

/* @type as a person reads it: "list of `X`", linked where it has an entry. */
static void print_type(const char *type)
{
    size_t len = strlen(type);
    bool list = g_str_has_suffix(type, "[]");
    g_autofree char *element = g_strndup(type, list ? len - 2 : len);
    g_autofree char *anchor = g_ascii_strdown(element, -1);

    printf(list ? "list of " : "");
    printf(schema_type_find(element) ? "[`%s`](#%s)" : "`%s`", element, anchor);
}

static void print_members(const char *title, const SchemaMember *members)
{
    if (!members) {
        return;
    }
    printf("| %s | type | |\n| --- | --- | --- |\n", title);
    for (const SchemaMember *m = members; m->name; m++) {
        printf("| `%s`%s | ", m->name, m->optional ? " (optional)" : "");
        print_type(m->type);
        fputs(" | ", stdout);
        print_text(m->help);
        fputs(" |\n", stdout);
    }
    putchar('\n');
}

static void print_commands(void)
{
    printf("## Commands\n\n");
    for (const QmpCommand *row = qmp_commands; row->name; row++) {
        printf("### %s\n\n%s\n\n", row->name, row->help);
        print_members("argument", row->args);
        if (row->open_args) {
            printf("Further arguments are the properties of what is made.\n\n");
        }
        if (row->ret) {
            printf("Returns: ");
            print_type(row->ret);
            printf(".\n\n");
        }
        if (row->oob) {
            printf("May be sent with `exec-oob`.\n\n");
        }
    }
}

static void print_events(void)
{
    printf("## Events\n\n");
    for (const QmpEvent *row = qmp_events; row->name; row++) {
        printf("### %s\n\n%s\n\n", row->name, row->help);
        print_members("data", row->data);
    }
}

static void print_types(void)
{
    printf(
        "## Types\n\n"
        "`str` is a string, `int` an integer of 64 bits, `size` one without a sign, `number` any "
        "number, `bool` true or\nfalse, `any` whatever fits.\n\n");
    for (const SchemaType *row = schema_types; row->name; row++) {
        printf("### %s\n\n%s\n\n", row->name, row->help);
        if (row->values) {
            g_autofree char *values = g_strjoinv("`, `", (char **)row->values);

            printf("One of `%s`.\n\n", values);
        }
        print_members("member", row->members);
        if (row->variants) {
            printf("An object of two members: `type`, one of the following, and `data`.\n\n");
        }
        print_members("`type`", row->variants);
    }
}

static void print_lines(void)
{
    printf("## The human monitor\n\n| line | |\n| --- | --- |\n");
    for (const HmpCommand *row = hmp_commands; row->name; row++) {
        printf("| `%s%s", row->name, row->params && *row->params ? " " : "");
        print_text(row->params ? row->params : "");
        printf("` | ");
        print_text(row->help);
        printf("%s%s%s |\n", row->alias ? " (also `" : "", row->alias ? row->alias : "",
               row->alias ? "`)" : "");
    }
}

int main(void)
{
    printf(
        "<!-- Made of monitor/schema*.c by monitor/gen-reference. -->\n"
        "# What a monitor can be asked\n\n"
        "A monitor that is made with `-qmp` or `-mon mode=control` speaks JSON: it greets, and the "
        "client answers with\n`qmp_capabilities`. From then on each `{\"execute\": COMMAND, "
        "\"arguments\": {...}, \"id\": ANY}` is answered by\n`{\"return\": ..., \"id\": ANY}` or "
        "`{\"error\": {\"class\": ..., \"desc\": ...}, \"id\": ANY}`, and events come\nin between. "
        "The words are QEMU's where QEMU has them; `query-qmp-schema` tells all of this to a "
        "program.\n\n");
    print_commands();
    print_events();
    print_types();
    print_lines();
    return ferror(stdout) || fclose(stdout) ? 1 : 0;
}
