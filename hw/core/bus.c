/* SPDX-License-Identifier: MIT */
/*
 * Buses: where devices sit. A bus is a child object of the device that offers it, or of the
 * machine; the devices on it have their place in the tree elsewhere and hold a reference on the
 * bus.
 */
#include <string.h>
#include "hw/core/qdev-int.h"

/* ---- Finding --------------------------------------------------------------------------------- */

typedef struct BusSearch {
    const char *name; /* or NULL */
    const char *type; /* or NULL */
    bool need_room;
    BusState *found;
    BusState *full; /* matched, but has no room */
} BusSearch;

/* How many bridges there are between a bus and the board. */
static unsigned bus_depth(const BusState *bus)
{
    unsigned depth = 0;

    while (bus && bus->parent && bus->parent->parent_bus) {
        bus = bus->parent->parent_bus;
        depth++;
    }
    return depth;
}

static int match_bus(Object *obj, void *opaque)
{
    BusSearch *search = opaque;
    BusState *bus = (BusState *)object_dynamic_cast(obj, TYPE_BUS);

    if (!bus || (search->name && !g_str_equal(bus->name, search->name)) ||
        (search->type && !object_dynamic_cast(obj, search->type))) {
        return 0;
    }
    if (search->need_room && bus->full) {
        search->full = bus;
        return 0;
    }
    if (search->need_room) {
        /* Of those that would do, the one nearest to the board. */
        if (!search->found || bus_depth(bus) < bus_depth(search->found)) {
            search->found = bus;
        }
        return 0;
    }
    search->found = bus;
    return 1;
}

BusState *qbus_pick(const char *type, bool *full)
{
    BusSearch search = { .type = type, .need_room = true };

    object_child_foreach_recursive(qdev_get_machine(), match_bus, &search);
    *full = search.full != NULL;
    return search.found;
}

static BusState *bus_by_name(const char *name)
{
    BusSearch search = { .name = name };

    if (strchr(name, '/')) {
        return (BusState *)object_resolve_path_type(name, TYPE_BUS, NULL);
    }
    object_child_foreach_recursive(qdev_get_machine(), match_bus, &search);
    return search.found;
}

static int collect_name(Object *obj, void *opaque)
{
    const BusState *bus = (BusState *)object_dynamic_cast(obj, TYPE_BUS);

    if (bus) {
        g_ptr_array_add(opaque, bus->name);
    }
    return 0;
}

static void error_no_bus(const char *name, GError **errp)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *near = NULL;

    if (strchr(name, '/')) {
        near = object_path_did_you_mean(name);
    } else {
        object_child_foreach_recursive(qdev_get_machine(), collect_name, names);
        g_ptr_array_add(names, NULL);
        near = qom_did_you_mean(name, (const char *const *)names->pdata);
    }
    qom_error_set(errp, QOM_ERROR_NOT_FOUND, "Bus '%s' not found%s", name, near);
}

BusState *qbus_find(const char *name, const char *type, GError **errp)
{
    BusState *bus;
    bool full;

    if (!name) {
        bus = qbus_pick(type, &full);
        if (!bus) {
            qom_error_set(errp, QOM_ERROR_NOT_FOUND,
                          full ? "each '%s' bus is full" : "no '%s' bus found", type);
        }
        return bus;
    }
    bus = bus_by_name(name);
    if (!bus) {
        error_no_bus(name, errp);
        return NULL;
    }
    if (type && !object_dynamic_cast(OBJECT(bus), type)) {
        qom_error_set(errp, QOM_ERROR_VALUE, "bus '%s' is of type '%s', not '%s'", name,
                      object_get_typename(OBJECT(bus)), type);
        return NULL;
    }
    return bus;
}

/* ---- Making ---------------------------------------------------------------------------------- */

