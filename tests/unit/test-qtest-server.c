/* SPDX-License-Identifier: MIT */
/*
 * The tester's end in qomet: each command and its answer, lines that are wrong or hostile,
 * interrupts and time. The test is both ends: it talks over a socket to an object in its own
 * process.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <qomet/accel/qtest/qtest.h>
#include <qomet/backends/loop.h>
#include <qomet/hw/core/qdev.h>
#include "tests/test.h"

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

static uint64_t toy_read(void *opaque, hwaddr addr, unsigned size)
{
    (void)addr;
    (void)size;
    return TOY(opaque)->data;
}

/* Port 0: data; 4: sets line 0; 8: fires after so many ns; 12: asks for the end. */
static void toy_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
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

static void toy_timer(void *opaque)
{
    Toy *s = TOY(opaque);

    s->fired++;
    qemu_irq_raise(s->out[1]);
}

static void toy_input(void *opaque, int n, int level)
{
    TOY(opaque)->data = (uint32_t)(0x100 * (n + 1) + level);
}

static void toy_init(Object *obj)
{
    Toy *s = TOY(obj);

    qdev_init_gpio_in(DEVICE(obj), toy_input, 2);
    qdev_init_gpio_in_named(DEVICE(obj), toy_input, "named", 1);
    qdev_init_gpio_out(DEVICE(obj), s->out, 2);
    timer_init_ns(&s->timer, QEMU_CLOCK_VIRTUAL, toy_timer, s, &DEVICE(obj)->guard);
}

static void toy_finalize(Object *obj)
{
    timer_del(&TOY(obj)->timer);
}

static bool toy_realize(DeviceState *dev, GError **errp)
{
    Toy *s = TOY(dev);

    memory_region_init_io(&s->io, OBJECT(s), &toy_ops, s, "toy", 16);
    return qdev_map(dev, get_system_io(), 0x100, &s->io, errp);
}

static void toy_class_init(ObjectClass *klass, const void *data)
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
    char dir[32], path[48];
    Toy *toy;
    MemoryRegion ram;
    int sock;
    GString *input;
} Bench;

static Bench bench;

