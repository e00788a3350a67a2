/* SPDX-License-Identifier: MIT */
/* Bridges: numbers of buses, windows, pins and the reset of what is behind. */
#include "tests/unit/pci-fixture.h"
#include <qomet/hw/pci/pci-bridge.h>

#define BRIDGE PCI_DEVFN(2, 0)
#define BEHIND(bus, slot) ((bus) << 8 | PCI_DEVFN(slot, 0))

static PCIBus *bridge_at(PCIBus *bus, int slot)
{
    DeviceState *dev = qdev_new("pci-bridge", NULL);
    GError *err = NULL;

    PCI_DEVICE(dev)->addr = PCI_DEVFN(slot, 0);
    if (!qdev_realize_and_unref(dev, BUS(bus), &err)) {
        fail_msg("%s", err->message);
    }
    return PCI_BRIDGE(dev)->sec_bus;
}

static void number(uint16_t bdf, uint8_t primary, uint8_t secondary, uint8_t subordinate)
{
    config_out(bdf, PCI_PRIMARY_BUS, 4, primary | secondary << 8 | subordinate << 16);
}

static TestPCI *device_behind(PCIBus *bus, int slot)
{
    TestPCI *s = pci_test_new(slot);

    s->size[0] = 0x1000;
    s->pin = 1;
    pci_test_realize(s, bus);
    return s;
}

static void a_bus_is_found_by_the_number_that_the_guest_gives_it(void **state)
{
    PCIBus *bus = bridge_at(pci_bus, 2);

    (void)state;
    device_behind(bus, 5);
    assert_int_equal(config_in(BRIDGE, PCI_HEADER_TYPE, 1), PCI_HEADER_TYPE_BRIDGE);
    assert_int_equal(config_in(BRIDGE, PCI_CLASS_DEVICE, 2), PCI_CLASS_BRIDGE_PCI);
    assert_int_equal(config_in(BEHIND(1, 5), 0, 4), UINT32_MAX);
    number(BRIDGE, 0, 1, 1);
    assert_int_equal(config_in(BEHIND(1, 5), 0, 4), 0x56781234);
    assert_int_equal(config_in(BEHIND(1, 4), 0, 4), UINT32_MAX);
    assert_int_equal(config_in(PCI_DEVFN(5, 0), 0, 4), UINT32_MAX);
    number(BRIDGE, 0, 0x80, 0xff);
    assert_int_equal(config_in(BEHIND(1, 5), 0, 4), UINT32_MAX);
    assert_int_equal(config_in(BEHIND(0x80, 5), 0, 4), 0x56781234);
    assert_int_equal(pci_bus_num(bus), 0x80);
}

static void a_bus_behind_two_bridges_is_found(void **state)
{
    PCIBus *first = bridge_at(pci_bus, 2), *second = bridge_at(first, 3);

    (void)state;
    device_behind(second, 7);
    number(BRIDGE, 0, 1, 2);
    number(BEHIND(1, 3), 1, 2, 2);
    assert_int_equal(config_in(BEHIND(2, 7), 0, 4), 0x56781234);
    /* The first one does not pass it on any more. */
    number(BRIDGE, 0, 1, 1);
    assert_int_equal(config_in(BEHIND(2, 7), 0, 4), UINT32_MAX);
}

