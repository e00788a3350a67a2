/* SPDX-License-Identifier: MIT */
/*
 * Kernels that are ELF files: where their segments go, how vmlinux, PVH and multiboot begin, and which
 * files are refused.
 */
#include <asm/bootparam.h>
#include <elf.h>
#include "tests/unit/boot-fixture.h"

#define AT 0x200000
#define FILE_BYTES 0x3000
#define CODE_OFFSET 0x1000
#define NOTE_OFFSET 0x2000

typedef struct Elf {
    uint8_t bytes[FILE_BYTES];
    Elf64_Ehdr *h;
    Elf64_Phdr *p; /* two of them: code with zeros behind it, and a note */
} Elf;

typedef struct Elf32 {
    uint8_t bytes[FILE_BYTES];
    Elf32_Ehdr *h;
    Elf32_Phdr *p; /* one */
} Elf32;

static void fill_code(uint8_t *bytes)
{
    for (unsigned i = 0; i < 4096; i++) {
        bytes[CODE_OFFSET + i] = (uint8_t)(i + i / 256);
    }
}

/* 4 KiB of code at AT, and as much of zeros behind it. */
static void elf_init(Elf *elf)
{
    memset(elf->bytes, 0, sizeof(elf->bytes));
    fill_code(elf->bytes);
    elf->h = (Elf64_Ehdr *)elf->bytes;
    elf->p = (Elf64_Phdr *)(elf->bytes + sizeof(*elf->h));
    memcpy(elf->h->e_ident, ELFMAG, SELFMAG);
    elf->h->e_ident[EI_CLASS] = ELFCLASS64;
    elf->h->e_ident[EI_DATA] = ELFDATA2LSB;
    elf->h->e_type = ET_EXEC;
    elf->h->e_machine = EM_X86_64;
    elf->h->e_entry = AT + 8;
    elf->h->e_phoff = sizeof(*elf->h);
    elf->h->e_phentsize = sizeof(*elf->p);
    elf->h->e_phnum = 2;
    elf->p[0] = (Elf64_Phdr){
        .p_type = PT_LOAD, .p_offset = CODE_OFFSET, .p_paddr = AT, .p_filesz = 4096, .p_memsz = 8192
    };
    elf->p[1] = (Elf64_Phdr){ .p_type = PT_NULL };
}

/* Its note says that it begins at @entry. */
static void elf_set_pvh(Elf *elf, uint32_t entry)
{
    uint32_t note[] = { 4, 4, 18, 0, entry };

    memcpy(&note[3], "Xen", 4);
    memcpy(elf->bytes + NOTE_OFFSET, note, sizeof(note));
    elf->p[1] =
        (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = NOTE_OFFSET, .p_filesz = sizeof(note) };
}

static void elf32_init(Elf32 *elf)
{
    memset(elf->bytes, 0, sizeof(elf->bytes));
    fill_code(elf->bytes);
    elf->h = (Elf32_Ehdr *)elf->bytes;
    elf->p = (Elf32_Phdr *)(elf->bytes + sizeof(*elf->h));
    memcpy(elf->h->e_ident, ELFMAG, SELFMAG);
    elf->h->e_ident[EI_CLASS] = ELFCLASS32;
    elf->h->e_ident[EI_DATA] = ELFDATA2LSB;
    elf->h->e_type = ET_EXEC;
    elf->h->e_machine = EM_386;
    elf->h->e_entry = AT + 8;
    elf->h->e_phoff = sizeof(*elf->h);
    elf->h->e_phentsize = sizeof(*elf->p);
    elf->h->e_phnum = 1;
    elf->p[0] = (Elf32_Phdr){
        .p_type = PT_LOAD, .p_offset = CODE_OFFSET, .p_paddr = AT, .p_filesz = 4096, .p_memsz = 8192
    };
}

