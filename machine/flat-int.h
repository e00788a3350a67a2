/* SPDX-License-Identifier: MIT */
/*
 * What the files of "flat-machine" share: how a flat binary is started, and what is done for a
 * guest that halts or misses.
 */
#ifndef MACHINE_FLAT_INT_H
#define MACHINE_FLAT_INT_H

#include <qomet/machine/machine.h>

#define TYPE_FLAT_MACHINE MACHINE_TYPE_NAME("flat")
OBJECT_DECLARE_SIMPLE_TYPE(FlatMachine, FLAT_MACHINE)

typedef enum FlatOnHalt { FLAT_HALT_AUTO, FLAT_HALT_EXIT, FLAT_HALT_WAIT } FlatOnHalt;
typedef enum FlatUnassigned {
    FLAT_UNASSIGNED_IGNORE,
    FLAT_UNASSIGNED_WARN,
    FLAT_UNASSIGNED_STOP
} FlatUnassigned;

struct FlatMachine {
    MachineState parent_obj;
    /* Properties */
    uint64_t load_address, entry;
    bool entry_given;
    uint16_t selector[X86_NUM_SEGS];
    uint64_t gpr[X86_NUM_GPRS];
    bool long_mode, protected_mode;
    int on_halt, unassigned;
    /* What follows from them and the board */
    bool has_irqchip;      /* the accelerator has interrupt controllers, where vCPUs wait */
    GBytes *image;         /* what is loaded, kept for the reset */
    uint64_t tables;       /* address of page tables and GDT, in the modes that have them */
    uint32_t halt_said;    /* that nothing can wake a vCPU; atomic */
    bool halt_watched;     /* between flat_halt_watch() and flat_halt_unwatch() */
    QEMUTimer *halt_timer; /* looks after vCPUs that wait in KVM; or NULL */
    int64_t busy_ns;       /* what they had executed when it looked last */
    bool asked;            /* whether they can be woken, since they came to rest */
    /*
     * What nothing answered, and has been told: a bit a port, then pages of 4 KiB (a bounded
     * number). NULL until there is something to tell.
     */
    pthread_mutex_t told_lock;
    uint64_t *told_ports;
    GHashTable *told_pages;
};

/* flat-halt.c */

/*
 * Begins to watch for vCPUs that halt, and does then what the property "on-halt" says. Main thread.
 */
void flat_halt_watch(FlatMachine *s);
void flat_halt_unwatch(FlatMachine *s);

/* flat-start.c */

/* Checks the properties against each other and the RAM, reads the kernel, places the tables. */
bool flat_start_prepare(FlatMachine *s, GError **errp);
/* Writes image and tables to RAM and gives each vCPU its registers. Every vCPU parked. */
void flat_start_reset(FlatMachine *s);
/* Where the guest begins: what the property says, or the place of the kernel. */
uint64_t flat_entry(const FlatMachine *s);

#endif