static void numbers_that_make_no_sense_do_no_harm(void **state)
{
    static const uint8_t values[] = { 0, 1, 2, 3, 0xff };
    PCIBus *first = bridge_at(pci_bus, 2), *second = bridge_at(first, 3);

    (void)state;
    device_behind(second, 7);
    number(BRIDGE, 0, 1, 2);
    for (size_t a = 0; a < 5; a++) {
        for (size_t b = 0; b < 5; b++) {
            number(BEHIND(1, 3), 1, values[a], values[b]);
            for (unsigned bus = 0; bus < 256; bus++) {
                config_in(BEHIND(bus, 7), 0, 4);
                config_out(BEHIND(bus, 7), PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
            }
        }
    }
    number(BRIDGE, 0, 0, 0xff);
    assert_int_equal(config_in(BRIDGE, PCI_VENDOR_ID, 4), 0x00011b36);
}

static void memory_shows_through_windows_only(void **state)
{
    PCIBus *bus = bridge_at(pci_bus, 2);

    (void)state;
    device_behind(bus, 5);
    number(BRIDGE, 0, 1, 1);
    config_out(BEHIND(1, 5), PCI_BASE_ADDRESS_0, 4, 0xe0000000);
    config_out(BEHIND(1, 5), PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    assert_int_equal(mem_read(0xe0000010, 4), UINT32_MAX);
    config_out(BRIDGE, PCI_MEMORY_BASE, 4, 0xe000e000);
    assert_int_equal(mem_read(0xe0000010, 4), UINT32_MAX);
    config_out(BRIDGE, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    assert_int_equal(mem_read(0xe0000010, 4), 0xba000010);
    config_out(BRIDGE, PCI_MEMORY_BASE, 4, 0xe010e010);
    assert_int_equal(mem_read(0xe0000010, 4), UINT32_MAX);
    config_out(BEHIND(1, 5), PCI_BASE_ADDRESS_0, 4, 0xe01ff000);
    assert_int_equal(mem_read(0xe01ff010, 4), 0xba000010);
    /* A limit below the base closes it. */
    config_out(BRIDGE, PCI_MEMORY_BASE, 4, 0xe000e010);
    assert_int_equal(mem_read(0xe01ff010, 4), UINT32_MAX);
    /* The window for prefetching goes anywhere, everywhere even. */
    config_out(BRIDGE, PCI_PREF_MEMORY_BASE, 4, 0xfff00000);
    config_out(BRIDGE, PCI_PREF_LIMIT_UPPER32, 4, UINT32_MAX);
    assert_int_equal(mem_read(0xe01ff010, 4), 0xba000010);
    config_out(BRIDGE, PCI_COMMAND, 2, 0);
    assert_int_equal(mem_read(0xe01ff010, 4), UINT32_MAX);
}

static void ports_show_through_their_window(void **state)
{
    PCIBus *bus = bridge_at(pci_bus, 2);
    TestPCI *s = pci_test_new(5);

    (void)state;
    s->size[0] = 0x20;
    s->type[0] = PCI_BASE_ADDRESS_SPACE_IO;
    pci_test_realize(s, bus);
    number(BRIDGE, 0, 1, 1);
    config_out(BEHIND(1, 5), PCI_BASE_ADDRESS_0, 4, 0xc000);
    config_out(BEHIND(1, 5), PCI_COMMAND, 2, PCI_COMMAND_IO);
    assert_int_equal(io_read(0xc004, 4), UINT32_MAX);
    config_out(BRIDGE, PCI_IO_BASE, 2, 0xc0c0);
    config_out(BRIDGE, PCI_COMMAND, 2, PCI_COMMAND_IO);
    assert_int_equal(io_read(0xc004, 4), 0xba000004);
}

static void a_pin_is_turned_at_each_bridge(void **state)
{
    PCIBus *bus = bridge_at(pci_bus, 2);
    TestPCI *s = device_behind(bus, 5);

    (void)state;
    /* INTA, then 5, then 2. */
    assert_int_equal(pci_device_route_intx(&s->parent_obj, 0), 3);
    pci_set_irq(&s->parent_obj, 1);
    assert_int_equal(pci_levels[3], 1);
    pci_set_irq(&s->parent_obj, 0);
    assert_int_equal(pci_levels[3], 0);
}

static void the_bus_behind_is_reset_alone(void **state)
{
    PCIBus *bus = bridge_at(pci_bus, 2);
    TestPCI *s = device_behind(bus, 5);

    (void)state;
    pci_test_make(3, 0x1000);
    number(BRIDGE, 0, 1, 1);
    config_out(BEHIND(1, 5), PCI_INTERRUPT_LINE, 1, 10);
    config_out(PCI_DEVFN(3, 0), PCI_INTERRUPT_LINE, 1, 11);
    pci_set_irq(&s->parent_obj, 1);
    config_out(BRIDGE, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CTL_BUS_RESET);
    assert_int_equal(config_in(BEHIND(1, 5), PCI_INTERRUPT_LINE, 1), 0);
    assert_int_equal(pci_levels[3], 0);
    assert_int_equal(config_in(PCI_DEVFN(3, 0), PCI_INTERRUPT_LINE, 1), 11);
    config_out(BRIDGE, PCI_BRIDGE_CONTROL, 2, 0);
}

static void a_reset_closes_windows_and_forgets_numbers(void **state)
{
    PCIBus *bus = bridge_at(pci_bus, 2);

    (void)state;
    device_behind(bus, 5);
    number(BRIDGE, 0, 1, 1);
    config_out(BRIDGE, PCI_MEMORY_BASE, 4, 0xe000e000);
    config_out(BRIDGE, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    resettable_reset(OBJECT(BUS(pci_bus)->parent), RESET_TYPE_COLD);
    assert_int_equal(config_in(BRIDGE, PCI_PRIMARY_BUS, 4), 0);
    assert_int_equal(config_in(BRIDGE, PCI_MEMORY_BASE, 4), 0);
    assert_int_equal(config_in(BEHIND(1, 5), 0, 4), UINT32_MAX);
}

static void a_bridge_that_goes_takes_its_devices_along(void **state)
{
    PCIBus *bus = bridge_at(pci_bus, 2);

    (void)state;
    device_behind(bus, 5);
    number(BRIDGE, 0, 1, 1);
    assert_int_equal(config_in(BEHIND(1, 5), 0, 4), 0x56781234);
    object_unparent(OBJECT(bus->bridge));
    assert_int_equal(config_in(BEHIND(1, 5), 0, 4), UINT32_MAX);
    assert_int_equal(config_in(BRIDGE, 0, 4), UINT32_MAX);
}

static void devices_without_a_bus_go_to_the_root(void **state)
{
    TestPCI *s;

    (void)state;
    bridge_at(pci_bus, 2);
    s = pci_test_new(PCI_ADDR_AUTO);
    assert_true(qdev_realize_and_unref(DEVICE(s), NULL, NULL));
    assert_ptr_equal(pci_get_bus(&s->parent_obj), pci_bus);
}

static void *renumber(void *opaque)
{
    uint32_t *end = opaque;

    entry_thread_register("renumberer", NULL, NULL);
    for (unsigned n = 1; !__atomic_load_n(end, __ATOMIC_SEQ_CST); n = n % 200 + 1) {
        number(BRIDGE, 0, (uint8_t)n, (uint8_t)n);
    }
    entry_thread_unregister();
    return NULL;
}

/* What a device reads by itself is told apart by its number. */
static void a_bus_may_be_given_another_number_while_a_device_behind_is_at_work(void **state)
{
    TestPCI *s = device_behind(bridge_at(pci_bus, 2), 5);
    uint32_t end = 0, word;
    pthread_t thread;

    (void)state;
    s->parent_obj.config[PCI_COMMAND] |= PCI_COMMAND_MASTER;
    assert_int_equal(pthread_create(&thread, NULL, renumber, &end), 0);
    for (unsigned i = 0; i < 2000; i++) {
        assert_int_equal(pci_dma_read(&s->parent_obj, 0, &word, sizeof(word)), MEMTX_OK);
        assert_int_equal(pci_get_bdf(&s->parent_obj) & 0xff, PCI_DEVFN(5, 0));
    }
    __atomic_store_n(&end, 1, __ATOMIC_SEQ_CST);
    pthread_join(thread, NULL);
}

/* As "-device pci-bridge,id=b -device X,bus=b" says it. */
static void the_bus_of_a_bridge_has_its_id_as_name(void **state)
{
    DeviceState *dev = qdev_new("pci-bridge", NULL);

    (void)state;
    assert_true(qdev_set_id(dev, "b", NULL));
    assert_true(qdev_realize_and_unref(dev, BUS(pci_bus), NULL));
    assert_ptr_equal(qbus_find("b", TYPE_PCI_BUS, NULL), ((PCIBridge *)dev)->sec_bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pci_test(a_bus_is_found_by_the_number_that_the_guest_gives_it),
        pci_test(a_bus_behind_two_bridges_is_found),
        pci_test(numbers_that_make_no_sense_do_no_harm),
        pci_test(memory_shows_through_windows_only),
        pci_test(ports_show_through_their_window),
        pci_test(a_pin_is_turned_at_each_bridge),
        pci_test(the_bus_behind_is_reset_alone),
        pci_test(a_reset_closes_windows_and_forgets_numbers),
        pci_test(a_bridge_that_goes_takes_its_devices_along),
        pci_test(a_bus_may_be_given_another_number_while_a_device_behind_is_at_work),
        pci_test(the_bus_of_a_bridge_has_its_id_as_name),
        pci_test(devices_without_a_bus_go_to_the_root),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
