/* SPDX-License-Identifier: MIT */
/* What a local APIC and that which joins them know of one another. */
#ifndef HW_INTC_APIC_INT_H
#define HW_INTC_APIC_INT_H

#include <qomet/hw/intc/apic.h>

typedef struct Apics Apics;
OBJECT_DECLARE_SIMPLE_TYPE(APICState, APIC)

#define APIC_REGS 64     /* 16 bytes apart */
#define APIC_LVTS 6      /* in the order of their registers */
#define APIC_LVT_TIMER 0 /* among them */

/* Delivery modes, of LVTs, ICR and messages (SDM vol. 3, 11.6.1). */
enum {
    APIC_FIXED,
    APIC_LOWEST,
    APIC_SMI,
    APIC_NMI = 4,
    APIC_INIT,
    APIC_START_UP,
    APIC_EXTINT,
};

/* Something for one or more APICs. */
typedef struct ApicMessage {
    uint8_t mode, vector, destination;
    bool logical, level; /* destination mode; trigger mode */
} ApicMessage;

struct APICState {
    DeviceState parent_obj;
    Apics *apics;   /* that it is part of */
    CPUState *cpu;  /* that hears it, or NULL: a tester does */
    unsigned index; /* of that vCPU */
    uint8_t initial_id;
    qemu_irq intr[1];
    QEMUTimer timer;
    /* Guarded by the lock of @apics, which is held while "intr" is set: */
    uint64_t base; /* IA32_APIC_BASE */
    uint32_t id, tpr, ldr, dfr, svr, icr[2];
    uint32_t esr, errors; /* what reads see; what has come since that was written */
    uint32_t lvt[APIC_LVTS];
    uint32_t isr[8], tmr[8], irr[8];
    uint32_t initial_count, divide;
    int64_t begun_ns; /* when the timer was set going */
    int64_t due_ns;   /* when it fires next; -1: it does not */
    uint8_t lint[2];  /* 0 or 1: levels of the two inputs */
};

/* ---- apic.c; all with the lock of the APICs, but for the first ---- */

/* Makes the APIC of vCPU @index, which begins with that id, before it is realized. */
void apic_place(APICState *s, Apics *apics, unsigned index, uint8_t initial_id);
/* Reads and writes the register at @offset; *@ended becomes the vector of a level that was ended. */
uint32_t apic_read(APICState *s, unsigned offset);
void apic_write(APICState *s, unsigned offset, uint32_t value, int *ended);
/* Whether a message to @destination is for it. */
bool apic_is_meant(const APICState *s, uint8_t destination, bool logical);
/* Takes it; false when it is switched off. */
bool apic_deliver(APICState *s, const ApicMessage *m);
/* Whether it takes vectors, and how urgent what it does is (PPR). */
bool apic_is_enabled(const APICState *s);
uint8_t apic_priority(const APICState *s);

/* ---- apic-timer.c; all with the lock ---- */

/* What is left of the count. */
uint32_t apic_current_count(const APICState *s);
/* Sets the timer to when it next comes to zero, from what is in the registers. */
void apic_arm(APICState *s);
/* Changes @reg, one of its registers: the count goes on from where it is. */
void apic_change_timer(APICState *s, uint32_t *reg, uint32_t value);

/* ---- apics.c ---- */

pthread_mutex_t *apics_lock(Apics *apics);
/* With that lock: delivers what @from has written to its ICR. */
void apics_send(Apics *s, APICState *from, const ApicMessage *m, unsigned shorthand);
/* Without: the vector of the PIC, or -1. */
int apics_ask_pic(Apics *apics, CPUState *cpu);

#endif
