/* SPDX-License-Identifier: MIT */
/*
 * What firmware asks for, driven without a CPU: items by key, files by name, copies to memory, and
 * what a guest that means no good may ask for.
 */
#include <glib.h>
#include <string.h>
#include <unistd.h>
#include "tests/qtest/qtest-test.h"

#define SELECTOR 0x510
#define DATA 0x511
#define DMA_HIGH 0x514
#define DMA_LOW 0x518

#define RAM_BYTES 0x100000
#define REQUEST 0x1000 /* where the tests have theirs */
#define BUFFER 0x2000

#define CTL_ERROR 1
#define CTL_READ 2
#define CTL_SKIP 4
#define CTL_SELECT 8
#define CTL_WRITE 16

#define SIGNATURE 0
#define ID 1
#define FILE_DIR 0x19
#define FILE_FIRST 0x20

static char *dir; /* of the boards and of what they are given */

static void write_file(const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);

    assert_true(g_file_set_contents(path, text, -1, NULL));
}

static QTestState *start_board(const char *name, const char *words)
{
    return qtest_initf("-board %s/%s.board -M %s %s", dir, name, name, words);
}

/* A board with RAM and the device, and @words. */
static QTestState *start(const char *words)
{
    return start_board("fw", words);
}

static void select_item(QTestState *s, uint16_t key)
{
    qtest_outw(s, SELECTOR, key);
}

static void read_bytes(QTestState *s, void *to, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ((uint8_t *)to)[i] = qtest_inb(s, DATA);
    }
}

/* What the control word is after a request. */
static uint32_t dma_at(QTestState *s, uint64_t at, uint32_t control, uint32_t length, uint64_t addr)
{
    uint32_t status;
    struct {
        uint32_t control, length;
        uint64_t addr;
    } request = { __builtin_bswap32(control), __builtin_bswap32(length), __builtin_bswap64(addr) };

    qtest_memwrite(s, at, &request, sizeof(request));
    qtest_outl(s, DMA_HIGH, __builtin_bswap32((uint32_t)(at >> 32)));
    qtest_outl(s, DMA_LOW, __builtin_bswap32((uint32_t)at));
    status = __builtin_bswap32(qtest_readl(s, at));
    return status;
}

static uint32_t dma(QTestState *s, uint32_t control, uint32_t length, uint64_t addr)
{
    return dma_at(s, REQUEST, control, length, addr);
}

static void an_item_is_selected_and_read_byte_by_byte(void **state)
{
    QTestState *s = start("");
    char bytes[8];

    (void)state;
    /* After a reset the signature is what is selected. */
    read_bytes(s, bytes, 6);
    assert_memory_equal(bytes, "QEMU\0\0", 6);
    select_item(s, SIGNATURE);
    assert_int_equal(qtest_inb(s, DATA), 'Q');
    select_item(s, ID);
    read_bytes(s, bytes, 4);
    assert_memory_equal(bytes, "\3\0\0\0", 4);
    assert_int_equal(qtest_quit(s), 0);
}

static void files_are_listed_by_name(void **state)
{
    QTestState *s = start("-fw_cfg opt/z,string=zed -fw_cfg name=opt/a,string=first,,really");
    struct {
        uint32_t size;
        uint16_t select, reserved;
        char name[56];
    } rows[2];
    uint8_t count[4];
    char bytes[16];

    (void)state;
    select_item(s, FILE_DIR);
    read_bytes(s, count, sizeof(count));
    assert_memory_equal(count, "\0\0\0\2", 4);
    read_bytes(s, rows, sizeof(rows));
    assert_string_equal(rows[0].name, "opt/a");
    assert_string_equal(rows[1].name, "opt/z");
    assert_int_equal(__builtin_bswap16(rows[0].select), FILE_FIRST);
    assert_int_equal(__builtin_bswap16(rows[1].select), FILE_FIRST + 1);
    assert_int_equal(__builtin_bswap32(rows[0].size), strlen("first,really"));
    assert_int_equal(__builtin_bswap32(rows[1].size), 3);
    select_item(s, FILE_FIRST);
    read_bytes(s, bytes, 13);
    assert_string_equal(bytes, "first,really");
    assert_int_equal(qtest_quit(s), 0);
}

static void a_file_of_the_host_is_copied_when_the_machine_is_made(void **state)
{
    char bytes[16];
    QTestState *s;

    (void)state;
    write_file("contents", "of a file");
    s = qtest_initf("-board %s/fw.board -M fw -fw_cfg opt/f,file=%s/contents", dir, dir);
    select_item(s, FILE_FIRST); /* answered when the machine is made */
    write_file("contents", "changed");
    select_item(s, FILE_FIRST);
    read_bytes(s, bytes, 10);
    assert_string_equal(bytes, "of a file");
    assert_int_equal(qtest_quit(s), 0);
}

