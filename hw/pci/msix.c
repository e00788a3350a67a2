/* SPDX-License-Identifier: MIT */
/* MSI-X: the table, the pending bits, masks, and eventfds that send vectors ([PCI] 6.8.2). */
#include <poll.h>
#include <string.h>
#include <qomet/hw/intc/msi-target.h>
#include <qomet/hw/pci/msi.h>
#include <qomet/hw/pci/msix.h>
#include "hw/pci/pci-int.h"

#define CONTROL_HIGH(dev) ((dev)->config[(dev)->msix_cap + PCI_MSIX_FLAGS + 1])
#define HIGH_ENABLE (PCI_MSIX_FLAGS_ENABLE >> 8)
#define HIGH_MASKALL (PCI_MSIX_FLAGS_MASKALL >> 8)

#define BAR_MIN 4096

typedef struct Vector {
    uint8_t entry[PCI_MSIX_ENTRY_SIZE]; /* as the guest sees it in the table */
    bool pending;
    bool attached; /* fd sends route just now */
    int fd;        /* or -1 */
    int route;     /* of fd, or -1 */
} Vector;

struct MSIXState {
    unsigned n;
    Vector vectors[];
};

bool msix_enabled(const PCIDevice *dev)
{
    return dev->msix_cap && (CONTROL_HIGH(dev) & HIGH_ENABLE);
}

static bool entry_masked(const Vector *v)
{
    return pci_get_long(v->entry + PCI_MSIX_ENTRY_VECTOR_CTRL) & PCI_MSIX_ENTRY_CTRL_MASKBIT;
}

bool msix_is_masked(const PCIDevice *dev, unsigned vector)
{
    return !dev->msix || vector >= dev->msix->n || (CONTROL_HIGH(dev) & HIGH_MASKALL) ||
           entry_masked(&dev->msix->vectors[vector]);
}

static uint64_t entry_addr(const Vector *v)
{
    return pci_get_quad(v->entry + PCI_MSIX_ENTRY_LOWER_ADDR);
}

static uint32_t entry_data(const Vector *v)
{
    return pci_get_long(v->entry + PCI_MSIX_ENTRY_DATA);
}

/* ---- Eventfds ---- */

static MsiTarget *target_of(const PCIDevice *dev)
{
    return pci_root_bus(pci_get_bus(dev))->msi_target;
}

static void attach(PCIDevice *dev, Vector *v, bool on)
{
    MsiTarget *target = target_of(dev);
    static LogLimit limit;
    g_autoptr(GError) error = NULL;

    if (v->attached == on) {
        return;
    }
    if (MSI_TARGET_GET_CLASS(target)->irqfd(target, v->route, v->fd, on, &error)) {
        v->attached = on;
    } else if (qemu_log_limit(&limit)) {
        warn_report("'%s': %s", object_get_typename(OBJECT(dev)), error->message);
    }
}

bool msix_set_irqfd(PCIDevice *dev, unsigned vector, int fd, GError **errp)
{
    MsiTarget *target = target_of(dev);
    Vector *v = dev->msix && vector < dev->msix->n ? &dev->msix->vectors[vector] : NULL;
    int route;

    if (!v || !target || !MSI_TARGET_GET_CLASS(target)->route_add) {
        qom_error_set(errp, QOM_ERROR_STATE,
                      v ? "no controller here takes messages of eventfds" : "there is no vector %u",
                      vector);
        return false;
    }
    msix_clear_irqfd(dev, vector);
    route = MSI_TARGET_GET_CLASS(target)->route_add(target, entry_addr(v), entry_data(v), errp);
    if (route < 0) {
        return false;
    }
    v->route = route;
    v->fd = fd;
    attach(dev, v, msix_enabled(dev) && !msix_is_masked(dev, vector));
    return true;
}

void msix_clear_irqfd(PCIDevice *dev, unsigned vector)
{
    Vector *v = dev->msix && vector < dev->msix->n ? &dev->msix->vectors[vector] : NULL;
    MsiTarget *target = target_of(dev);

    if (v && v->route >= 0) {
        attach(dev, v, false);
        MSI_TARGET_GET_CLASS(target)->route_del(target, v->route);
        v->route = v->fd = -1;
    }
}

/* Whether the eventfd has a signal that waits for the mask to go. */
static bool fd_pending(const Vector *v)
{
    struct pollfd p = { .fd = v->fd, .events = POLLIN };

    return v->fd >= 0 && !v->attached && poll(&p, 1, 0) == 1 && (p.revents & POLLIN);
}

