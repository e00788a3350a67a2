/* SPDX-License-Identifier: MIT */
/*
 * The registers that gdb knows of, in one table, and the description that is made of it. The layout
 * is that of a 64-bit processor whatever mode the vCPU is in, as gdb cannot change it in the middle
 * of a session.
 */
#include <string.h>
#include "monitor/gdb-target.h"

/* ---- The tag word: gdb's is the whole one, two bits a register (SDM vol. 1, 8.1.7) ---- */

enum { TAG_VALID, TAG_ZERO, TAG_SPECIAL, TAG_EMPTY };

static unsigned tag_of(const uint8_t *st)
{
    unsigned exponent = (st[8] | st[9] << 8) & 0x7fff;
    uint64_t mantissa;

    memcpy(&mantissa, st, sizeof(mantissa));
    if (!exponent && !mantissa) {
        return TAG_ZERO;
    }
    return exponent == 0x7fff || !(mantissa >> 63) ? TAG_SPECIAL : TAG_VALID;
}

static uint32_t get_tags(const GdbRegisters *regs)
{
    unsigned top = regs->x.fsw >> 11 & 7;
    uint32_t tags = 0;

    /* The tags are of registers as they are, st[] is as they are numbered from the top. */
    for (unsigned i = 0; i < 8; i++) {
        unsigned tag = regs->x.ftw >> i & 1 ? tag_of(regs->x.st[(i - top) & 7]) : TAG_EMPTY;

        tags |= tag << (2 * i);
    }
    return tags;
}

static void set_tags(GdbRegisters *regs, uint32_t tags)
{
    regs->x.ftw = 0;
    for (unsigned i = 0; i < 8; i++) {
        regs->x.ftw |= (uint8_t)(((tags >> (2 * i) & 3) != TAG_EMPTY) << i);
    }
}

/* ---- The table ---- */

#define FIELD(field) offsetof(GdbRegisters, field), sizeof(((GdbRegisters *)0)->field)
#define GPR(n, i, t)                                                                               \
    {                                                                                              \
        n, t, NULL, FIELD(r.gpr[i]), 8, NULL, NULL                                                 \
    }
#define SELECTOR(n, i)                                                                             \
    {                                                                                              \
        n, "int32", NULL, FIELD(r.seg[i].selector), 4, NULL, NULL                                  \
    }
#define ST(n, i)                                                                                   \
    {                                                                                              \
        n, "i387_ext", NULL, offsetof(GdbRegisters, x.st[i]), 10, 10, NULL, NULL                   \
    }
#define X87(n, field)                                                                              \
    {                                                                                              \
        n, "int", "float", FIELD(field), 4, NULL, NULL                                             \
    }
#define NO_X87(n)                                                                                  \
    {                                                                                              \
        n, "int", "float", 0, 0, 4, NULL, NULL                                                     \
    }
#define XMM(n, i)                                                                                  \
    {                                                                                              \
        n, "vec128", NULL, FIELD(x.xmm[i]), 16, NULL, NULL                                         \
    }
#define SYSTEM(n, t, field)                                                                        \
    {                                                                                              \
        n, t, "system", FIELD(field), 8, NULL, NULL                                                \
    }

static const GdbRegister core[] = {
    GPR("rax", X86_RAX, "int64"),
    GPR("rbx", X86_RBX, "int64"),
    GPR("rcx", X86_RCX, "int64"),
    GPR("rdx", X86_RDX, "int64"),
    GPR("rsi", X86_RSI, "int64"),
    GPR("rdi", X86_RDI, "int64"),
    GPR("rbp", X86_RBP, "data_ptr"),
    GPR("rsp", X86_RSP, "data_ptr"),
    GPR("r8", 8, "int64"),
    GPR("r9", 9, "int64"),
    GPR("r10", 10, "int64"),
    GPR("r11", 11, "int64"),
    GPR("r12", 12, "int64"),
    GPR("r13", 13, "int64"),
    GPR("r14", 14, "int64"),
    GPR("r15", 15, "int64"),
    { "rip", "code_ptr", NULL, FIELD(r.rip), 8, NULL, NULL },
    { "eflags", "i386_eflags", NULL, FIELD(r.rflags), 4, NULL, NULL },
    SELECTOR("cs", X86_CS),
    SELECTOR("ss", X86_SS),
    SELECTOR("ds", X86_DS),
    SELECTOR("es", X86_ES),
    SELECTOR("fs", X86_FS),
    SELECTOR("gs", X86_GS),
    ST("st0", 0),
    ST("st1", 1),
    ST("st2", 2),
    ST("st3", 3),
    ST("st4", 4),
    ST("st5", 5),
    ST("st6", 6),
    ST("st7", 7),
    X87("fctrl", x.fcw),
    X87("fstat", x.fsw),
    { "ftag", "int", "float", 0, 0, 4, get_tags, set_tags },
    NO_X87("fiseg"),
    X87("fioff", x.fip),
    NO_X87("foseg"),
    X87("fooff", x.fdp),
    X87("fop", x.fop),
};

