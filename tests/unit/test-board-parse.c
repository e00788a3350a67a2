/* SPDX-License-Identifier: MIT */
/*
 * Board files as text: what is read from them and written again, and that every mistake is told
 * with its file, line and column and what was expected there. Files are in memory; no machine is made.
 */
#include <string.h>
#include <qomet/qom/module.h>
#include "options/board-int.h"
#include "tests/test.h"

/* ---- Files ---- */

typedef struct TestFile {
    const char *path, *text;
} TestFile;

/* A BoardReadFn; @opaque is an array of TestFile, ended by one without a path. */
static char *read_test_file(void *opaque, const char *path, size_t *len, GError **errp)
{
    for (const TestFile *file = opaque; file->path; file++) {
        if (!strcmp(file->path, path)) {
            *len = strlen(file->text);
            return g_strdup(file->text);
        }
    }
    qom_error_set(errp, QOM_ERROR_NOT_FOUND, "cannot open '%s'", path);
    return NULL;
}

static Board *parse(const char *text, GError **errp)
{
    TestFile files[] = { { "b", text }, { NULL, NULL } };

    return board_parse("b", read_test_file, files, errp);
}

/* The board of @text, written again. */
static char *rewrite(const char *text)
{
    GError *error = NULL;
    Board *board = parse(text, &error);
    char *again;

    if (!board) {
        fail_msg("%s\n%s", error->message, text);
    }
    again = board_print(board);
    board_free(board);
    return again;
}

/* ---- What is read ---- */

static void a_board_is_written_as_it_was_read(void **state)
{
    static const char text[] = "machine my-board from bare \"what it is\"\n"
                               "    ram-size: 16M\n"
                               "    kernel: \"a file\\\\ with \\\"all\\\"\\n\\t\"\n"
                               "\n"
                               "ram: ram at 0x0, none, 0x100000000\n"
                               "    size: $ram-size\n"
                               "\n"
                               "cpus\n"
                               "\n"
                               "isa.0: ISA\n"
                               "\n"
                               "peripheral/x: isa-serial on isa.0 at port 0x3f8, port none\n"
                               "    mac: 52:54:00:12:34:56\n"
                               "    empty: \"\"\n"
                               "    money: \"$5\"\n"
                               "\n"
                               "isa.0.irq[0..15] -> pic[0..15]\n"
                               "peripheral/x.irq -> pic.4\n";
    g_autofree char *again = rewrite(text);

    (void)state;
    assert_string_equal(again, text);
}

static void spaces_comments_and_line_ends_do_not_matter(void **state)
{
    g_autofree char *again = rewrite("\r\n# a comment\r\n   # one more\r\n"
                                     "machine   x\t\"y # no comment\"#comment\r\n"
                                     "\tram-size:16M# comment\r\n"
                                     "a:b on c at 1,port 2\r\n"
                                     " k :v\r\n"
                                     "a->d #\r\n"
                                     "cpus # as many as there are");

    (void)state;
    assert_string_equal(again, "machine x \"y # no comment\"\n    ram-size: 16M\n"
                               "\na: b on c at 0x1, port 0x2\n    k: v\n"
                               "\ncpus\n"
                               "\na -> d\n");
}

static void keywords_are_names_where_a_name_stands(void **state)
{
    static const char text[] = "\nmachine: include on on at 0x0\n    cpus: on\n    at: from\n"
                               "\ninclude: cpus\n\ncpus: machine\n\nport: at\n"
                               "\nmachine.port -> cpus.0\ncpus -> include\n";
    g_autofree char *again = rewrite(text);

    (void)state;
    assert_string_equal(again, text);
}

static void a_line_below_an_object_begins_a_wire(void **state)
{
    g_autofree char *again =
        rewrite("a: b\n  irq -> c.4\n  2 -> d\n  irq[0..3] -> e[4..7]\n  x: y\n");

    (void)state;
    assert_string_equal(again,
                        "\na: b\n    x: y\n\na.irq -> c.4\na.2 -> d\na.irq[0..3] -> e[4..7]\n");
}

