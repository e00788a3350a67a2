/* SPDX-License-Identifier: MIT */
/*
 * The structures of SMBIOS 2.8 ("7." with a number is a section of DSP0134), each of which is written
 * field by field; what nobody knows of a machine that is none is said to be unknown.
 */
#include <stdbool.h>
#include <string.h>
#include <qomet/hw/smbios/smbios.h>

#define VENDOR "Qomet"
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define MODULE_BYTES (16 * GIB) /* the most that a memory module has */

#define HEADER_BYTES 4
#define LENGTH_AT 1
#define NO_HANDLE 0xfffe

/* ---- Writing ---- */

typedef struct Writer {
    GByteArray *out;
    GString *strings; /* of this structure, each with its NUL */
    guint start;      /* of it */
    uint8_t num_strings;
} Writer;

/* The low @bytes (1 to 8) of @value. */
static void put(Writer *w, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        uint8_t byte = value >> 8 * i & 0xff;

        g_byte_array_append(w->out, &byte, 1);
    }
}

static void put_text(Writer *w, const char *text)
{
    g_string_append(w->strings, text);
    g_string_append_c(w->strings, '\0');
    put(w, ++w->num_strings, 1);
}

/* No string. */
static void put_none(Writer *w, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        put(w, 0, 1);
    }
}

static void begin(Writer *w, uint8_t type, uint16_t handle)
{
    w->start = w->out->len;
    w->num_strings = 0;
    g_string_truncate(w->strings, 0);
    put(w, type, 1);
    put(w, 0, 1); /* length */
    put(w, handle, 2);
}

static void end(Writer *w)
{
    w->out->data[w->start + LENGTH_AT] = (uint8_t)(w->out->len - w->start);
    g_byte_array_append(w->out, (const uint8_t *)w->strings->str, (guint)w->strings->len);
    put(w, 0, w->strings->len ? 1 : 2);
}

/* ---- The structures ---- */

#define HANDLE_FIRMWARE 0x0000
#define HANDLE_SYSTEM 0x0100
#define HANDLE_CHASSIS 0x0300
#define HANDLE_PROCESSOR 0x0400 /* and on */
#define HANDLE_MEMORY 0x1000
#define HANDLE_MODULE 0x1100 /* and on */
#define HANDLE_RANGE 0x1300  /* and on */
#define HANDLE_BOOT 0x2000
#define HANDLE_END 0x7f00

#define OTHER 1
#define UNKNOWN 2

/* 7.1 */
static void add_firmware(Writer *w)
{
    begin(w, 0, HANDLE_FIRMWARE);
    put_text(w, VENDOR);
    put_text(w, "1");
    put(w, 0xf000, 2); /* segment */
    put_text(w, "01/01/2026");
    put(w, 0, 1);           /* 64 KiB */
    put(w, 1 << 3, 8);      /* nothing is said of what it can do, */
    put(w, 1 << 4 << 8, 2); /* but that it runs in a virtual machine */
    put(w, 0, 2);
    put(w, 0xffff, 2); /* there is no embedded controller */
    end(w);
}

/* 7.2 */
static void add_system(Writer *w, const SmbiosBoard *board)
{
    begin(w, 1, HANDLE_SYSTEM);
    put_text(w, VENDOR);
    put_text(w, board->product);
    put_none(w, 2); /* version, serial number */
    put(w, 0, 8);   /* no UUID */
    put(w, 0, 8);
    put(w, 6, 1); /* woken by its power switch */
    put_none(w, 2);
    end(w);
}

/* 7.4 */
static void add_chassis(Writer *w)
{
    begin(w, 3, HANDLE_CHASSIS);
    put_text(w, VENDOR);
    put(w, OTHER, 1);
    put_none(w, 3);
    put(w, 3, 1); /* state: safe, as are power supply and temperature */
    put(w, 3, 1);
    put(w, 3, 1);
    put(w, UNKNOWN, 1);
    put(w, 0, 4);
    put(w, 0, 4); /* height, cords, what is in it */
    put_none(w, 1);
    end(w);
}

/* 7.5 */
static void add_processor(Writer *w, unsigned n, const CPUTopology *t)
{
    const uint8_t cores = (uint8_t)CLAMP(t->cores, 1, 0xff);
    const uint8_t threads = (uint8_t)MIN(cpu_topology_per_socket(t), 0xff);
    g_autofree char *name = g_strdup_printf("CPU %u", n);

    begin(w, 4, (uint16_t)(HANDLE_PROCESSOR + n));
    put_text(w, name);
    put(w, 3, 1); /* a central processor */
    put(w, OTHER, 1);
    put_text(w, VENDOR);
    put(w, 0, 8); /* CPUID tells it */
    put_none(w, 1);
    put(w, 0, 1); /* voltage, clock, speeds */
    put(w, 0, 2);
    put(w, 0, 2);
    put(w, 0, 2);
    put(w, 0x41, 1); /* there and enabled */
    put(w, OTHER, 1);
    put(w, 0xffff, 2); /* of the caches CPUID tells */
    put(w, 0xffff, 2);
    put(w, 0xffff, 2);
    put_none(w, 3);
    put(w, cores, 1);
    put(w, cores, 1);
    put(w, threads, 1);
    put(w, 1 << 2, 2); /* 64-bit */
    put(w, OTHER, 2);
    end(w);
}

/* ---- Memory ---- */

