/* SPDX-License-Identifier: MIT */
/*
 * What is recorded of an access that a vCPU makes, who is told, what is remembered, and how it reads.
 * No KVM is needed: the accesses are made by hand.
 */
#include <limits.h>
#include <string.h>
#include <unistd.h>
#include <qomet/accel/exit-record.h>
#include "config.h"
#include "tests/unit/program-fixture.h"
#include "tests/unit/two-threads.h"

/* A device whose base class has one region and whose derived class has another. */
#define TYPE_BASE "test-exit-base"
#define TYPE_DERIVED "test-exit-derived"
#define TYPE_MORE_DERIVED "test-exit-more-derived"

typedef struct Base {
    DeviceState parent_obj;
    MemoryRegion io;
} Base;

typedef struct Derived {
    Base parent_obj;
    MemoryRegion mmio;
} Derived;

static uint64_t answer(void *opaque, hwaddr addr, unsigned size)
{
    (void)opaque;
    (void)size;
    return 0x1234 + addr;
}

static void take(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    (void)opaque;
    (void)addr;
    (void)value;
    (void)size;
}

static const MemoryRegionOps ops = {
    .read = answer,
    .write = take,
    .valid = { .max_access_size = 4 },
};

static void base_init(Object *obj)
{
    Base *b = (Base *)obj;

    memory_region_init_io(&b->io, obj, &ops, b, "registers", 8);
}

static void derived_init(Object *obj)
{
    Derived *d = (Derived *)obj;

    memory_region_init_io(&d->mmio, obj, &ops, d, "window", 0x1000);
}

static const TypeInfo types[] = {
    { .name = TYPE_BASE,
      .parent = TYPE_DEVICE,
      .instance_size = sizeof(Base),
      .instance_init = base_init },
    { .name = TYPE_DERIVED,
      .parent = TYPE_BASE,
      .instance_size = sizeof(Derived),
      .instance_init = derived_init },
    { .name = TYPE_MORE_DERIVED, .parent = TYPE_DERIVED },
};

DEFINE_TYPES(types)

static MemoryRegion rom;
static CPUState *cpu;
static Derived *device;
static char *log_path;

