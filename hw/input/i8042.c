/* SPDX-License-Identifier: MIT */
/*
 * "i8042": the keyboard controller of a PC with its two ports, 0x60 and 0x64, a keyboard and a
 * mouse that nobody touches, and the two lines by which it rules the machine: A20 and reset. IBM's
 * "Personal System/2 Hardware Interface Technical Reference" (1988), "Keyboard/auxiliary device
 * controller", is the source; unknown commands do nothing.
 */
#include <qomet/accel/runstate.h>
#include <qomet/hw/input/ps2.h>
#include <qomet/hw/isa/isa-bus.h>

#define TYPE_I8042 "i8042"
OBJECT_DECLARE_SIMPLE_TYPE(ISAKBDState, I8042)

#define DATA_PORT 0x60
#define COMMAND_PORT 0x64

/* Commands; what their names do not say is in controller_command(). */
#define READ_MODE 0x20
#define WRITE_MODE 0x60
#define MOUSE_DISABLE 0xa7
#define MOUSE_ENABLE 0xa8
#define TEST_MOUSE 0xa9
#define SELF_TEST 0xaa
#define TEST_KBD 0xab
#define KBD_DISABLE 0xad
#define KBD_ENABLE 0xae
#define READ_INPORT 0xc0
#define READ_OUTPORT 0xd0
#define WRITE_OUTPORT 0xd1
#define WRITE_KBD_OBUF 0xd2 /* as if the keyboard had sent it */
#define WRITE_MOUSE_OBUF 0xd3
#define WRITE_MOUSE 0xd4
#define DISABLE_A20 0xdd
#define ENABLE_A20 0xdf
#define PULSE_FIRST 0xf0 /* to 0xff: each low bit that is 0 is a line that is pulsed */

#define PULSE_NO_RESET 0x01

#define STATUS_OBF 0x01 /* there is a byte to be read */
#define STATUS_SELF_TEST 0x04
#define STATUS_COMMAND 0x08 /* the last byte written was a command */
#define STATUS_UNLOCKED 0x10
#define STATUS_MOUSE_OBF 0x20 /* and it is the mouse's */

#define MODE_KBD_INT 0x01
#define MODE_MOUSE_INT 0x02
#define MODE_DISABLE_KBD 0x10
#define MODE_DISABLE_MOUSE 0x20
#define MODE_TRANSLATE 0x40

#define OUT_NO_RESET 0x01
#define OUT_A20 0x02
#define OUT_OBF 0x10 /* what is on the two interrupt lines */
#define OUT_MOUSE_OBF 0x20

#define INPORT_UNLOCKED 0x80
#define SELF_TEST_PASSED 0x55
#define TEST_PASSED 0x00

/* Where the byte in the output buffer is from. */
enum { FROM_KBD, FROM_MOUSE };

struct ISAKBDState {
    ISADevice parent_obj;
    MemoryRegion io_data, io_command;
    qemu_irq irq[2]; /* keyboard, mouse */
    qemu_irq a20[1];
    uint8_t kbd_irq, mouse_irq; /* properties: numbers of lines of the bus */
    uint8_t status;             /* without the bits of the output buffer, which are "full" */
    uint8_t mode;
    uint8_t outport;                /* reset and A20, as written */
    uint8_t command;                /* whose argument the next data byte is; 0: none */
    uint8_t obuf;                   /* the output buffer */
    uint8_t full, from;             /* 0 or 1: whether it was not read yet; and its source */
    uint8_t own, own_from, has_own; /* what the controller itself has to say, and as whom; 0 or 1 */
    PS2State kbd, mouse;
};

/* ---- The output buffer ---- */

static bool offers(const PS2State *dev, uint8_t mode, uint8_t disable)
{
    return dev->count && !(mode & disable);
}

static void update_irqs(ISAKBDState *s)
{
    qemu_set_irq(s->irq[0], s->full && s->from == FROM_KBD &&
                                (s->mode & (MODE_KBD_INT | MODE_DISABLE_KBD)) == MODE_KBD_INT);
    qemu_set_irq(s->irq[1], s->full && s->from == FROM_MOUSE && (s->mode & MODE_MOUSE_INT));
}

static void fill(ISAKBDState *s, uint8_t value, uint8_t from)
{
    s->obuf = value;
    s->from = from;
    s->full = 1;
}

