/* SPDX-License-Identifier: MIT */
/*
 * "kvm-pit": the timer of a PC where the accelerator has it, at ports 0x40 to 0x43 with port 0x61,
 * beside the interrupt controllers that it has too. What a guest does there causes no exit.
 */
#include <qomet/accel/accel.h>

#define TYPE_KVM_PIT "kvm-pit"

static bool kvm_pit_realize(DeviceState *dev, GError **errp)
{
    AccelState *accel = current_accel();

    (void)dev;
    if (!accel || !ACCEL_GET_CLASS(accel)->create_pit) {
        qom_error_set(errp, QOM_ERROR_STATE, "the accelerator '%s' has no timer of a PC",
                      accel ? ACCEL_GET_CLASS(accel)->name : "none");
        return false;
    }
    return ACCEL_GET_CLASS(accel)->create_pit(accel, errp);
}

static void kvm_pit_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "timer of a PC, in the accelerator";
    dc->user_creatable = false; /* it is part of a board */
    dc->hotpluggable = false;
    dc->realize = kvm_pit_realize;
}

static const TypeInfo kvm_pit_types[] = {
    {
        .name = TYPE_KVM_PIT,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(DeviceState),
        .class_init = kvm_pit_class_init,
    },
};
DEFINE_TYPES(kvm_pit_types)
