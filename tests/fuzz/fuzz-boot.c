/* SPDX-License-Identifier: MIT */
/*
 * Kernels of every boot protocol: the input is the file, and a ram disk goes with it. It is refused
 * with a reason, or loaded, and then all of its pieces are in RAM.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <qomet/memory/memory.h>
#include "machine/boot/boot.h"
#include "machine/boot/e820.h"
#include "machine/rooms.h"
#include "tests/fuzz/fuzz.h"

#define RAM_BYTES (UINT64_C(4) << 20)

/* The path of a file in memory that holds those bytes; its descriptor goes to *@fd. */
static char *file_of(const void *data, size_t size, int *fd)
{
    *fd = memfd_create("fuzz-boot", MFD_CLOEXEC);
    MUST(*fd >= 0 && write(*fd, data, size) == (ssize_t)size);
    return g_strdup_printf("/proc/self/fd/%d", *fd);
}

static void load(HostFile *kernel, GArray *e820, uint64_t low_ram_end, const char *initrd)
{
    BootRequest request = { .kernel = kernel,
                            .initrd = initrd,
                            .cmdline = "console=ttyS0",
                            .e820 = e820,
                            .low_ram_end = low_ram_end };
    g_autoptr(GError) error = NULL;
    g_autoptr(BootImage) image = boot_load(&request, &error);

    MUST((image != NULL) != (error != NULL) && (!error || *error->message));
    if (image) {
        MUST(boot_image_write(image, NULL));
        MUST(image->entry < UINT64_C(1) << 32);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static MemoryRegion ram;
    static GArray *e820;
    static uint64_t low_ram_end;
    static char *initrd;
    g_autofree char *path = NULL;
    HostFile *kernel;
    int fd;

    if (!initrd) {
        MUST(rooms_begin(NULL));
        MUST(memory_region_init_ram(&ram, NULL, "ram", RAM_BYTES, NULL));
        MUST(memory_region_add_subregion(get_system_memory(), 0, &ram, NULL));
        e820 = e820_map(&low_ram_end);
        initrd = file_of("disk", 4, &fd);
    }
    path = file_of(data, size, &fd);
    kernel = host_file_open(path, RAM_BYTES, "", NULL);
    if (kernel) {
        load(kernel, e820, low_ram_end, initrd);
    }
    host_file_unref(kernel);
    close(fd);
    return 0;
}
