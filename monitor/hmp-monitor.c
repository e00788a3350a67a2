/* SPDX-License-Identifier: MIT */
/*
 * The monitor for people: a prompt, a line editor, and lines carried out.
 */
#include "config.h"

#include <qomet/accel/runstate.h>
#include <qomet/qom/module.h>
#include "monitor/hmp-int.h"
#include "monitor/line-editor.h"

#define PROMPT "(qomet) "

typedef struct HmpMonitor {
    Monitor parent_obj;
    LineEditor *editor;
} HmpMonitor;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HmpMonitor, object_unref)
DECLARE_INSTANCE_CHECKER(HmpMonitor, HMP_MONITOR, TYPE_MONITOR_HMP)

/* Sends what brings the terminal up to date. */
static void show(HmpMonitor *hmp)
{
    g_autofree char *text = line_editor_output(hmp->editor);

    monitor_write(MONITOR(hmp), text, strlen(text));
}

static void hmp_opened(Monitor *mon)
{
    HmpMonitor *hmp = HMP_MONITOR(mon);

    line_editor_free(hmp->editor);
    hmp->editor = line_editor_new(PROMPT);
    monitor_puts(mon,
                 PACKAGE_NAME " " PACKAGE_VERSION " monitor - type 'help' for more information\n");
    if (!mon->away) {
        line_editor_begin(hmp->editor);
        show(hmp);
    }
}

/* On a shared terminal the line begins anew whenever it is this monitor's turn. */
static void hmp_focus(Monitor *mon, bool in)
{
    if (in) {
        line_editor_resume(HMP_MONITOR(mon)->editor);
        show(HMP_MONITOR(mon));
    } else {
        monitor_puts(mon, "\n");
    }
}

static void execute(HmpMonitor *hmp)
{
    g_autofree char *line = NULL;
    g_autoptr(GError) error = NULL;

    show(hmp);
    line = line_editor_take(hmp->editor);
    if (!hmp_execute(MONITOR(hmp), line, &error)) {
        monitor_printf(MONITOR(hmp), "%s\n", error->message);
    }
    if (qemu_shutdown_requested_get() == SHUTDOWN_CAUSE_NONE) {
        line_editor_begin(hmp->editor);
    }
}

static void complete(HmpMonitor *hmp)
{
    g_autofree char *before =
        g_strndup(line_editor_text(hmp->editor), line_editor_cursor(hmp->editor));
    g_auto(GStrv) words = NULL;
    size_t from;

    words = hmp_complete(before, &from);
    line_editor_complete(hmp->editor, from, (const char *const *)words);
}

static size_t hmp_input(Monitor *mon, const char *buf, size_t len)
{
    HmpMonitor *hmp = HMP_MONITOR(mon);
    size_t done = 0;

    while (done < len && mon->connected && !mon->paused) {
        /* Behind "quit" nobody listens any more. */
        if (qemu_shutdown_requested_get() != SHUTDOWN_CAUSE_NONE) {
            return len;
        }
        switch (line_editor_key(hmp->editor, (uint8_t)buf[done++])) {
        case LINE_NOTHING:
            break;
        case LINE_DONE:
            execute(hmp);
            break;
        case LINE_COMPLETE:
            complete(hmp);
            break;
        case LINE_END:
            monitor_hang_up(mon);
            break;
        }
    }
    show(hmp);
    return done;
}

static void hmp_init(Object *obj)
{
    HMP_MONITOR(obj)->editor = line_editor_new(PROMPT);
}

static void hmp_finalize(Object *obj)
{
    line_editor_free(HMP_MONITOR(obj)->editor);
}

static void hmp_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    MonitorClass *mc = MONITOR_CLASS(klass);

    mc->opened = hmp_opened;
    mc->focus = hmp_focus;
    mc->input = hmp_input;
    mc->returns = true;
    USER_CREATABLE_CLASS(klass)->complete = monitor_start;
}

static const TypeInfo hmp_types[] = {
    {
        .name = TYPE_MONITOR_HMP,
        .parent = TYPE_MONITOR,
        .instance_size = sizeof(HmpMonitor),
        .instance_init = hmp_init,
        .instance_finalize = hmp_finalize,
        .class_init = hmp_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_USER_CREATABLE }, { NULL } },
    },
};

DEFINE_TYPES(hmp_types)
