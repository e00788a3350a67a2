/* SPDX-License-Identifier: MIT */
/* The ISA bus: ports, lines, and what is refused. */
#include "tests/unit/qdev-fixture.h"
#include <qomet/hw/isa/isa-bus.h>

#define TYPE_CARD "isa-card"

typedef struct Card {
    ISADevice parent_obj;
    uint32_t iobase;
    uint32_t iosize;
    uint32_t irq_number;
    MemoryRegion ports;
    qemu_irq irq;
} Card;

static Card *CARD(const void *obj)
{
    return OBJECT_CHECK(Card, obj, TYPE_CARD);
}

static bool card_realize(DeviceState *dev, GError **errp)
{
    Card *c = CARD(dev);

    c->irq = isa_get_irq(ISA_DEVICE(dev), c->irq_number);
    memory_region_init_io(&c->ports, OBJECT(dev), &probe_ops, c, "ports", c->iosize);
    return isa_register_ioport(ISA_DEVICE(dev), &c->ports, c->iobase, errp);
}

static const Property card_props[] = {
    DEFINE_PROP_UINT32("iobase", Card, iobase, 0x3f8, .help = "first port"),
    DEFINE_PROP_UINT32("iosize", Card, iosize, 8, .help = "number of ports"),
    DEFINE_PROP_UINT32("irq", Card, irq_number, 4, .help = "line"),
};

static void card_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    DEVICE_CLASS(klass)->realize = card_realize;
    device_class_set_props(DEVICE_CLASS(klass), card_props);
}

static const TypeInfo card_types[] = {
    {
        .name = TYPE_CARD,
        .parent = TYPE_ISA_DEVICE,
        .instance_size = sizeof(Card),
        .class_init = card_class_init,
    },
};
DEFINE_TYPES(card_types)

static ISABus *bus;

static int setup(void **state)
{
    if (qdev_fixture_setup(state) != 0) {
        return -1;
    }
    bus = isa_bus_new(NULL, get_system_io(), NULL);
    return bus ? 0 : -1;
}

static Card *card_new(const char *id, uint32_t iobase)
{
    DeviceState *dev = qdev_new(TYPE_CARD, NULL);

    assert_works(qdev_set_id(dev, id, errp));
    assert_works(object_property_set_uint(OBJECT(dev), "iobase", iobase, errp));
    object_unref(dev);
    return CARD(dev);
}

static void the_bus_is_called_isa_0(void **state)
{
    (void)state;
    assert_ptr_equal(qbus_find("isa.0", TYPE_ISA_BUS, NULL), bus);
    assert_ptr_equal(qbus_find(NULL, "ISA", NULL), bus);
}

static void a_card_answers_at_its_ports(void **state)
{
    Card *c = card_new("c", 0x3f8);

    (void)state;
    assert_works(qdev_realize(DEVICE(c), NULL, errp));
    assert_ptr_equal(DEVICE(c)->parent_bus, bus);
    assert_false(port_is_mapped(0x3f7));
    assert_true(port_is_mapped(0x3f8));
    assert_true(port_is_mapped(0x3ff));
    assert_false(port_is_mapped(0x400));
    object_unparent(OBJECT(c));
    assert_false(port_is_mapped(0x3f8));
}

static void two_cards_at_one_port_are_both_named(void **state)
{
    Card *a = card_new("a", 0x3f8), *b = card_new("b", 0x3fc);

    (void)state;
    assert_works(qdev_realize(DEVICE(a), NULL, errp));
    assert_refused(
        qdev_realize(DEVICE(b), NULL, errp),
        "ports 0x3fc to 0x403 of 'isa-card': ports 0x3fc-0x403 of /machine/peripheral/b (isa-card) "
        "overlap 0x3f8-0x3ff of /machine/peripheral/a (isa-card)");
    assert_false(port_is_mapped(0x400));
}

static void ports_past_the_last_are_refused_by_value_and_range(void **state)
{
    Card *c = card_new("c", 0xfff9);

    (void)state;
    assert_refused(qdev_realize(DEVICE(c), NULL, errp),
                   "ports 0xfff9 to 0x10000 of 'isa-card' go past the last one, 0xffff");
    assert_works(object_property_set_uint(OBJECT(c), "iobase", 0xffffffff, errp));
    assert_refused(qdev_realize(DEVICE(c), NULL, errp),
                   "ports 0xffffffff to 0x100000006 of 'isa-card' go past the last one, 0xffff");
    assert_works(object_property_set_uint(OBJECT(c), "iobase", 0xfff8, errp));
    assert_works(qdev_realize(DEVICE(c), NULL, errp));
    assert_true(port_is_mapped(0xffff));
}

static void told(void *opaque, int n, int level)
{
    (void)opaque;
    trace("%d=%d", n, level);
}

static void a_card_finds_its_line_if_the_board_has_it(void **state)
{
    qemu_irq lines[ISA_NUM_IRQS] = { NULL };
    Card *c = card_new("c", 0x3f8);

    (void)state;
    for (int i = 0; i < 8; i++) {
        lines[i] = qemu_allocate_irq(told, NULL, i);
    }
    isa_bus_register_input_irqs(bus, lines, ISA_NUM_IRQS);
    for (int i = 0; i < 8; i++) {
        object_unref(lines[i]);
    }
    assert_works(qdev_realize(DEVICE(c), NULL, errp));
    assert_ptr_equal(c->irq, lines[4]);
    qemu_irq_raise(c->irq);
    assert_trace("4=1");
    qdev_unrealize(DEVICE(c));
    /* Nobody else would. */
    assert_trace("4=0");
    c->irq_number = 12;
    assert_works(qdev_realize(DEVICE(c), NULL, errp));
    assert_null(c->irq);
    qdev_unrealize(DEVICE(c));
    c->irq_number = 16;
    assert_works(qdev_realize(DEVICE(c), NULL, errp));
    assert_null(c->irq);
}

static void without_a_bus_a_card_is_refused(void **state)
{
    Card *c = card_new("c", 0x3f8);

    (void)state;
    object_unparent(OBJECT(bus));
    assert_refused(qdev_realize(DEVICE(c), NULL, errp), "No 'ISA' bus found for device 'isa-card'");
    assert_false(isa_register_ioport(ISA_DEVICE(c), &c->ports, 0, NULL));
    assert_null(isa_get_irq(ISA_DEVICE(c), 4));
}

static void a_bridge_may_offer_the_bus(void **state)
{
    Probe *bridge = probe_new(TYPE_PROBE);
    ISABus *second;

    (void)state;
    second = isa_bus_new(DEVICE(bridge), get_system_io(), NULL);
    assert_non_null(second);
    assert_string_equal(BUS(second)->name, "isa.1");
    object_unref(bridge);
}

int main(void)
{
#define isa_test(f) cmocka_unit_test_setup_teardown(f, setup, qdev_fixture_teardown)
    const struct CMUnitTest tests[] = {
        isa_test(the_bus_is_called_isa_0),
        isa_test(a_card_answers_at_its_ports),
        isa_test(two_cards_at_one_port_are_both_named),
        isa_test(ports_past_the_last_are_refused_by_value_and_range),
        isa_test(a_card_finds_its_line_if_the_board_has_it),
        isa_test(without_a_bus_a_card_is_refused),
        isa_test(a_bridge_may_offer_the_bus),
    };

    return cmocka_run_group_tests_name("isa bus", tests, NULL, NULL);
}
