/* SPDX-License-Identifier: MIT */
/*
 * What Tab makes of the end of a line: commands, arguments of each type, and nothing where nothing
 * is known.
 */
#include "tests/unit/qmp-fixture.h"
#include <qomet/hw/isa/isa-bus.h>
#include <qomet/options/options.h>
#include "monitor/hmp-int.h"

static void add_device(const char *words)
{
    g_autoptr(KeyVal) kv = keyval_parse(words, "driver", NULL);
    GError *error = NULL;

    if (!options_device_add(kv, &error)) {
        fail_msg("%s", error->message);
    }
}

static int setup(void **state)
{
    int bad = program_setup(state);

    test_chr("console");
    if (!isa_bus_new(NULL, get_system_io(), NULL)) {
        return -1;
    }
    add_device("isa-debugcon,id=con1,iobase=0xe9");
    add_device("isa-debugcon,id=con2,iobase=0xea");
    return bad;
}

static int teardown(void **state)
{
    object_unparent(qdev_get_machine());
    return qmp_teardown(state);
}

/* All that @line may become, as one text; "|" is where it begins. The caller frees. */
static char *tab(const char *line)
{
    size_t from;
    g_auto(GStrv) words = hmp_complete(line, &from);
    g_autofree char *joined = g_strjoinv("|", words);

    assert_true(from <= strlen(line));
    for (char **word = words; *word; word++) {
        assert_true(g_str_has_prefix(*word, line + from));
    }
    return g_strdup_printf("%.*s|%s", (int)from, line, joined);
}

#define assert_tab(line, expected)                                                                 \
    do {                                                                                           \
        g_autofree char *text_ = tab(line);                                                        \
        assert_string_equal(text_, expected);                                                      \
    } while (0)

static void commands_are_completed(void **state)
{
    (void)state;
    assert_tab("sto", "|stop ");
    assert_tab("  sto", "  |stop ");
    assert_tab("system_", "|system_powerdown |system_reset ");
    assert_tab("info reg", "info |registers ");
    assert_tab("info qt", "info |qtree ");
    assert_tab("help sto", "help |stop ");
    assert_tab("help info reg", "help info |registers ");
    assert_tab("nothing", "|");
    assert_tab("nothing x", "nothing x|");
    assert_tab("stop ", "stop |");
}

static void paths_are_completed_step_by_step(void **state)
{
    (void)state;
    assert_tab("qom-list ", "qom-list |/");
    assert_tab("qom-list /mach", "qom-list /|machine/");
    assert_tab("qom-list /machine/periph", "qom-list /machine/|peripheral/");
    assert_tab("qom-list /machine/peripheral/", "qom-list /machine/peripheral/|con1/|con2/");
    assert_tab("qom-list /chardevs/c", "qom-list /chardevs/|console ");
    assert_tab("qom-list /nowhere/c", "qom-list /nowhere/|");
    assert_tab("qom-list x", "qom-list |");
    assert_tab("info qom-tree /mach", "info qom-tree /|machine/");
}

static void properties_and_values_are_completed(void **state)
{
    (void)state;
    assert_tab("qom-get /machine/peripheral/con1 io", "qom-get /machine/peripheral/con1 |iobase ");
    assert_tab("qom-set /machine/peripheral/con1 realized o",
               "qom-set /machine/peripheral/con1 realized |off |on ");
    assert_tab("qom-set -j /machine/peripheral/con1 chardev c",
               "qom-set -j /machine/peripheral/con1 chardev |console ");
    assert_tab("qom-get /nowhere io", "qom-get /nowhere |");
    assert_tab("trace-event exits o", "trace-event exits |off |on ");
}

static void ids_are_completed(void **state)
{
    (void)state;
    assert_tab("device_del c", "device_del |con1 |con2 ");
    assert_tab("device_del /machine/peripheral/con2", "device_del /machine/peripheral/|con2/");
    assert_tab("object_del ", "object_del |");
}

static void words_of_a_device_are_completed(void **state)
{
    g_autofree char *all = tab("device_add isa-debugcon,");

    (void)state;
    assert_tab("device_add isa-debugc", "device_add |isa-debugcon,");
    assert_tab("device_add  isa-debugc", "device_add  |isa-debugcon,");
    assert_non_null(strstr(all, "|bus=|chardev=|id=|iobase=|readback="));
    assert_tab("device_add isa-debugcon,iobase=1,r", "device_add isa-debugcon,iobase=1,|readback=");
    assert_tab("device_add isa-debugcon,iobase=1,io", "device_add isa-debugcon,iobase=1,|");
    assert_tab("device_add isa-debugcon,chardev=", "device_add isa-debugcon,chardev=|console ");
    assert_tab("device_add isa-debugcon,bus=i", "device_add isa-debugcon,bus=|isa.0");
    assert_tab("device_add nothing,", "device_add nothing,|");
    assert_tab("device_add container,", "device_add container,|");
    assert_tab("object_add monitor-q", "object_add |monitor-qmp,");
    assert_tab("object_add monitor-qmp,pretty=o", "object_add monitor-qmp,pretty=|off|on");
}

static void what_else_there_is_is_completed(void **state)
{
    (void)state;
    assert_tab("log ex", "log |exits");
    assert_tab("log exits,ir", "log exits,|irq");
    assert_tab("p $rip+$rfl", "p $rip+$|rflags");
    assert_tab("x /10i $ri", "x /10i $|rip");
    assert_tab("x/10i $ri", "x/10i $|rip");
    assert_tab("x /1", "x |");
    assert_tab("p 5", "p |");
    assert_tab("info registers -", "info registers -|a ");
}

/* Whatever stands there, what is offered begins with what was typed. */
static void any_line_is_completed_or_not(void **state)
{
    static const char *const pieces[] = {
        "info ", "qom-get ", "/",       "machine",  "device_add ", "isa-debugcon",
        ",",     "=",        "chardev", "$",        "-",           "\"",
        " ",     "é",        "x",       "qom-set ", "help ",       "/10x",
        "con1"
    };
    g_autoptr(GRand) rand = g_rand_new_with_seed(5);

    (void)state;
    for (int i = 0; i < 5000; i++) {
        g_autoptr(GString) line = g_string_new(NULL);

        for (int n = g_rand_int_range(rand, 0, 8); n > 0; n--) {
            g_string_append(line, pieces[g_rand_int_range(rand, 0, G_N_ELEMENTS(pieces))]);
        }
        g_free(tab(line->str)); /* asserts it */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_completed),
        cmocka_unit_test(paths_are_completed_step_by_step),
        cmocka_unit_test(properties_and_values_are_completed),
        cmocka_unit_test(ids_are_completed),
        cmocka_unit_test(words_of_a_device_are_completed),
        cmocka_unit_test(what_else_there_is_is_completed),
        cmocka_unit_test(any_line_is_completed_or_not),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
