# SPDX-License-Identifier: MIT
#
# accel: the accelerators and the vCPU object.

libqometall_a_SOURCES += \
	accel/accel.c \
	accel/cpu.c \
	accel/cpu-int.h \
	accel/cpu-intc.c \
	accel/cpu-report.c \
	accel/cpu-thread.c \
	accel/debug-int.h \
	accel/debug-memory.c \
	accel/debug.c \
	accel/disas.c \
	accel/exit-explain.c \
	accel/exit-int.h \
	accel/exit-memory.c \
	accel/exit-record.c \
	accel/exit-trace.c \
	accel/irqchip-text.c \
	accel/runstate.c \
	accel/x86-bits.h \
	accel/x86-cpu.c \
	accel/x86-debug.c \
	accel/x86-delivery.c \
	accel/x86-diagnose.c \
	accel/x86-diagnose.h \
	accel/x86-entry-check.c \
	accel/x86-features.c \
	accel/x86-models.c \
	accel/x86-operand.c \
	accel/x86-operand.h \
	accel/x86-dump.c \
	accel/x86-regs.c \
	accel/x86-segment.c \
	accel/x86-topology.c \
	accel/x86-walk.c \
	accel/kvm/kvm.c \
	accel/kvm/kvm-compat.h \
	accel/kvm/kvm-cpuid.c \
	accel/kvm/kvm-debug.c \
	accel/kvm/kvm-diagnose.c \
	accel/kvm/kvm-exits.c \
	accel/kvm/kvm-explain.c \
	accel/kvm/kvm-features.c \
	accel/kvm/kvm-int.h \
	accel/kvm/kvm-interrupt.c \
	accel/kvm/kvm-irqchip.c \
	accel/kvm/kvm-memory.c \
	accel/kvm/kvm-observed.c \
	accel/kvm/kvm-pit.c \
	accel/kvm/kvm-regs.c \
	accel/kvm/kvm-reset.c \
	accel/kvm/kvm-routes.c \
	accel/kvm/kvm-steps.c \
	accel/kvm/kvm-topology.c \
	accel/kvm/kvm-trial.c \
	accel/kvm/kvm-vcpu.c \
	accel/qtest/commands.c \
	accel/qtest/intercept.c \
	accel/qtest/qtest-int.h \
	accel/qtest/qtest.c \
	accel/qtest/stream.c

nobase_qometinclude_HEADERS += \
	accel/accel.h \
	accel/cpu-intc.h \
	accel/cpu.h \
	accel/debug.h \
	accel/disas.h \
	accel/exit-record.h \
	accel/irqchip-text.h \
	accel/qtest/qtest.h \
	accel/runstate.h \
	accel/x86-features.h \
	accel/x86-topology.h \
	accel/x86-walk.h

if HAVE_CAPSTONE
module_PROGRAMS += disas.so
endif
disas_so_SOURCES = accel/disas-capstone.c
disas_so_CFLAGS = $(module_cflags) $(CAPSTONE_CFLAGS)
disas_so_LDFLAGS = $(module_ldflags)
disas_so_LDADD = $(CAPSTONE_LIBS)

# The yardstick of the bench programs; no object of Qomet is in it.
EXTRA_PROGRAMS += tests/bench/bare-loop
CLEANFILES += tests/bench/bare-loop
tests_bench_bare_loop_SOURCES = tests/bench/bare-loop.c
tests_bench_bare_loop_LDADD =
bench: tests/bench/bare-loop

# Guests in a test's own process.
libtest_a_SOURCES += \
	tests/guest/guest.c \
	tests/guest/guest.h \
	tests/unit/qtest-fixture.h

unit_tests += \
	tests/guest/test-bad-guests \
	tests/guest/test-debug \
	tests/guest/test-kvm-faults \
	tests/guest/test-kvm-memory \
	tests/guest/test-kvm-slots \
	tests/guest/test-cpuid \
	tests/guest/test-vcpu \
	tests/unit/test-cpu-regs \
	tests/unit/test-disas \
	tests/unit/test-exit-record \
	tests/unit/test-kvm-explain \
	tests/unit/test-qtest-lines \
	tests/unit/test-qtest-server \
	tests/unit/test-runstate \
	tests/unit/test-x86-diagnose \
	tests/unit/test-x86-operand \
	tests/unit/test-x86-walk

if EXPLAIN
unit_tests += tests/guest/test-kvm-replay
script_tests += \
	tests/guest/test-explain.py \
	tests/guest/test-trace-file.py \
	tests/monitor/test-exits.py
endif
