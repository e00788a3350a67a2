/* SPDX-License-Identifier: MIT */
/* On-board devices: regions and lines by number, mapped and wired by the board. */
#include "tests/unit/qdev-fixture.h"
#include <qomet/hw/core/sysbus.h>

#define TYPE_PART "part"

typedef struct Part {
    SysBusDevice parent_obj;
    MemoryRegion registers, window, ports;
    qemu_irq irq[2];
    bool fail;
} Part;

static Part *PART(const void *obj)
{
    return OBJECT_CHECK(Part, obj, TYPE_PART);
}

static bool part_realize(DeviceState *dev, GError **errp)
{
    Part *p = PART(dev);

    memory_region_init_io(&p->window, OBJECT(dev), &probe_ops, p, "window", 0x100);
    sysbus_init_mmio(SYS_BUS_DEVICE(dev), &p->window);
    if (p->fail) {
        qom_error_set(errp, QOM_ERROR_FAILED, "the part was told to fail");
    }
    return !p->fail;
}

static void part_init(Object *obj)
{
    Part *p = PART(obj);

    memory_region_init_io(&p->registers, obj, &probe_ops, p, "registers", 0x1000);
    memory_region_init_io(&p->ports, obj, &probe_ops, p, "ports", 4);
    sysbus_init_mmio(SYS_BUS_DEVICE(obj), &p->registers);
    sysbus_init_io(SYS_BUS_DEVICE(obj), &p->ports);
    sysbus_init_irq(SYS_BUS_DEVICE(obj), &p->irq[0]);
    sysbus_init_irq(SYS_BUS_DEVICE(obj), &p->irq[1]);
}

static void part_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    DEVICE_CLASS(klass)->realize = part_realize;
}

static const TypeInfo part_types[] = {
    {
        .name = TYPE_PART,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(Part),
        .instance_init = part_init,
        .class_init = part_class_init,
    },
};
DEFINE_TYPES(part_types)

static bool is_mapped(AddressSpace *as, hwaddr addr, MemoryRegion *mr)
{
    MemoryRegionSection section = address_space_find(as, addr);
    bool there = section.mr == mr;

    object_unref(section.mr);
    return there;
}

static SysBusDevice *part_new(void)
{
    return SYS_BUS_DEVICE(qdev_new(TYPE_PART, NULL));
}

static void there_is_one_system_bus(void **state)
{
    BusState *bus = sysbus_get_default();
    g_autofree char *path = object_get_canonical_path(OBJECT(bus));

    (void)state;
    assert_ptr_equal(sysbus_get_default(), bus);
    assert_string_equal(path, "/machine/main-system-bus");
}

static void a_name_that_something_else_has_is_no_system_bus(void **state)
{
    SysBusDevice *dev = part_new();
    DeviceState *other = qdev_new(TYPE_PROBE, NULL);

    (void)state;
    assert_works(
        object_property_add_child(qdev_get_machine(), "main-system-bus", OBJECT(other), errp));
    assert_null(sysbus_get_default());
    assert_refused(sysbus_realize(dev, errp), "No 'System' bus found for device '" TYPE_PART "'");
    object_unref(other);
    object_unref(dev);
}

static void the_board_maps_regions_by_number(void **state)
{
    SysBusDevice *dev = part_new();
    Part *p = PART(dev);

    (void)state;
    assert_works(sysbus_realize(dev, errp));
    assert_ptr_equal(DEVICE(dev)->parent_bus, sysbus_get_default());
    assert_int_equal(dev->num_mmio, 2);
    assert_works(sysbus_mmio_map(dev, 0, 0xfec00000, errp));
    assert_works(sysbus_mmio_map(dev, 1, 0xfed00000, errp));
    assert_works(sysbus_pio_map(dev, 0, 0x70, errp));
    assert_true(is_mapped(&address_space_memory, 0xfec00000, &p->registers));
    assert_true(is_mapped(&address_space_memory, 0xfed000ff, &p->window));
    assert_true(is_mapped(&address_space_io, 0x73, &p->ports));
    assert_refused(sysbus_mmio_map(dev, 2, 0, errp),
                   "device 'part' has no memory region 2: it has 2");
    assert_refused(sysbus_pio_map(dev, 1, 0, errp), "device 'part' has no port region 1: it has 1");
    assert_refused(sysbus_mmio_map(dev, 0, 0, errp),
                   "region 'registers' of 'part' is mapped already");
    qdev_unrealize(DEVICE(dev));
    assert_true(is_mapped(&address_space_memory, 0xfec00000, NULL));
    assert_true(is_mapped(&address_space_io, 0x70, NULL));
    assert_int_equal(dev->num_mmio, 1);
    object_unref(dev);
}

static void a_region_of_a_failed_realize_is_offered_no_more(void **state)
{
    SysBusDevice *dev = part_new();

    (void)state;
    PART(dev)->fail = true;
    for (int i = 0; i < 3; i++) {
        assert_refused(sysbus_realize(dev, errp), "the part was told to fail");
        assert_int_equal(dev->num_mmio, 1);
    }
    assert_false(sysbus_realize_and_unref(dev, NULL));
}

static void regions_of_a_device_that_is_not_realized_are_not_mapped(void **state)
{
    SysBusDevice *dev = part_new();

    (void)state;
    assert_false(sysbus_mmio_map(dev, 0, 0, NULL));
    assert_true(is_mapped(&address_space_memory, 0, NULL));
    object_unref(dev);
}

static void told(void *opaque, int n, int level)
{
    (void)opaque;
    trace("%d=%d", n, level);
}

static void lines_are_connected_by_number(void **state)
{
    SysBusDevice *dev = part_new();
    qemu_irq irq = qemu_allocate_irq(told, NULL, 5);

    (void)state;
    assert_works(sysbus_realize(dev, errp));
    assert_works(sysbus_connect_irq(dev, 1, irq, errp));
    qemu_irq_raise(PART(dev)->irq[1]);
    assert_trace("5=1");
    assert_refused(sysbus_connect_irq(dev, 2, irq, errp),
                   "device 'part' has no output line 2 in group 'sysbus-irq': it has 2");
    object_unref(dev);
    object_root_cleanup();
    assert_trace("5=0");
    object_unref(irq);
}

static void a_part_is_not_for_users_to_make(void **state)
{
    (void)state;
    assert_false(DEVICE_CLASS(object_class_by_name(TYPE_PART))->user_creatable);
}

static void more_regions_than_there_are_places_are_left_out(void **state)
{
    SysBusDevice *dev = part_new();
    MemoryRegion more[SYSBUS_MAX_REGIONS];

    (void)state;
    for (int i = 0; i < SYSBUS_MAX_REGIONS; i++) {
        g_autofree char *name = g_strdup_printf("more[%d]", i);

        memory_region_init_io(&more[i], OBJECT(dev), &probe_ops, dev, name, 4);
        sysbus_init_mmio(dev, &more[i]);
    }
    assert_int_equal(dev->num_mmio, SYSBUS_MAX_REGIONS);
    object_unref(dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        qdev_test(there_is_one_system_bus),
        qdev_test(a_name_that_something_else_has_is_no_system_bus),
        qdev_test(the_board_maps_regions_by_number),
        qdev_test(a_region_of_a_failed_realize_is_offered_no_more),
        qdev_test(regions_of_a_device_that_is_not_realized_are_not_mapped),
        qdev_test(lines_are_connected_by_number),
        qdev_test(a_part_is_not_for_users_to_make),
        qdev_test(more_regions_than_there_are_places_are_left_out),
    };

    return cmocka_run_group_tests_name("sysbus", tests, NULL, NULL);
}
