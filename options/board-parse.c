/* SPDX-License-Identifier: MIT */
/*
 * The lines of a board file read into a Board. The grammar is that of docs/board-files.md; a
 * function here is a rule there.
 */
#include <string.h>
#include <qomet/qom/value.h>
#include "options/board-int.h"

/* What an indented line belongs to. */
typedef enum Above { ABOVE_NOTHING, ABOVE_MACHINE, ABOVE_OBJECT, ABOVE_CLOSED } Above;

/* The lines of a file that are being read. */
typedef struct Parser {
    const BoardFile *file;
    Board *board;
    BoardLexer lex;
    BoardToken token; /* the one that was read last */
    Above above;
    BoardObject *object; /* for ABOVE_OBJECT */
    GHashTable *keys;    /* of what stands above -> its BoardProperty */
} Parser;

/* ---- Tokens ---- */

static bool next(Parser *parser, GError **errp)
{
    return board_lex_token(&parser->lex, &parser->token, errp);
}

static bool is(const Parser *parser, BoardTokenKind kind)
{
    return parser->token.kind == kind;
}

static bool is_word(const Parser *parser, const char *word)
{
    return is(parser, BOARD_TOKEN_WORD) && !strcmp(parser->token.text, word);
}

/* "expected @what, not ..." */
static bool expected(const Parser *parser, const char *what, GError **errp)
{
    g_autofree char *name = board_token_name(&parser->token);

    return board_error(errp, &parser->token.at, "expected %s, not %s", what, name);
}

/* Hands the text of the token over. */
static BoardText take_text(Parser *parser)
{
    return (BoardText){ g_steal_pointer(&parser->token.text), parser->token.at };
}

/* Reads a token that must be a word. */
static bool next_word(Parser *parser, const char *what, GError **errp)
{
    return next(parser, errp) && (is(parser, BOARD_TOKEN_WORD) || expected(parser, what, errp));
}

static bool end_of_line(Parser *parser, const char *or_what, GError **errp)
{
    return is(parser, BOARD_TOKEN_END) || expected(parser, or_what, errp);
}

/* ---- Names ---- */

static bool check_name(const BoardText *name, GError **errp)
{
    if (board_name_is_good(name->text)) {
        return true;
    }
    return board_error(errp, &name->at,
                       "expected a name - a letter, then letters, digits, '-', '.', '_', '[', ']', "
                       "with '/' between the parts of a path -, not '%s'",
                       name->text);
}

/* ---- Below an object or the machine ---- */

/* "name: type on bus" is meant to be an object, which cannot stand where properties do. */
static bool end_of_value(Parser *parser, const BoardProperty *prop, GError **errp)
{
    g_autofree char *object = NULL;

    if (is_word(parser, "on") || is_word(parser, "at")) {
        object = g_strdup_printf("the end of the line (the line of an object like '%s' begins at "
                                 "the margin)",
                                 prop->key.text);
    }
    return end_of_line(
        parser, object ? object : "the end of the line (a value with spaces stands in quotes)",
        errp);
}

/* Behind "key:"; @key is taken over. */
static bool property(Parser *parser, GPtrArray *props, BoardText key, GError **errp)
{
    BoardProperty *prop = board_add_property(props, key.text, NULL);
    const BoardProperty *other = g_hash_table_lookup(parser->keys, key.text);

    prop->key.at = key.at;
    if (other) {
        return board_error(errp, &key.at, "'%s' has a value already, at %s:%u", key.text,
                           other->key.at.file, other->key.at.line);
    }
    g_hash_table_insert(parser->keys, prop->key.text, prop);
    if (!board_lex_value(&parser->lex, &parser->token, errp)) {
        return false;
    }
    if (!is(parser, BOARD_TOKEN_WORD) && !is(parser, BOARD_TOKEN_STRING)) {
        return expected(parser, "a value", errp);
    }
    prop->reference = is(parser, BOARD_TOKEN_WORD) && *parser->token.text == '$';
    prop->value = take_text(parser);
    if (prop->reference) {
        memmove(prop->value.text, prop->value.text + 1, strlen(prop->value.text));
        if (!*prop->value.text) {
            return board_error(errp, &prop->value.at,
                               "expected the name of a property of the machine after '$'");
        }
    }
    return next(parser, errp) && end_of_value(parser, prop, errp);
}

