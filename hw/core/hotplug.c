/* SPDX-License-Identifier: MIT */
/*
 * Hotplug handlers: who is asked before a device comes, told when it is there, and asked before it
 * goes - the bus's, or the machine itself.
 */
#include "hw/core/qdev-int.h"
#include <qomet/memory/main-work.h>

HotplugHandler *qdev_get_hotplug_handler(DeviceState *dev)
{
    if (dev->parent_bus && dev->parent_bus->hotplug_handler) {
        return dev->parent_bus->hotplug_handler;
    }
    /* Not qdev_get_machine(): while the machine ends there is none, and none is to be made. */
    return (HotplugHandler *)object_dynamic_cast(
        object_resolve_path_component(object_get_root(), "machine"), TYPE_HOTPLUG_HANDLER);
}

/* What a method of @handler has returned. */
static bool handler_ok(bool ok, HotplugHandler *handler, const char *method, GError **errp)
{
    return qom_method_ok(ok, object_get_typename(OBJECT(handler)), method, errp);
}

/* Tells @handler that @dev goes. */
static bool tell_unplug(HotplugHandler *handler, DeviceState *dev, GError **errp)
{
    const HotplugHandlerClass *hc = HOTPLUG_HANDLER_GET_CLASS(handler);

    return !hc->unplug || handler_ok(hc->unplug(handler, dev, errp), handler, "unplug", errp);
}

/*
 * The undo step of a plug, for a device that goes without having been asked. The handler is not
 * referenced, since it is often above the device in the tree; whoever is in charge by now is told.
 */
static void undo_plug(DeviceState *dev, void *opaque)
{
    HotplugHandler *handler = qdev_get_hotplug_handler(dev);
    g_autoptr(GError) error = NULL;

    (void)opaque;
    if (handler && !tell_unplug(handler, dev, &error)) {
        warn_report("device '%s' goes all the same: %s", qdev_label(dev), error->message);
    }
}

void hotplug_refused(const DeviceState *dev, GError **errp)
{
    qom_error_set(errp, QOM_ERROR_STATE, "Device '%s' does not support hotplugging",
                  object_get_typename(OBJECT(dev)));
}

bool hotplug_pre_plug(DeviceState *dev, GError **errp)
{
    HotplugHandler *handler = qdev_get_hotplug_handler(dev);
    const HotplugHandlerClass *hc = handler ? HOTPLUG_HANDLER_GET_CLASS(handler) : NULL;

    return !hc || !hc->pre_plug ||
           (qdev_fault_point("pre-plug", errp) &&
            handler_ok(hc->pre_plug(handler, dev, errp), handler, "pre_plug", errp));
}

bool hotplug_plug(DeviceState *dev, GError **errp)
{
    HotplugHandler *handler = qdev_get_hotplug_handler(dev);
    const HotplugHandlerClass *hc = handler ? HOTPLUG_HANDLER_GET_CLASS(handler) : NULL;

    if (!hc) {
        return true;
    }
    if (!qdev_fault_point("plug", errp) ||
        (hc->plug && !handler_ok(hc->plug(handler, dev, errp), handler, "plug", errp))) {
        return false;
    }
    qdev_on_unrealize(dev, undo_plug, NULL);
    return true;
}

bool qdev_unplug(DeviceState *dev, GError **errp)
{
    HotplugHandler *handler = qdev_get_hotplug_handler(dev);
    const HotplugHandlerClass *hc = handler ? HOTPLUG_HANDLER_GET_CLASS(handler) : NULL;
    bool ok;

    if (!object_get_parent(OBJECT(dev))) {
        qom_error_set(errp, QOM_ERROR_STATE, "device '%s' is not plugged", qdev_label(dev));
        return false;
    }
    if (!DEVICE_GET_CLASS(dev)->hotpluggable) {
        hotplug_refused(dev, errp);
        return false;
    }
    if (dev->pending_deleted) {
        qom_error_set(errp, QOM_ERROR_STATE, "Device %s is already in the process of unplug",
                      qdev_label(dev));
        return false;
    }
    object_ref(dev);
    if (!dev->realized) {
        /* Nobody but the tree has it. */
        dev->pending_deleted = true;
        object_unparent(OBJECT(dev));
        ok = true;
    } else if (hc && hc->unplug_request) {
        /* The guest may agree at once. */
        dev->pending_deleted = true;
        ok = handler_ok(hc->unplug_request(handler, dev, errp), handler, "unplug_request", errp);
        if (!ok) {
            dev->pending_deleted = false;
        }
    } else {
        ok = !handler || tell_unplug(handler, dev, errp);
        if (ok) {
            qdev_undo_cancel(dev, undo_plug, NULL);
            object_unparent(OBJECT(dev));
        }
    }
    object_unref(dev);
    return ok;
}

/* ---- Who is told ---- */

/** A device that is gone. */
typedef struct Deleted {
    char *id, *path;
} Deleted;

typedef struct Listener {
    QDevListener *fn;
    void *opaque;
} Listener;

static GArray *listeners; /* of Listener; NULL: none */

void qdev_add_listener(QDevListener *fn, void *opaque)
{
    Listener listener = { fn, opaque };

    if (!listeners) {
        listeners = g_array_new(FALSE, FALSE, sizeof(Listener));
    }
    g_array_append_val(listeners, listener);
}

void qdev_del_listener(QDevListener *fn, void *opaque)
{
    for (unsigned i = 0; listeners && i < listeners->len; i++) {
        const Listener *listener = &g_array_index(listeners, Listener, i);

        if (listener->fn == fn && listener->opaque == opaque) {
            g_array_remove_index(listeners, i);
            break;
        }
    }
    if (listeners && !listeners->len) {
        g_array_free(listeners, TRUE);
        listeners = NULL;
    }
}

/* From the last to the first: one that takes itself away is not in the way of the others. */
static void tell(QDevEvent event, const char *id, const char *path)
{
    for (unsigned i = listeners ? listeners->len : 0; i > 0; i--) {
        if (listeners && i <= listeners->len) {
            Listener listener = g_array_index(listeners, Listener, i - 1);

            listener.fn(event, id, path, listener.opaque);
        }
    }
}

static void tell_deleted(void *opaque)
{
    Deleted *gone = opaque;

    tell(QDEV_EVENT_DELETED, gone->id, gone->path);
    g_free(gone->id);
    g_free(gone->path);
    g_free(gone);
}

void hotplug_deleted(char *id, char *path)
{
    Deleted *gone = g_new(Deleted, 1);

    *gone = (Deleted){ id, path };
    if (main_work_is_main()) {
        tell_deleted(gone);
    } else {
        main_work_post(tell_deleted, gone);
    }
}

void qdev_unplug_refused(DeviceState *dev)
{
    g_autofree char *path = object_get_canonical_path(OBJECT(dev));

    dev->pending_deleted = false;
    tell(QDEV_EVENT_UNPLUG_REFUSED, dev->id, path);
}

static const TypeInfo hotplug_types[] = {
    {
        .name = TYPE_HOTPLUG_HANDLER,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(HotplugHandlerClass),
    },
};
DEFINE_TYPES(hotplug_types)
