/* SPDX-License-Identifier: MIT */
/*
 * Boards that cannot be: names and values that are not there, wires to nowhere, options that would
 * not be heard - each told with its place and the nearest name -, and that a board that fails at
 * any step leaves nothing behind.
 */
#include <signal.h>
#include <qomet/accel/runstate.h>
#include "tests/unit/board-types.h"

static void names_that_are_not_there_are_told_with_the_nearest(void **state)
{
    static const char *const rows[][2] = {
        { "a: isa-seril\n", "b:1:4: there is no type 'isa-seril' (did you mean 'isa-serial'?)" },
        { "a: irq\n",
          "b:1:4: expected a type of devices, buses or user-creatable objects: 'irq' is "
          "none" },
        { "a: isa-device\n", "b:1:4: expected a type of devices, buses or user-creatable objects: "
                             "'isa-device' is abstract" },
        { "machine from bear\n", "b:1:14: 'bear' is not a machine (did you mean 'bare'?)" },
        { "machine bare\n", "b:1:9: there is a machine 'bare' already" },
        { "machine\n  ram-sise: 1M\n",
          "b:2:3: a machine of this kind has no property 'ram-sise' (did "
          "you mean 'ram-size'?)" },
        { "machine\n  rax: x\n", "b:2:8: property 'rax': 'x'" },
        { "machine\n  rax: $rbx\n",
          "b:2:8: expected a value: only objects take values of the machine" },
        { "machine\n  ram-size: 1M\n", "b:2:3: nothing on this board takes its size from here" },
        { "machine from bare\n  type: x\n", "b:2:9: property 'type': 'type' is read-only" },
        { "machine from bare\n\ncpus\n",
          "b:3:1: expected no 'cpus' line: what this board begins with "
          "makes the vCPUs" },
        { "c: max-x86_64-cpu\ncpus\n",
          "b:2:1: expected no 'cpus' line: this board's vCPUs stand on it "
          "by name" },
        { "machine\n  smp: 2\nc: max-x86_64-cpu\n", "b:2:8: expected 1: so many vCPUs" },
        { "l: or-irq\n  num-line: 2\n", "b:2:3: " },
        { "l: or-irq\n  num-lines: 0\n",
          "b:2:14: property 'num-lines' of 'or-irq': '0' is out of range" },
        { "l: or-irq\n  num-lines: $smb\n", "b:2:14: " },
        { "l: or-irq\n  num-lines: $rax\n", "b:2:14: property 'num-lines' of 'or-irq'" },
        { "l: isa-debugcon on pci.0\n", "b:1:20: Bus 'pci.0' not found" },
        { "l: isa-debugcon\n", "b:1:1: l: " },
        { "isa.0: ISA\nl: or-irq on isa.0\n", "b:2:1: l: device" },
        { "isa.0: ISA\nl: isa-debugcon on isa.0 at 5\n", "b:2:29: 'at' is for devices of the type "
                                                         "'sys-bus-device'" },
        { "isa.0: ISA at 5\n", "b:1:15: 'at' is for devices" },
        { "isa.0: ISA\nisa.1: ISA on isa.0\n", "b:2:15: a 'ISA' is no device and sits on no bus" },
        { "x/isa.0: ISA\n", "b:1:1: expected a name without '/'" },
        { "a: or-irq\na/b: or-irq\n",
          "b:2:1: nothing can stand below 'a', which is of type 'or-irq'" },
        { "cpu/a: or-irq\n", "b:1:1: nothing can stand below 'cpu': that is a property" },
        { "peripheral/1: or-irq\n", "b:1:1: peripheral/1: '1' is not a valid id" },
        { "memory: or-irq\n", "b:1:1: memory: " },
        { "a: test-block at 0, 0x10, 0x20\n",
          "b:1:27: device 'test-block' has no memory region 2" },
        { "a: test-block at port 0, port 1\n", "b:1:26: device 'test-block' has no port region 1" },
        { "a: test-block at 0, 0x8\n",
          "b:1:21: addresses 0x8-0x17 of /machine/a (test-block) overlap" },
        { "x: test-backend\n  value: 13\n", "b:1:1: x: 13 is no good" },
        { "a: ram at 0\n", "b:1:1: a: 'size' is missing" },
        { "a: test-block\n  backend: /machine/nothing\n", "b:2:12: " },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        assert_board_refused(rows[i][0], "", rows[i][1]);
    }
}

