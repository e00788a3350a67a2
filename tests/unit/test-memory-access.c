/* SPDX-License-Identifier: MIT */
/*
 * Accesses by hand: what valid and impl make of them, byte order, ends of regions, and errors.
 */
#include "tests/unit/memory-fixture.h"

/* ---- By hand ---- */

static void with_region(FixtureDevice **d, MemoryRegion *mr, const MemoryRegionOps *ops,
                        uint64_t size)
{
    *d = fixture_device_new("dev");
    memory_region_init_io(mr, OBJECT(*d), ops, *d, "regs", size);
    assert_true(memory_region_add_subregion(get_system_memory(), 0x1000, mr, NULL));
}

static void an_8_byte_access_becomes_two_calls_of_4(void **state)
{
    static const MemoryRegionOps ops = { .read = fixture_read,
                                         .write = fixture_write,
                                         .valid = { .max_access_size = 8 } };
    FixtureDevice *d;
    MemoryRegion mr;
    uint64_t value;

    (void)state;
    with_region(&d, &mr, &ops, 16);
    assert_int_equal(fixture_store(0x1008, 8, UINT64_C(0x1122334455667788)), MEMTX_OK);
    assert_int_equal(d->writes, 2);
    assert_int_equal(d->last_addr, 12);
    assert_int_equal(d->last_data, 0x11223344);
    assert_int_equal(fixture_load(0x1008, 8, &value), MEMTX_OK);
    assert_int_equal(value, UINT64_C(0x1122334455667788));
    assert_int_equal(d->reads, 2);
    object_unparent(OBJECT(d));
}

static void what_valid_does_not_allow_is_refused(void **state)
{
    static const MemoryRegionOps ops = { .read = fixture_read,
                                         .write = fixture_write,
                                         .valid = { .min_access_size = 2, .max_access_size = 4 } };
    FixtureDevice *d;
    MemoryRegion mr;
    uint64_t value;

    (void)state;
    with_region(&d, &mr, &ops, 16);
    assert_int_equal(fixture_load(0x1000, 1, &value), MEMTX_ACCESS_ERROR);
    assert_int_equal(value, 0xff);
    assert_int_equal(fixture_load(0x1000, 8, &value), MEMTX_ACCESS_ERROR);
    assert_int_equal(value, UINT64_MAX);
    assert_int_equal(fixture_load(0x1001, 2, &value), MEMTX_ACCESS_ERROR);
    assert_int_equal(value, 0xffff);
    assert_int_equal(fixture_store(0x1002, 4, 0), MEMTX_ACCESS_ERROR);
    assert_int_equal(d->reads + d->writes, 0);
    assert_int_equal(fixture_load(0x1002, 2, &value), MEMTX_OK);
    object_unparent(OBJECT(d));
}

static bool accepts_offset_4(void *opaque, hwaddr addr, unsigned size, bool is_write,
                             MemTxAttrs attrs)
{
    (void)opaque;
    (void)attrs;
    return addr == 4 && size == 1 && is_write;
}

static void a_device_may_refuse_by_itself(void **state)
{
    static const MemoryRegionOps ops = { .read = fixture_read,
                                         .write = fixture_write,
                                         .valid = { .accepts = accepts_offset_4 } };
    FixtureDevice *d;
    MemoryRegion mr;
    uint64_t value;

    (void)state;
    with_region(&d, &mr, &ops, 16);
    assert_int_equal(fixture_store(0x1004, 1, 1), MEMTX_OK);
    assert_int_equal(fixture_store(0x1005, 1, 1), MEMTX_ACCESS_ERROR);
    assert_int_equal(fixture_load(0x1004, 1, &value), MEMTX_ACCESS_ERROR);
    assert_int_equal(d->writes, 1);
    object_unparent(OBJECT(d));
}

