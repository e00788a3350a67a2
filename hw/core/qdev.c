/* SPDX-License-Identifier: MIT */
/*
 * The device class: how a device is made, realized as a transaction, and taken away again. What
 * each step acquires is written in the device's journal (qdev-undo.c), so this file only puts the
 * steps in order.
 */
#include "hw/core/qdev-int.h"
#include <qomet/qom/user-creatable.h>
#include "qom/probe.h"
#include <qomet/qom/value.h>

/* Set when the machine is complete: devices made from then on are hotplugged. Main thread. */
static bool machine_ready;

void qdev_set_machine_ready(bool ready)
{
    machine_ready = ready;
}

bool qdev_machine_is_ready(void)
{
    return machine_ready;
}

Object *qdev_get_machine(void)
{
    Object *machine = object_resolve_path_component(object_get_root(), "machine");

    return machine ? machine : container_get(object_get_root(), "/machine");
}

const char *qdev_label(const DeviceState *dev)
{
    return dev->id ? dev->id : object_get_typename(OBJECT(dev));
}

/* ---- Making ---------------------------------------------------------------------------------- */

static void unknown_device(const char *name, GError **errp)
{
    g_autofree char *near = object_class_did_you_mean(name, TYPE_DEVICE, NULL, NULL);

    qom_error_set(errp, QOM_ERROR_NOT_FOUND, "'%s' is not a valid device model name%s", name, near);
}

DeviceState *qdev_new(const char *name, GError **errp)
{
    g_autoptr(GError) error = NULL;
    ObjectClass *klass = object_class_by_name_err(name, &error);

    if (!klass && !g_error_matches(error, QOM_ERROR, QOM_ERROR_NOT_FOUND)) {
        g_propagate_error(errp, g_steal_pointer(&error));
        return NULL;
    }
    if (!klass || !object_class_dynamic_cast(klass, TYPE_DEVICE)) {
        unknown_device(name, errp);
        return NULL;
    }
    if (object_class_is_abstract(klass)) {
        qom_error_set(errp, QOM_ERROR_TYPE, "'%s' is an abstract type: no device can be made of it",
                      name);
        return NULL;
    }
    return (DeviceState *)object_new_with_class(klass, errp);
}

static Object *peripherals(void)
{
    return container_get(qdev_get_machine(), "/peripheral");
}

DeviceState *qdev_find(const char *id)
{
    Object *obj = object_resolve_path_component(peripherals(), id);

    return (DeviceState *)object_dynamic_cast(obj, TYPE_DEVICE);
}

bool qdev_set_id(DeviceState *dev, const char *id, GError **errp)
{
    Object *taken;
    bool added;

    if (object_get_parent(OBJECT(dev))) {
        g_autofree char *path = object_get_canonical_path(OBJECT(dev));

        qom_error_set(errp, QOM_ERROR_STATE, "device %s has a name already",
                      path ? path : qdev_label(dev));
        return false;
    }
    if (id && !id_wellformed(id, errp)) {
        return false;
    }
    taken = id ? object_resolve_path_component(peripherals(), id) : NULL;
    if (taken) {
        g_autofree char *path = object_get_canonical_path(taken);

        qom_error_set(errp, QOM_ERROR_EXISTS, "id '%s' is already taken by %s (%s)", id, path,
                      object_get_typename(taken));
        return false;
    }
    if (!qdev_fault_point("give an id", errp)) {
        return false;
    }
    if (id) {
        added = object_property_add_child(peripherals(), id, OBJECT(dev), errp);
    } else {
        added = object_property_add_child(container_get(qdev_get_machine(), "/peripheral-anon"),
                                          "device[*]", OBJECT(dev), errp);
    }
    if (added) {
        g_free(dev->id);
        dev->id = g_strdup(id);
    }
    return added;
}

/* ---- Realize: the steps in order ------------------------------------------------------------- */

static void leave_tree(DeviceState *dev, void *opaque)
{
    (void)opaque;
    object_unparent(OBJECT(dev));
}

static bool enter_tree(DeviceState *dev, GError **errp)
{
    if (object_get_parent(OBJECT(dev))) {
        return true;
    }
    if (!qdev_fault_point("enter the tree", errp) ||
        !object_property_add_child(container_get(qdev_get_machine(), "/unattached"), "device[*]",
                                   OBJECT(dev), errp)) {
        return false;
    }
    qdev_undo_on_failure(dev, leave_tree, NULL);
    return true;
}

