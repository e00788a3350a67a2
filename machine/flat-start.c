/* SPDX-License-Identifier: MIT */
/*
 * How a flat binary starts: its image in RAM, and registers for real mode, for protected mode with
 * flat segments of 4 GiB, or for 64-bit mode with all memory mapped to itself. Where RAM is, the
 * memory map tells.
 *
 * The modes that need tables find them in the last pages of the RAM that begins at 0, below 4 GiB,
 * from low to high: a page with the GDT (null, 32-bit code 0x08, data 0x10, 64-bit code 0x18), then
 * PML4, page directory pointers, page directories. They map 4 GiB, or all RAM if that is more, in
 * pages of 2 MiB that can be read, written and executed. There is no IDT.
 */
#include <inttypes.h>
#include <string.h>
#include "accel/x86-bits.h"
#include "machine/flat-int.h"
#include "machine/boot/flat-mode.h"
#include "machine/boot/flat.h"

#define PAGE FLAT_MODE_PAGE
#define GIB (UINT64_C(1) << 30)

#define GDT_CODE32 0x08
#define GDT_DATA 0x10
#define GDT_CODE64 0x18

/* Stacks that nobody asked for, of vCPUs in the modes with tables, lie below those, this far apart.
 */
#define STACK_BYTES 4096

/* ---- Where RAM is ---- */

/* What is looked for among the ranges of the map, which come in order of address. */
typedef struct RamSearch {
    uint64_t from; /* behind the last byte of RAM that follows on it */
    uint64_t end;  /* behind the last byte of all RAM */
} RamSearch;

static bool look_at_range(const MemoryRegionSection *section, void *opaque)
{
    RamSearch *search = opaque;
    uint64_t start = section->offset_within_address_space, end = start + section->size;

    if (section->ram && !section->readonly) {
        if (start <= search->from && search->from < end) {
            search->from = end;
        }
        search->end = end;
    }
    return true;
}

/* The address behind the RAM that @addr and all that follows on it are in; @addr outside RAM. */
static uint64_t ram_from(uint64_t addr)
{
    RamSearch search = { .from = addr };

    address_space_foreach(&address_space_memory, look_at_range, &search);
    return search.from;
}

/* The address behind the last byte of RAM. */
static uint64_t ram_end(void)
{
    RamSearch search = { .from = 0 };

    address_space_foreach(&address_space_memory, look_at_range, &search);
    return search.end;
}

static uint64_t low_ram_end(void)
{
    return MIN(ram_from(0), 4 * GIB);
}

static void write_ram(uint64_t addr, const void *bytes, uint64_t size)
{
    address_space_write(&address_space_memory, addr, MEMTXATTRS_UNSPECIFIED, bytes, size);
}

/* ---- Modes ---- */

static bool has_tables(const FlatMachine *s)
{
    return s->long_mode || s->protected_mode;
}

static uint64_t code_base(const FlatMachine *s)
{
    return has_tables(s) ? 0 : (uint64_t)s->selector[X86_CS] << 4;
}

uint64_t flat_entry(const FlatMachine *s)
{
    return s->entry_given ? s->entry : s->load_address - code_base(s);
}

/* ---- Tables ---- */

static FlatMode mode(const FlatMachine *s)
{
    return (FlatMode){ .tables = s->tables,
                       .gib = s->long_mode ? (uint32_t)MAX(4, (ram_end() + GIB - 1) / GIB) : 0,
                       .code32 = GDT_CODE32,
                       .code64 = GDT_CODE64,
                       .data = GDT_DATA };
}

static uint64_t table_bytes(const FlatMachine *s)
{
    return flat_mode_bytes(mode(s).gib);
}

static void write_tables(const FlatMachine *s)
{
    FlatMode flat = mode(s);
    g_autoptr(GBytes) tables = flat_mode_tables(&flat);
    gsize size;
    const void *bytes = g_bytes_get_data(tables, &size);

    write_ram(s->tables, bytes, size);
}

/* ---- Checks ---- */

static bool check_modes(const FlatMachine *s, GError **errp)
{
    static const char names[X86_NUM_SEGS][3] = { "es", "cs", "ss", "ds", "fs", "gs" };

    if (s->long_mode && s->protected_mode) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "long-mode=on and protected-mode=on exclude each other");
        return false;
    }
    for (int i = 0; i < X86_NUM_SEGS && has_tables(s); i++) {
        if (s->selector[i]) {
            qom_error_set(errp, QOM_ERROR_VALUE,
                          "%s=0x%x is for real mode: the segments of %s are flat", names[i],
                          s->selector[i], s->long_mode ? "long mode" : "protected mode");
            return false;
        }
    }
    if (s->parent_obj.smp_cpus > 1 && s->gpr[X86_RDX]) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "rdx=0x%" PRIx64 ": with more than one vCPU, RDX is the vCPU's index",
                      s->gpr[X86_RDX]);
        return false;
    }
    return true;
}

