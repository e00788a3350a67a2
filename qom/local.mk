# SPDX-License-Identifier: MIT
#
# qom: types, classes, objects, properties, modules, and the one parser of words.
# No type_init may stand in this room: it is an archive, see Makefile.am.

libqom_a_SOURCES += \
	qom/qom-int.h

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