static int listen_at(const char *path)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(un.sun_path, path, sizeof(un.sun_path));
    assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static int setup(void **state)
{
    GError *error = NULL;
    g_autofree char *address = NULL;
    int listener;

    (void)state;
    assert_true(module_call_init(MODULE_INIT_QOM, &error));
    main_loop_init();
    clocks_init();
    memory_map_init();
    memset(&bench, 0, sizeof(bench));
    strcpy(bench.dir, "/tmp/test-qtest-XXXXXX");
    assert_non_null(mkdtemp(bench.dir));
    snprintf(bench.path, sizeof(bench.path), "%s/socket", bench.dir);
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

static int teardown(void **state)
{
    (void)state;
    memory_region_del_subregion(get_system_memory(), &bench.ram);
    object_unref(&bench.ram);
    object_unparent(OBJECT(bench.toy));
    accel_cleanup();
    object_root_cleanup();
    runstate_cleanup();
    memory_map_cleanup();
    clocks_cleanup();
    main_loop_cleanup();
    if (bench.sock >= 0) {
        close(bench.sock);
    }
    rmdir(bench.dir);
    g_string_free(bench.input, TRUE);
    return 0;
}

/* Sends all, running the loop while the other end does not take it. */
static void send_bytes(const char *data, size_t len)
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
static char *receive(void)
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

static void assert_line(const char *expected)
{
    g_autofree char *line = receive();

    assert_string_equal(line, expected);
}

static void assert_answer(const char *command, const char *expected)
{
    send_bytes(command, strlen(command));
    send_bytes("\n", 1);
    assert_line(expected);
}

static void assert_fails(const char *command)
{
    g_autofree char *line = NULL;

    send_bytes(command, strlen(command));
    send_bytes("\n", 1);
    line = receive();
    if (!g_str_has_prefix(line, "FAIL ") || strlen(line) == strlen("FAIL ")) {
        fail_msg("'%s' is answered by '%s'", command, line);
    }
}

/* ---- What holds ---- */

static void a_port_is_written_and_read_in_its_sizes(void **state)
{
    (void)state;
    assert_answer("outl 0x100 0xdeadbeef", "OK");
    assert_answer("inl 0x100", "OK 0x00000000deadbeef");
    assert_answer("inw 256", "OK 0x000000000000beef");
    assert_answer("inb 0x100", "OK 0x00000000000000ef");
    assert_answer("outb 0x100 7", "OK");
    assert_int_equal(bench.toy->data, 7);
}

static void what_nothing_answers_reads_as_ones(void **state)
{
    (void)state;
    assert_answer("inb 0x60", "OK 0x00000000000000ff");
    assert_answer("readl 0x80000000", "OK 0x00000000ffffffff");
    assert_answer("outb 0x60 1", "OK");
}

static void memory_is_written_and_read_in_its_sizes(void **state)
{
    (void)state;
    assert_answer("writeq 0x1000 0x1122334455667788", "OK");
    assert_answer("readq 0x1000", "OK 0x1122334455667788");
    assert_answer("readl 0x1002", "OK 0x0000000033445566");
    assert_answer("writew 0x1000 0xffff", "OK");
    assert_answer("readb 0x1001", "OK 0x00000000000000ff");
    assert_answer("endianness", "OK little");
}

static void blocks_of_memory_move(void **state)
{
    (void)state;
    assert_answer("write 0x2000 3 0x0aBBff", "OK");
    assert_answer("read 0x2000 4", "OK 0x0abbff00");
    assert_answer("b64write 0x3000 5 aGVsbG8=", "OK");
    assert_answer("b64read 0x3000 5", "OK aGVsbG8=");
    assert_answer("memset 0x3001 0x10000 0x55", "OK");
    assert_answer("readb 0x13000", "OK 0x0000000000000055");
    assert_answer("readb 0x13001", "OK 0x0000000000000000");
    assert_answer("readb 0x3000", "OK 0x0000000000000068");
}

static void the_largest_block_moves_whole(void **state)
{
    const size_t size = 1 << 20;
    g_autoptr(GString) command = g_string_new(NULL);
    g_autofree char *line = NULL;

    (void)state;
    g_string_printf(command, "write 0x0 0x%zx 0x", size);
    for (size_t i = 0; i < size; i++) {
        g_string_append(command, "aa");
    }
    assert_answer(command->str, "OK");
    assert_answer("readb 0xfffff", "OK 0x00000000000000aa");
    assert_answer("readb 0x100000", "OK 0x0000000000000000");
    send_bytes("read 0 0x100000\n", strlen("read 0 0x100000\n"));
    line = receive();
    assert_int_equal(strlen(line), 2 * size + strlen("OK 0x"));
}

static void a_wrong_line_is_answered_and_the_next_one_works(void **state)
{
    static const char *const wrong[] = {
        "",
        "   ",
        "frobnicate",
        "inb",
        "inb 1 2",
        "inb x",
        "inb -1",
        "inb 0x10000",
        "inb 99999999999999999999999",
        "outb 0x100 256",
        "outw 0x100 0x10000",
        "outl 0x100 0x100000000",
        "readb 0x10000000000000000",
        "read 0 0",
        "read 0 0x100001",
        "read 0xffffffffffffffff 2",
        "write 0 2 0x00",
        "write 0 1 00",
        "write 0 1 0xzz",
        "b64write 0 5 aGVsbG8",
        "b64write 0 4 aGVsbG8=",
        "b64write 0 5 aGVs!G8=",
        "memset 0 0xffffffffffffffff 0",
        "memset 0 1 256",
        "clock_step",
        "clock_step x",
        "clock_step 0xffffffffffffffff",
        "clock_set -5",
        "irq_intercept_in /nowhere",
        "irq_intercept_out /objects/qtest",
        "set_irq_in /machine/peripheral/toy unnamed-gpio-in 2 1",
        "set_irq_in /machine/peripheral/toy nobody 0 1",
        "set_irq_in /machine/peripheral/toy unnamed-gpio-in 0xffffffff 1",
        "set_irq_in toy named 0",
        "a b c d e f g h i j k",
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        assert_fails(wrong[i]);
        assert_answer("endianness", "OK little");
    }
    assert_int_equal(bench.toy->data, 0);
}

static void zero_bytes_and_endless_lines_are_refused(void **state)
{
    static char flood[3 << 20];

    (void)state;
    send_bytes("inb 0x100\0 1\n", 13);
    assert_line("FAIL a zero byte in the line");
    memset(flood, 'x', sizeof(flood));
    send_bytes(flood, sizeof(flood));
    send_bytes("\n", 1);
    assert_line("FAIL a line of more than 2097408 bytes");
    assert_answer("endianness\r", "OK little");
}

static void commands_may_come_many_at_once_or_in_pieces(void **state)
{
    GString *many = g_string_new(NULL);

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        g_string_append_printf(many, "outl 0x100 %u\ninl 0x100\n", i);
    }
    send_bytes(many->str, many->len);
    for (unsigned i = 0; i < 1000; i++) {
        char expected[32];

        snprintf(expected, sizeof(expected), "OK 0x%016x", i);
        assert_line("OK");
        assert_line(expected);
    }
    g_string_free(many, TRUE);
    for (const char *p = "inl 0x100\n"; *p; p++) {
        send_bytes(p, 1);
    }
    assert_line("OK 0x00000000000003e7");
}

