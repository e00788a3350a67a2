/* SPDX-License-Identifier: MIT */
/*
 * Entering a device. Every way into a device's code - MMIO, port, timer, descriptor callback,
 * notify - passes its EntryGuard: the device's lock, the mark that keeps a thread from entering a
 * device it is already in, and the counters. The same file keeps what a thread does when it has
 * left its outermost device: deferred deliveries and map changes.
 */
#ifndef QOMET_MEMORY_ENTRY_H
#define QOMET_MEMORY_ENTRY_H

#include <pthread.h>
#include <qomet/qom/object.h>

/**
 * The order in which guards may nest on one thread; a lower one is never entered while a higher one
 * is held.
 */
typedef enum EntryRank {
    ENTRY_RANK_BRIDGE, /* a bus bridge: enters its child */
    ENTRY_RANK_DEVICE, /* any other device */
    ENTRY_RANK_BACKEND,
    ENTRY_RANK_INTC, /* an interrupt controller: a leaf */
} EntryRank;

/** Embedded in each device. Fields are private to memory/. */
typedef struct EntryGuard {
    uintptr_t holder; /* the lock: EntryThread inside, or 0; the lowest bit: others wait. Atomic */
    uint32_t row;     /* of the per-thread counters: its offset in bytes */
    EntryRank rank;
    Object *owner;      /* whose path names the guard; not referenced: it embeds the guard */
    uint64_t contended; /* entries that had to wait; atomic */
    uint64_t refused;   /* re-entries turned away; atomic */
} EntryGuard;

/** What was counted for one guard, summed over all threads that ever entered it. */
typedef struct EntryCounts {
    uint64_t reads, writes; /* accesses dispatched to its regions */
    uint64_t read_bytes, write_bytes;
    uint64_t other;       /* timers, descriptor callbacks, notifies */
    uint64_t nanoseconds; /* what entry_guard_add_time() was told */
    uint64_t contended, refused;
} EntryCounts;

/** Makes @guard ready. @owner is named in messages and reports. Main thread. */
QOM_EXPORT void entry_guard_init(EntryGuard *guard, Object *owner, EntryRank rank);
/** Ends it; nobody may be inside. Main thread. */
QOM_EXPORT void entry_guard_destroy(EntryGuard *guard);
/** The counters of @guard, summed. Any thread; not a snapshot of one instant. */
QOM_EXPORT void entry_guard_counts(const EntryGuard *guard, EntryCounts *out);

/** Adds time that accesses took, measured by the calling thread. Any thread. */
QOM_EXPORT void entry_guard_add_time(const EntryGuard *guard, uint64_t nanoseconds);

/**
 * Enters: waits for the lock. False when this thread is inside already: nothing is held then, the
 * refusal is counted, and the first one for each guard is logged with the owner's path. Any thread.
 */
QOM_EXPORT bool entry_enter(EntryGuard *guard) G_GNUC_WARN_UNUSED_RESULT;
/**
 * Leaves. When it was the outermost device of this thread, what the thread has put off is done now:
 * first deferred calls (which may put off more), then map changes, each waited for.
 */
QOM_EXPORT void entry_leave(EntryGuard *guard);
/** Whether this thread is inside any guard (@guard NULL) or inside that one. */
QOM_EXPORT bool entry_inside(const EntryGuard *guard);

/**
 * A call put off until the thread's outermost device is left, and an access or slice around it.
 * Embedded by its owner; zeroed before first use. Before the owner's memory goes:
 * entry_synchronize(), when nobody can put it off any more.
 */
typedef struct EntryDeferred {
    /* Runs without any guard held; enters what it needs itself. */
    void (*fn)(struct EntryDeferred *self);
    struct EntryDeferred *next; /* private */
    uint32_t queued;            /* private, atomic: on some thread's list */
} EntryDeferred;

/**
 * Puts @d on this thread's list; outside all devices it runs at once. Queued already (by any
 * thread): nothing happens, since that run has yet to come - the flag is cleared before fn()
 * starts, so fn() sees all that was stored before.
 */
QOM_EXPORT void entry_defer(EntryDeferred *d);

/**
 * Runs @fn on the main thread: at once when this is the main thread outside devices; else it is
 * recorded, and done - and waited for - when this thread's outermost device has been left, before
 * the guest goes on. While it waits, the thread's wait hook keeps serving (a vCPU stays kickable).
 * For changes of the map that a register write asks for. A deferred call does not wait either: what
 * it asks for is done when all deferred calls are. @owner (may be NULL) keeps its memory until @fn
 * has run, but may be unrealized by then: @fn checks. What @opaque points to is the caller's to keep.
 */
QOM_EXPORT void entry_call_main(Object *owner, void (*fn)(Object *owner, void *opaque),
                                void *opaque);

/**
 * Waits until each thread has left what it was in at the call - devices, accesses, slices - and has
 * done what it had put off there. For the memory of what other threads reached by a pointer that
 * has just been cleared (a line, a timer's device). Main thread, outside devices; from within one
 * it complains and does not wait.
 */
QOM_EXPORT void entry_synchronize(void);

/**
 * Names this thread for reports and makes its counters; without it that happens at the first entry.
 * @wait (may be NULL) is called instead of a plain wait for main: it must return soon after @done
 * turns non-zero (read it with acquire). @done is a private futex, woken then: FUTEX_WAIT on 0
 * sleeps until it turns, or a signal comes.
 */
QOM_EXPORT void entry_thread_register(const char *name,
                                      void (*wait)(const uint32_t *done, void *opaque),
                                      void *opaque);
/** Gives the counters of a thread that ends to the sum. Called by the thread itself. */
QOM_EXPORT void entry_thread_unregister(void);

#endif
