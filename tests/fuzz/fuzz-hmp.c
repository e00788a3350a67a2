/* SPDX-License-Identifier: MIT */
/*
 * The human monitor: keys make lines, lines are completed and carried out on a small machine.
 * Whatever they are, what is shown is text, what is offered begins with what was typed, and a line
 * is done or refused with a reason. Commands that touch the host are left out.
 */
#include <stdlib.h>
#include <string.h>
#include <qomet/accel/accel.h>
#include <qomet/backends/loop.h>
#include <qomet/hw/isa/isa-bus.h>
#include <qomet/memory/main-work.h>
#include "machine/rooms.h"
#include "monitor/hmp-int.h"
#include "monitor/line-editor.h"
#include "tests/fuzz/fuzz.h"

static bool begun;

static void begin(void)
{
    MUST(rooms_begin(NULL));
    begun = true;
}

/* A machine with a bus, and nothing of an earlier one. */
static void renew(void)
{
    while (main_work_run()) {
    }
    runstate_cleanup();
    object_unparent(qdev_get_machine());
    MUST(isa_bus_new(NULL, get_system_io(), NULL));
}

static bool touches_host(const char *line)
{
    const char *at = line;
    const HmpCommand *row = hmp_find(&at, NULL);

    return row && !strcmp(row->name, "object_add");
}

static void execute(const char *line)
{
    g_autoptr(Monitor) mon = monitor_gathering_new();
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    bool done;

    if (touches_host(line)) {
        return;
    }
    done = hmp_execute(mon, line, &error);
    MUST(done == !error && (!error || *error->message));
    text = monitor_gathered(mon);
    MUST(g_utf8_validate(text, -1, NULL));
    MUST(!error || g_utf8_validate(error->message, -1, NULL));
    /* Nothing that is asked for is logged here. */
    qemu_loglevel = 0;
}

static void complete(LineEditor *ed)
{
    g_autofree char *before = g_strndup(line_editor_text(ed), line_editor_cursor(ed));
    size_t from;
    g_auto(GStrv) words = hmp_complete(before, &from);

    MUST(from <= strlen(before));
    for (char **word = words; *word; word++) {
        MUST(g_str_has_prefix(*word, before + from));
    }
    line_editor_complete(ed, from, (const char *const *)words);
}

static void check_shown(LineEditor *ed)
{
    g_autofree char *text = line_editor_output(ed);

    MUST(g_utf8_validate(text, -1, NULL));
    MUST(g_utf8_validate(line_editor_text(ed), -1, NULL));
    MUST(strlen(line_editor_text(ed)) <= LINE_EDITOR_MAX);
    MUST(line_editor_cursor(ed) <= strlen(line_editor_text(ed)));
}

/* Each byte is a key. */
static void type(LineEditor *ed, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        g_autofree char *line = NULL;

        switch (line_editor_key(ed, data[i])) {
        case LINE_DONE:
            line = line_editor_take(ed);
            execute(line);
            line_editor_begin(ed);
            break;
        case LINE_COMPLETE:
            complete(ed);
            break;
        case LINE_NOTHING:
        case LINE_END:
            break;
        }
        check_shown(ed);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *whole = g_strndup((const char *)data, size);
    LineEditor *ed = line_editor_new("> ");

    if (!begun) {
        begin();
    }
    renew();
    line_editor_begin(ed);
    type(ed, data, size);
    line_editor_free(ed);
    /* And as QMP hands a line over, with whatever is in it. */
    execute(whole);
    return 0;
}
