/* SPDX-License-Identifier: MIT */
/*
 * Walks through page tables that are made by hand, bit for bit as in the SDM, vol. 3, chapter 4:
 * what is found, what the entries allow, and which entry ends a walk.
 */
#include <inttypes.h>
#include <string.h>
#include <qomet/accel/x86-walk.h>
#include "accel/x86-bits.h"
#include "tests/unit/ram-fixture.h"

#define ROM_BASE 0xf0000000
#define ROM_BYTES 0x1000

#define P X86_PTE_P
#define RW X86_PTE_W
#define US X86_PTE_U
#define PS X86_PTE_PS
#define NX X86_PTE_NX

static MemoryRegion rom, device;
static X86Registers regs;
static X86Walk walk;
static unsigned device_accesses;

static uint64_t device_read(void *opaque, hwaddr addr, unsigned size)
{
    (void)opaque;
    (void)addr;
    (void)size;
    device_accesses++;
    return P;
}

static const MemoryRegionOps device_ops = { .read = device_read };

static int setup(void **state)
{
    GError *error = NULL;

    if (ram_setup(state) != 0) {
        return -1;
    }
    memory_region_init_io(&device, object_get_root(), &device_ops, NULL, "device", 0x1000);
    if (!memory_region_init_rom(&rom, object_get_root(), "rom", ROM_BYTES, &error) ||
        !memory_region_add_subregion(get_system_memory(), ROM_BASE, &rom, &error) ||
        !memory_region_add_subregion(get_system_memory(), RAM_BYTES, &device, &error)) {
        return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    object_unparent(OBJECT(&rom));
    object_unparent(OBJECT(&device));
    return ram_teardown(state);
}

/* Power-on registers and empty memory. */
static int fresh(void **state)
{
    (void)state;
    x86_registers_reset(&regs);
    ram_clear();
    return 0;
}

static void assert_maps(uint64_t linear, hwaddr gpa, uint64_t page_size)
{
    if (!x86_walk(&regs, &address_space_memory, linear, &walk)) {
        fail_msg("0x%" PRIx64 ": %s at %s", linear, walk.fault,
                 walk.n_steps ? walk.steps[walk.n_steps - 1].level : "no level");
    }
    assert_true(walk.mapped);
    assert_null(walk.fault);
    assert_int_equal(walk.gpa, gpa);
    assert_int_equal(walk.page_size, page_size);
}

/* The walk ends at the entry @entry_addr of a table of @level. */
static void assert_ends(uint64_t linear, const char *level, hwaddr entry_addr, const char *fault)
{
    const X86WalkStep *last;

    assert_false(x86_walk(&regs, &address_space_memory, linear, &walk));
    assert_false(walk.mapped);
    assert_string_equal(walk.fault, fault);
    assert_true(walk.n_steps > 0);
    last = &walk.steps[walk.n_steps - 1];
    assert_string_equal(last->level, level);
    assert_int_equal(last->entry_addr, entry_addr);
}

static void assert_rights(bool writable, bool user, bool no_execute)
{
    assert_int_equal(walk.writable, writable);
    assert_int_equal(walk.user, user);
    assert_int_equal(walk.no_execute, no_execute);
}

/* A PML4 at 0x1000, then tables at 0x2000, 0x3000 and 0x4000, each found in entry 0. */
static void four_levels(void)
{
    regs.cr0 |= X86_CR0_PE | X86_CR0_PG;
    regs.cr4 = X86_CR4_PAE;
    regs.efer = X86_EFER_LME | X86_EFER_LMA;
    regs.cr3 = 0x1000;
    poke8(0x1000, 0x2000 | P | RW | US);
    poke8(0x2000, 0x3000 | P | RW | US);
    poke8(0x3000, 0x4000 | P | RW | US);
}

/* ---- No paging ---- */

static void without_paging_an_address_is_itself(void **state)
{
    (void)state;
    assert_maps(0x12345678, 0x12345678, 4096);
    assert_int_equal(walk.n_steps, 0);
    assert_rights(true, true, false);
    regs.cr0 |= X86_CR0_PE;
    assert_maps(0xfedcba98, 0xfedcba98, 4096);
    assert_maps(UINT64_C(0x100000004), 4, 4096);
    /* PG alone is no state that a processor can be in. */
    regs.cr0 = X86_CR0_PG;
    assert_maps(0x1234, 0x1234, 4096);
}

/* ---- 32-bit paging ---- */

static void pages_of_32_bit_paging_are_found(void **state)
{
    (void)state;
    regs.cr0 |= X86_CR0_PE | X86_CR0_PG;
    regs.cr3 = 0x1018; /* with cache bits */
    poke(0x1000 + 4 * 1, 0x2000 | P | RW | US, 4);
    poke(0x2000 + 4 * 2, 0x55000 | P | RW, 4);
    assert_maps(0x00402abc, 0x55abc, 4096);
    assert_rights(true, false, false);
    assert_int_equal(walk.n_steps, 2);
    assert_string_equal(walk.steps[0].level, "PDE");
    assert_int_equal(walk.steps[0].index, 1);
    assert_int_equal(walk.steps[0].entry_addr, 0x1004);
    assert_int_equal(walk.steps[0].entry, 0x2000 | P | RW | US);
    assert_string_equal(walk.steps[1].level, "PTE");
    assert_int_equal(walk.steps[1].index, 2);
    assert_int_equal(walk.steps[1].entry_addr, 0x2008);
    assert_ends(0x00403000, "PTE", 0x200c, "not present");
    assert_ends(0x00800000, "PDE", 0x1008, "not present");
    /* The upper half of an address does not count. */
    assert_maps(UINT64_C(0x5500402abc), 0x55abc, 4096);
}

static void a_page_of_4_MiB_needs_PSE(void **state)
{
    (void)state;
    regs.cr0 |= X86_CR0_PE | X86_CR0_PG;
    regs.cr3 = 0x1000;
    poke(0x1000 + 4 * 3, 0xc00000 | P | RW | PS, 4);
    assert_ends(0x00c12345, "PTE", 0xc00000 + 4 * 0x12, "outside RAM");
    regs.cr4 |= X86_CR4_PSE;
    assert_maps(0x00c12345, 0xc12345, 4 << 20);
    assert_int_equal(walk.n_steps, 1);
    /* Bits 20 to 13 are bits 39 to 32 of the address; bit 21 is reserved. */
    poke(0x1000 + 4 * 3, 0xc00000 | P | PS | 0x1fe000, 4);
    assert_maps(0x00c12345, UINT64_C(0xff00c12345), 4 << 20);
    poke(0x1000 + 4 * 3, 0xc00000 | P | PS | 1 << 21, 4);
    assert_ends(0x00c12345, "PDE", 0x100c, "reserved bit set");
}

/* ---- PAE ---- */

static void pae(void)
{
    regs.cr0 |= X86_CR0_PE | X86_CR0_PG;
    regs.cr4 |= X86_CR4_PAE;
    regs.cr3 = 0x1020;
    poke8(0x1020 + 8 * 3, 0x2000 | P);
    poke8(0x2000 + 8 * 1, 0x3000 | P | RW | US);
    poke8(0x3000 + 8 * 5, 0x777000 | P | RW | US);
}

static void pages_of_PAE_paging_are_found(void **state)
{
    (void)state;
    pae();
    poke8(0x2000 + 8 * 2, UINT64_C(0xf40000000) | P | PS);
    assert_maps(0xc0205123, 0x777123, 4096);
    assert_int_equal(walk.n_steps, 3);
    assert_string_equal(walk.steps[0].level, "PDPTE");
    assert_int_equal(walk.steps[0].index, 3);
    /* The first table has no rights to give or take. */
    assert_rights(true, true, false);
    assert_maps(0xc0412345, UINT64_C(0xf40012345), 2 << 20);
    assert_rights(false, false, false);
    assert_ends(0x00001000, "PDPTE", 0x1020, "not present");
}

static void reserved_bits_of_PAE_paging_end_a_walk(void **state)
{
    static const uint8_t of_pdpte[] = { 1, 2, 5, 6, 7, 8, 52, 63 };

    (void)state;
    pae();
    for (unsigned i = 0; i < G_N_ELEMENTS(of_pdpte); i++) {
        poke8(0x1020 + 8 * 3, 0x2000 | P | UINT64_C(1) << of_pdpte[i]);
        assert_ends(0xc0205123, "PDPTE", 0x1038, "reserved bit set");
    }
    pae();
    for (unsigned bit = 52; bit <= 63; bit++) {
        poke8(0x3000 + 8 * 5, 0x777000 | P | UINT64_C(1) << bit);
        assert_ends(0xc0205123, "PTE", 0x3028, "reserved bit set");
        poke8(0x2000 + 8 * 1, 0x3000 | P | UINT64_C(1) << bit);
        assert_ends(0xc0205123, "PDE", 0x2008, "reserved bit set");
        pae();
    }
    poke8(0x2000 + 8 * 2, 0x40000000 | P | PS | 1 << 13);
    assert_ends(0xc0412345, "PDE", 0x2010, "reserved bit set");
    /* With NXE, bit 63 says that nothing is executed there. */
    regs.efer = X86_EFER_NXE;
    poke8(0x3000 + 8 * 5, 0x777000 | P | NX);
    assert_maps(0xc0205123, 0x777123, 4096);
    assert_rights(false, false, true);
}

/* ---- 4 and 5 levels ---- */

static void pages_of_every_size_of_4_level_paging_are_found(void **state)
{
    static const char *const names[] = { "PML4E", "PDPTE", "PDE", "PTE" };

    (void)state;
    four_levels();
    poke8(0x4000 + 8 * 7, UINT64_C(0xabcde000) | P);
    poke8(0x3000 + 8 * 1, 0x800000 | P | PS);
    poke8(0x2000 + 8 * 1, UINT64_C(0x80000000) | P | PS);
    assert_maps(0x7123, UINT64_C(0xabcde123), 4096);
    assert_int_equal(walk.n_steps, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_string_equal(walk.steps[i].level, names[i]);
        assert_int_equal(walk.steps[i].index, i < 3 ? 0 : 7);
        assert_int_equal(walk.steps[i].entry_addr, 0x1000 * (i + 1) + (i < 3 ? 0 : 56));
    }
    assert_maps(0x200000 + 0x12345, 0x812345, 2 << 20);
    assert_maps(0x40000000 + 0x1234567, UINT64_C(0x81234567), 1 << 30);
    /* The upper half. */
    poke8(0x1000 + 8 * 511, 0x2000 | P);
    assert_maps(UINT64_C(0xffffff8000007123), UINT64_C(0xabcde123), 4096);
}

static void rights_are_what_every_level_allows(void **state)
{
    (void)state;
    four_levels();
    regs.efer |= X86_EFER_NXE;
    poke8(0x4000, 0x5000 | P | RW | US);
    assert_maps(0, 0x5000, 4096);
    assert_rights(true, true, false);
    poke8(0x3000, 0x4000 | P | US | NX);
    assert_maps(0, 0x5000, 4096);
    assert_rights(false, true, true);
    poke8(0x1000, 0x2000 | P | RW);
    assert_maps(0, 0x5000, 4096);
    assert_rights(false, false, true);
}

static void reserved_bits_of_4_level_paging_end_a_walk(void **state)
{
    (void)state;
    four_levels();
    /* A page of 512 GiB is none. */
    poke8(0x1000, 0x2000 | P | PS);
    assert_ends(0x5000, "PML4E", 0x1000, "reserved bit set");
    four_levels();
    poke8(0x2000, 0x40000000 | P | PS | 1 << 29);
    assert_ends(0x5000, "PDPTE", 0x2000, "reserved bit set");
    four_levels();
    poke8(0x3000, 0x200000 | P | PS | 1 << 20);
    assert_ends(0x5000, "PDE", 0x3000, "reserved bit set");
    /* Bit 12 of a large page is a matter of caching, and bits 62 to 52 are the guest's. */
    poke8(0x3000, 0x200000 | P | PS | 1 << 12 | UINT64_C(0x7ff) << 52);
    assert_maps(0x5000, 0x205000, 2 << 20);
    four_levels();
    poke8(0x4028, 0x5000 | P | NX);
    assert_ends(0x5000, "PTE", 0x4028, "reserved bit set");
    regs.efer |= X86_EFER_NXE;
    assert_maps(0x5000, 0x5000, 4096);
}

static void an_address_that_is_not_canonical_is_not_walked(void **state)
{
    static const uint64_t bad[] = { UINT64_C(1) << 47, UINT64_C(0x0000900000000000),
                                    UINT64_C(0xffff7fffffffffff), UINT64_C(1) << 63 };

    (void)state;
    four_levels();
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        assert_false(x86_walk(&regs, &address_space_memory, bad[i], &walk));
        assert_string_equal(walk.fault, "not canonical");
        assert_int_equal(walk.n_steps, 0);
    }
}

