/* SPDX-License-Identifier: MIT */
/*
 * The wires, in words and as a picture: every device that has lines, its inputs on the left and its
 * outputs on the right, and where each output leads.
 */
#include <qomet/hw/core/irq.h>
#include <qomet/hw/core/qdev.h>
#include "monitor/picture-int.h"

static const PictureKind kinds[] = {
    { "sets", "device that sets lines", "#dcebfb", "#2166ac", NULL },
    { "takes", "device that takes lines", "#f7e1ef", "#a8327f", NULL },
    { "both", "device that does both", "#e6e0f5", "#5e3c99", NULL },
    { "combines", "combines lines", "#fff6d6", "#9a7d0a", NULL },
    { "other", "line of no device", "#f2f2f2", "#616161", NULL },
    { .key = NULL },
};

/* One line where it enters or leaves a device. */
typedef struct Pin {
    struct WiredDevice *device;
    char *label; /* "irq[0]" */
    bool in;
    qemu_irq irq;  /* of an output: where it leads, or NULL; no reference */
    unsigned port; /* its number in the picture */
    bool wired;    /* of an input: some output leads to it */
} Pin;

typedef struct WiredDevice {
    Object *obj;
    GPtrArray *pins; /* of Pin * */
    unsigned n_in, n_out;
} WiredDevice;

typedef struct Wires {
    GPtrArray *devices; /* of WiredDevice * */
    GHashTable *inputs; /* qemu_irq -> Pin * */
} Wires;

/* ---- Reading the graph ---- */

static void pin_free(gpointer data)
{
    g_free(((Pin *)data)->label);
    g_free(data);
}

static void device_free(gpointer data)
{
    g_ptr_array_unref(((WiredDevice *)data)->pins);
    g_free(data);
}

static void add_pin(const char *name, int n, bool in, qemu_irq irq, void *opaque)
{
    WiredDevice *device = opaque;
    Pin *pin = g_new0(Pin, 1);

    pin->device = device;
    pin->label = g_strdup_printf("%s[%d]", name ? name : "", n);
    pin->in = in;
    pin->irq = irq;
    pin->port = device->pins->len;
    device->n_in += in;
    device->n_out += !in;
    g_ptr_array_add(device->pins, pin);
}

static int add_device(Object *obj, void *opaque)
{
    Wires *wires = opaque;
    WiredDevice *device;

    if (!object_dynamic_cast(obj, TYPE_DEVICE)) {
        return 0;
    }
    device = g_new0(WiredDevice, 1);
    device->obj = obj;
    device->pins = g_ptr_array_new_with_free_func(pin_free);
    qdev_foreach_gpio(DEVICE(obj), add_pin, device);
    if (!device->pins->len) {
        device_free(device);
        return 0;
    }
    for (guint i = 0; i < device->pins->len; i++) {
        Pin *pin = g_ptr_array_index(device->pins, i);

        if (pin->in) {
            g_hash_table_insert(wires->inputs, pin->irq, pin);
        }
    }
    g_ptr_array_add(wires->devices, device);
    return 0;
}

/* Calls @fn for each output, with the input at its end, or NULL. */
static void foreach_output(Wires *wires, void (*fn)(const Pin *from, Pin *to, void *opaque),
                           void *opaque)
{
    for (guint d = 0; d < wires->devices->len; d++) {
        const WiredDevice *device = g_ptr_array_index(wires->devices, d);

        for (guint i = 0; i < device->pins->len; i++) {
            const Pin *pin = g_ptr_array_index(device->pins, i);

            if (!pin->in) {
                fn(pin, pin->irq ? g_hash_table_lookup(wires->inputs, pin->irq) : NULL, opaque);
            }
        }
    }
}

static void mark_wired(const Pin *from, Pin *to, void *opaque)
{
    (void)from;
    (void)opaque;
    if (to) {
        to->wired = true;
    }
}

static void wires_read(Wires *wires)
{
    wires->devices = g_ptr_array_new_with_free_func(device_free);
    wires->inputs = g_hash_table_new(NULL, NULL);
    object_child_foreach_recursive(object_get_root(), add_device, wires);
    foreach_output(wires, mark_wired, NULL);
}

static void wires_forget(Wires *wires)
{
    g_hash_table_unref(wires->inputs);
    g_ptr_array_unref(wires->devices);
}

/* ---- In words ---- */

static void append_pin(GString *out, const Pin *pin)
{
    g_autofree char *path = object_get_canonical_path(pin->device->obj);

    g_string_append_printf(out, "%s %s", path, pin->label);
}

static void list_output(const Pin *from, Pin *to, void *opaque)
{
    GString *out = opaque;

    append_pin(out, from);
    g_string_append(out, " -> ");
    if (to) {
        append_pin(out, to);
    } else if (from->irq) {
        g_autofree char *path = object_get_canonical_path(OBJECT(from->irq));

        g_string_append(out, path ? path : "a line of no device");
    } else {
        g_string_append(out, "nowhere");
    }
    g_string_append(out, qemu_irq_level(from->irq) ? ", high\n" : "\n");
}

