/* SPDX-License-Identifier: MIT */
/* BARs and ROMs: the map follows what a guest writes, whatever that is. */
#include "tests/unit/pci-fixture.h"
#include <pthread.h>
#include <unistd.h>

#define SLOT 3
#define BDF PCI_DEVFN(SLOT, 0)
#define BAR(n) (PCI_BASE_ADDRESS_0 + 4 * (n))

static void decode(uint16_t bdf, uint16_t command)
{
    config_out(bdf, PCI_COMMAND, 2, command);
}

static void a_bar_tells_its_size_and_its_type(void **state)
{
    TestPCI *s = pci_test_new(SLOT);

    (void)state;
    s->size[0] = 0x1000;
    s->type[0] = PCI_BASE_ADDRESS_MEM_PREFETCH;
    s->size[1] = 0x20;
    s->type[1] = PCI_BASE_ADDRESS_SPACE_IO;
    s->size[2] = UINT64_C(8) << 30;
    s->type[2] = PCI_BASE_ADDRESS_MEM_TYPE_64;
    pci_test_realize(s, pci_bus);
    for (unsigned i = 0; i < 6; i++) {
        config_out(BDF, BAR(i), 4, UINT32_MAX);
    }
    assert_int_equal(config_in(BDF, BAR(0), 4), 0xfffff008);
    assert_int_equal(config_in(BDF, BAR(1), 4), 0xffffffe1);
    assert_int_equal(config_in(BDF, BAR(2), 4), 0x00000004);
    assert_int_equal(config_in(BDF, BAR(3), 4), 0xfffffffe);
    assert_int_equal(config_in(BDF, BAR(4), 4), 0);
    assert_int_equal(config_in(BDF, BAR(5), 4), 0);
}

static void memory_answers_where_the_guest_has_put_it(void **state)
{
    TestPCI *s = pci_test_make(SLOT, 0x1000);

    (void)state;
    config_out(BDF, BAR(0), 4, 0xe0000000);
    assert_int_equal(mem_read(0xe0000004, 4), UINT32_MAX);
    decode(BDF, PCI_COMMAND_MEMORY);
    assert_int_equal(mem_read(0xe0000004, 4), 0xba000004);
    assert_int_equal(mem_read(0xe0000ffc, 4), 0xba000ffc);
    assert_int_equal(mem_read(0xe0001000, 4), UINT32_MAX);
    assert_int_equal(pci_get_bar_addr(&s->parent_obj, 0), 0xe0000000);
    config_out(BDF, BAR(0), 4, 0xe1000000);
    assert_int_equal(mem_read(0xe0000004, 4), UINT32_MAX);
    assert_int_equal(mem_read(0xe1000004, 4), 0xba000004);
    decode(BDF, 0);
    assert_int_equal(mem_read(0xe1000004, 4), UINT32_MAX);
}

static void ports_answer_where_the_guest_has_put_them(void **state)
{
    TestPCI *s = pci_test_new(SLOT);

    (void)state;
    s->size[1] = 0x20;
    s->type[1] = PCI_BASE_ADDRESS_SPACE_IO;
    pci_test_realize(s, pci_bus);
    config_out(BDF, BAR(1), 4, 0xc000);
    decode(BDF, PCI_COMMAND_MEMORY);
    assert_int_equal(io_read(0xc004, 4), UINT32_MAX);
    decode(BDF, PCI_COMMAND_IO);
    assert_int_equal(io_read(0xc004, 4), 0xba000004);
    /* There are no ports past 0xffff. */
    config_out(BDF, BAR(1), 4, 0x10000);
    assert_int_equal(io_read(0, 4), UINT32_MAX);
    config_out(BDF, BAR(1), 4, 0xfffffffc);
    assert_int_equal(io_read(0xffe4, 4), UINT32_MAX);
}

