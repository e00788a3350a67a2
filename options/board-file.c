/* SPDX-License-Identifier: MIT */
/*
 * The files that a board is read from: found, kept from including themselves and from growing
 * without end, and read whole.
 */
#include <stdlib.h>
#include <string.h>
#include "backends/read-file.h"
#include "options/board-int.h"

/* Files within files, how many in all (one may be included again and again), and their bytes. */
#define MAX_DEPTH 32
#define MAX_FILES 1000
#define MAX_BYTES_OF_ALL (8u << 20)
#define MAX_BYTES (4u << 20)

/* ---- On the disk ---- */

char *board_read_file(void *opaque, const char *path, size_t *len, GError **errp)
{
    g_autoptr(GBytes) bytes = host_read_file(path, MAX_BYTES, "a board file is read", errp);
    const void *data = bytes ? g_bytes_get_data(bytes, len) : NULL;
    char *text = bytes ? g_malloc0(*len + 1) : NULL;

    (void)opaque;
    if (data) {
        memcpy(text, data, *len);
    }
    return text;
}

/* ---- Files within files ---- */

static char *identity_of(const char *path)
{
    char *real = realpath(path, NULL), *copy = real ? g_strdup(real) : NULL;

    free(real); /* malloc's, as path and not GLib's */
    return copy ? copy : g_canonicalize_filename(path, NULL);
}

/* Refuses a file that is being read already; the way to it is told. */
static bool check_cycle(const BoardFile *file, const BoardPos *at, GError **errp)
{
    for (const BoardFile *outer = file->outer; outer; outer = outer->outer) {
        g_autoptr(GString) way = NULL;

        if (strcmp(outer->identity, file->identity) != 0) {
            continue;
        }
        way = g_string_new(file->name);
        for (const BoardFile *step = file->outer; step; step = step == outer ? NULL : step->outer) {
            g_string_prepend(way, " -> ");
            g_string_prepend(way, step->name);
        }
        return board_error(errp, at, "expected a file that is not being read already: %s",
                           way->str);
    }
    if (file->depth > MAX_DEPTH) {
        return board_error(errp, at, "expected files at most %d deep in each other", MAX_DEPTH);
    }
    if (file->reader->board->files->len > MAX_FILES) {
        return board_error(errp, at, "expected at most %d files in all", MAX_FILES);
    }
    return true;
}

/* An error in a file that was included says where that was. */
static void tell_outer(const BoardFile *file, const BoardPos *at, GError **errp)
{
    if (file->outer && errp && *errp) {
        g_autofree char *text =
            g_strdup_printf("%s (included at %s:%u)", (*errp)->message, at->file, at->line);

        g_free((*errp)->message);
        (*errp)->message = g_steal_pointer(&text);
    }
}

static bool read_and_parse(const BoardFile *file, const BoardPos *at, GError **errp)
{
    BoardReader *reader = file->reader;
    g_autofree char *text = NULL;
    size_t len;

    text = reader->read(reader->opaque, file->name, &len, errp);
    if (!text) {
        return at ? board_blame(errp, at) : false;
    }
    reader->bytes += len;
    if (reader->bytes > MAX_BYTES_OF_ALL) {
        qom_error_set(errp, QOM_ERROR_VALUE, "a board has at most %u MiB of text in all its files",
                      MAX_BYTES_OF_ALL >> 20);
        return at ? board_blame(errp, at) : false;
    }
    if (!board_parse_text(file, text, len, errp)) {
        tell_outer(file, at, errp);
        return false;
    }
    return true;
}

/* @outer and @at are NULL for the first file. */
static bool read_file(BoardReader *reader, const char *name, const BoardFile *outer,
                      const BoardPos *at, GError **errp)
{
    BoardFile file = { .reader = reader, .outer = outer, .depth = outer ? outer->depth + 1 : 0 };
    char *own = g_strdup(name);
    bool ok;

    g_ptr_array_add(reader->board->files, own);
    file.name = own;
    file.identity = identity_of(name);
    ok = (!outer || check_cycle(&file, at, errp)) && read_and_parse(&file, at, errp);
    g_free(file.identity);
    return ok;
}

bool board_include(const BoardFile *file, const char *name, const BoardPos *at, GError **errp)
{
    return read_file(file->reader, name, file, at, errp);
}

Board *board_parse(const char *path, BoardReadFn *read, void *opaque, GError **errp)
{
    g_autoptr(Board) board = board_new();
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    BoardReader reader = { .board = board, .names = names, .read = read, .opaque = opaque };

    return read_file(&reader, path, NULL, NULL, errp) ? g_steal_pointer(&board) : NULL;
}
