/* SPDX-License-Identifier: MIT */
/*
 * Memory and ports of the guest, shown and changed by people. Memory is RAM and ROM only: looking at
 * it changes nothing.
 */
#include <inttypes.h>
#include <string.h>
#include <qomet/accel/debug.h>
#include <qomet/accel/disas.h>
#include <qomet/monitor/qmp.h>
#include "monitor/hmp-handlers.h"
#include "monitor/hmp-int.h"

/* What a line of instructions leaves for their bytes, each "xx ". */
#define CODE_COLUMNS 24

/* ---- Characters ---- */

void hmp_print_character(Monitor *mon, uint8_t c)
{
    switch (c) {
    case '\'':
        monitor_puts(mon, "'\\''");
        break;
    case '\\':
        monitor_puts(mon, "'\\\\'");
        break;
    case '\n':
        monitor_puts(mon, "'\\n'");
        break;
    case '\r':
        monitor_puts(mon, "'\\r'");
        break;
    default:
        monitor_printf(mon, g_ascii_isprint((char)c) ? "'%c'" : "'\\x%02x'", c);
        break;
    }
}

/* ---- Reading ---- */

/** Where a dump reads: guest-physical, or as a vCPU addresses it. */
typedef struct Source {
    CPUState *cpu; /* NULL: there is none, and it is guest-physical */
    bool physical;
} Source;

static bool read_source(const Source *s, uint64_t addr, void *buf, size_t len, GError **errp)
{
    MemTxAttrs attrs = { .debug = 1 };

    if (s->cpu && s->physical) {
        return cpu_read_physical(s->cpu, addr, buf, len, errp);
    }
    if (s->cpu) {
        return cpu_read_memory(s->cpu, addr, buf, len, errp);
    }
    if (dma_memory_read(&address_space_memory, addr, buf, len, attrs) != MEMTX_OK) {
        qmp_error_set(errp, QMP_ERROR_GENERIC, "there is no memory at 0x%" PRIx64, addr);
        return false;
    }
    return true;
}

static void show_unreadable(Monitor *mon, uint64_t addr, const GError *error)
{
    monitor_printf(mon, "%016" PRIx64 ": Cannot access memory: %s\n", addr, error->message);
}

/* ---- Values ---- */

static uint64_t load(const uint8_t *at, unsigned size)
{
    uint64_t value = 0;

    /* The guest is little-endian, as the host is. */
    memcpy(&value, at, size);
    return value;
}

static int64_t extend(uint64_t value, unsigned size)
{
    unsigned unused = 64 - 8 * size;

    return (int64_t)(value << unused) >> unused;
}

static void show_value(Monitor *mon, const HmpFormat *f, uint64_t value)
{
    /* As many digits as the largest value of the size has. */
    int bits = (int)f->size * 8, octal = (bits + 2) / 3, decimal = (bits * 10 + 32) / 33;

    monitor_puts(mon, " ");
    switch (f->format) {
    case 'o':
        monitor_printf(mon, "%#*" PRIo64, octal, value);
        break;
    case 'u':
        monitor_printf(mon, "%*" PRIu64, decimal, value);
        break;
    case 'd':
        monitor_printf(mon, "%*" PRId64, decimal, extend(value, f->size));
        break;
    case 'c':
        hmp_print_character(mon, (uint8_t)value);
        break;
    default:
        monitor_printf(mon, "0x%0*" PRIx64, bits / 4, value);
        break;
    }
}

static void dump(Monitor *mon, const Source *s, const HmpFormat *f, uint64_t addr)
{
    unsigned per_line = f->size == 1 ? 8 : 16 / f->size;
    unsigned left = f->count;
    uint8_t line[16];

    while (left) {
        unsigned n = MIN(left, per_line);
        g_autoptr(GError) error = NULL;

        if (!read_source(s, addr, line, n * f->size, &error)) {
            show_unreadable(mon, addr, error);
            return;
        }
        monitor_printf(mon, "%016" PRIx64 ":", addr);
        for (unsigned i = 0; i < n; i++) {
            show_value(mon, f, load(line + i * f->size, f->size));
        }
        monitor_puts(mon, "\n");
        addr += n * f->size;
        left -= n;
    }
}