static void sizing_a_bar_that_is_decoded_maps_it_nowhere(void **state)
{
    TestPCI *s = pci_test_make(SLOT, 0x1000);

    (void)state;
    config_out(BDF, BAR(0), 4, 0xe0000000);
    decode(BDF, PCI_COMMAND_MEMORY);
    config_out(BDF, BAR(0), 4, UINT32_MAX);
    assert_int_equal(pci_get_bar_addr(&s->parent_obj, 0), PCI_BAR_UNMAPPED);
    assert_int_equal(mem_read(0xfffff000, 4), UINT32_MAX);
    assert_int_equal(mem_read(0xe0000000, 4), UINT32_MAX);
    config_out(BDF, BAR(0), 4, 0xe0000000);
    assert_int_equal(mem_read(0xe0000000, 4), 0xba000000);
    /* Byte by byte it goes through many places, and ends where it is meant to. */
    for (unsigned i = 0; i < 4; i++) {
        config_out(BDF, BAR(0) + i, 1, 0xff);
    }
    for (unsigned i = 0; i < 4; i++) {
        config_out(BDF, BAR(0) + i, 1, 0xe2345678 >> (8 * i) & 0xff);
    }
    assert_int_equal(mem_read(0xe2345010, 4), 0xba000010);
}

static void at_address_0_there_is_no_bar(void **state)
{
    pci_test_make(SLOT, 0x1000);
    (void)state;
    mem_write(0, 4, 0x11223344);
    decode(BDF, PCI_COMMAND_MEMORY);
    assert_int_equal(mem_read(0, 4), 0x11223344);
}

static void a_bar_of_64_bits_goes_above_4_gib(void **state)
{
    TestPCI *s = pci_test_new(SLOT);

    (void)state;
    s->size[2] = 0x10000;
    s->type[2] = PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH;
    pci_test_realize(s, pci_bus);
    decode(BDF, PCI_COMMAND_MEMORY);
    config_out(BDF, BAR(2), 4, 0xfffe0000);
    assert_int_equal(mem_read(0xfffe0008, 4), 0xba000008);
    config_out(BDF, BAR(3), 4, 0x12);
    assert_int_equal(mem_read(0xfffe0008, 4), UINT32_MAX);
    assert_int_equal(mem_read(UINT64_C(0x12fffe0008), 4), 0xba000008);
    /* Its last byte may be the last below 4 GiB, but not the last of all. */
    config_out(BDF, BAR(3), 4, 0);
    config_out(BDF, BAR(2), 4, 0xffff0000);
    assert_int_equal(mem_read(0xffff0008, 4), 0xba000008);
    config_out(BDF, BAR(3), 4, UINT32_MAX);
    assert_int_equal(pci_get_bar_addr(&s->parent_obj, 2), PCI_BAR_UNMAPPED);
}

/* No view with memory at 0xe0000000 can be followed. */
static bool refuses_e0000000(MemoryListener *l, const MemoryRegionSection *sections, unsigned n,
                             GError **errp)
{
    (void)l;
    for (unsigned i = 0; i < n; i++) {
        if (sections[i].offset_within_address_space == 0xe0000000) {
            qom_error_set(errp, QOM_ERROR_STATE, "no room");
            return false;
        }
    }
    return true;
}

static void a_bar_for_which_there_is_no_room_is_mapped_nowhere(void **state)
{
    MemoryListener narrow = { .check = refuses_e0000000 };
    TestPCI *s = pci_test_new(SLOT);

    (void)state;
    s->size[0] = s->size[1] = 0x1000;
    pci_test_realize(s, pci_bus);
    memory_listener_register(&narrow, &address_space_memory);
    config_out(BDF, BAR(0), 4, 0xe1000000);
    config_out(BDF, BAR(1), 4, 0xe2000000);
    decode(BDF, PCI_COMMAND_MEMORY);
    config_out(BDF, BAR(0), 4, 0xe0000000);
    assert_int_equal(pci_get_bar_addr(&s->parent_obj, 0), PCI_BAR_UNMAPPED);
    assert_int_equal(mem_read(0xe0000004, 4), UINT32_MAX);
    assert_int_equal(mem_read(0xe1000004, 4), UINT32_MAX);
    assert_int_equal(mem_read(0xe2000004, 4), 0xba000004);
    assert_int_equal(config_in(BDF, BAR(0), 4), 0xe0000000);
    config_out(BDF, BAR(0), 4, 0xe3000000);
    assert_int_equal(mem_read(0xe3000004, 4), 0xba000004);
    /* It is tried again with the next change. */
    config_out(BDF, BAR(0), 4, 0xe0000000);
    memory_listener_unregister(&narrow, &address_space_memory);
    config_out(BDF, BAR(1), 4, 0xe4000000);
    assert_int_equal(mem_read(0xe0000004, 4), 0xba000004);
}

