/* SPDX-License-Identifier: MIT */
/*
 * Linux by its own boot protocol (Linux, Documentation/arch/x86/boot.rst, 2.15): a bzImage is put in
 * place as its header asks, and entered in 64-bit mode where it can be, else in protected mode; a
 * vmlinux of 64 bits as its ELF headers ask.
 *
 * What goes with it stands in low memory, from where the kernel takes it at once: tables at
 * 0x1000, the "zero page" at 0x10000, the command line at 0x20000. The RAM disk is as high as it may
 * be.
 */
#include <asm/bootparam.h>
#include <inttypes.h>
#include <string.h>
#include <qomet/qom/error.h>
#include "machine/boot/boot.h"
#include "machine/boot/e820.h"
#include "machine/boot/elf.h"

#define SECTOR 512
#define HEADER_AT offsetof(struct boot_params, hdr)
#define HEADER_MAGIC 0x53726448 /* "HdrS" */
#define BOOT_FLAG 0xaa55
/* The oldest protocol that is spoken: kernels since 2.4 (2001) have it, and all are loaded high. */
#define VERSION_MIN 0x0203
#define VERSION_SYSSIZE 0x0204 /* in 4 bytes */
#define VERSION_CMDLINE_SIZE 0x0206
#define VERSION_INIT_SIZE 0x020a
#define VERSION_XLOADFLAGS 0x020c
#define CMDLINE_SIZE_BEFORE 255
#define LOADER_UNDEFINED 0xff
#define VIDEO_NORMAL 0xffff
#define ENTRY_64 0x200

#define ZERO_PAGE_AT 0x10000
#define BOOT_CS 0x10
#define BOOT_DS 0x18
#define MAPPED_GIB 4
/* What all kernels of 64 bits say in their headers. */
#define INITRD_MAX_64 0x7fffffff
#define KERNEL_ALIGNMENT 0x1000000

typedef struct LinuxKernel {
    const BootRequest *request;
    struct boot_params params;       /* "zero page": begins as zeros and the header of the file */
    struct setup_header *hdr;        /* in it */
    uint64_t code_offset, code_size; /* in the file */
    uint64_t load, end;              /* where the code goes, and what it uses of memory */
} LinuxKernel;

static bool is_bzimage(const struct setup_header *hdr)
{
    return hdr->header == HEADER_MAGIC && hdr->boot_flag == BOOT_FLAG;
}

bool linux_recognises(HostFile *kernel)
{
    struct setup_header hdr;

    return host_file_size(kernel) >= HEADER_AT + sizeof(hdr) &&
           host_file_read(kernel, HEADER_AT, &hdr, sizeof(hdr), NULL) && is_bzimage(&hdr);
}

/* The header is as long as the jump at its beginning says. */
static bool read_header(LinuxKernel *k, GError **errp)
{
    const uint64_t size = host_file_size(k->request->kernel);
    uint64_t setup;
    uint8_t jump;

    k->hdr = &k->params.hdr;
    if (!host_file_read(k->request->kernel, HEADER_AT, k->hdr, sizeof(*k->hdr), errp)) {
        return false;
    }
    jump = k->hdr->jump >> 8;
    if (offsetof(struct setup_header, header) + jump < sizeof(*k->hdr)) {
        memset((char *)k->hdr + offsetof(struct setup_header, header) + jump, 0,
               sizeof(*k->hdr) - offsetof(struct setup_header, header) - jump);
    }
    if (k->hdr->version < VERSION_MIN || !(k->hdr->loadflags & LOADED_HIGH)) {
        return boot_refuse(k->request, errp,
                           "is too old: boot protocol 2.03, loaded high, is the least (Linux 2.4)");
    }
    /* 0 means 4, for the sake of the oldest ones. */
    setup = SECTOR * (1 + (k->hdr->setup_sects ? k->hdr->setup_sects : 4));
    if (size <= setup) {
        return boot_refuse(k->request, errp, "ends before its code begins: it is cut off");
    }
    k->code_offset = setup;
    k->code_size = size - setup;
    if (k->hdr->version >= VERSION_SYSSIZE && (uint64_t)k->hdr->syssize * 16 > k->code_size + 15) {
        return boot_refuse(k->request, errp, "is shorter than its header says: it is cut off");
    }
    return true;
}

static bool place_code(LinuxKernel *k, GError **errp)
{
    const struct setup_header *hdr = k->hdr;
    uint64_t bytes = k->code_size;

    k->load = hdr->code32_start;
    if (hdr->version >= VERSION_INIT_SIZE) {
        bytes = MAX(bytes, hdr->init_size);
        if (hdr->relocatable_kernel) {
            k->load = hdr->pref_address;
        }
    }
    if (k->load < BOOT_KERNEL_MIN || k->load > UINT32_MAX) {
        g_autofree char *what = g_strdup_printf(
            "wants to be at 0x%" PRIx64 ", which is not between 1 MiB and 4 GiB", k->load);

        return boot_refuse(k->request, errp, what);
    }
    k->end = k->load + bytes;
    if (k->end > k->request->low_ram_end) {
        g_autofree char *what =
            g_strdup_printf("needs %" PRIu64 " KiB of RAM from 0x%" PRIx64
                            " on, and there is RAM to 0x%" PRIx64 ": give more with -m",
                            (bytes + 1023) >> 10, k->load, k->request->low_ram_end);

        return boot_refuse(k->request, errp, what);
    }
    return true;
}

