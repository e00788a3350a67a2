/* SPDX-License-Identifier: MIT */
/*
 * "isa-serial": a 16550A at one of the PC's four usual places, COM1 to COM4, or anywhere else.
 */
#include <qomet/hw/char/serial.h>
#include <qomet/hw/isa/isa-bus.h>

#define TYPE_ISA_SERIAL "isa-serial"
OBJECT_DECLARE_SIMPLE_TYPE(ISASerialState, ISA_SERIAL)

#define NOT_GIVEN UINT32_MAX

struct ISASerialState {
    ISADevice parent_obj;
    uint32_t index, iobase, irq; /* as given */
    uint32_t used_index;         /* while realized */
    SerialState state;
};

static const ISASerialPlace places[] = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 } };

const ISASerialPlace *isa_serial_place(unsigned index)
{
    return index < G_N_ELEMENTS(places) ? &places[index] : NULL;
}

static bool is_used(const BusState *bus, uint32_t index)
{
    for (unsigned i = 0; i < bus->children->len; i++) {
        Object *obj = object_dynamic_cast(g_ptr_array_index(bus->children, i), TYPE_ISA_SERIAL);

        if (obj && DEVICE(obj)->realized && ISA_SERIAL(obj)->used_index == index) {
            return true;
        }
    }
    return false;
}

/* The port's number: as given, or the first that no other port on the bus has. */
static uint32_t choose_index(const ISASerialState *s)
{
    uint32_t index = 0;

    if (s->index != NOT_GIVEN) {
        return s->index;
    }
    while (is_used(DEVICE(s)->parent_bus, index)) {
        index++;
    }
    return index;
}

static bool isa_serial_realize(DeviceState *dev, GError **errp)
{
    ISASerialState *s = ISA_SERIAL(dev);
    uint32_t index = choose_index(s), iobase, irq;

    if (index >= G_N_ELEMENTS(places)) {
        qom_error_set(errp, QOM_ERROR_VALUE, "Max. supported number of ISA serial ports is %zu.",
                      G_N_ELEMENTS(places));
        return false;
    }
    iobase = s->iobase == NOT_GIVEN ? places[index].iobase : s->iobase;
    irq = s->irq == NOT_GIVEN ? places[index].irq : s->irq;
    if (!isa_connect_gpio_out(ISA_DEVICE(dev), "irq", 0, irq, errp) ||
        !isa_register_ioport(ISA_DEVICE(dev), &s->state.io, iobase, errp)) {
        return false;
    }
    s->used_index = index;
    serial_start(&s->state, dev);
    return true;
}

static void isa_serial_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    serial_reset(&ISA_SERIAL(obj)->state);
}

static void isa_serial_init(Object *obj)
{
    serial_init(&ISA_SERIAL(obj)->state, DEVICE(obj));
}

static const Property isa_serial_props[] = {
    DEFINE_PROP_UINT32("index", ISASerialState, index, NOT_GIVEN,
                       .help = "0 for COM1 to 3 for COM4; 4294967295: the next free one"),
    DEFINE_PROP_UINT32("iobase", ISASerialState, iobase, NOT_GIVEN,
                       .help = "first of eight ports; 4294967295: by index"),
    DEFINE_PROP_UINT32("irq", ISASerialState, irq, NOT_GIVEN,
                       .help = "line of the bus; 4294967295: by index"),
    DEFINE_PROP_CHR("chardev", ISASerialState, state.chr, .help = "ID of the chardev to use"),
};

static const DeviceField isa_serial_fields[] = {
    SERIAL_FIELDS(ISASerialState, state),
    { NULL, 0, 0, 0, 0 },
};

static void isa_serial_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "serial port with a 16550A UART";
    dc->realize = isa_serial_realize;
    dc->state = isa_serial_fields;
    device_class_set_reset(dc, isa_serial_reset);
    device_class_set_props(dc, isa_serial_props);
}

static const TypeInfo isa_serial_types[] = {
    {
        .name = TYPE_ISA_SERIAL,
        .parent = TYPE_ISA_DEVICE,
        .instance_size = sizeof(ISASerialState),
        .instance_init = isa_serial_init,
        .class_init = isa_serial_class_init,
    },
};

DEFINE_TYPES(isa_serial_types)
