/* SPDX-License-Identifier: MIT */
/* Boards written as board files. */
#include <inttypes.h>
#include <string.h>
#include "options/board-int.h"

static void put_quoted(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (const char *p = text; *p; p++) {
        switch (*p) {
        case '"':
        case '\\':
            g_string_append_c(out, '\\');
            g_string_append_c(out, *p);
            break;
        case '\n':
            g_string_append(out, "\\n");
            break;
        case '\t':
            g_string_append(out, "\\t");
            break;
        default:
            g_string_append_c(out, *p);
        }
    }
    g_string_append_c(out, '"');
}

/* Whether @text can stand without quotes behind a ':'. */
static bool is_plain(const char *text)
{
    if (!*text || *text == '$') {
        return false;
    }
    for (const char *p = text; *p; p++) {
        if ((uint8_t)*p <= 0x20 || *p == 0x7f || strchr("\"#\\", *p)) {
            return false;
        }
    }
    return true;
}

static void put_properties(GString *out, const GPtrArray *props)
{
    for (unsigned i = 0; i < props->len; i++) {
        const BoardProperty *prop = g_ptr_array_index(props, i);

        g_string_append_printf(out, "    %s: ", prop->key.text);
        if (prop->reference) {
            g_string_append_c(out, '$');
        }
        if (prop->reference || is_plain(prop->value.text)) {
            g_string_append(out, prop->value.text);
        } else {
            put_quoted(out, prop->value.text);
        }
        g_string_append_c(out, '\n');
    }
}

static void put_machine(GString *out, const Board *board)
{
    g_string_append(out, "machine");
    if (board->name.text) {
        g_string_append_printf(out, " %s", board->name.text);
    }
    if (board->base.text) {
        g_string_append_printf(out, " from %s", board->base.text);
    }
    if (board->desc.text) {
        g_string_append_c(out, ' ');
        put_quoted(out, board->desc.text);
    }
    g_string_append_c(out, '\n');
    put_properties(out, board->props);
}

static void put_places(GString *out, const GArray *places)
{
    for (unsigned i = 0; i < places->len; i++) {
        const BoardPlace *place = &g_array_index(places, BoardPlace, i);

        g_string_append_printf(out, "%s %s", i ? "," : " at", place->port ? "port " : "");
        if (place->nowhere) {
            g_string_append(out, "none");
        } else {
            g_string_append_printf(out, "0x%" PRIx64, place->addr);
        }
    }
}

static void put_object(GString *out, const BoardObject *object)
{
    if (object->cpus) {
        g_string_append(out, "\ncpus\n");
        return;
    }
    g_string_append_printf(out, "\n%s: %s", object->name.text, object->type.text);
    if (object->bus.text) {
        g_string_append_printf(out, " on %s", object->bus.text);
    }
    put_places(out, object->places);
    g_string_append_c(out, '\n');
    put_properties(out, object->props);
}

char *board_print(const Board *board)
{
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; i < board->remarks->len; i++) {
        g_string_append_printf(out, "# %s\n", (char *)g_ptr_array_index(board->remarks, i));
    }
    if (board->has_machine) {
        put_machine(out, board);
    }
    for (unsigned i = 0; i < board->objects->len; i++) {
        put_object(out, g_ptr_array_index(board->objects, i));
    }
    for (unsigned i = 0; i < board->wires->len; i++) {
        const BoardWire *wire = g_ptr_array_index(board->wires, i);

        g_string_append_printf(out, "%s%s -> %s\n", i ? "" : "\n", wire->from.text, wire->to.text);
    }
    return g_string_free(out, FALSE);
}
