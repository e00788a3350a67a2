/* SPDX-License-Identifier: MIT */
/* Configuration spaces as a guest reads and writes them through ports, and who is at which address. */
#include "tests/unit/pci-fixture.h"

#define SLOT 3
#define BDF PCI_DEVFN(SLOT, 0)

static void the_numbers_are_those_of_the_class(void **state)
{
    (void)state;
    pci_test_make(SLOT, 0x1000);
    assert_int_equal(config_in(BDF, PCI_VENDOR_ID, 4), 0x56781234);
    assert_int_equal(config_in(BDF, PCI_REVISION_ID, 4), 0xbcde009a);
    assert_int_equal(config_in(BDF, PCI_HEADER_TYPE, 1), PCI_HEADER_TYPE_NORMAL);
    assert_int_equal(config_in(BDF, PCI_SUBSYSTEM_VENDOR_ID, 4), 0x11001af4);
    assert_int_equal(config_in(BDF, PCI_INTERRUPT_PIN, 1), 1);
}

static void every_size_reads_the_same_bytes(void **state)
{
    (void)state;
    pci_test_make(SLOT, 0x1000);
    for (unsigned reg = 0; reg < PCI_CFG_SPACE_SIZE; reg += 4) {
        uint32_t whole = config_in(BDF, reg, 4);

        for (unsigned i = 0; i < 4; i++) {
            assert_int_equal(config_in(BDF, reg + i, 1), whole >> (8 * i) & 0xff);
        }
        assert_int_equal(config_in(BDF, reg, 2), whole & 0xffff);
        assert_int_equal(config_in(BDF, reg + 2, 2), whole >> 16);
    }
}

static void every_size_writes_what_may_be_written_and_nothing_else(void **state)
{
    static const uint32_t values[] = { 0, UINT32_MAX, 0xa5a5a5a5, 0x01020304 };
    TestPCI *s = pci_test_make(SLOT, 0x1000);
    PCIDevice *dev = &s->parent_obj;

    (void)state;
    for (unsigned size = 1; size <= 4; size *= 2) {
        for (unsigned reg = 0; reg < PCI_CFG_SPACE_SIZE; reg += size) {
            for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
                uint8_t before[PCI_CFG_SPACE_SIZE];

                memcpy(before, dev->config, sizeof(before));
                config_out(BDF, reg, size, values[i]);
                for (unsigned b = 0; b < sizeof(before); b++) {
                    uint8_t written = b >= reg && b < reg + size ? values[i] >> 8 * (b - reg) : 0;
                    uint8_t mask = b >= reg && b < reg + size ? dev->wmask[b] : 0;

                    assert_int_equal(dev->config[b], (before[b] & ~mask) | (written & mask));
                }
            }
        }
    }
}

static void errors_are_cleared_by_writing_ones(void **state)
{
    TestPCI *s = pci_test_make(SLOT, 0x1000);
    uint8_t *config = s->parent_obj.config;

    (void)state;
    pci_set_word(config + PCI_STATUS, PCI_STATUS_REC_MASTER_ABORT | PCI_STATUS_DETECTED_PARITY);
    config_out(BDF, PCI_STATUS, 2, PCI_STATUS_DETECTED_PARITY);
    assert_int_equal(config_in(BDF, PCI_STATUS, 2), PCI_STATUS_REC_MASTER_ABORT);
    config_out(BDF, PCI_STATUS, 2, 0);
    assert_int_equal(config_in(BDF, PCI_STATUS, 2), PCI_STATUS_REC_MASTER_ABORT);
}

static void where_nobody_is_all_bits_are_set(void **state)
{
    (void)state;
    pci_test_make(SLOT, 0x1000);
    for (unsigned devfn = 0; devfn < 256; devfn++) {
        if (devfn != BDF) {
            assert_int_equal(config_in(devfn, 0, 4), UINT32_MAX);
            assert_int_equal(config_in(devfn, 1, 1), 0xff);
            config_out(devfn, PCI_COMMAND, 2, UINT16_MAX);
        }
    }
    assert_int_equal(config_in(1 << 8 | BDF, 0, 4), UINT32_MAX);
    assert_int_equal(config_in(0xff << 8 | BDF, 0, 4), UINT32_MAX);
}

