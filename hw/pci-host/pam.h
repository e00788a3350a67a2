/* SPDX-License-Identifier: MIT */
/*
 * Intel's programmable attribute map: whether RAM or the bus - where the firmware's ROM is - answers
 * between 0xc0000 and 0xfffff, in thirteen segments, and likewise for the 128 KiB of a VGA card
 * before them. Shared by the host bridges that have it.
 */
#ifndef HW_PCI_HOST_PAM_H
#define HW_PCI_HOST_PAM_H

#include <qomet/hw/pci/pci-bus.h>

#define PAM_SEGMENTS 13
#define PAM_REGISTERS 7

typedef struct PAM {
    MemoryRegion nothing;           /* hides all the RAM there, */
    MemoryRegion bus;               /* over that the bus, */
    MemoryRegion ram[PAM_SEGMENTS]; /* and RAM again where the registers say so */
    MemoryRegion smram;             /* RAM in place of the VGA card */
} PAM;

/**
 * Maps all of it into the machine's memory, as after a reset: the bus everywhere. @ram: what is RAM
 * from address 0 on. In the realize of @dev.
 */
bool pam_init(PAM *pam, DeviceState *dev, MemoryRegion *ram, MemoryRegion *bus, GError **errp);
/* The register that opens the RAM behind the VGA card (SMRAM). */
#define SMRAM_OPEN 0x40
#define SMRAM_CLOSED 0x20
#define SMRAM_LOCKED 0x10
#define SMRAM_ENABLE 0x08
#define SMRAM_BASE 0x02 /* the only segment that there is */
/** What is in that register when the guest has written @value over @old. */
uint8_t smram_write(uint8_t old, uint8_t value);

/**
 * What the seven registers at @regs say, the first of which has one segment, and SMRAM. Main
 * thread.
 */
void pam_update(PAM *pam, const uint8_t *regs, uint8_t smram);

#endif
