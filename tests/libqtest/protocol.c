/* SPDX-License-Identifier: MIT */
/*
 * The tester's side of the protocol: a line a command, a line an answer, and lines about interrupts
 * in between.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "libqtest-int.h"

/* How many bytes one command of qtest_memread() and qtest_memwrite() moves. */
#define CHUNK 65536

static void connection_lost(QTestState *s, const char *what) G_GNUC_NORETURN;
static void connection_lost(QTestState *s, const char *what)
{
    close(s->sock);
    s->sock = -1;
    if (qtest_reap(s)) {
        qtest_fail("%s: the program has ended with status %d", what, s->status);
    }
    qtest_fail("%s: the program has closed the connection, did not end and was killed", what);
}

void qtest_send(QTestState *s, const char *data, size_t len)
{
    gint64 since = g_get_monotonic_time();

    while (len) {
        struct pollfd poller = { .fd = s->sock, .events = POLLOUT };
        ssize_t n;

        if (s->sock < 0) {
            qtest_fail("nothing can be sent: the connection is closed");
        }
        n = send(s->sock, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        } else if (errno == EAGAIN) {
            if (poll(&poller, 1, qtest_time_left(since)) == 0) {
                qtest_fail("the program takes no commands any more");
            }
        } else if (errno != EINTR) {
            connection_lost(s, "sending");
        }
    }
}

/* Notes "IRQ raise N" and "IRQ lower N"; false for any other line. */
static bool take_irq(QTestState *s, const char *line)
{
    bool raise = g_str_has_prefix(line, "IRQ raise ");
    unsigned long n;
    char *end;

    if (!raise && !g_str_has_prefix(line, "IRQ lower ")) {
        return false;
    }
    n = strtoul(line + strlen("IRQ raise "), &end, 10);
    if (!*end && n < QTEST_MAX_IRQ) {
        s->irq_level[n] = raise;
    }
    return true;
}

char *qtest_receive(QTestState *s)
{
    gint64 since = g_get_monotonic_time();
    gsize searched = 0;

    for (;;) {
        char *newline = memchr(s->input->str + searched, '\n', s->input->len - searched);
        struct pollfd poller = { .fd = s->sock, .events = POLLIN };
        char buf[8192];
        ssize_t n;

        if (newline) {
            gsize len = (gsize)(newline - s->input->str);
            char *line = g_strndup(s->input->str, len);

            g_string_erase(s->input, 0, (gssize)len + 1);
            searched = 0;
            if (!take_irq(s, line)) {
                return line;
            }
            g_free(line);
            continue;
        }
        searched = s->input->len;
        if (s->sock < 0) {
            qtest_fail("nothing can be received: the connection is closed");
        }
        n = poll(&poller, 1, qtest_time_left(since));
        if (n == 0) {
            qtest_fail("the program does not answer");
        }
        n = n < 0 ? n : recv(s->sock, buf, sizeof(buf), 0);
        if (n > 0) {
            g_string_append_len(s->input, buf, n);
        } else if (n == 0 || errno != EINTR) {
            connection_lost(s, "waiting for an answer");
        }
    }
}

char *qtest_command(QTestState *s, const char *format, ...)
{
    va_list ap;
    char *line, *answer, *copy;

    va_start(ap, format);
    line = g_strdup_vprintf(format, ap);
    va_end(ap);
    qtest_send(s, line, strlen(line));
    g_free(line);
    qtest_send(s, "\n", 1);
    answer = qtest_receive(s);
    copy = strdup(answer);
    g_free(answer);
    if (!copy) {
        qtest_fail("no memory for an answer");
    }
    return copy;
}

/*
 * Sends a line that must succeed; what stands after "OK", as a pointer into *@answer, which the
 * caller frees.
 */
static const char *must(QTestState *s, char **answer, const char *format, ...) G_GNUC_PRINTF(3, 4);
static const char *must(QTestState *s, char **answer, const char *format, ...)
{
    va_list ap;
    char command[96], reply[256];
    char *line;

    va_start(ap, format);
    line = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_strlcpy(command, line, sizeof(command));
    qtest_send(s, line, strlen(line));
    g_free(line);
    qtest_send(s, "\n", 1);
    *answer = qtest_receive(s);
    if (strcmp(*answer, "OK") != 0 && !g_str_has_prefix(*answer, "OK ")) {
        g_strlcpy(reply, *answer, sizeof(reply));
        g_free(*answer);
        qtest_fail("%s: the program answers: %s", command, reply);
    }
    return *answer + ((*answer)[2] ? 3 : 2);
}

static uint64_t number(QTestState *s, const char *command, uint64_t addr)
{
    char *answer, *end;
    const char *text = must(s, &answer, "%s 0x%" PRIx64, command, addr);
    uint64_t value = strtoull(text, &end, 0);
    bool is_number = *text && !*end;

    g_free(answer);
    if (!is_number) {
        qtest_fail("%s 0x%" PRIx64 ": the answer is no number", command, addr);
    }
    return value;
}

static void store(QTestState *s, const char *command, uint64_t addr, uint64_t value)
{
    char *answer;

    must(s, &answer, "%s 0x%" PRIx64 " 0x%" PRIx64, command, addr, value);
    g_free(answer);
}

