/* SPDX-License-Identifier: MIT */
/*
 * vCPUs: which there are, their registers, and how they see an address. They are parked while they
 * are looked at.
 */
#include <inttypes.h>
#include <qomet/accel/x86-walk.h>
#include <qomet/monitor/qmp.h>
#include <qomet/qom/value.h>
#include "monitor/handlers.h"
#include "monitor/hmp-handlers.h"
#include "monitor/hmp-int.h"

CPUState *hmp_cpu(const Monitor *mon, GError **errp)
{
    CPUState *cpu = qemu_get_cpu(mon->cpu_index);

    if (!cpu) {
        qmp_error_set(errp, QMP_ERROR_GENERIC, "No CPU available");
    }
    return cpu;
}

static CPUState *numbered_cpu(int64_t index, GError **errp)
{
    CPUState *cpu = index >= 0 && index <= UINT_MAX ? qemu_get_cpu((unsigned)index) : NULL;

    if (!cpu) {
        qmp_error_set(errp, QMP_ERROR_GENERIC,
                      "CPU#%" PRId64 " not available, accepted are 0 to %u", index,
                      cpu_count() - 1);
    }
    return cpu;
}

bool hmp_do_cpu(Monitor *mon, GVariant *args, GError **errp)
{
    CPUState *cpu = hmp_cpu(mon, errp) ? numbered_cpu(qmp_arg_int(args, "index", 0), errp) : NULL;

    if (cpu) {
        mon->cpu_index = cpu->index;
    }
    return cpu != NULL;
}

/* ---- info cpus ---- */

bool hmp_do_info_cpus(Monitor *mon, GVariant *args, GError **errp)
{
    g_autoptr(GVariant) list = NULL;

    if (!qmp_do_query_cpus_fast(mon, args, &list, errp)) {
        return false;
    }
    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) box = g_variant_get_child_value(list, i);
        g_autoptr(GVariant) info = g_variant_get_variant(box);
        int64_t index = qmp_arg_int(info, "cpu-index", 0);
        CPUState *cpu = qemu_get_cpu((unsigned)index);

        monitor_printf(mon, "%c CPU #%" PRId64 ": thread_id=%" PRId64 "%s\n",
                       index == mon->cpu_index ? '*' : ' ', index,
                       qmp_arg_int(info, "thread-id", 0),
                       cpu && __atomic_load_n(&cpu->halted, __ATOMIC_RELAXED) ? " (halted)" : "");
    }
    return true;
}

/* ---- info registers ---- */

static void show_registers(Monitor *mon, CPUState *cpu)
{
    g_autoptr(GString) text = g_string_new(NULL);

    pause_all_vcpus();
    CPU_GET_CLASS(cpu)->dump_state(cpu, true, text);
    resume_all_vcpus();
    monitor_printf(mon, "\nCPU#%u\n%s", cpu->index, text->str);
}

bool hmp_do_info_registers(Monitor *mon, GVariant *args, GError **errp)
{
    int64_t index = qmp_arg_int(args, "vcpu", mon->cpu_index);
    CPUState *cpu;

    if (!hmp_cpu(mon, errp)) {
        return false;
    }
    if (qmp_arg_bool(args, "a", false)) {
        for (unsigned i = 0; i < cpu_count(); i++) {
            show_registers(mon, qemu_get_cpu(i));
        }
        return true;
    }
    cpu = numbered_cpu(index, errp);
    if (cpu) {
        show_registers(mon, cpu);
    }
    return cpu != NULL;
}

/* ---- print ---- */

bool hmp_do_print(Monitor *mon, GVariant *args, GError **errp)
{
    HmpFormat f = hmp_arg_format(args, "fmt", (HmpFormat){ .format = 'x' });
    uint64_t value = (uint64_t)qmp_arg_int(args, "expr", 0);

    (void)errp;
    switch (f.format) {
    case 'o':
        monitor_printf(mon, "%#" PRIo64 "\n", value);
        break;
    case 'u':
        monitor_printf(mon, "%" PRIu64 "\n", value);
        break;
    case 'd':
        monitor_printf(mon, "%" PRId64 "\n", (int64_t)value);
        break;
    case 'c':
        hmp_print_character(mon, (uint8_t)value);
        monitor_puts(mon, "\n");
        break;
    default:
        monitor_printf(mon, "%#" PRIx64 "\n", value);
        break;
    }
    return true;
}

/* ---- gva2gpa ---- */

static void show_step(Monitor *mon, const X86WalkStep *step)
{
    monitor_printf(mon, "%-5s [%3u] at 0x%016" PRIx64 ": 0x%016" PRIx64 "\n", step->level,
                   step->index, step->entry_addr, step->entry);
}

static void show_page(Monitor *mon, const X86Walk *walk)
{
    g_autofree char *size = value_print_size(walk->page_size);

    monitor_printf(mon, "page of %s, %s, %s%s\n", size, walk->writable ? "writable" : "read-only",
                   walk->user ? "user" : "supervisor", walk->no_execute ? ", no execute" : "");
}

bool hmp_do_gva2gpa(Monitor *mon, GVariant *args, GError **errp)
{
    CPUState *cpu = hmp_cpu(mon, errp);
    const X86Registers *r;
    X86Walk walk;

    if (!cpu) {
        return false;
    }
    pause_all_vcpus();
    r = x86_cpu_registers(X86_CPU(cpu), errp);
    if (r) {
        x86_walk(r, cpu->as_memory, (uint64_t)qmp_arg_int(args, "addr", 0), &walk);
    }
    resume_all_vcpus();
    if (!r) {
        return false;
    }
    for (unsigned i = 0; i < walk.n_steps; i++) {
        show_step(mon, &walk.steps[i]);
    }
    if (!walk.mapped) {
        monitor_printf(mon, "Unmapped: %s\n", walk.fault);
        return true;
    }
    if (walk.n_steps) {
        show_page(mon, &walk);
    } else {
        monitor_puts(mon, "paging is off\n");
    }
    monitor_printf(mon, "gpa: %#" PRIx64 "\n", walk.gpa);
    return true;
}
