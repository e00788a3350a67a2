/* SPDX-License-Identifier: MIT */
/*
 * ELF files as kernels. Both classes are read into the headers of the larger one; whatever the file
 * says is checked before it is used.
 */
#include "config.h"
#include <elf.h>
#include <inttypes.h>
#include <string.h>
#include <qomet/qom/error.h>
#include "machine/boot/elf.h"

/* Kernels have a few; more are no kernel. */
#define HEADERS_MAX 256
#define NOTES_MAX 65536

/* ---- Headers ---- */

static void widen_header(Elf64_Ehdr *h)
{
    Elf32_Ehdr small;

    memcpy(&small, h, sizeof(small));
    h->e_type = small.e_type;
    h->e_machine = small.e_machine;
    h->e_entry = small.e_entry;
    h->e_phoff = small.e_phoff;
    h->e_phentsize = small.e_phentsize;
    h->e_phnum = small.e_phnum;
}

static bool is_64(const Elf64_Ehdr *h)
{
    return h->e_ident[EI_CLASS] == ELFCLASS64;
}

static bool read_header(HostFile *file, Elf64_Ehdr *h)
{
    memset(h, 0, sizeof(*h));
    if (host_file_size(file) < sizeof(Elf32_Ehdr) ||
        !host_file_read(file, 0, h, MIN(host_file_size(file), sizeof(*h)), NULL) ||
        memcmp(h->e_ident, ELFMAG, SELFMAG) != 0 || h->e_ident[EI_DATA] != ELFDATA2LSB ||
        (h->e_ident[EI_CLASS] != ELFCLASS32 && !is_64(h))) {
        return false;
    }
    if (!is_64(h)) {
        widen_header(h);
    }
    return h->e_type == ET_EXEC || h->e_type == ET_DYN;
}

bool elf_recognises(HostFile *file)
{
    Elf64_Ehdr h;

    return read_header(file, &h) && h.e_machine == (is_64(&h) ? EM_X86_64 : EM_386);
}

static bool read_segment(HostFile *file, const Elf64_Ehdr *h, unsigned n, Elf64_Phdr *out,
                         GError **errp)
{
    uint64_t size = is_64(h) ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    uint64_t at;
    Elf32_Phdr small;

    if (h->e_phentsize != size || __builtin_add_overflow(h->e_phoff, n * size, &at)) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'%s' has no program headers that can be read",
                      host_file_path(file));
        return false;
    }
    if (is_64(h)) {
        return host_file_read(file, at, out, sizeof(*out), errp);
    }
    if (!host_file_read(file, at, &small, sizeof(small), errp)) {
        return false;
    }
    *out = (Elf64_Phdr){ .p_type = small.p_type,
                         .p_offset = small.p_offset,
                         .p_paddr = small.p_paddr,
                         .p_filesz = small.p_filesz,
                         .p_memsz = small.p_memsz,
                         .p_align = small.p_align };
    return true;
}

/* ---- Segments ---- */

/* Whether memory from @start to @end is taken by a segment that was added since piece @first. */
static bool taken(const BootImage *image, guint first, uint64_t start, uint64_t end)
{
    for (guint i = first; i < image->pieces->len; i++) {
        const BootPiece *piece = &g_array_index(image->pieces, BootPiece, i);

        if (start < piece->addr + piece->size && piece->addr < end) {
            return true;
        }
    }
    return false;
}