static void a_narrow_write_hands_zeroes_in_the_other_places(void **state)
{
    static const MemoryRegionOps ops = { .read = fixture_read,
                                         .write = fixture_write,
                                         .impl = { .min_access_size = 4, .max_access_size = 4 } };
    FixtureDevice *d;
    MemoryRegion mr;
    uint64_t value;

    (void)state;
    with_region(&d, &mr, &ops, 16);
    assert_int_equal(fixture_store(0x1006, 1, 0xab), MEMTX_OK);
    assert_int_equal(d->last_addr, 4);
    assert_int_equal(d->last_size, 4);
    assert_int_equal(d->last_data, 0xab0000);
    assert_int_equal(fixture_load(0x1006, 2, &value), MEMTX_OK);
    assert_int_equal(value, 0xab);
    assert_int_equal(d->last_addr, 4);
    object_unparent(OBJECT(d));
}

static void a_big_endian_register_is_swapped(void **state)
{
    static const MemoryRegionOps ops = { .read = fixture_read,
                                         .write = fixture_write,
                                         .endianness = DEVICE_BIG_ENDIAN };
    FixtureDevice *d;
    MemoryRegion mr;
    uint64_t value;

    (void)state;
    with_region(&d, &mr, &ops, 16);
    assert_int_equal(fixture_store(0x1000, 4, 0x11223344), MEMTX_OK);
    assert_int_equal(d->last_data, 0x44332211);
    assert_int_equal(fixture_load(0x1000, 4, &value), MEMTX_OK);
    assert_int_equal(value, 0x11223344);
    object_unparent(OBJECT(d));
}

static MemTxResult failing_read(void *opaque, hwaddr addr, uint64_t *data, unsigned size,
                                MemTxAttrs attrs)
{
    (void)opaque;
    (void)size;
    *data = attrs.requester_id;
    return addr == 4 ? MEMTX_ERROR : MEMTX_OK;
}

static void a_device_may_answer_with_an_error(void **state)
{
    static const MemoryRegionOps ops = { .read_with_attrs = failing_read,
                                         .valid = { .max_access_size = 8 } };
    FixtureDevice *d;
    MemoryRegion mr;
    uint64_t value;

    (void)state;
    with_region(&d, &mr, &ops, 16);
    assert_int_equal(fixture_load(0x1004, 4, &value), MEMTX_ERROR);
    assert_int_equal(value, 0xffffffff);
    assert_int_equal(fixture_load(0x1000, 8, &value), MEMTX_ERROR);
    assert_int_equal(value, UINT64_C(0xffffffff00000000));
    assert_int_equal(address_space_load(&address_space_memory, 0x1000, 4, &value,
                                        (MemTxAttrs){ .requester_id = 7 }),
                     MEMTX_OK);
    assert_int_equal(value, 7);
    /* It has no write: the value goes nowhere. */
    assert_int_equal(fixture_store(0x1000, 4, 1), MEMTX_OK);
    object_unparent(OBJECT(d));
}

static void an_access_across_the_end_of_a_region_is_cut_there(void **state)
{
    FixtureDevice *d;
    MemoryRegion mr, ram;
    uint64_t value;

    (void)state;
    with_region(&d, &mr, &fixture_ops, 2);
    assert_true(memory_region_init_ram(&ram, NULL, "ram", 0x1000, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), 0, &ram, NULL));
    d->bytes[0] = 0xaa;
    d->bytes[1] = 0xbb;
    /* Two bytes of RAM, two of the device. */
    assert_int_equal(fixture_store(0xffe, 2, 0x2211), MEMTX_OK);
    assert_int_equal(fixture_load(0xffe, 4, &value), MEMTX_OK);
    assert_int_equal(value, 0xbbaa2211);
    assert_int_equal(d->reads, 1);
    /* Then two of the device and nothing. */
    assert_int_equal(fixture_load(0x1000, 4, &value), MEMTX_DECODE_ERROR);
    assert_int_equal(value, 0xffffbbaa);
    assert_int_equal(fixture_load(0x1001, 2, &value), MEMTX_DECODE_ERROR);
    assert_int_equal(value, 0xffbb);
    /* And past the end of all that can be addressed. */
    assert_int_equal(fixture_load(UINT64_MAX - 1, 4, &value), MEMTX_DECODE_ERROR);
    assert_int_equal(value, 0xffffffff);
    memory_region_del_subregion(get_system_memory(), &ram);
    object_unref(&ram);
    object_unparent(OBJECT(d));
}

