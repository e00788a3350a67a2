/* SPDX-License-Identifier: MIT */
/*
 * What boards of the PC's family are made of: the accelerator's interrupt controllers, an ISA bus
 * whose lines lead to them, serial ports, and a kernel that is started without firmware.
 */
#include <qomet/backends/chardev/char.h>
#include <qomet/qom/error.h>
#include "machine/boot/e820.h"
#include "machine/x86-board.h"

bool x86_place(MachineState *machine, const char *name, DeviceState *dev, BusState *bus,
               GError **errp)
{
    if (!object_property_add_child(OBJECT(machine), name, OBJECT(dev), errp)) {
        object_unref(dev);
        return false;
    }
    return qdev_realize_and_unref(dev, bus, errp);
}

ISABus *x86_make_isa(MachineState *machine, GError **errp)
{
    ISABus *isa = isa_bus_new(NULL, get_system_io(), errp);

    return isa && x86_wire_isa(machine, isa, errp) ? isa : NULL;
}

static bool make_serial(MachineState *machine, ISABus *isa, unsigned n, GError **errp)
{
    const char *words = machine_serial_words(machine, n);
    g_autofree char *id = g_strdup_printf("serial%u", n);
    Chardev *chr;
    DeviceState *dev;

    if (!words) {
        return true;
    }
    chr = qemu_chr_new(id, words, errp);
    dev = chr ? qdev_new("isa-serial", errp) : NULL;
    if (!dev) {
        return false;
    }
    if (!object_property_set_uint(OBJECT(dev), "index", n, errp) ||
        !object_property_set_str(OBJECT(dev), "chardev", chr->label, errp)) {
        object_unref(dev);
        return false;
    }
    return x86_place(machine, id, dev, BUS(isa), errp);
}

bool x86_make_serials(MachineState *machine, ISABus *isa, GError **errp)
{
    for (unsigned n = 0; n < machine_serial_count(machine); n++) {
        if (!make_serial(machine, isa, n, errp)) {
            g_prefix_error(errp, "-serial %s: ", machine_serial_words(machine, n));
            return false;
        }
    }
    return true;
}

/* ---- Kernels ---- */

BootImage *x86_load_kernel(MachineState *machine, uint64_t rsdp, GError **errp)
{
    BootRequest request = { .cmdline = machine->kernel_cmdline,
                            .initrd = machine->initrd_filename,
                            .rsdp = rsdp };
    BootImage *image = NULL;

    if (!machine->kernel_filename) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "there is nothing to run: give a kernel with -kernel FILE");
        return NULL;
    }
    request.e820 = e820_map(&request.low_ram_end);
    request.kernel = host_file_open(machine->kernel_filename, request.low_ram_end,
                                    "RAM is there below 4 GiB (-m gives more)", errp);
    if (request.kernel) {
        image = boot_load(&request, errp);
    }
    host_file_unref(request.kernel);
    g_array_unref(request.e820);
    return image;
}

void x86_start_kernel(const BootImage *image)
{
    GError *error = NULL;

    if (!image) {
        return;
    }
    if (!boot_image_write(image, &error)) {
        error_report("%s", error->message);
        g_error_free(error);
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_ERROR);
        return;
    }
    boot_image_start(image, X86_CPU(qemu_get_cpu(0)));
}
