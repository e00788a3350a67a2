/* SPDX-License-Identifier: MIT */
/* The lines of "info pic", the same for controllers in the accelerator and for those in user space. */
#ifndef QOMET_ACCEL_IRQCHIP_TEXT_H
#define QOMET_ACCEL_IRQCHIP_TEXT_H

#include <qomet/memory/memory.h>

/** The line of an IOAPIC itself; @irr: requests of its pins, a bit each. Any thread, as below. */
QOM_EXPORT void irqchip_append_ioapic(GString *out, unsigned id, unsigned select, hwaddr base,
                                      uint32_t irr);
/** The line of its pin @n, whose entry of the redirection table is @entry. */
QOM_EXPORT void irqchip_append_pin(GString *out, unsigned n, uint64_t entry);

#endif
