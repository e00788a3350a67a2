/* SPDX-License-Identifier: MIT */
/*
 * Pictures of the running machine, read from the object graph: text in Graphviz's language, which
 * "dot -Tsvg" draws. Main thread.
 */
#ifndef QOMET_MONITOR_PICTURE_H
#define QOMET_MONITOR_PICTURE_H

#include <qomet/qom/object.h>

/** @top and all objects below it, each with the one that owns it. The caller frees. */
QOM_EXPORT char *picture_qom_tree(Object *top);
/** Every address space: regions inside of regions, and the flat view that they make. */
QOM_EXPORT char *picture_mtree(void);
/** Every device with lines: which output leads to which input. */
QOM_EXPORT char *picture_wires(void);
/** The same in words, a line for each output: "/machine/serial0 irq[0] -> /machine/pic [4]". */
QOM_EXPORT char *listing_wires(void);

#endif
