/* SPDX-License-Identifier: MIT */
/*
 * What the numbered interrupts of the kernel stand for: pins of its controllers, and messages. The
 * kernel takes the whole table each time.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include "accel/kvm/kvm-int.h"

#define PINS KVM_IOAPIC_NUM_PINS
#define PIC_PINS 8
#define TIMER_PIN 2 /* of the IOAPIC: where the timer's line 0 leads on a PC */

/* The message of a pin of an IOAPIC in user space whose end nobody wants to know: an edge. */
#define NO_PIN_ADDR 0xfee00000
#define NO_PIN_DATA 0
#define MESSAGE_LEVEL 0x8000

struct KVMRoutes {
    pthread_mutex_t lock; /* a leaf, for what follows */
    GArray *entries;      /* of struct kvm_irq_routing_entry; pins first, then messages */
    unsigned fixed;       /* how many of them are pins */
    bool pins_send;       /* those are messages too, of an IOAPIC in user space */
    unsigned max;         /* numbers that the kernel has */
};

static void add_pin(KVMRoutes *r, unsigned gsi, unsigned chip, unsigned pin)
{
    struct kvm_irq_routing_entry e = { .gsi = gsi, .type = KVM_IRQ_ROUTING_IRQCHIP };

    e.u.irqchip.irqchip = chip;
    e.u.irqchip.pin = pin;
    g_array_append_val(r->entries, e);
}

/* With the lock. */
static bool set_table(KVMState *s, GError **errp)
{
    const KVMRoutes *r = s->routes;
    size_t bytes = r->entries->len * sizeof(struct kvm_irq_routing_entry);
    g_autofree struct kvm_irq_routing *table = g_malloc0(sizeof(*table) + bytes);

    table->nr = r->entries->len;
    memcpy(table->entries, r->entries->data, bytes);
    if (ioctl(s->vm, KVM_SET_GSI_ROUTING, table) < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED, "KVM does not take %u routes of interrupts: %s",
                      r->entries->len, g_strerror(errno));
        return false;
    }
    return true;
}

/* An empty table, or NULL: the kernel takes none, and so no messages this way. */
static KVMRoutes *new_routes(KVMState *s)
{
    int max = ioctl(s->vm, KVM_CHECK_EXTENSION, KVM_CAP_IRQ_ROUTING);
    KVMRoutes *r;

    if (max < PINS) {
        return NULL;
    }
    r = g_new0(KVMRoutes, 1);
    pthread_mutex_init(&r->lock, NULL);
    r->entries = g_array_new(FALSE, FALSE, sizeof(struct kvm_irq_routing_entry));
    r->max = max;
    return r;
}

/* The kernel has a table of its own, which differs in where line 0 leads, and takes its time over
 * another one: it gets ours with the timer, or with the first message. */
void kvm_routes_init(KVMState *s)
{
    KVMRoutes *r = s->routes = new_routes(s);

    if (!r) {
        return;
    }
    for (unsigned gsi = 0; gsi < PINS; gsi++) {
        if (gsi < 2 * PIC_PINS) {
            add_pin(r, gsi, gsi < PIC_PINS ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE,
                    gsi % PIC_PINS);
        }
        if (gsi != TIMER_PIN) {
            add_pin(r, gsi, KVM_IRQCHIP_IOAPIC, gsi ? gsi : TIMER_PIN);
        }
    }
    r->fixed = r->entries->len;
}

bool kvm_routes_apply(KVMState *s, GError **errp)
{
    bool ok = true;

    if (s->routes) {
        pthread_mutex_lock(&s->routes->lock);
        ok = set_table(s, errp);
        pthread_mutex_unlock(&s->routes->lock);
    }
    return ok;
}

void kvm_routes_free(KVMState *s)
{
    if (s->routes) {
        g_array_unref(s->routes->entries);
        pthread_mutex_destroy(&s->routes->lock);
        g_clear_pointer(&s->routes, g_free);
    }
}

/* ---- Messages ---- */

static void fill_message(struct kvm_irq_routing_entry *e, unsigned gsi, uint64_t addr,
                         uint32_t data)
{
    *e = (struct kvm_irq_routing_entry){ .gsi = gsi, .type = KVM_IRQ_ROUTING_MSI };
    e->u.msi.address_lo = (uint32_t)addr;
    e->u.msi.address_hi = addr >> 32;
    e->u.msi.data = data;
}

/* The kernel begins with an empty table then: it gets ours with the first level or message. */
void kvm_routes_init_apics(KVMState *s)
{
    KVMRoutes *r = s->routes = new_routes(s);

    if (!r) {
        return;
    }
    for (unsigned gsi = 0; gsi < PINS; gsi++) {
        struct kvm_irq_routing_entry e;

        fill_message(&e, gsi, NO_PIN_ADDR, NO_PIN_DATA);
        g_array_append_val(r->entries, e);
    }
    r->fixed = PINS;
    r->pins_send = true;
}

