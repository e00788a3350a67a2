/* SPDX-License-Identifier: MIT */
/*
 * Combiners of lines as devices: or-irq, split-irq, invert-irq. They pass a change on at once, on
 * the thread that makes it, and hold no lock.
 */
#include "hw/core/qdev-int.h"

#define COMBINER_MAX_LINES 48 /* as in QEMU; or-irq keeps them in one word with a flag */

OBJECT_DECLARE_SIMPLE_TYPE(OrIRQ, OR_IRQ)
OBJECT_DECLARE_SIMPLE_TYPE(SplitIRQ, SPLIT_IRQ)
OBJECT_DECLARE_SIMPLE_TYPE(InvertIRQ, INVERT_IRQ)

/* ---- or-irq ---------------------------------------------------------------------------------- */

/*
 * How often a thread that drives the output starts again because of what itself caused: a ring of
 * lines.
 */
#define OR_RING_MAX 8

/*
 * In OrIRQ.state, above a bit for each input that is high: the inputs have left 0 since the output
 * was told.
 */
#define OR_ROSE (UINT64_C(1) << 63)
#define OR_LINES (OR_ROSE - 1)

struct OrIRQ {
    DeviceState parent_obj;
    uint16_t num_lines;
    qemu_irq out;
    uint64_t state; /* atomic */
    uint32_t
        turns; /* atomic: changes not yet told; who makes it leave 0 tells until it is 0 again */
    const void *teller; /* atomic: a mark of the thread that tells */
    int told;           /* what the output was set to last; of the thread that tells */
    unsigned ring;      /* changes that came back to the thread that tells; of that thread */
};

/* Its address marks the thread. */
static __thread char thread_mark;

static void or_tell(OrIRQ *s)
{
    uint64_t state = __atomic_fetch_and(&s->state, OR_LINES, __ATOMIC_SEQ_CST);
    int level = (state & OR_LINES) != 0;

    /* A rise that came and went while another change was being told is still shown. */
    if (state & OR_ROSE && s->told) {
        qemu_set_irq(s->out, 0);
    }
    if (state & OR_ROSE && !level) {
        qemu_set_irq(s->out, 1);
    }
    s->told = level;
    qemu_set_irq(s->out, level);
}

/* Returns whether the input @n was at @level before. */
static bool or_store(OrIRQ *s, int n, int level)
{
    uint64_t bit = UINT64_C(1) << n, old, new;

    old = __atomic_load_n(&s->state, __ATOMIC_RELAXED);
    do {
        if (!level) {
            new = old & ~bit;
        } else {
            new = old | bit | (old & OR_LINES ? 0 : OR_ROSE);
        }
    } while (!__atomic_compare_exchange_n(&s->state, &old, new, true, __ATOMIC_SEQ_CST,
                                          __ATOMIC_RELAXED));
    return !!(old & bit) == !!level;
}

/* Whether a change that came back to the thread that tells is to be told again. */
static bool or_ring_turns(OrIRQ *s, bool same)
{
    static LogLimit limit;

    if (same) {
        return false;
    }
    if (++s->ring <= OR_RING_MAX) {
        return true;
    }
    /* There is an inverter in the ring: it would swing for ever. */
    if (qemu_log_limit(&limit)) {
        g_autofree char *path = object_get_canonical_path(OBJECT(s));

        error_report("%s stands in a ring of interrupt lines that never comes to rest",
                     path ? path : TYPE_OR_IRQ);
    }
    return false;
}

/*
 * Two threads that tell the output about two inputs could do so in the wrong order. So one tells at
 * a time: the others leave their change to it, and it does not stop before it has told the newest.
 */
static void or_set(void *opaque, int n, int level)
{
    OrIRQ *s = opaque;
    bool same = or_store(s, n, level);
    uint32_t turns = 1;

    if (__atomic_load_n(&s->teller, __ATOMIC_RELAXED) == &thread_mark && !or_ring_turns(s, same)) {
        return;
    }
    if (__atomic_fetch_add(&s->turns, 1, __ATOMIC_SEQ_CST) != 0) {
        return;
    }
    s->ring = 0;
    do {
        __atomic_store_n(&s->teller, &thread_mark, __ATOMIC_RELAXED);
        or_tell(s);
        __atomic_store_n(&s->teller, NULL, __ATOMIC_RELAXED);
    } while (!__atomic_compare_exchange_n(&s->turns, &turns, 0, false, __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST));
}

