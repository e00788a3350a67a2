/* SPDX-License-Identifier: MIT */
/*
 * A line that a person types on a terminal: keys in, the line and what the terminal is to show out.
 * It reads nothing and writes nothing itself. Main thread.
 */
#ifndef MONITOR_LINE_EDITOR_H
#define MONITOR_LINE_EDITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <glib.h>

/** Longer lines are not taken: what comes beyond is dropped, and a bell tells once. In bytes. */
#define LINE_EDITOR_MAX 4096
/** How many lines are remembered. */
#define LINE_EDITOR_HISTORY 100

/** What a key asks of the caller. */
typedef enum LineAction {
    LINE_NOTHING,  /* go on with the next key */
    LINE_DONE,     /* Enter: line_editor_take(), then line_editor_begin() */
    LINE_COMPLETE, /* Tab: line_editor_complete() with what the word may become */
    LINE_END,      /* Ctrl-d on an empty line: the person wants to leave */
} LineAction;

typedef struct LineEditor LineEditor;

/** An editor whose lines begin with @prompt on the terminal; end it with line_editor_free(). */
LineEditor *line_editor_new(const char *prompt);
/** NULL is fine. */
void line_editor_free(LineEditor *ed);

/** A new, empty line: shows the prompt. */
void line_editor_begin(LineEditor *ed);
/** The same line, on an empty one of the terminal. */
void line_editor_resume(LineEditor *ed);
/** Takes one key, or one byte of one. Keys that mean nothing are dropped. */
LineAction line_editor_key(LineEditor *ed, uint8_t byte);
/** The line after LINE_DONE, valid UTF-8, and remembers it; the caller frees. */
char *line_editor_take(LineEditor *ed);
/** The line as it is now. */
const char *line_editor_text(const LineEditor *ed);
/** How many bytes of it stand before the cursor. */
size_t line_editor_cursor(const LineEditor *ed);
/**
 * Goes as far as all of @words (ended by NULL) agree, in place of the text from @from to the cursor;
 * each begins with that text. Where that is no step, shows them.
 */
void line_editor_complete(LineEditor *ed, size_t from, const char *const *words);

/**
 * What to send to the terminal so that it shows the line as it is now; the caller frees. "" when
 * there is nothing to do. Many keys may have come since the last call.
 */
char *line_editor_output(LineEditor *ed);

#endif
