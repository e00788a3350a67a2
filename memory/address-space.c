/* SPDX-License-Identifier: MIT */
/* Address spaces: making and ending them, what stands in them, and the two that the machine has. */
#include <string.h>
#include "memory/flatview-int.h"

void address_space_init(AddressSpace *as, MemoryRegion *root, const char *name)
{
    memset(as, 0, sizeof(*as));
    as->name = g_strdup(name);
    as->root = (MemoryRegion *)object_ref(root);
    as->listeners = g_ptr_array_new();
    rcu_publish(&as->current_map, flatview_render(root));
    address_space_list_add(as);
}

void address_space_destroy(AddressSpace *as)
{
    address_space_list_remove(as);
    while (as->listeners->len) {
        memory_listener_unregister(g_ptr_array_index(as->listeners, as->listeners->len - 1), as);
    }
    rcu_retire(flatview_free, as->current_map);
    g_ptr_array_free(as->listeners, TRUE);
    object_unref(as->root);
    g_free(as->name);
    memset(as, 0, sizeof(*as));
}

MemoryRegionSection address_space_find(AddressSpace *as, hwaddr addr)
{
    MemoryRegionSection section = { .as = as, .offset_within_address_space = addr };
    EntryThread *t = entry_self();
    const FlatView *view;
    const FlatRow *row;

    section_enter(t);
    view = rcu_read(&as->current_map);
    row = flatview_find(view, addr);
    if (row != &view->rows[0]) {
        FlatRange rest = *flatview_range(view, row);

        rest.offset += addr - rest.start;
        rest.start = addr;
        section = flat_section(as, &rest);
        object_ref(section.mr);
    }
    section_leave(t);
    return section;
}

void address_space_foreach(AddressSpace *as, bool (*fn)(const MemoryRegionSection *s, void *opaque),
                           void *opaque)
{
    EntryThread *t = entry_self();
    const FlatView *view;
    bool more = true;

    section_enter(t);
    view = rcu_read(&as->current_map);
    for (uint32_t i = 1; more && i <= view->n; i++) {
        MemoryRegionSection section = flat_section(as, &view->ranges[i]);

        more = fn(&section, opaque);
    }
    section_leave(t);
}

/* ---- The machine's own ---- */

AddressSpace address_space_memory, address_space_io;
static MemoryRegion *system_memory, *system_io;

MemoryRegion *get_system_memory(void)
{
    return system_memory;
}

MemoryRegion *get_system_io(void)
{
    return system_io;
}

void memory_map_init(void)
{
    system_memory = g_new0(MemoryRegion, 1);
    memory_region_init(system_memory, NULL, "system", UINT64_MAX);
    address_space_init(&address_space_memory, system_memory, "memory");
    system_io = g_new0(MemoryRegion, 1);
    memory_region_init(system_io, NULL, "io", 65536);
    address_space_init(&address_space_io, system_io, "I/O");
}

static void free_root(MemoryRegion *mr)
{
    object_unref(mr);
    g_free(mr);
}

void memory_map_cleanup(void)
{
    address_space_destroy(&address_space_memory);
    address_space_destroy(&address_space_io);
    free_root(system_memory);
    free_root(system_io);
    system_memory = NULL;
    system_io = NULL;
}
