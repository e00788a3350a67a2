/* SPDX-License-Identifier: MIT */
/*
 * Questions about the machine as a whole: its name, what executes it, its vCPUs, how much memory it
 * has, and which other machines could be made.
 */
#include <qomet/machine/machine.h>
#include <qomet/monitor/qmp.h>
#include "monitor/handlers.h"

#define TARGET "x86_64"

bool qmp_do_query_name(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    const MachineState *machine = current_machine();
    const char *name = machine ? machine->guest_name : NULL;

    (void)mon;
    (void)args;
    (void)errp;
    *ret = name ? qmp_object("name", qmp_text(name), NULL) : NULL;
    return true;
}

bool qmp_do_query_kvm(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    AccelState *accel = current_accel();
    bool enabled = accel && !g_strcmp0(ACCEL_GET_CLASS(accel)->name, "kvm");
    bool present = object_class_by_name("kvm" ACCEL_CLASS_SUFFIX) != NULL;

    (void)mon;
    (void)args;
    (void)errp;
    *ret = qmp_object("enabled", g_variant_new_boolean(enabled), "present",
                      g_variant_new_boolean(present), NULL);
    return true;
}

bool qmp_do_query_target(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    (void)mon;
    (void)args;
    (void)errp;
    *ret = qmp_object("arch", g_variant_new_string(TARGET), NULL);
    return true;
}

/* ---- Machine types ---- */

static void add_machine(ObjectClass *klass, void *opaque)
{
    const MachineClass *mc = MACHINE_CLASS(klass);
    g_autofree char *cpu = mc->default_cpu_type
                               ? g_strconcat(mc->default_cpu_type, X86_CPU_TYPE_NAME(""), NULL)
                               : NULL;
    GVariant *no = g_variant_ref_sink(g_variant_new_boolean(false));

    g_variant_builder_add(
        opaque, "v",
        qmp_object("name", g_variant_new_take_string(machine_name(mc)), "alias",
                   mc->alias ? g_variant_new_string(mc->alias) : NULL, "is-default",
                   mc->is_default ? g_variant_new_boolean(true) : NULL,
                   /* A machine without vCPUs counts as one that has one, as -smp does. */
                   "cpu-max", g_variant_new_int64(MAX(mc->max_cpus, 1)), "hotpluggable-cpus", no,
                   "numa-mem-supported", no, "deprecated", no, "default-cpu-type",
                   cpu ? g_variant_new_string(cpu) : NULL, "default-ram-id",
                   mc->default_ram_size ? g_variant_new_string("ram") : NULL, NULL));
    g_variant_unref(no);
}

bool qmp_do_query_machines(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    GVariantBuilder list;

    (void)mon;
    (void)args;
    (void)errp;
    module_load_all(NULL);
    g_variant_builder_init(&list, G_VARIANT_TYPE("av"));
    object_class_foreach(add_machine, TYPE_MACHINE, false, &list);
    *ret = g_variant_builder_end(&list);
    return true;
}

/* ---- What the machine has ---- */

static void do_nothing(CPUState *cpu, void *opaque)
{
    (void)cpu;
    (void)opaque;
}

/* The number of the vCPU's thread, which has come up by then. */
static int thread_id(CPUState *cpu)
{
    if (!__atomic_load_n(&cpu->thread_id, __ATOMIC_ACQUIRE)) {
        run_on_cpu(cpu, do_nothing, NULL);
    }
    return __atomic_load_n(&cpu->thread_id, __ATOMIC_ACQUIRE);
}

static GVariant *cpu_info(CPUState *cpu)
{
    char *path = object_get_canonical_path(OBJECT(cpu));
    /* All vCPUs are cores of one package. */
    GVariant *props =
        qmp_object("socket-id", g_variant_new_int64(0), "core-id", g_variant_new_int64(cpu->index),
                   "thread-id", g_variant_new_int64(0), NULL);

    return qmp_object("cpu-index", g_variant_new_int64(cpu->index), "qom-path",
                      g_variant_new_take_string(path), "thread-id",
                      g_variant_new_int64(thread_id(cpu)), "props", props, "target",
                      g_variant_new_string(TARGET), NULL);
}

bool qmp_do_query_cpus_fast(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    GVariantBuilder list;

    (void)mon;
    (void)args;
    (void)errp;
    g_variant_builder_init(&list, G_VARIANT_TYPE("av"));
    for (unsigned i = 0; i < cpu_count(); i++) {
        CPUState *cpu = qemu_get_cpu(i);

        if (cpu) {
            g_variant_builder_add(&list, "v", cpu_info(cpu));
        }
    }
    *ret = g_variant_builder_end(&list);
    return true;
}

bool qmp_do_inject_nmi(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    CPUState *cpu;

    (void)mon;
    (void)args;
    (void)ret;
    if (!cpu_count()) {
        qmp_error_set(errp, QMP_ERROR_GENERIC,
                      "this feature or command is not currently supported: there is no vCPU");
        return false;
    }
    CPU_FOREACH(cpu)
    {
        if (!cpu_inject_nmi(cpu, errp)) {
            return false;
        }
    }
    return true;
}

/* There is no migration; libvirt takes an error for a program that is no use at all. */
bool qmp_do_query_migrate_capabilities(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    (void)mon;
    (void)args;
    (void)errp;
    *ret = g_variant_new_array(G_VARIANT_TYPE_VARIANT, NULL, 0);
    return true;
}

bool qmp_do_query_memory_size_summary(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    const MachineState *machine = current_machine();
    /* -m means nothing to a machine that has no RAM. */
    bool has_ram = machine && MACHINE_GET_CLASS(machine)->default_ram_size;

    (void)mon;
    (void)args;
    (void)errp;
    *ret = qmp_object("base-memory", g_variant_new_uint64(has_ram ? machine->ram_size : 0),
                      "plugged-memory", g_variant_new_uint64(0), NULL);
    return true;
}
