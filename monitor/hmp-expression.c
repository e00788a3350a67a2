/* SPDX-License-Identifier: MIT */
/*
 * Numbers as people write them in a line: expressions with the registers of a vCPU.
 */
#include <errno.h>
#include <string.h>
#include "monitor/hmp-int.h"

/* Parentheses and signs may stand within each other this deep. */
#define DEPTH_MAX 64

/** An expression that is being read. */
typedef struct Reader {
    const char *at;
    Monitor *mon;
    unsigned depth;
    GError **errp;
} Reader;

static bool read_sum(Reader *r, uint64_t *value);

static void skip_space(Reader *r)
{
    r->at += strspn(r->at, " ");
}

/* ---- Registers ---- */

/* NOLINTBEGIN(bugprone-macro-parentheses): the name of a member takes none. */
#define GPR(n, reg, bits)                                                                          \
    {                                                                                              \
        (n), offsetof(X86Registers, gpr[reg]), (bits)                                              \
    }
#define FIELD(n, f)                                                                                \
    {                                                                                              \
        (n), offsetof(X86Registers, f), sizeof(((X86Registers *)0)->f) * 8                         \
    }
#define SEGMENT(n, f) FIELD(n, f.selector), FIELD(n ".base", f.base), FIELD(n ".limit", f.limit)
/* NOLINTEND(bugprone-macro-parentheses) */

static const struct {
    const char *name;
    size_t offset;
    unsigned bits;
} registers[] = {
    GPR("rax", X86_RAX, 64),
    GPR("rbx", X86_RBX, 64),
    GPR("rcx", X86_RCX, 64),
    GPR("rdx", X86_RDX, 64),
    GPR("rsi", X86_RSI, 64),
    GPR("rdi", X86_RDI, 64),
    GPR("rbp", X86_RBP, 64),
    GPR("rsp", X86_RSP, 64),
    GPR("eax", X86_RAX, 32),
    GPR("ebx", X86_RBX, 32),
    GPR("ecx", X86_RCX, 32),
    GPR("edx", X86_RDX, 32),
    GPR("esi", X86_RSI, 32),
    GPR("edi", X86_RDI, 32),
    GPR("ebp", X86_RBP, 32),
    GPR("esp", X86_RSP, 32),
    GPR("r8", 8, 64),
    GPR("r9", 9, 64),
    GPR("r10", 10, 64),
    GPR("r11", 11, 64),
    GPR("r12", 12, 64),
    GPR("r13", 13, 64),
    GPR("r14", 14, 64),
    GPR("r15", 15, 64),
    FIELD("rip", rip),
    { "eip", offsetof(X86Registers, rip), 32 },
    FIELD("rflags", rflags),
    { "eflags", offsetof(X86Registers, rflags), 32 },
    SEGMENT("es", seg[X86_ES]),
    SEGMENT("cs", seg[X86_CS]),
    SEGMENT("ss", seg[X86_SS]),
    SEGMENT("ds", seg[X86_DS]),
    SEGMENT("fs", seg[X86_FS]),
    SEGMENT("gs", seg[X86_GS]),
    SEGMENT("tr", tr),
    SEGMENT("ldt", ldt),
    FIELD("gdt.base", gdt.base),
    FIELD("gdt.limit", gdt.limit),
    FIELD("idt.base", idt.base),
    FIELD("idt.limit", idt.limit),
    FIELD("cr0", cr0),
    FIELD("cr2", cr2),
    FIELD("cr3", cr3),
    FIELD("cr4", cr4),
    FIELD("cr8", cr8),
    FIELD("efer", efer),
};

char **hmp_register_names(void)
{
    char **names = g_new0(char *, G_N_ELEMENTS(registers) + 1);

    for (size_t i = 0; i < G_N_ELEMENTS(registers); i++) {
        names[i] = g_strdup(registers[i].name);
    }
    return names;
}

/* The value of the register @name of @r. */
static bool find_register(const X86Registers *r, const char *name, uint64_t *value, GError **errp)
{
    g_auto(GStrv) names = NULL;
    g_autofree char *near = NULL;

    /* No register by itself. */
    if (!strcmp(name, "pc")) {
        *value = x86_program_counter(r);
        return true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(registers); i++) {
        if (!strcmp(name, registers[i].name)) {
            *value = 0;
            /* Little endian: the low bytes come first. */
            memcpy(value, (const char *)r + registers[i].offset, registers[i].bits / 8);
            return true;
        }
    }
    names = hmp_register_names();
    near = qom_did_you_mean(name, (const char *const *)names);
    hmp_syntax_error(errp, "unknown register '%s'%s", name, near);
    return false;
}

