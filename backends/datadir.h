/* SPDX-License-Identifier: MIT */
/* Where firmware and ROMs are on this host. */
#ifndef QOMET_BACKENDS_DATADIR_H
#define QOMET_BACKENDS_DATADIR_H

#include <qomet/qom/error.h>

/**
 * The path of the file @name: as it is, when there is such a file; else in the folders in which
 * distributions keep firmware for virtual machines, unless @name has a folder of its own. NULL with
 * @errp set, which names those folders. The caller frees. Any thread.
 */
QOM_EXPORT char *datadir_find(const char *name, GError **errp);

#endif
