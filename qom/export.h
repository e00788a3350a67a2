/* SPDX-License-Identifier: MIT */
/* Visibility: which symbols a module built outside the tree may use. */
#ifndef QOMET_QOM_EXPORT_H
#define QOMET_QOM_EXPORT_H

/** Marks a function or variable that modules may call; all else is hidden. */
#define QOM_EXPORT __attribute__((visibility("default")))

#endif
