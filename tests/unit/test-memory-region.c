/* SPDX-License-Identifier: MIT */
/*
 * Regions: what each kind is, how they are mapped into each other, moved and taken out, and what an
 * overlap says.
 */
#include "tests/unit/memory-fixture.h"

static uint64_t load(AddressSpace *as, hwaddr addr, unsigned size)
{
    uint64_t value = 0x5555;

    assert_int_equal(address_space_load(as, addr, size, &value, MEMTXATTRS_UNSPECIFIED), MEMTX_OK);
    return value;
}

static void store(AddressSpace *as, hwaddr addr, unsigned size, uint64_t value)
{
    assert_int_equal(address_space_store(as, addr, size, value, MEMTXATTRS_UNSPECIFIED), MEMTX_OK);
}

static bool nothing_at(AddressSpace *as, hwaddr addr)
{
    uint64_t value = 0;

    return address_space_load(as, addr, 1, &value, MEMTXATTRS_UNSPECIFIED) == MEMTX_DECODE_ERROR &&
           value == 0xff;
}

/* ---- Kinds ---- */

static void a_register_is_reached_through_its_region(void **state)
{
    FixtureDevice *d = fixture_device_new("dev");
    MemoryRegion mr;
    EntryCounts counts;

    (void)state;
    memory_region_init_io(&mr, OBJECT(d), &fixture_ops, d, "regs", 8);
    assert_true(memory_region_add_subregion(get_system_io(), 0x3f8, &mr, NULL));
    assert_true(memory_region_is_mapped(&mr));

    store(&address_space_io, 0x3f9, 1, 0xab);
    assert_int_equal(d->last_addr, 1);
    assert_int_equal(d->last_size, 1);
    assert_int_equal(d->bytes[1], 0xab);
    assert_int_equal(load(&address_space_io, 0x3f8, 4), 0xab00);
    assert_true(nothing_at(&address_space_io, 0x3f7));
    assert_true(nothing_at(&address_space_io, 0x400));
    assert_true(nothing_at(&address_space_memory, 0x3f8));

    entry_guard_counts(&d->guard, &counts);
    assert_int_equal(counts.writes, 1);
    assert_int_equal(counts.write_bytes, 1);
    assert_int_equal(counts.reads, 1);
    assert_int_equal(counts.read_bytes, 4);

    memory_region_del_subregion(get_system_io(), &mr);
    assert_false(memory_region_is_mapped(&mr));
    assert_true(nothing_at(&address_space_io, 0x3f8));
    object_unparent(OBJECT(d));
}

static void a_value_written_has_no_bits_above_its_size(void **state)
{
    FixtureDevice *d = fixture_device_new("dev");
    MemoryRegion mr;

    (void)state;
    memory_region_init_io(&mr, OBJECT(d), &fixture_ops, d, "regs", 8);
    assert_true(memory_region_add_subregion(get_system_io(), 0, &mr, NULL));
    store(&address_space_io, 0, 1, 0xffffff12);
    assert_int_equal(d->last_data, 0x12);
    object_unparent(OBJECT(d));
}

static void ram_is_zero_and_keeps_what_is_written(void **state)
{
    MemoryRegion ram;

    (void)state;
    assert_true(memory_region_init_ram(&ram, NULL, "ram", 5000, NULL));
    assert_int_equal(memory_region_size(&ram), 8192);
    assert_true(memory_region_add_subregion(get_system_memory(), 0x10000, &ram, NULL));
    assert_int_equal(load(&address_space_memory, 0x10ff8, 8), 0);
    store(&address_space_memory, 0x10003, 8, UINT64_C(0x1122334455667788));
    assert_int_equal(load(&address_space_memory, 0x10003, 8), UINT64_C(0x1122334455667788));
    assert_int_equal(((uint8_t *)memory_region_get_ram_ptr(&ram))[3], 0x88);
    assert_int_equal(load(&address_space_memory, 0x10004, 2), 0x6677);
    memory_region_del_subregion(get_system_memory(), &ram);
    object_unref(&ram);
}

static void ram_that_the_host_cannot_give_is_an_error(void **state)
{
    MemoryRegion ram;
    g_autoptr(GError) none = NULL, huge = NULL, beyond = NULL;

    (void)state;
    assert_false(memory_region_init_ram(&ram, NULL, "pc.ram", 0, &none));
    assert_non_null(strstr(none->message, "'pc.ram'"));
    assert_false(memory_region_init_ram(&ram, NULL, "pc.ram", UINT64_MAX, &beyond));
    assert_non_null(strstr(beyond->message, "more than this host can address"));
    assert_false(memory_region_init_ram(&ram, NULL, "pc.ram", UINT64_C(1) << 60, &huge));
    assert_non_null(strstr(huge->message, "1152921504606846976 bytes: the host has no room"));
}

