/* SPDX-License-Identifier: MIT */
/* MSI and MSI-X as guests set them up, and hostile ones. */
#include "tests/unit/pci-fixture.h"
#include <sys/eventfd.h>
#include <unistd.h>
#include <qomet/hw/pci/msi.h>
#include <qomet/hw/pci/msix.h>

#define SLOT 3
#define BDF PCI_DEVFN(SLOT, 0)
#define BAR UINT32_C(0xe0000000)
#define DOORBELL UINT32_C(0xfee00000)

/* ---- A controller that notes what it is told ---- */

#define TYPE_TEST_TARGET "test-msi-target"

static GString *told;
static int routes; /* that are in use */

static bool target_send(MsiTarget *t, uint64_t addr, uint32_t data)
{
    (void)t;
    g_string_append_printf(told, "%" G_GINT64_MODIFIER "x=%x ", addr, data);
    return true;
}

static int target_add(MsiTarget *t, uint64_t addr, uint32_t data, GError **errp)
{
    (void)t;
    (void)errp;
    g_string_append_printf(told, "add:%" G_GINT64_MODIFIER "x=%x ", addr, data);
    routes++;
    return 24;
}

static void target_set(MsiTarget *t, int route, uint64_t addr, uint32_t data)
{
    (void)t;
    g_string_append_printf(told, "set%d:%" G_GINT64_MODIFIER "x=%x ", route, addr, data);
}

static void target_del(MsiTarget *t, int route)
{
    (void)t;
    g_string_append_printf(told, "del%d ", route);
    routes--;
}

static bool target_irqfd(MsiTarget *t, int route, int fd, bool on, GError **errp)
{
    (void)t;
    (void)fd;
    (void)errp;
    g_string_append_printf(told, "fd%d:%s ", route, on ? "on" : "off");
    return true;
}

static void target_class_init(ObjectClass *klass, const void *data)
{
    MsiTargetClass *mc = MSI_TARGET_CLASS(klass);

    (void)data;
    mc->send = target_send;
    mc->route_add = target_add;
    mc->route_set = target_set;
    mc->route_del = target_del;
    mc->irqfd = target_irqfd;
}

static const TypeInfo target_types[] = {
    {
        .name = TYPE_TEST_TARGET,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Object),
        .class_init = target_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_MSI_TARGET }, { NULL } },
    },
};
DEFINE_TYPES(target_types)

#define assert_told(text)                                                                          \
    do {                                                                                           \
        assert_string_equal(told->str, text);                                                      \
        g_string_truncate(told, 0);                                                                \
    } while (0)

static int msi_setup(void **state)
{
    int r = pci_setup(state);

    told = g_string_new(NULL);
    routes = 0;
    pci_bus->msi_target = (MsiTarget *)object_new(TYPE_TEST_TARGET);
    return r;
}

static int msi_teardown(void **state)
{
    assert_int_equal(routes, 0);
    g_string_free(told, TRUE);
    return pci_teardown(state);
}

/* ---- MSI ---- */

static bool wide;
static bool maskable;
static unsigned vectors;

static bool add_msi(PCIDevice *dev, GError **errp)
{
    return msi_init(dev, 0x50, vectors, wide, maskable, errp);
}

static PCIDevice *make_msi(unsigned n, bool is_wide, bool is_maskable)
{
    TestPCI *s = pci_test_new(SLOT);

    vectors = n;
    wide = is_wide;
    maskable = is_maskable;
    s->more = add_msi;
    s->pin = 1;
    pci_test_realize(s, pci_bus);
    return &s->parent_obj;
}

