/* SPDX-License-Identifier: MIT */
/*
 * Devices and buses: the header that a device author reads. A device is made, configured through
 * properties, realized - a transaction: whole, or nothing of it remains -, unrealized, gone. Names
 * are QEMU's.
 */
#ifndef QOMET_HW_CORE_QDEV_H
#define QOMET_HW_CORE_QDEV_H

#include <qomet/hw/core/irq.h>
#include <qomet/hw/core/resettable.h>
#include <qomet/hw/core/timer.h>
#include <qomet/memory/memory.h>
#include <qomet/qom/log.h>
#include <qomet/qom/module.h>

#define TYPE_DEVICE "device"
OBJECT_DECLARE_TYPE(DeviceState, DeviceClass, DEVICE)
typedef struct BusState BusState; /* see bus.h */

typedef struct DeviceUndo DeviceUndo;
typedef struct NamedGPIOList NamedGPIOList;

/** One field of a device's state that outlives a reset or a move to another process: an integer, or
 * an array of them. */
typedef struct DeviceField {
    const char *name;
    uint32_t offset, size; /* in the instance, of one element */
    uint32_t count;        /* elements */
    uint32_t flags;        /* none yet: 0 */
} DeviceField;
/** An integer field; a pointer, a struct or an array does not compile. */
#define DEVICE_FIELD(s, f)                                                                         \
    {                                                                                              \
        .name = #f, .offset = offsetof(s, f),                                                      \
        .size = sizeof(((s *)0)->f) + 0 * sizeof(((s *)0)->f | 0), .count = 1                      \
    }
/** An array of integers. */
#define DEVICE_ARRAY(s, f)                                                                         \
    {                                                                                              \
        .name = #f, .offset = offsetof(s, f),                                                      \
        .size = sizeof(((s *)0)->f[0]) + 0 * sizeof(((s *)0)->f[0] | 0),                           \
        .count = G_N_ELEMENTS(((s *)0)->f)                                                         \
    }

/** What every device begins with. Read on the main thread or inside the guard; written by hw/core
 * only. */
struct DeviceState {
    Object parent_obj;
    /* entered around register methods, timers, descriptor callbacks and input lines; not around
     * realize, unrealize, reset and property accessors, which run on the main thread */
    EntryGuard guard;
    char *id; /* as given by the user, or NULL */
    bool realized;
    bool hotplugged;        /* came after the machine was made */
    bool pending_deleted;   /* device_del has been asked for */
    BusState *parent_bus;   /* the bus it sits on, referenced, or NULL */
    GPtrArray *child_buses; /* of BusState *, NULL while there are none */
    GPtrArray *gpios;       /* of NamedGPIOList *, NULL while there are none */
    DeviceUndo *undo;       /* what realize has acquired, last first */
    char *left_from;        /* a plugged one that has left the tree: the path that it had */
    GError *global_error;   /* a -global that could not be applied; realize reports it */
    uint32_t reset_count;   /* resets under way */
};

struct DeviceClass {
    ObjectClass parent_class;
    const char *desc;     /* one line for "-device help" */
    const char *bus_type; /* a device of this class needs a bus of this type; NULL: none */
    bool user_creatable;  /* "-device" may make it (true unless a class says otherwise) */
    bool hotpluggable;    /* may come and go while the machine runs (true by default) */
    /** Acquires what the device needs; false with @errp set: whatever it acquired through hw/core
     * is given back. */
    bool (*realize)(DeviceState *dev, GError **errp);
    /**
     * Ends what realize started by itself. By then nobody is or comes inside: the regions of
     * qdev_map() are unmapped, input lines are dead. What else was acquired through hw/core is
     * given back afterwards. May be NULL.
     */
    void (*unrealize)(DeviceState *dev);
    /** The fields of this class's own struct (those of the classes above are named there); ends
     * with a NULL name, or NULL. */
    const DeviceField *state;
    /* of the guards of its instances; ENTRY_RANK_DEVICE unless the class says otherwise */
    EntryRank rank;
};

/** Adds static properties to a device class; @props is a static array. */
#define device_class_set_props(dc, props)                                                          \
    object_class_add_properties(OBJECT_CLASS(dc), props, G_N_ELEMENTS(props))
/** The hold phase; @reset gets the object. */
QOM_EXPORT void device_class_set_reset(DeviceClass *dc, void (*hold)(Object *obj, ResetType type));

/** A new device of type @name, unrealized, one reference; NULL with @errp set for a name that is no
 * device. */