static bool add_segment(const BootRequest *request, BootImage *image, guint first,
                        const Elf64_Phdr *p, GError **errp)
{
    g_autofree char *what = NULL;
    uint64_t end;

    if (p->p_filesz > p->p_memsz) {
        return boot_refuse(request, errp, "has a segment with more bytes than it takes of memory");
    }
#ifndef QOMET_PLANTED_BUG
    if (p->p_offset > host_file_size(request->kernel) ||
        p->p_filesz > host_file_size(request->kernel) - p->p_offset) {
        return boot_refuse(request, errp, "ends before its segments do: it is cut off");
    }
#endif
    if (p->p_paddr < BOOT_KERNEL_MIN || __builtin_add_overflow(p->p_paddr, p->p_memsz, &end) ||
        end > request->low_ram_end) {
        what = g_strdup_printf("has a segment of %" PRIu64 " KiB at 0x%" PRIx64
                               ", and kernels may be from 0x%" PRIx64 " to 0x%" PRIx64
                               ", where RAM ends",
                               p->p_memsz >> 10, p->p_paddr, BOOT_KERNEL_MIN, request->low_ram_end);
        return boot_refuse(request, errp, what);
    }
    if (taken(image, first, p->p_paddr, end)) {
        what = g_strdup_printf("has two segments at 0x%" PRIx64, p->p_paddr);
        return boot_refuse(request, errp, what);
    }
    if (p->p_filesz) {
        boot_image_add_file(image, p->p_paddr, request->kernel, p->p_offset, p->p_filesz);
    }
    if (p->p_memsz > p->p_filesz) {
        boot_image_add_zeros(image, p->p_paddr + p->p_filesz, p->p_memsz - p->p_filesz);
    }
    return true;
}

bool elf_load(const BootRequest *request, BootImage *image, ElfKernel *out, GError **errp)
{
    guint first = image->pieces->len;
    Elf64_Ehdr h;

    if (!read_header(request->kernel, &h) || h.e_phnum > HEADERS_MAX) {
        return boot_refuse(request, errp, "is no ELF file that could be loaded");
    }
    *out = (ElfKernel){ .is_64 = is_64(&h), .entry = h.e_entry, .start = UINT64_MAX };
    for (unsigned i = 0; i < h.e_phnum; i++) {
        Elf64_Phdr p;

        if (!read_segment(request->kernel, &h, i, &p, errp)) {
            return false;
        }
        if (p.p_type != PT_LOAD || !p.p_memsz) {
            continue;
        }
        if (!add_segment(request, image, first, &p, errp)) {
            return false;
        }
        out->start = MIN(out->start, p.p_paddr);
        out->end = MAX(out->end, p.p_paddr + p.p_memsz);
    }
    if (!out->end) {
        return boot_refuse(request, errp, "has no segment that would be loaded");
    }
    return true;
}

/* ---- Notes ---- */

static uint64_t aligned(uint64_t size)
{
    return (size + 3) & ~UINT64_C(3);
}

/* The note among those in @notes. */
static bool find_in(const uint8_t *notes, uint64_t size, const char *owner, uint32_t type,
                    void *buf, size_t wanted)
{
    const size_t owner_size = strlen(owner) + 1;
    uint64_t at = 0;
    Elf64_Nhdr n; /* the same in both classes */

    while (size - at >= sizeof(n)) {
        uint64_t name, desc, next;

        memcpy(&n, notes + at, sizeof(n));
        name = at + sizeof(n);
        desc = name + aligned(n.n_namesz);
        next = desc + aligned(n.n_descsz);
        if (desc > size || n.n_descsz > size - desc) {
            return false;
        }
        if (n.n_type == type && n.n_namesz == owner_size && n.n_descsz >= wanted &&
            !memcmp(notes + name, owner, owner_size)) {
            memcpy(buf, notes + desc, wanted);
            return true;
        }
        if (next > size) {
            return false;
        }
        at = next;
    }
    return false;
}

bool elf_find_note(HostFile *file, const char *owner, uint32_t type, void *buf, size_t size)
{
    Elf64_Ehdr h;

    if (!read_header(file, &h) || h.e_phnum > HEADERS_MAX) {
        return false;
    }
    for (unsigned i = 0; i < h.e_phnum; i++) {
        g_autofree uint8_t *notes = NULL;
        Elf64_Phdr p;

        if (!read_segment(file, &h, i, &p, NULL)) {
            return false;
        }
        if (p.p_type != PT_NOTE || p.p_filesz > NOTES_MAX) {
            continue;
        }
        notes = g_malloc(p.p_filesz);
        if (host_file_read(file, p.p_offset, notes, p.p_filesz, NULL) &&
            find_in(notes, p.p_filesz, owner, type, buf, size)) {
            return true;
        }
    }
    return false;
}