/* ---- Sending ---- */

static bool is_open(const PCIDevice *dev, unsigned vector)
{
    return msix_enabled(dev) && !msix_is_masked(dev, vector);
}

/*
 * After anything that says whether vectors may be sent, and as what: @n of them, from @first on. All
 * routes are set before an eventfd is led to one of them, so that the kernel is told of them at once.
 */
static void update_vectors(PCIDevice *dev, unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++) {
        Vector *v = &dev->msix->vectors[i];

        if (is_open(dev, i) && v->pending) {
            v->pending = false;
            pci_send_msi(dev, entry_addr(v), entry_data(v));
        }
        if (is_open(dev, i) && v->route >= 0) {
            MSI_TARGET_GET_CLASS(target_of(dev))
                ->route_set(target_of(dev), v->route, entry_addr(v), entry_data(v));
        }
    }
    for (unsigned i = first; i < first + n; i++) {
        if (dev->msix->vectors[i].route >= 0) {
            attach(dev, &dev->msix->vectors[i], is_open(dev, i));
        }
    }
}

void msix_notify(PCIDevice *dev, unsigned vector)
{
    if (!msix_enabled(dev) || vector >= dev->msix->n) {
        return;
    }
    dev->msix->vectors[vector].pending = true;
    update_vectors(dev, vector, 1);
}

void msix_write_config(PCIDevice *dev, uint32_t addr, unsigned len)
{
    if (!dev->msix || !pci_ranges_overlap(addr, len, dev->msix_cap, PCI_CAP_MSIX_SIZEOF)) {
        return;
    }
    if (msix_enabled(dev)) {
        pci_set_irq(dev, 0);
    }
    update_vectors(dev, 0, dev->msix->n);
}

/* ---- What the guest sees ---- */

static uint64_t table_read(void *opaque, hwaddr addr, unsigned size G_GNUC_UNUSED)
{
    const PCIDevice *dev = opaque;
    const Vector *v = &dev->msix->vectors[addr / PCI_MSIX_ENTRY_SIZE];

    return pci_get_long(v->entry + addr % PCI_MSIX_ENTRY_SIZE);
}

static void table_write(void *opaque, hwaddr addr, uint64_t data, unsigned size G_GNUC_UNUSED)
{
    PCIDevice *dev = opaque;
    unsigned vector = addr / PCI_MSIX_ENTRY_SIZE;

    pci_set_long(dev->msix->vectors[vector].entry + addr % PCI_MSIX_ENTRY_SIZE, (uint32_t)data);
    update_vectors(dev, vector, 1);
}

static uint64_t pba_read(void *opaque, hwaddr addr, unsigned size G_GNUC_UNUSED)
{
    const PCIDevice *dev = opaque;
    uint32_t bits = 0;

    for (unsigned i = 0; i < 32 && addr * 8 + i < dev->msix->n; i++) {
        const Vector *v = &dev->msix->vectors[addr * 8 + i];

        bits |= (uint32_t)(v->pending || fd_pending(v)) << i;
    }
    return bits;
}

/* They are the device's. */
static void pba_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    (void)opaque;
    (void)addr;
    (void)data;
    (void)size;
}

static const MemoryRegionOps table_ops = {
    .read = table_read,
    .write = table_write,
    .valid = { .min_access_size = 4, .max_access_size = 4 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
    .name = "MSI-X table",
};

static const MemoryRegionOps pba_ops = {
    .read = pba_read,
    .write = pba_write,
    .valid = { .min_access_size = 4, .max_access_size = 4 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
    .name = "MSI-X pending bits",
};

/* ---- Making, reset, end ---- */

static uint64_t table_bytes(unsigned vectors)
{
    return (uint64_t)vectors * PCI_MSIX_ENTRY_SIZE;
}

static uint64_t pba_bytes(unsigned vectors)
{
    return (vectors + 63) / 64 * 8;
}

static bool check(unsigned vectors, const MemoryRegion *bar, uint32_t offset, uint64_t bytes,
                  GError **errp)
{
    if (!vectors || vectors > PCI_MSIX_VECTORS_MAX) {
        qom_error_set(errp, QOM_ERROR_VALUE, "%u vectors of MSI-X: there are 1 to %d", vectors,
                      PCI_MSIX_VECTORS_MAX);
        return false;
    }
    if (offset % 8 || offset + bytes > memory_region_size(bar)) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "MSI-X of %u vectors does not fit at 0x%x of the region '%s'", vectors,
                      offset, memory_region_name(bar));
        return false;
    }
    return true;
}