static bool read_register(Reader *r, uint64_t *value)
{
    const char *name = ++r->at;
    CPUState *cpu = hmp_cpu(r->mon, r->errp);
    g_autofree char *copy = NULL;
    const X86Registers *regs;
    bool found;

    while (g_ascii_isalnum(*r->at) || *r->at == '.' || *r->at == '_') {
        r->at++;
    }
    if (!cpu) {
        return false;
    }
    copy = g_strndup(name, (gsize)(r->at - name));
    pause_all_vcpus();
    regs = x86_cpu_registers(X86_CPU(cpu), r->errp);
    found = regs && find_register(regs, copy, value, r->errp);
    resume_all_vcpus();
    return found;
}

/* ---- Numbers and operators ---- */

static bool read_number(Reader *r, uint64_t *value)
{
    char *end;

    errno = 0;
    *value = g_ascii_strtoull(r->at, &end, 0);
    if (errno == ERANGE) {
        hmp_syntax_error(r->errp, "number too large");
        return false;
    }
    if (g_ascii_isalnum(*end)) {
        hmp_syntax_error(r->errp, "invalid char '%c' in number", *end);
        return false;
    }
    r->at = end;
    return true;
}

static bool read_parentheses(Reader *r, uint64_t *value)
{
    r->at++;
    if (!read_sum(r, value)) {
        return false;
    }
    skip_space(r);
    if (*r->at != ')') {
        hmp_syntax_error(r->errp, "')' expected");
        return false;
    }
    r->at++;
    return true;
}

/* 'A' */
static bool read_letter(Reader *r, uint64_t *value)
{
    if (!r->at[1] || r->at[2] != '\'') {
        hmp_syntax_error(r->errp, "unexpected end of a letter in quotes");
        return false;
    }
    *value = (uint8_t)r->at[1];
    r->at += 3;
    return true;
}

static bool read_unary(Reader *r, uint64_t *value);

/* A sign before a value. */
static bool read_signed(Reader *r, uint64_t *value)
{
    char sign = *r->at++;

    if (!read_unary(r, value)) {
        return false;
    }
    *value = sign == '-' ? -*value : sign == '~' ? ~*value : *value;
    return true;
}

static bool read_unary(Reader *r, uint64_t *value)
{
    bool good;

    skip_space(r);
    if (r->depth == DEPTH_MAX) {
        hmp_syntax_error(r->errp, "more than %u parentheses and signs within each other",
                         DEPTH_MAX);
        return false;
    }
    r->depth++;
    if (*r->at == '(') {
        good = read_parentheses(r, value);
    } else if (*r->at == '\'') {
        good = read_letter(r, value);
    } else if (*r->at == '$') {
        good = read_register(r, value);
    } else if (*r->at && strchr("+-~", *r->at)) {
        good = read_signed(r, value);
    } else if (g_ascii_isdigit(*r->at)) {
        good = read_number(r, value);
    } else {
        good = false;
        if (*r->at) {
            hmp_syntax_error(r->errp, "invalid char '%.*s' in expression",
                             (int)(g_utf8_next_char(r->at) - r->at), r->at);
        } else {
            hmp_syntax_error(r->errp, "unexpected end of expression");
        }
    }
    r->depth--;
    return good;
}

static bool apply(Reader *r, char op, uint64_t *a, uint64_t b)
{
    if ((op == '/' || op == '%') && !b) {
        hmp_syntax_error(r->errp, "division by zero");
        return false;
    }
    switch (op) {
    case '*':
        *a *= b;
        break;
    case '/':
        *a /= b;
        break;
    case '%':
        *a %= b;
        break;
    case '&':
        *a &= b;
        break;
    case '|':
        *a |= b;
        break;
    case '^':
        *a ^= b;
        break;
    case '+':
        *a += b;
        break;
    default:
        *a -= b;
        break;
    }
    return true;
}

/* Values that @inner reads, with any of @operators between them, from left to right. */
static bool read_chain(Reader *r, const char *operators, bool (*inner)(Reader *r, uint64_t *value),
                       uint64_t *value)
{
    if (!inner(r, value)) {
        return false;
    }
    for (skip_space(r); *r->at && strchr(operators, *r->at); skip_space(r)) {
        char op = *r->at++;
        uint64_t right;

        if (!inner(r, &right) || !apply(r, op, value, right)) {
            return false;
        }
    }
    return true;
}

static bool read_product(Reader *r, uint64_t *value)
{
    return read_chain(r, "*/%", read_unary, value);
}

static bool read_logic(Reader *r, uint64_t *value)
{
    return read_chain(r, "&|^", read_product, value);
}

static bool read_sum(Reader *r, uint64_t *value)
{
    return read_chain(r, "+-", read_logic, value);
}

bool hmp_parse_expression(const char **at, Monitor *mon, uint64_t *value, GError **errp)
{
    Reader r = { .at = *at, .mon = mon, .errp = errp };

    if (!read_sum(&r, value)) {
        return false;
    }
    *at = r.at;
    return true;
}
