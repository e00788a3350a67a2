/* SPDX-License-Identifier: MIT */
/*
 * vCPU threads: kicked, parked, resumed, given work, and waiting for the main thread in the middle
 * of an access.
 */
#include <pthread.h>
#include <string.h>
#include <qomet/accel/cpu-intc.h>
#include <qomet/memory/main-work.h>
#include "tests/guest/guest.h"

/* Counts in memory at 0x2000 + 8 * index, for ever. */
static const uint8_t count_for_ever[] = {
    0xff, 0x04, 0xd5, 0x00, 0x20, 0x00, 0x00, /* 1000: inc DWORD PTR [edx*8+0x2000] */
    0xeb, 0xf7,                               /* 1007: jmp 1000 <again> */
};

static uint32_t counter(unsigned index)
{
    uint32_t value = 0;

    address_space_read(&address_space_memory, 0x2000 + index * 8, MEMTXATTRS_UNSPECIFIED, &value,
                       4);
    return value;
}

/* A vCPU that is not parked may be changing it. */
static CPUThreadState state_of(unsigned index)
{
    return __atomic_load_n(&qemu_get_cpu(index)->state, __ATOMIC_SEQ_CST);
}

static bool is_halted(void *opaque)
{
    (void)opaque;
    return state_of(0) == CPU_HALTED;
}

static bool is_counting(void *opaque)
{
    uint32_t *from = opaque;

    return counter(0) != from[0] && counter(1) != from[1];
}

static bool both_count_on(void)
{
    uint32_t from[2] = { counter(0), counter(1) };

    return guest_loop_until(is_counting, from);
}

static void begin_counting(void)
{
    guest_begin("protected-mode=on,smp=2", count_for_ever, sizeof(count_for_ever));
    guest_start();
    assert_int_equal(runstate_get(), RUN_STATE_PRELAUNCH);
    assert_int_not_equal(state_of(0), CPU_RUNNING);
    vm_start();
    assert_true(runstate_is_running());
    assert_true(both_count_on());
}

/* Each asks for what KVM supports of the host's model, on its own thread. */
static void vcpus_of_the_hosts_model_start_together(void **state)
{
    static const uint8_t halt[] = { 0xf4 /* 1000: hlt */ };

    (void)state;
    for (int i = 0; i < 5; i++) {
        guest_begin("cpu=host,smp=4", halt, sizeof(halt));
        assert_int_equal(guest_run(), 0);
        guest_end();
    }
}

static void a_stopped_machine_stands_still_and_goes_on(void **state)
{
    (void)state;
    begin_counting();
    for (unsigned i = 0; i < 20; i++) {
        uint32_t at[2];

        vm_stop(RUN_STATE_PAUSED);
        assert_int_equal(runstate_get(), RUN_STATE_PAUSED);
        assert_int_equal(state_of(0), CPU_STOPPED);
        assert_int_equal(state_of(1), CPU_STOPPED);
        at[0] = counter(0);
        at[1] = counter(1);
        g_usleep(500);
        assert_int_equal(counter(0), at[0]);
        assert_int_equal(counter(1), at[1]);
        vm_start();
        assert_true(both_count_on());
    }
    guest_end();
}

static void pauses_nest(void **state)
{
    uint32_t at;

    (void)state;
    begin_counting();
    pause_all_vcpus();
    pause_all_vcpus();
    resume_all_vcpus();
    at = counter(0);
    g_usleep(500);
    assert_int_equal(counter(0), at);
    resume_all_vcpus();
    assert_true(both_count_on());
    guest_end();
}

static int compare(const void *a, const void *b)
{
    int64_t d = *(const int64_t *)a - *(const int64_t *)b;

    return (d > 0) - (d < 0);
}

static void a_running_vcpu_is_parked_within_a_moment(void **state)
{
    int64_t took[101];

    (void)state;
    begin_counting();
    for (unsigned i = 0; i < G_N_ELEMENTS(took); i++) {
        int64_t start;

        assert_true(both_count_on());
        start = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
        pause_all_vcpus();
        took[i] = qemu_clock_get_ns(QEMU_CLOCK_REALTIME) - start;
        resume_all_vcpus();
    }
    qsort(took, G_N_ELEMENTS(took), sizeof(took[0]), compare);
    print_message("# two vCPUs parked in %.1f us (median), %.1f us at most\n", took[50] / 1e3,
                  took[100] / 1e3);
    assert_true(took[50] < INT64_C(100) * SCALE_MS);
    guest_end();
}

