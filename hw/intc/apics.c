/* SPDX-License-Identifier: MIT */
/*
 * "apics": what joins the local APICs of a machine - the page at which each vCPU finds its own, and
 * the bus on which they, the IOAPIC and devices send messages (Intel SDM vol. 3, 11.6 and 11.11).
 */
#include <qomet/hw/intc/msi-target.h>
#include "hw/intc/apic-int.h"

OBJECT_DECLARE_SIMPLE_TYPE(Apics, APICS)

#define PAGE_BYTES 0x1000
#define MAX_APICS 255 /* eight bits name one, and 0xff all */

/* Fields of a message's address and data. */
#define ADDR_DESTINATION(addr) ((uint8_t)((addr) >> 12))
#define ADDR_LOGICAL 0x04
#define DATA_LEVEL 0x8000

enum { NO_SHORTHAND, SELF, ALL, ALL_BUT_SELF };

struct Apics {
    SysBusDevice parent_obj;
    MemoryRegion io;
    uint8_t num_cpus;     /* property */
    CPUTopology topology; /* of their vCPUs; properties */
    CPUIntc *pic;         /* or NULL */
    void (*eoi)(void *opaque, uint8_t vector);
    void *eoi_opaque;
    /*
     * Guards all of their state, so that one may send to any other; a leaf but for what leads to the
     * vCPUs. An IOAPIC holds its own around it, and is never called with it.
     */
    pthread_mutex_t lock;
    APICState *apic[MAX_APICS];
    unsigned last; /* that was given a message for the one with the lowest priority */
};

pthread_mutex_t *apics_lock(Apics *s)
{
    return &s->lock;
}

DeviceState *apics_get(DeviceState *dev, unsigned index)
{
    const Apics *s = APICS(dev);

    return index < s->num_cpus ? DEVICE(s->apic[index]) : NULL;
}

void apics_set_pic(DeviceState *dev, CPUIntc *pic)
{
    APICS(dev)->pic = pic;
}

int apics_ask_pic(Apics *s, CPUState *cpu)
{
    return s->pic ? CPU_INTC_GET_CLASS(s->pic)->acknowledge(s->pic, cpu) : -1;
}

/* ---- Messages ---- */

static bool is_meant(const Apics *s, unsigned n, const APICState *from, const ApicMessage *m,
                     unsigned shorthand)
{
    switch (shorthand) {
    case SELF:
        return s->apic[n] == from;
    case ALL:
        return true;
    case ALL_BUT_SELF:
        return s->apic[n] != from;
    default:
        return apic_is_meant(s->apic[n], m->destination, m->logical);
    }
}

/* Of those it is meant for, the one that does the least urgent thing; of equal ones, each in turn. */
static bool deliver_lowest(Apics *s, const APICState *from, const ApicMessage *m,
                           unsigned shorthand)
{
    APICState *best = NULL;

    for (unsigned i = 1; i <= s->num_cpus; i++) {
        const unsigned n = (s->last + i) % s->num_cpus;

        if (is_meant(s, n, from, m, shorthand) && apic_is_enabled(s->apic[n]) &&
            (!best || apic_priority(s->apic[n]) < apic_priority(best))) {
            best = s->apic[n];
        }
    }
    if (!best) {
        return false;
    }
    s->last = best->index;
    return apic_deliver(best, m);
}

/* With the lock. Whether anybody has taken it. */
static bool deliver(Apics *s, const APICState *from, const ApicMessage *m, unsigned shorthand)
{
    bool taken = false;

    if (m->mode == APIC_LOWEST) {
        return deliver_lowest(s, from, m, shorthand);
    }
    for (unsigned n = 0; n < s->num_cpus; n++) {
        if (is_meant(s, n, from, m, shorthand)) {
            taken |= apic_deliver(s->apic[n], m);
        }
    }
    return taken;
}

void apics_send(Apics *s, APICState *from, const ApicMessage *m, unsigned shorthand)
{
    (void)deliver(s, from, m, shorthand);
}

static bool target_send(MsiTarget *t, uint64_t addr, uint32_t data)
{
    Apics *s = APICS(t);
    const ApicMessage m = { .mode = data >> 8 & 7,
                            .vector = data & 0xff,
                            .destination = ADDR_DESTINATION(addr),
                            .logical = addr & ADDR_LOGICAL,
                            .level = data & DATA_LEVEL };
    bool taken;

    if ((addr & ~UINT64_C(0xfffff)) != APICS_ADDR) {
        return false;
    }
    pthread_mutex_lock(&s->lock);
    taken = deliver(s, NULL, &m, NO_SHORTHAND);
    pthread_mutex_unlock(&s->lock);
    return taken;
}

static void target_set_eoi_handler(MsiTarget *t, void (*fn)(void *opaque, uint8_t vector),
                                   void *opaque)
{
    APICS(t)->eoi = fn;
    APICS(t)->eoi_opaque = opaque;
}

/* ---- The page ---- */

