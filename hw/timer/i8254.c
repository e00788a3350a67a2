/* SPDX-License-Identifier: MIT */
/*
 * "isa-pit": the 8254 timer of a PC at ports 0x40 to 0x43, and the port 0x61 that opens the gate of
 * its third channel and shows that one's output. Nothing is counted: a channel knows when it began,
 * and only the first one, whose output is line 0, has a timer. Intel's data sheet 8254 (231164) is
 * the source; 0x61 is that of the 82371FB (290550, "NMISC").
 */
#include <qomet/hw/isa/isa-bus.h>

#define TYPE_PIT "isa-pit"
OBJECT_DECLARE_SIMPLE_TYPE(PITState, PIT)

#define PIT_HZ 1193182
#define PIT_ISA_IRQ 0
#define CHANNELS 3
#define SPEAKER 2 /* the channel behind port 0x61 */

/* How the 16 bits of a count pass through a port of 8: the field RW of the control word. */
enum { ACCESS_LATCH, ACCESS_LOW, ACCESS_HIGH, ACCESS_BOTH };

#define READ_BACK 3 /* in place of a channel */
#define READ_BACK_NO_COUNT 0x20
#define READ_BACK_NO_STATUS 0x10
#define STATUS_OUT 0x80
#define STATUS_NULL 0x40 /* the count that was written is not being counted yet */

#define PORT61_GATE 0x01
#define PORT61_SPEAKER 0x02
#define PORT61_REFRESH 0x10
#define PORT61_OUT 0x20
#define REFRESH_NS 15085 /* between two changes of that bit */

struct PITState {
    ISADevice parent_obj;
    MemoryRegion io, io61;
    QEMUTimer timer; /* the next time the output of channel 0 rises */
    qemu_irq irq[1];
    uint8_t speaker; /* the bits of port 0x61 that were written */
    /* Of each channel: */
    uint32_t count[CHANNELS];    /* what it counts from; 0: none was written since its mode was */
    int64_t begun_ns[CHANNELS];  /* when it began; while it stands: begun so long ago when it did */
    uint8_t stands[CHANNELS];    /* 0 or 1: it waits for a count or for its gate */
    uint8_t control[CHANNELS];   /* its control word: access, mode, decimal */
    uint8_t gate[CHANNELS];      /* 0 or 1 */
    uint8_t low[CHANNELS];       /* the first of two bytes */
    uint8_t has_low[CHANNELS];   /* 0 or 1 */
    uint8_t high_next[CHANNELS]; /* 0 or 1: the next read gives the second of two bytes */
    uint16_t latch[CHANNELS];
    uint8_t latched[CHANNELS]; /* bytes of it not yet read */
    uint8_t status[CHANNELS], has_status[CHANNELS];
};

/* ---- Counting ---- */

static unsigned mode_of(const PITState *s, unsigned c)
{
    unsigned mode = s->control[c] >> 1 & 7;

    return mode > 5 ? mode - 4 : mode; /* 6 and 7 are 2 and 3 */
}

static bool is_periodic(const PITState *s, unsigned c)
{
    return mode_of(s, c) == 2 || mode_of(s, c) == 3;
}

static unsigned access_of(const PITState *s, unsigned c)
{
    return s->control[c] >> 4 & 3;
}

static bool is_decimal(const PITState *s, unsigned c)
{
    return s->control[c] & 1;
}

/* Since the channel began to count; a century of them fits. */
static uint64_t ticks(const PITState *s, unsigned c)
{
    int64_t ns = s->begun_ns[c];

    if (!s->stands[c]) {
        ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) - ns;
    }
    return (unsigned __int128)(uint64_t)MAX(ns, 0) * PIT_HZ / NANOSECONDS_PER_SECOND;
}

/* The first ns at which so many ticks have passed. */
static int64_t ticks_to_ns(uint64_t t)
{
    return ((unsigned __int128)t * NANOSECONDS_PER_SECOND + PIT_HZ - 1) / PIT_HZ;
}

static void set_standing(PITState *s, unsigned c, bool stand)
{
    if (s->stands[c] != stand) {
        s->begun_ns[c] = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) - s->begun_ns[c];
        s->stands[c] = stand;
    }
}

