/* SPDX-License-Identifier: MIT */
/*
 * Boards as machines: what their text makes, in whatever order it says it, and options on top of
 * them. Under qtest, so without vCPUs.
 */
#include <unistd.h>
#include "tests/unit/board-types.h"

/* ---- What a text makes ---- */

static qemu_irq input(const char *path, const char *group, int n)
{
    return qdev_get_gpio_in_named(DEVICE(at(path)), group, n);
}

static void objects_stand_where_their_names_say(void **state)
{
    (void)state;
    assert_board("a: test-block\n"
                 "isa.0: ISA\n"
                 "parts/of/it: or-irq\n"
                 "peripheral/user: isa-debugcon on isa.0\n"
                 "unattached/device[3]: port-logger\n"
                 "    iobase: 0x100\n",
                 "-nodefaults");
    assert_string_equal(object_get_typename(at("parts/of/it")), "or-irq");
    assert_ptr_equal(qdev_find("user"), at("peripheral/user"));
    assert_true(DEVICE(at("unattached/device[3]"))->realized);
    assert_ptr_equal(DEVICE(at("unattached/device[3]"))->parent_bus, at("isa.0"));
}

static void regions_are_mapped_where_the_text_says(void **state)
{
    TestBlock *a, *b;

    (void)state;
    assert_board("a: test-block at 0x1000, 0x2000, port 0x300\n"
                 "b: test-block at none, 0x100000000, port none\n",
                 "");
    a = (TestBlock *)at("a");
    b = (TestBlock *)at("b");
    assert_int_equal(a->regions[0].addr, 0x1000);
    assert_int_equal(a->regions[1].addr, 0x2000);
    assert_ptr_equal(a->regions[2].container, get_system_io());
    assert_int_equal(a->regions[2].addr, 0x300);
    assert_false(memory_region_is_mapped(&b->regions[0]));
    assert_int_equal(b->regions[1].addr, 0x100000000);
    assert_false(memory_region_is_mapped(&b->regions[2]));
}

static void wires_go_through_combiners(void **state)
{
    TestBlock *a, *b;

    (void)state;
    assert_board("a: test-block\n"
                 "    ready[0..1] -> any[0..1]\n"
                 "    sysbus-irq -> any.2\n"
                 "b: test-block\n"
                 "any: or-irq\n"
                 "    num-lines: 3\n"
                 "any -> both\n"
                 "both: split-irq\n"
                 "    num-lines: 2\n"
                 "    0 -> b.ear\n"
                 "    1 -> not\n"
                 "not: invert-irq\n"
                 "not -> b.ear[2]\n",
                 "");
    a = (TestBlock *)at("a");
    b = (TestBlock *)at("b");
    assert_ptr_equal(a->named[1], input("any", NULL, 1));
    assert_null(b->irq);
    memset(heard, 0, sizeof(heard));
    qemu_irq_raise(a->named[1]);
    assert_int_equal(heard[0], 1);
    assert_int_equal(heard[2], 0);
    qemu_irq_raise(a->irq);
    qemu_irq_lower(a->named[1]);
    assert_int_equal(heard[0], 1);
    qemu_irq_lower(a->irq);
    assert_int_equal(heard[0], 0);
    assert_int_equal(heard[1], 0);
    assert_int_equal(heard[2], 1);
}

static void the_order_of_a_text_does_not_matter(void **state)
{
    static const char *const parts[] = {
        "s.irq -> any.1\n",
        "s: isa-serial on isa.0\n    index: 1\n",
        "isa.0.irq[3..5] -> any[0..2]\n",
        "t: test-block at 0x1000\n    backend: /machine/behind\n    ready -> any.3\n",
        "any -> pic.9\n",
        "isa.0: ISA\n",
        "pic: accel-irqchip\n",
        "behind: test-backend\n    value: 7\n",
        "any: or-irq\n    num-lines: 4\n",
    };
    g_autofree char *first = NULL;

    (void)state;
    for (unsigned turn = 0; turn < 2 * G_N_ELEMENTS(parts); turn++) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_autofree char *shown = NULL;

        /* Rotated, then rotated and reversed. */
        for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
            unsigned n = (i + turn) % G_N_ELEMENTS(parts);

            g_string_append(text,
                            parts[turn < G_N_ELEMENTS(parts) ? n : G_N_ELEMENTS(parts) - 1 - n]);
        }
        assert_board(text->str, "");
        shown = board_show();
        if (!first) {
            first = g_steal_pointer(&shown);
        } else {
            assert_same_lines(first, shown);
        }
        board_fixture_end();
        program_setup(NULL);
    }
    assert_non_null(
        strstr(first, "/machine/s.irq[0] (link<irq>) = /machine/any/unnamed-gpio-in[1]"));
}

