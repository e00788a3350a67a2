/* SPDX-License-Identifier: MIT */
/*
 * Whether the machine runs, and requests: from the main thread, from others, from a signal handler.
 * No vCPU is needed.
 */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include <qomet/accel/accel.h>
#include <qomet/backends/loop.h>
#include <qomet/memory/main-work.h>
#include "tests/test.h"

static GString *told; /* what listeners and the hook were told */

static int setup(void **state)
{
    GError *error = NULL;

    (void)state;
    main_loop_init();
    clocks_init();
    if (!module_call_init(MODULE_INIT_QOM, &error)) {
        return -1;
    }
    memory_map_init();
    told = g_string_new(NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    runstate_cleanup();
    memory_map_cleanup();
    clocks_cleanup();
    main_loop_cleanup();
    g_string_free(told, TRUE);
    return 0;
}

static void tell(bool running, RunState run_state, void *opaque)
{
    g_string_append_printf(told, "%s:%s%d ", (const char *)opaque, running ? "running/" : "",
                           run_state);
}

static void tell_reset(ShutdownCause cause, void *opaque)
{
    g_string_append_printf(told, "%s:%d ", (const char *)opaque, cause);
}

/* Called on the main thread soon. */
static void later(void (*fn)(void *opaque), void *opaque)
{
    main_work_post(fn, opaque);
}

static void end_with(void *opaque)
{
    qemu_system_shutdown_request_with_code(SHUTDOWN_CAUSE_HOST_UI, GPOINTER_TO_INT(opaque));
}

/* ---- States ---- */

static void a_machine_goes_from_prelaunch_to_running_and_paused(void **state)
{
    (void)state;
    assert_int_equal(runstate_get(), RUN_STATE_PRELAUNCH);
    assert_false(runstate_is_running());
    vm_start();
    assert_true(runstate_is_running());
    vm_start();
    vm_stop(RUN_STATE_PAUSED);
    assert_int_equal(runstate_get(), RUN_STATE_PAUSED);
    vm_stop(RUN_STATE_SHUTDOWN);
    assert_int_equal(runstate_get(), RUN_STATE_SHUTDOWN);
    vm_start();
    assert_true(runstate_is_running());
}

static void the_virtual_clock_runs_while_the_machine_does(void **state)
{
    int64_t at;

    (void)state;
    at = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    g_usleep(2000);
    assert_int_equal(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL), at);
    vm_start();
    g_usleep(2000);
    assert_true(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) >= at + INT64_C(2) * SCALE_MS);
    vm_stop(RUN_STATE_PAUSED);
    at = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    g_usleep(2000);
    assert_int_equal(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL), at);
}

static void listeners_are_told_of_each_change(void **state)
{
    (void)state;
    runstate_add_listener(tell, "a");
    runstate_add_listener(tell, "b");
    vm_start();
    vm_start();
    runstate_del_listener(tell, "a");
    vm_stop(RUN_STATE_PAUSED);
    vm_stop(RUN_STATE_PAUSED);
    assert_string_equal(told->str, "b:running/1 a:running/1 b:2 ");
    runstate_del_listener(tell, "b");
    runstate_del_listener(tell, "b");
}

static void leave(bool running, RunState run_state, void *opaque)
{
    (void)run_state;
    g_string_append_c(told, running ? '+' : '-');
    runstate_del_listener(leave, opaque);
}

static void a_listener_may_take_itself_away(void **state)
{
    (void)state;
    runstate_add_listener(tell, "first");
    runstate_add_listener(leave, NULL);
    vm_start();
    vm_stop(RUN_STATE_PAUSED);
    assert_string_equal(told->str, "+first:running/1 first:2 ");
}

/* ---- The end ---- */

static void the_exit_status_is_that_of_the_request(void **state)
{
    (void)state;
    vm_start();
    later(end_with, GINT_TO_POINTER(33));
    assert_int_equal(qemu_main_loop(), 33);
    assert_int_equal(runstate_get(), RUN_STATE_SHUTDOWN);
}

static void the_first_request_counts(void **state)
{
    (void)state;
    qemu_system_shutdown_request_with_code(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, 5);
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_ERROR);
    qemu_system_killed(SIGTERM, 1);
    assert_int_equal(qemu_main_loop(), 5);
}

