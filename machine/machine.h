/* SPDX-License-Identifier: MIT */
/*
 * Machines: a machine is an object whose class makes a board out of devices.
 */
#ifndef QOMET_MACHINE_MACHINE_H
#define QOMET_MACHINE_MACHINE_H

#include <qomet/accel/accel.h>
#include <qomet/hw/core/sysbus.h>

#define TYPE_MACHINE "machine"
OBJECT_DECLARE_TYPE(MachineState, MachineClass, MACHINE)
/** Type names of machines end so: "bare-machine" is -M bare. */
#define TYPE_MACHINE_SUFFIX "-" TYPE_MACHINE
#define MACHINE_TYPE_NAME(name) name TYPE_MACHINE_SUFFIX

struct MachineState {
    Object parent_obj;
    /* Properties that every machine has: */
    uint64_t ram_size; /* -m, bytes; 0: the class's default */
    uint32_t smp_cpus; /* -smp */
    uint32_t smp_sockets, smp_cores, smp_threads, smp_maxcpus; /* the same; 0: as it follows */
    char *cpu_type; /* -cpu MODEL; NULL: the class's default */
    char *kernel_filename, *kernel_cmdline, *initrd_filename, *firmware;
    char *memory_backend;    /* id of the object that RAM comes from; NULL: the machine's own */
    char *guest_name;        /* -name; or NULL */
    bool mem_merge;          /* the host may have equal pages of RAM once */
    bool dump_guest_core;    /* RAM is in the host's core dumps */
    bool no_defaults;        /* -nodefaults */
    bool made;               /* machine_init() has begun: what it went by stays as it is */
    bool waits;              /* -S: somebody starts it later, and may bring what it runs */
    GPtrArray *serial_words; /* of char *: each -serial, in order; NULL: none was given */
};

struct MachineClass {
    ObjectClass parent_class;
    const char *desc;          /* one line for "-M help" */
    const char *alias;         /* a second name, or NULL; not inherited */
    bool is_default;           /* what runs without -M; not inherited */
    unsigned max_cpus;         /* 0: the machine has no CPUs */
    uint64_t default_ram_size; /* bytes; 0: no RAM */
    uint64_t max_ram_size;     /* bytes; 0: no limit but the host's */
    const char *default_cpu_type;
    bool triple_fault_resets; /* as on a PC; otherwise the machine ends, and says why */
    /* Whatever init has to know of a class that was made at run time, or NULL; inherited. */
    const void *init_data;
    /** When the machine has been made, before any option: defaults that no field can hold. May be
     * NULL. */
    bool (*prepare)(MachineState *machine, GError **errp);
    /** Makes the board: RAM, CPUs, buses, devices. False with @errp set: the program ends,
     * everything is given back. NULL: there is none, as in classes that others begin with. */
    bool (*init)(MachineState *machine, GError **errp);
    /** After the user's -device words: loads the kernel, checks the whole. May be NULL. */
    bool (*done)(MachineState *machine, GError **errp);
    /** Registers and memory as the guest shall find them; after the devices' reset. May be NULL. */
    void (*reset)(MachineState *machine);
};

/** The machine of this process, or NULL. */
QOM_EXPORT MachineState *current_machine(void);
/** The machine class of "-M @name" (alias too); NULL with the nearest name in @errp. */
QOM_EXPORT MachineClass *machine_class_find(const char *name, GError **errp);
/** What a user calls the machines of @mc: "bare" of "bare-machine"; the caller frees. */
QOM_EXPORT char *machine_name(const MachineClass *mc);
/** The default machine's class. */
QOM_EXPORT MachineClass *machine_class_default(void);
/** Makes "/machine" of that class, unconfigured; the tree owns it. */
QOM_EXPORT MachineState *machine_new(MachineClass *mc, GError **errp);
/**
 * Whether @machine may have as many vCPUs as its property "smp" says, or as much RAM as "ram-size"
 * does, in bytes; false with @errp set, which says what it accepts. machine_init() asks too; options
 * do so before, to name the word that is wrong.
 */
QOM_EXPORT bool machine_check_cpus(const MachineState *machine, GError **errp);
QOM_EXPORT bool machine_check_ram(const MachineState *machine, GError **errp);
/**
 * Has "smp" follow from "sockets", "cores", "threads" and "maxcpus", as -smp without a number of vCPUs
 * does; false with @errp set when they contradict each other. Before machine_init().
 */
QOM_EXPORT bool machine_compute_cpus(MachineState *machine, GError **errp);
/** How its vCPUs stand together, once machine_check_cpus() has been true. */
QOM_EXPORT CPUTopology machine_topology(const MachineState *machine);
/** Checks the configuration, calls the class's init. */
QOM_EXPORT bool machine_init(MachineState *machine, GError **errp);
/** After all user devices: the class's done, then the first reset. */
QOM_EXPORT bool machine_done(MachineState *machine, GError **errp);
/**
 * Makes the RAM of -m (of memory-backend, where that is given) as the device "ram" below the
 * machine: its first @split bytes at address 0, the rest at @high. For a class's init.
 */
QOM_EXPORT bool machine_create_ram(MachineState *machine, uint64_t split, hwaddr high,
                                   GError **errp);
/** Makes and realizes -smp vCPUs of the machine's CPU type. For a class's init. */
QOM_EXPORT bool machine_create_cpus(MachineState *machine, GError **errp);
/** What a machine may be given to run: -kernel, -initrd, -append, -bios. */
enum {
    MACHINE_KERNEL = 1 << 0,
    MACHINE_INITRD = 1 << 1,
    MACHINE_CMDLINE = 1 << 2,
    MACHINE_FIRMWARE = 1 << 3,
};
/**
 * Refuses what the user has given of these besides @takes, of which the board would make nothing;
 * @runs ends the message: "starts its firmware". For a class's done.
 */
QOM_EXPORT bool machine_check_words(const MachineState *machine, unsigned takes, const char *runs,
                                    GError **errp) G_GNUC_WARN_UNUSED_RESULT;
/** Says where the next serial port leads (words of -serial). Before machine_init(). Main thread. */
QOM_EXPORT void machine_add_serial_words(MachineState *machine, const char *words);
/** How many serial ports a board shall have, those that are left out ("none") included. For a
 * class's init. */
QOM_EXPORT unsigned machine_serial_count(const MachineState *machine);
/** Where the serial port number @n leads: words that the machine owns, or NULL when it is left out.
 * For a class's init. */
QOM_EXPORT const char *machine_serial_words(const MachineState *machine, unsigned n);
/** Ends vCPU threads, unrealizes every device and frees the machine. */
QOM_EXPORT void machine_cleanup(void);

#endif
