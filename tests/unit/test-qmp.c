/* SPDX-License-Identifier: MIT */
/*
 * A conversation in the machine protocol: greeting, negotiation, requests, ids, errors, and clients
 * that read slowly.
 */
#include "tests/unit/qmp-fixture.h"

#define STATUS "{\"execute\": \"query-status\"}"
#define STATUS_ANSWER                                                                              \
    "{\"return\": {\"status\": \"prelaunch\", \"singlestep\": false, \"running\": false}}\r\n"
#define NOTHING "{\"return\": {}}\r\n"

/* A client that has negotiated. */
static TestChardev *negotiated(const char *id)
{
    TestChardev *client = client_new(id, false);

    assert_answers(client, NEGOTIATE, NOTHING);
    return client;
}

/* ---- The beginning ---- */

static void a_client_is_greeted(void **state)
{
    TestChardev *client = test_chr("m");
    g_autofree char *text = NULL;

    (void)state;
    assert_non_null(object_new_with_props(TYPE_MONITOR_QMP,
                                          container_get(object_get_root(), "/monitors"), "m", NULL,
                                          "chardev", "m", NULL));
    text = take_sent(client);
    assert_true(g_str_has_prefix(text, "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": "));
    assert_true(g_str_has_suffix(text, "\"}, \"capabilities\": [\"oob\"]}}\r\n"));
}

static void a_monitor_needs_a_chardev_and_keeps_it(void **state)
{
    GError *error = NULL;
    Object *obj;

    (void)state;
    assert_null(
        object_new_with_props(TYPE_MONITOR_QMP, object_get_objects_root(), "m", &error, NULL));
    assert_string_equal(error->message, "Parameter 'chardev' is missing");
    g_clear_error(&error);
    client_new("m", false);
    test_chr("other");
    obj = object_resolve_path("/monitors/m", NULL);
    assert_non_null(obj);
    assert_false(object_property_set_str(obj, "chardev", "other", &error));
    assert_non_null(strstr(error->message, "a monitor that runs keeps its 'chardev'"));
    g_clear_error(&error);
    assert_null(object_new_with_props(TYPE_MONITOR_QMP, object_get_objects_root(), "n", &error,
                                      "chardev", "m", NULL));
    assert_string_equal(
        error->message,
        "property 'chardev' of 'monitor-qmp': chardev 'm' is used by '/monitors/m', so a new "
        "'monitor-qmp' cannot have it");
    g_clear_error(&error);
}

static void negotiation_comes_first(void **state)
{
    TestChardev *client = client_new("m", false);

    (void)state;
    assert_error(client, STATUS, "CommandNotFound",
                 "Expecting capabilities negotiation with 'qmp_capabilities'");
    assert_error(client, "{\"execute\": \"nope\"}", "CommandNotFound",
                 "Expecting capabilities negotiation with 'qmp_capabilities'");
    assert_answers(client, NEGOTIATE, NOTHING);
    assert_answers(client, STATUS, STATUS_ANSWER);
    assert_error(client, NEGOTIATE, "CommandNotFound",
                 "Capabilities negotiation is already complete, command ignored");
}

static void an_unknown_capability_is_refused(void **state)
{
    TestChardev *client = client_new("m", false);

    (void)state;
    assert_error(
        client, "{\"execute\": \"qmp_capabilities\", \"arguments\": {\"enable\": [\"warp\"]}}",
        "GenericError", "Parameter 'enable[0]' does not accept value 'warp', accepted are 'oob'");
    assert_error(client, STATUS, "CommandNotFound",
                 "Expecting capabilities negotiation with 'qmp_capabilities'");
    assert_answers(client, OOB, NOTHING);
}

static void every_session_negotiates_anew(void **state)
{
    TestChardev *client = negotiated("m");
    g_autofree char *greeting = NULL;

    (void)state;
    type_text(client, "{\"execute\": \"quer");
    qemu_chr_be_event(&client->parent_obj, CHR_EVENT_CLOSED);
    qemu_chr_be_event(&client->parent_obj, CHR_EVENT_OPENED);
    greeting = take_sent(client);
    assert_true(g_str_has_prefix(greeting, "{\"QMP\": "));
    assert_error(client, STATUS, "CommandNotFound",
                 "Expecting capabilities negotiation with 'qmp_capabilities'");
}

/* ---- Requests ---- */

static void an_id_of_any_type_comes_back(void **state)
{
    static const char *const ids[] = {
        "1",  "-1",       "18446744073709551615",   "1.5", "\"a \\\" b\"", "null", "true",
        "[]", "[1, [2]]", "{\"a\": {\"b\": null}}",
    };
    TestChardev *client = negotiated("m");

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
        g_autofree char *good =
            g_strdup_printf("{\"id\": %s, \"execute\": \"system_powerdown\"}", ids[i]);
        g_autofree char *bad = g_strdup_printf("{\"execute\": \"stopp\", \"id\": %s}", ids[i]);
        g_autofree char *returned = g_strdup_printf("{\"return\": {}, \"id\": %s}\r\n", ids[i]);
        g_autofree char *refused =
            g_strdup_printf("{\"id\": %s, \"error\": {\"class\": \"CommandNotFound\", \"desc\": "
                            "\"The command stopp "
                            "has not been found (did you mean 'stop'?)\"}}\r\n",
                            ids[i]);

        assert_answers(client, good, returned);
        assert_answers(client, bad, refused);
    }
}

static void requests_follow_each_other_in_any_form(void **state)
{
    TestChardev *client = negotiated("m");

    (void)state;
    assert_answers(client, STATUS STATUS, STATUS_ANSWER STATUS_ANSWER);
    assert_answers(client, STATUS "\r\n" STATUS "\n\n  " STATUS "\r\n",
                   STATUS_ANSWER STATUS_ANSWER STATUS_ANSWER);
    assert_answers(client, "{\"execute\":\"query-st", "");
    assert_answers(client, "atus\", \"arguments\"", "");
    assert_answers(client, ": {}}", STATUS_ANSWER);
}

static void what_is_no_request_is_told(void **state)
{
    static const char *const rows[][2] = {
        { "[]", "QMP input must be a JSON object" },
        { "42 ", "QMP input must be a JSON object" },
        { "\"x\"", "QMP input must be a JSON object" },
        { "{}", "QMP input lacks member 'execute'" },
        { "{\"arguments\": {}}", "QMP input lacks member 'execute'" },
        { "{\"execute\": 1}", "QMP input member 'execute' must be a string" },
        { "{\"execute\": \"stop\", \"arguments\": []}",
          "QMP input member 'arguments' must be an object" },
        { "{\"execute\": \"stop\", \"argument\": {}}",
          "QMP input member 'argument' is unexpected" },
        { "{\"exec-oob\": \"stop\"}", "QMP input member 'exec-oob' is unexpected" },
        { "{\"execute\": }", "not valid JSON at character 13: expected a value" },
        { "{\"execute\": \"stop\", \"execute\": \"cont\"}",
          "not valid JSON at character 21: 'execute' is given twice" },
    };
    TestChardev *client = negotiated("m");

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *expected = g_strdup_printf(
            "{\"error\": {\"class\": \"GenericError\", \"desc\": \"%s\"}}\r\n", rows[i][1]);

        assert_answers(client, rows[i][0], expected);
        assert_answers(client, STATUS, STATUS_ANSWER);
    }
}

