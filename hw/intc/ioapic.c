/* SPDX-License-Identifier: MIT */
/*
 * "ioapic": the interrupt controller 82093AA, whose 24 pins each send a message that the guest has
 * chosen. Intel's data sheet 290566 is the source; the register EOI (0x40) is that of its successors,
 * version 0x20.
 */
#include <qomet/accel/irqchip-text.h>
#include <qomet/hw/intc/intc.h>
#include <qomet/hw/intc/ioapic.h>
#include <qomet/hw/intc/msi-target.h>

OBJECT_DECLARE_SIMPLE_TYPE(IOAPICState, IOAPIC)

/* What stands in its page; each is repeated in no other place of it. */
#define IOREGSEL 0x00
#define IOWIN 0x10
#define IOEOI 0x40
#define IOAPIC_BYTES 0x1000

/* Registers behind the window. From 0x10 on, two for each pin. */
#define REG_ID 0
#define REG_VERSION 1
#define REG_ARBITRATION 2
#define REG_TABLE 0x10

#define ID_MASK UINT32_C(0x0f000000)
#define VERSION_WITH_EOI 0x20

/* An entry of the table (data sheet, 3.2.4). */
#define VECTOR 0xff
#define MODE(entry) ((entry) >> 8 & 7)
#define MODE_FIXED 0
#define MODE_LOWEST 1
#define LOGICAL (UINT64_C(1) << 11)
#define SEND_PENDING (UINT64_C(1) << 12)
#define REMOTE_IRR (UINT64_C(1) << 14)
#define LEVEL (UINT64_C(1) << 15)
#define MASKED (UINT64_C(1) << 16)
#define WRITABLE UINT64_C(0xff0000000001afff)

/* The message of an entry (SDM vol. 3, 11.11): where its fields go. */
#define MESSAGE_ADDR UINT64_C(0xfee00000)
#define MESSAGE_LOGICAL 0x04
#define MESSAGE_ASSERT 0x4000

struct IOAPICState {
    SysBusDevice parent_obj;
    MemoryRegion io;
    uint8_t version;   /* property */
    MsiTarget *target; /* referenced while it is realized */
    /* Guards all that follows; held while messages are sent, which leads towards the processors. */
    pthread_mutex_t lock;
    uint64_t table[IOAPIC_PINS];
    uint32_t id;    /* as the register shows it */
    uint32_t level; /* of the pins, a bit each */
    uint32_t irr;   /* requests of edges that no processor has taken yet */
    uint8_t select; /* the register behind the window */
    uint64_t rises[IOAPIC_PINS];
};

/* ---- Messages ---- */

/* What is to be told once is sent at each edge, whatever the entry says (data sheet, 3.2.4, DELMOD). */
static bool is_level(uint64_t entry)
{
    return (entry & LEVEL) && (MODE(entry) == MODE_FIXED || MODE(entry) == MODE_LOWEST);
}

static uint64_t message_addr(uint64_t entry)
{
    return MESSAGE_ADDR | (entry >> 56) << 12 | (entry & LOGICAL ? MESSAGE_LOGICAL : 0);
}

static uint32_t message_data(uint64_t entry)
{
    return (uint32_t)(entry & (VECTOR | 7 << 8)) | MESSAGE_ASSERT |
           (is_level(entry) ? (uint32_t)LEVEL : 0);
}

/* Whether the pin asks for something that is on its way to no processor. */
static bool asks(const IOAPICState *s, unsigned pin)
{
    const uint64_t entry = s->table[pin];

    if (entry & MASKED) {
        return false;
    }
    return is_level(entry) ? (s->level >> pin & 1) && !(entry & REMOTE_IRR) : s->irr >> pin & 1;
}

static bool send(IOAPICState *s, uint64_t entry)
{
    return MSI_TARGET_GET_CLASS(s->target)->send(s->target, message_addr(entry),
                                                 message_data(entry));
}

/* Sends what the pins ask for; what nobody takes is asked for again when something changes. */
static void service(IOAPICState *s)
{
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        const uint64_t entry = s->table[pin];

        if (asks(s, pin) && send(s, entry)) {
            s->irr &= ~(1u << pin);
            s->table[pin] |= is_level(entry) ? REMOTE_IRR : 0;
        }
    }
}