static void five_levels_reach_further(void **state)
{
    (void)state;
    four_levels();
    regs.cr4 |= X86_CR4_LA57;
    regs.cr3 = 0x5000;
    poke8(0x5000 + 8 * 1, 0x1000 | P);
    poke8(0x4000, 0x9000 | P);
    assert_maps(UINT64_C(1) << 48, 0x9000, 4096);
    assert_int_equal(walk.n_steps, 5);
    assert_string_equal(walk.steps[0].level, "PML5E");
    assert_false(x86_walk(&regs, &address_space_memory, UINT64_C(1) << 57, &walk));
    assert_string_equal(walk.fault, "not canonical");
}

/* ---- Where tables may be ---- */

static void tables_outside_RAM_are_told_and_no_device_is_asked(void **state)
{
    (void)state;
    four_levels();
    assert_ends(0x5000, "PTE", 0x4028, "not present");
    poke8(0x3000, UINT64_C(0x000ffffffffff000) | P);
    assert_ends(0x5000, "PTE", UINT64_C(0x000ffffffffff028), "outside RAM");
    poke8(0x2000, RAM_BYTES | P);
    assert_ends(0x5000, "PDE", RAM_BYTES, "outside RAM");
    assert_int_equal(device_accesses, 0);
    regs.cr3 = UINT64_MAX;
    assert_ends(0x5000, "PML4E", UINT64_C(0x000ffffffffff000), "outside RAM");
}

