/* SPDX-License-Identifier: MIT */
/*
 * How many vCPUs a machine has, and how they stand together: what -smp leaves out follows from the
 * rest as in QEMU since 6.2, cores before sockets before threads.
 */
#include <qomet/machine/machine.h>
#include <qomet/qom/error.h>

#define MAX_APIC_ID 254 /* 0xff is all of them */

typedef struct Smp {
    uint32_t cpus, maxcpus; /* 0: not given */
    CPUTopology topology;
} Smp;

static uint32_t or_one(uint32_t n)
{
    return n ? n : 1;
}

static uint64_t product(const CPUTopology *t)
{
    return (uint64_t)t->sockets * t->cores * t->threads;
}

static Smp complete(const MachineState *machine)
{
    Smp smp = { .cpus = machine->smp_cpus,
                .maxcpus = machine->smp_maxcpus ? machine->smp_maxcpus : machine->smp_cpus,
                .topology = { .sockets = machine->smp_sockets,
                              .cores = machine->smp_cores,
                              .threads = machine->smp_threads } };
    CPUTopology *t = &smp.topology;

    if (!smp.maxcpus) {
        *t = (CPUTopology){ or_one(t->sockets), or_one(t->cores), or_one(t->threads) };
    } else if (!t->cores) {
        t->sockets = or_one(t->sockets);
        t->threads = or_one(t->threads);
        t->cores = smp.maxcpus / (t->sockets * t->threads);
    } else if (!t->sockets) {
        t->threads = or_one(t->threads);
        t->sockets = smp.maxcpus / (t->cores * t->threads);
    } else if (!t->threads) {
        t->threads = smp.maxcpus / (t->sockets * t->cores);
    }
    smp.maxcpus = smp.maxcpus ? smp.maxcpus : (uint32_t)product(t);
    smp.cpus = smp.cpus ? smp.cpus : smp.maxcpus;
    return smp;
}

static bool check(const Smp *smp, GError **errp)
{
    const CPUTopology *t = &smp->topology;
    uint32_t last;

    if (product(t) != smp->maxcpus) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "sockets (%u) * cores (%u) * threads (%u) must be the number of vCPUs, "
                      "maxcpus (%u)",
                      t->sockets, t->cores, t->threads, smp->maxcpus);
        return false;
    }
    if (smp->maxcpus < smp->cpus) {
        qom_error_set(errp, QOM_ERROR_VALUE, "maxcpus (%u) is less than the number of vCPUs, %u",
                      smp->maxcpus, smp->cpus);
        return false;
    }
    if (smp->maxcpus > smp->cpus) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "maxcpus (%u) is more than the number of vCPUs, %u: none can be added to a "
                      "machine that runs",
                      smp->maxcpus, smp->cpus);
        return false;
    }
    last = x86_apic_id(t, smp->cpus - 1);
    if (last > MAX_APIC_ID) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "sockets (%u) * cores (%u) * threads (%u): the last vCPU would have the APIC "
                      "id %u, accepted are ids up to %u",
                      t->sockets, t->cores, t->threads, last, MAX_APIC_ID);
        return false;
    }
    return true;
}

CPUTopology machine_topology(const MachineState *machine)
{
    return complete(machine).topology;
}

bool machine_compute_cpus(MachineState *machine, GError **errp)
{
    Smp smp;

    machine->smp_cpus = 0;
    smp = complete(machine);
    machine->smp_cpus = smp.cpus;
    return check(&smp, errp);
}

bool machine_check_cpus(const MachineState *machine, GError **errp)
{
    const MachineClass *mc = MACHINE_GET_CLASS(machine);
    g_autofree char *name = machine_name(mc);
    Smp smp;

    if (!mc->max_cpus && machine->smp_cpus > 1) {
        qom_error_set(errp, QOM_ERROR_VALUE, "the machine '%s' has no vCPUs", name);
        return false;
    }
    if (mc->max_cpus && (machine->smp_cpus < 1 || machine->smp_cpus > mc->max_cpus)) {
        qom_error_set(errp, QOM_ERROR_VALUE,
                      "%u is no number of vCPUs for the machine '%s', accepted are 1 to %u",
                      machine->smp_cpus, name, mc->max_cpus);
        return false;
    }
    smp = complete(machine);
    return !mc->max_cpus || check(&smp, errp);
}
