/* SPDX-License-Identifier: MIT */
/*
 * A line that a person types. What the terminal shows is compared with what it should show only
 * when it is asked for, so no key has to know how it looks, and a burst of keys is drawn once.
 */
#include <string.h>
#include "monitor/line-editor.h"

/* Keys, by their control characters. */
#define CTRL(letter) ((letter)&0x1f)
#define ESCAPE 0x1b
#define RUBOUT 0x7f

/* What a listing is cut into lines for: nobody can ask a serial line how wide its terminal is. */
#define SCREEN_COLUMNS 80

/** Where a sequence of bytes that stands for one key has got to. */
typedef enum KeyState {
    KEY_PLAIN,
    KEY_ESCAPE, /* after ESC */
    KEY_CSI,    /* after ESC [ */
    KEY_SS3,    /* after ESC O */
} KeyState;

struct LineEditor {
    char *prompt;
    GString *line;
    size_t cursor; /* bytes before it */

    GString *out;        /* to be sent before the line is drawn */
    GString *shown;      /* what the terminal has after the prompt */
    size_t shown_cursor; /* bytes of it before the terminal's cursor */
    bool rung;           /* the bell has told that the line is full */

    KeyState state;
    unsigned parameter; /* of the sequence after ESC [: its first number */
    bool after_return;  /* a newline that follows is part of the same key */
    char partial[4];    /* the beginning of a character */
    unsigned partial_len, partial_need;

    GPtrArray *history; /* of char *, the oldest first */
    unsigned browsed;   /* index of the line shown; history->len: the one being typed */
    char *draft;        /* that one, while another is shown; or NULL */
};

/* ---- Drawing ---- */

/* The columns that @len bytes take, which are whole characters. */
static size_t columns(const char *text, size_t len)
{
    size_t n = 0;

    for (const char *p = text; p < text + len; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        n += g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
    }
    return n;
}

/* Takes the terminal's cursor from the byte @from to the byte @to of @text. */
static void move(GString *out, const char *text, size_t from, size_t to)
{
    size_t n = from < to ? columns(text + from, to - from) : columns(text + to, from - to);

    if (n) {
        g_string_append_printf(out, "\033[%" G_GSIZE_FORMAT "%c", n, from < to ? 'C' : 'D');
    }
}

/* How many bytes both begin with, in whole characters. */
static size_t common(const char *a, const char *b)
{
    size_t n = 0;

    while (a[n] && a[n] == b[n]) {
        n++;
    }
    while (n && ((uint8_t)a[n] & 0xc0) == 0x80) {
        n--;
    }
    return n;
}

static void draw(LineEditor *ed)
{
    size_t same = common(ed->line->str, ed->shown->str);

    if (same < ed->line->len || same < ed->shown->len) {
        move(ed->out, ed->shown->str, ed->shown_cursor, same);
        g_string_append(ed->out, ed->line->str + same);
        if (same < ed->shown->len) {
            g_string_append(ed->out, "\033[K");
        }
        ed->shown_cursor = ed->line->len;
        g_string_assign(ed->shown, ed->line->str);
    }
    move(ed->out, ed->line->str, ed->shown_cursor, ed->cursor);
    ed->shown_cursor = ed->cursor;
}

char *line_editor_output(LineEditor *ed)
{
    GString *out;

    draw(ed);
    out = ed->out;
    ed->out = g_string_new(NULL);
    return g_string_free(out, FALSE);
}

/* The terminal's cursor is at the beginning of an empty line: the prompt, and all is drawn anew. */
static void show_prompt(LineEditor *ed)
{
    g_string_append(ed->out, ed->prompt);
    g_string_truncate(ed->shown, 0);
    ed->shown_cursor = 0;
}

/* Leaves the line that is shown as it is and goes to the next one. */
static void leave_line(LineEditor *ed)
{
    ed->cursor = ed->line->len;
    draw(ed);
    g_string_append(ed->out, "\r\n");
}

/* ---- Changing the line ---- */

static size_t previous(const LineEditor *ed, size_t at)
{
    return at ? (size_t)(g_utf8_prev_char(ed->line->str + at) - ed->line->str) : 0;
}

static size_t next(const LineEditor *ed, size_t at)
{
    return at < ed->line->len ? (size_t)(g_utf8_next_char(ed->line->str + at) - ed->line->str) : at;
}

static size_t word_before(const LineEditor *ed)
{
    const char *text = ed->line->str;
    size_t at = ed->cursor;

    while (at && text[at - 1] == ' ') {
        at--;
    }
    while (at && text[at - 1] != ' ') {
        at--;
    }
    return at;
}

static size_t word_after(const LineEditor *ed)
{
    const char *text = ed->line->str;
    size_t at = ed->cursor;

    while (text[at] == ' ') {
        at++;
    }
    while (text[at] && text[at] != ' ') {
        at++;
    }
    return at;
}

