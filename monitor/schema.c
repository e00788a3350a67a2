/* SPDX-License-Identifier: MIT */
/*
 * The schema: everything that can be asked of a monitor, in the order in which the reference shows
 * it. A new command is a row here and a function in a qmp-cmds or hmp file.
 */
#include "monitor/handlers.h"

#define MEMBERS(...)                                                                               \
    (const SchemaMember[])                                                                         \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            .name = NULL                                                                           \
        }                                                                                          \
    }
#define NEEDS(n, t, h)                                                                             \
    {                                                                                              \
        .name = (n), .type = (t), .help = (h)                                                      \
    }
#define MAY(n, t, h)                                                                               \
    {                                                                                              \
        .name = (n), .type = (t), .help = (h), .optional = true                                    \
    }
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* ---- Types ---- */

const SchemaType schema_types[] = {
    /* The protocol itself. */
    {
        .name = "QMPCapability",
        .help = "What a client may enable.",
        .values = WORDS("oob"),
    },
    {
        .name = "CommandInfo",
        .help = "A command.",
        .members = MEMBERS(NEEDS("name", "str", "its name")),
    },
    {
        .name = "VersionTriple",
        .help = "A version in three numbers.",
        .members =
            MEMBERS(NEEDS("major", "int", "the first one"), NEEDS("minor", "int", "the second one"),
                    NEEDS("micro", "int", "the third one")),
    },
    {
        .name = "VersionInfo",
        .help = "Which version this is.",
        .members = MEMBERS(NEEDS("qemu", "VersionTriple",
                                 "the version of QEMU whose commands and events are spoken"),
                           NEEDS("package", "str", "name and version of this program")),
    },
    /* The machine. */
    { .name = NULL },
};

/* ---- QMP commands ---- */

const QmpCommand qmp_commands[] = {
    /* The protocol itself. */
    {
        .name = "qmp_capabilities",
        .help = "Ends the negotiation: the first command of every client. Until then no other is "
                "known.",
        .args = MEMBERS(MAY("enable", "QMPCapability[]", "what the client wants to use")),
        .fn = qmp_do_capabilities,
    },
    {
        .name = "query-version",
        .help = "Which version this is.",
        .ret = "VersionInfo",
        .fn = qmp_do_query_version,
    },
    {
        .name = "query-commands",
        .help = "All commands.",
        .ret = "CommandInfo[]",
        .fn = qmp_do_query_commands,
    },
    /* The machine. */
    {
        .name = "quit",
        .help = "Ends the machine and the program, with status 0.",
        .fn = qmp_do_quit,
    },
    { .name = NULL },
};

/* ---- Events ---- */

const QmpEvent qmp_events[] = {
    { .name = NULL },
};

/* ---- HMP commands ---- */

const HmpCommand hmp_commands[] = {
    { .name = NULL },
};