static void release(CPUState *cpu, void *opaque)
{
    X86Registers *r = x86_cpu_registers_for_write(X86_CPU(cpu), NULL);

    assert_ptr_equal(cpu_current(), cpu);
    *(uint64_t *)opaque = r->rip;
    r->gpr[X86_RCX] = 1;
}

static bool port_was_written(void *opaque)
{
    return __atomic_load_n(&((Recorder *)opaque)->count, __ATOMIC_ACQUIRE) != 0;
}

static void work_on_a_vcpu_sees_and_changes_its_registers(void **state)
{
    static const uint8_t code[] = {
        0xe3, 0xfe, /* 1000: jecxz 1000 <again> */
        0xb0, 0x21, /* 1002: mov al,0x21 */
        0xe6, 0xf1, /* 1004: out 0xf1,al */
        0xf4,       /* 1006: hlt */
    };
    Recorder *port;
    uint64_t rip = 0;

    (void)state;
    guest_begin("protected-mode=on,on-halt=wait", code, sizeof(code));
    port = guest_recorder(false, 0xf1, 1);
    guest_start();
    vm_start();
    g_usleep(1000);
    run_on_cpu(qemu_get_cpu(0), release, &rip);
    assert_int_equal(rip, 0x1000);
    assert_true(guest_loop_until(port_was_written, port));
    /* And in a halted one. */
    assert_true(guest_loop_until(is_halted, NULL));
    run_on_cpu(qemu_get_cpu(0), release, &rip);
    assert_int_equal(rip, 0x1000 + sizeof(code));
    guest_end();
}

static void registers_of_a_parked_vcpu_are_read_and_written_from_the_main_thread(void **state)
{
    static const uint8_t code[] = {
        0xe3, 0xfe, /* 1000: jecxz 1000 <again> */
        0x89, 0xc8, /* 1002: mov eax,ecx */
        0xe7, 0xf0, /* 1004: out 0xf0,eax */
        0xf4,       /* 1006: hlt */
    };
    Recorder *port;
    GError *error = NULL;
    const X86Registers *r;

    (void)state;
    guest_begin("protected-mode=on", code, sizeof(code));
    port = guest_recorder(false, 0xf0, 4);
    guest_start();
    vm_start();
    vm_stop(RUN_STATE_PAUSED);
    r = x86_cpu_registers(X86_CPU(qemu_get_cpu(0)), &error);
    assert_non_null(r);
    assert_int_equal(r->rip, 0x1000);
    assert_int_equal(r->seg[X86_CS].selector, 8);
    x86_cpu_registers_for_write(X86_CPU(qemu_get_cpu(0)), &error)->gpr[X86_RCX] = 0x77;
    assert_int_equal(guest_run(), 0);
    assert_int_equal(port->log[0].value, 0x77);
    guest_end();
}

static void add_one(CPUState *cpu, void *opaque)
{
    (void)cpu;
    __atomic_fetch_add((unsigned *)opaque, 1, __ATOMIC_SEQ_CST);
}

static bool all_done(void *opaque)
{
    return __atomic_load_n((unsigned *)opaque, __ATOMIC_SEQ_CST) == 200;
}

static void work_that_nobody_waits_for_is_done_too(void **state)
{
    unsigned done = 0;

    (void)state;
    begin_counting();
    for (unsigned i = 0; i < 100; i++) {
        async_run_on_cpu(qemu_get_cpu(0), add_one, &done);
        async_run_on_cpu(qemu_get_cpu(1), add_one, &done);
    }
    assert_true(guest_loop_until(all_done, &done));
    guest_end();
}

static void nothing(CPUState *cpu, void *opaque)
{
    (void)cpu;
    (void)opaque;
}

static bool events_are_over(void *opaque)
{
    (void)opaque;
    return !__atomic_load_n(&qemu_get_cpu(1)->events, __ATOMIC_SEQ_CST);
}

