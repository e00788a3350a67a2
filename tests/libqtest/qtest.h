/* SPDX-License-Identifier: MIT */
/*
 * The tester: starts qomet without a CPU and does what a CPU would do - reads and writes ports and
 * memory, watches interrupt lines, moves the clock. Plain C; link with libqomet-qtest (pkg-config
 * qomet-qtest).
 *
 * One thread uses a QTestState at a time. Every wait is bounded: by 60 s, or QTEST_TIMEOUT seconds
 * of the environment.
 */
#ifndef QOMET_QTEST_H
#define QOMET_QTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define QTEST_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))
#else
#define QTEST_PRINTF(format, first)
#endif

/** A running program and the connection to it. */
typedef struct QTestState QTestState;

/**
 * Who is told when a call cannot do what it says: the program has ended, answers nonsense, or
 * answers FAIL. @message is a sentence, valid during the call. A test's handler leaves by its
 * framework's way (cmocka: fail_msg()); when it returns, or none is set, the message is printed and
 * the process aborted.
 */
void qtest_set_failure_handler(void (*handler)(const char *message));

/**
 * Starts the program with @args, words as a shell would split them ("-M bare -device
 * isa-debugcon,iobase=0xe9"), and waits until it has connected. The program is the one that QOMET
 * of the environment names, else "qomet" of PATH. Its standard input is empty, its standard output
 * is kept (see qtest_output), its standard error is the caller's. Ended with qtest_quit().
 */
QTestState *qtest_init(const char *args);
/** The same with the words made as by printf. */
QTestState *qtest_initf(const char *format, ...) QTEST_PRINTF(1, 2);
/**
 * Hangs up, waits for the program's end and frees @s; NULL is fine and gives 0. Returns the
 * program's exit status, or 128 + N when signal N ended it.
 */
int qtest_quit(QTestState *s);
/**
 * Waits until the program has ended by itself, and returns its exit status as above; @s is still to
 * be freed.
 */
int qtest_wait(QTestState *s);
/**
 * What the program has written to its standard output so far, as a string; the caller frees it with
 * free().
 */
char *qtest_output(QTestState *s);
/** The id of the program's process. */
int qtest_pid(const QTestState *s);

/**
 * Sends one line of the protocol and returns the answer without its newline ("OK
 * 0x0000000000000041", "FAIL ..."); the caller frees it with free(). For what has no function of
 * its own, and for answers that are expected to be FAIL.
 */
char *qtest_command(QTestState *s, const char *format, ...) QTEST_PRINTF(2, 3);

/* Ports. */
void qtest_outb(QTestState *s, uint16_t port, uint8_t value);
void qtest_outw(QTestState *s, uint16_t port, uint16_t value);
void qtest_outl(QTestState *s, uint16_t port, uint32_t value);
uint8_t qtest_inb(QTestState *s, uint16_t port);
uint16_t qtest_inw(QTestState *s, uint16_t port);
uint32_t qtest_inl(QTestState *s, uint16_t port);

/* Memory, one access of that size each. */
void qtest_writeb(QTestState *s, uint64_t addr, uint8_t value);
void qtest_writew(QTestState *s, uint64_t addr, uint16_t value);
void qtest_writel(QTestState *s, uint64_t addr, uint32_t value);
void qtest_writeq(QTestState *s, uint64_t addr, uint64_t value);
uint8_t qtest_readb(QTestState *s, uint64_t addr);
uint16_t qtest_readw(QTestState *s, uint64_t addr);
uint32_t qtest_readl(QTestState *s, uint64_t addr);
uint64_t qtest_readq(QTestState *s, uint64_t addr);

/* Memory, @size bytes, in as many commands as are needed. */
void qtest_memread(QTestState *s, uint64_t addr, void *data, size_t size);
void qtest_memwrite(QTestState *s, uint64_t addr, const void *data, size_t size);
void qtest_memset(QTestState *s, uint64_t addr, uint8_t byte, size_t size);
/** Whether the machine's memory is big-endian. */
bool qtest_big_endian(QTestState *s);

/*
 * Time, in ns of the virtual clock, which stands still but for these. Each returns the time
 * afterwards.
 */
int64_t qtest_clock_step(QTestState *s, int64_t ns);
/** To the moment at which the next timer is due. */
int64_t qtest_clock_step_next(QTestState *s);
int64_t qtest_clock_set(QTestState *s, int64_t ns);

/* Interrupt lines. @path: the device in the object tree ("/machine/peripheral/ID"). */

/**
 * From now on qtest_get_irq() tells the levels of the lines that end in (or begin at) the device at
 * @path.
 */
void qtest_irq_intercept_in(QTestState *s, const char *path);
void qtest_irq_intercept_out(QTestState *s, const char *path);
/**
 * The level of line @n of the intercepted device, 0 to QTEST_MAX_IRQ - 1; low until it is raised.
 */
bool qtest_get_irq(QTestState *s, unsigned n);
#define QTEST_MAX_IRQ 256
/** Sets the input line @n of the group @name (NULL: the unnamed one) of the device at @path. */
void qtest_set_irq_in(QTestState *s, const char *path, const char *name, unsigned n, int level);

#ifdef __cplusplus
}
#endif

#endif
