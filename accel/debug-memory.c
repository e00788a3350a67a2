/* SPDX-License-Identifier: MIT */
/*
 * The guest's memory as a debugger sees it: through the page tables of one vCPU, and without the
 * INT3s that stand in it for breakpoints.
 */
#include <inttypes.h>
#include <string.h>
#include <qomet/accel/x86-walk.h>
#include "accel/debug-int.h"

#define PAGE_BYTES UINT64_C(4096)

/* ---- Breakpoints in memory ---- */

/* The number @i of the INT3s that are in memory in [@gpa, @gpa + @len); NULL past the last. */
static CPUBreakpoint *next_placed(guint *i, hwaddr gpa, uint64_t len)
{
    GArray *all = cpu_breakpoints();

    while (all && *i < all->len) {
        CPUBreakpoint *b = &g_array_index(all, CPUBreakpoint, (*i)++);

        if (b->kind == CPU_BREAK_SOFTWARE && b->placed && b->gpa - gpa < len) {
            return b;
        }
    }
    return NULL;
}

bool cpu_breakpoint_patch(CPUBreakpoint *b, AddressSpace *as)
{
    GuestSlice slice;
    CPUBreakpoint *other;
    guint i = 0;

    if (!guest_slice_get(as, b->gpa, 1, true, &slice)) {
        return false;
    }
    b->original = *slice.host;
    other = next_placed(&i, b->gpa, 1);
    if (other && b->original == X86_INT3) {
        b->original = other->original;
    }
    *slice.host = X86_INT3;
    guest_slice_put(&slice);
    return true;
}

void cpu_breakpoint_unpatch(CPUBreakpoint *b, AddressSpace *as)
{
    GuestSlice slice;
    guint i = 0;

    /* The same byte may be another breakpoint's too, known by another address. */
    if (next_placed(&i, b->gpa, 1) || !guest_slice_get(as, b->gpa, 1, true, &slice)) {
        return;
    }
    /* What the guest has put there itself stays. */
    if (*slice.host == X86_INT3) {
        *slice.host = b->original;
    }
    guest_slice_put(&slice);
}

static CPUBreakpoint *next_software(guint *i)
{
    GArray *all = cpu_breakpoints();

    while (all && *i < all->len) {
        CPUBreakpoint *b = &g_array_index(all, CPUBreakpoint, (*i)++);

        if (b->kind == CPU_BREAK_SOFTWARE) {
            return b;
        }
    }
    return NULL;
}

void cpu_breakpoints_lift(void)
{
    CPUState *cpu = qemu_get_cpu(0);
    CPUBreakpoint *b;

    for (guint i = 0; cpu && (b = next_software(&i));) {
        if (b->placed) {
            b->placed = false;
            cpu_breakpoint_unpatch(b, cpu->as_memory);
        }
    }
}

void cpu_breakpoints_place(void)
{
    CPUState *cpu = qemu_get_cpu(0);
    CPUBreakpoint *b;
    guint i = 0;

    for (; cpu && (b = next_software(&i));) {
        b->placed = cpu_breakpoint_patch(b, cpu->as_memory);
    }
    if (i) {
        /* Where one could not be placed any more, a debug register has to do; if it can. */
        (void)cpu_debug_update_all(NULL);
    }
}

/* ---- Memory by pieces ---- */

/* Copies between @buf and the @len bytes at @host, which are at @gpa of @slice->mr's memory. */
typedef void CopyFn(const GuestSlice *slice, hwaddr gpa, uint8_t *buf);

static void copy_nothing(const GuestSlice *slice, hwaddr gpa, uint8_t *buf)
{
    (void)slice;
    (void)gpa;
    (void)buf;
}

static void copy_out(const GuestSlice *slice, hwaddr gpa, uint8_t *buf)
{
    CPUBreakpoint *b;

    memcpy(buf, slice->host, slice->len);
    for (guint i = 0; (b = next_placed(&i, gpa, slice->len));) {
        if (buf[b->gpa - gpa] == X86_INT3) {
            buf[b->gpa - gpa] = b->original;
        }
    }
}

/* ROM too: it is read-only for the guest. */
static void copy_in(const GuestSlice *slice, hwaddr gpa, uint8_t *buf)
{
    CPUBreakpoint *b;

    memcpy(slice->host, buf, slice->len);
    memory_region_set_dirty(slice->mr, slice->offset, slice->len);
    for (guint i = 0; (b = next_placed(&i, gpa, slice->len));) {
        b->original = buf[b->gpa - gpa];
        slice->host[b->gpa - gpa] = X86_INT3;
    }
}

/* How many bytes from @gpa on, of @len, are one piece of memory. 0: none. */
static uint64_t copy_piece(AddressSpace *as, hwaddr gpa, uint64_t len, CopyFn *copy, uint8_t *buf)
{
    GuestSlice slice;

    if (!guest_slice_get(as, gpa, len, false, &slice)) {
        /* It ends within, or is none at all. */
        len = 1;
        if (!guest_slice_get(as, gpa, len, false, &slice)) {
            return 0;
        }
    }
    copy(&slice, gpa, buf);
    guest_slice_put(&slice);
    return len;
}

static bool copy_physical(CPUState *cpu, hwaddr addr, uint8_t *buf, size_t len, CopyFn *copy,
                          GError **errp)
{
    while (len) {
        uint64_t n =
            copy_piece(cpu->as_memory, addr, MIN(len, PAGE_BYTES - addr % PAGE_BYTES), copy, buf);

        if (!n) {
            qom_error_set(errp, QOM_ERROR_NOT_FOUND, "there is no memory at 0x%" PRIx64, addr);
            return false;
        }
        addr += n;
        buf += n;
        len -= n;
    }
    return true;
}

static bool copy_linear(CPUState *cpu, uint64_t addr, uint8_t *buf, size_t len, CopyFn *copy,
                        GError **errp)
{
    const X86Registers *r = x86_cpu_registers(X86_CPU(cpu), errp);
    X86Walk walk;

    if (!r) {
        return false;
    }
    while (len) {
        uint64_t n = MIN(len, PAGE_BYTES - addr % PAGE_BYTES);

        if (!x86_walk(r, cpu->as_memory, addr, &walk)) {
            qom_error_set(errp, QOM_ERROR_NOT_FOUND, "the page at 0x%" PRIx64 " is %s", addr,
                          walk.fault);
            return false;
        }
        if (!copy_physical(cpu, walk.gpa, buf, n, copy, errp)) {
            return false;
        }
        addr += n;
        buf += n;
        len -= n;
    }
    return true;
}

bool cpu_read_memory(CPUState *cpu, uint64_t addr, void *buf, size_t len, GError **errp)
{
    return copy_linear(cpu, addr, buf, len, copy_out, errp);
}

bool cpu_write_memory(CPUState *cpu, uint64_t addr, const void *buf, size_t len, GError **errp)
{
    /* copy_in() does not write to the buffer. */
    return copy_linear(cpu, addr, (uint8_t *)buf, len, copy_nothing, errp) &&
           copy_linear(cpu, addr, (uint8_t *)buf, len, copy_in, errp);
}

bool cpu_read_physical(CPUState *cpu, hwaddr addr, void *buf, size_t len, GError **errp)
{
    return copy_physical(cpu, addr, buf, len, copy_out, errp);
}

bool cpu_write_physical(CPUState *cpu, hwaddr addr, const void *buf, size_t len, GError **errp)
{
    return copy_physical(cpu, addr, (uint8_t *)buf, len, copy_nothing, errp) &&
           copy_physical(cpu, addr, (uint8_t *)buf, len, copy_in, errp);
}
