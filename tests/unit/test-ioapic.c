/* SPDX-License-Identifier: MIT */
/* The 82093AA: its registers, edges and levels, remote IRR and ends, and what it sends. */
#include <string.h>
#include <qomet/hw/core/resettable.h>
#include <qomet/hw/intc/intc.h>
#include <qomet/hw/intc/ioapic.h>
#include <qomet/hw/intc/msi-target.h>
#include "tests/unit/program-fixture.h"

#define MASKED 0x10000u
#define LEVEL 0x8000u
#define REMOTE_IRR 0x4000u
#define SEND_PENDING 0x1000u
#define LOGICAL 0x800u

/* ---- Local APICs that note what they are sent ---- */

#define TYPE_TEST_APICS "test-apics"

static GString *sent;
static bool deaf; /* they take nothing */
static GString *pins;
static void (*tell_end)(void *opaque, uint8_t vector);
static void *tell_end_opaque;

static bool apics_send(MsiTarget *t, uint64_t addr, uint32_t data)
{
    (void)t;
    if (!deaf) {
        g_string_append_printf(sent, "%" G_GINT64_MODIFIER "x=%x ", addr, data);
    }
    return !deaf;
}

static void apics_set_eoi_handler(MsiTarget *t, void (*fn)(void *opaque, uint8_t vector),
                                  void *opaque)
{
    (void)t;
    tell_end = fn;
    tell_end_opaque = opaque;
}

static void apics_pin_set(MsiTarget *t, unsigned pin, uint64_t addr, uint32_t data)
{
    (void)t;
    g_string_append_printf(pins, "%u:%" G_GINT64_MODIFIER "x=%x ", pin, addr, data);
}

static void apics_class_init(ObjectClass *klass, const void *data)
{
    MsiTargetClass *mc = MSI_TARGET_CLASS(klass);

    (void)data;
    mc->send = apics_send;
    mc->set_eoi_handler = apics_set_eoi_handler;
    mc->pin_set = apics_pin_set;
}

static const TypeInfo apics_types[] = {
    {
        .name = TYPE_TEST_APICS,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Object),
        .class_init = apics_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_MSI_TARGET }, { NULL } },
    },
};
DEFINE_TYPES(apics_types)

#define assert_sent(text)                                                                          \
    do {                                                                                           \
        assert_string_equal(sent->str, text);                                                      \
        g_string_truncate(sent, 0);                                                                \
    } while (0)

/* ---- The device ---- */

static DeviceState *ioapic;

static DeviceState *make(unsigned version, GError **errp)
{
    DeviceState *dev = qdev_new(TYPE_IOAPIC, errp);

    if (!dev || !object_property_set_uint(OBJECT(dev), "version", version, errp)) {
        object_unref(dev);
        return NULL;
    }
    if (!qdev_realize_and_unref(dev, sysbus_get_default(), errp)) {
        return NULL;
    }
    resettable_reset(OBJECT(dev), RESET_TYPE_COLD);
    return dev;
}

static int setup(void **state)
{
    Object *apics;

    program_setup(state);
    sent = g_string_new(NULL);
    pins = g_string_new(NULL);
    deaf = false;
    apics = object_new(TYPE_TEST_APICS);
    if (!object_property_add_child(qdev_get_machine(), "apics", apics, NULL)) {
        return -1;
    }
    object_unref(apics);
    ioapic = make(0x20, NULL);
    return ioapic && sysbus_mmio_map(SYS_BUS_DEVICE(ioapic), 0, IOAPIC_ADDR, NULL) ? 0 : -1;
}

static int teardown(void **state)
{
    int result = program_teardown(state);

    assert_null(tell_end);
    g_string_free(sent, TRUE);
    g_string_free(pins, TRUE);
    return result;
}

static uint64_t read_at(unsigned offset, unsigned size)
{
    uint64_t value = 0;

    address_space_load(&address_space_memory, IOAPIC_ADDR + offset, size, &value,
                       MEMTXATTRS_UNSPECIFIED);
    return value;
}

static void write_at(unsigned offset, uint64_t value, unsigned size)
{
    address_space_store(&address_space_memory, IOAPIC_ADDR + offset, size, value,
                        MEMTXATTRS_UNSPECIFIED);
}

static uint32_t reg(uint8_t index)
{
    write_at(0, index, 4);
    return read_at(0x10, 4);
}

static void set_reg(uint8_t index, uint32_t value)
{
    write_at(0, index, 4);
    write_at(0x10, value, 4);
}

