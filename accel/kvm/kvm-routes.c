/* SPDX-License-Identifier: MIT */
/*
 * What the numbered interrupts of the kernel stand for: pins of its controllers, and messages. The
 * kernel takes the whole table each time, so it gets it when an eventfd is led to a message of it that
 * it does not have yet: thousands of vectors that come together are told at once.
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

typedef struct Message {
    uint64_t addr;
    uint32_t data;
    unsigned fds; /* eventfds that send it, or a pin: a change of it is told at once */
    bool taken;
} Message;

struct KVMRoutes {
    pthread_mutex_t lock; /* a leaf, for what follows */
    GArray *pins;         /* of struct kvm_irq_routing_entry: of controllers in the kernel */
    GArray *messages;     /* of Message */
    unsigned first;       /* the number of its first; 0: the pins are messages too, of an IOAPIC in
                             user space */
    unsigned lowest_free; /* no message before this one is free */
    unsigned max;         /* numbers that the kernel has */
    bool stale;           /* it has another table than this */
};

static void add_pin(KVMRoutes *r, unsigned gsi, unsigned chip, unsigned pin)
{
    struct kvm_irq_routing_entry e = { .gsi = gsi, .type = KVM_IRQ_ROUTING_IRQCHIP };

    e.u.irqchip.irqchip = chip;
    e.u.irqchip.pin = pin;
    g_array_append_val(r->pins, e);
}

static Message *message_at(const KVMRoutes *r, unsigned gsi)
{
    Message *m = gsi >= r->first && gsi - r->first < r->messages->len
                     ? &g_array_index(r->messages, Message, gsi - r->first)
                     : NULL;

    return m && m->taken ? m : NULL;
}

static void put_message(struct kvm_irq_routing *table, unsigned gsi, const Message *m)
{
    struct kvm_irq_routing_entry *e = &table->entries[table->nr++];

    *e = (struct kvm_irq_routing_entry){ .gsi = gsi, .type = KVM_IRQ_ROUTING_MSI };
    e->u.msi.address_lo = (uint32_t)m->addr;
    e->u.msi.address_hi = m->addr >> 32;
    e->u.msi.data = m->data;
}

/* With the lock. */
static bool set_table(KVMState *s, GError **errp)
{
    KVMRoutes *r = s->routes;
    size_t most = r->pins->len + r->messages->len;
    g_autofree struct kvm_irq_routing *table =
        g_malloc0(sizeof(*table) + most * sizeof(struct kvm_irq_routing_entry));

    table->nr = r->pins->len;
    if (table->nr) {
        memcpy(table->entries, r->pins->data, table->nr * sizeof(struct kvm_irq_routing_entry));
    }
    for (unsigned i = 0; i < r->messages->len; i++) {
        const Message *m = message_at(r, r->first + i);

        /* A guest gives a device any address; one that no local APIC has stands for nothing. */
        if (m && accel_msi_is_taken(m->addr)) {
            put_message(table, r->first + i, m);
        }
    }
    if (ioctl(s->vm, KVM_SET_GSI_ROUTING, table) < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED, "KVM does not take %u routes of interrupts: %s",
                      table->nr, g_strerror(errno));
        return false;
    }
    r->stale = false;
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
    r->pins = g_array_new(FALSE, FALSE, sizeof(struct kvm_irq_routing_entry));
    r->messages = g_array_new(FALSE, FALSE, sizeof(Message));
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
    r->first = PINS;
    for (unsigned gsi = 0; gsi < PINS; gsi++) {
        if (gsi < 2 * PIC_PINS) {
            add_pin(r, gsi, gsi < PIC_PINS ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE,
                    gsi % PIC_PINS);
        }
        if (gsi != TIMER_PIN) {
            add_pin(r, gsi, KVM_IRQCHIP_IOAPIC, gsi ? gsi : TIMER_PIN);
        }
    }
}

/* The kernel begins with an empty table then: it gets ours with the first level or message. */
void kvm_routes_init_apics(KVMState *s)
{
    KVMRoutes *r = s->routes = new_routes(s);

    for (unsigned gsi = 0; r && gsi < PINS; gsi++) {
        Message pin = { .addr = NO_PIN_ADDR, .data = NO_PIN_DATA, .fds = 1, .taken = true };

        g_array_append_val(r->messages, pin);
    }
}