/* Puts a multiboot header at @at: @flags, and the five addresses, if they are given. */
static void put_multiboot(uint8_t *bytes, size_t at, uint32_t flags, const uint32_t *addresses)
{
    uint32_t header[8] = { 0x1badb002, flags, -(0x1badb002 + flags) };

    if (addresses) {
        memcpy(header + 3, addresses, 20);
    }
    memcpy(bytes + at, header, addresses ? 32 : 12);
}

static void assert_loaded(void)
{
    uint8_t memory[8192];

    boot_peek(AT, memory, sizeof(memory));
    for (unsigned i = 0; i < sizeof(memory); i++) {
        assert_int_equal(memory[i], i < 4096 ? (uint8_t)(i + i / 256) : 0);
    }
}

/* Makes the RAM dirty where the kernel wants zeros. */
static void soil(void)
{
    uint8_t dirt[8192];

    memset(dirt, 0xaa, sizeof(dirt));
    address_space_write(&address_space_memory, AT, MEMTXATTRS_UNSPECIFIED, dirt, sizeof(dirt));
}

/* ---- What is done ---- */

static void vmlinux_begins_in_64_bit_mode_with_a_zero_page(void **state)
{
    BootFixture *f = *state;
    g_autoptr(BootImage) made = NULL;
    struct boot_params params;
    Elf elf;

    soil();
    elf_init(&elf);
    f->request.cmdline = "words";
    boot_write_file(f->initrd, "disk", 5);
    made = boot_made(f, elf.bytes, sizeof(elf.bytes));
    assert_loaded();
    assert_int_equal(made->entry, AT + 8);
    assert_int_equal(made->mode.gib, 4);
    boot_peek(made->gpr[X86_RSI], &params, sizeof(params));
    assert_memory_equal(&params.hdr.header, "HdrS", 4);
    assert_int_equal(params.hdr.cmd_line_ptr, BOOT_CMDLINE_AT);
    assert_int_equal(params.hdr.ramdisk_size, 5);
    assert_int_equal(params.e820_entries, 4);
}

static void a_note_of_xens_means_pvh(void **state)
{
    BootFixture *f = *state;
    g_autoptr(BootImage) made = NULL;
    uint32_t info[2];
    Elf elf;

    soil();
    elf_init(&elf);
    elf_set_pvh(&elf, AT + 16);
    made = boot_made(f, elf.bytes, sizeof(elf.bytes));
    assert_loaded();
    assert_int_equal(made->entry, AT + 16);
    assert_int_equal(made->mode.gib, 0);
    boot_peek(made->gpr[X86_RBX], info, sizeof(info));
    assert_int_equal(info[0], 0x336ec578);
    assert_int_equal(info[1], 1);
}

static void a_multiboot_header_may_have_the_addresses(void **state)
{
    const uint32_t addresses[] = { AT + 64, AT, AT + 4096, AT + 8192, AT + 4 };
    BootFixture *f = *state;
    g_autoptr(BootImage) made = NULL;
    uint8_t memory[8192], bytes[8192] = { 0 };

    soil();
    memset(bytes + 128, 0x55, 4096 - 128);
    put_multiboot(bytes, 128 + 64, 1 << 16, addresses);
    made = boot_made(f, bytes, sizeof(bytes));
    assert_int_equal(made->entry, AT + 4);
    assert_int_equal(made->gpr[X86_RAX], 0x2badb002);
    boot_peek(AT, memory, sizeof(memory));
    assert_memory_equal(memory, bytes + 128, 4096);
    assert_int_equal(memory[4096], 0);
    assert_int_equal(memory[8191], 0);
}

static void multiboot_modules_lie_apart_at_pages(void **state)
{
    BootFixture *f = *state;
    g_autofree char *words = NULL;
    g_autoptr(BootImage) made = NULL;
    uint32_t info[7], modules[8];
    Elf32 elf;

    elf32_init(&elf);
    put_multiboot(elf.bytes, 0x100, 0, NULL);
    boot_write_file(f->initrd, "disk", 5);
    words = g_strdup_printf("%s a,%s b c", f->initrd, f->initrd);
    f->words = words;
    made = boot_made(f, elf.bytes, sizeof(elf.bytes));
    assert_loaded();
    boot_peek(made->gpr[X86_RBX], info, sizeof(info));
    assert_int_equal(info[5], 2);
    boot_peek(info[6], modules, sizeof(modules));
    assert_int_equal(modules[0], BOOT_RAM - 4096);
    assert_int_equal(modules[1], BOOT_RAM - 4096 + 5);
    assert_int_equal(modules[4], BOOT_RAM - 8192);
}

