/* SPDX-License-Identifier: MIT */
/*
 * "isa-i8259": the two 8259A interrupt controllers of a PC, the second one behind input 2 of the
 * first, with the registers of the 82371 that choose edge or level for each input. One device with
 * one lock, since each request of the second passes through the first. Intel's data sheets 8259A
 * (231468) and 82371FB (290550) are the source.
 */
#include <qomet/accel/cpu-intc.h>
#include <qomet/hw/intc/i8259.h>
#include <qomet/hw/intc/intc.h>

OBJECT_DECLARE_SIMPLE_TYPE(PICState, I8259)

enum { MASTER, SLAVE, CHIPS };

#define CASCADE 2 /* the input of the master that the slave leads to */
#define NONE 8    /* a priority below all */

/* What a chip expects at its second port. */
enum { READY, ICW2, ICW3, ICW4 };

#define ICW1 0x10
#define ICW1_NEEDS_ICW4 0x01
#define ICW1_SINGLE 0x02
#define ICW4_AUTO_EOI 0x02
#define ICW4_NESTED 0x10
#define OCW3 0x08
#define OCW3_READ 0x02
#define OCW3_READ_ISR 0x01
#define OCW3_POLL 0x04
#define OCW3_SET_SPECIAL 0x40
#define OCW3_SPECIAL 0x20

/* Lines that are no edge or level of anybody: timer, keyboard, cascade; clock, coprocessor. */
static const uint8_t elcr_mask[CHIPS] = { 0xf8, 0xde };

/* What the methods of a region are handed. */
typedef struct PICPorts {
    PICState *pic;
    unsigned chip;
} PICPorts;

struct PICState {
    ISADevice parent_obj;
    MemoryRegion io[CHIPS], elcr_io[CHIPS];
    PICPorts ports[CHIPS];
    qemu_irq out[1];
    /* Guards all that follows; held while "intr" is set, which leads towards the processor. */
    pthread_mutex_t lock;
    /* Of each chip: */
    uint8_t level[CHIPS]; /* of the inputs, a bit each */
    uint8_t irr[CHIPS];   /* requested */
    uint8_t isr[CHIPS];   /* in service */
    uint8_t imr[CHIPS];   /* masked */
    uint8_t elcr[CHIPS];  /* inputs that ask by their level */
    uint8_t base[CHIPS];  /* vector of input 0 */
    uint8_t first[CHIPS]; /* the input with the highest priority */
    uint8_t expects[CHIPS];
    uint8_t icw1[CHIPS], icw4[CHIPS];
    uint8_t special_mask[CHIPS], rotates[CHIPS]; /* 0 or 1; "rotates" with automatic end */
    uint8_t reads_isr[CHIPS], polls[CHIPS];      /* what the next read gives; 0 or 1 */
    uint64_t rises[CHIPS * 8];                   /* how often each input has gone up, for people */
};

/* ---- Priorities ---- */

/* How far the most urgent of @inputs is behind the first one; NONE for none. */
static unsigned priority(const PICState *s, unsigned chip, uint8_t inputs)
{
    for (unsigned p = 0; p < NONE; p++) {
        if (inputs & 1 << ((p + s->first[chip]) & 7)) {
            return p;
        }
    }
    return NONE;
}

/* The input that is to be served, or -1. */
static int pending(const PICState *s, unsigned chip)
{
    uint8_t serving = s->isr[chip];
    unsigned wanted = priority(s, chip, s->irr[chip] & ~s->imr[chip]);

    if (s->special_mask[chip]) {
        serving &= ~s->imr[chip];
    }
    /* The slave may ask again although the master serves it. */
    if (chip == MASTER && (s->icw4[chip] & ICW4_NESTED)) {
        serving &= ~(1 << CASCADE);
    }
    return wanted < priority(s, chip, serving) ? (int)((wanted + s->first[chip]) & 7) : -1;
}

