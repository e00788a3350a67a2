/* SPDX-License-Identifier: MIT */
/*
 * vCPUs in the hands of a debugger: steps, breakpoints, watchpoints, and the guest's memory with
 * breakpoints in it.
 */
#include <inttypes.h>
#include <string.h>
#include <qomet/accel/debug.h>
#include "tests/guest/guest.h"

/* 32-bit code that goes round for ever. */
static const uint8_t loop[] = {
    0x90,                         /* 1000: nop */
    0x40,                         /* 1001: inc eax */
    0xe6, 0xf1,                   /* 1002: out 0xf1, al */
    0xa3, 0x00, 0x20, 0x00, 0x00, /* 1004: mov [0x2000], eax */
    0xa1, 0x00, 0x20, 0x00, 0x00, /* 1009: mov eax, [0x2000] */
    0x90, 0x90, 0x90, 0x90,       /* 100e: nop (4) */
    0xeb, 0xec,                   /* 1012: jmp 1000 */
};

/* What a test does at each stop of the machine: counts them, and ends it when it is done. */
typedef struct Session {
    unsigned stops;
    void (*at_stop)(struct Session *s, CPUState *cpu);
    CPUDebugEvent event; /* of this stop */
    uint64_t rip;
} Session;

static Session session;
static Recorder *port;

static uint64_t rip_of(CPUState *cpu)
{
    return x86_cpu_registers(X86_CPU(cpu), NULL)->rip;
}

static void stopped(CPUState *cpu, void *opaque)
{
    Session *s = opaque;

    assert_int_equal(runstate_get(), RUN_STATE_DEBUG);
    assert_false(runstate_is_running());
    s->event = cpu->debug_event;
    s->rip = rip_of(cpu);
    cpu->debug_event = (CPUDebugEvent){ 0 };
    s->at_stop(s, cpu);
    s->stops++;
    if (!qemu_shutdown_requested_get()) {
        vm_start();
    }
}

static void end_session(void)
{
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_UI);
}

static void begin(const char *words, const uint8_t *code, size_t size)
{
    GError *error = NULL;

    guest_begin(words, code, size);
    port = guest_recorder(false, 0xf1, 1);
    guest_start();
    session = (Session){ 0 };
    assert_true(cpu_set_debug_hook(stopped, &session, &error));
}

static void run(void (*at_stop)(Session *s, CPUState *cpu))
{
    session.at_stop = at_stop;
    assert_int_equal(guest_run(), 0);
    guest_end();
}

static void insert(uint64_t addr, uint64_t size, CPUBreakKind kind)
{
    GError *error = NULL;

    if (!cpu_breakpoint_insert(qemu_get_cpu(0), addr, size, kind, &error)) {
        fail_msg("%s", error->message);
    }
}

static void step(CPUState *cpu)
{
    GError *error = NULL;

    if (!cpu_single_step(cpu, CPU_STEP_ENABLE | CPU_STEP_NOIRQ, &error)) {
        fail_msg("%s", error->message);
    }
}

static uint8_t byte_in_ram(hwaddr addr)
{
    uint8_t value = 0;

    address_space_read(&address_space_memory, addr, MEMTXATTRS_UNSPECIFIED, &value, 1);
    return value;
}

/* ---- Steps ---- */

static void check_step(Session *s, CPUState *cpu)
{
    static const uint64_t rips[] = { 0x1001, 0x1002, 0x1004, 0x1009, 0x100e, 0x100f,
                                     0x1010, 0x1011, 0x1012, 0x1000, 0x1001 };

    (void)cpu;
    assert_int_equal(s->event.reason, CPU_DEBUG_STEP);
    assert_int_equal(s->rip, rips[s->stops]);
    if (s->stops + 1 == G_N_ELEMENTS(rips)) {
        end_session();
    }
}

static void a_step_executes_one_instruction_even_if_it_leaves_the_guest(void **state)
{
    (void)state;
    begin("protected-mode=on", loop, sizeof(loop));
    step(qemu_get_cpu(0));
    run(check_step);
}

