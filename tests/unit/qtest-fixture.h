/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the tester's end in qomet share. The test is both ends: it talks over a socket
 * to an object in its own process.
 */
#ifndef QOMET_TESTS_UNIT_QTEST_FIXTURE_H
#define QOMET_TESTS_UNIT_QTEST_FIXTURE_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <qomet/accel/qtest/qtest.h>
#include <qomet/hw/core/qdev.h>
#include "tests/unit/program-fixture.h"

/* ---- A device with everything that a test may touch ---- */

#define TYPE_TOY "test-toy"
OBJECT_DECLARE_SIMPLE_TYPE(Toy, TOY)

struct Toy {
    DeviceState parent_obj;
    MemoryRegion io;
    qemu_irq out[2];
    QEMUTimer timer;
    uint32_t data;
    unsigned fired;
};

static G_GNUC_UNUSED uint64_t toy_read(void *opaque, hwaddr addr, unsigned size)
{
    (void)addr;
    (void)size;
    return TOY(opaque)->data;
}

/* Port 0: data; 4: sets line 0; 8: fires after so many ns; 12: asks for the end. */
static G_GNUC_UNUSED void toy_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    Toy *s = TOY(opaque);

    (void)size;
    switch (addr) {
    case 0:
        s->data = (uint32_t)data;
        break;
    case 4:
        qemu_set_irq(s->out[0], (int)data);
        break;
    case 8:
        timer_mod(&s->timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + (int64_t)data);
        break;
    case 12:
        qemu_system_shutdown_request_with_code(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, (int)data);
        break;
    }
}

static const MemoryRegionOps toy_ops = { .read = toy_read, .write = toy_write };

static G_GNUC_UNUSED void toy_timer(void *opaque)
{
    Toy *s = TOY(opaque);

    s->fired++;
    qemu_irq_raise(s->out[1]);
}

static G_GNUC_UNUSED void toy_input(void *opaque, int n, int level)
{
    TOY(opaque)->data = (uint32_t)(0x100 * (n + 1) + level);
}

static G_GNUC_UNUSED void toy_init(Object *obj)
{
    Toy *s = TOY(obj);

    qdev_init_gpio_in(DEVICE(obj), toy_input, 2);
    qdev_init_gpio_in_named(DEVICE(obj), toy_input, "named", 1);
    qdev_init_gpio_out(DEVICE(obj), s->out, 2);
    timer_init_ns(&s->timer, QEMU_CLOCK_VIRTUAL, toy_timer, s, &DEVICE(obj)->guard);
}

static G_GNUC_UNUSED void toy_finalize(Object *obj)
{
    timer_del(&TOY(obj)->timer);
}

static G_GNUC_UNUSED bool toy_realize(DeviceState *dev, GError **errp)
{
    Toy *s = TOY(dev);

    memory_region_init_io(&s->io, OBJECT(s), &toy_ops, s, "toy", 16);
    return qdev_map(dev, get_system_io(), 0x100, &s->io, errp);
}

static G_GNUC_UNUSED void toy_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    DEVICE_CLASS(klass)->realize = toy_realize;
}

static const TypeInfo toy_types[] = { {
    .name = TYPE_TOY,
    .parent = TYPE_DEVICE,
    .instance_size = sizeof(Toy),
    .instance_init = toy_init,
    .instance_finalize = toy_finalize,
    .class_init = toy_class_init,
} };
DEFINE_TYPES(toy_types)

/* ---- The test's end of the socket ---- */

typedef struct Bench {
    char *dir, *path;
    Toy *toy;
    MemoryRegion ram;
    int sock;
    GString *input;
} Bench;

static Bench bench;

static G_GNUC_UNUSED int listen_at(const char *path)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(un.sun_path, path, sizeof(un.sun_path));
    assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static G_GNUC_UNUSED int setup(void **state)
{
    GError *error = NULL;
    g_autofree char *address = NULL;
    int listener;

    program_setup(state);
    memset(&bench, 0, sizeof(bench));
    bench.dir = g_dir_make_tmp("test-qtest-XXXXXX", NULL);
    assert_non_null(bench.dir);
    bench.path = g_build_filename(bench.dir, "socket", NULL);
    assert_non_null(accel_init("qtest", &error));
    bench.toy = TOY(qdev_new(TYPE_TOY, &error));
    assert_true(qdev_set_id(DEVICE(bench.toy), "toy", &error));
    assert_true(qdev_realize_and_unref(DEVICE(bench.toy), NULL, &error));
    assert_true(memory_region_init_ram(&bench.ram, NULL, "ram", 2 << 20, &error));
    assert_true(memory_region_add_subregion(get_system_memory(), 0, &bench.ram, &error));
    listener = listen_at(bench.path);
    address = g_strdup_printf("unix:%s", bench.path);
    assert_non_null(object_new_with_props(TYPE_QTEST, object_get_objects_root(), "qtest", &error,
                                          "address", address, NULL));
    bench.sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    assert_true(bench.sock >= 0);
    close(listener);
    unlink(bench.path);
    bench.input = g_string_new(NULL);
    return 0;
}

static G_GNUC_UNUSED int teardown(void **state)
{
    memory_region_del_subregion(get_system_memory(), &bench.ram);
    object_unref(&bench.ram);
    object_unparent(OBJECT(bench.toy));
    program_teardown(state);
    if (bench.sock >= 0) {
        close(bench.sock);
    }
    rmdir(bench.dir);
    g_free(bench.dir);
    g_free(bench.path);
    g_string_free(bench.input, TRUE);
    return 0;
}

/* Sends all, running the loop while the other end does not take it. */
static G_GNUC_UNUSED void send_bytes(const char *data, size_t len)
{
    while (len) {
        ssize_t n = send(bench.sock, data, len, MSG_NOSIGNAL);

        assert_true(n > 0 || errno == EAGAIN);
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
        main_loop_wait(false);
    }
}

/* The next line that comes, interrupts included; the caller frees. */
static G_GNUC_UNUSED char *receive(void)
{
    gint64 until = g_get_monotonic_time() + 20 * (gint64)G_USEC_PER_SEC;

    for (;;) {
        char *newline = strchr(bench.input->str, '\n');
        char buf[65536];
        ssize_t n;

        if (newline) {
            char *line = g_strndup(bench.input->str, (gsize)(newline - bench.input->str));

            g_string_erase(bench.input, 0, newline + 1 - bench.input->str);
            return line;
        }
        assert_true(g_get_monotonic_time() < until);
        main_loop_wait(false);
        n = recv(bench.sock, buf, sizeof(buf), 0);
        assert_true(n > 0 || (n < 0 && errno == EAGAIN));
        if (n > 0) {
            g_string_append_len(bench.input, buf, n);
        }
    }
}

static G_GNUC_UNUSED void assert_line(const char *expected)
{
    g_autofree char *line = receive();

    assert_string_equal(line, expected);
}

static G_GNUC_UNUSED void assert_answer(const char *command, const char *expected)
{
    send_bytes(command, strlen(command));
    send_bytes("\n", 1);
    assert_line(expected);
}

static G_GNUC_UNUSED void assert_fails(const char *command)
{
    g_autofree char *line = NULL;

    send_bytes(command, strlen(command));
    send_bytes("\n", 1);
    line = receive();
    if (!g_str_has_prefix(line, "FAIL ") || strlen(line) == strlen("FAIL ")) {
        fail_msg("'%s' is answered by '%s'", command, line);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