/* Pin @pin sends to @dest from now on. */
static void set_entry(unsigned pin, uint8_t dest, uint32_t low)
{
    set_reg(0x11 + 2 * pin, (uint32_t)dest << 24);
    set_reg(0x10 + 2 * pin, low);
}

static void line(int n, int level)
{
    qemu_set_irq(qdev_get_gpio_in(ioapic, n), level);
}

static void pulse(int n)
{
    line(n, 1);
    line(n, 0);
}

/* ---- Registers ---- */

static void it_says_its_version_and_how_many_pins_it_has(void **state)
{
    (void)state;
    assert_int_equal(reg(1), 0x00170020);
    set_reg(1, 0xffffffff);
    assert_int_equal(reg(1), 0x00170020);
}

static void four_bits_of_the_id_are_kept_and_the_arbitration_id_follows(void **state)
{
    (void)state;
    assert_int_equal(reg(0), 0);
    set_reg(0, 0xffffffff);
    assert_int_equal(reg(0), 0x0f000000);
    assert_int_equal(reg(2), 0x0f000000);
    set_reg(2, 0);
    assert_int_equal(reg(2), 0x0f000000);
}

static void after_a_reset_every_pin_is_masked(void **state)
{
    (void)state;
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        assert_int_equal(reg(0x10 + 2 * pin), MASKED);
        assert_int_equal(reg(0x11 + 2 * pin), 0);
        set_entry(pin, 0xff, 0xffffffff);
    }
    set_reg(0, 0x05000000);
    resettable_reset(OBJECT(ioapic), RESET_TYPE_COLD);
    assert_int_equal(read_at(0, 4), 0);
    assert_int_equal(reg(0), 0);
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        assert_int_equal(reg(0x10 + 2 * pin), MASKED);
        assert_int_equal(reg(0x11 + 2 * pin), 0);
    }
}

static void status_and_remote_irr_are_not_written(void **state)
{
    (void)state;
    set_entry(3, 0xab, 0xffffffff);
    assert_int_equal(reg(0x16), 0x1afff);
    assert_int_equal(reg(0x17), 0xab000000);
    assert_sent("");
}

static void an_index_without_a_register_reads_zero_and_takes_nothing(void **state)
{
    (void)state;
    for (unsigned index = 3; index < 0x100; index++) {
        if (index >= 0x10 && index < 0x10 + 2 * IOAPIC_PINS) {
            continue;
        }
        set_reg(index, 0xffffffff);
        assert_int_equal(reg(index), 0);
        assert_int_equal(read_at(0, 4), index);
    }
    assert_int_equal(reg(0), 0);
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        assert_int_equal(reg(0x10 + 2 * pin), MASKED);
    }
}

static void the_window_is_reached_by_32_bits_only(void **state)
{
    (void)state;
    write_at(0, 0, 4);
    write_at(0x10, 0xffff, 2);
    write_at(0x13, 0x0f, 1);
    assert_int_equal(read_at(0x10, 4), 0);
    assert_int_equal(read_at(0x11, 1), 0);
    /* The index has eight bits, and one of them is enough to write them. */
    write_at(0, 0x101, 4);
    assert_int_equal(read_at(0, 1), 1);
    assert_int_equal(read_at(0x10, 4), 0x00170020);
}

static void no_access_of_any_size_breaks_it(void **state)
{
    (void)state;
    for (unsigned index = 0; index < 0x100; index++) {
        for (unsigned size = 1; size <= 8; size *= 2) {
            for (unsigned offset = 0; offset < 0x60; offset++) {
                write_at(0, index, 1);
                write_at(offset, UINT64_MAX, size);
                read_at(offset, size);
            }
        }
    }
    read_at(0xffc, 4);
    read_at(0xffd, 8);
}

/* ---- Edges ---- */

static void an_edge_sends_its_message_once(void **state)
{
    (void)state;
    set_entry(4, 1, 0x34);
    line(4, 1);
    assert_sent("fee01000=4034 ");
    line(4, 1);
    line(4, 0);
    assert_sent("");
    line(4, 1);
    assert_sent("fee01000=4034 ");
    assert_int_equal(reg(0x18), 0x34); /* no remote IRR */
}

static void a_message_holds_what_the_entry_says(void **state)
{
    (void)state;
    set_entry(0, 0xff, 0x51 | LOGICAL | 1 << 8); /* lowest priority */
    pulse(0);
    assert_sent("feeff004=4151 ");
    set_entry(0, 2, 4 << 8); /* NMI */
    pulse(0);
    assert_sent("fee02000=4400 ");
    set_entry(0, 0, 7 << 8); /* ExtINT */
    pulse(0);
    assert_sent("fee00000=4700 ");
}

