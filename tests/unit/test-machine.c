/* SPDX-License-Identifier: MIT */
/*
 * Machines: finding their classes, what bare refuses, what it writes into RAM, and that nothing of
 * it is left. No KVM.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <qomet/hw/isa/isa-bus.h>
#include <qomet/memory/main-work.h>
#include <qomet/qom/keyval.h>
#include "accel/x86-bits.h"
#include "tests/unit/program-fixture.h"

#define PAGE UINT64_C(4096)

static char *folder;
static char *image; /* a file of 64 bytes */

static int group_setup(void **state)
{
    GError *error = NULL;

    (void)state;
    folder = g_dir_make_tmp("qomet-test-XXXXXX", NULL);
    if (!folder || !module_call_init(MODULE_INIT_QOM, &error)) {
        return -1;
    }
    image = g_build_filename(folder, "image", NULL);
    return g_file_set_contents(
               image, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 64, NULL)
               ? 0
               : -1;
}

static int group_teardown(void **state)
{
    (void)state;
    unlink(image);
    rmdir(folder);
    g_free(folder);
    g_free(image);
    return 0;
}

/*
 * The board @name with @words as properties, under qtest; the last step's error or NULL for none.
 */
static GError *make(const char *name, const char *words, bool done)
{
    GError *error = NULL;
    MachineClass *mc = machine_class_find(name, &error);
    MachineState *machine = mc ? machine_new(mc, &error) : NULL;
    g_autoptr(KeyVal) kv = keyval_parse(words, NULL, &error);

    if (machine && kv && (!*words || keyval_apply(kv, OBJECT(machine), &error)) &&
        accel_init("qtest", &error) && machine_init(machine, &error) && done) {
        machine_done(machine, &error);
    }
    return error;
}

static void assert_refused(const char *words, const char *text)
{
    g_autoptr(GError) error = make("bare", words, true);

    if (!error || !strstr(error->message, text)) {
        fail_msg("%s: '%s' is not in: %s", words, text, error ? error->message : "(no error)");
    }
    program_teardown(NULL);
    program_setup(NULL);
}

static void assert_made(const char *words)
{
    g_autoptr(GError) error = make("bare", words, true);

    if (error) {
        fail_msg("%s: %s", words, error->message);
    }
}

static uint64_t peek(hwaddr addr, unsigned size)
{
    uint64_t value = 0;

    assert_int_equal(
        address_space_read(&address_space_memory, addr, MEMTXATTRS_UNSPECIFIED, &value, size),
        MEMTX_OK);
    return value;
}

static int is_type(Object *obj, void *opaque)
{
    return object_dynamic_cast(obj, opaque) != NULL;
}

static bool has_device(const char *type)
{
    return object_child_foreach_recursive(object_get_root(), is_type, (void *)type) != 0;
}

/* ---- Classes ---- */

static void a_machine_is_found_by_name(void **state)
{
    GError *error = NULL;

    (void)state;
    assert_non_null(machine_class_find("bare", &error));
    assert_non_null(machine_class_find("none", &error));
    assert_ptr_equal(machine_class_default(), machine_class_find("bare", &error));
    assert_true(machine_class_default()->is_default);
}

static void only_one_machine_is_the_default(void **state)
{
    GSList *classes = object_class_get_list(TYPE_MACHINE, false);
    unsigned defaults = 0;

    (void)state;
    for (GSList *l = classes; l; l = l->next) {
        defaults += MACHINE_CLASS(l->data)->is_default;
        assert_non_null(MACHINE_CLASS(l->data)->desc);
    }
    g_slist_free(classes);
    assert_int_equal(defaults, 1);
}

static void an_unknown_machine_is_told_with_the_nearest(void **state)
{
    g_autoptr(GError) near = NULL;
    g_autoptr(GError) far = NULL;

    (void)state;
    assert_null(machine_class_find("bear", &near));
    assert_string_equal(near->message, "'bear' is not a machine (did you mean 'bare'?)");
    assert_null(machine_class_find("xyzzy-plugh", &far));
    assert_non_null(strstr(far->message, "-M help"));
}

