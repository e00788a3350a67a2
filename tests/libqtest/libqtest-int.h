/* SPDX-License-Identifier: MIT */
/*
 * What the files of the tester share: the connection, and how a failure is told.
 */
#ifndef TESTS_LIBQTEST_INT_H
#define TESTS_LIBQTEST_INT_H

#include <glib.h>
#include <qomet/qtest.h>
#include <sys/types.h>

struct QTestState {
    pid_t pid;
    bool ended;     /* waited for: @status holds */
    int status;     /* as qtest_wait() gives it */
    int sock;       /* -1: hung up */
    int output;     /* the file that is the program's standard output; its name is gone already */
    GString *input; /* bytes that have come and are no whole line yet */
    uint8_t irq_level[QTEST_MAX_IRQ];
};

/** Tells the failure handler, then ends the process if that came back. */
void qtest_fail(const char *format, ...) G_GNUC_PRINTF(1, 2) G_GNUC_NORETURN;
/** Milliseconds left of the wait that began at @since (g_get_monotonic_time); 0 when none are. */
int qtest_time_left(gint64 since);

/**
 * Waits for the program as long as a wait may take; a program that is still there then is killed,
 * false.
 */
bool qtest_reap(QTestState *s);

/** Sends @len bytes; a program that does not take them is a failure. */
void qtest_send(QTestState *s, const char *data, size_t len);
/**
 * The next answer, after what the program said about lines has been noted. The caller frees with
 * g_free().
 */
char *qtest_receive(QTestState *s);

#endif
