/* SPDX-License-Identifier: MIT */
/*
 * Page tables of x86, walked by a table of levels for each paging mode (SDM vol. 3, chapter 4): what
 * differs between the modes is data.
 */
#include <string.h>
#include <qomet/accel/x86-walk.h>
#include "accel/x86-bits.h"

/* Bits @high to @low. */
#define BITS(high, low) ((UINT64_MAX >> (63 - (high))) & (UINT64_MAX << (low)))

typedef struct Level {
    const char *name;
    uint8_t shift, index_bits;
    bool may_be_page;  /* PS makes an entry a page; else PS is of no matter, unless reserved */
    bool has_rights;   /* R/W and U/S count */
    uint64_t reserved; /* in an entry that leads to a table, or that ends the walk by its level */
    uint64_t reserved_in_page;
} Level;

typedef struct Paging {
    const Level *levels;
    uint8_t n, entry_bytes;
    uint64_t root; /* the bits of CR3 that are the address of the first table */
} Paging;

static const Level long_levels[] = {
    { "PML5E", 48, 9, false, true, X86_PTE_PS, 0 },
    { "PML4E", 39, 9, false, true, X86_PTE_PS, 0 },
    { "PDPTE", 30, 9, true, true, 0, BITS(29, 13) },
    { "PDE", 21, 9, true, true, 0, BITS(20, 13) },
    { "PTE", 12, 9, false, true, 0, 0 },
};

static const Level pae_levels[] = {
    { "PDPTE", 30, 2, false, false, BITS(2, 1) | BITS(8, 5) | BITS(63, 52), 0 },
    { "PDE", 21, 9, true, true, BITS(62, 52), BITS(62, 52) | BITS(20, 13) },
    { "PTE", 12, 9, false, true, BITS(62, 52), 0 },
};

static const Level pse_levels[] = {
    { "PDE", 22, 10, true, true, 0, BITS(21, 21) },
    { "PTE", 12, 10, false, true, 0, 0 },
};

static const Level plain_levels[] = {
    { "PDE", 22, 10, false, true, 0, 0 },
    { "PTE", 12, 10, false, true, 0, 0 },
};

static const Paging paging_5 = { long_levels, 5, 8, X86_PTE_ADDR };
static const Paging paging_4 = { long_levels + 1, 4, 8, X86_PTE_ADDR };
static const Paging paging_pae = { pae_levels, 3, 8, BITS(31, 5) };
static const Paging paging_pse = { pse_levels, 2, 4, BITS(31, 12) };
static const Paging paging_plain = { plain_levels, 2, 4, BITS(31, 12) };

static const Paging *paging_of(const X86Registers *r)
{
    if (!(r->cr0 & X86_CR0_PE) || !(r->cr0 & X86_CR0_PG)) {
        return NULL;
    }
    if (r->efer & X86_EFER_LMA) {
        return r->cr4 & X86_CR4_LA57 ? &paging_5 : &paging_4;
    }
    if (r->cr4 & X86_CR4_PAE) {
        return &paging_pae;
    }
    return r->cr4 & X86_CR4_PSE ? &paging_pse : &paging_plain;
}

static bool is_canonical(const Paging *paging, uint64_t linear)
{
    unsigned unused = 64 - paging->levels[0].shift - paging->levels[0].index_bits;

    return (uint64_t)((int64_t)(linear << unused) >> unused) == linear;
}

/* Reads the entry that @step names. False when it is outside RAM. */
static bool read_entry(AddressSpace *memory, unsigned bytes, X86WalkStep *step)
{
    GuestSlice slice;

    if (!guest_slice_get(memory, step->entry_addr, bytes, false, &slice)) {
        return false;
    }
    memcpy(&step->entry, slice.host, bytes);
    guest_slice_put(&slice);
    return true;
}

/* What is wrong with an entry that was read, or NULL. */
static const char *entry_fault(const X86Registers *r, const Level *level, uint64_t entry, bool page)
{
    uint64_t reserved = page ? level->reserved_in_page : level->reserved;

    if (!(entry & X86_PTE_P)) {
        return "not present";
    }
    if (!(r->efer & X86_EFER_NXE)) {
        reserved |= X86_PTE_NX;
    }
    return entry & reserved ? "reserved bit set" : NULL;
}

/* The address of the page of 1 << @shift bytes that @entry is. */
static hwaddr page_address(const Paging *paging, uint64_t entry, unsigned shift)
{
    if (paging == &paging_pse && shift == 22) {
        /* PSE-36: bits 20 to 13 are bits 39 to 32 of the address. */
        return (entry & BITS(31, 22)) | (entry >> 13 & 0xff) << 32;
    }
    return entry & X86_PTE_ADDR & BITS(63, shift);
}

static void reach_page(X86Walk *out, hwaddr page, unsigned shift, uint64_t linear)
{
    out->mapped = true;
    out->page_size = UINT64_C(1) << shift;
    out->gpa = page | (linear & (out->page_size - 1));
}

/* What the entry of @level takes away of what those above it allow. */
static void restrict_rights(X86Walk *out, const Level *level, uint64_t entry)
{
    if (level->has_rights) {
        out->writable = out->writable && (entry & X86_PTE_W);
        out->user = out->user && (entry & X86_PTE_U);
    }
    /* Where the bit has another meaning or none, it is reserved, and the walk has ended. */
    out->no_execute = out->no_execute || (entry & X86_PTE_NX);
}

bool x86_walk(const X86Registers *r, AddressSpace *memory, uint64_t linear, X86Walk *out)
{
    const Paging *paging = paging_of(r);
    uint64_t table;

    *out = (X86Walk){ .writable = true, .user = true };
    if (!(r->efer & X86_EFER_LMA)) {
        linear &= UINT32_MAX;
    }
    if (!paging) {
        reach_page(out, linear & ~UINT64_C(0xfff), 12, linear);
        return true;
    }
    if (r->efer & X86_EFER_LMA && !is_canonical(paging, linear)) {
        out->fault = "not canonical";
        return false;
    }
    table = r->cr3 & paging->root;
    for (unsigned i = 0; i < paging->n; i++) {
        const Level *level = &paging->levels[i];
        X86WalkStep *step = &out->steps[out->n_steps++];
        bool page;

        step->level = level->name;
        step->index = linear >> level->shift & ((1u << level->index_bits) - 1);
        step->entry_addr = table + (hwaddr)step->index * paging->entry_bytes;
        if (!read_entry(memory, paging->entry_bytes, step)) {
            out->fault = "outside RAM";
            return false;
        }
        page = level->may_be_page && (step->entry & X86_PTE_PS);
        out->fault = entry_fault(r, level, step->entry, page);
        if (out->fault) {
            return false;
        }
        restrict_rights(out, level, step->entry);
        if (page || i == paging->n - 1u) {
            reach_page(out, page_address(paging, step->entry, level->shift), level->shift, linear);
            return true;
        }
        table = step->entry & X86_PTE_ADDR;
    }
    return false;
}
