/* SPDX-License-Identifier: MIT */
/*
 * PVH, Xen's way to start a kernel that is an ELF file (Xen, docs/misc/pvh.pandoc, and
 * public/arch-x86/hvm/start_info.h): a note has the address where it begins, in protected mode
 * without paging, with EBX at a structure that tells it the rest.
 */
#include "machine/boot/e820.h"
#include "machine/boot/elf.h"

#define NOTE_OWNER "Xen"
#define NOTE_PHYS32_ENTRY 18
#define START_MAGIC 0x336ec578
#define START_INFO_AT 0x10000
#define INITRD_END (UINT64_C(1) << 31)

typedef struct StartInfo {
    uint32_t magic, version, flags, modules;
    uint64_t module_list, cmdline, rsdp;
    uint64_t memmap;
    uint32_t memmap_entries, reserved;
} StartInfo;

typedef struct StartModule {
    uint64_t addr, size, cmdline, reserved;
} StartModule;

typedef struct StartRange {
    uint64_t addr, size;
    uint32_t type, reserved; /* types as e820's */
} StartRange;

/* One after the other at START_INFO_AT. */
typedef struct StartPage {
    StartInfo info;
    StartModule module;
    StartRange map[64];
} StartPage;

static bool read_entry(HostFile *kernel, uint32_t *entry)
{
    return elf_find_note(kernel, NOTE_OWNER, NOTE_PHYS32_ENTRY, entry, sizeof(*entry));
}

bool pvh_recognises(HostFile *kernel)
{
    uint32_t entry;

    return elf_recognises(kernel) && read_entry(kernel, &entry);
}

static void fill_map(StartPage *page, const GArray *e820)
{
    page->info.memmap_entries = MIN(e820->len, G_N_ELEMENTS(page->map));
    for (unsigned i = 0; i < page->info.memmap_entries; i++) {
        const E820Entry *entry = &g_array_index(e820, E820Entry, i);

        page->map[i] = (StartRange){ entry->addr, entry->size, entry->type, 0 };
    }
}

bool pvh_load(const BootRequest *request, BootImage *image, GError **errp)
{
    StartPage page = { .info = { .magic = START_MAGIC, .version = 1, .rsdp = request->rsdp } };
    uint32_t entry = 0;
    ElfKernel elf;

    if (!elf_load(request, image, &elf, errp) ||
        !boot_place_cmdline(request, image, BOOT_CMDLINE_MAX, errp) ||
        !boot_place_initrd(request, image, request->initrd, elf.end, INITRD_END, &page.module.addr,
                           &page.module.size, errp)) {
        return false;
    }
    if (!read_entry(request->kernel, &entry) || entry < elf.start || entry >= elf.end) {
        return boot_refuse(request, errp, "begins outside of itself, says its PVH note");
    }
    page.info.cmdline = BOOT_CMDLINE_AT;
    page.info.modules = page.module.size ? 1 : 0;
    page.info.module_list = START_INFO_AT + offsetof(StartPage, module);
    page.info.memmap = START_INFO_AT + offsetof(StartPage, map);
    fill_map(&page, request->e820);
    boot_image_add_copy(image, START_INFO_AT, &page, sizeof(page));
    boot_image_start_flat32(image, entry);
    image->gpr[X86_RBX] = START_INFO_AT;
    return true;
}
