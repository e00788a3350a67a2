/* SPDX-License-Identifier: MIT */
/*
 * Dirty tracking: every way of writing marks its pages, a snapshot takes the marks, and nothing is
 * lost between.
 */
#include "tests/unit/memory-fixture.h"
#include <pthread.h>

#define PAGE UINT64_C(4096)
#define PAGES 200

static MemoryRegion ram;

static int map_ram(void **state)
{
    (void)state;
    assert_true(memory_region_init_ram(&ram, NULL, "ram", PAGES * PAGE, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), 0x100000, &ram, NULL));
    memory_region_set_log(&ram, true);
    return 0;
}

static int unmap_ram(void **state)
{
    (void)state;
    memory_region_del_subregion(get_system_memory(), &ram);
    object_unref(&ram);
    return 0;
}

/* The page that is dirty, of which there is one; -1 for none, -2 for several. Takes the marks. */
static int one_dirty(void)
{
    uint64_t bits[(PAGES + 63) / 64];
    int found = -1;

    assert_true(memory_region_snapshot_dirty(&ram, 0, PAGES * PAGE, bits));
    for (int i = 0; i < PAGES; i++) {
        if (bits[i / 64] >> (i % 64) & 1) {
            found = found == -1 ? i : -2;
        }
    }
    return found;
}

static void every_way_of_writing_is_seen(void **state)
{
    uint8_t buf[16] = { 0 };
    uint64_t value;
    GuestSlice s;

    (void)state;
    assert_int_equal(one_dirty(), -1);
    address_space_store(&address_space_memory, 0x100000 + 3 * PAGE + 8, 4, 1, (MemTxAttrs){ 0 });
    assert_int_equal(one_dirty(), 3);
    assert_int_equal(one_dirty(), -1);
    address_space_write(&address_space_memory, 0x100000 + 64 * PAGE, (MemTxAttrs){ 0 }, buf, 16);
    assert_int_equal(one_dirty(), 64);
    assert_int_equal(dma_memory_write(&address_space_memory, 0x100000 + 127 * PAGE, buf, 16,
                                      MEMTXATTRS_UNSPECIFIED),
                     MEMTX_OK);
    assert_int_equal(one_dirty(), 127);
    assert_true(guest_slice_get(&address_space_memory, 0x100000 + 199 * PAGE, PAGE, true, &s));
    assert_int_equal(one_dirty(), -1);
    guest_slice_put(&s);
    assert_int_equal(one_dirty(), 199);
    memory_region_set_dirty(&ram, 128 * PAGE - 1, 1);
    assert_int_equal(one_dirty(), 127);
    /* Reading marks nothing. */
    address_space_load(&address_space_memory, 0x100000, 4, &value, (MemTxAttrs){ 0 });
    assert_true(guest_slice_get(&address_space_memory, 0x100000, PAGE, false, &s));
    guest_slice_put(&s);
    assert_int_equal(one_dirty(), -1);
}

static void a_snapshot_takes_just_the_pages_asked_for(void **state)
{
    uint64_t seed = 3;
    bool dirty[PAGES] = { false };

    (void)state;
    for (unsigned n = 0; n < fixture_count(2000); n++) {
        const uint64_t first = fixture_random(&seed) % PAGES,
                       count = fixture_random(&seed) % (PAGES - first + 1);
        uint64_t bits[(PAGES + 63) / 64 + 1];

        if (fixture_random(&seed) % 3) {
            /* From anywhere in the first page to the same place in the last. */
            memory_region_set_dirty(&ram, first * PAGE + fixture_random(&seed) % PAGE,
                                    count ? (count - 1) * PAGE + 1 : 0);
            for (uint64_t i = 0; i < count; i++) {
                dirty[first + i] = true;
            }
            continue;
        }
        assert_true(memory_region_snapshot_dirty(&ram, first * PAGE, count * PAGE, bits));
        for (uint64_t i = 0; i < count; i++) {
            assert_int_equal(bits[i / 64] >> (i % 64) & 1, dirty[first + i]);
            dirty[first + i] = false;
        }
        for (uint64_t i = count; i < (count + 63) / 64 * 64; i++) {
            assert_int_equal(bits[i / 64] >> (i % 64) & 1, 0);
        }
    }
}