static void an_edge_at_a_masked_pin_is_lost(void **state)
{
    (void)state;
    set_entry(5, 0, 0x40 | MASKED);
    line(5, 1);
    set_entry(5, 0, 0x40);
    assert_sent("");
    line(5, 0);
    line(5, 1);
    assert_sent("fee00000=4040 ");
}

static void an_edge_that_nobody_takes_is_pending_until_somebody_does(void **state)
{
    (void)state;
    deaf = true;
    set_entry(5, 0, 0x40);
    pulse(5);
    assert_int_equal(reg(0x1a), 0x40 | SEND_PENDING);
    deaf = false;
    set_entry(6, 0, 0x41);
    assert_sent("fee00000=4040 ");
    assert_int_equal(reg(0x1a), 0x40);
}

static void a_polarity_changes_nothing_since_a_line_is_high_while_it_asks(void **state)
{
    (void)state;
    set_entry(9, 0, 0x49 | 1 << 13);
    assert_sent("");
    line(9, 1);
    assert_sent("fee00000=4049 ");
}

/* ---- Levels ---- */

static void a_level_waits_for_its_end_and_then_asks_again(void **state)
{
    (void)state;
    set_entry(10, 0, 0x60 | LEVEL);
    line(10, 1);
    assert_sent("fee00000=c060 ");
    assert_int_equal(reg(0x24), 0x60 | LEVEL | REMOTE_IRR);
    line(10, 0);
    line(10, 1);
    assert_sent("");
    tell_end(tell_end_opaque, 0x61); /* another one's */
    assert_sent("");
    tell_end(tell_end_opaque, 0x60);
    assert_sent("fee00000=c060 ");
    line(10, 0);
    tell_end(tell_end_opaque, 0x60);
    assert_int_equal(reg(0x24), 0x60 | LEVEL);
    assert_sent("");
}

static void a_masked_level_is_sent_when_it_is_unmasked_if_it_lasts(void **state)
{
    (void)state;
    set_entry(10, 0, 0x60 | LEVEL | MASKED);
    pulse(10);
    line(11, 1);
    set_entry(10, 0, 0x60 | LEVEL);
    assert_sent("");
    set_entry(11, 0, 0x61 | LEVEL | MASKED);
    set_entry(11, 0, 0x61 | LEVEL);
    assert_sent("fee00000=c061 ");
}

static void masking_keeps_remote_irr(void **state)
{
    (void)state;
    set_entry(10, 0, 0x60 | LEVEL);
    line(10, 1);
    set_entry(10, 0, 0x60 | LEVEL | MASKED);
    assert_int_equal(reg(0x24), 0x60 | LEVEL | MASKED | REMOTE_IRR);
    tell_end(tell_end_opaque, 0x60);
    assert_int_equal(reg(0x24), 0x60 | LEVEL | MASKED);
    assert_sent("fee00000=c060 ");
}

static void becoming_an_edge_ends_a_level(void **state)
{
    (void)state;
    set_entry(10, 0, 0x60 | LEVEL);
    line(10, 1);
    assert_sent("fee00000=c060 ");
    set_entry(10, 0, 0x60 | MASKED);
    set_entry(10, 0, 0x60 | LEVEL | MASKED);
    assert_int_equal(reg(0x24), 0x60 | LEVEL | MASKED);
    set_entry(10, 0, 0x60 | LEVEL);
    assert_sent("fee00000=c060 ");
}

static void several_pins_of_one_vector_are_ended_together(void **state)
{
    (void)state;
    set_entry(10, 0, 0x60 | LEVEL);
    set_entry(11, 1, 0x60 | LEVEL);
    line(10, 1);
    line(11, 1);
    assert_sent("fee00000=c060 fee01000=c060 ");
    tell_end(tell_end_opaque, 0x60);
    assert_sent("fee00000=c060 fee01000=c060 ");
}

static void what_is_no_vector_is_an_edge_even_as_a_level(void **state)
{
    static const uint32_t modes[] = { 2, 4, 5, 7 };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
        set_entry(10, 0, modes[i] << 8 | LEVEL);
        line(10, 1);
        assert_int_equal(reg(0x24), modes[i] << 8 | LEVEL);
        line(10, 0);
    }
    assert_sent("fee00000=4200 fee00000=4400 fee00000=4500 fee00000=4700 ");
}

