/* SPDX-License-Identifier: MIT */
/*
 * Threads that access while the map changes under them: nothing is used after it was freed, no
 * change is seen in part, and a device that has been taken out is not called any more. Most of this
 * is told by the sanitizers.
 */
#include "tests/unit/memory-fixture.h"
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#define READERS 2
#define PLACES 64
#define STEP UINT64_C(0x1000)

/* ---- Readers ---- */

static uint32_t stop;
static uint64_t accesses; /* made by all readers so far; atomic */

static hwaddr random_place(uint64_t *seed)
{
    return fixture_random(seed) % PLACES * STEP + fixture_random(seed) % 16;
}

static void one_round(uint64_t *seed)
{
    const unsigned size = 1u << fixture_random(seed) % 4;
    uint64_t value;
    uint8_t buf[64];
    GuestSlice s;

    switch (fixture_random(seed) % 8) {
    case 0:
        if (guest_slice_get(&address_space_memory, random_place(seed), 64, true, &s)) {
            /* What a guest or another device does at the same time is no mistake of this thread. */
            __atomic_store_n(&s.host[63], __atomic_load_n(&s.host[0], __ATOMIC_RELAXED),
                             __ATOMIC_RELAXED);
            guest_slice_put(&s);
        }
        break;
    case 1:
        address_space_read(&address_space_memory, random_place(seed), (MemTxAttrs){ 0 }, buf,
                           sizeof(buf));
        break;
    case 2:
    case 3:
        address_space_store(&address_space_memory, random_place(seed), size, 1, (MemTxAttrs){ 0 });
        break;
    default:
        address_space_load(&address_space_memory, random_place(seed), size, &value,
                           (MemTxAttrs){ 0 });
        break;
    }
    __atomic_fetch_add(&accesses, 1, __ATOMIC_RELAXED);
}

static void *reader(void *opaque)
{
    uint64_t seed = (uintptr_t)opaque;

    entry_thread_register("reader", NULL, NULL);
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        one_round(&seed);
    }
    entry_thread_unregister();
    return NULL;
}

static void *(*thread_fn)(void *opaque);
static uint32_t running;

static void *run_thread(void *opaque)
{
    __atomic_fetch_add(&running, 1, __ATOMIC_RELEASE);
    return thread_fn(opaque);
}

/* Begins @n threads, and waits until they run: on a busy machine all would be over before otherwise. */
static void start(pthread_t *threads, int n, void *(*fn)(void *opaque))
{
    __atomic_store_n(&stop, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&running, 0, __ATOMIC_RELEASE);
    thread_fn = fn;
    for (int i = 0; i < n; i++) {
        assert_int_equal(
            pthread_create(&threads[i], NULL, run_thread, (void *)(uintptr_t)(1000 + i)), 0);
    }
    while (__atomic_load_n(&running, __ATOMIC_ACQUIRE) < (uint32_t)n) {
        nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
    }
}

static void end(pthread_t *threads, int n)
{
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
    }
}

/* ---- Devices that come and go ---- */

#define ALIVE 0x600dcafe

typedef struct Mortal {
    uint32_t alive;
    uint32_t gone;  /* taken out: a call now is a mistake; atomic */
    uint64_t calls; /* under the guard */
    EntryGuard guard;
    MemoryRegion mr;
} Mortal;

static uint64_t mortal_read(void *opaque, hwaddr addr, unsigned size)
{
    Mortal *m = opaque;

    (void)size;
    assert_true(m->alive == ALIVE && !__atomic_load_n(&m->gone, __ATOMIC_ACQUIRE));
    return addr + m->calls++;
}

static void mortal_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    (void)data;
    mortal_read(opaque, addr, size);
}

static const MemoryRegionOps mortal_ops = { .read = mortal_read, .write = mortal_write };

