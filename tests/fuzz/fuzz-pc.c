/* SPDX-License-Identifier: MIT */
/*
 * A PC with every device that has no target of its own: a stream of bytes is read as what a guest
 * does to ports, registers in memory and configuration space, with every size, and as time that
 * passes and resets. Devices have been placed as firmware places them. After each step the numbers
 * of every PCI function are what they were, and its BARs are where one may be.
 */
#include <linux/pci.h>
#include <string.h>
#include <qomet/hw/pci/pci-host.h>
#include <qomet/machine/machine.h>
#include <qomet/memory/main-work.h>
#include "machine/rooms.h"
#include "tests/fuzz/fuzz.h"

#define RAM_BYTES (UINT64_C(1) << 20)
#define MEMORY_AT 0xe0000000
#define PORTS_AT 0xc000
#define UNIT 0x100000 /* each function has as much memory, and 256 ports */

/* ---- What there is ---- */

typedef struct Range {
    bool ports;
    uint64_t start;
    uint32_t bytes;
} Range;

/* What a step chooses from: all of it, and what is beside it. */
static const Range ranges[] = {
    { true, 0x20, 2 },
    { true, 0x40, 4 },
    { true, 0x60, 5 },
    { true, 0x70, 2 },
    { true, 0x80, 1 },
    { true, 0x92, 1 },
    { true, 0xa0, 2 },
    { true, 0xb2, 2 },
    { true, 0xe0, 12 },
    { true, 0x4d0, 2 },
    { true, 0x505, 1 },
    { true, 0x510, 12 },
    { true, 0x600, 64 },
    { true, 0xafe0, 8 },
    { true, 0xcf8, 8 },
    { true, 0x2000, 24 },
    { true, PORTS_AT, 256 },
    { true, PORTS_AT + 0x100, 256 },
    { true, 0, 0x10000 },
    { false, 0x1000, 64 }, /* RAM: requests for DMA */
    { false, MEMORY_AT, 256 },
    { false, MEMORY_AT + UNIT, 4096 },
    { false, MEMORY_AT + 2 * UNIT, 256 },
    { false, 0xfec00000, 0x40 },
    { false, 0xfed00000, 0x400 },
    { false, 0xff000000, 0x10000 },
    { false, 0xfffffff0, 16 },
    { false, RAM_BYTES - 16, 32 },
};

/* Functions by their addresses; behind the bridge, too, once that has a number. */
static const uint16_t functions[] = { 0x000, 0x008, 0x00b, 0x020, 0x028, 0x030, 0x108, 0xff8 };

/* ---- The machine ---- */

typedef struct Function {
    PCIDevice *dev;
    uint32_t numbers; /* device and vendor */
} Function;

static MachineState *machine;
static GArray *present; /* of Function */

static void add_device(const char *type, const char *bus, const char *id, const char *name,
                       const char *value)
{
    DeviceState *dev = qdev_new(type, NULL);
    BusState *at = bus ? qbus_find(bus, NULL, NULL) : NULL;

    MUST(dev && (!bus || at));
    MUST(!id || qdev_set_id(dev, id, NULL));
    MUST(!name || object_property_parse(OBJECT(dev), name, value, NULL));
    MUST(qdev_realize_and_unref(dev, at, NULL));
}

static int note_function(Object *obj, void *opaque)
{
    PCIDevice *dev = (PCIDevice *)object_dynamic_cast(obj, TYPE_PCI_DEVICE);
    Function f = { dev, dev ? pci_get_long(dev->config) : 0 };

    (void)opaque;
    if (dev) {
        g_array_append_val(present, f);
    }
    return 0;
}

static void make_machine(void)
{
    MUST(rooms_begin(NULL));
    qemu_clock_virtual_manual();
    machine = machine_new(machine_class_find("pc", NULL), NULL);
    MUST(machine);
    machine->ram_size = RAM_BYTES;
    machine_add_serial_words(machine, "null");
    MUST(accel_init("qtest", NULL) && machine_init(machine, NULL));
    add_device("edu", "pci.0", NULL, "addr", "4");
    add_device("pci-testdev", "pci.0", NULL, "addr", "5");
    add_device("pci-bridge", "pci.0", "b", "addr", "6");
    add_device("edu", "b", NULL, "addr", "1");
    add_device("pc-testdev", "isa.0", NULL, NULL, NULL);
    add_device("pvpanic", "isa.0", NULL, NULL, NULL);
    MUST(machine_done(machine, NULL));
    present = g_array_new(FALSE, FALSE, sizeof(Function));
    object_child_foreach_recursive(OBJECT(machine), note_function, NULL);
}