static void rom_reads_from_memory_and_drops_writes(void **state)
{
    MemoryRegion rom;

    (void)state;
    assert_true(memory_region_init_rom(&rom, NULL, "rom", 4096, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), 0xf000, &rom, NULL));
    memset(memory_region_get_ram_ptr(&rom), 0x90, 4096);
    assert_int_equal(
        address_space_store(&address_space_memory, 0xf000, 4, 1, MEMTXATTRS_UNSPECIFIED),
        MEMTX_ACCESS_ERROR);
    assert_int_equal(load(&address_space_memory, 0xf000, 4), 0x90909090);
    memory_region_set_readonly(&rom, false);
    store(&address_space_memory, 0xf000, 1, 1);
    assert_int_equal(load(&address_space_memory, 0xf000, 4), 0x90909001);
    memory_region_del_subregion(get_system_memory(), &rom);
    object_unref(&rom);
}

static void a_rom_device_reads_memory_until_it_is_told_otherwise(void **state)
{
    FixtureDevice *d = fixture_device_new("flash");
    MemoryRegion mr;

    (void)state;
    assert_true(
        memory_region_init_rom_device(&mr, OBJECT(d), &fixture_ops, d, "flash", 4096, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), 0, &mr, NULL));
    memset(memory_region_get_ram_ptr(&mr), 0x77, 4096);

    assert_int_equal(load(&address_space_memory, 16, 2), 0x7777);
    assert_int_equal(d->reads, 0);
    store(&address_space_memory, 16, 1, 0x20);
    assert_int_equal(d->writes, 1);
    assert_int_equal(load(&address_space_memory, 16, 1), 0x77);

    memory_region_rom_device_set_romd(&mr, false);
    assert_int_equal(load(&address_space_memory, 16, 1), 0x20);
    assert_int_equal(d->reads, 1);
    memory_region_rom_device_set_romd(&mr, true);
    assert_int_equal(load(&address_space_memory, 16, 1), 0x77);
    object_unparent(OBJECT(d));
}

static void an_alias_shows_a_part_of_another_region(void **state)
{
    MemoryRegion ram, low, high;

    (void)state;
    assert_true(memory_region_init_ram(&ram, NULL, "ram", 0x4000, NULL));
    memory_region_init_alias(&low, NULL, "low", &ram, 0, 0x2000);
    memory_region_init_alias(&high, NULL, "high", &ram, 0x2000, 0x8000);
    assert_true(memory_region_add_subregion(get_system_memory(), 0, &low, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), UINT64_C(1) << 32, &high, NULL));

    store(&address_space_memory, 0x1ffc, 4, 0xaaaaaaaa);
    store(&address_space_memory, UINT64_C(1) << 32, 4, 0xbbbbbbbb);
    assert_int_equal(((uint32_t *)memory_region_get_ram_ptr(&ram))[0x1ffc / 4], 0xaaaaaaaa);
    assert_int_equal(((uint32_t *)memory_region_get_ram_ptr(&ram))[0x2000 / 4], 0xbbbbbbbb);
    /* An alias larger than what it shows ends where that ends. */
    assert_true(nothing_at(&address_space_memory, (UINT64_C(1) << 32) + 0x2000));
    assert_true(nothing_at(&address_space_memory, 0x2000));

    memory_region_set_alias_offset(&high, 0x1000);
    assert_int_equal(load(&address_space_memory, (UINT64_C(1) << 32) + 0xffc, 4), 0xaaaaaaaa);
    memory_region_del_subregion(get_system_memory(), &low);
    memory_region_del_subregion(get_system_memory(), &high);
    object_unref(&low);
    object_unref(&high);
    object_unref(&ram);
}

/* ---- Shape ---- */

