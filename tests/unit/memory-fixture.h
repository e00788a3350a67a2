/* SPDX-License-Identifier: MIT */
/*
 * What the tests of memory/ share: types made ready, a device with a guard and registers that
 * remember what was asked of them, and pseudo-random numbers that are the same at every run.
 */
#ifndef QOMET_TESTS_UNIT_MEMORY_FIXTURE_H
#define QOMET_TESTS_UNIT_MEMORY_FIXTURE_H

#include "tests/test.h"
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <qomet/memory/main-work.h>
#include <qomet/memory/memory.h>
#include <qomet/qom/module.h>

#define TYPE_FIXTURE_DEVICE "fixture-device"

/* A device of bytes: one call of a method moves that many of them, and is written down. */
typedef struct FixtureDevice {
    Object parent_obj;
    EntryGuard guard;
    uint8_t bytes[256];
    unsigned reads, writes;
    hwaddr last_addr;
    uint64_t last_data;
    unsigned last_size;
} FixtureDevice;

static G_GNUC_UNUSED uint64_t fixture_read(void *opaque, hwaddr addr, unsigned size)
{
    FixtureDevice *d = opaque;
    uint64_t value = 0;

    d->reads++;
    d->last_addr = addr;
    d->last_size = size;
    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)d->bytes[(addr + i) % sizeof(d->bytes)] << (8 * i);
    }
    return value;
}

static G_GNUC_UNUSED void fixture_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    FixtureDevice *d = opaque;

    d->writes++;
    d->last_addr = addr;
    d->last_data = data;
    d->last_size = size;
    for (unsigned i = 0; i < size; i++) {
        d->bytes[(addr + i) % sizeof(d->bytes)] = (uint8_t)(data >> (8 * i));
    }
}

static G_GNUC_UNUSED const MemoryRegionOps fixture_ops = { .read = fixture_read,
                                                           .write = fixture_write };

static void fixture_device_init(Object *obj)
{
    entry_guard_init(&((FixtureDevice *)obj)->guard, obj, ENTRY_RANK_DEVICE);
}

static void fixture_device_finalize(Object *obj)
{
    entry_guard_destroy(&((FixtureDevice *)obj)->guard);
}

static EntryGuard *fixture_device_guard(EntryOwner *owner)
{
    return &((FixtureDevice *)owner)->guard;
}

static void fixture_device_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    ENTRY_OWNER_CLASS(klass)->get_guard = fixture_device_guard;
}

static const TypeInfo fixture_types[] = {
    {
        .name = TYPE_FIXTURE_DEVICE,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(FixtureDevice),
        .instance_init = fixture_device_init,
        .instance_finalize = fixture_device_finalize,
        .class_init = fixture_device_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_ENTRY_OWNER }, { NULL } },
    },
};
DEFINE_TYPES(fixture_types)

/*
 * For a group's setup: this is the main thread, the types are there, and so are the system's
 * address spaces.
 */
static G_GNUC_UNUSED int fixture_setup(void **state)
{
    GError *error = NULL;

    (void)state;
    main_work_init();
    if (!module_call_init(MODULE_INIT_QOM, &error)) {
        print_error("%s\n", error->message);
        return -1;
    }
    memory_map_init();
    return 0;
}

static G_GNUC_UNUSED int fixture_teardown(void **state)
{
    (void)state;
    memory_map_cleanup();
    object_root_cleanup();
    main_work_run();
    return 0;
}

/* A device as the child @name of the root of the tree, which holds it. */
static G_GNUC_UNUSED FixtureDevice *fixture_device_new(const char *name)
{
    FixtureDevice *d = (FixtureDevice *)object_new(TYPE_FIXTURE_DEVICE);

    assert_non_null(d);
    assert_true(object_property_add_child(object_get_root(), name, OBJECT(d), NULL));
    object_unref(d);
    return d;
}

/* One access of guest memory. */
static G_GNUC_UNUSED MemTxResult fixture_load(hwaddr addr, unsigned size, uint64_t *value)
{
    *value = 0x5555555555555555;
    return address_space_load(&address_space_memory, addr, size, value, MEMTXATTRS_UNSPECIFIED);
}

static G_GNUC_UNUSED MemTxResult fixture_store(hwaddr addr, unsigned size, uint64_t value)
{
    return address_space_store(&address_space_memory, addr, size, value, MEMTXATTRS_UNSPECIFIED);
}

static G_GNUC_UNUSED void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

/*
 * Runs @fn on a thread of its own while this one does the main thread's work. @opaque begins with a
 * uint32_t that @fn sets last.
 */
static G_GNUC_UNUSED void on_thread(void *(*fn)(void *opaque), void *opaque)
{
    uint32_t *done = opaque;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, fn, opaque), 0);
    while (!__atomic_load_n(done, __ATOMIC_ACQUIRE)) {
        struct pollfd pfd = { .fd = main_work_fd(), .events = POLLIN };

        poll(&pfd, 1, 10);
        main_work_run();
    }
    pthread_join(thread, NULL);
}

static G_GNUC_UNUSED uint64_t fixture_random(uint64_t *seed)
{
    /* xorshift64* of Marsaglia and Vigna. */
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(2685821657736338717);
}

/* @few in a quick run, ten times as many in a long one. */
static G_GNUC_UNUSED unsigned fixture_count(unsigned few)
{
    return getenv("QOMET_TEST_LONG") ? 10 * few : few;
}

#endif