static void check_moved_step(Session *s, CPUState *cpu)
{
    X86Registers r;

    assert_int_equal(s->event.reason, CPU_DEBUG_STEP);
    if (s->stops) {
        assert_int_equal(s->rip, 0x1012);
        end_session();
        return;
    }
    r = *x86_cpu_registers(X86_CPU(cpu), NULL);
    r.rip = 0x1011;
    assert_true(x86_cpu_set_registers(X86_CPU(cpu), &r, NULL));
}

static void a_step_begins_where_the_registers_were_set_to(void **state)
{
    (void)state;
    begin("protected-mode=on", loop, sizeof(loop));
    step(qemu_get_cpu(0));
    run(check_moved_step);
}

static void check_halt_step(Session *s, CPUState *cpu)
{
    (void)cpu;
    assert_int_equal(s->event.reason, CPU_DEBUG_STEP);
    assert_int_equal(s->rip, 0x1001);
    end_session();
}

static void a_step_over_a_halt_ends(void **state)
{
    static const uint8_t halt[] = { 0xf4, 0x90 };

    (void)state;
    begin("protected-mode=on,on-halt=wait", halt, sizeof(halt));
    step(qemu_get_cpu(0));
    run(check_halt_step);
}

/* ---- Breakpoints ---- */

static void check_breakpoints(Session *s, CPUState *cpu)
{
    static const uint64_t rips[] = { 0x1000, 0x1001, 0x100e, 0x100f, 0x1010, 0x1011, 0x1012 };

    (void)cpu;
    if (s->stops % 2) {
        /* Stepped over; as a debugger does, it is put back. */
        assert_int_equal(s->event.reason, CPU_DEBUG_STEP);
        insert(rips[s->stops / 2], 1, CPU_BREAK_SOFTWARE);
        assert_true(cpu_single_step(cpu, 0, NULL));
        return;
    }
    assert_int_equal(s->event.reason, CPU_DEBUG_SOFTWARE);
    assert_int_equal(s->rip, rips[s->stops / 2]);
    assert_int_equal(s->event.addr, s->rip);
    if (s->stops / 2 + 1 == G_N_ELEMENTS(rips)) {
        end_session();
        return;
    }
    assert_true(cpu_breakpoint_remove(s->rip, 1, CPU_BREAK_SOFTWARE));
    step(cpu);
}

/* More than there are debug registers: the INT3s themselves stop the guest. */
static void more_software_breakpoints_are_met_than_there_are_debug_registers(void **state)
{
    static const uint64_t rips[] = { 0x1000, 0x1012, 0x1001, 0x1011, 0x100e, 0x1010, 0x100f };

    (void)state;
    begin("protected-mode=on", loop, sizeof(loop));
    for (unsigned i = 0; i < G_N_ELEMENTS(rips); i++) {
        insert(rips[i], 1, CPU_BREAK_SOFTWARE);
        assert_int_equal(byte_in_ram(rips[i]), 0xcc);
    }
    /* Stops at neighbours come from steps then, not from the breakpoint that was stepped to. */
    assert_true(cpu_breakpoint_remove(0x1001, 1, CPU_BREAK_SOFTWARE));
    assert_int_equal(byte_in_ram(0x1001), 0x40);
    insert(0x1001, 1, CPU_BREAK_SOFTWARE);
    run(check_breakpoints);
}

static void check_code(Session *s, CPUState *cpu)
{
    (void)cpu;
    assert_int_equal(s->event.reason, CPU_DEBUG_CODE);
    assert_int_equal(s->event.addr, 0x1001);
    assert_int_equal(s->rip, 0x1001);
    end_session();
}

static void a_debug_register_stops_at_code(void **state)
{
    (void)state;
    begin("protected-mode=on", loop, sizeof(loop));
    insert(0x1001, 1, CPU_BREAK_CODE);
    assert_int_equal(byte_in_ram(0x1001), 0x40);
    run(check_code);
}

static void check_write(Session *s, CPUState *cpu)
{
    (void)cpu;
    assert_int_equal(s->event.reason, CPU_DEBUG_WRITE);
    assert_int_equal(s->event.addr, 0x2000);
    assert_int_equal(s->rip, 0x1009);
    if (s->stops == 2) {
        end_session();
    }
}