/* ---- Nothing there, buffers, DMA ---- */

typedef struct Heard {
    unsigned n;
    hwaddr addr;
    unsigned size;
    bool is_write;
    uint64_t value;
} Heard;

static void hear(void *opaque, hwaddr addr, unsigned size, bool is_write, uint64_t value,
                 MemTxAttrs attrs)
{
    Heard *h = opaque;

    (void)attrs;
    assert_false(entry_inside(NULL));
    h->n++;
    h->addr = addr;
    h->size = size;
    h->is_write = is_write;
    h->value = value;
}

static void an_access_that_nothing_answers_is_told(void **state)
{
    Heard h = { 0 };
    uint64_t value;

    (void)state;
    address_space_memory.unassigned_opaque = &h;
    address_space_memory.unassigned = hear;
    assert_int_equal(fixture_store(0x9000, 4, 0x12345), MEMTX_DECODE_ERROR);
    assert_true(h.n == 1 && h.addr == 0x9000 && h.size == 4 && h.is_write && h.value == 0x12345);
    assert_int_equal(fixture_load(0x9001, 8, &value), MEMTX_DECODE_ERROR);
    assert_true(h.n == 2 && h.addr == 0x9001 && h.size == 8 && !h.is_write);
    assert_int_equal(value, UINT64_MAX);
    /* A monitor may look without being told on. */
    assert_int_equal(
        address_space_load(&address_space_memory, 0x9000, 4, &value, (MemTxAttrs){ .debug = 1 }),
        MEMTX_DECODE_ERROR);
    assert_int_equal(h.n, 2);
    address_space_memory.unassigned = NULL;
}

static void a_size_that_is_none_is_refused(void **state)
{
    uint64_t value;

    (void)state;
    assert_int_equal(fixture_load(0, 0, &value), MEMTX_ACCESS_ERROR);
    assert_int_equal(fixture_load(0, 9, &value), MEMTX_ACCESS_ERROR);
    assert_int_equal(value, UINT64_MAX);
    assert_int_equal(fixture_store(0, 16, 0), MEMTX_ACCESS_ERROR);
}

static void a_buffer_keeps_its_first_error_and_goes_on(void **state)
{
    MemoryRegion a, b;
    uint8_t buf[0x3000], *ram;

    (void)state;
    assert_true(memory_region_init_ram(&a, NULL, "a", 0x1000, NULL));
    assert_true(memory_region_init_ram(&b, NULL, "b", 0x1000, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), 0, &a, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), 0x2000, &b, NULL));
    memset(buf, 0x11, sizeof(buf));
    assert_int_equal(
        address_space_write(&address_space_memory, 0, (MemTxAttrs){ 0 }, buf, sizeof(buf)),
        MEMTX_DECODE_ERROR);
    ram = memory_region_get_ram_ptr(&b);
    assert_int_equal(ram[0xfff], 0x11);
    memset(buf, 0, sizeof(buf));
    assert_int_equal(
        address_space_read(&address_space_memory, 0, (MemTxAttrs){ 0 }, buf, sizeof(buf)),
        MEMTX_DECODE_ERROR);
    assert_int_equal(buf[0], 0x11);
    assert_int_equal(buf[0x1000], 0xff);
    assert_int_equal(buf[0x1fff], 0xff);
    assert_int_equal(buf[0x2fff], 0x11);
    /* DMA stops there instead. */
    memset(buf, 0, sizeof(buf));
    assert_int_equal(
        dma_memory_read(&address_space_memory, 0, buf, sizeof(buf), MEMTXATTRS_UNSPECIFIED),
        MEMTX_DECODE_ERROR);
    assert_int_equal(buf[0xfff], 0x11);
    assert_int_equal(buf[0x2000], 0);
    assert_int_equal(
        dma_memory_read(&address_space_memory, 0x2000, buf, 0x1000, MEMTXATTRS_UNSPECIFIED),
        MEMTX_OK);
    memory_region_del_subregion(get_system_memory(), &a);
    memory_region_del_subregion(get_system_memory(), &b);
    object_unref(&a);
    object_unref(&b);
}

