/* SPDX-License-Identifier: MIT */
/*
 * What the files of hw/core/ share and nobody else sees: the undo journal of a device, its groups
 * of lines, and the steps of realize that live in other files than qdev.c.
 */
#ifndef HW_CORE_QDEV_INT_H
#define HW_CORE_QDEV_INT_H

#include <qomet/hw/core/bus.h>

/* ---- qdev-undo.c: what realize has acquired ------------------------------------------------- */

typedef void DeviceUndoFn(DeviceState *dev, void *opaque);

/** Opens the journal: @dev becomes the innermost device being realized. */
void qdev_undo_begin(DeviceState *dev);
/** Realize has succeeded: the journal stays, @dev is no longer being realized. */
void qdev_undo_end(DeviceState *dev);
/** Whether the class's realize of @dev is under way. */
bool qdev_undo_open(const DeviceState *dev);
/** The innermost device being realized, or NULL. */
DeviceState *qdev_realizing(void);
/** Like qdev_on_unrealize(), but for a failed realize only: an unrealized device keeps it. */
void qdev_undo_on_failure(DeviceState *dev, DeviceUndoFn *fn, void *opaque);
/** Drops the newest step of @fn and @opaque without running it. */
void qdev_undo_cancel(DeviceState *dev, DeviceUndoFn *fn, void *opaque);
/** Remembers the instance properties (children, links, aliases) of now: later ones go in the
 * undoing. */
void qdev_undo_mark_properties(DeviceState *dev);
/** Unmaps what qdev_map() has mapped, at once, and waits until nobody is inside the device. */
void qdev_undo_withdraw(DeviceState *dev);
/** Runs the journal, last in, first out, and forgets it. @failed: the steps for failure too. */
void qdev_undo_run(DeviceState *dev, bool failed);
/** Has @ts freed with what the device of @guard acquires, if that is being realized; and the way
 * back. */
void qdev_undo_adopt_timer(EntryGuard *guard, QEMUTimer *ts);
void qdev_undo_disown_timer(EntryGuard *guard, QEMUTimer *ts);

/* ---- qdev.c --------------------------------------------------------------------------------- */

/** What qdev_set_machine_ready() has said last. Main thread. */
bool qdev_machine_is_ready(void);
/** How messages call @dev: its id, or its type. Owned by @dev. */
const char *qdev_label(const DeviceState *dev);
/** The end of realize, when the map is published: lines reach the device, its handler is told. */
bool qdev_announce(DeviceState *dev, GError **errp);

/* ---- qdev-batch.c --------------------------------------------------------------------------- */

/** Whether a batch is open, which announces @dev at its end. */
bool qdev_batch_take(DeviceState *dev);

/* ---- bus.c ---------------------------------------------------------------------------------- */

/** Puts @dev on @bus, if it may sit there. */
bool qbus_join(BusState *bus, DeviceState *dev, GError **errp);
/** The first bus of @type with room, or NULL; @full then tells whether there is one without. */
BusState *qbus_pick(const char *type, bool *full);
/** Marks the buses that @dev offers as usable or not. */
bool qbus_realize_children(DeviceState *dev, GError **errp);
void qbus_unrealize_children(DeviceState *dev);
/** Unparents every device that sits on @bus, last one first. */
void qbus_clear(BusState *bus);

/* ---- gpio.c --------------------------------------------------------------------------------- */

/** Lets lines reach the handlers of @dev (@fresh as for irq_resume()); and ends that. */
void qdev_lines_resume(DeviceState *dev, bool fresh);
void qdev_lines_suspend(DeviceState *dev);
/** Lowers every output of @dev that is high. */
void qdev_lines_lower(DeviceState *dev);
/** Frees all groups; the lines that others hold stay, dead. */
void qdev_lines_free(DeviceState *dev);

/* ---- irq.c ---------------------------------------------------------------------------------- */

/** A line that is dead until irq_resume(). @guard NULL: its handler runs at once. */
qemu_irq irq_new(qemu_irq_handler handler, void *opaque, int n, EntryGuard *guard);
/**
 * Lets the handler be called. @fresh: it knows nothing, so a level other than 0 is delivered now;
 * else it is told what has changed since irq_suspend(). Main thread.
 */
void irq_resume(qemu_irq irq, bool fresh);
/** On return the handler runs on no thread and is called no more; levels are still kept. Main
 * thread. */
void irq_suspend(qemu_irq irq);

/* ---- hotplug.c ------------------------------------------------------------------------------ */

/** The error of a device that stays as long as the machine runs. */
void hotplug_refused(const DeviceState *dev, GError **errp);
bool hotplug_pre_plug(DeviceState *dev, GError **errp);
/** Plugs @dev and notes in its journal that it has to be unplugged. */
bool hotplug_plug(DeviceState *dev, GError **errp);

/** A device is gone; takes both strings over. Any thread. */
void hotplug_deleted(char *id, char *path);

/* ---- timer.c and clock.c -------------------------------------------------------------------- */

/** Host time (CLOCK_MONOTONIC) at which @type reads @ns; 1 when that has passed, INT64_MAX while
 * the clock stands. */
int64_t clock_host_deadline(QEMUClockType type, int64_t ns);
/** Whether timers of @type may fire now. */
bool clock_runs(QEMUClockType type);

void timers_init(void);
void timers_cleanup(void);
/** A clock was started, stopped or moved: the host's timer is set anew. */
void timers_rearm(void);
/** When the first timer of @type is due (on that clock); INT64_MAX: none is set. */
int64_t timers_first(QEMUClockType type);
typedef enum TimersFired {
    TIMERS_NONE_DUE,
    TIMERS_FIRED,
    TIMERS_REFUSED, /* this thread is inside the device of the first one */
} TimersFired;
/** Fires the first timer of @type if it is due at @now. Main thread. */
TimersFired timers_fire_one(QEMUClockType type, int64_t now);
/** Unsets every timer that enters @guard. */
void timers_forget(const EntryGuard *guard);

#endif
