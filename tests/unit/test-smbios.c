/* SPDX-License-Identifier: MIT */
/* SMBIOS tables of machines of all sizes: structures, strings, sums, and the RAM that they tell of. */
#include "tests/test.h"
#include <glib.h>
#include <string.h>
#include <qomet/hw/smbios/smbios.h>

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)

static uint64_t get(const uint8_t *p, unsigned bytes)
{
    uint64_t value = 0;

    while (bytes--) {
        value = value << 8 | p[bytes];
    }
    return value;
}

/* What is behind the structure at @at: that of its strings, which end with an empty one. */
static guint next_of(const GByteArray *t, guint at)
{
    guint end = at + t->data[at + 1];

    while (t->data[end] || t->data[end + 1]) {
        end++;
        assert_true(end + 1 < t->len);
    }
    return end + 2;
}

/* The structure number @n of that type, or NULL. */
static const uint8_t *find(const GByteArray *t, uint8_t type, unsigned n)
{
    for (guint at = 0; at < t->len; at = next_of(t, at)) {
        if (t->data[at] == type && n-- == 0) {
            return t->data + at;
        }
    }
    return NULL;
}

static const char *string_of(const uint8_t *structure, unsigned field)
{
    const char *text = (const char *)structure + structure[1];

    for (unsigned n = structure[field]; n > 1; n--) {
        text += strlen(text) + 1;
    }
    return structure[field] ? text : "";
}

static GByteArray *tables_of(uint64_t low, uint64_t high, unsigned cores)
{
    return smbios_tables(&(SmbiosBoard){
        .product = "a machine", .topology.cores = cores, .low_ram = low, .high_ram = high });
}

static void every_structure_has_its_length_and_a_handle_of_its_own(void **state)
{
    static const struct {
        uint8_t type, bytes;
    } expected[] = { { 0, 24 },  { 1, 27 },  { 3, 22 },  { 4, 42 },  { 16, 23 },
                     { 17, 40 }, { 19, 31 }, { 19, 31 }, { 32, 11 }, { 127, 4 } };
    g_autoptr(GByteArray) t = tables_of(3 * GIB, GIB, 2);
    g_autoptr(GHashTable) handles = g_hash_table_new(NULL, NULL);
    guint at = 0;

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++, at = next_of(t, at)) {
        assert_true(at < t->len);
        assert_int_equal(t->data[at], expected[i].type);
        assert_int_equal(t->data[at + 1], expected[i].bytes);
        assert_true(g_hash_table_add(handles, GUINT_TO_POINTER((guint)get(t->data + at + 2, 2))));
    }
    assert_int_equal(at, t->len);
}

static void it_tells_of_product_and_processors(void **state)
{
    g_autoptr(GByteArray) t = tables_of(128 * MIB, 0, 4), many = tables_of(128 * MIB, 0, 300);
    const uint8_t *system = find(t, 1, 0), *processor = find(t, 4, 0);

    (void)state;
    assert_string_equal(string_of(system, 4), "Qomet");
    assert_string_equal(string_of(system, 5), "a machine");
    assert_string_equal(string_of(system, 6), "");
    assert_string_equal(string_of(processor, 4), "CPU 0");
    assert_int_equal(processor[35], 4);
    assert_int_equal(processor[37], 4);
    assert_int_equal(find(many, 4, 0)[35], 255);
}

static void each_socket_is_a_processor_of_its_own(void **state)
{
    g_autoptr(GByteArray) t =
        smbios_tables(&(SmbiosBoard){ .product = "a machine",
                                      .topology = { .sockets = 2, .cores = 3, .threads = 2 },
                                      .low_ram = 128 * MIB });
    const uint8_t *second = find(t, 4, 1);

    (void)state;
    assert_non_null(second);
    assert_string_equal(string_of(second, 4), "CPU 1");
    assert_int_equal(get(second + 2, 2), 0x401);
    assert_int_equal(second[35], 3);
    assert_int_equal(second[37], 6);
    assert_null(find(t, 4, 2));
}

static void ram_is_told_in_modules_and_ranges(void **state)
{
    g_autoptr(GByteArray) small = tables_of(128 * MIB, 0, 1), odd = tables_of(MIB + 4096, 0, 1),
                          split = tables_of(3 * GIB, 30 * GIB, 1),
                          huge = tables_of(2 * GIB, 5 * TIB, 1);
    const uint8_t *range;

    (void)state;
    assert_int_equal(get(find(small, 16, 0) + 7, 4), 128 << 10);
    assert_int_equal(get(find(small, 16, 0) + 13, 2), 1);
    assert_int_equal(get(find(small, 17, 0) + 12, 2), 128);
    assert_null(find(small, 17, 1));
    range = find(small, 19, 0);
    assert_int_equal(get(range + 4, 4), 0);
    assert_int_equal(get(range + 8, 4), (128 << 10) - 1);
    assert_null(find(small, 19, 1));
    assert_int_equal(get(find(odd, 17, 0) + 12, 2), 0x8000 | 1028);
    assert_int_equal(get(find(split, 17, 0) + 12, 2), 16 << 10);
    assert_int_equal(get(find(split, 17, 2) + 12, 2), 1 << 10);
    assert_string_equal(string_of(find(split, 17, 2), 16), "DIMM 2");
    assert_int_equal(get(find(split, 19, 1) + 4, 4), 4 << 20);
    assert_int_equal(get(find(split, 19, 1) + 8, 4), (34 << 20) - 1);
    /* What 32 bits cannot say is said elsewhere. */
    assert_int_equal(get(find(huge, 16, 0) + 7, 4), 0x80000000);
    assert_int_equal(get(find(huge, 16, 0) + 15, 8), 2 * GIB + 5 * TIB);
    range = find(huge, 19, 1);
    assert_int_equal(get(range + 8, 4), UINT32_MAX);
    assert_int_equal(get(range + 15, 8), 4 * GIB);
    assert_int_equal(get(range + 23, 8), 4 * GIB + 5 * TIB - 1);
}

static uint8_t sum(const GByteArray *a, guint from, guint to)
{
    uint8_t sum = 0;

    while (from < to) {
        sum += a->data[from++];
    }
    return sum;
}

static void the_entry_point_adds_up(void **state)
{
    g_autoptr(GByteArray) t = tables_of(3 * GIB, GIB, 1), a = smbios_anchor(t, 0xf1230);
    unsigned number = 0, largest = 0;

    (void)state;
    for (guint at = 0; at < t->len; at = next_of(t, at), number++) {
        largest = MAX(largest, next_of(t, at) - at);
    }
    assert_int_equal(a->len, 31);
    assert_memory_equal(a->data, "_SM_", 4);
    assert_memory_equal(a->data + 16, "_DMI_", 5);
    assert_int_equal(sum(a, 0, 31), 0);
    assert_int_equal(sum(a, 16, 31), 0);
    assert_int_equal(a->data[5], 31);
    assert_int_equal(get(a->data + 6, 2), 0x0802);
    assert_int_equal(get(a->data + 8, 2), largest);
    assert_int_equal(get(a->data + 22, 2), t->len);
    assert_int_equal(get(a->data + 24, 4), 0xf1230);
    assert_int_equal(get(a->data + 28, 2), number);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_structure_has_its_length_and_a_handle_of_its_own),
        cmocka_unit_test(it_tells_of_product_and_processors),
        cmocka_unit_test(each_socket_is_a_processor_of_its_own),
        cmocka_unit_test(ram_is_told_in_modules_and_ranges),
        cmocka_unit_test(the_entry_point_adds_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
