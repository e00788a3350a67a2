/* SPDX-License-Identifier: MIT */
/*
 * The picture of the object tree: a box for each object, below its parent, in the colour of what it
 * is. Elements of an array that are alike share one.
 */
#include <string.h>
#include <qomet/hw/core/bus.h>
#include <qomet/machine/machine.h>
#include <qomet/memory/listing.h>
#include <qomet/monitor/monitor.h>
#include "monitor/picture-int.h"

#define WIDTH_MAX 3.0 /* of a box, inches */

/* In the order of asking. */
static const PictureKind kinds[] = {
    { TYPE_MACHINE, "machine", "#fde0dc", "#b3362b", "machine" },
    { TYPE_CPU, "vCPU", "#fdebd0", "#b9770e", "accel" },
    { TYPE_ACCEL, "accelerator", "#fff6d6", "#9a7d0a", "accel" },
    { TYPE_DEVICE, "device", "#dcebfb", "#2166ac", "hw" },
    { TYPE_BUS, "bus", "#e6e0f5", "#5e3c99", "hw/core" },
    { TYPE_IRQ, "interrupt line", "#f7e1ef", "#a8327f", "hw/core" },
    { TYPE_MEMORY_REGION, "memory region", "#dff1dc", "#2e7d32", "memory" },
    { TYPE_CHARDEV, "backend", "#d8f0ee", "#00776b", "backends" },
    { TYPE_MONITOR, "monitor", "#e3e8ea", "#455a64", "monitor" },
    { TYPE_CONTAINER, "container", "#ffffff", "#9e9e9e", "qom" },
    { TYPE_OBJECT, "other object", "#f2f2f2", "#616161", NULL },
    { .key = NULL },
};

/*
 * One box: an object, or those of an array - name[0], name[1], ... - that are of one type and have
 * no children.
 */
typedef struct Box {
    Object *first, *last;
    unsigned n;
    size_t stem;    /* characters of the name before '['; 0: no element of an array */
    unsigned depth; /* below the root */
    char *name;
    GPtrArray *facts; /* of char *: the lines below the name */
} Box;

/* ---- Which objects share a box ---- */

static int has_child(Object *child, void *opaque)
{
    (void)child;
    (void)opaque;
    return 1;
}

static bool is_leaf(Object *obj)
{
    return !object_child_foreach(obj, has_child, NULL);
}

static size_t stem_of(Object *obj)
{
    const char *name = object_get_canonical_path_component(obj);
    const char *index = name ? strrchr(name, '[') : NULL;

    return index && g_str_has_suffix(index, "]") ? (size_t)(index - name) : 0;
}

static bool belongs_to(const Box *box, Object *obj)
{
    return box->stem && stem_of(obj) == box->stem && is_leaf(obj) && is_leaf(box->first) &&
           object_get_class(obj) == object_get_class(box->first) &&
           !strncmp(object_get_canonical_path_component(obj),
                    object_get_canonical_path_component(box->first), box->stem);
}

/* ---- What a box says ---- */

