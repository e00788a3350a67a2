/* SPDX-License-Identifier: MIT */
/*
 * The object graph as people read it: the composition tree, devices on their buses, and wires.
 */
#include <inttypes.h>
#include <qomet/hw/core/sysbus.h>
#include <qomet/memory/listing.h>
#include <qomet/monitor/picture.h>
#include <qomet/monitor/qmp.h>
#include <qomet/qom/value.h>
#include "monitor/hmp-handlers.h"
#include "monitor/hmp-int.h"
#include "monitor/introspect.h"

/* ---- info qom-tree ---- */

static int collect(Object *child, void *opaque)
{
    g_ptr_array_add(opaque, child);
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return g_strcmp0(object_get_canonical_path_component(*(Object *const *)a),
                     object_get_canonical_path_component(*(Object *const *)b));
}

static void show_object(Monitor *mon, Object *obj, unsigned depth)
{
    const char *name = object_get_canonical_path_component(obj);
    g_autoptr(GPtrArray) children = g_ptr_array_new();

    monitor_printf(mon, "%*s/%s (%s)\n", (int)depth * 2, "", name ? name : "",
                   object_get_typename(obj));
    object_child_foreach(obj, collect, children);
    g_ptr_array_sort(children, compare_names);
    for (guint i = 0; i < children->len; i++) {
        show_object(mon, g_ptr_array_index(children, i), depth + 1);
    }
}

bool hmp_do_info_qom_tree(Monitor *mon, GVariant *args, GError **errp)
{
    const char *path = qmp_arg_str(args, "path");
    Object *obj = introspect_find(path ? path : "/machine", errp);

    if (obj && qmp_arg_bool(args, "dot", false)) {
        g_autofree char *picture = picture_qom_tree(obj);

        monitor_puts(mon, picture);
    } else if (obj) {
        show_object(mon, obj, 0);
    }
    return obj != NULL;
}

/* ---- info qtree ---- */

/** A line of the listing: where it is printed, and how far it is indented. */
typedef struct Listing {
    Monitor *mon;
    unsigned indent;
} Listing;

static void show_bus(Listing l, BusState *bus);

static Listing deeper(Listing l)
{
    return (Listing){ l.mon, l.indent + 2 };
}

/* "1016 (0x3f8)", "\"serial0\"", "true" */
static char *value_text(const Property *prop, GVariant *value)
{
    if (prop->info == &prop_info_size) {
        uint64_t bytes = g_variant_get_uint64(value);
        g_autofree char *size = value_print_size(bytes);

        return g_strdup_printf("%" PRIu64 " (%s)", bytes, size);
    }
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64)) {
        uint64_t number = g_variant_get_uint64(value);

        return g_strdup_printf("%" PRIu64 " (0x%" PRIx64 ")", number, number);
    }
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_INT64)) {
        int64_t number = g_variant_get_int64(value);
        unsigned unused = prop->info->size ? 64 - 8 * prop->info->size : 0;

        return g_strdup_printf("%" PRId64 " (0x%" PRIx64 ")", number,
                               (uint64_t)number << unused >> unused);
    }
    return json_from_variant(value);
}

/* What a user can set of @dev, but for what all devices have. */
static void show_properties(Listing l, DeviceState *dev)
{
    ObjectClass *common = object_class_by_name(TYPE_DEVICE);
    ObjectPropertyIterator iter;
    ObjectPropertyView view;

    object_property_iter_init(&iter, OBJECT(dev));
    while (object_property_iter_next(&iter, &view)) {
        g_autoptr(GVariant) value = NULL;
        g_autofree char *text = NULL;

        if (view.instance || !view.settable || object_class_property_find(common, view.name)) {
            continue;
        }
        value = object_property_get(OBJECT(dev), view.name, NULL);
        text = value ? value_text(view.prop, value) : g_strdup("<unset>");
        monitor_printf(l.mon, "%*s%s = %s\n", (int)l.indent, "", view.name, text);
    }
}

