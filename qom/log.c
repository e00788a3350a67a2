/* SPDX-License-Identifier: MIT */
/*
 * The log and the messages to the user. One lock keeps lines whole; a flood from the guest is
 * thinned out. Whoever writes waits a bounded time for a pipe or a terminal that takes nothing;
 * afterwards messages are left out until it does.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <qomet/qom/log.h>

/* How many messages a place may write before it is held to one a second. */
#define LOG_BURST 10

/* So long a log becomes: a guest that floods it fills no disk. */
#define LOG_FILE_MAX (INT64_C(1) << 30)

/* How long messages wait for one who does not read, and how often a wait looks up. */
#define PATIENCE_MS 1000
#define SLICE_MS 50

/* Where messages go. */
typedef struct Sink {
    int fd;
    bool is_file;  /* its length is bounded */
    bool full;     /* it has that length, and that was told */
    bool stuck;    /* nobody read for too long: no more waiting until there is room again */
    bool cut;      /* the last message ended in the middle */
    uint32_t lost; /* messages left out since then */
} Sink;

const LogItem qemu_log_items[] = {
    { LOG_EXITS, "exits", "one line for each exit: reason, object path, type, address, value" },
    { LOG_GUEST_ERROR, "guest_errors", "what the guest does against the hardware's manual" },
    { LOG_UNIMP, "unimp", "what the guest uses and is not there" },
    { LOG_CPU_RESET, "cpu_reset", "registers before each reset of a vCPU" },
    { LOG_IRQ, "irq", "changes of interrupt lines" },
    { 0, NULL, NULL },
};

uint32_t qemu_loglevel;

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static Sink to_user = { .fd = STDERR_FILENO }; /* under log_lock, as is the next */
static Sink to_file = { .fd = -1 };            /* -1: the log goes to the user */
static uint32_t waits_ended;                   /* atomic */

/* ---- Writing ---- */

void qemu_log_end_waits(bool end)
{
    __atomic_store_n(&waits_ended, end, __ATOMIC_RELEASE);
}

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

/* Whether @sink takes something now, or before patience ends. */
static bool wait_for_room(Sink *sink)
{
    struct pollfd pfd = { .fd = sink->fd, .events = POLLOUT };
    int64_t end = 0;

    for (;;) {
        bool wait = !sink->stuck && !__atomic_load_n(&waits_ended, __ATOMIC_ACQUIRE);
        int ready = poll(&pfd, 1, wait && end ? SLICE_MS : 0);

        if (ready > 0) {
            sink->stuck = false;
            return true;
        }
        if (!wait || (ready < 0 && errno != EINTR)) {
            return false;
        }
        if (!end) {
            end = now_ms() + PATIENCE_MS;
        } else if (now_ms() >= end) {
            sink->stuck = true;
        }
    }
}

/* False when not all of it went out. */
static bool write_bytes(Sink *sink, const char *text, size_t len)
{
    while (len) {
        ssize_t n;

        if (!wait_for_room(sink)) {
            return false;
        }
        /* So much a pipe takes without a wait when it has room. */
        n = write(sink->fd, text, MIN(len, PIPE_BUF));
        if (n > 0) {
            sink->cut = true;
            text += n;
            len -= n;
        } else if (n < 0 && errno != EINTR && errno != EAGAIN) {
            return false;
        }
    }
    sink->cut = false;
    return true;
}

static void write_message(Sink *sink, const char *text);

/* Whether @sink may become longer. A file that somebody has emptied meanwhile may again. */
static bool may_grow(Sink *sink)
{
    struct stat st;
    bool full = sink->is_file && fstat(sink->fd, &st) == 0 && st.st_size >= LOG_FILE_MAX;

    if (full && !sink->full) {
        static const char end[] = "(the log ends here: it has reached 1 GiB)\n";

        (void)write_bytes(sink, end, strlen(end));
        write_message(&to_user, "qomet: warning: the log has reached 1 GiB and goes on when its "
                                "file is emptied\n");
    }
    sink->full = full;
    return !full;
}

