/* SPDX-License-Identifier: MIT */
/* The interface of what takes message-signalled interrupts, and who that is on this machine. */
#include <qomet/hw/core/qdev.h>
#include <qomet/hw/intc/msi-target.h>

static int is_target(Object *obj, void *opaque)
{
    MsiTarget **found = opaque;

    *found = (MsiTarget *)object_dynamic_cast(obj, TYPE_MSI_TARGET);
    return *found != NULL;
}

MsiTarget *msi_target_find(void)
{
    MsiTarget *found = NULL;

    object_child_foreach_recursive(qdev_get_machine(), is_target, &found);
    return found;
}

static const TypeInfo msi_target_types[] = {
    {
        .name = TYPE_MSI_TARGET,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(MsiTargetClass),
    },
};
DEFINE_TYPES(msi_target_types)