static void two_names_of_a_command_clash(void **state)
{
    TestChardev *client = client_new("m", false);

    (void)state;
    assert_answers(client, OOB, NOTHING);
    assert_error(client, "{\"exec-oob\": \"stop\", \"execute\": \"stop\"}", "GenericError",
                 "QMP input member 'execute' clashes with the other one that names a command");
}

static void arguments_are_held_against_the_schema(void **state)
{
    TestChardev *client = negotiated("m");

    (void)state;
    assert_error(client, "{\"execute\": \"stop\", \"arguments\": {\"now\": true}}", "GenericError",
                 "Parameter 'now' is unexpected");
    assert_error(client, "{\"execute\": \"getfd\"}", "GenericError",
                 "Parameter 'fdname' is missing");
    assert_error(client, "{\"execute\": \"getfd\", \"arguments\": {\"fdname\": 1}}", "GenericError",
                 "Invalid parameter type for 'fdname', expected: string");
}

static void text_that_is_no_utf8_does_not_come_out(void **state)
{
    TestChardev *client = negotiated("m");
    Object *obj = object_resolve_path("/monitors/m", NULL);
    g_autofree char *text = NULL;

    (void)state;
    monitor_printf(MONITOR(obj), "%s", "");
    type_text(client, "{\"execute\": \"load-module\", \"arguments\": {\"path\": \"/\\u00e9\"}}");
    text = take_sent(client);
    assert_true(g_utf8_validate(text, -1, NULL));
    assert_non_null(strstr(text, "GenericError"));
}

static void pretty_answers_are_indented(void **state)
{
    TestChardev *client = client_new("m", true);

    (void)state;
    assert_answers(client, NEGOTIATE, "{\n    \"return\": {}\n}\r\n");
    assert_answers(client, "{\"execute\": \"system_powerdown\", \"id\": [1, {\"a\": []}]}",
                   "{\n    \"return\": {},\n    \"id\": [\n        1,\n        {\n            "
                   "\"a\": []\n        }\n    ]\n}\r\n");
}

/* ---- Clients that read slowly ---- */

/* Enough questions that the answers fill what the chardev keeps. */
static char *many(unsigned n)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < n; i++) {
        g_string_append_printf(text, "{\"execute\": \"query-qmp-schema\", \"id\": %u}", i);
    }
    return g_string_free(text, FALSE);
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;

    for (; (text = strstr(text, what)) != NULL; text += strlen(what)) {
        n++;
    }
    return n;
}

