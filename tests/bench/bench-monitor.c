/* SPDX-License-Identifier: MIT */
/*
 * What a request of the machine protocol costs inside: bytes that come, and a question with its
 * answer. The way to the client and back is in bench-qmp.py.
 */
#include <qomet/accel/accel.h>
#include <qomet/monitor/qmp.h>
#include "machine/rooms.h"
#include "tests/bench/bench.h"
#include "tests/unit/host-chardev.h"

#define INPUT_BYTES 4096

static TestChardev *client;
static char *long_request;  /* of INPUT_BYTES; it is refused */
static char *large_request; /* of about that many, with a hundred arguments */

static void die(const char *what)
{
    fprintf(stderr, "bench-monitor: %s\n", what);
    exit(1);
}

/* The words of @client, and what they must be answered with. */
static void say(const char *words, size_t len, const char *answer)
{
    type_bytes(client, words, (int)len);
    if (!strstr(client->sent->str, answer)) {
        die(client->sent->str);
    }
    g_string_truncate(client->sent, 0);
}

static void connect_client(void)
{
    GError *error = NULL;

    if (!rooms_begin(&error)) {
        die(error->message);
    }
    client = test_chr("c");
    if (!object_new_with_props(TYPE_MONITOR_QMP, object_get_objects_root(), "m", &error, "chardev",
                               "c", NULL)) {
        die(error->message);
    }
    say("{\"execute\": \"qmp_capabilities\"}", 31, "return");
}

static void make_requests(void)
{
    static const char head[] = "{\"execute\": \"stop\", \"arguments\": {\"x\": \"", tail[] = "\"}}";
    GString *large = g_string_new("{\"execute\": \"stop\", \"arguments\": {\"p\": 0");

    long_request = g_strnfill(INPUT_BYTES, 'a');
    memcpy(long_request, head, strlen(head));
    memcpy(long_request + INPUT_BYTES - strlen(tail), tail, strlen(tail));
    for (unsigned i = 0; large->len < INPUT_BYTES - 40; i++) {
        g_string_append_printf(large, ", \"property-%03u\": \"value-of-it-%03u\"", i, i);
    }
    g_string_append(large, "}}");
    large_request = g_string_free(large, FALSE);
}

static void run_input(unsigned n)
{
    for (unsigned i = 0; i < n; i += INPUT_BYTES) {
        say(long_request, INPUT_BYTES, "is unexpected");
    }
}

static void run_arguments(unsigned n)
{
    size_t len = strlen(large_request);

    for (unsigned i = 0; i < n; i += len) {
        say(large_request, len, "is unexpected");
    }
}

static void run_status(unsigned n)
{
    static const char words[] = "{\"execute\": \"query-status\", \"id\": 1}";

    for (unsigned i = 0; i < n; i++) {
        say(words, strlen(words), "prelaunch");
    }
}

int main(int argc, char **argv)
{
    static const BenchCase cases[] = {
        { .name = "qmp-byte", .run = run_input, .n = INPUT_BYTES * 50, .reference = "-" },
        { .name = "qmp-byte-of-arguments",
          .run = run_arguments,
          .n = INPUT_BYTES * 50,
          .reference = "-" },
        { .name = "qmp-request", .run = run_status, .n = 1000, .reference = "-" },
    };
    int status;

    connect_client();
    make_requests();
    status = bench_run(cases, G_N_ELEMENTS(cases), argc, argv);
    g_free(long_request);
    g_free(large_request);
    rooms_end();
    return status;
}
