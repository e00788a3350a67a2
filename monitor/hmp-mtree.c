/* SPDX-License-Identifier: MIT */
/*
 * Memory and ports as people read them: which region is mapped in which, and what the guest sees
 * of it in the end.
 */
#include <inttypes.h>
#include <string.h>
#include <qomet/hw/core/qdev.h>
#include <qomet/memory/listing.h>
#include <qomet/monitor/picture.h>
#include <qomet/monitor/qmp.h>
#include "monitor/hmp-handlers.h"
#include "monitor/hmp-int.h"

/** What is shown, and what has been met. */
typedef struct Tree {
    Monitor *mon;
    bool owners, disabled; /* switches of the command; what shows nothing is shown too */
    GPtrArray *targets;    /* of MemoryRegion *: what aliases show */
    hwaddr base;           /* where the container begins in its address space */
    unsigned depth;
} Tree;

static void show_owner(const Tree *t, const MemoryRegion *mr)
{
    Object *owner = memory_region_owner(mr);
    g_autofree char *path = owner ? object_get_canonical_path(owner) : NULL;

    if (t->owners && owner) {
        monitor_printf(t->mon, " owner:{%s path=%s}",
                       object_dynamic_cast(owner, TYPE_DEVICE) ? "dev" : "obj", path ? path : "");
    }
}

/* ---- Regions in regions ---- */

static void show_alias(const Tree *t, const MemoryRegionListing *m)
{
    monitor_printf(t->mon, " @%s %016" PRIx64 "-%016" PRIx64, memory_region_name(m->alias),
                   m->alias_offset, memory_last_address(m->alias_offset, m->size));
    if (!g_ptr_array_find(t->targets, m->alias, NULL)) {
        g_ptr_array_add(t->targets, m->alias);
    }
}

/* QEMU has one word for what answers by its methods and what only holds others. */
static const char *kind_of(const MemoryRegion *mr)
{
    const char *kind = memory_region_list(mr).kind;

    return !strcmp(kind, "container") ? "i/o" : kind;
}

static void show_region(MemoryRegion *mr, void *opaque)
{
    const Tree *t = opaque;
    MemoryRegionListing m = memory_region_list(mr);
    Tree inner = *t;
    bool seen = m.enabled && m.size;

    if (!seen && !t->disabled) {
        return;
    }
    inner.base = t->base + m.addr;
    inner.depth++;
    monitor_printf(t->mon, "%*s%016" PRIx64 "-%016" PRIx64 " (prio %d, %s): %s%s",
                   (int)inner.depth * 2, "", inner.base, memory_last_address(inner.base, m.size),
                   m.priority, kind_of(m.alias ? m.alias : mr), m.alias ? "alias " : "",
                   memory_region_name(mr));
    if (m.alias) {
        show_alias(t, &m);
    }
    show_owner(t, mr);
    monitor_puts(t->mon, seen ? "\n" : m.size ? " [disabled]\n" : " [empty]\n");
    memory_region_foreach_subregion(mr, show_region, &inner);
}

static void show_space(AddressSpace *as, void *opaque)
{
    Tree *t = opaque;

    monitor_printf(t->mon, "address-space: %s\n", as->name);
    show_region(as->root, t);
    monitor_puts(t->mon, "\n");
}

static void show_tree(Tree *t)
{
    address_spaces_foreach(show_space, t);
    /* A target may hold aliases itself: the list grows meanwhile. */
    for (guint i = 0; i < t->targets->len; i++) {
        MemoryRegion *mr = g_ptr_array_index(t->targets, i);
        Tree own = *t;

        /* Shown with the addresses that its own offsets count from. */
        own.base = -memory_region_list(mr).addr;
        monitor_printf(t->mon, "memory-region: %s\n", memory_region_name(mr));
        show_region(mr, &own);
        monitor_puts(t->mon, "\n");
    }
}

/* ---- Flat views ---- */

/** A view that is shown. */
typedef struct Flat {
    const Tree *tree;
    unsigned number;
    bool shown; /* some range of it was */
} Flat;

static bool show_range(const MemoryRegionSection *s, void *opaque)
{
    Flat *f = opaque;
    hwaddr addr = s->offset_within_address_space;

    if (!f->shown) {
        monitor_printf(f->tree->mon, " Root memory region: %s\n", memory_region_name(s->as->root));
    }
    f->shown = true;
    monitor_printf(f->tree->mon, "  %016" PRIx64 "-%016" PRIx64 " (prio %d, %s): %s", addr,
                   memory_last_address(addr, s->size), memory_region_list(s->mr).priority,
                   memory_section_kind(s), memory_region_name(s->mr));
    if (s->offset_within_region) {
        monitor_printf(f->tree->mon, " @%016" PRIx64, s->offset_within_region);
    }
    show_owner(f->tree, s->mr);
    monitor_puts(f->tree->mon, "\n");
    return true;
}

static void show_view(AddressSpace *as, void *opaque)
{
    Flat *f = opaque;

    monitor_printf(f->tree->mon, "FlatView #%u\n AS \"%s\", root: %s\n", f->number++, as->name,
                   memory_region_name(as->root));
    f->shown = false;
    address_space_foreach(as, show_range, f);
    if (!f->shown) {
        monitor_puts(f->tree->mon, " Root memory region: (none)\n  No rendered FlatView\n");
    }
    monitor_puts(f->tree->mon, "\n");
}

bool hmp_do_info_mtree(Monitor *mon, GVariant *args, GError **errp)
{
    g_autoptr(GPtrArray) targets = g_ptr_array_new();
    Tree t = {
        .mon = mon,
        .owners = qmp_arg_bool(args, "o", false),
        .disabled = qmp_arg_bool(args, "D", false),
        .targets = targets,
    };
    Flat f = { .tree = &t };

    (void)errp;
    if (qmp_arg_bool(args, "dot", false)) {
        g_autofree char *picture = picture_mtree();

        monitor_puts(mon, picture);
    } else if (qmp_arg_bool(args, "f", false)) {
        address_spaces_foreach(show_view, &f);
    } else {
        show_tree(&t);
    }
    return true;
}
