/* SPDX-License-Identifier: MIT */
/*
 * Timers: a heap by moment for each clock, one host timer behind them all. A callback runs on the
 * main thread, inside the guard of its timer.
 */
#include <pthread.h>
#include <qomet/backends/loop.h>
#include "hw/core/qdev-int.h"

/* A timer fires at most once in this many ns, however often it is set to a moment that has passed.
 */
#define TIMER_FLOOR_NS 1000
/* Callbacks run in one round of the main loop; then other sources have their turn. */
#define TIMERS_A_ROUND 64
/* When a timer could not be entered, the next try. */
#define TIMER_RETRY_NS INT64_C(1000000)

/* The first timer is at [1]; children of [i] at [2i] and [2i+1]. */
typedef struct TimerHeap {
    QEMUTimer **at;
    uint32_t n, room;
} TimerHeap;

/*
 * The timers of this process: any thread sets them, so they are behind one lock, held for a few
 * loads only.
 */
static struct {
    pthread_mutex_t lock;
    TimerHeap heap[QEMU_CLOCK_MAX];
    uint64_t sequence; /* orders timers of one moment */
    LoopTimer *host;   /* NULL before timers_init() */
    int64_t host_ns;   /* what it is set to */
    bool firing;       /* main is in a round and sets the host timer at its end */
} timers = { .lock = PTHREAD_MUTEX_INITIALIZER, .host_ns = INT64_MAX };

/* ---- The heap (under the lock) --------------------------------------------------------------- */

static bool earlier(const QEMUTimer *a, const QEMUTimer *b)
{
    return a->expire_ns < b->expire_ns ||
           (a->expire_ns == b->expire_ns && a->sequence < b->sequence);
}

static void heap_put(TimerHeap *heap, uint32_t i, QEMUTimer *ts)
{
    heap->at[i] = ts;
    ts->heap_index = i;
}

static void heap_sift(TimerHeap *heap, uint32_t i, QEMUTimer *ts)
{
    while (i > 1 && earlier(ts, heap->at[i / 2])) {
        heap_put(heap, i, heap->at[i / 2]);
        i /= 2;
    }
    for (;;) {
        uint32_t child = 2 * i;

        if (child < heap->n && earlier(heap->at[child + 1], heap->at[child])) {
            child++;
        }
        if (child > heap->n || !earlier(heap->at[child], ts)) {
            break;
        }
        heap_put(heap, i, heap->at[child]);
        i = child;
    }
    heap_put(heap, i, ts);
}

static void heap_add(TimerHeap *heap, QEMUTimer *ts)
{
    if (heap->n + 1 >= heap->room) {
        heap->room = MAX(16, heap->room * 2);
        heap->at = g_renew(QEMUTimer *, heap->at, heap->room);
    }
    heap->n++;
    heap_sift(heap, heap->n, ts);
}

static void heap_remove(TimerHeap *heap, QEMUTimer *ts)
{
    uint32_t i = ts->heap_index;
    QEMUTimer *last = heap->at[heap->n--];

    ts->heap_index = 0;
    if (last != ts) {
        heap_sift(heap, i, last);
    }
}

static inline QEMUTimer *heap_first(const TimerHeap *heap)
{
    return heap->n ? heap->at[1] : NULL;
}

static void unset(QEMUTimer *ts)
{
    if (ts->heap_index) {
        heap_remove(&timers.heap[ts->clock], ts);
        __atomic_store_n(&ts->expire_ns, -1, __ATOMIC_RELEASE);
    }
}

/* ---- The host's timer (under the lock) ------------------------------------------------------- */

/* A later moment is left alone: that the host's timer fires for nothing costs less. */
static void set_host(int64_t deadline)
{
    if (timers.host && !timers.firing && deadline < timers.host_ns) {
        timers.host_ns = deadline;
        loop_timer_set(timers.host, deadline);
    }
}