/* 7.17 */
static void add_memory(Writer *w, uint64_t bytes, unsigned modules)
{
    const uint64_t kib = bytes >> 10;
    const bool large = kib >= UINT64_C(1) << 31;

    begin(w, 16, HANDLE_MEMORY);
    put(w, OTHER, 1);
    put(w, 3, 1); /* system memory */
    put(w, 3, 1); /* without error correction */
    put(w, large ? UINT64_C(1) << 31 : kib, 4);
    put(w, NO_HANDLE, 2);
    put(w, modules, 2);
    put(w, large ? bytes : 0, 8);
    end(w);
}

/* 7.18; in MiB or, where there is less than one more, in KiB. */
static void add_module(Writer *w, unsigned n, uint64_t bytes)
{
    const uint64_t mib = bytes / MIB;
    g_autofree char *name = g_strdup_printf("DIMM %u", n);

    begin(w, 17, (uint16_t)(HANDLE_MODULE + n));
    put(w, HANDLE_MEMORY, 2);
    put(w, NO_HANDLE, 2);
    put(w, 0xffff, 2); /* widths */
    put(w, 0xffff, 2);
    if (bytes % MIB && bytes < 32 * MIB) {
        put(w, 1 << 15 | bytes >> 10, 2);
    } else {
        put(w, mib, 2);
    }
    put(w, 9, 1); /* a DIMM */
    put(w, 0, 1);
    put_text(w, name);
    put_none(w, 1);
    put(w, 7, 1);      /* RAM */
    put(w, 1 << 1, 2); /* other */
    put(w, 0, 2);
    put_text(w, VENDOR);
    put_none(w, 3);
    put(w, 0, 1);
    put(w, 0, 4); /* extended size */
    put(w, 0, 2);
    put(w, 0, 6); /* voltages */
    end(w);
}

/* 7.20 */
static void add_range(Writer *w, unsigned n, uint64_t from, uint64_t bytes)
{
    const uint64_t first = from >> 10, last = ((from + bytes) >> 10) - 1;
    const bool large = last >= UINT32_MAX;

    if (bytes < 1024) {
        return;
    }
    begin(w, 19, (uint16_t)(HANDLE_RANGE + n));
    put(w, large ? UINT32_MAX : first, 4);
    put(w, large ? UINT32_MAX : last, 4);
    put(w, HANDLE_MEMORY, 2);
    put(w, 1, 1);
    put(w, large ? from : 0, 8);
    put(w, large ? from + bytes - 1 : 0, 8);
    end(w);
}

/* 7.33 */
static void add_boot(Writer *w)
{
    begin(w, 32, HANDLE_BOOT);
    put(w, 0, 6);
    put(w, 0, 1); /* nothing went wrong */
    end(w);
}

GByteArray *smbios_tables(const SmbiosBoard *board)
{
    const uint64_t ram = board->low_ram + board->high_ram;
    const unsigned modules = (unsigned)((ram + MODULE_BYTES - 1) / MODULE_BYTES);
    Writer w = { .out = g_byte_array_new(), .strings = g_string_new(NULL) };

    add_firmware(&w);
    add_system(&w, board);
    add_chassis(&w);
    for (unsigned i = 0; i < MAX(board->topology.sockets, 1); i++) {
        add_processor(&w, i, &board->topology);
    }
    add_memory(&w, ram, modules);
    for (unsigned i = 0; i < modules; i++) {
        add_module(&w, i, MIN(ram - i * MODULE_BYTES, MODULE_BYTES));
    }
    add_range(&w, 0, 0, board->low_ram);
    add_range(&w, 1, 4 * GIB, board->high_ram);
    add_boot(&w);
    begin(&w, 127, HANDLE_END);
    end(&w);
    g_string_free(w.strings, TRUE);
    return w.out;
}

/* ---- The entry point (5.2.1) ---- */

#define SUM_AT 4
#define DMI_AT 16 /* where the part begins that has a sum of its own */
#define DMI_SUM_AT 21

static void count(const GByteArray *tables, uint16_t *number, uint16_t *largest)
{
    *number = *largest = 0;
    for (guint at = 0; at < tables->len; (*number)++) {
        guint next = at + tables->data[at + LENGTH_AT];

        while (tables->data[next] || tables->data[next + 1]) {
            next++;
        }
        *largest = MAX(*largest, next + 2 - at);
        at = next + 2;
    }
}

static void make_sum(GByteArray *out, unsigned from, unsigned bytes, unsigned at)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < bytes; i++) {
        sum += out->data[from + i];
    }
    out->data[at] -= sum;
}

GByteArray *smbios_anchor(const GByteArray *tables, uint32_t addr)
{
    Writer w = { .out = g_byte_array_new() };
    uint16_t number, largest;

    count(tables, &number, &largest);
    g_byte_array_append(w.out, (const uint8_t *)"_SM_", 4);
    put(&w, 0, 1);
    put(&w, SMBIOS_ANCHOR_BYTES, 1);
    put(&w, 2, 1); /* version 2.8 */
    put(&w, 8, 1);
    put(&w, largest, 2);
    put(&w, 0, 6);
    g_byte_array_append(w.out, (const uint8_t *)"_DMI_", 5);
    put(&w, 0, 1);
    put(&w, tables->len, 2);
    put(&w, addr, 4);
    put(&w, number, 2);
    put(&w, 0x28, 1);
    make_sum(w.out, DMI_AT, SMBIOS_ANCHOR_BYTES - DMI_AT, DMI_SUM_AT);
    make_sum(w.out, 0, SMBIOS_ANCHOR_BYTES, SUM_AT);
    return w.out;
}
