/* SPDX-License-Identifier: MIT */
/*
 * What the files of the human monitor share: rows by their words, arguments as people write them,
 * and what a word may become.
 */
#ifndef MONITOR_HMP_INT_H
#define MONITOR_HMP_INT_H

#include <qomet/accel/cpu.h>
#include <qomet/monitor/schema.h>

/*
 * Types of arguments besides those of the machine protocol. Strings are words, or anything in double
 * quotes; the type says what they may be completed to.
 *   flag          "-f" where its name is "f"; false when it is not there
 *   fmt           "/10xb": read with hmp_arg_format()
 *   path          of an object
 *   property      of the object that the path before it names
 *   value         of that property
 *   device        id or path of a device that can be taken away
 *   object        id of an object in /objects
 *   rest          the rest of the line
 *   command       the same: a command, "info status" too
 *   device-words  the same: what -device takes
 *   object-words  the same: what -object takes
 *   log-items     what -d takes, without spaces
 */

/** Domain of errors about how a line is written, which the help of the command answers. */
#define HMP_SYNTAX (hmp_syntax_quark())
GQuark hmp_syntax_quark(void);
/** Sets @errp to such an error. */
void hmp_syntax_error(GError **errp, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/**
 * The row whose name or alias @*at begins with, and @*at goes behind it; NULL with @errp set and
 * the nearest name. A topic of info counts as one name.
 */
const HmpCommand *hmp_find(const char **at, GError **errp);

/** How a value is to be read or shown: what "/10xb" says. */
typedef struct HmpFormat {
    unsigned count; /* 1 when it was not given */
    char format;    /* x d u o c i; 0: not given */
    unsigned size;  /* in bytes; 0: not given */
} HmpFormat;
/** More of one thing is not shown at a time. */
#define HMP_COUNT_MAX 65536

/** The argument @name, of the type "fmt"; what was not given is as in @defaults. */
HmpFormat hmp_arg_format(GVariant *args, const char *name, HmpFormat defaults);

/**
 * The arguments of @row at @at, which is the rest of a line: a{sv}, a full reference; NULL with
 * @errp set. @mon: whose vCPU registers in expressions are of.
 */
GVariant *hmp_parse_args(const HmpCommand *row, const char *at, Monitor *mon, GError **errp);
/** Whether an argument of @type is the rest of the line, spaces and all. */
bool hmp_takes_rest(const char *type);
/**
 * A number, $register, or what operators make of them: + - of & | ^ of * / % of + - ~ and
 * parentheses, as 64 bits that wrap.
 */
bool hmp_parse_expression(const char **at, Monitor *mon, uint64_t *value, GError **errp);
/**
 * What the word at the end of @before may become (ended by NULL; the caller frees with
 * g_strfreev()); *@from is where it begins.
 */
char **hmp_complete(const char *before, size_t *from);
/** The names that may stand behind a $; the caller frees with g_strfreev(). */
char **hmp_register_names(void);

/** The vCPU that commands of @mon are about; NULL with @errp set when there is none. */
CPUState *hmp_cpu(const Monitor *mon, GError **errp);
/** Prints 'A', '\n', '\x80'. */
void hmp_print_character(Monitor *mon, uint8_t c);

#endif