/* Main reads and resets one that is parked, so nothing of it may change meanwhile. */
static void what_is_sent_to_a_parked_vcpu_waits_until_it_goes_on(void **state)
{
    (void)state;
    begin_counting();
    vm_stop(RUN_STATE_PAUSED);
    cpu_send_event(qemu_get_cpu(1), CPU_EVENT_SIPI, 8);
    run_on_cpu(qemu_get_cpu(1), nothing, NULL); /* what was to be done for it has been done */
    assert_false(events_are_over(NULL));
    vm_start();
    assert_true(guest_loop_until(events_are_over, NULL));
    assert_true(both_count_on());

    vm_stop(RUN_STATE_PAUSED);
    cpu_send_event(qemu_get_cpu(1), CPU_EVENT_NMI, 0);
    resettable_reset(OBJECT(qemu_get_cpu(1)), RESET_TYPE_COLD);
    assert_true(events_are_over(NULL));
    guest_end();
}

/* ---- Waiting for the main thread ---- */

typedef struct Map {
    MemoryRegion overlay;
    unsigned changes;
} Map;

static void toggle(Object *owner, void *opaque)
{
    Map *map = opaque;

    (void)owner;
    assert_true(main_work_is_main());
    map->changes++;
    memory_region_set_enabled(&map->overlay, map->changes % 2);
}

static void ask_for_change(Recorder *r, hwaddr addr, uint64_t value, unsigned size)
{
    (void)addr;
    (void)value;
    (void)size;
    entry_call_main(NULL, toggle, r->opaque);
}

static bool changed_often(void *opaque)
{
    Map *map = opaque;
    uint64_t rip;

    /* While vCPUs wait for this thread, it wants them parked and wants work done. */
    pause_all_vcpus();
    resume_all_vcpus();
    run_on_cpu(qemu_get_cpu(1), release, &rip);
    return map->changes >= 400;
}

static void vcpus_that_wait_for_the_main_thread_can_be_parked_by_it(void **state)
{
    static const uint8_t code[] = {
        0x89, 0xd3,                   /* 1000: mov ebx,edx */
        0xe6, 0xf1,                   /* 1002: out 0xf1,al */
        0xa1, 0x00, 0x00, 0x80, 0x00, /* 1004: mov eax,ds:0x800000 */
        0xeb, 0xf7,                   /* 1009: jmp 1002 <again> */
    };
    Map map = { 0 };
    Recorder *port;
    GError *error = NULL;

    (void)state;
    guest_begin("protected-mode=on,smp=2", code, sizeof(code));
    assert_true(
        memory_region_init_ram(&map.overlay, OBJECT(current_machine()), "overlay", 0x1000, &error));
    memory_region_set_enabled(&map.overlay, false);
    memory_region_add_subregion_overlap(get_system_memory(), 0x800000, &map.overlay, 1);
    port = guest_recorder(false, 0xf1, 1);
    port->on_write = ask_for_change;
    port->opaque = &map;
    guest_start();
    vm_start();
    assert_true(guest_loop_until(changed_often, &map));
    vm_stop(RUN_STATE_PAUSED);
    /* Each write was carried out before the guest went on. */
    main_work_run();
    assert_int_equal(port->count, map.changes);
    /* What a vCPU still waits for is done when it ends. */
    vm_start();
    machine_cleanup();
    guest_end();
}

/* The guest reads the place that its write has changed: it must see the new map at once. */
static void the_next_instruction_sees_the_change(void **state)
{
    static const uint8_t code[] = {
        0xb9, 0x64, 0x00, 0x00, 0x00, /* 1000: mov ecx,0x64 */
        0xe6, 0xf1,                   /* 1005: out 0xf1,al */
        0xa1, 0x00, 0x00, 0x80, 0x00, /* 1007: mov eax,ds:0x800000 */
        0xe7, 0xf8,                   /* 100c: out 0xf8,eax */
        0xe2, 0xf5,                   /* 100e: loop 1005 <again> */
        0xf4,                         /* 1010: hlt */
    };
    Map map = { 0 };
    Recorder *port, *result;
    GError *error = NULL;

    (void)state;
    guest_begin("protected-mode=on", code, sizeof(code));
    assert_true(
        memory_region_init_ram(&map.overlay, OBJECT(current_machine()), "overlay", 0x1000, &error));
    *(uint32_t *)memory_region_get_ram_ptr(&map.overlay) = 0x77;
    memory_region_set_enabled(&map.overlay, false);
    memory_region_add_subregion_overlap(get_system_memory(), 0x800000, &map.overlay, 1);
    port = guest_recorder(false, 0xf1, 1);
    port->on_write = ask_for_change;
    port->opaque = &map;
    result = guest_recorder(false, 0xf8, 4);
    assert_int_equal(guest_run(), 0);
    assert_int_equal(map.changes, 100);
    assert_int_equal(result->count, 100);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(result->log[i].value, i % 2 ? 0 : 0x77);
    }
    object_unparent(OBJECT(&map.overlay));
    guest_end();
}

