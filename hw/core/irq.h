/* SPDX-License-Identifier: MIT */
/*
 * Interrupt lines. A line is an object with a level; what is at its end decides how a change
 * arrives: a combiner or an interrupt controller at once, any other device when this thread has
 * left its outermost device.
 */
#ifndef QOMET_HW_CORE_IRQ_H
#define QOMET_HW_CORE_IRQ_H

#include <qomet/memory/entry.h>

#define TYPE_IRQ "irq"
typedef struct IRQState IRQState;
typedef IRQState *qemu_irq; /* NULL is a line that ends nowhere */
DECLARE_INSTANCE_CHECKER(IRQState, IRQ, TYPE_IRQ)

/** @n: index of the line in its group; @level: 0 or 1 (or a device's own meaning). */
typedef void (*qemu_irq_handler)(void *opaque, int n, int level);

/**
 * A line whose handler runs at once on the thread that sets it, without any guard: for interrupt
 * controllers (their state under a leaf lock of their own) and for combiners. One reference, the
 * caller's; handler must take any thread.
 */
QOM_EXPORT qemu_irq qemu_allocate_irq(qemu_irq_handler handler, void *opaque, int n);
/** A line whose handler runs inside @guard, put off until the thread's outermost device is left;
 * pulses are kept. */
QOM_EXPORT qemu_irq qemu_allocate_irq_deferred(qemu_irq_handler handler, void *opaque, int n,
                                               EntryGuard *guard);

/**
 * Sets the level; the same level again is passed on too (a controller may want to know). Any
 * thread, but a line has one driver at a time: a device sets its lines inside its guard, and
 * several drivers are joined by an or-irq.
 */
QOM_EXPORT void qemu_set_irq(qemu_irq irq, int level);
/** The level that was set last; 0 for NULL. Any thread. */
QOM_EXPORT int qemu_irq_level(qemu_irq irq);
static inline void qemu_irq_raise(qemu_irq irq)
{
    qemu_set_irq(irq, 1);
}
static inline void qemu_irq_lower(qemu_irq irq)
{
    qemu_set_irq(irq, 0);
}
static inline void qemu_irq_pulse(qemu_irq irq)
{
    qemu_set_irq(irq, 1);
    qemu_set_irq(irq, 0);
}
/** A line that passes the opposite of its level to @irq. One reference, the caller's. */
QOM_EXPORT qemu_irq qemu_irq_invert(qemu_irq irq);
/** Watches a line: @fn is called before the handler (qtest's intercept). NULL ends it. Main
 * thread. */
QOM_EXPORT void qemu_irq_set_observer(qemu_irq irq, qemu_irq_handler fn, void *opaque, int n);

/*
 * Combiners, as devices of QEMU's names: "or-irq" (num-lines in, one out), "split-irq" (one in,
 * num-lines out), "invert-irq" (one in, one out). Made with qdev_new(), wired with the calls of
 * qdev.h.
 */
#define TYPE_OR_IRQ "or-irq"
#define TYPE_SPLIT_IRQ "split-irq"
#define TYPE_INVERT_IRQ "invert-irq"

#endif
