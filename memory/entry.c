/* SPDX-License-Identifier: MIT */
/* Guards: making, entering and leaving them; the threads that enter, and what each has counted. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <qomet/qom/log.h>
#include "memory/rcu-int.h"

#define ENTRY_ROWS_BYTES (ENTRY_SLOTS * sizeof(EntryRow))

__thread EntryThread *entry_thread_self;

static pthread_once_t thread_once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_key; /* ends the record of a thread that does not do so itself */

/* Guards the list of threads, their names, what ended threads have left, and the slots. */
static pthread_mutex_t thread_lock = PTHREAD_MUTEX_INITIALIZER;
static EntryThread *thread_list;
/*
 * What ended threads have counted. Those for whose rows the host has no room count here too; where
 * two of them do so at a time, a count may be lost.
 */
static EntryRow *ended_rows;
static uint32_t slots_used = 1;
static GArray *slots_free; /* of uint32_t below slots_used; NULL while there are none */

/* ---- Threads ---- */

/*
 * Address space for every slot there can be: nothing is ever moved, so a thread counts without
 * asking. NULL when the host has no room.
 */
static EntryRow *rows_new(void)
{
    void *rows = mmap(NULL, ENTRY_ROWS_BYTES, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return rows == MAP_FAILED ? NULL : rows;
}

/* A row is nothing but counters. */
#define ROW_COUNTERS (sizeof(EntryRow) / sizeof(uint64_t))

static void row_add(EntryRow *to, const EntryRow *from)
{
    for (size_t i = 0; i < ROW_COUNTERS; i++) {
        __atomic_fetch_add((uint64_t *)to + i,
                           __atomic_load_n((const uint64_t *)from + i, __ATOMIC_RELAXED),
                           __ATOMIC_RELAXED);
    }
}

static void row_clear(EntryRow *row)
{
    for (size_t i = 0; i < ROW_COUNTERS; i++) {
        __atomic_store_n((uint64_t *)row + i, 0, __ATOMIC_RELAXED);
    }
}

static void thread_end(void *opaque)
{
    EntryThread *t = opaque;

    pthread_mutex_lock(&thread_lock);
    for (EntryThread **p = &thread_list; *p; p = &(*p)->next) {
        if (*p == t) {
            *p = t->next;
            break;
        }
    }
    for (uint32_t slot = 1; t->rows != ended_rows && slot < slots_used; slot++) {
        row_add(&ended_rows[slot], &t->rows[slot]);
    }
    pthread_mutex_unlock(&thread_lock);

    if (t->rows != ended_rows) {
        munmap(t->rows, ENTRY_ROWS_BYTES);
    }
    g_free(t->name);
    free(t);
    entry_thread_self = NULL;
}

static void thread_once_init(void)
{
    rcu_init();
    ended_rows = rows_new();
    if (!ended_rows || pthread_key_create(&thread_key, thread_end) != 0) {
        g_error("no room for the records of threads");
    }
}

EntryThread *entry_thread_make(void)
{
    EntryThread *t = aligned_alloc(64, (sizeof(EntryThread) + 63) / 64 * 64);

    if (!t) {
        g_error("no room for the record of a thread");
    }
    pthread_once(&thread_once, thread_once_init);
    memset(t, 0, sizeof(*t));
    t->rows = rows_new();
    if (!t->rows) {
        t->rows = ended_rows;
    }
    t->deferred_tail = &t->deferred;
    t->calls_tail = &t->calls;
    pthread_setspecific(thread_key, t);

    pthread_mutex_lock(&thread_lock);
    t->next = thread_list;
    thread_list = t;
    pthread_mutex_unlock(&thread_lock);
    entry_thread_self = t;
    return t;
}

bool entry_thread_foreach(bool (*fn)(EntryThread *t, void *opaque), void *opaque)
{
    bool all = true;

    pthread_mutex_lock(&thread_lock);
    for (EntryThread *t = thread_list; t && all; t = t->next) {
        all = fn(t, opaque);
    }
    pthread_mutex_unlock(&thread_lock);
    return all;
}

void entry_thread_register(const char *name, void (*wait)(const uint32_t *done, void *opaque),
                           void *opaque)
{
    EntryThread *t = entry_self();

    pthread_mutex_lock(&thread_lock);
    g_free(t->name);
    t->name = g_strdup(name);
    pthread_mutex_unlock(&thread_lock);
    t->wait = wait;
    t->wait_opaque = opaque;
}

void entry_thread_unregister(void)
{
    EntryThread *t = entry_thread_self;

    if (t) {
        pthread_setspecific(thread_key, NULL);
        thread_end(t);
    }
}

/* ---- Guards ---- */

static uint32_t slot_take(void)
{
    uint32_t slot = 0;

    pthread_mutex_lock(&thread_lock);
    if (slots_free && slots_free->len) {
        slot = g_array_index(slots_free, uint32_t, slots_free->len - 1);
        g_array_set_size(slots_free, slots_free->len - 1);
    } else if (slots_used < ENTRY_SLOTS) {
        slot = slots_used++;
    }
    pthread_mutex_unlock(&thread_lock);
    return slot;
}

static void slot_give_back(uint32_t slot)
{
    if (slot == 0) {
        return;
    }
    pthread_mutex_lock(&thread_lock);
    for (EntryThread *t = thread_list; t; t = t->next) {
        row_clear(&t->rows[slot]);
    }
    if (ended_rows) {
        row_clear(&ended_rows[slot]);
    }
    if (!slots_free) {
        slots_free = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    }
    g_array_append_val(slots_free, slot);
    if (slots_free->len == slots_used - 1) {
        /* Not one guard is left: nothing of theirs stays. */
        g_array_free(slots_free, TRUE);
        slots_free = NULL;
        slots_used = 1;
    }
    pthread_mutex_unlock(&thread_lock);
}

void entry_guard_init(EntryGuard *guard, Object *owner, EntryRank rank)
{
    memset(guard, 0, sizeof(*guard));
    guard->owner = owner;
    guard->rank = rank;
    guard->row = slot_take() * sizeof(EntryRow);
}

void entry_guard_destroy(EntryGuard *guard)
{
    g_assert(__atomic_load_n(&guard->holder, __ATOMIC_RELAXED) == 0);
    slot_give_back(guard->row / sizeof(EntryRow));
    guard->row = 0;
}

void entry_guard_counts(const EntryGuard *guard, EntryCounts *out)
{
    EntryRow sum = { 0 };

    pthread_mutex_lock(&thread_lock);
    if (guard->row) {
        for (EntryThread *t = thread_list; t; t = t->next) {
            if (t->rows != ended_rows) {
                row_add(&sum, entry_row(t, guard));
            }
        }
        if (ended_rows) {
            row_add(&sum, &ended_rows[guard->row / sizeof(EntryRow)]);
        }
    }
    pthread_mutex_unlock(&thread_lock);

    *out = (EntryCounts){
        .reads = sum.reads,
        .writes = sum.writes,
        .read_bytes = sum.read_bytes,
        .write_bytes = sum.write_bytes,
        .other = sum.other,
        .nanoseconds = sum.nanoseconds,
        .contended = __atomic_load_n(&guard->contended, __ATOMIC_RELAXED),
        .refused = __atomic_load_n(&guard->refused, __ATOMIC_RELAXED),
    };
}

void entry_guard_add_time(const EntryGuard *guard, uint64_t nanoseconds)
{
    entry_count(&entry_row(entry_self(), guard)->nanoseconds, nanoseconds);
}

/*
 * "PATH (TYPE)", the type alone outside the tree, or a word for a guard without an owner; the
 * caller frees.
 */
static char *guard_name(const EntryGuard *guard)
{
    g_autofree char *path = NULL;

    if (!guard->owner) {
        return g_strdup("a guard without an owner");
    }
    path = object_get_canonical_path(guard->owner);
    return path ? g_strdup_printf("%s (%s)", path, object_get_typename(guard->owner))
                : g_strdup(object_get_typename(guard->owner));
}

static void refuse(EntryGuard *guard)
{
    /* The owner is entered, so it and all above it stay in the tree while the path is written. */
    if (__atomic_fetch_add(&guard->refused, 1, __ATOMIC_RELAXED) == 0) {
        g_autofree char *name = guard_name(guard);

        warn_report("%s was entered again by the thread that is in it: refused", name);
    }
}

#ifdef QOMET_DEBUG_LOCKS
void entry_guard_check_order(const EntryThread *t, const EntryGuard *guard)
{
    for (uint32_t i = 0; i < t->depth; i++) {
        if (t->held[i]->rank > guard->rank || t->depth == ENTRY_HELD_MAX) {
            g_autofree char *inner = guard_name(guard);
            g_autofree char *outer = guard_name(t->held[i]);

            error_report("guards out of order: %s (rank %d) entered from within %s (rank %d)",
                         inner, guard->rank, outer, t->held[i]->rank);
            abort();
        }
    }
}
#endif

/* ---- Waiting ---- */

/*
 * A guard is taken and left by one instruction on its holder. Who finds somebody inside marks that
 * and sleeps here, in one of a few places that guards share.
 */
typedef struct GuardLot {
    pthread_mutex_t lock;
    pthread_cond_t left;
} GuardLot;

#define GUARD_LOTS 16
#define GUARD_SPINS 200

static GuardLot guard_lots[GUARD_LOTS] = {
    [0 ... GUARD_LOTS - 1] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER },
};

