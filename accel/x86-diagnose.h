/* SPDX-License-Identifier: MIT */
/*
 * Why a guest cannot go on: what the processor needs for its next step - code, data, a gate for an
 * exception, a stack - is looked for as it would, and the first check that fails is the cause.
 */
#ifndef ACCEL_X86_DIAGNOSE_H
#define ACCEL_X86_DIAGNOSE_H

#include <qomet/accel/x86-walk.h>

/** Causes by name; others are told only. */
#define X86_CAUSE_NO_IDT "no IDT"
#define X86_CAUSE_BAD_CR3 "bad CR3"
#define X86_CAUSE_NOT_PRESENT "page not present"
#define X86_CAUSE_STACK "stack outside RAM"
#define X86_CAUSE_HOLE "jump into a hole"

/**
 * Appends to @out a line "diagnosis: CAUSE: sentence." and below it what was looked at, a line each.
 * @r: the registers before the step that failed; what they name in @memory is read from RAM and ROM
 * only. @exception: that step was, or led to, an exception that could not be delivered; else it is
 * the instruction itself that could not be executed, which counts as the former where it is one that
 * raises an exception whatever it finds (UD2). Returns the cause, static; NULL when every check
 * passed, which the first line says then. Any thread that may use @r.
 */
const char *x86_diagnose(const X86Registers *r, AddressSpace *memory, bool exception, GString *out);

/**
 * Appends a line for each rule of entering a guest that @r breaks (SDM vol. 3, 27.3.1): what the
 * processor may have refused. False when there is one. Any thread.
 */
bool x86_check_entry(const X86Registers *r, GString *out);

/* ---- Between x86-diagnose.c and x86-delivery.c ---- */

/* A diagnosis under way. */
typedef struct Diagnosis {
    const X86Registers *r;
    AddressSpace *memory;
    GString *lines;    /* what was looked at */
    const char *cause; /* of the first check that failed, or NULL */
    char *sentence;    /* says more of it; owned */
    int vector;        /* of the exception that came first, if that is clear; -1 */
    uint8_t code[15];  /* at RIP */
    unsigned n_code;   /* how many of them could be read */
} Diagnosis;

/* How far a linear address gets. */
typedef enum Reach {
    REACH_RAM,
    REACH_NO_RAM,     /* it is mapped, and nothing that holds data stands there */
    REACH_BAD_CR3,    /* the first table is outside RAM, or maps nothing at all */
    REACH_NOT_MAPPED, /* an entry ends the walk */
    REACH_NOT_CANONICAL,
} Reach;

/* The first that is called decides. */
void diagnosis_verdict(Diagnosis *d, const char *cause, const char *fmt, ...) G_GNUC_PRINTF(3, 4);
/* Walks to @linear and adds a line about it, begun by @label (NULL: none). */
Reach diagnosis_reach(Diagnosis *d, const char *label, uint64_t linear, X86Walk *walk);
/*
 * Makes it the verdict that @what ("the code at RIP") at @linear is out of reach: @cause_no_ram where
 * it is mapped. Nothing when it is within.
 */
void diagnosis_out_of_reach(Diagnosis *d, Reach reach, const X86Walk *walk, const char *what,
                            uint64_t linear, const char *cause_no_ram);
/* Reads @n bytes at @linear from RAM; how many could be read. */
unsigned diagnosis_read(const Diagnosis *d, uint64_t linear, void *buf, unsigned n);

/* x86-delivery.c: the gate of each exception that matters, and the stack. */
void diagnosis_check_delivery(Diagnosis *d);

#endif
