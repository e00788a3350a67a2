/* SPDX-License-Identifier: MIT */
/*
 * Types for the boards of tests: an on-board device with lines, a bridge with a bus, and an object
 * that a device needs.
 */
#ifndef QOMET_TESTS_UNIT_BOARD_TYPES_H
#define QOMET_TESTS_UNIT_BOARD_TYPES_H

#include <qomet/hw/isa/isa-bus.h>
#include <qomet/qom/user-creatable.h>
#include "tests/unit/board-fixture.h"

typedef struct TestBlock {
    SysBusDevice parent_obj;
    MemoryRegion regions[3];
    qemu_irq irq, named[2];
    Object *backend;
} TestBlock;

typedef struct TestBackend {
    Object parent_obj;
    uint32_t value;
    bool complete;
} TestBackend;

static int heard[3];

static void hear(void *opaque, int n, int level)
{
    (void)opaque;
    heard[n] = level;
}

static bool block_realize(DeviceState *dev, GError **errp)
{
    TestBlock *s = (TestBlock *)dev;

    (void)errp;
    if (s->backend && !((TestBackend *)s->backend)->complete) {
        qom_error_set(errp, QOM_ERROR_STATE, "the backend is not complete");
        return false;
    }
    return true;
}

static void block_init(Object *obj)
{
    static const MemoryRegionOps ops = { .read = NULL };
    TestBlock *s = (TestBlock *)obj;

    for (unsigned i = 0; i < 3; i++) {
        memory_region_init_io(&s->regions[i], obj, &ops, s, i == 2 ? "ports" : "registers", 0x10);
    }
    sysbus_init_mmio(SYS_BUS_DEVICE(obj), &s->regions[0]);
    sysbus_init_mmio(SYS_BUS_DEVICE(obj), &s->regions[1]);
    sysbus_init_io(SYS_BUS_DEVICE(obj), &s->regions[2]);
    sysbus_init_irq(SYS_BUS_DEVICE(obj), &s->irq);
    qdev_init_gpio_out_named(DEVICE(obj), s->named, "ready", 2);
    qdev_init_gpio_in_direct(DEVICE(obj), hear, "ear", 3);
}

static const Property block_props[] = {
    DEFINE_PROP_LINK("backend", TestBlock, backend, "test-backend", Object *),
};

static void block_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    DEVICE_CLASS(klass)->realize = block_realize;
    device_class_set_props(DEVICE_CLASS(klass), block_props);
}

static bool backend_complete(UserCreatable *uc, GError **errp)
{
    TestBackend *s = (TestBackend *)uc;

    if (s->value == 13) {
        qom_error_set(errp, QOM_ERROR_VALUE, "13 is no good");
        return false;
    }
    s->complete = true;
    return true;
}

static const Property backend_props[] = {
    DEFINE_PROP_UINT32("value", TestBackend, value, 1),
};

static void backend_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    USER_CREATABLE_CLASS(klass)->complete = backend_complete;
    object_class_add_properties(klass, backend_props, G_N_ELEMENTS(backend_props));
}

/* Its bus comes with it. */
static bool bridge_realize(DeviceState *dev, GError **errp)
{
    return isa_bus_new(dev, get_system_io(), errp) != NULL;
}

static void bridge_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    DEVICE_CLASS(klass)->realize = bridge_realize;
}

static const InterfaceInfo backend_interfaces[] = { { TYPE_USER_CREATABLE }, { NULL } };

static const TypeInfo test_types[] = {
    {
        .name = "test-block",
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(TestBlock),
        .instance_init = block_init,
        .class_init = block_class_init,
    },
    {
        .name = "test-backend",
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(TestBackend),
        .class_init = backend_class_init,
        .interfaces = backend_interfaces,
    },
    {
        .name = "test-bridge",
        .parent = TYPE_DEVICE,
        .class_init = bridge_class_init,
    },
};
DEFINE_TYPES(test_types)

/* The object at that path below the machine. */
static G_GNUC_UNUSED Object *at(const char *path)
{
    g_autofree char *whole = g_strconcat("/machine/", path, NULL);
    Object *obj = object_resolve_path(whole, NULL);

    if (!obj) {
        fail_msg("there is no '%s'", path);
    }
    return obj;
}

#endif
