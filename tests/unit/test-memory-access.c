/* SPDX-License-Identifier: MIT */
/*
 * Accesses: what valid and impl make of them, byte order, ends of regions, and errors. A reference
 * that knows memory only byte by byte is compared with random accesses to random layouts, the same
 * at every run.
 */
#include "tests/unit/memory-fixture.h"

static const MemTxAttrs plain_attrs;

static MemTxResult load(hwaddr addr, unsigned size, uint64_t *value)
{
    *value = 0x5555555555555555;
    return address_space_load(&address_space_memory, addr, size, value, plain_attrs);
}

static MemTxResult store(hwaddr addr, unsigned size, uint64_t value)
{
    return address_space_store(&address_space_memory, addr, size, value, plain_attrs);
}

/* ---- The reference ---- */

#define SPACE 256
#define N_REGIONS 6

/* A device that is an array of bytes, and checks how it is called. */
typedef struct ByteDevice {
    MemoryRegionOps ops;
    MemoryRegion mr;
    uint64_t size;
    uint8_t bytes[64];
    unsigned touched[64]; /* by calls since the access began */
    unsigned calls;
} ByteDevice;

typedef struct World {
    ByteDevice devices[N_REGIONS];
    MemoryRegion ram, rom;
    uint8_t ram_bytes[64], rom_bytes[64];
} World;

static unsigned or_else(unsigned value, unsigned other)
{
    return value ? value : other;
}

static void check_call(ByteDevice *d, hwaddr addr, unsigned size)
{
    const unsigned min = or_else(d->ops.impl.min_access_size, 1),
                   max = or_else(d->ops.impl.max_access_size, 4);

    assert_true(size && size >= min && size <= max && (size & (size - 1)) == 0);
    assert_true(d->ops.impl.unaligned || (addr & (size - 1)) == 0);
    assert_true(addr < d->size && size <= d->size - addr);
    d->calls++;
    for (unsigned i = 0; i < size; i++) {
        d->touched[addr + i]++;
    }
}

static uint64_t byte_read(void *opaque, hwaddr addr, unsigned size)
{
    ByteDevice *d = opaque;
    uint64_t value = 0;

    check_call(d, addr, size);
    for (unsigned i = 0; i < size; i++) {
        const unsigned place = d->ops.endianness == DEVICE_BIG_ENDIAN ? size - 1 - i : i;

        value |= (uint64_t)d->bytes[addr + i] << (8 * place);
    }
    /* A device may leave anything above what was asked for. */
    return size < 8 ? value | UINT64_C(0xab) << (8 * size) : value;
}

static void byte_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    ByteDevice *d = opaque;

    check_call(d, addr, size);
    assert_true(size == 8 || data >> (8 * size) == 0);
    for (unsigned i = 0; i < size; i++) {
        const unsigned place = d->ops.endianness == DEVICE_BIG_ENDIAN ? size - 1 - i : i;

        d->bytes[addr + i] = (uint8_t)(data >> (8 * place));
    }
}

static MemTxResult byte_read_with_attrs(void *opaque, hwaddr addr, uint64_t *data, unsigned size,
                                        MemTxAttrs attrs)
{
    (void)attrs;
    *data = byte_read(opaque, addr, size);
    return MEMTX_OK;
}

static MemTxResult byte_write_with_attrs(void *opaque, hwaddr addr, uint64_t data, unsigned size,
                                         MemTxAttrs attrs)
{
    (void)attrs;
    byte_write(opaque, addr, data, size);
    return MEMTX_OK;
}

static void random_sizes(unsigned *min, unsigned *max, bool *unaligned, uint64_t *seed)
{
    const unsigned low = (unsigned)(fixture_random(seed) % 4);
    const unsigned high = low + (unsigned)(fixture_random(seed) % (4 - low));

    *min = 1u << low;
    *max = 1u << high;
    *unaligned = fixture_random(seed) % 3 == 0;
    if (fixture_random(seed) % 4 == 0) {
        *min = *max = 0;
    }
}

