/* SPDX-License-Identifier: MIT */
/*
 * Guests that go wrong: each ends in words, or goes on until the user ends it; none hangs or breaks
 * the program.
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include "machine/flat-int.h"
#include "tests/guest/guest.h"

static const char *said;

static int run(const char *words, const uint8_t *code, size_t size)
{
    int status;

    guest_begin(words, code, size);
    guest_capture_stderr();
    status = guest_run();
    guest_end();
    said = guest_captured_stderr();
    return status;
}

static void assert_said(const char *text)
{
    if (!strstr(said, text)) {
        fail_msg("'%s' is not in:\n%s", text, said);
    }
}

static void a_triple_fault_is_told_with_registers_and_code(void **state)
{
    static const uint8_t code[] = {
        0xb8, 0x67, 0x45, 0x23, 0x01, /* 1000: mov eax,0x1234567 */
        0x0f, 0x0b,                   /* 1005: ud2 */
    };
    (void)state;
    assert_int_equal(run("protected-mode=on", code, sizeof(code)), 1);
    assert_said("qomet: vCPU 0: triple fault");
    if (!strstr(said, "KVM has reset the registers")) {
        assert_said("EAX=01234567");
        assert_said("protected mode, no paging, CPL 0");
        assert_said("code at RIP: 0f 0b");
    }
}

static void a_guest_that_jumps_out_of_ram_is_told_so(void **state)
{
    static const uint8_t code[] = {
        0xb8, 0x00, 0x00, 0x00, 0x09, /* 1000: mov eax,0x9000000 */
        0xff, 0xe0,                   /* 1005: jmp eax */
    };
    (void)state;
    assert_int_equal(run("protected-mode=on", code, sizeof(code)), 1);
    assert_said("KVM had to execute an instruction of the guest itself and cannot");
    assert_said("EIP=09000000");
    assert_said("code at RIP: none, for 0x9000000 is outside RAM");
}

static void a_guest_that_walks_off_the_end_of_ram_ends(void **state)
{
    static const uint8_t code[] = {
        0xbf, 0x00, 0xf0, 0xff, 0x00, /* 1000: mov edi,0xfff000 */
        0xb9, 0x00, 0x10, 0x00, 0x00, /* 1005: mov ecx,0x1000 */
        0xb0, 0x90,                   /* 100a: mov al,0x90 */
        0xf3, 0xaa,                   /* 100c: rep stos BYTE PTR es:[edi],al */
        0xb8, 0xf0, 0xff, 0xff, 0x00, /* 100e: mov eax,0xfffff0 */
        0xff, 0xe0,                   /* 1013: jmp eax */
    };
    (void)state;
    assert_int_equal(run("protected-mode=on", code, sizeof(code)), 1);
    assert_said("outside RAM");
}

/* Where KVM has to execute it itself it gives up; a processor raises #UD, which nothing takes. */
static void code_that_is_no_code_is_told_with_its_bytes(void **state)
{
    static const uint8_t code[] = {
        0x0f, 0xff, 0xff, /* 1000: ud0 edi,edi */
        0xff,             /* 1003: .byte 0xff */
    };
    (void)state;
    assert_int_equal(run("protected-mode=on", code, sizeof(code)), 1);
    if (!strstr(said, "KVM has reset the registers")) {
        assert_said("code at RIP: 0f ff ff ff");
    }
    if (!strstr(said, "triple fault")) {
        assert_said("its bytes begin with 0f ff ff ff");
    }
}

/* To tell the code at RIP, the guest's own tables are followed, wherever they lead. */
static void page_tables_outside_memory_lead_nowhere(void **state)
{
    static const uint8_t code[] = {
        0xb8, 0x00, 0x00, 0x00, 0xd0, /* 1000: mov eax,0xd0000000 */
        0x0f, 0x22, 0xd8,             /* 1005: mov cr3,rax */
        0xf4,                         /* 1008: hlt */
    };
    (void)state;
    assert_int_equal(run("long-mode=on", code, sizeof(code)), 1);
    assert_said("code at RIP:");
}

static void page_tables_in_a_circle_come_to_an_end(void **state)
{
    static const uint8_t code[] = {
        0xbf, 0x00, 0x80, 0x00, 0x00, /* 1000: mov edi,0x8000 */
        0xb8, 0x03, 0x80, 0x00, 0x00, /* 1005: mov eax,0x8003 */
        0xb9, 0x00, 0x02, 0x00, 0x00, /* 100a: mov ecx,0x200 */
        0xf3, 0x48, 0xab,             /* 100f: rep stos QWORD PTR es:[rdi],rax */
        0xb8, 0x00, 0x80, 0x00, 0x00, /* 1012: mov eax,0x8000 */
        0x0f, 0x22, 0xd8,             /* 1017: mov cr3,rax */
        0x0f, 0x0b,                   /* 101a: ud2 */
    };
    (void)state;
    assert_int_equal(run("long-mode=on", code, sizeof(code)), 1);
    assert_said("code at RIP:");
}

static void halting_with_interrupts_off_ends_the_machine(void **state)
{
    static const uint8_t code[] = {
        0xfa, /* 1000: cli */
        0xf4, /* 1001: hlt */
    };
    (void)state;
    assert_int_equal(run("", code, sizeof(code)), 0);
    assert_string_equal(said, "");
}

/* ---- Ended from outside ---- */