/* ---- What is refused ---- */

static void files_that_contradict_themselves_are_refused(void **state)
{
    BootFixture *f = *state;
    Elf elf;

#define REFUSED(change, why)                                                                       \
    elf_init(&elf);                                                                                \
    change;                                                                                        \
    boot_refused(f, elf.bytes, sizeof(elf.bytes), why)

    REFUSED(elf.h->e_machine = EM_AARCH64, "is no kernel that is known here");
    REFUSED(elf.h->e_type = ET_REL, "is no kernel that is known here");
    REFUSED(elf.h->e_ident[EI_DATA] = ELFDATA2MSB, "is no kernel that is known here");
    REFUSED(elf.h->e_phnum = 0, "has no segment");
    REFUSED(elf.h->e_phnum = UINT16_MAX, "is no ELF file that could be loaded");
    REFUSED(elf.h->e_phoff = UINT64_MAX - 8, "ends too early");
    REFUSED(elf.h->e_phoff = FILE_BYTES - 8, "ends too early");
    REFUSED(elf.h->e_phentsize = 8, "has no program headers that can be read");
    REFUSED(elf.p[0].p_filesz = 8193, "has a segment with more bytes than it takes of memory");
    REFUSED(elf.p[0].p_offset = UINT64_MAX, "is cut off");
    REFUSED(elf.p[0].p_offset = FILE_BYTES - 4095, "is cut off");
    REFUSED((elf.p[0].p_filesz = elf.p[0].p_memsz = UINT64_MAX), "is cut off");
    REFUSED(elf.p[0].p_paddr = 0xff000, "has a segment of 8 KiB at 0xff000");
    REFUSED(elf.p[0].p_paddr = UINT64_MAX - 100, "has a segment of 8 KiB at");
    REFUSED(elf.p[0].p_paddr = BOOT_RAM - 8191, "has a segment of 8 KiB at");
    REFUSED(elf.p[0].p_memsz = UINT64_MAX, "has a segment of");
    REFUSED((elf.p[1] = elf.p[0], elf.p[1].p_paddr += 8191), "has two segments at 0x201fff");
    REFUSED(elf.h->e_entry = AT - 1, "begins outside of itself");
    REFUSED(elf.h->e_entry = AT + 8192, "begins outside of itself");
    REFUSED(elf_set_pvh(&elf, AT + 8192), "begins outside of itself, says its PVH note");
#undef REFUSED
}

/* A note that lies about its size is none, and the kernel is one of Linux. */
static void notes_that_contradict_themselves_are_none(void **state)
{
    BootFixture *f = *state;

    for (unsigned i = 0; i < 4; i++) {
        g_autoptr(BootImage) made = NULL;
        uint32_t wrong = i & 1 ? UINT32_MAX : 17;
        Elf elf;

        elf_init(&elf);
        elf_set_pvh(&elf, AT + 16);
        memcpy(elf.bytes + NOTE_OFFSET + (i & 2 ? 4 : 0), &wrong, 4);
        made = boot_made(f, elf.bytes, sizeof(elf.bytes));
        assert_int_equal(made->entry, AT + 8);
    }
}

static void an_elf_file_of_32_bits_needs_a_protocol(void **state)
{
    BootFixture *f = *state;
    Elf32 elf;

    elf32_init(&elf);
    boot_refused(f, elf.bytes, sizeof(elf.bytes), "nothing says how it is to be started");
}

