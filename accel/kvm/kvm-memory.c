/* SPDX-License-Identifier: MIT */
/*
 * Guest memory in KVM: the flat view of "memory" becomes slots, and ioeventfds of both address
 * spaces are registered.
 *
 * A slot is what lies side by side in one region, in whole pages; a remainder at either end stays
 * an exit. Changes are gathered until commit, where what is there and what is wanted are compared:
 * a slot that stays the same is not touched, and only if one must go - KVM can replace none in one
 * step - are the vCPUs held out of the guest meanwhile.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include "accel/kvm/kvm-int.h"

#define PAGE UINT64_C(4096)

typedef struct Slot {
    uint64_t gpa, size; /* bytes */
    uint8_t *host;
    MemoryRegion *mr;
    uint64_t offset; /* in @mr */
    uint32_t flags;
    uint32_t id;
} Slot;

struct KVMMemory {
    KVMState *kvm;
    MemoryListener memory, io;
    GArray
        *sections; /* of Slot (id unused), by gpa: the memory that is to be seen, before merging */
    GArray *slots; /* of Slot, by gpa: what the kernel has */
    GArray *free_ids; /* of uint32_t below next_id */
    uint32_t next_id;
    bool changed;
};

/* ---- Slots ---- */

static bool set_slot(KVMMemory *m, const Slot *slot, uint64_t size)
{
    struct kvm_userspace_memory_region region = {
        .slot = slot->id,
        .flags = size ? slot->flags : 0,
        .guest_phys_addr = slot->gpa,
        .memory_size = size,
        .userspace_addr = (uintptr_t)slot->host,
    };

    if (ioctl(m->kvm->vm, KVM_SET_USER_MEMORY_REGION, &region) == 0) {
        return true;
    }
    error_report("KVM does not %s %" PRIu64 " KiB of memory at 0x%" PRIx64 " for '%s': %s",
                 size ? "map" : "unmap", slot->size >> 10, slot->gpa, memory_region_name(slot->mr),
                 g_strerror(errno));
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_ERROR);
    return false;
}

/*
 * Who can be refused has asked check() before. A guest that moves what it has around - a window of a
 * bridge, a shadow of a ROM - cannot: memory that gets no slot is reached by exits, and code in it
 * does not run.
 */
static bool take_id(KVMMemory *m, Slot *slot)
{
    if (m->free_ids->len) {
        slot->id = g_array_index(m->free_ids, uint32_t, m->free_ids->len - 1);
        g_array_set_size(m->free_ids, m->free_ids->len - 1);
        return true;
    }
    if (m->next_id < m->kvm->max_slots) {
        slot->id = m->next_id++;
        return true;
    }
    qemu_log_mask(LOG_GUEST_ERROR,
                  "kvm: the guest has spread its memory over more than %u slots: that at 0x%" PRIx64
                  " ('%s') is reached by exits\n",
                  m->kvm->max_slots, slot->gpa, memory_region_name(slot->mr));
    return false;
}

static bool slot_equal(const Slot *a, const Slot *b)
{
    return a->gpa == b->gpa && a->size == b->size && a->host == b->host && a->flags == b->flags;
}

/* Whether @section is memory for the guest to reach without an exit: @slot is what it is then. */
static bool section_slot(const KVMMemory *m, const MemoryRegionSection *section, Slot *slot)
{
    if (!section->ram || (section->readonly && !m->kvm->readonly_slots)) {
        return false;
    }
    *slot = (Slot){
        .gpa = section->offset_within_address_space,
        .size = section->size,
        .host = (uint8_t *)memory_region_get_ram_ptr(section->mr) + section->offset_within_region,
        .mr = section->mr,
        .offset = section->offset_within_region,
        .flags = (section->readonly ? KVM_MEM_READONLY : 0) |
                 (section->dirty_log ? KVM_MEM_LOG_DIRTY_PAGES : 0),
    };
    return true;
}

