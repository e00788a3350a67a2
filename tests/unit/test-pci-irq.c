/* SPDX-License-Identifier: MIT */
/* Interrupt pins: from a device to a line of the board. */
#include "tests/unit/pci-fixture.h"

static TestPCI *make(int slot, uint32_t pin)
{
    TestPCI *s = pci_test_new(slot);

    s->pin = pin;
    pci_test_realize(s, pci_bus);
    return s;
}

static void a_pin_is_turned_by_the_number_of_its_device(void **state)
{
    (void)state;
    for (unsigned slot = 1; slot < 9; slot++) {
        TestPCI *s = make(slot, 1 + slot % PCI_NUM_PINS);
        unsigned line = (slot + slot % PCI_NUM_PINS) % PCI_NUM_PINS;

        assert_int_equal(pci_device_route_intx(&s->parent_obj, slot % PCI_NUM_PINS), line);
        pci_set_irq(&s->parent_obj, 1);
        for (unsigned i = 0; i < PCI_NUM_PINS; i++) {
            assert_int_equal(pci_levels[i], i == line);
        }
        pci_set_irq(&s->parent_obj, 0);
        assert_int_equal(pci_levels[line], 0);
    }
}

static void a_line_is_high_while_any_device_holds_it(void **state)
{
    TestPCI *a = make(4, 1), *b = make(8, 1);

    (void)state;
    pci_set_irq(&a->parent_obj, 1);
    pci_set_irq(&b->parent_obj, 1);
    pci_set_irq(&b->parent_obj, 1);
    pci_set_irq(&a->parent_obj, 0);
    assert_int_equal(pci_levels[0], 1);
    pci_set_irq(&b->parent_obj, 0);
    assert_int_equal(pci_levels[0], 0);
}

static void a_device_that_goes_lets_its_line_go(void **state)
{
    TestPCI *s = make(4, 1);

    (void)state;
    pci_set_irq(&s->parent_obj, 1);
    object_unparent(OBJECT(s));
    assert_int_equal(pci_levels[0], 0);
}

static void the_status_shows_the_pin_whether_it_is_enabled_or_not(void **state)
{
    TestPCI *s = make(4, 1);

    (void)state;
    config_out(4 << 3, PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE);
    pci_set_irq(&s->parent_obj, 1);
    assert_int_equal(pci_levels[0], 0);
    assert_true(config_in(4 << 3, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
    config_out(4 << 3, PCI_COMMAND, 2, 0);
    assert_int_equal(pci_levels[0], 1);
    config_out(4 << 3, PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE);
    assert_int_equal(pci_levels[0], 0);
    pci_set_irq(&s->parent_obj, 0);
    assert_false(config_in(4 << 3, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
    config_out(4 << 3, PCI_COMMAND, 2, 0);
    assert_int_equal(pci_levels[0], 0);
}

static void the_guest_cannot_write_the_status_of_the_pin(void **state)
{
    TestPCI *s = make(4, 1);

    (void)state;
    pci_set_irq(&s->parent_obj, 1);
    config_out(4 << 3, PCI_STATUS, 2, UINT16_MAX);
    assert_true(config_in(4 << 3, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
    config_out(4 << 3, PCI_INTERRUPT_PIN, 1, 3);
    assert_int_equal(config_in(4 << 3, PCI_INTERRUPT_PIN, 1), 1);
}

static void a_reset_lets_the_line_go(void **state)
{
    TestPCI *s = make(4, 1);

    (void)state;
    pci_set_irq(&s->parent_obj, 1);
    resettable_reset(OBJECT(BUS(pci_bus)->parent), RESET_TYPE_COLD);
    assert_int_equal(pci_levels[0], 0);
    assert_false(config_in(4 << 3, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
    pci_set_irq(&s->parent_obj, 1);
    assert_int_equal(pci_levels[0], 1);
}

static void a_device_without_a_pin_raises_nothing(void **state)
{
    TestPCI *s = make(4, 0);

    (void)state;
    pci_set_irq(&s->parent_obj, 1);
    pci_set_irq(&s->parent_obj, 0);
    assert_int_equal(pci_changes, 0);
}

static void a_pin_can_be_had_as_a_line(void **state)
{
    TestPCI *s = make(5, 1);
    qemu_irq line = pci_allocate_irq(&s->parent_obj);

    (void)state;
    qemu_irq_raise(line);
    assert_int_equal(pci_levels[1], 1);
    qemu_irq_lower(line);
    assert_int_equal(pci_levels[1], 0);
    object_unref(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pci_test(a_pin_is_turned_by_the_number_of_its_device),
        pci_test(a_line_is_high_while_any_device_holds_it),
        pci_test(a_device_that_goes_lets_its_line_go),
        pci_test(the_status_shows_the_pin_whether_it_is_enabled_or_not),
        pci_test(the_guest_cannot_write_the_status_of_the_pin),
        pci_test(a_reset_lets_the_line_go),
        pci_test(a_device_without_a_pin_raises_nothing),
        pci_test(a_pin_can_be_had_as_a_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