static void what_is_not_there_reads_as_zero(void **state)
{
    static const uint16_t keys[] = { 0x0002, FILE_FIRST, 0x3fff, 0x8000, 0x8020, 0xbfff, 0xffff };
    QTestState *s = start("");

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        select_item(s, keys[i]);
        assert_int_equal(qtest_inb(s, DATA), 0);
    }
    assert_int_equal(qtest_quit(s), 0);
}

static void the_selector_is_written_as_a_word_only(void **state)
{
    QTestState *s = start("");

    (void)state;
    qtest_outb(s, SELECTOR, ID);
    qtest_outb(s, DATA, 0x55);
    assert_int_equal(qtest_inb(s, DATA), 'Q');
    qtest_inw(s, SELECTOR);
    qtest_inl(s, SELECTOR);
    assert_int_equal(qtest_inb(s, DATA), 'E');
    assert_int_equal(qtest_quit(s), 0);
}

static void the_dma_register_shows_a_signature(void **state)
{
    QTestState *s = start("");

    (void)state;
    assert_int_equal(qtest_inl(s, DMA_HIGH), __builtin_bswap32(0x51454d55));
    assert_int_equal(qtest_inl(s, DMA_LOW), __builtin_bswap32(0x20434647));
    assert_int_equal(qtest_inb(s, DMA_HIGH + 3), 'U');
    assert_int_equal(qtest_inw(s, DMA_LOW), 'C' << 8 | ' ');
    assert_int_equal(qtest_quit(s), 0);
    s = start_board("slow", "");
    select_item(s, ID);
    assert_int_equal(qtest_inb(s, DATA), 1);
    assert_int_equal(qtest_quit(s), 0);
}

static void dma_selects_skips_and_copies(void **state)
{
    QTestState *s = start("-fw_cfg opt/f,string=0123456789");
    char bytes[16];

    (void)state;
    qtest_memset(s, BUFFER, 0xaa, 16);
    assert_int_equal(dma(s, FILE_FIRST << 16 | CTL_SELECT | CTL_SKIP, 3, 0), 0);
    assert_int_equal(dma(s, CTL_READ, 4, BUFFER), 0);
    assert_int_equal(qtest_inb(s, DATA), '7');
    assert_int_equal(dma(s, CTL_READ, 4, BUFFER + 4), 0);
    qtest_memread(s, BUFFER, bytes, 16);
    assert_memory_equal(bytes, "3456", 4);
    assert_memory_equal(bytes + 4, "89\0\0\xaa", 5);
    assert_int_equal(qtest_quit(s), 0);
}

static void a_request_that_wants_nothing_succeeds(void **state)
{
    QTestState *s = start("-fw_cfg opt/f,string=0123456789");

    (void)state;
    assert_int_equal(dma(s, 0, 0xffffffff, UINT64_MAX), 0);
    assert_int_equal(dma(s, FILE_FIRST << 16 | CTL_SELECT, 7, UINT64_MAX), 0);
    assert_int_equal(dma(s, CTL_READ, 0, UINT64_MAX), 0);
    assert_int_equal(dma(s, CTL_WRITE, 0, UINT64_MAX), 0);
    assert_int_equal(qtest_inb(s, DATA), '0');
    assert_int_equal(qtest_quit(s), 0);
}

/* Address and length: past the end of RAM, wrapping, in no memory, in registers. */
static void a_copy_that_leaves_ram_fails_and_says_so(void **state)
{
    static const struct {
        uint64_t addr;
        uint32_t length;
    } bad[] = {
        { RAM_BYTES - 4, 10 },          { RAM_BYTES, 1 },       { UINT64_MAX, 10 },
        { UINT64_MAX - 3, 0xffffffff }, { BUFFER, 0xffffffff }, { UINT64_C(1) << 63, 10 },
        { UINT64_C(0xfee00000), 10 },
    };
    QTestState *s = start("-fw_cfg opt/f,string=0123456789");

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(
            dma(s, FILE_FIRST << 16 | CTL_SELECT | CTL_READ, bad[i].length, bad[i].addr),
            CTL_ERROR);
    }
    /* It is as good as before. */
    assert_int_equal(dma(s, FILE_FIRST << 16 | CTL_SELECT | CTL_READ, 10, BUFFER), 0);
    assert_int_equal(qtest_readb(s, BUFFER + 9), '9');
    assert_int_equal(qtest_quit(s), 0);
}

