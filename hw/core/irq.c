/* SPDX-License-Identifier: MIT */
/*
 * One interrupt line: its level, and how a change reaches the handler at its end - at once for
 * controllers and combiners, put off until this thread has left its devices for any other. No lock
 * is taken here.
 */
#include <time.h>
#include "hw/core/qdev-int.h"
#include "qom/probe.h"

/* How many lines may pass a change on within one call, so that a ring of combiners ends. */
#define IRQ_CHAIN_MAX 32
/* How many lines one change may set: a ring that splits would double them at each turn. */
#define IRQ_CHANGES_MAX 16384

typedef struct IRQObserver {
    qemu_irq_handler fn;
    void *opaque;
    int n;
} IRQObserver;

struct IRQState {
    Object parent_obj;
    qemu_irq_handler handler;
    void *opaque;
    int n;
    EntryGuard *guard; /* of the device at the end; NULL: the handler runs at once */
    qemu_irq target;   /* of an inverted line: referenced */

    /*
     * Atomic: the level in the low half; in the high half the level to which the line has risen
     * since the handler saw it last, or 0. So a pulse that begins and ends before the delivery is
     * still seen.
     */
    uint64_t state;
    int delivered; /* what the handler was called with last; a deferred one's only inside @guard */

    uint32_t live;      /* atomic: the handler may be called */
    uint32_t users;     /* atomic: threads that may be in the handler or the observer */
    uint32_t scheduled; /* atomic: a delivery is to come; it holds a reference */
    EntryDeferred deferred;
    qemu_irq next;         /* in the chain of the thread that has set @scheduled */
    IRQObserver *observer; /* atomic */
};

/* What the calls of qemu_set_irq() on this thread have in common. */
static __thread struct {
    unsigned depth;
    unsigned changes;     /* lines set since the outermost call began */
    qemu_irq first, last; /* deliveries to hand over when the outermost call ends */
} chain;

static inline int state_level(uint64_t state)
{
    return (int)(uint32_t)state;
}

static inline int level_now(qemu_irq irq)
{
    return state_level(__atomic_load_n(&irq->state, __ATOMIC_SEQ_CST));
}

int qemu_irq_level(qemu_irq irq)
{
    return irq ? level_now(irq) : 0;
}

static void store_level(qemu_irq irq, int level)
{
    uint64_t old = __atomic_load_n(&irq->state, __ATOMIC_RELAXED);
    uint64_t new;

    do {
        uint64_t peak = old >> 32;

        if (level != 0 && (peak != 0 || state_level(old) == 0)) {
            peak = (uint32_t)level;
        }
        new = peak << 32 | (uint32_t)level;
    } while (!__atomic_compare_exchange_n(&irq->state, &old, new, true, __ATOMIC_SEQ_CST,
                                          __ATOMIC_RELAXED));
}

/* ---- Who is in the handler ------------------------------------------------------------------- */

/*
 * The user counts itself before it looks whether the line is live, the other side withdraws that
 * before it looks at the count: with sequential consistency one of the two sees the other.
 */
static inline void users_enter(qemu_irq irq)
{
    __atomic_fetch_add(&irq->users, 1, __ATOMIC_SEQ_CST);
}

static inline void users_leave(qemu_irq irq)
{
    __atomic_fetch_sub(&irq->users, 1, __ATOMIC_RELEASE);
}

static void users_wait(qemu_irq irq)
{
    const struct timespec pause = { .tv_nsec = 20000 };

    while (__atomic_load_n(&irq->users, __ATOMIC_SEQ_CST) != 0) {
        nanosleep(&pause, NULL);
    }
}

static inline bool is_live(qemu_irq irq)
{
    return __atomic_load_n(&irq->live, __ATOMIC_SEQ_CST) != 0;
}

/* ---- Delivery put off ------------------------------------------------------------------------ */

/*
 * Shows the handler what happened since it was called last: a rise if there was one, the level as
 * it is now last.
 */