static void the_address_is_a_register_of_four_bytes(void **state)
{
    (void)state;
    pci_test_make(SLOT, 0x1000);
    io_write(PCI_CONF_PORT, 4, 0x80000000 | BDF << 8);
    assert_int_equal(io_read(PCI_CONF_PORT, 4), 0x80000000 | BDF << 8);
    /* Narrower ones are somebody else's. */
    io_write(PCI_CONF_PORT + 1, 1, 0);
    io_write(PCI_CONF_PORT, 2, 0);
    assert_int_equal(io_read(PCI_CONF_PORT, 4), 0x80000000 | BDF << 8);
    assert_int_equal(io_read(PCI_CONF_PORT, 1), 0xff);
    assert_int_equal(io_read(PCI_DATA_PORT, 4), 0x56781234);
    /* Not enabled: the ports are not the bus's. */
    io_write(PCI_CONF_PORT, 4, BDF << 8);
    assert_int_equal(io_read(PCI_DATA_PORT, 4), UINT32_MAX);
    io_write(PCI_DATA_PORT, 4, UINT32_MAX);
}

static bool add_capabilities(PCIDevice *dev, GError **errp)
{
    assert_int_equal(pci_add_capability(dev, PCI_CAP_ID_VNDR, 0, 0x10, errp), 0x40);
    assert_int_equal(pci_add_capability(dev, PCI_CAP_ID_MSI, 0x80, 0x0a, errp), 0x80);
    assert_int_equal(pci_add_capability(dev, PCI_CAP_ID_EXP, 0, 0x20, errp), 0x50);
    return true;
}