static void multiboot_headers_that_cannot_be_followed_are_refused(void **state)
{
    static const struct {
        uint32_t addresses[5]; /* header, load, load end, bss end, entry */
        const char *why;
    } cases[] = {
        { { AT, AT + 1, 0, 0, AT }, "from before its file begins" },
        { { AT + 65, AT, 0, 0, AT }, "from before its file begins" },
        { { AT, AT, AT - 1, 0, AT }, "it is cut off" },
        { { AT, AT, AT + 4096, 0, AT }, "it is cut off" },
        { { 0xff000, 0xff000, 0, 0, 0xff000 }, "wants to be from 0xff000" },
        { { AT, AT, 0, UINT32_MAX, AT }, "wants to be from 0x200000 to 0xffffffff" },
        { { 0xffffff00, 0xffffff00, 0, 0, 0 }, "wants to be from 0xffffff00" },
    };
    BootFixture *f = *state;
    uint8_t bytes[4096];
    Elf elf;

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        memset(bytes, 0, sizeof(bytes));
        put_multiboot(bytes, 64, 1 << 16, cases[i].addresses);
        boot_refused(f, bytes, sizeof(bytes), cases[i].why);
    }
    memset(bytes, 0, sizeof(bytes));
    put_multiboot(bytes, 64, 1 << 3, NULL);
    boot_refused(f, bytes, sizeof(bytes), "what multiboot 0.6.96 does not know (flags 0x8)");
    put_multiboot(bytes, 64, 0, NULL);
    boot_refused(f, bytes, sizeof(bytes), "without addresses and is no ELF file");
    elf_init(&elf);
    put_multiboot(elf.bytes, 0x100, 0, NULL);
    boot_refused(f, elf.bytes, sizeof(elf.bytes), "multiboot is for kernels of 32 bits");
}

static void modules_that_are_not_there_are_named(void **state)
{
    BootFixture *f = *state;
    Elf32 elf;

    elf32_init(&elf);
    put_multiboot(elf.bytes, 0x100, 0, NULL);
    f->words = "/nowhere/at.all x";
    boot_refused(f, elf.bytes, sizeof(elf.bytes), "-initrd: cannot open '/nowhere/at.all'");
    f->words = ",";
    boot_refused(f, elf.bytes, sizeof(elf.bytes), "-initrd: cannot open ''");
}

/* Whatever a file says, it is loaded or refused; a sanitizer sees the rest. */
static void any_file_is_loaded_or_refused(void **state)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(42);
    BootFixture *f = *state;

    for (unsigned i = 0; i < 2000; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(BootImage) made = NULL;
        Elf elf;

        elf_init(&elf);
        if (i & 1) {
            elf_set_pvh(&elf, AT);
        }
        if (i & 2) {
            put_multiboot(elf.bytes, 0x100, 1 << 16, (const uint32_t[]){ AT, AT, 0, 0, AT });
        }
        for (int n = g_rand_int_range(rand, 1, 6); n > 0; n--) {
            size_t at = g_rand_boolean(rand)   ? g_rand_int_range(rand, 0, 176)
                        : g_rand_boolean(rand) ? 0x100 + g_rand_int_range(rand, 0, 32)
                                               : NOTE_OFFSET + g_rand_int_range(rand, 0, 20);

            elf.bytes[at] = (uint8_t)g_rand_int(rand);
        }
        made = boot_try(f, elf.bytes, sizeof(elf.bytes), &error);
        assert_true(!made == !!error);
        if (made) {
            assert_true(boot_image_write(made, NULL));
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, boot_setup, boot_teardown)
    const struct CMUnitTest tests[] = {
        TEST(vmlinux_begins_in_64_bit_mode_with_a_zero_page),
        TEST(a_note_of_xens_means_pvh),
        TEST(a_multiboot_header_may_have_the_addresses),
        TEST(multiboot_modules_lie_apart_at_pages),
        TEST(files_that_contradict_themselves_are_refused),
        TEST(notes_that_contradict_themselves_are_none),
        TEST(an_elf_file_of_32_bits_needs_a_protocol),
        TEST(multiboot_headers_that_cannot_be_followed_are_refused),
        TEST(modules_that_are_not_there_are_named),
        TEST(any_file_is_loaded_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
