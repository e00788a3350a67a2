/* SPDX-License-Identifier: MIT */
/* The registers of a vCPU as gdb numbers them. */
#ifndef MONITOR_GDB_TARGET_H
#define MONITOR_GDB_TARGET_H

#include <qomet/accel/cpu.h>

/* What a vCPU holds, fetched. */
typedef struct GdbRegisters {
    X86Registers r;
    X86ExtendedRegisters x;
} GdbRegisters;

/* One register of gdb's. */
typedef struct GdbRegister {
    const char *name;
    const char *type;  /* in the description */
    const char *group; /* or NULL */
    uint16_t offset;   /* in GdbRegisters */
    uint8_t size;      /* there, in bytes; 0: there is none, and it reads 0 */
    uint8_t bytes;     /* in a packet: the upper ones that are not there read 0 */
    /* For what is kept in another form. May be NULL. */
    uint32_t (*get)(const GdbRegisters *regs);
    void (*set)(GdbRegisters *regs, uint32_t value);
} GdbRegister;

/* The register that gdb gives @number, or NULL. */
const GdbRegister *gdb_register(uint64_t number);
/* The description of all of them ("target.xml"); the caller frees. */
char *gdb_target_xml(void);

#endif