static void make_world(World *w, uint64_t *seed)
{
    memset(w, 0, sizeof(*w));
    memory_region_transaction_begin();
    for (int i = 0; i < N_REGIONS; i++) {
        ByteDevice *d = &w->devices[i];

        random_sizes(&d->ops.valid.min_access_size, &d->ops.valid.max_access_size,
                     &d->ops.valid.unaligned, seed);
        random_sizes(&d->ops.impl.min_access_size, &d->ops.impl.max_access_size,
                     &d->ops.impl.unaligned, seed);
        d->ops.endianness = fixture_random(seed) % 2 ? DEVICE_BIG_ENDIAN : DEVICE_LITTLE_ENDIAN;
        if (fixture_random(seed) % 2) {
            d->ops.read = byte_read;
            d->ops.write = byte_write;
        } else {
            d->ops.read_with_attrs = byte_read_with_attrs;
            d->ops.write_with_attrs = byte_write_with_attrs;
        }
        d->size = 1 + fixture_random(seed) % 40;
        for (int k = 0; k < 64; k++) {
            d->bytes[k] = (uint8_t)fixture_random(seed);
        }
        memory_region_init_io(&d->mr, NULL, &d->ops, d, "bytes", d->size);
        memory_region_add_subregion_overlap(get_system_memory(), fixture_random(seed) % SPACE,
                                            &d->mr, (int)(fixture_random(seed) % 3));
    }
    memory_region_init_ram_ptr(&w->ram, NULL, "ram", 64, w->ram_bytes);
    memory_region_init_ram_ptr(&w->rom, NULL, "rom", 64, w->rom_bytes);
    memory_region_set_readonly(&w->rom, true);
    memory_region_add_subregion_overlap(get_system_memory(), fixture_random(seed) % SPACE, &w->ram,
                                        1);
    memory_region_add_subregion_overlap(get_system_memory(), fixture_random(seed) % SPACE, &w->rom,
                                        1);
    memory_region_transaction_commit();
}

static void drop_world(World *w)
{
    memory_region_transaction_begin();
    for (int i = 0; i < N_REGIONS; i++) {
        memory_region_del_subregion(get_system_memory(), &w->devices[i].mr);
    }
    memory_region_del_subregion(get_system_memory(), &w->ram);
    memory_region_del_subregion(get_system_memory(), &w->rom);
    memory_region_transaction_commit();
    for (int i = 0; i < N_REGIONS; i++) {
        object_unref(&w->devices[i].mr);
    }
    object_unref(&w->ram);
    object_unref(&w->rom);
}

/* Where the byte at an address is. */
typedef struct Byte {
    MemoryRegion *mr;
    uint64_t offset;
    uint64_t left; /* bytes to the end of what is seen here, this one included */
    ByteDevice *d;
    uint8_t *byte;
} Byte;

static Byte byte_at(World *w, hwaddr addr)
{
    const MemoryRegionSection s = address_space_find(&address_space_memory, addr);
    Byte b = { s.mr, s.offset_within_region, s.size, NULL, NULL };

    object_unref(s.mr);
    for (int i = 0; i < N_REGIONS; i++) {
        if (s.mr == &w->devices[i].mr) {
            b.d = &w->devices[i];
            b.byte = &b.d->bytes[b.offset];
        }
    }
    if (s.mr == &w->ram) {
        b.byte = &w->ram_bytes[b.offset];
    } else if (s.mr == &w->rom) {
        b.byte = &w->rom_bytes[b.offset];
    }
    return b;
}

static bool device_takes(const ByteDevice *d, uint64_t offset, unsigned size)
{
    return size >= or_else(d->ops.valid.min_access_size, 1) &&
           size <= or_else(d->ops.valid.max_access_size, 8) &&
           (d->ops.valid.unaligned || offset % size == 0);
}

