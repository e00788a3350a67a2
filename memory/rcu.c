/* SPDX-License-Identifier: MIT */
/*
 * Grace periods. Readers pay two plain stores; the one writer pays for both with membarrier(),
 * which makes every running thread of the process pass a memory barrier.
 */
#include <errno.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <qomet/memory/main-work.h>
#include <qomet/qom/log.h>
#include "memory/rcu-int.h"

typedef struct Retired {
    struct Retired *next;
    void (*fn)(void *ptr);
    void *ptr;
} Retired;

RcuState rcu_state = { .epoch = 1, .fenced = true };

static pthread_mutex_t retired_lock = PTHREAD_MUTEX_INITIALIZER;
static Retired *retired_list; /* newest first */
static bool retired_posted;   /* retired_work() is queued */

static int membarrier(int command)
{
    return (int)syscall(SYS_membarrier, command, 0, 0);
}

void rcu_init(void)
{
    /* ThreadSanitizer does not see what membarrier() orders. */
#ifndef THREAD_SANITIZER
    rcu_state.fenced = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0;
#endif
}

static void barrier_everywhere(void)
{
    /* A process that was forked may have to ask for it once more. */
    if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0 &&
        (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0 ||
         membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0)) {
        g_error("membarrier: %s", g_strerror(errno));
    }
}

static void retired_work(void *opaque)
{
    (void)opaque;
    pthread_mutex_lock(&retired_lock);
    retired_posted = false;
    pthread_mutex_unlock(&retired_lock);
    entry_synchronize();
}

/* With the lock held: has the main loop come back to the list. */
static void retired_post(void)
{
    if (!retired_posted) {
        retired_posted = true;
        main_work_post(retired_work, NULL);
    }
}

static void retired_push(void (*fn)(void *ptr), void *ptr, bool post)
{
    Retired *r = g_new(Retired, 1);

    r->fn = fn;
    r->ptr = ptr;
    pthread_mutex_lock(&retired_lock);
    r->next = retired_list;
    retired_list = r;
    if (post) {
        retired_post();
    }
    pthread_mutex_unlock(&retired_lock);
}

void rcu_retire_later(void (*fn)(void *ptr), void *ptr)
{
    retired_push(fn, ptr, false);
}

void rcu_retire(void (*fn)(void *ptr), void *ptr)
{
    bool at_once = main_work_is_main() && entry_self()->nest == 0;

    retired_push(fn, ptr, !at_once);
    if (at_once) {
        entry_synchronize();
    }
}

/* Whether @t is outside, or in a section that began after the epoch *@opaque did. */
static bool section_is_past(EntryThread *t, void *opaque)
{
    uint64_t section = __atomic_load_n(&t->section, __ATOMIC_SEQ_CST);

    return t == entry_thread_self || section == 0 || section >= *(uint64_t *)opaque;
}

static bool thread_is_self(EntryThread *t, void *opaque)
{
    (void)opaque;
    return t == entry_thread_self;
}

static void wait_for_sections(uint64_t epoch)
{
    /*
     * Most sections are over in well under a microsecond; one that waits for a device's lock may
     * take long.
     */
    for (unsigned round = 0; !entry_thread_foreach(section_is_past, &epoch); round++) {
        if (round < 64) {
            __builtin_ia32_pause();
        } else if (round < 96) {
            sched_yield();
        } else {
            nanosleep(&(struct timespec){ .tv_nsec = 20000 }, NULL);
        }
    }
}

void entry_synchronize(void)
{
    EntryThread *self = entry_self();
    uint64_t epoch = rcu_state.epoch + 1;
    Retired *list;

    if (self->depth) {
        warn_report("the memory map was changed by the main thread from within a device: "
                    "such a change goes through entry_call_main()");
#ifdef QOMET_DEBUG_LOCKS
        abort();
#endif
    }
    pthread_mutex_lock(&retired_lock);
    if (self->nest && retired_list) {
        /* This thread may be reading what it has retired itself. */
        retired_post();
        list = NULL;
    } else {
        list = retired_list;
        retired_list = NULL;
    }
    pthread_mutex_unlock(&retired_lock);

    if (!self->depth && !entry_thread_foreach(thread_is_self, NULL)) {
        __atomic_store_n(&rcu_state.epoch, epoch, __ATOMIC_SEQ_CST);
        if (!rcu_state.fenced) {
            barrier_everywhere();
        }
        wait_for_sections(epoch);
    }

    while (list) {
        Retired *r = list;

        list = r->next;
        r->fn(r->ptr);
        g_free(r);
    }
}