static void capabilities_are_a_list_that_the_guest_cannot_write(void **state)
{
    TestPCI *s = pci_test_new(SLOT);
    uint8_t at;

    (void)state;
    s->more = add_capabilities;
    pci_test_realize(s, pci_bus);
    assert_true(config_in(BDF, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST);
    at = config_in(BDF, PCI_CAPABILITY_LIST, 1);
    assert_int_equal(at, 0x50);
    assert_int_equal(config_in(BDF, at, 2), 0x8000 | PCI_CAP_ID_EXP);
    assert_int_equal(config_in(BDF, 0x80, 2), 0x4000 | PCI_CAP_ID_MSI);
    assert_int_equal(config_in(BDF, 0x40, 2), PCI_CAP_ID_VNDR);
    config_out(BDF, 0x40, 4, UINT32_MAX);
    assert_int_equal(config_in(BDF, 0x40, 4), PCI_CAP_ID_VNDR);
    assert_int_equal(pci_find_capability(&s->parent_obj, PCI_CAP_ID_MSI), 0x80);
    assert_int_equal(pci_find_capability(&s->parent_obj, PCI_CAP_ID_AGP), 0);
}

static bool add_too_many(PCIDevice *dev, GError **errp)
{
    return pci_add_capability(dev, PCI_CAP_ID_VNDR, 0x80, 0x10, errp) &&
           pci_add_capability(dev, PCI_CAP_ID_MSI, 0x88, 0x10, errp);
}

static void capabilities_do_not_overlap(void **state)
{
    TestPCI *s = pci_test_new(SLOT);
    g_autoptr(GError) err = NULL;

    (void)state;
    s->more = add_too_many;
    assert_false(qdev_realize_and_unref(DEVICE(s), BUS(pci_bus), &err));
    assert_string_equal(err->message,
                        "no room for capability 0x05 of 16 bytes at 0x88 in 'test-pci'");
    assert_int_equal(config_in(BDF, 0, 4), UINT32_MAX);
}

static bool add_askew(PCIDevice *dev, GError **errp)
{
    return pci_add_capability(dev, PCI_CAP_ID_VNDR, 0xfd, 3, errp);
}

/* [PCI] 6.7: the two lowest bits of a pointer to one are not there. */
static void a_capability_begins_at_a_multiple_of_4(void **state)
{
    TestPCI *s = pci_test_new(SLOT);
    g_autoptr(GError) err = NULL;

    (void)state;
    s->more = add_askew;
    assert_false(qdev_realize_and_unref(DEVICE(s), BUS(pci_bus), &err));
    assert_string_equal(err->message,
                        "capability 0x09 at 0xfd in 'test-pci': its offset is no multiple of 4");
}

/* ---- Addresses ---- */

static bool try_at(const char *addr, bool multifunction, GError **errp)
{
    DeviceState *dev = qdev_new(TYPE_TEST_PCI, errp);

    PCI_DEVICE(dev)->multifunction = multifunction;
    if (!object_property_parse(OBJECT(dev), "addr", addr, errp)) {
        object_unref(dev);
        return false;
    }
    return qdev_realize_and_unref(dev, BUS(pci_bus), errp);
}

#define assert_refused(addr, multifunction, text)                                                  \
    do {                                                                                           \
        g_autoptr(GError) err_ = NULL;                                                             \
        assert_false(try_at(addr, multifunction, &err_));                                          \
        assert_non_null(strstr(err_->message, text));                                              \
    } while (0)

static void an_address_is_device_and_function_in_hexadecimal(void **state)
{
    g_autofree char *addr = NULL;

    (void)state;
    assert_true(try_at("1f.7", false, NULL));
    assert_true(try_at("a", false, NULL));
    assert_int_equal(config_in(0x1f << 3 | 7, 0, 4), 0x56781234);
    assert_int_equal(config_in(0x0a << 3, 0, 4), 0x56781234);
    addr = object_property_print(OBJECT(pci_bus->devices[0x50]), "addr", NULL);
    assert_string_equal(addr, "0a.0");
    assert_refused("20.0", false, "'20.0' is no PCI address");
    assert_refused("4.8", false, "'4.8' is no PCI address");
    assert_refused("4.", false, "'4.' is no PCI address");
    assert_refused("", false, "'' is no PCI address");
    assert_refused("-2", false, "'-2' is no PCI address");
    assert_refused("0x4.0.0", false, "is no PCI address");
}

static void an_address_is_a_number_to_programs(void **state)
{
    g_autoptr(GVariant) default_value = NULL, addr = NULL;
    const int64_t numbers[] = { -2, 0x100, INT64_MAX };
    DeviceState *dev = qdev_new(TYPE_TEST_PCI, NULL);

    (void)state;
    default_value =
        object_property_default(object_class_property_find(object_get_class(OBJECT(dev)), "addr"));
    assert_int_equal(g_variant_get_int64(default_value), -1);
    assert_true(object_property_set(OBJECT(dev), "addr", g_variant_new_int64(0x2b), NULL));
    addr = object_property_get(OBJECT(dev), "addr", NULL);
    assert_int_equal(g_variant_get_int64(addr), 0x2b);
    /* JSON may say it as the command line does. */
    assert_true(object_property_set(OBJECT(dev), "addr", g_variant_new_string("6.1"), NULL));
    g_variant_unref(addr);
    addr = object_property_get(OBJECT(dev), "addr", NULL);
    assert_int_equal(g_variant_get_int64(addr), 0x31);
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        assert_false(
            object_property_set(OBJECT(dev), "addr", g_variant_new_int64(numbers[i]), NULL));
    }
    assert_false(object_property_set(OBJECT(dev), "addr", g_variant_new_string("20.0"), NULL));
    assert_false(object_property_set(OBJECT(dev), "addr", g_variant_new_boolean(true), NULL));
    object_unref(dev);
}

static void one_function_has_one_device(void **state)
{
    (void)state;
    assert_true(try_at("4.0", true, NULL));
    assert_refused("4.0", true,
                   "PCI: slot 4 function 0 not available for test-pci, in use by test-pci,id=");
    assert_true(try_at("4.1", false, NULL));
    assert_int_equal(config_in(4 << 3, PCI_HEADER_TYPE, 1), 0x80);
}

static void functions_beside_the_first_need_its_consent(void **state)
{
    (void)state;
    assert_true(try_at("4.0", false, NULL));
    assert_refused("4.1", false, "single function device can't be populated in function 4.1");
    assert_true(try_at("5.1", false, NULL));
    assert_refused("5.0", false, "5.0 indicates single function, but 5.1 is already populated");
}

static void a_device_without_an_address_takes_the_first_free_slot(void **state)
{
    (void)state;
    assert_true(try_at("0", false, NULL));
    assert_true(try_at("1.2", false, NULL));
    for (unsigned slot = 2; slot < 32; slot++) {
        assert_true(try_at("-1", false, NULL));
        assert_int_equal(config_in(slot << 3, 0, 4), 0x56781234);
    }
    assert_refused("-1", false, "no slot/function available for test-pci, all in use");
}

