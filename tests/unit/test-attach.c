/* SPDX-License-Identifier: MIT */
/*
 * Words for a machine that runs, carried out in this process: all or nothing, whose paths and files
 * they mean, and what goes together.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <glib/gstdio.h>
#include <qomet/backends/chardev/char.h>
#include <qomet/hw/core/bus.h>
#include <qomet/memory/main-work.h>
#include <qomet/options/options.h>
#include <qomet/qom/user-creatable.h>
#include "tests/unit/program-fixture.h"

/* ---- A machine and a client ---- */

static OptionPlan *plan;
static char *folder; /* the client's */
static HostClient *client;

static int setup(void **state)
{
    char *argv[] = { "qomet", "-accel", "qtest", "-M", "bare", "-nodefaults" };
    GError *error = NULL;

    program_setup(state);
    plan = options_parse(G_N_ELEMENTS(argv), argv, &error);
    assert_non_null(plan);
    assert_int_equal(options_apply(plan, &error), OPTIONS_READY);
    folder = g_dir_make_tmp("qomet-attach-XXXXXX", NULL);
    assert_non_null(folder);
    client = host_client_new(folder);
    return 0;
}

/* Nothing is in the folder but what the test has removed. */
static int teardown(void **state)
{
    host_client_free(client);
    main_work_run();
    program_teardown(state);
    option_plan_free(plan);
    assert_int_equal(g_rmdir(folder), 0);
    g_clear_pointer(&folder, g_free);
    return 0;
}

/* Words separated by spaces. */
static Attachment *attach(const char *text, char **answer, GError **errp)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    return options_attach(words, client, answer, errp);
}

static Attachment *attach_well(const char *text)
{
    GError *error = NULL;
    char *answer;
    Attachment *a = attach(text, &answer, &error);

    if (error) {
        fail_msg("%s: %s", text, error->message);
    }
    assert_null(answer);
    assert_non_null(a);
    return a;
}

static void assert_refused(const char *text, const char *why)
{
    GError *error = NULL;
    char *answer;

    assert_null(attach(text, &answer, &error));
    assert_null(answer);
    assert_non_null(error);
    if (!strstr(error->message, why)) {
        fail_msg("%s: '%s' does not say '%s'", text, error->message, why);
    }
    g_error_free(error);
}

static void detach(const char *id)
{
    DeviceState *pending;
    GError *error = NULL;

    if (!options_detach(id, &pending, &error)) {
        fail_msg("%s: %s", id, error->message);
    }
    assert_null(pending);
    /* What has gone is noticed by the main loop. */
    main_work_run();
}

static int count_one(Object *child, void *opaque)
{
    (void)child;
    ++*(unsigned *)opaque;
    return 0;
}

/* Things that words make. */
static unsigned count_things(void)
{
    static const char *const places[] = { "/machine/peripheral", "/machine/peripheral-anon",
                                          "/objects", "/chardevs", "/attachments" };
    unsigned n = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        object_child_foreach(container_get(object_get_root(), places[i]), count_one, &n);
    }
    return n;
}

static uint8_t inb(hwaddr port)
{
    uint64_t value = 0;

    address_space_load(&address_space_io, port, 1, &value, MEMTXATTRS_UNSPECIFIED);
    return value;
}

