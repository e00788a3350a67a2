/* SPDX-License-Identifier: MIT */
/*
 * "x86-disassembler" by the library capstone: the module disas.so.
 */
#include <capstone.h>
#include <string.h>
#include <qomet/accel/disas.h>
#include <qomet/qom/module.h>

static cs_mode mode_of(unsigned bits)
{
    return bits == 16 ? CS_MODE_16 : bits == 32 ? CS_MODE_32 : CS_MODE_64;
}

/* A handle holds nothing from one instruction to the next, so none is kept. */
static char *capstone_instruction(const uint8_t *bytes, size_t len, unsigned bits, uint64_t addr,
                                  unsigned *length)
{
    char *text = NULL;
    cs_insn *insn;
    csh handle;

    *length = 0;
    if (cs_open(CS_ARCH_X86, mode_of(bits), &handle) != CS_ERR_OK) {
        return NULL;
    }
    cs_option(handle, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT);
    if (cs_disasm(handle, bytes, MIN(len, X86_INSTRUCTION_MAX), addr, 1, &insn) == 1) {
        *length = insn->size;
        text = g_strchomp(g_strjoin(" ", insn->mnemonic, insn->op_str, NULL));
        cs_free(insn, 1);
    }
    cs_close(&handle);
    return text;
}

static void capstone_class_init(ObjectClass *klass, const void *data G_GNUC_UNUSED)
{
    X86_DISASSEMBLER_CLASS(klass)->instruction = capstone_instruction;
}

static const TypeInfo capstone_types[] = {
    {
        .name = TYPE_X86_DISASSEMBLER,
        .parent = TYPE_OBJECT,
        .abstract = true,
        .class_size = sizeof(X86DisassemblerClass),
        .class_init = capstone_class_init,
    },
};

DEFINE_TYPES(capstone_types)
