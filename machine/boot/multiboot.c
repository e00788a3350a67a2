/* SPDX-License-Identifier: MIT */
/*
 * Multiboot (Multiboot Specification 0.6.96): a header in the first 8 KiB of the file says so. The
 * kernel is an ELF file of 32 bits, or the header has its addresses. It begins in protected mode
 * without paging, with EBX at a structure that tells it of memory, its command line and modules.
 *
 * Modules are the files of -initrd, with commas between, each with a command line of its own behind
 * its name: "disk.img root=1,config".
 */
#include <inttypes.h>
#include <string.h>
#include <qomet/qom/error.h>
#include <qomet/qom/log.h>
#include "machine/boot/e820.h"
#include "machine/boot/elf.h"

#define SEARCHED 8192
#define HEADER_MAGIC 0x1badb002
#define BOOT_MAGIC 0x2badb002
#define LOADER_NAME "qomet"

enum {
    WANTS_PAGES = 1 << 0, /* modules begin at pages: they do */
    WANTS_MEMORY = 1 << 1,
    WANTS_VIDEO = 1 << 2,
    WANTS_ALL = 0xffff, /* what has to be understood */
    HAS_ADDRESSES = 1 << 16,
};

enum {
    INFO_MEMORY = 1 << 0,
    INFO_CMDLINE = 1 << 2,
    INFO_MODULES = 1 << 3,
    INFO_MAP = 1 << 6,
    INFO_LOADER = 1 << 9,
};

typedef struct Header {
    uint32_t magic, flags, checksum;
    uint32_t header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
} Header;

typedef struct Info {
    uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr;
    uint32_t syms[4];
    uint32_t mmap_length, mmap_addr, drives_length, drives_addr, config_table, boot_loader_name;
    uint32_t apm_table;
} Info;

typedef struct Module {
    uint32_t start, end, cmdline, reserved;
} Module;

typedef struct Range {
    uint32_t size; /* of what follows */
    uint64_t addr, len;
    uint32_t type;
} __attribute__((packed)) Range;

typedef struct MultibootKernel {
    const BootRequest *request;
    Header header;
    uint64_t header_at; /* in the file */
    uint32_t entry;
    uint64_t end;        /* of the kernel in memory */
    uint64_t modules_at; /* where the lowest module begins: all between is free */
    GByteArray *info;    /* the structure and what it points to */
    uint64_t info_at;
} MultibootKernel;

/* ---- The header ---- */

static bool find_header(HostFile *kernel, Header *header, uint64_t *at)
{
    uint64_t size = MIN(host_file_size(kernel), SEARCHED);
    g_autofree uint8_t *bytes = g_malloc0(SEARCHED + sizeof(Header));

    if (!host_file_read(kernel, 0, bytes, size, NULL)) {
        return false;
    }
    /* All three words are within the first 8 KiB; what follows them may not be. */
    for (uint64_t i = 0; i + 12 <= size; i += 4) {
        memcpy(header, bytes + i, sizeof(*header));
        if (header->magic == HEADER_MAGIC &&
            header->magic + header->flags + header->checksum == 0) {
            *at = i;
            return true;
        }
    }
    return false;
}

bool multiboot_recognises(HostFile *kernel)
{
    Header header;
    uint64_t at;

    return find_header(kernel, &header, &at);
}

/* ---- The kernel ---- */

static bool load_elf(MultibootKernel *k, BootImage *image, GError **errp)
{
    ElfKernel elf;

    if (!elf_recognises(k->request->kernel)) {
        return boot_refuse(k->request, errp,
                           "has a multiboot header without addresses and is no ELF file");
    }
    if (!elf_load(k->request, image, &elf, errp)) {
        return false;
    }
    if (elf.is_64) {
        return boot_refuse(k->request, errp,
                           "has 64 bits, and multiboot is for kernels of 32 bits: objcopy -O "
                           "elf32-i386 makes one of it");
    }
    k->entry = (uint32_t)elf.entry;
    k->end = elf.end;
    return true;
}

static bool load_by_addresses(MultibootKernel *k, BootImage *image, GError **errp)
{
    const Header *h = &k->header;
    uint64_t size = host_file_size(k->request->kernel), offset, bytes, end;

    if (h->load_addr > h->header_addr || h->header_addr - h->load_addr > k->header_at) {
        return boot_refuse(k->request, errp,
                           "wants to be loaded from before its file begins (multiboot's load_addr "
                           "and header_addr)");
    }
    offset = k->header_at - (h->header_addr - h->load_addr);
    bytes = h->load_end_addr ? (uint64_t)h->load_end_addr - h->load_addr : size - offset;
    if ((h->load_end_addr && h->load_end_addr < h->load_addr) || bytes > size - offset) {
        return boot_refuse(k->request, errp,
                           "ends before multiboot's load_end_addr: it is cut off");
    }
    end = MAX((uint64_t)h->load_addr + bytes, h->bss_end_addr);
    if (h->load_addr < BOOT_KERNEL_MIN || end > k->request->low_ram_end) {
        g_autofree char *what = g_strdup_printf(
            "wants to be from 0x%x to 0x%" PRIx64 ", and kernels may be from 0x%" PRIx64
            " to 0x%" PRIx64 ", where RAM ends",
            h->load_addr, end, BOOT_KERNEL_MIN, k->request->low_ram_end);

        return boot_refuse(k->request, errp, what);
    }
    if (bytes) {
        boot_image_add_file(image, h->load_addr, k->request->kernel, offset, bytes);
    }
    if (end > h->load_addr + bytes) {
        boot_image_add_zeros(image, h->load_addr + bytes, end - h->load_addr - bytes);
    }
    k->entry = h->entry_addr;
    k->end = end;
    return true;
}

