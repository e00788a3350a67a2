/* SPDX-License-Identifier: MIT */
/*
 * Linux by its own boot protocol (Linux, Documentation/arch/x86/boot.rst, 2.15): a bzImage is put in
 * place as its header asks, and entered in 64-bit mode where it can be, else in protected mode.
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

#define TABLES_AT 0x1000
#define ZERO_PAGE_AT 0x10000
#define CMDLINE_AT 0x20000
#define CMDLINE_END 0x90000
#define BOOT_CS 0x10
#define BOOT_DS 0x18
#define MAPPED_GIB 4
#define PAGE UINT64_C(4096)

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

static bool refuse(const LinuxKernel *k, GError **errp, const char *what)
{
    qom_error_set(errp, QOM_ERROR_VALUE, "the kernel '%s' %s", host_file_path(k->request->kernel),
                  what);
    return false;
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
        return refuse(k, errp,
                      "is too old: boot protocol 2.03, loaded high, is the least (Linux 2.4)");
    }
    /* 0 means 4, for the sake of the oldest ones. */
    setup = SECTOR * (1 + (k->hdr->setup_sects ? k->hdr->setup_sects : 4));
    if (size <= setup) {
        return refuse(k, errp, "ends before its code begins: it is cut off");
    }
    k->code_offset = setup;
    k->code_size = size - setup;
    if (k->hdr->version >= VERSION_SYSSIZE && (uint64_t)k->hdr->syssize * 16 > k->code_size + 15) {
        return refuse(k, errp, "is shorter than its header says: it is cut off");
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
    if (k->load < HIGH_MEMORY_START || k->load > UINT32_MAX) {
        g_autofree char *what = g_strdup_printf(
            "wants to be at 0x%" PRIx64 ", which is not between 1 MiB and 4 GiB", k->load);

        return refuse(k, errp, what);
    }
    k->end = k->load + bytes;
    if (k->end > k->request->low_ram_end) {
        g_autofree char *what =
            g_strdup_printf("needs %" PRIu64 " KiB of RAM from 0x%" PRIx64
                            " on, and there is RAM to 0x%" PRIx64 ": give more with -m",
                            (bytes + 1023) >> 10, k->load, k->request->low_ram_end);

        return refuse(k, errp, what);
    }
    return true;
}

static bool place_cmdline(LinuxKernel *k, BootImage *image, GError **errp)
{
    const char *text = k->request->cmdline ? k->request->cmdline : "";
    uint64_t most =
        k->hdr->version >= VERSION_CMDLINE_SIZE ? k->hdr->cmdline_size : CMDLINE_SIZE_BEFORE;
    size_t len = strlen(text);

    most = MIN(most, CMDLINE_END - CMDLINE_AT - 1);
    if (len > most) {
        g_autofree char *what = g_strdup_printf(
            "takes a command line of %" PRIu64 " characters, and -append has %zu", most, len);

        return refuse(k, errp, what);
    }
    boot_image_add_copy(image, CMDLINE_AT, text, len + 1);
    k->hdr->cmd_line_ptr = CMDLINE_AT;
    return true;
}

static bool place_initrd(LinuxKernel *k, BootImage *image, GError **errp)
{
    HostFile *initrd = k->request->initrd;
    uint64_t end, size, at;

    if (!initrd) {
        return true;
    }
    size = host_file_size(initrd);
    end = MIN(k->request->low_ram_end, (uint64_t)k->hdr->initrd_addr_max + 1);
    at = end > size ? (end - size) & ~(PAGE - 1) : 0;
    if (at < k->end) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "the initrd '%s' has %" PRIu64 " KiB, and there are %" PRIu64
                      " KiB between the kernel and 0x%" PRIx64 ", where %s",
                      host_file_path(initrd), (size + 1023) >> 10,
                      end > k->end ? (end - k->end) >> 10 : 0, end,
                      end == k->request->low_ram_end ? "RAM ends: give more with -m"
                                                     : "the kernel wants it to end");
        return false;
    }
    boot_image_add_file(image, at, initrd, 0, size);
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

static void fill_start(const LinuxKernel *k, BootImage *image)
{
    bool is_long = k->hdr->version >= VERSION_XLOADFLAGS && k->hdr->xloadflags & XLF_KERNEL_64;

    image->mode = (FlatMode){ .tables = TABLES_AT, .data = BOOT_DS };
    if (is_long) {
        image->mode.gib = MAPPED_GIB;
        image->mode.code64 = BOOT_CS;
    } else {
        image->mode.code32 = BOOT_CS;
    }
    image->entry = k->load + (is_long ? ENTRY_64 : 0);
    image->gpr[X86_RSI] = ZERO_PAGE_AT;
    boot_image_add_bytes(image, TABLES_AT, flat_mode_tables(&image->mode));
}

bool linux_load(const BootRequest *request, BootImage *image, GError **errp)
{
    g_autofree LinuxKernel *k = g_new0(LinuxKernel, 1);

    k->request = request;
    if (!read_header(k, errp) || !place_code(k, errp) || !place_cmdline(k, image, errp) ||
        !place_initrd(k, image, errp)) {
        return false;
    }
    k->hdr->type_of_loader = LOADER_UNDEFINED;
    k->hdr->vid_mode = VIDEO_NORMAL;
    k->hdr->code32_start = (uint32_t)k->load;
    k->params.acpi_rsdp_addr = request->rsdp;
    fill_e820(k);
    boot_image_add_copy(image, ZERO_PAGE_AT, &k->params, sizeof(k->params));
    boot_image_add_file(image, k->load, request->kernel, k->code_offset, k->code_size);
    fill_start(k, image);
    return true;
}