/* ---- none ---- */

static void none_has_nothing(void **state)
{
    (void)state;
    assert_null(make("none", "", true));
    assert_false(has_device("ram"));
    assert_int_equal(cpu_count(), 0);
    assert_null(qbus_find(NULL, TYPE_ISA_BUS, NULL));
}

static void none_refuses_vcpus(void **state)
{
    g_autoptr(GError) error = make("none", "smp=2", true);

    (void)state;
    assert_non_null(error);
    assert_non_null(strstr(error->message, "has no vCPUs"));
}

/* ---- flat ---- */

static void flat_has_no_board_to_load_anything_into(void **state)
{
    g_autofree char *words = g_strdup_printf("kernel=%s", image);
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_null(make("flat", "", true));
    assert_false(has_device("ram"));
    assert_int_equal(cpu_count(), 0);
    program_teardown(NULL);
    program_setup(NULL);
    error = make("flat", words, true);
    assert_non_null(error);
    assert_string_equal(error->message, "load-address=0x1000 is outside RAM, which ends at 0x0");
}

/* ---- bare: what it is ---- */

static void bare_has_ram_ports_and_a_bus(void **state)
{
    (void)state;
    assert_made("nodefaults=on");
    assert_int_equal(current_machine()->ram_size, 16 << 20);
    assert_int_equal(peek((16 << 20) - 4, 4), 0);
    assert_non_null(qbus_find("isa.0", NULL, NULL));
    assert_ptr_equal(object_resolve_path("/machine", NULL), current_machine());
}

static void the_image_is_loaded_where_it_is_said(void **state)
{
    g_autofree char *words =
        g_strdup_printf("nodefaults=on,load-address=0x12340,cs=0x1234,kernel=%s", image);

    (void)state;
    assert_made(words);
    assert_int_equal(peek(0x1233f, 1), 0);
    assert_int_equal(peek(0x12340, 4), 0x33323130);
    assert_int_equal(peek(0x12340 + 63, 1), 'f');
    assert_int_equal(peek(0x12340 + 64, 1), 0);
}

static void end_at_next_turn(void *opaque)
{
    (void)opaque;
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_UI);
}

static void a_reset_writes_the_image_again(void **state)
{
    g_autofree char *words = g_strdup_printf("nodefaults=on,kernel=%s", image);

    (void)state;
    assert_made(words);
    address_space_write(&address_space_memory, 0x1000, MEMTXATTRS_UNSPECIFIED, "xxxx", 4);
    address_space_write(&address_space_memory, 0x5000, MEMTXATTRS_UNSPECIFIED, "yyyy", 4);
    qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    main_work_post(end_at_next_turn, NULL);
    assert_int_equal(qemu_main_loop(), 0);
    assert_int_equal(peek(0x1000, 4), 0x33323130);
    assert_int_equal(peek(0x5000, 4), 0x79797979);
}

static void long_mode_maps_4_gib_or_all_ram_to_itself(void **state)
{
    const uint64_t end = 32 << 20, tables = end - (2 + 1 + 4) * PAGE, pml4 = tables + 4096,
                   pdpt = pml4 + PAGE, pd = pdpt + PAGE;
    const uint64_t flags = X86_PTE_P | X86_PTE_W;

    (void)state;
    assert_made("nodefaults=on,long-mode=on,ram-size=32M");
    assert_int_equal(peek(tables, 8), 0);
    assert_int_equal(peek(tables + 0x18, 8), UINT64_C(0x00af9b000000ffff));
    assert_int_equal(peek(pml4, 8), pdpt | flags);
    assert_int_equal(peek(pml4 + 8, 8), 0);
    for (uint64_t i = 0; i < 4; i++) {
        assert_int_equal(peek(pdpt + 8 * i, 8), (pd + PAGE * i) | flags);
    }
    assert_int_equal(peek(pdpt + 32, 8), 0);
    for (uint64_t i = 0; i < 2048; i++) {
        assert_int_equal(peek(pd + 8 * i, 8), i << 21 | X86_PTE_PS | flags);
    }
}