static void ram_stays_where_a_bar_is_put_over_it(void **state)
{
    pci_test_make(SLOT, 0x1000);
    (void)state;
    mem_write(0x8000, 4, 0x11223344);
    config_out(BDF, BAR(0), 4, 0x8000);
    decode(BDF, PCI_COMMAND_MEMORY);
    assert_int_equal(mem_read(0x8000, 4), 0x11223344);
    mem_write(0x8000, 4, 0x55667788);
    config_out(BDF, BAR(0), 4, 0xe0000000);
    assert_int_equal(mem_read(0x8000, 4), 0x55667788);
    assert_int_equal(mem_read(0xe0000000, 4), 0xba000000);
}

static void a_bar_over_the_end_of_ram_shows_what_is_beyond(void **state)
{
    TestPCI *s = pci_test_new(SLOT);

    (void)state;
    s->size[0] = 4 * PCI_RAM_BYTES;
    pci_test_realize(s, pci_bus);
    config_out(BDF, BAR(0), 4, 4 * PCI_RAM_BYTES);
    decode(BDF, PCI_COMMAND_MEMORY);
    assert_int_equal(mem_read(4 * PCI_RAM_BYTES, 4), 0xba000000);
    config_out(BDF, BAR(0), 4, 0);
    assert_int_equal(mem_read(4 * PCI_RAM_BYTES, 4), UINT32_MAX);
}

static void bars_may_cover_each_other(void **state)
{
    TestPCI *a = pci_test_make(3, 0x1000), *b = pci_test_make(4, 0x1000);

    (void)state;
    config_out(3 << 3, BAR(0), 4, 0xe0000000);
    config_out(4 << 3, BAR(0), 4, 0xe0000000);
    decode(3 << 3, PCI_COMMAND_MEMORY);
    decode(4 << 3, PCI_COMMAND_MEMORY);
    assert_int_equal(mem_read(0xe0000000, 4), 0xba000000);
    assert_int_equal(a->reads + b->reads, 1);
    config_out(4 << 3, BAR(0), 4, 0xe1000000);
    assert_int_equal(mem_read(0xe0000000, 4), 0xba000000);
    assert_int_equal(mem_read(0xe1000000, 4), 0xba000000);
    assert_true(a->reads >= 1 && b->reads >= 1);
}

/* ---- Two processors ---- */

static void *read_bar(void *opaque)
{
    (void)opaque;
    entry_thread_register("reader", NULL, NULL);
    mem_read(0xe0000000, 4);
    entry_thread_unregister();
    return NULL;
}

static void *disable_bar(void *opaque)
{
    uint32_t *done = opaque;

    entry_thread_register("disabler", NULL, NULL);
    io_write(PCI_CONF_PORT, 4, UINT32_C(0x80000000) | BDF << 8 | PCI_COMMAND);
    io_write(PCI_DATA_PORT, 2, 0);
    /* The guest's next instruction finds nothing there. */
    assert_int_equal(mem_read(0xe0000000, 4), UINT32_MAX);
    __atomic_store_n(done, 1, __ATOMIC_SEQ_CST);
    entry_thread_unregister();
    return NULL;
}

static void a_bar_is_disabled_while_another_processor_is_in_its_handler(void **state)
{
    TestPCI *s = pci_test_make(SLOT, 0x1000);
    pthread_t reader, disabler;
    uint32_t done = 0;

    (void)state;
    config_out(BDF, BAR(0), 4, 0xe0000000);
    decode(BDF, PCI_COMMAND_MEMORY);
    __atomic_store_n(&s->hold, 1, __ATOMIC_SEQ_CST);
    assert_int_equal(pthread_create(&reader, NULL, read_bar, NULL), 0);
    while (!__atomic_load_n(&s->inside, __ATOMIC_SEQ_CST)) {
        g_usleep(100);
    }
    assert_int_equal(pthread_create(&disabler, NULL, disable_bar, &done), 0);
    /* It waits for the device's lock, and no harm is done meanwhile. */
    for (int i = 0; i < 20; i++) {
        main_loop_wait(false);
        g_usleep(500);
    }
    assert_int_equal(__atomic_load_n(&done, __ATOMIC_SEQ_CST), 0);
    __atomic_store_n(&s->hold, 0, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&done, __ATOMIC_SEQ_CST)) {
        main_loop_wait(false);
    }
    pthread_join(reader, NULL);
    pthread_join(disabler, NULL);
    assert_int_equal(s->reads, 1);
}

