/* SPDX-License-Identifier: MIT */
/*
 * The timer of a local APIC (Intel SDM vol. 3, 11.5.4). It counts at 1 GHz; it has no TSC deadline,
 * which CPUID says. Nothing is counted: it knows when it began.
 */
#include "hw/intc/apic-int.h"

#define LVT_PERIODIC 0x20000u

/* Of one count, in ns (SDM vol. 3, figure 11-10). */
static uint64_t count_ns(const APICState *s)
{
    const unsigned value = (s->divide & 3) | (s->divide >> 1 & 4);

    return UINT64_C(1) << ((value + 1) & 7);
}

uint32_t apic_current_count(const APICState *s)
{
    const uint64_t passed =
        (uint64_t)(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) - s->begun_ns) / count_ns(s);

    if (!s->initial_count) {
        return 0;
    }
    if (s->lvt[APIC_LVT_TIMER] & LVT_PERIODIC) {
        return s->initial_count - (uint32_t)(passed % s->initial_count);
    }
    return passed >= s->initial_count ? 0 : s->initial_count - (uint32_t)passed;
}

void apic_arm(APICState *s)
{
    const int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    const int64_t period = (int64_t)(s->initial_count * count_ns(s));

    s->due_ns = -1;
    if (period && now < s->begun_ns + period) {
        s->due_ns = s->begun_ns + period;
    } else if (period && s->lvt[APIC_LVT_TIMER] & LVT_PERIODIC) {
        s->due_ns = s->begun_ns + ((now - s->begun_ns) / period + 1) * period;
    }
    if (s->due_ns >= 0) {
        timer_mod(&s->timer, s->due_ns);
    } else {
        timer_del(&s->timer);
    }
}

void apic_change_timer(APICState *s, uint32_t *reg, uint32_t value)
{
    const uint32_t left = apic_current_count(s);

    *reg = value;
    if (s->initial_count) {
        s->begun_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) -
                      (int64_t)((s->initial_count - left) * count_ns(s));
    }
    apic_arm(s);
}