/*
 * Pages that KVM keeps for itself on some processors: the local APIC's, and those for real mode. A
 * slot over one of them is refused there, and a guest may put a ROM where it likes: what it has put
 * over them is an exit.
 */
static const struct {
    uint64_t gpa, size;
} kernel_pages[] = {
    { KVM_APIC_ADDR, PAGE },
    { KVM_IDENTITY_MAP_ADDR, KVM_TSS_ADDR + 3 * PAGE - KVM_IDENTITY_MAP_ADDR },
};

static void cut_off(Slot *s, uint64_t bytes)
{
    s->gpa += bytes;
    s->host += bytes;
    s->offset += bytes;
    s->size -= bytes;
}

/* @s, which begins and ends at pages, without those of the kernel. */
static void add_wanted(GArray *wanted, Slot s)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kernel_pages); i++) {
        const uint64_t start = kernel_pages[i].gpa, end = start + kernel_pages[i].size;
        Slot before = s;

        if (s.gpa >= end || s.gpa + s.size <= start) {
            continue;
        }
        if (s.gpa < start) {
            before.size = start - s.gpa;
            g_array_append_val(wanted, before);
        }
        cut_off(&s, MIN(s.size, end - s.gpa));
    }
    if (s.size) {
        g_array_append_val(wanted, s);
    }
}

/* The @sections, those that continue each other put together, cut to whole pages. */
static GArray *wanted_slots(const GArray *sections)
{
    GArray *wanted = g_array_new(FALSE, FALSE, sizeof(Slot));

    for (guint i = 0; i < sections->len;) {
        Slot s = g_array_index(sections, Slot, i);
        uint64_t cut;

        for (i++; i < sections->len; i++) {
            const Slot *next = &g_array_index(sections, Slot, i);

            if (next->mr != s.mr || next->flags != s.flags || next->gpa != s.gpa + s.size ||
                next->host != s.host + s.size) {
                break;
            }
            s.size += next->size;
        }
        cut = -s.gpa & (PAGE - 1);
        if (s.size <= cut || (uintptr_t)(s.host + cut) & (PAGE - 1)) {
            continue; /* KVM maps whole pages to whole pages */
        }
        cut_off(&s, cut);
        s.size &= ~(PAGE - 1);
        add_wanted(wanted, s);
    }
    return wanted;
}

/* ---- Pages that the guest has changed ---- */

/*
 * Brings the kernel's marks of @s between @from and @to (guest addresses) into its region, and
 * clears them there.
 */
static void sync_slot(KVMMemory *m, const Slot *s, uint64_t from, uint64_t to)
{
    uint64_t pages = s->size / PAGE;
    g_autofree uint64_t *bitmap = g_new0(uint64_t, (pages + 63) / 64);
    struct kvm_dirty_log log = { .slot = s->id, .dirty_bitmap = bitmap };

    if (ioctl(m->kvm->vm, KVM_GET_DIRTY_LOG, &log) < 0) {
        error_report("KVM does not say which pages of '%s' have changed: %s",
                     memory_region_name(s->mr), g_strerror(errno));
        memory_region_set_dirty(s->mr, s->offset + (from - s->gpa), to - from);
        return;
    }
    for (uint64_t page = 0; page < pages; page++) {
        if (bitmap[page / 64] >> (page % 64) & 1) {
            memory_region_set_dirty(s->mr, s->offset + page * PAGE, PAGE);
        }
    }
}

static void log_sync(MemoryListener *l, const MemoryRegionSection *section)
{
    KVMMemory *m = l->opaque;
    uint64_t start = section->offset_within_address_space, end = start + section->size;

    for (guint i = 0; i < m->slots->len; i++) {
        const Slot *s = &g_array_index(m->slots, Slot, i);

        if (s->flags & KVM_MEM_LOG_DIRTY_PAGES && s->gpa < end && start < s->gpa + s->size) {
            sync_slot(m, s, MAX(start, s->gpa), MIN(end, s->gpa + s->size));
        }
    }
}

/* ---- The view ---- */