static void each_thing_knows_its_place(void **state)
{
    GError *error = NULL;
    Board *board = parse("machine\n\n  ü: 1\n", &error);
    const BoardProperty *prop;

    (void)state;
    assert_null(board);
    assert_non_null(strstr(error->message, "b:3:3: "));
    g_clear_error(&error);
    board = parse("machine m \"ü\" # ü\n  k: \"üü\"\n\na: t on u at 5\n  ->: x\n", &error);
    assert_null(board);
    assert_non_null(strstr(error->message, "b:5:3: expected the name of a property or of a line"));
    g_clear_error(&error);
    board = parse("machine m\n  k: \"üü\"\n\na: t on u at 5\na.x -> b\n", &error);
    assert_non_null(board);
    prop = g_ptr_array_index(board->props, 0);
    assert_int_equal(prop->key.at.line, 2);
    assert_int_equal(prop->key.at.column, 3);
    assert_int_equal(prop->value.at.column, 6);
    assert_int_equal(((BoardObject *)g_ptr_array_index(board->objects, 0))->bus.at.column, 9);
    assert_int_equal(((BoardWire *)g_ptr_array_index(board->wires, 0))->to.at.column, 8);
    board_free(board);
}

/* ---- Mistakes ---- */

#define NAME_RULE                                                                                  \
    "expected a name - a letter, then letters, digits, '-', '.', '_', '[', ']', with '/' between " \
    "the parts of a path -, not "
#define MACHINE_RULE                                                                               \
    "expected the name of a machine - a letter, then letters, digits, '-', '.', '_' -, not "
#define NO_TOKEN "expected a word, a text in quotes, ':', ',' or '->', not "
#define NO_ADDRESS "expected an address, 'port' and its number, or 'none'"