/* An edge asks once; a level as long as it lasts, also anew after an acknowledgement. */
static void set_input(PICState *s, unsigned chip, unsigned n, bool level)
{
    const uint8_t bit = 1 << n;

    s->rises[chip * 8 + n] += level && !(s->level[chip] & bit);
    if (s->elcr[chip] & bit) {
        s->irr[chip] = level ? s->irr[chip] | bit : s->irr[chip] & ~bit;
    } else if (level && !(s->level[chip] & bit)) {
        s->irr[chip] |= bit;
    }
    s->level[chip] = level ? s->level[chip] | bit : s->level[chip] & ~bit;
}

/* Something has changed: the slave tells the master, the master the processor. */
static void update(PICState *s)
{
    set_input(s, MASTER, CASCADE, pending(s, SLAVE) >= 0);
    qemu_set_irq(s->out[0], pending(s, MASTER) >= 0);
}

static void pic_set_irq(void *opaque, int n, int level)
{
    PICState *s = opaque;

    pthread_mutex_lock(&s->lock);
    if (n != CASCADE) {
        set_input(s, n / 8, n % 8, level != 0);
        update(s);
    }
    pthread_mutex_unlock(&s->lock);
}

static void acknowledge(PICState *s, unsigned chip, int n)
{
    if (!(s->icw4[chip] & ICW4_AUTO_EOI)) {
        s->isr[chip] |= 1 << n;
    } else if (s->rotates[chip]) {
        s->first[chip] = (n + 1) & 7;
    }
    if (!(s->elcr[chip] & 1 << n)) {
        s->irr[chip] &= ~(1 << n);
    }
    /* The output falls meanwhile, so that what else is pending is an edge for the master. */
    if (chip == SLAVE) {
        set_input(s, MASTER, CASCADE, false);
    }
}

/* The vector of what is pending at @chip, acknowledged; input 7's when nothing is any more. */
static int take(PICState *s, unsigned chip)
{
    int n = pending(s, chip);

    if (n < 0) {
        return s->base[chip] + 7;
    }
    acknowledge(s, chip, n);
    return chip == MASTER && n == CASCADE ? take(s, SLAVE) : s->base[chip] + n;
}

int pic_read_irq(DeviceState *dev)
{
    PICState *s = I8259(dev);
    int vector;

    pthread_mutex_lock(&s->lock);
    vector = take(s, MASTER);
    update(s);
    pthread_mutex_unlock(&s->lock);
    return vector;
}

/* The processor that hears this one alone, its APIC being elsewhere. */
static int intc_acknowledge(CPUIntc *intc, CPUState *cpu G_GNUC_UNUSED)
{
    return pic_read_irq(DEVICE(intc));
}

/* ---- Registers ---- */

/* All but what chooses edge or level, and the levels themselves. */
static void initialise(PICState *s, unsigned chip)
{
    s->irr[chip] = s->level[chip] & s->elcr[chip];
    s->isr[chip] = s->imr[chip] = s->first[chip] = 0;
    s->expects[chip] = READY;
    s->icw1[chip] = s->icw4[chip] = 0;
    s->special_mask[chip] = s->rotates[chip] = s->reads_isr[chip] = s->polls[chip] = 0;
}

/* OCW2: ends of service and rotation, by its three highest bits. */
static void command(PICState *s, unsigned chip, uint8_t value)
{
    const bool rotate = value & 0x80, specific = value & 0x40, end = value & 0x20;
    unsigned n = value & 7;

    if (!end && !specific) {
        s->rotates[chip] = rotate;
        return;
    }
    if (!specific) {
        unsigned p = priority(s, chip, s->isr[chip]);

        if (p == NONE) {
            return;
        }
        n = (p + s->first[chip]) & 7;
    }
    if (end) {
        s->isr[chip] &= ~(1 << n);
    }
    if (rotate) {
        s->first[chip] = (n + 1) & 7;
    }
}

static void write_first(PICState *s, unsigned chip, uint8_t value)
{
    if (value & ICW1) {
        initialise(s, chip);
        s->icw1[chip] = value;
        s->expects[chip] = ICW2;
    } else if (value & OCW3) {
        s->polls[chip] = (value & OCW3_POLL) != 0;
        if (value & OCW3_READ) {
            s->reads_isr[chip] = (value & OCW3_READ_ISR) != 0;
        }
        if (value & OCW3_SET_SPECIAL) {
            s->special_mask[chip] = (value & OCW3_SPECIAL) != 0;
        }
    } else {
        command(s, chip, value);
    }
}

