# SPDX-License-Identifier: MIT
#
# tests: one line adds a test.
#
#   unit_tests += tests/unit/test-NAME           a cmocka program made of tests/unit/test-NAME.c
#   qtest_tests += tests/qtest/test-NAME         the same of tests/qtest/test-NAME.c: drives qomet, links none of it
#   script_tests += tests/guest/test-NAME.py     an executable script that prints TAP
#   fuzz_targets += tests/fuzz/fuzz-NAME         made of tests/fuzz/fuzz-NAME.c
#   bench_programs += tests/bench/bench-NAME     made of tests/bench/bench-NAME.c
#   bench_scripts += tests/bench/bench-NAME.py   an executable script that prints rows
#   long_tests += tests/guest/test-NAME.sh       run by check-long only, or longer there
#   lab_tests += tests/lab/test-NAME.sh          run by check-lab only
#   check_PROGRAMS += tests/unit/mod-NAME.so     a module for a test, with the lines of module_PROGRAMS in Makefile.am
#
# A test finds in its environment: QOMET (the program), abs_top_srcdir, abs_top_builddir,
# SANITIZERS (how it was built), MODULES (those that were built) and, in check-long, QOMET_TEST_LONG=1.

unit_tests += \
	tests/unit/test-device-locks \
	tests/unit/test-locks \
	tests/unit/test-type-count \
	tests/unit/test-types

qtest_tests += \
	tests/qtest/test-board-files \
	tests/qtest/test-boards \
	tests/qtest/test-fw-cfg \
	tests/qtest/test-i8042 \
	tests/qtest/test-pc-acpi \
	tests/qtest/test-pc-ports \
	tests/qtest/test-serial

script_tests += \
	tests/docs/test-docs.py \
	tests/docs/test-pictures.py \
	tests/cli/test-attach-hostile.py \
	tests/cli/test-attach-terminal.py \
	tests/cli/test-attach.py \
	tests/cli/test-cli-actions.py \
	tests/cli/test-cli-boards.py \
	tests/cli/test-cli-config.py \
	tests/cli/test-cli-daemon.py \
	tests/cli/test-cli-errors.py \
	tests/cli/test-cli-guests.py \
	tests/cli/test-cli-help.py \
	tests/cli/test-cli-memory.py \
	tests/cli/test-cli-process.py \
	tests/cli/test-cli-terminal.py \
	tests/fuzz/test-corpus.sh \
	tests/guest/test-guest-ends.py \
	tests/guest/test-interrupt-guests.py \
	tests/guest/test-random-guests.py \
	tests/guest/test-wild-guests.py \
	tests/unit/test-dist.sh \
	tests/unit/test-linking.sh \
	tests/unit/test-probes.sh \
	tests/unit/test-modules.sh \
	tests/unit/test-rooms.sh

fuzz_targets +=

bench_programs +=

bench_scripts = tests/bench/bench-exits.py tests/bench/bench-qmp.py

long_tests += \
	tests/cli/test-attach-hostile.py \
	tests/guest/test-guest-ends.py \
	tests/guest/test-random-guests.py \
	tests/guest/test-wild-guests.py

lab_tests += \
	tests/lab/test-guests.sh \
	tests/lab/test-linux.sh \
	tests/lab/test-memtest.sh \
	tests/lab/test-run.sh

# What the lab repeats on its own KVM. After a triple fault and a reset a vCPU stands at the reset vector there and does not
# go on; why is not known yet.
guest_tests = $(filter-out %/test-resets.py,$(filter tests/guest/%,$(unit_tests) $(script_tests)))

libtest_a_SOURCES += \
	tests/qtest/qtest-test.h \
	tests/test.h \
	tests/unit/program-fixture.h \
	tests/unit/ram-fixture.h \
	tests/unit/two-threads.h

# The tester for authors of devices: <qomet/qtest.h>, installed.
lib_LIBRARIES += libqomet-qtest.a
libqomet_qtest_a_SOURCES = \
	tests/libqtest/libqtest-int.h \
	tests/libqtest/process.c \
	tests/libqtest/protocol.c
qometinclude_HEADERS = tests/libqtest/qtest.h