static int setup(void **state)
{
    int fd = g_file_open_tmp("qomet-exits-XXXXXX", &log_path, NULL);
    GError *error = NULL;

    close(fd);
    program_setup(state);
    device = (Derived *)qdev_new(TYPE_MORE_DERIVED, &error);
    if (!device || !qdev_set_id(DEVICE(device), "dev", &error) ||
        !qdev_realize(DEVICE(device), NULL, &error) ||
        !memory_region_init_rom(&rom, object_get_root(), "firmware", 0x1000, &error) ||
        !memory_region_add_subregion(get_system_memory(), 0xf0000, &rom, &error) ||
        !memory_region_add_subregion(get_system_io(), 0x100, &device->parent_obj.io, &error) ||
        !memory_region_add_subregion(get_system_memory(), 0xd0000000, &device->mmio, &error)) {
        return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    memory_region_del_subregion(get_system_io(), &device->parent_obj.io);
    memory_region_del_subregion(get_system_memory(), &device->mmio);
    object_unparent(OBJECT(device));
    object_unref(device);
    object_unparent(OBJECT(&rom));
    program_teardown(state);
    unlink(log_path);
    g_free(log_path);
    return 0;
}

/* A vCPU that nobody executes; the log begins empty. */
static int fresh(void **state)
{
    (void)state;
    cpu = CPU(qdev_new(X86_CPU_TYPE_NAME("qemu64"), NULL));
    return cpu && qemu_set_log_filename(log_path, NULL) ? 0 : -1;
}

static int over(void **state)
{
    (void)state;
    qemu_loglevel = 0;
    assert_true(exit_observe(EXIT_EXPLAIN, false, NULL));
    assert_true(exit_observe(EXIT_TIMING, false, NULL));
    qemu_set_log_filename(NULL, NULL);
    object_unref(cpu);
    return 0;
}

/* An access as an accelerator would report it, of that vCPU. */
static void port_access_of(CPUState *from, hwaddr port, unsigned size, bool is_write,
                           uint64_t value)
{
    ExitRecord r = { .reason = "io",
                     .meaning = "the guest used a port",
                     .addr = port,
                     .size = size,
                     .is_write = is_write,
                     .value = value,
                     .has_rip = true,
                     .rip = 0x1002 };

    exit_observed_access(from, &r, &address_space_io, (MemTxAttrs){ 0 });
}

static void port_access(hwaddr port, unsigned size, bool is_write, uint64_t value)
{
    port_access_of(cpu, port, size, is_write, value);
}

static void assert_logged(const char *expected)
{
    g_autofree char *text = NULL;

    assert_true(g_file_get_contents(log_path, &text, NULL, NULL));
    assert_string_equal(text, expected);
}

/* ---- The log ---- */

static void a_logged_access_is_one_line(void **state)
{
    (void)state;
    qemu_loglevel = LOG_EXITS;
    port_access(0x102, 2, true, 0x48);
    port_access(0x104, 1, false, 0);
    port_access(0x500, 4, false, 0);
    assert_logged("vcpu 0 exit=io path=/machine/peripheral/dev type=test-exit-more-derived "
                  "addr=0x102 size=2 write value=0x48\n"
                  "vcpu 0 exit=io path=/machine/peripheral/dev type=test-exit-more-derived "
                  "addr=0x104 size=1 read value=0x38\n"
                  "vcpu 0 exit=io path=- type=- addr=0x500 size=4 read value=0xffffffff\n");
}

static void nobody_is_told_unless_asked_for(void **state)
{
    GPtrArray *records;

    (void)state;
    assert_int_equal(exit_observers(), 0);
    qemu_loglevel = LOG_EXITS;
    assert_int_equal(exit_observers(), EXIT_LOG);
    qemu_loglevel = LOG_IRQ;
    port_access(0x100, 1, true, 1);
    assert_logged("");
    records = exit_records(NULL, 10);
    assert_int_equal(records->len, 0);
    g_ptr_array_unref(records);
}

#ifdef QOMET_EXPLAIN

/* ---- The record ---- */

static void observe(ExitObservers which)
{
    assert_true(exit_observe(which, true, NULL));
}

static uint64_t memory_access(hwaddr addr, unsigned size, bool is_write)
{
    ExitRecord r = { .reason = "mmio",
                     .meaning = "the guest used memory that is a device",
                     .addr = addr,
                     .size = size,
                     .is_write = is_write };

    exit_observed_access(cpu, &r, &address_space_memory, (MemTxAttrs){ 0 });
    return r.value;
}

static const ExitRecord *last_record(GPtrArray **records)
{
    *records = exit_records(cpu, 1);
    assert_int_equal((*records)->len, 1);
    return g_ptr_array_index(*records, 0);
}

static void a_record_holds_the_whole_way_of_an_access(void **state)
{
    g_autoptr(GPtrArray) records = NULL;
    const ExitRecord *r;

    (void)state;
    observe(EXIT_TIMING);
    assert_int_equal(memory_access(0xd0000010, 4, false), 0x1244);
    r = last_record(&records);
    assert_int_equal(r->number, 1);
    assert_string_equal(r->reason, "mmio");
    assert_string_equal(r->space, "memory");
    assert_int_equal(r->addr, 0xd0000010);
    assert_int_equal(r->size, 4);
    assert_false(r->is_write);
    assert_int_equal(r->value, 0x1244);
    assert_string_equal(r->region, "window");
    assert_int_equal(r->offset, 0x10);
    assert_string_equal(r->path, "/machine/peripheral/dev");
    assert_string_equal(r->type, TYPE_MORE_DERIVED);
    assert_true(r->ns > 0);
    assert_null(r->guard);
}

static void the_class_that_has_the_method_is_the_one_that_has_the_region(void **state)
{
    g_autoptr(GPtrArray) of_base = NULL, of_derived = NULL;

    (void)state;
    observe(EXIT_TIMING);
    port_access(0x100, 1, true, 1);
    assert_string_equal(last_record(&of_base)->method_class, TYPE_BASE);
    memory_access(0xd0000000, 4, true);
    assert_string_equal(last_record(&of_derived)->method_class, TYPE_DERIVED);
}

static void the_last_exits_are_remembered_newest_first(void **state)
{
    g_autoptr(GPtrArray) records = NULL, all = NULL;
    ExitRecord halt = { .reason = "hlt", .meaning = "the guest executed HLT" };

    (void)state;
    observe(EXIT_TIMING);
    for (unsigned i = 0; i < EXIT_RECORDS_KEPT + 10; i++) {
        port_access(0x100, 1, true, i & 0xff);
    }
    exit_observed(cpu, &halt);
    records = exit_records(cpu, 3);
    assert_int_equal(records->len, 3);
    assert_string_equal(((ExitRecord *)records->pdata[0])->reason, "hlt");
    assert_int_equal(((ExitRecord *)records->pdata[0])->number, EXIT_RECORDS_KEPT + 11);
    assert_int_equal(((ExitRecord *)records->pdata[1])->value, (EXIT_RECORDS_KEPT + 9) & 0xff);
    assert_int_equal(((ExitRecord *)records->pdata[2])->value, (EXIT_RECORDS_KEPT + 8) & 0xff);
    all = exit_records(cpu, UINT_MAX);
    assert_int_equal(all->len, EXIT_RECORDS_KEPT);
    assert_int_equal(((ExitRecord *)all->pdata[EXIT_RECORDS_KEPT - 1])->number, 12);
}

static void time_is_counted_by_object(void **state)
{
    EntryCounts before, after;

    (void)state;
    entry_guard_counts(&DEVICE(device)->guard, &before);
    port_access(0x100, 1, true, 1);
    entry_guard_counts(&DEVICE(device)->guard, &after);
    assert_int_equal(after.writes, before.writes + 1);
    assert_int_equal(after.nanoseconds, before.nanoseconds);
    observe(EXIT_TIMING);
    port_access(0x100, 1, true, 1);
    entry_guard_counts(&DEVICE(device)->guard, &after);
    assert_true(after.nanoseconds > before.nanoseconds);
    assert_int_equal(object_property_get_uint(OBJECT(device), "access-ns", NULL),
                     after.nanoseconds);
}

/* ---- In words ---- */

static void assert_explained(const char *expected)
{
    g_autoptr(GPtrArray) records = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    ExitRecord *r = (ExitRecord *)last_record(&records);

    r->ns = 1234;
    exit_record_explain(r, text);
    assert_string_equal(text->str, expected);
}

static void an_access_is_explained_as_a_path(void **state)
{
    (void)state;
    observe(EXIT_TIMING);
    port_access(0x102, 2, true, 0x48);
    assert_explained("exit 1 of vCPU 0: io, the guest used a port; RIP 0x1002\n"
                     "  write of 2 bytes, 0x48, to I/O 0x102\n"
                     "  -> region registers, offset 0x2\n"
                     "  -> object /machine/peripheral/dev (test-exit-more-derived)\n"
                     "  -> write method of class test-exit-base: 1234 ns\n");
}

static void what_went_wrong_with_an_access_is_said(void **state)
{
    (void)state;
    observe(EXIT_TIMING);
    port_access(0x500, 1, false, 0);
    assert_explained("exit 1 of vCPU 0: io, the guest used a port; RIP 0x1002\n"
                     "  read of 1 byte, 0xff, from I/O 0x500\n"
                     "  -> nothing is there: all ones, 1234 ns\n");
    memory_access(0xd0000000, 8, false);
    assert_explained("exit 2 of vCPU 0: mmio, the guest used memory that is a device\n"
                     "  read of 8 bytes, 0xffffffffffffffff, from memory 0xd0000000\n"
                     "  -> region window, offset 0x0\n"
                     "  -> object /machine/peripheral/dev (test-exit-more-derived)\n"
                     "  -> read method of class test-exit-derived, refused: 1234 ns\n");
    memory_access(0xf0008, 1, true);
    assert_explained("exit 3 of vCPU 0: mmio, the guest used memory that is a device\n"
                     "  write of 1 byte, 0x0, to memory 0xf0008\n"
                     "  -> region firmware, offset 0x8\n"
                     "  -> object / (container)\n"
                     "  -> memory, refused: 1234 ns\n");
}

static void explanations_go_to_the_log_when_asked_for(void **state)
{
    g_autofree char *text = NULL;

    (void)state;
    observe(EXIT_EXPLAIN);
    port_access(0x102, 2, true, 0x48);
    assert_true(g_file_get_contents(log_path, &text, NULL, NULL));
    assert_non_null(strstr(text, "-> write method of class test-exit-base: "));
}

/* ---- Threads ---- */

static void access_ports(unsigned number, void *opaque)
{
    CPUState **cpus = opaque;

    for (unsigned i = 0; i < TURNS; i++) {
        port_access_of(cpus[number], 0x100, 1, true, i & 0xff);
        keep_pace(number);
    }
}

/* What two vCPUs do is looked at, by @look, all the while. */
static void look_at_two(void (*look)(void))
{
    CPUState *other = CPU(qdev_new(X86_CPU_TYPE_NAME("qemu64"), NULL));
    CPUState *cpus[] = { cpu, other };
    Two two;

    assert_non_null(other);
    two_begin(&two, access_ports, cpus);
    while (two_run(&two)) {
        look();
    }
    two_end(&two);
    object_unref(other);
}

static void look_at_records(void)
{
    g_autoptr(GPtrArray) records = exit_records(cpu, 10);

    for (unsigned i = 0; i < records->len; i++) {
        assert_string_equal(((ExitRecord *)records->pdata[i])->path, "/machine/peripheral/dev");
    }
}

static void exits_are_looked_at_while_more_of_them_come(void **state)
{
    (void)state;
    observe(EXIT_TIMING);
    look_at_two(look_at_records);
}

static void look_at_nothing(void)
{
    main_loop_wait(false);
}

static void two_vcpus_and_the_main_loop_share_a_timeline(void **state)
{
    g_autofree char *text = NULL;

    (void)state;
    assert_true(exit_trace_open(log_path, NULL));
    look_at_two(look_at_nothing);
    exit_trace_close();
    assert_true(g_file_get_contents(log_path, &text, NULL, NULL));
    assert_true(g_str_has_suffix(text, "]}\n"));
}

#else

static void a_program_without_explanations_says_so(void **state)
{
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_false(exit_observe(EXIT_EXPLAIN, true, &error));
    assert_non_null(strstr(error->message, "--disable-explain"));
    assert_int_equal(exit_observers(), 0);
}

#endif

#define test(f) cmocka_unit_test_setup_teardown(f, fresh, over)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_logged_access_is_one_line),
        test(nobody_is_told_unless_asked_for),
#ifdef QOMET_EXPLAIN
        test(a_record_holds_the_whole_way_of_an_access),
        test(the_class_that_has_the_method_is_the_one_that_has_the_region),
        test(the_last_exits_are_remembered_newest_first),
        test(time_is_counted_by_object),
        test(an_access_is_explained_as_a_path),
        test(what_went_wrong_with_an_access_is_said),
        test(explanations_go_to_the_log_when_asked_for),
        test(exits_are_looked_at_while_more_of_them_come),
        test(two_vcpus_and_the_main_loop_share_a_timeline),
#else
        test(a_program_without_explanations_says_so),
#endif
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
