/* SPDX-License-Identifier: MIT */
/*
 * The devices of bench-exits, a module: "bench-store" keeps what is written to it and does nothing else; when the machine
 * ends it says how often, and how many entries had to wait for its lock. "bench-clock" says when it was written to: seconds on the clock, and seconds that the
 * thread has spent on a processor.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <qomet/hw/isa/isa-bus.h>

#define TYPE_BENCH_PORT "bench-port"
#define TYPE_BENCH_STORE "bench-store"
#define TYPE_BENCH_CLOCK "bench-clock"
OBJECT_DECLARE_SIMPLE_TYPE(BenchPort, BENCH_PORT)

struct BenchPort {
    ISADevice parent_obj;
    MemoryRegion io;
    uint32_t iobase;
    uint64_t value;
};

static void bench_store_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    (void)addr;
    (void)size;
    ((BenchPort *)opaque)->value = data;
}

static const MemoryRegionOps bench_store_ops = { .write = bench_store_write };

static void bench_clock_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    BenchPort *s = opaque;
    struct timespec now, busy;

    (void)addr;
    (void)data;
    (void)size;
    clock_gettime(CLOCK_MONOTONIC, &now);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &busy);
    printf("clock 0x%" PRIx32 " %lld.%09ld %lld.%09ld\n", s->iobase, (long long)now.tv_sec,
           now.tv_nsec, (long long)busy.tv_sec, busy.tv_nsec);
}

static const MemoryRegionOps bench_clock_ops = { .write = bench_clock_write };

static void bench_store_init(Object *obj)
{
    BenchPort *s = BENCH_PORT(obj);

    memory_region_init_io(&s->io, obj, &bench_store_ops, s, TYPE_BENCH_STORE, 1);
}

static void bench_clock_init(Object *obj)
{
    BenchPort *s = BENCH_PORT(obj);

    memory_region_init_io(&s->io, obj, &bench_clock_ops, s, TYPE_BENCH_CLOCK, 1);
}

static bool bench_port_realize(DeviceState *dev, GError **errp)
{
    BenchPort *s = BENCH_PORT(dev);

    return isa_register_ioport(ISA_DEVICE(dev), &s->io, s->iobase, errp);
}

static void bench_store_unrealize(DeviceState *dev)
{
    EntryCounts counts;

    entry_guard_counts(&dev->guard, &counts);
    printf("store 0x%" PRIx32 " %" PRIu64 " %" PRIu64 "\n", BENCH_PORT(dev)->iobase, counts.writes,
           counts.contended);
}

static const Property bench_port_props[] = {
    DEFINE_PROP_UINT32("iobase", BenchPort, iobase, 0xf1, .help = "the port"),
};

static void bench_port_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    DEVICE_CLASS(klass)->realize = bench_port_realize;
    device_class_set_props(DEVICE_CLASS(klass), bench_port_props);
}

static void bench_store_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    DEVICE_CLASS(klass)->unrealize = bench_store_unrealize;
}

static const TypeInfo bench_types[] = {
    {
        .name = TYPE_BENCH_PORT,
        .parent = TYPE_ISA_DEVICE,
        .instance_size = sizeof(BenchPort),
        .abstract = true,
        .class_init = bench_port_class_init,
    },
    {
        .name = TYPE_BENCH_STORE,
        .parent = TYPE_BENCH_PORT,
        .instance_init = bench_store_init,
        .class_init = bench_store_class_init,
    },
    { .name = TYPE_BENCH_CLOCK, .parent = TYPE_BENCH_PORT, .instance_init = bench_clock_init },
};

DEFINE_TYPES(bench_types)