static void long_mode_maps_ram_beyond_4_gib(void **state)
{
    /* 6 GiB: 3 of them below 4 GiB, the others end at 7 GiB. */
    const uint64_t end = UINT64_C(0xc0000000), pdpt = end - (1 + 7) * PAGE;

    (void)state;
    assert_made("nodefaults=on,long-mode=on,ram-size=6G");
    assert_int_equal(peek(pdpt + 48, 8) & 1, 1);
    assert_int_equal(peek(pdpt + 56, 8), 0);
    assert_int_equal(peek(UINT64_C(0x1bffffff8), 8), 0);
}

static void serial_ports_are_as_many_as_were_asked_for(void **state)
{
    MachineState *machine = machine_new(machine_class_find("bare", NULL), NULL);
    GError *error = NULL;

    (void)state;
    assert_int_equal(machine_serial_count(machine), 1);
    assert_string_equal(machine_serial_words(machine, 0), "stdio");
    assert_null(machine_serial_words(machine, 1));
    machine_add_serial_words(machine, "none");
    machine_add_serial_words(machine, "null");
    assert_int_equal(machine_serial_count(machine), 2);
    assert_null(machine_serial_words(machine, 0));
    assert_string_equal(machine_serial_words(machine, 1), "null");
    assert_non_null(accel_init("qtest", &error));
    assert_true(machine_init(machine, &error));
    assert_true(has_device("isa-serial"));
}

static void without_defaults_there_is_no_serial_port(void **state)
{
    (void)state;
    assert_made("nodefaults=on");
    assert_null(machine_serial_words(current_machine(), 0));
    assert_false(has_device("isa-serial"));
}

static void a_board_can_be_made_again_and_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        assert_made("nodefaults=on,kernel-irqchip=on");
        program_teardown(NULL);
        program_setup(NULL);
    }
}

/* ---- bare: what it refuses ---- */

static void ram_sizes_that_cannot_be_are_refused(void **state)
{
    (void)state;
    assert_refused("ram-size=1E",
                   "'1E' is no size for the guest's memory, accepted are 4K to 256G");
    assert_refused("smp=0",
                   "0 is no number of vCPUs for the machine 'bare', accepted are 1 to 255");
    assert_refused("smp=1000", "accepted are 1 to 255");
}

static void modes_that_contradict_are_refused(void **state)
{
    (void)state;
    assert_refused("long-mode=on,protected-mode=on", "exclude each other");
    assert_refused("long-mode=on,cs=8", "cs=0x8 is for real mode");
    assert_refused("protected-mode=on,gs=8", "gs=0x8 is for real mode");
    assert_refused("smp=2,rdx=1", "RDX is the vCPU's index");
    assert_refused("kernel-irqchip=on,on-halt=exit",
                   "on-halt=exit is for a machine without interrupt controllers");
    assert_refused("on-halt=never", "exit");
    assert_refused("unassigned=maybe", "warn");
    assert_refused("initrd=x", "-initrd means nothing");
    assert_refused("firmware=x", "-bios means nothing");
    assert_refused("append=x", "-append means nothing");
}

static void entries_that_real_mode_cannot_reach_are_refused(void **state)
{
    (void)state;
    assert_refused("entry=0x10000", "0 to 0xffff");
    assert_refused("load-address=0x12345", "cs=0x1000,entry=0x2345");
    assert_refused("load-address=0x100,cs=0x1000", "not in the 64 KiB of the segment CS");
    assert_refused("protected-mode=on,entry=0x100000000", "past 4 GiB");
    assert_refused("entry=-1", "entry");
}

static void tables_need_room(void **state)
{
    (void)state;
    assert_refused("long-mode=on,ram-size=16K", "more than there is RAM");
}

