/* SPDX-License-Identifier: MIT */
/*
 * Lines of the human monitor.
 */
#include <qomet/monitor/qmp.h>

bool hmp_execute(Monitor *mon, const char *line, GError **errp)
{
    (void)mon;
    qmp_error_set(errp, QMP_ERROR_GENERIC, "unknown command: '%s'", line);
    return false;
}
