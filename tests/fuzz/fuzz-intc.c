/* SPDX-License-Identifier: MIT */
/*
 * A PC's interrupt controllers and timers, all in user space: a stream of bytes is read as what two
 * processors do to the PIC, the PIT, the clock, the IOAPIC and their local APICs, as lines and
 * messages of devices, acknowledgements, time and resets. After each step no vector of the
 * processor's own is requested, remote IRR belongs to levels alone, and a processor is asked if and
 * only if there is something for it.
 */
#include <string.h>
#include <qomet/accel/accel.h>
#include <qomet/hw/intc/apic.h>
#include <qomet/hw/intc/ioapic.h>
#include <qomet/hw/intc/msi-target.h>
#include <qomet/machine/machine.h>
#include <qomet/memory/main-work.h>
#include "machine/rooms.h"
#include "tests/fuzz/fuzz.h"

#define CPUS 2
#define FIRST_VECTOR 16
#define LAPIC_ID 0x20
#define LAPIC_SVR 0xf0
#define LAPIC_PPR 0xa0
#define LAPIC_ISR 0x100
#define LAPIC_IRR 0x200
#define ENTRY_LEVEL 0x8000
#define ENTRY_REMOTE_IRR 0x4000
#define ENTRY_RESERVED UINT32_C(0xfffe0000)

typedef struct Range {
    bool ports;
    uint64_t start;
    uint16_t bytes;
} Range;

static const Range ranges[] = {
    { true, 0x20, 2 },   { true, 0xa0, 2 },          { true, 0x4d0, 2 },
    { true, 0x40, 4 },   { true, 0x61, 1 },          { true, 0x70, 2 },
    { true, 0x600, 64 }, { false, IOAPIC_ADDR, 80 }, { false, APICS_ADDR, 0x400 },
    { true, 0xcf9, 1 },
};

/* Lines that no device of the board drives. */
static const uint8_t free_lines[] = { 3, 5, 9, 10, 11, 16, 17, 18, 19, 23 };

static MachineState *machine;
static DeviceState *gsi, *apics;
static int asked[CPUS]; /* levels of the lines to the processors */

/* ---- The machine ---- */

static void asked_changes(void *opaque, int n, int level)
{
    (void)opaque;
    asked[n] = level;
}

static DeviceState *part(const char *name)
{
    Object *obj = object_resolve_path_component(OBJECT(machine), name);

    MUST(obj);
    return DEVICE(obj);
}

static void make_machine(void)
{
    MUST(rooms_begin(NULL));
    qemu_clock_virtual_manual();
    machine = machine_new(machine_class_find("pc", NULL), NULL);
    MUST(machine && object_property_set_str(OBJECT(machine), "kernel-irqchip", "off", NULL));
    machine->ram_size = 1 << 20;
    machine->smp_cpus = CPUS;
    MUST(accel_init("qtest", NULL) && machine_init(machine, NULL) && machine_done(machine, NULL));
    gsi = part("pic");
    apics = part("apics");
    for (int n = 0; n < CPUS; n++) {
        qemu_irq line = qemu_allocate_irq(asked_changes, NULL, n);

        MUST(qdev_connect_gpio_out_named(apics_get(apics, n), "intr", 0, line, NULL));
        object_unref(line);
    }
}

/* ---- Accesses ---- */

static uint64_t load(unsigned cpu, bool ports, uint64_t addr, unsigned size)
{
    uint64_t value = 0;

    address_space_load(ports ? &address_space_io : &address_space_memory, addr, size, &value,
                       (MemTxAttrs){ .requester_id = cpu });
    return value;
}

static void store(unsigned cpu, bool ports, uint64_t addr, unsigned size, uint64_t value)
{
    address_space_store(ports ? &address_space_io : &address_space_memory, addr, size, value,
                        (MemTxAttrs){ .requester_id = cpu });
}

static int acknowledge(unsigned cpu)
{
    CPUIntc *intc = CPU_INTC(apics_get(apics, cpu));

    return CPU_INTC_GET_CLASS(intc)->acknowledge(intc, NULL);
}

