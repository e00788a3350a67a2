/* SPDX-License-Identifier: MIT */
/*
 * What the tests of locks share: two threads that do something at once while the main thread does
 * something else.
 */
#ifndef QOMET_TESTS_UNIT_TWO_THREADS_H
#define QOMET_TESTS_UNIT_TWO_THREADS_H

#include <pthread.h>
#include <qomet/memory/entry.h>
#include <sched.h>
#include "tests/test.h"

#define TURNS 1000

typedef struct Two {
    pthread_t threads[2];
    pthread_barrier_t both;
    uint32_t running; /* atomic */
    void (*fn)(unsigned number, void *opaque);
    void *opaque;
} Two;

typedef struct One {
    Two *two;
    unsigned number;
} One;

static uint32_t turns[2]; /* that each thread has taken; atomic, and relaxed: it orders nothing */

/* After each turn: waits for the other thread, so that on a busy host too neither is over before the other begins. */
static G_GNUC_UNUSED void keep_pace(unsigned number)
{
    uint32_t mine = __atomic_add_fetch(&turns[number], 1, __ATOMIC_RELAXED);

    while (__atomic_load_n(&turns[!number], __ATOMIC_RELAXED) + 10 < mine) {
        sched_yield();
    }
}

static void *one_main(void *opaque)
{
    One *one = opaque;
    Two *two = one->two;

    /* Nothing that both threads do at their start or end may order what they do in between. */
    entry_thread_register("one of two", NULL, NULL);
    pthread_barrier_wait(&two->both);
    two->fn(one->number, two->opaque);
    __atomic_fetch_sub(&two->running, 1, __ATOMIC_RELEASE);
    pthread_barrier_wait(&two->both);
    entry_thread_unregister();
    g_free(one);
    return NULL;
}

/* Calls @fn in two threads at once, with 0 and 1. */
static G_GNUC_UNUSED void two_begin(Two *two, void (*fn)(unsigned number, void *opaque),
                                    void *opaque)
{
    turns[0] = turns[1] = 0;
    *two = (Two){ .fn = fn, .opaque = opaque, .running = 2 };
    assert_int_equal(pthread_barrier_init(&two->both, NULL, 2), 0);
    for (unsigned i = 0; i < 2; i++) {
        One *one = g_new(One, 1);

        *one = (One){ two, i };
        assert_int_equal(pthread_create(&two->threads[i], NULL, one_main, one), 0);
    }
}

static G_GNUC_UNUSED bool two_run(Two *two)
{
    return __atomic_load_n(&two->running, __ATOMIC_ACQUIRE) > 0;
}

static G_GNUC_UNUSED void two_end(Two *two)
{
    pthread_join(two->threads[0], NULL);
    pthread_join(two->threads[1], NULL);
    pthread_barrier_destroy(&two->both);
}

#endif
