/* SPDX-License-Identifier: MIT */
/* Exits for people: a table by object, and the last ones as a path. */
#include <inttypes.h>
#include <string.h>
#include <qomet/monitor/qmp.h>
#include "monitor/exits.h"
#include "monitor/hmp-handlers.h"
#include "monitor/hmp-int.h"

/* How many rows of the table are objects. */
#define LARGEST 10

static void add_to(EntryCounts *sum, const EntryCounts *n)
{
    sum->reads += n->reads;
    sum->writes += n->writes;
    sum->read_bytes += n->read_bytes;
    sum->write_bytes += n->write_bytes;
    sum->other += n->other;
    sum->nanoseconds += n->nanoseconds;
}

/* A row up to its name. */
static void print_row(Monitor *mon, const EntryCounts *n, bool timed)
{
    monitor_printf(mon, "%10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64,
                   n->reads, n->read_bytes, n->writes, n->write_bytes, n->other);
    if (timed) {
        monitor_printf(mon, " %10" PRIu64, n->nanoseconds / 1000);
    }
}

bool hmp_do_info_exits(Monitor *mon, GVariant *args, GError **errp)
{
    g_autoptr(GPtrArray) all = exit_counts_all();
    EntryCounts total = { 0 }, rest = { 0 };
    bool timed = exit_observers() & (EXIT_TIMING | EXIT_EXPLAIN);
    guint entered = 0;

    (void)args;
    (void)errp;
    for (guint i = 0; i < all->len; i++) {
        const ExitCounts *c = g_ptr_array_index(all, i);

        add_to(i < LARGEST ? &total : &rest, &c->counts);
        entered += exit_counts_sum(c) != 0;
    }
    add_to(&total, &rest);
    timed |= total.nanoseconds != 0;
    monitor_printf(mon, "%10s %10s %10s %10s %10s%s  object\n", "reads", "bytes", "writes", "bytes",
                   "entries", timed ? "    time us" : "");
    for (guint i = 0; i < MIN(entered, LARGEST); i++) {
        const ExitCounts *c = g_ptr_array_index(all, i);

        print_row(mon, &c->counts, timed);
        monitor_printf(mon, "  %s (%s)\n", c->path, c->type);
    }
    if (entered > LARGEST) {
        print_row(mon, &rest, timed);
        monitor_printf(mon, "  %u others\n", entered - LARGEST);
    }
    print_row(mon, &total, timed);
    monitor_printf(mon, "  all: %u objects, entered %" PRIu64 " times\n", entered,
                   total.reads + total.writes + total.other);
    return true;
}

/* "on", "off", or how many; false with @errp set for anything else. */
static bool read_count(const char *what, int64_t *count, GError **errp)
{
    char *end;

    *count = g_ascii_strtoll(what, &end, 0);
    if (*end || end == what || *count < 1) {
        hmp_syntax_error(errp, "'%s' is neither on, off, nor a number of exits", what);
        return false;
    }
    return true;
}

bool hmp_do_explain(Monitor *mon, GVariant *args, GError **errp)
{
    const char *what = qmp_arg_str(args, "what");
    g_autoptr(GPtrArray) records = NULL;
    int64_t count = 1;

    if (what && (!strcmp(what, "on") || !strcmp(what, "off"))) {
        return exit_observe(EXIT_KEEP, !strcmp(what, "on"), errp);
    }
    if (what && !read_count(what, &count, errp)) {
        return false;
    }
    records = exit_records_asked_for(count, -1, errp);
    if (records && !records->len) {
        monitor_puts(mon, "no exit has been recorded yet\n");
    }
    /* As they came: the last one is read last. */
    for (guint i = records ? records->len : 0; i > 0; i--) {
        g_autoptr(GString) text = g_string_new(NULL);

        exit_record_explain(g_ptr_array_index(records, i - 1), text);
        monitor_puts(mon, text->str);
    }
    return records != NULL;
}
