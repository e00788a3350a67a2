/* SPDX-License-Identifier: MIT */
/*
 * What the tests of boot loaders share: 64 MiB of RAM at 0, files made of bytes, and what a loader
 * makes of them.
 */
#ifndef QOMET_TESTS_UNIT_BOOT_FIXTURE_H
#define QOMET_TESTS_UNIT_BOOT_FIXTURE_H

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include "machine/boot/boot.h"
#include "machine/boot/e820.h"
#include "tests/unit/program-fixture.h"

#define BOOT_RAM (UINT64_C(64) << 20)

typedef struct BootFixture {
    char *folder, *kernel, *initrd; /* paths; the files are there once they were written */
    const char *words;              /* what -initrd says, if it is more than that path */
    MemoryRegion ram;
    BootRequest request;
} BootFixture;

static int boot_setup(void **state)
{
    BootFixture *f = g_new0(BootFixture, 1);

    assert_int_equal(program_setup(state), 0);
    assert_true(memory_region_init_ram(&f->ram, NULL, "ram", BOOT_RAM, NULL));
    assert_true(memory_region_add_subregion(get_system_memory(), 0, &f->ram, NULL));
    f->folder = g_dir_make_tmp("qomet-test-XXXXXX", NULL);
    assert_non_null(f->folder);
    f->kernel = g_build_filename(f->folder, "kernel", NULL);
    f->initrd = g_build_filename(f->folder, "initrd", NULL);
    f->request.e820 = e820_map(&f->request.low_ram_end);
    *state = f;
    return 0;
}

static int boot_teardown(void **state)
{
    BootFixture *f = *state;

    host_file_unref(f->request.kernel);
    g_array_unref(f->request.e820);
    g_remove(f->kernel);
    g_remove(f->initrd);
    g_rmdir(f->folder);
    g_free(f->kernel);
    g_free(f->initrd);
    g_free(f->folder);
    memory_region_del_subregion(get_system_memory(), &f->ram);
    object_unparent(OBJECT(&f->ram));
    object_unref(&f->ram);
    g_free(f);
    return program_teardown(state);
}

static void boot_write_file(const char *path, const void *bytes, size_t size)
{
    assert_true(g_file_set_contents(path, bytes, (gssize)size, NULL));
}

/* What becomes of a kernel of those bytes, with the initrd that was written, if one was. */
static BootImage *boot_try(BootFixture *f, const void *bytes, size_t size, GError **errp)
{
    boot_write_file(f->kernel, bytes, size);
    host_file_unref(f->request.kernel);
    f->request.kernel = host_file_open(f->kernel, BOOT_RAM, "", NULL);
    assert_non_null(f->request.kernel);
    f->request.initrd = f->words                                     ? f->words
                        : g_file_test(f->initrd, G_FILE_TEST_EXISTS) ? f->initrd
                                                                     : NULL;
    return boot_load(&f->request, errp);
}

/* The same, which works, and is in memory then. */
static BootImage *boot_made(BootFixture *f, const void *bytes, size_t size)
{
    GError *error = NULL;
    BootImage *image = boot_try(f, bytes, size, &error);

    if (!image || !boot_image_write(image, &error)) {
        fail_msg("%s", error->message);
    }
    return image;
}

/* The same, for those who look at the memory only. */
static G_GNUC_UNUSED void boot_accepted(BootFixture *f, const void *bytes, size_t size)
{
    boot_image_free(boot_made(f, bytes, size));
}

static void boot_refused(BootFixture *f, const void *bytes, size_t size, const char *why)
{
    g_autoptr(GError) error = NULL;
    BootImage *image = boot_try(f, bytes, size, &error);

    assert_null(image);
    if (!strstr(error->message, why)) {
        fail_msg("'%s' is not in: %s", why, error->message);
    }
}

static void boot_peek(hwaddr addr, void *buf, uint64_t size)
{
    assert_int_equal(
        address_space_read(&address_space_memory, addr, MEMTXATTRS_UNSPECIFIED, buf, size),
        MEMTX_OK);
}

#endif
