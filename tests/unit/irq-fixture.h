/* SPDX-License-Identifier: MIT */
/* What the tests of interrupt lines share: a handler that writes levels down, and combiners. */
#ifndef QOMET_TESTS_UNIT_IRQ_FIXTURE_H
#define QOMET_TESTS_UNIT_IRQ_FIXTURE_H

#include "tests/unit/qdev-fixture.h"

static G_GNUC_UNUSED void tell(void *opaque, int n, int level)
{
    trace("%s%d=%d", (const char *)opaque, n, level);
}

static G_GNUC_UNUSED DeviceState *combiner_new(const char *type, unsigned lines)
{
    DeviceState *dev = qdev_new(type, NULL);

    assert_non_null(dev);
    if (lines) {
        assert_true(object_property_set_uint(OBJECT(dev), "num-lines", lines, NULL));
    }
    assert_true(qdev_realize(dev, NULL, NULL));
    return dev;
}

static G_GNUC_UNUSED void lead(DeviceState *from, int n, qemu_irq to)
{
    assert_works(qdev_connect_gpio_out(from, n, to, errp));
}

#endif