static bool find_bus(DeviceState *dev, BusState **bus, GError **errp)
{
    const DeviceClass *dc = DEVICE_GET_CLASS(dev);
    bool full;

    if (*bus && (!dc->bus_type || !object_dynamic_cast(OBJECT(*bus), dc->bus_type))) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "device '%s' cannot sit on bus '%s' of type '%s': it needs %s%s%s",
                      qdev_label(dev), (*bus)->name, object_get_typename(OBJECT(*bus)),
                      dc->bus_type ? "a '" : "no bus", dc->bus_type ? dc->bus_type : "",
                      dc->bus_type ? "' bus" : "");
        return false;
    }
    if (!*bus && dc->bus_type) {
        *bus = qbus_pick(dc->bus_type, &full);
        if (!*bus) {
            qom_error_set(errp, QOM_ERROR_NOT_FOUND, "No %s'%s' bus found for device '%s'%s",
                          full ? "free " : "", dc->bus_type, object_get_typename(OBJECT(dev)),
                          full ? ": each is full" : "");
            return false;
        }
    }
    return true;
}

static void end_class_realize(DeviceState *dev, void *opaque)
{
    const DeviceClass *dc = DEVICE_GET_CLASS(dev);

    (void)opaque;
    dev->realized = false;
    qdev_lines_suspend(dev);
    qdev_undo_withdraw(dev);
    if (dc->unrealize) {
        dc->unrealize(dev);
    }
    qdev_lines_lower(dev);
    qbus_unrealize_children(dev);
}

static bool class_realize(DeviceState *dev, GError **errp)
{
    const DeviceClass *dc = DEVICE_GET_CLASS(dev);

    return !dc->realize ||
           qom_method_ok(dc->realize(dev, errp), object_get_typename(OBJECT(dev)), "realize", errp);
}

/*
 * The map is published at once when all is done: a guest that runs cannot enter a device whose
 * realize is under way, and one that fails was never seen.
 */
static bool realize_unseen(DeviceState *dev, GError **errp)
{
    qdev_undo_mark_properties(dev);
    if (!qdev_fault_point("realize", errp) || !class_realize(dev, errp)) {
        return false;
    }
    qdev_on_unrealize(dev, end_class_realize, NULL);
    if (!qbus_realize_children(dev, errp) || !qdev_fault_point("finish", errp)) {
        return false;
    }
    dev->realized = true;
    dev->pending_deleted = false;
    if (dev->hotplugged) {
        resettable_reset(OBJECT(dev), RESET_TYPE_COLD);
    }
    return true;
}

bool qdev_announce(DeviceState *dev, GError **errp)
{
    qdev_lines_resume(dev, true);
    if (dev->parent_bus && BUS_GET_CLASS(dev->parent_bus)->announce) {
        BUS_GET_CLASS(dev->parent_bus)->announce(dev->parent_bus, dev);
    }
    return hotplug_plug(dev, errp);
}

static bool realize_steps(DeviceState *dev, BusState *bus, GError **errp)
{
    bool ok;

    if (!enter_tree(dev, errp) || (bus && !qbus_join(bus, dev, errp)) ||
        !hotplug_pre_plug(dev, errp)) {
        return false;
    }
    memory_region_transaction_begin();
    ok = realize_unseen(dev, errp) && memory_region_transaction_check(errp);
    if (!ok) {
        qdev_undo_run(dev, true);
    }
    memory_region_transaction_commit();
    if (!ok) {
        return false;
    }
    return qdev_batch_take(dev) || qdev_announce(dev, errp);
}

/* The undoing of a device that was realized within the realize of @outer. */
static void unrealize_inner(DeviceState *outer, void *opaque)
{
    DeviceState *dev = opaque;

    (void)outer;
    if (dev->realized) {
        qdev_unrealize(dev);
    }
    object_unref(dev);
}

static void unparent_inner(DeviceState *outer, void *opaque)
{
    DeviceState *dev = opaque;

    (void)outer;
    object_unparent(OBJECT(dev));
    object_unref(dev);
}