static void write_second(PICState *s, unsigned chip, uint8_t value)
{
    switch (s->expects[chip]) {
    case READY:
        s->imr[chip] = value;
        return;
    case ICW2:
        s->base[chip] = value & 0xf8;
        s->expects[chip] = s->icw1[chip] & ICW1_SINGLE ? ICW4 : ICW3;
        break;
    case ICW3:
        /* Which input is the cascade is wired on a PC. */
        s->expects[chip] = ICW4;
        break;
    case ICW4:
        s->icw4[chip] = value;
        s->expects[chip] = READY;
        return;
    }
    if (s->expects[chip] == ICW4 && !(s->icw1[chip] & ICW1_NEEDS_ICW4)) {
        s->expects[chip] = READY;
    }
}

static uint8_t read_register(PICState *s, unsigned chip, bool second)
{
    if (s->polls[chip]) {
        int n = pending(s, chip);

        s->polls[chip] = 0;
        if (n < 0) {
            return 0;
        }
        acknowledge(s, chip, n);
        return 0x80 | n;
    }
    if (second) {
        return s->imr[chip];
    }
    return s->reads_isr[chip] ? s->isr[chip] : s->irr[chip];
}

static uint64_t pic_read(void *opaque, hwaddr addr, unsigned size G_GNUC_UNUSED)
{
    const PICPorts *ports = opaque;
    PICState *s = ports->pic;
    uint8_t value;

    pthread_mutex_lock(&s->lock);
    value = read_register(s, ports->chip, addr != 0);
    update(s);
    pthread_mutex_unlock(&s->lock);
    return value;
}

static void pic_write(void *opaque, hwaddr addr, uint64_t data, unsigned size G_GNUC_UNUSED)
{
    const PICPorts *ports = opaque;
    PICState *s = ports->pic;

    pthread_mutex_lock(&s->lock);
    if (addr == 0) {
        write_first(s, ports->chip, data);
    } else {
        write_second(s, ports->chip, data);
    }
    update(s);
    pthread_mutex_unlock(&s->lock);
}

static uint64_t elcr_read(void *opaque, hwaddr addr G_GNUC_UNUSED, unsigned size G_GNUC_UNUSED)
{
    const PICPorts *ports = opaque;
    PICState *s = ports->pic;
    uint8_t value;

    pthread_mutex_lock(&s->lock);
    value = s->elcr[ports->chip];
    pthread_mutex_unlock(&s->lock);
    return value;
}

static void elcr_write(void *opaque, hwaddr addr G_GNUC_UNUSED, uint64_t data,
                       unsigned size G_GNUC_UNUSED)
{
    const PICPorts *ports = opaque;
    PICState *s = ports->pic;

    pthread_mutex_lock(&s->lock);
    s->elcr[ports->chip] = data & elcr_mask[ports->chip];
    /* An input that asks by its level from now on asks while that lasts. */
    s->irr[ports->chip] &= ~s->elcr[ports->chip] | s->level[ports->chip];
    s->irr[ports->chip] |= s->elcr[ports->chip] & s->level[ports->chip];
    update(s);
    pthread_mutex_unlock(&s->lock);
}

static const MemoryRegionOps pic_ops = {
    .read = pic_read,
    .write = pic_write,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
    .name = "8259A",
};

static const MemoryRegionOps elcr_ops = {
    .read = elcr_read,
    .write = elcr_write,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
    .name = "ELCR",
};

/* ---- The device ---- */

static bool pic_realize(DeviceState *dev, GError **errp)
{
    static const uint16_t ports[CHIPS] = { 0x20, 0xa0 };
    PICState *s = I8259(dev);

    for (unsigned chip = 0; chip < CHIPS; chip++) {
        if (!isa_register_ioport(ISA_DEVICE(dev), &s->io[chip], ports[chip], errp) ||
            !isa_register_ioport(ISA_DEVICE(dev), &s->elcr_io[chip], 0x4d0 + chip, errp)) {
            return false;
        }
    }
    return true;
}

