/* SPDX-License-Identifier: MIT */
/* What a board file says: making, extending and freeing it, and messages that name a place. */
#include <stdarg.h>
#include <string.h>
#include <qomet/accel/runstate.h>
#include "options/board-int.h"

/* Of a path below the machine. */
#define MAX_PARTS 16

static void text_clear(BoardText *text)
{
    g_clear_pointer(&text->text, g_free);
}

static void property_free(gpointer data)
{
    BoardProperty *prop = data;

    text_clear(&prop->key);
    text_clear(&prop->value);
    g_free(prop);
}

static void object_free(gpointer data)
{
    BoardObject *object = data;

    text_clear(&object->name);
    text_clear(&object->type);
    text_clear(&object->bus);
    g_array_unref(object->places);
    g_ptr_array_unref(object->props);
    g_free(object);
}

static void wire_free(gpointer data)
{
    BoardWire *wire = data;

    text_clear(&wire->from);
    text_clear(&wire->to);
    g_free(wire);
}

Board *board_new(void)
{
    Board *board = g_new0(Board, 1);

    board->files = g_ptr_array_new_with_free_func(g_free);
    board->props = g_ptr_array_new_with_free_func(property_free);
    board->objects = g_ptr_array_new_with_free_func(object_free);
    board->wires = g_ptr_array_new_with_free_func(wire_free);
    board->remarks = g_ptr_array_new_with_free_func(g_free);
    return board;
}

void board_free(Board *board)
{
    if (board) {
        text_clear(&board->name);
        text_clear(&board->base);
        text_clear(&board->desc);
        g_ptr_array_unref(board->props);
        g_ptr_array_unref(board->objects);
        g_ptr_array_unref(board->wires);
        g_ptr_array_unref(board->remarks);
        g_ptr_array_unref(board->files);
        g_free(board);
    }
}

BoardObject *board_add_object(Board *board)
{
    BoardObject *object = g_new0(BoardObject, 1);

    object->places = g_array_new(FALSE, FALSE, sizeof(BoardPlace));
    object->props = g_ptr_array_new_with_free_func(property_free);
    g_ptr_array_add(board->objects, object);
    return object;
}

BoardWire *board_add_wire(Board *board)
{
    BoardWire *wire = g_new0(BoardWire, 1);

    g_ptr_array_add(board->wires, wire);
    return wire;
}

BoardProperty *board_add_property(GPtrArray *props, char *key, char *value)
{
    BoardProperty *prop = g_new0(BoardProperty, 1);

    prop->key.text = key;
    prop->value.text = value;
    g_ptr_array_add(props, prop);
    return prop;
}

bool board_name_is_good(const char *text)
{
    unsigned parts = 1;

    if (!g_ascii_isalpha(*text)) {
        return false;
    }
    for (const char *p = text; *p; p++) {
        if (!g_ascii_isalnum(*p) && !strchr("-._[]/", *p)) {
            return false;
        }
        parts += *p == '/';
        if (*p == '/' && (p[1] == '/' || !p[1])) {
            return false;
        }
    }
    return parts <= MAX_PARTS;
}

bool board_interrupted(GError **errp)
{
    bool interrupted = qemu_shutdown_requested_get() == SHUTDOWN_CAUSE_HOST_SIGNAL;

    if (interrupted) {
        qom_error_set(errp, QOM_ERROR_FAILED, "a signal came while the board was made");
    }
    return interrupted;
}

bool board_error(GError **errp, const BoardPos *at, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, fmt);
    text = g_strdup_vprintf(fmt, args);
    va_end(args);
    qom_error_set(errp, QOM_ERROR_SYNTAX, "%s:%u:%u: %s", at->file, at->line, at->column, text);
    return false;
}

bool board_blame(GError **errp, const BoardPos *at)
{
    g_prefix_error(errp, "%s:%u:%u: ", at->file, at->line, at->column);
    return false;
}

bool board_blame_object(GError **errp, const BoardObject *object)
{
    g_prefix_error(errp, "%s: ", object->name.text);
    return board_blame(errp, &object->name.at);
}
