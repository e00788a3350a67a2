/* SPDX-License-Identifier: MIT */
/*
 * What the tests of boards share: machines made of words of a command line and of boards in memory,
 * under qtest, and all that the tree and the maps show of them as text.
 */
#ifndef QOMET_TESTS_UNIT_BOARD_FIXTURE_H
#define QOMET_TESTS_UNIT_BOARD_FIXTURE_H

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <qomet/backends/chardev/char.h>
#include <qomet/options/options.h>
#include "options/board-int.h"
#include "tests/unit/program-fixture.h"

static OptionPlan *the_plan;

/* Whatever was made is gone, and the maps are empty. */
static G_GNUC_UNUSED void board_fixture_end(void)
{
    qdev_fault_inject(0);
    program_teardown(NULL);
    option_plan_free(the_plan);
    the_plan = NULL;
}

static G_GNUC_UNUSED int board_fixture_teardown(void **state)
{
    (void)state;
    board_fixture_end();
    return 0;
}

/* A BoardReadFn that gives the text @opaque, whatever the file. */
static G_GNUC_UNUSED char *board_from_memory(void *opaque, const char *path, size_t *len,
                                             GError **errp)
{
    (void)path;
    (void)errp;
    *len = strlen(opaque);
    return g_strdup(opaque);
}

/*
 * Registers @text as a machine with a name of its own, which is returned (it is kept); NULL and
 * @errp when it is refused. Messages call the file "b".
 */
static G_GNUC_UNUSED const char *board_from_text(const char *text, GError **errp)
{
    static unsigned number;
    g_autofree char *name = g_strdup_printf("text%u", number++);
    Board *board = board_parse("b", board_from_memory, (void *)text, errp);

    if (board && !board->name.text) {
        board->name.text = g_strdup(name);
        board->name.at = (BoardPos){ "b", 1, 1 };
    }
    return board && board_register(board, errp) ? g_intern_string(name) : NULL;
}

/* The machine that "@words", separated by spaces, make under qtest. */
static G_GNUC_UNUSED OptionsResult board_start(const char *words, GError **errp)
{
    g_autofree char *all = g_strconcat("qomet -accel qtest ", words, NULL);
    g_auto(GStrv) argv = g_strsplit(all, " ", -1);

    the_plan = options_parse((int)g_strv_length(argv), argv, errp);
    return the_plan ? options_apply(the_plan, errp) : OPTIONS_FAILED;
}

/* The machine of the board @text; @more are further words, or "". */
static G_GNUC_UNUSED bool board_try(const char *text, const char *more, GError **errp)
{
    const char *name = board_from_text(text, errp);
    g_autofree char *words =
        name ? g_strdup_printf("-M %s%s%s", name, *more ? " " : "", more) : NULL;

    return name && board_start(words, errp) == OPTIONS_READY;
}

static G_GNUC_UNUSED void assert_board(const char *text, const char *more)
{
    GError *error = NULL;

    if (!board_try(text, more, &error)) {
        fail_msg("%s\n%s", error->message, text);
    }
}

/* Refused at its registration or when it is made; the fixture begins anew. */
static G_GNUC_UNUSED void assert_board_refused(const char *text, const char *more,
                                               const char *message)
{
    g_autoptr(GError) error = NULL;

    if (board_try(text, more, &error)) {
        fail_msg("it was taken:\n%s", text);
    }
    if (!strstr(error->message, message)) {
        fail_msg("'%s' is not in: %s\n%s", message, error->message, text);
    }
    board_fixture_end();
    program_setup(NULL);
}

/* ---- All that there is ---- */

static int board_show_object(Object *obj, void *opaque)
{
    GPtrArray *lines = opaque;
    g_autofree char *path = object_get_canonical_path(obj);
    bool is_machine = obj == OBJECT(current_machine());
    ObjectPropertyIterator iter;
    ObjectPropertyView view;

    g_ptr_array_add(lines, g_strdup_printf("%s: %s", path,
                                           is_machine ? "a machine" : object_get_typename(obj)));
    object_property_iter_init(&iter, obj);
    while (object_property_iter_next(&iter, &view)) {
        g_autofree char *value = object_property_print(obj, view.name, NULL);

        /* The second is of "bare" alone: boards have those controllers or have them not. */
        if (!is_machine ||
            (strcmp(view.name, "type") != 0 && strcmp(view.name, "kernel-irqchip") != 0)) {
            g_ptr_array_add(lines, g_strdup_printf("%s.%s (%s) = %s", path, view.name, view.type,
                                                   value ? value : "?"));
        }
    }
    if (object_dynamic_cast(obj, TYPE_IRQ)) {
        g_ptr_array_add(lines, g_strdup_printf("%s level %d", path, qemu_irq_level(IRQ(obj))));
    }
    return 0;
}

static bool board_show_section(const MemoryRegionSection *s, void *opaque)
{
    g_autofree char *path = object_get_canonical_path(OBJECT(s->mr));

    g_ptr_array_add(opaque, g_strdup_printf("%s 0x%" PRIx64 " 0x%" PRIx64 " %s + 0x%" PRIx64,
                                            s->as->name, s->offset_within_address_space, s->size,
                                            path, s->offset_within_region));
    return true;
}

static int board_compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The tree below the machine, property by property, and both maps, in order; the caller frees. */
static G_GNUC_UNUSED char *board_show(void)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    char *text;

    board_show_object(OBJECT(current_machine()), lines);
    object_child_foreach_recursive(OBJECT(current_machine()), board_show_object, lines);
    address_space_foreach(&address_space_memory, board_show_section, lines);
    address_space_foreach(&address_space_io, board_show_section, lines);
    qsort(lines->pdata, lines->len, sizeof(void *), board_compare_lines);
    g_ptr_array_add(lines, NULL);
    text = g_strjoinv("\n", (char **)lines->pdata);
    g_ptr_array_unref(lines);
    return text;
}

/* Compares line by line, and shows what differs. */
static G_GNUC_UNUSED void assert_same_lines(const char *a, const char *b)
{
    g_auto(GStrv) before = g_strsplit(a, "\n", -1), after = g_strsplit(b, "\n", -1);
    unsigned differences = 0;

    for (char **line = before; *line; line++) {
        if (!g_strv_contains((const char *const *)after, *line)) {
            print_error("- %s\n", *line);
            differences++;
        }
    }
    for (char **line = after; *line; line++) {
        if (!g_strv_contains((const char *const *)before, *line)) {
            print_error("+ %s\n", *line);
            differences++;
        }
    }
    assert_int_equal(differences, 0);
    assert_int_equal(g_strv_length(before), g_strv_length(after));
}

#define board_test(f) cmocka_unit_test_setup_teardown(f, program_setup, board_fixture_teardown)

#endif
