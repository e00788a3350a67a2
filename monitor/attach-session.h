/* SPDX-License-Identifier: MIT */
/*
 * An attach that stays: this terminal is joined with a chardev of the machine.
 */
#ifndef MONITOR_ATTACH_SESSION_H
#define MONITOR_ATTACH_SESSION_H

#include "monitor/attach-wire.h"

/* How long the machine may take, in milliseconds, to let go of what was attached. */
#define ATTACH_END_MS 5000

/**
 * Joins standard input and output with @relay, a stream socket (taken over), until what was attached
 * is gone, the machine ends, or the end of the terminal or a signal ends it; a signal may have come
 * before (attach_signals_take()). @signals: the keys for interrupt and stop send signals.
 * @ends_with_input: the end of standard input ends it too, when everything has been answered; a
 * terminal's end always does. Returns the exit status.
 */
int attach_session(AttachWire *wire, int relay, bool signals, bool ends_with_input);

#endif
