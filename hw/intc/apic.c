/* SPDX-License-Identifier: MIT */
/*
 * "apic": a local APIC in its xAPIC mode (Intel SDM vol. 3, chapter 11). Its timer
 * is in apic-timer.c.
 */
#include "config.h"

#include "hw/intc/apic-int.h"

/* Registers, by their places in the page. */
enum {
    REG_ID = 0x02,
    REG_VERSION = 0x03,
    REG_TPR = 0x08,
    REG_PPR = 0x0a,
    REG_EOI = 0x0b,
    REG_LDR = 0x0d,
    REG_DFR = 0x0e,
    REG_SVR = 0x0f,
    REG_ISR = 0x10,
    REG_TMR = 0x18,
    REG_IRR = 0x20,
    REG_ESR = 0x28,
    REG_ICR = 0x30,
    REG_ICR_HIGH = 0x31,
    REG_LVT = 0x32,
    REG_INITIAL_COUNT = 0x38,
    REG_CURRENT_COUNT = 0x39,
    REG_DIVIDE = 0x3e,
};

enum { LVT_TIMER = APIC_LVT_TIMER, LVT_THERMAL, LVT_COUNTERS, LVT_LINT0, LVT_LINT1, LVT_ERROR };

/* In IA32_APIC_BASE: the first processor; there is an APIC. */
#define BASE_BSP (UINT64_C(1) << 8)
#define BASE_ENABLE (UINT64_C(1) << 11)

#define APIC_VERSION 0x14
#define FIRST_VECTOR 16 /* those below are the processor's own */

#define SVR_ENABLED 0x100
#define SVR_WRITABLE 0x1ff
#define DFR_FLAT 0xf

#define LVT_MODE(lvt) ((lvt) >> 8 & 7)
#define LVT_LEVEL 0x8000u
#define LVT_REMOTE_IRR 0x4000u
#define LVT_MASKED 0x10000u

#define ERROR_SENT_VECTOR 0x20
#define ERROR_RECEIVED_VECTOR 0x40
#define ERROR_REGISTER 0x80

#define ICR_WRITABLE 0x000ccfffu
#define ICR_ASSERT 0x4000u

/* What of each LVT is written: vector, mode (not of timer and error), pins' polarity and trigger. */
static const uint32_t lvt_writable[APIC_LVTS] = { 0x300ff, 0x107ff, 0x107ff,
                                                  0x1a7ff, 0x1a7ff, 0x100ff };

/* ---- Vectors ---- */

static int highest(const uint32_t set[8])
{
    for (int i = 7; i >= 0; i--) {
        if (set[i]) {
            return i * 32 + 31 - __builtin_clz(set[i]);
        }
    }
    return -1;
}

static void set_vector(uint32_t set[8], uint8_t vector, bool on)
{
    const uint32_t bit = 1u << vector % 32;

    set[vector / 32] = on ? set[vector / 32] | bit : set[vector / 32] & ~bit;
}

static bool has_vector(const uint32_t set[8], uint8_t vector)
{
    return set[vector / 32] >> vector % 32 & 1;
}

/* ---- Priorities ---- */

static bool is_there(const APICState *s)
{
    return s->base & BASE_ENABLE;
}

bool apic_is_enabled(const APICState *s)
{
    return is_there(s) && s->svr & SVR_ENABLED;
}

uint8_t apic_priority(const APICState *s)
{
    const int serving = highest(s->isr);
    const uint8_t class = serving < 0 ? 0 : serving & 0xf0;

    return (s->tpr & 0xf0) >= class ? s->tpr : class;
}

/* The vector that is to be delivered, or -1. */
static int pending(const APICState *s)
{
    const int vector = highest(s->irr);

    return vector >= 0 && (vector & 0xf0) > (apic_priority(s) & 0xf0) ? vector : -1;
}

/* Whether the PIC asks, and is to be heard: also without an APIC (SDM vol. 3, 11.4.3). */
static bool pic_asks(const APICState *s)
{
    const uint32_t lvt = s->lvt[LVT_LINT0];

    return s->lint[0] && (!is_there(s) || (!(lvt & LVT_MASKED) && LVT_MODE(lvt) == APIC_EXTINT));
}