static GuardLot *guard_lot(const EntryGuard *guard)
{
    return &guard_lots[(uintptr_t)guard / 64 % GUARD_LOTS];
}

/* Most methods are over sooner than a thread can be put to sleep. */
static bool spin(EntryThread *t, EntryGuard *guard)
{
    for (int i = 0; i < GUARD_SPINS; i++) {
        if (__atomic_load_n(&guard->holder, __ATOMIC_RELAXED) == 0 && guard_try_lock(t, guard)) {
            return true;
        }
        __builtin_ia32_pause();
    }
    return false;
}

bool entry_guard_wait(EntryThread *t, EntryGuard *guard)
{
    GuardLot *lot = guard_lot(guard);
    uintptr_t holder = __atomic_load_n(&guard->holder, __ATOMIC_RELAXED);

    if ((holder & ~GUARD_WAITED) == (uintptr_t)t) {
        refuse(guard);
        return false;
    }
#ifdef QOMET_DEBUG_LOCKS
    entry_guard_check_order(t, guard);
#endif
    __atomic_fetch_add(&guard->contended, 1, __ATOMIC_RELAXED);
    if (spin(t, guard)) {
        return true;
    }
    pthread_mutex_lock(&lot->lock);
    while (!guard_try_lock(t, guard)) {
        holder = __atomic_load_n(&guard->holder, __ATOMIC_RELAXED);
        if (holder && ((holder & GUARD_WAITED) ||
                       __atomic_compare_exchange_n(&guard->holder, &holder, holder | GUARD_WAITED,
                                                   false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))) {
            pthread_cond_wait(&lot->left, &lot->lock);
        }
    }
    /* Others may sleep for this guard as well, and the mark went with the one who left. */
    __atomic_fetch_or(&guard->holder, GUARD_WAITED, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&lot->lock);
    return true;
}

void entry_guard_wake(EntryGuard *guard)
{
    GuardLot *lot = guard_lot(guard);

    /* With the lock: whoever has set the mark sleeps by then. */
    pthread_mutex_lock(&lot->lock);
    pthread_cond_broadcast(&lot->left);
    pthread_mutex_unlock(&lot->lock);
}

/* ---- Entering ---- */

bool entry_enter(EntryGuard *guard)
{
    EntryThread *t = entry_self();

    section_enter(t);
    if (!guard_lock(t, guard)) {
        section_leave(t);
        return false;
    }
    entry_count(&entry_row(t, guard)->other, 1);
    return true;
}

void entry_leave(EntryGuard *guard)
{
    EntryThread *t = entry_thread_self;

    guard_unlock(t, guard);
    section_leave(t);
}

bool entry_inside(const EntryGuard *guard)
{
    const EntryThread *t = entry_thread_self;

    if (!t) {
        return false;
    }
    if (!guard) {
        return t->depth > 0;
    }
    return (__atomic_load_n(&guard->holder, __ATOMIC_RELAXED) & ~GUARD_WAITED) == (uintptr_t)t;
}