/*
 * Whether the call that reaches a byte of a piece lies in the region: one of the piece's own, or of
 * a whole unit.
 */
static bool call_fits(const ByteDevice *d, uint64_t offset, unsigned piece)
{
    const unsigned min = or_else(d->ops.impl.min_access_size, 1);

    return (d->ops.impl.unaligned && piece >= min) || offset / min * min + min <= d->size;
}

/*
 * What becomes of a byte of an access: 0 when it is refused, else the number of the piece that does
 * it, from 1.
 */
typedef unsigned Done[8];

/*
 * Says so for each byte of an access. A whole access to one device is taken or not; one that is cut
 * (an odd size, more than one range, or a buffer) is taken by the largest aligned pieces.
 */
static void what_is_done(World *w, hwaddr addr, unsigned size, bool write, bool buffer, Done done)
{
    unsigned number = 0;

    for (unsigned i = 0; i < size;) {
        const Byte b = byte_at(w, addr + i);
        const unsigned left = (unsigned)MIN(size - i, b.left);
        unsigned piece = 1;
        bool ok = b.mr && !(write && b.mr == &w->rom);

        if (b.d) {
            const bool whole = !buffer && i == 0 && left == size && (size & (size - 1)) == 0;
            const unsigned max = or_else(b.d->ops.valid.max_access_size, 8);

            piece = whole ? size : 8;
            while (!whole && (piece > left || piece > max ||
                              (!b.d->ops.valid.unaligned && b.offset % piece))) {
                piece /= 2;
            }
            ok = device_takes(b.d, b.offset, piece);
        }
        for (unsigned k = 0; k < piece; k++) {
            done[i + k] = ok && (!b.d || call_fits(b.d, b.offset + k, piece)) ? number + 1 : 0;
        }
        number++;
        i += piece;
    }
}

static void forget_calls(World *w)
{
    for (int i = 0; i < N_REGIONS; i++) {
        memset(w->devices[i].touched, 0, sizeof(w->devices[i].touched));
        w->devices[i].calls = 0;
    }
}

/* No byte is touched twice, but as part of a unit that is larger than what was asked for. */
static void check_touched(World *w)
{
    for (int i = 0; i < N_REGIONS; i++) {
        const ByteDevice *d = &w->devices[i];

        for (unsigned k = 0; k < d->size; k++) {
            assert_true(d->touched[k] <= 1 || d->ops.impl.min_access_size > 1);
        }
    }
}

static void random_read(World *w, hwaddr addr, unsigned size, bool buffer)
{
    bool all = true;
    Done done;
    uint8_t bytes[8];
    uint64_t value;
    MemTxResult result;

    what_is_done(w, addr, size, false, buffer, done);
    forget_calls(w);
    if (buffer) {
        memset(bytes, 0x5a, sizeof(bytes));
        result = address_space_read(&address_space_memory, addr, plain_attrs, bytes, size);
    } else {
        result = load(addr, size, &value);
        memcpy(bytes, &value, sizeof(bytes));
        assert_true(size == 8 || value >> (8 * size) == 0);
    }
    check_touched(w);
    for (unsigned i = 0; i < size; i++) {
        assert_int_equal(bytes[i], done[i] ? *byte_at(w, addr + i).byte : 0xff);
        all = all && done[i];
    }
    assert_int_equal(result == MEMTX_OK, all);
}

/* Whether a piece after number @after (0: any) writes to the unit of impl that @b is in. */
static bool unit_is_written(World *w, hwaddr addr, unsigned size, const Done done, unsigned after,
                            const Byte *b)
{
    const unsigned min = or_else(b->d->ops.impl.min_access_size, 1);

    for (unsigned i = 0; i < size; i++) {
        const Byte o = byte_at(w, addr + i);

        if (done[i] > after && o.d == b->d && o.offset / min == b->offset / min) {
            return true;
        }
    }
    return false;
}