static void update(APICState *s)
{
    qemu_set_irq(s->intr[0], (apic_is_enabled(s) && pending(s) >= 0) || pic_asks(s));
}

/* ---- What comes ---- */

static void take_vector(APICState *s, uint8_t vector, bool level);

static void add_error(APICState *s, uint32_t error)
{
    const uint32_t lvt = s->lvt[LVT_ERROR];

    s->errors |= error;
    /* One of a vector that is none itself would be another error without end. */
    if (!(lvt & LVT_MASKED) && (lvt & 0xff) >= FIRST_VECTOR) {
        take_vector(s, lvt & 0xff, false);
    }
}

static void take_vector(APICState *s, uint8_t vector, bool level)
{
#ifndef QOMET_PLANTED_BUG
    if (vector < FIRST_VECTOR) {
        add_error(s, ERROR_RECEIVED_VECTOR);
        return;
    }
#endif
    set_vector(s->irr, vector, true);
    set_vector(s->tmr, vector, level);
    update(s);
}

static void send_event(const APICState *s, CPUEvent event, uint8_t vector)
{
    if (s->cpu) {
        cpu_send_event(s->cpu, event, vector);
    }
}

static void clear(APICState *s);

bool apic_deliver(APICState *s, const ApicMessage *m)
{
    if (!is_there(s)) {
        return false;
    }
    switch (m->mode) {
    case APIC_FIXED:
    case APIC_LOWEST:
        if (!apic_is_enabled(s)) {
            return false;
        }
        take_vector(s, m->vector, m->level);
        return true;
    case APIC_NMI:
        send_event(s, CPU_EVENT_NMI, 0);
        return true;
    case APIC_INIT:
        clear(s);
        send_event(s, CPU_EVENT_INIT, 0);
        return true;
    case APIC_START_UP:
        send_event(s, CPU_EVENT_SIPI, m->vector);
        return true;
    default:
        return false; /* there is no system management mode, and no other PIC */
    }
}

bool apic_is_meant(const APICState *s, uint8_t destination, bool logical)
{
    const uint8_t ldr = s->ldr >> 24;

    if (destination == 0xff) {
        return true;
    }
    if (!logical) {
        return destination == s->id >> 24;
    }
    if (s->dfr >> 28 == DFR_FLAT) {
        return ldr & destination;
    }
    return (destination >> 4 == 0xf || destination >> 4 == ldr >> 4) && (ldr & destination & 0xf);
}

/* One of its own sources asks: an edge, or a level that rises. */
static void deliver_lvt(APICState *s, unsigned n, bool level)
{
    const uint32_t lvt = s->lvt[n];
    const ApicMessage m = { .mode = LVT_MODE(lvt), .vector = lvt & 0xff, .level = level };

    if (lvt & LVT_MASKED) {
        return;
    }
    if (level) {
        s->lvt[n] |= LVT_REMOTE_IRR;
    }
    apic_deliver(s, &m);
}

static bool is_level_pin(uint32_t lvt)
{
    return (lvt & LVT_LEVEL) && LVT_MODE(lvt) == APIC_FIXED;
}

/* Levels that ask again: a pin has risen, its end has come, or it was unmasked. */
static void serve_pins(APICState *s)
{
    for (unsigned n = LVT_LINT0; n <= LVT_LINT1; n++) {
        if (s->lint[n - LVT_LINT0] && is_level_pin(s->lvt[n]) && !(s->lvt[n] & LVT_REMOTE_IRR)) {
            deliver_lvt(s, n, true);
        }
    }
}

static void set_pin(APICState *s, unsigned n, bool level)
{
    bool rises;

    pthread_mutex_lock(apics_lock(s->apics));
    rises = level && !s->lint[n - LVT_LINT0];
    s->lint[n - LVT_LINT0] = level;
    if (rises && !is_level_pin(s->lvt[n]) && LVT_MODE(s->lvt[n]) != APIC_EXTINT) {
        deliver_lvt(s, n, false);
    }
    serve_pins(s);
    update(s);
    pthread_mutex_unlock(apics_lock(s->apics));
}