static char *path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static void write_file(const char *name, const char *text)
{
    g_autofree char *path = path_of(name);

    assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* What the file holds, which is removed; "(none)" when there is none. */
static void assert_file(const char *name, const char *text)
{
    g_autofree char *path = path_of(name), *have = NULL;

    if (!g_file_get_contents(path, &have, NULL, NULL)) {
        have = g_strdup("(none)");
    }
    assert_string_equal(have, text);
    g_unlink(path);
}

/* ---- All ---- */

static void the_order_of_the_words_does_not_matter(void **state)
{
    (void)state;
    attach_well("-device isa-debugcon,id=con,chardev=c,readback=5 -chardev ringbuf,id=c");
    assert_int_equal(inb(0xe9), 5);
    assert_true(qdev_find("con")->hotplugged);
}

static void an_attachment_shows_what_came_with_it(void **state)
{
    (void)state;
    attach_well("-chardev null,id=c -device isa-debugcon,id=con,chardev=c");
    assert_ptr_equal(object_resolve_path("/attachments/attachment[0]/made[0]", NULL),
                     qemu_chr_find("c"));
    assert_ptr_equal(object_resolve_path("/attachments/attachment[0]/made[1]", NULL),
                     qdev_find("con"));
}

static void a_question_is_answered_and_nothing_else_is_done(void **state)
{
    g_autofree char *answer = NULL;
    GError *error = NULL;

    (void)state;
    assert_null(attach("-chardev null,id=c -device isa-debugcon,help", &answer, &error));
    assert_null(error);
    assert_true(g_str_has_prefix(answer, "isa-debugcon options:\n"));
    assert_int_equal(count_things(), 0);
}

/* ---- Or nothing ---- */

static void what_only_a_command_line_can_say_is_refused(void **state)
{
    (void)state;
    assert_refused("-chardev null,id=c -M bare", "-M bare: a machine that runs does not take this");
    assert_refused("-S", "-S: a machine that runs does not take this");
    /* What would be right on a command line is no hint here. */
    assert_refused("device null", "device: not an option (did you mean '-device'?)");
    assert_refused("info", "info: not an option: a machine that runs takes -device, -object");
    assert_refused("info", "commands at the monitor that 'qomet attach NAME' alone is");
    assert_refused("attach", "attach: not an option: a machine that runs takes -device");
    assert_refused("-kernal x", "-kernal: invalid option: a machine that runs takes -device");
    assert_refused("-devise x", "-devise: invalid option (did you mean '-device'?)");
    assert_refused("-devise x", "did you mean '-device'?");
    assert_refused("-device", "requires an argument");
    assert_int_equal(count_things(), 0);
}

static void every_step_may_fail_and_leaves_nothing(void **state)
{
    static const char words[] =
        "-chardev file,id=c,path=out -object attach-test,id=o -device isa-debugcon,id=a,chardev=c "
        "-device isa-serial,id=b,iobase=0x2f8 -device isa-debugcon,iobase=1";
    unsigned steps = 0;
    Attachment *a;

    (void)state;
    write_file("out", "kept");
    for (;;) {
        GError *error = NULL;
        char *answer;

        qdev_fault_inject(++steps);
        a = attach(words, &answer, &error);
        qdev_fault_inject(0);
        if (a) {
            break;
        }
        assert_non_null(error);
        g_error_free(error);
        assert_int_equal(count_things(), 0);
        assert_int_equal(inb(0xe9), 0xff);
        assert_int_equal(inb(0x2fd), 0xff);
        assert_null(host_client_wish(client));
        assert_file("out", "kept");
        write_file("out", "kept");
    }
    assert_true(steps > 10);
    assert_int_equal(inb(0x2fd), 0x60);
    assert_int_equal(inb(1), 0xe9);
    detach("a");
    assert_file("out", "");
}

static void names_that_are_taken_are_all_told_of(void **state)
{
    GError *error = NULL;
    char *answer;

    (void)state;
    attach_well("-chardev null,id=c -device isa-debugcon,id=con,chardev=c");
    assert_null(
        attach("-device isa-debugcon,id=con,iobase=1 -chardev file,id=c,path=x", &answer, &error));
    assert_string_equal(
        error->message,
        "-device isa-debugcon,id=con,iobase=1: id 'con' is already taken by "
        "/machine/peripheral/con (isa-debugcon); "
        "-chardev file,id=c,path=x: id 'c' is already taken by /chardevs/c (chardev-null)");
    g_error_free(error);
    assert_file("x", "(none)");
}

static void a_name_may_not_come_twice_in_one_call(void **state)
{
    (void)state;
    assert_refused("-chardev null,id=c -chardev null,id=c", "Duplicate ID 'c'");
    assert_refused("-device isa-debugcon,id=d -device isa-debugcon,id=d,iobase=1",
                   "id 'd' is already taken");
    assert_int_equal(count_things(), 0);
}

static void a_failure_leaves_files_as_they_were(void **state)
{
    (void)state;
    write_file("old", "kept");
    assert_refused("-chardev file,id=a,path=old -chardev file,id=b,path=new -device isa-debugcon,"
                   "iobase=70000",
                   "70000");
    assert_file("old", "kept");
    assert_file("new", "(none)");
}

static void a_file_is_emptied_when_all_is_well(void **state)
{
    (void)state;
    write_file("old", "gone");
    write_file("log", "kept ");
    attach_well("-chardev file,id=a,path=old -chardev file,id=b,path=log,append=on");
    assert_file("old", "");
    assert_file("log", "kept ");
}

/* ---- The client's files ---- */

static void relative_paths_are_the_clients(void **state)
{
    g_autofree char *path = path_of("out"), *shown = NULL;

    (void)state;
    attach_well("-chardev file,id=c,path=out -chardev socket,id=s,path=sock,server=on");
    shown = object_property_get_str(OBJECT(qemu_chr_find("c")), "path", NULL);
    assert_string_equal(shown, path);
    detach("c");
    assert_file("out", "");
    g_free(path);
    path = path_of("sock");
    assert_int_equal(g_access(path, F_OK), 0);
    detach("s");
    assert_int_not_equal(g_access(path, F_OK), 0);
}

static void what_cannot_be_opened_is_wished_for(void **state)
{
    g_autofree char *path = path_of("none/out");
    const HostWish *wish;

    (void)state;
    assert_refused("-chardev file,id=c,path=none/out", "No such file");
    wish = host_client_wish(client);
    assert_non_null(wish);
    assert_string_equal(wish->name, path);
    assert_int_equal(wish->flags & O_ACCMODE, O_WRONLY);
    assert_true(wish->flags & O_CREAT);
    assert_false(wish->flags & O_TRUNC);
}

static void a_descriptor_stands_in_for_a_file(void **state)
{
    g_autofree char *path = path_of("none/out");
    int fds[2];
    char byte = 0;

    (void)state;
    assert_refused("-chardev file,id=c,path=none/out", "No such file");
    assert_int_equal(pipe(fds), 0);
    host_client_give(client, path, host_client_wish(client)->flags, fds[1]);
    attach_well("-chardev file,id=c,path=none/out -device isa-debugcon,chardev=c");
    address_space_store(&address_space_io, 0xe9, 1, 'A', MEMTXATTRS_UNSPECIFIED);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    assert_int_equal(byte, 'A');
    close(fds[0]);
}

static void what_means_another_file_in_each_process_is_the_clients(void **state)
{
    static const char *const names[] = { "/dev/stdout", "/dev/fd/1", "/dev/tty",
                                         "/proc/self/fd/1" };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *words = g_strdup_printf("-chardev file,id=c,path=%s", names[i]);

        assert_refused(words, "Could not open");
        assert_string_equal(host_client_wish(client)->name, names[i]);
    }
}