static void random_write(World *w, hwaddr addr, unsigned size, bool buffer, uint64_t value)
{
    bool all = true;
    World before;
    Done done;
    MemTxResult result;

    memcpy(&before, w, sizeof(before));
    what_is_done(w, addr, size, true, buffer, done);
    forget_calls(w);
    result = buffer ? address_space_write(&address_space_memory, addr, plain_attrs, &value, size)
                    : store(addr, size, value);
    check_touched(w);
    for (hwaddr a = 0; a < SPACE + 64; a++) {
        const Byte b = byte_at(w, a);
        unsigned piece = 0;
        uint8_t expected;

        if (!b.mr) {
            continue;
        }
        expected = *(uint8_t *)((char *)&before + ((char *)b.byte - (char *)w));
        if (a >= addr && a < addr + size && done[a - addr]) {
            expected = (uint8_t)(value >> (8 * (a - addr)));
            piece = done[a - addr];
        }
        /* In the unit of a later piece, and not part of that: zero. */
        assert_true(*b.byte == expected ||
                    (*b.byte == 0 && b.d && unit_is_written(w, addr, size, done, piece, &b)));
    }
    for (unsigned i = 0; i < size; i++) {
        all = all && done[i];
    }
    assert_int_equal(result == MEMTX_OK, all);
}

