/* SPDX-License-Identifier: MIT */
/*
 * What memory/ costs. Prints a row a case, "NAME VALUE UNIT REFERENCE", VALUE being the least of
 * several runs and REFERENCE what QEMU 7.2 needs ("-" where nobody has measured it, "abort" where
 * it ends). A second thread is there all the time, as a vCPU is beside the main loop, so that locks
 * are real ones. "--once NAME N" runs the case NAME N times and nothing else: instructions under
 * callgrind are then (count(N2) - count(N1)) / (N2 - N1), since all that is made ready is the same
 * for every N. "--list" names the cases.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <qomet/memory/main-work.h>
#include <qomet/memory/memory.h>
#include <qomet/qom/module.h>
#include "tests/bench/bench.h"

#define REGION_SIZE 0x1000
#define REGION_STEP 0x2000
#define N_ADDRESSES 65536

/* ---- Devices: each region has one of its own, with a guard of its own ---- */

typedef struct BenchDevice {
    EntryGuard guard;
    MemoryRegion mr;
    uint64_t value;
} __attribute__((aligned(128))) BenchDevice; /* so that two of them share no cache line */

static uint64_t device_read(void *opaque, hwaddr addr, unsigned size)
{
    (void)addr;
    (void)size;
    return ((BenchDevice *)opaque)->value;
}

static void device_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    (void)addr;
    (void)size;
    ((BenchDevice *)opaque)->value = data;
}

static const MemoryRegionOps device_ops = { .read = device_read, .write = device_write };

static BenchDevice *devices;
static unsigned n_devices;
static hwaddr addresses[N_ADDRESSES];

static void map_or_end(MemoryRegion *container, hwaddr addr, MemoryRegion *mr)
{
    GError *error = NULL;

    if (!memory_region_add_subregion(container, addr, mr, &error)) {
        g_error("%s", error->message);
    }
}

static void map_device(BenchDevice *d, MemoryRegion *container, hwaddr addr, uint64_t size)
{
    entry_guard_init(&d->guard, NULL, ENTRY_RANK_DEVICE);
    memory_region_init_io(&d->mr, NULL, &device_ops, d, "bench", size);
    memory_region_set_guard(&d->mr, &d->guard);
    map_or_end(container, addr, &d->mr);
}

static void make_devices(unsigned n)
{
    devices = aligned_alloc(_Alignof(BenchDevice), n * sizeof(BenchDevice));
    if (!devices) {
        g_error("no room for %u devices", n);
    }
    memset(devices, 0, n * sizeof(BenchDevice));
    n_devices = n;
}

static void map_devices(unsigned n)
{
    uint64_t seed = 88172645463325252;

    make_devices(n);
    memory_region_transaction_begin();
    for (unsigned i = 0; i < n; i++) {
        map_device(&devices[i], get_system_memory(), (hwaddr)i * REGION_STEP, REGION_SIZE);
    }
    memory_region_transaction_commit();
    for (unsigned i = 0; i < N_ADDRESSES; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        addresses[i] = seed % n * REGION_STEP + (seed >> 40) % (REGION_SIZE / 4) * 4;
    }
}

static void unmap_devices(void)
{
    memory_region_transaction_begin();
    /* The last one first: no other moves up in the list. */
    for (unsigned i = n_devices; i-- > 0;) {
        memory_region_del_subregion(devices[i].mr.container, &devices[i].mr);
    }
    memory_region_transaction_commit();
    for (unsigned i = 0; i < n_devices; i++) {
        object_unref(&devices[i].mr);
        entry_guard_destroy(&devices[i].guard);
    }
    free(devices);
}

static void map_1(void)
{
    map_devices(1);
}

static void map_4000(void)
{
    map_devices(4000);
}

static void map_10000(void)
{
    map_devices(10000);
}

static void map_100000(void)
{
    map_devices(100000);
}

/* ---- Accesses ---- */

static void read_registers(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint64_t value;

        address_space_load(&address_space_memory, addresses[i % N_ADDRESSES], 4, &value,
                           MEMTXATTRS_UNSPECIFIED);
    }
}

static void map_port(void)
{
    make_devices(1);
    map_device(&devices[0], get_system_io(), 0xf1, 1);
}

static void write_port(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        address_space_store(&address_space_io, 0xf1, 1, 'H', MEMTXATTRS_UNSPECIFIED);
    }
}

static MemoryRegion ram;

static void map_ram(void)
{
    GError *error = NULL;

    if (!memory_region_init_ram(&ram, NULL, "ram", 1 << 20, &error)) {
        g_error("%s", error->message);
    }
    map_or_end(get_system_memory(), 0, &ram);
}

static void unmap_ram(void)
{
    memory_region_del_subregion(get_system_memory(), &ram);
    object_unref(&ram);
}

static void slice_ram(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        GuestSlice slice;

        if (guest_slice_get(&address_space_memory, (hwaddr)(i % 4096) * 16, 16, true, &slice)) {
            slice.host[0] = (uint8_t)i;
            guest_slice_put(&slice);
        }
    }
}

