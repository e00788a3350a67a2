/* SPDX-License-Identifier: MIT */
/* -smp: what follows from what, what is refused, and the APIC ids of vCPUs. */
#include "tests/test.h"
#include <qomet/machine/machine.h>
#include "tests/unit/program-fixture.h"

/* As -smp would have it; 0: not given. */
static GError *smp(uint32_t cpus, uint32_t sockets, uint32_t cores, uint32_t threads,
                   uint32_t maxcpus)
{
    MachineState *machine = current_machine();
    GError *error = NULL;

    if (!machine) {
        machine = machine_new(machine_class_find("pc", NULL), NULL);
        assert_non_null(machine);
    }
    machine->smp_cpus = cpus;
    machine->smp_sockets = sockets;
    machine->smp_cores = cores;
    machine->smp_threads = threads;
    machine->smp_maxcpus = maxcpus;
    if (cpus || machine_compute_cpus(machine, &error)) {
        assert_true(machine_check_cpus(machine, &error) == !error);
    }
    return error;
}

static void assert_topology(uint32_t cpus, uint32_t sockets, uint32_t cores, uint32_t threads)
{
    const CPUTopology t = machine_topology(current_machine());

    assert_int_equal(current_machine()->smp_cpus, cpus);
    assert_int_equal(t.sockets, sockets);
    assert_int_equal(t.cores, cores);
    assert_int_equal(t.threads, threads);
}

static void assert_refused(GError *error, const char *why)
{
    assert_non_null(error);
    if (!strstr(error->message, why)) {
        fail_msg("'%s' does not say '%s'", error->message, why);
    }
    g_error_free(error);
}

static void what_is_left_out_becomes_cores_then_sockets_then_threads(void **state)
{
    (void)state;
    assert_null(smp(8, 0, 0, 0, 0));
    assert_topology(8, 1, 8, 1);
    assert_null(smp(8, 2, 0, 0, 0));
    assert_topology(8, 2, 4, 1);
    assert_null(smp(8, 0, 2, 0, 0));
    assert_topology(8, 4, 2, 1);
    assert_null(smp(8, 0, 0, 2, 0));
    assert_topology(8, 1, 4, 2);
    assert_null(smp(8, 2, 2, 0, 0));
    assert_topology(8, 2, 2, 2);
    assert_null(smp(8, 0, 2, 2, 8));
    assert_topology(8, 2, 2, 2);
}

static void the_number_of_vcpus_follows_from_the_topology(void **state)
{
    (void)state;
    assert_null(smp(0, 2, 3, 0, 0));
    assert_topology(6, 2, 3, 1);
    assert_null(smp(0, 0, 0, 2, 0));
    assert_topology(2, 1, 1, 2);
    assert_null(smp(0, 0, 0, 2, 4));
    assert_topology(4, 1, 2, 2);
}

static void a_topology_of_another_number_of_vcpus_is_refused(void **state)
{
    (void)state;
    assert_refused(smp(4, 1, 3, 1, 0), "sockets (1) * cores (3) * threads (1) must be the number "
                                       "of vCPUs, maxcpus (4)");
    assert_refused(smp(2, 4, 0, 0, 0), "sockets (4) * cores (0) * threads (1)");
    assert_refused(smp(0, 2, 2, 2, 4), "maxcpus (4)");
    assert_refused(smp(0, 1023, 1023, 1023, 0), "accepted are ids up to 254");
}

static void vcpus_that_would_come_later_are_refused(void **state)
{
    (void)state;
    assert_refused(smp(2, 0, 0, 0, 4), "maxcpus (4) is more than the number of vCPUs, 2");
    assert_refused(smp(4, 0, 0, 0, 2), "maxcpus (2) is less than the number of vCPUs, 4");
}

static void more_ids_than_eight_bits_name_are_refused(void **state)
{
    (void)state;
    assert_null(smp(255, 0, 0, 0, 0));
    assert_null(smp(240, 0, 0, 2, 0));
    assert_refused(smp(255, 0, 0, 3, 0), "the last vCPU would have the APIC id 338");
}

static void ids_count_threads_then_cores_then_sockets(void **state)
{
    const CPUTopology t = { .sockets = 2, .cores = 3, .threads = 2 }, none = { 0 };

    (void)state;
    assert_int_equal(x86_apic_thread_bits(&t), 1);
    assert_int_equal(x86_apic_socket_shift(&t), 3);
    assert_int_equal(x86_apic_id(&t, 5), 5);
    assert_int_equal(x86_apic_id(&t, 6), 8);
    assert_int_equal(x86_apic_id(&t, 11), 13);
    assert_int_equal(x86_apic_id(&none, 7), 7);
}

#define test(f) cmocka_unit_test_setup_teardown(f, program_setup, program_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(what_is_left_out_becomes_cores_then_sockets_then_threads),
        test(the_number_of_vcpus_follows_from_the_topology),
        test(a_topology_of_another_number_of_vcpus_is_refused),
        test(vcpus_that_would_come_later_are_refused),
        test(more_ids_than_eight_bits_name_are_refused),
        test(ids_count_threads_then_cores_then_sockets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
