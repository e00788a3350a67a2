/* SPDX-License-Identifier: MIT */
/* Addresses that instructions reach for, in the three sizes of code. */
#include <inttypes.h>
#include <string.h>
#include "accel/x86-operand.h"
#include "tests/test.h"

/* Register N holds this, so that each address tells which registers it was made of. */
#define VALUE(n) (UINT64_C(0x100000) * ((n) + 1))
#define RIP 0x4000
#define FS_BASE UINT64_C(0x7f0000000000)

#define RAX VALUE(X86_RAX)
#define RCX VALUE(X86_RCX)
#define RDX VALUE(X86_RDX)
#define RBX VALUE(X86_RBX)
#define RSP VALUE(X86_RSP)
#define RBP VALUE(X86_RBP)
#define RSI VALUE(X86_RSI)
#define RDI VALUE(X86_RDI)

typedef struct Case {
    const char *text; /* the instruction, for messages */
    const char *code;
    unsigned length, n;
    uint64_t linear[2];
    bool stack[2];
} Case;

#define INSN(words, bytes, operands, ...)                                                          \
    {                                                                                              \
        .text = words, .code = bytes, .length = sizeof(bytes) - 1, .n = operands,                  \
        .linear = __VA_ARGS__                                                                      \
    }

static X86Registers registers(unsigned bits)
{
    X86Registers r = { .rip = RIP };

    for (unsigned i = 0; i < X86_NUM_GPRS; i++) {
        r.gpr[i] = bits == 16 ? 0x100 * (i + 1) : VALUE(i);
    }
    r.seg[X86_CS].l = bits == 64;
    for (unsigned i = 0; i < X86_NUM_SEGS; i++) {
        r.seg[i].db = bits == 32;
    }
    return r;
}

static void check(const X86Registers *r, const Case *cases, size_t n_cases)
{
    for (size_t i = 0; i < n_cases; i++) {
        const Case *c = &cases[i];
        X86Operand found[X86_OPERANDS_MAX];
        unsigned n = x86_operands(r, (const uint8_t *)c->code, c->length, found);

        if (n != c->n) {
            fail_msg("%s: %u operands, not %u", c->text, n, c->n);
        }
        for (unsigned o = 0; o < n; o++) {
            if (found[o].linear != c->linear[o] || found[o].stack != c->stack[o]) {
                fail_msg("%s: operand %u is at 0x%" PRIx64 ", not 0x%" PRIx64, c->text, o,
                         found[o].linear, c->linear[o]);
            }
        }
        /* What is cut off is no instruction, and nothing is read past its end. */
        for (unsigned length = 0; length < c->length; length++) {
            g_autofree uint8_t *cut = g_memdup2(c->code, length);

            assert_in_range(x86_operands(r, cut, length, found), 0, X86_OPERANDS_MAX);
        }
    }
}

static void operands_of_64_bit_code(void **state)
{
    static const Case cases[] = {
        INSN("mov (%rax),%rcx", "\x48\x8b\x08", 1, { RAX }),
        INSN("mov 8(%rbx,%rcx,4),%eax", "\x8b\x44\x8b\x08", 1, { RBX + 4 * RCX + 8 }),
        INSN("mov %al,-0x80(%r13)", "\x41\x88\x45\x80", 1, { VALUE(13) - 0x80 }),
        INSN("movb $1,0x1000(%rip)", "\xc6\x05\0\x10\0\0\x01", 1, { RIP + 7 + 0x1000 }),
        INSN("mov %fs:0x28,%rax", "\x64\x48\x8b\x04\x25\x28\0\0\0", 1, { FS_BASE + 0x28 }),
        INSN("movabs 0x1122334455667788,%al", "\xa0\x88\x77\x66\x55\x44\x33\x22\x11", 1,
             { UINT64_C(0x1122334455667788) }),
        INSN("addl $0x12345678,0x20(%rip)", "\x81\x05\x20\0\0\0\x78\x56\x34\x12", 1,
             { RIP + 10 + 0x20 }),
        INSN("push %rbx", "\x53", 1, { RSP - 8 }, { true }),
        INSN("push (%rsi)", "\xff\x36", 2, { RSI, RSP - 8 }, { false, true }),
        INSN("pop (%rdi)", "\x8f\x07", 2, { RDI, RSP }, { false, true }),
        INSN("call", "\xe8\0\0\0\0", 1, { RSP - 8 }, { true }),
        INSN("call *0x10(%rax)", "\xff\x50\x10", 2, { RAX + 0x10, RSP - 8 }, { false, true }),
        INSN("ret", "\xc3", 1, { RSP }, { true }),
        INSN("leave", "\xc9", 1, { RBP }, { true }),
        INSN("iretq", "\x48\xcf", 1, { RSP }, { true }),
        INSN("lea 8(%rax),%rcx", "\x48\x8d\x48\x08", 0, { 0 }),
        INSN("nopl (%rax)", "\x0f\x1f\x00", 0, { 0 }),
        INSN("mov %rax,%rbx", "\x48\x89\xc3", 0, { 0 }),
        INSN("rep movsb", "\xf3\xa4", 2, { RSI, RDI }),
        INSN("stosq", "\x48\xab", 1, { RDI }),
        INSN("lodsb", "\xac", 1, { RSI }),
        INSN("cmpxchg %ecx,(%rdx)", "\x0f\xb1\x0a", 1, { RDX }),
        INSN("movaps (%rsp),%xmm0", "\x0f\x28\x04\x24", 1, { RSP }),
        INSN("pshufb (%rax),%xmm1", "\x66\x0f\x38\x00\x08", 1, { RAX }),
        INSN("palignr $3,4(%rip),%xmm1", "\x66\x0f\x3a\x0f\x0d\x04\0\0\0\x03", 1, { RIP + 10 + 4 }),
        INSN("testl $1,4(%rip)", "\xf7\x05\x04\0\0\0\x01\0\0\0", 1, { RIP + 10 + 4 }),
        INSN("notl 4(%rip)", "\xf7\x15\x04\0\0\0", 1, { RIP + 6 + 4 }),
        INSN("testb $1,4(%rip)", "\xf6\x05\x04\0\0\0\x01", 1, { RIP + 7 + 4 }),
        INSN("btl $1,4(%rip)", "\x0f\xba\x25\x04\0\0\0\x01", 1, { RIP + 8 + 4 }),
        INSN("mov (%eax),%ecx", "\x67\x8b\x08", 1, { RAX }),
        INSN("lgdt (%rdi)", "\x0f\x01\x17", 1, { RDI }),
        INSN("invlpg (%rax)", "\x0f\x01\x38", 0, { 0 }),
        INSN("mov 0x100(,%r12,8),%rax", "\x4a\x8b\x04\xe5\0\x01\0\0", 1, { 8 * VALUE(12) + 0x100 }),
        INSN("mov (%r12),%rax", "\x49\x8b\x04\x24", 1, { VALUE(12) }),
        INSN("mov %cr3,%rax", "\x0f\x20\xd8", 0, { 0 }),
        INSN("syscall", "\x0f\x05", 0, { 0 }),
        INSN("hlt", "\xf4", 0, { 0 }),
        INSN("ud2", "\x0f\x0b", 0, { 0 }),
    };
    X86Registers r = registers(64);

    (void)state;
    /* Of the segments only FS and GS count. */
    for (int i = 0; i < X86_NUM_SEGS; i++) {
        r.seg[i].base = FS_BASE;
    }
    check(&r, cases, G_N_ELEMENTS(cases));
}

