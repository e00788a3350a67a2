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
    const char *initrd;   /* path, or what else -initrd says; or NULL */
    const char *cmdline;  /* or NULL */
    GArray *e820;         /* of E820Entry, see e820.h */
    uint64_t low_ram_end; /* behind the RAM that begins at 0; at most 4 GiB */
    uint64_t rsdp;        /* address of ACPI's root pointer, or 0 */
} BootRequest;

/* Where kernels begin: what is below is for what goes with them. */
#define BOOT_KERNEL_MIN UINT64_C(0x100000)
/* The tables of a flat mode, and a command line, which has this much room. */
#define BOOT_TABLES_AT 0x1000
#define BOOT_CMDLINE_AT 0x20000
#define BOOT_CMDLINE_MAX 0x6ffff

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

/* ---- For loaders ---- */

/* The message that the kernel @what ("is cut off"); always false. */
bool boot_refuse(const BootRequest *request, GError **errp, const char *what);
/*
 * The command line in its place; false when it is longer than @most characters.
 */
bool boot_place_cmdline(const BootRequest *request, BootImage *image, uint64_t most, GError **errp);
/*
 * Opens the file @path, which is to fit between @from, where the kernel ends, and @end, and adds it
 * to the image as high as that allows, at the beginning of a page. Without @path, nothing happens.
 */
bool boot_place_initrd(const BootRequest *request, BootImage *image, const char *path,
                       uint64_t from, uint64_t end, uint64_t *at, uint64_t *size, GError **errp);

/* Lets the guest begin at @entry in protected mode, with flat segments and no paging. */
void boot_image_start_flat32(BootImage *image, uint32_t entry);

/* linux.c: whether @kernel is a bzImage; and how it is started (Linux: x86/boot.rst). */
bool linux_recognises(HostFile *kernel);
bool linux_load(const BootRequest *request, BootImage *image, GError **errp);
/* The same for a kernel that is an ELF file of 64 bits: vmlinux. */
bool linux_load_elf(const BootRequest *request, BootImage *image, GError **errp);

/* multiboot.c: whether @kernel says so; and how it is started (Multiboot 0.6.96). */
bool multiboot_recognises(HostFile *kernel);
bool multiboot_load(const BootRequest *request, BootImage *image, GError **errp);

/* pvh.c: whether @kernel is an ELF file with Xen's note; and how it is started. */
bool pvh_recognises(HostFile *kernel);
bool pvh_load(const BootRequest *request, BootImage *image, GError **errp);

#endif
