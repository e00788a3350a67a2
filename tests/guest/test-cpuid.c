/* SPDX-License-Identifier: MIT */
/* What CPUID tells guests: where each vCPU stands among the others, and what it can do. */
#include <string.h>
#include "tests/guest/guest.h"

#define CODE 0x1000
#define TABLE 0x1040 /* pairs of leaf and subleaf; ends with a leaf of UINT32_MAX */
#define OUT 0x4000   /* where each vCPU writes, 256 bytes each */
#define MAX_LEAVES 16

/* EDX is the vCPU's index. */
static const uint8_t ask[] = {
    0x89, 0xd7,                         /* 1000: mov edi, edx */
    0xc1, 0xe7, 0x08,                   /* 1002: shl edi, 8 */
    0x81, 0xc7, 0x00, 0x40, 0x00, 0x00, /* 1005: add edi, OUT */
    0xbe, 0x40, 0x10, 0x00, 0x00,       /* 100b: mov esi, TABLE */
    0x8b, 0x06,                         /* 1010: mov eax, [esi] */
    0x8b, 0x4e, 0x04,                   /* 1012: mov ecx, [esi+4] */
    0x83, 0xf8, 0xff,                   /* 1015: cmp eax, -1 */
    0x74, 0x15,                         /* 1018: je 102f */
    0x0f, 0xa2,                         /* 101a: cpuid */
    0x89, 0x07,                         /* 101c: mov [edi], eax */
    0x89, 0x5f, 0x04,                   /* 101e: mov [edi+4], ebx */
    0x89, 0x4f, 0x08,                   /* 1021: mov [edi+8], ecx */
    0x89, 0x57, 0x0c,                   /* 1024: mov [edi+12], edx */
    0x83, 0xc7, 0x10,                   /* 1027: add edi, 16 */
    0x83, 0xc6, 0x08,                   /* 102a: add esi, 8 */
    0xeb, 0xe1,                         /* 102d: jmp 1010 */
    0xf4,                               /* 102f: hlt */
};

enum { A, B, C, D };

typedef struct Leaf {
    uint32_t leaf, subleaf;
} Leaf;

/* Has each vCPU ask for @leaves; @words: of the board. */
static void run(const char *words, const Leaf *leaves, unsigned n)
{
    uint8_t image[TABLE - CODE + (MAX_LEAVES + 1) * sizeof(Leaf)];
    g_autofree char *all = g_strconcat("protected-mode=on,", words, NULL);

    assert_true(n <= MAX_LEAVES && sizeof(ask) <= TABLE - CODE);
    memset(image, 0xff, sizeof(image));
    memcpy(image, ask, sizeof(ask));
    memcpy(image + TABLE - CODE, leaves, n * sizeof(Leaf));
    guest_begin(all, image, sizeof(image));
    assert_int_equal(guest_run(), 0);
}

/* What vCPU @cpu was told in the leaf number @n of the list. */
static uint32_t told(unsigned cpu, unsigned n, unsigned reg)
{
    uint32_t value = 0;

    assert_int_equal(address_space_read(&address_space_memory, OUT + cpu * 256 + n * 16 + reg * 4,
                                        MEMTXATTRS_UNSPECIFIED, &value, 4),
                     MEMTX_OK);
    return value;
}

static bool is_amd(unsigned n)
{
    return told(0, n, B) == 0x68747541; /* "Auth" */
}

static const Leaf topology_leaves[] = {
    { 0, 0 },          { 1, 0 },          { 0xb, 0 },        { 0xb, 1 },
    { 4, 0 },          { 4, 3 },          { 0x80000001, 0 }, { 0x80000008, 0 },
    { 0x8000001e, 0 }, { 0x80000000, 0 }, { 0xb, 2 },
};
enum { VENDOR, VERSION, THREADS, CORES, L1, L3, EXTENDED, SIZES, AMD_CORE, LAST, NO_LEVEL };

/* Two sockets of three cores of two threads: a thread has 1 bit of the id, a core 2. */
static void ids_have_the_bits_that_sockets_cores_and_threads_need(const char *model)
{
    static const uint8_t ids[] = { 0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13 };
    g_autofree char *words = g_strdup_printf("cpu=%s,smp=12,sockets=2,threads=2", model);

    run(words, topology_leaves, G_N_ELEMENTS(topology_leaves));
    for (unsigned i = 0; i < 12; i++) {
        assert_int_equal(told(i, VERSION, B) >> 24, ids[i]);
        assert_int_equal(told(i, VERSION, B) >> 16 & 0xff, 6);
        assert_true(told(i, VERSION, D) & 1u << 28); /* HTT */
        assert_int_equal(told(i, THREADS, A), 1);
        assert_int_equal(told(i, THREADS, B), 2);
        assert_int_equal(told(i, THREADS, C), 0x100);
        assert_int_equal(told(i, THREADS, D), ids[i]);
        assert_int_equal(told(i, CORES, A), 3);
        assert_int_equal(told(i, CORES, B), 6);
        assert_int_equal(told(i, CORES, C), 0x201);
        assert_int_equal(told(i, CORES, D), ids[i]);
        if (is_amd(VENDOR)) {
            assert_true(told(i, EXTENDED, C) & 1u << 1); /* CmpLegacy */
            assert_int_equal(told(i, SIZES, C), 3 << 12 | 5);
        } else {
            assert_false(told(i, EXTENDED, C) & 1u << 1);
            assert_int_equal(told(i, SIZES, C), 0);
        }
    }
}

