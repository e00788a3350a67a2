/* SPDX-License-Identifier: MIT */
/* Eventfds: where they are told, and that they take the place of a method. */
#include "tests/unit/memory-ear.h"
#include <sys/eventfd.h>
#include <unistd.h>

/* ---- Eventfds ---- */

static bool signalled(int fd)
{
    eventfd_t n;

    return eventfd_read(fd, &n) == 0;
}

static void eventfds_are_told_where_they_can_be_seen(void **state)
{
    MemoryRegion mr, over;
    Ear ear = { .name = 0 };
    MemoryRegionIoeventfd plain = { .addr = 0x10, .size = 2, .fd = 100 };
    MemoryRegionIoeventfd matching = {
        .addr = 0x10, .size = 2, .match_data = true, .data = 7, .fd = 101
    };

    (void)state;
    memory_region_init_io(&mr, NULL, &fixture_ops, NULL, "mr", 0x20);
    memory_region_init_io(&over, NULL, &fixture_ops, NULL, "over", 8);
    ear_open(&ear, &address_space_memory);
    ear.listener.region_add = ear.listener.region_del = NULL;
    memory_listener_register(&ear.listener, &address_space_memory);
    memory_region_add_eventfd(&mr, &plain);
    g_string_truncate(ear.said, 0);
    assert_true(memory_region_add_subregion(get_system_memory(), 0x1000, &mr, NULL));
    assert_said(&ear, "b e+1010/2/-1 c ");
    memory_region_add_eventfd(&mr, &matching);
    assert_said(&ear, "b e+1010/2/7 c ");
    /* Covered elsewhere: they stay. Covered themselves: they go. */
    memory_region_add_subregion_overlap(get_system_memory(), 0x1000, &over, 1);
    assert_said(&ear, "b c ");
    memory_region_set_address(&over, 0x1011);
    assert_said(&ear, "b e-1010/2/7 e-1010/2/-1 c ");
    memory_region_del_subregion(get_system_memory(), &over);
    assert_said(&ear, "b e+1010/2/7 e+1010/2/-1 c ");
    memory_region_set_address(&mr, 0x2000);
    assert_said(&ear, "b e-1010/2/7 e-1010/2/-1 e+2010/2/7 e+2010/2/-1 c ");
    memory_region_del_eventfd(&mr, &plain);
    assert_said(&ear, "b e-2010/2/-1 c ");
    memory_listener_unregister(&ear.listener, &address_space_memory);
    assert_said(&ear, "b e-2010/2/7 c ");
    memory_region_del_subregion(get_system_memory(), &mr);
    ear_close(&ear);
    object_unref(&mr);
    object_unref(&over);
}

static void an_eventfd_takes_the_place_of_the_method(void **state)
{
    FixtureDevice *d = fixture_device_new("dev");
    MemoryRegionIoeventfd any = { .addr = 0, .fd = eventfd(0, EFD_NONBLOCK) };
    MemoryRegionIoeventfd match = {
        .addr = 4, .size = 4, .match_data = true, .data = 3, .fd = eventfd(0, EFD_NONBLOCK)
    };
    MemoryRegion mr;
    uint64_t value;

    (void)state;
    memory_region_init_io(&mr, OBJECT(d), &fixture_ops, d, "doorbell", 16);
    assert_true(memory_region_add_subregion(get_system_memory(), 0x1000, &mr, NULL));
    memory_region_add_eventfd(&mr, &any);
    memory_region_add_eventfd(&mr, &match);

    assert_int_equal(address_space_store(&address_space_memory, 0x1000, 1, 9, (MemTxAttrs){ 0 }),
                     MEMTX_OK);
    assert_true(signalled(any.fd));
    assert_int_equal(address_space_store(&address_space_memory, 0x1004, 4, 3, (MemTxAttrs){ 0 }),
                     MEMTX_OK);
    assert_true(signalled(match.fd));
    assert_int_equal(d->writes, 0);
    /* Another value, size or place is the method's; so is a read. */
    assert_int_equal(address_space_store(&address_space_memory, 0x1004, 4, 4, (MemTxAttrs){ 0 }),
                     MEMTX_OK);
    assert_int_equal(address_space_store(&address_space_memory, 0x1004, 2, 3, (MemTxAttrs){ 0 }),
                     MEMTX_OK);
    assert_int_equal(address_space_store(&address_space_memory, 0x1008, 4, 3, (MemTxAttrs){ 0 }),
                     MEMTX_OK);
    assert_int_equal(
        address_space_load(&address_space_memory, 0x1000, 4, &value, (MemTxAttrs){ 0 }), MEMTX_OK);
    assert_int_equal(d->writes, 3);
    assert_int_equal(d->reads, 1);
    assert_false(signalled(any.fd));
    assert_false(signalled(match.fd));

    memory_region_del_eventfd(&mr, &any);
    assert_int_equal(address_space_store(&address_space_memory, 0x1000, 1, 9, (MemTxAttrs){ 0 }),
                     MEMTX_OK);
    assert_int_equal(d->writes, 4);
    memory_region_del_eventfd(&mr, &match);
    close(any.fd);
    close(match.fd);
    object_unparent(OBJECT(d));
}

static void an_eventfd_that_the_listener_cannot_take_still_works(void **state)
{
    FixtureDevice *d = fixture_device_new("dev");
    MemoryRegionIoeventfd e = { .addr = 0, .size = 8, .fd = eventfd(0, EFD_NONBLOCK) };
    Ear ear = { .name = 0 };
    MemoryRegion mr;

    (void)state;
    memory_region_init_io(&mr, OBJECT(d), &fixture_ops, d, "doorbell", 16);
    assert_true(memory_region_add_subregion(get_system_memory(), 0x1000, &mr, NULL));
    ear_open(&ear, &address_space_memory);
    memory_listener_register(&ear.listener, &address_space_memory);
    memory_region_add_eventfd(&mr, &e); /* on_eventfd_add() says no to 8 bytes */
    assert_int_equal(address_space_store(&address_space_memory, 0x1000, 8, 1, (MemTxAttrs){ 0 }),
                     MEMTX_OK);
    assert_true(signalled(e.fd));
    memory_listener_unregister(&ear.listener, &address_space_memory);
    ear_close(&ear);
    object_unparent(OBJECT(d));
    close(e.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eventfds_are_told_where_they_can_be_seen),
        cmocka_unit_test(an_eventfd_takes_the_place_of_the_method),
        cmocka_unit_test(an_eventfd_that_the_listener_cannot_take_still_works),
    };

    return cmocka_run_group_tests_name("memory-eventfd", tests, fixture_setup, fixture_teardown);
}
