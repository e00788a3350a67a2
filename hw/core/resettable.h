/* SPDX-License-Identifier: MIT */
/*
 * Reset in three phases over a tree: every object leaves its activity (enter), then takes its reset
 * state and drives its lines (hold), then starts again (exit). The methods run on the main thread
 * outside every guard, so they may change the map. Nobody else can be inside: every vCPU and I/O
 * thread is parked, or the device is not in the map yet (hot-add). A reset of a machine or a bus
 * that a register write asks for goes through entry_call_main() and pause_all_vcpus(); a device
 * that resets itself alone, inside its guard, calls a function of its own.
 */
#ifndef QOMET_HW_CORE_RESETTABLE_H
#define QOMET_HW_CORE_RESETTABLE_H

#include <qomet/qom/object.h>

typedef enum ResetType {
    RESET_TYPE_COLD, /* as at power-on */
} ResetType;

#define TYPE_RESETTABLE "resettable"
#define TYPE_RESETTABLE_INTERFACE TYPE_RESETTABLE /* the name in QEMU */
OBJECT_DECLARE_INTERFACE(Resettable, ResettableClass, RESETTABLE)

typedef struct ResettablePhases {
    void (*enter)(Object *obj, ResetType type); /* local state only; no lines, no other object */
    void (*hold)(Object *obj, ResetType type);  /* may drive lines and reach other objects */
    void (*exit)(Object *obj, ResetType type);
} ResettablePhases;

struct ResettableClass {
    InterfaceClass parent_class;
    ResettablePhases phases;
    /** The children that are reset with it; NULL: the composition children that are resettable. */
    void (*child_foreach)(Object *obj, void (*fn)(Object *child, void *opaque), void *opaque);
};

/** All three phases over @obj and what is below it; a reset asked for from within is done
 * afterwards. */
QOM_EXPORT void resettable_reset(Object *obj, ResetType type);
/** Whether a reset that includes @obj is under way. */
QOM_EXPORT bool resettable_is_in_reset(const Object *obj);

#endif