static bool check_may_realize(DeviceState *dev, GError **errp)
{
    const DeviceClass *dc = DEVICE_GET_CLASS(dev);

    if (dev->realized || qdev_undo_open(dev)) {
        qom_error_set(errp, QOM_ERROR_STATE, "device '%s' is realized already", qdev_label(dev));
        return false;
    }
    if (dev->global_error) {
        if (errp) {
            *errp = g_error_copy(dev->global_error);
        }
        return false;
    }
    if (dev->hotplugged && !dc->hotpluggable) {
        hotplug_refused(dev, errp);
        return false;
    }
    return true;
}

bool qdev_realize(DeviceState *dev, BusState *bus, GError **errp)
{
    bool had_parent = object_get_parent(OBJECT(dev)) != NULL;
    DeviceState *outer;

    QOMET_PROBE3(realize, dev, object_get_typename(OBJECT(dev)), dev->id);
    if (!check_may_realize(dev, errp) || !find_bus(dev, &bus, errp)) {
        return false;
    }
    /* The undoing may drop the tree's reference. */
    object_ref(dev);
    qdev_undo_begin(dev);
    if (!realize_steps(dev, bus, errp)) {
        qdev_undo_run(dev, true);
        object_unref(dev);
        return false;
    }
    qdev_undo_end(dev);
    outer = qdev_realizing();
    if (outer) {
        qdev_on_unrealize(outer, had_parent ? unrealize_inner : unparent_inner, object_ref(dev));
    }
    object_unref(dev);
    return true;
}

bool qdev_realize_and_unref(DeviceState *dev, BusState *bus, GError **errp)
{
    bool ok = qdev_realize(dev, bus, errp);

    object_unref(dev);
    return ok;
}

void qdev_unrealize(DeviceState *dev)
{
    if (!dev->realized) {
        return;
    }
    object_ref(dev);
    for (unsigned i = dev->child_buses ? dev->child_buses->len : 0; i > 0; i--) {
        BusState *bus = g_ptr_array_index(dev->child_buses, i - 1);

        for (unsigned k = bus->children->len; k > 0; k--) {
            qdev_unrealize(g_ptr_array_index(bus->children, k - 1));
        }
    }
    qdev_undo_run(dev, false);
    object_unref(dev);
}

/* ---- Properties that every device has -------------------------------------------------------- */

static GVariant *get_realized(Object *obj, const Property *prop, GError **errp)
{
    (void)prop;
    (void)errp;
    return value_new_bool(DEVICE(obj)->realized);
}

static bool set_realized(Object *obj, const Property *prop, GVariant *value, GError **errp)
{
    DeviceState *dev = DEVICE(obj);

    (void)prop;
    if (g_variant_get_boolean(value) == dev->realized) {
        return true;
    }
    if (!dev->realized) {
        return qdev_realize(dev, NULL, errp);
    }
    if (machine_ready && !DEVICE_GET_CLASS(dev)->hotpluggable) {
        hotplug_refused(dev, errp);
        return false;
    }
    qdev_unrealize(dev);
    return true;
}

static GVariant *get_hotplugged(Object *obj, const Property *prop, GError **errp)
{
    (void)prop;
    (void)errp;
    return value_new_bool(DEVICE(obj)->hotplugged);
}

static GVariant *get_hotpluggable(Object *obj, const Property *prop, GError **errp)
{
    (void)prop;
    (void)errp;
    return value_new_bool(DEVICE_GET_CLASS(obj)->hotpluggable);
}

/* @prop->opaque: the offset in EntryCounts. */
static GVariant *get_count(Object *obj, const Property *prop, GError **errp)
{
    EntryCounts counts;

    (void)errp;
    entry_guard_counts(&DEVICE(obj)->guard, &counts);
    return value_new_uint(*(uint64_t *)((char *)&counts + GPOINTER_TO_SIZE(prop->opaque)));
}

#define COUNT_PROPERTY(n, field, text)                                                             \
    {                                                                                              \
        .name = (n), .info = &prop_info_accessor_uint, .help = (text), .read_only = true,          \
        .opaque = GSIZE_TO_POINTER(offsetof(EntryCounts, field)), .get = get_count                 \
    }

