/* SPDX-License-Identifier: MIT */
/*
 * What memory/ keeps for each thread: how deep it is in devices, the section in which it reads
 * published data, its counters, and what it has put off. The inline functions are the part of
 * entering that every access takes.
 */
#ifndef MEMORY_ENTRY_INT_H
#define MEMORY_ENTRY_INT_H

#include <qomet/memory/entry.h>
#include "config.h"

#if defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZER
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER
#endif
#endif

/* Guards that have counters of their own; those made beyond share row 0, which nobody reads. */
#define ENTRY_SLOTS (1u << 20)
#define ENTRY_HELD_MAX 32

/* What one thread has counted for one guard; written by that thread only. */
typedef struct EntryRow {
    uint64_t reads, writes, read_bytes, write_bytes, other, nanoseconds;
} EntryRow;

typedef struct MainCall MainCall;
typedef struct EntryThread EntryThread;

struct EntryThread {
    uint64_t section; /* epoch at which the outermost one began, 0 outside; main reads it */
    uint32_t nest;    /* sections open: guards, accesses and slices alike */
    uint32_t depth;   /* guards held */
    bool pending;     /* deferred or calls is not empty */
    bool draining;    /* entry_drain() is under way further up the stack */
    EntryRow *rows;   /* ENTRY_SLOTS of them; only those touched take memory */
    EntryDeferred *deferred, **deferred_tail;
    MainCall *calls, **calls_tail;
    void (*wait)(const uint32_t *done, void *opaque);
    void *wait_opaque;
    char *name; /* guarded by the lock of the list */
    EntryThread *next;
#ifdef QOMET_DEBUG_LOCKS
    EntryGuard *held[ENTRY_HELD_MAX];
#endif
};

/* What every section reads: on a cache line of its own, since it hardly ever changes. */
typedef struct RcuState {
    uint64_t epoch; /* counts grace periods, from 1 */
    bool fenced;    /* membarrier() cannot be had: readers order their accesses themselves */
} __attribute__((aligned(64))) RcuState;

extern RcuState rcu_state;
extern __thread EntryThread *entry_thread_self;

/* The calling thread's record, made at its first entry. */
EntryThread *entry_thread_make(void);
/*
 * Takes every record in turn, under the lock of the list, until @fn returns false. True when none
 * did.
 */
bool entry_thread_foreach(bool (*fn)(EntryThread *t, void *opaque), void *opaque);
/* Closes the outermost section, doing what was put off in it. */
void entry_drain(EntryThread *t);
/* Takes a guard that somebody is in: waits, or counts and refuses when that is @t itself. */
bool entry_guard_wait(EntryThread *t, EntryGuard *guard);
void entry_guard_wake(EntryGuard *guard);
#ifdef QOMET_DEBUG_LOCKS
void entry_guard_check_order(const EntryThread *t, const EntryGuard *guard);
#endif

static inline EntryThread *entry_self(void)
{
    EntryThread *t = entry_thread_self;

    return G_LIKELY(t) ? t : entry_thread_make();
}

/*
 * What is found in published data between these two stays until the second. They nest. The writer
 * publishes, makes every running thread pass a barrier by membarrier(), and then reads `section` of
 * each; so here it is enough that the compiler keeps the order.
 */
static inline void section_enter(EntryThread *t)
{
    if (t->nest++ == 0) {
        uint64_t epoch = __atomic_load_n(&rcu_state.epoch, __ATOMIC_ACQUIRE);

        if (G_UNLIKELY(rcu_state.fenced)) {
            __atomic_exchange_n(&t->section, epoch, __ATOMIC_SEQ_CST);
        } else {
            __atomic_store_n(&t->section, epoch, __ATOMIC_RELEASE);
            __atomic_signal_fence(__ATOMIC_SEQ_CST);
        }
    }
}

static inline void section_leave(EntryThread *t)
{
    if (t->nest > 1) {
        t->nest--;
    } else if (G_UNLIKELY(t->pending)) {
        entry_drain(t);
    } else {
        t->nest = 0;
        __atomic_store_n(&t->section, 0, __ATOMIC_RELEASE);
    }
}

/* The bit of a guard's holder that says that others wait. */
#define GUARD_WAITED UINT64_C(1)

/* Inside a section: takes @guard if nobody is in it. */
static inline bool guard_try_lock(EntryThread *t, EntryGuard *guard)
{
    uintptr_t nobody = 0;

    if (G_UNLIKELY(!__atomic_compare_exchange_n(&guard->holder, &nobody, (uintptr_t)t, false,
                                                __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))) {
        return false;
    }
#ifdef QOMET_DEBUG_LOCKS
    entry_guard_check_order(t, guard);
    t->held[t->depth] = guard;
#endif
    t->depth++;
    return true;
}

/* Inside a section: takes @guard. False when this thread is in it already. */
static inline bool guard_lock(EntryThread *t, EntryGuard *guard)
{
    return G_LIKELY(guard_try_lock(t, guard)) || entry_guard_wait(t, guard);
}

static inline void guard_unlock(EntryThread *t, EntryGuard *guard)
{
    t->depth--;
    if (G_UNLIKELY(__atomic_exchange_n(&guard->holder, 0, __ATOMIC_RELEASE) & GUARD_WAITED)) {
        entry_guard_wake(guard);
    }
}

static inline EntryRow *entry_row(const EntryThread *t, const EntryGuard *guard)
{
    return (EntryRow *)((char *)t->rows + guard->row);
}

/*
 * A counter has one writer, so no locked instruction; the store is atomic for the thread that sums.
 */
static inline void entry_count(uint64_t *counter, uint64_t n)
{
    __atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static inline void entry_count_access(EntryThread *t, const EntryGuard *guard, unsigned size,
                                      bool is_write)
{
    EntryRow *row = entry_row(t, guard);

    if (is_write) {
        entry_count(&row->writes, 1);
        entry_count(&row->write_bytes, size);
    } else {
        entry_count(&row->reads, 1);
        entry_count(&row->read_bytes, size);
    }
}

#endif