static void insert(LineEditor *ed, const char *text, size_t len)
{
    if (ed->line->len + len > LINE_EDITOR_MAX) {
        if (!ed->rung) {
            g_string_append_c(ed->out, '\a');
        }
        ed->rung = true;
        return;
    }
    g_string_insert_len(ed->line, (gssize)ed->cursor, text, (gssize)len);
    ed->cursor += len;
}

/* Takes away the bytes from @from to @to; the cursor is one of them, or between. */
static void erase(LineEditor *ed, size_t from, size_t to)
{
    g_string_erase(ed->line, (gssize)from, (gssize)(to - from));
    ed->cursor = from;
    ed->rung = false;
}

static void replace(LineEditor *ed, const char *text)
{
    g_string_assign(ed->line, text);
    ed->cursor = ed->line->len;
    ed->rung = false;
}

/* ---- Lines typed before ---- */

static void browse(LineEditor *ed, int step)
{
    if (step < 0 ? !ed->browsed : ed->browsed >= ed->history->len) {
        return;
    }
    if (ed->browsed == ed->history->len) {
        g_free(ed->draft);
        ed->draft = g_strdup(ed->line->str);
    }
    ed->browsed += (unsigned)step;
    replace(ed, ed->browsed == ed->history->len ? ed->draft
                                                : g_ptr_array_index(ed->history, ed->browsed));
}

static void remember(LineEditor *ed, const char *line)
{
    guint same;

    if (!line[strspn(line, " ")]) {
        return;
    }
    if (g_ptr_array_find_with_equal_func(ed->history, line, g_str_equal, &same)) {
        g_ptr_array_remove_index(ed->history, same);
    } else if (ed->history->len == LINE_EDITOR_HISTORY) {
        g_ptr_array_remove_index(ed->history, 0);
    }
    g_ptr_array_add(ed->history, g_strdup(line));
}

static void forget_browsing(LineEditor *ed)
{
    ed->browsed = ed->history->len;
    g_clear_pointer(&ed->draft, g_free);
}

/* ---- Keys ---- */

static void erase_line(LineEditor *ed)
{
    leave_line(ed);
    replace(ed, "");
    forget_browsing(ed);
    show_prompt(ed);
}

static void clear_screen(LineEditor *ed)
{
    g_string_append(ed->out, "\033[H\033[2J");
    show_prompt(ed);
}

static LineAction control(LineEditor *ed, uint8_t byte)
{
    switch (byte) {
    case CTRL('a'):
        ed->cursor = 0;
        break;
    case CTRL('b'):
        ed->cursor = previous(ed, ed->cursor);
        break;
    case CTRL('c'):
        erase_line(ed);
        break;
    case CTRL('d'):
        if (!ed->line->len) {
            return LINE_END;
        }
        erase(ed, ed->cursor, next(ed, ed->cursor));
        break;
    case CTRL('e'):
        ed->cursor = ed->line->len;
        break;
    case CTRL('f'):
        ed->cursor = next(ed, ed->cursor);
        break;
    case CTRL('h'):
    case RUBOUT:
        erase(ed, previous(ed, ed->cursor), ed->cursor);
        break;
    case '\t':
        return LINE_COMPLETE;
    case '\r':
    case '\n':
        leave_line(ed);
        return LINE_DONE;
    case CTRL('k'):
        erase(ed, ed->cursor, ed->line->len);
        break;
    case CTRL('l'):
        clear_screen(ed);
        break;
    case CTRL('n'):
        browse(ed, 1);
        break;
    case CTRL('p'):
        browse(ed, -1);
        break;
    case CTRL('u'):
        erase(ed, 0, ed->cursor);
        break;
    case CTRL('w'):
        erase(ed, word_before(ed), ed->cursor);
        break;
    default:
        break;
    }
    return LINE_NOTHING;
}

/* The last byte of ESC [ or ESC O. */
static void cursor_key(LineEditor *ed, uint8_t byte)
{
    /* ESC [ 1 ; 5 C: with Ctrl, by words. */
    bool words = ed->parameter > 10;

    switch (byte) {
    case 'A':
        browse(ed, -1);
        break;
    case 'B':
        browse(ed, 1);
        break;
    case 'C':
        ed->cursor = words ? word_after(ed) : next(ed, ed->cursor);
        break;
    case 'D':
        ed->cursor = words ? word_before(ed) : previous(ed, ed->cursor);
        break;
    case 'H':
        ed->cursor = 0;
        break;
    case 'F':
        ed->cursor = ed->line->len;
        break;
    case '~':
        if (ed->parameter == 1 || ed->parameter == 7) {
            ed->cursor = 0;
        } else if (ed->parameter == 4 || ed->parameter == 8) {
            ed->cursor = ed->line->len;
        } else if (ed->parameter == 3) {
            erase(ed, ed->cursor, next(ed, ed->cursor));
        }
        break;
    default:
        break;
    }
}