static void begin(PITState *s, unsigned c)
{
    s->stands[c] = 0;
    s->begun_ns[c] = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

/* The output, by the wave forms of the data sheet. */
static bool output(const PITState *s, unsigned c)
{
    const uint64_t t = ticks(s, c), count = s->count[c];
    const unsigned mode = mode_of(s, c);

    if (!count || (is_periodic(s, c) && !s->gate[c])) {
        return mode != 0;
    }
    switch (mode) {
    case 0:
        return t >= count;
    case 1:
        return s->stands[c] || t >= count;
    case 2:
        return t % count != count - 1;
    case 3:
        return t % count < (count + 1) / 2;
    default:
        return s->stands[c] || t != count;
    }
}

/* The counting element. After its end a count that is not periodic wraps around. */
static uint16_t counter(const PITState *s, unsigned c)
{
    const uint64_t t = ticks(s, c), count = s->count[c];
    const uint32_t wrap = is_decimal(s, c) ? 10000 : 0x10000;
    uint32_t left;

    if (!count) {
        return 0;
    }
    if (mode_of(s, c) == 3) {
        left = count - 2 * (t % ((count + 1) / 2));
    } else if (mode_of(s, c) == 2) {
        left = count - t % count;
    } else {
        left = (count + wrap - t % wrap) % wrap;
    }
    left %= wrap;
    if (!is_decimal(s, c)) {
        return left;
    }
    return left / 1000 << 12 | left / 100 % 10 << 8 | left / 10 % 10 << 4 | left % 10;
}

/* ---- The line ---- */

/* Ticks until the output next rises; 0: it never does. */
static uint64_t next_rise(const PITState *s, unsigned c)
{
    const uint64_t t = ticks(s, c), count = s->count[c];

    if (!count || s->stands[c]) {
        return 0;
    }
    if (is_periodic(s, c)) {
        return (t / count + 1) * count;
    }
    if (mode_of(s, c) <= 1) {
        return t < count ? count : 0;
    }
    return t <= count ? count + 1 : 0;
}

static void arm(PITState *s)
{
    uint64_t rise = next_rise(s, 0);

    if (rise) {
        timer_mod(&s->timer, s->begun_ns[0] + ticks_to_ns(rise));
    } else {
        timer_del(&s->timer);
    }
}

/* How long the output was low before, nobody can see: the line is a pulse that ends high. */
static void pit_timer(void *opaque)
{
    PITState *s = opaque;

    qemu_set_irq(s->irq[0], 0);
    qemu_set_irq(s->irq[0], output(s, 0));
    arm(s);
}

/* Something was written to @c. */
static void update(PITState *s, unsigned c)
{
    if (c == 0) {
        qemu_set_irq(s->irq[0], output(s, 0));
        arm(s);
    }
}

/* ---- Registers ---- */

static void latch_count(PITState *s, unsigned c)
{
    if (!s->latched[c]) {
        s->latch[c] = counter(s, c);
        s->latched[c] = access_of(s, c) == ACCESS_BOTH ? 2 : 1;
    }
}

static void read_back(PITState *s, uint8_t value)
{
    for (unsigned c = 0; c < CHANNELS; c++) {
        if (!(value & 2 << c)) {
            continue;
        }
        if (!(value & READ_BACK_NO_COUNT)) {
            latch_count(s, c);
        }
        if (!(value & READ_BACK_NO_STATUS) && !s->has_status[c]) {
            s->status[c] = (output(s, c) ? STATUS_OUT : 0) | (s->count[c] ? 0 : STATUS_NULL) |
                           (s->control[c] & 0x3f);
            s->has_status[c] = 1;
        }
    }
}

static void write_control(PITState *s, uint8_t value)
{
    const unsigned c = value >> 6;

    if (c == READ_BACK) {
        read_back(s, value);
    } else if ((value >> 4 & 3) == ACCESS_LATCH) {
        latch_count(s, c);
    } else {
        s->control[c] = value & 0x3f;
        s->count[c] = 0;
        s->stands[c] = 1;
        s->begun_ns[c] = 0;
        s->has_low[c] = s->high_next[c] = s->latched[c] = s->has_status[c] = 0;
        update(s, c);
    }
}

/* A whole count. It is counted at once, as on other emulated timers, not from the next period on. */
static void load(PITState *s, unsigned c, uint16_t value)
{
    uint32_t count = value;

    if (is_decimal(s, c)) {
        count =
            (value >> 12) * 1000 + (value >> 8 & 15) * 100 + (value >> 4 & 15) * 10 + (value & 15);
        count = count ? count : 10000;
    }
    count = count ? count : 0x10000;
    s->count[c] = count == 1 && is_periodic(s, c) ? 2 : count; /* data sheet: at least 2 there */
    if (mode_of(s, c) == 1 || mode_of(s, c) == 5) {
        return; /* its gate will begin it */
    }
    begin(s, c);
    if (!s->gate[c]) {
        set_standing(s, c, true);
    }
}

static void write_count(PITState *s, unsigned c, uint8_t value)
{
    switch (access_of(s, c)) {
    case ACCESS_LOW:
        load(s, c, value);
        break;
    case ACCESS_HIGH:
        load(s, c, value << 8);
        break;
    default:
        s->has_low[c] = !s->has_low[c];
        if (s->has_low[c]) {
            s->low[c] = value;
            return;
        }
        load(s, c, value << 8 | s->low[c]);
    }
    update(s, c);
}

static uint8_t read_count(PITState *s, unsigned c)
{
    uint16_t value;
    bool high = access_of(s, c) == ACCESS_HIGH;

    if (s->has_status[c]) {
        s->has_status[c] = 0;
        return s->status[c];
    }
    value = s->latched[c] ? s->latch[c] : counter(s, c);
    s->latched[c] -= s->latched[c] ? 1 : 0;
    if (access_of(s, c) == ACCESS_BOTH) {
        high = s->high_next[c];
        s->high_next[c] = !high;
    }
    return high ? value >> 8 : value;
}

static void set_gate(PITState *s, unsigned c, bool open)
{
    const unsigned mode = mode_of(s, c);

    if (s->gate[c] == open) {
        return;
    }
    s->gate[c] = open;
    if (!s->count[c]) {
        return;
    }
    if (mode == 0 || mode == 4) {
        set_standing(s, c, !open); /* it goes on where it was */
    } else if (open) {
        begin(s, c);
    } else if (is_periodic(s, c)) {
        set_standing(s, c, true);
    }
}

static uint64_t pit_read(void *opaque, hwaddr addr, unsigned size G_GNUC_UNUSED)
{
    /* The control word cannot be read. */
    return addr < CHANNELS ? read_count(opaque, addr) : 0;
}

static void pit_write(void *opaque, hwaddr addr, uint64_t data, unsigned size G_GNUC_UNUSED)
{
    if (addr < CHANNELS) {
        write_count(opaque, addr, data);
    } else {
        write_control(opaque, data);
    }
}

static uint64_t port61_read(void *opaque, hwaddr addr G_GNUC_UNUSED, unsigned size G_GNUC_UNUSED)
{
    PITState *s = opaque;
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);

    return s->speaker | (now / REFRESH_NS % 2 ? PORT61_REFRESH : 0) |
           (output(s, SPEAKER) ? PORT61_OUT : 0);
}

