/* SPDX-License-Identifier: MIT */
/* Entering a device: once on each thread, counted, in an order. */
#include "tests/unit/memory-fixture.h"
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "config.h"

/* ---- Once on each thread ---- */

static EntryGuard *guard_of(FixtureDevice *d)
{
    return &d->guard;
}

static void a_guard_knows_who_is_inside(void **state)
{
    FixtureDevice *d = fixture_device_new("dev"), *other = fixture_device_new("other");

    (void)state;
    assert_false(entry_inside(NULL));
    assert_true(entry_enter(guard_of(d)));
    assert_true(entry_inside(NULL));
    assert_true(entry_inside(guard_of(d)));
    assert_false(entry_inside(guard_of(other)));
    assert_true(entry_enter(guard_of(other)));
    assert_true(entry_inside(guard_of(other)));
    entry_leave(guard_of(other));
    assert_true(entry_inside(NULL));
    entry_leave(guard_of(d));
    assert_false(entry_inside(NULL));
    object_unparent(OBJECT(d));
    object_unparent(OBJECT(other));
}

static MemTxResult inner_result;
static uint64_t inner_value;

static uint64_t reads_itself(void *opaque, hwaddr addr, unsigned size)
{
    FixtureDevice *d = opaque;

    d->reads++;
    inner_result = address_space_load(&address_space_memory, 0x1000 + addr, size, &inner_value,
                                      (MemTxAttrs){ 0 });
    assert_false(entry_enter(guard_of(d)));
    return 0x42;
}

static void a_device_is_not_entered_again_by_its_own_thread(void **state)
{
    static const MemoryRegionOps ops = { .read = reads_itself };
    FixtureDevice *d = fixture_device_new("dev");
    EntryCounts counts;
    MemoryRegion mr;
    uint64_t value;

    (void)state;
    memory_region_init_io(&mr, OBJECT(d), &ops, d, "regs", 16);
    assert_true(memory_region_add_subregion(get_system_memory(), 0x1000, &mr, NULL));
    assert_int_equal(
        address_space_load(&address_space_memory, 0x1000, 4, &value, (MemTxAttrs){ 0 }), MEMTX_OK);
    assert_int_equal(value, 0x42);
    assert_int_equal(d->reads, 1);
    assert_int_equal(inner_result, MEMTX_ACCESS_ERROR);
    assert_int_equal(inner_value, 0xffffffff);
    entry_guard_counts(guard_of(d), &counts);
    assert_int_equal(counts.refused, 2);
    assert_int_equal(counts.reads, 1);
    assert_int_equal(counts.contended, 0);
    object_unparent(OBJECT(d));
}

static bool written_inside;

static uint64_t tells_whether_inside(void *opaque, hwaddr addr, unsigned size)
{
    (void)addr;
    (void)size;
    return entry_inside(guard_of(opaque)) ? 0x11 : 0;
}

static void notes_whether_inside(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    (void)addr;
    (void)data;
    (void)size;
    written_inside = entry_inside(guard_of(opaque));
}

static void every_access_of_a_device_is_an_entry(void **state)
{
    static const MemoryRegionOps ops = { .read = tells_whether_inside,
                                         .write = notes_whether_inside };
    const MemTxAttrs attrs = { 0 };
    FixtureDevice *d = fixture_device_new("dev");
    uint8_t bytes[3] = { 0 };
    MemoryRegion mr;
    uint64_t value;

    (void)state;
    memory_region_init_io(&mr, OBJECT(d), &ops, d, "regs", 16);
    assert_true(memory_region_add_subregion(get_system_memory(), 0x1000, &mr, NULL));
    assert_int_equal(address_space_load(&address_space_memory, 0x1000, 4, &value, attrs), MEMTX_OK);
    assert_int_equal(value, 0x11);
    assert_int_equal(address_space_store(&address_space_memory, 0x1000, 4, 1, attrs), MEMTX_OK);
    assert_true(written_inside);
    /* Three bytes are more than one access, which is the long way. */
    assert_int_equal(address_space_read(&address_space_memory, 0x1000, attrs, bytes, 3), MEMTX_OK);
    assert_int_equal(bytes[0], 0x11);
    written_inside = false;
    assert_int_equal(address_space_write(&address_space_memory, 0x1000, attrs, bytes, 3), MEMTX_OK);
    assert_true(written_inside);
    object_unparent(OBJECT(d));
}

/* What @fn writes to stderr. */
static char *stderr_of(void (*fn)(void *opaque), void *opaque)
{
    FILE *file = tmpfile();
    int saved = dup(2);
    char *text = g_malloc0(4096);

    fflush(stderr);
    dup2(fileno(file), 2);
    fn(opaque);
    fflush(stderr);
    dup2(saved, 2);
    close(saved);
    rewind(file);
    text[fread(text, 1, 4095, file)] = '\0';
    fclose(file);
    return text;
}

static void enter_thrice(void *opaque)
{
    FixtureDevice *d = opaque;

    assert_true(entry_enter(guard_of(d)));
    assert_false(entry_enter(guard_of(d)));
    assert_false(entry_enter(guard_of(d)));
    entry_leave(guard_of(d));
}

