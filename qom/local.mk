# SPDX-License-Identifier: MIT
#
# qom: types, classes, objects, properties, modules, and the one parser of words.
# No type_init may stand in this room: it is an archive, see Makefile.am.

libqom_a_SOURCES +=

nobase_qometinclude_HEADERS +=