static void a_device_on_a_bus_takes_the_line_that_the_bus_has(void **state)
{
    (void)state;
    assert_board("s: isa-serial on isa.0\n"
                 "    index: 0\n"
                 "isa.0: ISA\n"
                 "isa.0.irq[4] -> any.1\n"
                 "any: or-irq\n"
                 "    num-lines: 2\n",
                 "");
    assert_ptr_equal(qdev_get_gpio_out_connector(DEVICE(at("s")), "irq", 0), input("any", NULL, 1));
}

static void a_bus_may_be_a_part_of_a_device(void **state)
{
    (void)state;
    assert_board("log: port-logger on bridge/isa.0\n"
                 "bridge: test-bridge\n"
                 "bridge/isa.0.irq[2] -> any\n"
                 "any: or-irq\n",
                 "");
    assert_ptr_equal(DEVICE(at("log"))->parent_bus, at("bridge/isa.0"));
    assert_ptr_equal(ISA_BUS(at("bridge/isa.0"))->irqs[2], input("any", NULL, 0));
}

/* ---- A machine like any other ---- */

static const char small[] = "machine \"a small board\"\n"
                            "    ram-size: 2M\n"
                            "    rax: 0x10\n"
                            "    entry: 0x1234\n"
                            "ram: ram at 0x0, 0x100000000\n"
                            "    size: $ram-size\n"
                            "cpus\n"
                            "isa.0: ISA\n"
                            "serial0: isa-serial on isa.0\n"
                            "    chardev: $serial0\n";

static void options_and_globals_reach_it(void **state)
{
    MachineClass *mc;

    (void)state;
    assert_board(small, "-m 4M -smp 3 -cpu max -serial null -global isa-serial.iobase=0x100 "
                        "-device isa-debugcon,id=con -device isa-debugcon,iobase=0x2f8,id=two");
    mc = MACHINE_GET_CLASS(current_machine());
    assert_string_equal(mc->desc, "a small board");
    assert_int_equal(object_property_get_uint(at("ram"), "size", NULL), 4 << 20);
    assert_int_equal(object_property_get_uint(at("serial0"), "iobase", NULL), 0x100);
    assert_int_equal(object_property_get_uint(OBJECT(current_machine()), "rax", NULL), 0x10);
    assert_int_equal(object_property_get_uint(OBJECT(current_machine()), "entry", NULL), 0x1234);
    assert_ptr_equal(DEVICE(at("peripheral/con"))->parent_bus, at("isa.0"));
    assert_non_null(object_resolve_path("/chardevs/serial0", NULL));
    assert_int_equal(mc->max_cpus, 255);
}

static void its_values_are_the_defaults_of_its_properties(void **state)
{
    const char *name = board_from_text(small, NULL);
    MachineClass *mc = machine_class_find(name, NULL), *flat = machine_class_find("flat", NULL);
    const Property *ram = object_class_property_find(OBJECT_CLASS(mc), "ram-size");
    const Property *entry = object_class_property_find(OBJECT_CLASS(mc), "entry");
    g_autofree char *size = object_property_default_text(ram);
    g_autofree char *address = object_property_default_text(entry);

    (void)state;
    assert_string_equal(size, "2M");
    assert_string_equal(address, "4660");
    ram = object_class_property_find(OBJECT_CLASS(flat), "ram-size");
    assert_int_equal(ram->defval.u, 0);
}

static uint64_t peek(hwaddr addr)
{
    uint64_t value = 0;

    address_space_read(&address_space_memory, addr, MEMTXATTRS_UNSPECIFIED, &value, sizeof(value));
    return value;
}