static void files_that_cannot_be_loaded_are_told_why(void **state)
{
    g_autofree char *empty = g_build_filename(folder, "empty", NULL),
                    *large = g_build_filename(folder, "large", NULL);
    g_autofree char *a = g_strdup_printf("kernel=%s", folder),
                    *b = g_strdup_printf("kernel=%s", empty);
    g_autofree char *c = g_strdup_printf("kernel=%s,ram-size=1M", large);
    g_autofree char *d =
        g_strdup_printf("kernel=%s,ram-size=1M,load-address=0x100000,protected-mode=on", image);
    g_autofree char *e =
        g_strdup_printf("kernel=%s,load-address=0xffffffffffffffff,long-mode=on", image);
    g_autofree char *f =
        g_strdup_printf("kernel=%s,ram-size=1M,load-address=0xffff0,cs=0xffff", image);
    int fd;

    (void)state;
    assert_true(g_file_set_contents(empty, "", 0, NULL));
    fd = open(large, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(fd, 5 << 20), 0);
    close(fd);
    assert_refused("kernel=/nowhere/at/all",
                   "cannot open '/nowhere/at/all': No such file or directory");
    assert_refused(a, "is a directory");
    assert_refused(b, "is empty");
    assert_refused(c, "is 5 MiB, but only 1020 KiB of RAM is left above load-address 0x1000");
    assert_refused(d, "outside RAM, which ends at 0x100000");
    assert_refused(e, "outside RAM");
    assert_refused(f, "but only 16 bytes of RAM is left above load-address 0xffff0");
    unlink(empty);
    unlink(large);
}

static void a_pipe_that_does_not_end_is_refused(void **state)
{
    (void)state;
    assert_refused("kernel=/dev/zero,ram-size=1M", "is more than 1020 KiB");
}

static void a_file_must_end_below_the_tables(void **state)
{
    g_autofree char *a =
        g_strdup_printf("kernel=%s,ram-size=1M,protected-mode=on,load-address=0xfefc0", image);
    g_autofree char *b =
        g_strdup_printf("kernel=%s,ram-size=1M,protected-mode=on,load-address=0xfefc1", image);

    (void)state;
    assert_refused(
        b,
        "but only 63 bytes of RAM is left above load-address 0xfefc1, below the tables at its end");
    assert_made(a);
}

static unsigned changes;

static void count_change(MemoryListener *l)
{
    (void)l;
    changes++;
}

static void the_maps_of_many_devices_go_at_once(void **state)
{
    MemoryListener counter = { .commit = count_change };

    (void)state;
    assert_made("");
    for (unsigned i = 0; i < 50; i++) {
        DeviceState *dev = qdev_new("isa-debugcon", NULL);

        assert_true(object_property_set_uint(OBJECT(dev), "iobase", 0x1000 + i, NULL));
        assert_true(qdev_realize_and_unref(dev, NULL, NULL));
    }
    memory_listener_register(&counter, &address_space_io);
    changes = 0;
    machine_cleanup();
    memory_listener_unregister(&counter, &address_space_io);
    assert_true(changes >= 1 && changes <= 2);
}

#define test(f) cmocka_unit_test_setup_teardown(f, program_setup, program_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_machine_is_found_by_name),
        test(only_one_machine_is_the_default),
        test(an_unknown_machine_is_told_with_the_nearest),
        test(none_has_nothing),
        test(none_refuses_vcpus),
        test(flat_has_no_board_to_load_anything_into),
        test(bare_has_ram_ports_and_a_bus),
        test(the_image_is_loaded_where_it_is_said),
        test(a_reset_writes_the_image_again),
        test(long_mode_maps_4_gib_or_all_ram_to_itself),
        test(long_mode_maps_ram_beyond_4_gib),
        test(serial_ports_are_as_many_as_were_asked_for),
        test(without_defaults_there_is_no_serial_port),
        test(a_board_can_be_made_again_and_again),
        test(ram_sizes_that_cannot_be_are_refused),
        test(modes_that_contradict_are_refused),
        test(entries_that_real_mode_cannot_reach_are_refused),
        test(tables_need_room),
        test(files_that_cannot_be_loaded_are_told_why),
        test(a_pipe_that_does_not_end_is_refused),
        test(a_file_must_end_below_the_tables),
        test(the_maps_of_many_devices_go_at_once),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