typedef struct Mover {
    uint16_t bdf;
    uint32_t *stop, *ended;
} Mover;

static void *move_bars(void *opaque)
{
    const Mover *m = opaque;

    entry_thread_register("mover", NULL, NULL);
    for (unsigned i = 0; i < 200 && !__atomic_load_n(m->stop, __ATOMIC_SEQ_CST); i++) {
        /* The two ports are shared: what is written, and where, is whatever it comes to be. */
        config_out(m->bdf, BAR(0), 4, 0xe0000000 + (i % 7) * 0x800);
        config_out(m->bdf, PCI_COMMAND, 2, i % 3 ? PCI_COMMAND_MEMORY : 0);
        mem_read(0xe0000000 + (i % 5) * 0x800, 4);
    }
    __atomic_add_fetch(m->ended, 1, __ATOMIC_SEQ_CST);
    entry_thread_unregister();
    return NULL;
}

static void two_processors_move_bars_at_once(void **state)
{
    uint32_t stop = 0, ended = 0;
    Mover movers[2] = { { 3 << 3, &stop, &ended }, { 4 << 3, &stop, &ended } };
    pthread_t threads[2];

    (void)state;
    pci_test_make(3, 0x1000);
    pci_test_make(4, 0x1000);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, move_bars, &movers[i]), 0);
    }
    while (__atomic_load_n(&ended, __ATOMIC_SEQ_CST) < 2) {
        main_loop_wait(false);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void a_device_goes_while_its_configuration_is_written(void **state)
{
    uint32_t stop = 0, ended = 0;
    Mover mover = { BDF, &stop, &ended };
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, move_bars, &mover), 0);
    for (int i = 0; i < 50; i++) {
        TestPCI *s = pci_test_make(SLOT, 0x1000);

        main_loop_wait(false);
        object_unparent(OBJECT(s));
        main_loop_wait(false);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&ended, __ATOMIC_SEQ_CST)) {
        main_loop_wait(false);
    }
    pthread_join(thread, NULL);
    assert_int_equal(mem_read(0xe0000000, 4), UINT32_MAX);
}

static uint64_t linger(void *opaque, hwaddr addr, unsigned size)
{
    TestPCI *s = opaque;

    (void)addr;
    (void)size;
    __atomic_add_fetch(&s->inside, 1, __ATOMIC_SEQ_CST);
    g_usleep(2000);
    __atomic_add_fetch(&s->reads, 1, __ATOMIC_SEQ_CST);
    __atomic_sub_fetch(&s->inside, 1, __ATOMIC_SEQ_CST);
    return 0;
}

static const MemoryRegionOps linger_ops = { .read = linger };

static bool add_lingering_bar(PCIDevice *dev, GError **errp)
{
    TestPCI *s = TEST_PCI(dev);

    (void)errp;
    memory_region_init_io(&s->bar[0], OBJECT(dev), &linger_ops, s, "bar", 0x1000);
    pci_register_bar(dev, 0, 0, &s->bar[0]);
    return true;
}

static void *read_until_it_is_gone(void *opaque)
{
    (void)opaque;
    entry_thread_register("reader", NULL, NULL);
    while (mem_read(0xe0000000, 4) == 0) {
    }
    entry_thread_unregister();
    return NULL;
}

static void nobody_is_inside_a_device_that_ends(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        TestPCI *s = pci_test_new(SLOT);
        pthread_t reader;

        s->more = add_lingering_bar;
        pci_test_realize(s, pci_bus);
        config_out(BDF, BAR(0), 4, 0xe0000000);
        decode(BDF, PCI_COMMAND_MEMORY);
        assert_int_equal(pthread_create(&reader, NULL, read_until_it_is_gone, NULL), 0);
        while (!__atomic_load_n(&s->reads, __ATOMIC_SEQ_CST)) {
            g_usleep(100);
        }
        object_ref(s);
        object_unparent(OBJECT(s));
        assert_int_equal(s->inside_at_exit, 0);
        pthread_join(reader, NULL);
        object_unref(s);
    }
}

