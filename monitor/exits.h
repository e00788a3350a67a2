/* SPDX-License-Identifier: MIT */
/* What the two monitors tell of exits is gathered in one place. */
#ifndef MONITOR_EXITS_H
#define MONITOR_EXITS_H

#include <qomet/accel/exit-record.h>

/* What was counted of one object. */
typedef struct ExitCounts {
    char *path;
    const char *type;
    EntryCounts counts;
} ExitCounts;

/* How often the object of @c was entered, in every way. */
uint64_t exit_counts_sum(const ExitCounts *c);

/*
 * Every object that can be entered, the most often entered first, those of the same number in the
 * order of the tree: an array of ExitCounts *, which frees them. Main thread.
 */
GPtrArray *exit_counts_all(void);

/*
 * The last @count exits (from 1 on) of vCPU @cpu (-1: of all), as exit_records(). NULL with @errp
 * set: there is no such vCPU, or no exits are recorded.
 */
GPtrArray *exit_records_asked_for(int64_t count, int64_t cpu, GError **errp);

#endif
