/* SPDX-License-Identifier: MIT */
/*
 * Board files read: the lines of a file, and of those that it includes, become a Board. The grammar
 * is that of docs/board-files.md; a function here is a rule there.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <qomet/qom/value.h>
#include "options/board-int.h"

/* Files within files, how many in all (one may be included again and again), and their bytes. */
#define MAX_DEPTH 32
#define MAX_FILES 1000
#define MAX_BYTES (8u << 20)

/* What an indented line belongs to. */
typedef enum Above { ABOVE_NOTHING, ABOVE_MACHINE, ABOVE_OBJECT, ABOVE_CLOSED } Above;

/* What all files of a board share. */
typedef struct Parser {
    Board *board;
    GHashTable *names; /* of an object -> its BoardObject */
    BoardReadFn *read;
    void *opaque;
    size_t bytes; /* read so far */
} Parser;

/* A file that is being read. */
typedef struct File {
    Parser *parser;
    const char *name;         /* as messages call it */
    char *identity;           /* its real path */
    const struct File *outer; /* the file that includes it, or NULL */
    unsigned depth;
    BoardLexer lex;
    BoardToken token; /* the one that was read last */
    Above above;
    BoardObject *object; /* for ABOVE_OBJECT */
    GHashTable *keys;    /* of what stands above -> its BoardProperty */
} File;

static bool parse_file(Parser *parser, const char *name, const File *outer, const BoardPos *at,
                       GError **errp);

/* ---- Tokens ---- */

static bool next(File *file, GError **errp)
{
    return board_lex_token(&file->lex, &file->token, errp);
}

static bool is(const File *file, BoardTokenKind kind)
{
    return file->token.kind == kind;
}

static bool is_word(const File *file, const char *word)
{
    return is(file, BOARD_TOKEN_WORD) && !strcmp(file->token.text, word);
}

/* "expected @what, not ..." */
static bool expected(const File *file, const char *what, GError **errp)
{
    g_autofree char *name = board_token_name(&file->token);

    return board_error(errp, &file->token.at, "expected %s, not %s", what, name);
}

/* Hands the text of the token over. */
static BoardText take_text(File *file)
{
    return (BoardText){ g_steal_pointer(&file->token.text), file->token.at };
}

/* Reads a token that must be a word. */
static bool next_word(File *file, const char *what, GError **errp)
{
    return next(file, errp) && (is(file, BOARD_TOKEN_WORD) || expected(file, what, errp));
}

static bool end_of_line(File *file, const char *or_what, GError **errp)
{
    return is(file, BOARD_TOKEN_END) || expected(file, or_what, errp);
}

/* ---- Names ---- */

/* Components of letters, digits and a few signs, separated by '/'; the first begins with a letter. */
static bool is_name(const char *text)
{
    if (!g_ascii_isalpha(*text)) {
        return false;
    }
    for (const char *p = text; *p; p++) {
        if (!g_ascii_isalnum(*p) && !strchr("-._[]/", *p)) {
            return false;
        }
        if (*p == '/' && (p[1] == '/' || !p[1])) {
            return false;
        }
    }
    return true;
}

static bool check_name(const BoardText *name, GError **errp)
{
    if (is_name(name->text)) {
        return true;
    }
    return board_error(errp, &name->at,
                       "expected a name - a letter, then letters, digits, '-', '.', '_', '[', ']', "
                       "with '/' between the parts of a path -, not '%s'",
                       name->text);
}

/* ---- Below an object or the machine ---- */

/* Behind "key:"; @key is taken over. */
static bool property(File *file, GPtrArray *props, BoardText key, GError **errp)
{
    BoardProperty *prop = board_add_property(props, key.text, NULL);
    const BoardProperty *other = g_hash_table_lookup(file->keys, key.text);

    prop->key.at = key.at;
    if (other) {
        return board_error(errp, &key.at, "'%s' has a value already, at %s:%u", key.text,
                           other->key.at.file, other->key.at.line);
    }
    g_hash_table_insert(file->keys, prop->key.text, prop);
    if (!board_lex_value(&file->lex, &file->token, errp)) {
        return false;
    }
    if (!is(file, BOARD_TOKEN_WORD) && !is(file, BOARD_TOKEN_STRING)) {
        return expected(file, "a value", errp);
    }
    prop->reference = is(file, BOARD_TOKEN_WORD) && *file->token.text == '$';
    prop->value = take_text(file);
    if (prop->reference) {
        memmove(prop->value.text, prop->value.text + 1, strlen(prop->value.text));
        if (!*prop->value.text) {
            return board_error(errp, &prop->value.at,
                               "expected the name of a property of the machine after '$'");
        }
    }
    return next(file, errp) &&
           end_of_line(file, "the end of the line (a value with spaces stands in quotes)", errp);
}

