/* SPDX-License-Identifier: MIT */
/* The rooms begun, and ended in the opposite order. */
#include <qomet/accel/runstate.h>
#include <qomet/backends/chardev/char.h>
#include <qomet/machine/machine.h>
#include "machine/rooms.h"

bool rooms_begin(GError **errp)
{
    main_loop_init();
    clocks_init();
    if (!module_call_init(MODULE_INIT_QOM, errp)) {
        return false;
    }
    memory_map_init();
    return true;
}

void rooms_end(void)
{
    machine_cleanup();
    accel_cleanup();
    qemu_chr_cleanup();
    object_root_cleanup();
    runstate_cleanup();
    memory_map_cleanup();
    clocks_cleanup();
    main_loop_cleanup();
    object_global_clear();
}
