# SPDX-License-Identifier: MIT
#
# monitor: QMP, HMP, the schema, introspection.

libqometall_a_SOURCES += \
	monitor/attach-client.c \
	monitor/attach-client.h \
	monitor/attach-folder.c \
	monitor/attach-folder.h \
	monitor/attach-peer.h \
	monitor/attach-request.c \
	monitor/attach-server.c \
	monitor/attach-session.c \
	monitor/attach-session.h \
	monitor/attach-signals.c \
	monitor/attach-signals.h \
	monitor/attach-wire.c \
	monitor/attach-wire.h \
	monitor/handlers.h \
	monitor/hmp-args.c \
	monitor/hmp-complete.c \
	monitor/hmp-cpu.c \
	monitor/hmp-exits.c \
	monitor/hmp-expression.c \
	monitor/hmp-handlers.h \
	monitor/hmp-info.c \
	monitor/exits.c \
	monitor/exits.h \
	monitor/hmp-int.h \
	monitor/hmp-log.c \
	monitor/hmp-memory.c \
	monitor/hmp-monitor.c \
	monitor/hmp-mtree.c \
	monitor/hmp-objects.c \
	monitor/hmp-pci.c \
	monitor/hmp-tree.c \
	monitor/hmp.c \
	monitor/introspect.c \
	monitor/introspect.h \
	monitor/line-editor.c \
	monitor/line-editor.h \
	monitor/monitor.c \
	monitor/picture-int.h \
	monitor/picture-mtree.c \
	monitor/picture-qom.c \
	monitor/picture-wires.c \
	monitor/picture.c \
	monitor/qmp-cmds-chardev.c \
	monitor/qmp-cmds-core.c \
	monitor/qmp-cmds-devices.c \
	monitor/qmp-cmds-exits.c \
	monitor/qmp-cmds-fd.c \
	monitor/qmp-cmds-machine.c \
	monitor/qmp-cmds-memory.c \
	monitor/qmp-cmds-options.c \
	monitor/qmp-cmds-qom.c \
	monitor/qmp-cmds-run.c \
	monitor/qmp-cmds-types.c \
	monitor/qmp-dispatch.c \
	monitor/qmp-events.c \
	monitor/qmp-int.h \
	monitor/qmp-introspect.c \
	monitor/qmp.c \
	monitor/qom-tree.c \
	monitor/schema-check.c \
	monitor/schema-hmp.c \
	monitor/schema-rows.h \
	monitor/schema-types.c \
	monitor/schema.c

unit_tests += tests/unit/test-attach-server

# The gdb server.
libqometall_a_SOURCES += \
	monitor/gdb-commands.c \
	monitor/gdb-int.h \
	monitor/gdb-packet.c \
	monitor/gdb-packet.h \
	monitor/gdb-query.c \
	monitor/gdb-regs.c \
	monitor/gdb-resume.c \
	monitor/gdb-server.c \
	monitor/gdb-target.c \
	monitor/gdb-target.h
unit_tests += tests/unit/test-gdb-packet tests/unit/test-gdb-target
script_tests += tests/monitor/test-gdb.py tests/monitor/test-gdb-hostile.py \
	tests/monitor/test-gdb-protocol.py
fuzz_targets += tests/fuzz/fuzz-gdb
EXTRA_DIST += tests/fuzz/corpus/fuzz-gdb tests/monitor/gdb.py

nobase_qometinclude_HEADERS += \
	monitor/monitor.h \
	monitor/picture.h \
	monitor/qmp.h \
	monitor/schema.h

unit_tests += \
	tests/unit/test-qmp \
	tests/unit/test-qmp-events \
	tests/unit/test-qmp-schema

libtest_a_SOURCES += \
	tests/unit/qmp-fixture.h

bench_programs += tests/bench/bench-monitor

fuzz_targets += tests/fuzz/fuzz-hmp tests/fuzz/fuzz-qmp
EXTRA_DIST += tests/fuzz/corpus/fuzz-hmp tests/fuzz/corpus/fuzz-qmp

script_tests += \
	tests/monitor/test-libvirt-probe.py \
	tests/monitor/test-qmp-any-order.py \
	tests/monitor/test-qmp-anything.py \
	tests/monitor/test-qmp-chardevs.py \
	tests/monitor/test-qmp-devices.py \
	tests/monitor/test-qmp-memory.py \
	tests/monitor/test-hmp-commands.py \
	tests/monitor/test-hmp-shape.py \
	tests/monitor/test-hmp-terminal.py \
	tests/monitor/test-qmp-clients.py \
	tests/monitor/test-qmp-input.py \
	tests/monitor/test-qmp-qom.py \
	tests/monitor/test-qmp-queries.py \
	tests/monitor/test-qmp-schema.py \
	tests/monitor/test-qmp-shape.py \
	tests/monitor/test-qmp-words.py

long_tests += \
	tests/monitor/test-qmp-any-order.py \
	tests/monitor/test-qmp-anything.py \
	tests/monitor/test-qmp-devices.py

EXTRA_DIST += \
	tests/monitor/machine_model.py \
	tests/monitor/qmp.py

unit_tests += \
	tests/unit/test-hmp-complete \
	tests/unit/test-hmp-line \
	tests/unit/test-line-editor \
	tests/unit/test-pictures

# The reference is made of the schema.
noinst_PROGRAMS += monitor/gen-reference
monitor_gen_reference_SOURCES = monitor/gen-reference.c
monitor_gen_reference_LDADD = $(linked_objects) $(linked_libs)
monitor_gen_reference_DEPENDENCIES = $(linked_objects)

nodist_doc_DATA = docs/qmp-reference.md
CLEANFILES += docs/qmp-reference.md

docs/qmp-reference.md: monitor/gen-reference$(EXEEXT)
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)./monitor/gen-reference > $@.tmp && mv $@.tmp $@