/* ---- Halting ---- */

static void a_halted_vcpu_stays_so_until_it_is_woken(void **state)
{
    static const uint8_t code[] = {
        0xf4,       /* 1000: hlt */
        0xb0, 0x01, /* 1001: mov al,0x1 */
        0xe6, 0xf1, /* 1003: out 0xf1,al */
        0xf4,       /* 1005: hlt */
    };
    Recorder *port;

    (void)state;
    guest_begin("on-halt=wait", code, sizeof(code));
    port = guest_recorder(false, 0xf1, 1);
    guest_start();
    vm_start();
    assert_true(guest_loop_until(is_halted, NULL));
    vm_stop(RUN_STATE_PAUSED);
    vm_start();
    assert_true(guest_loop_until(is_halted, NULL));
    g_usleep(500);
    assert_int_equal(port->count, 0);
    cpu_wake(qemu_get_cpu(0));
    assert_true(guest_loop_until(port_was_written, port));
    guest_end();
}

/* ---- Reset ---- */

static uint64_t breakpoints(void)
{
    X86ExtendedRegisters x;

    assert_true(x86_cpu_get_extended(X86_CPU(qemu_get_cpu(0)), &x, NULL));
    return x.dr[7];
}

static void look_at_them(RunEvent event, ShutdownCause cause, void *opaque)
{
    (void)cause;
    if (event == RUN_EVENT_RESET) {
        *(uint64_t *)opaque = breakpoints();
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_UI);
    }
}

/* Else one that goes on at once sends another what its reset takes away. */
static void a_reset_has_reached_every_vcpu_before_one_goes_on(void **state)
{
    static const uint8_t code[] = {
        0x66, 0xb8, 0x02, 0x04, 0x00, 0x00, /* 1000: mov eax,0x402 */
        0x0f, 0x23, 0xf8,                   /* 1006: mov dr7,eax */
        0xf4,                               /* 1009: hlt */
    };
    uint64_t after = 0;

    (void)state;
    guest_begin("on-halt=wait", code, sizeof(code));
    guest_start();
    vm_start();
    assert_true(guest_loop_until(is_halted, NULL));
    assert_int_equal(breakpoints(), 0x402);
    runstate_add_event_listener(look_at_them, &after);
    qemu_system_reset_request(SHUTDOWN_CAUSE_HOST_UI);
    assert_int_equal(guest_run(), 0);
    runstate_del_event_listener(look_at_them, &after);
    assert_int_equal(after, 0x400);
    guest_end();
}

/* ---- Requests ---- */

static void ask_for_stop(Recorder *r, hwaddr addr, uint64_t value, unsigned size)
{
    (void)r;
    (void)addr;
    (void)value;
    (void)size;
    qemu_system_vmstop_request(RUN_STATE_PAUSED);
}

static void end_when_stopped(bool running, RunState run_state, void *opaque)
{
    Recorder *port = opaque;

    if (!running && run_state == RUN_STATE_PAUSED) {
        port->answer = port->count;
        qemu_system_shutdown_request_with_code(SHUTDOWN_CAUSE_HOST_UI, 7);
    }
}

static void a_stop_that_a_device_asks_for_comes_before_the_next_instruction(void **state)
{
    static const uint8_t code[] = {
        0xe6, 0xf1, /* 1000: out 0xf1,al */
        0xeb, 0xfc, /* 1002: jmp 1000 <again> */
    };
    Recorder *port;

    (void)state;
    guest_begin("", code, sizeof(code));
    port = guest_recorder(false, 0xf1, 1);
    port->on_write = ask_for_stop;
    runstate_add_listener(end_when_stopped, port);
    assert_int_equal(guest_run(), 7);
    assert_int_equal(port->count, 1);
    assert_int_equal(port->answer, 1);
    assert_int_equal(runstate_get(), RUN_STATE_SHUTDOWN);
    runstate_del_listener(end_when_stopped, port);
    guest_end();
}