static const struct {
    const char *text;
    const char *message; /* behind the name of the file */
} mistakes[] = {
    /* A line at the margin. */
    { "foo", "1:4: expected ':' and a type, or '->' and where the line leads, after 'foo', not the "
             "end of the line" },
    { "foo bar", "1:5: expected ':' and a type, or '->' and where the line leads, after 'foo', not "
                 "'bar'" },
    { "foo \"bar\"", "1:5: expected ':' and a type, or '->' and where the line leads, after 'foo', "
                     "not the text \"bar\"" },
    { "foo,",
      "1:4: expected ':' and a type, or '->' and where the line leads, after 'foo', not ','" },
    { "\n\n: x", "3:1: expected the name of an object, 'machine', 'cpus' or 'include', not ':'" },
    { "\"x\"", "1:1: expected the name of an object, 'machine', 'cpus' or 'include', not the text "
               "\"x\"" },
    { "-> x", "1:1: expected the name of an object, 'machine', 'cpus' or 'include', not '->'" },
    { ", x", "1:1: expected the name of an object, 'machine', 'cpus' or 'include', not ','" },
    { ">", "1:1: " NO_TOKEN "'>'" },
    { "a: b>c", "1:5: " NO_TOKEN "'>'" },
    { "a\x01: b", "1:2: " NO_TOKEN "the character 0x01" },
    { "\xc3\xbc: b", "1:1: " NO_TOKEN "'\xc3\xbc'" },
    { "\xe2\x80\x8b", "1:1: " NO_TOKEN "the character 0x200b" },
    { "x: y\n\xff", "2:1: expected text in UTF-8, not the byte 0xff" },
    { "x: \"\xc3\"", "1:5: expected text in UTF-8, not the byte 0xc3" },
    /* Objects. */
    { "a:", "1:3: expected the type of the object, not the end of the line" },
    { "a: # nothing", "1:4: expected the type of the object, not the end of the line" },
    { "a: \"t\"", "1:4: expected the type of the object, not the text \"t\"" },
    { "a::", "1:3: expected the type of the object, not ':'" },
    { "a: t u",
      "1:6: expected 'on' and a bus, 'at' and an address, or the end of the line, not 'u'" },
    { "a: t on", "1:8: expected the bus that it sits on, not the end of the line" },
    { "a: t on, b", "1:8: expected the bus that it sits on, not ','" },
    { "a: t on b c", "1:11: expected 'at' and an address, or the end of the line, not 'c'" },
    { "a: t on b on c", "1:11: expected 'at' and an address, or the end of the line, not 'on'" },
    { "a: t at", "1:8: " NO_ADDRESS ", not the end of the line" },
    { "a: t at \"0\"", "1:9: " NO_ADDRESS ", not the text \"0\"" },
    { "a: t at x", "1:9: " NO_ADDRESS ": 'x'" },
    { "a: t at 0x", "1:9: " NO_ADDRESS ": '0x'" },
    { "a: t at 010", "1:9: " NO_ADDRESS ": '010'" },
    { "a: t at -1", "1:9: " NO_ADDRESS ": '-1'" },
    { "a: t at 0x10000000000000000", "1:9: " NO_ADDRESS ": '0x10000000000000000'" },
    { "a: t at 4K", "1:9: " NO_ADDRESS ": '4K'" },
    { "a: t at port", "1:13: expected the number of a port, or 'none', not the end of the line" },
    { "a: t at port 0x10000", "1:14: expected the number of a port, or 'none': '0x10000'" },
    { "a: t at port port 1", "1:14: expected the number of a port, or 'none': 'port'" },
    { "a: t at 1,", "1:11: " NO_ADDRESS ", not the end of the line" },
    { "a: t at 1 2", "1:11: expected ',' and a further address, or the end of the line, not '2'" },
    { "a: t at 1 on b",
      "1:11: expected ',' and a further address, or the end of the line, not 'on'" },
    { "1a: t", "1:1: " NAME_RULE "'1a'" },
    { "a//b: t", "1:1: " NAME_RULE "'a//b'" },
    { "a/: t", "1:1: " NAME_RULE "'a/'" },
    { "/a: t", "1:1: " NAME_RULE "'/a'" },
    { "a*: t", "1:1: " NAME_RULE "'a*'" },
    { "a[*]: t", "1:1: " NAME_RULE "'a[*]'" },
    { "a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a: t", "1:1: " NAME_RULE "'a/a/" },
    { "a: t\nb: t\na: u", "3:1: there is a 'a' already, at b:1" },
    /* Properties. */
    { "  a: b",
      "1:3: expected this line to begin at the margin: there is no object above it that it "
      "could belong to" },
    { "a -> b\n  c: d", "2:3: expected this line to begin at the margin: " },
    { "cpus\n  c: d", "2:3: expected this line to begin at the margin: " },
    { "a: t\n  b",
      "2:4: expected ':' and a value, or '->' and where the line leads, not the end of "
      "the line" },
    { "a: t\n  b c", "2:5: expected ':' and a value, or '->' and where the line leads, not 'c'" },
    { "a: t\n  \"b\": c", "2:3: expected the name of a property or of a line, not the text \"b\"" },
    { "a: t\n\n\n  : c", "4:3: expected the name of a property or of a line, not ':'" },
    { "a: t\n  b:", "2:5: expected a value, not the end of the line" },
    { "a: t\n  b: # c", "2:6: expected a value, not the end of the line" },
    { "a: t\n  b: c d", "2:8: expected the end of the line (a value with spaces stands in quotes), "
                        "not 'd'" },
    { "a: t\n  b: \"c\" d", "2:10: expected the end of the line (a value with spaces stands in "
                            "quotes), not 'd'" },
    { "a: t\n  b: c\"d\"",
      "2:7: expected the end of the line (a value with spaces stands in quotes), "
      "not the text \"d\"" },
    { "a: t\n  b: c on d", "2:8: expected the end of the line (the line of an object like 'b' "
                           "begins at the margin), not 'on'" },
    { "machine a\n  b: c at 0", "2:8: expected the end of the line (the line of an object like 'b' "
                                "begins at the margin), not 'at'" },
    { "a: t\n  b: $", "2:6: expected the name of a property of the machine after '$'" },
    { "a: t\n  b: c\n  b: d", "3:3: 'b' has a value already, at b:2" },
    { "a: t\n  b: \"c", "2:8: expected '\"', which ends the text from column 6 on" },
    { "a: t\n  b: \"c\nd\"", "2:8: expected '\"', which ends the text from column 6 on" },
    { "a: t\n  b: \"c\\d\"", "2:9: expected '\"', '\\', 'n' or 't' after '\\'" },
    { "a: t\n  b: \"c\\", "2:9: expected '\"', '\\', 'n' or 't' after '\\'" },
    { "a: t\n  b: \x7f", "2:6: " NO_TOKEN "the character 0x7f" },
    /* Wires. */
    { "a ->", "1:5: expected where the wire leads, as in 'pic.4', not the end of the line" },
    { "a -> \"b\"", "1:6: expected where the wire leads, as in 'pic.4', not the text \"b\"" },
    { "a -> b c", "1:8: expected the end of the line, not 'c'" },
    { "a -> b -> c", "1:8: expected the end of the line, not '->'" },
    { "a: t\n  irq ->",
      "2:9: expected where the wire leads, as in 'pic.4', not the end of the line" },
    /* The machine. */
    { "machine\nmachine", "2:1: there is a 'machine' line already, at b:1" },
    { "machine 1", "1:9: " MACHINE_RULE "'1'" },
    { "machine a/b", "1:9: " MACHINE_RULE "'a/b'" },
    { "machine a[0]", "1:9: " MACHINE_RULE "'a[0]'" },
    { "machine from",
      "1:13: expected the machine that this one begins with, not the end of the line" },
    { "machine a from \"b\"", "1:16: expected the machine that this one begins with, not the text "
                              "\"b\"" },
    { "machine a b",
      "1:11: expected 'from' and a machine, a description in quotes, or the end of the "
      "line, not 'b'" },
    { "machine a from b c",
      "1:18: expected a description in quotes, or the end of the line, not 'c'" },
    { "machine a \"b\" \"c\"", "1:15: expected the end of the line, not the text \"c\"" },
    { "machine, a",
      "1:8: expected a name, 'from' and a machine, a description in quotes, or the end "
      "of the line, not ','" },
    { "machine\n  a -> b", "2:5: expected ':' and a value, not '->'" },
    { "machine\n  -> b", "2:3: expected the name of a property, not '->'" },
    { "cpus 4", "1:6: expected the end of the line, or ':' and a type, not '4'" },
    { "cpus\n\ncpus", "3:1: there is a 'cpus' line already, at b:1" },
    /* Files. */
    { "include", "1:8: expected the name of a file in quotes, not the end of the line" },
    { "include x", "1:9: expected the name of a file in quotes, not 'x'" },
    { "include \"x\" y", "1:13: expected the end of the line, not 'y'" },
    { "\ninclude \"x\"", "2:9: cannot open 'x'" },
    { "include \"b\"", "1:9: expected a file that is not being read already: b -> b" },
};

