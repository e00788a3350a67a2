/* SPDX-License-Identifier: MIT */
/*
 * The rooms of the program from qom/ to machine/, begun and ended together. For the program and for
 * tests.
 */
#ifndef MACHINE_ROOMS_H
#define MACHINE_ROOMS_H

#include <glib.h>
#include <stdbool.h>

/**
 * Begins them: the main loop, clocks, types and the maps of memory and ports. This thread is the main
 * one from now on. Once, or again after rooms_end(). False with @errp set: types of the program
 * clash, which is an error of whoever has written them.
 */
bool rooms_begin(GError **errp) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Ends them in the opposite order, with the machine and all objects that are still there. What
 * failed to begin is ended too. Main thread.
 */
void rooms_end(void);

#endif
