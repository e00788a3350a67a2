# SPDX-License-Identifier: MIT
#
# tests: one line adds a test.
#
#   unit_tests += tests/unit/test-NAME           a cmocka program made of tests/unit/test-NAME.c
#   script_tests += tests/guest/test-NAME.py     an executable script that prints TAP
#   fuzz_targets += tests/fuzz/fuzz-NAME         made of tests/fuzz/fuzz-NAME.c
#   bench_programs += tests/bench/bench-NAME     made of tests/bench/bench-NAME.c
#
# A test finds in its environment: QOMET (the program), abs_top_srcdir, abs_top_builddir,
# SANITIZERS (how it was built) and, in check-long, QOMET_TEST_LONG=1.

unit_tests +=

script_tests += \
	tests/unit/test-linking.sh

fuzz_targets +=

bench_programs +=

long_tests +=

lab_tests +=

libtest_a_SOURCES += \
	tests/test.h

EXTRA_DIST += \
	tests/tap-filter

# ---- make check ----

if HAVE_CMOCKA
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif
dist_check_SCRIPTS += $(script_tests)
TESTS += $(script_tests)

TEST_EXTENSIONS = .sh .py
tap_driver = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
tap_filter = $(top_srcdir)/tests/tap-filter
LOG_DRIVER = $(tap_driver)
LOG_COMPILER = $(tap_filter)
SH_LOG_DRIVER = $(tap_driver)
SH_LOG_COMPILER = $(tap_filter)
PY_LOG_DRIVER = $(tap_driver)
PY_LOG_COMPILER = $(tap_filter)

AM_TESTS_ENVIRONMENT = \
	QOMET='$(abs_top_builddir)/qomet'; export QOMET; \
	abs_top_srcdir='$(abs_top_srcdir)'; export abs_top_srcdir; \
	abs_top_builddir='$(abs_top_builddir)'; export abs_top_builddir; \
	SANITIZERS='$(SANITIZERS)'; export SANITIZERS; \
	G_SLICE=always-malloc; export G_SLICE; \
	ASAN_OPTIONS=handle_segv=2$${ASAN_OPTIONS:+:$$ASAN_OPTIONS}; export ASAN_OPTIONS; \
	UBSAN_OPTIONS=print_stacktrace=1$${UBSAN_OPTIONS:+:$$UBSAN_OPTIONS}; export UBSAN_OPTIONS;

# Every program links all the objects: say so to make, which is told only part of it by automake.
$(check_PROGRAMS) $(EXTRA_PROGRAMS): $(linked_objects)