static void causes_without_a_code_have_one_of_their_own(void **state)
{
    static const struct {
        ShutdownCause cause;
        int status;
    } causes[] = {
        { SHUTDOWN_CAUSE_HOST_ERROR, 1 },    { SHUTDOWN_CAUSE_HOST_UI, 0 },
        { SHUTDOWN_CAUSE_HOST_QMP_QUIT, 0 }, { SHUTDOWN_CAUSE_GUEST_SHUTDOWN, 0 },
        { SHUTDOWN_CAUSE_GUEST_PANIC, 1 },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(causes); i++) {
        qemu_system_shutdown_request(causes[i].cause);
        assert_int_equal(qemu_main_loop(), causes[i].status);
        runstate_cleanup();
    }
}

static void *request_from_thread(void *opaque)
{
    (void)opaque;
    g_usleep(1000);
    qemu_system_shutdown_request_with_code(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, 9);
    return NULL;
}

static void another_thread_ends_a_waiting_loop(void **state)
{
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, request_from_thread, NULL), 0);
    assert_int_equal(qemu_main_loop(), 9);
    pthread_join(thread, NULL);
}

static void killed(int signal)
{
    qemu_system_killed(signal, getpid());
}

static void a_signal_ends_a_waiting_loop_with_status_0(void **state)
{
    struct sigaction action = { .sa_handler = killed }, old;

    (void)state;
    sigaction(SIGALRM, &action, &old);
    ualarm(2000, 0);
    assert_int_equal(qemu_main_loop(), 0);
    sigaction(SIGALRM, &old, NULL);
}

static void a_failure_gives_its_status_to_an_end_by_signal(void **state)
{
    (void)state;
    qemu_system_killed(SIGTERM, 1);
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_PANIC);
    assert_int_equal(qemu_shutdown_requested_get(), SHUTDOWN_CAUSE_HOST_SIGNAL);
    assert_int_equal(qemu_main_loop(), 1);
    runstate_cleanup();
    qemu_system_killed(SIGTERM, 1);
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_ERROR);
    assert_int_equal(qemu_main_loop(), 1);
    runstate_cleanup();
    /* What a guest says of its end is no failure. */
    qemu_system_killed(SIGTERM, 1);
    qemu_system_shutdown_request_with_code(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, 5);
    assert_int_equal(qemu_main_loop(), 0);
}

/* ---- Actions ---- */

static void tell_happening(RunEvent event, ShutdownCause cause, void *opaque)
{
    (void)opaque;
    g_string_append_printf(told, "event%d/%s ", event, shutdown_cause_name(cause));
}

static void ask_and_end(void *opaque)
{
    qemu_system_shutdown_request((ShutdownCause)GPOINTER_TO_INT(opaque));
    later(end_with, GINT_TO_POINTER(7));
}

/* With @actions, the machine is asked to end for @cause, and later by a person, with status 7. */
static void assert_stops_with(RunActions actions, ShutdownCause cause, const char *what)
{
    runstate_set_actions(actions);
    runstate_add_listener(tell, "vm");
    runstate_add_event_listener(tell_happening, NULL);
    g_string_truncate(told, 0);
    vm_start();
    later(ask_and_end, GINT_TO_POINTER((int)cause));
    assert_int_equal(qemu_main_loop(), 7);
    assert_string_equal(told->str, what);
    runstate_cleanup();
}

static void a_shutdown_of_the_guest_may_stop_the_machine_only(void **state)
{
    (void)state;
    assert_stops_with((RunActions){ .shutdown = SHUTDOWN_ACTION_PAUSE },
                      SHUTDOWN_CAUSE_GUEST_SHUTDOWN,
                      "vm:running/1 event0/guest-shutdown vm:3 event0/host-ui ");
}

static void a_panic_may_stop_the_machine_only(void **state)
{
    (void)state;
    assert_stops_with((RunActions){ .panic = PANIC_ACTION_PAUSE }, SHUTDOWN_CAUSE_GUEST_PANIC,
                      "vm:running/1 event3/guest-panic vm:6 event0/host-ui vm:3 ");
    assert_stops_with((RunActions){ .panic = PANIC_ACTION_NONE }, SHUTDOWN_CAUSE_GUEST_PANIC,
                      "vm:running/1 event3/guest-panic vm:5 event0/host-ui vm:3 ");
    assert_stops_with(
        (RunActions){ .panic = PANIC_ACTION_SHUTDOWN, .shutdown = SHUTDOWN_ACTION_PAUSE },
        SHUTDOWN_CAUSE_GUEST_PANIC,
        "vm:running/1 event3/guest-panic event0/guest-panic vm:6 event0/host-ui vm:3 ");
}

static void a_panic_may_be_a_shutdown_like_others(void **state)
{
    (void)state;
    runstate_set_actions((RunActions){ .panic = PANIC_ACTION_SHUTDOWN });
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_PANIC);
    assert_int_equal(qemu_main_loop(), 0);
}

