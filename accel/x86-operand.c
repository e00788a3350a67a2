/* SPDX-License-Identifier: MIT */
/*
 * Addresses of an instruction's memory operands: prefixes, opcode, ModRM, SIB and displacement (SDM
 * vol. 2, 2.1 and 2.2), strings, and the stack.
 */
#include <string.h>
#include "accel/x86-operand.h"

/* An instruction under the knife. Bytes past its end read as zero. */
typedef struct Insn {
    const X86Registers *r;
    const uint8_t *code;
    unsigned n, at;   /* bytes given, and read so far */
    unsigned bits;    /* of the code segment */
    unsigned operand; /* size in bytes: 2, 4 or 8 */
    unsigned address; /* the same of addresses */
    uint8_t rex;      /* or 0 */
    int segment;      /* X86_ES ... by a prefix; -1: the default */
    unsigned map;     /* 1: one byte; 2: behind 0f; 3: behind 0f 38; 4: behind 0f 3a */
    uint8_t opcode, modrm;
    X86Operand *out;
    unsigned n_out;
} Insn;

static uint8_t next(Insn *i)
{
    uint8_t byte = i->at < i->n ? i->code[i->at] : 0;

    i->at++;
    return byte;
}

/* A signed number of @bytes. */
static int64_t next_number(Insn *i, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned b = 0; b < bytes; b++) {
        value |= (uint64_t)next(i) << (8 * b);
    }
    return bytes == 0 || bytes == 8 ? (int64_t)value
                                    : (int64_t)(value << (64 - 8 * bytes)) >> (64 - 8 * bytes);
}

static uint64_t mask(unsigned bytes)
{
    return UINT64_MAX >> (64 - 8 * bytes);
}

static void add(Insn *i, uint64_t offset, int segment, unsigned address, bool stack)
{
    uint64_t base = i->r->seg[segment].base;

    if (i->bits == 64) {
        base = segment == X86_FS || segment == X86_GS ? base : 0;
    }
    offset &= mask(address);
    i->out[i->n_out++] =
        (X86Operand){ i->bits == 64 ? base + offset : (base + offset) & UINT32_MAX, stack };
}

/* ---- ModRM ---- */

static uint64_t reg(const Insn *i, unsigned number)
{
    return i->r->gpr[number];
}

static void modrm_16(Insn *i, uint64_t *offset, int *segment)
{
    static const struct {
        int8_t base, index;
    } forms[] = {
        { X86_RBX, X86_RSI }, { X86_RBX, X86_RDI }, { X86_RBP, X86_RSI }, { X86_RBP, X86_RDI },
        { X86_RSI, -1 },      { X86_RDI, -1 },      { X86_RBP, -1 },      { X86_RBX, -1 },
    };
    unsigned mod = i->modrm >> 6, rm = i->modrm & 7;

    if (mod == 0 && rm == 6) {
        *offset = (uint64_t)next_number(i, 2);
        return;
    }
    *offset = reg(i, (unsigned)forms[rm].base);
    *offset += forms[rm].index >= 0 ? reg(i, (unsigned)forms[rm].index) : 0;
    *offset += (uint64_t)next_number(i, mod);
    if (forms[rm].base == X86_RBP) {
        *segment = X86_SS;
    }
}

static void sib(Insn *i, uint64_t *offset, int *segment)
{
    uint8_t byte = next(i);
    unsigned index = (byte >> 3 & 7) | (i->rex & 2 ? 8 : 0);
    unsigned base = (byte & 7) | (i->rex & 1 ? 8 : 0);

    *offset = index != X86_RSP ? reg(i, index) << (byte >> 6) : 0;
    if ((byte & 7) == X86_RBP && i->modrm >> 6 == 0) {
        *offset += (uint64_t)next_number(i, 4);
        return;
    }
    *offset += reg(i, base);
    if (base == X86_RSP || base == X86_RBP) {
        *segment = X86_SS;
    }
}