/* Behind "from ->"; @from is taken over. */
static bool wire(Parser *parser, BoardText from, GError **errp)
{
    BoardWire *wire = board_add_wire(parser->board);

    wire->from = from;
    if (!next_word(parser, "where the wire leads, as in 'pic.4'", errp)) {
        return false;
    }
    wire->to = take_text(parser);
    return next(parser, errp) && end_of_line(parser, "the end of the line", errp);
}

/* A line that says something of the object, or of the machine, above it. */
static bool indented_line(Parser *parser, GError **errp)
{
    bool of_object = parser->above == ABOVE_OBJECT;
    g_autofree char *word = NULL;
    BoardText key;

    if (!of_object && parser->above != ABOVE_MACHINE) {
        return board_error(errp, &parser->token.at,
                           "expected this line to begin at the margin: there is no object above it "
                           "that it could belong to");
    }
    if (!is(parser, BOARD_TOKEN_WORD)) {
        return expected(
            parser, of_object ? "the name of a property or of a line" : "the name of a property",
            errp);
    }
    key = take_text(parser);
    word = key.text;
    if (!next(parser, errp)) {
        return false;
    }
    if (is(parser, BOARD_TOKEN_COLON)) {
        word = NULL;
        return property(parser, of_object ? parser->object->props : parser->board->props, key,
                        errp);
    }
    if (is(parser, BOARD_TOKEN_ARROW) && of_object) {
        key.text = g_strdup_printf("%s.%s", parser->object->name.text, word);
        return wire(parser, key, errp);
    }
    return expected(
        parser, of_object ? "':' and a value, or '->' and where the line leads" : "':' and a value",
        errp);
}

/* ---- Statements ---- */

static bool place(Parser *parser, BoardObject *object, GError **errp)
{
    BoardPlace place = { .at = parser->token.at };
    g_autoptr(GError) error = NULL;

    if (is_word(parser, "port")) {
        place.port = true;
        if (!next(parser, errp)) {
            return false;
        }
    }
    if (!is(parser, BOARD_TOKEN_WORD)) {
        return expected(parser,
                        place.port ? "the number of a port, or 'none'"
                                   : "an address, 'port' and its number, or 'none'",
                        errp);
    }
    if (is_word(parser, "none")) {
        place.nowhere = true;
    } else if (!value_parse_uint(parser->token.text, 0, place.port ? UINT16_MAX : UINT64_MAX,
                                 &place.addr, &error)) {
        return board_error(errp, &parser->token.at, "expected %s: %s",
                           place.port ? "the number of a port, or 'none'"
                                      : "an address, 'port' and its number, or 'none'",
                           error->message);
    }
    g_array_append_val(object->places, place);
    return next(parser, errp);
}

static bool places(Parser *parser, BoardObject *object, GError **errp)
{
    do {
        if (!next(parser, errp) || !place(parser, object, errp)) {
            return false;
        }
    } while (is(parser, BOARD_TOKEN_COMMA));
    return true;
}

static bool add_name(Parser *parser, BoardObject *object, GError **errp)
{
    const BoardObject *other;

    if (!check_name(&object->name, errp)) {
        return false;
    }
    other = g_hash_table_lookup(parser->file->reader->names, object->name.text);
    if (other) {
        return board_error(errp, &object->name.at, "there is a '%s' already, at %s:%u",
                           object->name.text, other->name.at.file, other->name.at.line);
    }
    g_hash_table_insert(parser->file->reader->names, object->name.text, object);
    return true;
}

/* Behind "name:"; @name is taken over. */
static bool object(Parser *parser, BoardText name, GError **errp)
{
    BoardObject *object = board_add_object(parser->board);

    object->name = name;
    if (!add_name(parser, object, errp) || !next_word(parser, "the type of the object", errp)) {
        return false;
    }
    object->type = take_text(parser);
    if (!next(parser, errp)) {
        return false;
    }
    if (is_word(parser, "on")) {
        if (!next_word(parser, "the bus that it sits on", errp)) {
            return false;
        }
        object->bus = take_text(parser);
        if (!next(parser, errp)) {
            return false;
        }
    }
    if (is_word(parser, "at") && !places(parser, object, errp)) {
        return false;
    }
    parser->above = ABOVE_OBJECT;
    parser->object = object;
    if (object->places->len) {
        return end_of_line(parser, "',' and a further address, or the end of the line", errp);
    }
    return end_of_line(parser,
                       object->bus.text ? "'at' and an address, or the end of the line"
                                        : "'on' and a bus, 'at' and an address, or the end of the "
                                          "line",
                       errp);
}

