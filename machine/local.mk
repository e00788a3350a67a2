# SPDX-License-Identifier: MIT
#
# machine: the machine class and the machine types.

libqometall_a_SOURCES += \
	machine/bare.c \
	machine/boot/boot.c \
	machine/boot/boot.h \
	machine/boot/e820.c \
	machine/boot/e820.h \
	machine/boot/flat-mode.c \
	machine/boot/flat-mode.h \
	machine/boot/firmware.c \
	machine/boot/firmware.h \
	machine/boot/flat.c \
	machine/boot/flat.h \
	machine/boot/linux.c \
	machine/flat-halt.c \
	machine/flat-int.h \
	machine/flat-start.c \
	machine/flat.c \
	machine/machine.c \
	machine/microvm.c \
	machine/none.c \
	machine/pc.c \
	machine/rooms.c \
	machine/rooms.h \
	machine/x86-board.c \
	machine/x86-board.h

nobase_qometinclude_HEADERS += \
	machine/machine.h

unit_tests += \
	tests/guest/test-bare \
	tests/unit/test-boot-linux \
	tests/unit/test-machine

libtest_a_SOURCES += \
	tests/unit/boot-fixture.h