/* Behind "from ->"; @from is taken over. */
static bool wire(File *file, BoardText from, GError **errp)
{
    BoardWire *wire = board_add_wire(file->parser->board);

    wire->from = from;
    if (!next_word(file, "where the wire leads, as in 'pic.4'", errp)) {
        return false;
    }
    wire->to = take_text(file);
    return next(file, errp) && end_of_line(file, "the end of the line", errp);
}

/* A line that says something of the object, or of the machine, above it. */
static bool indented_line(File *file, GError **errp)
{
    bool of_object = file->above == ABOVE_OBJECT;
    g_autofree char *word = NULL;
    BoardText key;

    if (!of_object && file->above != ABOVE_MACHINE) {
        return board_error(errp, &file->token.at,
                           "expected this line to begin at the margin: there is no object above it "
                           "that it could belong to");
    }
    if (!is(file, BOARD_TOKEN_WORD)) {
        return expected(
            file, of_object ? "the name of a property or of a line" : "the name of a property",
            errp);
    }
    key = take_text(file);
    word = key.text;
    if (!next(file, errp)) {
        return false;
    }
    if (is(file, BOARD_TOKEN_COLON)) {
        word = NULL;
        return property(file, of_object ? file->object->props : file->parser->board->props, key,
                        errp);
    }
    if (is(file, BOARD_TOKEN_ARROW) && of_object) {
        key.text = g_strdup_printf("%s.%s", file->object->name.text, word);
        return wire(file, key, errp);
    }
    return expected(
        file, of_object ? "':' and a value, or '->' and where the line leads" : "':' and a value",
        errp);
}

/* ---- Statements ---- */

static bool place(File *file, BoardObject *object, GError **errp)
{
    BoardPlace place = { .at = file->token.at };
    g_autoptr(GError) error = NULL;

    if (is_word(file, "port")) {
        place.port = true;
        if (!next(file, errp)) {
            return false;
        }
    }
    if (!is(file, BOARD_TOKEN_WORD)) {
        return expected(file,
                        place.port ? "the number of a port, or 'none'"
                                   : "an address, 'port' and its number, or 'none'",
                        errp);
    }
    if (is_word(file, "none")) {
        place.nowhere = true;
    } else if (!value_parse_uint(file->token.text, 0, place.port ? UINT16_MAX : UINT64_MAX,
                                 &place.addr, &error)) {
        return board_error(errp, &file->token.at, "expected %s: %s",
                           place.port ? "the number of a port, or 'none'"
                                      : "an address, 'port' and its number, or 'none'",
                           error->message);
    }
    g_array_append_val(object->places, place);
    return next(file, errp);
}

static bool places(File *file, BoardObject *object, GError **errp)
{
    do {
        if (!next(file, errp) || !place(file, object, errp)) {
            return false;
        }
    } while (is(file, BOARD_TOKEN_COMMA));
    return true;
}

static bool add_name(File *file, BoardObject *object, GError **errp)
{
    const BoardObject *other;

    if (!check_name(&object->name, errp)) {
        return false;
    }
    other = g_hash_table_lookup(file->parser->names, object->name.text);
    if (other) {
        return board_error(errp, &object->name.at, "there is a '%s' already, at %s:%u",
                           object->name.text, other->name.at.file, other->name.at.line);
    }
    g_hash_table_insert(file->parser->names, object->name.text, object);
    return true;
}

/* Behind "name:"; @name is taken over. */
static bool object(File *file, BoardText name, GError **errp)
{
    BoardObject *object = board_add_object(file->parser->board);

    object->name = name;
    if (!add_name(file, object, errp) || !next_word(file, "the type of the object", errp)) {
        return false;
    }
    object->type = take_text(file);
    if (!next(file, errp)) {
        return false;
    }
    if (is_word(file, "on")) {
        if (!next_word(file, "the bus that it sits on", errp)) {
            return false;
        }
        object->bus = take_text(file);
        if (!next(file, errp)) {
            return false;
        }
    }
    if (is_word(file, "at") && !places(file, object, errp)) {
        return false;
    }
    file->above = ABOVE_OBJECT;
    file->object = object;
    if (object->places->len) {
        return end_of_line(file, "',' and a further address, or the end of the line", errp);
    }
    return end_of_line(file,
                       object->bus.text ? "'at' and an address, or the end of the line"
                                        : "'on' and a bus, 'at' and an address, or the end of the "
                                          "line",
                       errp);
}