static bool check_entry(const FlatMachine *s, GError **errp)
{
    uint64_t entry = flat_entry(s);

    if (!has_tables(s) && entry > 0xffff) {
        if (s->entry_given) {
            qom_error_set(errp, QOM_ERROR_VALUE,
                          "entry=0x%" PRIx64
                          ": in real mode it is an offset in the segment CS, 0 to 0xffff",
                          entry);
        } else {
            qom_error_set(errp, QOM_ERROR_VALUE,
                          "load-address=0x%" PRIx64
                          " is not in the 64 KiB of the segment CS (cs=0x%x): give cs and entry, "
                          "for example cs=0x%" PRIx64 ",entry=0x%" PRIx64,
                          s->load_address, s->selector[X86_CS], s->load_address >> 4 & 0xf000,
                          s->load_address - ((s->load_address >> 4 & 0xf000) << 4));
        }
        return false;
    }
    if (s->protected_mode && entry > UINT32_MAX) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "entry=0x%" PRIx64 " is past 4 GiB, where protected mode ends", entry);
        return false;
    }
    return true;
}

static bool place_tables(FlatMachine *s, GError **errp)
{
    const uint64_t stacks = (uint64_t)s->parent_obj.smp_cpus * STACK_BYTES;

    if (!has_tables(s)) {
        return true;
    }
    if (low_ram_end() < table_bytes(s)) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "the tables of this mode take %" PRIu64
                      " KiB, more than there is RAM (%" PRIu64 " KiB): give more with -m",
                      table_bytes(s) >> 10, low_ram_end() >> 10);
        return false;
    }
    s->tables = (low_ram_end() - table_bytes(s)) & ~(PAGE - 1);
    if (!s->gpr[X86_RSP] && s->tables < stacks) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "the stacks of %u vCPUs take %" PRIu64
                      " KiB, and below the tables of this mode there are %" PRIu64
                      " KiB: give more with -m, or rsp",
                      s->parent_obj.smp_cpus, stacks >> 10, s->tables >> 10);
        return false;
    }
    return true;
}

/* How many bytes there are from @addr to the end of its piece of RAM, or of what may be used. */
static uint64_t room_at(const FlatMachine *s, uint64_t addr)
{
    uint64_t end = ram_from(addr);

    return (has_tables(s) && addr < s->tables ? MIN(end, s->tables) : end) - addr;
}

static bool read_image(FlatMachine *s, GError **errp)
{
    const MachineState *machine = &s->parent_obj;
    g_autofree char *where = NULL;

    if (!machine->kernel_filename) {
        if (!cpu_count() || machine->waits) {
            return true; /* whoever drives the board needs none, or brings it */
        }
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "there is nothing to run: give a flat binary with -kernel FILE");
        return false;
    }
    if (!room_at(s, s->load_address)) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "load-address=0x%" PRIx64 " is outside RAM, which ends at 0x%" PRIx64,
                      s->load_address, ram_end());
        return false;
    }
    if (has_tables(s) && s->load_address >= s->tables && s->load_address < low_ram_end()) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "load-address=0x%" PRIx64 " is in the tables of this mode, 0x%" PRIx64
                      " to 0x%" PRIx64,
                      s->load_address, s->tables, low_ram_end() - 1);
        return false;
    }
    where = g_strdup_printf("RAM is left above load-address 0x%" PRIx64 "%s", s->load_address,
                            has_tables(s) ? ", below the tables at its end" : "");
    s->image = flat_read(machine->kernel_filename, room_at(s, s->load_address), where, errp);
    return s->image != NULL;
}

bool flat_start_prepare(FlatMachine *s, GError **errp)
{
    return check_modes(s, errp) && check_entry(s, errp) && place_tables(s, errp) &&
           read_image(s, errp);
}

/* ---- Reset ---- */

static void start_real_mode(const FlatMachine *s, X86Registers *r)
{
    for (int i = 0; i < X86_NUM_SEGS; i++) {
        r->seg[i].selector = s->selector[i];
        r->seg[i].base = (uint64_t)s->selector[i] << 4;
    }
}

static void start_cpu(const FlatMachine *s, X86CPU *cpu)
{
    X86Registers *r = x86_cpu_registers_for_write(cpu, NULL);
    uint32_t index = cpu->parent_obj.index;

    if (!r) {
        return; /* cannot be after a reset, which gives a vCPU its registers */
    }
    cpu->wait_for_sipi = false;
    r->cr0 = X86_CR0_ET; /* the caches are on */
    if (has_tables(s)) {
        FlatMode flat = mode(s);

        flat_mode_registers(&flat, r);
    } else {
        start_real_mode(s, r);
    }
    memcpy(r->gpr, s->gpr, sizeof(r->gpr));
    if (s->parent_obj.smp_cpus > 1) {
        r->gpr[X86_RDX] = index;
    }
    if (!r->gpr[X86_RSP] && has_tables(s)) {
        r->gpr[X86_RSP] = s->tables - (uint64_t)index * STACK_BYTES;
    }
    r->rip = flat_entry(s);
}

void flat_start_reset(FlatMachine *s)
{
    gsize size = 0;
    const void *bytes = s->image ? g_bytes_get_data(s->image, &size) : NULL;

    if (bytes) {
        write_ram(s->load_address, bytes, size);
    }
    if (has_tables(s)) {
        write_tables(s);
    }
    for (unsigned i = 0; i < cpu_count(); i++) {
        start_cpu(s, X86_CPU(qemu_get_cpu(i)));
    }
}