char *listing_wires(void)
{
    GString *out = g_string_new(NULL);
    Wires wires;

    wires_read(&wires);
    foreach_output(&wires, list_output, out);
    wires_forget(&wires);
    return g_string_free(out, FALSE);
}

/* ---- As a picture ---- */

static const char *kind_of(const WiredDevice *device)
{
    static const char *const combiners[] = { TYPE_OR_IRQ, TYPE_SPLIT_IRQ, TYPE_INVERT_IRQ };

    for (unsigned i = 0; i < G_N_ELEMENTS(combiners); i++) {
        if (object_dynamic_cast(device->obj, combiners[i])) {
            return "combines";
        }
    }
    return !device->n_in ? "sets" : !device->n_out ? "takes" : "both";
}

/* The cells of one side, from top to bottom; inputs to which nothing leads share the last one. */
static void draw_side(Picture *p, const WiredDevice *device, bool in)
{
    unsigned idle = 0;

    g_string_append(p->text,
                    "<TD BORDER=\"0\" CELLPADDING=\"0\"><TABLE BORDER=\"0\" CELLBORDER=\"1\" "
                    "CELLSPACING=\"0\" CELLPADDING=\"3\">");
    for (guint i = 0; i < device->pins->len; i++) {
        const Pin *pin = g_ptr_array_index(device->pins, i);

        if (pin->in != in || (in && !pin->wired)) {
            idle += pin->in == in;
            continue;
        }
        g_string_append_printf(
            p->text, "<TR><TD PORT=\"p%u\" BGCOLOR=\"white\"><FONT POINT-SIZE=\"9\">", pin->port);
        picture_label(p->text, pin->label);
        g_string_append(p->text, "</FONT></TD></TR>");
    }
    if (idle) {
        g_string_append_printf(
            p->text,
            "<TR><TD BGCOLOR=\"white\"><FONT POINT-SIZE=\"9\" COLOR=\"#9e9e9e\">%u %s"
            "</FONT></TD></TR>",
            idle, idle == device->n_in ? "free" : "others free");
    }
    g_string_append(p->text, "</TABLE></TD>");
}

static void draw_device(Picture *p, const WiredDevice *device)
{
    const PictureKind *kind = picture_kind(p, kind_of(device));

    picture_object(p->text, device->obj);
    g_string_append_printf(p->text,
                           " [shape=plain style=\"\" label=<<TABLE BORDER=\"1\" "
                           "CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"6\" BGCOLOR=\"%s\" "
                           "COLOR=\"%s\"><TR>",
                           kind->fill, kind->line);
    if (device->n_in) {
        draw_side(p, device, true);
    }
    g_string_append(p->text, "<TD BORDER=\"0\"><B>");
    picture_label(p->text, object_get_canonical_path_component(device->obj));
    g_string_append(p->text, "</B>");
    picture_small(p->text, object_get_typename(device->obj));
    g_string_append(p->text, "</TD>");
    if (device->n_out) {
        draw_side(p, device, false);
    }
    g_string_append(p->text, "</TR></TABLE>>]\n");
}

static void draw_end_without_device(Picture *p, qemu_irq irq)
{
    const PictureKind *kind = picture_kind(p, "other");
    const char *name = object_get_canonical_path_component(OBJECT(irq));

    picture_object(p->text, OBJECT(irq));
    g_string_append_printf(p->text, " [fillcolor=\"%s\" color=\"%s\" fontsize=9 label=<",
                           kind->fill, kind->line);
    picture_label(p->text, name ? name : "a line");
    g_string_append(p->text, ">]\n");
}

static void draw_wire(const Pin *from, Pin *to, void *opaque)
{
    Picture *p = opaque;

    if (!from->irq) {
        return;
    }
    if (!to) {
        draw_end_without_device(p, from->irq);
    }
    picture_object(p->text, from->device->obj);
    g_string_append_printf(p->text, ":p%u:e -> ", from->port);
    if (to) {
        picture_object(p->text, to->device->obj);
        g_string_append_printf(p->text, ":p%u:w", to->port);
    } else {
        picture_object(p->text, OBJECT(from->irq));
    }
    g_string_append_printf(p->text, "%s\n",
                           qemu_irq_level(from->irq) ? " [color=\"#c62828\" penwidth=2]" : "");
}

char *picture_wires(void)
{
    Wires wires;
    Picture p;

    wires_read(&wires);
    picture_begin(&p, kinds);
    for (guint d = 0; d < wires.devices->len; d++) {
        draw_device(&p, g_ptr_array_index(wires.devices, d));
    }
    if (!wires.devices->len) {
        g_string_append(p.text, "nothing [style=\"\" color=\"#9e9e9e\" fontcolor=\"#616161\" "
                                "label=\"No device has lines.\"]\n");
    }
    foreach_output(&wires, draw_wire, &p);
    wires_forget(&wires);
    return picture_end(&p, "The wires",
                       "Each box is a device: lines come in on its left and leave on its right. "
                       "Red: a line that is high now.");
}
