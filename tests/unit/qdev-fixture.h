/* SPDX-License-Identifier: MIT */
/*
 * What the tests of hw/core share: the tree, the maps and the types made ready, a device whose steps
 * are written down and can be told to fail, and a bus for it.
 */
#ifndef QOMET_TESTS_UNIT_QDEV_FIXTURE_H
#define QOMET_TESTS_UNIT_QDEV_FIXTURE_H

#include "tests/test.h"
#include <string.h>
#include <qomet/hw/core/bus.h>
#include <qomet/memory/main-work.h>

#define TYPE_PROBE "probe-device"
#define TYPE_PROBE_BUS "probe-bus"
#define TYPE_BUS_PROBE "bus-probe-device" /* a probe that sits on a probe bus */

typedef struct Probe {
    DeviceState parent_obj;
    uint16_t base;
    uint32_t limit;
    char *word;
    bool fail;                                        /* realize fails in the end */
    bool (*body)(struct Probe *probe, GError **errp); /* what realize does, or NULL */
    void (*end)(struct Probe *probe);                 /* what unrealize does, or NULL */
    MemoryRegion region;
    uint8_t registers[16];
    qemu_irq out[4];
    QEMUTimer *timer;
} Probe;

static inline Probe *PROBE(const void *obj)
{
    return OBJECT_CHECK(Probe, obj, TYPE_PROBE);
}

/* What happened, in words separated by spaces. */
static GString *probe_trace;

static G_GNUC_UNUSED void trace(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
static G_GNUC_UNUSED void trace(const char *fmt, ...)
{
    va_list args;

    if (probe_trace->len) {
        g_string_append_c(probe_trace, ' ');
    }
    va_start(args, fmt);
    g_string_append_vprintf(probe_trace, fmt, args);
    va_end(args);
}

/* Compares what happened since the last time, and forgets it. */
#define assert_trace(expected)                                                                     \
    do {                                                                                           \
        assert_string_equal(probe_trace->str, expected);                                           \
        g_string_truncate(probe_trace, 0);                                                         \
    } while (0)

/* The call fails and says @text. */
#define assert_refused(call, text)                                                                 \
    do {                                                                                           \
        GError *error_ = NULL;                                                                     \
        GError **errp = &error_;                                                                   \
        assert_false(call);                                                                        \
        assert_non_null(error_);                                                                   \
        assert_string_equal(error_->message, text);                                                \
        g_error_free(error_);                                                                      \
    } while (0)

/* The call succeeds; its message is shown when it does not. */
#define assert_works(call)                                                                         \
    do {                                                                                           \
        GError *error_ = NULL;                                                                     \
        GError **errp = &error_;                                                                   \
        bool ok_ = (call);                                                                         \
        if (error_) {                                                                              \
            print_error("%s\n", error_->message);                                                  \
        }                                                                                          \
        assert_true(ok_);                                                                          \
        assert_null(error_);                                                                       \
    } while (0)

static uint64_t probe_read(void *opaque, hwaddr addr, unsigned size)
{
    (void)size;
    return ((Probe *)opaque)->registers[addr % 16];
}

static void probe_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    (void)size;
    ((Probe *)opaque)->registers[addr % 16] = data;
}

static G_GNUC_UNUSED const MemoryRegionOps probe_ops = {
    .read = probe_read,
    .write = probe_write,
};

static bool probe_realize(DeviceState *dev, GError **errp)
{
    Probe *p = PROBE(dev);

    trace("realize");
    if (p->body && !p->body(p, errp)) {
        return false;
    }
    if (p->fail) {
        qom_error_set(errp, QOM_ERROR_FAILED, "the probe was told to fail");
        return false;
    }
    return true;
}

static void probe_unrealize(DeviceState *dev)
{
    Probe *p = PROBE(dev);

    trace("unrealize");
    if (p->end) {
        p->end(p);
    }
}

static void probe_finalize(Object *obj)
{
    (void)obj;
    trace("finalize");
}

static const Property probe_props[] = {
    DEFINE_PROP_UINT16("base", Probe, base, 0x80, .help = "first port"),
    DEFINE_PROP_UINT32("limit", Probe, limit, 5, .live = true, .help = "may change at any time"),
    DEFINE_PROP_STRING("word", Probe, word, .help = "anything"),
};

static void probe_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    (void)data;
    dc->desc = "a device whose steps are written down";
    dc->realize = probe_realize;
    dc->unrealize = probe_unrealize;
    device_class_set_props(dc, probe_props);
}

static void bus_probe_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    DEVICE_CLASS(klass)->bus_type = TYPE_PROBE_BUS;
}

static const TypeInfo probe_types[] = {
    {
        .name = TYPE_PROBE,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(Probe),
        .instance_finalize = probe_finalize,
        .class_init = probe_class_init,
    },
    {
        .name = TYPE_BUS_PROBE,
        .parent = TYPE_PROBE,
        .class_init = bus_probe_class_init,
    },
    {
        .name = TYPE_PROBE_BUS,
        .parent = TYPE_BUS,
    },
};
DEFINE_TYPES(probe_types)

static G_GNUC_UNUSED Probe *probe_new(const char *type)
{
    GError *error = NULL;
    DeviceState *dev = qdev_new(type, &error);

    if (error) {
        print_error("%s\n", error->message);
    }
    assert_non_null(dev);
    return PROBE(dev);
}

/* Whether something answers at @port. */
static G_GNUC_UNUSED bool port_is_mapped(hwaddr port)
{
    MemoryRegionSection section = address_space_find(&address_space_io, port);
    bool mapped = section.mr != NULL;

    object_unref(section.mr);
    return mapped;
}

/* What a probe's realize may do: four registers at the port "base". */
static G_GNUC_UNUSED bool probe_maps(Probe *p, GError **errp)
{
    memory_region_init_io(&p->region, OBJECT(p), &probe_ops, p, "registers", 4);
    return qdev_map(DEVICE(p), get_system_io(), p->base, &p->region, errp);
}

/* For each test: types are registered once, tree and maps are fresh. */
static G_GNUC_UNUSED int qdev_fixture_setup(void **state)
{
    GError *error = NULL;

    (void)state;
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
    main_work_init();
    if (!module_call_init(MODULE_INIT_QOM, &error)) {
        print_error("%s\n", error->message);
        return -1;
    }
    memory_map_init();
    probe_trace = g_string_new(NULL);
    return 0;
}

static G_GNUC_UNUSED int qdev_fixture_teardown(void **state)
{
    (void)state;
    qdev_fault_inject(0);
    qdev_set_machine_ready(false);
    object_root_cleanup();
    memory_map_cleanup();
    object_global_clear();
    main_work_run();
    g_string_free(probe_trace, TRUE);
    return 0;
}

#define qdev_test(f) cmocka_unit_test_setup_teardown(f, qdev_fixture_setup, qdev_fixture_teardown)

#endif
