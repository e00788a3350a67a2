/* SPDX-License-Identifier: MIT */
/* What the files of accel/kvm/ share: the virtual machine, the vCPU, and the table of exits. */
#ifndef ACCEL_KVM_INT_H
#define ACCEL_KVM_INT_H

#include <qomet/accel/accel.h>
#include <qomet/accel/debug.h>
#include <qomet/accel/exit-record.h>
#include "accel/kvm/kvm-compat.h"

#define TYPE_KVM_ACCEL "kvm" ACCEL_CLASS_SUFFIX
OBJECT_DECLARE_SIMPLE_TYPE(KVMState, KVM_ACCEL)

/*
 * What a virtual machine keeps of guest-physical addresses, on some processors: the local APIC's
 * page; and for real mode, where it cannot be run natively, a page table and three pages, below the
 * firmware's 256 KiB at the end of 4 GiB.
 */
#define KVM_APIC_ADDR UINT64_C(0xfee00000)
#define KVM_IDENTITY_MAP_ADDR UINT64_C(0xfeffc000)
#define KVM_TSS_ADDR UINT64_C(0xfeffd000)

typedef struct KVMMemory KVMMemory;
typedef struct KVMChips KVMChips;
typedef struct KVMRoutes KVMRoutes;

struct KVMState {
    AccelState parent_obj;
    char *device;    /* property: "/dev/kvm" */
    int fd, vm;      /* of the device and of the virtual machine; -1: not open */
    size_t run_size; /* bytes of a vCPU's struct kvm_run */
    bool readonly_slots, ioeventfd, ioeventfd_any_length;
    bool debug_blocks_irqs; /* a single step can keep interrupts off */
    /* Whether a debugger's wishes are met here, once that was tried (kvm-trial.c). */
    bool debug_tried, debug_watch, debug_code, debug_int3;
    uint32_t max_slots;
    KVMMemory *memory;
    KVMChips *chips;            /* interrupt controllers in the kernel, or NULL */
    bool lapics;                /* local APICs are, also without the others */
    KVMRoutes *routes;          /* what their interrupts stand for, or NULL */
    struct kvm_pit_state2 *pit; /* the timer in the kernel as it was made, or NULL */
    pthread_mutex_t cpuid_lock; /* guards cpuid */
    struct kvm_cpuid2 *cpuid;   /* what the kernel offers, asked for once */
};

typedef struct KVMVcpu KVMVcpu;
typedef struct KVMObserved KVMObserved;

/* Deals with one exit; false: back to the vCPU's thread, to see what is asked of it. */
typedef bool KVMExitFn(KVMVcpu *v);

/*
 * One vCPU. Used on its thread; others only kick. All that an exit needs of it is in one page:
 * after an exit the processor has to find each page anew.
 */
struct KVMVcpu {
    int fd;
    struct kvm_run *run; /* shared with the kernel */
    AddressSpace *memory, *io;
    MemTxAttrs attrs; /* of its accesses */
    bool pristine;    /* nothing has run yet: all but the registers is as at power-on */
    bool completing;  /* kvm_complete_access() is under way further up the stack */
    X86CPU *cpu;
    KVMState *kvm;
    uint64_t watched[4];          /* what was last in the bytes that each debug register watches */
    uint64_t step_from;           /* RIP when KVM was last told how to debug */
    KVMExitFn *const *step_exits; /* while it steps: what exits lead to otherwise */
    bool debug_steps;             /* and it steps */
    bool debugged;                /* and whether there is anything to debug */
    int16_t acknowledged;         /* a vector that KVM is still to be given, or -1 */
    KVMExitFn *exits[KVM_EXIT_COUNT]; /* the table in force, copied before the guest is entered */
    KVMObserved *observed;            /* what observers need, or NULL: there are none */
} __attribute__((aligned(512)));

/* kvm-exits.c: what each reason leads to. */
extern KVMExitFn *const kvm_exits_plain[KVM_EXIT_COUNT];

/* kvm-observed.c: the same, told to those of exit_observers() too. */
extern KVMExitFn *const kvm_exits_observed[KVM_EXIT_COUNT];
/*
 * Before the guest is entered with that table, for the first time or again: notes what observers
 * want to know of an entry. False when it is not to be entered yet.
 */
bool kvm_observe_entry(KVMVcpu *v);
void kvm_observed_free(KVMVcpu *v);
/* The registers with which the guest was entered last; NULL: nobody has asked to keep them. */
const X86Registers *kvm_kept_registers(const KVMVcpu *v);

/*
 * kvm-diagnose.c: after an exit that ends a guest, lines that begin with a newline, or "": what the
 * guest was doing, and what is behind it. Where KVM has reset the vCPU, the vCPU's registers become
 * those of the moment before, if that can be found again. The vCPU's own thread; the caller frees.
 */
char *kvm_diagnose(KVMVcpu *v);
/* Whether @r is what KVM's SVM half leaves behind after a triple fault. */
bool kvm_is_reset_state(const X86Registers *r);

/* kvm-cpuid.c: the entry of a leaf and subleaf, or NULL. */
struct kvm_cpuid_entry2 *kvm_cpuid_find(struct kvm_cpuid2 *cpuid, uint32_t leaf, uint32_t subleaf);

/* The same after @cpuid was taken over and given that entry, which is empty if it was not there. */
struct kvm_cpuid2 *kvm_cpuid_with(struct kvm_cpuid2 *cpuid, uint32_t leaf, uint32_t subleaf);

/*
 * kvm-features.c: puts what the user has said of features into *@cpuid. One is there to be had if it
 * is in that, or in @supported by the kernel. False when one is not, and the user insists on it.
 */