static void a_watchpoint_stops_after_the_write(void **state)
{
    (void)state;
    begin("protected-mode=on", loop, sizeof(loop));
    insert(0x2000, 4, CPU_BREAK_WRITE);
    run(check_write);
}

static void check_port_write(Session *s, CPUState *cpu)
{
    (void)cpu;
    assert_int_equal(s->event.reason, CPU_DEBUG_WRITE);
    assert_int_equal(s->rip, 0x100a);
    end_session();
}

/* The instruction is completed only when the guest is entered again. */
static void a_write_by_an_instruction_that_leaves_the_guest_is_met(void **state)
{
    static const uint8_t code[] = {
        0xbf, 0x00, 0x20, 0x00, 0x00, /* 1000: mov edi, 0x2000 */
        0x66, 0xba, 0xf1, 0x00,       /* 1005: mov dx, 0xf1 */
        0x6c,                         /* 1009: insb */
        0xeb, 0xfe,                   /* 100a: jmp self */
    };

    (void)state;
    begin("protected-mode=on", code, sizeof(code));
    port->answer = 0x77;
    insert(0x2000, 1, CPU_BREAK_WRITE);
    run(check_port_write);
}

static void check_access(Session *s, CPUState *cpu)
{
    (void)cpu;
    assert_int_equal(s->event.reason, CPU_DEBUG_ACCESS);
    assert_int_equal(s->event.addr, 0x2000);
    assert_int_equal(s->rip, s->stops ? 0x100e : 0x1009);
    if (s->stops) {
        end_session();
    }
}

static void an_access_is_met_or_refused(void **state)
{
    GError *error = NULL;

    (void)state;
    begin("protected-mode=on", loop, sizeof(loop));
    if (cpu_debug_meets(CPU_BREAK_ACCESS)) {
        insert(0x2000, 4, CPU_BREAK_ACCESS);
        run(check_access);
        return;
    }
    assert_false(cpu_breakpoint_insert(qemu_get_cpu(0), 0x2000, 4, CPU_BREAK_ACCESS, &error));
    assert_non_null(strstr(error->message, "does not meet watchpoints of this kind"));
    g_clear_error(&error);
    guest_end();
}

static void watched_bytes_share_the_four_registers(void **state)
{
    X86DebugRegisters r;

    (void)state;
    begin("protected-mode=on", loop, sizeof(loop));
    /* 1 byte, 2 bytes, 8 bytes. */
    insert(0x2005, 11, CPU_BREAK_WRITE);
    assert_true(x86_debug_registers(&r));
    assert_int_equal(r.dr[0], 0x2005);
    assert_int_equal(r.dr[1], 0x2006);
    assert_int_equal(r.dr[2], 0x2008);
    assert_int_equal(r.dr7, 0x0951042a);
    assert_null(r.of[3]);
    assert_false(cpu_breakpoint_insert(qemu_get_cpu(0), 0x3001, 3, CPU_BREAK_WRITE, NULL));
    insert(0x3001, 1, CPU_BREAK_WRITE);
    guest_end();
}

static void check_real_mode(Session *s, CPUState *cpu)
{
    (void)cpu;
    assert_int_equal(s->event.reason, CPU_DEBUG_SOFTWARE);
    assert_int_equal(s->rip, 0x1001);
    end_session();
}

static void a_software_breakpoint_is_met_in_real_mode(void **state)
{
    static const uint8_t code[] = { 0x90, 0x40, 0xeb, 0xfc };

    (void)state;
    begin("", code, sizeof(code));
    insert(0x1001, 1, CPU_BREAK_SOFTWARE);
    run(check_real_mode);
}