/* True when the address counts from the end of the instruction. */
static bool modrm_32(Insn *i, uint64_t *offset, int *segment)
{
    unsigned mod = i->modrm >> 6, rm = i->modrm & 7;

    if (mod == 0 && rm == X86_RBP) {
        *offset = (uint64_t)next_number(i, 4);
        return i->bits == 64;
    }
    if (rm == X86_RSP) {
        sib(i, offset, segment);
    } else {
        *offset = reg(i, rm | (i->rex & 1 ? 8 : 0));
        *segment = rm == X86_RBP ? X86_SS : X86_DS;
    }
    *offset += (uint64_t)next_number(i, mod == 1 ? 1 : mod == 2 ? 4 : 0);
    return false;
}

/* Bytes of an immediate behind ModRM. */
static unsigned immediate(const Insn *i)
{
    unsigned full = MIN(i->operand, 4);

    if (i->map > 2) {
        return i->map == 4;
    }
    if (i->map == 2) {
        return memchr("\xa4\xac\xba\xc2\xc4\xc5\xc6\x70\x71\x72\x73", i->opcode, 11) != NULL;
    }
    switch (i->opcode) {
    case 0x69:
    case 0x81:
    case 0xc7:
        return full;
    case 0x6b:
    case 0x80:
    case 0x82:
    case 0x83:
    case 0xc0:
    case 0xc1:
    case 0xc6:
        return 1;
    case 0xf6:
        return (i->modrm >> 3 & 7) < 2;
    case 0xf7:
        return (i->modrm >> 3 & 7) < 2 ? full : 0;
    default:
        return 0;
    }
}

static bool has_modrm(const Insn *i)
{
    uint8_t op = i->opcode;

    if (i->map > 2) {
        return true;
    }
    if (i->map == 2) {
        return op <= 0x03 || (op >= 0x10 && op <= 0x17) || (op >= 0x28 && op <= 0x2f) ||
               (op >= 0x40 && op <= 0x76) || (op >= 0x78 && op <= 0x7f) ||
               (op >= 0x90 && op <= 0x9f) || (op >= 0xa3 && op <= 0xa5) ||
               (op >= 0xab && op <= 0xc7 && op != 0xb9) || op >= 0xd0;
    }
    if (op < 0x40) {
        return (op & 7) < 4;
    }
    return op == 0x63 || op == 0x69 || op == 0x6b || (op >= 0x80 && op <= 0x8e) || op == 0x8f ||
           op == 0xc0 || op == 0xc1 || op == 0xc6 || op == 0xc7 || (op >= 0xd0 && op <= 0xd3) ||
           (op >= 0xd8 && op <= 0xdf) || op == 0xf6 || op == 0xf7 || op >= 0xfe ||
           (i->bits != 64 && (op == 0x62 || op == 0xc4 || op == 0xc5));
}

/* Instructions that take an address and do not reach for what is there: LEA, INVLPG. */
static bool is_address_only(const Insn *i)
{
    return (i->map == 1 && i->opcode == 0x8d) ||
           (i->map == 2 && i->opcode == 0x01 && (i->modrm >> 3 & 7) == 7);
}

static void add_modrm(Insn *i)
{
    bool relative = false;
    uint64_t offset = 0;
    int segment = X86_DS;

    i->modrm = next(i);
    if (i->modrm >> 6 == 3 || is_address_only(i)) {
        return;
    }
    if (i->address == 2) {
        modrm_16(i, &offset, &segment);
    } else {
        relative = modrm_32(i, &offset, &segment);
    }
    if (relative) {
        offset += i->r->rip + i->at + immediate(i);
    }
    add(i, offset, i->segment >= 0 ? i->segment : segment, i->address, false);
}

/* ---- What has its operands by its nature ---- */

/* Moves between the accumulator and an address, and strings. */
static void add_implied(Insn *i)
{
    static const struct {
        uint8_t first, last;
        bool source, destination;
    } strings[] = {
        { 0x6c, 0x6d, false, true }, { 0x6e, 0x6f, true, false }, { 0xa4, 0xa7, true, true },
        { 0xaa, 0xab, false, true }, { 0xac, 0xad, true, false }, { 0xae, 0xaf, false, true },
    };
    int segment = i->segment >= 0 ? i->segment : X86_DS;

    if (i->opcode >= 0xa0 && i->opcode <= 0xa3) {
        add(i, (uint64_t)next_number(i, i->address), segment, i->address, false);
    }
    for (size_t s = 0; s < G_N_ELEMENTS(strings); s++) {
        if (i->opcode < strings[s].first || i->opcode > strings[s].last) {
            continue;
        }
        if (strings[s].source) {
            add(i, reg(i, X86_RSI), segment, i->address, false);
        }
        if (strings[s].destination) {
            add(i, reg(i, X86_RDI), X86_ES, i->address, false);
        }
    }
}

