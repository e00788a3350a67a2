/* SPDX-License-Identifier: MIT */
/*
 * What a lock guards, used by two threads at once: a test for each lock whose loss no other test would show. The ends
 * are checked, but most of this is told by ThreadSanitizer, which sees the missing lock whatever the threads happen to do.
 */
#include "tests/unit/chardev-fixture.h"
#include "accel/qtest/qtest-int.h"
#include "backends/chardev/char-int.h"
#include "backends/chardev/fd.h"
#include "memory/rcu-int.h"
#include "tests/guest/guest.h"
#include "tests/unit/two-threads.h"

/* ---- The log ---- */

static void write_log(unsigned number, void *opaque)
{
    (void)opaque;
    for (int i = 0; i < TURNS; i++) {
        qemu_log("line %d of thread %u\n", i, number);
        keep_pace(number);
    }
}

static void the_file_of_the_log_may_change_while_others_write_it(void **state)
{
    g_autofree char *path = test_path("log");
    Two two;

    (void)state;
    assert_true(qemu_set_log_filename(path, NULL));
    two_begin(&two, write_log, NULL);
    while (two_run(&two)) {
        assert_true(qemu_set_log_filename(path, NULL));
    }
    two_end(&two);
    assert_true(qemu_set_log_filename(NULL, NULL));
}

/* ---- What is handed to the main thread ---- */

static uint32_t done[2]; /* main thread */

static void work(void *opaque)
{
    done[GPOINTER_TO_UINT(opaque)]++;
}

static void post_work(unsigned number, void *opaque)
{
    (void)opaque;
    for (int i = 0; i < TURNS; i++) {
        main_work_post(work, GUINT_TO_POINTER(number));
        keep_pace(number);
    }
}

static void all_work_of_two_threads_reaches_main(void **state)
{
    Two two;

    (void)state;
    done[0] = done[1] = 0;
    two_begin(&two, post_work, NULL);
    while (two_run(&two)) {
        main_work_run();
    }
    two_end(&two);
    main_work_run();
    assert_int_equal(done[0], TURNS);
    assert_int_equal(done[1], TURNS);
}

static uint32_t freed; /* main thread */

static void count_and_free(void *ptr)
{
    freed++;
    g_free(ptr);
}

static void retire(unsigned number, void *opaque)
{
    (void)opaque;
    for (int i = 0; i < TURNS; i++) {
        rcu_retire(count_and_free, g_malloc(8));
        keep_pace(number);
    }
}

static void all_that_two_threads_retire_is_freed(void **state)
{
    Two two;

    (void)state;
    freed = 0;
    two_begin(&two, retire, NULL);
    while (two_run(&two)) {
        main_work_run();
    }
    two_end(&two);
    main_work_run();
    assert_int_equal(freed, 2 * TURNS);
}

/* ---- Guards ---- */

static void enter_and_end(unsigned number, void *opaque)
{
    for (int i = 0; i < TURNS / 10; i++) {
        entry_thread_register(number ? "one" : "the other", NULL, NULL);
        if (entry_enter(opaque)) {
            entry_leave(opaque);
        }
        entry_thread_unregister();
        keep_pace(number);
    }
}

static void counts_are_summed_while_threads_come_and_go(void **state)
{
    EntryGuard guard;
    EntryCounts counts;
    Two two;

    (void)state;
    entry_guard_init(&guard, NULL, ENTRY_RANK_DEVICE);
    two_begin(&two, enter_and_end, &guard);
    while (two_run(&two)) {
        EntryGuard other;

        entry_guard_init(&other, NULL, ENTRY_RANK_DEVICE);
        entry_guard_counts(&guard, &counts);
        entry_guard_destroy(&other);
    }
    two_end(&two);
    entry_guard_counts(&guard, &counts);
    assert_int_equal(counts.other, 2 * (TURNS / 10));
    entry_guard_destroy(&guard);
}

