/* SPDX-License-Identifier: MIT */
/*
 * The line editor: what keys make of a line, and that a terminal which does what it is sent shows
 * that line, with its cursor where it should be.
 */
#include "tests/test.h"
#include <string.h>
#include "monitor/line-editor.h"

#define PROMPT "> "
#define COLUMNS 20000
#define ROUNDS 200000

/* ---- A terminal ---- */

/** The line that its cursor is on. Characters are one column each. */
typedef struct Terminal {
    gunichar cells[COLUMNS];
    size_t column;
    unsigned bells, lines;
    GString *said; /* all that is not a control sequence */
} Terminal;

static void terminal_clear(Terminal *t)
{
    memset(t->cells, 0, sizeof(t->cells));
    t->column = 0;
}

static const char *terminal_sequence(Terminal *t, const char *p)
{
    char *end;
    unsigned long n = strtoul(p, &end, 10);

    switch (*end) {
    case 'C':
        t->column += n;
        break;
    case 'D':
        assert_true(n <= t->column);
        t->column -= n;
        break;
    case 'K':
        memset(t->cells + t->column, 0, (COLUMNS - t->column) * sizeof(t->cells[0]));
        break;
    case 'H':
        t->column = 0;
        break;
    case 'J':
        terminal_clear(t);
        break;
    default:
        fail_msg("the terminal does not know ESC [ %s", p);
    }
    return end + 1;
}

static void terminal_take(Terminal *t, const char *text)
{
    assert_true(g_utf8_validate(text, -1, NULL));
    while (*text) {
        gunichar c = g_utf8_get_char(text);

        if (c == 0x1b) {
            assert_int_equal(text[1], '[');
            text = terminal_sequence(t, text + 2);
            continue;
        }
        text = g_utf8_next_char(text);
        if (c == '\a') {
            t->bells++;
        } else if (c == '\r') {
            t->column = 0;
        } else if (c == '\n') {
            terminal_clear(t);
            t->lines++;
        } else {
            assert_true(c >= ' ' && t->column < COLUMNS);
            t->cells[t->column++] = c;
        }
        g_string_append_unichar(t->said, c);
    }
}

static char *terminal_line(const Terminal *t)
{
    GString *line = g_string_new(NULL);

    for (size_t i = 0; i < COLUMNS && t->cells[i]; i++) {
        g_string_append_unichar(line, t->cells[i]);
    }
    return g_string_free(line, FALSE);
}

/* ---- An editor at one ---- */

typedef struct Desk {
    LineEditor *ed;
    Terminal *t;
    LineAction last;
} Desk;

static void desk_show(Desk *d)
{
    g_autofree char *text = line_editor_output(d->ed);

    terminal_take(d->t, text);
}

/* What the terminal shows is the prompt and the line, its cursor where the line's is. */
static void desk_check(const Desk *d)
{
    g_autofree char *shown = terminal_line(d->t);
    g_autofree char *meant = g_strconcat(PROMPT, line_editor_text(d->ed), NULL);
    size_t before =
        (size_t)g_utf8_strlen(line_editor_text(d->ed), (gssize)line_editor_cursor(d->ed));

    assert_string_equal(shown, meant);
    assert_int_equal(d->t->column, strlen(PROMPT) + before);
}

static Desk desk_new(void)
{
    Desk d = { .ed = line_editor_new(PROMPT), .t = g_new0(Terminal, 1) };

    d.t->said = g_string_new(NULL);
    line_editor_begin(d.ed);
    desk_show(&d);
    desk_check(&d);
    return d;
}

static void desk_free(Desk *d)
{
    line_editor_free(d->ed);
    g_string_free(d->t->said, TRUE);
    g_free(d->t);
}

static void type(Desk *d, const char *keys)
{
    for (; *keys; keys++) {
        d->last = line_editor_key(d->ed, (uint8_t)*keys);
    }
    desk_show(d);
}

static void assert_line(Desk *d, const char *keys, const char *text, size_t cursor)
{
    type(d, keys);
    assert_string_equal(line_editor_text(d->ed), text);
    assert_int_equal(line_editor_cursor(d->ed), cursor);
    desk_check(d);
}

static void enter(Desk *d, const char *keys, const char *text)
{
    g_autofree char *line = NULL;

    type(d, keys);
    type(d, "\r");
    assert_int_equal(d->last, LINE_DONE);
    line = line_editor_take(d->ed);
    assert_string_equal(line, text);
    line_editor_begin(d->ed);
    desk_show(d);
    desk_check(d);
}

/* ---- Tests ---- */

static void what_is_typed_is_the_line(void **state)
{
    Desk d = desk_new();

    (void)state;
    assert_line(&d, "info status", "info status", 11);
    enter(&d, "", "info status");
    enter(&d, "stop", "stop");
    assert_string_equal(d.t->said->str, "> info status\r\n> stop\r\n> ");
    desk_free(&d);
}

