/* SPDX-License-Identifier: MIT */
/*
 * The machine "microvm": RAM, vCPUs, the accelerator's interrupt controllers, serial ports, and a
 * kernel that is started without firmware. None of a PC's older devices.
 */
#include <qomet/qom/error.h>
#include "machine/boot/boot.h"
#include "machine/boot/e820.h"
#include "machine/x86-board.h"

#define TYPE_MICROVM_MACHINE MACHINE_TYPE_NAME("microvm")
OBJECT_DECLARE_SIMPLE_TYPE(MicrovmMachine, MICROVM_MACHINE)

struct MicrovmMachine {
    MachineState parent_obj;
    BootImage *image; /* what is loaded, or NULL: nothing was to be */
};

/* ---- The board ---- */

static bool microvm_init(MachineState *machine, GError **errp)
{
    ISABus *isa;

    if (!x86_make_irqchip(machine, errp) ||
        !machine_create_ram(machine, X86_LOW_RAM_END, X86_HIGH_RAM_START, errp) ||
        !machine_create_cpus(machine, errp)) {
        return false;
    }
    isa = x86_make_isa(machine, errp);
    return isa && x86_make_serials(machine, isa, errp);
}

/* ---- The guest ---- */

static bool microvm_done(MachineState *machine, GError **errp)
{
    MicrovmMachine *s = MICROVM_MACHINE(machine);

    if (!machine->kernel_filename && (!cpu_count() || machine->waits)) {
        return true; /* whoever drives the board needs none, or brings it */
    }
    s->image = x86_load_kernel(machine, 0, errp);
    return s->image != NULL;
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
