/* SPDX-License-Identifier: MIT */
/* Flat modes: descriptors, page tables, and the registers that name them. */
#include <string.h>
#include "accel/x86-bits.h"
#include "machine/boot/flat-mode.h"

#define PAGE FLAT_MODE_PAGE
#define GDT_ENTRIES 4

/* Descriptors (SDM vol. 3, 3.4.5): base 0, limit 4 GiB in pages, present, accessed. */
#define CODE32 UINT64_C(0x00cf9b000000ffff)
#define CODE64 UINT64_C(0x00af9b000000ffff)
#define DATA UINT64_C(0x00cf93000000ffff)

static uint64_t pointer_tables(uint64_t gib)
{
    return (gib + 511) / 512;
}

uint64_t flat_mode_bytes(uint32_t gib)
{
    return gib ? PAGE * (2 + pointer_tables(gib) + gib) : PAGE;
}

static void put64(uint8_t *table, uint64_t index, uint64_t value)
{
    value = GUINT64_TO_LE(value);
    memcpy(table + index * 8, &value, 8);
}

/* The directories of @gib GiB, from @pml4 on; they are written at the address @at. */
static void fill_directories(uint8_t *pml4, uint64_t at, uint64_t gib)
{
    const uint64_t flags = X86_PTE_P | X86_PTE_W, pointers = pointer_tables(gib);
    uint8_t *pdpt = pml4 + PAGE, *pd = pdpt + PAGE * pointers;

    for (uint64_t i = 0; i < pointers; i++) {
        put64(pml4, i, (at + PAGE * (1 + i)) | flags);
    }
    for (uint64_t i = 0; i < gib; i++) {
        put64(pdpt, i, (at + PAGE * (1 + pointers + i)) | flags);
    }
    for (uint64_t i = 0; i < gib * 512; i++) {
        put64(pd, i, i << 21 | X86_PTE_PS | flags);
    }
}

static void put_descriptor(uint8_t *gdt, uint16_t selector, uint64_t descriptor)
{
    if (selector) {
        put64(gdt, selector / 8, descriptor);
    }
}

GBytes *flat_mode_tables(const FlatMode *mode)
{
    uint64_t bytes = flat_mode_bytes(mode->gib);
    uint8_t *tables = g_malloc0(bytes);

    put_descriptor(tables, mode->code32, CODE32);
    put_descriptor(tables, mode->code64, CODE64);
    put_descriptor(tables, mode->data, DATA);
    if (mode->gib) {
        fill_directories(tables + PAGE, mode->tables + PAGE, mode->gib);
    }
    return g_bytes_new_take(tables, bytes);
}

static X86Segment flat_segment(uint16_t selector, uint8_t type, bool db, bool l)
{
    return (X86Segment){ .selector = selector,
                         .limit = UINT32_MAX,
                         .type = type,
                         .present = true,
                         .s = true,
                         .g = true,
                         .db = db,
                         .l = l };
}

void flat_mode_registers(const FlatMode *mode, X86Registers *r)
{
    bool is_long = mode->gib != 0;

    r->cr0 |= X86_CR0_PE;
    for (int i = 0; i < X86_NUM_SEGS; i++) {
        r->seg[i] = flat_segment(mode->data, X86_SEG_DATA_RW_ACCESSED, true, false);
    }
    r->seg[X86_CS] = flat_segment(is_long ? mode->code64 : mode->code32, X86_SEG_CODE_RX_ACCESSED,
                                  !is_long, is_long);
    r->gdt = (X86Table){ mode->tables, GDT_ENTRIES * 8 - 1 };
    r->idt = (X86Table){ 0, 0 };
    if (is_long) {
        r->cr0 |= X86_CR0_PG | X86_CR0_MP | X86_CR0_NE | X86_CR0_WP;
        r->cr3 = mode->tables + PAGE;
        /* Compiled C uses SSE without asking. */
        r->cr4 |= X86_CR4_PAE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;
        r->efer |= X86_EFER_LME | X86_EFER_LMA;
    }
}