static void every_access_is_what_its_bytes_are(void **state)
{
    uint64_t seed = 4711;
    World *w = g_new(World, 1);

    (void)state;
    for (unsigned i = 0; i < fixture_count(200); i++) {
        make_world(w, &seed);
        for (int k = 0; k < 100; k++) {
            const hwaddr addr = fixture_random(&seed) % (SPACE + 8);
            const bool buffer = fixture_random(&seed) % 4 == 0;
            /*
             * The kernel cuts what crosses a page, so that odd sizes come out of a guest as well.
             */
            const unsigned size = fixture_random(&seed) % 4
                                      ? 1u << fixture_random(&seed) % 4
                                      : 1 + (unsigned)(fixture_random(&seed) % 8);

            if (fixture_random(&seed) % 2) {
                random_read(w, addr, size, buffer);
            } else {
                random_write(w, addr, size, buffer, fixture_random(&seed));
            }
        }
        drop_world(w);
    }
    g_free(w);
}

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
    assert_int_equal(store(0x1008, 8, UINT64_C(0x1122334455667788)), MEMTX_OK);
    assert_int_equal(d->writes, 2);
    assert_int_equal(d->last_addr, 12);
    assert_int_equal(d->last_data, 0x11223344);
    assert_int_equal(load(0x1008, 8, &value), MEMTX_OK);
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
    assert_int_equal(load(0x1000, 1, &value), MEMTX_ACCESS_ERROR);
    assert_int_equal(value, 0xff);
    assert_int_equal(load(0x1000, 8, &value), MEMTX_ACCESS_ERROR);
    assert_int_equal(value, UINT64_MAX);
    assert_int_equal(load(0x1001, 2, &value), MEMTX_ACCESS_ERROR);
    assert_int_equal(value, 0xffff);
    assert_int_equal(store(0x1002, 4, 0), MEMTX_ACCESS_ERROR);
    assert_int_equal(d->reads + d->writes, 0);
    assert_int_equal(load(0x1002, 2, &value), MEMTX_OK);
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
    assert_int_equal(store(0x1004, 1, 1), MEMTX_OK);
    assert_int_equal(store(0x1005, 1, 1), MEMTX_ACCESS_ERROR);
    assert_int_equal(load(0x1004, 1, &value), MEMTX_ACCESS_ERROR);
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
    assert_int_equal(store(0x1006, 1, 0xab), MEMTX_OK);
    assert_int_equal(d->last_addr, 4);
    assert_int_equal(d->last_size, 4);
    assert_int_equal(d->last_data, 0xab0000);
    assert_int_equal(load(0x1006, 2, &value), MEMTX_OK);
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
    assert_int_equal(store(0x1000, 4, 0x11223344), MEMTX_OK);
    assert_int_equal(d->last_data, 0x44332211);
    assert_int_equal(load(0x1000, 4, &value), MEMTX_OK);
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
    assert_int_equal(load(0x1004, 4, &value), MEMTX_ERROR);
    assert_int_equal(value, 0xffffffff);
    assert_int_equal(load(0x1000, 8, &value), MEMTX_ERROR);
    assert_int_equal(value, UINT64_C(0xffffffff00000000));
    assert_int_equal(address_space_load(&address_space_memory, 0x1000, 4, &value,
                                        (MemTxAttrs){ .requester_id = 7 }),
                     MEMTX_OK);
    assert_int_equal(value, 7);
    /* It has no write: the value goes nowhere. */
    assert_int_equal(store(0x1000, 4, 1), MEMTX_OK);
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
    assert_int_equal(store(0xffe, 2, 0x2211), MEMTX_OK);
    assert_int_equal(load(0xffe, 4, &value), MEMTX_OK);
    assert_int_equal(value, 0xbbaa2211);
    assert_int_equal(d->reads, 1);
    /* Then two of the device and nothing. */
    assert_int_equal(load(0x1000, 4, &value), MEMTX_DECODE_ERROR);
    assert_int_equal(value, 0xffffbbaa);
    assert_int_equal(load(0x1001, 2, &value), MEMTX_DECODE_ERROR);
    assert_int_equal(value, 0xffbb);
    /* And past the end of all that can be addressed. */
    assert_int_equal(load(UINT64_MAX - 1, 4, &value), MEMTX_DECODE_ERROR);
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
    assert_int_equal(store(0x9000, 4, 0x12345), MEMTX_DECODE_ERROR);
    assert_true(h.n == 1 && h.addr == 0x9000 && h.size == 4 && h.is_write && h.value == 0x12345);
    assert_int_equal(load(0x9001, 8, &value), MEMTX_DECODE_ERROR);
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
    assert_int_equal(load(0, 0, &value), MEMTX_ACCESS_ERROR);
    assert_int_equal(load(0, 9, &value), MEMTX_ACCESS_ERROR);
    assert_int_equal(value, UINT64_MAX);
    assert_int_equal(store(0, 16, 0), MEMTX_ACCESS_ERROR);
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
    assert_int_equal(address_space_write(&address_space_memory, 0, plain_attrs, buf, sizeof(buf)),
                     MEMTX_DECODE_ERROR);
    ram = memory_region_get_ram_ptr(&b);
    assert_int_equal(ram[0xfff], 0x11);
    memset(buf, 0, sizeof(buf));
    assert_int_equal(address_space_read(&address_space_memory, 0, plain_attrs, buf, sizeof(buf)),
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
        address_space_read(&address_space_memory, UINT64_MAX - 15, plain_attrs, buf, 32),
        MEMTX_DECODE_ERROR);
    assert_int_equal(buf[31], 0xff);
    assert_int_equal(
        address_space_write(&address_space_memory, UINT64_MAX - 15, plain_attrs, buf, 32),
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
    assert_int_equal(address_space_access_observed(&address_space_memory, &what, plain_attrs),
                     MEMTX_OK);
    assert_ptr_equal(what.mr, &mr);
    assert_ptr_equal(what.as, &address_space_memory);
    assert_int_equal(d->writes, 1);
    what.is_write = false;
    what.value = 0;
    assert_int_equal(address_space_access_observed(&address_space_memory, &what, plain_attrs),
                     MEMTX_OK);
    assert_int_equal(what.value, 0x1234);
    what.addr = 0x5000;
    assert_int_equal(address_space_access_observed(&address_space_memory, &what, plain_attrs),
                     MEMTX_DECODE_ERROR);
    assert_null(what.mr);
    assert_int_equal(what.result, MEMTX_DECODE_ERROR);
    assert_int_equal(what.value, 0xffff);
    object_unparent(OBJECT(d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_access_is_what_its_bytes_are),
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
