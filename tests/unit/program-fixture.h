/* SPDX-License-Identifier: MIT */
/*
 * What the tests of several rooms share: all of them begun as the program begins them, and ended so
 * that nothing is left.
 */
#ifndef QOMET_TESTS_UNIT_PROGRAM_FIXTURE_H
#define QOMET_TESTS_UNIT_PROGRAM_FIXTURE_H

#include <qomet/backends/loop.h>
#include <qomet/machine/machine.h>
#include "machine/rooms.h"
#include "tests/test.h"

static G_GNUC_UNUSED int program_setup(void **state)
{
    GError *error = NULL;

    (void)state;
    if (!rooms_begin(&error)) {
        fail_msg("%s", error->message);
    }
    return 0;
}

static G_GNUC_UNUSED unsigned mapped_in(const MemoryRegion *mr)
{
    return mr->subregions ? mr->subregions->len : 0;
}

/*
 * Whatever a test has made is gone, and the maps are empty. Without a machine, devices of a test are
 * below a container of its name.
 */
static G_GNUC_UNUSED int program_teardown(void **state)
{
    (void)state;
    machine_cleanup();
    object_unparent(qdev_get_machine());
    assert_int_equal(mapped_in(get_system_memory()), 0);
    assert_int_equal(mapped_in(get_system_io()), 0);
    rooms_end();
    return 0;
}

#endif
