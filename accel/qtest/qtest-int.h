/* SPDX-License-Identifier: MIT */
/*
 * What the files of accel/qtest share: the stream of lines to and from the test, and the state of
 * the commands.
 */
#ifndef ACCEL_QTEST_QTEST_INT_H
#define ACCEL_QTEST_QTEST_INT_H

#include <qomet/accel/qtest/qtest.h>
#include <qomet/hw/core/qdev.h>

/** The largest block of memory that one command moves. */
#define QTEST_MAX_BLOCK (UINT64_C(1) << 20)
/** The longest line: such a block in hexadecimal, and the command around it. */
#define QTEST_MAX_LINE (2 * QTEST_MAX_BLOCK + 256)

typedef struct QTestStream QTestStream;

/**
 * Connects to @address ("unix:PATH" or "stdio"). Afterwards, on the main thread, @line is called
 * for each line that has come (without its newline, NUL-terminated, @len bytes, its own to change;
 * NULL: the line was longer than QTEST_MAX_LINE) until it returns false, and @closed once when the
 * test has hung up. Ended with qtest_stream_free().
 */
QTestStream *qtest_stream_new(const char *address,
                              bool (*line)(char *text, size_t len, void *opaque),
                              void (*closed)(void *opaque), void *opaque, GError **errp);
/** Sends @text, and "\n"; what the test does not take now is kept. Any thread. */
void qtest_stream_send(QTestStream *stream, const char *text);
/** Sends what is left, for at most a second, and closes. NULL is fine. Main thread. */
void qtest_stream_free(QTestStream *stream);

/** One line of a device that a test watches. */
typedef struct QTestLine {
    struct QTest *tester; /* not referenced: the tester ends its lines */
    DeviceState *dev;     /* outputs: whose line it is, referenced; NULL for inputs */
    char *group;          /* outputs: the name of the group, or NULL */
    qemu_irq
        irq; /* inputs: the line that is observed; outputs: where the line led before; referenced */
    qemu_irq tap; /* outputs: the line that is put in between */
    int n;
    int level; /* that was last told; atomic */
} QTestLine;

typedef struct QTest {
    Object parent_obj;
    char *address, *log; /* properties */
    QTestStream *stream;
    FILE *log_file;
    int64_t began_us;  /* when the log began */
    GPtrArray *lines;  /* of QTestLine * */
    char *intercepted; /* path of the device whose lines they are, or NULL */
    bool intercepted_outputs;
} QTest;
DECLARE_INSTANCE_CHECKER(QTest, QTEST, TYPE_QTEST)

/** Sends a line and logs it. Any thread. */
void qtest_say(QTest *s, const char *text);
/** Carries out one line of @len bytes and answers it. Main thread. */
void qtest_command_line(QTest *s, char *text, size_t len);

/**
 * Watches the inputs (or the outputs) of the device @obj, or the lines that are children of any
 * other object, as those of a board; false with @errp set when there are none, or others are
 * watched.
 */
bool qtest_intercept(QTest *s, Object *obj, bool outputs, GError **errp);
/** Ends all watching; every line is as before. */
void qtest_intercept_end(QTest *s);

#endif
