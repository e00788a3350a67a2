/* SPDX-License-Identifier: MIT */
/*
 * The functions behind the commands of the machine protocol.
 */
#ifndef MONITOR_HANDLERS_H
#define MONITOR_HANDLERS_H

#include <qomet/monitor/schema.h>

/* The protocol itself (qmp-cmds-core.c, qmp-introspect.c). */
QmpHandler qmp_do_capabilities;
QmpHandler qmp_do_query_version;
QmpHandler qmp_do_query_commands;
QmpHandler qmp_do_query_events;
QmpHandler qmp_do_query_qmp_schema;

/* Whether it runs (qmp-cmds-run.c). */
QmpHandler qmp_do_query_status;
QmpHandler qmp_do_stop;
QmpHandler qmp_do_cont;
QmpHandler qmp_do_system_reset;
QmpHandler qmp_do_system_powerdown;
QmpHandler qmp_do_quit;
QmpHandler qmp_do_load_module;
QmpHandler qmp_do_human_monitor_command;

/* Descriptors (qmp-cmds-fd.c). */
QmpHandler qmp_do_getfd;
QmpHandler qmp_do_closefd;
QmpHandler qmp_do_add_client;

/* What the machine is, and its memory (qmp-cmds-machine.c, -memory.c, -options.c). */
QmpHandler qmp_do_query_name;
QmpHandler qmp_do_query_kvm;
QmpHandler qmp_do_query_target;
QmpHandler qmp_do_query_machines;
QmpHandler qmp_do_query_cpus_fast;
QmpHandler qmp_do_query_memory_size_summary;
QmpHandler qmp_do_query_command_line_options;
QmpHandler qmp_do_query_migrate_capabilities;
QmpHandler qmp_do_inject_nmi;
QmpHandler qmp_do_memsave;
QmpHandler qmp_do_pmemsave;

/* What comes and goes (qmp-cmds-devices.c, qmp-cmds-chardev.c). */
QmpHandler qmp_do_device_add;
QmpHandler qmp_do_device_del;
QmpHandler qmp_do_object_add;
QmpHandler qmp_do_object_del;
QmpHandler qmp_do_query_chardev;
QmpHandler qmp_do_chardev_add;
QmpHandler qmp_do_chardev_remove;

/* Exits (qmp-cmds-exits.c). */
QmpHandler qmp_do_query_exits;
QmpHandler qmp_do_explain_exit;

/* Objects and types (qmp-cmds-qom.c, qom-tree.c, qmp-cmds-types.c). */
QmpHandler qmp_do_qom_list;
QmpHandler qmp_do_qom_list_get;
QmpHandler qmp_do_qom_get;
QmpHandler qmp_do_qom_set;
QmpHandler qmp_do_qom_tree;
QmpHandler qmp_do_qom_list_types;
QmpHandler qmp_do_qom_list_properties;
QmpHandler qmp_do_device_list_properties;

#endif