static void port61_write(void *opaque, hwaddr addr G_GNUC_UNUSED, uint64_t data,
                         unsigned size G_GNUC_UNUSED)
{
    PITState *s = opaque;

    s->speaker = data & (PORT61_GATE | PORT61_SPEAKER);
    set_gate(s, SPEAKER, data & PORT61_GATE);
}

static const MemoryRegionOps pit_ops = {
    .read = pit_read,
    .write = pit_write,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
    .name = "8254",
};

static const MemoryRegionOps port61_ops = {
    .read = port61_read,
    .write = port61_write,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
    .name = "port 0x61",
};

/* ---- The device ---- */

static bool pit_realize(DeviceState *dev, GError **errp)
{
    PITState *s = PIT(dev);

    return isa_connect_gpio_out(ISA_DEVICE(dev), NULL, 0, PIT_ISA_IRQ, errp) &&
           isa_register_ioport(ISA_DEVICE(dev), &s->io, 0x40, errp) &&
           isa_register_ioport(ISA_DEVICE(dev), &s->io61, 0x61, errp);
}

static void pit_unrealize(DeviceState *dev)
{
    timer_del(&PIT(dev)->timer);
}

/* The chip has no reset; a PC's firmware finds all three waiting for a count. */
static void pit_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    PITState *s = PIT(obj);

    for (unsigned c = 0; c < CHANNELS; c++) {
        s->gate[c] = c != SPEAKER;
        write_control(s, c << 6 | ACCESS_BOTH << 4 | 3 << 1);
    }
    s->speaker = 0;
}

static void pit_init(Object *obj)
{
    PITState *s = PIT(obj);

    timer_init_ns(&s->timer, QEMU_CLOCK_VIRTUAL, pit_timer, s, &DEVICE(obj)->guard);
    memory_region_init_io(&s->io, obj, &pit_ops, s, "pit", 4);
    memory_region_init_io(&s->io61, obj, &port61_ops, s, "port61", 1);
    qdev_init_gpio_out(DEVICE(obj), s->irq, 1);
}

static const DeviceField pit_fields[] = {
    DEVICE_FIELD(PITState, speaker),    DEVICE_ARRAY(PITState, count),
    DEVICE_ARRAY(PITState, begun_ns),   DEVICE_ARRAY(PITState, stands),
    DEVICE_ARRAY(PITState, control),    DEVICE_ARRAY(PITState, gate),
    DEVICE_ARRAY(PITState, low),        DEVICE_ARRAY(PITState, has_low),
    DEVICE_ARRAY(PITState, high_next),  DEVICE_ARRAY(PITState, latch),
    DEVICE_ARRAY(PITState, latched),    DEVICE_ARRAY(PITState, status),
    DEVICE_ARRAY(PITState, has_status), { NULL, 0, 0, 0, 0 },
};

static void pit_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "timer of a PC, with port 0x61";
    dc->realize = pit_realize;
    dc->unrealize = pit_unrealize;
    dc->state = pit_fields;
    device_class_set_reset(dc, pit_reset);
}

static const TypeInfo pit_types[] = {
    {
        .name = TYPE_PIT,
        .parent = TYPE_ISA_DEVICE,
        .instance_size = sizeof(PITState),
        .instance_init = pit_init,
        .class_init = pit_class_init,
    },
};

DEFINE_TYPES(pit_types)
