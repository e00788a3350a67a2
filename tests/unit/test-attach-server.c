/* SPDX-License-Identifier: MIT */
/*
 * The attach server and a client in one process: devices that go when the guest agrees, and ends at
 * awkward times.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <glib/gstdio.h>
#include <qomet/backends/chardev/char.h>
#include <qomet/hw/core/bus.h>
#include <qomet/memory/main-work.h>
#include <qomet/options/options.h>
#include "monitor/attach-folder.h"
#include "monitor/attach-wire.h"
#include "tests/unit/program-fixture.h"

/* ---- A guest that is asked before a device goes ---- */

static bool ask_guest(HotplugHandler *h, DeviceState *dev, GError **errp)
{
    (void)h;
    (void)dev;
    (void)errp;
    return true;
}

static void guest_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    HOTPLUG_HANDLER_CLASS(klass)->unplug_request = ask_guest;
}

static const InterfaceInfo guest_interfaces[] = { { TYPE_HOTPLUG_HANDLER }, { NULL } };
static const TypeInfo guest_types[] = { {
    .name = "test-guest",
    .parent = TYPE_OBJECT,
    .class_init = guest_class_init,
    .interfaces = guest_interfaces,
} };
DEFINE_TYPES(guest_types)

/* ---- A machine ---- */

static OptionPlan *plan;
static char *folder;

static int setup(void **state)
{
    char *argv[] = { "qomet", "-accel", "qtest", "-M", "bare", "-nodefaults", "-name", "m" };
    GError *error = NULL;
    Object *guest;

    folder = g_dir_make_tmp("qomet-attach-XXXXXX", NULL);
    assert_non_null(folder);
    g_setenv("XDG_RUNTIME_DIR", folder, TRUE);
    program_setup(state);
    plan = options_parse(G_N_ELEMENTS(argv), argv, &error);
    assert_int_equal(options_apply(plan, &error), OPTIONS_READY);
    guest = object_new("test-guest");
    assert_true(object_property_add_child(object_get_root(), "guest", guest, NULL));
    object_unref(guest);
    assert_true(qbus_set_hotplug_handler(qbus_find("isa.0", NULL, NULL), guest, NULL));
    return 0;
}

static int teardown(void **state)
{
    g_autofree char *own = g_build_filename(folder, "qomet", NULL);

    main_work_run();
    program_teardown(state);
    option_plan_free(plan);
    assert_int_equal(g_rmdir(own), 0);
    assert_int_equal(g_rmdir(folder), 0);
    g_clear_pointer(&folder, g_free);
    return 0;
}

/* ---- A client ---- */

static AttachWire *connect_to(const char *name)
{
    GError *error = NULL;
    int fd = attach_folder_connect(name, &error);

    if (fd < 0) {
        fail_msg("%s", error->message);
    }
    return attach_wire_new(fd);
}

/* The machine's loop runs until it has nothing to do. */
static void run_machine(void)
{
    while (g_main_context_pending(NULL)) {
        main_loop_wait(false);
    }
}

static void ask(AttachWire *wire, const char *request, const int *fds, unsigned n)
{
    g_autofree char *text = g_strdup_printf("{'qomet-attach': <int64 1>, %s}", request);
    GVariant *message = g_variant_parse(G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL);

    assert_non_null(message);
    assert_true(attach_wire_send(wire, message, fds, n));
    g_variant_unref(message);
    run_machine();
}

/* The key that the answer has first of these, or "nothing" while there is none. */
static const char *answered(AttachWire *wire)
{
    static const char *const keys[] = { "need", "error", "stays", "done" };
    GVariant *message = NULL;
    const char *found = "?";

    switch (attach_wire_receive(wire, &message, NULL)) {
    case ATTACH_NOTHING:
        return "nothing";
    case ATTACH_END:
        return "end";
    case ATTACH_BAD:
        return "bad";
    case ATTACH_MESSAGE:
        break;
    }
    for (unsigned i = G_N_ELEMENTS(keys); i > 0; i--) {
        g_autoptr(GVariant) value = g_variant_lookup_value(message, keys[i - 1], NULL);

        found = value ? keys[i - 1] : found;
    }
    g_variant_unref(message);
    return found;
}

static void attach_con(const char *words)
{
    AttachWire *wire = connect_to("m");

    ask(wire, words, NULL, 0);
    assert_string_equal(answered(wire), "done");
    attach_wire_free(wire);
    run_machine();
}

#define CON                                                                                        \
    "'do': <'attach'>, 'directory': <'/'>, 'words': <[<'-device'>, <'isa-debugcon,id=con'>]>"
#define STDIO                                                                                      \
    "'do': <'attach'>, 'directory': <'/'>, 'words': <[<'-chardev'>, <'stdio,id=c'>, <'-device'>, " \
    "<'isa-debugcon,id=con,chardev=c'>]>"
#define WITH_TERMINAL ", 'files': <[<{'name': <'stdio'>, 'flags': <int64 1>}>]>"

/* An attach that stays; *@terminal is the client's end of it. */
static AttachWire *stay(int *terminal)
{
    AttachWire *wire = connect_to("m");
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ask(wire, STDIO WITH_TERMINAL, &pair[1], 1);
    close(pair[1]);
    *terminal = pair[0];
    assert_string_equal(answered(wire), "stays");
    return wire;
}

/* ---- What holds ---- */