static const GdbRegister sse[] = {
    XMM("xmm0", 0),
    XMM("xmm1", 1),
    XMM("xmm2", 2),
    XMM("xmm3", 3),
    XMM("xmm4", 4),
    XMM("xmm5", 5),
    XMM("xmm6", 6),
    XMM("xmm7", 7),
    XMM("xmm8", 8),
    XMM("xmm9", 9),
    XMM("xmm10", 10),
    XMM("xmm11", 11),
    XMM("xmm12", 12),
    XMM("xmm13", 13),
    XMM("xmm14", 14),
    XMM("xmm15", 15),
    { "mxcsr", "i386_mxcsr", "vector", FIELD(x.mxcsr), 4, NULL, NULL },
};

static const GdbRegister segments[] = {
    { "fs_base", "int64", NULL, FIELD(r.seg[X86_FS].base), 8, NULL, NULL },
    { "gs_base", "int64", NULL, FIELD(r.seg[X86_GS].base), 8, NULL, NULL },
};

static const GdbRegister control[] = {
    SYSTEM("k_gs_base", "int64", x.kernel_gs_base),
    SYSTEM("cr0", "x86_cr0", r.cr0),
    SYSTEM("cr2", "int64", r.cr2),
    SYSTEM("cr3", "int64", r.cr3),
    SYSTEM("cr4", "x86_cr4", r.cr4),
    SYSTEM("cr8", "int64", r.cr8),
    SYSTEM("efer", "x86_efer", r.efer),
};

/* ---- The description ---- */

typedef struct Bit {
    const char *name;
    unsigned number;
} Bit;

typedef struct Flags {
    const char *name;
    unsigned bytes;
    const Bit *bits; /* NULL-ended */
} Flags;

static const Flags eflags = { "i386_eflags", 4,
                              (const Bit[]){ { "CF", 0 },
                                             { "", 1 },
                                             { "PF", 2 },
                                             { "AF", 4 },
                                             { "ZF", 6 },
                                             { "SF", 7 },
                                             { "TF", 8 },
                                             { "IF", 9 },
                                             { "DF", 10 },
                                             { "OF", 11 },
                                             { "NT", 14 },
                                             { "RF", 16 },
                                             { "VM", 17 },
                                             { "AC", 18 },
                                             { "VIF", 19 },
                                             { "VIP", 20 },
                                             { "ID", 21 },
                                             { NULL, 0 } } };
static const Flags mxcsr_flags = { "i386_mxcsr", 4,
                                   (const Bit[]){ { "IE", 0 },
                                                  { "DE", 1 },
                                                  { "ZE", 2 },
                                                  { "OE", 3 },
                                                  { "UE", 4 },
                                                  { "PE", 5 },
                                                  { "DAZ", 6 },
                                                  { "IM", 7 },
                                                  { "DM", 8 },
                                                  { "ZM", 9 },
                                                  { "OM", 10 },
                                                  { "UM", 11 },
                                                  { "PM", 12 },
                                                  { "FZ", 15 },
                                                  { NULL, 0 } } };
static const Flags cr0_flags = { "x86_cr0", 8,
                                 (const Bit[]){ { "PE", 0 },
                                                { "MP", 1 },
                                                { "EM", 2 },
                                                { "TS", 3 },
                                                { "ET", 4 },
                                                { "NE", 5 },
                                                { "WP", 16 },
                                                { "AM", 18 },
                                                { "NW", 29 },
                                                { "CD", 30 },
                                                { "PG", 31 },
                                                { NULL, 0 } } };
