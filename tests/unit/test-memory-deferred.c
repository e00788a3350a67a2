/* SPDX-License-Identifier: MIT */
/*
 * What a thread puts off until it has left its outermost device: deliveries, calls of the main
 * thread, and the queue of work for that.
 */
#include "tests/unit/memory-fixture.h"
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

static EntryGuard *guard_of(FixtureDevice *d)
{
    return &d->guard;
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
        cmocka_unit_test(what_is_put_off_runs_when_the_outermost_device_is_left),
        cmocka_unit_test(a_call_to_main_keeps_the_memory_of_its_owner),
        cmocka_unit_test(a_delivery_may_put_itself_off_again),
        cmocka_unit_test(a_register_may_move_its_own_region),
        cmocka_unit_test(a_thread_outside_devices_waits_at_once),
        cmocka_unit_test(work_is_done_in_order_and_the_descriptor_tells),
#ifdef QOMET_DEBUG_LOCKS
#endif
    };

    return cmocka_run_group_tests_name("memory-deferred", tests, setup, teardown);
}