static void stdio_is_the_clients_terminal_and_for_one_only(void **state)
{
    int pair[2];
    char byte = 0;

    (void)state;
    assert_refused("-chardev stdio,id=c,signal=off", "terminal");
    assert_string_equal(host_client_wish(client)->name, HOST_TERMINAL);
    assert_int_equal(host_client_wish(client)->flags, 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    host_client_give(client, HOST_TERMINAL, 0, pair[1]);
    attach_well("-chardev stdio,id=c,signal=off -device isa-debugcon,chardev=c");
    address_space_store(&address_space_io, 0xe9, 1, 'A', MEMTXATTRS_UNSPECIFIED);
    assert_int_equal(read(pair[0], &byte, 1), 1);
    assert_int_equal(byte, 'A');
    assert_refused("-chardev stdio,id=d,signal=off", "multiple");
    close(pair[0]);
}

/* ---- What goes together ---- */

static bool all_gone;

static void gone(void *opaque)
{
    (void)opaque;
    all_gone = true;
}

static void with_the_last_device_goes_what_it_used(void **state)
{
    Attachment *a;

    (void)state;
    a = attach_well("-chardev null,id=c -chardev null,id=d -device isa-debugcon,id=con1,chardev=c "
                    "-device isa-debugcon,id=con2,iobase=1");
    all_gone = false;
    attachment_set_gone(a, gone, NULL);
    detach("con1");
    assert_non_null(qemu_chr_find("c"));
    assert_false(all_gone);
    detach("con2");
    assert_true(all_gone);
    assert_int_equal(count_things(), 0);
}

static void what_somebody_else_uses_stays(void **state)
{
    (void)state;
    attach_well("-chardev null,id=c -chardev null,id=d -device isa-debugcon,id=con1,chardev=c");
    attach_well("-device isa-debugcon,id=con2,iobase=1,chardev=d");
    detach("con1");
    assert_null(qemu_chr_find("c"));
    assert_non_null(qemu_chr_find("d"));
}

static void without_a_device_things_stay_until_they_are_named(void **state)
{
    DeviceState *pending;
    GError *error = NULL;

    (void)state;
    attach_well("-chardev null,id=c -object attach-test,id=o");
    main_work_run();
    assert_non_null(qemu_chr_find("c"));
    detach("c");
    assert_null(qemu_chr_find("c"));
    detach("o");
    assert_false(options_detach("c", &pending, &error));
    assert_string_equal(error->message, "there is no device, monitor, object or chardev 'c'");
    g_error_free(error);
}

static void what_is_used_cannot_be_detached(void **state)
{
    DeviceState *pending;
    GError *error = NULL;

    (void)state;
    attach_well("-chardev null,id=c -device isa-debugcon,id=con1,chardev=c");
    assert_false(options_detach("c", &pending, &error));
    assert_string_equal(error->message, "Chardev 'c' is busy: '/machine/peripheral/con1' uses it");
    g_clear_error(&error);
    assert_false(options_detach("con", &pending, &error));
    assert_non_null(strstr(error->message, "did you mean 'con1'?"));
    g_clear_error(&error);
}

static void an_attachment_can_be_ended_as_a_whole(void **state)
{
    Attachment *a;

    (void)state;
    a = attach_well("-chardev null,id=c -object attach-test,id=o "
                    "-device isa-debugcon,id=con1,chardev=c");
    attachment_end(a);
    main_work_run();
    assert_int_equal(count_things(), 0);
    assert_int_equal(inb(0xe9), 0xff);
}

static void a_device_that_goes_by_another_way_counts(void **state)
{
    (void)state;
    attach_well("-chardev null,id=c -device isa-debugcon,id=con1,chardev=c");
    object_unparent(OBJECT(qdev_find("con1")));
    main_work_run();
    assert_int_equal(count_things(), 0);
}

static void devices_that_are_left_end_with_the_machine(void **state)
{
    (void)state;
    attach_well("-chardev null,id=c -device isa-debugcon,id=con1,chardev=c");
}

/* An object that a user may make. */
static const InterfaceInfo attach_test_interfaces[] = { { TYPE_USER_CREATABLE }, { NULL } };
static const TypeInfo attach_test_types[] = { {
    .name = "attach-test",
    .parent = TYPE_OBJECT,
    .interfaces = attach_test_interfaces,
} };
DEFINE_TYPES(attach_test_types)

int main(void)
{
#define attach_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        attach_test(the_order_of_the_words_does_not_matter),
        attach_test(an_attachment_shows_what_came_with_it),
        attach_test(a_question_is_answered_and_nothing_else_is_done),
        attach_test(what_only_a_command_line_can_say_is_refused),
        attach_test(every_step_may_fail_and_leaves_nothing),
        attach_test(names_that_are_taken_are_all_told_of),
        attach_test(a_name_may_not_come_twice_in_one_call),
        attach_test(a_failure_leaves_files_as_they_were),
        attach_test(a_file_is_emptied_when_all_is_well),
        attach_test(relative_paths_are_the_clients),
        attach_test(what_cannot_be_opened_is_wished_for),
        attach_test(a_descriptor_stands_in_for_a_file),
        attach_test(what_means_another_file_in_each_process_is_the_clients),
        attach_test(stdio_is_the_clients_terminal_and_for_one_only),
        attach_test(with_the_last_device_goes_what_it_used),
        attach_test(what_somebody_else_uses_stays),
        attach_test(without_a_device_things_stay_until_they_are_named),
        attach_test(what_is_used_cannot_be_detached),
        attach_test(an_attachment_can_be_ended_as_a_whole),
        attach_test(a_device_that_goes_by_another_way_counts),
        attach_test(devices_that_are_left_end_with_the_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