static Mortal *mortal_new(void)
{
    Mortal *m = g_new0(Mortal, 1);

    m->alive = ALIVE;
    entry_guard_init(&m->guard, NULL, ENTRY_RANK_DEVICE);
    memory_region_init_io(&m->mr, NULL, &mortal_ops, m, "mortal", 16);
    memory_region_set_guard(&m->mr, &m->guard);
    return m;
}

static void mortal_free(Mortal *m)
{
    object_unref(&m->mr);
    entry_guard_destroy(&m->guard);
    memset(m, 0xee, sizeof(*m));
    g_free(m);
}

static void devices_come_move_and_go_under_two_readers(void **state)
{
    Mortal *here[PLACES] = { NULL };
    pthread_t threads[READERS];
    uint64_t seed = 77;

    (void)state;
    accesses = 0;
    start(threads, READERS, reader);
    for (unsigned n = 0;
         n < fixture_count(1000) || __atomic_load_n(&accesses, __ATOMIC_RELAXED) < 1000; n++) {
        const unsigned i = (unsigned)(fixture_random(&seed) % PLACES);
        Mortal *m = here[i];

        if (!m) {
            here[i] = mortal_new();
            assert_true(
                memory_region_add_subregion(get_system_memory(), i * STEP, &here[i]->mr, NULL));
        } else if (n % 3 == 0) {
            memory_region_set_enabled(&m->mr, n % 2);
            memory_region_set_address(&m->mr, i * STEP + n % 8);
        } else {
            memory_region_del_subregion(get_system_memory(), &m->mr);
            __atomic_store_n(&m->gone, 1, __ATOMIC_RELEASE);
            mortal_free(m);
            here[i] = NULL;
        }
    }
    /* On a busy host the readers may not have had a turn yet. */
    while (!__atomic_load_n(&accesses, __ATOMIC_RELAXED)) {
        sched_yield();
    }
    end(threads, READERS);
    for (unsigned i = 0; i < PLACES; i++) {
        if (here[i]) {
            memory_region_del_subregion(get_system_memory(), &here[i]->mr);
            mortal_free(here[i]);
        }
    }
}

static void memory_comes_and_goes_under_two_readers(void **state)
{
    MemoryRegion *here[8] = { NULL };
    pthread_t threads[READERS];

    (void)state;
    start(threads, READERS, reader);
    for (unsigned n = 0; n < fixture_count(500); n++) {
        MemoryRegion **slot = &here[n * 5 % 8];

        if (!*slot) {
            *slot = g_new0(MemoryRegion, 1);
            assert_true(memory_region_init_ram(*slot, NULL, "dimm", STEP, NULL));
            assert_true(
                memory_region_add_subregion(get_system_memory(), (n * 5 % 8) * STEP, *slot, NULL));
            memory_region_set_log(*slot, n % 2);
        } else {
            memory_region_set_log(*slot, n % 3 == 0);
            memory_region_del_subregion(get_system_memory(), *slot);
            object_unref(*slot);
            g_free(*slot);
            *slot = NULL;
        }
    }
    end(threads, READERS);
    for (unsigned i = 0; i < 8; i++) {
        if (here[i]) {
            memory_region_del_subregion(get_system_memory(), here[i]);
            object_unref(here[i]);
            g_free(here[i]);
        }
    }
}

/* ---- One at a time ---- */

typedef struct Lonely {
    uint32_t inside; /* threads in a method now; atomic */
    uint32_t crowded;
    uint64_t sum; /* not atomic: the guard's to protect */
} Lonely;

static void lonely_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    Lonely *l = opaque;

    (void)addr;
    (void)size;
    if (__atomic_fetch_add(&l->inside, 1, __ATOMIC_SEQ_CST)) {
        __atomic_store_n(&l->crowded, 1, __ATOMIC_RELAXED);
    }
    l->sum += data;
    __atomic_fetch_sub(&l->inside, 1, __ATOMIC_SEQ_CST);
}

static uint64_t lonely_read(void *opaque, hwaddr addr, unsigned size)
{
    lonely_write(opaque, addr, 1, size);
    return 0;
}

