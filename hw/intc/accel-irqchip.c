/* SPDX-License-Identifier: MIT */
/*
 * The interrupt controllers that the accelerator has, as one device: "accel-apics", the local APICs
 * alone, which take messages; and "accel-irqchip", a PIC and an IOAPIC besides, which take lines. An
 * accelerator without vCPUs has none either; the lines are there, so that a tester sees their levels.
 */
#include <qomet/accel/accel.h>
#include <qomet/hw/intc/accel-irqchip.h>
#include <qomet/hw/intc/intc.h>
#include <qomet/hw/intc/msi-target.h>

OBJECT_DECLARE_TYPE(AccelApics, AccelApicsClass, ACCEL_APICS)
OBJECT_DECLARE_SIMPLE_TYPE(AccelIrqchip, ACCEL_IRQCHIP)

struct AccelApics {
    DeviceState parent_obj;
    AccelState *accel; /* drives guests: its controllers are there */
};

struct AccelApicsClass {
    DeviceClass parent_class;
    /* The method of that class which makes them, or NULL: it cannot. */
    bool (*(*maker)(const AccelClass *ac))(AccelState *accel, GError **errp);
};

struct AccelIrqchip {
    AccelApics parent_obj;
    /* Of each line, atomic: */
    uint8_t high[ACCEL_IRQCHIP_LINES];
    uint64_t rises[ACCEL_IRQCHIP_LINES];
};

static void set_line(void *opaque, int n, int level)
{
    AccelIrqchip *s = opaque;

    if (__atomic_exchange_n(&s->high[n], level != 0, __ATOMIC_RELAXED) < (level != 0)) {
        __atomic_fetch_add(&s->rises[n], 1, __ATOMIC_RELAXED);
    }
    if (s->parent_obj.accel) {
        ACCEL_GET_CLASS(s->parent_obj.accel)->set_irq(s->parent_obj.accel, n, level);
    }
}

static void get_statistics(InterruptStatsProvider *obj, uint64_t *counts, unsigned n)
{
    const AccelIrqchip *s = ACCEL_IRQCHIP(obj);

    for (unsigned i = 0; i < n; i++) {
        counts[i] = __atomic_load_n(&s->rises[i], __ATOMIC_RELAXED);
    }
}

static void print_info(InterruptStatsProvider *obj, GString *out)
{
    AccelState *accel = ACCEL_APICS(obj)->accel;

    if (accel && ACCEL_GET_CLASS(accel)->print_irqchip) {
        ACCEL_GET_CLASS(accel)->print_irqchip(accel, out);
    } else {
        g_string_append(out, "the accelerator has no controllers behind these lines\n");
    }
}

/* ---- Messages ---- */

static bool apics_send(MsiTarget *t, uint64_t addr, uint32_t data)
{
    AccelState *accel = ACCEL_APICS(t)->accel;

    return accel && ACCEL_GET_CLASS(accel)->send_msi && accel_msi_is_taken(addr) &&
           ACCEL_GET_CLASS(accel)->send_msi(accel, addr, data);
}

static int apics_route_add(MsiTarget *t, uint64_t addr, uint32_t data, GError **errp)
{
    AccelState *accel = ACCEL_APICS(t)->accel;

    if (!accel || !ACCEL_GET_CLASS(accel)->route_add) {
        qom_error_set(errp, QOM_ERROR_STATE, "the accelerator has no routes for messages");
        return -1;
    }
    return ACCEL_GET_CLASS(accel)->route_add(accel, addr, data, errp);
}

static void apics_route_set(MsiTarget *t, int route, uint64_t addr, uint32_t data)
{
    AccelState *accel = ACCEL_APICS(t)->accel;

    ACCEL_GET_CLASS(accel)->route_set(accel, route, addr, data);
}

static void apics_route_del(MsiTarget *t, int route)
{
    AccelState *accel = ACCEL_APICS(t)->accel;

    ACCEL_GET_CLASS(accel)->route_del(accel, route);
}

static bool apics_irqfd(MsiTarget *t, int route, int fd, bool on, GError **errp)
{
    AccelState *accel = ACCEL_APICS(t)->accel;

    return ACCEL_GET_CLASS(accel)->irqfd(accel, route, fd, -1, on, errp);
}