static void what_cannot_be_taken_is_refused(void **state)
{
    uint64_t bits[8];

    (void)state;
    assert_false(memory_region_snapshot_dirty(&ram, 1, PAGE, bits));
    assert_false(memory_region_snapshot_dirty(&ram, 0, 1, bits));
    assert_false(memory_region_snapshot_dirty(&ram, 0, (PAGES + 1) * PAGE, bits));
    assert_false(memory_region_snapshot_dirty(&ram, (PAGES + 1) * PAGE, 0, bits));
    assert_true(memory_region_snapshot_dirty(&ram, PAGES * PAGE, 0, bits));
    memory_region_set_dirty(&ram, PAGES * PAGE, 5);
    memory_region_set_dirty(&ram, PAGES * PAGE - 1, UINT64_MAX);
    assert_int_equal(one_dirty(), PAGES - 1);
    memory_region_set_log(&ram, false);
    assert_false(memory_region_snapshot_dirty(&ram, 0, PAGE, bits));
    address_space_store(&address_space_memory, 0x100000, 4, 1, (MemTxAttrs){ 0 });
    memory_region_set_log(&ram, true);
    assert_int_equal(one_dirty(), -1);
}

/* ---- The accelerator's part ---- */

static unsigned synced;

static void fold_in(MemoryListener *l, const MemoryRegionSection *s)
{
    (void)l;
    assert_ptr_equal(s->mr, &ram);
    assert_true(s->dirty_log);
    synced++;
    memory_region_set_dirty(s->mr, s->offset_within_region + 5 * PAGE, 1);
}

static void an_accelerator_brings_its_marks_first(void **state)
{
    MemoryListener l = { .log_sync = fold_in };
    uint64_t bits[4];

    (void)state;
    memory_listener_register(&l, &address_space_memory);
    synced = 0;
    assert_int_equal(one_dirty(), 5);
    assert_int_equal(synced, 1);
    assert_true(memory_region_snapshot_dirty(&ram, 7 * PAGE, PAGE, bits));
    assert_int_equal(synced, 2);
    memory_listener_unregister(&l, &address_space_memory);
}

static unsigned told;
static bool told_log;

static void hear_log(MemoryListener *l, const MemoryRegionSection *s)
{
    (void)l;
    told++;
    told_log = s->dirty_log;
}

static void listeners_hear_that_tracking_begins_and_ends(void **state)
{
    MemoryListener l = { .region_add = hear_log };

    (void)state;
    memory_listener_register(&l, &address_space_memory);
    assert_true(told == 1 && told_log);
    memory_region_set_log(&ram, false);
    assert_true(told == 2 && !told_log);
    memory_region_set_log(&ram, false);
    assert_int_equal(told, 2);
    memory_region_set_log(&ram, true);
    assert_true(told == 3 && told_log);
    memory_listener_unregister(&l, &address_space_memory);
}

/* ---- Threads ---- */

static uint32_t writer_ended;

static void *write_pages(void *opaque)
{
    (void)opaque;
    for (unsigned i = 0; i < 20000; i++) {
        address_space_store(&address_space_memory, 0x100000 + i * 7 % PAGES * PAGE, 4, i,
                            (MemTxAttrs){ 0 });
    }
    __atomic_store_n(&writer_ended, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void no_mark_is_lost_to_a_snapshot(void **state)
{
    uint64_t bits[(PAGES + 63) / 64], all[(PAGES + 63) / 64] = { 0 };
    pthread_t thread;
    bool ended;

    (void)state;
    writer_ended = 0;
    assert_int_equal(pthread_create(&thread, NULL, write_pages, NULL), 0);
    do {
        ended = __atomic_load_n(&writer_ended, __ATOMIC_ACQUIRE);
        assert_true(memory_region_snapshot_dirty(&ram, 0, PAGES * PAGE, bits));
        for (size_t i = 0; i < G_N_ELEMENTS(bits); i++) {
            all[i] |= bits[i];
        }
    } while (!ended);
    pthread_join(thread, NULL);
    for (int i = 0; i < PAGES; i++) {
        assert_int_equal(all[i / 64] >> (i % 64) & 1, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_way_of_writing_is_seen, map_ram, unmap_ram),
        cmocka_unit_test_setup_teardown(a_snapshot_takes_just_the_pages_asked_for, map_ram,
                                        unmap_ram),
        cmocka_unit_test_setup_teardown(what_cannot_be_taken_is_refused, map_ram, unmap_ram),
        cmocka_unit_test_setup_teardown(an_accelerator_brings_its_marks_first, map_ram, unmap_ram),
        cmocka_unit_test_setup_teardown(listeners_hear_that_tracking_begins_and_ends, map_ram,
                                        unmap_ram),
        cmocka_unit_test_setup_teardown(no_mark_is_lost_to_a_snapshot, map_ram, unmap_ram),
    };

    return cmocka_run_group_tests_name("memory-dirty", tests, fixture_setup, fixture_teardown);
}