static void ioapic_set_irq(void *opaque, int n, int level)
{
    IOAPICState *s = opaque;
    const uint32_t bit = 1u << n;

    pthread_mutex_lock(&s->lock);
    if (level && !(s->level & bit)) {
        s->rises[n]++;
        /* An edge at a masked pin is not held (data sheet, 3.2.4, bit 16). */
        if (!(s->table[n] & MASKED) && !is_level(s->table[n])) {
            s->irr |= bit;
        }
    }
    s->level = level ? s->level | bit : s->level & ~bit;
    service(s);
    pthread_mutex_unlock(&s->lock);
}

/* A processor has ended an interrupt of that vector, which may ask again. */
static void end_of_interrupt(void *opaque, uint8_t vector)
{
    IOAPICState *s = opaque;

    pthread_mutex_lock(&s->lock);
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        if ((s->table[pin] & VECTOR) == vector) {
            s->table[pin] &= ~REMOTE_IRR;
        }
    }
    service(s);
    pthread_mutex_unlock(&s->lock);
}

/* ---- Registers ---- */

static uint32_t read_register(const IOAPICState *s)
{
    const unsigned pin = (s->select - REG_TABLE) / 2;
    uint64_t entry;

    switch (s->select) {
    case REG_ID:
    case REG_ARBITRATION: /* follows the id whenever that is written, and nobody arbitrates */
        return s->id;
    case REG_VERSION:
        return (IOAPIC_PINS - 1) << 16 | s->version;
    }
    if (s->select < REG_TABLE || pin >= IOAPIC_PINS) {
        return 0;
    }
    entry = s->table[pin] | (asks(s, pin) ? SEND_PENDING : 0);
    return s->select & 1 ? entry >> 32 : (uint32_t)entry;
}

/* The target may have to know beforehand what a pin will send. */
static void announce(const IOAPICState *s, unsigned pin)
{
    const MsiTargetClass *mc = MSI_TARGET_GET_CLASS(s->target);
    const uint64_t entry = s->table[pin];

    if (mc->pin_set) {
        mc->pin_set(s->target, pin, message_addr(entry), message_data(entry));
    }
}

static void write_entry(IOAPICState *s, unsigned pin, bool high, uint32_t value)
{
    const uint64_t half = high ? UINT64_C(0xffffffff) << 32 : UINT64_C(0xffffffff);
    const uint64_t writable = WRITABLE & half;
    uint64_t *entry = &s->table[pin];

    *entry = (*entry & ~writable) | ((high ? (uint64_t)value << 32 : value) & writable);
    /*
     * Systems that know no other way end a level interrupt by making the pin an edge for a moment;
     * and an edge that came before means nothing to a level.
     */
    if (is_level(*entry)) {
        s->irr &= ~(1u << pin);
    } else {
        *entry &= ~REMOTE_IRR;
    }
    announce(s, pin);
    service(s);
}

static void write_register(IOAPICState *s, uint32_t value)
{
    const unsigned pin = (s->select - REG_TABLE) / 2;

    if (s->select == REG_ID) {
        s->id = value & ID_MASK;
    } else if (s->select >= REG_TABLE && pin < IOAPIC_PINS) {
        write_entry(s, pin, s->select & 1, value);
    }
}

/* The window is one of 32 bits: a part of it reads as nothing, and writes nothing. */
static uint64_t ioapic_read(void *opaque, hwaddr addr, unsigned size)
{
    IOAPICState *s = opaque;
    uint64_t value = 0;

    pthread_mutex_lock(&s->lock);
    if (addr == IOREGSEL) {
        value = s->select;
    } else if (addr == IOWIN && size == 4) {
        value = read_register(s);
    }
    pthread_mutex_unlock(&s->lock);
    return value;
}

static void ioapic_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    IOAPICState *s = opaque;

    if (addr == IOEOI && size == 4 && s->version >= VERSION_WITH_EOI) {
        end_of_interrupt(s, (uint8_t)data);
        return;
    }
    pthread_mutex_lock(&s->lock);
    if (addr == IOREGSEL) {
        s->select = (uint8_t)data;
    } else if (addr == IOWIN && size == 4) {
        write_register(s, (uint32_t)data);
    }
    pthread_mutex_unlock(&s->lock);
}

static const MemoryRegionOps ioapic_ops = {
    .read = ioapic_read,
    .write = ioapic_write,
    .impl = { .min_access_size = 1, .max_access_size = 4 },
    .name = "82093AA",
};

/* ---- The device ---- */

