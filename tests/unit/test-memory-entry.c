/* SPDX-License-Identifier: MIT */
/*
 * Entering a device: once on each thread, counted, in an order; what is put off until it is left;
 * work for the main thread.
 */
#include "tests/unit/memory-fixture.h"
#include <poll.h>
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "config.h"

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

/* Runs @fn on a thread of its own while this one does the main thread's work. */
static void on_thread(void *(*fn)(void *opaque), void *opaque)
{
    uint32_t *done = opaque; /* what fn sets last */
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, fn, opaque), 0);
    while (!__atomic_load_n(done, __ATOMIC_ACQUIRE)) {
        struct pollfd pfd = { .fd = main_work_fd(), .events = POLLIN };

        poll(&pfd, 1, 10);
        main_work_run();
    }
    pthread_join(thread, NULL);
}

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

/* ---- Put off ---- */

static GString *trace;

typedef struct Delivery {
    EntryDeferred deferred; /* first */
    char name;
    FixtureDevice *enters; /* or NULL */
    struct Delivery *then; /* deferred in turn, or NULL */
    bool saw_device;
} Delivery;

static void deliver(EntryDeferred *self)
{
    Delivery *x = (Delivery *)self;

    assert_false(entry_inside(NULL));
    if (x->enters) {
        assert_true(entry_enter(guard_of(x->enters)));
    }
    g_string_append_c(trace, x->name);
    if (x->then) {
        entry_defer(&x->then->deferred);
    }
    if (x->enters) {
        entry_leave(guard_of(x->enters));
    }
}

static void trace_call(Object *owner, void *opaque)
{
    (void)owner;
    assert_true(main_work_is_main());
    g_string_append(trace, opaque);
}

static void what_is_put_off_runs_when_the_outermost_device_is_left(void **state)
{
    FixtureDevice *outer = fixture_device_new("outer"), *inner = fixture_device_new("inner");
    Delivery b = { { deliver, NULL, 0 }, 'b', outer, NULL, false };
    Delivery a = { { deliver, NULL, 0 }, 'a', inner, &b, false };
    Delivery c = { { deliver, NULL, 0 }, 'c', NULL, NULL, false };

    (void)state;
    g_string_truncate(trace, 0);
    assert_true(entry_enter(guard_of(outer)));
    assert_true(entry_enter(guard_of(inner)));
    entry_call_main(NULL, trace_call, "1");
    entry_defer(&a.deferred);
    entry_defer(&a.deferred);
    entry_defer(&c.deferred);
    entry_leave(guard_of(inner));
    assert_string_equal(trace->str, "");
    entry_call_main(NULL, trace_call, "2");
    entry_leave(guard_of(outer));
    /* Deliveries in order, those that they put off after them, and the map last. */
    assert_string_equal(trace->str, "acb12");
    /* Outside of everything there is nothing to wait for. */
    entry_defer(&b.deferred);
    entry_call_main(NULL, trace_call, "3");
    assert_string_equal(trace->str, "acb12b3");
    object_unparent(OBJECT(outer));
    object_unparent(OBJECT(inner));
}

static void put_off_twice(EntryDeferred *self)
{
    Delivery *x = (Delivery *)self;

    g_string_append_c(trace, x->name);
    if (trace->len < 5) {
        entry_defer(self);
    }
}

static void a_delivery_may_put_itself_off_again(void **state)
{
    Delivery a = { { put_off_twice, NULL, 0 }, 'a', NULL, NULL, false };

    (void)state;
    g_string_truncate(trace, 0);
    entry_defer(&a.deferred);
    assert_string_equal(trace->str, "aaaaa");
}

/* ---- Calls to the main thread ---- */

typedef struct Mapper {
    uint32_t done;
    FixtureDevice *d;
    MemoryRegion *mr;
    bool has_hook;
    uint32_t hooked;
    bool seen;
} Mapper;

static void move_region(Object *owner, void *opaque)
{
    Mapper *m = opaque;

    (void)owner;
    assert_true(main_work_is_main());
    while (m->has_hook && !__atomic_load_n(&m->hooked, __ATOMIC_ACQUIRE)) {
        sleep_ms(1);
    }
    memory_region_set_address(m->mr, 0x2000);
}

static void write_moves_itself(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    Mapper *m = opaque;

    (void)addr;
    (void)data;
    (void)size;
    entry_call_main(NULL, move_region, m);
    /* Not yet: this thread is still inside. */
    assert_int_equal(object_property_get_uint(OBJECT(m->mr), "addr", NULL), 0x1000);
}

static void hook(const uint32_t *done, void *opaque)
{
    __atomic_fetch_add(&((Mapper *)opaque)->hooked, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(done, __ATOMIC_ACQUIRE)) {
        sleep_ms(1);
    }
}