static void software_breakpoints_get_the_debug_registers_that_are_left(void **state)
{
    X86DebugRegisters r;
    GError *error = NULL;

    (void)state;
    begin("protected-mode=on", loop, sizeof(loop));
    insert(0x1000, 1, CPU_BREAK_SOFTWARE);
    assert_true(x86_debug_registers(&r));
    assert_int_equal(r.dr[0], 0x1000);
    assert_null(r.of[1]);
    for (unsigned i = 1; i <= 4; i++) {
        insert(0x1000 + i, 1, CPU_BREAK_CODE);
    }
    assert_true(x86_debug_registers(&r));
    assert_int_equal(r.dr[0], 0x1001);
    assert_int_equal(r.dr[3], 0x1004);
    assert_false(cpu_breakpoint_insert(qemu_get_cpu(0), 0x1005, 1, CPU_BREAK_CODE, &error));
    assert_non_null(strstr(error->message, "four debug registers do not suffice"));
    g_clear_error(&error);
    /* It has its INT3, and needs none of them. */
    insert(0x1006, 1, CPU_BREAK_SOFTWARE);
    cpu_debug_clear();
    assert_null(cpu_breakpoint_get(0));
    assert_int_equal(byte_in_ram(0x1000), 0x90);
    assert_false(cpu_breakpoint_insert(qemu_get_cpu(0), UINT64_MAX, 2, CPU_BREAK_WRITE, NULL));
    assert_false(cpu_breakpoint_insert(qemu_get_cpu(0), 0x1000, 0, CPU_BREAK_WRITE, NULL));
    guest_end();
}

/* ---- Memory ---- */

static void memory_hides_the_breakpoints_in_it(void **state)
{
    static const uint8_t two[] = { 0x48, 0x90 };
    uint8_t read[sizeof(loop)];
    CPUState *cpu;

    (void)state;
    begin("protected-mode=on", loop, sizeof(loop));
    cpu = qemu_get_cpu(0);
    insert(0x1000, 1, CPU_BREAK_SOFTWARE);
    insert(0x1001, 1, CPU_BREAK_SOFTWARE);
    insert(0x1001, 1, CPU_BREAK_SOFTWARE);
    assert_true(cpu_read_memory(cpu, 0x1000, read, sizeof(read), NULL));
    assert_memory_equal(read, loop, sizeof(loop));
    assert_true(cpu_write_memory(cpu, 0x1001, two, sizeof(two), NULL));
    assert_int_equal(byte_in_ram(0x1001), 0xcc);
    assert_int_equal(byte_in_ram(0x1002), 0x90);
    assert_true(cpu_read_memory(cpu, 0x1001, read, 2, NULL));
    assert_memory_equal(read, two, 2);
    assert_true(cpu_breakpoint_remove(0x1001, 1, CPU_BREAK_SOFTWARE));
    assert_int_equal(byte_in_ram(0x1001), 0x48);
    assert_false(cpu_breakpoint_remove(0x1001, 1, CPU_BREAK_SOFTWARE));
    /* What the guest writes over one is the guest's. */
    address_space_store(&address_space_memory, 0x1000, 1, 0x41, MEMTXATTRS_UNSPECIFIED);
    assert_true(cpu_breakpoint_remove(0x1000, 1, CPU_BREAK_SOFTWARE));
    assert_int_equal(byte_in_ram(0x1000), 0x41);
    guest_end();
}

static void memory_is_written_whole_or_not_at_all(void **state)
{
    uint64_t end = 16 << 20;
    uint8_t bytes[32] = { 1, 2, 3 };
    GError *error = NULL;
    CPUState *cpu;

    (void)state;
    begin("protected-mode=on", loop, sizeof(loop));
    cpu = qemu_get_cpu(0);
    assert_false(cpu_write_memory(cpu, end - 16, bytes, sizeof(bytes), &error));
    assert_non_null(strstr(error->message, "no memory at 0x1000000"));
    g_clear_error(&error);
    assert_int_equal(byte_in_ram(end - 16), 0);
    assert_false(cpu_read_memory(cpu, end - 1, bytes, 2, NULL));
    assert_true(cpu_read_memory(cpu, end - 1, bytes, 1, NULL));
    assert_false(cpu_read_physical(cpu, UINT64_MAX, bytes, 2, NULL));
    assert_false(cpu_breakpoint_insert(cpu, end, 1, CPU_BREAK_SOFTWARE, NULL));
    assert_null(cpu_breakpoint_get(0));
    guest_end();
}