static void a_region_moves_shrinks_and_hides(void **state)
{
    FixtureDevice *d = fixture_device_new("dev");
    MemoryRegion mr;

    (void)state;
    memory_region_init_io(&mr, OBJECT(d), &fixture_ops, d, "bar", 16);
    assert_true(memory_region_add_subregion(get_system_memory(), 0x1000, &mr, NULL));
    memory_region_set_address(&mr, 0x2000);
    assert_true(nothing_at(&address_space_memory, 0x1000));
    store(&address_space_memory, 0x2008, 1, 1);
    memory_region_set_size(&mr, 8);
    assert_int_equal(memory_region_size(&mr), 8);
    assert_true(nothing_at(&address_space_memory, 0x2008));
    memory_region_set_size(&mr, 0);
    assert_int_equal(memory_region_size(&mr), 0);
    assert_true(nothing_at(&address_space_memory, 0x2000));
    memory_region_set_size(&mr, 8);
    memory_region_set_enabled(&mr, false);
    assert_true(nothing_at(&address_space_memory, 0x2000));
    assert_true(memory_region_is_mapped(&mr));
    memory_region_set_enabled(&mr, true);
    store(&address_space_memory, 0x2000, 1, 1);
    assert_int_equal(d->writes, 2);
    object_unparent(OBJECT(d));
}

static void changes_in_a_transaction_are_seen_together(void **state)
{
    FixtureDevice *d = fixture_device_new("dev");
    MemoryRegion a, b;

    (void)state;
    memory_region_init_io(&a, OBJECT(d), &fixture_ops, d, "a", 16);
    memory_region_init_io(&b, OBJECT(d), &fixture_ops, d, "b", 16);
    memory_region_transaction_begin();
    assert_true(memory_region_add_subregion(get_system_memory(), 0x1000, &a, NULL));
    memory_region_transaction_begin();
    assert_true(memory_region_add_subregion(get_system_memory(), 0x2000, &b, NULL));
    memory_region_transaction_commit();
    assert_true(nothing_at(&address_space_memory, 0x1000));
    assert_true(nothing_at(&address_space_memory, 0x2000));
    memory_region_transaction_commit();
    assert_int_equal(load(&address_space_memory, 0x1000, 1), 0);
    assert_int_equal(load(&address_space_memory, 0x2000, 1), 0);
    object_unparent(OBJECT(d));
    assert_true(nothing_at(&address_space_memory, 0x1000));
}

static void the_last_reference_may_go_before_the_commit(void **state)
{
    MemoryRegion *ram = g_new0(MemoryRegion, 1);

    (void)state;
    assert_true(memory_region_init_ram(ram, NULL, "dimm", 4096, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), 0, ram, NULL));
    memory_region_transaction_begin();
    memory_region_del_subregion(get_system_memory(), ram);
    object_unref(ram);
    /* Still published: still there. */
    assert_int_equal(load(&address_space_memory, 0, 4), 0);
    memory_region_transaction_commit();
    assert_true(nothing_at(&address_space_memory, 0));
    g_free(ram);
}

static void two_regions_of_one_name_are_two_children(void **state)
{
    FixtureDevice *d = fixture_device_new("dev");
    MemoryRegion a, b;
    g_autofree char *path_a = NULL, *path_b = NULL;

    (void)state;
    memory_region_init_io(&a, OBJECT(d), &fixture_ops, d, "bar/0", 16);
    memory_region_init_io(&b, OBJECT(d), &fixture_ops, d, "bar/0", 16);
    path_a = object_get_canonical_path(OBJECT(&a));
    path_b = object_get_canonical_path(OBJECT(&b));
    assert_string_equal(path_a, "/dev/bar-0");
    assert_string_not_equal(path_a, path_b);
    assert_string_equal(memory_region_name(&b), "bar/0");
    assert_ptr_equal(memory_region_owner(&b), d);
    object_unparent(OBJECT(d));
}

static void a_region_tells_about_itself_in_properties(void **state)
{
    FixtureDevice *d = fixture_device_new("dev");
    MemoryRegion outer, mr;
    g_autofree char *container = NULL;

    (void)state;
    memory_region_init(&outer, OBJECT(d), "outer", 0x100);
    memory_region_init_io(&mr, OBJECT(d), &fixture_ops, d, "regs", 16);
    memory_region_add_subregion_overlap(&outer, 0x20, &mr, -3);
    assert_int_equal(object_property_get_uint(OBJECT(&mr), "addr", NULL), 0x20);
    assert_int_equal(object_property_get_uint(OBJECT(&mr), "size", NULL), 16);
    assert_int_equal(object_property_get_int(OBJECT(&mr), "priority", NULL), -3);
    assert_true(object_property_get_bool(OBJECT(&mr), "enabled", NULL));
    container = object_property_get_str(OBJECT(&mr), "container", NULL);
    assert_string_equal(container, "/dev/outer");
    assert_false(object_property_set_uint(OBJECT(&mr), "addr", 1, NULL));
    object_unparent(OBJECT(d));
}

