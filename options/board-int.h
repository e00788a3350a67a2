/* SPDX-License-Identifier: MIT */
/*
 * Boards as text: what a board file says (Board), and the ways between the file, that, and the
 * objects of a machine. docs/board-files.md is the description of the language.
 *
 *   file -> Board      board-file.c board-lex.c board-parse.c
 *   Board -> file      board-print.c
 *   Board -> type      board-type.c
 *   Board -> objects   board-make.c board-realize.c board-wire.c
 *   objects -> Board   board-dump.c
 *
 * Main thread, all of it.
 */
#ifndef OPTIONS_BOARD_INT_H
#define OPTIONS_BOARD_INT_H

#include <qomet/machine/machine.h>

/** Where something stands. Lines and columns count from 1, columns in characters. */
typedef struct BoardPos {
    const char *file; /* as messages call it; the Board's. NULL: it was not read from a file */
    unsigned line, column;
} BoardPos;

/** A word of the file; text is NULL where there is none. */
typedef struct BoardText {
    char *text;
    BoardPos at;
} BoardText;

/** "key: value" or "key: $value". */
typedef struct BoardProperty {
    BoardText key, value;
    bool reference; /* the value is what the machine has under that name */
} BoardProperty;

/** One part of "at ...". */
typedef struct BoardPlace {
    BoardPos at;
    bool port;    /* in the I/O space, else in memory */
    bool nowhere; /* "none": the region is not mapped */
    uint64_t addr;
} BoardPlace;

/** "name: type on bus at place, place" with its properties; or the word "cpus". */
typedef struct BoardObject {
    BoardText name, type, bus;
    bool cpus; /* the vCPUs that the machine's properties ask for; no field but name.at holds */
    GArray *places;   /* of BoardPlace */
    GPtrArray *props; /* of BoardProperty * */
} BoardObject;

/** "from -> to". */
typedef struct BoardWire {
    BoardText from, to;
} BoardWire;

/** All that a board file and those that it includes say. */
typedef struct Board {
    GPtrArray *files; /* of char *: their names; the first one is the board's own */
    bool has_machine; /* there is a "machine" line, at machine_at */
    BoardPos machine_at;
    BoardText name; /* NULL: after the file */
    BoardText base; /* NULL: BOARD_DEFAULT_BASE */
    BoardText desc;
    GPtrArray *props;   /* of BoardProperty *: of the machine */
    GPtrArray *objects; /* of BoardObject *, in order */
    GPtrArray *wires;   /* of BoardWire *, in order */
    GPtrArray *remarks; /* of char *: comment lines for board_print() */
} Board;

/** What a board begins with unless it says "from". */
#define BOARD_DEFAULT_BASE "flat"

Board *board_new(void);
void board_free(Board *board);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Board, board_free)
BoardObject *board_add_object(Board *board);
BoardWire *board_add_wire(Board *board);
/** Appends to @props (of a board or an object); @key and @value are taken over. */
BoardProperty *board_add_property(GPtrArray *props, char *key, char *value);

/**
 * Whether @text can name an object: parts of letters, digits and a few signs with '/' between them,
 * a letter first.
 */
bool board_name_is_good(const char *text);

/** Whether a signal has ended the program meanwhile, which @errp says then: a board may be huge. */
bool board_interrupted(GError **errp);
/** Sets "FILE:LINE:COLUMN: " and the text; returns false. */
bool board_error(GError **errp, const BoardPos *at, const char *fmt, ...) G_GNUC_PRINTF(3, 4);
/** Puts that before the message of *@errp; returns false. */
bool board_blame(GError **errp, const BoardPos *at);
/** The same with the name of @object behind it. */
bool board_blame_object(GError **errp, const BoardObject *object);

/* ---- board-lex.c: a line into tokens -------------------------------------------------------- */

typedef enum BoardTokenKind {
    BOARD_TOKEN_END, /* of the line */
    BOARD_TOKEN_WORD,
    BOARD_TOKEN_STRING,
    BOARD_TOKEN_COLON,
    BOARD_TOKEN_COMMA,
    BOARD_TOKEN_ARROW,
} BoardTokenKind;

typedef struct BoardToken {
    BoardTokenKind kind;
    char *text; /* of a word, or a string without its quotes; else NULL */
    BoardPos at;
} BoardToken;

typedef struct BoardLexer {
    const char *file;
    const char *end;     /* of the text, which is valid UTF-8 up to there */
    const char *next;    /* what is to be read */
    const char *counted; /* up to here, counted_column is known */
    unsigned line, counted_column;
} BoardLexer;

/** False, with the place in @errp, when @text is not what a file can hold (UTF-8 without NUL). */
bool board_lex_begin(BoardLexer *lex, const char *file, const char *text, size_t len,
                     GError **errp);
