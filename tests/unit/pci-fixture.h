/* SPDX-License-Identifier: MIT */
/*
 * What the tests of PCI share: a host bridge with a root bus under the machine's memory and ports,
 * whose lines are the test's, and a device whose BARs the test chooses and watches.
 */
#ifndef QOMET_TESTS_UNIT_PCI_FIXTURE_H
#define QOMET_TESTS_UNIT_PCI_FIXTURE_H

#include "tests/test.h"
#include <string.h>
#include <qomet/accel/runstate.h>
#include <qomet/backends/loop.h>
#include <qomet/hw/pci/pci-host.h>
#include <qomet/memory/main-work.h>
#include <qomet/qom/keyval.h>

#define TYPE_TEST_PCI_HOST "test-pci-host"
#define TYPE_TEST_PCI "test-pci"
OBJECT_DECLARE_SIMPLE_TYPE(TestPCIHost, TEST_PCI_HOST)
OBJECT_DECLARE_SIMPLE_TYPE(TestPCI, TEST_PCI)

struct TestPCIHost {
    PCIHostState parent_obj;
    MemoryRegion memory;
};

/* ---- A device ---- */

struct TestPCI {
    PCIDevice parent_obj;
    MemoryRegion bar[6];
    uint64_t size[6]; /* of each BAR; 0: none */
    uint8_t type[6];
    uint32_t pin;
    uint32_t reads, writes;                      /* atomic */
    uint32_t hold;                               /* a read waits while it is set; atomic */
    uint32_t inside;                             /* threads in a read; atomic */
    uint32_t inside_at_exit;                     /* as many as were when it was made to end */
    bool (*more)(PCIDevice *dev, GError **errp); /* of realize, or NULL */
};

/* Each BAR answers with its number in every byte of the upper half, the offset in the lower. */
static uint64_t test_pci_read(void *opaque, hwaddr addr, unsigned size)
{
    TestPCI *s = opaque;

    (void)size;
    __atomic_add_fetch(&s->inside, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&s->hold, __ATOMIC_SEQ_CST)) {
        g_usleep(100);
    }
    __atomic_add_fetch(&s->reads, 1, __ATOMIC_SEQ_CST);
    __atomic_sub_fetch(&s->inside, 1, __ATOMIC_SEQ_CST);
    return UINT64_C(0xba000000) | addr;
}

static void test_pci_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    TestPCI *s = opaque;

    (void)addr;
    (void)data;
    (void)size;
    __atomic_add_fetch(&s->writes, 1, __ATOMIC_SEQ_CST);
}

static const MemoryRegionOps test_pci_ops = { .read = test_pci_read, .write = test_pci_write };

static bool test_pci_realize(PCIDevice *dev, GError **errp)
{
    TestPCI *s = TEST_PCI(dev);

    pci_config_set_interrupt_pin(dev->config, s->pin);
    for (unsigned i = 0; i < 6; i++) {
        if (s->size[i]) {
            g_autofree char *name = g_strdup_printf("bar%u", i);

            memory_region_init_io(&s->bar[i], OBJECT(dev), &test_pci_ops, s, name, s->size[i]);
            pci_register_bar(dev, i, s->type[i], &s->bar[i]);
        }
    }
    return !s->more || s->more(dev, errp);
}

static void test_pci_exit(PCIDevice *dev)
{
    TestPCI *s = TEST_PCI(dev);

    s->inside_at_exit = __atomic_load_n(&s->inside, __ATOMIC_SEQ_CST);
}

static void test_pci_class_init(ObjectClass *klass, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    (void)data;
    pc->realize = test_pci_realize;
    pc->exit = test_pci_exit;
    pc->vendor_id = 0x1234;
    pc->device_id = 0x5678;
    pc->revision = 0x9a;
    pc->class_id = 0xbcde;
}

/* ---- A host bridge ---- */

static int pci_levels[PCI_NUM_PINS]; /* of the board's lines */
static unsigned pci_changes;

static void test_set_irq(void *opaque, int line, int level)
{
    (void)opaque;
    pci_levels[line] = level;
    pci_changes++;
}

static bool test_host_realize(DeviceState *dev, GError **errp)
{
    TestPCIHost *s = TEST_PCI_HOST(dev);
    PCIHostState *host = &s->parent_obj;

    memory_region_init(&s->memory, OBJECT(dev), "pci", UINT64_MAX);
    memory_region_add_subregion_overlap(get_system_memory(), 0, &s->memory, -1);
    host->bus = pci_root_bus_new(TYPE_PCI_BUS, dev, "pci.0", &s->memory, get_system_io(), 0, errp);
    if (!host->bus) {
        return false;
    }
    pci_bus_irqs(host->bus, test_set_irq, pci_swizzle_map_irq_fn, NULL, PCI_NUM_PINS);
    return qdev_map(dev, get_system_io(), PCI_CONF_PORT, &host->conf, errp) &&
           qdev_map(dev, get_system_io(), PCI_DATA_PORT, &host->data, errp);
}

static void test_host_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    DEVICE_CLASS(klass)->realize = test_host_realize;
}

