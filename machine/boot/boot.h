/* SPDX-License-Identifier: MIT */
/*
 * How a guest is started without firmware, or with it: what a loader makes of files - pieces of
 * memory and the registers of the first vCPU - so that each reset finds them again.
 */
#ifndef MACHINE_BOOT_BOOT_H
#define MACHINE_BOOT_BOOT_H

#include <qomet/accel/cpu.h>
#include "backends/host-file.h"
#include "machine/boot/flat-mode.h"

/* One piece of memory. */
typedef struct BootPiece {
    hwaddr addr;
    uint64_t size;
    GBytes *bytes;   /* what it holds, or NULL: */
    HostFile *file;  /* it comes from there, */
    uint64_t offset; /* from this byte on; with neither it is zero */
} BootPiece;

typedef struct BootImage {
    GArray *pieces; /* of BootPiece, in the order in which they are written */
    FlatMode mode;
    uint64_t entry;
    uint64_t gpr[X86_NUM_GPRS];
} BootImage;

/* What is to be started, and where there is room for it. Whoever fills it in owns all of it. */
typedef struct BootRequest {
    HostFile *kernel;
    HostFile *initrd;     /* or NULL */
    const char *cmdline;  /* or NULL */
    GArray *e820;         /* of E820Entry, see e820.h */
    uint64_t low_ram_end; /* behind the RAM that begins at 0; at most 4 GiB */
    uint64_t rsdp;        /* address of ACPI's root pointer, or 0 */
} BootRequest;

BootImage *boot_image_new(void);
/* NULL is fine. */
void boot_image_free(BootImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BootImage, boot_image_free)

/* A piece of @bytes, whose reference is taken over. */
void boot_image_add_bytes(BootImage *image, hwaddr addr, GBytes *bytes);
/* The same of memory of the caller's, which is copied. */
void boot_image_add_copy(BootImage *image, hwaddr addr, const void *data, uint64_t size);
/* A piece of @file, to which a reference is taken. */
void boot_image_add_file(BootImage *image, hwaddr addr, HostFile *file, uint64_t offset,
                         uint64_t size);
void boot_image_add_zeros(BootImage *image, hwaddr addr, uint64_t size);

/*
 * Writes all pieces to guest memory. False with @errp set when one cannot be had or is not in RAM;
 * those before it are written then. Main thread, every vCPU parked.
 */
bool boot_image_write(const BootImage *image, GError **errp);
/* The registers of the vCPU that boots, which were those of a reset. Same thread. */
void boot_image_start(const BootImage *image, X86CPU *cpu);

/*
 * Makes an image of whatever kernel @request names, by the protocol that the file asks for. NULL
 * with @errp set. Main thread; nothing of the guest is touched.
 */
BootImage *boot_load(const BootRequest *request, GError **errp);

/* linux.c: whether @kernel is a bzImage; and how it is started (Linux: x86/boot.rst). */
bool linux_recognises(HostFile *kernel);
bool linux_load(const BootRequest *request, BootImage *image, GError **errp);

#endif