/* The last one of @wanted that the kernel has not. */
static const Slot *last_new(const KVMMemory *m, const GArray *wanted)
{
    guint old = m->slots->len;

    for (guint i = wanted->len; i > 0; i--) {
        const Slot *w = &g_array_index(wanted, Slot, i - 1);

        while (old > 0 && g_array_index(m->slots, Slot, old - 1).gpa > w->gpa) {
            old--;
        }
        if (old == 0 || !slot_equal(&g_array_index(m->slots, Slot, old - 1), w)) {
            return w;
        }
    }
    return &g_array_index(wanted, Slot, wanted->len - 1);
}

static bool check(MemoryListener *l, const MemoryRegionSection *sections, unsigned n, GError **errp)
{
    const KVMMemory *m = l->opaque;
    g_autoptr(GArray) seen = g_array_new(FALSE, FALSE, sizeof(Slot));
    g_autoptr(GArray) wanted = NULL;
    g_autofree char *path = NULL;
    const Slot *slot;

    for (unsigned i = 0; i < n; i++) {
        Slot s;

        if (section_slot(m, &sections[i], &s)) {
            g_array_append_val(seen, s);
        }
    }
    wanted = wanted_slots(seen);
    if (wanted->len <= m->kvm->max_slots) {
        return true;
    }
    slot = last_new(m, wanted);
    path = object_get_canonical_path(OBJECT(slot->mr));
    qom_error_set(errp, QOM_ERROR_STATE,
                  "KVM has no more than %u memory slots, and none is left for %" PRIu64
                  " KiB of '%s' at 0x%" PRIx64,
                  m->kvm->max_slots, slot->size >> 10, path ? path : memory_region_name(slot->mr),
                  slot->gpa);
    return false;
}

static void begin(MemoryListener *l)
{
    ((KVMMemory *)l->opaque)->changed = false;
}

/*
 * Both lists are in order: one pass finds what goes (in @m->slots) and what comes (in @wanted, id 0
 * to be given).
 */
static void commit(MemoryListener *l)
{
    KVMMemory *m = l->opaque;
    g_autoptr(GArray) wanted = NULL;
    g_autoptr(GArray) gone = NULL;
    guint old = 0, come = 0;

    if (!m->changed) {
        return;
    }
    wanted = wanted_slots(m->sections);
    gone = g_array_new(FALSE, FALSE, sizeof(Slot));
    for (guint i = 0; i < wanted->len; i++) {
        Slot *w = &g_array_index(wanted, Slot, i);
        Slot *s;

        for (; old < m->slots->len; old++) {
            s = &g_array_index(m->slots, Slot, old);
            if (s->gpa >= w->gpa) {
                break;
            }
            g_array_append_val(gone, *s);
        }
        s = old < m->slots->len ? &g_array_index(m->slots, Slot, old) : NULL;
        if (s && slot_equal(s, w)) {
            w->id = s->id;
            old++;
        } else {
            w->id = UINT32_MAX;
            come++;
        }
    }
    for (; old < m->slots->len; old++) {
        g_array_append_val(gone, g_array_index(m->slots, Slot, old));
    }

    if (gone->len) {
        pause_all_vcpus();
    }
    for (guint i = 0; i < gone->len; i++) {
        const Slot *s = &g_array_index(gone, Slot, i);

        if (s->flags & KVM_MEM_LOG_DIRTY_PAGES) {
            sync_slot(m, s, s->gpa, s->gpa + s->size);
        }
        set_slot(m, s, 0);
        g_array_append_val(m->free_ids, s->id);
    }
    for (guint i = 0; i < wanted->len && come; i++) {
        Slot *w = &g_array_index(wanted, Slot, i);

        if (w->id != UINT32_MAX) {
            continue;
        }
        come--;
        if (!take_id(m, w)) {
            g_array_remove_index(wanted, i--);
        } else if (!set_slot(m, w, w->size)) {
            g_array_append_val(m->free_ids, w->id);
            g_array_remove_index(wanted, i--);
        }
    }
    if (gone->len) {
        resume_all_vcpus();
    }
    g_array_unref(m->slots);
    m->slots = g_steal_pointer(&wanted);
}

