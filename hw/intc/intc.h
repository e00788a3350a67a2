/* SPDX-License-Identifier: MIT */
/* What interrupt controllers tell people ("info irq", "info pic"): an interface of QEMU's name. */
#ifndef QOMET_HW_INTC_INTC_H
#define QOMET_HW_INTC_INTC_H

#include <qomet/qom/object.h>

#define TYPE_INTERRUPT_STATS_PROVIDER "intctrl"
OBJECT_DECLARE_INTERFACE(InterruptStatsProvider, InterruptStatsProviderClass,
                         INTERRUPT_STATS_PROVIDER)

struct InterruptStatsProviderClass {
    InterfaceClass parent_class;
    /**
     * How often each of @n inputs has gone up since the controller was made, into @counts. Main
     * thread; the inputs may change meanwhile.
     */
    void (*get_statistics)(InterruptStatsProvider *obj, uint64_t *counts, unsigned n);
    /** How many inputs there are. */
    unsigned inputs;
    /** Appends its registers to @out, in lines. Main thread, every vCPU parked. */
    void (*print_info)(InterruptStatsProvider *obj, GString *out);
};

#endif
