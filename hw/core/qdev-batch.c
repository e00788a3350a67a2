/* SPDX-License-Identifier: MIT */
/*
 * Batches: devices that come together. Each is realized as ever, but what would let the guest or
 * other devices see one waits until all of them are there.
 */
#include "hw/core/qdev-int.h"

/* Of DeviceState *, referenced, in order of realizing; NULL: no batch is open. Main thread. */
static GPtrArray *batch;

void qdev_batch_begin(void)
{
    g_assert(!batch);
    batch = g_ptr_array_new_with_free_func(object_unref);
    memory_region_transaction_begin();
}

bool qdev_batch_take(DeviceState *dev)
{
    if (batch) {
        g_ptr_array_add(batch, object_ref(dev));
    }
    return batch != NULL;
}

/* Those that were realized within another one go with it. */
static void unrealize_all(GPtrArray *devices)
{
    memory_region_transaction_begin();
    for (unsigned i = devices->len; i > 0; i--) {
        qdev_unrealize(g_ptr_array_index(devices, i - 1));
    }
    memory_region_transaction_commit();
}

static bool announce_all(GPtrArray *devices, GError **errp)
{
    for (unsigned i = 0; i < devices->len; i++) {
        DeviceState *dev = g_ptr_array_index(devices, i);

        /* One whose outer device has failed is gone already. */
        if (dev->realized && !qdev_announce(dev, errp)) {
            g_prefix_error(errp, "device '%s': ", qdev_label(dev));
            return false;
        }
    }
    return true;
}

bool qdev_batch_end(bool good, GError **errp)
{
    g_autoptr(GPtrArray) devices = g_steal_pointer(&batch);

    good = good && memory_region_transaction_check(errp);
    if (!good) {
        unrealize_all(devices);
    }
    memory_region_transaction_commit();
    if (good && !announce_all(devices, errp)) {
        unrealize_all(devices);
        return false;
    }
    return good;
}