static void a_newline_behind_a_return_is_the_same_key(void **state)
{
    Desk d = desk_new();

    (void)state;
    enter(&d, "a", "a");
    assert_int_equal(line_editor_key(d.ed, '\n'), LINE_NOTHING);
    assert_int_equal(line_editor_key(d.ed, '\n'), LINE_DONE);
    desk_free(&d);
}

static void keys_move_the_cursor(void **state)
{
    Desk d = desk_new();

    (void)state;
    assert_line(&d, "one two", "one two", 7);
    assert_line(&d, "\001", "one two", 0);
    assert_line(&d, "\002", "one two", 0);
    assert_line(&d, "\006", "one two", 1);
    assert_line(&d, "\033[C\033OC", "one two", 3);
    assert_line(&d, "\033[D", "one two", 2);
    assert_line(&d, "\005", "one two", 7);
    assert_line(&d, "\006", "one two", 7);
    assert_line(&d, "\033[H", "one two", 0);
    assert_line(&d, "\033[F", "one two", 7);
    assert_line(&d, "\033[1~", "one two", 0);
    assert_line(&d, "\033[4~", "one two", 7);
    assert_line(&d, "\033[1;5D", "one two", 4);
    assert_line(&d, "\033b", "one two", 0);
    assert_line(&d, "\033[1;5C", "one two", 3);
    assert_line(&d, "\033f", "one two", 7);
    assert_line(&d, "\033[D\033[Dx", "one txwo", 6);
    desk_free(&d);
}

static void keys_erase(void **state)
{
    Desk d = desk_new();

    (void)state;
    assert_line(&d, "one two three", "one two three", 13);
    assert_line(&d, "\177", "one two thre", 12);
    assert_line(&d, "\b", "one two thr", 11);
    assert_line(&d, "\027", "one two ", 8);
    assert_line(&d, "\027", "one ", 4);
    assert_line(&d, "\001\004", "ne ", 0);
    assert_line(&d, "\033[3~", "e ", 0);
    assert_line(&d, "\005xyz\002\013", "e xy", 4);
    assert_line(&d, "\002\025", "y", 0);
    assert_line(&d, "\005\004", "y", 1);
    assert_line(&d, "\003", "", 0);
    desk_free(&d);
}

static void control_d_on_an_empty_line_is_the_end(void **state)
{
    Desk d = desk_new();

    (void)state;
    type(&d, "a\004");
    assert_int_equal(d.last, LINE_NOTHING);
    type(&d, "\b\004");
    assert_int_equal(d.last, LINE_END);
    desk_free(&d);
}

static void control_l_draws_the_line_on_a_clear_screen(void **state)
{
    Desk d = desk_new();

    (void)state;
    assert_line(&d, "abc\002\014", "abc", 2);
    assert_non_null(strstr(d.t->said->str, "> abc"));
    desk_free(&d);
}

static void lines_are_remembered_once(void **state)
{
    Desk d = desk_new();

    (void)state;
    enter(&d, "one", "one");
    enter(&d, "two", "two");
    enter(&d, "   ", "   ");
    enter(&d, "one", "one");
    assert_line(&d, "draft\033[A", "one", 3);
    assert_line(&d, "\033[A", "two", 3);
    assert_line(&d, "\020", "two", 3);
    assert_line(&d, "\033[B", "one", 3);
    assert_line(&d, "\016", "draft", 5);
    assert_line(&d, "\016", "draft", 5);
    /* One that is changed is a new one. */
    enter(&d, "\033[A\033[A!", "two!");
    assert_line(&d, "\033[A", "two!", 4);
    assert_line(&d, "\033[A\033[A", "two", 3);
    desk_free(&d);
}

static void only_the_last_lines_are_remembered(void **state)
{
    Desk d = desk_new();

    (void)state;
    for (int i = 0; i < LINE_EDITOR_HISTORY + 10; i++) {
        g_autofree char *line = g_strdup_printf("line %d", i);

        enter(&d, line, line);
    }
    for (int i = 0; i < LINE_EDITOR_HISTORY + 10; i++) {
        type(&d, "\033[A");
    }
    assert_line(&d, "", "line 10", 7);
    desk_free(&d);
}

static void characters_beyond_ascii_are_one_key(void **state)
{
    Desk d = desk_new();

    (void)state;
    assert_line(&d, "aéb", "aéb", 4);
    assert_line(&d, "\002\002", "aéb", 1);
    assert_line(&d, "ü", "aüéb", 3);
    assert_line(&d, "\004", "aüb", 3);
    assert_line(&d, "\b", "ab", 1);
    /* Halves, wrong ones, and what is not to be printed. */
    assert_line(&d,
                "\xc3"
                "x\xa9\xff\xc0\x80\xed\xa0\x80\xc2\x85",
                "axb", 2);
    desk_free(&d);
}

static void control_bytes_that_mean_nothing_are_dropped(void **state)
{
    Desk d = desk_new();

    (void)state;
    for (int c = 0; c < 0x20; c++) {
        if (!strchr("\001\002\003\004\005\006\b\t\n\v\f\r\016\020\025\027\033", c) || !c) {
            assert_int_equal(line_editor_key(d.ed, (uint8_t)c), LINE_NOTHING);
        }
    }
    assert_line(&d, "\033[99999999999;;;?~a\033[2Jb\033Xc\033[\033[D", "abc", 2);
    desk_free(&d);
}

