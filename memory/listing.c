/* SPDX-License-Identifier: MIT */
/* Memory as a person reads it: regions, sections and address spaces in words. */
#include <qomet/memory/listing.h>
#include "memory/memory-int.h"

static const char *memory_kind(const MemoryRegion *mr, bool readonly)
{
    return mr->kind == REGION_ROM_DEVICE ? "romd" : readonly ? "rom" : "ram";
}

MemoryRegionListing memory_region_list(const MemoryRegion *mr)
{
    return (MemoryRegionListing){
        .kind = region_reads_ram(mr)           ? memory_kind(mr, mr->readonly)
                : mr->kind == REGION_ALIAS     ? "alias"
                : mr->kind == REGION_CONTAINER ? "container"
                                               : "i/o",
        .addr = mr->addr,
        .size = memory_region_size(mr),
        .priority = mr->priority,
        .enabled = mr->enabled,
        .alias = mr->alias,
        .alias_offset = mr->alias_offset,
    };
}

const char *memory_section_kind(const MemoryRegionSection *section)
{
    return section->ram ? memory_kind(section->mr, section->readonly) : "i/o";
}

void memory_region_foreach_subregion(MemoryRegion *mr, void (*fn)(MemoryRegion *sub, void *opaque),
                                     void *opaque)
{
    for (guint i = 0; mr->subregions && i < mr->subregions->len; i++) {
        fn(g_ptr_array_index(mr->subregions, i), opaque);
    }
}

/* The list begins with the one made last. */
void address_spaces_foreach(void (*fn)(AddressSpace *as, void *opaque), void *opaque)
{
    g_autoptr(GPtrArray) spaces = g_ptr_array_new();

    for (AddressSpace *as = address_space_first(); as; as = as->next) {
        g_ptr_array_add(spaces, as);
    }
    for (guint i = spaces->len; i > 0; i--) {
        fn(g_ptr_array_index(spaces, i - 1), opaque);
    }
}
