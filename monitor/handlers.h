/* SPDX-License-Identifier: MIT */
/*
 * The functions behind the commands of schema.c.
 */
#ifndef MONITOR_HANDLERS_H
#define MONITOR_HANDLERS_H

#include <qomet/monitor/schema.h>

/* The protocol itself (qmp-cmds-core.c, qmp-introspect.c). */
QmpHandler qmp_do_capabilities;
QmpHandler qmp_do_query_version;
QmpHandler qmp_do_query_commands;
QmpHandler qmp_do_quit;

#endif
