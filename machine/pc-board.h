/* SPDX-License-Identifier: MIT */
/* What the machines "pc" and "q35" have in common: all but their two bridges. */
#ifndef MACHINE_PC_BOARD_H
#define MACHINE_PC_BOARD_H

#include <qomet/hw/acpi/tables.h>
#include <qomet/hw/isa/isa-bus.h>
#include <qomet/hw/pci/pci.h>
#include <qomet/machine/machine.h>
#include "machine/boot/boot.h"
#include "machine/boot/firmware.h"

/* Where the events of power management lead. */
#define PC_SCI_LINE 9

#define TYPE_PC_BOARD MACHINE_TYPE_NAME("generic-pc")
OBJECT_DECLARE_TYPE(PCBoard, PCBoardClass, PC_BOARD)

struct PCBoard {
    MachineState parent_obj;
    int kernel_irqchip; /* OnOffSplit */
    bool pit, acpi, rtc;
    Firmware firmware;
    BootImage *image; /* of -kernel, started in place of firmware; or NULL */
};

/* What a guest may rely on without firmware: @value in the register @reg of a function of bus 0. */
typedef struct PCSetting {
    uint8_t devfn, reg;
    uint32_t value;
} PCSetting;

struct PCBoardClass {
    MachineClass parent_class;
    /* Less RAM than that is all below 4 GiB; of more, that much is. */
    uint64_t ram_in_one_piece, low_ram_of_more;
    const char *host_type, *host_name; /* the host bridge and its name; it has the link "ram" */
    const char *isa_type, *isa_name;   /* the bridge to isa.0 */
    uint8_t isa_slot;
    /* Leads what else that bridge has to the interrupt controllers @pic. May be NULL. */
    bool (*wire)(DeviceState *bridge, DeviceState *pic, GError **errp);
    /* With acpi=on: makes what has its registers, where the bridge has not. May be NULL. */
    bool (*make_pm)(MachineState *machine, PCIBus *pci, ISABus *isa, GError **errp);
    /* What tables tell: the registers of power management, where firmware puts them, */
    const AcpiFixed *fixed;
    uint64_t ecam; /* the window of configuration spaces, where it puts that (0: there is none), */
    uint32_t
        gsi_base; /* and the input of the IOAPIC that has the first link (0: that of its line) */
    /* What firmware sets, 32 bits each, when a kernel is started without; ends with a value of 0. */
    const PCSetting *settings;
};

#endif
