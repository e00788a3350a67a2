/* SPDX-License-Identifier: MIT */
/*
 * The lines of a device, in groups by name: inputs are line objects below it, outputs are pins in
 * its state that lead to lines of others. Inputs are dead while the device is not realized: their
 * level is kept and delivered then.
 */
#include "hw/core/qdev-int.h"

/* A group; name NULL is the group without a name. */
struct NamedGPIOList {
    char *name;
    GPtrArray *in;  /* of qemu_irq, referenced */
    GPtrArray *out; /* of GPIOPin * */
};

typedef struct GPIOPin {
    qemu_irq *at;   /* in the device's state; what it holds is referenced */
    char *property; /* the link that shows it, which gives back that reference; NULL: the name was
                       taken */
} GPIOPin;

static NamedGPIOList *find_group(const DeviceState *dev, const char *name)
{
    for (unsigned i = 0; dev->gpios && i < dev->gpios->len; i++) {
        NamedGPIOList *group = g_ptr_array_index(dev->gpios, i);

        if (g_strcmp0(group->name, name) == 0) {
            return group;
        }
    }
    return NULL;
}

static void group_free(gpointer data)
{
    NamedGPIOList *group = data;

    g_ptr_array_unref(group->in);
    g_ptr_array_unref(group->out);
    g_free(group->name);
    g_free(group);
}

static NamedGPIOList *get_group(DeviceState *dev, const char *name)
{
    NamedGPIOList *group = find_group(dev, name);

    if (!group) {
        group = g_new0(NamedGPIOList, 1);
        group->name = g_strdup(name);
        group->in = g_ptr_array_new();
        group->out = g_ptr_array_new();
        if (!dev->gpios) {
            dev->gpios = g_ptr_array_new_with_free_func(group_free);
        }
        g_ptr_array_add(dev->gpios, group);
    }
    return group;
}

static char *line_property(const char *name, const char *unnamed, unsigned n)
{
    return g_strdup_printf("%s[%u]", name ? name : unnamed, n);
}

/* ---- Inputs ---------------------------------------------------------------------------------- */

static void drop_last_input(NamedGPIOList *group)
{
    qemu_irq irq = g_ptr_array_steal_index(group->in, group->in->len - 1);

    /* Suspended by now: its device is not realized. */
    object_unparent(OBJECT(irq));
    object_unref(irq);
}

static void undo_input(DeviceState *dev, void *opaque)
{
    (void)dev;
    drop_last_input(opaque);
}

static void add_inputs(DeviceState *dev, qemu_irq_handler handler, const char *name, int n,
                       EntryGuard *guard)
{
    NamedGPIOList *group = get_group(dev, name);

    for (int i = 0; i < n; i++) {
        unsigned index = group->in->len;
        g_autofree char *property = line_property(name, "unnamed-gpio-in", index);
        qemu_irq irq = irq_new(handler, dev, index, guard);

        g_ptr_array_add(group->in, irq);
        if (!object_property_add_child(OBJECT(dev), property, OBJECT(irq), NULL)) {
            g_error("device '%s' has a property '%s' already: name its lines otherwise",
                    object_get_typename(OBJECT(dev)), property);
        }
        if (qdev_undo_open(dev)) {
            qdev_on_unrealize(dev, undo_input, group);
        } else if (dev->realized) {
            irq_resume(irq, true);
        }
    }
}

void qdev_init_gpio_in_named(DeviceState *dev, qemu_irq_handler handler, const char *name, int n)
{
    add_inputs(dev, handler, name, n, &dev->guard);
}

void qdev_init_gpio_in_direct(DeviceState *dev, qemu_irq_handler handler, const char *name, int n)
{
    add_inputs(dev, handler, name, n, NULL);
}

qemu_irq qdev_get_gpio_in_named(DeviceState *dev, const char *name, int n)
{
    NamedGPIOList *group = find_group(dev, name);

    return group && n >= 0 && (unsigned)n < group->in->len ? g_ptr_array_index(group->in, n) : NULL;
}

/* ---- Outputs --------------------------------------------------------------------------------- */

static void drop_last_output(DeviceState *dev, NamedGPIOList *group)
{
    GPIOPin *pin = g_ptr_array_steal_index(group->out, group->out->len - 1);

    if (!pin->property) {
        object_unref(*pin->at);
        *pin->at = NULL;
    } else if (object_property_exists(OBJECT(dev), pin->property)) {
        object_property_del(OBJECT(dev), pin->property, NULL);
    }
    g_free(pin->property);
    g_free(pin);
}

static void undo_output(DeviceState *dev, void *opaque)
{
    drop_last_output(dev, opaque);
}

/* The link that shows @at; NULL when another property of the device has that name. */
static char *add_pin_property(DeviceState *dev, qemu_irq *at, char *name)
{
    const Property prop = {
        .name = name,
        .info = &prop_info_link,
        .help = "where the output leads",
        .offset = (char *)at - (char *)dev,
        .read_only = true, /* qdev_connect_gpio_out_named() keeps handlers away meanwhile */
        .link_type = TYPE_IRQ,
        .link_flags = OBJ_PROP_LINK_STRONG,
    };

    if (!object_property_add(OBJECT(dev), &prop, NULL)) {
        g_clear_pointer(&name, g_free);
    }
    return name;
}

