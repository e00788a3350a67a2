/* SPDX-License-Identifier: MIT */
/*
 * Where message-signalled interrupts go: an interface of the board's interrupt controller. A message
 * is an address and a value that a device would write there; it is sent, and never reaches memory.
 */
#ifndef QOMET_HW_INTC_MSI_TARGET_H
#define QOMET_HW_INTC_MSI_TARGET_H

#include <qomet/qom/object.h>

#define TYPE_MSI_TARGET "msi-target"
OBJECT_DECLARE_INTERFACE(MsiTarget, MsiTargetClass, MSI_TARGET)

struct MsiTargetClass {
    InterfaceClass parent_class;
    /** Sends a message. False: nobody takes it - the address is of no processor. Any thread. */
    bool (*send)(MsiTarget *t, uint64_t addr, uint32_t data);
    /*
     * Routes: a number that stands for a message, so that an eventfd can send it. All may be NULL:
     * there are none.
     */
    /**
     * A route for that message; -1 with @errp set when there are no more. Routes that are made before
     * the first irqfd() of them is switched on cost nothing more than their number. Any thread.
     */
    int (*route_add)(MsiTarget *t, uint64_t addr, uint32_t data, GError **errp);
    /** Changes what a route stands for. Any thread. */
    void (*route_set)(MsiTarget *t, int route, uint64_t addr, uint32_t data);
    /** Gives it back; no eventfd uses it any more. Any thread. */
    void (*route_del)(MsiTarget *t, int route);
    /**
     * Has @fd, an eventfd, send the message of @route from now on (@on), or no more; a signal that is
     * pending is sent at once. Any thread.
     */
    bool (*irqfd)(MsiTarget *t, int route, int fd, bool on, GError **errp);
    /*
     * For an IOAPIC in user space. NULL: there is one behind the target already.
     */
    /**
     * @fn is told, with no lock of the target held, of each level interrupt that a processor has
     * ended: its @vector. Any thread calls it; NULL: nobody is to know. Main thread.
     */
    void (*set_eoi_handler)(MsiTarget *t, void (*fn)(void *opaque, uint8_t vector), void *opaque);
    /**
     * What pin @pin (0 to 23) will send from now on, masked or not. May be NULL: there is no need to
     * know beforehand. Any thread.
     */
    void (*pin_set)(MsiTarget *t, unsigned pin, uint64_t addr, uint32_t data);
};

/** The machine's one, or NULL. Main thread. */
QOM_EXPORT MsiTarget *msi_target_find(void);

#endif
