/* SPDX-License-Identifier: MIT */
/*
 * The tester's end of Qomet: an accelerator without CPUs, and the object that takes commands from a
 * test and does what a CPU would do. The test's end is <qomet/qtest.h>.
 */
#ifndef QOMET_ACCEL_QTEST_QTEST_H
#define QOMET_ACCEL_QTEST_QTEST_H

#include <qomet/accel/accel.h>

/**
 * The accelerator of "-accel qtest": there are no vCPU threads, and the virtual clock is the
 * test's.
 */
#define TYPE_QTEST_ACCEL "qtest" ACCEL_CLASS_SUFFIX

/**
 * The object that talks to a test; user-creatable. Its properties: "address" ("unix:PATH", a socket
 * that the test listens on, or "stdio") and "log" (a file, or unset). When the test hangs up, the
 * program ends with status 0.
 */
#define TYPE_QTEST "qtest"

#endif