static bool is_push(const Insn *i)
{
    uint8_t op = i->opcode, group = i->modrm >> 3 & 7;

    if (i->map == 2) {
        return op == 0xa0 || op == 0xa8;
    }
    return (op >= 0x50 && op <= 0x57) || op == 0x68 || op == 0x6a || op == 0x9c || op == 0xe8 ||
           op == 0xc8 || (op == 0xff && (group == 2 || group == 3 || group == 6)) ||
           (i->bits != 64 &&
            (op == 0x06 || op == 0x0e || op == 0x16 || op == 0x1e || op == 0x60 || op == 0x9a));
}

static bool is_pop(const Insn *i)
{
    uint8_t op = i->opcode;

    if (i->map == 2) {
        return op == 0xa1 || op == 0xa9;
    }
    return (op >= 0x58 && op <= 0x5f) || op == 0x8f || op == 0x9d || op == 0xc2 || op == 0xc3 ||
           op == 0xca || op == 0xcb || op == 0xcf ||
           (i->bits != 64 && (op == 0x07 || op == 0x17 || op == 0x1f || op == 0x61));
}

static void add_stack(Insn *i)
{
    unsigned width = i->bits == 64 ? 8 : i->r->seg[X86_SS].db ? 4 : 2;
    unsigned size = i->bits == 64 && i->operand == 4 ? 8 : i->operand;

    if (is_push(i)) {
        add(i, reg(i, X86_RSP) - size, X86_SS, width, true);
    } else if (is_pop(i)) {
        add(i, reg(i, X86_RSP), X86_SS, width, true);
    } else if (i->map == 1 && i->opcode == 0xc9) {
        add(i, reg(i, X86_RBP), X86_SS, width, true);
    }
}

/* ---- The whole ---- */

/* True when @byte is a prefix, which is noted. */
static bool take_prefix(Insn *i, uint8_t byte)
{
    switch (byte) {
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
        i->segment = i->bits == 64 ? i->segment : X86_ES + (byte >> 3 & 3);
        return true;
    case 0x64:
    case 0x65:
        i->segment = byte == 0x64 ? X86_FS : X86_GS;
        return true;
    case 0x66:
        i->operand = i->bits == 16 ? 4 : 2;
        return true;
    case 0x67:
        i->address = i->bits == 32 ? 2 : 4;
        return true;
    case 0xf0:
    case 0xf2:
    case 0xf3:
        return true;
    default:
        return false;
    }
}

static void take_opcode(Insn *i)
{
    uint8_t byte = next(i);

    while (i->at < i->n && take_prefix(i, byte)) {
        byte = next(i);
    }
    if (i->bits == 64 && (byte & 0xf0) == 0x40) {
        i->rex = byte;
        i->operand = byte & 8 ? 8 : i->operand;
        byte = next(i);
    }
    i->map = 1;
    if (byte == 0x0f) {
        i->map = 2;
        byte = next(i);
        if (byte == 0x38 || byte == 0x3a) {
            i->map = byte == 0x38 ? 3 : 4;
            byte = next(i);
        }
    }
    i->opcode = byte;
}

unsigned x86_operands(const X86Registers *r, const uint8_t *code, unsigned n,
                      X86Operand out[X86_OPERANDS_MAX])
{
    const X86Segment *cs = &r->seg[X86_CS];
    unsigned bits = cs->l ? 64 : cs->db ? 32 : 16;
    Insn i = { .r = r,
               .code = code,
               .n = n,
               .bits = bits,
               .operand = bits == 16 ? 2 : 4,
               .address = bits / 8,
               .segment = -1,
               .out = out };

    take_opcode(&i);
    if (has_modrm(&i)) {
        add_modrm(&i);
    } else if (i.map == 1) {
        add_implied(&i);
    }
    add_stack(&i);
    /* An instruction that does not end in what was given is none. */
    return i.at <= n ? i.n_out : 0;
}