/* Behind "machine". */
static bool machine(File *file, const BoardPos *at, GError **errp)
{
    Board *board = file->parser->board;

    if (board->has_machine) {
        return board_error(errp, at, "there is a 'machine' line already, at %s:%u",
                           board->machine_at.file, board->machine_at.line);
    }
    board->has_machine = true;
    board->machine_at = *at;
    if (is(file, BOARD_TOKEN_WORD) && !is_word(file, "from")) {
        board->name = take_text(file);
        if (!is_name(board->name.text) || strpbrk(board->name.text, "/[]")) {
            return board_error(errp, &board->name.at,
                               "expected the name of a machine - a letter, then letters, digits, "
                               "'-', '.', '_' -, not '%s'",
                               board->name.text);
        }
        if (!next(file, errp)) {
            return false;
        }
    }
    if (is_word(file, "from")) {
        if (!next_word(file, "the machine that this one begins with", errp)) {
            return false;
        }
        board->base = take_text(file);
        if (!next(file, errp)) {
            return false;
        }
    }
    if (is(file, BOARD_TOKEN_STRING)) {
        board->desc = take_text(file);
        if (!next(file, errp)) {
            return false;
        }
        return end_of_line(file, "the end of the line", errp);
    }
    return end_of_line(file,
                       board->base.text ? "a description in quotes, or the end of the line"
                       : board->name.text
                           ? "'from' and a machine, a description in quotes, or the "
                             "end of the line"
                           : "a name, 'from' and a machine, a description in quotes, "
                             "or the end of the line",
                       errp);
}

/* Behind "include", at a string. */
static bool include(File *file, GError **errp)
{
    g_autofree char *folder = g_path_get_dirname(file->name), *name = NULL;
    BoardText path = take_text(file);
    bool ok;

    name = g_path_is_absolute(path.text) || !strcmp(folder, ".")
               ? g_strdup(path.text)
               : g_build_filename(folder, path.text, NULL);
    ok = next(file, errp) && end_of_line(file, "the end of the line", errp) &&
         parse_file(file->parser, name, file, &path.at, errp);
    g_free(path.text);
    return ok;
}

static bool cpus(File *file, const BoardPos *at, GError **errp)
{
    Board *board = file->parser->board;
    BoardObject *object;

    for (unsigned i = 0; i < board->objects->len; i++) {
        object = g_ptr_array_index(board->objects, i);
        if (object->cpus) {
            return board_error(errp, at, "there is a 'cpus' line already, at %s:%u",
                               object->name.at.file, object->name.at.line);
        }
    }
    object = board_add_object(board);
    object->cpus = true;
    object->name.at = *at;
    return true;
}

/* A line at the margin that is neither an object nor a wire; it began with @word. */
static bool keyword(File *file, const BoardText *word, GError **errp)
{
    g_autofree char *what = NULL;

    if (!strcmp(word->text, "machine")) {
        file->above = ABOVE_MACHINE;
        return machine(file, &word->at, errp);
    }
    if (!strcmp(word->text, "include")) {
        return is(file, BOARD_TOKEN_STRING) ? include(file, errp)
                                            : expected(file, "the name of a file in quotes", errp);
    }
    if (!strcmp(word->text, "cpus")) {
        return end_of_line(file, "the end of the line, or ':' and a type", errp) &&
               cpus(file, &word->at, errp);
    }
    what =
        g_strdup_printf("':' and a type, or '->' and where the line leads, after '%s'", word->text);
    return expected(file, what, errp);
}