static void lint0_set(void *opaque, int n G_GNUC_UNUSED, int level)
{
    set_pin(opaque, LVT_LINT0, level != 0);
}

static void lint1_set(void *opaque, int n G_GNUC_UNUSED, int level)
{
    set_pin(opaque, LVT_LINT1, level != 0);
}

/* The vector of a level is to be told to those outside; -1: there is none. */
static int end_of_interrupt(APICState *s)
{
    const int vector = highest(s->isr);

    if (vector < 0) {
        return -1;
    }
    set_vector(s->isr, vector, false);
    for (unsigned n = LVT_LINT0; n <= LVT_LINT1; n++) {
        if ((s->lvt[n] & 0xff) == (unsigned)vector) {
            s->lvt[n] &= ~LVT_REMOTE_IRR;
        }
    }
    serve_pins(s);
    update(s);
    return has_vector(s->tmr, vector) ? vector : -1;
}

/* ---- The timer ---- */

static void timer_fires(void *opaque)
{
    APICState *s = opaque;

    pthread_mutex_lock(apics_lock(s->apics));
    /* It may have been set anew while this was on its way. */
    if (s->due_ns >= 0 && qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) >= s->due_ns) {
        deliver_lvt(s, LVT_TIMER, false);
        apic_arm(s);
    }
    pthread_mutex_unlock(apics_lock(s->apics));
}

/* ---- Registers ---- */

static void write_lvt(APICState *s, unsigned n, uint32_t value)
{
    const uint32_t mask = apic_is_enabled(s) ? 0 : LVT_MASKED;

    value = (value & lvt_writable[n]) | mask;
    if (n == LVT_TIMER) {
        apic_change_timer(s, &s->lvt[n], value);
        return;
    }
    s->lvt[n] = is_level_pin(value) ? value | (s->lvt[n] & LVT_REMOTE_IRR) : value;
    serve_pins(s);
}

/* Switched off by software: what was accepted stays, and every source is masked (11.4.7.2). */
static void write_svr(APICState *s, uint32_t value)
{
    s->svr = value & SVR_WRITABLE;
    for (unsigned n = 0; n < APIC_LVTS && !(s->svr & SVR_ENABLED); n++) {
        s->lvt[n] |= LVT_MASKED;
    }
}

static void write_icr(APICState *s, uint32_t value)
{
    const ApicMessage m = { .mode = value >> 8 & 7,
                            .vector = value & 0xff,
                            .destination = s->icr[1] >> 24,
                            .logical = value >> 11 & 1 };

    s->icr[0] = value & ICR_WRITABLE;
    if (m.mode <= APIC_LOWEST && m.vector < FIRST_VECTOR) {
        add_error(s, ERROR_SENT_VECTOR);
    } else if (m.mode != APIC_INIT || value & ICR_ASSERT) {
        /* The other INIT is for arbitration, which nobody does any more (11.6.1). */
        apics_send(s->apics, s, &m, value >> 18 & 3);
    }
}

uint32_t apic_read(APICState *s, unsigned offset)
{
    const unsigned reg = offset / 16;

    switch (offset % 16 ? APIC_REGS : reg) {
    case REG_ID:
        return s->id;
    case REG_VERSION:
        return (APIC_LVTS - 1) << 16 | APIC_VERSION;
    case REG_TPR:
        return s->tpr;
    case REG_PPR:
        return apic_priority(s);
    case REG_EOI:
        return 0;
    case REG_LDR:
        return s->ldr;
    case REG_DFR:
        return s->dfr;
    case REG_SVR:
        return s->svr;
    case REG_ISR ... REG_ISR + 7:
        return s->isr[reg - REG_ISR];
    case REG_TMR ... REG_TMR + 7:
        return s->tmr[reg - REG_TMR];
    case REG_IRR ... REG_IRR + 7:
        return s->irr[reg - REG_IRR];
    case REG_ESR:
        return s->esr;
    case REG_ICR:
    case REG_ICR_HIGH:
        return s->icr[reg - REG_ICR];
    case REG_LVT ... REG_LVT + APIC_LVTS - 1:
        return s->lvt[reg - REG_LVT];
    case REG_INITIAL_COUNT:
        return s->initial_count;
    case REG_CURRENT_COUNT:
        return apic_current_count(s);
    case REG_DIVIDE:
        return s->divide;
    default:
        add_error(s, ERROR_REGISTER);
        return 0;
    }
}