/* "ID.0" on a device that has an id, else "isa.0" after the type; the first number that is free. */
static char *free_name(const char *type, const DeviceState *parent)
{
    g_autofree char *stem = parent && parent->id ? g_strdup(parent->id) : g_ascii_strdown(type, -1);
    char *name = NULL;
    unsigned n = 0;

    do {
        g_free(name);
        name = g_strdup_printf("%s.%u", stem, n++);
    } while (bus_by_name(name));
    return name;
}

static void undo_bus(DeviceState *dev, void *opaque)
{
    (void)dev;
    object_unparent(opaque);
    object_unref(opaque);
}

/* @bus is a fresh object with a reference of the caller's, @name is taken over. */
static bool place_bus(BusState *bus, DeviceState *parent, char *name, GError **errp)
{
    Object *place = parent ? OBJECT(parent) : qdev_get_machine();

    bus->name = name;
    if (!qdev_fault_point("make a bus", errp) ||
        !object_property_add_child(place, name, OBJECT(bus), errp)) {
        return false;
    }
    bus->parent = parent;
    bus->realized = !parent || parent->realized;
    if (parent) {
        if (!parent->child_buses) {
            parent->child_buses = g_ptr_array_new();
        }
        g_ptr_array_add(parent->child_buses, bus);
    }
    /*
     * What is below the device being realized goes with its other children; a bus elsewhere is
     * noted.
     */
    if (qdev_realizing() && qdev_realizing() != parent) {
        qdev_on_unrealize(qdev_realizing(), undo_bus, object_ref(bus));
    }
    return true;
}

static bool check_bus_type(const char *type, GError **errp)
{
    ObjectClass *klass = object_class_by_name_err(type, errp);

    if (klass && !object_class_dynamic_cast(klass, TYPE_BUS)) {
        qom_error_set(errp, QOM_ERROR_TYPE, "type '%s' is no bus", type);
        return false;
    }
    return klass != NULL;
}

BusState *qbus_new(const char *type, DeviceState *parent, const char *name, GError **errp)
{
    BusState *bus = check_bus_type(type, errp) ? (BusState *)object_new_err(type, errp) : NULL;
    bool ok = bus && place_bus(bus, parent, name ? g_strdup(name) : free_name(type, parent), errp);

    object_unref(bus);
    return ok ? bus : NULL;
}

bool qbus_init(void *memory, size_t size, const char *type, DeviceState *parent, const char *name,
               GError **errp)
{
    bool ok;

    if (!check_bus_type(type, errp) || !object_initialize(memory, size, type, errp)) {
        return false;
    }
    ok = place_bus(memory, parent, name ? g_strdup(name) : free_name(type, parent), errp);
    object_unref(memory);
    return ok;
}

bool qbus_set_hotplug_handler(BusState *bus, Object *handler, GError **errp)
{
    return object_property_set_link(OBJECT(bus), "hotplug-handler", handler, errp);
}

/* ---- Who sits there -------------------------------------------------------------------------- */

static void update_full(BusState *bus)
{
    unsigned max = BUS_GET_CLASS(bus)->max_dev;

    bus->full = max && bus->children->len >= max;
}

static void leave_bus(DeviceState *dev, void *opaque)
{
    BusState *bus = dev->parent_bus;

    (void)opaque;
    if (!bus) {
        return; /* it was taken off: see qbus_clear() */
    }
    g_ptr_array_remove(bus->children, dev);
    update_full(bus);
    dev->parent_bus = NULL;
    object_unref(bus);
}

bool qbus_join(BusState *bus, DeviceState *dev, GError **errp)
{
    const BusClass *bc = BUS_GET_CLASS(bus);

    if (bus->full) {
        qom_error_set(errp, QOM_ERROR_STATE, "Bus '%s' is full: it has room for %u", bus->name,
                      bc->max_dev);
        return false;
    }
    if (!qdev_fault_point("join the bus", errp) ||
        (bc->check_address &&
         !qom_method_ok(bc->check_address(bus, dev, errp), object_get_typename(OBJECT(bus)),
                        "check_address", errp))) {
        return false;
    }
    dev->parent_bus = (BusState *)object_ref(bus);
    g_ptr_array_add(bus->children, dev);
    update_full(bus);
    qdev_on_unrealize(dev, leave_bus, NULL);
    return true;
}