static bool statement(File *file, GError **errp)
{
    g_autofree char *text = NULL;
    BoardText word;

    file->above = ABOVE_CLOSED;
    g_hash_table_remove_all(file->keys);
    if (!is(file, BOARD_TOKEN_WORD)) {
        return expected(file, "the name of an object, 'machine', 'cpus' or 'include'", errp);
    }
    word = take_text(file);
    text = word.text;
    if (!next(file, errp)) {
        return false;
    }
    if (is(file, BOARD_TOKEN_COLON) || is(file, BOARD_TOKEN_ARROW)) {
        text = NULL;
        return is(file, BOARD_TOKEN_COLON) ? object(file, word, errp) : wire(file, word, errp);
    }
    return keyword(file, &word, errp);
}

/* ---- Files ---- */

static char *identity_of(const char *path)
{
    char *real = realpath(path, NULL), *copy = real ? g_strdup(real) : NULL;

    free(real); /* malloc's, as path and not GLib's */
    return copy ? copy : g_canonicalize_filename(path, NULL);
}

/* Refuses a file that is being read already; the way to it is told. */
static bool check_cycle(const File *file, const BoardPos *at, GError **errp)
{
    for (const File *outer = file->outer; outer; outer = outer->outer) {
        g_autoptr(GString) way = NULL;

        if (strcmp(outer->identity, file->identity) != 0) {
            continue;
        }
        way = g_string_new(file->name);
        for (const File *step = file->outer; step; step = step == outer ? NULL : step->outer) {
            g_string_prepend(way, " -> ");
            g_string_prepend(way, step->name);
        }
        return board_error(errp, at, "expected a file that is not being read already: %s",
                           way->str);
    }
    if (file->depth > MAX_DEPTH) {
        return board_error(errp, at, "expected files at most %d deep in each other", MAX_DEPTH);
    }
    if (file->parser->board->files->len > MAX_FILES) {
        return board_error(errp, at, "expected at most %d files in all", MAX_FILES);
    }
    return true;
}

static bool parse_lines(File *file, GError **errp)
{
    bool indented;

    while (board_lex_line(&file->lex, &indented)) {
        if (!next(file, errp) || !(indented ? indented_line(file, errp) : statement(file, errp))) {
            return false;
        }
    }
    return true;
}

/* An error in a file that was included says where that was. */
static void tell_outer(const File *file, const BoardPos *at, GError **errp)
{
    if (file->outer && errp && *errp) {
        g_autofree char *text =
            g_strdup_printf("%s (included at %s:%u)", (*errp)->message, at->file, at->line);

        g_free((*errp)->message);
        (*errp)->message = g_steal_pointer(&text);
    }
}

static bool parse_text(File *file, const char *text, size_t len, GError **errp)
{
    bool ok;

    file->keys = g_hash_table_new(g_str_hash, g_str_equal);
    ok = board_lex_begin(&file->lex, file->name, text, len, errp) && parse_lines(file, errp);
    g_hash_table_unref(file->keys);
    g_free(file->token.text);
    return ok;
}

static bool read_and_parse(File *file, const BoardPos *at, GError **errp)
{
    Parser *parser = file->parser;
    g_autofree char *text = NULL;
    size_t len;

    text = parser->read(parser->opaque, file->name, &len, errp);
    if (!text) {
        return at ? board_blame(errp, at) : false;
    }
    parser->bytes += len;
    if (parser->bytes > MAX_BYTES) {
        qom_error_set(errp, QOM_ERROR_VALUE, "a board has at most %u MiB of text in all its files",
                      MAX_BYTES >> 20);
        return at ? board_blame(errp, at) : false;
    }
    if (!parse_text(file, text, len, errp)) {
        tell_outer(file, at, errp);
        return false;
    }
    return true;
}

/* @at: where it is included; @outer and @at are NULL for the first file. */
static bool parse_file(Parser *parser, const char *name, const File *outer, const BoardPos *at,
                       GError **errp)
{
    File file = { .parser = parser, .outer = outer, .depth = outer ? outer->depth + 1 : 0 };
    char *own = g_strdup(name);
    bool ok;

    g_ptr_array_add(parser->board->files, own);
    file.name = own;
    file.identity = identity_of(name);
    ok = (!outer || check_cycle(&file, at, errp)) && read_and_parse(&file, at, errp);
    g_free(file.identity);
    return ok;
}

Board *board_parse(const char *path, BoardReadFn *read, void *opaque, GError **errp)
{
    g_autoptr(Board) board = board_new();
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    Parser parser = { .board = board, .names = names, .read = read, .opaque = opaque };

    return parse_file(&parser, path, NULL, NULL, errp) ? g_steal_pointer(&board) : NULL;
}