static void undo_msix(DeviceState *dev, void *opaque G_GNUC_UNUSED)
{
    msix_uninit(PCI_DEVICE(dev));
}

static void make_state(PCIDevice *dev, unsigned vectors)
{
    MSIXState *s = g_malloc0(sizeof(*s) + vectors * sizeof(s->vectors[0]));

    s->n = vectors;
    for (unsigned i = 0; i < vectors; i++) {
        s->vectors[i].route = s->vectors[i].fd = -1;
    }
    dev->msix = s;
    msix_reset(dev);
    qdev_on_unrealize(DEVICE(dev), undo_msix, NULL);
}

bool msix_init(PCIDevice *dev, unsigned vectors, MemoryRegion *table_bar, unsigned table_nr,
               uint32_t table_offset, MemoryRegion *pba_bar, unsigned pba_nr, uint32_t pba_offset,
               uint8_t offset, GError **errp)
{
    uint8_t cap;

    if (!check(vectors, table_bar, table_offset, table_bytes(vectors), errp) ||
        !check(vectors, pba_bar, pba_offset, pba_bytes(vectors), errp)) {
        return false;
    }
    cap = pci_add_capability(dev, PCI_CAP_ID_MSIX, offset, PCI_CAP_MSIX_SIZEOF, errp);
    if (!cap) {
        return false;
    }
    dev->msix_cap = cap;
    pci_set_word(dev->config + cap + PCI_MSIX_FLAGS, vectors - 1);
    pci_set_long(dev->config + cap + PCI_MSIX_TABLE, table_offset | table_nr);
    pci_set_long(dev->config + cap + PCI_MSIX_PBA, pba_offset | pba_nr);
    dev->wmask[cap + PCI_MSIX_FLAGS + 1] = HIGH_ENABLE | HIGH_MASKALL;
    make_state(dev, vectors);
    memory_region_init_io(&dev->msix_table, OBJECT(dev), &table_ops, dev, "msix-table",
                          table_bytes(vectors));
    memory_region_init_io(&dev->msix_pba, OBJECT(dev), &pba_ops, dev, "msix-pba",
                          pba_bytes(vectors));
    memory_region_add_subregion_overlap(table_bar, table_offset, &dev->msix_table, 1);
    memory_region_add_subregion_overlap(pba_bar, pba_offset, &dev->msix_pba, 1);
    return true;
}

bool msix_init_exclusive_bar(PCIDevice *dev, unsigned vectors, unsigned nr, GError **errp)
{
    uint64_t pba_offset = MAX(BAR_MIN / 2, table_bytes(vectors)), size = BAR_MIN;

    while (size < pba_offset + pba_bytes(vectors)) {
        size *= 2;
    }
    memory_region_init(&dev->msix_bar, OBJECT(dev), "msix", size);
    if (!msix_init(dev, vectors, &dev->msix_bar, nr, 0, &dev->msix_bar, nr, pba_offset, 0, errp)) {
        return false;
    }
    pci_register_bar(dev, nr, PCI_BASE_ADDRESS_SPACE_MEMORY, &dev->msix_bar);
    return true;
}

void msix_reset(PCIDevice *dev)
{
    MSIXState *s = dev->msix;

    if (!s) {
        return;
    }
    if (dev->msix_cap) {
        CONTROL_HIGH(dev) &= ~(HIGH_ENABLE | HIGH_MASKALL);
    }
    for (unsigned i = 0; i < s->n; i++) {
        Vector *v = &s->vectors[i];

        if (v->route >= 0) {
            attach(dev, v, false);
        }
        memset(v->entry, 0, sizeof(v->entry));
        pci_set_long(v->entry + PCI_MSIX_ENTRY_VECTOR_CTRL, PCI_MSIX_ENTRY_CTRL_MASKBIT);
        v->pending = false;
    }
}

void msix_uninit(PCIDevice *dev)
{
    MSIXState *s = dev->msix;

    if (!s) {
        return;
    }
    for (unsigned i = 0; i < s->n; i++) {
        msix_clear_irqfd(dev, i);
    }
    dev->msix_cap = 0;
    g_clear_pointer(&dev->msix, g_free);
}
