/* SPDX-License-Identifier: MIT */
/*
 * Boards as machines: what their text makes, in whatever order it says it; options on top of them;
 * mistakes that show when names and values are looked up; and that a board that fails at any step
 * leaves nothing behind. Under qtest, so without vCPUs.
 */
#include "tests/unit/board-fixture.h"
#include <qomet/hw/isa/isa-bus.h>
#include <qomet/qom/user-creatable.h>

/* ---- An on-board device, a bridge with a bus, an object that a device needs ---- */

typedef struct TestBlock {
    SysBusDevice parent_obj;
    MemoryRegion regions[3];
    qemu_irq irq, named[2];
    Object *backend;
} TestBlock;

typedef struct TestBackend {
    Object parent_obj;
    uint32_t value;
    bool complete;
} TestBackend;

static int heard[3];

static void hear(void *opaque, int n, int level)
{
    (void)opaque;
    heard[n] = level;
}

static bool block_realize(DeviceState *dev, GError **errp)
{
    TestBlock *s = (TestBlock *)dev;

    (void)errp;
    if (s->backend && !((TestBackend *)s->backend)->complete) {
        qom_error_set(errp, QOM_ERROR_STATE, "the backend is not complete");
        return false;
    }
    return true;
}

static void block_init(Object *obj)
{
    static const MemoryRegionOps ops = { .read = NULL };
    TestBlock *s = (TestBlock *)obj;

    for (unsigned i = 0; i < 3; i++) {
        memory_region_init_io(&s->regions[i], obj, &ops, s, i == 2 ? "ports" : "registers", 0x10);
    }
    sysbus_init_mmio(SYS_BUS_DEVICE(obj), &s->regions[0]);
    sysbus_init_mmio(SYS_BUS_DEVICE(obj), &s->regions[1]);
    sysbus_init_io(SYS_BUS_DEVICE(obj), &s->regions[2]);
    sysbus_init_irq(SYS_BUS_DEVICE(obj), &s->irq);
    qdev_init_gpio_out_named(DEVICE(obj), s->named, "ready", 2);
    qdev_init_gpio_in_direct(DEVICE(obj), hear, "ear", 3);
}

static const Property block_props[] = {
    DEFINE_PROP_LINK("backend", TestBlock, backend, "test-backend", Object *),
};

static void block_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    DEVICE_CLASS(klass)->realize = block_realize;
    device_class_set_props(DEVICE_CLASS(klass), block_props);
}

static bool backend_complete(UserCreatable *uc, GError **errp)
{
    TestBackend *s = (TestBackend *)uc;

    if (s->value == 13) {
        qom_error_set(errp, QOM_ERROR_VALUE, "13 is no good");
        return false;
    }
    s->complete = true;
    return true;
}

static const Property backend_props[] = {
    DEFINE_PROP_UINT32("value", TestBackend, value, 1),
};

static void backend_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    USER_CREATABLE_CLASS(klass)->complete = backend_complete;
    object_class_add_properties(klass, backend_props, G_N_ELEMENTS(backend_props));
}

/* Its bus comes with it. */
static bool bridge_realize(DeviceState *dev, GError **errp)
{
    return isa_bus_new(dev, get_system_io(), errp) != NULL;
}

static void bridge_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    DEVICE_CLASS(klass)->realize = bridge_realize;
}

static const InterfaceInfo backend_interfaces[] = { { TYPE_USER_CREATABLE }, { NULL } };

static const TypeInfo test_types[] = {
    {
        .name = "test-block",
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(TestBlock),
        .instance_init = block_init,
        .class_init = block_class_init,
    },
    {
        .name = "test-backend",
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(TestBackend),
        .class_init = backend_class_init,
        .interfaces = backend_interfaces,
    },
    {
        .name = "test-bridge",
        .parent = TYPE_DEVICE,
        .class_init = bridge_class_init,
    },
};
DEFINE_TYPES(test_types)

/* ---- What a text makes ---- */

static Object *at(const char *path)
{
    g_autofree char *whole = g_strconcat("/machine/", path, NULL);
    Object *obj = object_resolve_path(whole, NULL);

    if (!obj) {
        fail_msg("there is no '%s'", path);
    }
    return obj;
}

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
        board_fixture_begin();
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
    board_fixture_begin();
    assert_board_refused(text, "-serial null -serial null -serial null",
                         "-serial null: the board has 2 serial ports");
}

/* ---- Mistakes ---- */

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

static void options_that_the_board_would_not_hear_are_refused(void **state)
{
    (void)state;
    assert_board_refused("r: ram at 0\n  size: 1M\n", "-m 2M", "says itself what RAM it has");
    assert_board_refused("c: max-x86_64-cpu\nd: max-x86_64-cpu\n", "-smp 1", "has 2 vCPUs");
    assert_board_refused("c: max-x86_64-cpu\n", "-cpu max", "says itself what its vCPUs are");
    assert_board_refused("isa.0: ISA\n", "-smp 2", "has no");
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
        board_fixture_begin();
    }
    assert_true(step > 30);
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
        board_test(devices_are_added_to_it_while_it_runs),
        board_test(a_board_begins_with_another_machine),
        board_test(serial_ports_lead_where_options_say_or_nowhere),
        board_test(names_that_are_not_there_are_told_with_the_nearest),
        board_test(a_wire_to_nowhere_names_the_nearest),
        board_test(options_that_the_board_would_not_hear_are_refused),
        board_test(whichever_step_fails_nothing_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