static int64_t host_deadline(void)
{
    int64_t deadline = INT64_MAX;

    for (int type = 0; type < QEMU_CLOCK_MAX; type++) {
        const QEMUTimer *first = heap_first(&timers.heap[type]);

        if (first) {
            deadline = MIN(deadline, clock_host_deadline(type, first->expire_ns));
        }
    }
    return deadline;
}

void timers_rearm(void)
{
    pthread_mutex_lock(&timers.lock);
    set_host(host_deadline());
    pthread_mutex_unlock(&timers.lock);
}

/* ---- Firing (main thread) -------------------------------------------------------------------- */

/*
 * Whether @ts is the first of @type, due, and to be entered through @guard. Looks into it only if
 * it is queued.
 */
static bool is_due(QEMUClockType type, const QEMUTimer *ts, const EntryGuard *guard, int64_t now)
{
    return heap_first(&timers.heap[type]) == ts && ts->guard == guard && ts->expire_ns <= now;
}

TimersFired timers_fire_one(QEMUClockType type, int64_t now)
{
    QEMUTimer *ts;
    EntryGuard *guard = NULL;
    QEMUTimerCB *cb = NULL;
    void *opaque = NULL;

    pthread_mutex_lock(&timers.lock);
    ts = heap_first(&timers.heap[type]);
    if (!ts || ts->expire_ns > now) {
        pthread_mutex_unlock(&timers.lock);
        return TIMERS_NONE_DUE;
    }
    guard = ts->guard;
    pthread_mutex_unlock(&timers.lock);

    if (guard && !entry_enter(guard)) {
        return TIMERS_REFUSED;
    }
    /*
     * While we waited, a thread inside the device may have unset, moved or freed it: only now it is
     * taken off.
     */
    pthread_mutex_lock(&timers.lock);
    if (is_due(type, ts, guard, now)) {
        unset(ts);
        ts->last_ns = qemu_clock_get_ns(type);
        cb = ts->cb;
        opaque = ts->opaque;
    }
    pthread_mutex_unlock(&timers.lock);
    if (cb) {
        cb(opaque);
    }
    if (guard) {
        entry_leave(guard);
    }
    return TIMERS_FIRED;
}

/* What is due on @type now, @left callbacks at most. False when one could not be entered. */
static bool run_clock(QEMUClockType type, unsigned *left)
{
    int64_t now = qemu_clock_get_ns(type);

    for (; *left > 0 && clock_runs(type); (*left)--) {
        TimersFired fired = timers_fire_one(type, now);

        if (fired != TIMERS_FIRED) {
            return fired == TIMERS_NONE_DUE;
        }
    }
    return true;
}

static void run_round(void *opaque)
{
    unsigned left = TIMERS_A_ROUND;
    bool entered = true;
    int64_t deadline;

    (void)opaque;
    pthread_mutex_lock(&timers.lock);
    timers.host_ns = INT64_MAX;
    timers.firing = true;
    pthread_mutex_unlock(&timers.lock);

    for (int type = 0; type < QEMU_CLOCK_MAX; type++) {
        entered = run_clock(type, &left) && entered;
    }

    pthread_mutex_lock(&timers.lock);
    timers.firing = false;
    deadline = host_deadline();
    if (!entered) {
        deadline = MAX(deadline, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + TIMER_RETRY_NS);
    }
    set_host(deadline);
    pthread_mutex_unlock(&timers.lock);
}

/* ---- What devices call ----------------------------------------------------------------------- */

void timer_init_ns(QEMUTimer *ts, QEMUClockType type, QEMUTimerCB *cb, void *opaque,
                   EntryGuard *guard)
{
    *ts = (QEMUTimer){ .expire_ns = -1,
                       .cb = cb,
                       .opaque = opaque,
                       .guard = guard,
                       .clock = type,
                       .last_ns = INT64_MIN };
}

QEMUTimer *timer_new_ns(QEMUClockType type, QEMUTimerCB *cb, void *opaque, EntryGuard *guard)
{
    QEMUTimer *ts = g_new(QEMUTimer, 1);

    timer_init_ns(ts, type, cb, opaque, guard);
    qdev_undo_adopt_timer(guard, ts);
    return ts;
}

