/* SPDX-License-Identifier: MIT */
/*
 * Board files: the input, cut at lines "==", is the files "f0" (the board), "f1", ... that it may
 * include. What can be read is written and read again, and must be the same; a board of harmless
 * types is also made, below a machine under qtest.
 */
#include <string.h>
#include <qomet/backends/chardev/char.h>
#include "machine/rooms.h"
#include "options/board-int.h"
#include "tests/fuzz/fuzz.h"

#define MAX_FILES 8

/* ---- Files ---- */

typedef struct FuzzFile {
    const char *text;
    size_t len;
} FuzzFile;

static FuzzFile files[MAX_FILES];

static void cut(const char *text, size_t len)
{
    const char *end = text + len;

    memset(files, 0, sizeof(files));
    for (unsigned i = 0; i < MAX_FILES && text; i++) {
        const char *mark = memmem(text, (size_t)(end - text), "\n==\n", 4);

        files[i] = (FuzzFile){ text, (size_t)((mark ? mark + 1 : end) - text) };
        text = mark ? mark + 4 : NULL;
    }
}

/* Exactly as many bytes as there are, so that one read too far is seen. */
static char *copy(const char *text, size_t len)
{
    char *bytes = malloc(len ? len : 1);

    memcpy(bytes, text, len);
    return bytes;
}

static char *read_part(void *opaque, const char *path, size_t *len, GError **errp)
{
    unsigned n =
        path[0] == 'f' && path[1] >= '0' && !path[2] ? (unsigned)(path[1] - '0') : MAX_FILES;

    (void)opaque;
    if (n >= MAX_FILES || !files[n].text) {
        qom_error_set(errp, QOM_ERROR_NOT_FOUND, "there is no '%s'", path);
        return NULL;
    }
    *len = files[n].len;
    return copy(files[n].text, files[n].len);
}

static char *read_text(void *opaque, const char *path, size_t *len, GError **errp)
{
    (void)path;
    (void)errp;
    *len = strlen(opaque);
    return copy(opaque, *len);
}

/* ---- What must hold ---- */

/* One of the two, and an error says something. */
static void must_tell(bool good, const GError *error)
{
    MUST(good != (error != NULL) && (!error || *error->message));
}

static void write_and_read(const Board *board)
{
    g_autofree char *text = board_print(board), *again = NULL;
    g_autoptr(GError) error = NULL;
    Board *second = board_parse("again", read_text, text, &error);

    must_tell(second != NULL, error);
    MUST(second != NULL);
    again = board_print(second);
    MUST(!strcmp(text, again));
    board_free(second);
}

/* ---- Making it ---- */

static bool is_harmless(const Board *board)
{
    static const char *const types[] = {
        "ISA",         "accel-irqchip", "invert-irq", "isa-debugcon", "isa-serial", "or-irq",
        "port-logger", "ram",           "System",     "split-irq",    NULL
    };

    for (unsigned i = 0; i < board->objects->len; i++) {
        const BoardObject *object = g_ptr_array_index(board->objects, i);

        if (!object->cpus && !g_strv_contains(types, object->type.text)) {
            return false;
        }
    }
    return board->objects->len < 100 && board->wires->len < 100;
}

static void make(const Board *board)
{
    g_autoptr(GError) error = NULL;
    MachineState *machine;
    unsigned serials = 0;
    bool made;

    machine = machine_new(machine_class_find("flat", NULL), NULL);
    machine_add_serial_words(machine, "null");
    MUST(machine && accel_init("qtest", NULL) && machine_init(machine, NULL));
    made = board_make(board, machine, &serials, &error);
    must_tell(made, error);
    if (made) {
        board_free(board_dump(machine));
    }
    machine_cleanup();
    accel_cleanup();
    qemu_chr_cleanup();
    object_root_cleanup();
    MUST(!get_system_memory()->subregions || !get_system_memory()->subregions->len);
    MUST(!get_system_io()->subregions || !get_system_io()->subregions->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool begun;
    g_autoptr(GError) error = NULL;
    Board *board;

    if (!begun) {
        MUST(rooms_begin(NULL));
        begun = true;
    }
    cut((const char *)data, size);
    board = board_parse("f0", read_part, NULL, &error);
    must_tell(board != NULL, error);
    if (board) {
        write_and_read(board);
        if (is_harmless(board)) {
            make(board);
        }
        board_free(board);
    }
    return 0;
}