static const Property device_props[] = {
    { .name = "realized",
      .info = &prop_info_accessor_bool,
      .help = "whether the device is part of the machine",
      .live = true,
      .get = get_realized,
      .set = set_realized },
    { .name = "hotplugged",
      .info = &prop_info_accessor_bool,
      .help = "whether it came after the machine was made",
      .read_only = true,
      .get = get_hotplugged },
    { .name = "hotpluggable",
      .info = &prop_info_accessor_bool,
      .help = "whether it may come and go while the machine runs",
      .read_only = true,
      .get = get_hotpluggable },
    DEFINE_PROP_LINK("parent_bus", DeviceState, parent_bus, TYPE_BUS, BusState *, .read_only = true,
                     .help = "the bus that it sits on"),
    COUNT_PROPERTY("reads", reads, "reads of its registers so far"),
    COUNT_PROPERTY("writes", writes, "writes of its registers so far"),
    COUNT_PROPERTY("read-bytes", read_bytes, "bytes read so far"),
    COUNT_PROPERTY("write-bytes", write_bytes, "bytes written so far"),
    COUNT_PROPERTY("entries", other, "entries so far by timers, descriptors and other devices"),
    COUNT_PROPERTY("access-ns", nanoseconds,
                   "nanoseconds spent in those reads and writes while exit-timing or -explain is "
                   "on"),
    COUNT_PROPERTY("contended", contended, "entries that had to wait for another thread"),
    COUNT_PROPERTY("refused", refused, "entries refused: the thread was inside already"),
};

static bool device_may_set(Object *obj, const Property *prop, GError **errp)
{
    if (DEVICE(obj)->realized && !prop->live) {
        qom_error_set(errp, QOM_ERROR_STATE, "property '%s' of '%s' cannot change after realize",
                      prop->name, object_get_typename(obj));
        return false;
    }
    return true;
}

/* ---- The type -------------------------------------------------------------------------------- */

static EntryGuard *device_get_guard(EntryOwner *owner)
{
    return &DEVICE(owner)->guard;
}

static int unrealize_below(Object *child, void *opaque)
{
    (void)opaque;
    if (object_dynamic_cast(child, TYPE_DEVICE)) {
        qdev_unrealize(DEVICE(child));
    }
    return 0;
}

static void device_unparent(Object *obj)
{
    DeviceState *dev = DEVICE(obj);

    if ((dev->realized || dev->pending_deleted) && machine_ready) {
        g_free(dev->left_from);
        dev->left_from = object_get_canonical_path(obj);
    }
    for (unsigned i = dev->child_buses ? dev->child_buses->len : 0; i > 0; i--) {
        qbus_clear(g_ptr_array_index(dev->child_buses, i - 1));
    }
    qdev_unrealize(dev);
    /* Those that were not realized by its own realize: what they hold may keep us alive. */
    object_child_foreach_recursive(obj, unrealize_below, NULL);
}

static void device_instance_init(Object *obj)
{
    DeviceState *dev = DEVICE(obj);

    entry_guard_init(&dev->guard, obj, DEVICE_GET_CLASS(dev)->rank);
    dev->hotplugged = machine_ready;
}

static void device_instance_post_init(Object *obj)
{
    object_apply_global_props(obj, &DEVICE(obj)->global_error);
}

static void device_finalize(Object *obj)
{
    DeviceState *dev = DEVICE(obj);

    if (dev->realized) {
        error_report("device '%s' ends while it is realized: a reference was given back twice",
                     qdev_label(dev));
    }
    qdev_undo_run(dev, true);
    qdev_lines_free(dev);
    timers_forget(&dev->guard);
    g_clear_pointer(&dev->child_buses, g_ptr_array_unref);
    g_clear_error(&dev->global_error);
    entry_guard_destroy(&dev->guard);
    if (dev->left_from) {
        hotplug_deleted(dev->id, dev->left_from);
    } else {
        g_free(dev->id);
    }
}

static void device_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    (void)data;
    klass->may_set = device_may_set;
    klass->unparent = device_unparent;
    ENTRY_OWNER_CLASS(klass)->get_guard = device_get_guard;
    dc->user_creatable = true;
    dc->hotpluggable = true;
    dc->rank = ENTRY_RANK_DEVICE;
    device_class_set_props(dc, device_props);
}

static const InterfaceInfo device_interfaces[] = { { TYPE_ENTRY_OWNER },
                                                   { TYPE_RESETTABLE },
                                                   { NULL } };

static const TypeInfo device_types[] = {
    {
        .name = TYPE_DEVICE,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(DeviceState),
        .instance_init = device_instance_init,
        .instance_post_init = device_instance_post_init,
        .instance_finalize = device_finalize,
        .abstract = true,
        .class_size = sizeof(DeviceClass),
        .class_init = device_class_init,
        .interfaces = device_interfaces,
    },
};
DEFINE_TYPES(device_types)
