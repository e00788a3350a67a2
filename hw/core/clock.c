/* SPDX-License-Identifier: MIT */
/*
 * The clocks: host time, the calendar, and the virtual clock of the guest, which stands while the
 * machine is stopped and which a test can take into its own hands.
 */
#include <time.h>
#include "hw/core/qdev-int.h"

/*
 * The virtual clock in one word, so that any thread reads it whole: bit 0 says that it runs; above
 * it the time at which it stands, or, while it runs, how far it is ahead of CLOCK_MONOTONIC. 63
 * bits of ns last for 146 years.
 */
static int64_t virtual_clock;
static bool virtual_manual; /* a test moves it; atomic */

/* Where the word ends; no warp goes past it. */
#define VIRTUAL_MAX (INT64_MAX >> 1)

static int64_t host_ns(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return now.tv_sec * NANOSECONDS_PER_SECOND + now.tv_nsec;
}

static inline bool virtual_runs(int64_t word)
{
    return word & 1;
}

static inline int64_t virtual_part(int64_t word)
{
    return word >> 1;
}

static inline bool is_manual(void)
{
    return __atomic_load_n(&virtual_manual, __ATOMIC_ACQUIRE);
}

static void set_manual(bool manual)
{
    __atomic_store_n(&virtual_manual, manual, __ATOMIC_RELEASE);
}

static void virtual_set(int64_t part, bool running)
{
    __atomic_store_n(&virtual_clock, (int64_t)((uint64_t)part << 1) | running, __ATOMIC_RELEASE);
}

int64_t qemu_clock_get_ns(QEMUClockType type)
{
    int64_t word;

    switch (type) {
    case QEMU_CLOCK_VIRTUAL:
        word = __atomic_load_n(&virtual_clock, __ATOMIC_ACQUIRE);
        return virtual_part(word) + (virtual_runs(word) ? host_ns(CLOCK_MONOTONIC) : 0);
    case QEMU_CLOCK_HOST:
        return host_ns(CLOCK_REALTIME);
    default:
        return host_ns(CLOCK_MONOTONIC);
    }
}

bool clock_runs(QEMUClockType type)
{
    return type != QEMU_CLOCK_VIRTUAL || is_manual() ||
           virtual_runs(__atomic_load_n(&virtual_clock, __ATOMIC_ACQUIRE));
}

int64_t clock_host_deadline(QEMUClockType type, int64_t ns)
{
    int64_t wait, host;

    if (ns == INT64_MAX || !clock_runs(type)) {
        return INT64_MAX;
    }
    wait = ns - qemu_clock_get_ns(type);
    if (wait <= 0) {
        return 1;
    }
    if (type == QEMU_CLOCK_VIRTUAL && is_manual()) {
        return INT64_MAX;
    }
    return __builtin_add_overflow(host_ns(CLOCK_MONOTONIC), wait, &host) ? INT64_MAX : host;
}

void qemu_clock_virtual_run(bool run)
{
    int64_t word = __atomic_load_n(&virtual_clock, __ATOMIC_RELAXED);

    if (is_manual() || virtual_runs(word) == run) {
        return;
    }
    if (run) {
        virtual_set(virtual_part(word) - host_ns(CLOCK_MONOTONIC), true);
    } else {
        virtual_set(virtual_part(word) + host_ns(CLOCK_MONOTONIC), false);
    }
    timers_rearm();
}

void qemu_clock_virtual_manual(void)
{
    qemu_clock_virtual_run(false);
    set_manual(true);
    timers_rearm();
}

void qemu_clock_warp_to(int64_t ns)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL), due;

    if (!is_manual()) {
        return;
    }
    ns = MIN(ns, VIRTUAL_MAX);
    while ((due = timers_first(QEMU_CLOCK_VIRTUAL)) <= ns) {
        now = MAX(now, due);
        virtual_set(now, false);
        if (timers_fire_one(QEMU_CLOCK_VIRTUAL, now) != TIMERS_FIRED) {
            break;
        }
    }
    virtual_set(MAX(now, ns), false);
    timers_rearm();
}

void clocks_init(void)
{
    set_manual(false);
    virtual_set(0, false);
    timers_init();
}

void clocks_cleanup(void)
{
    timers_cleanup();
    set_manual(false);
    virtual_set(0, false);
}