static void *count_in_device(void *opaque)
{
    const bool aligned = (uintptr_t)opaque % 2;
    uint64_t value;

    for (unsigned n = 0; n < fixture_count(5000); n++) {
        /* By the straight way, and by the longer one. */
        if (n % 2) {
            address_space_store(&address_space_memory, aligned ? 0 : 1, 2, 1, (MemTxAttrs){ 0 });
        } else {
            address_space_load(&address_space_memory, 0, 1, &value, (MemTxAttrs){ 0 });
        }
    }
    return NULL;
}

static void a_device_is_entered_by_one_thread_at_a_time(void **state)
{
    static const MemoryRegionOps ops = { .read = lonely_read,
                                         .write = lonely_write,
                                         .valid = { .unaligned = true },
                                         .impl = { .unaligned = true } };
    pthread_t threads[READERS];
    Lonely l = { 0 };
    EntryGuard guard;
    EntryCounts counts;
    MemoryRegion mr;

    (void)state;
    entry_guard_init(&guard, NULL, ENTRY_RANK_DEVICE);
    memory_region_init_io(&mr, NULL, &ops, &l, "lonely", 16);
    memory_region_set_guard(&mr, &guard);
    assert_true(memory_region_add_subregion(get_system_memory(), 0, &mr, NULL));
    start(threads, READERS, count_in_device);
    end(threads, READERS);
    assert_false(l.crowded);
    assert_int_equal(l.sum, (uint64_t)READERS * fixture_count(5000));
    entry_guard_counts(&guard, &counts);
    assert_int_equal(counts.reads + counts.writes, (uint64_t)READERS * fixture_count(5000));
    memory_region_del_subregion(get_system_memory(), &mr);
    object_unref(&mr);
    entry_guard_destroy(&guard);
}

/* ---- Memory let go by another thread ---- */

static void *find_and_let_go(void *opaque)
{
    (void)opaque;
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        MemoryRegionSection s = address_space_find(&address_space_memory, 0);

        if (s.mr) {
            assert_int_equal(memory_region_size(s.mr), STEP);
        }
        object_unref(s.mr);
    }
    return NULL;
}

static void a_region_lives_while_somebody_has_found_it(void **state)
{
    pthread_t threads[READERS];

    (void)state;
    start(threads, READERS, find_and_let_go);
    for (unsigned n = 0; n < fixture_count(300); n++) {
        MemoryRegion *ram = g_new0(MemoryRegion, 1);

        assert_true(memory_region_init_ram(ram, NULL, "dimm", STEP, NULL));
        OBJECT(ram)->free = g_free; /* whichever thread has the last reference */
        assert_true(memory_region_add_subregion(get_system_memory(), 0, ram, NULL));
        nanosleep(&(struct timespec){ .tv_nsec = 1000 }, NULL);
        memory_region_del_subregion(get_system_memory(), ram);
        object_unref(ram);
        main_work_run();
    }
    end(threads, READERS);
    main_work_run();
}

/* ---- Changes seen whole ---- */

static uint64_t constant_read(void *opaque, hwaddr addr, unsigned size)
{
    (void)addr;
    (void)size;
    return (uintptr_t)opaque;
}

static uint32_t torn;

static void *expect_one_of_two(void *opaque)
{
    uint64_t value;

    (void)opaque;
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        for (hwaddr addr = 0; addr < 2 * STEP; addr += STEP) {
            if (address_space_load(&address_space_memory, addr, 4, &value, (MemTxAttrs){ 0 }) !=
                    MEMTX_OK ||
                (value != 11 && value != 22)) {
                __atomic_store_n(&torn, 1, __ATOMIC_RELEASE);
            }
        }
    }
    return NULL;
}