static void a_test_that_does_not_read_does_not_fill_the_memory(void **state)
{
    static const char command[] = "read 0 0x100000\n";
    unsigned sent = 0;

    (void)state;
    /* Each asks for 2 MiB; what is not read stays where it is, and the commands after it too. */
    for (unsigned i = 0; i < 20; i++) {
        if (send(bench.sock, command, strlen(command), MSG_NOSIGNAL) == (ssize_t)strlen(command)) {
            sent++;
        }
        main_loop_wait(false);
    }
    assert_int_equal(sent, 20);
    for (unsigned i = 0; i < sent; i++) {
        g_autofree char *line = receive();

        assert_int_equal(strlen(line), (2 << 20) + strlen("OK 0x"));
    }
    assert_answer("endianness", "OK little");
}

static void an_output_line_is_told_when_it_changes(void **state)
{
    (void)state;
    assert_answer("outl 0x104 1", "OK");
    assert_answer("irq_intercept_out /machine/peripheral/toy", "OK");
    assert_answer("irq_intercept_out toy", "OK");
    send_bytes("outl 0x104 1\n", 13);
    assert_line("IRQ raise 0");
    assert_line("OK");
    assert_answer("outl 0x104 1", "OK");
    send_bytes("outl 0x104 0\n", 13);
    assert_line("IRQ lower 0");
    assert_line("OK");
    assert_fails("irq_intercept_in /machine/peripheral/toy");
}

static void an_output_still_leads_where_it_led(void **state)
{
    GError *error = NULL;

    (void)state;
    assert_true(qdev_connect_gpio_out(DEVICE(bench.toy), 1, qdev_get_gpio_in(DEVICE(bench.toy), 1),
                                      &error));
    assert_answer("irq_intercept_out toy", "OK");
    assert_answer("outl 0x108 10", "OK");
    send_bytes("clock_step 10\n", 14);
    assert_line("IRQ raise 1");
    assert_line("OK 0x000000000000000a");
    assert_int_equal(bench.toy->data, 0x201);
}

static void an_input_line_is_set_and_watched(void **state)
{
    (void)state;
    assert_answer("set_irq_in toy unnamed-gpio-in 1 1", "OK");
    assert_int_equal(bench.toy->data, 0x201);
    assert_answer("set_irq_in toy named 0 5", "OK");
    assert_int_equal(bench.toy->data, 0x105);
    assert_answer("irq_intercept_in toy", "OK");
    send_bytes("set_irq_in toy unnamed-gpio-in 0 1\n", 35);
    assert_line("IRQ raise 0");
    assert_line("OK");
    assert_answer("set_irq_in toy unnamed-gpio-in 0 1", "OK");
    assert_int_equal(bench.toy->data, 0x101);
}

static void the_lines_of_a_board_are_watched(void **state)
{
    qemu_irq lines[3];

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++) {
        lines[i] = qemu_allocate_irq(toy_input, bench.toy, (int)i);
        assert_true(
            object_property_add_child(qdev_get_machine(), "line[*]", OBJECT(lines[i]), NULL));
        object_unref(lines[i]);
    }
    assert_answer("irq_intercept_in /machine", "OK");
    qemu_irq_raise(lines[2]);
    qemu_irq_lower(lines[2]);
    assert_line("IRQ raise 2");
    assert_line("IRQ lower 2");
    assert_int_equal(bench.toy->data, 0x300);
}

#define CHANGES 2000

static void *change_line(void *opaque)
{
    for (unsigned i = 0; i < CHANGES; i++) {
        qemu_set_irq(opaque, (i & 1) == 0);
    }
    return NULL;
}

static void a_line_may_change_on_any_thread(void **state)
{
    qemu_irq line = qemu_allocate_irq(toy_input, bench.toy, 0);
    unsigned told = 0, answered = 0;
    pthread_t thread;

    (void)state;
    assert_true(object_property_add_child(qdev_get_machine(), "line[*]", OBJECT(line), NULL));
    assert_answer("irq_intercept_in /machine", "OK");
    assert_int_equal(pthread_create(&thread, NULL, change_line, line), 0);
    for (unsigned i = 0; i < CHANGES; i++) {
        send_bytes("endianness\n", 11);
    }
    /* Whole lines in some order, and the line's changes in their own. */
    while (told < CHANGES || answered < CHANGES) {
        g_autofree char *text = receive();

        if (strcmp(text, "OK little") == 0) {
            answered++;
        } else {
            assert_string_equal(text, told % 2 == 0 ? "IRQ raise 0" : "IRQ lower 0");
            told++;
        }
    }
    pthread_join(thread, NULL);
    object_unref(line);
}