static void an_endless_line_ends_at_its_limit_with_one_bell(void **state)
{
    Desk d = desk_new();

    (void)state;
    for (int i = 0; i < 3 * LINE_EDITOR_MAX; i++) {
        assert_int_equal(line_editor_key(d.ed, 'x'), LINE_NOTHING);
    }
    desk_show(&d);
    desk_check(&d);
    assert_int_equal(strlen(line_editor_text(d.ed)), LINE_EDITOR_MAX);
    assert_int_equal(d.t->bells, 1);
    type(&d, "\byz");
    desk_check(&d);
    assert_int_equal(d.t->bells, 2);
    desk_free(&d);
}

static void completion_goes_as_far_as_all_agree(void **state)
{
    static const char *const none[] = { NULL };
    static const char *const two[] = { "system_reset ", "system_powerdown ", NULL };
    static const char *const one[] = { "system_reset ", NULL };
    Desk d = desk_new();

    (void)state;
    type(&d, "help sy\t");
    assert_int_equal(d.last, LINE_COMPLETE);
    line_editor_complete(d.ed, 5, none);
    assert_line(&d, "", "help sy", 7);
    line_editor_complete(d.ed, 5, two);
    assert_line(&d, "", "help system_", 12);
    assert_int_equal(d.t->lines, 0);
    line_editor_complete(d.ed, 5, two);
    assert_line(&d, "", "help system_", 12);
    assert_non_null(strstr(d.t->said->str, "\r\nsystem_reset       system_powerdown \r\n> "));
    type(&d, "r");
    line_editor_complete(d.ed, 5, one);
    assert_line(&d, "", "help system_reset ", 18);
    desk_free(&d);
}

static void completion_leaves_what_stands_behind_the_cursor(void **state)
{
    static const char *const words[] = { "abc", NULL };
    static const char *const many[] = { "abcd", "abce", NULL };
    Desk d = desk_new();

    (void)state;
    type(&d, "a tail\001\006");
    line_editor_complete(d.ed, 0, words);
    assert_line(&d, "", "abc tail", 3);
    line_editor_complete(d.ed, 0, many);
    assert_line(&d, "", "abc tail", 3);
    desk_free(&d);
}

static void words_that_agree_within_a_character_stop_before_it(void **state)
{
    /* Both begin with the same byte. */
    static const char *const words[] = { "é", "è", NULL };
    Desk d = desk_new();

    (void)state;
    line_editor_complete(d.ed, 0, words);
    assert_line(&d, "", "", 0);
    desk_free(&d);
}

static void any_keys_leave_the_terminal_as_the_line_is(void **state)
{
    static const char *const keys[] = {
        "a",       "b",     " ",    "é",    "\001", "\002",   "\004",       "\005",   "\006",
        "\b",      "\013",  "\014", "\025", "\027", "\033[A", "\033[B",     "\033[C", "\033[D",
        "\033[3~", "\033b", "\r",   "\003", "\xff", "\033",   "wörter und", "\t"
    };
    static const char *const words[] = { "a b", "a bé", "a bè", NULL };
    g_autoptr(GRand) rand = g_rand_new_with_seed(3);
    Desk d = desk_new();

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        type(&d, keys[g_rand_int_range(rand, 0, G_N_ELEMENTS(keys))]);
        if (d.last == LINE_DONE) {
            g_free(line_editor_take(d.ed));
            line_editor_begin(d.ed);
            desk_show(&d);
        } else if (d.last == LINE_COMPLETE && g_str_has_prefix("a b", line_editor_text(d.ed))) {
            size_t from = 0;

            line_editor_complete(d.ed, from, words);
            desk_show(&d);
        }
        if (i % 100 == 0) {
            desk_check(&d);
            g_string_truncate(d.t->said, 0);
        }
        assert_true(g_utf8_validate(line_editor_text(d.ed), -1, NULL));
    }
    desk_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_typed_is_the_line),
        cmocka_unit_test(a_newline_behind_a_return_is_the_same_key),
        cmocka_unit_test(keys_move_the_cursor),
        cmocka_unit_test(keys_erase),
        cmocka_unit_test(control_d_on_an_empty_line_is_the_end),
        cmocka_unit_test(control_l_draws_the_line_on_a_clear_screen),
        cmocka_unit_test(lines_are_remembered_once),
        cmocka_unit_test(only_the_last_lines_are_remembered),
        cmocka_unit_test(characters_beyond_ascii_are_one_key),
        cmocka_unit_test(control_bytes_that_mean_nothing_are_dropped),
        cmocka_unit_test(an_endless_line_ends_at_its_limit_with_one_bell),
        cmocka_unit_test(completion_goes_as_far_as_all_agree),
        cmocka_unit_test(completion_leaves_what_stands_behind_the_cursor),
        cmocka_unit_test(words_that_agree_within_a_character_stop_before_it),
        cmocka_unit_test(any_keys_leave_the_terminal_as_the_line_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
