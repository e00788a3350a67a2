/* SPDX-License-Identifier: MIT */
/*
 * The functions behind the commands for people.
 */
#ifndef MONITOR_HMP_HANDLERS_H
#define MONITOR_HMP_HANDLERS_H

#include <qomet/monitor/schema.h>

/* Help (hmp.c). */
HmpHandler hmp_do_help;
HmpHandler hmp_do_info;

/* The program and the machine as a whole (hmp-info.c). */
HmpHandler hmp_do_info_status;
HmpHandler hmp_do_info_version;
HmpHandler hmp_do_info_modules;
HmpHandler hmp_do_info_network;
HmpHandler hmp_do_info_block;
HmpHandler hmp_do_info_chardev;
HmpHandler hmp_do_info_irq;
HmpHandler hmp_do_info_pci;
HmpHandler hmp_do_info_pic;

/* vCPUs (hmp-cpu.c). */
HmpHandler hmp_do_cpu;
HmpHandler hmp_do_info_cpus;
HmpHandler hmp_do_info_registers;
HmpHandler hmp_do_print;
HmpHandler hmp_do_gva2gpa;

/* Memory and ports (hmp-memory.c, hmp-mtree.c). */
HmpHandler hmp_do_x;
HmpHandler hmp_do_xp;
HmpHandler hmp_do_sum;
HmpHandler hmp_do_gpa2hva;
HmpHandler hmp_do_i;
HmpHandler hmp_do_o;
HmpHandler hmp_do_info_mtree;

/* Objects (hmp-objects.c, hmp-tree.c). */
HmpHandler hmp_do_qom_list;
HmpHandler hmp_do_qom_get;
HmpHandler hmp_do_qom_set;
HmpHandler hmp_do_device_add;
HmpHandler hmp_do_object_add;
HmpHandler hmp_do_info_qom_tree;
HmpHandler hmp_do_info_qtree;
HmpHandler hmp_do_info_wires;

/* The log (hmp-log.c). */
HmpHandler hmp_do_log;
HmpHandler hmp_do_trace_event;
HmpHandler hmp_do_info_trace_events;

/* Exits (hmp-exits.c). */
HmpHandler hmp_do_info_exits;
HmpHandler hmp_do_explain;

#endif