bool kvm_apply_features(KVMVcpu *v, struct kvm_cpuid2 **cpuid, struct kvm_cpuid2 *supported,
                        GError **errp);

/* kvm-topology.c: what CPUID tells of where the vCPU stands among the others. */
void kvm_fill_topology(struct kvm_cpuid2 *cpuid, const CPUState *cpu);

/* kvm-vcpu.c: the methods of the class. */
bool kvm_cpu_init(CPUState *cpu, GError **errp);
void kvm_cpu_destroy(CPUState *cpu);
void kvm_reset_done(AccelState *accel);
void kvm_cpu_exec(CPUState *cpu);
void kvm_cpu_kick(CPUState *cpu);
bool kvm_cpu_waits(CPUState *cpu);
bool kvm_cpu_inject_nmi(CPUState *cpu, GError **errp);
/*
 * Lets KVM complete the access of the last exit, without entering the guest. Where KVM has cut an
 * access, the parts that are left are dealt with: an instruction may have a thousand of them. Does
 * nothing from within that. The vCPU's own thread.
 */
void kvm_complete_access(KVMVcpu *v);

/* kvm-regs.c; the first one reads what KVM has, whatever is in cpu->regs. */
bool kvm_read_registers(KVMVcpu *v, X86Registers *r, GError **errp);
bool kvm_get_registers(X86CPU *cpu, GError **errp);
bool kvm_put_registers(X86CPU *cpu, GError **errp);
bool kvm_get_extended(X86CPU *cpu, X86ExtendedRegisters *r, GError **errp);
bool kvm_put_extended(X86CPU *cpu, const X86ExtendedRegisters *r, GError **errp);

/* kvm-debug.c: the method of the class; the same after registers were put, on the vCPU's thread. */
bool kvm_debug_update(CPUState *cpu, GError **errp);
bool kvm_debug_apply(KVMVcpu *v, GError **errp);
/*
 * Before the guest is entered to go in steps: makes v->exits, which are @exits, those of a vCPU that
 * is to stop after one instruction. False when it stands at a breakpoint already.
 */
bool kvm_debug_enter(KVMVcpu *v, KVMExitFn *const *exits);
KVMExitFn kvm_exit_debug;
/* Whether an internal error is KVM's way to meet an INT3 of ours, which has stopped the machine. */
bool kvm_debug_is_breakpoint(KVMVcpu *v);
/* kvm-reset.c: puts all that is not in X86Registers to its power-on state, or what INIT changes. */
bool kvm_reset_vcpu(KVMVcpu *v, GError **errp);
bool kvm_init_vcpu(KVMVcpu *v, GError **errp);
/* kvm-cpuid.c */
bool kvm_set_cpuid(KVMVcpu *v, GError **errp);

/* kvm-trial.c: tries what a debugger needs, once. Main thread. */
void kvm_trial(KVMState *s);
/* kvm-steps.c: whether breakpoints of that kind are met, if need be by steps. Main thread. */
bool kvm_debug_meets(AccelState *accel, CPUBreakKind kind);
/* Whether the vCPU has to go in steps for one of them. Its own thread, as for what follows. */
bool kvm_steps_needed(const KVMVcpu *v);
/* Before the first step, and after each: the breakpoint that is met there, or NULL. */
const CPUBreakpoint *kvm_steps_begin(KVMVcpu *v);
const CPUBreakpoint *kvm_steps_met(KVMVcpu *v);

/* kvm-memory.c: guest memory and ioeventfds follow the two address spaces from now on. */
KVMMemory *kvm_memory_new(KVMState *kvm);
void kvm_memory_free(KVMMemory *m);

/* kvm-interrupt.c: around KVM_RUN, where the vCPU hears a controller in user space. */
void kvm_interrupt_before(KVMVcpu *v);
void kvm_interrupt_after(KVMVcpu *v);

/* kvm-irqchip.c */
bool kvm_create_irqchip(AccelState *accel, GError **errp);
bool kvm_create_apics(AccelState *accel, GError **errp);
void kvm_print_irqchip(AccelState *accel, GString *out);
void kvm_set_irq(AccelState *accel, unsigned gsi, int level);
void kvm_irqchip_reset(KVMState *kvm);

/*
 * kvm-routes.c; one of the first two when there are interrupt controllers: with pins of their own, or
 * with local APICs alone.
 */
void kvm_routes_init(KVMState *kvm);
void kvm_routes_init_apics(KVMState *kvm);
bool kvm_routes_apply(KVMState *kvm, GError **errp);
void kvm_routes_free(KVMState *kvm);
bool kvm_send_msi(AccelState *accel, uint64_t addr, uint32_t data);
int kvm_route_add(AccelState *accel, uint64_t addr, uint32_t data, GError **errp);
void kvm_route_set(AccelState *accel, int gsi, uint64_t addr, uint32_t data);
void kvm_route_del(AccelState *accel, int gsi);
void kvm_pin_set(AccelState *accel, unsigned pin, uint64_t addr, uint32_t data);
bool kvm_irqfd(AccelState *accel, int gsi, int fd, int resample_fd, bool on, GError **errp);

/* kvm-pit.c */
bool kvm_create_pit(AccelState *accel, GError **errp);
void kvm_pit_reset(KVMState *kvm);

/* kvm-explain.c: a reason's name ("io", "fail-entry"), and what it means; never NULL. */
const char *kvm_exit_name(uint32_t reason);
const char *kvm_exit_meaning(uint32_t reason);
/* @r: the registers at the exit, or NULL. The caller frees. */
char *kvm_explain_exit(const struct kvm_run *run, const X86Registers *r);

#endif
