/* SPDX-License-Identifier: MIT */
/* Firmware: its file, and the two places at which the ROM shows. */
#include <string.h>
#include <qomet/backends/datadir.h>
#include "backends/read-file.h"
#include "machine/boot/e820.h"
#include "machine/boot/firmware.h"

#define ROM_END UINT64_C(0x100000000)
#define ROM_MAX (UINT64_C(16) << 20)
#define ROM_UNIT 65536
#define LOW_MAX (128 * 1024)

static bool map_rom(Firmware *firmware, Object *owner, MemoryRegion *map, GBytes *file,
                    GError **errp)
{
    gsize size = 0;
    const void *data = g_bytes_get_data(file, &size);
    uint64_t low = MIN(size, LOW_MAX);

    if (!size || size % ROM_UNIT) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "it has %zu bytes: firmware of a PC is a multiple of 64 KiB", size);
        return false;
    }
    if (!memory_region_init_rom(&firmware->rom, owner, "bios", size, errp)) {
        return false;
    }
    memcpy(memory_region_get_ram_ptr(&firmware->rom), data, size);
    if (!memory_region_add_subregion(map, ROM_END - size, &firmware->rom, errp)) {
        return false;
    }
    memory_region_init_alias(&firmware->low, owner, "isa-bios", &firmware->rom, size - low, low);
    memory_region_add_subregion_overlap(map, HIGH_MEMORY_START - low, &firmware->low, 1);
    return true;
}

bool firmware_map(Firmware *firmware, Object *owner, MemoryRegion *map, const char *name,
                  GError **errp)
{
    g_autofree char *path = datadir_find(name, errp);
    GBytes *file = path ? host_read_file(path, ROM_MAX, "what firmware can have", errp) : NULL;
    bool ok = file && map_rom(firmware, owner, map, file, errp);

    if (!ok) {
        g_prefix_error(errp, "-bios %s: ", name);
    }
    if (file) {
        g_bytes_unref(file);
    }
    return ok;
}