static void a_detach_is_answered_when_the_guest_has_agreed(void **state)
{
    AttachWire *wire;

    (void)state;
    attach_con(CON);
    wire = connect_to("m");
    ask(wire, "'do': <'detach'>, 'id': <'con'>", NULL, 0);
    assert_string_equal(answered(wire), "nothing");
    assert_non_null(qdev_find("con"));
    object_unparent(OBJECT(qdev_find("con")));
    run_machine();
    assert_string_equal(answered(wire), "done");
    attach_wire_free(wire);
}

static void a_detach_that_the_guest_refuses_is_an_error(void **state)
{
    AttachWire *wire;

    (void)state;
    attach_con(CON);
    wire = connect_to("m");
    ask(wire, "'do': <'detach'>, 'id': <'con'>", NULL, 0);
    qdev_unplug_refused(qdev_find("con"));
    run_machine();
    assert_string_equal(answered(wire), "error");
    assert_true(qdev_find("con")->realized);
    attach_wire_free(wire);
}

static void a_device_is_detached_once_at_a_time(void **state)
{
    AttachWire *first, *second;

    (void)state;
    attach_con(CON);
    first = connect_to("m");
    ask(first, "'do': <'detach'>, 'id': <'con'>", NULL, 0);
    second = connect_to("m");
    ask(second, "'do': <'detach'>, 'id': <'con'>", NULL, 0);
    assert_string_equal(answered(second), "error");
    assert_string_equal(answered(first), "nothing");
    attach_wire_free(second);
    attach_wire_free(first);
    run_machine();
    /* Nobody waits any more. */
    object_unparent(OBJECT(qdev_find("con")));
    run_machine();
}

static void a_terminal_that_goes_takes_its_device_when_the_guest_agrees(void **state)
{
    AttachWire *wire;
    int terminal;

    (void)state;
    wire = stay(&terminal);
    shutdown(attach_wire_fd(wire), SHUT_WR);
    run_machine();
    assert_string_equal(answered(wire), "nothing");
    assert_true(qdev_find("con")->pending_deleted);
    object_unparent(OBJECT(qdev_find("con")));
    run_machine();
    assert_string_equal(answered(wire), "done");
    assert_null(qemu_chr_find("c"));
    attach_wire_free(wire);
    close(terminal);
}

static void who_leaves_twice_is_gone(void **state)
{
    AttachWire *wire;
    int terminal;

    (void)state;
    wire = stay(&terminal);
    shutdown(attach_wire_fd(wire), SHUT_WR);
    run_machine();
    attach_wire_free(wire);
    close(terminal);
    run_machine();
    assert_non_null(qdev_find("con"));
    object_unparent(OBJECT(qdev_find("con")));
    run_machine();
    assert_null(qemu_chr_find("c"));
}

static void a_terminal_without_its_socket_is_wished_for(void **state)
{
    AttachWire *wire;

    (void)state;
    wire = connect_to("m");
    ask(wire, STDIO, NULL, 0);
    assert_string_equal(answered(wire), "need");
    attach_wire_free(wire);
    run_machine();
    assert_null(qemu_chr_find("c"));
}

static void a_server_may_be_taken_away_by_its_own_client(void **state)
{
    AttachWire *wire;

    (void)state;
    attach_con("'do': <'attach'>, 'directory': <'/'>, "
               "'words': <[<'-object'>, <'attach-server,id=a,name=second'>]>");
    wire = connect_to("second");
    ask(wire, "'do': <'detach'>, 'id': <'a'>", NULL, 0);
    assert_string_equal(answered(wire), "done");
    attach_wire_free(wire);
    run_machine();
    assert_int_equal(attach_folder_connect("second", NULL), -1);
}

static void a_name_that_is_taken_is_refused_while_the_machine_runs(void **state)
{
    AttachWire *wire;

    (void)state;
    wire = connect_to("m");
    ask(wire,
        "'do': <'attach'>, 'directory': <'/'>, "
        "'words': <[<'-object'>, <'attach-server,id=a,name=m'>]>",
        NULL, 0);
    assert_string_equal(answered(wire), "error");
    attach_wire_free(wire);
    run_machine();
}

static AttachWire *left_wire;
static int left_terminal;

static void the_machine_may_end_while_clients_wait(void **state)
{
    AttachWire *wire;

    (void)state;
    left_wire = stay(&left_terminal);
    wire = connect_to("m");
    ask(wire, "'do': <'detach'>, 'id': <'con'>", NULL, 0);
    assert_string_equal(answered(wire), "nothing");
    attach_wire_free(wire);
}

static int teardown_with_clients(void **state)
{
    int result = teardown(state);

    attach_wire_free(left_wire);
    close(left_terminal);
    return result;
}

int main(void)
{
#define server_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        server_test(a_detach_is_answered_when_the_guest_has_agreed),
        server_test(a_detach_that_the_guest_refuses_is_an_error),
        server_test(a_device_is_detached_once_at_a_time),
        server_test(a_terminal_that_goes_takes_its_device_when_the_guest_agrees),
        server_test(who_leaves_twice_is_gone),
        server_test(a_terminal_without_its_socket_is_wished_for),
        server_test(a_server_may_be_taken_away_by_its_own_client),
        server_test(a_name_that_is_taken_is_refused_while_the_machine_runs),
        cmocka_unit_test_setup_teardown(the_machine_may_end_while_clients_wait, setup,
                                        teardown_with_clients),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