static void a_wire_to_nowhere_names_the_nearest(void **state)
{
    static const char parts[] = "pic: accel-irqchip\nisa.0: ISA\nserial0: isa-serial on isa.0\n"
                                "t: test-block\none: or-irq\n";
    static const char *const rows[][2] = {
        { "serail0.irq -> pic.4",
          "b:6:1: the wire to nowhere: there is no object 'serail0' (did you "
          "mean 'serial0'?)" },
        { "serial0.irq -> pik.4",
          "b:6:16: the wire to nowhere: there is no object 'pik' (did you mean "
          "'pic'?)" },
        { "serial0.irqs -> pic.4",
          "b:6:1: 'serial0' has no output line 'irqs' (did you mean 'irq'?): "
          "it has 'irq'" },
        { "serial0 -> pic.4", "b:6:1: say which output line of 'serial0': it has 'irq'" },
        { "t -> pic.4", "b:6:1: say which output line of 't': it has 'sysbus-irq' and 'ready'" },
        { "serial0.irq[1] -> pic.4",
          "b:6:1: 'serial0' has no output line 1 in 'irq': it has 0 to 0" },
        { "serial0.irq -> pic.24", "b:6:16: 'pic' has no input line 24: it has 0 to 23" },
        { "serial0.irq -> pic.irq",
          "b:6:16: 'pic' has no input line 'irq': it has lines with a number "
          "only" },
        { "serial0.irq -> t.eer",
          "b:6:16: 't' has no input line 'eer' (did you mean 'ear'?): it has "
          "'ear'" },
        { "serial0.irq -> t", "b:6:16: say which input line of 't': it has 'ear'" },
        { "pic.4 -> serial0", "b:6:1: 'pic' (accel-irqchip) has no output lines" },
        { "one -> isa.0.irq[4]", "b:6:8: 'isa.0' (ISA) has no input lines" },
        { "isa.0.irq[16] -> pic.4",
          "b:6:1: 'isa.0' has no output line 16 in 'irq': it has 0 to 15" },
        { "isa.0.irq[0..3] -> pic[0..2]",
          "b:6:20: expected 4 lines, as many as 'isa.0.irq[0..3]' is, "
          "not 3" },
        { "isa.0.irq[3..0] -> pic.4", "b:6:1: expected '.' and a line behind 'isa.0', as in" },
        { "isa.0.irq[x] -> pic.4", "not '.irq[x]'" },
        { "isa.0.irq[99999999999] -> pic.4", "not '.irq[99999999999]'" },
        { "isa.0.irq. -> pic.4", "not '.irq.'" },
        { "isa.0. -> pic.4", "not '.'" },
        { "pic.4.5 -> pic.4", "not '.4.5'" },
        { "one -> pic.4\none.0 -> pic.5",
          "b:7:1: 'one.0' leads to 'pic.4' already, at b:6; a split-irq "
          "leads to several" },
        { "isa.0.irq[0..3] -> pic[0..3]\nisa.0.irq[2] -> pic.9", "b:7:1: 'isa.0.irq[2]' leads to" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strdup_printf("%s%s\n", parts, rows[i][0]);

        assert_board_refused(text, "", rows[i][1]);
    }
}

/* The devices on a bus wait for what its lines lead to: here that sits on the next bus. */
static void buses_behind_buses_without_end_are_refused(void **state)
{
    g_autoptr(GString) text = g_string_new(NULL);

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        g_string_append_printf(text, "bus%u: ISA\npic%u: isa-i8259 on bus%u\n", i, i, i);
    }
    for (unsigned i = 1; i < 20000; i++) {
        g_string_append_printf(text, "bus%u.irq[0] -> pic%u.0\n", i - 1, i);
    }
    assert_board_refused(text->str, "",
                         "b:1002:1: expected at most 500 objects that wait for the lines of each "
                         "other's buses");
}

static void options_that_the_board_would_not_hear_are_refused(void **state)
{
    (void)state;
    assert_board_refused("r: ram at 0\n  size: 1M\n", "-m 2M", "says itself what RAM it has");
    assert_board_refused("c: max-x86_64-cpu\nd: max-x86_64-cpu\n", "-smp 1", "has 2 vCPUs");
    assert_board_refused("c: max-x86_64-cpu\n", "-cpu max", "says itself what its vCPUs are");
    assert_board_refused("isa.0: ISA\n", "-smp 2", "has no");
}

static void a_signal_ends_the_making_of_a_board(void **state)
{
    g_autoptr(GError) error = NULL;
    const char *name = board_from_text("a: or-irq\nb: or-irq\n", &error);
    g_autofree char *words = g_strdup_printf("-M %s", name);

    (void)state;
    assert_non_null(name);
    qemu_system_killed(SIGTERM, 0);
    assert_int_equal(board_start(words, &error), OPTIONS_FAILED);
    assert_non_null(strstr(error->message, "a signal came while the board was made"));
    g_clear_error(&error);
    assert_null(board_from_text("a: or-irq\n", &error));
    assert_non_null(strstr(error->message, "a signal came while the board was made"));
}

/* ---- Steps that fail ---- */

static const char all_of_it[] = "machine\n"
                                "    ram-size: 1M\n"
                                "pic: accel-irqchip\n"
                                "ram: ram at 0x0, 0x100000000\n"
                                "    size: $ram-size\n"
                                "isa.0: ISA\n"
                                "    irq[0..15] -> pic[0..15]\n"
                                "behind: test-backend\n"
                                "t: test-block at 0x200000, none, port 0x300\n"
                                "    backend: /machine/behind\n"
                                "    ready[0..1] -> either[0..1]\n"
                                "either: or-irq\n"
                                "    num-lines: 2\n"
                                "either -> pic.20\n"
                                "bridge: test-bridge\n"
                                "peripheral/s: isa-serial on isa.0\n"
                                "    chardev: $serial0\n"
                                "unattached/log: port-logger on bridge/isa.1\n"
                                "    iobase: 0x80\n";

static void whichever_step_fails_nothing_is_left(void **state)
{
    const char *name = board_from_text(all_of_it, NULL);
    g_autofree char *words = g_strdup_printf("-M %s -serial null", name);
    bool ok = false;
    unsigned step;

    (void)state;
    for (step = 1; !ok; step++) {
        g_autoptr(GError) error = NULL;

        qdev_fault_inject(step);
        ok = board_start(words, &error) == OPTIONS_READY;
        qdev_fault_inject(0);
        assert_true(ok || error);
        machine_cleanup();
        assert_null(object_resolve_path("/machine", NULL));
        board_fixture_end();
        program_setup(NULL);
    }
    assert_true(step > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        board_test(names_that_are_not_there_are_told_with_the_nearest),
        board_test(a_wire_to_nowhere_names_the_nearest),
        board_test(buses_behind_buses_without_end_are_refused),
        board_test(options_that_the_board_would_not_hear_are_refused),
        board_test(a_signal_ends_the_making_of_a_board),
        board_test(whichever_step_fails_nothing_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
