/* SPDX-License-Identifier: MIT */
/*
 * Guest memory as slices: what is a slice and what is refused, and that a slice outlives the
 * region's withdrawal.
 */
#include "tests/unit/memory-fixture.h"
#include <pthread.h>
#include <time.h>

static MemoryRegion low, high, rom;
static FixtureDevice *device;
static MemoryRegion regs;

static int map_all(void **state)
{
    (void)state;
    device = fixture_device_new("dev");
    memory_region_init_io(&regs, OBJECT(device), &fixture_ops, device, "regs", 0x1000);
    assert_true(memory_region_init_ram(&low, NULL, "low", 0x4000, NULL));
    assert_true(memory_region_init_ram(&high, NULL, "high", 0x1000, NULL));
    assert_true(memory_region_init_rom(&rom, NULL, "rom", 0x1000, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), 0, &low, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), 0x4000, &rom, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), 0x5000, &regs, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), UINT64_MAX - 0xfff, &high, NULL));
    return 0;
}

static int unmap_all(void **state)
{
    (void)state;
    memory_region_del_subregion(get_system_memory(), &low);
    memory_region_del_subregion(get_system_memory(), &rom);
    memory_region_del_subregion(get_system_memory(), &high);
    object_unref(&low);
    object_unref(&rom);
    object_unref(&high);
    object_unparent(OBJECT(device));
    return 0;
}

static bool get(hwaddr addr, uint64_t len, bool write)
{
    GuestSlice s;
    bool got = guest_slice_get(&address_space_memory, addr, len, write, &s);

    if (got) {
        assert_int_equal(s.len, len);
        assert_int_equal(s.writable, write);
    } else {
        assert_null(s.host);
        assert_int_equal(s.len, 0);
    }
    guest_slice_put(&s);
    return got;
}

static void a_slice_is_the_ram_at_its_address(void **state)
{
    GuestSlice s;

    (void)state;
    assert_true(guest_slice_get(&address_space_memory, 0x1234, 16, true, &s));
    assert_ptr_equal(s.host, (uint8_t *)memory_region_get_ram_ptr(&low) + 0x1234);
    assert_ptr_equal(s.mr, &low);
    assert_int_equal(s.offset, 0x1234);
    guest_slice_put(&s);
    assert_true(get(0, 0x4000, true));
    assert_true(get(UINT64_MAX - 0xfff, 0x1000, true));
    assert_true(get(UINT64_MAX, 1, true));
}

static void what_leaves_its_ram_is_refused(void **state)
{
    (void)state;
    assert_false(get(0x3fff, 2, false)); /* into the next region, memory as well */
    assert_false(get(0, 0x4001, false));
    assert_false(get(0x5000, 1, false));     /* a device's registers */
    assert_false(get(0x7000, 1, false));     /* nothing */
    assert_false(get(UINT64_MAX, 2, false)); /* wraps */
    assert_false(get(0x10, UINT64_MAX, false));
    assert_false(get(0x10, UINT64_MAX - 0xf, false));
    assert_false(get(UINT64_MAX - 0xfff, UINT64_MAX, false));
    assert_false(get(0, UINT64_MAX, false));
}

static void rom_is_for_reading_only(void **state)
{
    (void)state;
    assert_true(get(0x4000, 0x1000, false));
    assert_false(get(0x4000, 1, true));
}

static void nothing_at_all_is_a_slice_where_ram_is(void **state)
{
    (void)state;
    assert_true(get(0, 0, true));
    assert_true(get(0x3fff, 0, true));
    assert_false(get(0x5000, 0, false));
    assert_false(get(0x7000, 0, false));
}

static void a_region_over_the_ram_bounds_the_slice(void **state)
{
    MemoryRegion over;

    (void)state;
    memory_region_init_io(&over, NULL, &fixture_ops, device, "over", 0x10);
    memory_region_add_subregion_overlap(get_system_memory(), 0x100, &over, 1);
    assert_true(get(0, 0x100, true));
    assert_false(get(0, 0x101, true));
    assert_false(get(0x105, 1, true));
    assert_true(get(0x110, 0x3ef0, true));
    memory_region_del_subregion(get_system_memory(), &over);
    object_unref(&over);
}

static void random_slices_stay_inside(void **state)
{
    uint64_t seed = 99;

    (void)state;
    for (unsigned i = 0; i < fixture_count(20000); i++) {
        const hwaddr addr = fixture_random(&seed) >> fixture_random(&seed) % 64;
        const uint64_t len = fixture_random(&seed) >> fixture_random(&seed) % 64;
        const bool inside = (addr < 0x4000 && len <= 0x4000 - addr) ||
                            (addr >= UINT64_MAX - 0xfff && len <= UINT64_MAX - addr + 1);

        assert_int_equal(get(addr, len, true), inside);
    }
}

/* ---- Withdrawal ---- */

static uint32_t step; /* 1: the slice is held; 2: about to be put */

static void *hold_a_slice(void *opaque)
{
    GuestSlice s;

    (void)opaque;
    assert_true(guest_slice_get(&address_space_memory, 0x10000, 0x1000, true, &s));
    __atomic_store_n(&step, 1, __ATOMIC_RELEASE);
    nanosleep(&(struct timespec){ .tv_nsec = 30000000 }, NULL);
    memset(s.host, 0x5a, s.len);
    __atomic_store_n(&step, 2, __ATOMIC_RELEASE);
    guest_slice_put(&s);
    return NULL;
}

static void memory_is_not_withdrawn_under_a_slice(void **state)
{
    MemoryRegion ram;
    pthread_t thread;

    (void)state;
    assert_true(memory_region_init_ram(&ram, NULL, "dimm", 0x1000, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), 0x10000, &ram, NULL));
    assert_int_equal(pthread_create(&thread, NULL, hold_a_slice, NULL), 0);
    while (!__atomic_load_n(&step, __ATOMIC_ACQUIRE)) {
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    memory_region_del_subregion(get_system_memory(), &ram);
    assert_int_equal(__atomic_load_n(&step, __ATOMIC_ACQUIRE), 2);
    object_unref(&ram);
    pthread_join(thread, NULL);
}

static void a_slice_of_this_thread_keeps_its_memory_too(void **state)
{
    MemoryRegion ram;
    GuestSlice s;

    (void)state;
    assert_true(memory_region_init_ram(&ram, NULL, "dimm", 0x1000, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), 0x10000, &ram, NULL));
    assert_true(guest_slice_get(&address_space_memory, 0x10000, 0x1000, true, &s));
    memory_region_del_subregion(get_system_memory(), &ram);
    s.host[0] = 1;
    guest_slice_put(&s);
    /* What was put off is done by the main loop. */
    assert_true(main_work_run() > 0);
    object_unref(&ram);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_slice_is_the_ram_at_its_address, map_all, unmap_all),
        cmocka_unit_test_setup_teardown(what_leaves_its_ram_is_refused, map_all, unmap_all),
        cmocka_unit_test_setup_teardown(rom_is_for_reading_only, map_all, unmap_all),
        cmocka_unit_test_setup_teardown(nothing_at_all_is_a_slice_where_ram_is, map_all, unmap_all),
        cmocka_unit_test_setup_teardown(a_region_over_the_ram_bounds_the_slice, map_all, unmap_all),
        cmocka_unit_test_setup_teardown(random_slices_stay_inside, map_all, unmap_all),
        cmocka_unit_test(memory_is_not_withdrawn_under_a_slice),
        cmocka_unit_test(a_slice_of_this_thread_keeps_its_memory_too),
    };

    return cmocka_run_group_tests_name("memory-slice", tests, fixture_setup, fixture_teardown);
}