static void *store_and_look(void *opaque)
{
    Mapper *m = opaque;
    uint64_t value;

    entry_thread_register("vcpu", m->has_hook ? hook : NULL, m);
    assert_int_equal(address_space_store(&address_space_memory, 0x1000, 4, 0, (MemTxAttrs){ 0 }),
                     MEMTX_OK);
    /* The next access sees the new map. */
    m->seen =
        address_space_load(&address_space_memory, 0x1000, 4, &value, (MemTxAttrs){ 0 }) ==
            MEMTX_DECODE_ERROR &&
        address_space_load(&address_space_memory, 0x2000, 4, &value, (MemTxAttrs){ 0 }) == MEMTX_OK;
    entry_thread_unregister();
    __atomic_store_n(&m->done, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void read_owner(Object *owner, void *opaque)
{
    FixtureDevice *d = (FixtureDevice *)owner;

    /* The map's device is gone, but not the memory that this looks at. */
    assert_ptr_equal(object_get_parent(owner), NULL);
    *(bool *)opaque = !entry_inside(&d->guard);
}

typedef struct Leaver {
    FixtureDevice *d;
    uint32_t asked; /* atomic */
    bool called;
} Leaver;

static void *ask_and_leave(void *opaque)
{
    Leaver *l = opaque;

    if (entry_enter(&l->d->guard)) {
        entry_call_main(OBJECT(l->d), read_owner, &l->called);
        __atomic_store_n(&l->asked, 1, __ATOMIC_RELEASE);
        entry_leave(&l->d->guard);
    }
    entry_thread_unregister();
    return NULL;
}

static void a_call_to_main_keeps_the_memory_of_its_owner(void **state)
{
    Leaver l = { .d = fixture_device_new("dev") };
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, ask_and_leave, &l), 0);
    while (!__atomic_load_n(&l.asked, __ATOMIC_ACQUIRE)) {
        sleep_ms(1);
    }
    /* The device goes first; what it has asked for comes then. */
    entry_synchronize();
    object_unparent(OBJECT(l.d));
    while (!l.called) {
        main_work_run();
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void a_register_may_move_its_own_region(void **state)
{
    static const MemoryRegionOps ops = { .write = write_moves_itself };

    (void)state;
    for (unsigned has_hook = 0; has_hook < 2; has_hook++) {
        FixtureDevice *d = fixture_device_new("dev");
        MemoryRegion mr;
        Mapper m = { .d = d, .mr = &mr, .has_hook = has_hook };

        memory_region_init_io(&mr, OBJECT(d), &ops, &m, "bar", 16);
        assert_true(memory_region_add_subregion(get_system_memory(), 0x1000, &mr, NULL));
        on_thread(store_and_look, &m);
        assert_true(m.seen);
        assert_int_equal(m.hooked, has_hook);
        object_unparent(OBJECT(d));
    }
}

static void *call_from_outside(void *opaque)
{
    Mapper *m = opaque;

    entry_call_main(NULL, move_region, m);
    m->seen = m->mr->addr == 0x2000;
    __atomic_store_n(&m->done, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void a_thread_outside_devices_waits_at_once(void **state)
{
    MemoryRegion mr;
    Mapper m = { .mr = &mr };

    (void)state;
    memory_region_init(&mr, NULL, "mr", 16);
    assert_true(memory_region_add_subregion(get_system_memory(), 0x1000, &mr, NULL));
    on_thread(call_from_outside, &m);
    assert_true(m.seen);
    memory_region_del_subregion(get_system_memory(), &mr);
    object_unref(&mr);
}

/* ---- The queue ---- */

static void append(void *opaque)
{
    g_string_append(trace, opaque);
}

static void append_and_post(void *opaque)
{
    append(opaque);
    main_work_post(append, "y");
}

static void work_is_done_in_order_and_the_descriptor_tells(void **state)
{
    struct pollfd pfd = { .fd = main_work_fd(), .events = POLLIN };

    (void)state;
    main_work_run();
    g_string_truncate(trace, 0);
    assert_int_equal(poll(&pfd, 1, 0), 0);
    main_work_post(append, "a");
    main_work_post(append_and_post, "b");
    main_work_post(append, "c");
    assert_int_equal(poll(&pfd, 1, 0), 1);
    assert_int_equal(main_work_run(), 3);
    assert_string_equal(trace->str, "abc");
    /* What work queues has its turn, and is told of as well. */
    assert_int_equal(poll(&pfd, 1, 0), 1);
    assert_int_equal(main_work_run(), 1);
    assert_string_equal(trace->str, "abcy");
    assert_int_equal(poll(&pfd, 1, 0), 0);
    assert_int_equal(main_work_run(), 0);
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

static int setup(void **state)
{
    trace = g_string_new(NULL);
    return fixture_setup(state);
}

static int teardown(void **state)
{
    g_string_free(trace, TRUE);
    return fixture_teardown(state);
}

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
        cmocka_unit_test(what_is_put_off_runs_when_the_outermost_device_is_left),
        cmocka_unit_test(a_call_to_main_keeps_the_memory_of_its_owner),
        cmocka_unit_test(a_delivery_may_put_itself_off_again),
        cmocka_unit_test(a_register_may_move_its_own_region),
        cmocka_unit_test(a_thread_outside_devices_waits_at_once),
        cmocka_unit_test(work_is_done_in_order_and_the_descriptor_tells),
#ifdef QOMET_DEBUG_LOCKS
        cmocka_unit_test(guards_out_of_order_are_named),
#endif
    };

    return cmocka_run_group_tests_name("memory-entry", tests, setup, teardown);
}