/**
 * Moves to the next line that is not empty and says whether it is indented. False at the end of the
 * text.
 */
bool board_lex_line(BoardLexer *lex, bool *indented);
/** Reads a token into @token, whose old text is freed. */
bool board_lex_token(BoardLexer *lex, BoardToken *token, GError **errp);
/** The same behind the ':' of a property: a word holds whatever is no space, quote or comment. */
bool board_lex_value(BoardLexer *lex, BoardToken *token, GError **errp);
/** How a message calls it: "'serial0'", "the end of the line"; the caller frees. */
char *board_token_name(const BoardToken *token);

/* ---- board-file.c: files, and files within files --------------------------------------------- */

/** Gives the bytes of the file @path (the caller frees), or NULL with the reason in @errp. */
typedef char *BoardReadFn(void *opaque, const char *path, size_t *len, GError **errp);
/**
 * The board in the file @path, and in those that it includes, read by @read. NULL with @errp set:
 * where, what was expected, and what stands there.
 */
Board *board_parse(const char *path, BoardReadFn *read, void *opaque, GError **errp);
/** A BoardReadFn for files on the disk; their size is limited. */
char *board_read_file(void *opaque, const char *path, size_t *len, GError **errp);

/** What all files of a board share while they are read. */
typedef struct BoardReader {
    Board *board;
    GHashTable *names; /* of an object -> its BoardObject */
    BoardReadFn *read;
    void *opaque;
    size_t bytes; /* read so far */
} BoardReader;

/** A file that is being read. */
typedef struct BoardFile {
    BoardReader *reader;
    const char *name;              /* as messages call it; the board's */
    char *identity;                /* its real path */
    const struct BoardFile *outer; /* the file that includes it, or NULL */
    unsigned depth;                /* how many are around it */
} BoardFile;

/** Reads the file @name, which @file includes at @at. */
bool board_include(const BoardFile *file, const char *name, const BoardPos *at, GError **errp);

/* ---- board-parse.c -------------------------------------------------------------------------- */

/** Reads the lines of @file. */
bool board_parse_text(const BoardFile *file, const char *text, size_t len, GError **errp);

/* ---- board-print.c -------------------------------------------------------------------------- */

/** The text that board_parse() takes for an equal board; the caller frees. */
char *board_print(const Board *board);

/* ---- board-type.c --------------------------------------------------------------------------- */

/**
 * Registers the machine type that @board describes; takes it over and keeps it for as long as the
 * process lives. Types must be registered. False with @errp set: names that are not there or taken,
 * values that a property does not take; the board is freed.
 */
bool board_register(Board *board, GError **errp);

/* ---- board-make.c --------------------------------------------------------------------------- */

/**
 * Makes the objects of @board below @machine, configures, realizes and wires them. *@serials is
 * raised to the number of serial ports that the board has.
 */
bool board_make(const Board *board, MachineState *machine, unsigned *serials, GError **errp);

/* ---- board-realize.c ------------------------------------------------------------------------ */

/**
 * Realizes @objects - those of @board, in that order; NULL where there is none - and connects the
 * wires. Also makes the vCPUs of the machine where the board says so.
 */
bool board_realize(const Board *board, Object *const *objects, MachineState *machine,
                   GError **errp);

/* ---- board-wire.c: the ends of wires, as the tree shows them --------------------------------- */

/** Lines of an object: one, or several with consecutive numbers. */
typedef struct BoardLines {
    Object *obj;
    char *group; /* NULL: the lines without a name */
    unsigned first, last;
} BoardLines;

/** The object that stands at @path below the machine, links not followed, or NULL. */
Object *board_find_object(const char *path);
/** The object whose line @end names, or NULL: it is not there, or not yet. */
Object *board_end_object(const BoardText *end);
/** The lines that @end names: inputs, or outputs; the nearest object or line is in @errp. */
bool board_lines_find(BoardLines *lines, const BoardText *end, bool inputs, GError **errp);
/**
 * Connects what @wire says. @taken maps outputs that were connected to their BoardWire: a second
 * wire from one of them is refused.
 */
bool board_connect(const BoardWire *wire, GHashTable *taken, GError **errp);

/** How the tree calls the groups of lines that have no name. */
#define BOARD_UNNAMED_IN "unnamed-gpio-in"
#define BOARD_UNNAMED_OUT "unnamed-gpio-out"
typedef void BoardLineFn(const char *group, unsigned n, void *opaque);
/** Calls @fn for every line of @obj of that direction. */
void board_foreach_line(Object *obj, bool inputs, BoardLineFn *fn, void *opaque);
/** How many lines of that direction the group has; NULL: the one without a name. */
unsigned board_line_count(Object *obj, const char *group, bool inputs);

/* ---- board-dump.c --------------------------------------------------------------------------- */

/** What the machine is made of. */
Board *board_dump(MachineState *machine);

#endif
