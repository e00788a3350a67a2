/* SPDX-License-Identifier: MIT */
/*
 * One exit of a guest as data, and who is told of it: the log ("-d exits"), explanations ("-explain"),
 * the times of devices ("exit-timing=on"), the timeline ("-trace-file"), and a short memory of each
 * vCPU's last ones ("explain N"). While nobody wants to know, no exit is recorded.
 */
#ifndef QOMET_ACCEL_EXIT_RECORD_H
#define QOMET_ACCEL_EXIT_RECORD_H

#include <qomet/accel/cpu.h>

/** How many of a vCPU's exits are remembered. */
#define EXIT_RECORDS_KEPT 256

/**
 * One exit; one that made several accesses (a string instruction) gives a record for each. What is
 * no access has no space, and is recorded before it is dealt with, so it has no time either.
 */
typedef struct ExitRecord {
    uint64_t number;             /* among the observed ones of its vCPU, from 1 */
    uint32_t vcpu;               /* its index */
    const char *reason;          /* "io"; static */
    const char *meaning;         /* "the guest used a port"; static */
    bool has_rip;                /* RIP was asked for */
    uint64_t rip;                /* when the guest was left: that of the instruction, or the next */
    int64_t entered_ns, left_ns; /* the guest, CLOCK_MONOTONIC; when it ran last, and until when */
    int64_t began_ns, ns;        /* the access, CLOCK_MONOTONIC; and how long it took */
    /* The access: */
    const char *space; /* name of the address space: "I/O", "memory"; NULL: this was no access */
    hwaddr addr;       /* in it */
    uint64_t value;    /* written, or what the guest gets */
    unsigned size;     /* in bytes */
    bool is_write;
    MemTxResult result;
    /* What stands there; all NULL where nothing does: */
    char *region;     /* its name */
    hwaddr offset;    /* in the region */
    char *path;       /* of the owner; NULL when it is outside the tree */
    const char *type; /* of the owner */
    /* The class whose methods the region has: that type or an ancestor; NULL: it is memory. */
    const char *method_class;
    EntryGuard *guard; /* valid while the record is handed round, NULL in one that is kept */
} ExitRecord;

/** Who may be told. */
typedef enum ExitObservers {
    EXIT_LOG = 1 << 0,     /* "-d exits": a line each; follows qemu_loglevel */
    EXIT_EXPLAIN = 1 << 1, /* a path each, to the log; time and state as for the next two */
    EXIT_TIMING = 1 << 2,  /* time is counted by object */
    EXIT_KEEP = 1 << 3,    /* RIP is noted, and the state at each entry is kept */
    EXIT_TRACE = 1 << 4,   /* the timeline */
} ExitObservers;
/* Those who want more of KVM than what an exit tells by itself. */
#define EXIT_WANTS_STATE (EXIT_EXPLAIN | EXIT_KEEP)
/* Who turns on that the last exits are remembered: anybody. */
#define EXIT_ANY (EXIT_LOG | EXIT_EXPLAIN | EXIT_TIMING | EXIT_KEEP | EXIT_TRACE)

/**
 * Has @which (one of them, not EXIT_LOG) told from now on, or no more; running vCPUs are made to
 * notice. False when this program was built without. Main thread.
 */
QOM_EXPORT bool exit_observe(ExitObservers which, bool on, GError **errp);
/** Who is to be told now. Any thread. */
QOM_EXPORT unsigned exit_observers(void);
/** Has every vCPU look at exit_observers() again, after qemu_loglevel has changed. Main thread. */
QOM_EXPORT void exit_observers_changed(void);

/**
 * Does the access that @r describes (addr, size, is_write, value) in @as, fills in the rest and
 * tells the observers. The vCPU's own thread.
 */
void exit_observed_access(CPUState *cpu, ExitRecord *r, AddressSpace *as, MemTxAttrs attrs);
/** Tells the observers of @r, an exit that is no access. The vCPU's own thread. */
void exit_observed(CPUState *cpu, ExitRecord *r);
/** The time in terms of the records. */
int64_t exit_clock_ns(void);

/**
 * Begins the timeline in the file @path, which must be a regular one; it replaces one that there was.
 * False when the file cannot be written, or this program was built without. Main thread.
 */
QOM_EXPORT bool exit_trace_open(const char *path, GError **errp);
/** Ends it, if there is one. Main thread. */
QOM_EXPORT void exit_trace_close(void);

/**
 * The last exits that were recorded, newest first, at most @max; of vCPU @cpu (NULL: of all). The
 * caller frees the array, which frees its records (of ExitRecord *). Main thread.
 */
QOM_EXPORT GPtrArray *exit_records(CPUState *cpu, unsigned max);
/** @r as a path: some lines that a person reads, each with its newline. */
QOM_EXPORT void exit_record_explain(const ExitRecord *r, GString *out);

#endif
