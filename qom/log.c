/* SPDX-License-Identifier: MIT */
/* The log and the messages to the user. One lock keeps lines whole; a flood from the guest is thinned out. */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <qomet/qom/log.h>

/* How many messages a place may write before it is held to one a second. */
#define LOG_BURST 10

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
static FILE *log_file; /* NULL: stderr */

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
    FILE *file = NULL;

    if (path) {
        g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
        g_auto(GStrv) parts = g_strsplit(path, "%d", 2);
        g_autofree char *name = g_strjoinv(pid, parts);

        file = fopen(name, "we");
        if (!file) {
            qom_error_set(errp, QOM_ERROR_FAILED, "cannot write the log file '%s': %s", name,
                          g_strerror(errno));
            return false;
        }
        setvbuf(file, NULL, _IOLBF, 0);
    }
    pthread_mutex_lock(&log_lock);
    if (log_file) {
        fclose(log_file);
    }
    log_file = file;
    pthread_mutex_unlock(&log_lock);
    return true;
}

void qemu_log(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    pthread_mutex_lock(&log_lock);
    vfprintf(log_file ? log_file : stderr, fmt, ap);
    pthread_mutex_unlock(&log_lock);
    va_end(ap);
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

    pthread_mutex_lock(&log_lock);
    fprintf(stderr, "qomet: %s%s\n", kind, text);
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
