/* SPDX-License-Identifier: MIT */
/*
 * What a monitor can be asked: commands, their arguments, types, events. The tables stand in
 * schema.c, schema-types.c and schema-hmp.c; arguments are checked by them, and query-qmp-schema,
 * docs/qmp-reference.md and the help of the human monitor are made of them.
 */
#ifndef QOMET_MONITOR_SCHEMA_H
#define QOMET_MONITOR_SCHEMA_H

#include <qomet/monitor/monitor.h>

/**
 * One argument of a command, or one member of an object. Lists of them end with a NULL name.
 */
typedef struct SchemaMember {
    const char *name;
    /*
     * "str", "int" (64 bits, signed), "size" (64 bits, unsigned), "number", "bool", "null", "any",
     * or a name of schema_types; with "[]" behind it, a list of that. Arguments of HMP commands
     * (where "int" and "size" are expressions): see hmp-int.h.
     */
    const char *type;
    const char *help; /* a part of a sentence, without a full stop */
    bool optional;
} SchemaMember;

/** A named type: one of a set of words, or an object. */
typedef struct SchemaType {
    const char *name;
    const char *help;
    const char *const *values;   /* of an enumeration, ended by NULL; or NULL */
    const SchemaMember *members; /* of an object; or NULL */
    /*
     * Of an object of several shapes, or NULL: its member "type" is the name of one of these, its
     * member "data" of that one's type.
     */
    const SchemaMember *variants;
} SchemaType;

/**
 * Carries a command out. @args: a{sv} that fits the schema; see the qmp_arg_...() of qmp.h. *@ret:
 * a full or floating reference that is taken over; left NULL it means {}. False with @errp set: the
 * class of the error is GenericError unless it is of the domain QMP_ERROR. Main thread, outside
 * devices; it must not wait for anything that a peer or guest does.
 */
typedef bool QmpHandler(Monitor *mon, GVariant *args, GVariant **ret, GError **errp);

/** A command of the machine protocol. */
typedef struct QmpCommand {
    const char *name;
    const char *help;         /* sentences */
    const SchemaMember *args; /* or NULL */
    const char *ret;          /* the type of what it returns; NULL: {} */
    QmpHandler *fn;
    bool oob;       /* may be executed out of band */
    bool open_args; /* keys that the schema does not name pass (device_add, object-add) */
} QmpCommand;

/** What QMP monitors are told without having asked. */
typedef struct QmpEvent {
    const char *name;
    const char *help;
    const SchemaMember *data; /* or NULL */
} QmpEvent;

/** Carries a line out; @args: a{sv} of its arguments. Prints with monitor_printf(). Main thread. */
typedef bool HmpHandler(Monitor *mon, GVariant *args, GError **errp);

/** A command for people. */
typedef struct HmpCommand {
    const char *name;         /* "stop"; "info status", two words, is a topic of info */
    const char *alias;        /* "c", or NULL */
    const char *params;       /* as help shows them, "" for none */
    const char *help;         /* a sentence without a full stop */
    const SchemaMember *args; /* in order; or NULL */
    HmpHandler *fn;
    /* Instead of fn: does it, with the same arguments; what it returns is not shown. */
    QmpHandler *qmp;
} HmpCommand;

/* Each ends with a row without a name. */
extern QOM_EXPORT const SchemaType schema_types[];
extern QOM_EXPORT const QmpCommand qmp_commands[];
extern QOM_EXPORT const QmpEvent qmp_events[];
extern QOM_EXPORT const HmpCommand hmp_commands[];

/** The row of that name, or NULL. Any thread. */
QOM_EXPORT const SchemaType *schema_type_find(const char *name);
QOM_EXPORT const QmpCommand *qmp_command_find(const char *name);
QOM_EXPORT const QmpEvent *qmp_event_find(const char *name);

/**
 * Whether @args (a{sv}) is what @members says, in QEMU's words: "Parameter 'x' is missing", "...
 * is unexpected" (unless @open), "Invalid parameter type for 'x', expected: string". Any thread.
 */
QOM_EXPORT bool schema_check(const SchemaMember *members, bool open, GVariant *args, GError **errp);

#endif
