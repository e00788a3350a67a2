/* SPDX-License-Identifier: MIT */
/*
 * Linux's boot protocol: where the parts of a bzImage go, what the kernel is told, and which files
 * are refused.
 */
#include <asm/bootparam.h>
#include "tests/unit/boot-fixture.h"

#define SETUP_SECTORS 3
#define SETUP_BYTES ((SETUP_SECTORS + 1) * 512)
#define CODE_BYTES 8192
#define LOAD 0x1000000
#define ZERO_PAGE 0x10000

typedef struct Image {
    uint8_t bytes[SETUP_BYTES + CODE_BYTES];
    struct setup_header *hdr; /* in them */
} Image;

/* A kernel of protocol 2.15 that can be entered in 64-bit mode; its code counts up. */
static void image_init(Image *image)
{
    struct setup_header *hdr;

    memset(image->bytes, 0, sizeof(image->bytes));
    for (unsigned i = 0; i < CODE_BYTES; i++) {
        image->bytes[SETUP_BYTES + i] = (uint8_t)(i + i / 256);
    }
    hdr = image->hdr = (struct setup_header *)(image->bytes + offsetof(struct boot_params, hdr));
    hdr->setup_sects = SETUP_SECTORS;
    hdr->syssize = CODE_BYTES / 16;
    hdr->boot_flag = 0xaa55;
    hdr->jump = 0x6aeb; /* the header ends at 0x26c */
    memcpy(&hdr->header, "HdrS", 4);
    hdr->version = 0x020f;
    hdr->loadflags = LOADED_HIGH;
    hdr->code32_start = 0x100000;
    hdr->initrd_addr_max = 0x7fffffff;
    hdr->kernel_alignment = 0x200000;
    hdr->relocatable_kernel = 1;
    hdr->xloadflags = XLF_KERNEL_64;
    hdr->cmdline_size = 2047;
    hdr->pref_address = LOAD;
    hdr->init_size = 0x100000;
}

static void assert_code_at(hwaddr addr)
{
    uint8_t code[CODE_BYTES];

    boot_peek(addr, code, sizeof(code));
    for (unsigned i = 0; i < CODE_BYTES; i++) {
        assert_int_equal(code[i], (uint8_t)(i + i / 256));
    }
}

static void a_kernel_of_64_bits_is_entered_there(void **state)
{
    BootFixture *f = *state;
    g_autoptr(BootImage) made = NULL;
    Image image;

    image_init(&image);
    made = boot_made(f, image.bytes, sizeof(image.bytes));
    assert_code_at(LOAD);
    assert_int_equal(made->entry, LOAD + 0x200);
    assert_int_equal(made->mode.gib, 4);
    assert_int_equal(made->mode.code64, 0x10);
    assert_int_equal(made->mode.data, 0x18);
    assert_int_equal(made->gpr[X86_RSI], ZERO_PAGE);
}

static void an_older_one_is_entered_in_protected_mode(void **state)
{
    BootFixture *f = *state;
    g_autoptr(BootImage) made = NULL;
    Image image;

    image_init(&image);
    image.hdr->version = 0x0206;
    made = boot_made(f, image.bytes, sizeof(image.bytes));
    assert_code_at(0x100000);
    assert_int_equal(made->entry, 0x100000);
    assert_int_equal(made->mode.gib, 0);
    assert_int_equal(made->mode.code32, 0x10);
    assert_int_equal(made->gpr[X86_RSI], ZERO_PAGE);
}