/* Inside a sequence that ESC has begun. */
static void sequence(LineEditor *ed, uint8_t byte)
{
    if (ed->state == KEY_ESCAPE) {
        ed->parameter = 0;
        ed->state = byte == '[' ? KEY_CSI : byte == 'O' ? KEY_SS3 : KEY_PLAIN;
        if (byte == 'b') {
            ed->cursor = word_before(ed);
        } else if (byte == 'f') {
            ed->cursor = word_after(ed);
        }
        return;
    }
    if (byte >= '0' && byte <= '9') {
        /* Numbers run together: what matters is only whether there is a second one. */
        ed->parameter = MIN(ed->parameter * 10 + (byte - '0'), 1000);
    } else if (byte >= 0x40) {
        ed->state = KEY_PLAIN;
        cursor_key(ed, byte);
    } else if (byte < ' ') {
        ed->state = byte == ESCAPE ? KEY_ESCAPE : KEY_PLAIN;
    }
}

/* A byte of a character beyond ASCII; what is no character is dropped. */
static void character_byte(LineEditor *ed, uint8_t byte)
{
    if (byte >= 0xc0) {
        ed->partial_len = 0;
        ed->partial_need = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    } else if (!ed->partial_len) {
        return;
    }
    ed->partial[ed->partial_len++] = (char)byte;
    if (ed->partial_len == ed->partial_need) {
        ed->partial_len = 0;
        if (g_utf8_validate(ed->partial, ed->partial_need, NULL) &&
            g_unichar_isprint(g_utf8_get_char(ed->partial))) {
            insert(ed, ed->partial, ed->partial_need);
        }
    }
}

LineAction line_editor_key(LineEditor *ed, uint8_t byte)
{
    bool same_key = byte == '\n' && ed->after_return;

    ed->after_return = byte == '\r';
    if (ed->state != KEY_PLAIN) {
        sequence(ed, byte);
        return LINE_NOTHING;
    }
    if (byte >= 0x80) {
        character_byte(ed, byte);
        return LINE_NOTHING;
    }
    ed->partial_len = 0;
    if (same_key) {
        return LINE_NOTHING;
    }
    if (byte == ESCAPE) {
        ed->state = KEY_ESCAPE;
        return LINE_NOTHING;
    }
    if (byte < ' ' || byte == RUBOUT) {
        return control(ed, byte);
    }
    insert(ed, (const char *)&byte, 1);
    return LINE_NOTHING;
}

/* ---- Whole lines ---- */

void line_editor_begin(LineEditor *ed)
{
    replace(ed, "");
    forget_browsing(ed);
    show_prompt(ed);
}

void line_editor_resume(LineEditor *ed)
{
    show_prompt(ed);
}

char *line_editor_take(LineEditor *ed)
{
    char *line = g_strdup(ed->line->str);

    remember(ed, line);
    replace(ed, "");
    forget_browsing(ed);
    g_string_truncate(ed->shown, 0);
    ed->shown_cursor = 0;
    return line;
}

const char *line_editor_text(const LineEditor *ed)
{
    return ed->line->str;
}

size_t line_editor_cursor(const LineEditor *ed)
{
    return ed->cursor;
}

/* ---- Completion ---- */

/* In columns, read line by line. */
static void list(GString *out, const char *const *words)
{
    size_t width = 0, per_line, i;

    for (i = 0; words[i]; i++) {
        width = MAX(width, strlen(words[i]));
    }
    width += 2;
    per_line = MAX(SCREEN_COLUMNS / width, 1);
    for (i = 0; words[i]; i++) {
        bool last = !words[i + 1] || (i + 1) % per_line == 0;

        g_string_append_printf(out, "%-*s%s", last ? 0 : (int)width, words[i], last ? "\r\n" : "");
    }
}

void line_editor_complete(LineEditor *ed, size_t from, const char *const *words)
{
    size_t typed = ed->cursor - from;
    size_t agreed;

    if (!words[0]) {
        return;
    }
    agreed = strlen(words[0]);
    for (unsigned i = 1; words[i]; i++) {
        agreed = MIN(agreed, common(words[0], words[i]));
    }
    if (agreed > typed) {
        insert(ed, words[0] + typed, agreed - typed);
    } else if (words[1]) {
        size_t cursor = ed->cursor;

        leave_line(ed);
        ed->cursor = cursor;
        list(ed->out, words);
        show_prompt(ed);
    }
}

/* ---- Life ---- */

LineEditor *line_editor_new(const char *prompt)
{
    LineEditor *ed = g_new0(LineEditor, 1);

    ed->prompt = g_strdup(prompt);
    ed->line = g_string_new(NULL);
    ed->out = g_string_new(NULL);
    ed->shown = g_string_new(NULL);
    ed->history = g_ptr_array_new_with_free_func(g_free);
    return ed;
}

void line_editor_free(LineEditor *ed)
{
    if (!ed) {
        return;
    }
    g_free(ed->prompt);
    g_string_free(ed->line, TRUE);
    g_string_free(ed->out, TRUE);
    g_string_free(ed->shown, TRUE);
    g_ptr_array_unref(ed->history);
    g_free(ed->draft);
    g_free(ed);
}