/* Until when it is left alone, in real time, and whether it speaks before that. */
typedef struct Span {
    int64_t end;
    bool speaks;
} Span;

static bool has_passed(void *opaque)
{
    const Span *span = opaque;

    return qemu_clock_get_ns(QEMU_CLOCK_REALTIME) >= span->end &&
           (!span->speaks || guest_has_written_stderr());
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
    (void)context;
    qemu_system_killed(signal, info->si_pid);
}

/* Runs for a tenth of a second, and until it has said something if it @speaks; then is sent SIGTERM. */
static int run_until_signal(const char *words, bool speaks, const uint8_t *code, size_t size)
{
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO }, old;
    Span span = { .speaks = speaks };
    int status;

    guest_begin(words, code, size);
    guest_capture_stderr();
    guest_start();
    sigaction(SIGTERM, &action, &old);
    vm_start();
    span.end = qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + INT64_C(100) * SCALE_MS;
    assert_true(guest_loop_until(has_passed, &span));
    kill(getpid(), SIGTERM);
    status = guest_run();
    sigaction(SIGTERM, &old, NULL);
    guest_end();
    said = guest_captured_stderr();
    return status;
}

static void a_guest_that_spins_is_ended_by_a_signal(void **state)
{
    static const uint8_t code[] = {
        0xeb, 0xfe, /* 1000: jmp 1000 <again> */
    };
    (void)state;
    assert_int_equal(run_until_signal("smp=2", false, code, sizeof(code)), 0);
}

static void a_guest_that_floods_a_port_is_ended_by_a_signal(void **state)
{
    static const uint8_t code[] = {
        0xe6, 0x80, /* 1000: out 0x80,al */
        0xe5, 0x84, /* 1002: in ax,0x84 */
        0xeb, 0xfa, /* 1004: jmp 1000 <again> */
    };
    (void)state;
    assert_int_equal(run_until_signal("smp=2", true, code, sizeof(code)), 0);
    assert_said("port 0x80");
    assert_true(strlen(said) < 1000);
}

static void a_guest_that_reads_all_of_nowhere_is_told_about_a_bounded_number_of_pages(void **state)
{
    static const uint8_t code[] = {
        0xbb, 0x00, 0x00, 0x00, 0xd0,       /* 1000: mov ebx,0xd0000000 */
        0x8b, 0x03,                         /* 1005: mov eax,DWORD PTR [ebx] */
        0x81, 0xc3, 0x00, 0x10, 0x00, 0x00, /* 1007: add ebx,0x1000 */
        0xeb, 0xf6,                         /* 100d: jmp 1005 <again> */
    };
    unsigned lines = 0;

    (void)state;
    assert_int_equal(run_until_signal("protected-mode=on", true, code, sizeof(code)), 0);
    for (const char *p = said; (p = strchr(p, '\n')); p++) {
        lines++;
    }
    assert_in_range(lines, 1, 1024);
}

static void a_halt_that_nothing_can_end_is_said_once_and_waits(void **state)
{
    static const uint8_t code[] = {
        0xfa, /* 1000: cli */
        0xf4, /* 1001: hlt */
    };
    (void)state;
    assert_int_equal(run_until_signal("on-halt=wait,smp=2", true, code, sizeof(code)), 0);
    assert_said("every vCPU has halted, and nothing can wake one");
}

static void a_halt_in_kvm_is_ended_by_a_signal(void **state)
{
    static const uint8_t code[] = {
        0xfa, /* 1000: cli */
        0xf4, /* 1001: hlt */
    };
    (void)state;
    assert_int_equal(run_until_signal("kernel-irqchip=on,smp=2", false, code, sizeof(code)), 0);
}

static bool was_said(void *opaque)
{
    return __atomic_load_n((uint32_t *)opaque, __ATOMIC_RELAXED) != 0;
}

static void a_halt_in_kvm_that_nothing_can_end_is_said(void **state)
{
    static const uint8_t code[] = {
        0xfa, /* 1000: cli */
        0xf4, /* 1001: hlt */
    };
    (void)state;
    guest_begin("kernel-irqchip=on,smp=2", code, sizeof(code));
    guest_capture_stderr();
    guest_start();
    vm_start();
    assert_true(guest_loop_until(was_said, &FLAT_MACHINE(current_machine())->halt_said));
    guest_end();
    said = guest_captured_stderr();
    assert_said("nothing can wake one: interrupts are off in all of them");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        guest_test(a_triple_fault_is_told_with_registers_and_code),
        guest_test(a_guest_that_jumps_out_of_ram_is_told_so),
        guest_test(a_guest_that_walks_off_the_end_of_ram_ends),
        guest_test(code_that_is_no_code_is_told_with_its_bytes),
        guest_test(page_tables_outside_memory_lead_nowhere),
        guest_test(page_tables_in_a_circle_come_to_an_end),
        guest_test(halting_with_interrupts_off_ends_the_machine),
        guest_test(a_guest_that_spins_is_ended_by_a_signal),
        guest_test(a_guest_that_floods_a_port_is_ended_by_a_signal),
        guest_test(a_guest_that_reads_all_of_nowhere_is_told_about_a_bounded_number_of_pages),
        guest_test(a_halt_that_nothing_can_end_is_said_once_and_waits),
        guest_test(a_halt_in_kvm_is_ended_by_a_signal),
        guest_test(a_halt_in_kvm_that_nothing_can_end_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