static void region_add(MemoryListener *l, const MemoryRegionSection *s)
{
    KVMMemory *m = l->opaque;
    guint at = m->sections->len;
    Slot slot;

    if (!section_slot(m, s, &slot)) {
        return;
    }
    while (at > 0 && g_array_index(m->sections, Slot, at - 1).gpa > slot.gpa) {
        at--;
    }
    g_array_insert_val(m->sections, at, slot);
    m->changed = true;
}

static void region_del(MemoryListener *l, const MemoryRegionSection *s)
{
    KVMMemory *m = l->opaque;

    for (guint i = 0; s->ram && i < m->sections->len; i++) {
        if (g_array_index(m->sections, Slot, i).gpa == s->offset_within_address_space) {
            g_array_remove_index(m->sections, i);
            m->changed = true;
            return;
        }
    }
}

/* ---- Eventfds ---- */

static bool set_eventfd(KVMMemory *m, const MemoryRegionIoeventfd *e, uint32_t flags)
{
    struct kvm_ioeventfd k = {
        .datamatch = e->match_data ? e->data : 0,
        .addr = e->addr,
        .len = e->size,
        .fd = e->fd,
        .flags = flags | (e->match_data ? KVM_IOEVENTFD_FLAG_DATAMATCH : 0),
    };

    if (!m->kvm->ioeventfd || (!e->size && !m->kvm->ioeventfd_any_length)) {
        return false;
    }
    return ioctl(m->kvm->vm, KVM_IOEVENTFD, &k) == 0;
}

static bool memory_eventfd_add(MemoryListener *l, const MemoryRegionSection *s,
                               const MemoryRegionIoeventfd *e)
{
    (void)s;
    return set_eventfd(l->opaque, e, 0);
}

static void memory_eventfd_del(MemoryListener *l, const MemoryRegionSection *s,
                               const MemoryRegionIoeventfd *e)
{
    (void)s;
    set_eventfd(l->opaque, e, KVM_IOEVENTFD_FLAG_DEASSIGN);
}

static bool io_eventfd_add(MemoryListener *l, const MemoryRegionSection *s,
                           const MemoryRegionIoeventfd *e)
{
    (void)s;
    return set_eventfd(l->opaque, e, KVM_IOEVENTFD_FLAG_PIO);
}

static void io_eventfd_del(MemoryListener *l, const MemoryRegionSection *s,
                           const MemoryRegionIoeventfd *e)
{
    (void)s;
    set_eventfd(l->opaque, e, KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DEASSIGN);
}

/* ---- Start and end ---- */

KVMMemory *kvm_memory_new(KVMState *kvm)
{
    KVMMemory *m = g_new0(KVMMemory, 1);

    m->kvm = kvm;
    m->sections = g_array_new(FALSE, FALSE, sizeof(Slot));
    m->slots = g_array_new(FALSE, FALSE, sizeof(Slot));
    m->free_ids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    m->memory = (MemoryListener){
        .check = check,
        .begin = begin,
        .region_add = region_add,
        .region_del = region_del,
        .eventfd_add = memory_eventfd_add,
        .eventfd_del = memory_eventfd_del,
        .log_sync = log_sync,
        .commit = commit,
        .opaque = m,
    };
    m->io = (MemoryListener){ .eventfd_add = io_eventfd_add,
                              .eventfd_del = io_eventfd_del,
                              .opaque = m };
    memory_listener_register(&m->memory, &address_space_memory);
    memory_listener_register(&m->io, &address_space_io);
    return m;
}

void kvm_memory_free(KVMMemory *m)
{
    memory_listener_unregister(&m->io, &address_space_io);
    memory_listener_unregister(&m->memory, &address_space_memory);
    g_array_unref(m->sections);
    g_array_unref(m->slots);
    g_array_unref(m->free_ids);
    g_free(m);
}