/* ---- Accesses ---- */

static uint64_t load(bool ports, uint64_t addr, unsigned size)
{
    uint64_t value = 0;

    address_space_load(ports ? &address_space_io : &address_space_memory, addr, size, &value,
                       MEMTXATTRS_UNSPECIFIED);
    return value;
}

static void store(bool ports, uint64_t addr, unsigned size, uint64_t value)
{
    address_space_store(ports ? &address_space_io : &address_space_memory, addr, size, value,
                        MEMTXATTRS_UNSPECIFIED);
}

static void config_select(uint16_t function, uint8_t reg)
{
    store(true, PCI_CONF_PORT, 4, UINT32_C(0x80000000) | (uint32_t)function << 8 | (reg & 0xfc));
}

static void config_out(uint16_t function, uint8_t reg, unsigned size, uint32_t value)
{
    config_select(function, reg);
    store(true, PCI_DATA_PORT + (reg & 3), size, value);
}

static void enable(uint16_t function, unsigned n)
{
    config_out(function, PCI_BASE_ADDRESS_0, 4, MEMORY_AT + n * UNIT);
    config_out(function, PCI_BASE_ADDRESS_1, 4, PORTS_AT + n * 0x100);
    config_out(function, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

/* Everything as firmware leaves it. */
static void reset_machine(void)
{
    resettable_reset(OBJECT(machine), RESET_TYPE_COLD);
    main_work_run();
    config_out(0x030, PCI_PRIMARY_BUS, 4, 0x00010100);
    config_out(0x030, PCI_MEMORY_BASE, 4, 0xe020e020);
    config_out(0x030, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    enable(0x020, 0);
    enable(0x028, 1);
    enable(0x108, 2);
    config_out(0x00b, 0x40, 4, 0x600); /* power management, where it has such registers */
    config_out(0x00b, 0x80, 1, 1);
}

/* ---- What holds after each step ---- */

static void check_function(const Function *f)
{
    MUST(pci_get_long(f->dev->config) == f->numbers);
    MUST(f->dev->irq_level <= 1);
    for (unsigned n = 0; n < PCI_NUM_REGIONS; n++) {
        const PCIIORegion *r = &f->dev->io_regions[n];

        MUST(!r->memory || r->addr == PCI_BAR_UNMAPPED || !(r->addr & (r->size - 1)));
    }
}

static void check_state(void)
{
    main_work_run();
    for (guint i = 0; i < present->len; i++) {
        check_function(&g_array_index(present, Function, i));
    }
}

/* ---- Steps ---- */

/* A byte chooses the range, another one - in a large range, four - the place there. */
static void access_range(FuzzInput *in, bool write, unsigned size)
{
    const Range *r = &ranges[fuzz_take(in, 1) % G_N_ELEMENTS(ranges)];
    uint64_t offset = fuzz_take(in, r->bytes > 256 ? 4 : 1) % (r->bytes + 2);

    size = r->ports && size == 8 ? 4 : size;
    if (write) {
        store(r->ports, r->start + offset, size, fuzz_take(in, size));
    } else {
        load(r->ports, r->start + offset, size);
    }
}

static void access_config(FuzzInput *in, bool write, unsigned size)
{
    uint16_t function = functions[fuzz_take(in, 1) % G_N_ELEMENTS(functions)];
    uint8_t reg = fuzz_take(in, 1);

    size = MIN(size, 4);
    if (write) {
        config_out(function, reg, size, fuzz_take(in, size));
    } else {
        config_select(function, reg);
        load(true, PCI_DATA_PORT + (reg & 3), size);
    }
}

static void step(FuzzInput *in)
{
    uint8_t op = fuzz_take(in, 1), arg = op >> 5;
    unsigned size = 1 << (op >> 3 & 3);

    switch (op & 7) {
    case 0:
    case 1:
    case 2:
        access_range(in, true, size);
        break;
    case 3:
        access_range(in, false, size);
        break;
    case 4:
    case 5:
        access_config(in, true, size);
        break;
    case 6:
        access_config(in, false, size);
        break;
    default:
        if (arg == 0) {
            reset_machine();
        } else {
            qemu_clock_warp_to(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + (INT64_C(1) << 4 * arg));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput in = { data, size };

    if (!machine) {
        make_machine();
    }
    reset_machine();
    while (in.size) {
        step(&in);
        check_state();
    }
    return 0;
}