void qtest_outb(QTestState *s, uint16_t port, uint8_t value)
{
    store(s, "outb", port, value);
}

void qtest_outw(QTestState *s, uint16_t port, uint16_t value)
{
    store(s, "outw", port, value);
}

void qtest_outl(QTestState *s, uint16_t port, uint32_t value)
{
    store(s, "outl", port, value);
}

uint8_t qtest_inb(QTestState *s, uint16_t port)
{
    return (uint8_t)number(s, "inb", port);
}

uint16_t qtest_inw(QTestState *s, uint16_t port)
{
    return (uint16_t)number(s, "inw", port);
}

uint32_t qtest_inl(QTestState *s, uint16_t port)
{
    return (uint32_t)number(s, "inl", port);
}

void qtest_writeb(QTestState *s, uint64_t addr, uint8_t value)
{
    store(s, "writeb", addr, value);
}

void qtest_writew(QTestState *s, uint64_t addr, uint16_t value)
{
    store(s, "writew", addr, value);
}

void qtest_writel(QTestState *s, uint64_t addr, uint32_t value)
{
    store(s, "writel", addr, value);
}

void qtest_writeq(QTestState *s, uint64_t addr, uint64_t value)
{
    store(s, "writeq", addr, value);
}

uint8_t qtest_readb(QTestState *s, uint64_t addr)
{
    return (uint8_t)number(s, "readb", addr);
}

uint16_t qtest_readw(QTestState *s, uint64_t addr)
{
    return (uint16_t)number(s, "readw", addr);
}

uint32_t qtest_readl(QTestState *s, uint64_t addr)
{
    return (uint32_t)number(s, "readl", addr);
}

uint64_t qtest_readq(QTestState *s, uint64_t addr)
{
    return number(s, "readq", addr);
}

void qtest_memread(QTestState *s, uint64_t addr, void *data, size_t size)
{
    uint8_t *out = data;

    while (size) {
        size_t len = MIN(size, CHUNK);
        gsize got = 0;
        char *answer;
        const char *text = must(s, &answer, "b64read 0x%" PRIx64 " 0x%zx", addr, len);
        guchar *bytes = g_base64_decode(text, &got);

        if (got == len) {
            memcpy(out, bytes, len);
        }
        g_free(bytes);
        g_free(answer);
        if (got != len) {
            qtest_fail("b64read 0x%" PRIx64 " 0x%zx: %zu bytes came", addr, len, (size_t)got);
        }
        out += len;
        addr += len;
        size -= len;
    }
}

void qtest_memwrite(QTestState *s, uint64_t addr, const void *data, size_t size)
{
    const uint8_t *in = data;

    while (size) {
        size_t len = MIN(size, CHUNK);
        char *text = g_base64_encode(in, len);
        char *answer;

        /* A failure leaks the text: the test has failed then. */
        must(s, &answer, "b64write 0x%" PRIx64 " 0x%zx %s", addr, len, text);
        g_free(answer);
        g_free(text);
        in += len;
        addr += len;
        size -= len;
    }
}

void qtest_memset(QTestState *s, uint64_t addr, uint8_t byte, size_t size)
{
    char *answer;

    must(s, &answer, "memset 0x%" PRIx64 " 0x%zx 0x%x", addr, size, byte);
    g_free(answer);
}

bool qtest_big_endian(QTestState *s)
{
    char *answer;
    bool big = strcmp(must(s, &answer, "endianness"), "big") == 0;

    g_free(answer);
    return big;
}

static int64_t clock_command(QTestState *s, const char *command)
{
    char *answer;
    int64_t now = g_ascii_strtoll(must(s, &answer, "%s", command), NULL, 0);

    g_free(answer);
    return now;
}

int64_t qtest_clock_step(QTestState *s, int64_t ns)
{
    char command[64];

    snprintf(command, sizeof(command), "clock_step %" PRId64, ns);
    return clock_command(s, command);
}

int64_t qtest_clock_step_next(QTestState *s)
{
    return clock_command(s, "clock_step");
}

int64_t qtest_clock_set(QTestState *s, int64_t ns)
{
    char command[64];

    snprintf(command, sizeof(command), "clock_set %" PRId64, ns);
    return clock_command(s, command);
}

void qtest_irq_intercept_in(QTestState *s, const char *path)
{
    char *answer;

    must(s, &answer, "irq_intercept_in %s", path);
    g_free(answer);
}

void qtest_irq_intercept_out(QTestState *s, const char *path)
{
    char *answer;

    must(s, &answer, "irq_intercept_out %s", path);
    g_free(answer);
}

bool qtest_get_irq(QTestState *s, unsigned n)
{
    if (n >= QTEST_MAX_IRQ) {
        qtest_fail("line %u: only lines 0 to %d are kept", n, QTEST_MAX_IRQ - 1);
    }
    /* Whatever was said about lines before the answer to this is here when the answer is. */
    qtest_big_endian(s);
    return s->irq_level[n];
}

void qtest_set_irq_in(QTestState *s, const char *path, const char *name, unsigned n, int level)
{
    char *answer;

    must(s, &answer, "set_irq_in %s %s %u %d", path, name ? name : "unnamed-gpio-in", n, level);
    g_free(answer);
}