EXTRA_DIST += \
	$(bench_scripts) \
	tests/bench/bench.h \
	tests/bench/marks \
	tests/bench/run-bench.py \
	tests/cli/cli.py \
	tests/cli/terminal.py \
	tests/fuzz/smoke.sh \
	tests/mutants.list \
	tests/mutants.py \
	tests/guest/guests.py \
	tests/lab/run \
	tests/unit/types.expected \
	tests/installcheck.sh \
	tests/tap-filter

# ---- make check ----

if HAVE_CMOCKA
check_PROGRAMS += $(unit_tests) $(qtest_tests)
TESTS += $(unit_tests) $(qtest_tests)
endif
TESTS += $(script_tests)
dist_check_SCRIPTS += $(script_tests)
EXTRA_DIST += $(filter %.sh %.py,$(long_tests) $(lab_tests))

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
	MODULES='$(module_PROGRAMS)'; export MODULES; \
	FUZZ_TARGETS='$(fuzz_targets)'; export FUZZ_TARGETS; \
	GUEST_TESTS='$(guest_tests)'; export GUEST_TESTS; \
	G_SLICE=always-malloc; export G_SLICE; \
	ASAN_OPTIONS=handle_segv=2$${ASAN_OPTIONS:+:$$ASAN_OPTIONS}; export ASAN_OPTIONS; \
	UBSAN_OPTIONS=print_stacktrace=1$${UBSAN_OPTIONS:+:$$UBSAN_OPTIONS}; export UBSAN_OPTIONS;

# Every program links all the objects. Automake sees that through LDADD too; it is said once more here,
# because a test linked with old objects would be hard to find.
$(check_PROGRAMS) $(EXTRA_PROGRAMS): $(linked_objects)

# A device test sees the program from outside only.
$(qtest_tests): LDADD = libtest.a libqomet-qtest.a $(CMOCKA_LIBS) $(GLIB_LIBS)

# How many lines of the linked sources register types, for test-type-count.
CLEANFILES += tests/unit/type-count.h

tests/unit/type-count.h: $(libqometall_a_SOURCES) Makefile
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)count=`cd $(top_srcdir) && cat /dev/null $(libqometall_a_SOURCES) | \
		grep -cE '^(type_init|DEFINE_TYPES)\('`; \
	echo "#define TYPE_INIT_LINES $$count" > $@

tests/unit/test-type-count.$(OBJEXT): tests/unit/type-count.h

# What test-dist.sh compares with what git knows.
check_DATA += tests/files.lst
CLEANFILES += tests/files.lst

tests/files.lst: Makefile
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)printf '%s\n' $(patsubst $(top_srcdir)/%,%,$(DISTFILES)) > $@

# What is installed is of use there. With QOMET_RESULTS_DIR, what the tests said is kept in that folder:
# distcheck runs this last, and removes its tree.
installcheck-local:
	$(AM_V_at)test -n '$(DESTDIR)' || CC='$(CC)' CFLAGS='$(CFLAGS) $(SANITIZER_CFLAGS)' MANDIR='$(mandir)' \
		$(top_srcdir)/tests/installcheck.sh '$(bindir)' '$(pkgconfigdir)' '$(includedir)' \
		$(nobase_qometinclude_HEADERS) $(notdir $(qometinclude_HEADERS))
	$(AM_V_at)test -z "$$QOMET_RESULTS_DIR" || \
		find tests \( -name '*.trs' -o -name '*.log' \) -exec cp --parents -t "$$QOMET_RESULTS_DIR" {} +

# The modules that test-qom-module loads, all of one source.
qom_test_modules = $(patsubst %,tests/unit/modules/%.so,\
	asks_glib clash clash_program cycle direct empty good impatient indexed indexed_base liar no_stamp orphan \
	other_abi other_sizes unresolved)
check_DATA += $(qom_test_modules)
CLEANFILES += $(qom_test_modules)
EXTRA_DIST += tests/unit/qom-modules.c

asks_glib_libs = -Wl,--no-as-needed `$(PKG_CONFIG) --libs glib-2.0`

tests/unit/modules/%.so: tests/unit/qom-modules.c include/qomet/abi.h
	@$(MKDIR_P) $(@D)
	$(AM_V_CCLD)$(CC) $(DEFS) $(AM_CPPFLAGS) $(CPPFLAGS) -std=gnu11 $(WARN_CFLAGS) $(GLIB_CFLAGS) \
		$(CFLAGS) -fPIC -shared -DMODULE_$* -o $@ $< $($*_libs)

