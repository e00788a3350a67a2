/* SPDX-License-Identifier: MIT */
/*
 * Questions about the machine as a whole: its name, what executes it, its vCPUs, how much memory it
 * has, and which other machines could be made.
 */
#include <qomet/machine/machine.h>
#include <qomet/monitor/qmp.h>
#include "monitor/handlers.h"

/* Floating text, as a member of a GVariantBuilder of a{sv}. */
static void add_str(GVariantBuilder *object, const char *name, const char *text)
{
    g_variant_builder_add(object, "{sv}", name, g_variant_new_string(text));
}

static void add_bool(GVariantBuilder *object, const char *name, bool value)
{
    g_variant_builder_add(object, "{sv}", name, g_variant_new_boolean(value));
}

static void add_int(GVariantBuilder *object, const char *name, int64_t value)
{
    g_variant_builder_add(object, "{sv}", name, g_variant_new_int64(value));
}

bool qmp_do_query_name(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    const MachineState *machine = current_machine();
    GVariantBuilder name;

    (void)mon;
    (void)args;
    (void)errp;
    g_variant_builder_init(&name, G_VARIANT_TYPE_VARDICT);
    if (machine && machine->guest_name) {
        add_str(&name, "name", machine->guest_name);
    }
    *ret = g_variant_builder_end(&name);
    return true;
}

bool qmp_do_query_kvm(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    AccelState *accel = current_accel();
    GVariantBuilder info;

    (void)mon;
    (void)args;
    (void)errp;
    g_variant_builder_init(&info, G_VARIANT_TYPE_VARDICT);
    add_bool(&info, "enabled", accel && !g_strcmp0(ACCEL_GET_CLASS(accel)->name, "kvm"));
    add_bool(&info, "present", object_class_by_name("kvm" ACCEL_CLASS_SUFFIX) != NULL);
    *ret = g_variant_builder_end(&info);
    return true;
}

bool qmp_do_query_target(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    (void)mon;
    (void)args;
    (void)errp;
    *ret = g_variant_new_parsed("{'arch': <'x86_64'>}");
    return true;
}

/* ---- Machine types ---- */

static void add_machine(ObjectClass *klass, void *opaque)
{
    const MachineClass *mc = MACHINE_CLASS(klass);
    g_autofree char *name = machine_name(mc);
    GVariantBuilder info;

    g_variant_builder_init(&info, G_VARIANT_TYPE_VARDICT);
    add_str(&info, "name", name);
    if (mc->alias) {
        add_str(&info, "alias", mc->alias);
    }
    if (mc->is_default) {
        add_bool(&info, "is-default", true);
    }
    /* A machine without vCPUs counts as one that has one, as -smp does. */
    add_int(&info, "cpu-max", MAX(mc->max_cpus, 1));
    add_bool(&info, "hotpluggable-cpus", false);
    add_bool(&info, "numa-mem-supported", false);
    add_bool(&info, "deprecated", false);
    if (mc->default_cpu_type) {
        g_autofree char *type = g_strconcat(mc->default_cpu_type, X86_CPU_TYPE_NAME(""), NULL);

        add_str(&info, "default-cpu-type", type);
    }
    if (mc->default_ram_size) {
        add_str(&info, "default-ram-id", "ram");
    }
    g_variant_builder_add(opaque, "v", g_variant_builder_end(&info));
}

bool qmp_do_query_machines(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    GVariantBuilder list;

    (void)mon;
    (void)args;
    (void)errp;
    module_load_all();
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
    g_autofree char *path = object_get_canonical_path(OBJECT(cpu));
    GVariantBuilder info, props;

    /* All vCPUs are cores of one package. */
    g_variant_builder_init(&props, G_VARIANT_TYPE_VARDICT);
    add_int(&props, "core-id", cpu->index);
    add_int(&props, "thread-id", 0);
    add_int(&props, "socket-id", 0);
    g_variant_builder_init(&info, G_VARIANT_TYPE_VARDICT);
    add_int(&info, "thread-id", thread_id(cpu));
    g_variant_builder_add(&info, "{sv}", "props", g_variant_builder_end(&props));
    add_str(&info, "qom-path", path ? path : "");
    add_int(&info, "cpu-index", cpu->index);
    add_str(&info, "target", "x86_64");
    return g_variant_builder_end(&info);
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

bool qmp_do_query_memory_size_summary(Monitor *mon, GVariant *args, GVariant **ret, GError **errp)
{
    const MachineState *machine = current_machine();
    /* -m means nothing to a machine that has no RAM. */
    bool has_ram = machine && MACHINE_GET_CLASS(machine)->default_ram_size;
    GVariantBuilder info;

    (void)mon;
    (void)args;
    (void)errp;
    g_variant_builder_init(&info, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&info, "{sv}", "base-memory",
                          g_variant_new_uint64(has_ram ? machine->ram_size : 0));
    g_variant_builder_add(&info, "{sv}", "plugged-memory", g_variant_new_uint64(0));
    *ret = g_variant_builder_end(&info);
    return true;
}