static void tables_in_ROM_are_read(void **state)
{
    uint64_t entry = 0x5000 | P;

    (void)state;
    four_levels();
    poke8(0x3000, UINT64_C(0xf0000000) | P);
    memcpy(memory_region_get_ram_ptr(&rom), &entry, 8);
    assert_maps(0x123, 0x5123, 4096);
}

static void a_table_that_points_to_itself_is_walked_once(void **state)
{
    (void)state;
    four_levels();
    poke8(0x1000, 0x1000 | P);
    assert_maps(0x123, 0x1123, 4096);
    assert_int_equal(walk.n_steps, 4);
}

#define test(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(without_paging_an_address_is_itself),
        test(pages_of_32_bit_paging_are_found),
        test(a_page_of_4_MiB_needs_PSE),
        test(pages_of_PAE_paging_are_found),
        test(reserved_bits_of_PAE_paging_end_a_walk),
        test(pages_of_every_size_of_4_level_paging_are_found),
        test(rights_are_what_every_level_allows),
        test(reserved_bits_of_4_level_paging_end_a_walk),
        test(an_address_that_is_not_canonical_is_not_walked),
        test(five_levels_reach_further),
        test(tables_outside_RAM_are_told_and_no_device_is_asked),
        test(tables_in_ROM_are_read),
        test(a_table_that_points_to_itself_is_walked_once),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
