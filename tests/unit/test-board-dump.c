/* SPDX-License-Identifier: MIT */
/*
 * Machines written as boards: what is read back is the same machine - the tree property by
 * property, both maps, and the text when it is written once more. Under qtest, so without vCPUs.
 */
#include "tests/unit/board-types.h"

static char *dump(void)
{
    Board *board = board_dump(current_machine());
    char *text = board_print(board);

    board_free(board);
    return text;
}

/* The machine that @machine and @more make is the one that the board written from it makes. */
static void assert_round_trip(const char *machine, const char *more)
{
    g_autofree char *words = g_strdup_printf("-M %s%s%s", machine, *more ? " " : "", more);
    g_autofree char *text = NULL, *shown = NULL, *text_again = NULL, *shown_again = NULL;
    GError *error = NULL;

    if (board_start(words, &error) != OPTIONS_READY) {
        fail_msg("%s: %s", words, error->message);
    }
    text = dump();
    shown = board_show();
    board_fixture_end();
    program_setup(NULL);
    assert_board(text, "");
    text_again = dump();
    shown_again = board_show();
    assert_string_equal(text, text_again);
    assert_same_lines(shown, shown_again);
    board_fixture_end();
    program_setup(NULL);
}

static void a_machine_read_back_is_the_same(void **state)
{
    static const struct {
        const char *machine, *more;
    } rows[] = {
        { "bare", "" },
        { "bare", "-nodefaults" },
        { "bare", "-m 6G" },
        { "bare", "-m 1M -smp 4 -cpu max,kvm-hypercalls=off" },
        { "bare,kernel-irqchip=on", "-serial null -serial null -serial null" },
        { "bare,load-address=0x10000,cs=0x1000,entry=0,rax=2,rbx=0xffffffffffffffff", "" },
        { "bare,on-halt=wait,unassigned=stop", "-name x" },
        { "bare,long-mode=on,rsp=0x8000", "" },
        { "bare,kernel-irqchip=on", "-nodefaults -device isa-serial,id=a,index=1 "
                                    "-device isa-serial,iobase=0x100,irq=9 "
                                    "-device isa-debugcon,id=con.1,iobase=0xf1,readback=1 "
                                    "-device port-logger,iosize=4,limit=1000000000000" },
        { "none", "" },
        { "flat", "-name \"" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        assert_round_trip(rows[i].machine, rows[i].more);
    }
}

static void the_teaching_board_from_a_file_is_the_machine_bare(void **state)
{
    g_autofree char *path =
        g_build_filename(g_getenv("abs_top_srcdir"), "examples/boards/teaching.board", NULL);
    g_autofree char *words = g_strdup_printf("-board %s -M teaching -m 5G", path);
    g_autofree char *bare = NULL, *teaching = NULL;
    GError *error = NULL;

    (void)state;
    assert_int_equal(board_start("-M bare,cpu=qemu64 -m 5G", &error), OPTIONS_READY);
    bare = board_show();
    board_fixture_end();
    program_setup(NULL);
    if (board_start(words, &error) != OPTIONS_READY) {
        fail_msg("%s", error->message);
    }
    teaching = board_show();
    assert_same_lines(bare, teaching);
}

static void what_differs_from_the_type_is_written_and_nothing_else(void **state)
{
    g_autofree char *text = NULL;
    GError *error = NULL;

    (void)state;
    assert_int_equal(board_start("-M bare,kernel-irqchip=on,rax=64,rbx=63 -m 32M -smp 2 "
                                 "-chardev null,id=c "
                                 "-device port-logger,id=log,limit=1000,chardev=c",
                                 &error),
                     OPTIONS_READY);
    text = dump();
    assert_string_equal(text, "machine from flat \"teaching board: RAM, ports, a flat binary\"\n"
                              "    ram-size: 32M\n"
                              "    smp: 2\n"
                              "    rax: 0x40\n"
                              "    rbx: 63\n"
                              "\n"
                              "pic: accel-irqchip\n"
                              "\n"
                              "ram: ram at 0x0, 0x100000000\n"
                              "    size: $ram-size\n"
                              "    memdev: $memory-backend\n"
                              "    split: 3G\n"
                              "\n"
                              "isa.0: ISA\n"
                              "\n"
                              "serial0: isa-serial on isa.0\n"
                              "    index: 0\n"
                              "    chardev: $serial0\n"
                              "\n"
                              "peripheral/log: port-logger on isa.0\n"
                              "    limit: 0x3e8\n"
                              "    chardev: c\n"
                              "\n"
                              "cpus\n"
                              "\n"
                              "isa.0.irq[0..15] -> pic[0..15]\n"
                              "serial0.irq -> pic.4\n");
}

static void every_kind_of_object_is_written_and_read_back(void **state)
{
    static const char text[] = "pic: accel-irqchip\n"
                               "behind: test-backend\n    value: 7\n"
                               "a: test-block at none, 0x200000, port 0x300\n"
                               "    backend: /machine/behind\n"
                               "b: test-block at 0x100000000\n"
                               "either: or-irq\n    num-lines: 3\n"
                               "bridge: test-bridge\n"
                               "parts/log: port-logger on bridge/isa.0\n"
                               "peripheral-anon/device[0]: isa-debugcon on bridge/isa.0\n"
                               "peripheral/x: isa-serial on bridge/isa.0\n"
                               "a.sysbus-irq -> pic.20\n"
                               "a.ready[0..1] -> either[1..2]\n"
                               "b.ready[1] -> a.ear[2]\n"
                               "either -> pic.21\n"
                               "bridge/isa.0.irq[4] -> either.0\n";
    g_autofree char *first = NULL, *second = NULL, *shown = NULL, *again = NULL;

    (void)state;
    assert_board(text, "");
    shown = board_show();
    first = dump();
    assert_null(strchr(first, '#'));
    board_fixture_end();
    program_setup(NULL);
    assert_board(first, "");
    again = board_show();
    second = dump();
    assert_string_equal(first, second);
    assert_same_lines(shown, again);
}

static void what_cannot_be_said_is_remarked(void **state)
{
    Object *stray, *named;
    g_autofree char *text = NULL;
    qemu_irq line = qemu_allocate_irq(hear, NULL, 0);

    (void)state;
    assert_board("b: test-block\n", "");
    stray = object_new(TYPE_IRQ);
    named = object_new("or-irq");
    assert_true(object_property_add_child(OBJECT(current_machine()), "stray", stray, NULL));
    assert_true(object_property_add_child(OBJECT(current_machine()), "2nd", named, NULL));
    assert_true(qdev_connect_gpio_out_named(DEVICE(at("b")), "ready", 0, line, NULL));
    object_unref(stray);
    object_unref(named);
    object_unref(line);
    text = dump();
    assert_true(g_str_has_prefix(text,
                                 "# b.ready[0] leads to a line that is no part of an object\n"
                                 "# /machine/stray, of type 'irq', cannot be said in a board "
                                 "file\n"
                                 "# /machine/2nd, of type 'or-irq', cannot be said in a board "
                                 "file\n"
                                 "machine from flat "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        board_test(a_machine_read_back_is_the_same),
        board_test(the_teaching_board_from_a_file_is_the_machine_bare),
        board_test(what_differs_from_the_type_is_written_and_nothing_else),
        board_test(every_kind_of_object_is_written_and_read_back),
        board_test(what_cannot_be_said_is_remarked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