static void a_device_that_has_gone_is_not_found_any_more(void **state)
{
    TestPCI *s = pci_test_make(SLOT, 0x1000);

    (void)state;
    config_out(BDF, PCI_BASE_ADDRESS_0, 4, 0xe0000000);
    config_out(BDF, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    assert_int_equal(mem_read(0xe0000010, 4), 0xba000010);
    object_unparent(OBJECT(s));
    assert_int_equal(config_in(BDF, 0, 4), UINT32_MAX);
    assert_int_equal(mem_read(0xe0000010, 4), UINT32_MAX);
    pci_test_make(SLOT, 0x1000);
    assert_int_equal(config_in(BDF, 0, 4), 0x56781234);
}

static void a_reset_takes_back_what_the_guest_has_set(void **state)
{
    TestPCI *s = pci_test_make(SLOT, 0x1000);

    (void)state;
    config_out(BDF, PCI_BASE_ADDRESS_0, 4, 0xe0000000);
    config_out(BDF, PCI_COMMAND, 2, UINT16_MAX);
    config_out(BDF, PCI_INTERRUPT_LINE, 1, 11);
    config_out(BDF, PCI_CACHE_LINE_SIZE, 1, 16);
    resettable_reset(OBJECT(BUS(pci_bus)->parent), RESET_TYPE_COLD);
    assert_int_equal(config_in(BDF, PCI_COMMAND, 4), 0);
    assert_int_equal(config_in(BDF, PCI_BASE_ADDRESS_0, 4), 0);
    assert_int_equal(config_in(BDF, PCI_INTERRUPT_LINE, 1), 0);
    assert_int_equal(config_in(BDF, PCI_CACHE_LINE_SIZE, 1), 0);
    assert_int_equal(mem_read(0xe0000010, 4), UINT32_MAX);
    assert_int_equal(pci_get_bar_addr(&s->parent_obj, 0), PCI_BAR_UNMAPPED);
}

/* ---- DMA ---- */

static void dma_is_for_bus_masters_and_reaches_ram_only(void **state)
{
    TestPCI *s = pci_test_make(SLOT, 0x1000);
    uint32_t word = 0x12345678;

    (void)state;
    assert_int_equal(pci_dma_write(&s->parent_obj, 0x1000, &word, 4), MEMTX_ACCESS_ERROR);
    assert_int_equal(mem_read(0x1000, 4), 0);
    config_out(BDF, PCI_BASE_ADDRESS_0, 4, 0xe0000000);
    config_out(BDF, PCI_COMMAND, 2, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
    assert_int_equal(pci_dma_write(&s->parent_obj, 0x1000, &word, 4), MEMTX_OK);
    assert_int_equal(mem_read(0x1000, 4), word);
    assert_int_not_equal(pci_dma_write(&s->parent_obj, 0xe0000000, &word, 4), MEMTX_OK);
    assert_int_not_equal(pci_dma_read(&s->parent_obj, PCI_RAM_BYTES - 2, &word, 4), MEMTX_OK);
    assert_int_not_equal(pci_dma_read(&s->parent_obj, UINT64_MAX - 1, &word, 4), MEMTX_OK);
    assert_int_equal(s->writes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pci_test(the_numbers_are_those_of_the_class),
        pci_test(every_size_reads_the_same_bytes),
        pci_test(every_size_writes_what_may_be_written_and_nothing_else),
        pci_test(errors_are_cleared_by_writing_ones),
        pci_test(where_nobody_is_all_bits_are_set),
        pci_test(the_address_is_a_register_of_four_bytes),
        pci_test(capabilities_are_a_list_that_the_guest_cannot_write),
        pci_test(capabilities_do_not_overlap),
        pci_test(a_capability_begins_at_a_multiple_of_4),
        pci_test(an_address_is_device_and_function_in_hexadecimal),
        pci_test(an_address_is_a_number_to_programs),
        pci_test(one_function_has_one_device),
        pci_test(functions_beside_the_first_need_its_consent),
        pci_test(a_device_without_an_address_takes_the_first_free_slot),
        pci_test(a_device_that_has_gone_is_not_found_any_more),
        pci_test(a_reset_takes_back_what_the_guest_has_set),
        pci_test(dma_is_for_bus_masters_and_reaches_ram_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