static void a_mistake_is_told_with_its_place_and_what_was_expected(void **state)
{
    unsigned failed = 0;

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(mistakes); i++) {
        g_autoptr(GError) error = NULL;
        Board *board = parse(mistakes[i].text, &error);

        if (board || !g_str_has_prefix(error->message, "b:") ||
            !g_str_has_prefix(error->message + 2, mistakes[i].message)) {
            print_error("%s\n  wanted: b:%s\n  have:   %s\n", mistakes[i].text, mistakes[i].message,
                        error ? error->message : "(no error)");
            failed++;
        }
        board_free(board);
    }
    assert_int_equal(failed, 0);
}

static void a_byte_that_is_no_text_is_told(void **state)
{
    BoardLexer lex;
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_false(board_lex_begin(&lex, "f", "a: b\n c\0: d", 12, &error));
    assert_string_equal(error->message, "f:2:3: expected text, not the byte 0x00");
}

static void a_long_word_is_shortened_in_a_message(void **state)
{
    g_autofree char *word = g_strnfill(1000000, 'x'), *text = g_strdup_printf("a: b %s", word);
    g_autofree char *value = g_strdup_printf("a: b\n  c: d\"%s\"", word);
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) in_quotes = NULL;

    (void)state;
    assert_null(parse(text, &error));
    assert_string_equal(error->message, "b:1:6: expected a word of at most 512 characters, not "
                                        "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'");
    assert_null(parse(value, &in_quotes));
    assert_string_equal(
        in_quotes->message,
        "b:2:7: expected the end of the line (a value with spaces stands in quotes), "
        "not the text \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\"");
}

