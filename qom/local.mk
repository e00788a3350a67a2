# SPDX-License-Identifier: MIT
#
# qom: types, classes, objects, properties, modules, and the one parser of words.
# No type_init may stand in this room: it is an archive, see Makefile.am.

libqom_a_SOURCES += \
	qom/batch.c \
	qom/class.c \
	qom/error.c \
	qom/global.c \
	qom/json-check.c \
	qom/json-int.h \
	qom/json-print.c \
	qom/json-stream.c \
	qom/json.c \
	qom/keyval.c \
	qom/link.c \
	qom/log.c \
	qom/module.c \
	qom/object.c \
	qom/path.c \
	qom/property-class.c \
	qom/property-info.c \
	qom/property-json.c \
	qom/property-instance.c \
	qom/property-int.h \
	qom/property-list.c \
	qom/property-typed.c \
	qom/property.c \
	qom/probe.h \
	qom/qom-int.h \
	qom/resolve.c \
	qom/tree.c \
	qom/type.c \
	qom/user-creatable.c \
	qom/value.c

unit_tests += \
	tests/unit/test-json-stream \
	tests/unit/test-qom-class \
	tests/unit/test-qom-global \
	tests/unit/test-qom-json \
	tests/unit/test-qom-keyval \
	tests/unit/test-qom-link \
	tests/unit/test-qom-log \
	tests/unit/test-qom-module \
	tests/unit/test-qom-object \
	tests/unit/test-qom-property \
	tests/unit/test-qom-property-json \
	tests/unit/test-qom-property-text \
	tests/unit/test-qom-property-typed \
	tests/unit/test-qom-threads \
	tests/unit/test-qom-tree \
	tests/unit/test-qom-type \
	tests/unit/test-qom-user-creatable \
	tests/unit/test-qom-value

libtest_a_SOURCES += tests/unit/gadget-fixture.h

script_tests += tests/unit/test-qom-only.sh

# Which module of the tree has which type, asked from the modules themselves.
noinst_PROGRAMS += qom/gen-index
qom_gen_index_SOURCES = qom/gen-index.c
qom_gen_index_LDADD = $(linked_objects) $(linked_libs)
qom_gen_index_DEPENDENCIES = $(linked_objects)

module_DATA = modules.index
CLEANFILES += modules.index

modules.index: qom/gen-index$(EXEEXT) $(module_PROGRAMS) Makefile
	$(AM_V_GEN)./qom/gen-index $(addprefix ./,$(module_PROGRAMS)) > $@.tmp && mv $@.tmp $@

bench_programs += tests/bench/bench-qom

fuzz_targets += \
	tests/fuzz/fuzz-keyval \
	tests/fuzz/fuzz-property

EXTRA_DIST += \
	tests/fuzz/corpus/fuzz-keyval \
	tests/fuzz/corpus/fuzz-property

nobase_qometinclude_HEADERS += \
	qom/error.h \
	qom/export.h \
	qom/json-stream.h \
	qom/keyval.h \
	qom/log.h \
	qom/module.h \
	qom/object.h \
	qom/property.h \
	qom/type.h \
	qom/user-creatable.h \
	qom/value.h
