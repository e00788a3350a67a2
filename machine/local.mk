# SPDX-License-Identifier: MIT
#
# machine: the machine class and the machine types.

libqometall_a_SOURCES += \
	machine/bare.c \
	machine/bare-halt.c \
	machine/bare-int.h \
	machine/bare-start.c \
	machine/boot/flat.c \
	machine/boot/flat.h \
	machine/machine.c \
	machine/none.c

nobase_qometinclude_HEADERS += \
	machine/machine.h

unit_tests += \
	tests/guest/test-bare \
	tests/unit/test-machine