static void the_register_eoi_ends_a_level(void **state)
{
    (void)state;
    set_entry(10, 0, 0x60 | LEVEL);
    line(10, 1);
    line(10, 0);
    write_at(0x40, 0x160, 4); /* of which eight bits count */
    assert_int_equal(reg(0x24), 0x60 | LEVEL);
    assert_int_equal(read_at(0x40, 4), 0);
}

static void the_82093aa_itself_has_no_register_eoi(void **state)
{
    (void)state;
    qdev_unrealize(ioapic);
    object_unparent(OBJECT(ioapic));
    ioapic = make(0x11, NULL);
    assert_true(sysbus_mmio_map(SYS_BUS_DEVICE(ioapic), 0, IOAPIC_ADDR, NULL));
    assert_int_equal(reg(1), 0x00170011);
    set_entry(10, 0, 0x60 | LEVEL);
    line(10, 1);
    write_at(0x40, 0x60, 4);
    assert_int_equal(reg(0x24), 0x60 | LEVEL | REMOTE_IRR);
}

/* ---- Around it ---- */

static void what_a_pin_will_send_is_said_beforehand(void **state)
{
    (void)state;
    g_string_truncate(pins, 0);
    set_reg(0x2e, 0x99 | LEVEL | MASKED);
    set_reg(0x2f, 0x03000000);
    assert_string_equal(pins->str, "15:fee00000=c099 15:fee03000=c099 ");
}

static void it_needs_somebody_to_send_to(void **state)
{
    GError *err = NULL;

    (void)state;
    qdev_unrealize(ioapic);
    object_unparent(OBJECT(ioapic));
    object_unparent(object_resolve_path_component(qdev_get_machine(), "apics"));
    assert_null(make(0x20, &err));
    assert_string_equal(err->message, "there are no local APICs to take its messages");
    g_error_free(err);
}

static void people_see_its_pins(void **state)
{
    g_autoptr(GString) out = g_string_new(NULL);
    InterruptStatsProvider *p = INTERRUPT_STATS_PROVIDER(ioapic);
    uint64_t counts[IOAPIC_PINS];

    (void)state;
    set_entry(10, 1, 0x60 | LEVEL);
    line(10, 1);
    pulse(3);
    pulse(3);
    INTERRUPT_STATS_PROVIDER_GET_CLASS(p)->get_statistics(p, counts, IOAPIC_PINS);
    assert_int_equal(counts[10], 1);
    assert_int_equal(counts[3], 2);
    INTERRUPT_STATS_PROVIDER_GET_CLASS(p)->print_info(p, out);
    assert_non_null(strstr(out->str, "ioapic: id=0x00 sel=0x24 base=0xfec00000 irr=000000\n"));
    assert_non_null(strstr(out->str, "pin 10 0x010000000000c060 dest=1 vec=96  active-hi level"
                                     "        fixed physical remote-irr\n"));
}

#define ioapic_test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ioapic_test(it_says_its_version_and_how_many_pins_it_has),
        ioapic_test(four_bits_of_the_id_are_kept_and_the_arbitration_id_follows),
        ioapic_test(after_a_reset_every_pin_is_masked),
        ioapic_test(status_and_remote_irr_are_not_written),
        ioapic_test(an_index_without_a_register_reads_zero_and_takes_nothing),
        ioapic_test(the_window_is_reached_by_32_bits_only),
        ioapic_test(no_access_of_any_size_breaks_it),
        ioapic_test(an_edge_sends_its_message_once),
        ioapic_test(a_message_holds_what_the_entry_says),
        ioapic_test(an_edge_at_a_masked_pin_is_lost),
        ioapic_test(an_edge_that_nobody_takes_is_pending_until_somebody_does),
        ioapic_test(a_polarity_changes_nothing_since_a_line_is_high_while_it_asks),
        ioapic_test(a_level_waits_for_its_end_and_then_asks_again),
        ioapic_test(a_masked_level_is_sent_when_it_is_unmasked_if_it_lasts),
        ioapic_test(masking_keeps_remote_irr),
        ioapic_test(becoming_an_edge_ends_a_level),
        ioapic_test(several_pins_of_one_vector_are_ended_together),
        ioapic_test(what_is_no_vector_is_an_edge_even_as_a_level),
        ioapic_test(the_register_eoi_ends_a_level),
        ioapic_test(the_82093aa_itself_has_no_register_eoi),
        ioapic_test(what_a_pin_will_send_is_said_beforehand),
        ioapic_test(it_needs_somebody_to_send_to),
        ioapic_test(people_see_its_pins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