# ---- make check-long, make check-lab ----

check-long:
	@if test -z '$(strip $(long_tests))'; then \
		echo 'check-long: there are no long tests yet'; \
	else \
		QOMET_TEST_LONG=1 QOMET_TEST_TIMEOUT=$${QOMET_TEST_TIMEOUT:-3600} \
		$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(long_tests)' TEST_SUITE_LOG=tests/long.log; \
	fi

check-lab:
	@if test -z '$(strip $(lab_tests))'; then \
		echo 'check-lab: there are no lab tests yet'; \
	else \
		QOMET_TEST_TIMEOUT=$${QOMET_TEST_TIMEOUT:-3600} \
		$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(lab_tests)' TEST_SUITE_LOG=tests/lab.log; \
	fi

# ---- make bench ----

EXTRA_PROGRAMS += $(bench_programs)
CLEANFILES += $(bench_programs)

# The devices of bench-exits.py.
EXTRA_PROGRAMS += tests/bench/bench-devices.so
CLEANFILES += tests/bench/bench-devices.so
tests_bench_bench_devices_so_SOURCES = tests/bench/bench-devices.c
tests_bench_bench_devices_so_CFLAGS = $(module_cflags)
tests_bench_bench_devices_so_LDFLAGS = $(module_ldflags)
tests_bench_bench_devices_so_LDADD =

# A program without explanations: what they cost an exit that nobody observes is counted against it.
# This tree is configured, so another one is made of what would be released.
bench_without_explain = build-bench/without-explain/qomet

$(bench_without_explain): $(linked_objects)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(MAKE) $(AM_MAKEFLAGS) -s distdir distdir=build-bench/src && \
	cd $(@D) && \
	{ { test -f Makefile || ../src/configure -q --disable-explain CC='$(CC)' CFLAGS='$(CFLAGS)'; } && \
	$(MAKE) $(AM_MAKEFLAGS) -s include/qomet/abi.h && $(MAKE) $(AM_MAKEFLAGS) -s qomet && touch qomet; } >/dev/null

clean-local:
	rm -rf build-bench

# One table of what each program prints, with marks and instructions.
bench: qomet $(bench_programs) tests/bench/bench-devices.so $(bench_without_explain)
	$(AM_V_at)$(AM_TESTS_ENVIRONMENT) $(top_srcdir)/tests/bench/run-bench.py \
		$(bench_programs) $(bench_scripts)

# ---- fuzzing ----

# With --enable-fuzzing the main of a fuzz target is libFuzzer's, and `make fuzz-smoke` lets each run
# for a short while. Otherwise it is a loop over files, and test-corpus.sh runs it on the inputs kept.
EXTRA_LIBRARIES += libreplay.a
libreplay_a_SOURCES = tests/fuzz/fuzz.h tests/fuzz/replay.c

if FUZZING
EXTRA_PROGRAMS += $(fuzz_targets)
CLEANFILES += $(fuzz_targets)
check_DATA += $(fuzz_targets)
$(fuzz_targets): fuzz_ldflags = $(FUZZER_LDFLAGS)
else
check_PROGRAMS += $(fuzz_targets)
$(fuzz_targets): fuzz_main = $(libreplay_a_OBJECTS)
$(fuzz_targets): $(libreplay_a_OBJECTS)
endif

if FUZZING
fuzz-smoke: $(fuzz_targets)
	$(AM_V_at)$(AM_TESTS_ENVIRONMENT) $(top_srcdir)/tests/fuzz/smoke.sh $(fuzz_targets)
else
# Without a fuzzer in this build, in one of its own, made of the sources as they are released.
fuzz_options = --enable-fuzzing --enable-asan --enable-ubsan

fuzz-smoke:
	$(AM_V_at)$(MKDIR_P) build-fuzz
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) -s distdir distdir='$(abs_builddir)/build-fuzz/src'
	$(AM_V_at)cd build-fuzz && \
		{ test -f config.status || src/configure -q $(fuzz_options); } && \
		$(MAKE) $(AM_MAKEFLAGS) -s fuzz-smoke
endif

# ---- make mutants ----

mutants:
	$(AM_V_at)$(AM_TESTS_ENVIRONMENT) $(top_srcdir)/tests/mutants.py

.PHONY: bench check-lab check-long fuzz-smoke mutants