void apic_write(APICState *s, unsigned offset, uint32_t value, int *ended)
{
    const unsigned reg = offset / 16;

    switch (offset % 16 ? APIC_REGS : reg) {
    case REG_ID:
        s->id = value & 0xff000000;
        break;
    case REG_TPR:
        s->tpr = value & 0xff;
        break;
    case REG_EOI:
        *ended = end_of_interrupt(s);
        break;
    case REG_LDR:
        s->ldr = value & 0xff000000;
        break;
    case REG_DFR:
        s->dfr = value | 0x0fffffff;
        break;
    case REG_SVR:
        write_svr(s, value);
        break;
    case REG_ESR:
        s->esr = s->errors;
        s->errors = 0;
        break;
    case REG_ICR:
        write_icr(s, value);
        break;
    case REG_ICR_HIGH:
        s->icr[1] = value & 0xff000000;
        break;
    case REG_LVT ... REG_LVT + APIC_LVTS - 1:
        write_lvt(s, reg - REG_LVT, value);
        break;
    case REG_INITIAL_COUNT:
        s->initial_count = value;
        s->begun_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
        apic_arm(s);
        break;
    case REG_DIVIDE:
        apic_change_timer(s, &s->divide, value & 0xb);
        break;
    default:
        add_error(s, ERROR_REGISTER);
    }
    update(s);
}

/* ---- For the processor ---- */

static int intc_acknowledge(CPUIntc *intc, CPUState *cpu)
{
    APICState *s = APIC(intc);
    bool ask_pic;
    int vector;

    pthread_mutex_lock(apics_lock(s->apics));
    vector = apic_is_enabled(s) ? pending(s) : -1;
    ask_pic = vector < 0 && pic_asks(s);
    if (vector >= 0) {
        set_vector(s->irr, vector, false);
        set_vector(s->isr, vector, true);
        update(s);
    }
    pthread_mutex_unlock(apics_lock(s->apics));
    return ask_pic ? apics_ask_pic(s->apics, cpu) : vector;
}

static uint8_t intc_get_cr8(CPUIntc *intc, CPUState *cpu G_GNUC_UNUSED)
{
    APICState *s = APIC(intc);
    uint8_t cr8;

    pthread_mutex_lock(apics_lock(s->apics));
    cr8 = s->tpr >> 4;
    pthread_mutex_unlock(apics_lock(s->apics));
    return cr8;
}

static void intc_set_cr8(CPUIntc *intc, CPUState *cpu G_GNUC_UNUSED, uint8_t cr8)
{
    APICState *s = APIC(intc);

    pthread_mutex_lock(apics_lock(s->apics));
    if (s->tpr >> 4 != (cr8 & 0xf)) {
        s->tpr = (cr8 & 0xf) << 4;
        update(s);
    }
    pthread_mutex_unlock(apics_lock(s->apics));
}

/* The page stays where it is: a guest that moves it finds nothing there. */
static void intc_set_base(CPUIntc *intc, CPUState *cpu G_GNUC_UNUSED, uint64_t base)
{
    APICState *s = APIC(intc);

    pthread_mutex_lock(apics_lock(s->apics));
    if (s->base != base) {
        s->base = base;
        update(s);
    }
    pthread_mutex_unlock(apics_lock(s->apics));
}

/* ---- The device ---- */

/* All but the id and the base, as INIT leaves it (11.4.7.1). */
static void clear(APICState *s)
{
    s->tpr = s->ldr = s->icr[0] = s->icr[1] = s->esr = s->errors = 0;
    s->dfr = UINT32_MAX;
    s->svr = 0xff;
    memset(s->isr, 0, sizeof(s->isr));
    memset(s->tmr, 0, sizeof(s->tmr));
    memset(s->irr, 0, sizeof(s->irr));
    for (unsigned n = 0; n < APIC_LVTS; n++) {
        s->lvt[n] = LVT_MASKED;
    }
    if (s->base & BASE_BSP) {
        /* As KVM's: the PIC reaches the first processor without the APIC being programmed. */
        s->lvt[LVT_LINT0] = APIC_EXTINT << 8;
    }
    s->initial_count = s->divide = 0;
    apic_arm(s);
    update(s);
}