static void let_target_go(DeviceState *dev, void *opaque G_GNUC_UNUSED)
{
    IOAPICState *s = IOAPIC(dev);

    MSI_TARGET_GET_CLASS(s->target)->set_eoi_handler(s->target, NULL, NULL);
    object_unref(s->target);
    s->target = NULL;
}

static bool ioapic_realize(DeviceState *dev, GError **errp)
{
    IOAPICState *s = IOAPIC(dev);
    MsiTarget *target = msi_target_find();

    if (!target || !MSI_TARGET_GET_CLASS(target)->set_eoi_handler) {
        qom_error_set(errp, QOM_ERROR_STATE,
                      target ? "the machine's interrupt controllers have an IOAPIC of their own"
                             : "there are no local APICs to take its messages");
        return false;
    }
    s->target = (MsiTarget *)object_ref(target);
    MSI_TARGET_GET_CLASS(target)->set_eoi_handler(target, end_of_interrupt, s);
    qdev_on_unrealize(dev, let_target_go, NULL);
    return true;
}

static void ioapic_reset(Object *obj, ResetType type G_GNUC_UNUSED)
{
    IOAPICState *s = IOAPIC(obj);

    pthread_mutex_lock(&s->lock);
    s->id = s->irr = 0;
    s->select = 0;
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        s->table[pin] = MASKED;
        announce(s, pin);
    }
    pthread_mutex_unlock(&s->lock);
}

static void ioapic_init(Object *obj)
{
    IOAPICState *s = IOAPIC(obj);

    pthread_mutex_init(&s->lock, NULL);
    memory_region_init_io(&s->io, obj, &ioapic_ops, s, "ioapic", IOAPIC_BYTES);
    sysbus_init_mmio(SYS_BUS_DEVICE(obj), &s->io);
    qdev_init_gpio_in_direct(DEVICE(obj), ioapic_set_irq, NULL, IOAPIC_PINS);
}

static void ioapic_finalize(Object *obj)
{
    pthread_mutex_destroy(&IOAPIC(obj)->lock);
}

/* ---- For people ---- */

static void get_statistics(InterruptStatsProvider *obj, uint64_t *counts, unsigned n)
{
    IOAPICState *s = IOAPIC(obj);

    pthread_mutex_lock(&s->lock);
    memcpy(counts, s->rises, n * sizeof(counts[0]));
    pthread_mutex_unlock(&s->lock);
}

static void print_info(InterruptStatsProvider *obj, GString *out)
{
    IOAPICState *s = IOAPIC(obj);

    pthread_mutex_lock(&s->lock);
    irqchip_append_ioapic(out, s->id >> 24, s->select, IOAPIC_ADDR, s->irr);
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        irqchip_append_pin(out, pin, s->table[pin] | (asks(s, pin) ? SEND_PENDING : 0));
    }
    pthread_mutex_unlock(&s->lock);
}

/* ---- The type ---- */

static const DeviceField ioapic_fields[] = {
    DEVICE_ARRAY(IOAPICState, table),  DEVICE_FIELD(IOAPICState, id),
    DEVICE_FIELD(IOAPICState, level),  DEVICE_FIELD(IOAPICState, irr),
    DEVICE_FIELD(IOAPICState, select), { NULL, 0, 0, 0, 0 },
};

static const Property ioapic_props[] = {
    DEFINE_PROP_UINT8("version", IOAPICState, version, VERSION_WITH_EOI,
                      .help = "0x11: the 82093AA; from 0x20 on it has a register EOI"),
};

static void ioapic_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    InterruptStatsProviderClass *ic = INTERRUPT_STATS_PROVIDER_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    ic->inputs = IOAPIC_PINS;
    ic->get_statistics = get_statistics;
    ic->print_info = print_info;
    dc->desc = "I/O APIC of a PC";
    dc->user_creatable = false; /* it has to be wired */
    dc->realize = ioapic_realize;
    dc->state = ioapic_fields;
    dc->rank = ENTRY_RANK_INTC;
    device_class_set_props(dc, ioapic_props);
    device_class_set_reset(dc, ioapic_reset);
}

static const TypeInfo ioapic_types[] = {
    {
        .name = TYPE_IOAPIC,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(IOAPICState),
        .instance_init = ioapic_init,
        .instance_finalize = ioapic_finalize,
        .class_init = ioapic_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_INTERRUPT_STATS_PROVIDER }, { NULL } },
    },
};

DEFINE_TYPES(ioapic_types)
