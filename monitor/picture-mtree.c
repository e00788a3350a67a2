/* SPDX-License-Identifier: MIT */
/*
 * The picture of the memory map: on the left regions, each with what is mapped in it; on the right,
 * for each address space, what an access meets - the flat view.
 */
#include <inttypes.h>
#include <qomet/memory/listing.h>
#include "monitor/picture-int.h"

/* By the words of listing.h. */
static const PictureKind kinds[] = {
    { "ram", "RAM", "#c8e6c9", "#2e7d32", NULL },
    { "rom", "ROM", "#e6eec0", "#827717", NULL },
    { "romd", "ROM that a device writes", "#dce8ae", "#827717", NULL },
    { "i/o", "registers of a device", "#dcebfb", "#2166ac", NULL },
    { "alias", "alias: a part of another region", "#fff6d6", "#9a7d0a", NULL },
    { "container", "container of regions", "#f5f5f5", "#757575", NULL },
    { .key = NULL },
};

typedef struct MemoryPicture {
    Picture p;
    GHashTable *drawn; /* set of MemoryRegion * */
    GString *views;    /* names of the flat views, which stand in one column */
    GString *edges; /* from regions to the flat views; after these, or dot would draw them first */
} MemoryPicture;

/* "0x3f8-0x3ff", or "0x80" for one address. */
static char *range_text(hwaddr addr, uint64_t size)
{
    hwaddr last = memory_last_address(addr, size);

    return last == addr ? g_strdup_printf("0x%" PRIx64, addr)
                        : g_strdup_printf("0x%" PRIx64 "-0x%" PRIx64, addr, last);
}

/* What the owner of @mr is called, or NULL. */
static const char *owner_name(const MemoryRegion *mr)
{
    Object *owner = memory_region_owner(mr);

    return owner ? object_get_canonical_path_component(owner) : NULL;
}

/* ---- Regions ---- */

static void draw_region_box(Picture *p, MemoryRegion *mr, const MemoryRegionListing *listing)
{
    const PictureKind *kind = picture_kind(p, listing->kind);
    g_autofree char *range = range_text(listing->addr, listing->size);
    g_autofree char *size = picture_size(listing->size);
    g_autofree char *priority = g_strdup_printf("priority %d", listing->priority);
    g_autofree char *owner = g_strconcat("of ", owner_name(mr), NULL);

    picture_object(p->text, OBJECT(mr));
    g_string_append_printf(p->text, " [fillcolor=\"%s\" color=\"%s\"%s label=<<B>", kind->fill,
                           kind->line, listing->enabled ? "" : " style=\"filled,rounded,dashed\"");
    picture_label(p->text, memory_region_name(mr));
    g_string_append(p->text, "</B>");
    if (owner_name(mr)) {
        picture_small(p->text, owner);
    }
    if (memory_region_is_mapped(mr)) {
        picture_small(p->text, range);
    }
    picture_small(p->text, size);
    if (listing->priority) {
        picture_small(p->text, priority);
    }
    if (!listing->enabled) {
        picture_small(p->text, "disabled");
    }
    g_string_append(p->text, ">]\n");
}

static void draw_edge(Picture *p, MemoryRegion *from, MemoryRegion *to, const char *attributes)
{
    picture_object(p->text, OBJECT(from));
    g_string_append(p->text, " -> ");
    picture_object(p->text, OBJECT(to));
    g_string_append_printf(p->text, " [%s]\n", attributes);
}

static void draw_region(MemoryPicture *m, MemoryRegion *mr);

static void draw_alias(MemoryPicture *m, MemoryRegion *mr, const MemoryRegionListing *listing)
{
    g_autofree char *from =
        g_strdup_printf("style=dashed label=\"from 0x%" PRIx64 "\"", listing->alias_offset);

    draw_region(m, listing->alias);
    draw_edge(&m->p, mr, listing->alias, listing->alias_offset ? from : "style=dashed");
}

typedef struct Container {
    MemoryPicture *m;
    MemoryRegion *mr;
} Container;

static void draw_mapped(MemoryRegion *sub, void *opaque)
{
    Container *container = opaque;

    /* One without a byte is there for a board that might have had some. */
    if (memory_region_size(sub)) {
        draw_region(container->m, sub);
        draw_edge(&container->m->p, container->mr, sub, "dir=none");
    }
}

static void draw_region(MemoryPicture *m, MemoryRegion *mr)
{
    MemoryRegionListing listing = memory_region_list(mr);
    Container container = { m, mr };

    if (!g_hash_table_add(m->drawn, mr)) {
        return;
    }
    draw_region_box(&m->p, mr, &listing);
    memory_region_foreach_subregion(mr, draw_mapped, &container);
    if (listing.alias) {
        draw_alias(m, mr, &listing);
    }
}

/* ---- Flat views ---- */

typedef struct FlatPicture {
    MemoryPicture *m;
    const char *name; /* of its node */
    hwaddr next;      /* the first address that no row has shown yet */
    bool full;        /* there is none */
    unsigned rows;    /* that show a region */
} FlatPicture;

/* Rows grow with the logarithm of their size, from a page on. */
static unsigned row_height(uint64_t size)
{
    unsigned bits = 0;

    while (size >>= 1) {
        bits++;
    }
    return bits > 12 ? 20 + MIN(bits - 12, 20) * 2 : 20;
}

