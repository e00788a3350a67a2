/* SPDX-License-Identifier: MIT */
/*
 * Events: what happens to a machine and its devices is told to every client that has negotiated.
 */
#include <pthread.h>
#include <qomet/hw/core/bus.h>
#include "tests/unit/qmp-fixture.h"

/* A device that only exists. */
static const TypeInfo thing_types[] = {
    { .name = "test-thing", .parent = TYPE_DEVICE },
};
DEFINE_TYPES(thing_types)

#define assert_sent(client, expected)                                                              \
    do {                                                                                           \
        g_autofree char *got_ = without_times(take_sent(client));                                  \
        assert_string_equal(got_, expected);                                                       \
    } while (0)

static TestChardev *listener(const char *id)
{
    TestChardev *client = client_new(id, false);

    assert_answers(client, NEGOTIATE, "{\"return\": {}}\r\n");
    return client;
}

static void end(void *opaque)
{
    qemu_system_shutdown_request((ShutdownCause)GPOINTER_TO_INT(opaque));
}

/* Runs the machine until it ends for that reason. */
static void run_until_end(ShutdownCause cause)
{
    main_work_post(end, GINT_TO_POINTER(cause));
    qemu_main_loop();
}

#define SHUTDOWN(guest, reason)                                                                    \
    TIME "\"event\": \"SHUTDOWN\", \"data\": {\"guest\": " guest ", \"reason\": \"" reason         \
         "\"}}\r\n"

static void stop_and_cont_are_told(void **state)
{
    TestChardev *client = listener("m");

    (void)state;
    type_text(client, "{\"execute\": \"cont\"}{\"execute\": \"cont\"}{\"execute\": \"stop\"}"
                      "{\"execute\": \"stop\"}");
    assert_sent(client, TIME "\"event\": \"RESUME\"}\r\n"
                             "{\"return\": {}}\r\n"
                             "{\"return\": {}}\r\n" TIME "\"event\": \"STOP\"}\r\n"
                             "{\"return\": {}}\r\n"
                             "{\"return\": {}}\r\n");
}

static void a_stop_by_somebody_else_is_told(void **state)
{
    TestChardev *client = listener("m");

    (void)state;
    vm_start();
    vm_stop(RUN_STATE_DEBUG);
    assert_sent(client, TIME "\"event\": \"RESUME\"}\r\n" TIME "\"event\": \"STOP\"}\r\n");
    assert_answers(client, "{\"execute\": \"query-status\"}",
                   "{\"return\": {\"status\": \"debug\", \"singlestep\": false, \"running\": "
                   "false}}\r\n");
}

static void the_end_is_told_with_its_reason(void **state)
{
    TestChardev *client = listener("m");

    (void)state;
    run_until_end(SHUTDOWN_CAUSE_HOST_SIGNAL);
    assert_sent(client, SHUTDOWN("false", "host-signal"));
}