static void each_vcpu_is_told_its_socket_core_and_thread(void **state)
{
    (void)state;
    ids_have_the_bits_that_sockets_cores_and_threads_need("host");
    for (unsigned i = 0; i < 12 && is_amd(VENDOR) && told(0, LAST, A) >= 0x8000001e; i++) {
        assert_int_equal(told(i, AMD_CORE, A), told(i, CORES, D));
        assert_int_equal(told(i, AMD_CORE, B), 1 << 8 | i % 6 / 2);
        assert_int_equal(told(i, AMD_CORE, C), i / 6);
    }
    for (unsigned i = 0; i < 12 && !is_amd(VENDOR); i++) {
        assert_int_equal(told(i, L1, A) >> 14, 3 << 12 | 1);
    }
    guest_end();
}

static void a_fixed_model_tells_of_the_topology_too(void **state)
{
    (void)state;
    ids_have_the_bits_that_sockets_cores_and_threads_need("qemu64");
    guest_end();
}

static void vcpus_are_cores_of_one_socket_if_nothing_else_is_said(void **state)
{
    (void)state;
    run("cpu=host,smp=3", topology_leaves, G_N_ELEMENTS(topology_leaves));
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(told(i, VERSION, B) >> 16, i << 8 | 3);
        assert_int_equal(told(i, THREADS, A), 0);
        assert_int_equal(told(i, THREADS, B), 1);
        assert_int_equal(told(i, CORES, A), 2);
        assert_int_equal(told(i, CORES, B), 3);
        assert_int_equal(told(i, CORES, D), i);
    }
    guest_end();
}

static void a_vcpu_alone_in_its_socket_has_no_siblings(void **state)
{
    (void)state;
    run("cpu=host,smp=2,sockets=2", topology_leaves, G_N_ELEMENTS(topology_leaves));
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(told(i, VERSION, B) >> 16, i << 8 | 1);
        assert_int_equal(told(i, CORES, A), 0);
        assert_int_equal(told(i, CORES, D), i);
        assert_int_equal(told(i, SIZES, C), 0);
    }
    guest_end();
}

static const Leaf feature_leaves[] = { { 1, 0 }, { 0x80000001, 0 } };
enum { F_1, F_EXTENDED };
#define FXSR (1u << 24)
#define MMX (1u << 23)
#define CX16 (1u << 13)
#define PREFETCHW (1u << 8)
#define NX (1u << 20)

static void a_feature_that_is_not_wanted_is_not_told(void **state)
{
    (void)state;
    run("cpu=qemu64,,-mmx,,cx16=off,,-xd", feature_leaves, G_N_ELEMENTS(feature_leaves));
    assert_false(told(0, F_1, C) & CX16);
    assert_false(told(0, F_EXTENDED, D) & MMX); /* what leaf 1 tells, told again */
    assert_true(told(0, F_EXTENDED, D) & FXSR);
    assert_false(told(0, F_EXTENDED, D) & NX);
    guest_end();
    run("cpu=qemu64,,-cx16,,+cx16,,+mmx", feature_leaves, G_N_ELEMENTS(feature_leaves));
    assert_true(told(0, F_1, C) & CX16);
    assert_true(told(0, F_EXTENDED, D) & MMX);
    guest_end();
}

static void a_feature_that_the_host_has_can_be_added_to_a_model(void **state)
{
    uint32_t host;

    (void)state;
    run("cpu=host", feature_leaves, G_N_ELEMENTS(feature_leaves));
    host = told(0, F_EXTENDED, C);
    guest_end();
    run("cpu=qemu64,,3dnowprefetch,,check=off", feature_leaves, G_N_ELEMENTS(feature_leaves));
    assert_int_equal(told(0, F_EXTENDED, C) & PREFETCHW, host & PREFETCHW);
    guest_end();
}

static void a_feature_that_the_host_lacks_is_warned_of_once(void **state)
{
    (void)state;
    guest_capture_stderr();
    run("smp=2,cpu=qemu64,,+ia64", feature_leaves, G_N_ELEMENTS(feature_leaves));
    assert_false(told(0, F_1, D) & 1u << 30);
    guest_end();
    assert_non_null(strstr(guest_captured_stderr(),
                           "warning: host doesn't support requested feature: "
                           "CPUID.01H:EDX.ia64 [bit 30]\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        guest_test(each_vcpu_is_told_its_socket_core_and_thread),
        guest_test(a_fixed_model_tells_of_the_topology_too),
        guest_test(vcpus_are_cores_of_one_socket_if_nothing_else_is_said),
        guest_test(a_vcpu_alone_in_its_socket_has_no_siblings),
        guest_test(a_feature_that_is_not_wanted_is_not_told),
        guest_test(a_feature_that_the_host_has_can_be_added_to_a_model),
        guest_test(a_feature_that_the_host_lacks_is_warned_of_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