static void enter_and_count(unsigned number, void *opaque)
{
    struct {
        EntryGuard guard;
        uint64_t value;
    } *shared = opaque;

    for (int i = 0; i < TURNS * 10; i++) {
        if (entry_enter(&shared->guard)) {
            shared->value++;
            entry_leave(&shared->guard);
        }
        keep_pace(number);
    }
}

static void two_threads_take_turns_in_a_guard(void **state)
{
    struct {
        EntryGuard guard;
        uint64_t value;
    } shared = { .value = 0 };
    Two two;

    (void)state;
    entry_guard_init(&shared.guard, NULL, ENTRY_RANK_DEVICE);
    two_begin(&two, enter_and_count, &shared);
    two_end(&two);
    assert_int_equal(shared.value, 2 * TURNS * 10);
    entry_guard_destroy(&shared.guard);
}

/* ---- Character devices ---- */

static uint32_t peers_end; /* atomic */

static void write_and_ask(unsigned number, void *opaque)
{
    Front *f = opaque;

    while (!__atomic_load_n(&peers_end, __ATOMIC_ACQUIRE)) {
        if (number) {
            fe_write(f, "some text");
        } else {
            object_property_get_uint(OBJECT(f->chr.chr), "dropped", NULL);
            object_property_get_bool(OBJECT(f->chr.chr), "opened", NULL);
        }
    }
}

static void a_chardev_is_written_and_asked_while_peers_come_and_go(void **state)
{
    g_autofree char *path = test_path("s");
    Front *f;
    Two two;

    (void)state;
    chr_make("socket,id=s,path=%s,server=on,wait=off", path);
    f = front_new("s");
    __atomic_store_n(&peers_end, 0, __ATOMIC_RELEASE);
    two_begin(&two, write_and_ask, f);
    for (int i = 0; i < 20; i++) {
        int peer = unix_connect(path);

        run_until(f->chr.chr->opened);
        /* Some of what is written arrives. */
        g_free(read_text(peer, 9));
        close(peer);
        run_until(!f->chr.chr->opened);
    }
    __atomic_store_n(&peers_end, 1, __ATOMIC_RELEASE);
    two_end(&two);
}

static void write_some(unsigned number, void *opaque)
{
    (void)number;
    while (!__atomic_load_n(&peers_end, __ATOMIC_ACQUIRE)) {
        fe_write(opaque, "some text");
    }
}

static void the_descriptor_may_change_while_two_threads_write(void **state)
{
    FDChardev *fd = CHARDEV_FD(chr_make("file,id=f,path=/dev/null"));
    Front *f = front_new("f");
    Two two;

    (void)state;
    __atomic_store_n(&peers_end, 0, __ATOMIC_RELEASE);
    two_begin(&two, write_some, f);
    for (int i = 0; i < TURNS; i++) {
        fd_chardev_stop_output(fd);
        fd_chardev_start(fd, -1, open("/dev/null", O_WRONLY | O_CLOEXEC));
        main_loop_wait(false);
    }
    __atomic_store_n(&peers_end, 1, __ATOMIC_RELEASE);
    two_end(&two);
}

static void write_letters(unsigned number, void *opaque)
{
    for (int i = 0; i < TURNS; i++) {
        fe_write(opaque, number ? "a" : "b");
        keep_pace(number);
    }
}

static void a_ring_is_taken_from_while_two_threads_fill_it(void **state)
{
    Chardev *chr;
    Front *f;
    Two two;
    size_t letters = 0;

    (void)state;
    chr = chr_make("ringbuf,id=r,size=4096");
    f = front_new("r");
    two_begin(&two, write_letters, f);
    while (two_run(&two)) {
        uint8_t buf[16];

        g_free(object_property_get_str(OBJECT(chr), "text", NULL));
        ringbuf_chardev_count(CHARDEV_RINGBUF(chr));
        letters += ringbuf_chardev_take(CHARDEV_RINGBUF(chr), buf, sizeof(buf));
    }
    two_end(&two);
    letters += ringbuf_chardev_count(CHARDEV_RINGBUF(chr));
    assert_int_equal(letters, 2 * TURNS);
}