static const TypeInfo pci_fixture_types[] = {
    {
        .name = TYPE_TEST_PCI,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(TestPCI),
        .class_init = test_pci_class_init,
    },
    {
        .name = TYPE_TEST_PCI_HOST,
        .parent = TYPE_PCI_HOST_BRIDGE,
        .instance_size = sizeof(TestPCIHost),
        .class_init = test_host_class_init,
    },
};
DEFINE_TYPES(pci_fixture_types)

static PCIBus *pci_bus;
static MemoryRegion *pci_ram;

/* ---- Accesses of a processor ---- */

static G_GNUC_UNUSED uint64_t io_read(uint16_t port, unsigned size)
{
    uint64_t value = 0;

    address_space_load(&address_space_io, port, size, &value, MEMTXATTRS_UNSPECIFIED);
    return value;
}

static G_GNUC_UNUSED void io_write(uint16_t port, unsigned size, uint64_t value)
{
    address_space_store(&address_space_io, port, size, value, MEMTXATTRS_UNSPECIFIED);
}

static G_GNUC_UNUSED uint64_t mem_read(hwaddr addr, unsigned size)
{
    uint64_t value = 0;

    address_space_load(&address_space_memory, addr, size, &value, MEMTXATTRS_UNSPECIFIED);
    return value;
}

static G_GNUC_UNUSED void mem_write(hwaddr addr, unsigned size, uint64_t value)
{
    address_space_store(&address_space_memory, addr, size, value, MEMTXATTRS_UNSPECIFIED);
}

/* Configuration accesses through the ports; @bdf is bus << 8 | device and function. */
static G_GNUC_UNUSED uint32_t config_in(uint16_t bdf, uint8_t reg, unsigned size)
{
    io_write(PCI_CONF_PORT, 4, UINT32_C(0x80000000) | (uint32_t)bdf << 8 | (reg & 0xfc));
    return io_read(PCI_DATA_PORT + (reg & 3), size);
}

static G_GNUC_UNUSED void config_out(uint16_t bdf, uint8_t reg, unsigned size, uint32_t value)
{
    io_write(PCI_CONF_PORT, 4, UINT32_C(0x80000000) | (uint32_t)bdf << 8 | (reg & 0xfc));
    io_write(PCI_DATA_PORT + (reg & 3), size, value);
}

/* ---- Devices ---- */

/* A device of the fixture that is not realized; @slot may be PCI_ADDR_AUTO. */
static G_GNUC_UNUSED TestPCI *pci_test_new(int slot)
{
    TestPCI *s = TEST_PCI(qdev_new(TYPE_TEST_PCI, NULL));

    s->parent_obj.addr = slot == PCI_ADDR_AUTO ? slot : PCI_DEVFN(slot, 0);
    return s;
}

static G_GNUC_UNUSED void pci_test_realize(TestPCI *s, PCIBus *bus)
{
    GError *err = NULL;

    if (!qdev_realize_and_unref(DEVICE(s), BUS(bus), &err)) {
        fail_msg("%s", err->message);
    }
}

/* One with a BAR of memory of @size bytes, in @slot of the root bus. */
static G_GNUC_UNUSED TestPCI *pci_test_make(int slot, uint64_t size)
{
    TestPCI *s = pci_test_new(slot);

    s->size[0] = size;
    s->pin = 1;
    pci_test_realize(s, pci_bus);
    return s;
}

static G_GNUC_UNUSED void run_main(void)
{
    for (int i = 0; i < 5; i++) {
        main_loop_wait(false);
    }
}

/* ---- Before and after each test ---- */

#define PCI_RAM_BYTES (1 << 20)

static G_GNUC_UNUSED int pci_setup(void **state)
{
    GError *err = NULL;
    DeviceState *host;

    (void)state;
    main_loop_init();
    clocks_init();
    if (!module_call_init(MODULE_INIT_QOM, &err)) {
        print_error("%s\n", err->message);
        return -1;
    }
    memory_map_init();
    memset(pci_levels, 0, sizeof(pci_levels));
    pci_changes = 0;
    pci_ram = g_new0(MemoryRegion, 1);
    assert_true(memory_region_init_ram(pci_ram, NULL, "ram", PCI_RAM_BYTES, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), 0, pci_ram, NULL));
    host = qdev_new(TYPE_TEST_PCI_HOST, &err);
    assert_true(sysbus_realize_and_unref(SYS_BUS_DEVICE(host), &err));
    pci_bus = PCI_HOST_BRIDGE(host)->bus;
    return 0;
}

static G_GNUC_UNUSED int pci_teardown(void **state)
{
    (void)state;
    object_root_cleanup();
    memory_region_del_subregion(get_system_memory(), pci_ram);
    object_unref(pci_ram);
    run_main();
    memory_map_cleanup();
    g_free(pci_ram);
    object_global_clear();
    runstate_cleanup();
    run_main();
    clocks_cleanup();
    main_loop_cleanup();
    return 0;
}

#define pci_test(fn) cmocka_unit_test_setup_teardown(fn, pci_setup, pci_teardown)

#endif
