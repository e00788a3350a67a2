/* SPDX-License-Identifier: MIT */
/*
 * What the files of the gdb server share: the object, which is one connection's state, and the
 * handlers of packets.
 */
#ifndef MONITOR_GDB_INT_H
#define MONITOR_GDB_INT_H

#include <qomet/accel/debug.h>
#include <qomet/accel/runstate.h>
#include <qomet/monitor/monitor.h>
#include "monitor/gdb-packet.h"

#define TYPE_GDB_SERVER "gdb-server"
OBJECT_DECLARE_SIMPLE_TYPE(GdbServer, GDB_SERVER)

/* Numbers of signals in gdb's protocol. */
enum {
    GDB_SIGNAL_NONE = 0,
    GDB_SIGNAL_INT = 2,
    GDB_SIGNAL_QUIT = 3,
    GDB_SIGNAL_TRAP = 5,
    GDB_SIGNAL_ABRT = 6,
};

struct GdbServer {
    Monitor parent_obj; /* the connection */
    bool started;       /* the vCPUs are in its hands */
    bool no_ack;        /* the client wants no acknowledgements */
    bool knows_swbreak; /* it understands these reasons of a stop */
    bool knows_hwbreak;
    bool physical;     /* it means guest-physical addresses */
    bool waiting;      /* it is owed a stop reply */
    bool exited;       /* it was told that the machine has ended */
    unsigned step;     /* CPU_STEP_ bits of a step */
    unsigned cpu;      /* index of the vCPU whose registers and memory it means ("Hg") */
    unsigned step_cpu; /* of the one that plain "s" and "c" mean ("Hc"); GDB_ALL_CPUS */
    unsigned next_cpu; /* the list of threads goes on here */
    GdbParser parser;
    GString *reply; /* to the packet that is being handled */
    GString *last;  /* the last packet sent, framed; it may be asked for again */
};

#define GDB_ALL_CPUS UINT32_MAX

/*
 * Handles one packet; @args is what follows its name, NUL-terminated. True: s->reply is the answer
 * (empty: there is no such packet). False: no answer comes now. Every vCPU is parked, also where
 * the machine runs.
 */
typedef bool GdbHandler(GdbServer *s, const char *args, size_t len);

/* gdb-server.c: sends a packet. */
void gdb_send(GdbServer *s, const char *contents, size_t len);
/* Makes the reply "OK", or "E" and a number. For handlers: return these. */
bool gdb_ok(GdbServer *s);
bool gdb_error(GdbServer *s, unsigned number);
/* The vCPU that the client means; it may have gone. */
CPUState *gdb_cpu(GdbServer *s);

#define GDB_EFAULT 14
#define GDB_EINVAL 22

/* gdb-commands.c: what a packet means. */
bool gdb_command(GdbServer *s, const char *packet, size_t len);
/* "-1", "0" or a number: the index of a vCPU, GDB_ALL_CPUS for the first two. */
bool gdb_take_thread(const char **text, unsigned *cpu);

/* gdb-query.c */
GdbHandler gdb_query, gdb_set;

/* gdb-resume.c */
GdbHandler gdb_continue, gdb_step, gdb_vcont, gdb_vcont_query, gdb_why_stopped, gdb_detach;
/* The machine has stopped, or a vCPU did: the client is told if it waits for that. */
void gdb_machine_stopped(GdbServer *s, RunState state);
void gdb_cpu_stopped(GdbServer *s, CPUState *cpu);

/* gdb-regs.c */
GdbHandler gdb_read_registers, gdb_write_registers, gdb_read_register, gdb_write_register;

#endif
