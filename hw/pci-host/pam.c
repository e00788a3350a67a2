/* SPDX-License-Identifier: MIT */
/*
 * The programmable attribute map (82441FX data sheet, 290549, "PAM"): two bits for each segment say
 * whether reads and writes go to RAM. Reads from the bus with writes to RAM cannot be had from a map
 * of whole regions: such a segment is RAM for both.
 */
#include "hw/pci-host/pam.h"

#define VGA_START 0xa0000
#define VGA_SIZE 0x20000
#define LEGACY_START 0xc0000
#define LEGACY_SIZE 0x40000
#define BIOS_START 0xf0000
#define BIOS_SIZE 0x10000
#define SEGMENT_SIZE 0x4000

#define PAM_READ 1
#define PAM_WRITE 2

/* Above RAM, which has 0. */
#define NOTHING_PRIORITY 1
#define BUS_PRIORITY 2
#define RAM_PRIORITY 3

/* Reads give all ones. */
static const MemoryRegionOps nothing_ops = { .name = "nothing" };

static void unmap(DeviceState *dev, void *opaque)
{
    MemoryRegion *mr = opaque;

    (void)dev;
    memory_region_del_subregion(get_system_memory(), mr);
}

static void map(DeviceState *dev, MemoryRegion *mr, hwaddr addr, int priority)
{
    memory_region_add_subregion_overlap(get_system_memory(), addr, mr, priority);
    qdev_on_unrealize(dev, unmap, mr);
}

static void map_ram(DeviceState *dev, MemoryRegion *mr, const char *name, MemoryRegion *ram,
                    hwaddr addr, uint64_t size)
{
    memory_region_init_alias(mr, OBJECT(dev), name, ram, addr, size);
    memory_region_set_enabled(mr, false);
    map(dev, mr, addr, RAM_PRIORITY);
}

bool pam_init(PAM *pam, DeviceState *dev, MemoryRegion *ram, MemoryRegion *bus, GError **errp)
{
    if (memory_region_size(ram) < LEGACY_START + LEGACY_SIZE) {
        qom_error_set(errp, QOM_ERROR_VALUE, "the machine needs 1 MiB of RAM or more");
        return false;
    }
    memory_region_init_io(&pam->nothing, OBJECT(dev), &nothing_ops, NULL, "pam-nothing",
                          VGA_SIZE + LEGACY_SIZE);
    map(dev, &pam->nothing, VGA_START, NOTHING_PRIORITY);
    memory_region_init_alias(&pam->bus, OBJECT(dev), "pam-pci", bus, VGA_START,
                             VGA_SIZE + LEGACY_SIZE);
    map(dev, &pam->bus, VGA_START, BUS_PRIORITY);
    map_ram(dev, &pam->smram, "smram", ram, VGA_START, VGA_SIZE);
    map_ram(dev, &pam->ram[0], "pam-ram", ram, BIOS_START, BIOS_SIZE);
    for (unsigned i = 1; i < PAM_SEGMENTS; i++) {
        map_ram(dev, &pam->ram[i], "pam-ram", ram, LEGACY_START + (i - 1) * SEGMENT_SIZE,
                SEGMENT_SIZE);
    }
    return true;
}

uint8_t smram_write(uint8_t old, uint8_t value)
{
    /* Locked: only a reset opens it again. */
    if (old & SMRAM_LOCKED) {
        value = (old & ~SMRAM_CLOSED) | (value & SMRAM_CLOSED);
    }
    if (value & SMRAM_LOCKED) {
        value &= ~SMRAM_OPEN;
    }
    return (value & (SMRAM_OPEN | SMRAM_CLOSED | SMRAM_LOCKED | SMRAM_ENABLE)) | SMRAM_BASE;
}

void pam_update(PAM *pam, const uint8_t *regs, uint8_t smram)
{
    const uint8_t open = SMRAM_ENABLE | SMRAM_OPEN;

    memory_region_transaction_begin();
    for (unsigned i = 0; i < PAM_SEGMENTS; i++) {
        /* The first register has its one segment in the upper half. */
        uint8_t bits = regs[(i + 1) / 2] >> ((i + 1) % 2 * 4);

        memory_region_set_readonly(&pam->ram[i], !(bits & PAM_WRITE));
        memory_region_set_enabled(&pam->ram[i], bits & (PAM_READ | PAM_WRITE));
    }
    memory_region_set_enabled(&pam->smram, (smram & open) == open);
    memory_region_transaction_commit();
}