static void dma_ram(unsigned n)
{
    uint8_t buf[64];

    for (unsigned i = 0; i < n; i++) {
        if (dma_memory_read(&address_space_memory, (hwaddr)(i % 4096) * 64, buf, sizeof(buf),
                            MEMTXATTRS_UNSPECIFIED) != MEMTX_OK) {
            g_error("no memory to read");
        }
    }
}

/* ---- Changes ---- */

static void listener_region(MemoryListener *l, const MemoryRegionSection *s)
{
    (void)s;
    *(unsigned *)l->opaque += 1;
}

static unsigned n_told;
static MemoryListener listener = {
    .region_add = listener_region,
    .region_del = listener_region,
    .opaque = &n_told,
};

static void map_4000_heard(void)
{
    map_4000();
    memory_listener_register(&listener, &address_space_memory);
}

static void unmap_heard(void)
{
    memory_listener_unregister(&listener, &address_space_memory);
    unmap_devices();
}

/* One change each: a region in the middle goes, and comes back. */
static void change_shape(unsigned n)
{
    MemoryRegion *mr = &devices[n_devices / 2].mr;

    for (unsigned i = 0; i < n; i++) {
        memory_region_set_enabled(mr, i % 2);
    }
}

/* ---- Two threads at once ---- */

#define WORK_PER_THREAD 2000000

static unsigned work_n;

static void *work_on(void *opaque)
{
    const hwaddr addr = *(const hwaddr *)opaque;

    entry_thread_register("bench", NULL, NULL);
    for (unsigned i = 0; i < work_n; i++) {
        address_space_store(&address_space_memory, addr, 4, i, MEMTXATTRS_UNSPECIFIED);
    }
    entry_thread_unregister();
    return NULL;
}

static void two_threads(unsigned n, hwaddr first, hwaddr second)
{
    hwaddr where[2] = { first, second };
    pthread_t threads[2];

    work_n = n;
    for (int i = 0; i < 2; i++) {
        if (pthread_create(&threads[i], NULL, work_on, &where[i])) {
            g_error("no thread");
        }
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void map_2(void)
{
    map_devices(2);
}

static void one_thread(unsigned n)
{
    hwaddr where = 0;
    pthread_t thread;

    work_n = n;
    if (pthread_create(&thread, NULL, work_on, &where)) {
        g_error("no thread");
    }
    pthread_join(thread, NULL);
}

static void two_devices(unsigned n)
{
    two_threads(n, 0, REGION_STEP);
}

static void one_device(unsigned n)
{
    two_threads(n, 0, 0);
}

/* ---- the table ---- */

static const BenchCase cases[] = {
    { "port-write", map_port, write_port, unmap_devices, 1000000, false, "-", 0 },
    { "register-read-1-region", map_1, read_registers, unmap_devices, 1000000, false, "32", 0 },
    { "register-read-4000-regions", map_4000, read_registers, unmap_devices, 1000000, false, "45",
      0 },
    { "register-read-10000-regions", map_10000, read_registers, unmap_devices, 1000000, false,
      "abort", 0 },
    { "register-read-100000-regions", map_100000, read_registers, unmap_devices, 1000000, false,
      "abort", 0 },
    { "map-10000-regions", NULL, map_devices, unmap_devices, 10000, true, "abort", 0 },
    { "map-100000-regions", NULL, map_devices, unmap_devices, 100000, true, "abort", 0 },
    { "change-of-4000-regions", map_4000_heard, change_shape, unmap_heard, 200, false, "10000000",
      0 },
    { "guest-slice", map_ram, slice_ram, unmap_ram, 1000000, false, "-", 0 },
    { "dma-read-64-bytes", map_ram, dma_ram, unmap_ram, 1000000, false, "-", 0 },
    { "one-thread-one-device", map_2, one_thread, unmap_devices, WORK_PER_THREAD, false, "-", 0 },
    { "two-threads-two-devices", map_2, two_devices, unmap_devices, WORK_PER_THREAD, false, "-",
      0 },
    { "two-threads-one-device", map_2, one_device, unmap_devices, WORK_PER_THREAD, false, "-", 0 },
};

static pthread_mutex_t bystander_lock = PTHREAD_MUTEX_INITIALIZER;

static void *bystander(void *opaque)
{
    (void)opaque;
    entry_thread_register("bystander", NULL, NULL);
    pthread_mutex_lock(&bystander_lock);
    pthread_mutex_unlock(&bystander_lock);
    return NULL;
}

int main(int argc, char **argv)
{
    GError *error = NULL;
    pthread_t thread;
    int status;

    main_work_init();
    if (!module_call_init(MODULE_INIT_QOM, &error)) {
        fprintf(stderr, "bench-memory: %s\n", error->message);
        return 1;
    }
    memory_map_init();
    pthread_mutex_lock(&bystander_lock);
    if (pthread_create(&thread, NULL, bystander, NULL)) {
        fprintf(stderr, "bench-memory: no thread\n");
        return 1;
    }
    status = bench_run(cases, G_N_ELEMENTS(cases), argc, argv);
    pthread_mutex_unlock(&bystander_lock);
    pthread_join(thread, NULL);
    memory_map_cleanup();
    return status;
}