/* ---- What it is told ---- */

/* Room for @size bytes, aligned for words; returns the guest's address. */
static uint32_t info_add(MultibootKernel *k, const void *bytes, guint size)
{
    guint at;

    g_byte_array_set_size(k->info, (k->info->len + 3) & ~3u);
    at = k->info->len;
    g_byte_array_append(k->info, bytes, size);
    return (uint32_t)(k->info_at + at);
}

static bool add_module(MultibootKernel *k, BootImage *image, char *words, Module *out,
                       GError **errp)
{
    uint64_t at, size;
    char *path = g_strstrip(words);
    size_t name = strcspn(path, " ");
    g_autofree char *file = g_strndup(path, name);

    /* They lie one below the other. */
    if (!boot_place_initrd(k->request, image, file, k->end, k->modules_at, &at, &size, errp)) {
        return false;
    }
    k->modules_at = at;
    *out = (Module){ .start = (uint32_t)at,
                     .end = (uint32_t)(at + size),
                     .cmdline = info_add(k, path, (guint)strlen(path) + 1) };
    return true;
}

static bool add_modules(MultibootKernel *k, BootImage *image, Info *info, GError **errp)
{
    g_autoptr(GArray) modules = g_array_new(FALSE, FALSE, sizeof(Module));
    g_auto(GStrv) words = NULL;

    if (!k->request->initrd) {
        return true;
    }
    words = g_strsplit(k->request->initrd, ",", -1);
    for (char **word = words; *word; word++) {
        Module module;

        if (!add_module(k, image, *word, &module, errp)) {
            return false;
        }
        g_array_append_val(modules, module);
    }
    info->flags |= INFO_MODULES;
    info->mods_count = modules->len;
    info->mods_addr = info_add(k, modules->data, modules->len * g_array_get_element_size(modules));
    return true;
}

static void add_map(MultibootKernel *k, Info *info)
{
    const GArray *e820 = k->request->e820;
    g_autofree Range *ranges = g_new0(Range, e820->len);
    uint64_t high = k->request->low_ram_end - HIGH_MEMORY_START;

    for (guint i = 0; i < e820->len; i++) {
        const E820Entry *entry = &g_array_index(e820, E820Entry, i);

        ranges[i] =
            (Range){ sizeof(Range) - sizeof(uint32_t), entry->addr, entry->size, entry->type };
    }
    info->flags |= INFO_MAP | INFO_MEMORY;
    info->mem_lower = LOW_MEMORY_END / 1024;
    info->mem_upper = (uint32_t)(high / 1024);
    info->mmap_length = e820->len * sizeof(Range);
    info->mmap_addr = info_add(k, ranges, info->mmap_length);
}

/* "FILE words", as other loaders give it. */
static void add_cmdline(MultibootKernel *k, Info *info)
{
    g_autofree char *text = g_strdup_printf("%s%s%s", host_file_path(k->request->kernel),
                                            k->request->cmdline ? " " : "",
                                            k->request->cmdline ? k->request->cmdline : "");

    info->flags |= INFO_CMDLINE | INFO_LOADER;
    info->cmdline = info_add(k, text, (guint)strlen(text) + 1);
    info->boot_loader_name = info_add(k, LOADER_NAME, sizeof(LOADER_NAME));
}

static bool add_info(MultibootKernel *k, BootImage *image, GError **errp)
{
    Info info = { 0 };

    k->info_at = (k->end + FLAT_MODE_PAGE - 1) & ~(FLAT_MODE_PAGE - 1);
    info_add(k, &info, sizeof(info));
    if (!add_modules(k, image, &info, errp)) {
        return false;
    }
    add_map(k, &info);
    add_cmdline(k, &info);
    memcpy(k->info->data, &info, sizeof(info));
    if (k->info_at + k->info->len > MIN(k->modules_at, k->request->low_ram_end)) {
        return boot_refuse(k->request, errp,
                           "and its modules leave no room for what they are told: give more "
                           "with -m");
    }
    boot_image_add_copy(image, k->info_at, k->info->data, k->info->len);
    image->gpr[X86_RBX] = k->info_at;
    return true;
}

/* ---- Both ---- */

static bool check_flags(const MultibootKernel *k, GError **errp)
{
    uint32_t wants = k->header.flags & WANTS_ALL;

    if (wants & ~(WANTS_PAGES | WANTS_MEMORY | WANTS_VIDEO)) {
        g_autofree char *what = g_strdup_printf(
            "wants of its loader what multiboot 0.6.96 does not know (flags 0x%x)", wants);

        return boot_refuse(k->request, errp, what);
    }
    if (wants & WANTS_VIDEO) {
        warn_report("the kernel '%s' wants a video mode, and there is no screen",
                    host_file_path(k->request->kernel));
    }
    return true;
}

bool multiboot_load(const BootRequest *request, BootImage *image, GError **errp)
{
    MultibootKernel k = { .request = request, .modules_at = request->low_ram_end };
    bool ok = find_header(request->kernel, &k.header, &k.header_at) && check_flags(&k, errp);

    if (ok) {
        ok = k.header.flags & HAS_ADDRESSES ? load_by_addresses(&k, image, errp)
                                            : load_elf(&k, image, errp);
    }
    if (ok) {
        k.info = g_byte_array_new();
        ok = add_info(&k, image, errp);
        g_byte_array_unref(k.info);
    }
    if (ok) {
        boot_image_start_flat32(image, k.entry);
        image->gpr[X86_RAX] = BOOT_MAGIC;
    }
    return ok;
}