/* ---- Files in files ---- */

static char *message_of(const TestFile *files)
{
    g_autoptr(GError) error = NULL;
    Board *board = board_parse(files[0].path, read_test_file, (void *)files, &error);

    board_free(board);
    return g_strdup(error ? error->message : "(no error)");
}

static void a_file_is_found_from_the_folder_of_the_one_that_names_it(void **state)
{
    static const TestFile files[] = { { "x/a", "include \"y/b\"\ninclude \"../c\"\n" },
                                      { "x/y/b", "include \"/d\"\nb: t\n" },
                                      { "x/../c", "c: t\n" },
                                      { "/d", "d: t\n" },
                                      { NULL, NULL } };
    GError *error = NULL;
    Board *board = board_parse("x/a", read_test_file, (void *)files, &error);
    g_autofree char *text = NULL;

    (void)state;
    assert_null(error);
    text = board_print(board);
    assert_string_equal(text, "\nd: t\n\nb: t\n\nc: t\n");
    board_free(board);
}

static void a_mistake_in_a_file_says_where_that_was_included(void **state)
{
    static const TestFile files[] = { { "a", "\ninclude \"b\"\n" },
                                      { "b", "x: t\ninclude \"c\"\n" },
                                      { "c", "x: t\n" },
                                      { NULL, NULL } };
    g_autofree char *message = message_of(files);

    (void)state;
    assert_string_equal(message,
                        "c:1:1: there is a 'x' already, at b:1 (included at b:2) (included at "
                        "a:2)");
}

static void a_file_that_includes_itself_is_refused_with_the_way(void **state)
{
    static const TestFile files[] = { { "a", "include \"b\"\n" },
                                      { "b", "include \"./x/../c\"\n" },
                                      { "./x/../c", "  # c\n   \ninclude \"../a\"\n" },
                                      { "./x/../../a", "" },
                                      { NULL, NULL } };
    static const TestFile ring[] = { { "a", "include \"b\"\n" },
                                     { "b", "include \"c\"\n" },
                                     { "c", "include \"b\"\n" },
                                     { NULL, NULL } };
    g_autofree char *none = message_of(files), *message = message_of(ring);

    (void)state;
    assert_string_equal(none, "(no error)");
    assert_string_equal(message,
                        "c:1:9: expected a file that is not being read already: b -> c -> b "
                        "(included at b:1) (included at a:1)");
}

static void a_file_may_be_included_twice(void **state)
{
    static const TestFile files[] = { { "a", "include \"b\"\ninclude \"b\"\n" },
                                      { "b", "x -> y\n" },
                                      { NULL, NULL } };
    g_autofree char *message = message_of(files);

    (void)state;
    assert_string_equal(message, "(no error)");
}

/* A file for each depth, or the same two lines again and again. */
static char *read_endless(void *opaque, const char *path, size_t *len, GError **errp)
{
    bool wide = opaque;
    unsigned n = (unsigned)strtoul(path + 1, NULL, 10);
    char *text = wide && n == 20 ? g_strdup("")
                 : wide ? g_strdup_printf("include \"f%u\"\ninclude \"f%u\"\n", n + 1, n + 1)
                        : g_strdup_printf("include \"f%u\"\n", n + 1);

    (void)errp;
    *len = strlen(text);
    return text;
}