static void a_guest_is_loaded_wherever_there_is_ram(void **state)
{
    static const char text[] = "machine\n"
                               "    long-mode: on\n"
                               "    load-address: 0x100000\n"
                               "low: ram at 0x0\n    size: 640K\n"
                               "high: ram at 0x100000\n    size: 64K\n"
                               "far: ram at 0x180000000\n    size: 4K\n";
    const uint64_t end = 640 << 10, tables = end - (2 + 1 + 7) * 4096;
    g_autofree char *path = NULL, *words = NULL;
    int fd = g_file_open_tmp("qomet-board-XXXXXX", &path, NULL);

    (void)state;
    assert_int_equal(write(fd, "ABCDEFGH", 8), 8);
    close(fd);
    words = g_strdup_printf("-kernel %s", path);
    assert_board(text, words);
    assert_memory_equal(&(uint64_t){ peek(0x100000) }, "ABCDEFGH", 8);
    /* The tables end with the RAM that begins at 0, and map all that there is. */
    assert_int_equal(peek(tables + 0x18), UINT64_C(0x00af9b000000ffff));
    assert_int_equal(peek(end - 8), UINT64_C(0x1bfe00083));
    board_fixture_end();
    program_setup(NULL);
    g_free(words);
    words = g_strdup_printf("-kernel %s -M load-address=0xa0000", path);
    assert_board_refused(text, words,
                         "load-address=0xa0000 is outside RAM, which ends at "
                         "0x180001000");
    unlink(path);
}

static void devices_are_added_to_it_while_it_runs(void **state)
{
    g_autoptr(KeyVal) kv = keyval_parse("isa-debugcon,id=late,bus=isa.0", "driver", NULL);
    GError *error = NULL;

    (void)state;
    assert_board(small, "-serial null");
    assert_non_null(options_device_add(kv, &error));
    assert_true(DEVICE(at("peripheral/late"))->hotplugged);
    assert_true(qdev_unplug(qdev_find("late"), &error));
    assert_null(qdev_find("late"));
}

static void a_board_begins_with_another_machine(void **state)
{
    const char *first;
    g_autofree char *second = NULL;

    (void)state;
    first = board_from_text("machine from bare \"one\"\n    rbx: 5\n    entry: 7\n"
                            "log: port-logger\n    iobase: 0x80\n",
                            NULL);
    second = g_strdup_printf("machine from %s\n    rcx: 6\nmore: isa-debugcon on isa.0\n", first);
    assert_board(second, "-serial null");
    assert_true(DEVICE(at("serial0"))->realized && DEVICE(at("log"))->realized &&
                DEVICE(at("more"))->realized);
    assert_int_equal(object_property_get_uint(OBJECT(current_machine()), "rbx", NULL), 5);
    assert_int_equal(object_property_get_uint(OBJECT(current_machine()), "entry", NULL), 7);
    assert_int_equal(object_property_get_uint(OBJECT(current_machine()), "rcx", NULL), 6);
}

static void serial_ports_lead_where_options_say_or_nowhere(void **state)
{
    static const char text[] = "isa.0: ISA\n"
                               "a: isa-serial on isa.0\n    chardev: $serial0\n"
                               "b: isa-serial on isa.0\n    chardev: $serial1\n";
    g_autofree char *a = NULL, *b = NULL;

    (void)state;
    assert_board(text, "-chardev null,id=c -serial chardev:c");
    a = object_property_get_str(at("a"), "chardev", NULL);
    b = object_property_get_str(at("b"), "chardev", NULL);
    assert_string_equal(a, "c");
    assert_string_equal(b, "serial1");
    assert_string_equal(object_get_typename(object_resolve_path("/chardevs/serial1", NULL)),
                        "chardev-null");
    board_fixture_end();
    program_setup(NULL);
    assert_board_refused(text, "-serial null -serial null -serial null",
                         "-serial null: the board has 2 serial ports");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        board_test(objects_stand_where_their_names_say),
        board_test(regions_are_mapped_where_the_text_says),
        board_test(wires_go_through_combiners),
        board_test(the_order_of_a_text_does_not_matter),
        board_test(a_device_on_a_bus_takes_the_line_that_the_bus_has),
        board_test(a_bus_may_be_a_part_of_a_device),
        board_test(options_and_globals_reach_it),
        board_test(its_values_are_the_defaults_of_its_properties),
        board_test(a_guest_is_loaded_wherever_there_is_ram),
        board_test(devices_are_added_to_it_while_it_runs),
        board_test(a_board_begins_with_another_machine),
        board_test(serial_ports_lead_where_options_say_or_nowhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
