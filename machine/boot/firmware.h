/* SPDX-License-Identifier: MIT */
/* Firmware as a PC has it: a ROM that ends at 4 GiB, where a processor begins. */
#ifndef MACHINE_BOOT_FIRMWARE_H
#define MACHINE_BOOT_FIRMWARE_H

#include <qomet/memory/memory.h>

typedef struct Firmware {
    MemoryRegion rom;
    MemoryRegion low; /* its end, shown below 1 MiB too */
} Firmware;

/**
 * Reads the file that @name means (see backends/datadir.h) and maps it into @map, the memory of the
 * machine @owner: so that it ends at 4 GiB, and its last 128 KiB below 1 MiB as well. False with
 * @errp set when there is none, or its size is no multiple of 64 KiB up to 16 MiB. Main thread.
 */
bool firmware_map(Firmware *firmware, Object *owner, MemoryRegion *map, const char *name,
                  GError **errp);

#endif