/* Nobody's ends, where there are no processors that could end anything. */
static void apics_set_eoi_handler(MsiTarget *t, void (*fn)(void *opaque, uint8_t vector),
                                  void *opaque)
{
    AccelState *accel = ACCEL_APICS(t)->accel;

    if (accel) {
        accel->eoi = fn;
        accel->eoi_opaque = opaque;
    }
}

static void apics_pin_set(MsiTarget *t, unsigned pin, uint64_t addr, uint32_t data)
{
    AccelState *accel = ACCEL_APICS(t)->accel;

    if (accel && ACCEL_GET_CLASS(accel)->pin_set) {
        ACCEL_GET_CLASS(accel)->pin_set(accel, pin, addr, data);
    }
}

/* ---- The devices ---- */

static bool accel_apics_realize(DeviceState *dev, GError **errp)
{
    AccelState *accel = current_accel();
    AccelClass *ac = accel ? ACCEL_GET_CLASS(accel) : NULL;
    bool (*make)(AccelState * accel, GError * *errp);

    if (!ac) {
        qom_error_set(errp, QOM_ERROR_STATE, "there is no accelerator yet");
        return false;
    }
    if (!ac->has_cpus) {
        return true;
    }
    make = ACCEL_APICS_GET_CLASS(dev)->maker(ac);
    if (!make) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "the accelerator '%s' has no such interrupt controllers", ac->name);
        return false;
    }
    if (cpu_count()) {
        qom_error_set(errp, QOM_ERROR_STATE,
                      "the interrupt controllers are made before the first vCPU, not after it");
        return false;
    }
    if (!make(accel, errp)) {
        return false;
    }
    ACCEL_APICS(dev)->accel = accel;
    return true;
}

static void accel_irqchip_init(Object *obj)
{
    qdev_init_gpio_in_direct(DEVICE(obj), set_line, NULL, ACCEL_IRQCHIP_LINES);
}

static bool (*apics_maker(const AccelClass *ac))(AccelState *accel, GError **errp)
{
    return ac->create_apics;
}

static void accel_apics_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    MsiTargetClass *mc = MSI_TARGET_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    mc->send = apics_send;
    mc->route_add = apics_route_add;
    mc->route_set = apics_route_set;
    mc->route_del = apics_route_del;
    mc->irqfd = apics_irqfd;
    mc->set_eoi_handler = apics_set_eoi_handler;
    mc->pin_set = apics_pin_set;
    ACCEL_APICS_CLASS(klass)->maker = apics_maker;
    dc->desc = "the accelerator's local APICs";
    dc->user_creatable = false; /* it is part of a board */
    dc->hotpluggable = false;   /* and is there before the first vCPU */
    dc->realize = accel_apics_realize;
}

static bool (*irqchip_maker(const AccelClass *ac))(AccelState *accel, GError **errp)
{
    return ac->create_irqchip;
}

static void accel_irqchip_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    InterruptStatsProviderClass *ic = INTERRUPT_STATS_PROVIDER_CLASS(klass);
    MsiTargetClass *mc = MSI_TARGET_CLASS(klass);

    mc->set_eoi_handler = NULL; /* its own IOAPIC hears of them */
    mc->pin_set = NULL;
    ACCEL_APICS_CLASS(klass)->maker = irqchip_maker;
    ic->inputs = ACCEL_IRQCHIP_LINES;
    ic->get_statistics = get_statistics;
    ic->print_info = print_info;
    DEVICE_CLASS(klass)->desc = "the accelerator's interrupt controllers: PIC, IOAPIC, local APICs";
}

static const TypeInfo accel_irqchip_types[] = {
    {
        .name = TYPE_INTERRUPT_STATS_PROVIDER,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(InterruptStatsProviderClass),
    },
    {
        .name = TYPE_ACCEL_APICS,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(AccelApics),
        .class_size = sizeof(AccelApicsClass),
        .class_init = accel_apics_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_MSI_TARGET }, { NULL } },
    },
    {
        .name = TYPE_ACCEL_IRQCHIP,
        .parent = TYPE_ACCEL_APICS,
        .instance_size = sizeof(AccelIrqchip),
        .instance_init = accel_irqchip_init,
        .class_init = accel_irqchip_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_INTERRUPT_STATS_PROVIDER }, { NULL } },
    },
};

DEFINE_TYPES(accel_irqchip_types)