static struct kvm_irq_routing_entry *entry_at(const KVMRoutes *r, unsigned i)
{
    return &g_array_index(r->entries, struct kvm_irq_routing_entry, i);
}

/* The entry of the message @gsi: they are in order of their numbers. NULL: there is none. */
static struct kvm_irq_routing_entry *find_message(const KVMRoutes *r, unsigned gsi, unsigned *at)
{
    for (unsigned i = r->pins_send ? 0 : r->fixed; i < r->entries->len; i++) {
        if (entry_at(r, i)->gsi == gsi) {
            *at = i;
            return entry_at(r, i);
        }
    }
    return NULL;
}

int kvm_route_add(AccelState *accel, uint64_t addr, uint32_t data, GError **errp)
{
    KVMState *s = KVM_ACCEL(accel);
    KVMRoutes *r = s->routes;
    struct kvm_irq_routing_entry e;
    unsigned at, gsi = PINS;
    bool ok;

    if (!r) {
        qom_error_set(errp, QOM_ERROR_FAILED, "KVM has no routes for messages here");
        return -1;
    }
    pthread_mutex_lock(&r->lock);
    for (at = r->fixed; at < r->entries->len && entry_at(r, at)->gsi == gsi; at++) {
        gsi++;
    }
    ok = gsi < r->max;
    if (ok) {
        fill_message(&e, gsi, addr, data);
        g_array_insert_val(r->entries, at, e);
        ok = set_table(s, errp);
        if (!ok) {
            g_array_remove_index(r->entries, at);
        }
    } else {
        qom_error_set(errp, QOM_ERROR_FAILED, "all %u routes of KVM are taken", r->max);
    }
    pthread_mutex_unlock(&r->lock);
    return ok ? (int)gsi : -1;
}

/* What was taken once is taken again; if it is not, that can only be said. */
static void set_table_again(KVMState *s)
{
    static LogLimit limit;
    g_autoptr(GError) error = NULL;

    if (!set_table(s, &error) && qemu_log_limit(&limit)) {
        warn_report("%s", error->message);
    }
}

static bool same_message(const struct kvm_irq_routing_entry *a,
                         const struct kvm_irq_routing_entry *b)
{
    return a->u.msi.address_lo == b->u.msi.address_lo &&
           a->u.msi.address_hi == b->u.msi.address_hi && a->u.msi.data == b->u.msi.data;
}

void kvm_route_set(AccelState *accel, int route, uint64_t addr, uint32_t data)
{
    KVMState *s = KVM_ACCEL(accel);
    KVMRoutes *r = s->routes;
    struct kvm_irq_routing_entry *e, wanted;
    unsigned at;

    pthread_mutex_lock(&r->lock);
    e = find_message(r, route, &at);
    fill_message(&wanted, route, addr, data);
    if (e && !same_message(e, &wanted)) {
        *e = wanted;
        set_table_again(s);
    }
    pthread_mutex_unlock(&r->lock);
}

/* KVM tells of the ends of those levels only that it finds in its table. */
void kvm_pin_set(AccelState *accel, unsigned pin, uint64_t addr, uint32_t data)
{
    const bool level = data & MESSAGE_LEVEL;

    if (KVM_ACCEL(accel)->routes) {
        kvm_route_set(accel, (int)pin, level ? addr : NO_PIN_ADDR, level ? data : NO_PIN_DATA);
    }
}

void kvm_route_del(AccelState *accel, int route)
{
    KVMState *s = KVM_ACCEL(accel);
    KVMRoutes *r = s->routes;
    unsigned at;

    pthread_mutex_lock(&r->lock);
    if (find_message(r, route, &at)) {
        g_array_remove_index(r->entries, at);
        set_table_again(s);
    }
    pthread_mutex_unlock(&r->lock);
}

bool kvm_irqfd(AccelState *accel, int gsi, int fd, int resample_fd, bool on, GError **errp)
{
    struct kvm_irqfd irqfd = { .fd = fd, .gsi = gsi, .flags = on ? 0 : KVM_IRQFD_FLAG_DEASSIGN };

    if (on && resample_fd >= 0) {
        irqfd.flags |= KVM_IRQFD_FLAG_RESAMPLE;
        irqfd.resamplefd = resample_fd;
    }
    if (ioctl(KVM_ACCEL(accel)->vm, KVM_IRQFD, &irqfd) < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED, "KVM does not lead an eventfd to interrupt %d: %s",
                      gsi, g_strerror(errno));
        return false;
    }
    return true;
}

bool kvm_send_msi(AccelState *accel, uint64_t addr, uint32_t data)
{
    struct kvm_msi msi = { .address_lo = (uint32_t)addr, .address_hi = addr >> 32, .data = data };

    return ioctl(KVM_ACCEL(accel)->vm, KVM_SIGNAL_MSI, &msi) > 0;
}
