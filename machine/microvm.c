/* SPDX-License-Identifier: MIT */
/*
 * The machine "microvm": RAM, vCPUs, the accelerator's interrupt controllers, serial ports, and a
 * kernel that is started without firmware and learns the rest from ACPI tables. None of a PC's older
 * devices. Addresses are those of QEMU's machine of that name.
 */
#include <qomet/hw/acpi/ged.h>
#include <qomet/qom/error.h>
#include "machine/boot/e820.h"
#include "machine/x86-acpi.h"
#include "machine/x86-board.h"

#define TYPE_MICROVM_MACHINE MACHINE_TYPE_NAME("microvm")
OBJECT_DECLARE_SIMPLE_TYPE(MicrovmMachine, MICROVM_MACHINE)

#define GED_AT 0xfea00000
#define GED_REGS_AT 0xfea00200
#define GED_LINE 9

struct MicrovmMachine {
    MachineState parent_obj;
    bool acpi;
    int kernel_irqchip; /* OnOffSplit */
    BootImage *image;   /* what is loaded, or NULL: nothing was to be */
};

/* ---- The board ---- */

/* By which the guest switches the machine off, and hears of the power button. */
static bool make_ged(MachineState *machine, GError **errp)
{
    Object *pic = object_resolve_path_component(OBJECT(machine), "pic");
    DeviceState *ged = qdev_new(TYPE_ACPI_GED, errp);

    if (!ged || !x86_place(machine, "ged", ged, sysbus_get_default(), errp)) {
        return false;
    }
    return sysbus_connect_irq(SYS_BUS_DEVICE(ged), 0, qdev_get_gpio_in(DEVICE(pic), GED_LINE),
                              errp) &&
           sysbus_mmio_map(SYS_BUS_DEVICE(ged), 0, GED_AT, errp) &&
           sysbus_mmio_map(SYS_BUS_DEVICE(ged), 1, GED_REGS_AT, errp);
}

/* By which the code at the reset vector restarts the machine. */
static bool make_reset_port(MachineState *machine, ISABus *isa, GError **errp)
{
    DeviceState *port = qdev_new("port92", errp);

    return port && x86_place(machine, "port92", port, BUS(isa), errp);
}

static bool microvm_init(MachineState *machine, GError **errp)
{
    ISABus *isa;

    if (!x86_make_irqchip(machine, MICROVM_MACHINE(machine)->kernel_irqchip, errp) ||
        !machine_create_ram(machine, X86_LOW_RAM_END, X86_HIGH_RAM_START, errp) ||
        !machine_create_cpus(machine, errp)) {
        return false;
    }
    if (MICROVM_MACHINE(machine)->acpi && !make_ged(machine, errp)) {
        return false;
    }
    isa = x86_make_isa(machine, errp);
    return isa && make_reset_port(machine, isa, errp) && x86_make_serials(machine, isa, errp);
}

/* ---- Tables ---- */

static bool add_tables(MachineState *machine, GError **errp)
{
    static const AcpiReduced reduced = { .ged_addr = GED_AT,
                                         .regs_addr = GED_REGS_AT,
                                         .gsi = GED_LINE };
    g_autoptr(AcpiTables) tables = x86_acpi_build(machine, (AcpiBoard){ .reduced = &reduced });

    return x86_acpi_place(machine, tables, MICROVM_MACHINE(machine)->image, errp);
}

/* ---- The guest ---- */

/*
 * Where a processor begins in real mode. Linux jumps there to restart a machine of reduced hardware
 * that has no EFI either, and does not try the reset register of its tables.
 */
static void add_reset_vector(BootImage *image)
{
    static const uint8_t code[] = {
        0xb0, 0x01, /* mov al, 1 */
        0xe6, 0x92, /* out 0x92, al */
        0xfa, 0xf4, /* cli; hlt */
    };

    boot_image_add_copy(image, RESET_VECTOR, code, sizeof(code));
}

static bool microvm_done(MachineState *machine, GError **errp)
{
    MicrovmMachine *s = MICROVM_MACHINE(machine);

    if (!machine_check_words(machine, MACHINE_KERNEL | MACHINE_INITRD | MACHINE_CMDLINE,
                             "starts a kernel without firmware", errp)) {
        return false;
    }
    if (!machine->kernel_filename && (!cpu_count() || machine->waits)) {
        return true; /* whoever drives the board needs none, or brings it */
    }
    s->image = x86_load_kernel(machine, s->acpi ? FIRMWARE_START : 0, errp);
    if (!s->image || (s->acpi && !add_tables(machine, errp))) {
        return false;
    }
    add_reset_vector(s->image);
    return true;
}

static void microvm_reset(MachineState *machine)
{
    x86_start_kernel(MICROVM_MACHINE(machine)->image);
}

/* ---- The type ---- */

static void microvm_finalize(Object *obj)
{
    g_clear_pointer(&((MicrovmMachine *)obj)->image, boot_image_free);
}

static const Property microvm_props[] = {
    DEFINE_PROP_BOOL("acpi", MicrovmMachine, acpi, true,
                     .help = "have ACPI tables, and a device to switch the machine off"),
    DEFINE_PROP_ENUM("kernel-irqchip", MicrovmMachine, kernel_irqchip, on_off_split_table,
                     ON_OFF_SPLIT_ON,
                     .help = "have the accelerator's interrupt controllers; split: its local APICs "
                             "alone; off: none"),
};

static void microvm_class_init(ObjectClass *klass, const void *data)
{
    MachineClass *mc = MACHINE_CLASS(klass);

    (void)data;
    mc->desc = "minimal machine for a kernel that is started directly";
    mc->max_cpus = 240;
    mc->default_ram_size = UINT64_C(128) << 20;
    mc->max_ram_size = UINT64_C(1) << 40;
    mc->default_cpu_type = "max";
    mc->init = microvm_init;
    mc->done = microvm_done;
    mc->reset = microvm_reset;
    object_class_add_properties(klass, microvm_props, G_N_ELEMENTS(microvm_props));
}

static const TypeInfo microvm_types[] = {
    {
        .name = TYPE_MICROVM_MACHINE,
        .parent = TYPE_MACHINE,
        .instance_size = sizeof(MicrovmMachine),
        .instance_finalize = microvm_finalize,
        .class_init = microvm_class_init,
    },
};
DEFINE_TYPES(microvm_types)
