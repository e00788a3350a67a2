/* SPDX-License-Identifier: MIT */
/*
 * KVM that is not as it should be: the ioctl() of this program stands before that of the C library,
 * and has /dev/kvm be of another version, or one request of KVM fail. Nothing may be left behind,
 * whichever that is.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <qomet/backends/loop.h>
#include <qomet/hw/core/timer.h>
#include "tests/guest/guest.h"
#include "tests/unit/program-fixture.h"

/* What the guest writes to is not there, and it does not mind. */
static const uint8_t code[] = {
    0xb0, 0x07, /* 1000: mov al,0x7 */
    0xe6, 0xf1, /* 1002: out 0xf1,al */
    0xf4,       /* 1004: hlt */
};

static int version;               /* of KVM's interface; 0: as it is */
static unsigned requests, failed; /* how many there were; the one that fails, from 1 on, or 0 */
static unsigned long failed_request;

int ioctl(int fd, unsigned long request, ...)
{
    va_list ap;
    void *arg;

    va_start(ap, request);
    arg = va_arg(ap, void *);
    va_end(ap);
    if (_IOC_TYPE(request) == KVMIO) {
        if (request == KVM_GET_API_VERSION && version) {
            return version;
        }
        if (__atomic_add_fetch(&requests, 1, __ATOMIC_RELAXED) == failed) {
            failed_request = request;
            errno = EIO;
            return -1;
        }
    }
    return (int)syscall(SYS_ioctl, fd, request, arg);
}

static unsigned open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned n = 0;

    assert_non_null(dir);
    while (readdir(dir)) {
        n++;
    }
    closedir(dir);
    return n;
}

static void begin(void)
{
    guest_init_process();
    program_setup(NULL);
}

/* The board, made and run to its end: its status, or -1 with @errp set. */
static int run(bool irqchip, GError **errp)
{
    g_autofree char *path = NULL;
    MachineState *machine;
    int fd = memfd_create("kernel", MFD_CLOEXEC), status = -1;

    assert_int_equal(write(fd, code, sizeof(code)), sizeof(code));
    path = g_strdup_printf("/proc/self/fd/%d", fd);
    begin();
    machine = machine_new(machine_class_find("bare", NULL), NULL);
    machine->no_defaults = true;
    assert_true(object_property_set_str(OBJECT(machine), "kernel", path, NULL));
    assert_true(
        object_property_set_str(OBJECT(machine), "kernel-irqchip", irqchip ? "on" : "off", NULL));
    if (accel_init("kvm", errp) && machine_init(machine, errp)) {
        Recorder *port = guest_recorder(false, 0xf1, 1);

        port->limit = irqchip ? 1 : 0;
        if (machine_done(machine, errp)) {
            vm_start();
            status = qemu_main_loop();
        }
    }
    close(fd);
    guest_end();
    return status;
}

static void another_version_is_told_with_both(void **state)
{
    static const int versions[] = { 1, 11, 13 };

    (void)state;
    guest_need_kvm();
    for (unsigned i = 0; i < G_N_ELEMENTS(versions); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text =
            g_strdup_printf("/dev/kvm has API version %d, but version 12 is needed", versions[i]);

        version = versions[i];
        assert_int_equal(run(false, &error), -1);
        version = 0;
        assert_non_null(error);
        if (!strstr(error->message, text)) {
            fail_msg("'%s' is not in '%s'", text, error->message);
        }
    }
}

/* Each request fails once; those that KVM can do without do no harm. */
static void fail_each_request(bool irqchip)
{
    g_autoptr(GError) none = NULL;
    unsigned files, total, errors = 0;

    guest_need_kvm();
    requests = failed = 0;
    assert_int_equal(run(irqchip, &none), 0);
    total = requests;
    assert_in_range(total, 10, 1000);
    files = open_files();
    for (unsigned i = 1; i <= total; i++) {
        g_autoptr(GError) error = NULL;
        const char *said;
        int status;

        requests = 0;
        failed = i;
        failed_request = 0;
        guest_capture_stderr();
        status = run(irqchip, &error);
        said = guest_captured_stderr();
        failed = 0;
        if (open_files() != files) {
            fail_msg("request %u (0x%lx) leaves %u files open, not %u", i, failed_request,
                     open_files(), files);
        }
        /* An error is told, either before the guest runs or when it cannot go on. */
        if (error) {
            assert_int_equal(status, -1);
            assert_true(strlen(error->message) > 10);
            errors++;
        } else if (status != 0) {
            assert_int_equal(status, 1);
            if (!g_str_has_prefix(said, "qomet: ")) {
                fail_msg("request %u (0x%lx): status 1 after '%s'", i, failed_request, said);
            }
            errors++;
        }
    }
    assert_in_range(errors, 5, total);
}

static void each_request_may_fail(void **state)
{
    (void)state;
    fail_each_request(false);
}

static void each_request_for_interrupt_controllers_may_fail(void **state)
{
    (void)state;
    fail_each_request(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_version_is_told_with_both),
        cmocka_unit_test(each_request_may_fail),
        cmocka_unit_test(each_request_for_interrupt_controllers_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