/* ---- Instructions ---- */

/* As many bytes of code as there are, at most @max; 0 with @errp set. */
static unsigned read_code(const Source *s, uint64_t addr, uint8_t *code, unsigned max,
                          GError **errp)
{
    unsigned n = 0;

    while (n < max && read_source(s, addr + n, code + n, 1, n ? NULL : errp)) {
        n++;
    }
    return n;
}

static void show_instruction(Monitor *mon, uint64_t addr, const uint8_t *code, unsigned length,
                             const char *text)
{
    g_autoptr(GString) bytes = g_string_new(NULL);

    for (unsigned i = 0; i < length; i++) {
        g_string_append_printf(bytes, "%02x ", code[i]);
    }
    monitor_printf(mon, "0x%08" PRIx64 ":  %-*s %s\n", addr, CODE_COLUMNS, bytes->str, text);
}

static bool disassemble(Monitor *mon, const Source *s, unsigned count, uint64_t addr, GError **errp)
{
    const X86Registers *r = s->cpu ? x86_cpu_registers(X86_CPU(s->cpu), errp) : NULL;
    const X86Segment *cs = r ? &r->seg[X86_CS] : NULL;
    unsigned bits = !cs ? 64 : cs->l ? 64 : cs->db ? 32 : 16;
    uint64_t base = !cs || cs->l ? 0 : cs->base;

    if ((s->cpu && !r) || !disas_available(errp)) {
        return false;
    }
    while (count--) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = NULL;
        uint8_t code[X86_INSTRUCTION_MAX];
        unsigned n = read_code(s, addr, code, sizeof(code), &error), length;

        if (!n) {
            show_unreadable(mon, addr, error);
            return true;
        }
        text = disas_instruction(code, n, bits, addr - base, &length);
        if (!text) {
            length = 1;
            text = g_strdup_printf(".byte    0x%02x", code[0]);
        }
        show_instruction(mon, addr, code, length, text);
        addr += length;
    }
    return true;
}

static bool examine(Monitor *mon, const Source *s, GVariant *args, GError **errp)
{
    HmpFormat f = hmp_arg_format(args, "fmt", (HmpFormat){ 1, 'x', 4 });
    uint64_t addr = (uint64_t)qmp_arg_int(args, "addr", 0);
    bool good = true;

    f.size = f.format == 'c' ? 1 : f.size;
    pause_all_vcpus();
    if (f.format == 'i') {
        good = disassemble(mon, s, f.count, addr, errp);
    } else {
        dump(mon, s, &f, addr);
    }
    resume_all_vcpus();
    return good;
}

bool hmp_do_x(Monitor *mon, GVariant *args, GError **errp)
{
    Source s = { .cpu = hmp_cpu(mon, errp) };

    return s.cpu && examine(mon, &s, args, errp);
}

bool hmp_do_xp(Monitor *mon, GVariant *args, GError **errp)
{
    Source s = { .cpu = qemu_get_cpu(mon->cpu_index), .physical = true };

    return examine(mon, &s, args, errp);
}

/* ---- Sum ---- */

bool hmp_do_sum(Monitor *mon, GVariant *args, GError **errp)
{
    Source s = { .cpu = qemu_get_cpu(mon->cpu_index), .physical = true };
    uint64_t addr = (uint64_t)qmp_arg_int(args, "start", 0);
    uint64_t left = (uint64_t)qmp_arg_int(args, "size", 0);
    uint8_t page[4096];
    uint16_t sum = 0;

    while (left) {
        size_t n = MIN(left, sizeof(page) - addr % sizeof(page));

        if (!read_source(&s, addr, page, n, errp)) {
            return false;
        }
        for (size_t i = 0; i < n; i++) {
            sum = (uint16_t)((sum >> 1 | sum << 15) + page[i]);
        }
        addr += n;
        left -= n;
    }
    monitor_printf(mon, "%05u\n", sum);
    return true;
}