static void reset_twice(Session *s, CPUState *cpu)
{
    (void)cpu;
    if (s->rip == 0x1000) {
        /* It had been met again just before the reset took place. */
        s->stops--;
        return;
    }
    assert_int_equal(s->event.reason, CPU_DEBUG_SOFTWARE);
    assert_int_equal(s->rip, 0x1012);
    if (s->stops == 2) {
        end_session();
        return;
    }
    assert_int_equal(byte_in_ram(0x1012), 0xcc);
    qemu_system_reset_request(SHUTDOWN_CAUSE_HOST_UI);
}

static void breakpoints_outlive_a_reset(void **state)
{
    (void)state;
    begin("protected-mode=on", loop, sizeof(loop));
    insert(0x1012, 1, CPU_BREAK_SOFTWARE);
    run(reset_twice);
}

/* ---- Others ---- */

static void check_held(Session *s, CPUState *cpu)
{
    assert_int_equal(cpu->index, 1);
    assert_int_equal(s->event.reason, CPU_DEBUG_STEP);
    assert_int_equal(rip_of(qemu_get_cpu(0)), 0x1000);
    if (s->stops == 20) {
        end_session();
    }
}

static void one_vcpu_steps_while_the_other_is_held(void **state)
{
    (void)state;
    begin("protected-mode=on,smp=2", loop, sizeof(loop));
    cpu_debug_hold(qemu_get_cpu(0), true);
    step(qemu_get_cpu(1));
    run(check_held);
}

static void registers_that_contradict_each_other_are_refused(void **state)
{
    GError *error = NULL;
    X86Registers r;
    X86CPU *cpu;

    (void)state;
    begin("protected-mode=on", loop, sizeof(loop));
    cpu = X86_CPU(qemu_get_cpu(0));
    r = *x86_cpu_registers(cpu, NULL);
    r.gpr[X86_RBX] = 0x1234;
    assert_true(x86_cpu_set_registers(cpu, &r, NULL));
    r.gpr[X86_RBX] = 0x5678;
    r.cr0 |= UINT64_C(1) << 40;
    assert_false(x86_cpu_set_registers(cpu, &r, &error));
    assert_non_null(strstr(error->message, "system registers"));
    g_clear_error(&error);
    assert_int_equal(x86_cpu_registers(cpu, NULL)->gpr[X86_RBX], 0x1234);
    guest_end();
}

static void extended_registers_are_read_and_written(void **state)
{
    X86ExtendedRegisters r, again;
    X86CPU *cpu;

    (void)state;
    begin("protected-mode=on", loop, sizeof(loop));
    cpu = X86_CPU(qemu_get_cpu(0));
    assert_true(x86_cpu_get_extended(cpu, &r, NULL));
    assert_int_equal(r.mxcsr, 0x1f80);
    r.xmm[3][5] = 0x77;
    r.st[2][1] = 0x88;
    r.kernel_gs_base = 0x123456000;
    assert_true(x86_cpu_set_extended(cpu, &r, NULL));
    assert_true(x86_cpu_get_extended(cpu, &again, NULL));
    assert_memory_equal(&r, &again, sizeof(r));
    r.mxcsr = UINT32_MAX;
    assert_false(x86_cpu_set_extended(cpu, &r, NULL));
    guest_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        guest_test(a_step_executes_one_instruction_even_if_it_leaves_the_guest),
        guest_test(a_step_begins_where_the_registers_were_set_to),
        guest_test(a_step_over_a_halt_ends),
        guest_test(more_software_breakpoints_are_met_than_there_are_debug_registers),
        guest_test(a_debug_register_stops_at_code),
        guest_test(a_watchpoint_stops_after_the_write),
        guest_test(a_write_by_an_instruction_that_leaves_the_guest_is_met),
        guest_test(an_access_is_met_or_refused),
        guest_test(watched_bytes_share_the_four_registers),
        guest_test(a_software_breakpoint_is_met_in_real_mode),
        guest_test(software_breakpoints_get_the_debug_registers_that_are_left),
        guest_test(memory_hides_the_breakpoints_in_it),
        guest_test(memory_is_written_whole_or_not_at_all),
        guest_test(breakpoints_outlive_a_reset),
        guest_test(one_vcpu_steps_while_the_other_is_held),
        guest_test(registers_that_contradict_each_other_are_refused),
        guest_test(extended_registers_are_read_and_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