/* Something has changed: the buffer takes what somebody has to say, when it has room. */
static void update(ISAKBDState *s)
{
    if (!s->full && s->has_own) {
        s->has_own = 0;
        fill(s, s->own, s->own_from);
    } else if (!s->full && offers(&s->kbd, s->mode, MODE_DISABLE_KBD)) {
        fill(s, ps2_read(&s->kbd), FROM_KBD);
    } else if (!s->full && offers(&s->mouse, s->mode, MODE_DISABLE_MOUSE)) {
        fill(s, ps2_read(&s->mouse), FROM_MOUSE);
    }
    update_irqs(s);
}

static void controller_answers(ISAKBDState *s, uint8_t value, uint8_t from)
{
    s->own = value;
    s->own_from = from;
    s->has_own = 1;
    update(s);
}

/* ---- Lines ---- */

static void write_outport(ISAKBDState *s, uint8_t value)
{
    s->outport = value & (OUT_NO_RESET | OUT_A20);
    qemu_set_irq(s->a20[0], (value & OUT_A20) != 0);
    if (!(value & OUT_NO_RESET)) {
        qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    }
}

static uint8_t read_outport(const ISAKBDState *s)
{
    const uint8_t bit = s->from == FROM_MOUSE ? OUT_MOUSE_OBF : OUT_OBF;

    return s->outport | (s->full ? bit : 0);
}

/* ---- Commands ---- */

static void write_mode(ISAKBDState *s, uint8_t mode)
{
    s->mode = mode;
    s->kbd.translate = (mode & MODE_TRANSLATE) != 0;
    update(s);
}

static void controller_command(ISAKBDState *s, uint8_t value)
{
    switch (value) {
    case READ_MODE:
        controller_answers(s, s->mode, FROM_KBD);
        break;
    case WRITE_MODE:
    case WRITE_OUTPORT:
    case WRITE_KBD_OBUF:
    case WRITE_MOUSE_OBUF:
    case WRITE_MOUSE:
        s->command = value;
        break;
    case MOUSE_DISABLE:
        write_mode(s, s->mode | MODE_DISABLE_MOUSE);
        break;
    case MOUSE_ENABLE:
        write_mode(s, s->mode & ~MODE_DISABLE_MOUSE);
        break;
    case KBD_DISABLE:
        write_mode(s, s->mode | MODE_DISABLE_KBD);
        break;
    case KBD_ENABLE:
        write_mode(s, s->mode & ~MODE_DISABLE_KBD);
        break;
    case TEST_MOUSE:
    case TEST_KBD:
        controller_answers(s, TEST_PASSED, FROM_KBD);
        break;
    case SELF_TEST:
        s->status |= STATUS_SELF_TEST;
        controller_answers(s, SELF_TEST_PASSED, FROM_KBD);
        break;
    case READ_INPORT:
        controller_answers(s, INPORT_UNLOCKED, FROM_KBD);
        break;
    case READ_OUTPORT:
        controller_answers(s, read_outport(s), FROM_KBD);
        break;
    case DISABLE_A20:
        write_outport(s, s->outport & ~OUT_A20);
        break;
    case ENABLE_A20:
        write_outport(s, s->outport | OUT_A20);
        break;
    case PULSE_FIRST ... 0xff:
        if (!(value & PULSE_NO_RESET)) {
            qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
        }
        break;
    default:
        break;
    }
}

static void write_data(ISAKBDState *s, uint8_t value)
{
    const uint8_t command = s->command;

    s->command = 0;
    switch (command) {
    case WRITE_MODE:
        write_mode(s, value);
        break;
    case WRITE_OUTPORT:
        write_outport(s, value);
        break;
    case WRITE_KBD_OBUF:
        controller_answers(s, value, FROM_KBD);
        break;
    case WRITE_MOUSE_OBUF:
        controller_answers(s, value, FROM_MOUSE);
        break;
    case WRITE_MOUSE:
        ps2_mouse_write(&s->mouse, value);
        write_mode(s, s->mode & ~MODE_DISABLE_MOUSE); /* who is spoken to may answer */
        break;
    default:
        ps2_keyboard_write(&s->kbd, value);
        write_mode(s, s->mode & ~MODE_DISABLE_KBD);
    }
}

/* ---- Registers ---- */

static uint64_t data_read(void *opaque, hwaddr addr G_GNUC_UNUSED, unsigned size G_GNUC_UNUSED)
{
    ISAKBDState *s = opaque;
    const uint8_t value = s->obuf;

    /* The line falls before it rises for the next byte: each one is an edge. */
    s->full = 0;
    update_irqs(s);
    update(s);
    return value;
}

static void data_write(void *opaque, hwaddr addr G_GNUC_UNUSED, uint64_t data,
                       unsigned size G_GNUC_UNUSED)
{
    ISAKBDState *s = opaque;

    s->status &= ~STATUS_COMMAND;
    write_data(s, data);
}