static void replay(qemu_irq irq)
{
    uint64_t state = __atomic_fetch_and(&irq->state, UINT32_MAX, __ATOMIC_SEQ_CST);
    int level = state_level(state), peak = (int)(uint32_t)(state >> 32);

    if (peak != 0 && irq->delivered != 0) {
        irq->handler(irq->opaque, irq->n, 0);
    }
    if (peak != 0 && peak != level) {
        irq->handler(irq->opaque, irq->n, peak);
    }
    irq->handler(irq->opaque, irq->n, level);
    irq->delivered = level;
}

static void deliver(EntryDeferred *deferred)
{
    qemu_irq irq = (qemu_irq)((char *)deferred - offsetof(IRQState, deferred));
    EntryGuard *guard = irq->guard;

    /* Cleared first: a change from now on brings a delivery of its own. */
    __atomic_exchange_n(&irq->scheduled, 0, __ATOMIC_SEQ_CST);
    users_enter(irq);
    if (is_live(irq) && entry_enter(guard)) {
        if (is_live(irq)) {
            replay(irq);
        }
        /* Before leaving, which may wait for main, which may wait for us. */
        users_leave(irq);
        entry_leave(guard);
    } else {
        users_leave(irq);
    }
    object_unref(irq);
}

static void schedule(qemu_irq irq)
{
    if (__atomic_exchange_n(&irq->scheduled, 1, __ATOMIC_SEQ_CST) != 0) {
        return;
    }
    object_ref(irq);
    irq->next = NULL;
    if (chain.last) {
        chain.last->next = irq;
    } else {
        chain.first = irq;
    }
    chain.last = irq;
}

/*
 * Outside of every handler that runs at once, so that nobody who waits for those waits for a
 * device.
 */
static void hand_over(void)
{
    qemu_irq irq;

    while ((irq = chain.first)) {
        chain.first = irq->next;
        if (!chain.first) {
            chain.last = NULL;
        }
        entry_defer(&irq->deferred);
    }
}

/* ---- Setting --------------------------------------------------------------------------------- */

static char *line_name(qemu_irq irq)
{
    char *path = object_get_canonical_path(OBJECT(irq));

    return path ? path : g_strdup("a line without a name");
}

static void G_GNUC_NO_INLINE log_set(qemu_irq irq, int level)
{
    g_autofree char *name = line_name(irq);

    qemu_log("irq: %s <- %d\n", name, level);
}

static void G_GNUC_NO_INLINE log_ring(qemu_irq irq)
{
    static LogLimit limit;
    g_autofree char *name = NULL;

    if (qemu_log_limit(&limit)) {
        name = line_name(irq);
        error_report("the interrupt lines from %s on form a ring%s: a change is not passed on",
                     name, chain.depth < IRQ_CHAIN_MAX ? ", or are too many" : "");
    }
}

static void observe(qemu_irq irq, int level)
{
    const IRQObserver *observer = __atomic_load_n(&irq->observer, __ATOMIC_SEQ_CST);

    if (observer) {
        observer->fn(observer->opaque, observer->n, level);
    }
}

static void call_direct(qemu_irq irq, int level)
{
    __atomic_store_n(&irq->delivered, level, __ATOMIC_RELAXED);
    irq->handler(irq->opaque, irq->n, level);
}

void qemu_set_irq(qemu_irq irq, int level)
{
    if (!irq) {
        return;
    }
    QOMET_PROBE3(irq, irq, irq->n, level);
    if (G_UNLIKELY(qemu_loglevel_mask(LOG_IRQ))) {
        log_set(irq, level);
    }
    chain.changes = chain.depth ? chain.changes + 1 : 0;
    if (G_UNLIKELY(chain.depth == IRQ_CHAIN_MAX || chain.changes > IRQ_CHANGES_MAX)) {
        __atomic_store_n(&irq->state, (uint32_t)level, __ATOMIC_SEQ_CST);
        log_ring(irq);
        return;
    }
    chain.depth++;
    if (irq->guard) {
        store_level(irq, level);
        users_enter(irq);
        observe(irq, level);
        users_leave(irq);
        schedule(irq);
    } else {
        __atomic_store_n(&irq->state, (uint32_t)level, __ATOMIC_SEQ_CST);
        users_enter(irq);
        observe(irq, level);
        if (is_live(irq)) {
            call_direct(irq, level);
        }
        users_leave(irq);
    }
    if (--chain.depth == 0 && chain.first) {
        hand_over();
    }
}