/* As firmware leaves it: two APICs that are on. */
static void reset_machine(void)
{
    resettable_reset(OBJECT(machine), RESET_TYPE_COLD);
    for (size_t i = 0; i < G_N_ELEMENTS(free_lines); i++) {
        qemu_set_irq(qdev_get_gpio_in(gsi, free_lines[i]), 0);
    }
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        store(cpu, false, APICS_ADDR + LAPIC_SVR, 4, 0x1ff);
    }
}

/* ---- What holds after each step ---- */

static int highest(unsigned cpu, unsigned set)
{
    int vector = -1;

    for (int i = 0; i < 8; i++) {
        uint32_t bits = load(cpu, false, APICS_ADDR + set + 16 * i, 4);

        vector = bits ? i * 32 + 31 - __builtin_clz(bits) : vector;
    }
    return vector;
}

static void check_apic(unsigned cpu)
{
    const uint32_t ppr = load(cpu, false, APICS_ADDR + LAPIC_PPR, 4);
    const int wanted = highest(cpu, LAPIC_IRR), serving = highest(cpu, LAPIC_ISR);
    const bool on = load(cpu, false, APICS_ADDR + LAPIC_SVR, 4) & 0x100;

    MUST(!(load(cpu, false, APICS_ADDR + LAPIC_IRR, 4) & 0xffff));
    MUST(!(load(cpu, false, APICS_ADDR + LAPIC_ISR, 4) & 0xffff));
    MUST(serving < 0 || ppr >= (unsigned)(serving & 0xf0));
    MUST(!on || wanted < 0 || (wanted & 0xf0) <= (int)(ppr & 0xf0) || asked[cpu]);
}

static void check_ioapic(void)
{
    const uint8_t select = load(0, false, IOAPIC_ADDR, 1);

    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        uint32_t low;

        store(0, false, IOAPIC_ADDR, 4, 0x10 + 2 * pin);
        low = load(0, false, IOAPIC_ADDR + 0x10, 4);
        MUST(!(low & ENTRY_RESERVED));
        MUST(!(low & ENTRY_REMOTE_IRR) || (low & ENTRY_LEVEL));
    }
    store(0, false, IOAPIC_ADDR, 4, select);
}

static void check_state(void)
{
    main_work_run();
    check_ioapic();
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        check_apic(cpu);
    }
}

/* ---- Steps ---- */

static void access_range(FuzzInput *in, unsigned cpu, bool write, unsigned size)
{
    const Range *r = &ranges[fuzz_take(in, 1) % G_N_ELEMENTS(ranges)];
    const unsigned offset = fuzz_take(in, 1) * (r->bytes > 256 ? 16 : 1) % (r->bytes + 1);

    size = r->ports && size == 8 ? 4 : size;
    if (write) {
        store(cpu, r->ports, r->start + offset, size, fuzz_take(in, size));
    } else {
        load(cpu, r->ports, r->start + offset, size);
    }
}

/* What is asked is there, and nothing is that was not asked. */
static void take_interrupt(unsigned cpu)
{
    const bool was_asked = asked[cpu];
    const int vector = acknowledge(cpu);

    MUST(vector < 256 && was_asked == (vector >= 0));
}

static void step(FuzzInput *in)
{
    const uint8_t op = fuzz_take(in, 1), arg = op >> 4;
    const unsigned cpu = arg & 1;

    switch (op & 7) {
    case 0:
    case 1:
        access_range(in, cpu, true, 1 << (arg >> 1 & 3));
        break;
    case 2:
        access_range(in, cpu, false, 1 << (arg >> 1 & 3));
        break;
    case 3:
        take_interrupt(cpu);
        break;
    case 4:
        qemu_set_irq(qdev_get_gpio_in(gsi, free_lines[arg % G_N_ELEMENTS(free_lines)]),
                     op >> 3 & 1);
        break;
    case 5:
        MSI_TARGET_GET_CLASS(apics)->send(MSI_TARGET(apics), APICS_ADDR | fuzz_take(in, 3),
                                          (uint32_t)fuzz_take(in, 2));
        break;
    case 6:
        qemu_clock_warp_to(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + (INT64_C(1) << 2 * arg));
        break;
    default:
        if (arg == 0) {
            reset_machine();
        } else {
            store(cpu, false, IOAPIC_ADDR, 4, fuzz_take(in, 1));
            store(cpu, false, IOAPIC_ADDR + 0x10, 4, fuzz_take(in, 4));
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