/* ---- Overlap ---- */

static void an_overlap_of_ports_names_both_owners(void **state)
{
    FixtureDevice *a = fixture_device_new("first"), *b = fixture_device_new("second");
    MemoryRegion x, y;
    g_autoptr(GError) error = NULL;

    (void)state;
    memory_region_init_io(&x, OBJECT(a), &fixture_ops, a, "x", 8);
    memory_region_init_io(&y, OBJECT(b), &fixture_ops, b, "y", 1);
    assert_true(memory_region_add_subregion(get_system_io(), 0x3f8, &x, NULL));
    assert_false(memory_region_add_subregion(get_system_io(), 0x3ff, &y, &error));
    assert_string_equal(error->message, "ports 0x3ff-0x3ff of /second (fixture-device) overlap "
                                        "0x3f8-0x3ff of /first (fixture-device)");
    assert_int_equal(error->code, QOM_ERROR_EXISTS);
    assert_false(memory_region_is_mapped(&y));
    assert_int_equal(load(&address_space_io, 0x3ff, 1), 0);
    assert_int_equal(a->reads, 1);
    /* Beside it is fine, and so is its place once it is free. */
    assert_true(memory_region_add_subregion(get_system_io(), 0x400, &y, NULL));
    memory_region_del_subregion(get_system_io(), &y);
    memory_region_del_subregion(get_system_io(), &x);
    assert_true(memory_region_add_subregion(get_system_io(), 0x3ff, &y, NULL));
    object_unparent(OBJECT(a));
    object_unparent(OBJECT(b));
}

static void what_is_hidden_or_meant_to_overlap_does_not_clash(void **state)
{
    FixtureDevice *d = fixture_device_new("dev");
    MemoryRegion hidden, under, mr;

    (void)state;
    memory_region_init_io(&hidden, OBJECT(d), &fixture_ops, d, "hidden", 16);
    memory_region_init_io(&under, OBJECT(d), &fixture_ops, d, "under", 4096);
    memory_region_init_io(&mr, OBJECT(d), &fixture_ops, d, "mr", 16);
    memory_region_set_enabled(&hidden, false);
    assert_true(memory_region_add_subregion(get_system_memory(), 0x100, &hidden, NULL));
    memory_region_add_subregion_overlap(get_system_memory(), 0, &under, -1);
    assert_true(memory_region_add_subregion(get_system_memory(), 0x108, &mr, NULL));
    object_unparent(OBJECT(d));
}

static void containers_clash_only_in_what_they_show(void **state)
{
    FixtureDevice *d = fixture_device_new("dev");
    MemoryRegion left, right, a, b, c;
    g_autoptr(GError) error = NULL;

    (void)state;
    memory_region_init(&left, OBJECT(d), "left", 0x1000);
    memory_region_init(&right, OBJECT(d), "right", 0x1000);
    memory_region_init_io(&a, OBJECT(d), &fixture_ops, d, "a", 16);
    memory_region_init_io(&b, OBJECT(d), &fixture_ops, d, "b", 16);
    memory_region_init_io(&c, OBJECT(d), &fixture_ops, d, "c", 0x200);
    assert_true(memory_region_add_subregion(&left, 0x10, &a, NULL));
    assert_true(memory_region_add_subregion(&right, 0x20, &b, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), 0x8000, &left, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), 0x8000, &right, NULL));
    /* Below both and between them: what lies further down counts as well. */
    assert_false(memory_region_add_subregion(get_system_memory(), 0x7e11, &c, &error));
    assert_non_null(strstr(
        error->message, "addresses 0x7e11-0x8010 of /dev (fixture-device) overlap 0x8010-0x801f"));
    assert_true(memory_region_add_subregion(get_system_memory(), 0x7e10, &c, NULL));
    object_unparent(OBJECT(d));
}

