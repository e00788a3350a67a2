/* SPDX-License-Identifier: MIT */
/*
 * Guests in a test: making and ending the board around them, and the device that notes what it is
 * asked.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <qomet/qom/keyval.h>
#include "tests/guest/guest.h"
#include "tests/unit/program-fixture.h"

#define TIMEOUT_NS (20 * NANOSECONDS_PER_SECOND)

static bool done; /* guest_start() was called */
static int kernel_fd = -1;
static int stderr_saved = -1, stderr_file = -1;
static char stderr_text[65536];

/* ---- The device ---- */

static void record(Recorder *r, hwaddr addr, uint64_t value, unsigned size, bool is_write)
{
    uint32_t n = __atomic_load_n(&r->count, __ATOMIC_RELAXED);

    if (n < RECORDER_LOG) {
        r->log[n] = (RecordedAccess){ addr, value, size, is_write };
    }
    __atomic_store_n(&r->count, n + 1, __ATOMIC_RELEASE);
    if (r->limit && n + 1 == r->limit) {
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    }
}

static uint64_t recorder_read(void *opaque, hwaddr addr, unsigned size)
{
    Recorder *r = opaque;
    uint64_t value = r->on_read ? r->on_read(r, addr, size) : r->answer;

    record(r, addr, value, size, false);
    return value;
}

static void recorder_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    Recorder *r = opaque;

    record(r, addr, value, size, true);
    if (r->on_write) {
        r->on_write(r, addr, value, size);
    }
}

static const MemoryRegionOps recorder_ops = {
    .read = recorder_read,
    .write = recorder_write,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

static bool recorder_realize(DeviceState *dev, GError **errp)
{
    Recorder *r = RECORDER(dev);

    memory_region_init_io(&r->mr, OBJECT(r), &recorder_ops, r, "recorder", r->bytes);
    return qdev_map(dev, r->memory ? get_system_memory() : get_system_io(), r->base, &r->mr, errp);
}

static void recorder_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    DEVICE_CLASS(klass)->realize = recorder_realize;
}

static const TypeInfo recorder_type = {
    .name = TYPE_RECORDER,
    .parent = TYPE_DEVICE,
    .instance_size = sizeof(Recorder),
    .class_init = recorder_class_init,
};

Recorder *guest_recorder(bool memory, uint64_t base, uint64_t bytes)
{
    GError *error = NULL;
    DeviceState *dev = qdev_new(TYPE_RECORDER, &error);
    Recorder *r = RECORDER(dev);

    assert_non_null(dev);
    r->memory = memory;
    r->base = base;
    r->bytes = bytes;
    assert_true(qdev_set_id(dev, NULL, &error));
    if (!qdev_realize_and_unref(dev, NULL, &error)) {
        fail_msg("%s", error->message);
    }
    return r;
}

/* ---- The board ---- */

void guest_init_process(void)
{
    static bool init;
    GError *error = NULL;

    if (init) {
        return;
    }
    init = true;
    if (!module_call_init(MODULE_INIT_QOM, &error) ||
        !type_register_static(&recorder_type, &error)) {
        fail_msg("%s", error->message);
    }
}

void guest_need_kvm(void)
{
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        test_skip("no usable KVM: /dev/kvm: %s", strerror(errno));
    }
    if (ioctl(fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION) {
        close(fd);
        test_skip("no usable KVM: /dev/kvm has another API version");
    }
    close(fd);
}

static void set_words(Object *obj, const char *words)
{
    GError *error = NULL;
    g_autoptr(KeyVal) kv = keyval_parse(words, NULL, &error);

    if (!kv || !keyval_apply(kv, obj, &error)) {
        fail_msg("%s", error->message);
    }
}

void guest_begin_accel(const char *accel, const char *words, const uint8_t *code, size_t size)
{
    GError *error = NULL;
    MachineState *machine;
    g_autofree char *path = NULL;

    guest_init_process();
    program_setup(NULL);
    machine = machine_new(machine_class_find("bare", &error), &error);
    assert_non_null(machine);
    machine->no_defaults = true;
    if (code) {
        kernel_fd = memfd_create("kernel", MFD_CLOEXEC);
        assert_int_equal(write(kernel_fd, code, size), size);
        path = g_strdup_printf("/proc/self/fd/%d", kernel_fd);
        assert_true(object_property_set_str(OBJECT(machine), "kernel", path, &error));
    }
    if (*words) {
        set_words(OBJECT(machine), words);
    }
    if (!accel_init(accel, &error) || !machine_init(machine, &error)) {
        fail_msg("%s", error->message);
    }
    done = false;
}

void guest_begin(const char *words, const uint8_t *code, size_t size)
{
    guest_need_kvm();
    guest_begin_accel("kvm", words, code, size);
}

void guest_start(void)
{
    GError *error = NULL;

    if (!done && !machine_done(current_machine(), &error)) {
        fail_msg("%s", error->message);
    }
    done = true;
}

static void timeout(void *opaque)
{
    (void)opaque;
    qemu_system_shutdown_request_with_code(SHUTDOWN_CAUSE_HOST_ERROR, GUEST_TIMEOUT);
}

int guest_run(void)
{
    QEMUTimer *timer = timer_new_ns(QEMU_CLOCK_REALTIME, timeout, NULL, NULL);
    int status;

    guest_start();
    timer_mod(timer, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + TIMEOUT_NS);
    vm_start();
    status = qemu_main_loop();
    timer_free(timer);
    return status;
}

static void wake(void *opaque)
{
    *(bool *)opaque = true;
}

bool guest_loop_until(bool (*is_done)(void *opaque), void *opaque)
{
    bool woken = false;
    QEMUTimer *timer = timer_new_ns(QEMU_CLOCK_REALTIME, wake, &woken, NULL);
    int64_t end = qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + TIMEOUT_NS;

    while (!is_done(opaque) && qemu_clock_get_ns(QEMU_CLOCK_REALTIME) < end) {
        timer_mod(timer, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + 200000);
        main_loop_wait(true);
    }
    timer_free(timer);
    return is_done(opaque);
}

void guest_end(void)
{
    program_teardown(NULL);
    if (kernel_fd >= 0) {
        close(kernel_fd);
        kernel_fd = -1;
    }
    guest_captured_stderr();
}

int guest_teardown(void **state)
{
    (void)state;
    if (current_machine() || current_accel()) {
        guest_end();
    }
    return 0;
}

/* ---- Standard error ---- */

void guest_capture_stderr(void)
{
    guest_captured_stderr();
    fflush(stderr);
    stderr_saved = dup(STDERR_FILENO);
    stderr_file = memfd_create("stderr", MFD_CLOEXEC);
    dup2(stderr_file, STDERR_FILENO);
}

bool guest_has_written_stderr(void)
{
    struct stat st;

    return fstat(stderr_file, &st) == 0 && st.st_size > 0;
}

const char *guest_captured_stderr(void)
{
    ssize_t n;

    if (stderr_file < 0) {
        return stderr_text;
    }
    fflush(stderr);
    dup2(stderr_saved, STDERR_FILENO);
    close(stderr_saved);
    n = pread(stderr_file, stderr_text, sizeof(stderr_text) - 1, 0);
    stderr_text[MAX(n, 0)] = '\0';
    close(stderr_file);
    stderr_saved = stderr_file = -1;
    return stderr_text;
}
