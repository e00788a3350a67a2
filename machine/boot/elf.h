/* SPDX-License-Identifier: MIT */
/* Kernels that are ELF files (System V ABI, chapters 4 and 5): their segments, and their notes. */
#ifndef MACHINE_BOOT_ELF_H
#define MACHINE_BOOT_ELF_H

#include "machine/boot/boot.h"

/* What became of one. */
typedef struct ElfKernel {
    bool is_64;          /* for x86-64; else for the 80386 */
    uint64_t entry;      /* as the file has it: physical */
    uint64_t start, end; /* the memory that its segments take */
} ElfKernel;

/* Whether @file is an executable for this processor. */
bool elf_recognises(HostFile *file);
/*
 * Adds all segments to the image at their physical addresses, which have to be in RAM from
 * BOOT_KERNEL_MIN on and apart from each other. False with @errp set.
 */
bool elf_load(const BootRequest *request, BootImage *image, ElfKernel *out, GError **errp);
/*
 * The descriptor of the note @type of @owner ("Xen"), with at least @size bytes, of which the first
 * go to @buf. False when there is none. A file that contradicts itself has no notes.
 */
bool elf_find_note(HostFile *file, const char *owner, uint32_t type, void *buf, size_t size);

#endif