static bool or_realize(DeviceState *dev, GError **errp)
{
    OrIRQ *s = OR_IRQ(dev);

    (void)errp;
    s->state = 0;
    s->told = 0;
    qdev_init_gpio_in_direct(dev, or_set, NULL, s->num_lines);
    return true;
}

static void or_init(Object *obj)
{
    qdev_init_gpio_out(DEVICE(obj), &OR_IRQ(obj)->out, 1);
}

static const Property or_props[] = {
    DEFINE_PROP_UINT16("num-lines", OrIRQ, num_lines, 1, PROP_RANGE_U(1, COMBINER_MAX_LINES),
                       .help = "number of inputs"),
};

static void or_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    (void)data;
    dc->desc = "a line that is high while one of its inputs is";
    dc->user_creatable = false; /* it has to be wired */
    dc->realize = or_realize;
    device_class_set_props(dc, or_props);
}

/* ---- split-irq ------------------------------------------------------------------------------- */

struct SplitIRQ {
    DeviceState parent_obj;
    uint16_t num_lines;
    qemu_irq out[COMBINER_MAX_LINES];
};

static void split_set(void *opaque, int n, int level)
{
    SplitIRQ *s = opaque;

    (void)n;
    for (unsigned i = 0; i < s->num_lines; i++) {
        qemu_set_irq(s->out[i], level);
    }
}

static bool split_realize(DeviceState *dev, GError **errp)
{
    SplitIRQ *s = SPLIT_IRQ(dev);

    (void)errp;
    qdev_init_gpio_out(dev, s->out, s->num_lines);
    return true;
}

static void split_init(Object *obj)
{
    qdev_init_gpio_in_direct(DEVICE(obj), split_set, NULL, 1);
}

static const Property split_props[] = {
    DEFINE_PROP_UINT16("num-lines", SplitIRQ, num_lines, 1, PROP_RANGE_U(1, COMBINER_MAX_LINES),
                       .help = "number of outputs"),
};

static void split_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    (void)data;
    dc->desc = "a line that leads to several others";
    dc->user_creatable = false;
    dc->realize = split_realize;
    device_class_set_props(dc, split_props);
}

/* ---- invert-irq ------------------------------------------------------------------------------ */

struct InvertIRQ {
    DeviceState parent_obj;
    qemu_irq out;
};

static void invert_set(void *opaque, int n, int level)
{
    InvertIRQ *s = opaque;

    (void)n;
    qemu_set_irq(s->out, !level);
}

/* Nobody has set the input yet: the output is told what that means. */
static void invert_reset_hold(Object *obj, ResetType type)
{
    (void)type;
    invert_set(obj, 0, qemu_irq_level(qdev_get_gpio_in(DEVICE(obj), 0)));
}

static void invert_init(Object *obj)
{
    qdev_init_gpio_in_direct(DEVICE(obj), invert_set, NULL, 1);
    qdev_init_gpio_out(DEVICE(obj), &INVERT_IRQ(obj)->out, 1);
}

static void invert_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    (void)data;
    dc->desc = "a line that passes on the opposite of its level";
    dc->user_creatable = false;
    device_class_set_reset(dc, invert_reset_hold);
}

static const TypeInfo combiner_types[] = {
    {
        .name = TYPE_OR_IRQ,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(OrIRQ),
        .instance_init = or_init,
        .class_init = or_class_init,
    },
    {
        .name = TYPE_SPLIT_IRQ,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(SplitIRQ),
        .instance_init = split_init,
        .class_init = split_class_init,
    },
    {
        .name = TYPE_INVERT_IRQ,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(InvertIRQ),
        .instance_init = invert_init,
        .class_init = invert_class_init,
    },
};
DEFINE_TYPES(combiner_types)