static void draw_gap(FlatPicture *f, hwaddr last)
{
    GString *out = f->m->p.text;
    uint64_t size = f->next == 0 && last == UINT64_MAX ? UINT64_MAX : last - f->next + 1;
    g_autofree char *range = range_text(f->next, size);

    g_string_append_printf(out,
                           "<TR><TD ALIGN=\"LEFT\" BGCOLOR=\"#ffffff\"><FONT POINT-SIZE=\"10\">"
                           "%s&#160;&#160;</FONT></TD>"
                           "<TD COLSPAN=\"3\" BGCOLOR=\"#ffffff\"><FONT POINT-SIZE=\"9\" "
                           "COLOR=\"#9e9e9e\">nothing answers</FONT></TD></TR>",
                           range);
}

static void draw_row(FlatPicture *f, const MemoryRegionSection *section, const PictureKind *kind)
{
    GString *out = f->m->p.text;
    unsigned height = row_height(section->size);
    const char *owner = owner_name(section->mr);
    g_autofree char *range = range_text(section->offset_within_address_space, section->size);
    g_autofree char *size = picture_size(section->size);

    g_string_append_printf(out,
                           "<TR><TD ALIGN=\"LEFT\" HEIGHT=\"%u\" BGCOLOR=\"%s\" PORT=\"r%u\">"
                           "<FONT POINT-SIZE=\"10\">%s&#160;&#160;</FONT></TD>"
                           "<TD ALIGN=\"LEFT\" BGCOLOR=\"%s\"><B>",
                           height, kind->fill, f->rows, range, kind->fill);
    picture_label(out, memory_region_name(section->mr));
    g_string_append_printf(out,
                           "</B></TD><TD ALIGN=\"LEFT\" BGCOLOR=\"%s\">"
                           "<FONT POINT-SIZE=\"9\" COLOR=\"#444444\">%s",
                           kind->fill, owner ? "of " : "");
    picture_label(out, owner ? owner : "\u2013");
    g_string_append_printf(out,
                           "</FONT></TD><TD ALIGN=\"LEFT\" BGCOLOR=\"%s\">"
                           "<FONT POINT-SIZE=\"10\">%s&#160;</FONT></TD></TR>",
                           kind->fill, size);
}

static bool draw_section(const MemoryRegionSection *section, void *opaque)
{
    FlatPicture *f = opaque;
    GString *edges = f->m->edges;
    hwaddr start = section->offset_within_address_space;
    const PictureKind *kind = picture_kind(&f->m->p, memory_section_kind(section));

    if (start > f->next) {
        draw_gap(f, start - 1);
    }
    draw_row(f, section, kind);
    picture_object(edges, OBJECT(section->mr));
    g_string_append(edges, " -> ");
    picture_name(edges, f->name);
    g_string_append_printf(edges, ":r%u:w [style=dotted color=\"%s\"]\n", f->rows, kind->line);
    f->rows++;
    f->next = start + section->size;
    f->full = section->size == UINT64_MAX || f->next == 0;
    return true;
}

static void draw_space(AddressSpace *as, void *opaque)
{
    MemoryPicture *m = opaque;
    g_autofree char *name = g_strconcat("address space ", as->name, NULL);
    uint64_t size = memory_region_size(as->root);
    hwaddr last = memory_last_address(0, size);
    FlatPicture f = { .m = m, .name = name };

    draw_region(m, as->root);
    picture_name(m->p.text, name);
    g_string_append(m->p.text, " [shape=plain style=\"\" label=<<TABLE BORDER=\"0\" "
                               "CELLBORDER=\"1\" CELLSPACING=\"0\" CELLPADDING=\"5\" "
                               "COLOR=\"#607d8b\"><TR><TD COLSPAN=\"4\" BGCOLOR=\"#455a64\">"
                               "<FONT COLOR=\"white\"><B>address space ");
    picture_label(m->p.text, as->name);
    g_string_append(m->p.text, "</B></FONT></TD></TR>");
    address_space_foreach(as, draw_section, &f);
    if (size && !f.full && f.next <= last) {
        draw_gap(&f, last);
    }
    g_string_append(m->p.text, "</TABLE>>]\n");
    /* A view stands to the right of its root, whatever else leads to it. */
    picture_object(m->edges, OBJECT(as->root));
    g_string_append(m->edges, " -> ");
    picture_name(m->edges, name);
    g_string_append(m->edges, " [style=invis]\n");
    picture_name(m->views, name);
    g_string_append_c(m->views, ' ');
}

char *picture_mtree(void)
{
    MemoryPicture m = {
        .drawn = g_hash_table_new(NULL, NULL),
        .views = g_string_new(NULL),
        .edges = g_string_new(NULL),
    };

    picture_begin(&m.p, kinds);
    g_string_append(m.p.text, "graph [splines=polyline]\n");
    address_spaces_foreach(draw_space, &m);
    g_string_append_printf(m.p.text, "%s{ rank=same %s}\n", m.edges->str, m.views->str);
    g_hash_table_unref(m.drawn);
    g_string_free(m.views, TRUE);
    g_string_free(m.edges, TRUE);
    return picture_end(
        &m.p, "The memory map",
        "Left: regions, each with what is mapped in it to its right. Right: the flat "
        "view of each address space, which is what an access meets.");
}