/* Sends about 20 MiB of them. */
static void *flood_line(void *opaque)
{
    for (unsigned i = 0; i < (20 << 20) / 12; i++) {
        qemu_set_irq(opaque, (i & 1) == 0);
    }
    return NULL;
}

static void a_guest_that_floods_a_test_with_interrupts_does_not_fill_the_memory(void **state)
{
    qemu_irq line = qemu_allocate_irq(toy_input, bench.toy, 0);
    uint64_t bytes = 0;
    pthread_t thread;

    (void)state;
    assert_true(object_property_add_child(qdev_get_machine(), "line[*]", OBJECT(line), NULL));
    assert_answer("irq_intercept_in /machine", "OK");
    assert_int_equal(pthread_create(&thread, NULL, flood_line, line), 0);
    pthread_join(thread, NULL);
    send_bytes("endianness\n", 11);
    for (;;) {
        char buf[65536];
        ssize_t n = recv(bench.sock, buf, sizeof(buf), 0);

        main_loop_wait(false);
        if (n > 0) {
            bytes += (uint64_t)n;
            if (n >= 10 && memcmp(buf + n - 10, "OK little\n", 10) == 0) {
                break;
            }
        }
    }
    assert_in_range(bytes, 1 << 20, 10 << 20);
    object_unref(line);
}

static void time_stands_still_but_for_commands(void **state)
{
    (void)state;
    assert_answer("clock_step 0", "OK 0x0000000000000000");
    assert_answer("outl 0x108 1000", "OK");
    assert_answer("clock_step 999", "OK 0x00000000000003e7");
    assert_int_equal(bench.toy->fired, 0);
    assert_answer("clock_step 1", "OK 0x00000000000003e8");
    assert_int_equal(bench.toy->fired, 1);
    assert_answer("outl 0x108 2000", "OK");
    assert_answer("clock_step", "OK 0x0000000000000bb8");
    assert_int_equal(bench.toy->fired, 2);
    assert_answer("clock_set 5000", "OK 0x0000000000001388");
    assert_answer("clock_set 10", "OK 0x0000000000001388");
}

static void nothing_is_done_after_the_guest_has_asked_for_the_end(void **state)
{
    (void)state;
    send_bytes("outl 0x100 1\noutl 0x10c 3\noutl 0x100 2\n", 39);
    assert_line("OK");
    assert_line("OK");
    assert_int_equal(qemu_main_loop(), 3);
    assert_int_equal(bench.toy->data, 1);
}

static void hanging_up_ends_the_program_with_status_0(void **state)
{
    (void)state;
    send_bytes("outl 0x100 1\n", 13);
    close(bench.sock);
    bench.sock = -1;
    assert_int_equal(qemu_main_loop(), 0);
    assert_int_equal(bench.toy->data, 1);
}

static void an_address_that_leads_nowhere_is_told(void **state)
{
    static const char *const addresses[] = { "unix:/nonexistent/socket", "unix:", "tcp:1", "" };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(addresses); i++) {
        GError *error = NULL;

        assert_null(object_new_with_props(TYPE_QTEST, object_get_objects_root(), "second", &error,
                                          "address", addresses[i], NULL));
        assert_non_null(error);
        g_error_free(error);
    }
    assert_null(object_resolve_path("/objects/second", NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_port_is_written_and_read_in_its_sizes),
        TEST(what_nothing_answers_reads_as_ones),
        TEST(memory_is_written_and_read_in_its_sizes),
        TEST(blocks_of_memory_move),
        TEST(the_largest_block_moves_whole),
        TEST(a_wrong_line_is_answered_and_the_next_one_works),
        TEST(zero_bytes_and_endless_lines_are_refused),
        TEST(commands_may_come_many_at_once_or_in_pieces),
        TEST(a_test_that_does_not_read_does_not_fill_the_memory),
        TEST(a_guest_that_floods_a_test_with_interrupts_does_not_fill_the_memory),
        TEST(an_output_line_is_told_when_it_changes),
        TEST(an_output_still_leads_where_it_led),
        TEST(an_input_line_is_set_and_watched),
        TEST(the_lines_of_a_board_are_watched),
        TEST(a_line_may_change_on_any_thread),
        TEST(time_stands_still_but_for_commands),
        TEST(nothing_is_done_after_the_guest_has_asked_for_the_end),
        TEST(hanging_up_ends_the_program_with_status_0),
        TEST(an_address_that_leads_nowhere_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
