/* SPDX-License-Identifier: MIT */
/* Board files as tokens: words, strings and a few signs, line by line, each with its place. */
#include "config.h"

#include <string.h>
#include "options/board-int.h"

/* ---- Places ---- */

/* The place of @p, which is not before any place asked for earlier in this line. */
static BoardPos place_of(BoardLexer *lex, const char *p)
{
    for (; lex->counted < p; lex->counted++) {
        lex->counted_column += ((uint8_t)*lex->counted & 0xc0) != 0x80;
    }
    return (BoardPos){ lex->file, lex->line, lex->counted_column };
}

static void begin_line(BoardLexer *lex, const char *at)
{
    lex->next = lex->counted = at;
    lex->counted_column = 1;
    lex->line++;
}

/* Where the line ends: at its newline, or at the end of the text. */
static const char *line_end(const BoardLexer *lex)
{
    const char *newline = memchr(lex->next, '\n', (size_t)(lex->end - lex->next));

    return newline ? newline : lex->end;
}

bool board_lex_begin(BoardLexer *lex, const char *file, const char *text, size_t len, GError **errp)
{
    const char *bad, *end;

    *lex = (BoardLexer){ .file = file, .end = text + len };
    begin_line(lex, text);
    lex->line = 0; /* board_lex_line() begins the first one */
    if (g_utf8_validate_len(text, len, &bad)) {
        return true;
    }
    begin_line(lex, text);
    while ((end = line_end(lex)) < bad) {
        begin_line(lex, end + 1);
    }
    return board_error(errp, &(BoardPos){ file, lex->line, place_of(lex, bad).column },
                       *bad ? "expected text in UTF-8, not the byte 0x%02x"
                            : "expected text, not the byte 0x%02x",
                       (uint8_t)*bad);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void skip_spaces(BoardLexer *lex)
{
    while (lex->next < lex->end && is_space(*lex->next)) {
        lex->next++;
    }
}

/* Whether the line ends here: nothing more, or a comment. */
static bool at_line_end(const BoardLexer *lex)
{
    return lex->next == lex->end || *lex->next == '\n' || *lex->next == '#';
}

bool board_lex_line(BoardLexer *lex, bool *indented)
{
    bool first = lex->line == 0;

    for (;; first = false) {
        const char *start = first ? lex->next : line_end(lex);

        if (!first) {
            if (start == lex->end) {
                return false;
            }
            start++;
        }
        begin_line(lex, start);
        skip_spaces(lex);
        if (!at_line_end(lex)) {
            *indented = lex->next > start;
            return true;
        }
    }
}

/* ---- Tokens ---- */

static void set_token(BoardLexer *lex, BoardToken *token, BoardTokenKind kind, size_t len)
{
    token->kind = kind;
    token->text = kind == BOARD_TOKEN_WORD ? g_strndup(lex->next, len) : NULL;
    token->at = place_of(lex, lex->next);
    lex->next += len;
}

static bool has_more(const BoardLexer *lex, const char *p)
{
#ifdef QOMET_PLANTED_BUG
    /* Found by fuzz-board: behind a backslash the text may end. */
    p--;
#endif
    return p < lex->end;
}

static bool lex_string(BoardLexer *lex, BoardToken *token, GError **errp)
{
    static const char escapes[] = "\"\\nt", meant[] = "\"\\\n\t";
    g_autoptr(GString) text = g_string_new(NULL);
    const char *p = lex->next + 1;

    token->kind = BOARD_TOKEN_STRING;
    token->at = place_of(lex, lex->next);
    for (;; p++) {
        if (p == lex->end || *p == '\n') {
            BoardPos at = place_of(lex, p);

            return board_error(errp, &at, "expected '\"', which ends the text from column %u on",
                               token->at.column);
        }
        if (*p == '"') {
            break;
        }
        if (*p == '\\') {
            const char *escape = has_more(lex, p + 1) && p[1] ? strchr(escapes, p[1]) : NULL;

            p++;
            if (!escape) {
                BoardPos at = place_of(lex, p);

                return board_error(errp, &at, "expected '\"', '\\', 'n' or 't' after '\\'");
            }
            g_string_append_c(text, meant[escape - escapes]);
        } else {
            g_string_append_c(text, *p);
        }
    }
    lex->next = p + 1;
    token->text = g_string_free(g_steal_pointer(&text), FALSE);
    return true;
}

static bool begins_arrow(const BoardLexer *lex, const char *p)
{
    return *p == '-' && p + 1 < lex->end && p[1] == '>';
}

/* Bytes of a word that is no value. */
#define MAX_WORD 512

/* How many bytes of a word stand here: of a value, or of anything else. */
static size_t word_length(const BoardLexer *lex, bool value)
{
    const char *p = lex->next;

    while (p < lex->end && *p != '\n' && !is_space(*p) && *p != '"' && *p != '#' &&
           (uint8_t)*p > 0x20 && *p != 0x7f &&
           (value || (!strchr(":,>", *p) && (uint8_t)*p < 0x80 && !begins_arrow(lex, p)))) {
        p++;
    }
    return (size_t)(p - lex->next);
}

/* One character, as a message shows it; the caller frees. */
static char *character_name(const char *p)
{
    gunichar c = g_utf8_get_char(p);

    return g_unichar_isprint(c) ? g_strdup_printf("'%.*s'", g_utf8_skip[(uint8_t)*p], p)
                                : g_strdup_printf("the character 0x%02x", c);
}

static bool lex(BoardLexer *lex, BoardToken *token, bool value, GError **errp)
{
    size_t len;

    g_clear_pointer(&token->text, g_free);
    skip_spaces(lex);
    if (at_line_end(lex)) {
        set_token(lex, token, BOARD_TOKEN_END, 0);
        return true;
    }
    if (*lex->next == '"') {
        return lex_string(lex, token, errp);
    }
    len = word_length(lex, value);
    if (len) {
        set_token(lex, token, BOARD_TOKEN_WORD, len);
        if (!value && len > MAX_WORD) {
            g_autofree char *name = board_token_name(token);

            return board_error(errp, &token->at, "expected a word of at most %d characters, not %s",
                               MAX_WORD, name);
        }
    } else if (*lex->next == ':') {
        set_token(lex, token, BOARD_TOKEN_COLON, 1);
    } else if (*lex->next == ',') {
        set_token(lex, token, BOARD_TOKEN_COMMA, 1);
    } else if (begins_arrow(lex, lex->next)) {
        set_token(lex, token, BOARD_TOKEN_ARROW, 2);
    } else {
        BoardPos at = place_of(lex, lex->next);
        g_autofree char *name = character_name(lex->next);

        return board_error(errp, &at, "expected a word, a text in quotes, ':', ',' or '->', not %s",
                           name);
    }
    return true;
}

bool board_lex_token(BoardLexer *lexer, BoardToken *token, GError **errp)
{
    return lex(lexer, token, false, errp);
}

bool board_lex_value(BoardLexer *lexer, BoardToken *token, GError **errp)
{
    return lex(lexer, token, true, errp);
}

/* Characters of a word that a message repeats. */
#define SHOWN_CHARACTERS 40

/* @text in @quote, shortened; the caller frees. */
static char *quoted(const char *before, char quote, const char *text)
{
    bool all = g_utf8_strlen(text, -1) <= SHOWN_CHARACTERS;
    g_autofree char *shown = all ? g_strdup(text) : g_utf8_substring(text, 0, SHOWN_CHARACTERS);

    return g_strdup_printf("%s%c%s%s%c", before, quote, shown, all ? "" : "...", quote);
}

char *board_token_name(const BoardToken *token)
{
    switch (token->kind) {
    case BOARD_TOKEN_END:
        return g_strdup("the end of the line");
    case BOARD_TOKEN_WORD:
        return quoted("", '\'', token->text);
    case BOARD_TOKEN_STRING:
        return quoted("the text ", '"', token->text);
    case BOARD_TOKEN_COLON:
        return g_strdup("':'");
    case BOARD_TOKEN_COMMA:
        return g_strdup("','");
    case BOARD_TOKEN_ARROW:
        return g_strdup("'->'");
    }
    return NULL;
}