/* That of the vCPU which asks, or NULL: what a device sends is no access. */
static APICState *own_of(const Apics *s, MemTxAttrs attrs)
{
    return !attrs.dma && attrs.requester_id < s->num_cpus ? s->apic[attrs.requester_id] : NULL;
}

static MemTxResult page_read(void *opaque, hwaddr addr, uint64_t *data, unsigned size G_GNUC_UNUSED,
                             MemTxAttrs attrs)
{
    Apics *s = opaque;
    APICState *own = own_of(s, attrs);

    if (!own) {
        *data = UINT64_MAX;
        return MEMTX_ACCESS_ERROR;
    }
    pthread_mutex_lock(&s->lock);
    *data = apic_read(own, (unsigned)addr);
    pthread_mutex_unlock(&s->lock);
    return MEMTX_OK;
}

static MemTxResult page_write(void *opaque, hwaddr addr, uint64_t data, unsigned size G_GNUC_UNUSED,
                              MemTxAttrs attrs)
{
    Apics *s = opaque;
    APICState *own = own_of(s, attrs);
    int ended = -1;

    if (!own) {
        return MEMTX_ACCESS_ERROR;
    }
    pthread_mutex_lock(&s->lock);
    apic_write(own, (unsigned)addr, (uint32_t)data, &ended);
    pthread_mutex_unlock(&s->lock);
    if (ended >= 0 && s->eoi) {
        s->eoi(s->eoi_opaque, (uint8_t)ended);
    }
    return MEMTX_OK;
}

/* Registers are read and written whole (SDM vol. 3, 11.4.1). */
static const MemoryRegionOps page_ops = {
    .read_with_attrs = page_read,
    .write_with_attrs = page_write,
    .valid = { .min_access_size = 4, .max_access_size = 4 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
    .name = "local APIC",
};

/* ---- The device ---- */

static bool make_apic(Apics *s, unsigned n, GError **errp)
{
    g_autofree char *name = g_strdup_printf("apic[%u]", n);
    DeviceState *dev = qdev_new(TYPE_APIC, errp);

    if (!dev) {
        return false;
    }
    apic_place(APIC(dev), s, n, (uint8_t)x86_apic_id(&s->topology, n));
    if (!object_property_add_child(OBJECT(s), name, OBJECT(dev), errp)) {
        object_unref(dev);
        return false;
    }
    s->apic[n] = APIC(dev);
    return qdev_realize_and_unref(dev, NULL, errp);
}

/* Those that were made: all, or the first few. */
static void end_apics(DeviceState *dev, void *opaque G_GNUC_UNUSED)
{
    Apics *s = APICS(dev);

    for (unsigned n = 0; n < s->num_cpus && s->apic[n]; n++) {
        if (DEVICE(s->apic[n])->realized) {
            qdev_unrealize(DEVICE(s->apic[n]));
        }
        object_unparent(OBJECT(s->apic[n]));
        s->apic[n] = NULL;
    }
}

static bool apics_realize(DeviceState *dev, GError **errp)
{
    Apics *s = APICS(dev);

    qdev_on_unrealize(dev, end_apics, NULL);
    for (unsigned n = 0; n < s->num_cpus; n++) {
        if (!make_apic(s, n, errp)) {
            return false;
        }
    }
    return true;
}

static void apics_init(Object *obj)
{
    Apics *s = APICS(obj);

    pthread_mutex_init(&s->lock, NULL);
    memory_region_init_io(&s->io, obj, &page_ops, s, "apic", PAGE_BYTES);
    sysbus_init_mmio(SYS_BUS_DEVICE(obj), &s->io);
}

static void apics_finalize(Object *obj)
{
    pthread_mutex_destroy(&APICS(obj)->lock);
}

static const Property apics_props[] = {
    DEFINE_PROP_UINT8("num-cpus", Apics, num_cpus, 1, PROP_RANGE_U(1, MAX_APICS),
                      .help = "how many there are"),
    DEFINE_PROP_UINT32("cores", Apics, topology.cores, 1, PROP_RANGE_U(1, MAX_APICS),
                       .help = "cores of each socket, for the ids"),
    DEFINE_PROP_UINT32("threads", Apics, topology.threads, 1, PROP_RANGE_U(1, MAX_APICS),
                       .help = "threads of each core"),
};

static void apics_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    MsiTargetClass *mc = MSI_TARGET_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    mc->send = target_send;
    mc->set_eoi_handler = target_set_eoi_handler;
    dc->desc = "local APICs of a PC";
    dc->user_creatable = false; /* vCPUs have to be led to them */
    dc->hotpluggable = false;
    dc->realize = apics_realize;
    dc->rank = ENTRY_RANK_INTC;
    device_class_set_props(dc, apics_props);
}

static const TypeInfo apics_types[] = {
    {
        .name = TYPE_APICS,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(Apics),
        .instance_init = apics_init,
        .instance_finalize = apics_finalize,
        .class_init = apics_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_MSI_TARGET }, { NULL } },
    },
};

DEFINE_TYPES(apics_types)
