/* SPDX-License-Identifier: MIT */
/*
 * Buses, and who is in charge of what comes to them and goes: for authors of buses, bridges and
 * machines. A device that only sits on a bus needs no more than qdev.h. Names are QEMU's.
 */
#ifndef QOMET_HW_CORE_BUS_H
#define QOMET_HW_CORE_BUS_H

#include <qomet/hw/core/qdev.h>

#define TYPE_BUS "bus"
OBJECT_DECLARE_TYPE(BusState, BusClass, BUS)
#define TYPE_HOTPLUG_HANDLER "hotplug-handler"
OBJECT_DECLARE_INTERFACE(HotplugHandler, HotplugHandlerClass, HOTPLUG_HANDLER)

struct BusState {
    Object parent_obj;
    DeviceState *parent; /* the device that offers the bus, or NULL for a machine's own */
    char *name;
    HotplugHandler *hotplug_handler; /* or NULL: the machine's, if it is one */
    /* of DeviceState *, in order of plugging; not referenced (the devices hold the bus) */
    GPtrArray *children;
    bool realized, full;
};

struct BusClass {
    ObjectClass parent_class;
    unsigned max_dev; /* 0: any number */
    /** Whether @dev may sit here: address free, in range. */
    bool (*check_address)(BusState *bus, DeviceState *dev, GError **errp);
    /** @dev, which sits here, is realized and in the map: a guest may find it. May be NULL. */
    void (*announce)(BusState *bus, DeviceState *dev);
    /** "04.0": where a device sits, for listings; the caller frees. May be NULL. */
    char *(*get_dev_path)(DeviceState *dev);
};

/** A bus of type @type as the child @name of @parent (NULL: of the machine); owned by it. */
QOM_EXPORT BusState *qbus_new(const char *type, DeviceState *parent, const char *name,
                              GError **errp);
/** The same in memory that the parent provides. */
QOM_EXPORT bool qbus_init(void *bus, size_t size, const char *type, DeviceState *parent,
                          const char *name, GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** A bus of the machine by name ("isa.0") or path, or by type when @name is NULL (first with
 * room). */
QOM_EXPORT BusState *qbus_find(const char *name, const char *type, GError **errp);
/** Who is in charge of what comes to and goes from @bus; fails when @handler is no hotplug handler.
 * Main thread. */
QOM_EXPORT bool qbus_set_hotplug_handler(BusState *bus, Object *handler,
                                         GError **errp) G_GNUC_WARN_UNUSED_RESULT;

/* ---- Hotplug --------------------------------------------------------------------------------- */

struct HotplugHandlerClass {
    InterfaceClass parent_class;
    /* checks; changes nothing */
    bool (*pre_plug)(HotplugHandler *h, DeviceState *dev, GError **errp);
    /* realized: make the guest see it */
    bool (*plug)(HotplugHandler *h, DeviceState *dev, GError **errp);
    /* ask the guest; NULL: unplug at once */
    bool (*unplug_request)(HotplugHandler *h, DeviceState *dev, GError **errp);
    /* before unrealize */
    bool (*unplug)(HotplugHandler *h, DeviceState *dev, GError **errp);
};
/** The handler in charge of @dev: its bus's, else the machine's, or NULL. */
QOM_EXPORT HotplugHandler *qdev_get_hotplug_handler(DeviceState *dev);
/**
 * Takes @dev away: asks the handler, then unparents; where it is not realized there is none to ask.
 * Where the handler has an unplug_request, the device is still there on return; whoever agrees later
 * calls object_unparent() on the main thread.
 */
QOM_EXPORT bool qdev_unplug(DeviceState *dev, GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** For a handler: the guest keeps @dev, of which unplug_request has told it. Main thread. */
QOM_EXPORT void qdev_unplug_refused(DeviceState *dev);

/** What became of an unplug. */
typedef enum QDevEvent {
    QDEV_EVENT_DELETED,        /* the device is gone, and its memory free */
    QDEV_EVENT_UNPLUG_REFUSED, /* the guest keeps it */
} QDevEvent;
/** @id: the device's, or NULL; @path: where it was or is. */
typedef void QDevListener(QDevEvent event, const char *id, const char *path, void *opaque);
/**
 * Has @fn told of the devices of a machine that is ready, until that pair is taken away. Main thread;
 * @fn is called there, and may take itself away.
 */
QOM_EXPORT void qdev_add_listener(QDevListener *fn, void *opaque);
QOM_EXPORT void qdev_del_listener(QDevListener *fn, void *opaque);

/**
 * Until qdev_batch_end() devices are realized without anybody seeing them: the map is not
 * published, lines do not reach them, no handler's plug is called. One batch at a time. Main thread.
 */
QOM_EXPORT void qdev_batch_begin(void);
/**
 * Publishes the map of all devices at once and announces them in the order they were realized in.
 * Without @good, or when one cannot be plugged (false then, with @errp set), every device of the
 * batch is unrealized again, last first; those that have a parent keep it.
 */
QOM_EXPORT bool qdev_batch_end(bool good, GError **errp);

#endif
