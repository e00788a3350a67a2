/* SPDX-License-Identifier: MIT */
/* What the tests of page tables and descriptors share: RAM from 0, which the test fills by hand. */
#ifndef QOMET_TESTS_UNIT_RAM_FIXTURE_H
#define QOMET_TESTS_UNIT_RAM_FIXTURE_H

#include <string.h>
#include "tests/unit/program-fixture.h"

#define RAM_BYTES (1 << 20)

static MemoryRegion ram;

/* For a group's setup. */
static G_GNUC_UNUSED int ram_setup(void **state)
{
    GError *error = NULL;

    program_setup(state);
    return memory_region_init_ram(&ram, object_get_root(), "ram", RAM_BYTES, &error) &&
                   memory_region_add_subregion(get_system_memory(), 0, &ram, &error)
               ? 0
               : -1;
}

static G_GNUC_UNUSED int ram_teardown(void **state)
{
    object_unparent(OBJECT(&ram));
    return program_teardown(state);
}

static G_GNUC_UNUSED void ram_clear(void)
{
    memset(memory_region_get_ram_ptr(&ram), 0, RAM_BYTES);
}

static G_GNUC_UNUSED void poke(hwaddr addr, uint64_t value, unsigned size)
{
    memcpy((uint8_t *)memory_region_get_ram_ptr(&ram) + addr, &value, size);
}

static G_GNUC_UNUSED void poke8(hwaddr addr, uint64_t value)
{
    poke(addr, value, 8);
}

#endif
