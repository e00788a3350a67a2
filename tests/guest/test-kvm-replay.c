/* SPDX-License-Identifier: MIT */
/*
 * Triple faults on a processor of AMD: the ioctl() of this program stands before that of the C
 * library and resets a vCPU before it hands SHUTDOWN over, as KVM does there. With explanations on,
 * the guest is run once more from its last entry, and the state is found again.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <qomet/accel/exit-record.h>
#include "tests/guest/guest.h"

#define LONG_MODE "long-mode=on"

/* Requests after a SHUTDOWN are counted; the one that fails, from 1 on, or 0. */
static bool fallen;
static unsigned requests, failed;
static unsigned resets;

static int real_ioctl(int fd, unsigned long request, void *arg)
{
    return (int)syscall(SYS_ioctl, fd, request, arg);
}

/* INIT's registers: CS:RIP is the reset vector, all tables are forgotten. */
static void reset_vcpu(int fd)
{
    struct kvm_regs regs = { .rip = 0xfff0, .rflags = 2, .rdx = 0x600 };
    struct kvm_sregs sregs;

    real_ioctl(fd, KVM_GET_SREGS, &sregs);
    sregs.cs = (struct kvm_segment){
        .base = 0xffff0000, .limit = 0xffff, .selector = 0xf000, .type = 11, .present = 1, .s = 1
    };
    sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss =
        (struct kvm_segment){ .limit = 0xffff, .type = 3, .present = 1, .s = 1 };
    sregs.gdt = sregs.idt = (struct kvm_dtable){ .limit = 0xffff };
    sregs.cr0 = 0x60000010;
    sregs.cr2 = sregs.cr3 = sregs.cr4 = sregs.efer = 0;
    assert_int_equal(real_ioctl(fd, KVM_SET_SREGS, &sregs), 0);
    assert_int_equal(real_ioctl(fd, KVM_SET_REGS, &regs), 0);
    resets++;
}

/* Where a step over HLT leaves a vCPU, which some KVMs then let wait in KVM_RUN; 0: nowhere. */
static uint64_t waits_at;

static void let_wait(int fd, struct kvm_mp_state *state)
{
    struct kvm_regs regs;

    real_ioctl(fd, KVM_GET_REGS, &regs);
    if (regs.rip == waits_at) {
        state->mp_state = KVM_MP_STATE_HALTED;
    }
}

static struct kvm_run *run_of_fd; /* of the only vCPU */

int ioctl(int fd, unsigned long request, ...)
{
    va_list ap;
    void *arg;
    int result;

    va_start(ap, request);
    arg = va_arg(ap, void *);
    va_end(ap);
    if (fallen && _IOC_TYPE(request) == KVMIO &&
        __atomic_add_fetch(&requests, 1, __ATOMIC_RELAXED) == failed) {
        errno = EIO;
        return -1;
    }
    result = real_ioctl(fd, request, arg);
    if (request == KVM_RUN && result == 0 && run_of_fd->exit_reason == KVM_EXIT_SHUTDOWN) {
        fallen = true;
        reset_vcpu(fd);
    }
    if (request == KVM_GET_MP_STATE && fallen && waits_at) {
        let_wait(fd, arg);
    }
    return result;
}

/* The page that a vCPU shares with the kernel is the mapping of its descriptor. */
void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
    void *at = (void *)syscall(SYS_mmap, addr, len, prot, flags, fd, offset);

    if (fd >= 0 && at != (void *)-1) {
        run_of_fd = at;
    }
    return at;
}

/* The guest's end is told on standard error; what is explained goes to a log that nobody reads. */
static const char *run(const char *words, bool explain, const uint8_t *code, size_t size)
{
    /* Before there is a vCPU, whose thread reads and counts. */
    fallen = false;
    requests = resets = 0;
    guest_begin(words, code, size);
    guest_recorder(false, 0xf1, 1);
    assert_true(qemu_set_log_filename("/dev/null", NULL));
    if (explain) {
        assert_true(exit_observe(EXIT_EXPLAIN, true, NULL));
    }
    guest_capture_stderr();
    assert_int_equal(guest_run(), 1);
    guest_end();
    assert_true(qemu_set_log_filename(NULL, NULL));
    return guest_captured_stderr();
}

static void assert_said(const char *said, const char *part)
{
    if (!strstr(said, part)) {
        fail_msg("'%s' is not in:\n%s", part, said);
    }
}

/* ---- The guests ---- */

static const uint8_t no_idt[] = {
    0xe6, 0xf1,       /* 1000: out 0xf1,al */
    0x48, 0xff, 0xc3, /* 1002: inc rbx */
    0x0f, 0x0b,       /* 1005: ud2 */
};

static void without_explanations_it_is_said_what_would_help(void **state)
{
    const char *said;

    (void)state;
    said = run(LONG_MODE, false, no_idt, sizeof(no_idt));
    assert_said(said, "KVM has reset the registers before reporting, as it does on AMD.");
    assert_said(said, "with -explain the state at each entry is kept");
    assert_said(said, "EIP=0000fff0");
    assert_int_equal(resets, 1);
}