/* ---- Observation ---- */

static void exits_are_told_a_line_each(void **state)
{
    static const uint8_t code[] = {
        0xb0, 0x48,                   /* 1000: mov al,0x48 */
        0xe6, 0xf1,                   /* 1002: out 0xf1,al */
        0x66, 0xe5, 0xf2,             /* 1004: in ax,0xf2 */
        0xa1, 0x10, 0x00, 0x00, 0xd0, /* 1007: mov eax,ds:0xd0000010 */
        0xa2, 0x00, 0x00, 0x00, 0x40, /* 100c: mov ds:0x40000000,al */
        0xf4,                         /* 1011: hlt */
    };
    Recorder *port, *memory;
    g_autofree char *port_path = NULL, *memory_path = NULL, *lines = NULL;

    (void)state;
    guest_begin("protected-mode=on,unassigned=ignore", code, sizeof(code));
    port = guest_recorder(false, 0xf1, 4);
    port->answer = 0x1234;
    memory = guest_recorder(true, 0xd0000000, 64);
    memory->answer = 0x56789abc;
    port_path = object_get_canonical_path(OBJECT(port));
    memory_path = object_get_canonical_path(OBJECT(memory));
    lines = g_strdup_printf(
        "vcpu 0 exit=io path=%s type=test-recorder addr=0xf1 size=1 write value=0x48\n"
        "vcpu 0 exit=io path=%s type=test-recorder addr=0xf2 size=2 read value=0x1234\n"
        "vcpu 0 exit=mmio path=%s type=test-recorder addr=0xd0000010 size=4 read value=0x56789abc\n"
        "vcpu 0 exit=mmio path=- type=- addr=0x40000000 size=1 write value=0xbc\n"
        "vcpu 0 exit=hlt path=- type=-\n",
        port_path, port_path, memory_path);
    guest_capture_stderr();
    qemu_loglevel = LOG_EXITS;
    assert_int_equal(guest_run(), 0);
    qemu_loglevel = 0;
    guest_end();
    assert_string_equal(guest_captured_stderr(), lines);
}

static bool has_been_reached(void *opaque)
{
    return __atomic_load_n(&((Recorder *)opaque)->count, __ATOMIC_RELAXED) >= 20;
}

static void exits_are_told_while_devices_come_and_go(void **state)
{
    static const uint8_t code[] = {
        0xe6, 0xf1, /* 1000: out 0xf1,al */
        0xeb, 0xfc, /* 1002: jmp 1000 */
    };

    (void)state;
    guest_begin("protected-mode=on,unassigned=ignore", code, sizeof(code));
    guest_start();
    assert_true(qemu_set_log_filename("/dev/null", NULL));
    qemu_loglevel = LOG_EXITS;
    vm_start();
    for (int i = 0; i < 20; i++) {
        Recorder *r = guest_recorder(false, 0xf1, 1);

        assert_true(guest_loop_until(has_been_reached, r));
        /* Its path and type are being written, as likely as not. */
        object_unparent(OBJECT(r));
    }
    guest_end();
    qemu_loglevel = 0;
    assert_true(qemu_set_log_filename(NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        guest_test(a_stopped_machine_stands_still_and_goes_on),
        guest_test(vcpus_of_the_hosts_model_start_together),
        guest_test(pauses_nest),
        guest_test(a_running_vcpu_is_parked_within_a_moment),
        guest_test(work_on_a_vcpu_sees_and_changes_its_registers),
        guest_test(registers_of_a_parked_vcpu_are_read_and_written_from_the_main_thread),
        guest_test(work_that_nobody_waits_for_is_done_too),
        guest_test(what_is_sent_to_a_parked_vcpu_waits_until_it_goes_on),
        guest_test(vcpus_that_wait_for_the_main_thread_can_be_parked_by_it),
        guest_test(the_next_instruction_sees_the_change),
        guest_test(a_halted_vcpu_stays_so_until_it_is_woken),
        guest_test(a_reset_has_reached_every_vcpu_before_one_goes_on),
        guest_test(a_stop_that_a_device_asks_for_comes_before_the_next_instruction),
        guest_test(exits_are_told_a_line_each),
        guest_test(exits_are_told_while_devices_come_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