void qdev_init_gpio_out_named(DeviceState *dev, qemu_irq *pins, const char *name, int n)
{
    NamedGPIOList *group = get_group(dev, name);

    for (int i = 0; i < n; i++) {
        GPIOPin *pin = g_new0(GPIOPin, 1);

        pins[i] = NULL;
        pin->at = &pins[i];
        pin->property = add_pin_property(dev, pin->at,
                                         line_property(name, "unnamed-gpio-out", group->out->len));
        g_ptr_array_add(group->out, pin);
        if (qdev_undo_open(dev)) {
            qdev_on_unrealize(dev, undo_output, group);
        }
    }
}

static qemu_irq *find_pin(DeviceState *dev, const char *name, int n)
{
    NamedGPIOList *group = find_group(dev, name);

    if (!group || n < 0 || (unsigned)n >= group->out->len) {
        return NULL;
    }
    return ((GPIOPin *)g_ptr_array_index(group->out, n))->at;
}

qemu_irq qdev_get_gpio_out_connector(DeviceState *dev, const char *name, int n)
{
    qemu_irq *at = find_pin(dev, name, n);

    return at ? *at : NULL;
}

static void change_pin(DeviceState *dev, qemu_irq *at, qemu_irq irq)
{
    qemu_irq old = *at;
    bool inside = false;

    object_ref(irq);
    /*
     * No method of the device may be reading the pin; its direct inputs are not held off by the
     * guard.
     */
    if (dev->realized) {
        qdev_lines_suspend(dev);
        inside = entry_enter(&dev->guard);
    }
    *at = irq;
    if (inside) {
        entry_leave(&dev->guard);
    }
    if (dev->realized) {
        qdev_lines_resume(dev, false);
    }
    object_unref(old);
}

typedef struct UndoPin {
    DeviceState *dev; /* referenced, as @old is */
    char *name;
    int n;
    qemu_irq old;
} UndoPin;

static void undo_connect(DeviceState *realizing, void *opaque)
{
    UndoPin *undo = opaque;
    qemu_irq *at = find_pin(undo->dev, undo->name, undo->n);

    (void)realizing;
    /* The pins of a device that was unrealized meanwhile may be gone. */
    if (at) {
        change_pin(undo->dev, at, undo->old);
    }
    object_unref(undo->old);
    object_unref(undo->dev);
    g_free(undo->name);
    g_free(undo);
}

bool qdev_connect_gpio_out_named(DeviceState *dev, const char *name, int n, qemu_irq irq,
                                 GError **errp)
{
    qemu_irq *at = find_pin(dev, name, n);

    if (!at) {
        NamedGPIOList *group = find_group(dev, name);

        qom_error_set(errp, QOM_ERROR_NOT_FOUND,
                      "device '%s' has no output line %d%s%s%s: it has %u", qdev_label(dev), n,
                      name ? " in group '" : "", name ? name : "", name ? "'" : "",
                      group ? group->out->len : 0);
        return false;
    }
    if (!qdev_fault_point("connect a line", errp)) {
        return false;
    }
    if (qdev_realizing()) {
        UndoPin *undo = g_new(UndoPin, 1);

        undo->dev = (DeviceState *)object_ref(dev);
        undo->name = g_strdup(name);
        undo->n = n;
        undo->old = (qemu_irq)object_ref(*at);
        qdev_on_unrealize(qdev_realizing(), undo_connect, undo);
    }
    change_pin(dev, at, irq);
    return true;
}

/* ---- All of them ----------------------------------------------------------------------------- */

void qdev_foreach_gpio(DeviceState *dev,
                       void (*fn)(const char *name, int n, bool in, qemu_irq irq, void *opaque),
                       void *opaque)
{
    for (unsigned g = 0; dev->gpios && g < dev->gpios->len; g++) {
        NamedGPIOList *group = g_ptr_array_index(dev->gpios, g);

        for (unsigned i = 0; i < group->in->len; i++) {
            fn(group->name, i, true, g_ptr_array_index(group->in, i), opaque);
        }
        for (unsigned i = 0; i < group->out->len; i++) {
            fn(group->name, i, false, *((GPIOPin *)g_ptr_array_index(group->out, i))->at, opaque);
        }
    }
}

static void resume_line(const char *name, int n, bool in, qemu_irq irq, void *opaque)
{
    (void)name;
    (void)n;
    if (in) {
        irq_resume(irq, *(bool *)opaque);
    }
}

static void suspend_line(const char *name, int n, bool in, qemu_irq irq, void *opaque)
{
    (void)name;
    (void)n;
    (void)opaque;
    if (in) {
        irq_suspend(irq);
    }
}

static void lower_line(const char *name, int n, bool in, qemu_irq irq, void *opaque)
{
    (void)name;
    (void)n;
    (void)opaque;
    if (!in && qemu_irq_level(irq) != 0) {
        qemu_set_irq(irq, 0);
    }
}

void qdev_lines_resume(DeviceState *dev, bool fresh)
{
    qdev_foreach_gpio(dev, resume_line, &fresh);
}

void qdev_lines_suspend(DeviceState *dev)
{
    qdev_foreach_gpio(dev, suspend_line, NULL);
}

void qdev_lines_lower(DeviceState *dev)
{
    qdev_foreach_gpio(dev, lower_line, NULL);
}

void qdev_lines_free(DeviceState *dev)
{
    for (unsigned g = 0; dev->gpios && g < dev->gpios->len; g++) {
        NamedGPIOList *group = g_ptr_array_index(dev->gpios, g);

        while (group->in->len > 0) {
            drop_last_input(group);
        }
        while (group->out->len > 0) {
            drop_last_output(dev, group);
        }
    }
    g_clear_pointer(&dev->gpios, g_ptr_array_unref);
}