static const Flags cr4_flags = {
    "x86_cr4", 8,
    (const Bit[]){ { "VME", 0 },    { "PVI", 1 },      { "TSD", 2 },         { "DE", 3 },
                   { "PSE", 4 },    { "PAE", 5 },      { "MCE", 6 },         { "PGE", 7 },
                   { "PCE", 8 },    { "OSFXSR", 9 },   { "OSXMMEXCPT", 10 }, { "UMIP", 11 },
                   { "LA57", 12 },  { "VMXE", 13 },    { "SMXE", 14 },       { "FSGSBASE", 16 },
                   { "PCIDE", 17 }, { "OSXSAVE", 18 }, { "SMEP", 20 },       { "SMAP", 21 },
                   { "PKE", 22 },   { NULL, 0 } }
};
static const Flags efer_flags = {
    "x86_efer", 8,
    (const Bit[]){
        { "SCE", 0 }, { "LME", 8 }, { "LMA", 10 }, { "NXE", 11 }, { "SVME", 12 }, { NULL, 0 } }
};

/* The shapes that gdb expects of the vectors, and of these alone. */
static const char vectors[] =
    "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
    "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
    "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
    "<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
    "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"
    "<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
    "<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/>"
    "<field name=\"v2_double\" type=\"v2d\"/><field name=\"v16_int8\" type=\"v16i8\"/>"
    "<field name=\"v8_int16\" type=\"v8i16\"/><field name=\"v4_int32\" type=\"v4i32\"/>"
    "<field name=\"v2_int64\" type=\"v2i64\"/><field name=\"uint128\" type=\"uint128\"/></union>";

/* In the order of gdb's numbers. */
static const struct {
    const char *name;
    const GdbRegister *rows;
    unsigned n;
    const Flags *flags[4]; /* NULL-ended */
    const char *types;     /* or NULL */
} features[] = {
    { "org.gnu.gdb.i386.core", core, G_N_ELEMENTS(core), { &eflags }, NULL },
    { "org.gnu.gdb.i386.sse", sse, G_N_ELEMENTS(sse), { &mxcsr_flags }, vectors },
    { "org.gnu.gdb.i386.segments", segments, G_N_ELEMENTS(segments), { NULL }, NULL },
    { "org.qomet.i386.system",
      control,
      G_N_ELEMENTS(control),
      { &cr0_flags, &cr4_flags, &efer_flags },
      NULL },
};

static void describe_flags(GString *out, const Flags *flags)
{
    g_string_append_printf(out, "<flags id=\"%s\" size=\"%u\">", flags->name, flags->bytes);
    for (const Bit *bit = flags->bits; bit->name; bit++) {
        g_string_append_printf(out, "<field name=\"%s\" start=\"%u\" end=\"%u\"/>", bit->name,
                               bit->number, bit->number);
    }
    g_string_append(out, "</flags>");
}

static void describe_register(GString *out, const GdbRegister *row)
{
    g_string_append_printf(out, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"", row->name,
                           8u * row->bytes, row->type);
    if (row->group) {
        g_string_append_printf(out, " group=\"%s\"", row->group);
    }
    g_string_append(out, "/>");
}

char *gdb_target_xml(void)
{
    GString *out = g_string_new("<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
                                "<target><architecture>i386:x86-64</architecture>");

    for (unsigned f = 0; f < G_N_ELEMENTS(features); f++) {
        g_string_append_printf(out, "<feature name=\"%s\">%s", features[f].name,
                               features[f].types ? features[f].types : "");
        for (unsigned i = 0; features[f].flags[i]; i++) {
            describe_flags(out, features[f].flags[i]);
        }
        for (unsigned i = 0; i < features[f].n; i++) {
            describe_register(out, &features[f].rows[i]);
        }
        g_string_append(out, "</feature>");
    }
    g_string_append(out, "</target>");
    return g_string_free(out, FALSE);
}

const GdbRegister *gdb_register(uint64_t number)
{
    for (unsigned f = 0; f < G_N_ELEMENTS(features); f++) {
        if (number < features[f].n) {
            return &features[f].rows[number];
        }
        number -= features[f].n;
    }
    return NULL;
}
