/* SPDX-License-Identifier: MIT */
/*
 * The vCPU object and the list of vCPUs: how one is made, reset, found and ended. What its thread
 * does is in cpu-thread.c, what its registers mean in x86-cpu.c.
 */
#include <qomet/accel/accel.h>
#include "accel/cpu-int.h"
#include "accel/exit-int.h"

#define MAX_CPUS 1024

/* By index. Written on the main thread, read by any; a CPU leaves before it ends. */
static CPUState *cpu_table[MAX_CPUS];
static uint32_t cpu_number;
static unsigned cpu_limit; /* no index at or above has been used */

CPUState *qemu_get_cpu(unsigned index)
{
    return index < MAX_CPUS ? __atomic_load_n(&cpu_table[index], __ATOMIC_ACQUIRE) : NULL;
}

unsigned cpu_count(void)
{
    return __atomic_load_n(&cpu_number, __ATOMIC_ACQUIRE);
}

CPUState *cpu_next(const CPUState *cpu)
{
    for (unsigned i = cpu ? cpu->index + 1 : 0; i < __atomic_load_n(&cpu_limit, __ATOMIC_RELAXED);
         i++) {
        CPUState *next = qemu_get_cpu(i);

        if (next) {
            return next;
        }
    }
    return NULL;
}

static bool cpu_table_add(CPUState *cpu, GError **errp)
{
    for (uint32_t i = 0; i < MAX_CPUS; i++) {
        if (!cpu_table[i]) {
            cpu->index = i;
            __atomic_store_n(&cpu_limit, MAX(cpu_limit, i + 1), __ATOMIC_RELAXED);
            __atomic_store_n(&cpu_table[i], cpu, __ATOMIC_RELEASE);
            __atomic_store_n(&cpu_number, cpu_number + 1, __ATOMIC_RELEASE);
            return true;
        }
    }
    qom_error_set(errp, QOM_ERROR_STATE, "there are %d vCPUs already, no more fit", MAX_CPUS);
    return false;
}

static void cpu_table_remove(CPUState *cpu)
{
    __atomic_store_n(&cpu_table[cpu->index], NULL, __ATOMIC_RELEASE);
    __atomic_store_n(&cpu_number, cpu_number - 1, __ATOMIC_RELEASE);
}

static bool cpu_realize(DeviceState *dev, GError **errp)
{
    CPUState *cpu = CPU(dev);
    AccelState *accel = current_accel();

    if (!accel || !ACCEL_GET_CLASS(accel)->has_cpus) {
        qom_error_set(errp, QOM_ERROR_STATE, "the accelerator '%s' has no CPUs",
                      accel ? ACCEL_GET_CLASS(accel)->name : "none");
        return false;
    }
    if (!cpu_table_add(cpu, errp)) {
        return false;
    }
    if (!cpu_thread_start(cpu, errp)) {
        cpu_table_remove(cpu);
        return false;
    }
    return true;
}

static void cpu_unrealize(DeviceState *dev)
{
    CPUState *cpu = CPU(dev);

    cpu_thread_end(cpu);
    cpu_table_remove(cpu);
}

static void cpu_instance_init(Object *obj)
{
    CPUState *cpu = (CPUState *)obj;

    cpu->as_memory = &address_space_memory;
    cpu->as_io = &address_space_io;
    cpu->thread_data = cpu_thread_new();
}

static void cpu_instance_finalize(Object *obj)
{
    CPUState *cpu = (CPUState *)obj;

    cpu_thread_free(cpu->thread_data);
    exit_memory_free(cpu);
}

static void cpu_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    (void)data;
    dc->realize = cpu_realize;
    dc->unrealize = cpu_unrealize;
    dc->user_creatable = false;
    dc->hotpluggable = false;
    dc->rank = ENTRY_RANK_BRIDGE; /* whoever holds a vCPU may enter any device */
}

static const TypeInfo cpu_types[] = {
    {
        .name = TYPE_CPU,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(CPUState),
        .instance_align = 64, /* no line of the cache is shared by two vCPUs */
        .instance_init = cpu_instance_init,
        .instance_finalize = cpu_instance_finalize,
        .class_size = sizeof(CPUClass),
        .class_init = cpu_class_init,
        .abstract = true,
    },
};
DEFINE_TYPES(cpu_types)