static void a_client_that_does_not_read_is_not_read_from(void **state)
{
    TestChardev *client = negotiated("m");
    g_autofree char *words = many(40);
    g_autofree char *text = NULL;

    (void)state;
    take_output(client, 0);
    type_text(client, words);
    type_text(client, words);
    run_loop();
    /* The first answer does not fit: the others have not been made. */
    assert_true(client->typed->len > 0);
    take_output(client, -1);
    run_loop();
    assert_int_equal(client->typed->len, 0);
    text = take_sent(client);
    assert_int_equal(count(text, "{\"return\": ["), 80);
    assert_int_equal(count(text, "\"id\": 39}"), 2);
    assert_answers(client, STATUS, STATUS_ANSWER);
}

static void others_are_answered_meanwhile(void **state)
{
    TestChardev *stuck = negotiated("stuck");
    TestChardev *other = negotiated("other");
    g_autofree char *words = many(4);

    (void)state;
    take_output(stuck, 0);
    type_text(stuck, words);
    assert_answers(other, STATUS, STATUS_ANSWER);
}

/* Asks until answers have to wait. */
static void fill(TestChardev *client, const char *id)
{
    const Monitor *mon =
        MONITOR(object_resolve_path_component(container_get(object_get_root(), "/monitors"), id));

    take_output(client, 0);
    while (!mon->paused) {
        type_text(client, "{\"execute\": \"query-qmp-schema\"}");
    }
}

static void what_is_urgent_passes_what_waits(void **state)
{
    TestChardev *client = client_new("m", false);
    g_autofree char *words = many(12);
    g_autofree char *text = NULL;
    const char *urgent;

    (void)state;
    assert_answers(client, OOB, NOTHING);
    fill(client, "m");
    type_text(client, STATUS "{\"exec-oob\": \"query-status\", \"id\": \"urgent\"}");
    /* From the ninth on that waits, nothing is read any more. */
    type_text(client, words);
    take_output(client, -1);
    run_loop();
    text = take_sent(client);
    urgent = strstr(text, "\"running\": false}, \"id\": \"urgent\"}");
    assert_non_null(urgent);
    assert_true(urgent < strstr(text, STATUS_ANSWER));
    assert_true(strstr(text, STATUS_ANSWER) < strstr(text, "\"id\": 0}"));
    assert_non_null(strstr(text, "\"id\": 11}"));
}

static void only_some_commands_are_urgent(void **state)
{
    TestChardev *client = client_new("m", false);

    (void)state;
    assert_answers(client, OOB, NOTHING);
    assert_answers(client, "{\"exec-oob\": \"query-status\"}", STATUS_ANSWER);
    assert_error(client, "{\"exec-oob\": \"query-version\"}", "GenericError",
                 "The command query-version does not support OOB");
    assert_error(client, "{\"exec-oob\": \"nope\"}", "CommandNotFound",
                 "The command nope has not been found");
}

static void what_is_kept_for_a_client_has_an_end(void **state)
{
    TestChardev *client = negotiated("m");
    Monitor *mon = MONITOR(object_resolve_path("/monitors/m", NULL));

    (void)state;
    take_output(client, 0);
    for (unsigned i = 0; i < 400000; i++) {
        qmp_emit("STOP", NULL);
    }
    assert_true(mon->out->len - mon->out_done < MONITOR_OUT_MAX + 1000);
    take_output(client, -1);
    run_loop();
    g_free(take_sent(client));
    assert_answers(client, STATUS, STATUS_ANSWER);
}

static void what_has_been_read_is_given_back(void **state)
{
    TestChardev *client = negotiated("m");
    Monitor *mon = MONITOR(object_resolve_path("/monitors/m", NULL));

    (void)state;
    take_output(client, 0);
    for (unsigned i = 0; i < 2000; i++) {
        qmp_emit("STOP", NULL);
    }
    /* It reads, but there is always something left. */
    for (unsigned i = 0; i < 200000; i++) {
        qmp_emit("STOP", NULL);
        take_output(client, 90);
        g_string_truncate(client->sent, 0);
    }
    assert_true(mon->out->len < 1 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, program_setup, qmp_teardown)
        TEST(a_client_is_greeted),
        TEST(a_monitor_needs_a_chardev_and_keeps_it),
        TEST(negotiation_comes_first),
        TEST(an_unknown_capability_is_refused),
        TEST(every_session_negotiates_anew),
        TEST(an_id_of_any_type_comes_back),
        TEST(requests_follow_each_other_in_any_form),
        TEST(what_is_no_request_is_told),
        TEST(two_names_of_a_command_clash),
        TEST(arguments_are_held_against_the_schema),
        TEST(text_that_is_no_utf8_does_not_come_out),
        TEST(pretty_answers_are_indented),
        TEST(a_client_that_does_not_read_is_not_read_from),
        TEST(others_are_answered_meanwhile),
        TEST(what_is_urgent_passes_what_waits),
        TEST(only_some_commands_are_urgent),
        TEST(what_is_kept_for_a_client_has_an_end),
        TEST(what_has_been_read_is_given_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