static void two_regions_change_places_at_once(void **state)
{
    static const MemoryRegionOps ops = { .read = constant_read };
    pthread_t threads[READERS];
    MemoryRegion a, b;

    (void)state;
    memory_region_init_io(&a, NULL, &ops, (void *)11, "a", 16);
    memory_region_init_io(&b, NULL, &ops, (void *)22, "b", 16);
    assert_true(memory_region_add_subregion(get_system_memory(), 0, &a, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), STEP, &b, NULL));
    start(threads, READERS, expect_one_of_two);
    for (unsigned n = 0; n < fixture_count(1000); n++) {
        memory_region_transaction_begin();
        memory_region_set_address(&a, n % 2 ? 0 : STEP);
        memory_region_set_address(&b, n % 2 ? STEP : 0);
        memory_region_transaction_commit();
    }
    end(threads, READERS);
    assert_false(torn);
    memory_region_del_subregion(get_system_memory(), &a);
    memory_region_del_subregion(get_system_memory(), &b);
    object_unref(&a);
    object_unref(&b);
}

/* ---- A method that takes its time ---- */

static uint32_t in_method, method_over;

static void slow_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    (void)opaque;
    (void)addr;
    (void)data;
    (void)size;
    __atomic_store_n(&in_method, 1, __ATOMIC_RELEASE);
    nanosleep(&(struct timespec){ .tv_nsec = 30000000 }, NULL);
    __atomic_store_n(&method_over, 1, __ATOMIC_RELEASE);
}

static void *store_once(void *opaque)
{
    (void)opaque;
    address_space_store(&address_space_memory, 0, 4, 0, (MemTxAttrs){ 0 });
    return NULL;
}

static void taking_a_region_out_waits_for_its_methods(void **state)
{
    static const MemoryRegionOps ops = { .write = slow_write };
    pthread_t thread;
    MemoryRegion mr;

    (void)state;
    memory_region_init_io(&mr, NULL, &ops, NULL, "slow", 16);
    assert_true(memory_region_add_subregion(get_system_memory(), 0, &mr, NULL));
    start(&thread, 1, store_once);
    while (!__atomic_load_n(&in_method, __ATOMIC_ACQUIRE)) {
        nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
    }
    memory_region_del_subregion(get_system_memory(), &mr);
    assert_true(__atomic_load_n(&method_over, __ATOMIC_ACQUIRE));
    end(&thread, 1);
    object_unref(&mr);
}

/* ---- Two at once that change the map from within ---- */

typedef struct Mover {
    FixtureDevice *d;
    MemoryRegion mr;
    hwaddr home;
    unsigned moves;
} Mover;

static Mover movers[READERS];
static uint32_t movers_left;

static void move(Object *owner, void *opaque)
{
    Mover *m = opaque;

    (void)owner;
    memory_region_set_address(&m->mr, m->home + (m->moves++ % 2 ? 0x100 : 0));
}

static void write_asks_for_a_move(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    (void)addr;
    (void)data;
    (void)size;
    entry_call_main(NULL, move, opaque);
}

