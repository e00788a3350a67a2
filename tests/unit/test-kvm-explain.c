/* SPDX-License-Identifier: MIT */
/*
 * Exits in words, and what is said when KVM cannot be used: each failing step, with what can be
 * done. No KVM is needed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "accel/kvm/kvm-int.h"
#include "tests/unit/program-fixture.h"

/*
 * ---- A KVM that fails where it is told to: this program's ioctl() and open() take the place of
 * libc's ----
 */

#define RUN_BYTES 12288

static unsigned long failing_request; /* 0: none */
static int failing_errno, api_version = KVM_API_VERSION;
static int missing_capability = -1;
static bool fake_kvm;

int ioctl(int fd, unsigned long request, ...)
{
    va_list ap;
    unsigned long arg;

    va_start(ap, request);
    arg = va_arg(ap, unsigned long);
    va_end(ap);
    if (!fake_kvm) {
        return (int)syscall(SYS_ioctl, fd, request, arg);
    }
    if (request == failing_request) {
        errno = failing_errno;
        return -1;
    }
    switch (request) {
    case KVM_GET_API_VERSION:
        return api_version;
    case KVM_CREATE_VM:
        return (int)syscall(SYS_dup, 2);
    case KVM_CREATE_VCPU: /* something that can be mapped */
        fd = memfd_create("vcpu", MFD_CLOEXEC);
        return ftruncate(fd, RUN_BYTES) ? -1 : fd;
    case KVM_CHECK_EXTENSION:
        return (int)arg == missing_capability ? 0 : 1;
    case KVM_GET_VCPU_MMAP_SIZE:
        return RUN_BYTES;
    case KVM_RUN:
        g_usleep(1000);
        errno = EINTR;
        return -1;
    default:
        return 0;
    }
}

static void assert_refused(const char *words, const char *text)
{
    g_autoptr(GError) error = NULL;

    assert_null(accel_init(words, &error));
    if (!error || !strstr(error->message, text)) {
        fail_msg("'%s' is not in: %s", text, error ? error->message : "(nothing)");
    }
    assert_null(current_accel());
}

/* ---- Opening ---- */

static void a_missing_device_says_which_module_to_load(void **state)
{
    (void)state;
    assert_refused("kvm,device=/nowhere/kvm",
                   "cannot open /nowhere/kvm: No such file or directory");
    assert_refused("kvm,device=/nowhere/kvm", "modprobe kvm_intel or kvm_amd");
    assert_refused("kvm,device=/nowhere/kvm", "-accel qtest");
}

static void a_forbidden_device_says_which_group_to_join(void **state)
{
    g_autofree char *path = NULL, *words = NULL;
    int fd = g_file_open_tmp("qomet-test-XXXXXX", &path, NULL);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, 0), 0);
    close(fd);
    words = g_strdup_printf("kvm,device=%s", path);
    /* Nothing is forbidden to root. */
    if (getuid() == 0) {
        assert_int_equal(seteuid(65534), 0);
    }
    assert_refused(words, "Permission denied");
    assert_refused(words, "usermod -aG kvm");
    if (getuid() == 0) {
        assert_int_equal(seteuid(0), 0);
    }
    unlink(path);
}

static void what_is_no_kvm_is_told_apart(void **state)
{
    (void)state;
    assert_refused("kvm,device=/dev/null", "/dev/null is not KVM");
}

static void another_api_version_is_told_with_the_one_that_is_needed(void **state)
{
    (void)state;
    fake_kvm = true;
    api_version = 13;
    assert_refused("kvm,device=/dev/null", "has API version 13, but version 12 is needed");
    api_version = KVM_API_VERSION;
    fake_kvm = false;
}

static void each_failing_step_is_named(void **state)
{
    static const struct {
        unsigned long request;
        int err;
        const char *text;
    } steps[] = {
        { KVM_CREATE_VM, ENOMEM, "KVM_CREATE_VM" },
        { KVM_CREATE_VM, EBUSY, "another hypervisor" },
        { KVM_GET_VCPU_MMAP_SIZE, EINVAL, "KVM_GET_VCPU_MMAP_SIZE" },
        { KVM_SET_IDENTITY_MAP_ADDR, EINVAL, "KVM_SET_IDENTITY_MAP_ADDR" },
        { KVM_SET_TSS_ADDR, EINVAL, "KVM_SET_TSS_ADDR" },
    };

    (void)state;
    fake_kvm = true;
    for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
        failing_request = steps[i].request;
        failing_errno = steps[i].err;
        assert_refused("kvm,device=/dev/null", steps[i].text);
    }
    failing_request = 0;
    missing_capability = KVM_CAP_IMMEDIATE_EXIT;
    assert_refused("kvm,device=/dev/null", "lacks KVM_CAP_IMMEDIATE_EXIT");
    missing_capability = -1;
    fake_kvm = false;
}