/* ---- ROMs ---- */

static char *rom_file(size_t bytes)
{
    char *path = g_build_filename(g_get_tmp_dir(), "test-pci-bar-XXXXXX", NULL);
    int fd = g_mkstemp(path);

    for (size_t i = 0; i < bytes; i++) {
        uint8_t byte = i == 0 ? 0x55 : i == 1 ? 0xaa : i & 0xff;

        assert_int_equal(write(fd, &byte, 1), 1);
    }
    close(fd);
    return path;
}

static void a_rom_shows_its_file_while_it_is_enabled(void **state)
{
    TestPCI *s = pci_test_new(SLOT);
    g_autofree char *path = rom_file(3000);

    (void)state;
    s->parent_obj.romfile = g_strdup(path);
    pci_test_realize(s, pci_bus);
    config_out(BDF, PCI_ROM_ADDRESS, 4, 0xfffffffe);
    assert_int_equal(config_in(BDF, PCI_ROM_ADDRESS, 4), 0xfffff000);
    config_out(BDF, PCI_ROM_ADDRESS, 4, 0xe0000000);
    decode(BDF, PCI_COMMAND_MEMORY);
    assert_int_equal(mem_read(0xe0000000, 2), 0xffff);
    config_out(BDF, PCI_ROM_ADDRESS, 4, 0xe0000000 | PCI_ROM_ADDRESS_ENABLE);
    assert_int_equal(mem_read(0xe0000000, 2), 0xaa55);
    assert_int_equal(mem_read(0xe0000bb7, 1), 0xb7);
    assert_int_equal(mem_read(0xe0000bb8, 1), 0);
    mem_write(0xe0000000, 2, 0);
    assert_int_equal(mem_read(0xe0000000, 2), 0xaa55);
    unlink(path);
}

static void rombar_0_hides_the_rom(void **state)
{
    TestPCI *s = pci_test_new(SLOT);
    g_autofree char *path = rom_file(512);

    (void)state;
    s->parent_obj.romfile = g_strdup(path);
    s->parent_obj.rombar = 0;
    pci_test_realize(s, pci_bus);
    config_out(BDF, PCI_ROM_ADDRESS, 4, UINT32_MAX);
    assert_int_equal(config_in(BDF, PCI_ROM_ADDRESS, 4), 0);
    unlink(path);
}

static void a_rom_without_a_file_is_refused(void **state)
{
    TestPCI *s = pci_test_new(SLOT);
    g_autoptr(GError) err = NULL;

    (void)state;
    s->parent_obj.romfile = g_strdup("/nowhere/rom");
    assert_false(qdev_realize_and_unref(DEVICE(s), BUS(pci_bus), &err));
    assert_string_equal(err->message, "romfile: there is no file '/nowhere/rom'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pci_test(a_bar_tells_its_size_and_its_type),
        pci_test(memory_answers_where_the_guest_has_put_it),
        pci_test(ports_answer_where_the_guest_has_put_them),
        pci_test(sizing_a_bar_that_is_decoded_maps_it_nowhere),
        pci_test(at_address_0_there_is_no_bar),
        pci_test(a_bar_of_64_bits_goes_above_4_gib),
        pci_test(a_bar_for_which_there_is_no_room_is_mapped_nowhere),
        pci_test(ram_stays_where_a_bar_is_put_over_it),
        pci_test(a_bar_over_the_end_of_ram_shows_what_is_beyond),
        pci_test(bars_may_cover_each_other),
        pci_test(a_bar_is_disabled_while_another_processor_is_in_its_handler),
        pci_test(two_processors_move_bars_at_once),
        pci_test(a_device_goes_while_its_configuration_is_written),
        pci_test(nobody_is_inside_a_device_that_ends),
        pci_test(a_rom_shows_its_file_while_it_is_enabled),
        pci_test(rombar_0_hides_the_rom),
        pci_test(a_rom_without_a_file_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