static void a_buffer_that_wraps_ends_with_an_error(void **state)
{
    uint8_t buf[32];

    (void)state;
    memset(buf, 0, sizeof(buf));
    assert_int_equal(
        address_space_read(&address_space_memory, UINT64_MAX - 15, (MemTxAttrs){ 0 }, buf, 32),
        MEMTX_DECODE_ERROR);
    assert_int_equal(buf[31], 0xff);
    assert_int_equal(
        address_space_write(&address_space_memory, UINT64_MAX - 15, (MemTxAttrs){ 0 }, buf, 32),
        MEMTX_DECODE_ERROR);
}

static void dma_reaches_memory_and_no_device(void **state)
{
    FixtureDevice *d;
    MemoryRegion mr;
    uint32_t word = 0;
    EntryCounts counts;

    (void)state;
    with_region(&d, &mr, &fixture_ops, 16);
    assert_int_equal(
        dma_memory_write(&address_space_memory, 0x1000, &word, 4, MEMTXATTRS_UNSPECIFIED),
        MEMTX_ACCESS_ERROR);
    assert_int_equal(
        dma_memory_read(&address_space_memory, 0x1000, &word, 4, MEMTXATTRS_UNSPECIFIED),
        MEMTX_ACCESS_ERROR);
    assert_int_equal(d->reads + d->writes, 0);
    memory_region_set_allow_dma(&mr, true);
    word = 0x01020304;
    assert_int_equal(
        dma_memory_write(&address_space_memory, 0x1000, &word, 4, MEMTXATTRS_UNSPECIFIED),
        MEMTX_OK);
    assert_int_equal(d->writes, 1);
    assert_int_equal(d->last_data, 0x01020304);
    entry_guard_counts(&d->guard, &counts);
    assert_int_equal(counts.writes, 1);
    object_unparent(OBJECT(d));
}

static void an_observed_access_tells_what_happened(void **state)
{
    FixtureDevice *d;
    MemoryRegion mr;
    MemoryAccess what = { .addr = 0x1004, .size = 2, .value = 0x1234, .is_write = true };

    (void)state;
    with_region(&d, &mr, &fixture_ops, 16);
    assert_int_equal(address_space_access_observed(&address_space_memory, &what, (MemTxAttrs){ 0 }),
                     MEMTX_OK);
    assert_ptr_equal(what.mr, &mr);
    assert_ptr_equal(what.as, &address_space_memory);
    assert_int_equal(d->writes, 1);
    what.is_write = false;
    what.value = 0;
    assert_int_equal(address_space_access_observed(&address_space_memory, &what, (MemTxAttrs){ 0 }),
                     MEMTX_OK);
    assert_int_equal(what.value, 0x1234);
    what.addr = 0x5000;
    assert_int_equal(address_space_access_observed(&address_space_memory, &what, (MemTxAttrs){ 0 }),
                     MEMTX_DECODE_ERROR);
    assert_null(what.mr);
    assert_int_equal(what.result, MEMTX_DECODE_ERROR);
    assert_int_equal(what.value, 0xffff);
    object_unparent(OBJECT(d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_8_byte_access_becomes_two_calls_of_4),
        cmocka_unit_test(what_valid_does_not_allow_is_refused),
        cmocka_unit_test(a_device_may_refuse_by_itself),
        cmocka_unit_test(a_narrow_write_hands_zeroes_in_the_other_places),
        cmocka_unit_test(a_big_endian_register_is_swapped),
        cmocka_unit_test(a_device_may_answer_with_an_error),
        cmocka_unit_test(an_access_across_the_end_of_a_region_is_cut_there),
        cmocka_unit_test(an_access_that_nothing_answers_is_told),
        cmocka_unit_test(a_size_that_is_none_is_refused),
        cmocka_unit_test(a_buffer_keeps_its_first_error_and_goes_on),
        cmocka_unit_test(a_buffer_that_wraps_ends_with_an_error),
        cmocka_unit_test(dma_reaches_memory_and_no_device),
        cmocka_unit_test(an_observed_access_tells_what_happened),
    };

    return cmocka_run_group_tests_name("memory-access", tests, fixture_setup, fixture_teardown);
}