/* Runs a board on a KVM that makes a virtual machine and then fails in @request. */
static void assert_ends_with_status_1(unsigned long request, const char *words)
{
    GError *error = NULL;
    MachineState *machine;

    fake_kvm = true;
    machine = machine_new(machine_class_find("bare", &error), &error);
    assert_true(object_property_set_str(OBJECT(machine), "kernel", "/proc/self/comm", &error));
    machine->no_defaults = true;
    assert_non_null(accel_init("kvm,device=/dev/null", &error));
    failing_request = request;
    failing_errno = ENOMEM;
    print_message("# expected now: %s\n", words);
    assert_true(machine_init(machine, &error));
    assert_true(machine_done(machine, &error));
    vm_start();
    assert_int_equal(qemu_main_loop(), 1);
    failing_request = 0;
    machine_cleanup();
    accel_cleanup();
    runstate_cleanup();
    fake_kvm = false;
}

static void a_vcpu_that_cannot_be_made_ends_the_machine(void **state)
{
    (void)state;
    assert_ends_with_status_1(KVM_CREATE_VCPU, "KVM makes no vCPU 0");
    assert_ends_with_status_1(KVM_SET_CPUID2, "KVM does not take the CPUID of vCPU 0");
    assert_ends_with_status_1(KVM_SET_SREGS, "KVM does not take the system registers");
}

static void memory_that_cannot_be_mapped_ends_the_machine(void **state)
{
    (void)state;
    assert_ends_with_status_1(KVM_SET_USER_MEMORY_REGION, "KVM does not map");
}

/* ---- Choosing ---- */

static void the_next_of_a_list_is_tried(void **state)
{
    GError *error = NULL;

    (void)state;
    assert_non_null(accel_init("kvm:qtest,device=/nowhere/kvm", &error));
    assert_string_equal(ACCEL_GET_CLASS(current_accel())->name, "qtest");
    assert_non_null(object_get_parent(OBJECT(current_accel())));
    accel_cleanup();
    assert_null(current_accel());
}

static void wrong_words_are_refused_with_what_is_meant(void **state)
{
    (void)state;
    assert_refused("kwm", "invalid accelerator 'kwm' (did you mean 'kvm'?)");
    assert_refused("kvm:xyzzy",
                   "invalid accelerator 'xyzzy' (-accel help lists those that there are)");
    assert_refused("", "to be named");
    assert_refused("kvm,devise=/x", "devise");
    assert_refused("kvm:qtest,nonsense=1", "no property 'nonsense'");
}

/* ---- Exits ---- */

static void assert_explained(const struct kvm_run *run, const X86Registers *r, const char *text)
{
    g_autofree char *words = kvm_explain_exit(run, r);

    if (!strstr(words, text)) {
        fail_msg("'%s' is not in: %s", text, words);
    }
}

static void every_reason_has_a_name_words_and_a_function(void **state)
{
    struct kvm_run run = { 0 };

    (void)state;
    for (uint32_t i = 0; i < KVM_EXIT_COUNT; i++) {
        run.exit_reason = i;
        assert_non_null(kvm_exit_name(i));
        assert_non_null(kvm_exits_plain[i]);
        assert_non_null(kvm_exits_observed[i]);
        assert_explained(&run, NULL, kvm_exit_name(i));
        for (uint32_t k = 0; k < i; k++) {
            assert_string_not_equal(kvm_exit_name(i), kvm_exit_name(k));
        }
    }
    run.exit_reason = 12345;
    assert_explained(&run, NULL, "newer than this program");
    assert_string_equal(kvm_exit_name(12345), "new");
}