/* ---- Where memory stands on the host ---- */

static bool show_host_address(Monitor *mon, hwaddr addr, const MemoryRegionSection *s,
                              GError **errp)
{
    g_autofree char *path = s->mr ? object_get_canonical_path(OBJECT(s->mr)) : NULL;
    const char *name = s->mr ? memory_region_name(s->mr) : NULL;

    if (!s->mr) {
        qmp_error_set(errp, QMP_ERROR_GENERIC, "No memory is mapped at address 0x%" PRIx64, addr);
        return false;
    }
    if (!s->ram) {
        qmp_error_set(errp, QMP_ERROR_GENERIC,
                      "Memory at address 0x%" PRIx64 " is not RAM: it is offset 0x%" PRIx64
                      " of '%s' (%s)",
                      addr, s->offset_within_region, name, path ? path : "outside the tree");
        return false;
    }
    monitor_printf(mon,
                   "Host virtual address for 0x%" PRIx64 " (%s) is %p\n"
                   "offset 0x%" PRIx64 " of %s\n",
                   addr, name,
                   (void *)((uint8_t *)memory_region_get_ram_ptr(s->mr) + s->offset_within_region),
                   s->offset_within_region, path ? path : "a region outside the tree");
    return true;
}

bool hmp_do_gpa2hva(Monitor *mon, GVariant *args, GError **errp)
{
    hwaddr addr = (hwaddr)qmp_arg_int(args, "addr", 0);
    MemoryRegionSection section = address_space_find(&address_space_memory, addr);
    bool good = show_host_address(mon, addr, &section, errp);

    object_unref(section.mr);
    return good;
}

/* ---- Ports ---- */

/* "b": what QEMU puts behind the names of ports. */
static char port_suffix(unsigned size)
{
    return size == 1 ? 'b' : size == 2 ? 'w' : 'l';
}

static bool port_arg(GVariant *args, const HmpFormat *f, uint16_t *port, GError **errp)
{
    int64_t addr = qmp_arg_int(args, "addr", 0);

    if (addr < 0 || addr > UINT16_MAX) {
        qmp_error_set(errp, QMP_ERROR_GENERIC, "0x%" PRIx64 " is no port, accepted are 0 to 0xffff",
                      (uint64_t)addr);
        return false;
    }
    if (f->size > 4) {
        qmp_error_set(errp, QMP_ERROR_GENERIC, "a port has 1, 2 or 4 bytes, not %u", f->size);
        return false;
    }
    *port = (uint16_t)addr;
    return true;
}

bool hmp_do_i(Monitor *mon, GVariant *args, GError **errp)
{
    HmpFormat f = hmp_arg_format(args, "fmt", (HmpFormat){ 1, 'x', 1 });
    MemTxAttrs attrs = { .debug = 1 };
    uint64_t value;
    uint16_t port;

    if (!port_arg(args, &f, &port, errp)) {
        return false;
    }
    /* What is not there reads as all ones, for the guest too. */
    address_space_load(&address_space_io, port, f.size, &value, attrs);
    monitor_printf(mon, "port%c[0x%04x] = 0x%0*" PRIx64 "\n", port_suffix(f.size), port,
                   (int)f.size * 2, value);
    return true;
}

bool hmp_do_o(Monitor *mon, GVariant *args, GError **errp)
{
    HmpFormat f = hmp_arg_format(args, "fmt", (HmpFormat){ 1, 'x', 1 });
    uint64_t value = (uint64_t)qmp_arg_int(args, "val", 0);
    MemTxAttrs attrs = { .debug = 1 };
    uint16_t port;

    (void)mon;
    if (!port_arg(args, &f, &port, errp)) {
        return false;
    }
    address_space_store(&address_space_io, port, f.size, value, attrs);
    return true;
}