static void the_zero_page_tells_the_kernel_what_there_is(void **state)
{
    BootFixture *f = *state;
    struct boot_params params;
    char disk[5], cmdline[12];
    Image image;

    image_init(&image);
    boot_write_file(f->initrd, "disk", 5);
    f->request.cmdline = "console=lp0";
    f->request.rsdp = 0xe0000;
    boot_accepted(f, image.bytes, sizeof(image.bytes));
    boot_peek(ZERO_PAGE, &params, sizeof(params));
    assert_memory_equal(&params.hdr.header, "HdrS", 4);
    assert_int_equal(params.hdr.type_of_loader, 0xff);
    assert_int_equal(params.hdr.code32_start, LOAD);
    assert_int_equal(params.acpi_rsdp_addr, 0xe0000);
    assert_int_equal(params.sentinel, 0);
    boot_peek(params.hdr.cmd_line_ptr, cmdline, sizeof(cmdline));
    assert_string_equal(cmdline, "console=lp0");
    assert_int_equal(params.hdr.ramdisk_size, 5);
    assert_int_equal(params.hdr.ramdisk_image, BOOT_RAM - 4096);
    boot_peek(params.hdr.ramdisk_image, disk, sizeof(disk));
    assert_string_equal(disk, "disk");
    assert_int_equal(params.e820_entries, 4);
    assert_int_equal(params.e820_table[0].addr, 0);
    assert_int_equal(params.e820_table[0].size, 0x9fc00);
    assert_int_equal(params.e820_table[0].type, E820_RAM);
    assert_int_equal(params.e820_table[1].type, E820_RESERVED);
    assert_int_equal(params.e820_table[3].addr, 0x100000);
    assert_int_equal(params.e820_table[3].size, BOOT_RAM - 0x100000);
}

static void what_is_behind_the_header_is_no_part_of_it(void **state)
{
    BootFixture *f = *state;
    struct boot_params params;
    Image image;

    image_init(&image);
    image.hdr->jump = 0x3eeb; /* ends at 0x240, before what 2.07 brought */
    image.hdr->version = 0x0206;
    image.hdr->hardware_subarch_data = UINT64_MAX;
    boot_accepted(f, image.bytes, sizeof(image.bytes));
    boot_peek(ZERO_PAGE, &params, sizeof(params));
    assert_int_equal(params.hdr.hardware_subarch_data, 0);
}

static void a_ram_disk_ends_where_the_kernel_wants_it(void **state)
{
    BootFixture *f = *state;
    struct boot_params params;
    Image image;

    image_init(&image);
    image.hdr->initrd_addr_max = 0x1ffffff;
    boot_write_file(f->initrd, "disk", 5);
    boot_accepted(f, image.bytes, sizeof(image.bytes));
    boot_peek(ZERO_PAGE, &params, sizeof(params));
    assert_int_equal(params.hdr.ramdisk_image, 0x2000000 - 4096);
}

static void each_reset_finds_the_same_image(void **state)
{
    BootFixture *f = *state;
    g_autoptr(BootImage) made = NULL;
    uint8_t none[CODE_BYTES] = { 0 };
    Image image;

    image_init(&image);
    made = boot_made(f, image.bytes, sizeof(image.bytes));
    address_space_write(&address_space_memory, LOAD, MEMTXATTRS_UNSPECIFIED, none, sizeof(none));
    assert_true(boot_image_write(made, NULL));
    assert_code_at(LOAD);
}

static void a_file_that_was_written_to_since_is_refused_by_a_reset(void **state)
{
    BootFixture *f = *state;
    g_autoptr(BootImage) made = NULL;
    g_autoptr(GError) error = NULL;
    Image image;

    image_init(&image);
    made = boot_made(f, image.bytes, sizeof(image.bytes));
    assert_int_equal(truncate(f->kernel, SETUP_BYTES), 0);
    assert_false(boot_image_write(made, &error));
    assert_non_null(strstr(error->message, "was changed after it had been loaded first"));
}

static void kernels_that_are_none_are_refused(void **state)
{
    BootFixture *f = *state;
    Image image;

    boot_refused(f, "MZ", 2, "is no kernel");
    image_init(&image);
    image.hdr->version = 0x0202;
    boot_refused(f, image.bytes, sizeof(image.bytes), "is too old");
    image_init(&image);
    image.hdr->loadflags = 0;
    boot_refused(f, image.bytes, sizeof(image.bytes), "is too old");
    image_init(&image);
    boot_refused(f, image.bytes, SETUP_BYTES, "is cut off");
    boot_refused(f, image.bytes, sizeof(image.bytes) - 17, "is cut off");
    image.hdr->setup_sects = 255;
    boot_refused(f, image.bytes, sizeof(image.bytes), "is cut off");
}