static Chardev *found[2];

static void find_stdout(unsigned number, void *opaque)
{
    (void)opaque;
    found[number] = chr_stdout();
}

static void standard_output_is_one_for_two_who_come_first(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        Two two;

        two_begin(&two, find_stdout, NULL);
        two_end(&two);
        assert_non_null(found[0]);
        assert_ptr_equal(found[0], found[1]);
        main_work_run();
        qemu_chr_cleanup();
    }
}

/* ---- A test's connection ---- */

#define LINE "IRQ raise 1"

static bool take_no_line(char *text, size_t len, void *opaque)
{
    (void)text;
    (void)len;
    (void)opaque;
    return true;
}

static void send_lines(unsigned number, void *opaque)
{
    for (int i = 0; i < TURNS; i++) {
        qtest_stream_send(opaque, LINE);
        keep_pace(number);
    }
}

static void a_test_gets_the_lines_of_two_threads_whole(void **state)
{
    g_autofree char *path = test_path("q"), *address = g_strdup_printf("unix:%s", path);
    int listener = unix_listen(path), peer;
    const size_t len = 2 * TURNS * (strlen(LINE) + 1);
    g_autofree char *text = NULL;
    QTestStream *stream;
    Two two;

    (void)state;
    stream = qtest_stream_new(address, take_no_line, NULL, NULL, NULL);
    assert_non_null(stream);
    peer = accept(listener, NULL, NULL);
    two_begin(&two, send_lines, stream);
    text = read_text(peer, len);
    two_end(&two);
    for (size_t i = 0; i < len; i += strlen(LINE) + 1) {
        assert_memory_equal(text + i, LINE "\n", strlen(LINE) + 1);
    }
    qtest_stream_free(stream);
    main_work_run();
    close(peer);
    close(listener);
}

/* ---- The board ---- */

#define PAGES 200
#define BEYOND UINT64_C(0x8000000)

static void reach_for_nothing(unsigned number, void *opaque)
{
    uint64_t value;

    (void)opaque;
    for (unsigned i = 0; i < PAGES; i++) {
        address_space_load(&address_space_memory, BEYOND + i * 4096, 4, &value,
                           MEMTXATTRS_UNSPECIFIED);
        address_space_load(&address_space_io, 0x1000 + i, 1, &value, MEMTXATTRS_UNSPECIFIED);
        keep_pace(number);
    }
}

static void each_place_of_nothing_is_told_once_whoever_comes_first(void **state)
{
    const char *text;
    unsigned lines = 0;
    Two two;

    (void)state;
    guest_begin_accel("qtest", "", NULL, 0);
    guest_start();
    guest_capture_stderr();
    two_begin(&two, reach_for_nothing, NULL);
    two_end(&two);
    for (text = guest_captured_stderr(); (text = strstr(text, "where nothing is")); text++) {
        lines++;
    }
    guest_end();
    main_loop_init();
    assert_int_equal(lines, 2 * PAGES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_of_the_log_may_change_while_others_write_it),
        cmocka_unit_test(all_work_of_two_threads_reaches_main),
        cmocka_unit_test(all_that_two_threads_retire_is_freed),
        cmocka_unit_test(counts_are_summed_while_threads_come_and_go),
        cmocka_unit_test(two_threads_take_turns_in_a_guard),
        chardev_test(a_chardev_is_written_and_asked_while_peers_come_and_go),
        chardev_test(the_descriptor_may_change_while_two_threads_write),
        chardev_test(a_ring_is_taken_from_while_two_threads_fill_it),
        chardev_test(standard_output_is_one_for_two_who_come_first),
        cmocka_unit_test(a_test_gets_the_lines_of_two_threads_whole),
        cmocka_unit_test_teardown(each_place_of_nothing_is_told_once_whoever_comes_first,
                                  guest_teardown),
    };

    return cmocka_run_group_tests_name("locks", tests, chardev_setup, chardev_teardown);
}
