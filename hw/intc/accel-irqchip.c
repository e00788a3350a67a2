/* SPDX-License-Identifier: MIT */
/*
 * "accel-irqchip": the interrupt controllers that the accelerator has - KVM's two PICs, IOAPIC and
 * local APICs - as one device. An accelerator without vCPUs has none either; the lines are there,
 * so that a tester sees their levels.
 */
#include <qomet/accel/accel.h>
#include <qomet/hw/intc/accel-irqchip.h>

OBJECT_DECLARE_SIMPLE_TYPE(AccelIrqchip, ACCEL_IRQCHIP)

struct AccelIrqchip {
    DeviceState parent_obj;
    AccelState *accel; /* drives guests: its controllers are there */
};

static void set_line(void *opaque, int n, int level)
{
    AccelState *accel = ((AccelIrqchip *)opaque)->accel;

    if (accel) {
        ACCEL_GET_CLASS(accel)->set_irq(accel, n, level);
    }
}

static bool accel_irqchip_realize(DeviceState *dev, GError **errp)
{
    AccelState *accel = current_accel();
    AccelClass *ac = accel ? ACCEL_GET_CLASS(accel) : NULL;

    if (!ac) {
        qom_error_set(errp, QOM_ERROR_STATE, "there is no accelerator yet");
        return false;
    }
    if (!ac->has_cpus) {
        return true;
    }
    if (!ac->create_irqchip) {
        qom_error_set(errp, QOM_ERROR_VALUE, "the accelerator '%s' has no interrupt controllers",
                      ac->name);
        return false;
    }
    if (cpu_count()) {
        qom_error_set(errp, QOM_ERROR_STATE,
                      "the interrupt controllers are made before the first vCPU, not after it");
        return false;
    }
    if (!ac->create_irqchip(accel, errp)) {
        return false;
    }
    ACCEL_IRQCHIP(dev)->accel = accel;
    return true;
}

static void accel_irqchip_init(Object *obj)
{
    qdev_init_gpio_in_direct(DEVICE(obj), set_line, NULL, ACCEL_IRQCHIP_LINES);
}

static void accel_irqchip_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "the accelerator's interrupt controllers: PIC, IOAPIC, local APICs";
    dc->user_creatable = false; /* it has to be wired */
    dc->hotpluggable = false;   /* and is there before the first vCPU */
    dc->realize = accel_irqchip_realize;
}

static const TypeInfo accel_irqchip_types[] = {
    {
        .name = TYPE_ACCEL_IRQCHIP,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(AccelIrqchip),
        .instance_init = accel_irqchip_init,
        .class_init = accel_irqchip_class_init,
    },
};

DEFINE_TYPES(accel_irqchip_types)
