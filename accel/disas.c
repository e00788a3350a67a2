/* SPDX-License-Identifier: MIT */
/*
 * Finds the disassembler, which is in a module, through the name of its type.
 */
#include <qomet/accel/disas.h>

static X86DisassemblerClass *find(GError **errp)
{
    GError *error = NULL;
    ObjectClass *klass = object_class_by_name_err(TYPE_X86_DISASSEMBLER, &error);

    if (klass) {
        return X86_DISASSEMBLER_CLASS(klass);
    }
    if (g_error_matches(error, QOM_ERROR, QOM_ERROR_NOT_FOUND)) {
        g_error_free(error);
        qom_error_set(errp, QOM_ERROR_MODULE,
                      "there is no disassembler: no module in the folder of modules has the type "
                      "'%s' (disas.so is built where the library capstone is installed)",
                      TYPE_X86_DISASSEMBLER);
    } else {
        g_propagate_prefixed_error(errp, error, "there is no disassembler: ");
    }
    return NULL;
}

bool disas_available(GError **errp)
{
    return find(errp) != NULL;
}

char *disas_instruction(const uint8_t *bytes, size_t len, unsigned bits, uint64_t addr,
                        unsigned *length)
{
    X86DisassemblerClass *disassembler = find(NULL);

    *length = 0;
    return disassembler ? disassembler->instruction(bytes, len, bits, addr, length) : NULL;
}
