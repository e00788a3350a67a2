/* SPDX-License-Identifier: MIT */
/*
 * The frame of a picture: what it is called, which colour stands for what, and names that may hold
 * anything.
 */
#include <inttypes.h>
#include <string.h>
#include <qomet/machine/machine.h>
#include "monitor/picture-int.h"

/* Characters of a name that a box shows. */
#define LABEL_MAX 40
/* Bytes of a path that name a node. */
#define PATH_MAX_SHOWN 1000

/* ---- Kinds ---- */

const PictureKind *picture_kind(Picture *p, const char *key)
{
    unsigned i = 0;

    while (p->kinds[i + 1].key && strcmp(p->kinds[i].key, key) != 0) {
        i++;
    }
    p->drawn |= UINT32_C(1) << i;
    return &p->kinds[i];
}

const PictureKind *picture_kind_of(Picture *p, Object *obj)
{
    unsigned i = 0;

    while (p->kinds[i + 1].key && !object_dynamic_cast(obj, p->kinds[i].key)) {
        i++;
    }
    p->drawn |= UINT32_C(1) << i;
    return &p->kinds[i];
}

/* ---- Text ---- */

/* One character as it is shown: markup escaped when @html, and a quote always. */
static void append_character(GString *out, gunichar c, bool html)
{
    switch (c) {
    case '&':
        g_string_append(out, html ? "&amp;" : "&");
        break;
    case '<':
        g_string_append(out, html ? "&lt;" : "<");
        break;
    case '>':
        g_string_append(out, html ? "&gt;" : ">");
        break;
    case ']': /* Graphviz stumbles over one that stands alone. */
        g_string_append(out, html ? "&#93;" : "]");
        break;
    case '"':
        g_string_append(out, html ? "&quot;" : "\\\"");
        break;
    case '\\':
        g_string_append(out, html ? "\\" : "\\\\");
        break;
    default:
        g_string_append_unichar(out, c);
    }
}

/* Bytes that are no UTF-8, and characters that move the pen, become \xNN; at most @max shown. */
static void append_text(GString *out, const char *text, bool html, unsigned max)
{
    for (unsigned n = 0; *text; n++) {
        gunichar c = g_utf8_get_char_validated(text, -1);

        if (n == max) {
            g_string_append(out, "\u2026");
            return;
        }
        if (c == (gunichar)-1 || c == (gunichar)-2 || !g_unichar_isprint(c)) {
            g_string_append_printf(out, html ? "\\x%02x" : "\\\\x%02x", (unsigned char)*text);
            text++;
        } else {
            append_character(out, c, html);
            text = g_utf8_next_char(text);
        }
    }
}

void picture_label(GString *out, const char *text)
{
    append_text(out, text, true, LABEL_MAX);
}

void picture_small(GString *out, const char *text)
{
    g_string_append(out, "<BR/><FONT POINT-SIZE=\"9\" COLOR=\"#444444\">");
    picture_label(out, text);
    g_string_append(out, "</FONT>");
}

void picture_name(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    append_text(out, text, false, UINT_MAX);
    g_string_append_c(out, '"');
}

void picture_object(GString *out, Object *obj)
{
    g_autofree char *path = object_get_canonical_path(obj);

    if (path && strlen(path) <= PATH_MAX_SHOWN) {
        picture_name(out, path);
    } else {
        /* Outside of the tree there may be others like it; and Graphviz takes no longer names. */
        g_autofree char *name = g_strdup_printf(
            "%.*s %p", PATH_MAX_SHOWN, path ? path : object_get_typename(obj), (void *)obj);

        picture_name(out, name);
    }
}

char *picture_size(uint64_t bytes)
{
    static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    unsigned unit = 0;

    if (bytes == UINT64_MAX) {
        return g_strdup("16 EiB");
    }
    while (bytes && bytes % 1024 == 0 && unit + 1 < G_N_ELEMENTS(units)) {
        bytes /= 1024;
        unit++;
    }
    return bytes == 1 && !unit ? g_strdup("1 byte")
                               : g_strdup_printf("%" PRIu64 " %s", bytes, units[unit]);
}

/* ---- The frame ---- */

void picture_begin(Picture *p, const PictureKind *kinds)
{
    *p = (Picture){ .text = g_string_new(NULL), .kinds = kinds };
    g_string_append(p->text,
                    "digraph Qomet {\n"
                    "  graph [rankdir=LR bgcolor=\"white\" fontname=\"Helvetica,Arial,sans-serif\""
                    " nodesep=0.12 ranksep=0.45 pad=0.25]\n"
                    "  node [shape=box style=\"filled,rounded\" height=0.3 margin=\"0.11,0.055\""
                    " fontname=\"Helvetica,Arial,sans-serif\" fontsize=11]\n"
                    "  edge [color=\"#78909c\" arrowsize=0.6"
                    " fontname=\"Helvetica,Arial,sans-serif\" fontsize=9]\n");
}

/*
 * Graphviz makes the cells of a row that is too short wider: an empty one takes what @seen is longer
 * than they are, in points by a rule of thumb.
 */
static void add_legend(Picture *p, const char *seen)
{
    int rest = (int)strlen(seen) * 5;

    g_string_append(p->text, "<TABLE BORDER=\"0\" CELLSPACING=\"5\" CELLPADDING=\"4\"><TR>");
    for (unsigned i = 0; p->kinds[i].key; i++) {
        const PictureKind *kind = &p->kinds[i];

        if (!(p->drawn & UINT32_C(1) << i)) {
            continue;
        }
        g_string_append_printf(p->text,
                               "<TD BORDER=\"1\" STYLE=\"ROUNDED\" BGCOLOR=\"%s\" COLOR=\"%s\">"
                               "<FONT POINT-SIZE=\"10\">%s</FONT>",
                               kind->fill, kind->line, kind->title);
        if (kind->room) {
            g_string_append_printf(
                p->text, "<BR/><FONT POINT-SIZE=\"9\" COLOR=\"#666666\">%s/</FONT>", kind->room);
        }
        g_string_append(p->text, "</TD>");
        rest -= (int)strlen(kind->title) * 5 + 15;
    }
    g_string_append_printf(p->text, "<TD WIDTH=\"%d\"></TD></TR></TABLE>", MAX(rest, 1));
}

char *picture_end(Picture *p, const char *title, const char *seen)
{
    MachineState *machine = current_machine();

    g_string_append_printf(p->text,
                           "labelloc=t labeljust=l\n"
                           "label=<<TABLE BORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"5\">"
                           "<TR><TD ALIGN=\"LEFT\"><FONT POINT-SIZE=\"16\"><B>%s",
                           title);
    if (machine) {
        g_autofree char *name = machine_name(MACHINE_GET_CLASS(machine));

        g_string_append(p->text, " of the machine ");
        picture_label(p->text, name);
    }
    g_string_append_printf(p->text,
                           "</B></FONT></TD></TR><TR><TD ALIGN=\"LEFT\">"
                           "<FONT POINT-SIZE=\"11\" COLOR=\"#444444\">%s</FONT></TD></TR>"
                           "<TR><TD ALIGN=\"LEFT\" CELLPADDING=\"0\">",
                           seen);
    add_legend(p, seen);
    g_string_append(p->text, "</TD></TR></TABLE>>\n}\n");
    return g_string_free(p->text, FALSE);
}