QOM_EXPORT DeviceState *qdev_new(const char *name, GError **errp);
/**
 * Realizes @dev on @bus (NULL: the first one of the class's bus_type with room, if it has one):
 * globals checked, bus checked, hotplug handler's pre_plug, the class's realize, child buses, plug.
 * A device without a parent gets one: /machine/peripheral/ID, or /machine/peripheral-anon/device[N]
 * by qdev_set_id(), else /machine/unattached. False with @errp set: the device is as before,
 * nothing is left.
 */
QOM_EXPORT bool qdev_realize(DeviceState *dev, BusState *bus,
                             GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** The same, and drops the caller's reference: the parent's remains on success, none on failure. */
QOM_EXPORT bool qdev_realize_and_unref(DeviceState *dev, BusState *bus,
                                       GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** The way back: unplugged from the handler, unrealized, everything acquired given back, off the
 * bus. */
QOM_EXPORT void qdev_unrealize(DeviceState *dev);
/** Names the device for its user and puts it below /machine/peripheral[-anon]. Takes a copy of @id
 * (may be NULL). */
QOM_EXPORT bool qdev_set_id(DeviceState *dev, const char *id,
                            GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** The device of that id, or NULL. */
QOM_EXPORT DeviceState *qdev_find(const char *id);
/** The object that "/machine" is: the machine, or a container made at the first call when there is
 * none. */
QOM_EXPORT Object *qdev_get_machine(void);
/** Says that the machine is complete, or gone: devices made from then on are hotplugged, or not.
 * Main thread. */
QOM_EXPORT void qdev_set_machine_ready(bool ready);

/** Runs @fn when the device is unrealized, or when its realize fails later on: last in, first
 * out. */
QOM_EXPORT void qdev_on_unrealize(DeviceState *dev, void (*fn)(DeviceState *dev, void *opaque),
                                  void *opaque);
/** Maps @mr at @addr of @container for as long as the device is realized; the overlapped and the
 * overlapper are named. */
QOM_EXPORT bool qdev_map(DeviceState *dev, MemoryRegion *container, hwaddr addr, MemoryRegion *mr,
                         GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** A step of realize that a test can make fail; true when it may go on. Every acquisition of
 * hw/core calls it. */
QOM_EXPORT bool qdev_fault_point(const char *what, GError **errp);
/** The @nth fault point from now fails (0: none). Returns how many were passed since the last call.
 * Tests only. */
QOM_EXPORT unsigned qdev_fault_inject(unsigned nth);

/* ---- Lines ----------------------------------------------------------------------------------- */

/**
 * Input lines whose handler is an entry of the device (see irq.h). In instance_init or realize.
 * @name may be NULL. They are dead while the device is not realized: the level is kept, and
 * delivered then if it is not 0.
 */
QOM_EXPORT void qdev_init_gpio_in_named(DeviceState *dev, qemu_irq_handler handler,
                                        const char *name, int n);
/** Input lines of an interrupt controller: the handler runs at once, unguarded. */
QOM_EXPORT void qdev_init_gpio_in_direct(DeviceState *dev, qemu_irq_handler handler,
                                         const char *name, int n);
/** Output lines: @pins is an array of @n in the device's state. */
QOM_EXPORT void qdev_init_gpio_out_named(DeviceState *dev, qemu_irq *pins, const char *name, int n);
#define qdev_init_gpio_in(dev, handler, n) qdev_init_gpio_in_named(dev, handler, NULL, n)
#define qdev_init_gpio_out(dev, pins, n) qdev_init_gpio_out_named(dev, pins, NULL, n)
/** The input line @n of the group, without a reference, or NULL when there is none. */
QOM_EXPORT qemu_irq qdev_get_gpio_in_named(DeviceState *dev, const char *name, int n);
#define qdev_get_gpio_in(dev, n) qdev_get_gpio_in_named(dev, NULL, n)
/** Leads the output @n to @irq (NULL: nowhere); a reference is taken. */
QOM_EXPORT bool qdev_connect_gpio_out_named(DeviceState *dev, const char *name, int n, qemu_irq irq,
                                            GError **errp) G_GNUC_WARN_UNUSED_RESULT;
#define qdev_connect_gpio_out(dev, n, irq, errp)                                                   \
    qdev_connect_gpio_out_named(dev, NULL, n, irq, errp)
/** Where the output @n leads, or NULL. */
QOM_EXPORT qemu_irq qdev_get_gpio_out_connector(DeviceState *dev, const char *name, int n);
/** Calls @fn for each line of @dev: name (or NULL), index, whether it is an input, the line
 * (outputs: where it leads). */
QOM_EXPORT void qdev_foreach_gpio(DeviceState *dev,
                                  void (*fn)(const char *name, int n, bool in, qemu_irq irq,
                                             void *opaque),
                                  void *opaque);

#endif
