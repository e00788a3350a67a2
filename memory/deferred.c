/* SPDX-License-Identifier: MIT */
/*
 * What a thread puts off until it has left its outermost device: deliveries to other devices, which
 * run here, and changes of the map, which the main thread makes while this one waits.
 */
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <qomet/memory/main-work.h>
#include "memory/entry-int.h"

struct MainCall {
    MainCall *next;
    void (*fn)(Object *owner, void *opaque);
    Object *owner, *kept; /* @kept: in whose memory @owner lives, referenced */
    void *opaque;
    uint32_t done; /* atomic; a futex, so that a wait hook may sleep on it */
};

/* Runs all that is deferred, and what that defers. Inside a section. */
static void run_deferred(EntryThread *t)
{
    while (t->deferred) {
        EntryDeferred *d = t->deferred;

        t->deferred = d->next;
        if (!t->deferred) {
            t->deferred_tail = &t->deferred;
        }
        /* An exchange, so that fn() sees what was stored by whoever found the flag set. */
        __atomic_exchange_n(&d->queued, 0, __ATOMIC_ACQ_REL);
        d->fn(d);
    }
}

void entry_defer(EntryDeferred *d)
{
    EntryThread *t = entry_self();

    if (__atomic_exchange_n(&d->queued, 1, __ATOMIC_ACQ_REL)) {
        return;
    }
    section_enter(t);
    d->next = NULL;
    *t->deferred_tail = d;
    t->deferred_tail = &d->next;
    t->pending = true;
    section_leave(t);
}

static void main_call_do(MainCall *call)
{
    call->fn(call->owner, call->opaque);
    object_unref(call->kept);
}

static void main_call_run(void *opaque)
{
    MainCall *call = opaque;
    uint32_t *done = &call->done;

    main_call_do(call);
    /*
     * The waiter may be gone as soon as this is seen; a wake on memory that is no longer its own
     * does no harm.
     */
    __atomic_store_n(done, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, done, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
}

/* Outside sections: has the main thread do @call, and waits. */
static void main_call_wait(EntryThread *t, MainCall *call)
{
    if (main_work_is_main()) {
        main_call_do(call);
        return;
    }
    main_work_post(main_call_run, call);
    while (!__atomic_load_n(&call->done, __ATOMIC_ACQUIRE)) {
        if (t->wait) {
            t->wait(&call->done, t->wait_opaque);
        } else {
            syscall(SYS_futex, &call->done, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0);
        }
    }
}

void entry_call_main(Object *owner, void (*fn)(Object *owner, void *opaque), void *opaque)
{
    EntryThread *t = entry_self();
    Object *kept = owner ? object_ref_memory(owner) : NULL;

    if (t->nest == 0) {
        MainCall call = { .fn = fn, .owner = owner, .kept = kept, .opaque = opaque };

        main_call_wait(t, &call);
    } else {
        MainCall *call = g_new0(MainCall, 1);

        *call = (MainCall){ .fn = fn, .owner = owner, .kept = kept, .opaque = opaque };
        *t->calls_tail = call;
        t->calls_tail = &call->next;
        t->pending = true;
    }
}

/*
 * A deferred delivery runs inside the section in which it was put off: so it is over when the main
 * thread has waited for sections after it took the map, the line or the timer away that led here. A
 * call to the main thread must not, since that may wait for sections.
 */
void entry_drain(EntryThread *t)
{
    run_deferred(t);
    t->nest = 0;
    __atomic_store_n(&t->section, 0, __ATOMIC_RELEASE);
    if (t->draining) {
        return;
    }
    t->draining = true;
    while (t->calls) {
        MainCall *call = t->calls;

        t->calls = call->next;
        if (!t->calls) {
            t->calls_tail = &t->calls;
        }
        main_call_wait(t, call);
        g_free(call);
    }
    t->draining = false;
    t->pending = false;
}