static bool place_cmdline(LinuxKernel *k, BootImage *image, GError **errp)
{
    uint64_t most =
        k->hdr->version >= VERSION_CMDLINE_SIZE ? k->hdr->cmdline_size : CMDLINE_SIZE_BEFORE;

    k->hdr->cmd_line_ptr = BOOT_CMDLINE_AT;
    return boot_place_cmdline(k->request, image, most, errp);
}

static bool place_initrd(LinuxKernel *k, BootImage *image, GError **errp)
{
    uint64_t at, size;

    if (!boot_place_initrd(k->request, image, k->request->initrd, k->end,
                           (uint64_t)k->hdr->initrd_addr_max + 1, &at, &size, errp)) {
        return false;
    }
    k->hdr->ramdisk_image = (uint32_t)at;
    k->hdr->ramdisk_size = (uint32_t)size;
    return true;
}

static void fill_e820(LinuxKernel *k)
{
    const GArray *map = k->request->e820;

    k->params.e820_entries = MIN(map->len, E820_MAX_ENTRIES_ZEROPAGE);
    for (unsigned i = 0; i < k->params.e820_entries; i++) {
        const E820Entry *entry = &g_array_index(map, E820Entry, i);

        k->params.e820_table[i].addr = entry->addr;
        k->params.e820_table[i].size = entry->size;
        k->params.e820_table[i].type = entry->type;
    }
}

/* All that goes with the code, and where it begins. */
static bool finish(LinuxKernel *k, BootImage *image, uint64_t entry, bool is_long, GError **errp)
{
    if (!place_cmdline(k, image, errp) || !place_initrd(k, image, errp)) {
        return false;
    }
    k->hdr->type_of_loader = LOADER_UNDEFINED;
    k->hdr->vid_mode = VIDEO_NORMAL;
    k->hdr->code32_start = (uint32_t)k->load;
    k->params.acpi_rsdp_addr = k->request->rsdp;
    fill_e820(k);
    boot_image_add_copy(image, ZERO_PAGE_AT, &k->params, sizeof(k->params));
    image->mode = (FlatMode){ .tables = BOOT_TABLES_AT, .data = BOOT_DS };
    if (is_long) {
        image->mode.gib = MAPPED_GIB;
        image->mode.code64 = BOOT_CS;
    } else {
        image->mode.code32 = BOOT_CS;
    }
    image->entry = entry;
    image->gpr[X86_RSI] = ZERO_PAGE_AT;
    boot_image_add_bytes(image, BOOT_TABLES_AT, flat_mode_tables(&image->mode));
    return true;
}

bool linux_load(const BootRequest *request, BootImage *image, GError **errp)
{
    g_autofree LinuxKernel *k = g_new0(LinuxKernel, 1);
    bool is_long;

    k->request = request;
    if (!read_header(k, errp) || !place_code(k, errp)) {
        return false;
    }
    boot_image_add_file(image, k->load, request->kernel, k->code_offset, k->code_size);
    is_long = k->hdr->version >= VERSION_XLOADFLAGS && k->hdr->xloadflags & XLF_KERNEL_64;
    return finish(k, image, k->load + (is_long ? ENTRY_64 : 0), is_long, errp);
}

/* Its header is in the part that a bzImage has and vmlinux has not: it is made up. */
bool linux_load_elf(const BootRequest *request, BootImage *image, GError **errp)
{
    g_autofree LinuxKernel *k = g_new0(LinuxKernel, 1);
    ElfKernel elf;

    k->request = request;
    k->hdr = &k->params.hdr;
    if (!elf_load(request, image, &elf, errp)) {
        return false;
    }
    if (!elf.is_64) {
        return boot_refuse(request, errp,
                           "is an ELF file of 32 bits without a multiboot header or Xen's note: "
                           "nothing says how it is to be started");
    }
    if (elf.entry < elf.start || elf.entry >= elf.end) {
        return boot_refuse(request, errp, "begins outside of itself");
    }
    k->load = elf.start;
    k->end = elf.end;
    *k->hdr = (struct setup_header){ .boot_flag = BOOT_FLAG,
                                     .header = HEADER_MAGIC,
                                     .version = VERSION_XLOADFLAGS,
                                     .loadflags = LOADED_HIGH,
                                     .initrd_addr_max = INITRD_MAX_64,
                                     .kernel_alignment = KERNEL_ALIGNMENT,
                                     .cmdline_size = BOOT_CMDLINE_MAX };
    return finish(k, image, elf.entry, true, errp);
}