/** A group of lines of one device. */
typedef struct LineGroup {
    const char *name; /* or NULL */
    bool in;
    unsigned n;
} LineGroup;

static void count_line(const char *name, int n, bool in, qemu_irq irq, void *opaque)
{
    GArray *groups = opaque;
    LineGroup one = { name, in, 1 };

    (void)n;
    (void)irq;
    for (guint i = 0; i < groups->len; i++) {
        LineGroup *g = &g_array_index(groups, LineGroup, i);

        if (g->in == in && !g_strcmp0(g->name, name)) {
            g->n++;
            return;
        }
    }
    g_array_append_val(groups, one);
}

static void show_lines(Listing l, DeviceState *dev)
{
    g_autoptr(GArray) groups = g_array_new(FALSE, FALSE, sizeof(LineGroup));

    qdev_foreach_gpio(dev, count_line, groups);
    for (guint i = 0; i < groups->len; i++) {
        const LineGroup *g = &g_array_index(groups, LineGroup, i);

        monitor_printf(l.mon, "%*sgpio-%s \"%s\" %u\n", (int)l.indent, "", g->in ? "in" : "out",
                       g->name ? g->name : "", g->n);
    }
}

static void show_regions(Listing l, DeviceState *dev)
{
    const SysBusDevice *s =
        (const SysBusDevice *)object_dynamic_cast(OBJECT(dev), TYPE_SYS_BUS_DEVICE);

    for (unsigned i = 0; s && i < s->num_mmio; i++) {
        monitor_printf(l.mon, "%*smmio %016" PRIx64 "/%016" PRIx64 "\n", (int)l.indent, "",
                       memory_region_list(s->mmio[i]).addr, memory_region_size(s->mmio[i]));
    }
}

static void show_device(Listing l, DeviceState *dev)
{
    Listing inner = deeper(l);

    monitor_printf(l.mon, "%*sdev: %s, id \"%s\"\n", (int)l.indent, "",
                   object_get_typename(OBJECT(dev)), dev->id ? dev->id : "");
    show_lines(inner, dev);
    show_properties(inner, dev);
    show_regions(inner, dev);
    for (guint i = 0; dev->child_buses && i < dev->child_buses->len; i++) {
        show_bus(inner, g_ptr_array_index(dev->child_buses, i));
    }
}

static void show_bus(Listing l, BusState *bus)
{
    Listing inner = deeper(l);

    monitor_printf(l.mon, "%*sbus: %s\n", (int)l.indent, "", bus->name);
    monitor_printf(l.mon, "%*stype %s\n", (int)inner.indent, "", object_get_typename(OBJECT(bus)));
    for (guint i = 0; bus->children && i < bus->children->len; i++) {
        show_device(inner, g_ptr_array_index(bus->children, i));
    }
}

/* What sits on nothing: the machine's own buses, and devices that need none. */
static int show_top(Object *obj, void *opaque)
{
    const Listing *l = opaque;
    BusState *bus = (BusState *)object_dynamic_cast(obj, TYPE_BUS);
    DeviceState *dev = (DeviceState *)object_dynamic_cast(obj, TYPE_DEVICE);

    if (bus && !bus->parent) {
        show_bus(*l, bus);
    } else if (dev && !dev->parent_bus) {
        show_device(*l, dev);
    }
    return 0;
}

bool hmp_do_info_qtree(Monitor *mon, GVariant *args, GError **errp)
{
    Listing l = { .mon = mon };

    (void)args;
    (void)errp;
    object_child_foreach_recursive(qdev_get_machine(), show_top, &l);
    return true;
}

/* ---- info wires ---- */

bool hmp_do_info_wires(Monitor *mon, GVariant *args, GError **errp)
{
    g_autofree char *text = qmp_arg_bool(args, "dot", false) ? picture_wires() : listing_wires();

    (void)errp;
    monitor_puts(mon, *text ? text : "No device has an output line.\n");
    return true;
}