static void an_instruction_that_kvm_cannot_execute_is_shown(void **state)
{
    struct kvm_run run = { .exit_reason = KVM_EXIT_INTERNAL_ERROR };

    (void)state;
    run.emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
    assert_explained(&run, NULL, "KVM does not say which one");
    run.emulation_failure.ndata = 3;
    run.emulation_failure.flags = KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
    assert_explained(&run, NULL, "could not even be fetched");
    run.emulation_failure.insn_size = 2;
    run.emulation_failure.insn_bytes[0] = 0x9b;
    run.emulation_failure.insn_bytes[1] = 0xdd;
    assert_explained(&run, NULL, "its bytes begin with 9b dd.");
    run.emulation_failure.insn_size = 200;
    assert_explained(&run, NULL, "9b dd 00");
}

static void the_other_internal_errors_have_words_and_their_data(void **state)
{
    struct kvm_run run = { .exit_reason = KVM_EXIT_INTERNAL_ERROR };

    (void)state;
    run.internal.suberror = KVM_INTERNAL_ERROR_SIMUL_EX;
    assert_explained(&run, NULL, "while another one was being delivered");
    run.internal.suberror = KVM_INTERNAL_ERROR_DELIVERY_EV;
    run.internal.ndata = 2;
    run.internal.data[0] = 0x80000b0d;
    run.internal.data[1] = 0x30;
    assert_explained(&run, NULL, "KVM adds: 0x80000b0d, 0x30");
    run.internal.suberror = KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON;
    run.internal.ndata = UINT32_MAX;
    assert_explained(&run, NULL, "did not expect");
    run.internal.suberror = 77;
    assert_explained(&run, NULL, "suberror 77");
}

static void a_refused_entry_says_what_the_processor_minds(void **state)
{
    struct kvm_run run = { .exit_reason = KVM_EXIT_FAIL_ENTRY };

    (void)state;
    run.fail_entry.hardware_entry_failure_reason = 0x80000021;
    assert_explained(&run, NULL, "the guest's state is not valid");
    run.fail_entry.hardware_entry_failure_reason = UINT64_MAX;
    assert_explained(&run, NULL, "the guest's state is not valid");
    run.fail_entry.hardware_entry_failure_reason = 0x80000022;
    assert_explained(&run, NULL, "could not be loaded");
    run.fail_entry.hardware_entry_failure_reason = 0x80000029;
    assert_explained(&run, NULL, "machine check");
    run.fail_entry.hardware_entry_failure_reason = 7;
    assert_explained(&run, NULL, "hardware reason 0x7");
}

static void a_triple_fault_on_amd_is_told_with_reset_registers(void **state)
{
    struct kvm_run run = { .exit_reason = KVM_EXIT_SHUTDOWN };
    g_autofree char *text = NULL;
    X86Registers r;

    (void)state;
    x86_registers_reset(&r);
    assert_explained(&run, &r, "KVM has reset the registers before reporting");
    r.rip = 0x1234;
    text = kvm_explain_exit(&run, &r);
    assert_null(strstr(text, "reset"));
    assert_explained(&run, NULL, "triple fault");
}

static void what_faults_outside_memory_is_told_with_its_address(void **state)
{
    struct kvm_run run = { .exit_reason = KVM_EXIT_MEMORY_FAULT };
    KVMMemoryFault fault = { .gpa = 0xabc000, .size = 4096 };

    (void)state;
    memcpy(&run.hw, &fault, sizeof(fault));
    assert_explained(&run, NULL, "address 0xabc000, 4096 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_device_says_which_module_to_load),
        cmocka_unit_test(a_forbidden_device_says_which_group_to_join),
        cmocka_unit_test(what_is_no_kvm_is_told_apart),
        cmocka_unit_test(another_api_version_is_told_with_the_one_that_is_needed),
        cmocka_unit_test(each_failing_step_is_named),
        cmocka_unit_test(a_vcpu_that_cannot_be_made_ends_the_machine),
        cmocka_unit_test(memory_that_cannot_be_mapped_ends_the_machine),
        cmocka_unit_test(the_next_of_a_list_is_tried),
        cmocka_unit_test(wrong_words_are_refused_with_what_is_meant),
        cmocka_unit_test(every_reason_has_a_name_words_and_a_function),
        cmocka_unit_test(an_instruction_that_kvm_cannot_execute_is_shown),
        cmocka_unit_test(the_other_internal_errors_have_words_and_their_data),
        cmocka_unit_test(a_refused_entry_says_what_the_processor_minds),
        cmocka_unit_test(a_triple_fault_on_amd_is_told_with_reset_registers),
        cmocka_unit_test(what_faults_outside_memory_is_told_with_its_address),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
