/* SPDX-License-Identifier: MIT */
/*
 * Lines of the human monitor: the row of a line, its arguments, its function; and help, which is
 * made of the rows.
 */
#include <stdarg.h>
#include <string.h>
#include <qomet/monitor/qmp.h>
#include "monitor/hmp-handlers.h"
#include "monitor/hmp-int.h"

/* What stands before the name of a topic. */
#define INFO "info"

/* ---- Errors ---- */

GQuark hmp_syntax_quark(void)
{
    return g_quark_from_static_string("hmp-syntax");
}

void hmp_syntax_error(GError **errp, const char *fmt, ...)
{
    va_list ap;

    if (!errp) {
        return;
    }
    va_start(ap, fmt);
    *errp = g_error_new_valist(HMP_SYNTAX, 0, fmt, ap);
    va_end(ap);
}

/* ---- Rows by their words ---- */

/* The row of exactly that name or alias, or NULL. */
static const HmpCommand *find_row(const char *name)
{
    for (const HmpCommand *row = hmp_commands; row->name; row++) {
        if (!strcmp(row->name, name) || !g_strcmp0(row->alias, name)) {
            return row;
        }
    }
    return NULL;
}

/* A word of a name: up to a space, or to the format that may stand right behind it ("x/10i"). */
static char *take_name(const char **at)
{
    const char *begin = *at + strspn(*at, " ");
    size_t len = strcspn(begin, " /");

    /* What begins with a slash is no format without a name. */
    *at = begin + (len ? len : strcspn(begin, " "));
    return g_strndup(begin, (gsize)(*at - begin));
}

static void set_unknown(const char *name, GError **errp)
{
    g_autofree char *near = qom_did_you_mean_row(name, hmp_commands, sizeof(*hmp_commands));

    qmp_error_set(errp, QMP_ERROR_GENERIC, "unknown command: '%s'%s", name, near);
}

const HmpCommand *hmp_find(const char **at, GError **errp)
{
    g_autofree char *name = take_name(at);
    const HmpCommand *row;

    if (!strcmp(name, INFO) && (*at)[strspn(*at, " ")]) {
        g_autofree char *info = g_steal_pointer(&name);
        g_autofree char *topic = take_name(at);

        name = g_strconcat(info, " ", topic, NULL);
    }
    row = find_row(name);
    if (!row) {
        set_unknown(name, errp);
    }
    return row;
}

/* ---- Lines ---- */

static bool carry_out(const HmpCommand *row, Monitor *mon, const char *rest, GError **errp)
{
    g_autoptr(GVariant) args = hmp_parse_args(row, rest, mon, errp);
    g_autoptr(GVariant) ret = NULL;
    g_autoptr(GError) error = NULL;

    if (!args) {
        return false;
    }
    if (row->fn ? !row->fn(mon, args, &error) : !row->qmp(mon, args, &ret, &error)) {
        if (error->domain != HMP_SYNTAX) {
            g_prefix_error(&error, "Error: ");
        }
        g_propagate_error(errp, g_steal_pointer(&error));
        return false;
    }
    return true;
}

bool hmp_execute(Monitor *mon, const char *line, GError **errp)
{
    const char *at = line + strspn(line, " ");
    g_autoptr(GError) error = NULL;
    const HmpCommand *row;

    if (!g_utf8_validate(line, -1, NULL)) {
        qmp_error_set(errp, QMP_ERROR_GENERIC, "the line is not UTF-8");
        return false;
    }
    if (!*at) {
        return true;
    }
    row = hmp_find(&at, errp);
    if (!row) {
        return false;
    }
    if (carry_out(row, mon, at, &error)) {
        return true;
    }
    if (error->domain == HMP_SYNTAX) {
        g_autofree char *text = g_strdup(error->message);

        qmp_error_set(errp, QMP_ERROR_GENERIC, "%s: %s\nTry \"help %s\" for more information",
                      row->name, text, row->name);
        return false;
    }
    g_propagate_error(errp, g_steal_pointer(&error));
    return false;
}

/* ---- Help ---- */

static void show_row(Monitor *mon, const HmpCommand *row)
{
    monitor_printf(mon, "%s%s%s%s%s -- %s\n", row->name, row->alias ? "|" : "",
                   row->alias ? row->alias : "", *row->params ? " " : "", row->params, row->help);
}

static int compare_rows(const void *a, const void *b)
{
    return strcmp((*(const HmpCommand *const *)a)->name, (*(const HmpCommand *const *)b)->name);
}

/* The topics of info, or all that are none, in order of name. */
static void show_all(Monitor *mon, bool topics)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new();

    for (const HmpCommand *row = hmp_commands; row->name; row++) {
        if (topics == (strchr(row->name, ' ') != NULL)) {
            g_ptr_array_add(rows, (void *)row);
        }
    }
    g_ptr_array_sort(rows, compare_rows);
    for (guint i = 0; i < rows->len; i++) {
        show_row(mon, g_ptr_array_index(rows, i));
    }
}

bool hmp_do_help(Monitor *mon, GVariant *args, GError **errp)
{
    const char *name = qmp_arg_str(args, "command");
    const HmpCommand *row;

    if (!name) {
        show_all(mon, false);
        return true;
    }
    if (!strcmp(name, INFO)) {
        show_all(mon, true);
        return true;
    }
    row = hmp_find(&name, errp);
    if (row) {
        show_row(mon, row);
    }
    return row != NULL;
}

bool hmp_do_info(Monitor *mon, GVariant *args, GError **errp)
{
    (void)args;
    (void)errp;
    show_all(mon, true);
    return true;
}
