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

/* Pictures, and what is nowhere else in words (hmp-pictures.c). */
HmpHandler hmp_do_info_wires;

#endif
