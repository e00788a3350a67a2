/* SPDX-License-Identifier: MIT */
/* Images of guests: their pieces, how they get into memory, and which loader a kernel is for. */
#include <inttypes.h>
#include <string.h>
#include <qomet/memory/memory.h>
#include <qomet/qom/error.h>
#include "machine/boot/boot.h"
#include "machine/boot/elf.h"

static void clear_piece(gpointer data)
{
    BootPiece *piece = data;

    g_clear_pointer(&piece->bytes, g_bytes_unref);
    g_clear_pointer(&piece->file, host_file_unref);
}

BootImage *boot_image_new(void)
{
    BootImage *image = g_new0(BootImage, 1);

    image->pieces = g_array_new(FALSE, FALSE, sizeof(BootPiece));
    g_array_set_clear_func(image->pieces, clear_piece);
    return image;
}

void boot_image_free(BootImage *image)
{
    if (image) {
        g_array_unref(image->pieces);
        g_free(image);
    }
}

/* ---- Pieces ---- */

void boot_image_add_bytes(BootImage *image, hwaddr addr, GBytes *bytes)
{
    BootPiece piece = { .addr = addr, .size = g_bytes_get_size(bytes), .bytes = bytes };

    g_array_append_val(image->pieces, piece);
}

void boot_image_add_copy(BootImage *image, hwaddr addr, const void *data, uint64_t size)
{
    boot_image_add_bytes(image, addr, g_bytes_new(data, size));
}

void boot_image_add_file(BootImage *image, hwaddr addr, HostFile *file, uint64_t offset,
                         uint64_t size)
{
    BootPiece piece = { .addr = addr, .size = size, .file = host_file_ref(file), .offset = offset };

    g_array_append_val(image->pieces, piece);
}

void boot_image_add_zeros(BootImage *image, hwaddr addr, uint64_t size)
{
    BootPiece piece = { .addr = addr, .size = size };

    g_array_append_val(image->pieces, piece);
}

static bool write_piece(const BootPiece *piece, GError **errp)
{
    GuestSlice slice;
    bool ok = true;

    if (!guest_slice_get(&address_space_memory, piece->addr, piece->size, true, &slice)) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "%" PRIu64 " bytes of the guest belong at 0x%" PRIx64
                      ", where there is no RAM for all of them",
                      piece->size, piece->addr);
        return false;
    }
    if (piece->bytes) {
        memcpy(slice.host, g_bytes_get_data(piece->bytes, NULL), piece->size);
    } else if (piece->file) {
        ok = host_file_read(piece->file, piece->offset, slice.host, piece->size, errp);
    } else {
        memset(slice.host, 0, piece->size);
    }
    guest_slice_put(&slice);
    return ok;
}

bool boot_image_write(const BootImage *image, GError **errp)
{
    for (guint i = 0; i < image->pieces->len; i++) {
        if (!write_piece(&g_array_index(image->pieces, BootPiece, i), errp)) {
            return false;
        }
    }
    return true;
}

void boot_image_start(const BootImage *image, X86CPU *cpu)
{
    X86Registers *r = x86_cpu_registers_for_write(cpu, NULL);

    if (r) { /* always, after a reset */
        flat_mode_registers(&image->mode, r);
        memcpy(r->gpr, image->gpr, sizeof(r->gpr));
        r->rip = image->entry;
    }
}

/* ---- For loaders ---- */

bool boot_refuse(const BootRequest *request, GError **errp, const char *what)
{
    qom_error_set(errp, QOM_ERROR_VALUE, "the kernel '%s' %s", host_file_path(request->kernel),
                  what);
    return false;
}

bool boot_place_cmdline(const BootRequest *request, BootImage *image, uint64_t most, GError **errp)
{
    const char *text = request->cmdline ? request->cmdline : "";
    size_t len = strlen(text);

    most = MIN(most, BOOT_CMDLINE_MAX);
    if (len > most) {
        g_autofree char *what = g_strdup_printf(
            "takes a command line of %" PRIu64 " characters, and -append has %zu", most, len);

        return boot_refuse(request, errp, what);
    }
    boot_image_add_copy(image, BOOT_CMDLINE_AT, text, len + 1);
    return true;
}

bool boot_place_initrd(const BootRequest *request, BootImage *image, const char *path,
                       uint64_t from, uint64_t end, uint64_t *at, uint64_t *size, GError **errp)
{
    g_autoptr(HostFile) file = NULL;
    uint64_t room;

    *at = *size = 0;
    if (!path) {
        return true;
    }
    end = MIN(end, request->low_ram_end);
    room = end > from ? end - from : 0;
    file =
        host_file_open(path, room,
                       end == request->low_ram_end ? "RAM is left behind the kernel (-m gives more)"
                                                   : "what the kernel leaves to an initrd is there",
                       errp);
    if (!file) {
        g_prefix_error(errp, "-initrd: ");
        return false;
    }
    *size = host_file_size(file);
    *at = (end - *size) & ~(FLAT_MODE_PAGE - 1);
    if (*at < from) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "-initrd: '%s' begins in the last page of the kernel: give more with -m",
                      path);
        return false;
    }
    boot_image_add_file(image, *at, file, 0, *size);
    return true;
}

void boot_image_start_flat32(BootImage *image, uint32_t entry)
{
    image->mode = (FlatMode){ .tables = BOOT_TABLES_AT, .code32 = 0x8, .data = 0x10 };
    image->entry = entry;
    boot_image_add_bytes(image, BOOT_TABLES_AT, flat_mode_tables(&image->mode));
}

/* ---- Which loader ---- */

typedef struct Loader {
    bool (*recognises)(HostFile *kernel);
    bool (*load)(const BootRequest *request, BootImage *image, GError **errp);
} Loader;

/* A file may be for several: who says so at the beginning of the file comes first, as with QEMU. */
static const Loader loaders[] = {
    { linux_recognises, linux_load },
    { multiboot_recognises, multiboot_load },
    { pvh_recognises, pvh_load },
    { elf_recognises, linux_load_elf },
};

BootImage *boot_load(const BootRequest *request, GError **errp)
{
    g_autoptr(BootImage) image = boot_image_new();

    for (unsigned i = 0; i < G_N_ELEMENTS(loaders); i++) {
        if (loaders[i].recognises(request->kernel)) {
            return loaders[i].load(request, image, errp) ? g_steal_pointer(&image) : NULL;
        }
    }
    qom_error_set(errp, QOM_ERROR_VALUE,
                  "'%s' is no kernel that is known here: a bzImage, an ELF file, or one with a "
                  "multiboot header",
                  host_file_path(request->kernel));
    return NULL;
}
