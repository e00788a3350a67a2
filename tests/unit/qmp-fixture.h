/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the machine protocol share: clients, whose host's side is the test.
 */
#ifndef QOMET_TESTS_UNIT_QMP_FIXTURE_H
#define QOMET_TESTS_UNIT_QMP_FIXTURE_H

#include "tests/unit/program-fixture.h"
#include <qomet/memory/main-work.h>
#include <qomet/monitor/qmp.h>
#include "tests/unit/host-chardev.h"

#define OOB "{\"execute\": \"qmp_capabilities\", \"arguments\": {\"enable\": [\"oob\"]}}"
#define NEGOTIATE "{\"execute\": \"qmp_capabilities\"}"

static int drop(Object *child, void *opaque)
{
    (void)opaque;
    object_unparent(child);
    return 0;
}

static G_GNUC_UNUSED int qmp_teardown(void **state)
{
    object_child_foreach(container_get(object_get_root(), "/monitors"), drop, NULL);
    return program_teardown(state);
}

static G_GNUC_UNUSED void run_loop(void)
{
    for (int i = 0; i < 5; i++) {
        main_loop_wait(false);
    }
}

/* What was sent since the last call; the caller frees. */
static G_GNUC_UNUSED char *take_sent(TestChardev *client)
{
    char *text = g_strdup(client->sent->str);

    g_string_truncate(client->sent, 0);
    return text;
}

/* A client on a monitor of its own, with these further properties; the greeting was read. */
static G_GNUC_UNUSED TestChardev *client_new(const char *id, bool pretty)
{
    TestChardev *client = test_chr(id);
    GError *error = NULL;

    if (!object_new_with_props(TYPE_MONITOR_QMP, container_get(object_get_root(), "/monitors"), id,
                               &error, "chardev", id, "pretty", pretty ? "on" : "off", NULL)) {
        fail_msg("%s", error->message);
    }
    g_free(take_sent(client));
    return client;
}

/* What comes of @words: answers and events, as they stand. The caller frees. */
static G_GNUC_UNUSED char *ask(TestChardev *client, const char *words)
{
    type_text(client, words);
    run_loop();
    return take_sent(client);
}

#define assert_answers(client, words, expected)                                                    \
    do {                                                                                           \
        g_autofree char *got_ = ask(client, words);                                                \
        assert_string_equal(got_, expected);                                                       \
    } while (0)

/* An answer that is an error of @class with this text. */
#define assert_error(client, words, class, text)                                                   \
    assert_answers(client, words,                                                                  \
                   "{\"error\": {\"class\": \"" class "\", \"desc\": \"" text "\"}}\r\n")

/* The times in @text are replaced by 0; the same text. */
static G_GNUC_UNUSED char *without_times(char *text)
{
    static const char *const keys[] = { "\"seconds\": ", "\"microseconds\": " };

    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        for (char *at = text; (at = strstr(at, keys[i])) != NULL;) {
            at += strlen(keys[i]);
            *at++ = '0';
            memmove(at, at + strspn(at, "0123456789"), strlen(at + strspn(at, "0123456789")) + 1);
        }
    }
    return text;
}

#define TIME "{\"timestamp\": {\"seconds\": 0, \"microseconds\": 0}, "

#endif
