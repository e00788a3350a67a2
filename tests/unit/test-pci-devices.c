/* SPDX-License-Identifier: MIT */
/* Devices of PCI that go while they are at work. */
#include "tests/unit/pci-fixture.h"

#define SLOT 3
#define BDF PCI_DEVFN(SLOT, 0)
#define AT 0xe0000000
#define PORTS 0xc000
#define SECOND INT64_C(1000000000)

static DeviceState *add(const char *type)
{
    DeviceState *dev = qdev_new(type, NULL);

    PCI_DEVICE(dev)->addr = BDF;
    assert_true(qdev_set_id(dev, "x", NULL));
    assert_true(qdev_realize(dev, BUS(pci_bus), NULL));
    object_unref(dev);
    config_out(BDF, PCI_BASE_ADDRESS_0, 4, AT);
    config_out(BDF, PCI_BASE_ADDRESS_1, 4, PORTS);
    config_out(BDF, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    return dev;
}

static void pass_a_second(void)
{
    qemu_clock_warp_to(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + SECOND);
    main_work_run();
}

/* A transfer from its buffer over 0x1000, and a factorial, both with an interrupt. */
static void start_edu(void)
{
    mem_write(AT + 0x20, 4, 0x80);
    mem_write(AT + 0x08, 4, 5);
    mem_write(AT + 0x80, 8, 0x40000);
    mem_write(AT + 0x88, 8, 0x1000);
    mem_write(AT + 0x90, 8, 4);
    mem_write(AT + 0x98, 8, 7);
}

static void a_transfer_under_way_ends_with_its_device(void **state)
{
    DeviceState *edu;

    (void)state;
    qemu_clock_virtual_manual();
    mem_write(0x1000, 4, 0x11223344);
    edu = add("edu");
    start_edu();
    assert_true(qdev_unplug(edu, NULL));
    pass_a_second();
    assert_int_equal(mem_read(0x1000, 4), 0x11223344);
    assert_int_equal(mem_read(AT, 4), UINT32_MAX);
    for (unsigned i = 0; i < PCI_NUM_PINS; i++) {
        assert_int_equal(pci_levels[i], 0);
    }

    /* Another one in its place is new. */
    add("edu");
    assert_int_equal(mem_read(AT + 0x98, 4), 0);
    start_edu();
    pass_a_second();
    assert_int_equal(mem_read(0x1000, 4), 0);
    assert_int_equal(mem_read(AT + 0x24, 4), 0x101);
}

static void a_doorbell_that_is_armed_ends_with_its_device(void **state)
{
    (void)state;
    for (unsigned test = 0; test < 3; test++) {
        DeviceState *dev = add("pci-testdev");

        mem_write(AT, 1, test);
        mem_write(AT + 2048 + test, 1, 0xfa);
        io_write(PORTS, 1, test);
        io_write(PORTS + 131 + test, 1, 0xfa);
        assert_true(qdev_unplug(dev, NULL));
        mem_write(AT + 2048 + test, 1, 0xfa);
        io_write(PORTS + 131 + test, 1, 0xfa);
        assert_int_equal(io_read(PORTS, 1), 0xff);
    }
}

static void a_device_that_has_gone_is_not_unplugged_again(void **state)
{
    GError *error = NULL;
    DeviceState *edu;

    (void)state;
    edu = DEVICE(object_ref(add("edu")));
    assert_true(qdev_unplug(edu, NULL));
    assert_false(qdev_unplug(edu, &error));
    assert_non_null(error);
    g_error_free(error);
    object_unref(edu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pci_test(a_transfer_under_way_ends_with_its_device),
        pci_test(a_doorbell_that_is_armed_ends_with_its_device),
        pci_test(a_device_that_has_gone_is_not_unplugged_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
