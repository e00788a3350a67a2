/* SPDX-License-Identifier: MIT */
/* What boards of the PC's family share: each function makes one part, for a machine class's init. */
#ifndef MACHINE_X86_BOARD_H
#define MACHINE_X86_BOARD_H

#include <qomet/hw/isa/isa-bus.h>
#include <qomet/machine/machine.h>
#include "machine/boot/boot.h"

/* Values of "kernel-irqchip", QEMU's OnOffSplit: which controllers the accelerator has. */
typedef enum OnOffSplit { ON_OFF_SPLIT_ON, ON_OFF_SPLIT_OFF, ON_OFF_SPLIT_SPLIT } OnOffSplit;
extern const EnumLookup on_off_split_table;

/* Where RAM leaves room for the devices below 4 GiB; the rest of it goes on at 4 GiB. */
#define X86_LOW_RAM_END UINT64_C(0xc0000000)
#define X86_HIGH_RAM_START UINT64_C(0x100000000)

/* Makes @dev, whose reference is taken over, the child @name of the machine, and realizes it. */
bool x86_place(MachineState *machine, const char *name, DeviceState *dev, BusState *bus,
               GError **errp);
/*
 * What interrupts lead to, as the child "pic", before the first vCPU: the accelerator's controllers,
 * or wires to some in user space. The PIC of those comes with the ISA bus.
 */
bool x86_make_irqchip(MachineState *machine, OnOffSplit kernel_irqchip, GError **errp);
/* Leads the lines of @isa to the child "pic", if there is one. */
bool x86_wire_isa(MachineState *machine, ISABus *isa, GError **errp);
/* An ISA bus without a bridge, wired so. */
ISABus *x86_make_isa(MachineState *machine, GError **errp);
/* The serial ports that the user asked for (-serial), "serial0" and on. */
bool x86_make_serials(MachineState *machine, ISABus *isa, GError **errp);

/*
 * Loads what -kernel, -initrd and -append name; @rsdp: address of ACPI's root pointer, or 0. NULL
 * with @errp set, also when there is no kernel. The caller owns it. For a class's done.
 */
BootImage *x86_load_kernel(MachineState *machine, uint64_t rsdp, GError **errp);
/*
 * Writes it to memory and lets vCPU 0 begin with it; the others wait to be woken. NULL: nothing is
 * done. What fails is reported, and the machine ends. For a class's reset.
 */
void x86_start_kernel(const BootImage *image);

#endif
