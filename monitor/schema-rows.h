/* SPDX-License-Identifier: MIT */
/* How the rows of the schema are written: lists of members, each needed or not. */
#ifndef MONITOR_SCHEMA_ROWS_H
#define MONITOR_SCHEMA_ROWS_H

#include <qomet/monitor/schema.h>

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

#endif