void qbus_clear(BusState *bus)
{
    while (bus->children->len > 0) {
        DeviceState *dev = g_ptr_array_index(bus->children, bus->children->len - 1);

        object_ref(dev);
        object_unparent(OBJECT(dev));
        qdev_unrealize(dev);
        if (dev->parent_bus == bus) {
            error_report("bus '%s' goes while realize or unrealize of '%s' on it has not returned",
                         bus->name, object_get_typename(OBJECT(dev)));
            leave_bus(dev, NULL);
        }
        object_unref(dev);
    }
}

bool qbus_realize_children(DeviceState *dev, GError **errp)
{
    for (unsigned i = 0; dev->child_buses && i < dev->child_buses->len; i++) {
        BusState *bus = g_ptr_array_index(dev->child_buses, i);

        if (!qdev_fault_point("realize a bus", errp)) {
            return false;
        }
        bus->realized = true;
    }
    return true;
}

void qbus_unrealize_children(DeviceState *dev)
{
    for (unsigned i = 0; dev->child_buses && i < dev->child_buses->len; i++) {
        ((BusState *)g_ptr_array_index(dev->child_buses, i))->realized = false;
    }
}

/* ---- The type -------------------------------------------------------------------------------- */

static void bus_unparent(Object *obj)
{
    BusState *bus = BUS(obj);

    qbus_clear(bus);
    if (bus->parent) {
        g_ptr_array_remove(bus->parent->child_buses, bus);
        bus->parent = NULL;
    }
    bus->realized = false;
}

/* What a bus leads to is made with the board. */
static bool bus_may_set(Object *obj, const Property *prop, GError **errp)
{
    if (!prop->live && qdev_machine_is_ready()) {
        qom_error_set(errp, QOM_ERROR_STATE,
                      "property '%s' of '%s' cannot change once the machine is made", prop->name,
                      object_get_typename(obj));
        return false;
    }
    return true;
}

static void bus_reset_children(Object *obj, void (*fn)(Object *child, void *opaque), void *opaque)
{
    BusState *bus = BUS(obj);

    for (unsigned i = 0; i < bus->children->len; i++) {
        fn(g_ptr_array_index(bus->children, i), opaque);
    }
}

static void bus_instance_init(Object *obj)
{
    BUS(obj)->children = g_ptr_array_new();
}

static void bus_finalize(Object *obj)
{
    BusState *bus = BUS(obj);

    g_ptr_array_unref(bus->children);
    g_free(bus->name);
}

static const Property bus_props[] = {
    /* Weak: the handler usually owns the bus. */
    DEFINE_PROP_("hotplug-handler", BusState, hotplug_handler, HotplugHandler *, prop_info_link,
                 .link_type = TYPE_HOTPLUG_HANDLER, .link_flags = OBJ_PROP_LINK_WEAK, .live = true,
                 .help = "who is asked when a device comes or goes"),
};

static void bus_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    klass->may_set = bus_may_set;
    klass->unparent = bus_unparent;
    RESETTABLE_CLASS(klass)->child_foreach = bus_reset_children;
    object_class_add_properties(klass, bus_props, G_N_ELEMENTS(bus_props));
}

static const InterfaceInfo bus_interfaces[] = { { TYPE_RESETTABLE }, { NULL } };

static const TypeInfo bus_types[] = {
    {
        .name = TYPE_BUS,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(BusState),
        .instance_init = bus_instance_init,
        .instance_finalize = bus_finalize,
        .abstract = true,
        .class_size = sizeof(BusClass),
        .class_init = bus_class_init,
        .interfaces = bus_interfaces,
    },
};
DEFINE_TYPES(bus_types)
