# SPDX-License-Identifier: MIT
#
# qom: types, classes, objects, properties, modules, and the one parser of words.
# No type_init may stand in this room: it is an archive, see Makefile.am.

libqom_a_SOURCES += \
	qom/qom-int.h

# They link as soon as the files of properties are here too.
EXTRA_DIST += \
	qom/batch.c \
	qom/class.c \
	qom/error.c \
	qom/module.c \
	qom/object.c \
	qom/path.c \
	qom/resolve.c \
	qom/tree.c \
	qom/type.c \
	tests/unit/test-qom-class.c \
	tests/unit/test-qom-object.c \
	tests/unit/test-qom-tree.c \
	tests/unit/test-qom-type.c

nobase_qometinclude_HEADERS += \
	qom/error.h \
	qom/export.h \
	qom/keyval.h \
	qom/log.h \
	qom/module.h \
	qom/object.h \
	qom/property.h \
	qom/type.h \
	qom/user-creatable.h
