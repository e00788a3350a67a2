/* SPDX-License-Identifier: MIT */
/*
 * The interrupt controllers in the kernel: two PICs, an IOAPIC, a local APIC in each vCPU; their
 * lines and their reset.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <qomet/accel/irqchip-text.h>
#include "accel/kvm/kvm-int.h"

#define CHIPS 3

/* As they were when they were made, for the reset. */
struct KVMChips {
    struct kvm_irqchip initial[CHIPS];
};

bool kvm_create_irqchip(AccelState *accel, GError **errp)
{
    KVMState *s = KVM_ACCEL(accel);
    KVMChips *chips;

    if (ioctl(s->vm, KVM_CREATE_IRQCHIP, 0) < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED,
                      "KVM makes no interrupt controllers (KVM_CREATE_IRQCHIP): %s",
                      g_strerror(errno));
        return false;
    }
    chips = g_new0(KVMChips, 1);
    for (unsigned i = 0; i < CHIPS; i++) {
        chips->initial[i].chip_id = i;
        if (ioctl(s->vm, KVM_GET_IRQCHIP, &chips->initial[i]) < 0) {
            qom_error_set(errp, QOM_ERROR_FAILED,
                          "KVM does not give the state of interrupt controller %u: %s", i,
                          g_strerror(errno));
            g_free(chips);
            return false;
        }
    }
    s->chips = chips;
    s->lapics = true;
    kvm_routes_init(s);
    return true;
}

bool kvm_create_apics(AccelState *accel, GError **errp)
{
    struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { KVM_IOAPIC_NUM_PINS } };
    KVMState *s = KVM_ACCEL(accel);

    if (ioctl(s->vm, KVM_CHECK_EXTENSION, KVM_CAP_SPLIT_IRQCHIP) <= 0) {
        qom_error_set(errp, QOM_ERROR_FAILED,
                      "KVM has no local APICs without the other controllers "
                      "(KVM_CAP_SPLIT_IRQCHIP): a kernel of 4.4 or later is needed");
        return false;
    }
    if (ioctl(s->vm, KVM_ENABLE_CAP, &split) < 0) {
        qom_error_set(errp, QOM_ERROR_FAILED,
                      "KVM makes no local APICs (KVM_CAP_SPLIT_IRQCHIP): %s", g_strerror(errno));
        return false;
    }
    s->lapics = true;
    kvm_routes_init_apics(s);
    return true;
}

void kvm_set_irq(AccelState *accel, unsigned gsi, int level)
{
    KVMState *s = KVM_ACCEL(accel);
    struct kvm_irq_level line = { .irq = gsi, .level = level != 0 };
    static LogLimit limit;

    if (ioctl(s->vm, KVM_IRQ_LINE, &line) < 0 && qemu_log_limit(&limit)) {
        warn_report("KVM does not take interrupt line %u: %s", gsi, g_strerror(errno));
    }
}

void kvm_irqchip_reset(KVMState *s)
{
    if (!s->chips) {
        return;
    }
    for (unsigned i = 0; i < CHIPS; i++) {
        if (ioctl(s->vm, KVM_SET_IRQCHIP, &s->chips->initial[i]) < 0) {
            error_report("KVM does not reset interrupt controller %u: %s", i, g_strerror(errno));
        }
    }
}

/* ---- For people ---- */

static void append_pic(GString *out, unsigned n, const struct kvm_pic_state *p)
{
    g_string_append_printf(out,
                           "pic%u: irr=%02x imr=%02x isr=%02x hprio=%u irq_base=%02x rr_sel=%u "
                           "elcr=%02x fnm=%u\n",
                           n, p->irr, p->imr, p->isr, p->priority_add, p->irq_base,
                           p->read_reg_select, p->elcr, p->special_fully_nested_mode);
}

static void append_ioapic(GString *out, const struct kvm_ioapic_state *io)
{
    irqchip_append_ioapic(out, io->id, io->ioregsel, io->base_address, io->irr);
    for (unsigned i = 0; i < KVM_IOAPIC_NUM_PINS; i++) {
        irqchip_append_pin(out, i, io->redirtbl[i].bits);
    }
}

void kvm_print_irqchip(AccelState *accel, GString *out)
{
    for (unsigned i = 0; i < CHIPS; i++) {
        struct kvm_irqchip chip = { .chip_id = i };

        if (ioctl(KVM_ACCEL(accel)->vm, KVM_GET_IRQCHIP, &chip) < 0) {
            g_string_append_printf(out, "KVM does not tell of controller %u: %s\n", i,
                                   g_strerror(errno));
        } else if (i == KVM_IRQCHIP_IOAPIC) {
            append_ioapic(out, &chip.chip.ioapic);
        } else {
            append_pic(out, i, &chip.chip.pic);
        }
    }
}