/* Behind "machine". */
static bool machine(Parser *parser, const BoardPos *at, GError **errp)
{
    Board *board = parser->board;

    if (board->has_machine) {
        return board_error(errp, at, "there is a 'machine' line already, at %s:%u",
                           board->machine_at.file, board->machine_at.line);
    }
    board->has_machine = true;
    board->machine_at = *at;
    if (is(parser, BOARD_TOKEN_WORD) && !is_word(parser, "from")) {
        board->name = take_text(parser);
        if (!board_name_is_good(board->name.text) || strpbrk(board->name.text, "/[]")) {
            return board_error(errp, &board->name.at,
                               "expected the name of a machine - a letter, then letters, digits, "
                               "'-', '.', '_' -, not '%s'",
                               board->name.text);
        }
        if (!next(parser, errp)) {
            return false;
        }
    }
    if (is_word(parser, "from")) {
        if (!next_word(parser, "the machine that this one begins with", errp)) {
            return false;
        }
        board->base = take_text(parser);
        if (!next(parser, errp)) {
            return false;
        }
    }
    if (is(parser, BOARD_TOKEN_STRING)) {
        board->desc = take_text(parser);
        if (!next(parser, errp)) {
            return false;
        }
        return end_of_line(parser, "the end of the line", errp);
    }
    return end_of_line(parser,
                       board->base.text ? "a description in quotes, or the end of the line"
                       : board->name.text
                           ? "'from' and a machine, a description in quotes, or the "
                             "end of the line"
                           : "a name, 'from' and a machine, a description in quotes, "
                             "or the end of the line",
                       errp);
}

/* Behind "include", at a string. */
static bool include(Parser *parser, GError **errp)
{
    g_autofree char *folder = g_path_get_dirname(parser->file->name), *name = NULL;
    BoardText path = take_text(parser);
    bool ok;

    name = g_path_is_absolute(path.text) || !strcmp(folder, ".")
               ? g_strdup(path.text)
               : g_build_filename(folder, path.text, NULL);
    ok = next(parser, errp) && end_of_line(parser, "the end of the line", errp) &&
         board_include(parser->file, name, &path.at, errp);
    g_free(path.text);
    return ok;
}

static bool cpus(Parser *parser, const BoardPos *at, GError **errp)
{
    Board *board = parser->board;
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
static bool keyword(Parser *parser, const BoardText *word, GError **errp)
{
    g_autofree char *what = NULL;

    if (!strcmp(word->text, "machine")) {
        parser->above = ABOVE_MACHINE;
        return machine(parser, &word->at, errp);
    }
    if (!strcmp(word->text, "include")) {
        return is(parser, BOARD_TOKEN_STRING)
                   ? include(parser, errp)
                   : expected(parser, "the name of a file in quotes", errp);
    }
    if (!strcmp(word->text, "cpus")) {
        return end_of_line(parser, "the end of the line, or ':' and a type", errp) &&
               cpus(parser, &word->at, errp);
    }
    what =
        g_strdup_printf("':' and a type, or '->' and where the line leads, after '%s'", word->text);
    return expected(parser, what, errp);
}

static bool statement(Parser *parser, GError **errp)
{
    BoardText word;
    bool ok;

    parser->above = ABOVE_CLOSED;
    g_hash_table_remove_all(parser->keys);
    if (!is(parser, BOARD_TOKEN_WORD)) {
        return expected(parser, "the name of an object, 'machine', 'cpus' or 'include'", errp);
    }
    word = take_text(parser);
    ok = next(parser, errp);
    if (ok && is(parser, BOARD_TOKEN_COLON)) {
        return object(parser, word, errp);
    }
    if (ok && is(parser, BOARD_TOKEN_ARROW)) {
        return wire(parser, word, errp);
    }
    ok = ok && keyword(parser, &word, errp);
    g_free(word.text);
    return ok;
}

/* ---- All lines ---- */

static bool parse_lines(Parser *parser, GError **errp)
{
    bool indented;

    while (board_lex_line(&parser->lex, &indented)) {
        if (board_interrupted(errp) || !next(parser, errp) ||
            !(indented ? indented_line(parser, errp) : statement(parser, errp))) {
            return false;
        }
    }
    return true;
}

bool board_parse_text(const BoardFile *file, const char *text, size_t len, GError **errp)
{
    Parser parser = { .file = file, .board = file->reader->board };
    bool ok;

    parser.keys = g_hash_table_new(g_str_hash, g_str_equal);
    ok = board_lex_begin(&parser.lex, file->name, text, len, errp) && parse_lines(&parser, errp);
    g_hash_table_unref(parser.keys);
    g_free(parser.token.text);
    return ok;
}
