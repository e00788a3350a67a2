/* SPDX-License-Identifier: MIT */
/*
 * Listings: the word for each kind of region, what is mapped in one in order of address, and all
 * address spaces.
 */
#include "tests/unit/memory-fixture.h"
#include <qomet/memory/listing.h>

/* ---- Regions ---- */

static void each_kind_of_region_has_a_word(void **state)
{
    FixtureDevice *d = fixture_device_new("dev");
    MemoryRegion ram, rom, romd, io, alias, container;

    (void)state;
    assert_true(memory_region_init_ram(&ram, OBJECT(d), "ram", 4096, NULL));
    assert_true(memory_region_init_rom(&rom, OBJECT(d), "rom", 4096, NULL));
    assert_true(
        memory_region_init_rom_device(&romd, OBJECT(d), &fixture_ops, d, "flash", 4096, NULL));
    memory_region_init_io(&io, OBJECT(d), &fixture_ops, d, "io", 8);
    memory_region_init_alias(&alias, OBJECT(d), "alias", &ram, 0x800, 0x400);
    memory_region_init(&container, OBJECT(d), "container", UINT64_MAX);

    assert_string_equal(memory_region_list(&ram).kind, "ram");
    assert_string_equal(memory_region_list(&rom).kind, "rom");
    assert_string_equal(memory_region_list(&romd).kind, "romd");
    assert_string_equal(memory_region_list(&io).kind, "i/o");
    assert_string_equal(memory_region_list(&alias).kind, "alias");
    assert_string_equal(memory_region_list(&container).kind, "container");
    memory_region_rom_device_set_romd(&romd, false);
    assert_string_equal(memory_region_list(&romd).kind, "i/o");
    memory_region_set_readonly(&ram, true);
    assert_string_equal(memory_region_list(&ram).kind, "rom");

    assert_ptr_equal(memory_region_list(&alias).alias, &ram);
    assert_int_equal(memory_region_list(&alias).alias_offset, 0x800);
    assert_null(memory_region_list(&ram).alias);
    assert_true(memory_region_list(&container).size == UINT64_MAX);
    object_unparent(OBJECT(d));
}

static void where_a_region_is_mapped_is_listed(void **state)
{
    FixtureDevice *d = fixture_device_new("dev");
    MemoryRegion io;
    MemoryRegionListing listing;

    (void)state;
    memory_region_init_io(&io, OBJECT(d), &fixture_ops, d, "io", 8);
    memory_region_add_subregion_overlap(get_system_io(), 0x3f8, &io, -3);
    memory_region_set_enabled(&io, false);
    listing = memory_region_list(&io);
    assert_int_equal(listing.addr, 0x3f8);
    assert_int_equal(listing.size, 8);
    assert_int_equal(listing.priority, -3);
    assert_false(listing.enabled);
    object_unparent(OBJECT(d));
}

static void add_name(MemoryRegion *sub, void *opaque)
{
    g_string_append_printf(opaque, "%s ", memory_region_name(sub));
}

static void what_is_mapped_in_a_region_comes_in_order_of_address(void **state)
{
    static const struct {
        const char *name;
        hwaddr addr;
    } cases[] = { { "middle", 0x200 }, { "last", 0x300 }, { "first", 0x100 } };
    FixtureDevice *d = fixture_device_new("dev");
    g_autoptr(GString) names = g_string_new(NULL);
    MemoryRegion io[G_N_ELEMENTS(cases)];

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        memory_region_init_io(&io[i], OBJECT(d), &fixture_ops, d, cases[i].name, 8);
        assert_true(memory_region_add_subregion(get_system_io(), cases[i].addr, &io[i], NULL));
    }
    memory_region_foreach_subregion(get_system_io(), add_name, names);
    assert_string_equal(names->str, "first middle last ");
    memory_region_foreach_subregion(&io[0], add_name, names);
    assert_string_equal(names->str, "first middle last ");
    object_unparent(OBJECT(d));
}

/* ---- Address spaces ---- */

static bool add_section(const MemoryRegionSection *section, void *opaque)
{
    g_string_append_printf(opaque, "%s ", memory_section_kind(section));
    return true;
}

static void a_section_of_a_view_has_the_word_of_its_region(void **state)
{
    FixtureDevice *d = fixture_device_new("dev");
    g_autoptr(GString) kinds = g_string_new(NULL);
    MemoryRegion ram, rom, romd, io, alias;

    (void)state;
    assert_true(memory_region_init_ram(&ram, OBJECT(d), "ram", 0x2000, NULL));
    assert_true(memory_region_init_rom(&rom, OBJECT(d), "rom", 0x1000, NULL));
    assert_true(
        memory_region_init_rom_device(&romd, OBJECT(d), &fixture_ops, d, "flash", 0x1000, NULL));
    memory_region_init_io(&io, OBJECT(d), &fixture_ops, d, "io", 8);
    memory_region_init_alias(&alias, OBJECT(d), "alias", &ram, 0, 0x1000);
    memory_region_set_readonly(&alias, true);
    assert_true(memory_region_add_subregion(get_system_memory(), 0, &ram, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), 0x10000, &rom, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), 0x20000, &romd, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), 0x30000, &io, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), 0x40000, &alias, NULL));
    address_space_foreach(&address_space_memory, add_section, kinds);
    assert_string_equal(kinds->str, "ram rom romd i/o rom ");
    object_unparent(OBJECT(d));
}

static void add_space(AddressSpace *as, void *opaque)
{
    g_string_append_printf(opaque, "%s ", as->name);
}

static void address_spaces_come_in_the_order_in_which_they_were_made(void **state)
{
    g_autoptr(GString) names = g_string_new(NULL);
    AddressSpace dma;

    (void)state;
    address_space_init(&dma, get_system_memory(), "dma");
    address_spaces_foreach(add_space, names);
    assert_string_equal(names->str, "memory I/O dma ");
    address_space_destroy(&dma);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_region_has_a_word),
        cmocka_unit_test(where_a_region_is_mapped_is_listed),
        cmocka_unit_test(what_is_mapped_in_a_region_comes_in_order_of_address),
        cmocka_unit_test(a_section_of_a_view_has_the_word_of_its_region),
        cmocka_unit_test(address_spaces_come_in_the_order_in_which_they_were_made),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
