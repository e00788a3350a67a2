/* SPDX-License-Identifier: MIT */
/* Images of guests: their pieces, how they get into memory, and which loader a kernel is for. */
#include <inttypes.h>
#include <string.h>
#include <qomet/memory/memory.h>
#include <qomet/qom/error.h>
#include "machine/boot/boot.h"

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

/* ---- Which loader ---- */

BootImage *boot_load(const BootRequest *request, GError **errp)
{
    g_autoptr(BootImage) image = boot_image_new();

    if (!linux_recognises(request->kernel)) {
        qom_error_set(errp, QOM_ERROR_VALUE, "'%s' is no kernel: a bzImage is needed",
                      host_file_path(request->kernel));
        return NULL;
    }
    return linux_load(request, image, errp) ? g_steal_pointer(&image) : NULL;
}