static void *move_and_look(void *opaque)
{
    Mover *m = &movers[(uintptr_t)opaque - 1000];
    uint64_t value;

    for (unsigned n = 0; n < fixture_count(200); n++) {
        const hwaddr now = m->home + (n % 2 ? 0 : 0x100), then = m->home + (n % 2 ? 0x100 : 0);

        /* The device's own thread finds it where its last write has put it. */
        assert_int_equal(address_space_store(&address_space_memory, now, 4, 0, (MemTxAttrs){ 0 }),
                         MEMTX_OK);
        assert_int_equal(
            address_space_load(&address_space_memory, now, 4, &value, (MemTxAttrs){ 0 }),
            MEMTX_DECODE_ERROR);
        assert_int_equal(
            address_space_load(&address_space_memory, then, 4, &value, (MemTxAttrs){ 0 }),
            MEMTX_OK);
    }
    __atomic_fetch_sub(&movers_left, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void two_devices_may_move_themselves_at_once(void **state)
{
    static const MemoryRegionOps ops = { .read = constant_read, .write = write_asks_for_a_move };
    pthread_t threads[READERS];

    (void)state;
    for (unsigned i = 0; i < READERS; i++) {
        g_autofree char *name = g_strdup_printf("mover%u", i);
        Mover *m = &movers[i];

        m->d = fixture_device_new(name);
        m->home = i * STEP;
        memory_region_init_io(&m->mr, OBJECT(m->d), &ops, m, "bar", 16);
        assert_true(
            memory_region_add_subregion(get_system_memory(), m->home + 0x100, &m->mr, NULL));
    }
    movers_left = READERS;
    start(threads, READERS, move_and_look);
    while (__atomic_load_n(&movers_left, __ATOMIC_ACQUIRE)) {
        struct pollfd pfd = { .fd = main_work_fd(), .events = POLLIN };

        poll(&pfd, 1, 10);
        main_work_run();
    }
    end(threads, READERS);
    for (unsigned i = 0; i < READERS; i++) {
        object_unparent(OBJECT(movers[i].d));
    }
}

/* ---- Deliveries to a device that goes ---- */

typedef struct Sink {
    EntryDeferred deferred; /* first */
    uint32_t alive;
    EntryGuard guard;
    unsigned heard;
} Sink;

static Sink *sink; /* where the line leads, or NULL; atomic */

static void sink_hear(EntryDeferred *self)
{
    Sink *s = (Sink *)self;

    assert_int_equal(s->alive, ALIVE);
    if (entry_enter(&s->guard)) {
        s->heard++;
        entry_leave(&s->guard);
    }
}

static void raise_line(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    Sink *s = __atomic_load_n(&sink, __ATOMIC_SEQ_CST);

    (void)opaque;
    (void)addr;
    (void)data;
    (void)size;
    if (s) {
        entry_defer(&s->deferred);
    }
}

static void *ring(void *opaque)
{
    (void)opaque;
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        address_space_store(&address_space_memory, 0, 4, 1, (MemTxAttrs){ 0 });
    }
    return NULL;
}

static void a_delivery_does_not_outlive_who_it_is_for(void **state)
{
    static const MemoryRegionOps ops = { .write = raise_line };
    FixtureDevice *d = fixture_device_new("source");
    pthread_t threads[READERS];
    MemoryRegion mr;

    (void)state;
    memory_region_init_io(&mr, OBJECT(d), &ops, d, "source", 16);
    assert_true(memory_region_add_subregion(get_system_memory(), 0, &mr, NULL));
    start(threads, READERS, ring);
    for (unsigned n = 0; n < fixture_count(500); n++) {
        Sink *s = g_new0(Sink, 1);

        s->deferred.fn = sink_hear;
        s->alive = ALIVE;
        entry_guard_init(&s->guard, NULL, ENTRY_RANK_DEVICE);
        __atomic_store_n(&sink, s, __ATOMIC_SEQ_CST);
        nanosleep(&(struct timespec){ .tv_nsec = 1000 }, NULL);
        __atomic_store_n(&sink, NULL, __ATOMIC_SEQ_CST);
        entry_synchronize();
        entry_guard_destroy(&s->guard);
        s->alive = 0;
        g_free(s);
    }
    end(threads, READERS);
    object_unparent(OBJECT(d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_come_move_and_go_under_two_readers),
        cmocka_unit_test(memory_comes_and_goes_under_two_readers),
        cmocka_unit_test(a_device_is_entered_by_one_thread_at_a_time),
        cmocka_unit_test(a_region_lives_while_somebody_has_found_it),
        cmocka_unit_test(two_regions_change_places_at_once),
        cmocka_unit_test(taking_a_region_out_waits_for_its_methods),
        cmocka_unit_test(two_devices_may_move_themselves_at_once),
        cmocka_unit_test(a_delivery_does_not_outlive_who_it_is_for),
    };

    return cmocka_run_group_tests_name("memory-threads", tests, fixture_setup, fixture_teardown);
}