static void add_fact(Box *box, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void add_fact(Box *box, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_ptr_array_add(box->facts, g_strdup_vprintf(format, args));
    va_end(args);
}

/*
 * Where a property leads, or NULL. Lines are left out, since they have a picture of their own, and
 * so is the bus that a device sits on, which is told otherwise.
 */
static Object *target_of(Object *obj, const ObjectPropertyView *view)
{
    const Property *prop = view->prop;

    if (prop && prop->info == &prop_info_chr) {
        g_autofree char *id = object_property_print(obj, view->name, NULL);
        Chardev *chr = id ? qemu_chr_find(id) : NULL;

        return chr ? OBJECT(chr) : NULL;
    }
    return prop && prop->info->kind == PROP_KIND_LINK &&
                   g_strcmp0(prop->link_type, TYPE_IRQ) != 0 &&
                   strcmp(view->name, "parent_bus") != 0
               ? object_property_get_link(obj, view->name, NULL)
               : NULL;
}

static void add_links(Box *box, Object *obj)
{
    ObjectPropertyIterator iter;
    ObjectPropertyView view;

    object_property_iter_init(&iter, obj);
    while (object_property_iter_next(&iter, &view)) {
        Object *target = target_of(obj, &view);

        if (target && object_get_canonical_path_component(target)) {
            add_fact(box, "%s \u2192 %s", view.name, object_get_canonical_path_component(target));
        }
    }
}

static void add_facts(Box *box)
{
    Object *obj = box->first, *device = object_dynamic_cast(obj, TYPE_DEVICE);

    if (object_dynamic_cast(obj, TYPE_MEMORY_REGION)) {
        MemoryRegionListing listing = memory_region_list(MEMORY_REGION(obj));
        g_autofree char *size = picture_size(listing.size);

        add_fact(box, "%s, %s", listing.kind, size);
    }
    if (device && DEVICE(device)->parent_bus) {
        add_fact(box, "on %s", DEVICE(device)->parent_bus->name);
    }
    add_links(box, obj);
}

static void describe(Box *box)
{
    const char *name = object_get_canonical_path_component(box->first);
    const char *type = object_get_typename(box->first);

    if (box->n > 1) {
        box->name = g_strdup_printf("%s \u2026 %s", name,
                                    object_get_canonical_path_component(box->last) + box->stem);
        add_fact(box, "%s \u00d7 %u", type, box->n);
    } else {
        box->name = g_strdup(name ? name : "/");
        add_fact(box, "%s", type);
        add_facts(box);
    }
}

/* ---- The tree ---- */

static Box *box_new(Object *obj, unsigned depth)
{
    Box *box = g_new0(Box, 1);

    *box = (Box){ .first = obj, .last = obj, .n = 1, .stem = stem_of(obj), .depth = depth };
    box->facts = g_ptr_array_new_with_free_func(g_free);
    return box;
}

static void box_free(gpointer data)
{
    g_ptr_array_unref(((Box *)data)->facts);
    g_free(((Box *)data)->name);
    g_free(data);
}

static int gather_child(Object *child, void *opaque)
{
    GPtrArray *row = opaque;
    Box *before = row->len ? g_ptr_array_index(row, row->len - 1) : NULL;

    if (before && belongs_to(before, child)) {
        before->last = child;
        before->n++;
    } else {
        g_ptr_array_add(row, box_new(child, 0));
    }
    return 0;
}

/* Appends the box of what is in @box, and then those below it, to @boxes. */
static void gather(GPtrArray *boxes, Box *box)
{
    g_autoptr(GPtrArray) row = g_ptr_array_new();

    describe(box);
    g_ptr_array_add(boxes, box);
    object_child_foreach(box->first, gather_child, row);
    for (guint i = 0; i < row->len; i++) {
        Box *below = g_ptr_array_index(row, i);

        below->depth = box->depth + 1;
        gather(boxes, below);
    }
}

/* Inches that the text of @box takes, about: those of one depth are made equally wide. */
static double width_of(const Box *box)
{
    double width = 0.088 * (double)g_utf8_strlen(box->name, -1);

    for (guint i = 0; i < box->facts->len; i++) {
        const char *fact = g_ptr_array_index(box->facts, i);

        width = MAX(width, 0.068 * (double)g_utf8_strlen(fact, -1));
    }
    return width + 0.25;
}

static void draw_box(Picture *p, const Box *box, double width)
{
    const PictureKind *kind = picture_kind_of(p, box->first);
    char inches[G_ASCII_DTOSTR_BUF_SIZE];

    picture_object(p->text, box->first);
    g_string_append_printf(p->text, " [fillcolor=\"%s\" color=\"%s\" width=%s label=<<B>",
                           kind->fill, kind->line,
                           g_ascii_formatd(inches, sizeof(inches), "%.2f", width));
    picture_label(p->text, box->name);
    g_string_append(p->text, "</B>");
    for (guint i = 0; i < box->facts->len; i++) {
        picture_small(p->text, g_ptr_array_index(box->facts, i));
    }
    g_string_append(p->text, ">]\n");
    if (box->depth) {
        picture_object(p->text, object_get_parent(box->first));
        g_string_append(p->text, " -> ");
        picture_object(p->text, box->first);
        g_string_append(p->text, "\n");
    }
}

static void draw(Picture *p, GPtrArray *boxes)
{
    g_autoptr(GArray) widths = g_array_new(FALSE, TRUE, sizeof(double));

    for (guint i = 0; i < boxes->len; i++) {
        const Box *box = g_ptr_array_index(boxes, i);

        if (box->depth >= widths->len) {
            g_array_set_size(widths, box->depth + 1);
        }
        g_array_index(widths, double, box->depth) =
            MAX(g_array_index(widths, double, box->depth), MIN(width_of(box), WIDTH_MAX));
    }
    for (guint i = 0; i < boxes->len; i++) {
        const Box *box = g_ptr_array_index(boxes, i);

        draw_box(p, box, g_array_index(widths, double, box->depth));
    }
}

char *picture_qom_tree(Object *top)
{
    g_autoptr(GPtrArray) boxes = g_ptr_array_new_with_free_func(box_free);
    Picture p;

    gather(boxes, box_new(top, 0));
    picture_begin(&p, kinds);
    g_string_append(p.text,
                    "graph [splines=line ranksep=0.7]\nedge [dir=none tailport=e headport=w]\n");
    draw(&p, boxes);
    return picture_end(&p, "The object tree",
                       "Every part of a machine is an object of a registered type; to its right "
                       "stands what it owns.");
}