void qemu_irq_set_observer(qemu_irq irq, qemu_irq_handler fn, void *opaque, int n)
{
    IRQObserver *new = NULL, *old;

    if (!irq) {
        return;
    }
    if (fn) {
        new = g_new(IRQObserver, 1);
        *new = (IRQObserver){ .fn = fn, .opaque = opaque, .n = n };
    }
    old = __atomic_exchange_n(&irq->observer, new, __ATOMIC_SEQ_CST);
    if (old) {
        users_wait(irq);
        g_free(old);
    }
}

/* ---- Making ---------------------------------------------------------------------------------- */

qemu_irq irq_new(qemu_irq_handler handler, void *opaque, int n, EntryGuard *guard)
{
    qemu_irq irq = IRQ(object_new(TYPE_IRQ));

    irq->handler = handler;
    irq->opaque = opaque;
    irq->n = n;
    irq->guard = guard;
    irq->deferred.fn = deliver;
    return irq;
}

void irq_resume(qemu_irq irq, bool fresh)
{
    if (is_live(irq)) {
        return;
    }
    if (fresh) {
        /* A pulse that came and went while nobody was there is gone. */
        __atomic_fetch_and(&irq->state, UINT32_MAX, __ATOMIC_SEQ_CST);
        __atomic_store_n(&irq->delivered, 0, __ATOMIC_RELAXED);
    }
    __atomic_store_n(&irq->live, 1, __ATOMIC_SEQ_CST);
    if (irq->guard) {
        uint64_t state = __atomic_load_n(&irq->state, __ATOMIC_SEQ_CST);

        if (state >> 32 || state_level(state) != 0 || !fresh) {
            schedule(irq);
            hand_over();
        }
    } else {
        /*
         * Another thread may set the line while we tell of the level that it had: then of the newer
         * one too.
         */
        while (level_now(irq) != __atomic_load_n(&irq->delivered, __ATOMIC_RELAXED)) {
            call_direct(irq, level_now(irq));
        }
    }
}

void irq_suspend(qemu_irq irq)
{
    __atomic_store_n(&irq->live, 0, __ATOMIC_SEQ_CST);
    users_wait(irq);
}

qemu_irq qemu_allocate_irq(qemu_irq_handler handler, void *opaque, int n)
{
    return qemu_allocate_irq_deferred(handler, opaque, n, NULL);
}

qemu_irq qemu_allocate_irq_deferred(qemu_irq_handler handler, void *opaque, int n,
                                    EntryGuard *guard)
{
    qemu_irq irq = irq_new(handler, opaque, n, guard);

    irq_resume(irq, true);
    return irq;
}

static void pass_inverted(void *opaque, int n, int level)
{
    (void)n;
    qemu_set_irq(opaque, !level);
}

qemu_irq qemu_irq_invert(qemu_irq irq)
{
    qemu_irq inverted = qemu_allocate_irq(pass_inverted, irq, 0);

    inverted->target = (qemu_irq)object_ref(irq);
    qemu_set_irq(irq, 1);
    return inverted;
}

static void irq_finalize(Object *obj)
{
    qemu_irq irq = IRQ(obj);

    g_free(irq->observer);
    object_unref(irq->target);
}

static const TypeInfo irq_types[] = {
    {
        .name = TYPE_IRQ,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(IRQState),
        .instance_finalize = irq_finalize,
    },
};
DEFINE_TYPES(irq_types)