static void a_reset_may_be_a_shutdown(void **state)
{
    (void)state;
    runstate_set_reset_hook(tell_reset, "hook");
    runstate_set_actions((RunActions){ .reboot = REBOOT_ACTION_SHUTDOWN });
    qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    assert_int_equal(qemu_main_loop(), 0);
    assert_string_equal(told->str, "");
    runstate_cleanup();
    assert_stops_with(
        (RunActions){ .reboot = REBOOT_ACTION_SHUTDOWN, .shutdown = SHUTDOWN_ACTION_PAUSE },
        SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET,
        "vm:running/1 event0/host-qmp-system-reset vm:3 event0/host-ui ");
}

static void what_only_stops_the_machine_hides_no_signal(void **state)
{
    (void)state;
    runstate_set_actions((RunActions){ .shutdown = SHUTDOWN_ACTION_PAUSE });
    qemu_system_shutdown_request_with_code(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, 5);
    qemu_system_killed(SIGTERM, 1);
    assert_int_equal(qemu_main_loop(), 5);
}

/* ---- Reset and stop ---- */

static void reset_twice_then_end(void *opaque)
{
    (void)opaque;
    qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    qemu_system_reset_request(SHUTDOWN_CAUSE_HOST_QMP_QUIT);
    later(end_with, NULL);
}

static void a_reset_calls_the_hook_once_for_what_came_together(void **state)
{
    (void)state;
    runstate_set_reset_hook(tell_reset, "hook");
    later(reset_twice_then_end, NULL);
    assert_int_equal(qemu_main_loop(), 0);
    assert_string_equal(told->str, "hook:4 ");
}

static void stop_then_end(void *opaque)
{
    (void)opaque;
    runstate_add_listener(tell, "vm");
    qemu_system_vmstop_request(RUN_STATE_PAUSED);
    later(end_with, NULL);
}

static void a_stop_is_carried_out_by_the_loop(void **state)
{
    (void)state;
    vm_start();
    later(stop_then_end, NULL);
    assert_int_equal(qemu_main_loop(), 0);
    assert_string_equal(told->str, "vm:2 vm:3 ");
}

static void debug_then_end(void *opaque)
{
    (void)opaque;
    runstate_add_listener(tell, "vm");
    qemu_system_vmstop_request(RUN_STATE_DEBUG);
    later(end_with, NULL);
}

static void a_stop_for_a_debugger_that_has_gone_is_taken_back(void **state)
{
    (void)state;
    vm_start();
    later(debug_then_end, NULL);
    assert_int_equal(qemu_main_loop(), 0);
    assert_string_equal(told->str, "vm:4 vm:running/1 vm:3 ");
}

static void a_machine_that_somebody_has_stopped_is_not_started_by_a_debuggers_stop(void **state)
{
    (void)state;
    vm_start();
    vm_stop(RUN_STATE_PAUSED);
    later(debug_then_end, NULL);
    assert_int_equal(qemu_main_loop(), 0);
    assert_string_equal(told->str, "vm:3 ");
}

static void without_a_hook_a_reset_does_nothing(void **state)
{
    (void)state;
    later(reset_twice_then_end, NULL);
    assert_int_equal(qemu_main_loop(), 0);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_machine_goes_from_prelaunch_to_running_and_paused),
        test(the_virtual_clock_runs_while_the_machine_does),
        test(listeners_are_told_of_each_change),
        test(a_listener_may_take_itself_away),
        test(the_exit_status_is_that_of_the_request),
        test(the_first_request_counts),
        test(causes_without_a_code_have_one_of_their_own),
        test(another_thread_ends_a_waiting_loop),
        test(a_signal_ends_a_waiting_loop_with_status_0),
        test(a_failure_gives_its_status_to_an_end_by_signal),
        test(a_shutdown_of_the_guest_may_stop_the_machine_only),
        test(a_panic_may_stop_the_machine_only),
        test(a_panic_may_be_a_shutdown_like_others),
        test(a_reset_may_be_a_shutdown),
        test(what_only_stops_the_machine_hides_no_signal),
        test(a_reset_calls_the_hook_once_for_what_came_together),
        test(a_stop_is_carried_out_by_the_loop),
        test(a_stop_for_a_debugger_that_has_gone_is_taken_back),
        test(a_machine_that_somebody_has_stopped_is_not_started_by_a_debuggers_stop),
        test(without_a_hook_a_reset_does_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