static void operands_of_32_bit_code(void **state)
{
    static const Case cases[] = {
        INSN("mov %ds:0x1234,%eax", "\xa1\x34\x12\0\0", 1, { 0x1234 + 0x30000 }),
        INSN("and %al,0x6(%ebp)", "\x20\x45\x06", 1, { RBP + 6 + 0x20000 }),
        INSN("mov (%bp,%si),%al", "\x67\x8a\x02", 1, { ((RBP + RSI) & 0xffff) + 0x20000 }),
        INSN("push %es", "\x06", 1, { RSP - 4 + 0x20000 }, { true }),
        INSN("pusha", "\x60", 1, { RSP - 4 + 0x20000 }, { true }),
        INSN("pop %ds", "\x1f", 1, { RSP + 0x20000 }, { true }),
        INSN("push %ax", "\x66\x50", 1, { RSP - 2 + 0x20000 }, { true }),
        INSN("mov %es:(%ecx),%eax", "\x26\x8b\x01", 1, { RCX }),
        INSN("les (%ecx),%eax", "\xc4\x01", 1, { RCX + 0x30000 }),
        INSN("inc %eax (REX in 64-bit code)", "\x40", 0, { 0 }),
    };
    X86Registers r = registers(32);

    (void)state;
    for (unsigned i = 0; i < X86_NUM_SEGS; i++) {
        r.seg[i].base = 0x10000 * i;
    }
    check(&r, cases, G_N_ELEMENTS(cases));
}

static void operands_of_16_bit_code(void **state)
{
    static const Case cases[] = {
        INSN("mov 0x1234,%ax", "\xa1\x34\x12", 1, { 0x31234 }),
        INSN("mov 2(%bp),%ax", "\x8b\x46\x02", 1, { 0x20000 + 0x600 + 2 }),
        INSN("mov (%bx,%di),%al", "\x8a\x01", 1, { 0x30000 + 0x400 + 0x800 }),
        INSN("mov 0x100(%si),%al", "\x8a\x84\0\x01", 1, { 0x30000 + 0x700 + 0x100 }),
        INSN("mov 0x1234,%bl", "\x8a\x1e\x34\x12", 1, { 0x31234 }),
        INSN("lodsb", "\xac", 1, { 0x30000 + 0x700 }),
        INSN("cs lodsb", "\x2e\xac", 1, { 0x10000 + 0x700 }),
        INSN("push %ax", "\x50", 1, { 0x20000 + 0x500 - 2 }, { true }),
        INSN("mov (%eax),%al", "\x67\x8a\x00", 1, { 0x30000 + 0x100 }),
    };
    X86Registers r = registers(16);

    (void)state;
    for (unsigned i = 0; i < X86_NUM_SEGS; i++) {
        r.seg[i].base = 0x10000 * i;
    }
    check(&r, cases, G_N_ELEMENTS(cases));
}

static void any_bytes_are_looked_at_without_harm(void **state)
{
    static const unsigned sizes[] = { 16, 32, 64 };
    X86Operand found[X86_OPERANDS_MAX];
    GRand *rand = g_rand_new_with_seed(1);

    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        X86Registers r = registers(sizes[i % 3]);
        uint8_t code[15];

        for (unsigned b = 0; b < sizeof(code); b++) {
            code[b] = (uint8_t)g_rand_int(rand);
        }
        assert_in_range(x86_operands(&r, code, i % 16, found), 0, X86_OPERANDS_MAX);
    }
    g_rand_free(rand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operands_of_64_bit_code),
        cmocka_unit_test(operands_of_32_bit_code),
        cmocka_unit_test(operands_of_16_bit_code),
        cmocka_unit_test(any_bytes_are_looked_at_without_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