static void files_without_end_are_refused(void **state)
{
    g_autoptr(GError) deep = NULL;
    g_autoptr(GError) wide = NULL;

    (void)state;
    assert_null(board_parse("f0", read_endless, NULL, &deep));
    assert_non_null(strstr(deep->message, "expected files at most 32 deep in each other"));
    assert_null(board_parse("f0", read_endless, (void *)1, &wide));
    assert_non_null(strstr(wide->message, "expected at most 1000 files in all"));
}

static void the_machine_line_may_stand_in_a_file_that_is_included(void **state)
{
    static const TestFile files[] = { { "a", "include \"b\"\nx: t\n  k: v\n" },
                                      { "b", "machine m\n" },
                                      { NULL, NULL } };
    static const TestFile two[] = { { "a", "include \"b\"\nmachine\n" },
                                    { "b", "machine m\n" },
                                    { NULL, NULL } };
    static const TestFile stray[] = { { "a", "x: t\ninclude \"b\"\n  k: v\n" },
                                      { "b", "y: t\n" },
                                      { NULL, NULL } };
    g_autofree char *none = message_of(files), *both = message_of(two), *lost = message_of(stray);

    (void)state;
    assert_string_equal(none, "(no error)");
    assert_string_equal(both, "a:2:1: there is a 'machine' line already, at b:1");
    assert_non_null(strstr(lost, "a:3:3: expected this line to begin at the margin"));
}

/* ---- Files on the disk ---- */

static void an_empty_file_is_an_empty_board(void **state)
{
    g_autoptr(GError) err = NULL;
    Board *board = board_parse("/dev/null", board_read_file, NULL, &err);

    (void)state;
    assert_null(err);
    assert_non_null(board);
    board_free(board);
}

static void files_that_cannot_be_read_are_told_why(void **state)
{
    g_autoptr(GError) missing = NULL;
    g_autoptr(GError) folder = NULL;
    g_autoptr(GError) endless = NULL;

    (void)state;
    assert_null(board_parse("/nowhere/at.all", board_read_file, NULL, &missing));
    assert_string_equal(missing->message,
                        "cannot open '/nowhere/at.all': No such file or directory");
    assert_null(board_parse("/tmp", board_read_file, NULL, &folder));
    assert_string_equal(folder->message, "'/tmp' is a directory, a file is needed");
    assert_null(board_parse("/dev/zero", board_read_file, NULL, &endless));
    assert_string_equal(endless->message,
                        "'/dev/zero' is more than 4 MiB, but only 4 MiB of a board file is read");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_board_is_written_as_it_was_read),
        cmocka_unit_test(spaces_comments_and_line_ends_do_not_matter),
        cmocka_unit_test(keywords_are_names_where_a_name_stands),
        cmocka_unit_test(a_line_below_an_object_begins_a_wire),
        cmocka_unit_test(each_thing_knows_its_place),
        cmocka_unit_test(a_mistake_is_told_with_its_place_and_what_was_expected),
        cmocka_unit_test(a_byte_that_is_no_text_is_told),
        cmocka_unit_test(a_long_word_is_shortened_in_a_message),
        cmocka_unit_test(a_file_is_found_from_the_folder_of_the_one_that_names_it),
        cmocka_unit_test(a_mistake_in_a_file_says_where_that_was_included),
        cmocka_unit_test(a_file_that_includes_itself_is_refused_with_the_way),
        cmocka_unit_test(a_file_may_be_included_twice),
        cmocka_unit_test(files_without_end_are_refused),
        cmocka_unit_test(the_machine_line_may_stand_in_a_file_that_is_included),
        cmocka_unit_test(an_empty_file_is_an_empty_board),
        cmocka_unit_test(files_that_cannot_be_read_are_told_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