static uint64_t command_read(void *opaque, hwaddr addr G_GNUC_UNUSED, unsigned size G_GNUC_UNUSED)
{
    const ISAKBDState *s = opaque;
    const uint8_t mouse = s->from == FROM_MOUSE ? STATUS_MOUSE_OBF : 0;

    return s->status | (s->full ? STATUS_OBF | mouse : 0);
}

static void command_write(void *opaque, hwaddr addr G_GNUC_UNUSED, uint64_t data,
                          unsigned size G_GNUC_UNUSED)
{
    ISAKBDState *s = opaque;

    s->status |= STATUS_COMMAND;
    s->command = 0;
    controller_command(s, data);
}

static const MemoryRegionOps data_ops = {
    .read = data_read,
    .write = data_write,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
    .name = "8042 data",
};

static const MemoryRegionOps command_ops = {
    .read = command_read,
    .write = command_write,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
    .name = "8042 command and status",
};

/* ---- The device ---- */

static bool i8042_realize(DeviceState *dev, GError **errp)
{
    ISAKBDState *s = I8042(dev);
    ISADevice *isa = ISA_DEVICE(dev);

    return isa_connect_gpio_out(isa, NULL, 0, s->kbd_irq, errp) &&
           isa_connect_gpio_out(isa, NULL, 1, s->mouse_irq, errp) &&
           isa_register_ioport(isa, &s->io_data, DATA_PORT, errp) &&
           isa_register_ioport(isa, &s->io_command, COMMAND_PORT, errp);
}

static void i8042_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    ISAKBDState *s = I8042(obj);

    s->mode = MODE_KBD_INT | MODE_MOUSE_INT;
    s->status = STATUS_COMMAND | STATUS_UNLOCKED;
    s->outport = OUT_NO_RESET | OUT_A20;
    s->command = s->obuf = s->full = s->from = 0;
    s->own = s->own_from = s->has_own = 0;
    ps2_reset(&s->kbd);
    ps2_reset(&s->mouse);
    update_irqs(s);
    qemu_set_irq(s->a20[0], 1);
}

static void i8042_init(Object *obj)
{
    ISAKBDState *s = I8042(obj);

    memory_region_init_io(&s->io_data, obj, &data_ops, s, "i8042-data", 1);
    memory_region_init_io(&s->io_command, obj, &command_ops, s, "i8042-cmd", 1);
    qdev_init_gpio_out(DEVICE(obj), s->irq, 2);
    qdev_init_gpio_out_named(DEVICE(obj), s->a20, "a20", 1);
}

static const Property i8042_props[] = {
    DEFINE_PROP_UINT8("kbd-irq", ISAKBDState, kbd_irq, 1, .help = "line of the keyboard",
                      PROP_RANGE_U(0, ISA_NUM_IRQS - 1)),
    DEFINE_PROP_UINT8("mouse-irq", ISAKBDState, mouse_irq, 12, .help = "line of the mouse",
                      PROP_RANGE_U(0, ISA_NUM_IRQS - 1)),
};

static const DeviceField i8042_fields[] = {
    DEVICE_FIELD(ISAKBDState, status),
    DEVICE_FIELD(ISAKBDState, mode),
    DEVICE_FIELD(ISAKBDState, outport),
    DEVICE_FIELD(ISAKBDState, command),
    DEVICE_FIELD(ISAKBDState, obuf),
    DEVICE_FIELD(ISAKBDState, full),
    DEVICE_FIELD(ISAKBDState, from),
    DEVICE_FIELD(ISAKBDState, own),
    DEVICE_FIELD(ISAKBDState, own_from),
    DEVICE_FIELD(ISAKBDState, has_own),
    PS2_FIELDS(ISAKBDState, kbd),
    PS2_FIELDS(ISAKBDState, mouse),
    { NULL, 0, 0, 0, 0 },
};

static void i8042_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "keyboard controller of a PC, with a keyboard and a mouse that nobody touches";
    dc->realize = i8042_realize;
    dc->state = i8042_fields;
    device_class_set_reset(dc, i8042_reset);
    device_class_set_props(dc, i8042_props);
}

static const TypeInfo i8042_types[] = {
    {
        .name = TYPE_I8042,
        .parent = TYPE_ISA_DEVICE,
        .instance_size = sizeof(ISAKBDState),
        .instance_init = i8042_init,
        .class_init = i8042_class_init,
    },
};

DEFINE_TYPES(i8042_types)