static void apic_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    APICState *s = APIC(obj);

    pthread_mutex_lock(apics_lock(s->apics));
    s->id = (uint32_t)s->initial_id << 24;
    s->base = APICS_ADDR | BASE_ENABLE | (s->index ? 0 : BASE_BSP);
    clear(s);
    pthread_mutex_unlock(apics_lock(s->apics));
}

void apic_place(APICState *s, Apics *apics, unsigned index, uint8_t initial_id)
{
    s->apics = apics;
    s->index = index;
    s->initial_id = initial_id;
}

bool apic_connect(DeviceState *dev, CPUState *cpu, GError **errp)
{
    APICState *s = APIC(dev);
    qemu_irq pin = cpu_interrupt_pin(cpu);
    bool ok = qdev_connect_gpio_out_named(dev, "intr", 0, pin, errp);

    object_unref(pin);
    s->cpu = cpu;
    cpu_set_intc(cpu, CPU_INTC(dev));
    return ok;
}

static bool apic_realize(DeviceState *dev, GError **errp)
{
    if (!APIC(dev)->apics) {
        qom_error_set(errp, QOM_ERROR_STATE, "a local APIC is a part of '" TYPE_APICS "'");
        return false;
    }
    return true;
}

static void apic_unrealize(DeviceState *dev)
{
    timer_del(&APIC(dev)->timer);
}

static void apic_init(Object *obj)
{
    APICState *s = APIC(obj);

    s->due_ns = -1;
    timer_init_ns(&s->timer, QEMU_CLOCK_VIRTUAL, timer_fires, s, &DEVICE(obj)->guard);
    qdev_init_gpio_in_direct(DEVICE(obj), lint0_set, APIC_LINT0, 1);
    qdev_init_gpio_in_direct(DEVICE(obj), lint1_set, APIC_LINT1, 1);
    qdev_init_gpio_out_named(DEVICE(obj), s->intr, "intr", 1);
}

static const DeviceField apic_fields[] = {
    DEVICE_FIELD(APICState, base),
    DEVICE_FIELD(APICState, id),
    DEVICE_FIELD(APICState, tpr),
    DEVICE_FIELD(APICState, ldr),
    DEVICE_FIELD(APICState, dfr),
    DEVICE_FIELD(APICState, svr),
    DEVICE_ARRAY(APICState, icr),
    DEVICE_FIELD(APICState, esr),
    DEVICE_FIELD(APICState, errors),
    DEVICE_ARRAY(APICState, lvt),
    DEVICE_ARRAY(APICState, isr),
    DEVICE_ARRAY(APICState, tmr),
    DEVICE_ARRAY(APICState, irr),
    DEVICE_FIELD(APICState, initial_count),
    DEVICE_FIELD(APICState, divide),
    DEVICE_FIELD(APICState, begun_ns),
    DEVICE_FIELD(APICState, due_ns),
    DEVICE_ARRAY(APICState, lint),
    { NULL, 0, 0, 0, 0 },
};

static void apic_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    CPUIntcClass *ic = CPU_INTC_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    ic->acknowledge = intc_acknowledge;
    ic->get_cr8 = intc_get_cr8;
    ic->set_cr8 = intc_set_cr8;
    ic->set_base = intc_set_base;
    dc->desc = "local APIC of a vCPU";
    dc->user_creatable = false; /* it is a part of those that there are */
    dc->realize = apic_realize;
    dc->unrealize = apic_unrealize;
    dc->state = apic_fields;
    dc->rank = ENTRY_RANK_INTC;
    device_class_set_reset(dc, apic_reset);
}

static const TypeInfo apic_types[] = {
    {
        .name = TYPE_APIC,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(APICState),
        .instance_init = apic_init,
        .class_init = apic_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_CPU_INTC }, { NULL } },
    },
};

DEFINE_TYPES(apic_types)
