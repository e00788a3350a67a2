/* SPDX-License-Identifier: MIT */
/*
 * The machine protocol: bytes are sent to a monitor, in two ways of cutting them into pieces. The
 * same must come of both, every request is answered once, and every answer is JSON. Commands that
 * touch the host are left out.
 */
#include <qomet/accel/accel.h>
#include <qomet/backends/loop.h>
#include <qomet/memory/main-work.h>
#include <qomet/monitor/qmp.h>
#include <qomet/qom/json-stream.h>
#include <qomet/qom/keyval.h>
#include "machine/rooms.h"
#include "tests/unit/host-chardev.h"
#include "tests/fuzz/fuzz.h"

static TestChardev *client;

/* ---- What is to be answered ---- */

/* Commands that write files, open devices or load programs. */
static bool touches_host(GVariant *value)
{
    static const char *const names[] = { "chardev-add", "human-monitor-command",
                                         "load-module", "memsave",
                                         "object-add",  "pmemsave",
                                         NULL };
    const char *name = NULL;

    if (!g_variant_is_of_type(value, G_VARIANT_TYPE_VARDICT)) {
        return false;
    }
    return (g_variant_lookup(value, "execute", "&s", &name) && g_strv_contains(names, name)) ||
           (g_variant_lookup(value, "exec-oob", "&s", &name) && g_strv_contains(names, name));
}

/*
 * How many answers @size bytes ask for; -1: some of them are left out. Read in pieces of their own,
 * each a copy, so that a checker of memory sees what is read too far.
 */
static int count_answers(const uint8_t *data, size_t size, size_t step)
{
    JsonStream *s = json_stream_new();
    int n = 0;

    for (size_t at = 0; at < size && n >= 0;) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) value = NULL;
        size_t len = MIN(step, size - at);
        g_autofree char *piece = g_memdup2(data + at, len);
        size_t taken = json_stream_feed(s, piece, len, &value, &error);

        MUST(taken <= len && !(value && error) && (taken == len || value || error));
        MUST(!error || *error->message);
        at += taken;
        n = value && touches_host(value) ? -1 : n + (value || error);
    }
    json_stream_free(s);
    return n;
}

/* ---- The monitor ---- */

static void begin(void)
{
    MUST(rooms_begin(NULL));
    client = test_chr("c");
    MUST(object_new_with_props(TYPE_MONITOR_QMP, container_get(object_get_root(), "/monitors"), "m",
                               NULL, "chardev", "c", NULL));
}

static int drop(Object *child, void *opaque)
{
    (void)opaque;
    object_unparent(child);
    return 0;
}

/* A new session; nothing that an earlier one has made is left. */
static void renew(void)
{
    qemu_chr_be_event(&client->parent_obj, CHR_EVENT_CLOSED);
    while (main_work_run()) {
    }
    runstate_cleanup();
    object_child_foreach(object_get_objects_root(), drop, NULL);
    object_unparent(qdev_get_machine());
    qemu_chr_be_event(&client->parent_obj, CHR_EVENT_OPENED);
    g_string_truncate(client->sent, 0);
}

/* Every line that was sent is JSON; how many of them answer something. */
static int check_sent(void)
{
    g_auto(GStrv) lines = g_strsplit(client->sent->str, "\r\n", -1);
    int answers = 0;

    for (char **line = lines; line[0] && line[1]; line++) {
        g_autoptr(GVariant) message = json_to_variant(*line, NULL);
        g_autoptr(GVariant) event = message ? g_variant_lookup_value(message, "event", NULL) : NULL;

        MUST(message);
        answers += !event;
    }
    return answers;
}

/*
 * Sends all that, in pieces of @step bytes; when @slow, the client reads nothing until it is sent.
 * How many answers came.
 */
static int answers_of(const uint8_t *data, size_t size, size_t step, bool slow)
{
    renew();
    if (slow) {
        client->room = 0;
    }
    for (size_t at = 0; at < size; at += step) {
        type_bytes(client, data + at, (int)MIN(step, size - at));
    }
    if (slow) {
        take_output(client, -1);
    }
    for (int i = 0; i < 100 && client->typed->len; i++) {
        main_loop_wait(false);
    }
    return check_sent();
}

/* The first two bytes say how the others are cut, and whether the client negotiates first. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char hello[] =
        "{\"execute\": \"qmp_capabilities\", \"arguments\": {\"enable\": [\"oob\"]}}";
    g_autoptr(GByteArray) text = g_byte_array_new();
    size_t step;
    int n;

    if (!client) {
        begin();
    }
    if (size < 2) {
        return 0;
    }
    step = 1 + data[0];
    if (data[1] & 1) {
        g_byte_array_append(text, (const uint8_t *)hello, strlen(hello));
    }
    g_byte_array_append(text, data + 2, (guint)(size - 2));
    n = text->len ? count_answers(text->data, text->len, step) : -1;
    if (n >= 0) {
        MUST(n == count_answers(text->data, text->len, SIZE_MAX));
        MUST(n == answers_of(text->data, text->len, step, data[1] & 2));
    }
    return 0;
}