static void pic_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    PICState *s = I8259(obj);

    pthread_mutex_lock(&s->lock);
    for (unsigned chip = 0; chip < CHIPS; chip++) {
        s->elcr[chip] = s->base[chip] = 0;
        initialise(s, chip);
    }
    update(s);
    pthread_mutex_unlock(&s->lock);
}

static void pic_init(Object *obj)
{
    PICState *s = I8259(obj);

    pthread_mutex_init(&s->lock, NULL);
    for (unsigned chip = 0; chip < CHIPS; chip++) {
        s->ports[chip] = (PICPorts){ s, chip };
        memory_region_init_io(&s->io[chip], obj, &pic_ops, &s->ports[chip], "pic[*]", 2);
        memory_region_init_io(&s->elcr_io[chip], obj, &elcr_ops, &s->ports[chip], "elcr[*]", 1);
    }
    qdev_init_gpio_in_direct(DEVICE(obj), pic_set_irq, NULL, 16);
    qdev_init_gpio_out_named(DEVICE(obj), s->out, "intr", 1);
}

static void pic_finalize(Object *obj)
{
    pthread_mutex_destroy(&I8259(obj)->lock);
}

/* ---- For people ---- */

static void get_statistics(InterruptStatsProvider *obj, uint64_t *counts, unsigned n)
{
    PICState *s = I8259(obj);

    pthread_mutex_lock(&s->lock);
    memcpy(counts, s->rises, n * sizeof(counts[0]));
    pthread_mutex_unlock(&s->lock);
}

static void print_info(InterruptStatsProvider *obj, GString *out)
{
    PICState *s = I8259(obj);

    pthread_mutex_lock(&s->lock);
    for (unsigned chip = 0; chip < CHIPS; chip++) {
        g_string_append_printf(out,
                               "pic%u: irr=%02x imr=%02x isr=%02x hprio=%u irq_base=%02x rr_sel=%u "
                               "elcr=%02x fnm=%u\n",
                               chip, s->irr[chip], s->imr[chip], s->isr[chip], s->first[chip],
                               s->base[chip], s->reads_isr[chip], s->elcr[chip],
                               (s->icw4[chip] & ICW4_NESTED) != 0);
    }
    pthread_mutex_unlock(&s->lock);
}

/* ---- The type ---- */

static const DeviceField pic_fields[] = {
    DEVICE_ARRAY(PICState, level),
    DEVICE_ARRAY(PICState, irr),
    DEVICE_ARRAY(PICState, isr),
    DEVICE_ARRAY(PICState, imr),
    DEVICE_ARRAY(PICState, elcr),
    DEVICE_ARRAY(PICState, base),
    DEVICE_ARRAY(PICState, first),
    DEVICE_ARRAY(PICState, expects),
    DEVICE_ARRAY(PICState, icw1),
    DEVICE_ARRAY(PICState, icw4),
    DEVICE_ARRAY(PICState, special_mask),
    DEVICE_ARRAY(PICState, rotates),
    DEVICE_ARRAY(PICState, reads_isr),
    DEVICE_ARRAY(PICState, polls),
    { NULL, 0, 0, 0, 0 },
};

static void pic_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    InterruptStatsProviderClass *ic = INTERRUPT_STATS_PROVIDER_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    ic->inputs = CHIPS * 8;
    ic->get_statistics = get_statistics;
    ic->print_info = print_info;
    CPU_INTC_CLASS(klass)->acknowledge = intc_acknowledge;
    dc->desc = "the two interrupt controllers of a PC";
    dc->realize = pic_realize;
    dc->state = pic_fields;
    dc->rank = ENTRY_RANK_INTC;
    device_class_set_reset(dc, pic_reset);
}

static const TypeInfo pic_types[] = {
    {
        .name = TYPE_I8259,
        .parent = TYPE_ISA_DEVICE,
        .instance_size = sizeof(PICState),
        .instance_init = pic_init,
        .instance_finalize = pic_finalize,
        .class_init = pic_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_INTERRUPT_STATS_PROVIDER },
                                               { TYPE_CPU_INTC },
                                               { NULL } },
    },
};

DEFINE_TYPES(pic_types)
