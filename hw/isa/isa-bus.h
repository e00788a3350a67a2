/* SPDX-License-Identifier: MIT */
/* The ISA bus: where devices with ports sit. A board gives it a port space and, if it has any,
 * sixteen interrupt lines. */
#ifndef QOMET_HW_ISA_ISA_BUS_H
#define QOMET_HW_ISA_ISA_BUS_H

#include <qomet/hw/core/bus.h>

#define TYPE_ISA_BUS "ISA"
#define TYPE_ISA_DEVICE "isa-device"
OBJECT_DECLARE_SIMPLE_TYPE(ISABus, ISA_BUS)
OBJECT_DECLARE_SIMPLE_TYPE(ISADevice, ISA_DEVICE)

#define ISA_NUM_IRQS 16

struct ISABus {
    BusState parent_obj;
    MemoryRegion *address_space_io;
    qemu_irq irqs[ISA_NUM_IRQS]; /* NULL: the board has no such line; references */
};

/* As properties: the link "ports", by default the machine's I/O space, and the links "irq[0]" to
 * "irq[15]", which say where the lines lead. Both hold for devices that come later. */

/** What a port device derives from. */
struct ISADevice {
    DeviceState parent_obj;
};

/** The bus "isa.0" of the machine over the port space @io, as a child of the machine or of
 * @bridge. */
QOM_EXPORT ISABus *isa_bus_new(DeviceState *bridge, MemoryRegion *io, GError **errp);
/** Gives the bus its lines; references are taken. */
QOM_EXPORT void isa_bus_register_input_irqs(ISABus *bus, qemu_irq *irqs, int n);
/**
 * The line @n (0 to 15) of the bus that @dev sits on, without a reference; NULL when the board has
 * none. In realize. As on the real bus, devices that ask for the same number share the line, and
 * the one that set it last wins. It is lowered when @dev goes.
 */
QOM_EXPORT qemu_irq isa_get_irq(ISADevice *dev, unsigned n);
/**
 * Leads the output @pin of the group @name of @dev to line @n of its bus (nowhere, when the board
 * has no such line), for as long as @dev is realized. In realize. Better than isa_get_irq(): the
 * tree shows the wire, and a board may lead the output elsewhere afterwards.
 */
QOM_EXPORT bool isa_connect_gpio_out(ISADevice *dev, const char *name, int pin, unsigned n,
                                     GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** Maps @mr at port @start for as long as @dev is realized. In realize; ports past 0xffff are
 * refused. */
QOM_EXPORT bool isa_register_ioport(ISADevice *dev, MemoryRegion *mr, uint32_t start,
                                    GError **errp) G_GNUC_WARN_UNUSED_RESULT;

#endif