static void the_first_refusal_is_said_with_the_path(void **state)
{
    FixtureDevice *d = fixture_device_new("thing");
    g_autofree char *text = NULL, *again = NULL;

    (void)state;
    text = stderr_of(enter_thrice, d);
    assert_non_null(strstr(text, "/thing (fixture-device)"));
    assert_null(strchr(strchr(text, '\n') + 1, '\n'));
    again = stderr_of(enter_thrice, d);
    assert_string_equal(again, "");
    object_unparent(OBJECT(d));
}

/* ---- Counters ---- */

typedef struct Worker {
    uint32_t done;
    FixtureDevice *d;
    unsigned n;
} Worker;

static void *enter_many(void *opaque)
{
    Worker *w = opaque;

    entry_thread_register("worker", NULL, NULL);
    for (unsigned i = 0; i < w->n; i++) {
        assert_true(entry_enter(guard_of(w->d)));
        w->d->reads++;
        entry_leave(guard_of(w->d));
    }
    __atomic_store_n(&w->done, 1, __ATOMIC_RELEASE);
    return NULL; /* ends without unregistering: the counts stay all the same */
}

static void counts_are_kept_when_a_thread_ends(void **state)
{
    FixtureDevice *d = fixture_device_new("dev");
    Worker w = { .d = d, .n = 1000 };
    EntryCounts counts;

    (void)state;
    on_thread(enter_many, &w);
    assert_true(entry_enter(guard_of(d)));
    entry_leave(guard_of(d));
    entry_guard_counts(guard_of(d), &counts);
    assert_int_equal(counts.other, 1001);
    assert_int_equal(d->reads, 1000);
    object_unparent(OBJECT(d));

    /* A device that comes later begins at nothing. */
    d = fixture_device_new("dev");
    entry_guard_counts(guard_of(d), &counts);
    assert_int_equal(counts.other, 0);
    object_unparent(OBJECT(d));
}

static void two_threads_take_turns_in_a_device(void **state)
{
    FixtureDevice *d = fixture_device_new("dev");
    const unsigned n = fixture_count(20000);
    Worker w[3] = { { .d = d, .n = n }, { .d = d, .n = n }, { .d = d, .n = n } };
    pthread_t threads[3];
    EntryCounts counts;

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, enter_many, &w[i]), 0);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(d->reads, 3 * n);
    entry_guard_counts(guard_of(d), &counts);
    assert_int_equal(counts.other, 3 * n);
    object_unparent(OBJECT(d));
}

static void *enter_once(void *opaque)
{
    Worker *w = opaque;

    assert_true(entry_enter(guard_of(w->d)));
    w->d->reads++;
    entry_leave(guard_of(w->d));
    __atomic_store_n(&w->done, 1, __ATOMIC_RELEASE);
    entry_thread_unregister();
    return NULL;
}

static void a_wait_for_a_device_is_counted(void **state)
{
    FixtureDevice *d = fixture_device_new("dev");
    Worker w = { .d = d };
    EntryCounts counts = { 0 };
    pthread_t thread;

    (void)state;
    assert_true(entry_enter(guard_of(d)));
    assert_int_equal(pthread_create(&thread, NULL, enter_once, &w), 0);
    while (counts.contended == 0) {
        sleep_ms(1);
        entry_guard_counts(guard_of(d), &counts);
    }
    sleep_ms(20); /* long enough for it to go to sleep */
    assert_int_equal(d->reads, 0);
    entry_leave(guard_of(d));
    pthread_join(thread, NULL);
    assert_int_equal(d->reads, 1);
    entry_guard_counts(guard_of(d), &counts);
    assert_int_equal(counts.contended, 1);
    object_unparent(OBJECT(d));
}

/* ---- Order ---- */

#ifdef QOMET_DEBUG_LOCKS
static void enter_out_of_order(void *opaque)
{
    pid_t child = fork();
    int status;

    (void)opaque;
    if (child == 0) {
        EntryGuard intc, device;

        entry_guard_init(&intc, NULL, ENTRY_RANK_INTC);
        entry_guard_init(&device, OBJECT(fixture_device_new("low")), ENTRY_RANK_DEVICE);
        signal(SIGABRT, SIG_DFL);
        if (entry_enter(&intc) && entry_enter(&device)) {
            _exit(0);
        }
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void guards_out_of_order_are_named(void **state)
{
    g_autofree char *text = stderr_of(enter_out_of_order, NULL);

    (void)state;
    assert_non_null(strstr(text, "out of order: /low (fixture-device)"));
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guard_knows_who_is_inside),
        cmocka_unit_test(a_device_is_not_entered_again_by_its_own_thread),
        cmocka_unit_test(every_access_of_a_device_is_an_entry),
        cmocka_unit_test(the_first_refusal_is_said_with_the_path),
        cmocka_unit_test(counts_are_kept_when_a_thread_ends),
        cmocka_unit_test(two_threads_take_turns_in_a_device),
        cmocka_unit_test(a_wait_for_a_device_is_counted),
#ifdef QOMET_DEBUG_LOCKS
        cmocka_unit_test(guards_out_of_order_are_named),
#endif
    };

    return cmocka_run_group_tests_name("memory-entry", tests, fixture_setup, fixture_teardown);
}