static void enable_msi(unsigned log_vectors)
{
    unsigned data = wide ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32;

    config_out(BDF, PCI_COMMAND, 2, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
    config_out(BDF, 0x50 + PCI_MSI_ADDRESS_LO, 4, DOORBELL | 0x1000);
    if (wide) {
        config_out(BDF, 0x50 + PCI_MSI_ADDRESS_HI, 4, 0);
    }
    config_out(BDF, 0x50 + data, 2, 0x4041);
    config_out(BDF, 0x50 + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE | log_vectors << 4);
}

static void a_message_is_what_the_guest_has_written(void **state)
{
    (void)state;
    for (int w = 0; w < 2; w++) {
        PCIDevice *dev = make_msi(1, w, false);

        msi_notify(dev, 0);
        assert_told("");
        enable_msi(0);
        assert_true(msi_enabled(dev));
        msi_notify(dev, 0);
        assert_told("fee01000=4041 ");
        object_unparent(OBJECT(dev));
    }
}

static void the_value_tells_vectors_apart(void **state)
{
    PCIDevice *dev = make_msi(8, true, true);

    (void)state;
    enable_msi(2);
    assert_int_equal(msi_nr_vectors_allocated(dev), 4);
    msi_notify(dev, 0);
    msi_notify(dev, 3);
    assert_told("fee01000=4040 fee01000=4043 ");
    /* Past those that it got. */
    msi_notify(dev, 7);
    msi_notify(dev, UINT32_MAX);
    assert_told("fee01000=4043 fee01000=4043 ");
    /* A guest that takes more than there are. */
    config_out(BDF, 0x50 + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
    assert_int_equal(msi_nr_vectors_allocated(dev), 8);
    msi_notify(dev, 31);
    assert_told("fee01000=4047 ");
}

static void a_masked_vector_waits(void **state)
{
    PCIDevice *dev = make_msi(4, true, true);

    (void)state;
    enable_msi(2);
    config_out(BDF, 0x50 + PCI_MSI_MASK_64, 4, UINT32_MAX);
    assert_int_equal(config_in(BDF, 0x50 + PCI_MSI_MASK_64, 4), 0xf);
    msi_notify(dev, 1);
    msi_notify(dev, 1);
    msi_notify(dev, 2);
    assert_told("");
    assert_int_equal(config_in(BDF, 0x50 + PCI_MSI_PENDING_64, 4), 6);
    config_out(BDF, 0x50 + PCI_MSI_PENDING_64, 4, 0);
    assert_int_equal(config_in(BDF, 0x50 + PCI_MSI_PENDING_64, 4), 6);
    config_out(BDF, 0x50 + PCI_MSI_MASK_64, 4, 4);
    assert_told("fee01000=4041 ");
    assert_int_equal(config_in(BDF, 0x50 + PCI_MSI_PENDING_64, 4), 4);
    config_out(BDF, 0x50 + PCI_MSI_MASK_64, 1, 0);
    assert_told("fee01000=4042 ");
}

static void with_messages_the_pin_goes_down(void **state)
{
    PCIDevice *dev = make_msi(1, true, false);

    (void)state;
    pci_set_irq(dev, 1);
    assert_int_equal(pci_levels[3], 1);
    enable_msi(0);
    assert_int_equal(pci_levels[3], 0);
}

static void who_is_no_bus_master_sends_nothing(void **state)
{
    PCIDevice *dev = make_msi(1, true, false);

    (void)state;
    enable_msi(0);
    config_out(BDF, PCI_COMMAND, 2, 0);
    msi_notify(dev, 0);
    assert_told("");
}

static void a_reset_ends_messages(void **state)
{
    PCIDevice *dev = make_msi(4, true, true);

    (void)state;
    enable_msi(2);
    config_out(BDF, 0x50 + PCI_MSI_MASK_64, 4, 1);
    msi_notify(dev, 0);
    resettable_reset(OBJECT(BUS(pci_bus)->parent), RESET_TYPE_COLD);
    assert_false(msi_enabled(dev));
    assert_int_equal(config_in(BDF, 0x50 + PCI_MSI_PENDING_64, 4), 0);
    assert_int_equal(config_in(BDF, 0x50 + PCI_MSI_FLAGS, 2) & PCI_MSI_FLAGS_QSIZE, 0);
    assert_told("");
}

static void msi_of_three_vectors_is_refused(void **state)
{
    TestPCI *s = pci_test_new(SLOT);
    g_autoptr(GError) err = NULL;

    (void)state;
    vectors = 3;
    s->more = add_msi;
    assert_false(qdev_realize_and_unref(DEVICE(s), BUS(pci_bus), &err));
    assert_string_equal(err->message, "3 vectors of MSI: there are 1, 2, 4, 8, 16 or 32 of them");
}

/* ---- MSI-X ---- */

static bool add_msix(PCIDevice *dev, GError **errp)
{
    return msix_init_exclusive_bar(dev, vectors, 1, errp);
}

static PCIDevice *make_msix(unsigned n)
{
    TestPCI *s = pci_test_new(SLOT);

    vectors = n;
    s->more = add_msix;
    s->pin = 1;
    pci_test_realize(s, pci_bus);
    config_out(BDF, PCI_BASE_ADDRESS_1, 4, BAR);
    config_out(BDF, PCI_COMMAND, 2, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
    return &s->parent_obj;
}

static void set_msix_control(uint16_t bits)
{
    PCIDevice *dev = pci_bus->devices[BDF];

    config_out(BDF, dev->msix_cap + PCI_MSIX_FLAGS, 2, bits);
}

static void set_entry(unsigned vector, uint64_t addr, uint32_t data, uint32_t control)
{
    mem_write(BAR + vector * 16, 4, addr);
    mem_write(BAR + vector * 16 + 4, 4, addr >> 32);
    mem_write(BAR + vector * 16 + 8, 4, data);
    mem_write(BAR + vector * 16 + 12, 4, control);
}

static void each_vector_has_a_message_of_its_own(void **state)
{
    PCIDevice *dev = make_msix(5);

    (void)state;
    assert_int_equal(config_in(BDF, dev->msix_cap + PCI_MSIX_FLAGS, 2), 4);
    assert_int_equal(config_in(BDF, dev->msix_cap + PCI_MSIX_TABLE, 4), 1);
    assert_int_equal(config_in(BDF, dev->msix_cap + PCI_MSIX_PBA, 4), 0x801);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(mem_read(BAR + i * 16 + 12, 4), PCI_MSIX_ENTRY_CTRL_MASKBIT);
        set_entry(i, DOORBELL | i << 12, 0x30 + i, 0);
    }
    msix_notify(dev, 2);
    assert_told("");
    set_msix_control(PCI_MSIX_FLAGS_ENABLE);
    for (unsigned i = 0; i < 5; i++) {
        msix_notify(dev, i);
    }
    assert_told("fee00000=30 fee01000=31 fee02000=32 fee03000=33 fee04000=34 ");
}

static void a_vector_that_is_not_there_is_not_sent(void **state)
{
    PCIDevice *dev = make_msix(3);

    (void)state;
    set_msix_control(PCI_MSIX_FLAGS_ENABLE);
    msix_notify(dev, 3);
    msix_notify(dev, 2048);
    msix_notify(dev, UINT32_MAX);
    assert_true(msix_is_masked(dev, 3));
    assert_told("");
}

static void past_the_end_of_the_table_there_is_nothing(void **state)
{
    (void)state;
    make_msix(3);
    for (hwaddr addr = BAR + 3 * 16; addr < BAR + 0x800; addr += 4) {
        mem_write(addr, 4, 0x12345678);
        assert_int_equal(mem_read(addr, 4), UINT32_MAX);
    }
    mem_write(BAR + 0x808, 4, 0);
    assert_int_equal(mem_read(BAR + 0x808, 4), UINT32_MAX);
    assert_int_equal(mem_read(BAR + 0xffc, 4), UINT32_MAX);
}

static void table_and_pending_bits_take_four_bytes_at_a_time(void **state)
{
    static const unsigned sizes[] = { 1, 2, 8 };

    (void)state;
    make_msix(64);
    set_entry(0, 0x1111111122222222, 0x33333333, 0x44444444);
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        uint64_t ones = sizes[i] == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * sizes[i]) - 1;

        assert_int_equal(
            address_space_store(&address_space_memory, BAR, sizes[i], 0, MEMTXATTRS_UNSPECIFIED),
            MEMTX_ACCESS_ERROR);
        assert_true(mem_read(BAR, sizes[i]) == ones);
        assert_true(mem_read(BAR + 0x800, sizes[i]) == ones);
    }
    assert_int_equal(mem_read(BAR, 4), 0x22222222);
    assert_int_equal(mem_read(BAR + 0x800, 4), 0);
    /* Not aligned. */
    assert_int_equal(
        address_space_store(&address_space_memory, BAR + 2, 4, 0, MEMTXATTRS_UNSPECIFIED),
        MEMTX_ACCESS_ERROR);
}