/* One message, whole. */
static void write_message(Sink *sink, const char *text)
{
    if (!may_grow(sink)) {
        return;
    }
    if (sink->lost) {
        char line[80];

        snprintf(line, sizeof(line), "%s(messages left out, since nobody read them: %u)\n",
                 sink->cut ? "\n" : "", sink->lost);
        if (!write_bytes(sink, line, strlen(line))) {
            sink->lost++;
            return;
        }
        sink->lost = 0;
    }
    if (!write_bytes(sink, text, strlen(text))) {
        sink->lost++;
    }
}

/* ---- Where it goes ---- */

bool qemu_str_to_log_mask(const char *items, uint32_t *mask, GError **errp)
{
    g_auto(GStrv) words = g_strsplit(items, ",", -1);
    uint32_t result = 0;

    for (char **w = words; *w; w++) {
        const LogItem *item = qemu_log_items;

        if (!strcmp(*w, "all")) {
            result = UINT32_MAX;
            continue;
        }
        while (item->name && strcmp(item->name, *w)) {
            item++;
        }
        if (!item->name) {
            g_autoptr(GString) known = g_string_new("all");

            for (item = qemu_log_items; item->name; item++) {
                g_string_append_printf(known, ", %s", item->name);
            }
            qom_error_set(errp, QOM_ERROR_VALUE, "'%s' is not a log item, accepted are %s", *w,
                          known->str);
            return false;
        }
        result |= item->mask;
    }
    *mask = result;
    return true;
}

bool qemu_set_log_filename(const char *path, GError **errp)
{
    struct stat st = { .st_mode = 0 };
    int fd = -1;

    if (path) {
        g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
        g_auto(GStrv) parts = g_strsplit(path, "%d", 2);
        g_autofree char *name = g_strjoinv(pid, parts);

        fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
        if (fd < 0) {
            qom_error_set(errp, QOM_ERROR_FAILED, "cannot write the log file '%s': %s", name,
                          g_strerror(errno));
            return false;
        }
    }
    pthread_mutex_lock(&log_lock);
    if (to_file.fd >= 0) {
        close(to_file.fd);
    }
    to_file = (Sink){ .fd = fd, .is_file = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) };
    pthread_mutex_unlock(&log_lock);
    return true;
}

void qemu_log(const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    pthread_mutex_lock(&log_lock);
    write_message(to_file.fd >= 0 ? &to_file : &to_user, text);
    pthread_mutex_unlock(&log_lock);
}

bool qemu_log_limit(LogLimit *limit)
{
    struct timespec ts;
    int64_t now, last = __atomic_load_n(&limit->last_ns, __ATOMIC_RELAXED);

    if (__atomic_load_n(&limit->said, __ATOMIC_RELAXED) < LOG_BURST) {
        __atomic_fetch_add(&limit->said, 1, __ATOMIC_RELAXED);
        return true;
    }
    clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
    now = ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
    if (now - last < INT64_C(1000000000) ||
        !__atomic_compare_exchange_n(&limit->last_ns, &last, now, false, __ATOMIC_RELAXED,
                                     __ATOMIC_RELAXED)) {
        __atomic_fetch_add(&limit->dropped, 1, __ATOMIC_RELAXED);
        return false;
    }
    now = __atomic_exchange_n(&limit->dropped, 0, __ATOMIC_RELAXED);
    if (now) {
        qemu_log("(%u messages like the next one were left out)\n", (unsigned)now);
    }
    return true;
}

static void report(const char *kind, const char *fmt, va_list ap)
{
    g_autofree char *text = g_strdup_vprintf(fmt, ap);
    g_autofree char *line = g_strdup_printf("qomet: %s%s\n", kind, text);

    pthread_mutex_lock(&log_lock);
    write_message(&to_user, line);
    pthread_mutex_unlock(&log_lock);
}

void error_report(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report("", fmt, ap);
    va_end(ap);
}

void warn_report(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report("warning: ", fmt, ap);
    va_end(ap);
}

void info_report(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report("info: ", fmt, ap);
    va_end(ap);
}