static void the_state_before_the_fault_is_found_again(void **state)
{
    const char *said;

    (void)state;
    said = run(LONG_MODE, true, no_idt, sizeof(no_idt));
    assert_said(said, "Run once more from its last entry (RIP 0x1002), the guest came to the same "
                      "end after 2 steps");
    assert_said(said,
                "diagnosis: no IDT: the IDT (base 0x0, limit 0x0) ends before the gate of #UD");
    assert_said(said, "RIP=0000000000001005");
    assert_said(said, "RBX=0000000000000001");
    assert_said(said, "code at RIP: 0f 0b");
    assert_int_equal(resets, 2);
}

static void each_cause_is_found_after_a_reset(void **state)
{
    static const uint8_t bad_cr3[] = {
        0xb8, 0x00, 0x00, 0x00, 0xc0, /* 1000: mov eax,0xc0000000 */
        0x0f, 0x22, 0xd8,             /* 1005: mov cr3,rax */
        0x90,                         /* 1008: nop */
    };
    static const uint8_t not_present[] = {
        0x48, 0xb8, 0,    0, 0, 0, 0x80, 0, 0, 0, /* 1000: movabs rax,0x8000000000 */
        0x48, 0x8b, 0x00,                         /* 100a: mov rax,[rax] */
    };
    static const uint8_t stack[] = {
        0x48, 0xbc, 0, 0, 0, 0, 0x80, 0, 0, 0, /* 1000: movabs rsp,0x8000000000 */
        0x50,                                  /* 100a: push rax */
    };
    static const struct {
        const char *said;
        const uint8_t *code;
        size_t size;
    } guests[] = {
        { "diagnosis: bad CR3: CR3 is 0xc0000000", bad_cr3, sizeof(bad_cr3) },
        { "diagnosis: page not present: what the instruction reaches for is 0x8000000000",
          not_present, sizeof(not_present) },
        { "diagnosis: stack outside RAM: the instruction reaches for 0x7ffffffff8", stack,
          sizeof(stack) },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(guests); i++) {
        assert_said(run(LONG_MODE, true, guests[i].code, guests[i].size), guests[i].said);
        assert_int_equal(resets, 2);
    }
}

/* Memory is as the first run has left it. */
static void a_guest_that_takes_another_way_the_second_time_is_told_so(void **state)
{
    static const uint8_t code[] = {
        0x80, 0x3c, 0x25, 0, 0x20, 0, 0, 0, /* 1000: cmp BYTE PTR [0x2000],0 */
        0x75, 0x0a,                         /* 1008: jne 1014 */
        0xc6, 0x04, 0x25, 0, 0x20, 0, 0, 1, /* 100a: mov BYTE PTR [0x2000],1 */
        0x0f, 0x0b,                         /* 1012: ud2 */
        0xe6, 0xf1,                         /* 1014: out 0xf1,al */
    };
    const char *said;

    (void)state;
    said = run(LONG_MODE, true, code, sizeof(code));
    assert_said(said,
                "the guest did not come to the same end: after 3 steps, the guest used a port");
    assert_said(said, "RIP=0000000000001014");
}

static void a_guest_that_waits_the_second_time_is_not_waited_for(void **state)
{
    static const uint8_t code[] = {
        0x80, 0x3c, 0x25, 0, 0x20, 0, 0, 0, /* 1000: cmp BYTE PTR [0x2000],0 */
        0x75, 0x0a,                         /* 1008: jne 1014 */
        0xc6, 0x04, 0x25, 0, 0x20, 0, 0, 1, /* 100a: mov BYTE PTR [0x2000],1 */
        0x0f, 0x0b,                         /* 1012: ud2 */
        0xf4,                               /* 1014: hlt */
    };

    const char *said;

    (void)state;
    waits_at = 0x1015;
    said = run(LONG_MODE ",kernel-irqchip=on", true, code, sizeof(code));
    waits_at = 0;
    assert_said(said, "after 3 steps, it waits for an interrupt");
}

static void a_guest_that_ran_for_long_is_not_followed_for_ever(void **state)
{
    static const uint8_t code[] = {
        0xb9, 0x00, 0x00, 0x04, 0x00, /* 1000: mov ecx,0x40000 */
        0xff, 0xc9,                   /* 1005: dec ecx */
        0x75, 0xfc,                   /* 1007: jnz 1005 */
        0x0f, 0x0b,                   /* 1009: ud2 */
    };

    (void)state;
    assert_said(run(LONG_MODE, true, code, sizeof(code)), "steps, it took too many steps");
}

/* Whichever request of KVM fails on the way, the guest's end is told. */
static void each_request_of_the_second_run_may_fail(void **state)
{
    unsigned total;

    (void)state;
    run(LONG_MODE, true, no_idt, sizeof(no_idt));
    total = requests;
    assert_in_range(total, 8, 100);
    for (failed = 1; failed <= total; failed++) {
        assert_said(run(LONG_MODE, true, no_idt, sizeof(no_idt)), "vCPU 0: triple fault");
    }
    failed = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        guest_test(without_explanations_it_is_said_what_would_help),
        guest_test(the_state_before_the_fault_is_found_again),
        guest_test(each_cause_is_found_after_a_reset),
        guest_test(a_guest_that_takes_another_way_the_second_time_is_told_so),
        guest_test(a_guest_that_waits_the_second_time_is_not_waited_for),
        guest_test(a_guest_that_ran_for_long_is_not_followed_for_ever),
        guest_test(each_request_of_the_second_run_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