static void an_end_by_the_guest_is_told_as_such(void **state)
{
    TestChardev *client = listener("m");

    (void)state;
    vm_start();
    g_free(take_sent(client));
    run_until_end(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    /* That it stops then is no news. */
    assert_sent(client, SHUTDOWN("true", "guest-shutdown"));
}

static void quit_is_answered_before_the_end(void **state)
{
    TestChardev *client = listener("m");

    (void)state;
    type_text(client, "{\"execute\": \"quit\"}");
    assert_int_equal(qemu_main_loop(), 0);
    assert_sent(client, "{\"return\": {}}\r\n" SHUTDOWN("false", "host-qmp-quit"));
}

static void a_guest_that_cannot_go_on_is_told_of(void **state)
{
    TestChardev *client = listener("m");

    (void)state;
    run_until_end(SHUTDOWN_CAUSE_GUEST_PANIC);
    assert_sent(client, TIME "\"event\": \"GUEST_PANICKED\", \"data\": {\"action\": "
                             "\"poweroff\"}}\r\n" SHUTDOWN("true", "guest-panic"));
}

static void reset_and_power_button_are_told(void **state)
{
    TestChardev *client = listener("m");

    (void)state;
    type_text(client, "{\"execute\": \"system_powerdown\"}{\"execute\": \"system_reset\"}");
    run_until_end(SHUTDOWN_CAUSE_HOST_UI);
    assert_sent(client,
                "{\"return\": {}}\r\n{\"return\": {}}\r\n" TIME "\"event\": \"POWERDOWN\"}\r\n" TIME
                "\"event\": \"RESET\", \"data\": {\"guest\": false, \"reason\": "
                "\"host-qmp-system-reset\"}}\r\n" SHUTDOWN("false", "host-ui"));
}

static void a_reset_by_the_guest_is_told_as_such(void **state)
{
    TestChardev *client = listener("m");

    (void)state;
    qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    run_until_end(SHUTDOWN_CAUSE_HOST_UI);
    assert_sent(client, TIME "\"event\": \"RESET\", \"data\": {\"guest\": true, \"reason\": "
                             "\"guest-reset\"}}\r\n" SHUTDOWN("false", "host-ui"));
}

static void a_reset_makes_a_stopped_machine_new(void **state)
{
    TestChardev *client = listener("m");

    (void)state;
    vm_start();
    vm_stop(RUN_STATE_INTERNAL_ERROR);
    g_free(take_sent(client));
    assert_error(client, "{\"execute\": \"cont\"}", "GenericError",
                 "Resetting the Virtual Machine is required");
    type_text(client, "{\"execute\": \"system_reset\"}");
    g_free(take_sent(client));
    main_work_post(end, GINT_TO_POINTER(SHUTDOWN_CAUSE_HOST_UI));
    qemu_main_loop();
    assert_non_null(strstr(client->sent->str, "\"RESET\""));
}

/* ---- Devices ---- */

static DeviceState *thing_new(const char *id)
{
    DeviceState *dev = qdev_new("test-thing", NULL);

    assert_non_null(dev);
    assert_true(qdev_set_id(dev, id, NULL));
    assert_true(qdev_realize_and_unref(dev, NULL, NULL));
    return dev;
}

static void a_device_that_is_gone_is_told_of(void **state)
{
    TestChardev *client = listener("m");

    (void)state;
    qdev_set_machine_ready(true);
    assert_true(qdev_unplug(thing_new("x"), NULL));
    assert_true(qdev_unplug(thing_new(NULL), NULL));
    assert_sent(client,
                TIME "\"event\": \"DEVICE_DELETED\", \"data\": {\"device\": \"x\", \"path\": "
                     "\"/machine/peripheral/x\"}}\r\n" TIME
                     "\"event\": \"DEVICE_DELETED\", \"data\": {\"path\": "
                     "\"/machine/peripheral-anon/device[0]\"}}\r\n");
    qdev_set_machine_ready(false);
}

static void a_device_that_is_held_is_not_gone(void **state)
{
    TestChardev *client = listener("m");
    DeviceState *dev;

    (void)state;
    qdev_set_machine_ready(true);
    dev = thing_new("x");
    object_ref(dev);
    assert_true(qdev_unplug(dev, NULL));
    assert_sent(client, "");
    object_unref(dev);
    assert_sent(client,
                TIME "\"event\": \"DEVICE_DELETED\", \"data\": {\"device\": \"x\", \"path\": "
                     "\"/machine/peripheral/x\"}}\r\n");
    qdev_set_machine_ready(false);
}

static void *give_back(void *dev)
{
    object_unref(dev);
    return NULL;
}

static void the_last_reference_may_be_another_thread_s(void **state)
{
    TestChardev *client = listener("m");
    DeviceState *dev;
    pthread_t thread;

    (void)state;
    qdev_set_machine_ready(true);
    dev = thing_new("x");
    object_ref(dev);
    assert_true(qdev_unplug(dev, NULL));
    pthread_create(&thread, NULL, give_back, dev);
    pthread_join(thread, NULL);
    assert_sent(client, "");
    run_loop();
    assert_sent(client,
                TIME "\"event\": \"DEVICE_DELETED\", \"data\": {\"device\": \"x\", \"path\": "
                     "\"/machine/peripheral/x\"}}\r\n");
    qdev_set_machine_ready(false);
}

static void devices_that_end_with_their_machine_are_no_news(void **state)
{
    TestChardev *client = listener("m");

    (void)state;
    thing_new("x");
    object_unparent(qdev_get_machine());
    assert_sent(client, "");
}

static void a_device_that_was_never_part_of_the_machine_is_no_news(void **state)
{
    TestChardev *client = listener("m");
    DeviceState *dev;

    (void)state;
    qdev_set_machine_ready(true);
    dev = qdev_new("test-thing", NULL);
    assert_true(qdev_set_id(dev, "x", NULL));
    object_unparent(OBJECT(dev));
    object_unref(dev);
    assert_sent(client, "");
    qdev_set_machine_ready(false);
}

static void a_guest_that_keeps_a_device_is_told_of(void **state)
{
    TestChardev *client = listener("m");
    DeviceState *dev;

    (void)state;
    dev = thing_new("x");
    dev->pending_deleted = true;
    qdev_unplug_refused(dev);
    assert_false(dev->pending_deleted);
    assert_sent(client, TIME "\"event\": \"DEVICE_UNPLUG_GUEST_ERROR\", \"data\": {\"device\": "
                             "\"x\", \"path\": \"/machine/peripheral/x\"}}\r\n");
}

/* ---- Who is told ---- */

static void all_that_have_negotiated_are_told(void **state)
{
    TestChardev *one = listener("one");
    TestChardev *two = listener("two");
    TestChardev *silent = client_new("silent", false);

    (void)state;
    qmp_emit("POWERDOWN", NULL);
    assert_sent(one, TIME "\"event\": \"POWERDOWN\"}\r\n");
    assert_sent(two, TIME "\"event\": \"POWERDOWN\"}\r\n");
    assert_sent(silent, "");
    qemu_chr_be_event(&one->parent_obj, CHR_EVENT_CLOSED);
    qmp_emit("POWERDOWN", NULL);
    assert_sent(one, "");
    assert_sent(two, TIME "\"event\": \"POWERDOWN\"}\r\n");
    object_unparent(object_resolve_path("/monitors/two", NULL));
    qmp_emit("POWERDOWN", NULL);
    assert_sent(two, "");
}

static void *emit(void *opaque)
{
    qmp_emit("POWERDOWN", opaque);
    return NULL;
}

static void any_thread_may_tell(void **state)
{
    TestChardev *client = listener("m");
    pthread_t thread;

    (void)state;
    pthread_create(&thread, NULL, emit, NULL);
    pthread_join(thread, NULL);
    run_loop();
    assert_sent(client, TIME "\"event\": \"POWERDOWN\"}\r\n");
}

static void the_time_is_that_of_the_event(void **state)
{
    TestChardev *client = listener("m");
    int64_t before = g_get_real_time() / G_USEC_PER_SEC, seconds, microseconds;
    g_autofree char *text = NULL;

    (void)state;
    qmp_emit("POWERDOWN", NULL);
    text = take_sent(client);
    assert_int_equal(sscanf(text,
                            "{\"timestamp\": {\"seconds\": %" G_GINT64_FORMAT
                            ", \"microseconds\": %" G_GINT64_FORMAT "}",
                            &seconds, &microseconds),
                     2);
    assert_in_range(seconds, before, before + 60);
    assert_in_range(microseconds, 0, 999999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, program_setup, qmp_teardown)
        TEST(stop_and_cont_are_told),
        TEST(a_stop_by_somebody_else_is_told),
        TEST(the_end_is_told_with_its_reason),
        TEST(an_end_by_the_guest_is_told_as_such),
        TEST(quit_is_answered_before_the_end),
        TEST(a_guest_that_cannot_go_on_is_told_of),
        TEST(reset_and_power_button_are_told),
        TEST(a_reset_by_the_guest_is_told_as_such),
        TEST(a_reset_makes_a_stopped_machine_new),
        TEST(a_device_that_is_gone_is_told_of),
        TEST(a_device_that_is_held_is_not_gone),
        TEST(the_last_reference_may_be_another_thread_s),
        TEST(devices_that_end_with_their_machine_are_no_news),
        TEST(a_device_that_was_never_part_of_the_machine_is_no_news),
        TEST(a_guest_that_keeps_a_device_is_told_of),
        TEST(all_that_have_negotiated_are_told),
        TEST(any_thread_may_tell),
        TEST(the_time_is_that_of_the_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