static void a_request_that_is_in_no_memory_is_nothing(void **state)
{
    static const uint64_t bad[] = { RAM_BYTES, RAM_BYTES - 8, UINT64_MAX, UINT64_MAX - 15,
                                    UINT64_C(0x100000000) };
    QTestState *s = start("-fw_cfg opt/f,string=0123456789");

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        qtest_outl(s, DMA_HIGH, __builtin_bswap32((uint32_t)(bad[i] >> 32)));
        qtest_outl(s, DMA_LOW, __builtin_bswap32((uint32_t)bad[i]));
    }
    /* The upper half counts once. */
    qtest_outl(s, DMA_HIGH, 0xffffffff);
    qtest_outl(s, DMA_LOW, 0);
    assert_int_equal(dma(s, FILE_FIRST << 16 | CTL_SELECT | CTL_READ, 4, BUFFER), 0);
    assert_int_equal(qtest_readl(s, BUFFER), 0x33323130);
    assert_int_equal(qtest_quit(s), 0);
}

static void a_copy_over_its_own_request_ends_with_its_status(void **state)
{
    QTestState *s = start("-fw_cfg opt/f,string=0123456789abcdef");

    (void)state;
    assert_int_equal(dma(s, FILE_FIRST << 16 | CTL_SELECT | CTL_READ, 16, REQUEST), 0);
    assert_int_equal(qtest_readb(s, REQUEST + 4), '4');
    assert_int_equal(qtest_quit(s), 0);
}

static void what_is_read_only_is_not_written(void **state)
{
    QTestState *s = start("-fw_cfg opt/f,string=0123456789");

    (void)state;
    qtest_memset(s, BUFFER, 'x', 16);
    assert_int_equal(dma(s, FILE_FIRST << 16 | CTL_SELECT | CTL_WRITE, 4, BUFFER), CTL_ERROR);
    assert_int_equal(dma(s, 0x3fff << 16 | CTL_SELECT | CTL_WRITE, 4, BUFFER), CTL_ERROR);
    assert_int_equal(dma(s, FILE_FIRST << 16 | CTL_SELECT | CTL_WRITE, 0xffffffff, BUFFER),
                     CTL_ERROR);
    select_item(s, FILE_FIRST);
    assert_int_equal(qtest_inb(s, DATA), '0');
    assert_int_equal(qtest_quit(s), 0);
}

static void every_size_at_every_port_harms_nothing(void **state)
{
    static const char *const sizes = "bwl";
    QTestState *s = start("-fw_cfg opt/f,string=0123456789");

    (void)state;
    for (unsigned port = SELECTOR - 4; port < DMA_LOW + 8; port++) {
        for (const char *size = sizes; *size; size++) {
            for (unsigned value = 0; value < 3; value++) {
                free(qtest_command(s, "out%c 0x%x 0x%x", *size, port, value ? 0 - value : 0));
                free(qtest_command(s, "in%c 0x%x", *size, port));
            }
        }
    }
    assert_int_equal(dma(s, CTL_SELECT | CTL_READ, 4, BUFFER), 0);
    assert_int_equal(qtest_readl(s, BUFFER), 0x554d4551);
    assert_int_equal(qtest_quit(s), 0);
}

static int setup(void **state)
{
    dir = g_dir_make_tmp("test-fw-cfg-XXXXXX", NULL);
    if (!dir) {
        return -1;
    }
    write_file("fw.board", "machine fw \"firmware's items\"\n"
                           "    ram-size: 1M\n"
                           "\n"
                           "ram: ram at 0x0\n"
                           "    size: $ram-size\n"
                           "\n"
                           "fw: fw_cfg_io at port 0x510, port 0x514\n");
    write_file("slow.board", "machine slow \"the same without DMA\"\n"
                             "\n"
                             "fw: fw_cfg_io at port 0x510\n"
                             "    dma_enabled: off\n");
    return qtest_group_begin(state);
}

static int teardown(void **state)
{
    static const char *const names[] = { "fw.board", "slow.board", "contents" };
    int status;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(dir, names[i], NULL);

        unlink(path);
    }
    status = rmdir(dir);
    g_free(dir);
    return status;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_item_is_selected_and_read_byte_by_byte),
        cmocka_unit_test(files_are_listed_by_name),
        cmocka_unit_test(a_file_of_the_host_is_copied_when_the_machine_is_made),
        cmocka_unit_test(what_is_not_there_reads_as_zero),
        cmocka_unit_test(the_selector_is_written_as_a_word_only),
        cmocka_unit_test(the_dma_register_shows_a_signature),
        cmocka_unit_test(dma_selects_skips_and_copies),
        cmocka_unit_test(a_request_that_wants_nothing_succeeds),
        cmocka_unit_test(a_copy_that_leaves_ram_fails_and_says_so),
        cmocka_unit_test(a_request_that_is_in_no_memory_is_nothing),
        cmocka_unit_test(a_copy_over_its_own_request_ends_with_its_status),
        cmocka_unit_test(what_is_read_only_is_not_written),
        cmocka_unit_test(every_size_at_every_port_harms_nothing),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
