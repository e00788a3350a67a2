/* SPDX-License-Identifier: MIT */
/*
 * Registers in packets: those of the vCPU that gdb means, fetched and put.
 */
#include <string.h>
#include "monitor/gdb-int.h"
#include "monitor/gdb-target.h"

/* ---- Values: packets have the lowest byte first, as the processor that is described ---- */

#define VALUE_BYTES 16

static void get_value(const GdbRegisters *regs, const GdbRegister *row, uint8_t *value)
{
    memset(value, 0, row->bytes);
    if (row->get) {
        uint32_t number = row->get(regs);

        memcpy(value, &number, sizeof(number));
    } else {
        memcpy(value, (const uint8_t *)regs + row->offset, MIN(row->size, row->bytes));
    }
}

/* What packets have changed of a vCPU. */
enum { CHANGED_PLAIN = 1, CHANGED_EXTENDED = 2 };

static unsigned part_of(const GdbRegister *row)
{
    return row->set || row->offset >= offsetof(GdbRegisters, x) ? CHANGED_EXTENDED : CHANGED_PLAIN;
}

static void set_value(GdbRegisters *regs, const GdbRegister *row, const uint8_t *value,
                      unsigned *changed)
{
    uint8_t before[VALUE_BYTES];

    get_value(regs, row, before);
    if (!memcmp(before, value, row->bytes)) {
        return;
    }
    *changed |= part_of(row);
    if (row->set) {
        uint32_t number;

        memcpy(&number, value, sizeof(number));
        row->set(regs, number);
    } else {
        memcpy((uint8_t *)regs + row->offset, value, MIN(row->size, row->bytes));
    }
}

static bool fetch(GdbServer *s, GdbRegisters *regs)
{
    CPUState *cpu = gdb_cpu(s);
    const X86Registers *r = cpu ? x86_cpu_registers(X86_CPU(cpu), NULL) : NULL;

    if (!r) {
        return false;
    }
    regs->r = *r;
    if (!x86_cpu_get_extended(X86_CPU(cpu), &regs->x, NULL)) {
        memset(&regs->x, 0, sizeof(regs->x));
    }
    return true;
}

/* Segments whose selector has changed are loaded as the processor would do it. */
static bool put(GdbServer *s, const GdbRegisters *before, GdbRegisters *after, unsigned changed)
{
    X86CPU *cpu = X86_CPU(gdb_cpu(s));

    for (int i = 0; i < X86_NUM_SEGS; i++) {
        uint16_t selector = after->r.seg[i].selector;

        if (selector != before->r.seg[i].selector &&
            !x86_cpu_load_segment(cpu, &after->r, i, selector, NULL)) {
            return false;
        }
    }
    if (changed & CHANGED_PLAIN && !x86_cpu_set_registers(cpu, &after->r, NULL)) {
        return false;
    }
    return !(changed & CHANGED_EXTENDED) || x86_cpu_set_extended(cpu, &after->x, NULL);
}

/* ---- Packets ---- */

bool gdb_read_registers(GdbServer *s, const char *args, size_t len)
{
    uint8_t value[VALUE_BYTES];
    GdbRegisters regs;
    const GdbRegister *row;

    (void)args;
    (void)len;
    if (!fetch(s, &regs)) {
        return gdb_error(s, GDB_EFAULT);
    }
    for (unsigned i = 0; (row = gdb_register(i)); i++) {
        get_value(&regs, row, value);
        gdb_append_hex(s->reply, value, row->bytes);
    }
    return true;
}

bool gdb_write_registers(GdbServer *s, const char *args, size_t len)
{
    uint8_t value[VALUE_BYTES];
    GdbRegisters before, after;
    unsigned changed = 0;
    const GdbRegister *row;

    if (!fetch(s, &before)) {
        return gdb_error(s, GDB_EFAULT);
    }
    after = before;
    for (unsigned i = 0; (row = gdb_register(i)); i++) {
        size_t digits = (size_t)row->bytes * 2;

        if (len < digits || !gdb_parse_hex(args, row->bytes, value)) {
            return gdb_error(s, GDB_EINVAL);
        }
        set_value(&after, row, value, &changed);
        args += digits;
        len -= digits;
    }
    return !len && put(s, &before, &after, changed) ? gdb_ok(s) : gdb_error(s, GDB_EINVAL);
}

/* p NUMBER */
bool gdb_read_register(GdbServer *s, const char *args, size_t len)
{
    uint8_t value[VALUE_BYTES];
    const GdbRegister *row = NULL;
    GdbRegisters regs;
    uint64_t number;

    (void)len;
    if (gdb_take_number(&args, &number) && !*args) {
        row = gdb_register(number);
    }
    if (!row || !fetch(s, &regs)) {
        return gdb_error(s, GDB_EFAULT);
    }
    get_value(&regs, row, value);
    gdb_append_hex(s->reply, value, row->bytes);
    return true;
}

/* P NUMBER=DIGITS */
bool gdb_write_register(GdbServer *s, const char *args, size_t len)
{
    uint8_t value[VALUE_BYTES];
    GdbRegisters before, after;
    const GdbRegister *row = NULL;
    unsigned changed = 0;
    uint64_t number;

    (void)len;
    if (gdb_take_number(&args, &number) && gdb_take_char(&args, '=')) {
        row = gdb_register(number);
    }
    if (!row || strlen(args) != (size_t)row->bytes * 2 || !gdb_parse_hex(args, row->bytes, value) ||
        !fetch(s, &before)) {
        return gdb_error(s, GDB_EINVAL);
    }
    after = before;
    set_value(&after, row, value, &changed);
    return put(s, &before, &after, changed) ? gdb_ok(s) : gdb_error(s, GDB_EINVAL);
}
