/* SPDX-License-Identifier: MIT */
/*
 * What the files of the machine "bare" share: the board, and the state in which its vCPUs
 * start.
 */
#ifndef MACHINE_BARE_INT_H
#define MACHINE_BARE_INT_H

#include <qomet/hw/isa/isa-bus.h>
#include <qomet/machine/machine.h>

#define TYPE_BARE_MACHINE MACHINE_TYPE_NAME("bare")
OBJECT_DECLARE_SIMPLE_TYPE(BareMachine, BARE_MACHINE)

/* Where RAM leaves room for the devices below 4 GiB; the rest of it goes on at 4 GiB. */
#define BARE_LOW_RAM_END UINT64_C(0xc0000000)
#define BARE_HIGH_RAM_START UINT64_C(0x100000000)

typedef enum BareOnHalt { BARE_HALT_AUTO, BARE_HALT_EXIT, BARE_HALT_WAIT } BareOnHalt;
typedef enum BareUnassigned {
    BARE_UNASSIGNED_IGNORE,
    BARE_UNASSIGNED_WARN,
    BARE_UNASSIGNED_STOP
} BareUnassigned;

struct BareMachine {
    MachineState parent_obj;
    /* Properties */
    uint64_t load_address, entry;
    bool entry_given;
    uint16_t selector[X86_NUM_SEGS];
    uint64_t gpr[X86_NUM_GPRS];
    bool long_mode, protected_mode, kernel_irqchip;
    int on_halt, unassigned;
    /* The board */
    MemoryRegion low_ram, high_ram; /* aliases of the machine's RAM */
    ISABus *isa;
    qemu_irq irqs[ISA_NUM_IRQS];
    GBytes *image;         /* what is loaded, kept for the reset */
    uint64_t tables;       /* address of page tables and GDT, in the modes that have them */
    uint32_t halt_said;    /* that nothing can wake a vCPU; atomic */
    QEMUTimer *halt_timer; /* looks after vCPUs that wait in KVM; or NULL */
    int64_t busy_ns;       /* what they had executed when it looked last */
    bool asked;            /* whether they can be woken, since they came to rest */
    /*
     * What nothing answered, and has been told: a bit a port, then pages of 4 KiB (a bounded
     * number).
     */
    pthread_mutex_t told_lock;
    uint64_t told_ports[65536 / 64];
    GHashTable *told_pages;
};

/* bare-halt.c */

/*
 * Begins to watch for vCPUs that halt, and does then what the property "on-halt" says. Main thread.
 */
void bare_halt_watch(BareMachine *s);
void bare_halt_unwatch(BareMachine *s);

/* bare-start.c */

/* Checks the properties against each other and the RAM, reads the kernel, places the tables. */
bool bare_start_prepare(BareMachine *s, GError **errp);
/* Writes image and tables to RAM and gives each vCPU its registers. Every vCPU parked. */
void bare_start_reset(BareMachine *s);
/* Where the guest begins: what the property says, or the place of the kernel. */
uint64_t bare_entry(const BareMachine *s);

#endif
