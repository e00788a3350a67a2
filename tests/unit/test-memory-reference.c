/* SPDX-License-Identifier: MIT */
/*
 * A reference that knows memory only byte by byte is compared with random accesses to random
 * layouts, the same at every run.
 */
#include "tests/unit/memory-fixture.h"

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
        result = address_space_read(&address_space_memory, addr, (MemTxAttrs){ 0 }, bytes, size);
    } else {
        result = fixture_load(addr, size, &value);
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
    result = buffer
                 ? address_space_write(&address_space_memory, addr, (MemTxAttrs){ 0 }, &value, size)
                 : fixture_store(addr, size, value);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_access_is_what_its_bytes_are),
    };

    return cmocka_run_group_tests_name("memory-reference", tests, fixture_setup, fixture_teardown);
}