static void a_clash_made_by_moving_is_found_later(void **state)
{
    FixtureDevice *d = fixture_device_new("dev");
    MemoryRegion wide, narrow, mr;

    (void)state;
    memory_region_init_io(&wide, OBJECT(d), &fixture_ops, d, "wide", 0x100);
    memory_region_init_io(&narrow, OBJECT(d), &fixture_ops, d, "narrow", 1);
    memory_region_init_io(&mr, OBJECT(d), &fixture_ops, d, "mr", 1);
    assert_true(memory_region_add_subregion(get_system_io(), 0x100, &wide, NULL));
    assert_true(memory_region_add_subregion(get_system_io(), 0x300, &narrow, NULL));
    memory_region_set_address(&narrow, 0x110);
    /* The nearest below 0x120 is narrow, and ends before; wide reaches it all the same. */
    assert_false(memory_region_add_subregion(get_system_io(), 0x120, &mr, NULL));
    assert_true(memory_region_add_subregion(get_system_io(), 0x200, &mr, NULL));
    object_unparent(OBJECT(d));
}

static void a_region_is_mapped_once_and_not_below_itself(void **state)
{
    MemoryRegion a, b;
    g_autoptr(GError) twice = NULL, cycle = NULL;

    (void)state;
    memory_region_init(&a, NULL, "a", 0x1000);
    memory_region_init(&b, NULL, "b", 0x1000);
    assert_true(memory_region_add_subregion(&a, 0, &b, NULL));
    assert_false(memory_region_add_subregion(get_system_memory(), 0, &b, &twice));
    assert_non_null(strstr(twice->message, "'b'"));
    assert_false(memory_region_add_subregion(&b, 0, &a, &cycle));
    assert_non_null(strstr(cycle->message, "below itself"));
    memory_region_del_subregion(&a, &b);
    object_unref(&b);
    object_unref(&a);
}

static void a_container_that_ends_lets_go_of_what_it_held(void **state)
{
    MemoryRegion a, b;

    (void)state;
    memory_region_init(&a, NULL, "a", 0x1000);
    memory_region_init(&b, NULL, "b", 0x1000);
    assert_true(memory_region_add_subregion(&a, 0, &b, NULL));
    object_unref(&a);
    assert_false(memory_region_is_mapped(&b));
    object_unref(&b);
}

/* An allocated object with a region in it, as a device has. */
typedef struct Box {
    Object parent_obj;
    MemoryRegion mr;
} Box;

static void a_region_may_go_with_its_memory_before_the_transaction_ends(void **state)
{
    static const TypeInfo info = { .name = "region-box",
                                   .parent = TYPE_OBJECT,
                                   .instance_size = sizeof(Box) };
    Box *box;

    (void)state;
    assert_non_null(type_register_static(&info, NULL));
    box = (Box *)object_new("region-box");
    assert_true(object_property_add_child(object_get_root(), "box", OBJECT(box), NULL));
    object_unref(box);
    memory_region_init_io(&box->mr, OBJECT(box), &fixture_ops, NULL, "regs", 8);
    assert_true(memory_region_add_subregion(get_system_io(), 0x3f8, &box->mr, NULL));
    memory_region_transaction_begin();
    memory_region_del_subregion(get_system_io(), &box->mr);
    object_unparent(OBJECT(box));
    memory_region_transaction_commit();
    assert_true(nothing_at(&address_space_io, 0x3f8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_region_may_go_with_its_memory_before_the_transaction_ends),
        cmocka_unit_test(a_register_is_reached_through_its_region),
        cmocka_unit_test(a_value_written_has_no_bits_above_its_size),
        cmocka_unit_test(ram_is_zero_and_keeps_what_is_written),
        cmocka_unit_test(ram_that_the_host_cannot_give_is_an_error),
        cmocka_unit_test(rom_reads_from_memory_and_drops_writes),
        cmocka_unit_test(a_rom_device_reads_memory_until_it_is_told_otherwise),
        cmocka_unit_test(an_alias_shows_a_part_of_another_region),
        cmocka_unit_test(a_region_moves_shrinks_and_hides),
        cmocka_unit_test(changes_in_a_transaction_are_seen_together),
        cmocka_unit_test(the_last_reference_may_go_before_the_commit),
        cmocka_unit_test(two_regions_of_one_name_are_two_children),
        cmocka_unit_test(a_region_tells_about_itself_in_properties),
        cmocka_unit_test(an_overlap_of_ports_names_both_owners),
        cmocka_unit_test(what_is_hidden_or_meant_to_overlap_does_not_clash),
        cmocka_unit_test(containers_clash_only_in_what_they_show),
        cmocka_unit_test(a_clash_made_by_moving_is_found_later),
        cmocka_unit_test(a_region_is_mapped_once_and_not_below_itself),
        cmocka_unit_test(a_container_that_ends_lets_go_of_what_it_held),
    };

    return cmocka_run_group_tests_name("memory-region", tests, fixture_setup, fixture_teardown);
}
