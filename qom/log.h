/* SPDX-License-Identifier: MIT */
/* The log: what "-d ITEMS" turns on and "-D FILE" takes, and messages to the person who started the
 * program. */
#ifndef QOMET_QOM_LOG_H
#define QOMET_QOM_LOG_H

#include <stdio.h>
#include <qomet/qom/error.h>
#include <stdbool.h>
#include <stdint.h>

/* Items of -d. */
#define LOG_GUEST_ERROR (1u << 0) /* the guest did what the hardware's manual forbids */
#define LOG_UNIMP (1u << 1)       /* the guest used what is not built */
#define LOG_EXITS (1u << 2)       /* one line an exit */
#define LOG_CPU_RESET (1u << 3)   /* registers at each reset */
#define LOG_IRQ (1u << 4)         /* changes of interrupt lines */

/** A name of -d and what it means; the array ends with a NULL name. */
typedef struct LogItem {
    uint32_t mask;
    const char *name;
    const char *help;
} LogItem;
extern QOM_EXPORT const LogItem qemu_log_items[];

/** The items that are on. Read without a lock; written before threads run or by the monitor. */
extern QOM_EXPORT uint32_t qemu_loglevel;
static inline bool qemu_loglevel_mask(uint32_t mask)
{
    return (__atomic_load_n(&qemu_loglevel, __ATOMIC_RELAXED) & mask) != 0;
}
/** Turns "exits,guest_errors" into @mask; false names the unknown item and lists those that
 * exist. */
QOM_EXPORT bool qemu_str_to_log_mask(const char *items, uint32_t *mask, GError **errp);
/** Sends the log to @path ("%d" becomes the process id), or back to stderr for NULL. A file that has
 * reached 1 GiB gets nothing more until somebody empties it, which the user is told. Main thread. */
QOM_EXPORT bool qemu_set_log_filename(const char *path, GError **errp);
/**
 * Writes one message (with its own newlines) whole. Where a pipe or a terminal takes nothing for a
 * second, messages are left out until it does, and then counted in a line. Any thread.
 */
QOM_EXPORT void qemu_log(const char *fmt, ...) G_GNUC_PRINTF(1, 2);

/** How often one place may speak: @burst messages, then at most one a second, with a count of those
 * left out. */
typedef struct LogLimit {
    uint32_t said, dropped;
    int64_t last_ns;
} LogLimit;
/** Whether the place of @limit may speak now; for what a guest can cause at any rate. Any
 * thread. */
QOM_EXPORT bool qemu_log_limit(LogLimit *limit);

/**
 * qemu_log() when one of the items @mask is on, for what a guest does: each place in the code is
 * held to the rate of a LogLimit of its own. Any thread.
 */
#define qemu_log_mask(mask, ...)                                                                   \
    do {                                                                                           \
        static LogLimit qemu_log_mask_limit;                                                       \
                                                                                                   \
        if (qemu_loglevel_mask(mask) && qemu_log_limit(&qemu_log_mask_limit)) {                    \
            qemu_log(__VA_ARGS__);                                                                 \
        }                                                                                          \
    } while (0)

/** With @end, no message waits for who does not read; without, they do again. Any thread, and
 * signal handlers. */
QOM_EXPORT void qemu_log_end_waits(bool end);

/** "qomet: MESSAGE" on stderr, a newline added. Any thread. */
QOM_EXPORT void error_report(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
QOM_EXPORT void warn_report(const char *fmt, ...) G_GNUC_PRINTF(1, 2); /* "qomet: warning: ..." */
QOM_EXPORT void info_report(const char *fmt, ...) G_GNUC_PRINTF(1, 2);

#endif