static void masked_vectors_are_pending(void **state)
{
    PCIDevice *dev = make_msix(40);

    (void)state;
    set_entry(33, DOORBELL, 0x77, PCI_MSIX_ENTRY_CTRL_MASKBIT);
    set_entry(1, DOORBELL, 0x11, 0);
    set_msix_control(PCI_MSIX_FLAGS_ENABLE);
    msix_notify(dev, 33);
    assert_told("");
    assert_int_equal(mem_read(BAR + 0x804, 4), 2);
    mem_write(BAR + 0x804, 4, 0);
    assert_int_equal(mem_read(BAR + 0x804, 4), 2);
    mem_write(BAR + 33 * 16 + 12, 4, 0);
    assert_told("fee00000=77 ");
    assert_int_equal(mem_read(BAR + 0x804, 4), 0);
    /* All of them at once. */
    set_msix_control(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
    msix_notify(dev, 1);
    msix_notify(dev, 1);
    assert_told("");
    assert_int_equal(mem_read(BAR + 0x800, 4), 2);
    set_msix_control(PCI_MSIX_FLAGS_ENABLE);
    assert_told("fee00000=11 ");
}

static void an_eventfd_follows_masks_and_messages(void **state)
{
    PCIDevice *dev = make_msix(2);
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    (void)state;
    set_entry(1, DOORBELL, 0x55, 0);
    assert_true(msix_set_irqfd(dev, 1, fd, NULL));
    assert_told("add:fee00000=55 ");
    set_msix_control(PCI_MSIX_FLAGS_ENABLE);
    assert_told("set24:fee00000=55 fd24:on ");
    mem_write(BAR + 16 + 12, 4, PCI_MSIX_ENTRY_CTRL_MASKBIT);
    assert_told("fd24:off ");
    /* What waits in it is pending. */
    assert_int_equal(mem_read(BAR + 0x800, 4), 0);
    assert_int_equal(eventfd_write(fd, 1), 0);
    assert_int_equal(mem_read(BAR + 0x800, 4), 2);
    mem_write(BAR + 16 + 8, 4, 0x66);
    assert_told("");
    mem_write(BAR + 16 + 12, 4, 0);
    assert_told("set24:fee00000=66 fd24:on ");
    msix_clear_irqfd(dev, 1);
    assert_told("fd24:off del24 ");
    assert_false(msix_set_irqfd(dev, 2, fd, NULL));
    close(fd);
}

static void a_device_that_goes_takes_its_routes_along(void **state)
{
    PCIDevice *dev = make_msix(2);
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    (void)state;
    set_entry(0, DOORBELL, 0x55, 0);
    set_msix_control(PCI_MSIX_FLAGS_ENABLE);
    assert_true(msix_set_irqfd(dev, 0, fd, NULL));
    g_string_truncate(told, 0);
    object_unparent(OBJECT(dev));
    assert_told("fd24:off del24 ");
    close(fd);
}

static void a_reset_masks_every_vector(void **state)
{
    PCIDevice *dev = make_msix(2);

    (void)state;
    set_entry(0, DOORBELL, 0x55, 0);
    set_msix_control(PCI_MSIX_FLAGS_ENABLE);
    resettable_reset(OBJECT(BUS(pci_bus)->parent), RESET_TYPE_COLD);
    assert_false(msix_enabled(dev));
    config_out(BDF, PCI_BASE_ADDRESS_1, 4, BAR);
    config_out(BDF, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    assert_int_equal(mem_read(BAR, 4), 0);
    assert_int_equal(mem_read(BAR + 12, 4), PCI_MSIX_ENTRY_CTRL_MASKBIT);
}

static void the_most_vectors_are_2048(void **state)
{
    PCIDevice *dev = make_msix(2048);
    TestPCI *s = pci_test_new(4);
    g_autoptr(GError) err = NULL;

    (void)state;
    set_entry(2047, DOORBELL, 0xff, 0);
    set_msix_control(PCI_MSIX_FLAGS_ENABLE);
    msix_notify(dev, 2047);
    assert_told("fee00000=ff ");
    vectors = 2049;
    s->more = add_msix;
    assert_false(qdev_realize_and_unref(DEVICE(s), BUS(pci_bus), &err));
    assert_string_equal(err->message, "2049 vectors of MSI-X: there are 1 to 2048");
}

int main(void)
{
#define msi_test(f) cmocka_unit_test_setup_teardown(f, msi_setup, msi_teardown)
    const struct CMUnitTest tests[] = {
        msi_test(a_message_is_what_the_guest_has_written),
        msi_test(the_value_tells_vectors_apart),
        msi_test(a_masked_vector_waits),
        msi_test(with_messages_the_pin_goes_down),
        msi_test(who_is_no_bus_master_sends_nothing),
        msi_test(a_reset_ends_messages),
        msi_test(msi_of_three_vectors_is_refused),
        msi_test(each_vector_has_a_message_of_its_own),
        msi_test(a_vector_that_is_not_there_is_not_sent),
        msi_test(past_the_end_of_the_table_there_is_nothing),
        msi_test(table_and_pending_bits_take_four_bytes_at_a_time),
        msi_test(masked_vectors_are_pending),
        msi_test(an_eventfd_follows_masks_and_messages),
        msi_test(a_device_that_goes_takes_its_routes_along),
        msi_test(a_reset_masks_every_vector),
        msi_test(the_most_vectors_are_2048),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