bool kvm_routes_apply(KVMState *s, GError **errp)
{
    KVMRoutes *r = s->routes;
    bool ok = true;

    if (r) {
        pthread_mutex_lock(&r->lock);
        ok = set_table(s, errp);
        pthread_mutex_unlock(&r->lock);
    }
    return ok;
}

void kvm_routes_free(KVMState *s)
{
    if (s->routes) {
        g_array_unref(s->routes->pins);
        g_array_unref(s->routes->messages);
        pthread_mutex_destroy(&s->routes->lock);
        g_clear_pointer(&s->routes, g_free);
    }
}

/* ---- Messages ---- */

int kvm_route_add(AccelState *accel, uint64_t addr, uint32_t data, GError **errp)
{
    KVMRoutes *r = KVM_ACCEL(accel)->routes;
    int gsi = -1;

    if (!r) {
        qom_error_set(errp, QOM_ERROR_FAILED, "KVM has no routes for messages here");
        return -1;
    }
    pthread_mutex_lock(&r->lock);
    while (message_at(r, r->first + r->lowest_free)) {
        r->lowest_free++;
    }
    if (r->first + r->lowest_free < r->max) {
        Message m = { .addr = addr, .data = data, .taken = true };

        gsi = (int)(r->first + r->lowest_free);
        if (r->lowest_free == r->messages->len) {
            g_array_append_val(r->messages, m);
        } else {
            g_array_index(r->messages, Message, r->lowest_free) = m;
        }
        r->stale = true;
    } else {
        qom_error_set(errp, QOM_ERROR_FAILED, "all %u routes of KVM are taken", r->max);
    }
    pthread_mutex_unlock(&r->lock);
    return gsi;
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

void kvm_route_set(AccelState *accel, int route, uint64_t addr, uint32_t data)
{
    KVMRoutes *r = KVM_ACCEL(accel)->routes;
    Message *m;

    pthread_mutex_lock(&r->lock);
    m = message_at(r, route);
    if (m && (m->addr != addr || m->data != data)) {
        m->addr = addr;
        m->data = data;
        r->stale = true;
        if (m->fds) {
            set_table_again(KVM_ACCEL(accel));
        }
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

/* The kernel may keep what nobody sends any more. */
void kvm_route_del(AccelState *accel, int route)
{
    KVMRoutes *r = KVM_ACCEL(accel)->routes;
    Message *m;

    pthread_mutex_lock(&r->lock);
    m = message_at(r, route);
    if (m) {
        m->taken = false;
        r->lowest_free = MIN(r->lowest_free, (unsigned)route - r->first);
        r->stale = true;
    }
    pthread_mutex_unlock(&r->lock);
}

static bool set_irqfd(KVMState *s, int gsi, int fd, int resample_fd, bool on, GError **errp)
{
    struct kvm_irqfd irqfd = { .fd = fd, .gsi = gsi, .flags = on ? 0 : KVM_IRQFD_FLAG_DEASSIGN };

    if (on && resample_fd >= 0) {
        irqfd.flags |= KVM_IRQFD_FLAG_RESAMPLE;
        irqfd.resamplefd = resample_fd;
    }
    if (ioctl(s->vm, KVM_IRQFD, &irqfd) < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED, "KVM does not lead an eventfd to interrupt %d: %s",
                      gsi, g_strerror(errno));
        return false;
    }
    return true;
}

bool kvm_irqfd(AccelState *accel, int gsi, int fd, int resample_fd, bool on, GError **errp)
{
    KVMState *s = KVM_ACCEL(accel);
    KVMRoutes *r = s->routes;
    Message *m;
    bool ok;

    if (!r) {
        return set_irqfd(s, gsi, fd, resample_fd, on, errp);
    }
    pthread_mutex_lock(&r->lock);
    m = message_at(r, gsi);
    ok = (!m || !on || !r->stale || set_table(s, errp)) &&
         set_irqfd(s, gsi, fd, resample_fd, on, errp);
    if (ok && m) {
        m->fds += on ? 1 : -1;
    }
    pthread_mutex_unlock(&r->lock);
    return ok;
}

bool kvm_send_msi(AccelState *accel, uint64_t addr, uint32_t data)
{
    struct kvm_msi msi = { .address_lo = (uint32_t)addr, .address_hi = addr >> 32, .data = data };

    return ioctl(KVM_ACCEL(accel)->vm, KVM_SIGNAL_MSI, &msi) > 0;
}