void timer_free(QEMUTimer *ts)
{
    if (ts) {
        timer_del(ts);
        qdev_undo_disown_timer(ts->guard, ts);
        g_free(ts);
    }
}

/* @expire_ns, or as soon as @ts may fire again; a clock that was set back since has no floor. */
static int64_t not_too_soon(const QEMUTimer *ts, int64_t expire_ns)
{
    if (expire_ns < ts->last_ns + TIMER_FLOOR_NS && ts->last_ns <= qemu_clock_get_ns(ts->clock)) {
        return ts->last_ns + TIMER_FLOOR_NS;
    }
    return expire_ns;
}

static void set(QEMUTimer *ts, int64_t expire_ns, bool only_earlier)
{
    TimerHeap *heap = &timers.heap[ts->clock];

    pthread_mutex_lock(&timers.lock);
    expire_ns = not_too_soon(ts, MAX(expire_ns, 0));
    if (!only_earlier || !ts->heap_index || expire_ns < ts->expire_ns) {
        if (ts->heap_index) {
            heap_remove(heap, ts);
        }
        __atomic_store_n(&ts->expire_ns, expire_ns, __ATOMIC_RELEASE);
        ts->sequence = timers.sequence++;
        heap_add(heap, ts);
        if (heap_first(heap) == ts) {
            set_host(clock_host_deadline(ts->clock, expire_ns));
        }
    }
    pthread_mutex_unlock(&timers.lock);
}

void timer_mod(QEMUTimer *ts, int64_t expire_ns)
{
    set(ts, expire_ns, false);
}

void timer_mod_anticipate(QEMUTimer *ts, int64_t expire_ns)
{
    set(ts, expire_ns, true);
}

void timer_del(QEMUTimer *ts)
{
    pthread_mutex_lock(&timers.lock);
    unset(ts);
    pthread_mutex_unlock(&timers.lock);
}

bool timer_pending(const QEMUTimer *ts)
{
    return __atomic_load_n(&ts->expire_ns, __ATOMIC_ACQUIRE) >= 0;
}

/* ---- For clock.c and the device -------------------------------------------------------------- */

int64_t timers_first(QEMUClockType type)
{
    const QEMUTimer *first;
    int64_t ns;

    pthread_mutex_lock(&timers.lock);
    first = heap_first(&timers.heap[type]);
    ns = first ? first->expire_ns : INT64_MAX;
    pthread_mutex_unlock(&timers.lock);
    return ns;
}

int64_t qemu_clock_deadline_ns(QEMUClockType type)
{
    int64_t first = timers_first(type);

    return first == INT64_MAX ? INT64_MAX : MAX(0, first - qemu_clock_get_ns(type));
}

void timers_forget(const EntryGuard *guard)
{
    pthread_mutex_lock(&timers.lock);
    for (int type = 0; type < QEMU_CLOCK_MAX; type++) {
        TimerHeap *heap = &timers.heap[type];
        uint32_t i = 1;

        while (i <= heap->n) {
            if (heap->at[i]->guard == guard) {
                /* Another comes to this place, or an earlier one to a place passed: begin again. */
                unset(heap->at[i]);
                i = 1;
            } else {
                i++;
            }
        }
    }
    pthread_mutex_unlock(&timers.lock);
}

void timers_init(void)
{
    LoopTimer *host = loop_timer_new(run_round, NULL);

    pthread_mutex_lock(&timers.lock);
    timers.host = host;
    set_host(host_deadline());
    pthread_mutex_unlock(&timers.lock);
}

void timers_cleanup(void)
{
    pthread_mutex_lock(&timers.lock);
    loop_timer_free(timers.host);
    timers.host = NULL;
    timers.host_ns = INT64_MAX;
    for (int type = 0; type < QEMU_CLOCK_MAX; type++) {
        while (timers.heap[type].n) {
            unset(timers.heap[type].at[1]);
        }
        g_clear_pointer(&timers.heap[type].at, g_free);
        timers.heap[type].room = 0;
    }
    pthread_mutex_unlock(&timers.lock);
}