static void wild_addresses_and_sizes_are_refused(void **state)
{
    static const struct {
        uint64_t pref;
        uint32_t init_size;
        const char *why;
    } cases[] = {
        { 0, 0x1000, "which is not between 1 MiB and 4 GiB" },
        { 0xfffff, 0x1000, "which is not between 1 MiB and 4 GiB" },
        { UINT64_C(0x100000000), 0x1000, "which is not between 1 MiB and 4 GiB" },
        { UINT64_MAX, UINT32_MAX, "which is not between 1 MiB and 4 GiB" },
        { UINT32_MAX, UINT32_MAX, "give more with -m" },
        { BOOT_RAM - 4096, 0, "give more with -m" },
        { LOAD, UINT32_MAX, "give more with -m" },
    };
    BootFixture *f = *state;

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        Image image;

        image_init(&image);
        image.hdr->pref_address = cases[i].pref;
        image.hdr->init_size = cases[i].init_size;
        boot_refused(f, image.bytes, sizeof(image.bytes), cases[i].why);
    }
}

static void a_ram_disk_that_does_not_fit_is_refused(void **state)
{
    g_autofree char *large = g_malloc0(BOOT_RAM - LOAD);
    BootFixture *f = *state;
    Image image;

    image_init(&image);
    boot_write_file(f->initrd, large, BOOT_RAM - LOAD - 0x100000 + 1);
    boot_refused(f, image.bytes, sizeof(image.bytes), "RAM is left behind the kernel");
    image.hdr->initrd_addr_max = 0;
    boot_refused(f, image.bytes, sizeof(image.bytes),
                 "what the kernel leaves to an initrd is there");
}

static void a_command_line_is_no_longer_than_the_kernel_takes(void **state)
{
    BootFixture *f = *state;
    g_autofree char *fits = g_strnfill(2047, 'x');
    g_autofree char *longer = g_strnfill(2048, 'x');
    g_autofree char *huge = g_strnfill(1 << 20, 'x');
    Image image;

    image_init(&image);
    f->request.cmdline = fits;
    boot_accepted(f, image.bytes, sizeof(image.bytes));
    f->request.cmdline = longer;
    boot_refused(f, image.bytes, sizeof(image.bytes), "a command line of 2047 characters");
    image.hdr->version = 0x0205;
    boot_refused(f, image.bytes, sizeof(image.bytes), "a command line of 255 characters");
    image.hdr->version = 0x020f;
    image.hdr->cmdline_size = UINT32_MAX;
    f->request.cmdline = huge;
    boot_refused(f, image.bytes, sizeof(image.bytes), "and -append has 1048576");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_kernel_of_64_bits_is_entered_there, boot_setup,
                                        boot_teardown),
        cmocka_unit_test_setup_teardown(an_older_one_is_entered_in_protected_mode, boot_setup,
                                        boot_teardown),
        cmocka_unit_test_setup_teardown(the_zero_page_tells_the_kernel_what_there_is, boot_setup,
                                        boot_teardown),
        cmocka_unit_test_setup_teardown(what_is_behind_the_header_is_no_part_of_it, boot_setup,
                                        boot_teardown),
        cmocka_unit_test_setup_teardown(a_ram_disk_ends_where_the_kernel_wants_it, boot_setup,
                                        boot_teardown),
        cmocka_unit_test_setup_teardown(each_reset_finds_the_same_image, boot_setup, boot_teardown),
        cmocka_unit_test_setup_teardown(a_file_that_was_written_to_since_is_refused_by_a_reset,
                                        boot_setup, boot_teardown),
        cmocka_unit_test_setup_teardown(kernels_that_are_none_are_refused, boot_setup,
                                        boot_teardown),
        cmocka_unit_test_setup_teardown(wild_addresses_and_sizes_are_refused, boot_setup,
                                        boot_teardown),
        cmocka_unit_test_setup_teardown(a_ram_disk_that_does_not_fit_is_refused, boot_setup,
                                        boot_teardown),
        cmocka_unit_test_setup_teardown(a_command_line_is_no_longer_than_the_kernel_takes,
                                        boot_setup, boot_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
