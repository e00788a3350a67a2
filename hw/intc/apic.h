/* SPDX-License-Identifier: MIT */
/*
 * Local APICs in user space: "apic", one for each vCPU, and "apics", what they share - the page at
 * which each vCPU finds its own, the messages between them and to them, and one lock.
 */
#ifndef QOMET_HW_INTC_APIC_H
#define QOMET_HW_INTC_APIC_H

#include <qomet/accel/cpu-intc.h>
#include <qomet/hw/core/sysbus.h>

/**
 * A device on the system bus with one region, to be mapped at APICS_ADDR. Property "num-cpus": how
 * many APICs it makes, as its children "apic[0]" and on. It is the machine's msi-target.
 */
#define TYPE_APICS "apics"
#define APICS_ADDR UINT64_C(0xfee00000)

/**
 * One of them. Inputs "lint0" and "lint1"; its output "intr" is high while there is something for its
 * vCPU, whose controller it is (cpu-intc.h).
 */
#define TYPE_APIC "apic"
#define APIC_LINT0 "lint0"
#define APIC_LINT1 "lint1"

/** The APIC of vCPU @index, or NULL. Main thread. */
QOM_EXPORT DeviceState *apics_get(DeviceState *apics, unsigned index);
/** Leads it to its vCPU: interrupts, INIT, start-up, NMI. Before the machine starts; main thread. */
QOM_EXPORT bool apic_connect(DeviceState *apic, CPUState *cpu, GError **errp);
/** Who is asked for the vector of what comes as ExtINT; outlives the APICs. Main thread. */
QOM_EXPORT void apics_set_pic(DeviceState *apics, CPUIntc *pic);

#endif
