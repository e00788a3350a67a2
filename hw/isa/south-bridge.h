/* SPDX-License-Identifier: MIT */
/*
 * What Intel's south bridges have in common: a function on a root bus that offers the bus "isa.0",
 * leads the pins of the PCI bus to its lines as its registers say, and resets the machine by the
 * port 0xcf9. Which registers, and what else there is, the classes say.
 */
#ifndef HW_ISA_SOUTH_BRIDGE_H
#define HW_ISA_SOUTH_BRIDGE_H

#include <qomet/hw/acpi/tables.h>
#include <qomet/hw/isa/reset-control.h>
#include <qomet/hw/pci/pci.h>
#include "hw/isa/pirq.h"

#define TYPE_SOUTH_BRIDGE "south-bridge"
OBJECT_DECLARE_TYPE(SouthBridge, SouthBridgeClass, SOUTH_BRIDGE)

struct SouthBridge {
    PCIDevice parent_obj;
    PirqRouter router;
    ResetControl reset_control;
};

struct SouthBridgeClass {
    PCIDeviceClass parent_class;
    unsigned num_pirqs;                               /* up to PIRQS_MAX */
    uint8_t pirq_reg[PIRQS_MAX];                      /* the register of each */
    unsigned (*map_pin)(unsigned slot, unsigned pin); /* which of them a pin (0 to 3) leads to */
    /* Where else they lead; any thread. May be NULL. */
    void (*set_pirq)(SouthBridge *s, unsigned pirq, int level);
    /* Its other registers as a reset leaves them; the guest's way into them is there then. May be
     * NULL. */
    void (*reset)(SouthBridge *s);
};

/* The methods of PCIDeviceClass, for classes that have more to do in them. */
bool south_bridge_realize(PCIDevice *dev, GError **errp);
void south_bridge_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len);

/* Tells tables where it stands, what links it has, and which of them the pins of its bus lead to. */
void south_bridge_describe(SouthBridge *s, AcpiPciHost *host);

#endif
