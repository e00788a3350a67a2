/* SPDX-License-Identifier: MIT */
/*
 * Instructions of the guest as text. The work is done by a module, so that its library is loaded
 * by those only who ask; without the module there is no disassembly, and a sentence that says so.
 */
#ifndef QOMET_ACCEL_DISAS_H
#define QOMET_ACCEL_DISAS_H

#include <qomet/qom/object.h>

/** An abstract type, of the module disas.so: only its class is used. */
#define TYPE_X86_DISASSEMBLER "x86-disassembler"

/** The longest instruction of x86 (Intel SDM vol. 2, 2.3.11): more bytes need not be given. */
#define X86_INSTRUCTION_MAX 15

typedef struct X86DisassemblerClass X86DisassemblerClass;
DECLARE_CLASS_CHECKERS(X86DisassemblerClass, X86_DISASSEMBLER, TYPE_X86_DISASSEMBLER)

struct X86DisassemblerClass {
    ObjectClass parent_class;
    /** What disas_instruction() does. Any thread. */
    char *(*instruction)(const uint8_t *bytes, size_t len, unsigned bits, uint64_t addr,
                         unsigned *length);
};

/**
 * The instruction that begins at @bytes, of which there are @len, in AT&T's syntax
 * ("movb $0x48, %al"). @bits: 16, 32 or 64, the default size of the code segment. @addr: its offset
 * in the code segment (RIP, not the linear address), which relative jumps need; one in 16-bit code
 * wraps at 64 KiB. Its length in bytes goes to @length.
 * Returns text that the caller frees. NULL, and a length of 0: the bytes are no instruction or end
 * within one, or there is no disassembler. Any thread.
 */
QOM_EXPORT char *disas_instruction(const uint8_t *bytes, size_t len, unsigned bits, uint64_t addr,
                                   unsigned *length);

/** Whether there is a disassembler; else @errp says why not. Loads the module. Any thread. */
QOM_EXPORT bool disas_available(GError **errp);

#endif
